//! What time a stage goes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
