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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    fn server() -> Server {
        let text = str::to_owned;
        Server {
            version_num: 150_018,
            version: text("15.18"),
            in_recovery: false,
            role: text("relay"),
            database: text("aigent"),
            fsync: text("on"),
            full_page_writes: text("on"),
            synchronous_commit: text("on"),
            row_security: text("off"),
        }
    }

    #[test]
    fn a_standby_and_an_old_server_are_no_place_to_plan_from() {
        assert_eq!(server().reached().finding, Grade::Ok);
        let standby = Server {
            in_recovery: true,
            ..server()
        };
        let old = Server {
            version_num: 130_022,
            ..server()
        };
        for (server, todo) in [(standby, "primary"), (old, "14 or newer")] {
            let found = server.reached();
            assert_eq!(found.finding, Grade::Wrong);
            assert!(found.todo.unwrap().contains(todo));
        }
    }

    #[test]
    fn settings_that_a_pooler_swallowed_are_named() {
        assert_eq!(server().durability().finding, Grade::Ok);
        let swallowed = Server {
            synchronous_commit: "off".to_owned(),
            row_security: "on".to_owned(),
            ..server()
        };
        let found = swallowed.durability();
        assert_eq!(found.finding, Grade::Wrong);
        assert!(
            found.what.ends_with("synchronous_commit, row_security"),
            "{}",
            found.what
        );
        let fsync = Server {
            fsync: "off".to_owned(),
            ..server()
        };
        assert!(fsync.durability().what.starts_with("fsync is off"));
    }
}
