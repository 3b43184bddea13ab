//! What a server says of itself.

use std::sync::Once;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

/// What distinguishes one database from another. None where the server doesn't say.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub(crate) struct Server {
    pub(super) system_identifier: Option<i64>,
    pub(super) database: Option<i64>,
    /// A table of ours, by its oid.
    pub(super) own_table: Option<i64>,
    pub(super) timeline: Option<String>,
}

impl Server {
    /// Each by itself and outside a transaction: some services withhold one of them.
    pub async fn ask(conn: &mut PgConnection) -> Result<Self> {
        static IDENTIFIER_SAID: Once = Once::new();
        static TIMELINE_SAID: Once = Once::new();
        let system_identifier = sqlx::query_scalar(include_str!("../../sql/source_identity/system_identifier.sql"))
            .fetch_one(&mut *conn)
            .await;
        let (database, own_table) = sqlx::query_as(include_str!("../../sql/source_identity/database.sql"))
            .fetch_one(&mut *conn)
            .await?;
        let timeline = sqlx::query_scalar(include_str!("../../sql/source_identity/timeline.sql"))
            .fetch_one(conn)
            .await;
        Ok(Self {
            database,
            own_table,
            system_identifier: unless_withheld(
                system_identifier,
                &IDENTIFIER_SAID,
                "its system identifier: a copy of this database in the wrong place would not be noticed; grant execute on \
                 function pg_control_system()",
            )?,
            timeline: unless_withheld(
                timeline,
                &TIMELINE_SAID,
                "its timeline: a restored backup is noticed only where a feed has come further than it; grant execute on \
                 functions pg_current_wal_lsn() and pg_walfile_name(pg_lsn), or say `receivers resync` after a restore",
            )?,
        })
    }

    /// What is known of it now, with what was known before where the server has fallen silent.
    pub(super) fn or(self, before: &Self) -> Self {
        Self {
            system_identifier: self.system_identifier.or(before.system_identifier),
            database: self.database.or(before.database),
            own_table: self.own_table.or(before.own_table),
            timeline: self.timeline.or_else(|| before.timeline.clone()),
        }
    }
}

/// A server that refuses to say is worth one warning; one that can't be reached is an error.
fn unless_withheld<T>(answer: sqlx::Result<T>, said: &Once, what: &str) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(sqlx::Error::Database(error)) => {
            said.call_once(|| tracing::warn!("the server does not say ({error}) {what}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
