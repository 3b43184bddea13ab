//! Whose schema rentsync is used: whoever owns it decides what is in it, and that runs as whoever reads it.
//!
//! Whoever drops the schema leaves its name to anybody who may create one. So its owner is asked for again whenever a connection is
//! made, and before anything is done over one that was waiting. Reading the source runs what its owners made of it, so a role that may
//! become a superuser asks for those as well.

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
    found: Mutex<Option<Found>>,
    /// The bodies that `install` writes for the source functions.
    generated: Mutex<Vec<String>>,
}

#[derive(Clone)]
struct Found {
    owner: Oid,
    /// The source's owners are asked for as well.
    is_mighty: bool,
    /// The full names of the source tables.
    tables: [String; 2],
}

/// Why a role that may become a superuser does not read the source.
#[derive(FromRow)]
pub struct SourceObjection {
    /// Part of it is this role's.
    pub role_name: Option<String>,
    /// This part of it is no table.
    pub no_table: Option<String>,
}

impl SourceObjection {
    /// Why not, where a part is no table.
    pub fn to_no_table(&self) -> Option<String> {
        self.no_table.as_ref().map(|name| {
            format!(
                "{name}, which is to be a source table, is no table, and what it reads may be any role's, which would run with a \
                 superuser's rights: name the table, or run it as the relay's role"
            )
        })
    }
}

/// The schema and its source functions.
#[derive(FromRow)]
struct Functions {
    owner: Oid,
    owner_name: String,
    strangers: Option<String>,
    reads_anybodys: bool,
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
            *self.found() = Some(Found {
                owner: trusted.oid,
                is_mighty: trusted.is_mighty,
                tables: tables.clone(),
            });
        }
        Ok(owner)
    }

    /// What the source functions have to be for a role that may become a superuser.
    pub fn expect_generated(&self, bodies: Vec<String>) {
        *self.generated.lock().unwrap_or_else(PoisonError::into_inner) = bodies;
    }

    /// Why this role may not read the source unasked, because it may become a superuser.
    pub async fn objections_to_source(
        &self,
        conn: &mut PgConnection,
        tables: &[String; 2],
    ) -> Result<Vec<SourceObjection>> {
        Ok(sqlx::query_as(include_str!("../../sql/connection/whose_source.sql"))
            .bind(&tables[0])
            .bind(&tables[1])
            .bind(&self.named)
            .fetch_all(conn)
            .await?)
    }

    /// Whether the schema is still there, if it was; an error where it came to belong to somebody who is not to be trusted.
    pub async fn check(&self, conn: &mut PgConnection) -> Result<bool> {
        let found = self.found().clone();
        let Some(Found {
            owner: trusted,
            is_mighty,
            tables,
        }) = found
        else {
            return Ok(true);
        };
        if is_mighty {
            self.check_source(conn, &tables).await?;
        }
        if self.owner_of_all(conn).await? == Some(trusted) {
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

    async fn check_source(&self, conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
        for objection in self.objections_to_source(conn, tables).await? {
            if let Some(why) = objection.to_no_table() {
                return Err(Fault::usage(why).into());
            }
            if let Some(stranger) = objection.role_name {
                return Err(Fault::usage(format!(
                    "the source, or part of it, belongs to {stranger} now, for whom nothing is done with a superuser's rights unless \
                     database.schema_owner names that role; `rentsync-relay doctor` says what to do"
                ))
                .into());
            }
        }
        Ok(())
    }

    /// Who owns the schema; an error where a source function is not to be run by this role.
    pub async fn owner_of_all(&self, conn: &mut PgConnection) -> Result<Option<Oid>> {
        let is_mighty = self.found().as_ref().is_some_and(|found| found.is_mighty);
        let generated = self.generated.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let functions: Option<Functions> = sqlx::query_as(include_str!("../../sql/connection/schema_owner.sql"))
            .bind(generated)
            .fetch_optional(conn)
            .await?;
        let Some(functions) = functions else { return Ok(None) };
        if let Some(strangers) = functions.strangers {
            return Err(Fault::usage(format!(
                "{strangers}, who is not to be trusted with schema rentsync, so the source is not read; run `rentsync-relay install` \
                 as the owner of the source tables, which takes it off, and look who made it"
            ))
            .into());
        }
        if is_mighty && functions.reads_anybodys {
            return Err(Fault::usage(format!(
                "the source functions are the site's own, or not as this release's install writes them, and what they read may be any \
                 role's, which would run with a superuser's rights: run it as {} or as the relay's role",
                functions.owner_name
            ))
            .into());
        }
        Ok(Some(functions.owner))
    }

    fn found(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
