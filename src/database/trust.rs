//! Whose schema rentsync is used: whoever owns it decides what is in it, and that runs as whoever reads it.
//!
//! Whoever drops the schema leaves its name to anybody who may create one. So its owner is asked for again whenever a connection is
//! made, and before anything is done over one that was waiting.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sqlx::postgres::types::Oid;
use sqlx::{FromRow, PgConnection};

use crate::fault::Fault;

/// Who owns schema rentsync, and what this role has to do with it.
#[derive(Clone, Debug, FromRow)]
pub struct SchemaOwner {
    /// The role.
    pub oid: Oid,
    /// Its name.
    pub owner: String,
    /// It may do what it likes anyway.
    pub is_superuser: bool,
    /// Nothing of another one's is used.
    pub is_trusted: bool,
    /// A source table is there.
    pub has_source: bool,
    /// This role may do what it likes, so nothing but a person's word makes anybody trusted.
    pub is_mighty: bool,
    /// This role may act as the owner.
    pub is_ours: bool,
}

/// Who is trusted, and whose the schema was when it was last found to be.
#[derive(Default)]
pub(super) struct Trust {
    /// By a person's word.
    named: Vec<String>,
    /// With the full names of the source tables.
    found: Mutex<Option<(Oid, [String; 2])>>,
}

impl Trust {
    pub fn named(roles: Vec<String>) -> Self {
        Self {
            named: roles,
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

    /// Whether the schema is still there, if it was; an error where it came to belong to somebody who is not to be trusted.
    pub async fn check(&self, conn: &mut PgConnection) -> Result<bool> {
        let found = self.found().clone();
        let Some((trusted, tables)) = found else {
            return Ok(true);
        };
        let owner: Option<Oid> = sqlx::query_scalar(include_str!("../../sql/connection/schema_owner.sql"))
            .fetch_optional(&mut *conn)
            .await?;
        if owner == Some(trusted) {
            return Ok(true);
        }
        match self.owner(conn, &tables).await? {
            Some(found) if found.is_trusted => Ok(true),
            Some(found) => Err(Fault::usage(format!(
                "schema rentsync belongs to {} now, who is not to be trusted with it, so nothing of it is used; `rentsync-relay \
                 doctor` says what to do",
                found.owner
            ))
            .into()),
            None => Ok(false),
        }
    }

    fn found(&self) -> MutexGuard<'_, Option<(Oid, [String; 2])>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
