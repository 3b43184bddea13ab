//! From commit to received.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::Utc;
use rand::Rng;
use rentsync_sandbox::Sandbox;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::bed::{Bed, UNITS_PER_PROPERTY};
use crate::machine::{heading, quantile};
use crate::process::REST_MAX;
use crate::receiver::Receiver;

const EDITS: i64 = 200;

pub async fn latency(bed: &Bed<'_>, receiver: &Receiver) -> Result<()> {
    let Receiver::Strict(sandbox) = receiver else {
        return Ok(());
    };
    heading("latency: commit to received, single-row edits, ms (target: p50 under 50)");
    let rested = {
        // Something for each feed to send, so that coming to rest can be seen.
        bed.execute("update project_rent_roll_units set price = price + 1")
            .await?;
        bed.run_to_rest(receiver).await?
    };
    let mut conn = bed.connect().await?;
    let (mut relayed, mut floor) = (Vec::new(), Vec::new());
    for edit in 1..=EDITS {
        relayed.push(edit_to_received(&mut conn, sandbox, edit).await?);
        // Any moment between two looks is as likely as another.
        let pause = rand::rng().random_range(20..120);
        sleep(Duration::from_millis(pause)).await;
    }
    rested.relay.stop().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    for edit in 1..=EDITS {
        floor.push(commit_and_request(&mut conn, &client, sandbox, edit).await?);
    }
    println!("{:<44} {:>8} {:>8} {:>8}", "", "p50", "p95", "p99");
    let relay = latency_line("relay", &mut relayed);
    let bare = latency_line("floor: a durable commit, a bare HTTP request", &mut floor);
    println!("{:<44} {:>7.1}x", "ratio of the medians", relay / bare);
    Ok(conn.close().await?)
}

fn latency_line(what: &str, ms: &mut [f64]) -> f64 {
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|part| quantile(ms, part));
    println!("{what:<44} {p50:>8.1} {p95:>8.1} {p99:>8.1}");
    p50
}

/// Each edit is another property's, so that none waits for the answer to the one before it.
async fn edit_one(conn: &mut PgConnection, edit: i64) -> Result<()> {
    sqlx::query("update project_rent_roll_units set price = price + 1 where id = $1")
        .bind(i32::try_from(edit * UNITS_PER_PROPERTY)?)
        .execute(conn)
        .await?;
    Ok(())
}

async fn edit_to_received(conn: &mut PgConnection, sandbox: &Sandbox, edit: i64) -> Result<f64> {
    sandbox.clear_log();
    edit_one(conn, edit).await?;
    let committed = Utc::now();
    let mut received = committed;
    let seen = |sandbox: &Sandbox| {
        sandbox.syncs().iter().any(|entry| {
            received = entry.received_at;
            entry.project_id == Some(edit)
        })
    };
    ensure!(
        sandbox.wait_until(seen, REST_MAX).await,
        "an edit was not sent within {REST_MAX:?}"
    );
    // The relay may see the commit before we hear of it.
    Ok((received - committed).as_seconds_f64().max(0.0) * 1000.0)
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
