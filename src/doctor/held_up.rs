//! What keeps PostgreSQL from cleaning up, and cursors from moving on: transactions left open, slots that nobody reads.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::finding::{Finding, ago};
use super::limits::Limits;

const TRANSACTIONS: &str = "transactions";
const SLOTS: &str = "replication_slots";

#[derive(FromRow)]
struct Transaction {
    is_prepared: bool,
    name: String,
    pid: Option<i32>,
    database: String,
    role: String,
    state: Option<String>,
    seconds: f64,
}

#[derive(FromRow)]
struct Slot {
    name: String,
    keeps_rows: bool,
    wal: String,
}

pub(super) async fn transactions(conn: &mut PgConnection, limits: &Limits) -> Result<Vec<Finding>> {
    let open: Vec<Transaction> = sqlx::query_as(include_str!("../../sql/doctor/transactions.sql"))
        .bind(limits.transaction.as_secs_f64())
        .bind(limits.prepared.as_secs_f64())
        .fetch_all(conn)
        .await?;
    if open.is_empty() {
        return Ok(vec![Finding::ok(TRANSACTIONS, "none has been open for long")]);
    }
    Ok(open.iter().map(Transaction::finding).collect())
}

impl Transaction {
    /// A session may end by itself; what is prepared waits for somebody.
    fn finding(&self) -> Finding {
        let Self {
            name, database, role, ..
        } = self;
        let age = ago(self.seconds);
        let costs = "dead rows stay, and the outbox can't be pruned beyond it";
        if self.is_prepared {
            let quoted = name.replace('\'', "''");
            return Finding::wrong(
                TRANSACTIONS,
                format!("{name} of {role} in {database} was prepared {age} ago and waits to be ended: {costs}"),
                format!("in {database}: commit prepared '{quoted}'; or rollback prepared '{quoted}';"),
            );
        }
        let pid = self.pid.unwrap_or_default();
        let state = self.state.as_ref().map_or(String::new(), |state| format!(", {state}"));
        Finding::warning(
            TRANSACTIONS,
            format!("process {pid} ({role}, {name}, in {database}{state}) has one open for {age} or longer: {costs}"),
            format!("have it end; or, as a role that may: select pg_terminate_backend({pid});"),
        )
    }
}

pub(super) async fn slots(conn: &mut PgConnection, limits: &Limits) -> Result<Vec<Finding>> {
    let idle: Vec<Slot> = sqlx::query_as(include_str!("../../sql/doctor/slots.sql"))
        .bind(i64::try_from(limits.slot_bytes)?)
        .fetch_all(conn)
        .await?;
    if idle.is_empty() {
        return Ok(vec![Finding::ok(SLOTS, "none that nobody reads keeps much")]);
    }
    Ok(idle.iter().map(Slot::finding).collect())
}

impl Slot {
    fn finding(&self) -> Finding {
        let rows = if self.keeps_rows { " and dead rows" } else { "" };
        let (name, wal) = (&self.name, &self.wal);
        let quoted = name.replace('\'', "''");
        Finding::warning(
            SLOTS,
            format!("nobody reads {name}: it keeps {wal}{rows}"),
            format!("start what reads it; or, if that is gone: select pg_drop_replication_slot('{quoted}');"),
        )
    }
}
