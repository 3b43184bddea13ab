//! Whose schema rentsync is used: whoever owns it decides what is in it, and that runs as whoever reads it.

use anyhow::Result;
use sqlx::PgConnection;

use super::columns::{SOURCE_PROPERTY, SOURCE_UNIT};
use super::generated::Generated;
use crate::database::{Database, SchemaOwner};
use crate::fault::Fault;

/// What is asked of schema rentsync.
#[derive(Clone, Copy, PartialEq)]
pub enum Doing {
    /// Reading and writing what is in it.
    Using,
    /// Whether it is there at all.
    Looking,
    /// Putting it right, or taking it away: what strangers left in it is taken off.
    Installing,
}

/// Where there is no schema, and what to do about it.
pub(super) const ABSENT: (&str, &str) = (
    "the relay is not installed in this database",
    "run `rentsync-relay install` as the owner of the source tables",
);

/// Nothing of a schema is touched whose owner is not to be trusted, nor with a superuser's rights of a source whose owner is not:
/// reading it runs what its types, views and functions do. `tables` are the source tables' full names. From here on
/// connections of this database are given only while its owner is. None where it is not there, which is nothing to go on with:
/// what is there a moment later is a stranger's.
pub async fn check_owner(
    database: &Database,
    conn: &mut PgConnection,
    tables: &[String; 2],
    doing: Doing,
) -> Result<Option<SchemaOwner>> {
    let found = database.schema_owner(conn, tables).await?;
    if let Some(why) = found.as_ref().and_then(|found| objection(found, tables)) {
        return Err(Fault::usage(why).into());
    }
    check_source(database, conn, tables, doing).await?;
    if found.as_ref().is_some_and(|found| found.is_mighty) {
        database.expect_generated(generated(conn, tables).await);
    }
    if found.is_some() && doing != Doing::Installing {
        database.check_source_functions(conn).await?;
    }
    if found.is_none() && doing == Doing::Using {
        return Err(absent());
    }
    Ok(found)
}

async fn check_source(database: &Database, conn: &mut PgConnection, tables: &[String; 2], doing: Doing) -> Result<()> {
    for objection in database.objections_to_source(conn, tables).await? {
        // Neither is read by what takes the relay away, and install says more.
        if let Some(why) = objection.to_no_table().filter(|_| doing != Doing::Installing) {
            return Err(Fault::usage(why).into());
        }
        if let Some(owner) = objection.role_name {
            return Err(Fault::usage(format!(
                "the source tables belong to {owner}, and {}; nothing was changed",
                mighty(&owner)
            ))
            .into());
        }
    }
    Ok(())
}

/// What `install` writes for these tables; a line in a body would be anybody's to write. None where a table is another's rent roll.
async fn generated(conn: &mut PgConnection, [properties, units]: &[String; 2]) -> Vec<String> {
    let mut bodies = Vec::new();
    for (source, table) in [(&SOURCE_PROPERTY, properties), (&SOURCE_UNIT, units)] {
        if let Ok(generated) = Generated::for_table(conn, source, table).await {
            bodies.push(generated.body);
        }
    }
    bodies
}

pub(super) fn absent() -> anyhow::Error {
    let (what, todo) = ABSENT;
    Fault::usage(format!("{what}: {todo}")).into()
}

fn objection(found: &SchemaOwner, [properties, units]: &[String; 2]) -> Option<String> {
    let owner = &found.owner;
    if !found.is_trusted && found.is_mighty {
        return Some(format!(
            "schema rentsync belongs to {owner}, and {}; nothing was changed",
            mighty(owner)
        ));
    }
    if !found.is_trusted && !found.has_source {
        return Some(format!(
            "schema rentsync belongs to {owner}, and whether that is the owner of the source is not known: {properties} and {units} \
             are not found, or stand where anybody may have put them before others of that name; name them with their schema in \
             [source], or {owner} in database.schema_owner; nothing of it is used and nothing was changed"
        ));
    }
    (!found.is_trusted).then(|| {
        format!(
            "schema rentsync belongs to {owner}, who does not own the source tables: nothing of it is used and nothing was \
             changed; if {units} got another owner, what {owner} left in it would run as that one: run `rentsync-relay uninstall \
             --purge` as a role that may act as both, with {owner} named in database.schema_owner, or as a superuser, with both \
             named, then install anew (every receiver is sent everything again), or give the source back; naming {owner} also lets a \
             relay go on until then"
        )
    })
}

/// Why a superuser does not work for a lesser role unasked.
fn mighty(owner: &str) -> String {
    format!(
        "what is {owner}'s would run with a superuser's rights: connect as {owner} or as the relay's role, or, if nobody else can \
         be {owner}, name it in database.schema_owner"
    )
}
