//! The two source functions: that they answer with what a plan reads, one row each, and by the source's own indexes.

use anyhow::Result;
use sqlx::{Connection, FromRow, PgConnection};

use super::finding::Finding;
use super::refusal::is_refusal;
use crate::capture::{Generated, SOURCE_PROPERTY, SOURCE_UNIT, SourceFunction, SourceTable, statuses};
use crate::config::Source;
use crate::fault::said;
use crate::fault::sentence;
use crate::words::count;

const SOURCE: &str = "source";
const LOOK_UPS: &str = "look_ups";
const STATUSES: &str = "statuses";
const INSTALL: &str = "run `rentsync-relay install` as the owner of the source tables: it writes the function anew";
const OWN: &str = "put your own version of the function right (docs/install.md, \"Other column names\")";

/// What is asked of each function.
pub(super) struct FunctionChecks {
    function: SourceFunction,
    what: &'static str,
    read: &'static str,
    twice: &'static str,
    look_ups: &'static [(&'static str, &'static str)],
}

pub(super) const CHECKS: [FunctionChecks; 2] = [
    FunctionChecks {
        function: SOURCE_PROPERTY,
        what: "property",
        read: include_str!("../../sql/doctor/read_property.sql"),
        twice: include_str!("../../sql/doctor/twice_property.sql"),
        look_ups: &[("property_id", include_str!("../../sql/doctor/lookup_property.sql"))],
    },
    FunctionChecks {
        function: SOURCE_UNIT,
        what: "unit",
        read: include_str!("../../sql/doctor/read_unit.sql"),
        twice: include_str!("../../sql/doctor/twice_unit.sql"),
        look_ups: &[
            ("unit_id", include_str!("../../sql/doctor/lookup_unit.sql")),
            ("property_id", include_str!("../../sql/doctor/lookup_units_of.sql")),
        ],
    },
];

/// A source function as it stands.
#[derive(FromRow)]
pub(super) struct InstalledFunction {
    body: String,
    names: Vec<String>,
    types: Vec<String>,
    obstacle: Option<String>,
}

impl InstalledFunction {
    pub async fn of(conn: &mut PgConnection, asked: &FunctionChecks) -> Result<Option<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/doctor/source_function.sql"))
            .bind(asked.function.function)
            .fetch_optional(conn)
            .await?)
    }

    /// The site replaced it by its own.
    pub fn is_own(&self) -> bool {
        !Generated::is(&self.body)
    }
}

/// The settings of the tables whose functions are the site's own.
pub(super) async fn own(conn: &mut PgConnection) -> Result<Vec<&'static str>> {
    let mut own = Vec::new();
    for asked in &CHECKS {
        if InstalledFunction::of(conn, asked)
            .await?
            .is_some_and(|standing| standing.is_own())
        {
            own.push(asked.function.setting);
        }
    }
    Ok(own)
}

pub(super) async fn examine(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let tables = SourceTable::all(conn, tables, None).await?;
    let mut findings = Vec::new();
    for asked in &CHECKS {
        let table = tables.iter().find(|table| table.setting == asked.function.setting);
        findings.extend(one(conn, asked, table).await?);
    }
    Ok(findings)
}

async fn one(conn: &mut PgConnection, asked: &FunctionChecks, table: Option<&SourceTable>) -> Result<Vec<Finding>> {
    let name = format!("rentsync.{}()", asked.function.function);
    let Some(standing) = InstalledFunction::of(conn, asked).await? else {
        return Ok(vec![Finding::wrong(SOURCE, format!("{name} is missing"), INSTALL)]);
    };
    let todo = if standing.is_own() { OWN } else { INSTALL };
    if let Some(problem) = lacks(asked, &standing) {
        return Ok(vec![Finding::wrong(
            SOURCE,
            format!("{name} {problem}: planning stops"),
            todo,
        )]);
    }
    if let Err(error) = sqlx::query(asked.read).fetch_optional(&mut *conn).await {
        return if is_refusal(&error) {
            Ok(vec![unanswered(&name, &error, todo)])
        } else {
            Err(error.into())
        };
    }
    if let (Some(table), false) = (table, standing.is_own())
        && let Some(problem) = outdated(conn, asked, table, &standing).await?
    {
        return Ok(vec![Finding::warning(SOURCE, format!("{name} {problem}"), INSTALL)]);
    }
    let (twice, example): (i64, Option<i64>) = sqlx::query_as(asked.twice).fetch_one(&mut *conn).await?;
    if twice > 0 {
        let (what, example) = (asked.what, example.unwrap_or_default());
        return Ok(vec![Finding::wrong(
            SOURCE,
            format!(
                "{name} has more than one row for {twice} ids, {what} {example} for one: which of them is sent is chance"
            ),
            format!("have it return one row for each {what}"),
        )]);
    }
    let whose = if standing.is_own() {
        "the site's own"
    } else {
        "as installed"
    };
    let answers = Finding::ok(SOURCE, format!("{name} answers as expected, {whose}"));
    Ok(vec![answers, look_ups(conn, asked, &name, &standing).await?])
}

