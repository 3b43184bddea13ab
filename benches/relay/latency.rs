//! From commit to received.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use rentsync_sandbox::Sandbox;
use sqlx::{Connection, PgConnection};
use tokio::time::{MissedTickBehavior, interval};

use crate::bed::{Bed, UNITS_PER_PROPERTY};
use crate::machine::{backends_cpu_seconds, cpu_seconds, heading, quantile};
use crate::process::{REST_MAX, RelayProcess};
use crate::receiver::Receiver;

/// Each is another property's, so that none waits for the answer to the one before it.
const EDITS: i64 = 500;
const EVERY: Duration = Duration::from_millis(20);

pub async fn latency(bed: &Bed<'_>, receiver: &Receiver) -> Result<()> {
    let Receiver::Strict(sandbox) = receiver else {
        return Ok(());
    };
    heading("latency: commit to received, 50 single-row edits a second, ms (target: p50 5, p99 20)");
    let rested = {
        // Something for each feed to send, so that coming to rest can be seen.
        bed.execute("update project_rent_roll_units set price = price + 1")
            .await?;
        bed.run_to_rest(receiver).await?
    };
    let mut conn = bed.connect().await?;
    let before = cpu(&rested.relay, &mut conn).await?;
    let mut relayed = edits_to_received(&mut conn, sandbox).await?;
    let after = cpu(&rested.relay, &mut conn).await?;
    rested.relay.stop().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut floor = Vec::new();
    for edit in 1..=EDITS {
        floor.push(commit_and_request(&mut conn, &client, sandbox, edit).await?);
    }
    println!("{:<44} {:>8} {:>8} {:>8}", "", "p50", "p95", "p99");
    let relay = latency_line("relay", &mut relayed);
    let bare = latency_line("floor: a durable commit, a bare HTTP request", &mut floor);
    println!("{:<44} {:>7.1}x", "ratio of the medians", relay / bare);
    let per_edit = |from: f64, to: f64| 1000.0 * (to - from) / EDITS as f64;
    println!(
        "processor time an edit, ms: relay {:.1}, its backends {:.1}",
        per_edit(before.0, after.0),
        per_edit(before.1, after.1)
    );
    Ok(conn.close().await?)
}

/// Of the relay, and of its backends.
async fn cpu(relay: &RelayProcess, conn: &mut PgConnection) -> Result<(f64, f64)> {
    Ok((cpu_seconds(relay.id())?, backends_cpu_seconds(conn).await?))
}

fn latency_line(what: &str, ms: &mut [f64]) -> f64 {
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|part| quantile(ms, part));
    println!("{what:<44} {p50:>8.1} {p95:>8.1} {p99:>8.1}");
    p50
}

async fn edit_one(conn: &mut PgConnection, edit: i64) -> Result<()> {
    sqlx::query("update project_rent_roll_units set price = price + 1 where id = $1")
        .bind(i32::try_from(edit * UNITS_PER_PROPERTY)?)
        .execute(conn)
        .await?;
    Ok(())
}

async fn edits_to_received(conn: &mut PgConnection, sandbox: &Sandbox) -> Result<Vec<f64>> {
    sandbox.clear_log();
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut committed = Vec::new();
    for edit in 1..=EDITS {
        clock.tick().await;
        edit_one(conn, edit).await?;
        committed.push((edit, Utc::now()));
    }
    let all = |sandbox: &Sandbox| sandbox.syncs().len() as i64 >= EDITS;
    ensure!(
        sandbox.wait_until(all, REST_MAX).await,
        "not every edit was sent within {REST_MAX:?}"
    );
    let received: HashMap<i64, DateTime<Utc>> = sandbox
        .syncs()
        .iter()
        .filter_map(|entry| Some((entry.project_id?, entry.received_at)))
        .collect();
    let took = |(edit, committed): (i64, DateTime<Utc>)| {
        let received = received
            .get(&edit)
            .with_context(|| format!("edit {edit} was not sent"))?;
        // The relay may see the commit before we hear of it.
        Ok((*received - committed).as_seconds_f64().max(0.0) * 1000.0)
    };
    committed.into_iter().map(took).collect()
}

async fn commit_and_request(
    conn: &mut PgConnection,
    client: &reqwest::Client,
    sandbox: &Sandbox,
    edit: i64,
) -> Result<f64> {
    let began = Instant::now();
    edit_one(conn, edit).await?;
    let url = format!("http://{}/faults", sandbox.address());
    client.get(url).send().await?.bytes().await?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}
