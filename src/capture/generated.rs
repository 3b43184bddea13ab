//! A source function as `install` writes it from a table that it finds.

use anyhow::Result;
use sqlx::PgConnection;

use super::columns::{FoundColumn, Source, columns_of};
use super::statement::literal;
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

    pub(super) async fn write(&self, conn: &mut PgConnection, source: &Source, table: &str) -> Result<()> {
        let Self { results, body } = self;
        let statement = format!(
            "drop function if exists rentsync.{name}();\n\
             create function rentsync.{name}() returns table ({results}) language sql stable as {body};\n\
             comment on function rentsync.{name}() is {comment};",
            name = source.function,
            body = literal(body),
            comment = literal(&format!(
                "What the relay reads of {table}. Replace it where columns have other names."
            )),
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await?;
        Ok(())
    }

    /// Whether a function's body is one that some release wrote.
    pub fn is(body: &str) -> bool {
        body.contains(MARKER)
    }
}