/// Columns that a plan reads and that are missing, or of a type that it doesn't read.
fn lacks(asked: &FunctionChecks, standing: &InstalledFunction) -> Option<String> {
    let type_of = |name: &str| {
        let at = standing.names.iter().position(|found| found == name)?;
        standing.types.get(at)
    };
    let problems: Vec<String> = asked
        .function
        .results()
        .filter_map(|(name, allowed)| match type_of(name) {
            None => Some(format!("lacks column {name}")),
            Some(found) if !allowed.contains(&found.as_str()) => {
                Some(format!("has {name} as {found}, not {}", allowed.join(" or ")))
            }
            Some(_) => None,
        })
        .collect();
    (!problems.is_empty()).then(|| problems.join(", "))
}

/// `install` does not guess what a column is called now.
const COLUMN: &str = "put the column back, or write the function yourself with what stands for it now (docs/install.md, \"Other column names\")";

fn unanswered(name: &str, error: &sqlx::Error, todo: &str) -> Finding {
    let lacks_column = error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code == "42703");
    let todo = if lacks_column { COLUMN } else { todo };
    let why = said(error);
    // Where the site's own function reads more tables than the settings name, check rights can't know of them.
    let grant = why
        .strip_prefix("permission denied for table ")
        .map(|table| format!("as its owner: grant select on {table} to this role; see check rights"));
    Finding::wrong(
        SOURCE,
        format!("{name} does not answer: {why}: planning stops"),
        grant.unwrap_or_else(|| todo.to_owned()),
    )
}

/// Why a generated function is not the one that this release would write for the table as it is now.
async fn outdated(
    conn: &mut PgConnection,
    asked: &FunctionChecks,
    table: &SourceTable,
    standing: &InstalledFunction,
) -> Result<Option<String>> {
    Ok(
        match Generated::for_table(conn, &asked.function, &table.full_name).await {
            Ok(generated) if generated.body == standing.body => None,
            Ok(_) => Some(format!(
                "was written by another release, or before {} got its present column types",
                table.full_name
            )),
            Err(error) => Some(format!("can't be written anew: {}", sentence(&error))),
        },
    )
}

async fn look_ups(
    conn: &mut PgConnection,
    asked: &FunctionChecks,
    name: &str,
    standing: &InstalledFunction,
) -> Result<Finding> {
    let mut tx = conn.begin().await?;
    sqlx::query(include_str!("../../sql/doctor/prefer_indexes.sql"))
        .execute(&mut *tx)
        .await?;
    let mut scans = Vec::new();
    let mut is_opaque = false;
    for (column, explain) in asked.look_ups {
        let plan: Vec<String> = sqlx::query_scalar(*explain).fetch_all(&mut *tx).await?;
        is_opaque |= plan.iter().any(|line| line.contains("Function Scan on source_"));
        let tables = read_whole(&plan);
        scans.extend(tables.into_iter().map(|table| format!("{table} for {column}")));
    }
    tx.rollback().await?;
    if is_opaque || standing.obstacle.is_some() {
        let because = standing.obstacle.as_deref().unwrap_or("is more than one plain query");
        return Ok(Finding::warning(
            LOOK_UPS,
            format!("{name} {because}, so PostgreSQL can't inline it: every look-up reads all of it"),
            "write it as one plain SQL query, stable, not security definer, not strict, without SET",
        ));
    }
    if !scans.is_empty() {
        return Ok(Finding::warning(
            LOOK_UPS,
            format!("{name} reads a table whole for one look-up: {}", scans.join(", ")),
            "don't cast the key columns in the function, and have an index on them",
        ));
    }
    Ok(Finding::ok(LOOK_UPS, format!("{name} is inlined and uses indexes")))
}

