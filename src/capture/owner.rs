//! As whom `install` works: as the owner of the source tables, whoever runs it.
//!
//! Trigger functions run as their owner in every write of the source. Were that a superuser who installed them for somebody else,
//! whoever may change the tables could have anything run as the superuser.

use anyhow::{Context, Result};
use sqlx::PgConnection;

use super::statement::{self, identifier};
use crate::fault::Fault;

/// Makes schema rentsync the owner's of these tables, and acts as that role until the transaction ends.
pub(super) async fn act_as_owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let found: Option<(String, bool)> = sqlx::query_as(include_str!("../../sql/capture/source_owner.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_optional(&mut *conn)
        .await?;
    let Some((owner, is_this_role)) = found else {
        return Err(Fault::usage(format!(
            "{} and {} belong to two roles neither of which may act as the other: give them one owner, or grant one role to the \
             other; nothing was changed",
            tables[0], tables[1]
        ))
        .into());
    };
    if schemas_owner(conn).await?.is_none() {
        statement::execute(
            conn,
            format!("create schema rentsync authorization {}", identifier(&owner)),
        )
        .await
        .context("creating schema rentsync (the role needs CREATE on the database)")?;
    }
    if is_this_role {
        return Ok(());
    }
    let statements: Vec<String> = sqlx::query_scalar(include_str!("../../sql/capture/give_schema.sql"))
        .bind(&owner)
        .fetch_all(&mut *conn)
        .await?;
    for given in statements {
        statement::execute(conn, given)
            .await
            .with_context(|| format!("making schema rentsync {owner}'s"))?;
    }
    act_as(conn, &owner).await
}

/// What is hung on the tables of schema rentsync and is none of ours, and the statement that takes each off.
pub(crate) async fn hung(conn: &mut PgConnection) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/hung.sql"))
        .fetch_all(conn)
        .await?)
}

/// Takes it off, before anything fires it. Says what it was.
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
