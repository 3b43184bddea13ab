//! What this role may do: no less than `run` needs. Every grant that is missing is said as a statement to type.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::Finding;
use crate::config::{Config, Source};

const RIGHTS: &str = "rights";
const ROW_SECURITY: &str = "row_security";
const TABLES: &str = "source_tables";

#[derive(FromRow)]
struct Lacking {
    kind: String,
    rights: String,
    names: Vec<String>,
    is_all: bool,
}

/// A source table, as the catalogs have it.
#[derive(FromRow)]
pub(super) struct SourceTable {
    pub setting: String,
    pub full_name: String,
    schema_name: String,
    lacks_usage: bool,
    lacks_select: bool,
    hides_rows: bool,
}

/// The source tables that the settings name; one that isn't there is not among them.
pub(super) async fn source_tables(conn: &mut PgConnection, source: &Source) -> Result<Vec<SourceTable>> {
    Ok(sqlx::query_as(include_str!("../../sql/doctor/source_tables.sql"))
        .bind(&source.properties_table)
        .bind(&source.units_table)
        .fetch_all(conn)
        .await?)
}

/// `own`: the site's own source functions, which may read something else than the tables.
pub(super) async fn examine(conn: &mut PgConnection, config: &Config, own: &[&str]) -> Result<Vec<Finding>> {
    let lacking: Vec<Lacking> = sqlx::query_as(include_str!("../../sql/doctor/rights.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let tables = source_tables(conn, &config.source).await?;
    let role: String = sqlx::query_scalar("select quote_ident(current_user)")
        .fetch_one(conn)
        .await?;
    let needed: Vec<&SourceTable> = tables
        .iter()
        .filter(|table| !own.contains(&table.setting.as_str()))
        .collect();
    let grants = grants(&lacking, &needed, &role);
    let rights = match grants.len() {
        0 => Finding::ok(RIGHTS, format!("{role} may do all that `run` needs")),
        _ => Finding::wrong(
            RIGHTS,
            format!(
                "{role} lacks {}",
                grants
                    .iter()
                    .map(|(what, _)| what.as_str())
                    .collect::<Vec<_>>()
                    .join("; ")
            ),
            format!(
                "as the owner: {}",
                grants.into_iter().map(|(_, grant)| grant).collect::<Vec<_>>().join(" ")
            ),
        ),
    };
    Ok(vec![rights, the_tables(&tables, config), row_security(&tables, &role)])
}

/// What is lacking in words, and the statement that gives it.
fn grants(lacking: &[Lacking], tables: &[&SourceTable], role: &str) -> Vec<(String, String)> {
    let whole = lacking
        .iter()
        .any(|lacking| lacking.kind == "table" && lacking.is_all && lacking.rights.starts_with("select"));
    let mut grants: Vec<(String, String)> = lacking
        .iter()
        // "All tables" has the view in it.
        .filter(|lacking| !(whole && lacking.kind == "view"))
        .map(|lacking| lacking.grant(role))
        .collect();
    let mut need = |rights: &str, on: String| {
        let grant = (
            format!("{rights} on {on}"),
            format!("grant {rights} on {on} to {role};"),
        );
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    };
    for table in tables {
        if table.lacks_usage {
            need("usage", format!("schema {}", table.schema_name));
        }
        if table.lacks_select {
            need("select", table.full_name.clone());
        }
    }
    grants
}

impl Lacking {
    fn grant(&self, role: &str) -> (String, String) {
        let qualified = |suffix: &str| {
            let names: Vec<_> = self
                .names
                .iter()
                .map(|name| format!("rentsync.{name}{suffix}"))
                .collect();
            names.join(", ")
        };
        let on = match (self.kind.as_str(), self.is_all) {
            ("schema", _) => "schema rentsync".to_owned(),
            ("table", true) => "all tables in schema rentsync".to_owned(),
            ("sequence", true) => "all sequences in schema rentsync".to_owned(),
            ("sequence", false) => format!("sequence {}", qualified("")),
            ("function", _) => format!("function {}", qualified("()")),
            _ => qualified(""),
        };
        let rights = &self.rights;
        (
            format!("{rights} on {on}"),
            format!("grant {rights} on {on} to {role};"),
        )
    }
}

fn the_tables(tables: &[SourceTable], config: &Config) -> Finding {
    let source = &config.source;
    let named = [
        ("source.properties_table", &source.properties_table),
        ("source.units_table", &source.units_table),
    ];
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(setting, _)| !tables.iter().any(|table| table.setting == *setting))
        .map(|(setting, name)| format!("{name} ({setting})"))
        .collect();
    match missing.len() {
        0 => {
            let names: Vec<_> = tables.iter().map(|table| table.full_name.as_str()).collect();
            Finding::ok(TABLES, names.join(", "))
        }
        _ => Finding::wrong(
            TABLES,
            format!("there is no table {} in this database", missing.join(" and no table ")),
            "name the source's own tables in [source], and look at the database in DATABASE_URL",
        ),
    }
}

/// The relay has the server refuse rather than hide rows, so one such table stops planning.
fn row_security(tables: &[SourceTable], role: &str) -> Finding {
    let hiding: Vec<_> = tables
        .iter()
        .filter(|table| table.hides_rows)
        .map(|table| table.full_name.as_str())
        .collect();
    match hiding.len() {
        0 => Finding::ok(ROW_SECURITY, "no row is hidden from this role"),
        _ => Finding::wrong(
            ROW_SECURITY,
            format!(
                "policies would hide rows of {} from {role}: planning stops",
                hiding.join(" and ")
            ),
            format!("as a superuser: alter role {role} bypassrls;"),
        ),
    }
}
