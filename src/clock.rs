//! What time a stage goes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// The database's clock, or one that tests move: every statement that depends on time takes it as a parameter.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The database's own; relays on several machines agree on it.
    #[default]
    Database,
    /// Ahead of this machine's by so many milliseconds.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The parameter: none means the database's own clock.
    pub fn now(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Database => None,
            Self::Ahead(by) => Some(Utc::now() + TimeDelta::milliseconds(by.load(Ordering::Relaxed))),
        }
    }

    /// The time itself.
    pub async fn moment(&self, conn: &mut PgConnection) -> sqlx::Result<DateTime<Utc>> {
        sqlx::query_scalar(include_str!("../sql/connection/moment.sql"))
            .bind(self.now())
            .fetch_one(conn)
            .await
    }
}

/// A moment by both clocks of this machine: one stands still while the machine sleeps, the other may be set back.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// So long ago.
    #[cfg(test)]
    pub fn ago(ago: Duration) -> Self {
        Self {
            monotonic: Instant::now() - ago,
            wall: SystemTime::now() - ago,
        }
    }

    /// How long ago it was, by the clock that says more.
    pub fn elapsed(self) -> Duration {
        self.monotonic.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_slept_knows_by_the_other_clock() {
        let hour = Duration::from_secs(3600);
        let now = Moment::now();
        let slept = Moment {
            wall: now.wall - hour,
            ..now
        };
        let set_back = Moment {
            wall: now.wall + hour,
            ..now
        };
        assert!(slept.elapsed() >= hour);
        assert!(set_back.elapsed() < hour);
    }
}
