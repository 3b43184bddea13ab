//! A connection of the pool for one transaction.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

/// Goes back to the pool only when its transaction came to its end. Else it is closed: the pool would ask it whether it is still
/// there, and of one whose network fell silent wait for an answer for as long as the network's own timeouts take.
pub(super) struct Borrowed {
    conn: PoolConnection<Postgres>,
    is_good: bool,
}

impl Borrowed {
    pub async fn of(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self {
            conn: pool.acquire().await?,
            is_good: false,
        })
    }

    /// Its transaction is committed.
    pub fn give_back(mut self) {
        self.is_good = true;
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if !self.is_good {
            self.conn.close_on_drop();
        }
    }
}

impl Deref for Borrowed {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.conn
    }
}

impl DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}
