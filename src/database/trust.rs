//! Whose schema rentsync is used: whoever owns it decides what is in it, and that runs as whoever reads it.
//!
//! Whoever drops the schema leaves its name to anybody who may create one. So its owner is asked for again before a connection
//! is used that is new or was idle.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sqlx::postgres::types::Oid;
use sqlx::{FromRow, PgConnection};

use crate::fault::Fault;

/// Who owns schema rentsync, and what this role has to do with it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct SchemaOwner {
    oid: Oid,
    pub owner: String,
    pub is_trusted: bool,
    /// This role may do what it likes, so nothing but a person's word makes anybody trusted.
    pub is_mighty: bool,
    /// This role may act as the owner.
    pub is_ours: bool,
}

/// Who is trusted, and whose the schema was when it was last found to be.
#[derive(Default)]
pub(super) struct Trust {
    /// By a person's word.
    named: Option<String>,
    /// With the full names of the source tables.
    found: Mutex<Option<(Oid, [String; 2])>>,
}

impl Trust {
    pub fn named(role: Option<&str>) -> Self {
        Self {
            named: role.map(str::to_owned),
            ..Self::default()
        }
    }

    /// Who owns the schema, if it is there.
    pub async fn owner(&self, conn: &mut PgConnection, tables: &[String; 2]) -> Result<Option<SchemaOwner>> {
        let owner: Option<SchemaOwner> = sqlx::query_as(include_str!("../../sql/connection/whose_schema.sql"))
            .bind(&tables[0])
            .bind(&tables[1])
            .bind(&self.named)
            .fetch_optional(conn)
            .await?;
        if let Some(trusted) = owner.as_ref().filter(|owner| owner.is_trusted) {
            *self.found() = Some((trusted.oid, tables.clone()));
        }
        Ok(owner)
    }

    /// An error where the schema came to belong to somebody who is not to be trusted, since it was found to be.
    pub async fn check(&self, conn: &mut PgConnection) -> Result<()> {
        let found = self.found().clone();
        let Some((trusted, tables)) = found else { return Ok(()) };
        let owner: Option<Oid> = sqlx::query_scalar(include_str!("../../sql/connection/schema_owner.sql"))
            .fetch_optional(&mut *conn)
            .await?;
        if owner.is_none_or(|owner| owner == trusted) {
            return Ok(());
        }
        match self.owner(conn, &tables).await? {
            Some(found) if !found.is_trusted => Err(Fault::usage(format!(
                "schema rentsync belongs to {} now, who is not to be trusted with it, so nothing of it is used; `rentsync-relay \
                 doctor` says what to do",
                found.owner
            ))
            .into()),
            _ => Ok(()),
        }
    }

    fn found(&self) -> MutexGuard<'_, Option<(Oid, [String; 2])>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
