//! The SQL that an install of this database would run, for whoever has to agree to it first: in order, each step with what it locks.
//!
//! Reads the catalogs on a connection that can't write. psql may run the script; what follows from what the script itself makes (who is
//! granted what) is named and not foreseen, so `install` has the last word. Not its business: installing.

use std::time::Duration;

use anyhow::Result;
use sqlx::PgConnection;

use super::function::{DERIVED, Function, Oids};
use super::owner::{self, checked_table};
use super::release::{applied, lacking, newest_migration};
use super::source;
use super::statement::{identifier, literal};
use super::trust::{Doing, check_owner};
use crate::config::Source;
use crate::database::Database;
use crate::words::in_a_line;

/// The catalogs answer at once.
const STATEMENT_MAX: Duration = Duration::from_secs(60);
const NOBODY: &str = "nothing that anybody else waits for";
const ADMINISTRATION: &str = "rows of the catalogs that only another install would change";

/// The script for this database, with the site's own source functions and the role to grant to, where these are given.
pub async fn script(
    database: &Database,
    settings: &Source,
    functions: Option<&str>,
    grant_to: Option<&str>,
) -> Result<String> {
    let mut conn = database.connect_to_read(STATEMENT_MAX).await?;
    let conn = &mut conn;
    let [properties, units] = database.tables(conn, settings).await?;
    let tables = [
        checked_table(conn, &properties, "source.properties_table").await?,
        checked_table(conn, &units, "source.units_table").await?,
    ];
    let is_there = check_owner(database, conn, &tables, Doing::Installing).await?.is_some();
    let mut script = head(conn, is_there).await?;
    script += "begin;\nset local search_path = pg_catalog, pg_temp;\nset local standard_conforming_strings = on;\n";
    step(&mut script, "Waits for no lock longer than ten seconds.", NOBODY);
    add(&mut script, include_str!("../../sql/capture/bound_install.sql"));
    begin(&mut script, conn, &tables, is_there).await?;
    migrations(&mut script, applied(conn).await?);
    derived(&mut script, conn, &tables).await?;
    reading(&mut script, conn, &tables, functions).await?;
    rights(&mut script, grant_to);
    step(
        &mut script,
        "Puts on the triggers, and notes that everything is to be compared once.",
        "SHARE ROW EXCLUSIVE on both source tables until the commit that follows at once: writers wait, readers don't. It waits for \
         writers a tenth of a second at a time and lets them pass in between (rentsync.lock_source, above)",
    );
    add(
        &mut script,
        &with(include_str!("../../sql/capture/attach.sql"), &tables),
    );
    script += "commit;\n";
    if !is_there || has_outbox_id(conn).await? {
        step(
            &mut script,
            "After that, by itself: a number of the first release's, which the outbox needs no more.",
            "ACCESS EXCLUSIVE on rentsync.outbox, for which writers of the source wait: a tenth of a second at a time",
        );
        add(&mut script, include_str!("../../sql/capture/drop_outbox_id.sql"));
    }
    Ok(script)
}

async fn has_outbox_id(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/capture/has_outbox_id.sql"))
        .fetch_one(conn)
        .await?)
}

/// What stands there now, and what the script does not foresee.
async fn head(conn: &mut PgConnection, is_there: bool) -> Result<String> {
    let stands = match applied(conn).await? {
        Some(migration) => format!("schema rentsync is there, of migration {migration}"),
        None => "there is no schema rentsync yet".to_owned(),
    };
    let mut head = format!(
        "-- What `rentsync-relay install` of release {} (migration {}) would run in this database, in order. Nothing was written.\n\
         -- Now {stands}.\n",
        env!("CARGO_PKG_VERSION"),
        newest_migration(),
    );
    if is_there {
        for hung in owner::hung(conn).await? {
            head += &format!(
                "-- First, by itself and in moments, install takes off what is none of the relay's: {}.\n",
                in_a_line(&hung.what)
            );
        }
    }
    Ok(head)
}

