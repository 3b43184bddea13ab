//! What others made outside schema rentsync upon what is in it: it goes with the schema, and may keep an upgrade from changing what it
//! stands on.

use std::fmt;

use anyhow::Result;
use sqlx::postgres::types::Oid;
use sqlx::{FromRow, PgConnection};

use crate::fault::{self, Fault};
use crate::words::in_a_line;

/// What a sentence names one by one.
const NAMED_MAX: usize = 6;

/// A view, a column, a key of somebody's.
#[derive(FromRow)]
pub struct Dependent {
    what: String,
    whose: Option<String>,
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = in_a_line(&self.what);
        match &self.whose {
            Some(whose) => write!(f, "{what} (of {})", in_a_line(whose)),
            None => f.write_str(&what),
        }
    }
}

impl Dependent {
    pub(crate) async fn all(conn: &mut PgConnection) -> Result<Vec<Self>> {
        Self::found(conn, None).await
    }

    /// What uses these functions and types.
    pub(super) async fn of(conn: &mut PgConnection, objects: &[Oid]) -> Result<Vec<Self>> {
        Self::found(conn, Some(objects)).await
    }

    async fn found(conn: &mut PgConnection, objects: Option<&[Oid]>) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/dependents.sql"))
            .bind(objects)
            .fetch_all(conn)
            .await?)
    }

    /// For a sentence.
    pub fn named(all: &[Self]) -> String {
        let named: Vec<String> = all.iter().take(NAMED_MAX).map(Self::to_string).collect();
        match all.len() - named.len() {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// Whether the server did not change or drop something because something else stands on it.
pub(super) fn is_stopped(error: &anyhow::Error) -> bool {
    let refusal = fault::database_error(error).and_then(sqlx::Error::as_database_error);
    refusal.is_some_and(|refusal| matches!(refusal.code().as_deref(), Some("0A000" | "2BP01")))
}

/// Why an install failed, where that is because of what others made.
pub(super) async fn in_the_way(conn: &mut PgConnection, error: anyhow::Error) -> anyhow::Error {
    if !is_stopped(&error) {
        return error;
    }
    match Dependent::all(conn).await {
        Ok(all) if !all.is_empty() => Fault::usage(format!(
            "something outside schema rentsync stands on what this release has to change ({}): drop it, or have its owner drop it, \
             run install again, and make it anew if it is needed: {}; nothing was changed",
            fault::database_error(&error).map(fault::said).unwrap_or_default(),
            Dependent::named(&all)
        ))
        .into(),
        _ => error,
    }
}
