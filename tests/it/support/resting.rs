//! Connections that rest between two uses. A new one reads the catalog, compiles triggers and plans statements anew, which costs
//! the server more than what most tests then ask of it; a relay's live as long as the relay.
//!
//! Only where every statement so far left a connection as it was: whoever changes a setting, a right or an object is not answered
//! by what was planned before, but by new connections from then on.

use std::sync::{Mutex, PoisonError};

use sqlx::{Connection, PgConnection, PgPool};

/// What statements begin with that change rows and nothing else.
const PLAIN: [&str; 4] = ["insert ", "update ", "delete ", "truncate "];

/// What rests; none where nothing may.
pub struct Resting(Mutex<Option<Held>>);

#[derive(Default)]
struct Held {
    connections: Vec<PgConnection>,
    pool: Option<PgPool>,
}

impl Resting {
    pub fn allowed() -> Self {
        Self(Mutex::new(Some(Held::default())))
    }

    pub fn forbidden() -> Self {
        Self(Mutex::new(None))
    }

    /// From now on.
    pub fn forbid(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// One that still answers.
    pub async fn take(&self) -> Option<PgConnection> {
        loop {
            let mut resting = self.with(|held| held.connections.pop())??;
            if resting.ping().await.is_ok() {
                return Some(resting);
            }
        }
    }

    /// Nothing is under way on it.
    pub fn put(&self, connection: PgConnection) {
        self.with(|held| held.connections.push(connection));
    }

    /// The one that is kept, or a new one.
    pub fn pool(&self, new: impl Fn() -> PgPool) -> PgPool {
        let kept = self.with(|held| held.pool.get_or_insert_with(&new).clone());
        kept.unwrap_or_else(new)
    }

    fn with<T>(&self, what: impl FnOnce(&mut Held) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(what)
    }
}

/// Whether statements leave a connection as it was; where that is hard to see they do not.
pub fn are_plain(statements: &str) -> bool {
    let mut each = statements.split(';').map(str::trim).filter(|one| !one.is_empty());
    each.all(|one| PLAIN.iter().any(|begins| one.starts_with(begins)))
}
