//! Whether the source's changes reach the outbox at all: a table that was restored or put in another's place has no triggers, and
//! nothing else would tell before the night.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgConnection;

use crate::alert::{self, Alert, Kind};
use crate::capture::{self, Captured};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::database::Database;

/// Asks every now and then, and says what it finds for one receiver.
pub(super) struct CaptureWatch {
    database: Database,
    source: Source,
    clock: Clock,
    ask_every: Duration,
    asked: Option<Instant>,
    is_all: bool,
}

impl CaptureWatch {
    pub fn new(database: &Database, config: &Config, clock: &Clock) -> Self {
        Self {
            database: database.clone(),
            source: config.source.clone(),
            clock: clock.clone(),
            ask_every: config.relay.sweep_every,
            asked: None,
            is_all: false,
        }
    }

    /// Asks if it is time to.
    pub async fn step(&mut self, conn: &mut PgConnection, receiver: &str) -> Result<()> {
        if self.asked.is_some_and(|asked| asked.elapsed() < self.ask_every) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        let tables = self.database.tables(conn, &self.source).await?;
        let now = self.clock.now();
        match capture::captured(conn, &tables).await? {
            Captured::Not { problems, todo } => {
                self.is_all = false;
                let alert = Alert {
                    kind: Kind::NotCaptured,
                    receiver: receiver.to_owned(),
                    property_id: None,
                    message: format!(
                        "changes are not captured, only a snapshot finds them: the triggers: {}; {todo}",
                        problems.join("; ")
                    ),
                };
                alert::raise(conn, &alert, now).await
            }
            Captured::All(_) if std::mem::replace(&mut self.is_all, true) => Ok(()),
            Captured::All(_) => alert::resolve(conn, receiver, &[Kind::NotCaptured], now).await,
        }
    }
}
