//! Schema rentsync: of this release, and its functions those that this release writes.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::Finding;
use crate::capture::{self, Function, Open, Release};

const SCHEMA: &str = "schema";
const FUNCTIONS: &str = "functions";
/// Nobody's names but the server's own.
const FENCED: &str = "search_path=pg_catalog, pg_temp";

#[derive(FromRow)]
struct Standing {
    name: String,
    body: String,
    is_definer: bool,
    settings: String,
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
    let wanted = Function::all(&mut *conn).await?;
    let standing: Vec<Standing> = sqlx::query_as(include_str!("../../sql/doctor/functions.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let standing: BTreeMap<&str, &Standing> = standing
        .iter()
        .map(|standing| (standing.name.as_str(), standing))
        .collect();
    let mut differing: Vec<String> = wanted
        .iter()
        .filter_map(|wanted| {
            let problem = match standing.get(wanted.name.as_str()) {
                None => "is missing",
                Some(standing) if without_oids(&standing.body) != without_oids(&wanted.body) => "has another text",
                Some(standing) if !standing.runs_as(wanted) => "runs with other rights or another search_path",
                Some(_) => return None,
            };
            Some(format!("rentsync.{} {problem}", wanted.name))
        })
        .collect();
    let open = Open::all(conn).await?;
    differing.extend(open.iter().filter(|open| !open.is_source).map(Open::sentence));
    Ok(vec![match differing.len() {
        0 => Finding::ok(FUNCTIONS, format!("{}, all as this release writes them", wanted.len())),
        _ => Finding::wrong(
            FUNCTIONS,
            format!("not as this release writes them: {}", differing.join(", ")),
            "run this release's `rentsync-relay install` as the owner of the source tables: it writes them anew",
        ),
    }])
}

impl Standing {
    fn runs_as(&self, wanted: &Function) -> bool {
        let settings = if wanted.has_path { FENCED } else { "" };
        self.is_definer == wanted.is_definer && self.settings == settings
    }
}

/// A body without the oids that installing writes into it: those of a database that was restored from a dump are another's,
/// which costs a look-up and is no defect.
fn without_oids(body: &str) -> String {
    let pieces = body.split("::pg_catalog.oid");
    let pieces: Vec<&str> = pieces
        .map(|piece| piece.trim_end_matches(|c: char| c.is_ascii_digit()))
        .collect();
    pieces.join("::pg_catalog.oid")
}
