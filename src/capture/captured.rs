//! The triggers of the source: on the tables that the settings name, each as this release makes it, and enabled.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use crate::fault::Fault;

/// Problems that are named one by one.
const NAMED_MAX: usize = 6;

/// How capture stands.
pub(crate) enum Captured {
    /// By so many triggers.
    All(usize),
    /// Changes are missed, or may be.
    Not {
        /// What is wrong, a problem each.
        problems: Vec<String>,
        /// What to do about it.
        todo: &'static str,
    },
}

#[derive(FromRow)]
struct Attached {
    table_name: String,
    attached: Option<String>,
    is_same: bool,
    is_there: bool,
}

#[derive(FromRow)]
struct Trigger {
    table_name: String,
    trigger_name: String,
    problem: Option<String>,
}

/// Whether every change of these tables is captured. Asks the catalogs and the list of attached tables.
pub(crate) async fn captured(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Captured> {
    let attached: Vec<Attached> = sqlx::query_as(include_str!("../../sql/capture/attached.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_all(&mut *conn)
        .await?;
    let is_elsewhere = attached.iter().any(|table| table.is_there && !table.is_same);
    let problems: Vec<String> = attached.iter().filter_map(Attached::problem).collect();
    if !problems.is_empty() {
        let todo = match is_elsewhere {
            true => "name the right table in [source]; or `rentsync-relay uninstall`, then `install`",
            false => "run `rentsync-relay install` as the owner of the source tables: it has everything compared once",
        };
        return Ok(Captured::Not { problems, todo });
    }
    let triggers: Vec<Trigger> = sqlx::query_as(include_str!("../../sql/capture/triggers.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let mut captured = judge(&triggers);
    if let Captured::Not { problems, .. } = &mut captured {
        problems.extend(Irreplaceable::all(conn).await?.iter().map(Irreplaceable::words));
    }
    Ok(captured)
}

/// A trigger of somebody's, under a name of ours, that has to be dropped before ours can be put on.
#[derive(FromRow)]
struct Irreplaceable {
    what: String,
    statement: String,
}

impl Irreplaceable {
    async fn all(conn: &mut PgConnection) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/irreplaceable.sql"))
            .fetch_all(conn)
            .await?)
    }

    fn words(&self) -> String {
        format!(
            "{} is somebody else's under the relay's name, and install can't replace it: find out whose, and drop it first (`{}`)",
            self.what, self.statement
        )
    }
}

/// An error where a trigger of somebody's stands in the way of ours.
pub(super) async fn check_names(conn: &mut PgConnection) -> Result<()> {
    let all: Vec<String> = Irreplaceable::all(conn)
        .await?
        .iter()
        .map(Irreplaceable::words)
        .collect();
    match all.as_slice() {
        [] => Ok(()),
        all => Err(Fault::finding(format!(
            "{}; then run install again; nothing was changed",
            all.join("; ")
        ))
        .into()),
    }
}

fn judge(triggers: &[Trigger]) -> Captured {
    // The same problem of one table's triggers is one thing.
    let mut problems: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for trigger in triggers {
        if let Some(problem) = &trigger.problem {
            let names = problems.entry((problem, &trigger.table_name)).or_default();
            names.push(&trigger.trigger_name);
        }
    }
    if problems.is_empty() {
        return Captured::All(triggers.len());
    }
    let mut named: Vec<String> = problems
        .iter()
        .take(NAMED_MAX)
        .map(|((problem, table), names)| format!("{} on {table}: {problem}", names.join(", ")))
        .collect();
    let more = problems.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    Captured::Not {
        problems: vec![named.join("; ")],
        todo: "run `rentsync-relay install` as the owner of the source tables: it puts them right, and has everything compared once",
    }
}

impl Attached {
    fn problem(&self) -> Option<String> {
        let table = &self.table_name;
        match &self.attached {
            None => Some(format!("there are none on {table}: they were taken off")),
            Some(attached) if !self.is_there => Some(format!(
                "they were on a table that is gone (oid {attached}), and are not on {table}"
            )),
            Some(attached) if !self.is_same => Some(format!("they are on {attached}, and the settings name {table}")),
            Some(_) => None,
        }
    }
}
