//! Schema rentsync: of this release, and its functions those that this release writes.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use crate::capture::{self, Function, Release, Surplus};
use crate::database::Database;
use crate::fault::Fault;

const SCHEMA: &str = "schema";
const FUNCTIONS: &str = "functions";
const GRANTS: &str = "grants";
/// Rights that a sentence names one by one.
const NAMED_MAX: usize = 8;
/// Nobody's names but the server's own.
const FENCED: &str = "search_path=pg_catalog, pg_temp";

#[derive(FromRow)]
struct Standing {
    name: String,
    body: String,
    is_definer: bool,
    settings: String,
}

/// Whoever else made it decided what is in it, and reading a view runs its functions as this role: nothing of it is looked at.
pub(super) async fn strangers(
    database: &Database,
    conn: &mut PgConnection,
    tables: &[String; 2],
) -> Result<Vec<Finding>> {
    let todo = "find out who made it, and have it dropped or, if it is no stranger's, owned by the source tables' owner; then \
                `doctor` again";
    match capture::check_owner(database, conn, tables, capture::Doing::Looking).await {
        Err(error) if error.is::<Fault>() => Ok(vec![Finding::wrong(SCHEMA, error.to_string(), todo)]),
        checked => checked.map(|_| Vec::new()),
    }
}

/// The trigger functions run as their owner: that has to be whoever owns the source tables now.
pub(super) async fn owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let lacking = capture::owner_it_lacks(conn, tables).await?;
    let finding = |owner| {
        Finding::wrong(
            SCHEMA,
            format!("it, or something of the relay's in it, is not {owner}'s, who owns the source tables"),
            format!(
                "run `rentsync-relay install` as a superuser, or as a role that may act as {owner} and as its owner"
            ),
        )
    };
    Ok(lacking.map(finding).into_iter().collect())
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
    let surplus = Surplus::all(conn).await?;
    let open = surplus
        .iter()
        .filter(|surplus| surplus.is_function() && !surplus.is_source);
    differing.extend(open.map(Surplus::sentence));
    let functions = match differing.len() {
        0 => Finding::ok(FUNCTIONS, format!("{}, all as this release writes them", wanted.len())),
        _ => Finding::wrong(
            FUNCTIONS,
            format!("not as this release writes them: {}", differing.join(", ")),
            "run this release's `rentsync-relay install` as the owner of the source tables: it writes them anew",
        ),
    };
    Ok(vec![functions, grants(&surplus)])
}

/// Rights that others than the relay's roles have on tables, sequences and the schema.
fn grants(surplus: &[Surplus]) -> Finding {
    let surplus: Vec<&Surplus> = surplus.iter().filter(|surplus| !surplus.is_function()).collect();
    if surplus.is_empty() {
        return Finding::ok(GRANTS, "nobody has more than reading but the relay's roles");
    }
    let mut grantees: Vec<&str> = surplus.iter().map(|surplus| surplus.grantee.as_str()).collect();
    grantees.dedup();
    let named: Vec<String> = surplus
        .iter()
        .take(NAMED_MAX)
        .map(|surplus| surplus.sentence())
        .collect();
    let more = match surplus.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let by_default = match surplus.iter().any(|surplus| surplus.is_default) {
        true => ", by default privileges at least in part (see \\ddp in psql)",
        false => "",
    };
    let what = format!("rights that nobody decided on{by_default}: {}{more}", named.join("; "));
    let statements: Vec<&str> = surplus
        .iter()
        .take(NAMED_MAX)
        .flat_map(|surplus| surplus.statements())
        .collect();
    let todo = format!(
        "`rentsync-relay install` as the owner of the source tables takes all of them back, or type: {};{more} if the relay runs as \
         one of these, `install --grant-to` it: {}",
        statements.join("; "),
        grantees.join(", ")
    );
    match surplus.iter().all(|surplus| surplus.is_reading) {
        true => Finding::warning(GRANTS, what, todo),
        false => Finding::wrong(GRANTS, what, todo),
    }
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
