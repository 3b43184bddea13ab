//! The functions and views in schema rentsync, as this release has them: `install` writes them anew every time.

use anyhow::{Context, Result};
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// A function of this release that carries the source tables' oids.
#[derive(FromRow)]
pub(super) struct Function {
    name: String,
    statement: String,
    comment: String,
}

/// The source tables' oids, 0 where there is none.
#[derive(FromRow)]
pub(super) struct Oids {
    unit: Oid,
    property: Oid,
}

impl Function {
    /// Those for these tables.
    pub async fn all(conn: &mut PgConnection, oids: &Oids) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/functions.sql"))
            .bind(oids.unit)
            .bind(oids.property)
            .fetch_all(conn)
            .await?)
    }

    pub fn statements(&self) -> String {
        format!("{};\n{}", self.statement, self.comment)
    }
}

/// Functions and views that read what migrations made, each after those that it reads. No migration has to repeat one that changed.
pub(super) const DERIVED: [(&str, &str); 12] = [
    ("is_owed", include_str!("../../sql/derived/is_owed.sql")),
    ("kept_because", include_str!("../../sql/derived/kept_because.sql")),
    ("news", include_str!("../../sql/derived/news.sql")),
    ("first_news", include_str!("../../sql/derived/first_news.sql")),
    ("units_of_hold", include_str!("../../sql/derived/units_of_hold.sql")),
    ("count_withheld", include_str!("../../sql/derived/count_withheld.sql")),
    ("capture_trigger", include_str!("../../sql/derived/capture_trigger.sql")),
    (
        "standing_trigger",
        include_str!("../../sql/derived/standing_trigger.sql"),
    ),
    ("live_relay", include_str!("../../sql/derived/live_relay.sql")),
    ("held_unit", include_str!("../../sql/derived/held_unit.sql")),
    ("standing_hold", include_str!("../../sql/derived/standing_hold.sql")),
    (
        "receiver_backlog",
        include_str!("../../sql/derived/receiver_backlog.sql"),
    ),
];

/// Writes every function and view, in place of what stands under its name, whoever wrote that.
pub(super) async fn write_all(conn: &mut PgConnection) -> Result<()> {
    write(conn, |_| true).await?;
    for (name, statement) in DERIVED {
        sqlx::raw_sql(statement)
            .execute(&mut *conn)
            .await
            .with_context(|| format!("writing rentsync.{name}"))?;
    }
    Ok(())
}

/// Writes those that take the triggers off: what stands may be another release's, or have been replaced.
pub(super) async fn write_detaching(conn: &mut PgConnection) -> Result<()> {
    write(conn, |function| {
        ["lock_source", "detach"].contains(&function.name.as_str())
    })
    .await
}

async fn write(conn: &mut PgConnection, is_wanted: impl Fn(&Function) -> bool) -> Result<()> {
    let oids: Oids = sqlx::query_as(include_str!("../../sql/capture/attached_oids.sql"))
        .fetch_one(&mut *conn)
        .await?;
    for function in Function::all(conn, &oids).await?.into_iter().filter(is_wanted) {
        sqlx::raw_sql(AssertSqlSafe(function.statements()))
            .execute(&mut *conn)
            .await
            .with_context(|| format!("writing function rentsync.{}", function.name))?;
    }
    Ok(())
}
