//! What the triggers cost whoever writes.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use local_postgres::Server;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::bed::{connect, execute};
use crate::machine::{heading, quantile};

/// Odd, so that one of them is the median.
const ROUNDS: usize = 3;
const WRITING: Duration = Duration::from_secs(2);

pub async fn capture(server: &Server) -> Result<()> {
    heading("capture: with triggers, beside without");
    println!("{:<44} {:>12} {:>12} {:>8}  target", "", "triggers", "floor", "loss");
    let (with, without) = interleaved(async |database| updates_per_second(server, database, 4, "off").await).await?;
    capture_line(
        "single-row updates/s, 4 writers, not awaited",
        with,
        without,
        1.0 - with / without,
        20,
    );
    let (with, without) = interleaved(async |database| updates_per_second(server, database, 8, "on").await).await?;
    capture_line(
        "single-row updates/s, 8 writers, durable",
        with,
        without,
        1.0 - with / without,
        20,
    );
    let (with, without) = interleaved(async |database| bulk_update_ms(server, database).await).await?;
    capture_line(
        "one UPDATE of 100,000 rows, ms",
        with,
        without,
        with / without - 1.0,
        30,
    );
    Ok(())
}

fn capture_line(what: &str, with: f64, without: f64, loss: f64, target_percent: u32) {
    println!(
        "{what:<44} {with:>12.0} {without:>12.0} {:>6.1} %  {target_percent} %",
        loss * 100.0
    );
}

/// The medians with and without triggers. Both sides take turns, so that a slow minute of the machine hits both; a
/// first turn of each warms up and does not count.
async fn interleaved(measure: impl AsyncFn(&'static str) -> Result<f64>) -> Result<(f64, f64)> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (installed, bare) = (measure("bench_installed").await?, measure("bench_bare").await?);
        if round > 0 {
            with.push(installed);
            without.push(bare);
        }
    }
    Ok((quantile(&mut with, 0.5), quantile(&mut without, 0.5)))
}

async fn updates_per_second(server: &Server, database: &str, writers: usize, commit: &'static str) -> Result<f64> {
    clean(server, database).await?;
    let began = Utc::now() + Duration::from_millis(200);
    let mut running = JoinSet::new();
    for _ in 0..writers {
        let options = server.options(database).options([("synchronous_commit", commit)]);
        running.spawn(async move { write_until(options.connect().await?, began + WRITING).await });
    }
    let mut done = 0;
    while let Some(writer) = running.join_next().await {
        done += writer??;
    }
    let seconds = (Utc::now() - began).to_std()?.as_secs_f64() + 0.2;
    Ok(done as f64 / seconds)
}

async fn write_until(mut conn: PgConnection, ends: DateTime<Utc>) -> Result<i64> {
    let done = sqlx::query_scalar("call bench_write($1, 0)")
        .bind(ends)
        .fetch_one(&mut conn)
        .await?;
    conn.close().await?;
    Ok(done)
}

/// Every second unit, so that every property is touched.
async fn bulk_update_ms(server: &Server, database: &str) -> Result<f64> {
    clean(server, database).await?;
    let mut conn = connect(server, database).await?;
    let began = Instant::now();
    execute(
        &mut conn,
        "update project_rent_roll_units set price = price + 1 where id % 2 = 0",
    )
    .await?;
    let took = began.elapsed();
    conn.close().await?;
    Ok(took.as_secs_f64() * 1000.0)
}

/// No turn pays for what the one before it left behind.
async fn clean(server: &Server, database: &str) -> Result<()> {
    let mut conn = connect(server, database).await?;
    execute(&mut conn, "vacuum project_rent_roll_units").await?;
    execute(&mut conn, "checkpoint").await?;
    Ok(conn.close().await?)
}
