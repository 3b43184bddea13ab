//! What the relay's own tables grow to.

use std::time::Duration;

use anyhow::Result;
use local_postgres::Server;
use rentsync_relay::inspect::receivers;
use sqlx::Connection;
use tokio::time::sleep;

use crate::bed::{Bed, RECEIVER, execute};
use crate::machine::heading;
use crate::process::RelayProcess;
use crate::receiver::{Minimal, Receiver};

const CHURN_ROUNDS: usize = 100;
const TABLES: [&str; 5] = ["outbox", "ledger", "sync", "sync_feed", "attempt"];

/// A day in which a twentieth of all units changes a hundred times, then the day when that is too old to be kept.
pub async fn churn(server: &Server) -> Result<()> {
    heading("churn: 200,000 units of 2,000 feeds, 1,000,000 edits, MB with indexes");
    let bed = Bed::new(server, "bench_churn").await?;
    let receiver = Receiver::Minimal(Minimal::start().await?);
    let rested = bed.run_to_rest(&receiver).await?;
    println!("{:<44} {}", "", TABLES.map(|table| format!("{table:>10}")).concat());
    sizes(&bed, "first sync").await?;
    let mut conn = bed.connect().await?;
    for _ in 0..CHURN_ROUNDS {
        let edit = "update project_rent_roll_units set price = price + 1 where id % 20 = floor(random() * 20)::integer";
        execute(&mut conn, edit).await?;
    }
    while receivers::unsettled(&mut conn, RECEIVER).await? > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    sizes(&bed, "after the edits").await?;
    rested.relay.stop().await?;
    execute(
        &mut conn,
        "update rentsync.outbox set occurred_at = occurred_at - interval '15 days';
         update rentsync.sync set settled_at = settled_at - interval '15 days'",
    )
    .await?;
    RelayProcess::start_with(&["prune"], &server.url(bed.database), &receiver.url())?
        .ended()
        .await?;
    execute(&mut conn, "vacuum full").await?;
    sizes(&bed, "15 days later, pruned").await?;
    Ok(conn.close().await?)
}

async fn sizes(bed: &Bed<'_>, when: &str) -> Result<()> {
    let mut conn = bed.connect().await?;
    let mut line = format!("{when:<44} ");
    for table in TABLES {
        let bytes: i64 = sqlx::query_scalar("select pg_total_relation_size(format('rentsync.%I', $1)::regclass)")
            .bind(table)
            .fetch_one(&mut conn)
            .await?;
        line += &format!("{:>10.1}", bytes as f64 / 1024.0 / 1024.0);
    }
    println!("{line}");
    Ok(conn.close().await?)
}
