//! The server: its version, whether it may be written to, and whether what it promises survives a crash.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::Finding;
use crate::database::SERVER_VERSION_MIN;

const DATABASE: &str = "database";
const DURABILITY: &str = "durability";

#[derive(FromRow)]
struct Server {
    version_num: i32,
    version: String,
    in_recovery: bool,
    role: String,
    database: String,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    row_security: String,
}

pub(super) async fn examine(conn: &mut PgConnection) -> Result<Vec<Finding>> {
    let server: Server = sqlx::query_as(include_str!("../../sql/doctor/server.sql"))
        .fetch_one(conn)
        .await?;
    Ok(vec![server.reached(), server.durability()])
}

impl Server {
    fn reached(&self) -> Finding {
        let Self {
            version,
            role,
            database,
            ..
        } = self;
        let what = format!("PostgreSQL {version}, database {database} as {role}");
        if self.version_num < SERVER_VERSION_MIN {
            return Finding::wrong(DATABASE, what, "use PostgreSQL 14 or newer");
        }
        if self.in_recovery {
            // Its snapshots lack running transactions: changes would be lost.
            return Finding::wrong(
                DATABASE,
                format!("{what}: a standby, from which nothing can be planned"),
                "point database.url (DATABASE_URL) at the primary",
            );
        }
        Finding::ok(DATABASE, what)
    }

    /// A connection asks for durable commits and for an error in place of hidden rows: a pooler may swallow that.
    fn durability(&self) -> Finding {
        let off: Vec<_> = [("fsync", &self.fsync), ("full_page_writes", &self.full_page_writes)]
            .into_iter()
            .filter(|(_, value)| *value != "on")
            .map(|(name, _)| name)
            .collect();
        if !off.is_empty() {
            return Finding::wrong(
                DURABILITY,
                format!("{} off: a crash of the server may damage source and ledger", are(&off)),
                "set it to on in postgresql.conf, and reload",
            );
        }
        let swallowed: Vec<_> = [
            ("synchronous_commit", &self.synchronous_commit, "off"),
            ("row_security", &self.row_security, "on"),
        ]
        .into_iter()
        .filter(|(_, value, not)| value == not)
        .map(|(name, ..)| name)
        .collect();
        if !swallowed.is_empty() {
            return Finding::wrong(
                DURABILITY,
                format!(
                    "what the relay asks for at connecting does not arrive: {}",
                    swallowed.join(", ")
                ),
                "connect directly, or through a pooler in session mode that passes on startup options",
            );
        }
        Finding::ok(
            DURABILITY,
            format!("fsync on, synchronous_commit {}", self.synchronous_commit),
        )
    }
}

fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}
