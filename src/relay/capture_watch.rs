//! Whether the source's changes reach the outbox at all: a table that was restored or put in another's place has no triggers, and
//! nothing else would show before the night.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgConnection;
use tokio::sync::Mutex;

use crate::alert::{self, Alert, Kind};
use crate::capture::{self, Captured};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::database::Database;

/// Asks every now and then, on whichever planner's connection it is time, and says what it finds to every receiver.
pub(super) struct CaptureWatch {
    database: Database,
    source: Source,
    clock: Clock,
    receivers: Vec<String>,
    ask_every: Duration,
    asked: Mutex<Option<Instant>>,
}

impl CaptureWatch {
    pub fn new(database: &Database, config: &Config, clock: &Clock) -> Self {
        Self {
            database: database.clone(),
            source: config.source.clone(),
            clock: clock.clone(),
            receivers: config.receivers.keys().cloned().collect(),
            ask_every: config.relay.sweep_every,
            asked: Mutex::new(None),
        }
    }

    /// Asks if it is time to, and nobody else does just now.
    pub async fn step(&self, conn: &mut PgConnection) -> Result<()> {
        let Ok(mut asked) = self.asked.try_lock() else {
            return Ok(());
        };
        if asked.is_none_or(|asked| asked.elapsed() >= self.ask_every) {
            self.ask(conn).await?;
            *asked = Some(Instant::now());
        }
        Ok(())
    }

    /// Asks, and raises or ends the alert.
    pub async fn ask(&self, conn: &mut PgConnection) -> Result<()> {
        let tables = self.database.tables(conn, &self.source).await?;
        let captured = capture::captured(conn, &tables).await?;
        for receiver in &self.receivers {
            self.say(conn, receiver, &captured).await?;
        }
        Ok(())
    }

    async fn say(&self, conn: &mut PgConnection, receiver: &str, captured: &Captured) -> Result<()> {
        let now = self.clock.now();
        let Captured::Not { problems, todo } = captured else {
            return alert::resolve(conn, receiver, &[Kind::NotCaptured], now).await;
        };
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
}
