//! The functions in schema rentsync that triggers and `install` call, as this release has them.

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// One function of this release.
#[derive(FromRow)]
pub(crate) struct Function {
    pub name: String,
    /// It runs with the rights of whoever installed it.
    pub is_definer: bool,
    /// It sets a search_path of its own.
    pub has_path: bool,
    /// As `pg_proc.prosrc` has it.
    pub body: String,
    statement: String,
    comment: String,
}

impl Function {
    /// All of them.
    pub async fn all(conn: &mut PgConnection) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/functions.sql"))
            .fetch_all(conn)
            .await?)
    }
}

/// Writes every function, in place of the one that stands.
pub(super) async fn write_all(conn: &mut PgConnection) -> Result<()> {
    write(conn, |_| true).await
}

/// Writes those that take the triggers off: what stands may be another release's, or have been replaced.
pub(super) async fn write_detaching(conn: &mut PgConnection) -> Result<()> {
    write(conn, |function| {
        ["lock_source", "detach"].contains(&function.name.as_str())
    })
    .await
}

async fn write(conn: &mut PgConnection, is_wanted: impl Fn(&Function) -> bool) -> Result<()> {
    for function in Function::all(conn).await?.into_iter().filter(is_wanted) {
        let statements = format!("{};\n{}", function.statement, function.comment);
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut *conn)
            .await
            .with_context(|| format!("writing function rentsync.{}", function.name))?;
    }
    Ok(())
}
