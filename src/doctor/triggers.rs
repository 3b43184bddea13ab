//! The triggers: on the tables that the settings name, each as this release makes it, and enabled.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use crate::capture;

const TRIGGERS: &str = "triggers";
/// Problems that are named one by one.
const NAMED_MAX: usize = 6;

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

pub(super) async fn examine(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let attached: Vec<Attached> = sqlx::query_as(include_str!("../../sql/doctor/attached.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_all(&mut *conn)
        .await?;
    let elsewhere: Vec<Finding> = attached.iter().filter_map(Attached::problem).collect();
    if !elsewhere.is_empty() {
        return Ok(elsewhere);
    }
    let triggers: Vec<Trigger> = sqlx::query_as(include_str!("../../sql/doctor/triggers.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let hung = capture::hung(conn).await?;
    Ok(std::iter::once(judge(&triggers)).chain(strangers(&hung)).collect())
}

fn judge(triggers: &[Trigger]) -> Finding {
    // The same problem of one table's triggers is one thing.
    let mut problems: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for trigger in triggers {
        if let Some(problem) = &trigger.problem {
            let names = problems.entry((problem, &trigger.table_name)).or_default();
            names.push(&trigger.trigger_name);
        }
    }
    if problems.is_empty() {
        return Finding::ok(
            TRIGGERS,
            format!(
                "{}, all present, enabled and as this release makes them",
                triggers.len()
            ),
        );
    }
    let named: Vec<String> = problems
        .iter()
        .take(NAMED_MAX)
        .map(|((problem, table), names)| format!("{} on {table}: {problem}", names.join(", ")))
        .collect();
    let more = match problems.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Finding::wrong(
        TRIGGERS,
        format!("{}{more}", named.join("; ")),
        "run `rentsync-relay install` as the owner of the source tables: it puts them right, and has everything compared once",
    )
}

/// What others hung on our own tables acts in every write of the source.
fn strangers(hung: &[(String, String)]) -> Option<Finding> {
    let named: Vec<&str> = hung.iter().take(NAMED_MAX).map(|(what, _)| what.as_str()).collect();
    let more = hung.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!hung.is_empty()).then(|| {
        Finding::wrong(
            TRIGGERS,
            format!("somebody else hung {}{more} there", named.join(", ")),
            "run `rentsync-relay install` as the owner of the source tables: it takes them off; and look who did it",
        )
    })
}

impl Attached {
    fn problem(&self) -> Option<Finding> {
        let table = &self.table_name;
        let (what, todo) = match &self.attached {
            None => (
                format!("there are none on {table}: they were taken off"),
                "run `rentsync-relay install` as the owner of the source tables".to_owned(),
            ),
            Some(attached) if !self.is_there => (
                format!("they were on a table that is gone (oid {attached}), and are not on {table}"),
                "as the owner of the source tables: delete from rentsync.attachment; then `rentsync-relay install`"
                    .to_owned(),
            ),
            Some(attached) if !self.is_same => (
                format!("they are on {attached}, and the settings name {table}"),
                "name the right table in [source]; or `rentsync-relay uninstall`, then `install`".to_owned(),
            ),
            Some(_) => return None,
        };
        Some(Finding::wrong(TRIGGERS, what, todo))
    }
}
