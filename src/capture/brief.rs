//! Who waits for whom.
//!
//! Work that writers of the source wait for: in a transaction of its own, which itself waits for nobody's lock longer than they may
//! be made to wait, and is tried again instead.

use std::time::Duration;

use anyhow::Result;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::fault::{self, Fault};

const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// None where somebody held what it needs at every try.
pub(super) async fn briefly<T>(
    conn: &mut PgConnection,
    work: impl AsyncFn(&mut PgConnection) -> Result<T>,
) -> Result<Option<T>> {
    for _ in 0..TRIES {
        let mut tx = conn.begin().await?;
        sqlx::query(include_str!("../../sql/capture/brief_locks.sql"))
            .execute(&mut *tx)
            .await?;
        match work(&mut tx).await {
            Ok(done) => {
                tx.commit().await?;
                return Ok(Some(done));
            }
            Err(error) if fault::database_error(&error).is_some_and(fault::is_locked_out) => {
                tx.rollback().await?;
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Waited in vain, or somebody's schema came first.
pub(super) fn under_way(error: anyhow::Error) -> anyhow::Error {
    let came_first = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(|error| error.code());
        fault::is_locked_out(error) || matches!(code.as_deref(), Some("23505" | "42P06"))
    };
    if !fault::database_error(&error).is_some_and(came_first) {
        return error;
    }
    Fault::finding(
        "another install or uninstall is under way in this database; nothing was changed, try again when it is done \
         (pg_stat_activity shows who holds a lock in schema rentsync)",
    )
    .into()
}

/// The schema, or what is in it, could not be made.
pub(super) fn not_created(error: anyhow::Error, doing: &'static str) -> anyhow::Error {
    match under_way(error) {
        fault if fault.is::<Fault>() => fault,
        error => error.context(doing),
    }
}
