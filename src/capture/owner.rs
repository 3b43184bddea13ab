//! As whom `install` works: as the owner of the source tables, whoever runs it.
//!
//! Trigger functions run as their owner in every write of the source. Were that a superuser who installed them for somebody else,
//! whoever may change the tables could have anything run as the superuser.

use anyhow::{Context, Result};
use sqlx::PgConnection;
use sqlx::postgres::types::Oid;

use super::brief::{briefly, under_way};
use super::release::{Release, release};
use super::statement::{self, identifier};
use super::{function, shape, trust};
use crate::database::{Database, SchemaOwner};
use crate::fault::Fault;

/// Whose the source tables are, and so schema rentsync.
async fn source_owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<(String, bool)> {
    let found = sqlx::query_as(include_str!("../../sql/capture/source_owner.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_optional(&mut *conn)
        .await?;
    found.ok_or_else(|| {
        Fault::usage(format!(
            "{} and {} belong to two roles neither of which may act as the other: give them one owner, or grant one role to the \
             other; nothing was changed",
            tables[0], tables[1]
        ))
        .into()
    })
}

/// Makes schema rentsync, which is not there, the owner's of these tables.
pub(super) async fn create_schema(database: &Database, conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let (owner, _) = source_owner(conn, tables).await?;
    statement::execute(
        conn,
        format!("create schema rentsync authorization {}", identifier(&owner)),
    )
    .await
    .map_err(|error| match under_way(error.into()) {
        fault if fault.is::<Fault>() => fault,
        error => error.context("creating schema rentsync (the role needs CREATE on the database)"),
    })?;
    // The source is the owner's as well: reading it runs what its types and functions do.
    match database.schema_owner(conn, tables).await? {
        Some(found) if !found.is_trusted && found.is_mighty => Err(Fault::usage(format!(
            "the source tables belong to {owner}, and {}; nothing was changed",
            trust::mighty(&owner)
        ))
        .into()),
        _ => Ok(()),
    }
}

/// Acts as the owner of these tables until the transaction ends.
pub(super) async fn act_as_owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let (owner, is_this_role) = source_owner(conn, tables).await?;
    if is_this_role {
        return Ok(());
    }
    act_as(conn, &owner).await
}

/// Makes what stands of schema rentsync the owner's of these tables, and takes off what is hung on it and is none of ours, before
/// anything fires it. Says what that was.
///
/// Both lock writers of the source out of the outbox, and these may have locked the source already: so the source is locked
/// first, and all of it is one brief transaction before what takes its time. What the former owner put into a function or a view is
/// written anew at once; what it put anywhere else would run as the new owner, so nothing changes hands. What `from` does not own
/// now is left alone.
pub(super) async fn take_over(
    conn: &mut PgConnection,
    tables: &[String; 2],
    from: &SchemaOwner,
) -> Result<Vec<String>> {
    let (owner, _) = source_owner(conn, tables).await?;
    if to_give(conn, &owner, from.oid).await?.is_empty() && hung(conn).await?.is_empty() {
        return Ok(Vec::new());
    }
    let taken_over = briefly(conn, async |tx| {
        let [properties, units] = tables;
        let lock = format!("lock table {properties}, {units} in share row exclusive mode");
        statement::execute(tx, lock).await?;
        let taken_off = take_off(tx).await?;
        let given = to_give(tx, &owner, from.oid).await?;
        let changes_hands = !given.is_empty();
        if changes_hands && !from.is_superuser {
            is_all_the_relays(tx, &owner).await?;
        }
        for given in given {
            statement::execute(tx, given)
                .await
                .with_context(|| format!("making schema rentsync {owner}'s"))?;
        }
        if changes_hands {
            function::write_all(tx).await?;
        }
        Ok(taken_off)
    });
    taken_over.await?.ok_or_else(|| {
        Fault::finding(format!(
            "{} and {} are in use by a long transaction; nothing was changed, try again when it has ended (pg_stat_activity shows \
             transactions that are open for long)",
            tables[0], tables[1]
        ))
        .into()
    })
}

/// What an older release made can't be told from what somebody else did.
async fn is_all_the_relays(conn: &mut PgConnection, owner: &str) -> Result<()> {
    let objection = match release(conn).await? {
        Release::Same => {
            let differences = shape::differences(conn).await?;
            let stays = differences.iter().find(|difference| !difference.is_mended_by_install());
            stays.map(|difference| format!("there {difference}"))
        }
        _ => Some("it is of another release".to_owned()),
    };
    match objection {
        None => Ok(()),
        Some(why) => Err(Fault::usage(format!(
            "schema rentsync is not made {owner}'s, who owns the source tables now, because {why}, and what its former owner left in \
             it would run as {owner}: undo that as the former owner, or run `rentsync-relay uninstall --purge` and install anew; \
             nothing was changed"
        ))
        .into()),
    }
}

async fn to_give(conn: &mut PgConnection, owner: &str, from: Oid) -> Result<Vec<String>> {
    let given = not_the_owners(conn, owner, Some(from)).await?.into_iter();
    Ok(given
        .filter(|(_, can_give)| *can_give)
        .map(|(statement, _)| statement)
        .collect())
}

/// What of ours belongs to another role than the source tables' owner: the statements that give it, and whether this role can.
async fn not_the_owners(conn: &mut PgConnection, owner: &str, from: Option<Oid>) -> Result<Vec<(String, bool)>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/give_schema.sql"))
        .bind(owner)
        .bind(from)
        .fetch_all(conn)
        .await?)
}

/// Who owns the source tables, where schema rentsync or something in it is not that role's.
pub(crate) async fn owner_it_lacks(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Option<String>> {
    let Ok((owner, _)) = source_owner(conn, tables).await else {
        return Ok(None);
    };
    let is_whole = not_the_owners(conn, &owner, None).await?.is_empty();
    Ok((!is_whole).then_some(owner))
}

/// What is hung on the tables of schema rentsync and is none of ours, and the statement that takes each off.
pub(crate) async fn hung(conn: &mut PgConnection) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/hung.sql"))
        .fetch_all(conn)
        .await?)
}

pub(super) async fn take_off(conn: &mut PgConnection) -> Result<Vec<String>> {
    let mut taken_off = Vec::new();
    for (what, drop) in hung(&mut *conn).await? {
        statement::execute(conn, drop)
            .await
            .with_context(|| format!("taking off {what}, which is none of the relay's"))?;
        taken_off.push(what);
    }
    Ok(taken_off)
}

/// Acts as whoever owns schema rentsync until the transaction ends: what is run of it was written by that role.
pub(super) async fn act_as_schemas_owner(conn: &mut PgConnection) -> Result<()> {
    match schemas_owner(conn).await? {
        Some(owner) => act_as(conn, &owner).await,
        None => Ok(()),
    }
}

async fn schemas_owner(conn: &mut PgConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/capture/schema_role.sql"))
        .fetch_optional(conn)
        .await?)
}

/// Acts as a role until the transaction ends.
pub(super) async fn act_as(conn: &mut PgConnection, role: &str) -> Result<()> {
    statement::execute(conn, format!("set local role {}", identifier(role)))
        .await
        .with_context(|| format!("acting as {role}"))
}
