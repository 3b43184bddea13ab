//! Whether the source's changes reach the outbox at all: a table that was restored or put in another's place has no triggers, and
//! nothing else would tell before the night.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgConnection;

use super::context::Relay;
use crate::alert::{self, Alert, Kind};
use crate::capture::{self, Captured};

/// Asks every now and then, and says what it finds for one receiver.
pub(super) struct CaptureWatch {
    ask_every: Duration,
    asked: Option<Instant>,
    is_all: bool,
}

impl CaptureWatch {
    pub fn new(relay: &Relay) -> Self {
        Self {
            ask_every: relay.config.relay.sweep_every,
            asked: None,
            is_all: false,
        }
    }

    /// Asks if it is time to.
    pub async fn step(&mut self, relay: &Relay, conn: &mut PgConnection, receiver: &str) -> Result<()> {
        if self.asked.is_some_and(|asked| asked.elapsed() < self.ask_every) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        let tables = relay.database.tables(conn, &relay.config.source).await?;
        let now = relay.clock.now();
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