/// The tables, or their indexes, that a plan reads whole: row by row, or along an index without looking anything up in it.
fn read_whole(plan: &[String]) -> Vec<&str> {
    let is_node = |line: &str| line.contains("->") || !line.starts_with(' ');
    let scans = plan.iter().enumerate().filter_map(|(at, line)| {
        let (node, table) = line.split_once(" on ").filter(|(node, _)| node.contains("Scan"))?;
        let details = plan[at + 1..].iter().take_while(|line| !is_node(line));
        let looks_up = details.into_iter().any(|line| line.contains("Index Cond:"));
        let whole = node.contains("Seq Scan") || node.contains("Index") && !looks_up;
        whole.then(|| table.split_whitespace().next()).flatten()
    });
    scans.collect()
}

/// Whether the statuses that mean available are set, and known to the source.
pub(super) async fn available(conn: &mut PgConnection, source: &Source) -> Result<Vec<Finding>> {
    let statuses = statuses(conn).await?;
    let units: i64 = statuses.iter().map(|status| status.units).sum();
    let Some(chosen) = &source.available_status_ids else {
        let named: Vec<String> = statuses
            .iter()
            .map(|status| {
                let id = status.status_id.map_or("null".to_owned(), |id| id.to_string());
                let name = status.status_name.as_deref().unwrap_or_default();
                format!("{id} {name}").trim_end().to_owned()
            })
            .collect();
        return Ok(vec![Finding::wrong(
            STATUSES,
            "source.available_status_ids is not set: nothing is planned",
            format!(
                "say which of these mean available, source.available_status_ids = [...]: {}",
                named.join(", ")
            ),
        )]);
    };
    let unknown: Vec<String> = chosen
        .iter()
        .filter(|id| !statuses.iter().any(|status| status.status_id == Some(**id)))
        .map(i64::to_string)
        .collect();
    if units > 0 && !unknown.is_empty() {
        return Ok(vec![Finding::warning(
            STATUSES,
            format!(
                "no unit has status {}, which source.available_status_ids names",
                unknown.join(" or ")
            ),
            "look whether it is the right number: `select rentroll_status_id, rentroll_status, count(*) … group by 1, 2`",
        )]);
    }
    let available: i64 = statuses
        .iter()
        .filter(|status| status.status_id.is_some_and(|id| chosen.contains(&id)))
        .map(|status| status.units)
        .sum();
    Ok(vec![Finding::ok(
        STATUSES,
        format!("{available} of {} available", count(units, "unit is", "units are")),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_table_is_read_whole_by_row_or_along_an_index_without_a_condition() {
        for (text, tables) in [
            ("Seq Scan on units t\n  Filter: ((id)::bigint = 1)", &["units"][..]),
            (
                "Index Scan using units_pkey on units t\n  Filter: ((id)::bigint = 1)",
                &["units"],
            ),
            ("Index Scan using units_pkey on units t\n  Index Cond: (id = 1)", &[]),
            (
                "Bitmap Heap Scan on units t\n  Recheck Cond: (a = 1)\n  ->  Bitmap Index Scan on units_a\n        Index Cond: (a = 1)",
                &[],
            ),
            (
                "Bitmap Heap Scan on units t\n  Filter: ((id)::bigint = 1)\n  ->  Bitmap Index Scan on units_pkey",
                &["units_pkey"],
            ),
            (
                "Nested Loop\n  ->  Index Only Scan using units_pkey on units t\n  ->  Index Scan using p on prices p\n        Index Cond: (id = t.id)",
                &["units"],
            ),
        ] {
            assert_eq!(read_whole(&plan(text)), tables, "{text}");
        }
    }
}
