//! A source function as `install` writes it from a table that it finds.

use anyhow::Result;
use sqlx::{Connection, PgConnection};

use super::columns::{FoundColumn, Source, columns_of};
use super::statement::{self, literal};
use crate::fault::Fault;

/// In the body of a generated function; a site that replaces the function leaves it out.
const MARKER: &str = "-- written by rentsync-relay install; leave this line out of your own version";

/// A source function as this release writes it for a table.
pub(crate) struct Generated {
    results: String,
    /// As `pg_proc.prosrc` has it.
    pub body: String,
}

impl Generated {
    /// # Errors
    /// When the table is not the rent roll that the relay knows.
    pub async fn for_table(conn: &mut PgConnection, source: &Source, table: &str) -> Result<Self> {
        Self::of(source, table, &columns_of(conn, table).await?)
    }

    pub(super) fn of(source: &Source, table: &str, found: &[FoundColumn]) -> Result<Self> {
        let problems = source.problems(found, |_| true);
        if !problems.is_empty() {
            let what = problems.join("; ");
            return Err(Fault::usage(format!("table {table} ({}): {what}", source.setting)).into());
        }
        let (expressions, results): (Vec<_>, Vec<_>) = source
            .columns
            .iter()
            .filter_map(|column| {
                let (expression, kind) = column.read(found).ok()?;
                Some((expression, format!("{} {kind}", column.result)))
            })
            .unzip();
        Ok(Self {
            results: results.join(", "),
            body: format!("\n{MARKER}\nselect {}\n  from {table} t\n", expressions.join(", ")),
        })
    }

    /// What writes it.
    pub(super) fn statements(&self, source: &Source, table: &str) -> String {
        let Self { results, body } = self;
        format!(
            "create or replace function rentsync.{name}() returns table ({results}) language sql stable as {body};\n\
             comment on function rentsync.{name}() is {comment};",
            name = source.function,
            body = literal(body),
            comment = literal(&format!(
                "What the relay reads of {table}. Replace it where columns have other names."
            )),
        )
    }

    /// In place of what stands, so that somebody's view on it stops nobody; only one of other result columns has to go first.
    pub(super) async fn write(&self, conn: &mut PgConnection, source: &Source, table: &str) -> Result<()> {
        let create = self.statements(source, table);
        let mut replacing = conn.begin().await?;
        match run(&mut replacing, create.clone()).await {
            Ok(()) => return Ok(replacing.commit().await?),
            Err(error) if is_not_replaced(&error) => replacing.rollback().await?,
            Err(error) => return Err(error.into()),
        }
        let drop: String = sqlx::query_scalar(include_str!("../../sql/capture/drop_source_function.sql"))
            .bind(source.function)
            .fetch_one(&mut *conn)
            .await?;
        statement::execute(conn, drop).await?;
        Ok(run(conn, create).await?)
    }

    /// Whether a function's body is one that some release wrote.
    pub fn is(body: &str) -> bool {
        body.contains(MARKER)
    }
}

async fn run(conn: &mut PgConnection, statements: String) -> sqlx::Result<()> {
    let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements));
    statements.execute(conn).await.map(|_| ())
}

/// What stands has other result columns, or is of a role that may act as this one: it can be dropped all the same.
fn is_not_replaced(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("42P13" | "42501"))
}