async fn begin(script: &mut String, conn: &mut PgConnection, tables: &[String; 2], is_there: bool) -> Result<()> {
    let (owner, is_this_role) = owner::source_owner(conn, tables).await?;
    let owner = identifier(&owner);
    if is_there {
        step(
            script,
            "One install at a time.",
            "SHARE ROW EXCLUSIVE on rentsync.migration, which relays that run don't wait for",
        );
        add(script, include_str!("../../sql/capture/lock_install.sql"));
    } else {
        step(script, "The schema, which is the owner's of the source tables.", NOBODY);
        add(script, &format!("create schema rentsync authorization {owner}"));
    }
    if !is_this_role {
        step(
            script,
            "From here on as that owner, so that nothing of it runs as anybody mightier.",
            NOBODY,
        );
        add(script, &format!("set local role {owner}"));
    }
    Ok(())
}

fn migrations(script: &mut String, applied: Option<i64>) {
    step(script, "The list of migrations.", NOBODY);
    add(script, include_str!("../../sql/capture/migration_table.sql"));
    let locks = match applied {
        None => "tables that it makes, which nobody knows yet",
        Some(_) => {
            "each table of schema rentsync that it alters, ACCESS EXCLUSIVE until the commit: a write of the source that has a change to \
             note waits where that is the outbox"
        }
    };
    for (version, name, text, checksum) in lacking(applied) {
        step(script, &format!("Migration {version}, {name}."), locks);
        add(script, text.trim_end().trim_end_matches(';'));
        let hash = format!("\\x{}", hex::encode(checksum));
        let noted = [version.to_string(), name.to_owned(), hash];
        add(
            script,
            &with(include_str!("../../sql/capture/note_migration.sql"), &noted),
        );
    }
}

async fn derived(script: &mut String, conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    step(
        script,
        "Notes which tables the triggers are for, because their functions have the oids in their text.",
        "rows of rentsync.attachment",
    );
    add(script, include_str!("../../sql/capture/forget_attachments.sql"));
    add(
        script,
        &with(include_str!("../../sql/capture/note_attachment.sql"), tables),
    );
    step(
        script,
        "Every function and view of this release, in place of what stands.",
        ADMINISTRATION,
    );
    let oids: Oids = sqlx::query_as(include_str!("../../sql/capture/named_oids.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_one(&mut *conn)
        .await?;
    for function in Function::all(conn, &oids).await? {
        add(script, &function.statements());
    }
    for (_, statement) in DERIVED {
        add(script, statement.trim_end().trim_end_matches(';'));
    }
    Ok(())
}

async fn reading(
    script: &mut String,
    conn: &mut PgConnection,
    tables: &[String; 2],
    functions: Option<&str>,
) -> Result<()> {
    step(
        script,
        "The two functions that read the source; a site's own are left alone.",
        ADMINISTRATION,
    );
    for (source, table, generated) in source::to_write(conn, [&tables[0], &tables[1]], functions.is_some()).await? {
        add(script, generated.statements(source, table).trim_end_matches(';'));
    }
    if let Some(functions) = functions {
        add(script, include_str!("../../sql/capture/drop_source_functions.sql"));
        add(script, functions.trim_end().trim_end_matches(';'));
    }
    Ok(())
}

/// Which rights there are too many and which are missing shows once the tables are there.
fn rights(script: &mut String, grant_to: Option<&str>) {
    step(
        script,
        "Rights in schema rentsync, and reading the two source tables for the relay's role: what these queries answer is run, a revoke \
         or a grant a row. Of the source nothing is revoked.",
        ADMINISTRATION,
    );
    if let Some(role) = grant_to {
        let role = format!("array[{}]", literal(role));
        add(
            script,
            &include_str!("../../sql/capture/remember_roles.sql").replace("$1", &role),
        );
    }
    for query in [
        include_str!("../../sql/capture/surplus.sql"),
        include_str!("../../sql/doctor/rights.sql"),
        include_str!("../../sql/doctor/source_tables.sql"),
        include_str!("../../sql/capture/readers.sql"),
    ] {
        for line in query.lines() {
            *script += &format!("-- {line}\n");
        }
        *script += "--\n";
    }
}

fn step(script: &mut String, what: &str, locks: &str) {
    *script += &format!("\n-- ==== {what}\n-- Locks {locks}.\n");
}

fn add(script: &mut String, statement: &str) {
    *script += &format!("{};\n", statement.trim_end());
}

/// With its parameters in their places, as texts.
fn with(statement: &str, parameters: &[String]) -> String {
    let numbered = parameters.iter().enumerate();
    numbered.fold(statement.to_owned(), |statement, (index, parameter)| {
        statement.replace(&format!("${}", index + 1), &literal(parameter))
    })
}
