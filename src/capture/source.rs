//! The two source functions: the only place that knows AiGent's column names.
//!
//! `install` writes `rentsync.source_property()` and `rentsync.source_unit()` from the tables it finds. They are plain
//! SQL with a string body, so that PostgreSQL inlines them (a look-up by unit or property uses the source's own
//! indexes) and so that they never stand in the way of AiGent's `alter table`. A site whose columns have other names,
//! or lie in joined tables, gives `install` functions of its own; a function without our marker is left alone.

use anyhow::Result;
use sqlx::PgConnection;

use super::columns::{SOURCE_PROPERTY, SOURCE_UNIT, Source, columns_of};
use super::generated::Generated;
use super::own;
use super::statement;
use super::template::Template;
use crate::fault::Fault;

/// Writes both source functions: from the site's own SQL where that is given, else from the tables, unless the site has its own.
/// Everything that is wrong with either table is said at once.
pub(super) async fn write_both(conn: &mut PgConnection, tables: [&str; 2], functions: Option<&str>) -> Result<()> {
    let asked = asked(tables);
    let to_write = to_write(conn, tables, functions.is_some()).await?;
    let grants: Vec<String> = sqlx::query_scalar(include_str!("../../sql/capture/source_grants.sql"))
        .fetch_all(&mut *conn)
        .await?;
    for (source, table, generated) in to_write {
        generated.write(conn, source, table).await?;
    }
    if let Some(functions) = functions {
        own::write(conn, &asked.map(|(source, _)| source), functions).await?;
    }
    for grant in grants {
        statement::execute(conn, grant).await?;
    }
    Ok(())
}

fn asked(tables: [&str; 2]) -> [(&'static Source, &str); 2] {
    [(&SOURCE_PROPERTY, tables[0]), (&SOURCE_UNIT, tables[1])]
}

/// Those that are written from the tables: none where the site has its own, or gives them.
pub(super) async fn to_write<'a>(
    conn: &mut PgConnection,
    tables: [&'a str; 2],
    are_given: bool,
) -> Result<Vec<(&'static Source, &'a str, Generated)>> {
    let asked = asked(tables);
    let mut problems = Vec::new();
    let mut to_write = Vec::new();
    for (source, table) in asked {
        let found = columns_of(conn, table).await?;
        // The triggers go by the keys' own names, whatever reads the rest.
        let is_own = are_given || has_own(conn, source).await?;
        let wrong = source.problems(&found, |column| !is_own || column.is_key());
        if !wrong.is_empty() {
            let setting = source.setting;
            let what = wrong.join("; ");
            problems.push(format!(
                "table {table} ({setting}) is not the rent roll that the relay knows: {what}"
            ));
        } else if !is_own {
            to_write.push((source, table, Generated::of(source, table, &found)?));
        }
    }
    match problems.is_empty() {
        true => Ok(to_write),
        false => Err(unsuitable(conn, &asked, &problems).await?),
    }
}

async fn unsuitable(
    conn: &mut PgConnection,
    asked: &[(&Source, &str); 2],
    problems: &[String],
) -> Result<anyhow::Error> {
    let mut template = Template::new();
    for (source, table) in asked {
        template.add(source, table, &columns_of(conn, table).await?);
    }
    let fault = Fault::usage(format!(
        "{}. Name the right tables, or give the two functions that read yours with --source-functions FILE \
         (rentsync.source_property() and rentsync.source_unit(); docs/install.md, \"Other column names\"); the triggers need the keys id and \
         project_id as integers; nothing was changed",
        problems.join(". ")
    ));
    Ok(anyhow::Error::from(fault).context(template))
}

/// True where the site replaced the function by its own.
async fn has_own(conn: &mut PgConnection, source: &Source) -> Result<bool> {
    let body: Option<String> = sqlx::query_scalar(include_str!("../../sql/capture/source_body.sql"))
        .bind(source.function)
        .fetch_optional(conn)
        .await?;
    Ok(body.is_some_and(|body| !Generated::is(&body)))
}
