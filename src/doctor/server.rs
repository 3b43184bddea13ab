//! The server: its version, whether it may be written to, and whether what it promises survives a crash.

use anyhow::Result;
use sqlx::postgres::PgSslMode;
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use crate::database::{Database, SERVER_VERSION_MIN, distributed, distributed_words, mode_name};

const DATABASE: &str = "database";
const HOST: &str = "host";
const TLS: &str = "tls";
const DURABILITY: &str = "durability";

#[derive(FromRow)]
struct Server {
    version_num: i32,
    version: String,
    in_recovery: bool,
    is_read_only: bool,
    role: String,
    database: String,
    fsync: String,
    full_page_writes: String,
    synchronous_commit: String,
    row_security: String,
}

pub(super) async fn examine(conn: &mut PgConnection, database: &Database) -> Result<Vec<Finding>> {
    let server: Server = sqlx::query_as(include_str!("../../sql/doctor/server.sql"))
        .fetch_one(&mut *conn)
        .await?;
    let (is_encrypted, version): (bool, String) = sqlx::query_as(include_str!("../../sql/doctor/tls.sql"))
        .fetch_one(conn)
        .await?;
    let (mode, is_local) = database.tls();
    let tls = judge_tls(is_encrypted.then_some(version.as_str()), mode, is_local);
    let host = database.host_in_use();
    let host = host.map(|(host, all)| Finding::ok(HOST, format!("{host} takes writes, of {all}")));
    Ok(host
        .into_iter()
        .chain([server.reached(), tls, server.durability()])
        .collect())
}

/// An engine that can't carry the relay.
pub(super) fn unsuitable(objection: &str) -> Finding {
    Finding::wrong(
        DATABASE,
        objection,
        "see docs/scale.md, which says which engines carry the relay and what to do instead",
    )
}

/// Source tables that can't have triggers.
pub(super) async fn distributes(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let distributed = distributed(conn, tables).await?;
    let todo = "see docs/scale.md: local tables, or each node as a source of its own";
    Ok(match distributed.is_empty() {
        true => Vec::new(),
        false => vec![Finding::wrong(DATABASE, distributed_words(&distributed), todo)],
    })
}

/// `version`: of TLS, where the connection is encrypted.
fn judge_tls(version: Option<&str>, mode: PgSslMode, is_local: bool) -> Finding {
    let asked = mode_name(mode);
    let is_checked = matches!(mode, PgSslMode::VerifyFull | PgSslMode::VerifyCa);
    let todo = "set database.tls = \"verify-full\" (with sslrootcert in the URL for a CA of your own), and take sslmode out of the URL";
    match version {
        Some(version) if is_checked || is_local => Finding::ok(TLS, format!("{version} ({asked})")),
        Some(version) => Finding::warning(
            TLS,
            format!(
                "{version}, but the server's certificate is not checked ({asked}): whoever is on the way can stand in for it"
            ),
            todo,
        ),
        None if is_local => Finding::ok(TLS, "none, on this machine itself"),
        None => Finding::warning(
            TLS,
            format!("none ({asked}): whoever is on the way can read the password and every row"),
            todo,
        ),
    }
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
        if self.is_read_only {
            return Finding::wrong(
                DATABASE,
                format!("{what}: default_transaction_read_only is on, so nothing can be planned or noted"),
                format!(
                    "alter role {role} set default_transaction_read_only = off, or point database.url (DATABASE_URL) elsewhere"
                ),
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
            is_read_only: false,
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
        let read_only = Server {
            is_read_only: true,
            ..server()
        };
        let read_only = (read_only, "set default_transaction_read_only = off");
        for (server, todo) in [(standby, "primary"), (old, "14 or newer"), read_only] {
            let found = server.reached();
            assert_eq!(found.finding, Grade::Wrong);
            assert!(found.todo.unwrap().contains(todo));
        }
    }

    #[test]
    fn promise_07_what_is_not_encrypted_or_not_checked_is_said_of_any_other_machine() {
        let grade = |version, mode, is_local| judge_tls(version, mode, is_local).finding;
        assert_eq!(grade(Some("TLSv1.3"), PgSslMode::VerifyFull, false), Grade::Ok);
        assert_eq!(grade(Some("TLSv1.3"), PgSslMode::Require, false), Grade::Warning);
        assert_eq!(grade(None, PgSslMode::Prefer, false), Grade::Warning);
        assert_eq!(grade(None, PgSslMode::Prefer, true), Grade::Ok);
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
