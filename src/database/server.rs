//! What a server has to be, for the relay to work on it.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::engine::{Engine, refusal};
use crate::fault::Fault;

pub(crate) const SERVER_VERSION_MIN: i32 = 140_000;

/// What decides whether the relay can work on a server.
#[derive(FromRow)]
struct Server {
    version: i32,
    in_recovery: bool,
    read_only: bool,
    role: String,
    #[sqlx(flatten)]
    engine: Engine,
}

/// Refuses servers that the relay can't work on.
pub async fn check_server(conn: &mut PgConnection) -> Result<()> {
    let Server {
        version,
        in_recovery,
        read_only,
        role,
        engine,
    } = sqlx::query_as(include_str!("../../sql/database/server.sql"))
        .fetch_one(conn)
        .await?;
    if let Some(objection) = engine.objection() {
        return Err(Fault::usage(refusal(objection)).into());
    }
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

/// Which engine it is, as far as it says so.
pub(crate) async fn engine(conn: &mut PgConnection) -> Result<Engine> {
    Ok(sqlx::query_as(include_str!("../../sql/database/engine.sql"))
        .fetch_one(conn)
        .await?)
}

/// Which of the source tables Citus distributes: a trigger there would fail the application's own writes. Full names.
pub(crate) async fn distributed(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<String>> {
    let has_citus: bool = sqlx::query_scalar(include_str!("../../sql/database/has_citus.sql"))
        .fetch_one(&mut *conn)
        .await?;
    if !has_citus {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar(include_str!("../../sql/database/distributed.sql"))
        .bind(&tables[..])
        .fetch_all(conn)
        .await?)
}

/// What is said of them.
pub(crate) fn distributed_words(tables: &[String]) -> String {
    format!(
        "Citus distributes {}, and a trigger there fails the application's own writes",
        tables.join(" and ")
    )
}
