//! What a relay runs on, and how it begins.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::time::timeout;

use super::capture_watch::CaptureWatch;
use super::progress::Progress;
use super::stop::DATABASE_TAKES_MAX;
use crate::capture;
use crate::clock::Clock;
use crate::config::Config;
use crate::database::{Database, check_server};
use crate::deliver::breaker;
use crate::heartbeat::Heartbeat;
use crate::plan::{self, Scope};
use crate::source_identity::{self, IdentityCheck};
use crate::witness::Witness;

/// Between tries to reach a database that went away.
pub(super) const RECONNECT_EVERY: Duration = Duration::from_secs(1);
/// What a relay runs on.
#[derive(Clone)]
pub struct Relay {
    /// The database.
    pub database: Database,
    /// All settings.
    pub config: Config,
    /// Whose time it goes by.
    pub clock: Clock,
    /// Host and process, as attempts name it.
    pub name: String,
    /// Whether its loops get anywhere.
    pub progress: Arc<Progress>,
    /// What it sent, against a database that is set back.
    pub witness: Arc<Witness>,
}

/// Wakes the deliverer: something is due.
pub(super) struct Wake;

impl Relay {
    /// One for these settings.
    pub fn new(database: Database, config: Config) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "relay".into());
        Self {
            database,
            progress: Arc::new(Progress::new(config.receivers.keys())),
            config,
            witness: Arc::default(),
            clock: Clock::Database,
            name: format!("{}:{}", host.trim(), std::process::id()),
        }
    }

    /// The receivers, and what is sent to each.
    pub(super) fn scopes(&self) -> Result<Vec<Scope>> {
        let available = self.config.source.available_status_ids()?;
        let receivers = self.config.receivers.values();
        Ok(receivers.map(|receiver| Scope::new(receiver, available)).collect())
    }

    /// Makes sure that it may begin, and gives its first sign of life. `once`: no loop follows that asks whether changes are captured.
    pub(super) async fn begin(&self, scopes: &[Scope], once: bool) -> Result<(PgConnection, Heartbeat)> {
        let mut conn = self.database.connect().await?;
        check_server(&mut conn).await?;
        let tables = self.database.tables(&mut conn, &self.config.source).await?;
        capture::check_owner(&self.database, &mut conn, &tables, capture::Doing::Using).await?;
        capture::check_tables_granted(&mut conn).await?;
        for scope in scopes {
            plan::register(&mut conn, scope).await?;
            let name = &scope.receiver.name;
            if source_identity::check(&mut conn, name, &self.witness, self.clock.now()).await? == IdentityCheck::Waits {
                tracing::error!(
                    receiver = name,
                    "nothing is planned or sent for it: this is another database than the one that it was fed from; see \
                     `status`, and `receivers resync {name}` if it is the right one"
                );
            }
            // Whoever starts a relay may have put right what it was paused for.
            breaker::probe_now(&mut conn, name, self.clock.now()).await?;
        }
        if once {
            self.capture_watch().ask(&mut conn).await?;
        }
        let receivers = self.config.receivers.keys().cloned().collect();
        let heartbeat = Heartbeat::begin(&self.database, &self.name, receivers, self.witness.clone()).await?;
        self.progress.registered(heartbeat.registration().clone());
        Ok((conn, heartbeat))
    }

    pub(super) fn capture_watch(&self) -> CaptureWatch {
        CaptureWatch::new(&self.database, &self.config, &self.clock)
    }

    /// What delivers has these connections.
    pub(super) fn pool(&self) -> PgPool {
        // One for each planner, one for the heartbeat.
        let others = u32::try_from(self.config.receivers.len() + 1).unwrap_or(u32::MAX);
        let connections_max = self.config.database.max_connections.saturating_sub(others).max(1);
        let receivers = self.config.receivers.keys().cloned().collect();
        let options = PgPoolOptions::new().max_connections(connections_max);
        self.database.pool(source_identity::checked(
            options,
            &self.database,
            receivers,
            self.witness.clone(),
            self.clock.clone(),
        ))
    }
}

/// A connection that fell silent is not waited for.
pub(super) async fn close(pool: PgPool) {
    timeout(DATABASE_TAKES_MAX, pool.close()).await.ok();
}
