//! Schema rentsync: of this release, and its functions those that this release writes.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::Finding;
use crate::capture::{self, Function, Release};

const SCHEMA: &str = "schema";
const FUNCTIONS: &str = "functions";

#[derive(FromRow)]
struct Standing {
    name: String,
    body: String,
    is_definer: bool,
    is_fenced: bool,
}

/// Whether it is this release's; where it isn't nothing else of it can be looked at.
pub(super) async fn release(conn: &mut PgConnection) -> Result<(bool, Finding)> {
    let release = capture::release(conn).await?;
    let finding = match release.lacks() {
        None => Finding::ok(
            SCHEMA,
            format!("of this release, migration {}", capture::newest_migration()),
        ),
        Some((what, todo)) => Finding::wrong(
            SCHEMA,
            format!("{what}; what is in it is not looked at"),
            format!("{todo}; then `doctor` again"),
        ),
    };
    Ok((release == Release::Same, finding))
}

/// Compares the text of every function with this release's.
pub(super) async fn functions(conn: &mut PgConnection) -> Result<Vec<Finding>> {
    let wanted = Function::all(conn).await?;
    let standing: Vec<Standing> = sqlx::query_as(include_str!("../../sql/doctor/functions.sql"))
        .fetch_all(conn)
        .await?;
    let standing: BTreeMap<&str, &Standing> = standing
        .iter()
        .map(|standing| (standing.name.as_str(), standing))
        .collect();
    let differing: Vec<String> = wanted
        .iter()
        .filter_map(|wanted| {
            let problem = match standing.get(wanted.name.as_str()) {
                None => "is missing",
                Some(standing) if standing.body != wanted.body => "has another text",
                Some(standing) if standing.is_definer != wanted.is_definer || !standing.is_fenced => {
                    "runs with other rights or another search_path"
                }
                Some(_) => return None,
            };
            Some(format!("rentsync.{} {problem}", wanted.name))
        })
        .collect();
    Ok(vec![match differing.len() {
        0 => Finding::ok(FUNCTIONS, format!("{}, all as this release writes them", wanted.len())),
        _ => Finding::wrong(
            FUNCTIONS,
            format!("not as this release writes them: {}", differing.join(", ")),
            "run this release's `rentsync-relay install` as the owner of the source tables: it writes them anew",
        ),
    }])
}
