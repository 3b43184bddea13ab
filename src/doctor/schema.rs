//! Schema rentsync: of this release, and its functions those that this release writes.

use anyhow::Result;
use sqlx::PgConnection;

use super::finding::Finding;
use crate::capture::{self, Dependent, Lacks, Release, Surplus};
use crate::database::Database;
use crate::fault::Fault;

const SCHEMA: &str = "schema";
const FUNCTIONS: &str = "functions";
const TABLES: &str = "tables";
const GRANTS: &str = "grants";
const DEPENDENTS: &str = "dependents";
/// Rights that a sentence names one by one.
const NAMED_MAX: usize = 8;

/// Whoever else made it decided what is in it, and reading a view runs its functions as this role: nothing of it is looked at.
pub(super) async fn strangers(
    database: &Database,
    conn: &mut PgConnection,
    tables: &[String; 2],
) -> Result<Vec<Finding>> {
    let todo = "do as it says, or, if a stranger made the schema, have it dropped; then `doctor` again";
    match capture::check_owner(database, conn, tables, capture::Doing::Looking).await {
        Err(error) if error.is::<Fault>() => Ok(vec![Finding::wrong(SCHEMA, error.to_string(), todo)]),
        checked => checked.map(|_| Vec::new()),
    }
}

/// The trigger functions run as their owner: that has to be whoever owns the source tables now.
pub(super) async fn owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let lacking = capture::owner_it_lacks(conn, tables).await?;
    let finding = |lacks| match lacks {
        Lacks::Former(former) => Finding::wrong(SCHEMA, former.to_string(), former.todo()),
        Lacks::Owner(owner) => Finding::wrong(
            SCHEMA,
            format!("it, or something of the relay's in it, is not {owner}'s, who owns the source tables"),
            format!(
                "run `rentsync-relay install` as a superuser, or as a role that may act as {owner} and as its owner"
            ),
        ),
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

/// Compares what stands in the schema with what this release makes of it.
pub(super) async fn contents(conn: &mut PgConnection) -> Result<Vec<Finding>> {
    let differences = capture::differences(&mut *conn).await?;
    let (functions, others): (Vec<_>, Vec<_>) = differences.iter().partition(|difference| difference.is_function());
    let surplus = Surplus::all(conn).await?;
    let open = surplus
        .iter()
        .filter(|surplus| surplus.is_function() && !surplus.is_source);
    let functions: Vec<String> = functions
        .iter()
        .map(|difference| difference.to_string())
        .chain(open.map(Surplus::sentence))
        .collect();
    let functions = match functions.as_slice() {
        [] => Finding::ok(FUNCTIONS, "all as this release writes them"),
        differing => Finding::wrong(
            FUNCTIONS,
            format!("in schema rentsync {}", differing.join(", ")),
            "run this release's `rentsync-relay install` as the owner of the source tables: it writes them anew",
        ),
    };
    let others: Vec<String> = others.iter().map(|difference| difference.to_string()).collect();
    let tables = match others.as_slice() {
        [] => Finding::ok(TABLES, "all as this release makes them"),
        differing => Finding::wrong(
            TABLES,
            format!("in schema rentsync {}", some_of(differing)),
            "find out who changed that and undo it, or `rentsync-relay uninstall --purge` and `install` anew",
        ),
    };
    let dependents = dependents(&Dependent::all(conn).await?);
    Ok([functions, tables, grants(&surplus)]
        .into_iter()
        .chain(dependents)
        .collect())
}

/// What others made upon the schema: no harm until it has to change.
fn dependents(all: &[Dependent]) -> Option<Finding> {
    (!all.is_empty()).then(|| {
        Finding::warning(
            DEPENDENTS,
            format!("outside schema rentsync there stands on it: {}", Dependent::named(all)),
            "an upgrade that has to change what it stands on is refused until it is gone, and `uninstall --purge` drops it; nobody \
             needs a column of one of these row types",
        )
    })
}

fn some_of(all: &[String]) -> String {
    let named = all[..all.len().min(NAMED_MAX)].join(", ");
    named + &unnamed(all.len())
}

fn unnamed(all: usize) -> String {
    match all.saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// Rights that others than the relay's roles have on tables, sequences and the schema.
fn grants(surplus: &[Surplus]) -> Finding {
    let surplus: Vec<&Surplus> = surplus.iter().filter(|surplus| !surplus.is_function()).collect();
    if surplus.is_empty() {
        return Finding::ok(GRANTS, "nobody has more than reading but the relay's roles");
    }
    let mut grantees: Vec<&str> = surplus.iter().map(|surplus| surplus.grantee.as_str()).collect();
    grantees.dedup();
    let named: Vec<String> = surplus.iter().map(|surplus| surplus.sentence()).collect();
    let by_default = match surplus.iter().any(|surplus| surplus.is_default) {
        true => ", by default privileges at least in part (see \\ddp in psql)",
        false => "",
    };
    let what = format!("rights that nobody decided on{by_default}: {}", some_of(&named));
    let statements: Vec<&str> = surplus
        .iter()
        .take(NAMED_MAX)
        .flat_map(|surplus| surplus.statements())
        .collect();
    let todo = format!(
        "`rentsync-relay install` as the owner of the source tables takes all of them back, or type: {}{}; if the relay runs as \
         one of these, `install --grant-to` it: {}",
        statements.join("; "),
        unnamed(surplus.len()),
        grantees.join(", ")
    );
    match surplus.iter().all(|surplus| surplus.is_reading) {
        true => Finding::warning(GRANTS, what, todo),
        false => Finding::wrong(GRANTS, what, todo),
    }
}
