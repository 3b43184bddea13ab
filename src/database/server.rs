//! What a server has to be, for the relay to work on it.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use crate::fault::Fault;

pub(crate) const SERVER_VERSION_MIN: i32 = 140_000;

/// What decides whether the relay can work on a server.
#[derive(FromRow)]
struct Server {
    version: i32,
    in_recovery: bool,
    read_only: bool,
    role: String,
}

/// Refuses servers that the relay can't work on.
pub async fn check_server(conn: &mut PgConnection) -> Result<()> {
    let Server {
        version,
        in_recovery,
        read_only,
        role,
    } = sqlx::query_as(include_str!("../../sql/database/server.sql"))
        .fetch_one(conn)
        .await?;
    if version < SERVER_VERSION_MIN {
        return Err(Fault::usage(format!(
            "the server is PostgreSQL {}; the relay needs 14 or newer",
            version / 10_000
        ))
        .into());
    }
    if in_recovery {
        // Its snapshots lack running transactions: changes would be lost.
        return Err(Fault::usage(
            "the server is a standby; point the relay at the primary (DATABASE_URL, database.url)",
        )
        .into());
    }
    if read_only {
        return Err(Fault::usage(format!(
            "the database takes no writes from {role}: `default_transaction_read_only` is on; have it turned off for this role \
             (`alter role {role} set default_transaction_read_only = off`), or point DATABASE_URL (database.url) elsewhere"
        ))
        .into());
    }
    Ok(())
}
