//! Whose schema rentsync is used: whoever owns it decides what is in it, and that runs as whoever reads it.

use anyhow::Result;
use sqlx::PgConnection;

use crate::database::{Database, SchemaOwner};
use crate::fault::Fault;

/// What is asked of schema rentsync.
#[derive(Clone, Copy, PartialEq)]
pub enum Doing {
    /// Writing it anew, as its owner.
    Installing,
    /// Reading and writing what is in it.
    Using,
}

/// Nothing of a schema is touched whose owner is not to be trusted. `tables` are the source tables' full names. From here on
/// connections of this database are given only while its owner is.
pub async fn check_owner(
    database: &Database,
    conn: &mut PgConnection,
    tables: &[String; 2],
    doing: Doing,
) -> Result<()> {
    let found = database.schema_owner(conn, tables).await?;
    match found.and_then(|found| objection(&found, doing, &tables[1])) {
        Some(why) => Err(Fault::usage(why).into()),
        None => Ok(()),
    }
}

fn objection(found: &SchemaOwner, doing: Doing, units: &str) -> Option<String> {
    let owner = &found.owner;
    if !found.is_trusted && found.is_mighty {
        return Some(format!(
            "schema rentsync belongs to {owner}, and what is in it would run with a superuser's rights: connect as {owner} or \
                 as the relay's role, or, if nobody else can be {owner}, name it in database.schema_owner; nothing was changed"
        ));
    }
    if !found.is_trusted {
        return Some(format!(
            "schema rentsync belongs to {owner}, who does not own the source tables: nothing of it is used and nothing was \
                 changed; if {units} got another owner, run `rentsync-relay install` as a superuser, or as a role that may act as \
                 both owners, with {owner} named in database.schema_owner, which also lets a relay go on until then"
        ));
    }
    (doing == Doing::Installing && !found.is_ours).then(|| {
            format!(
                "schema rentsync is there already and belongs to {owner}: run install as {owner}, or as a role that may act as \
                 {owner} and as the owner of {units}; nothing was changed"
            )
        })
}
