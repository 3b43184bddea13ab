//! Everything sent for the first time, and everything changed; what rest costs after that.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::TryStreamExt;
use sqlx::Connection;
use tokio::time::sleep;

use crate::bed::{Bed, Figures, UNITS};
use crate::machine::{backends_cpu_seconds, cpu_seconds, heading};
use crate::process::RelayProcess;
use crate::receiver::Receiver;

/// Of the floor, the best counts.
const ROUNDS: usize = 3;
const IDLE: Duration = Duration::from_secs(20);

pub async fn drain(bed: &Bed<'_>, receiver: &Receiver) -> Result<RelayProcess> {
    println!(
        "{:<32} {:>8} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "200,000 units of 2,000 feeds", "s", "units/s", "floor s", "ratio", "relay cpu", "its pg", "peak MB"
    );
    let floor = read_all(bed).await?;
    let initial = bed.run_to_rest(receiver).await?;
    print(&initial.figures, "initial sync", floor);
    initial.relay.stop().await?;
    bed.execute("update project_rent_roll_units set price = price + 1")
        .await?;
    let floor = read_all(bed).await?;
    let drained = bed.run_to_rest(receiver).await?;
    print(&drained.figures, "drain (target 10 s, 100 MB)", floor);
    Ok(drained.relay)
}

/// The floor: the same units leave PostgreSQL once, as fast as it can.
async fn read_all(bed: &Bed<'_>) -> Result<Duration> {
    let mut conn = bed.connect().await?;
    let mut took = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut rows = conn
            .copy_out_raw(
                "copy (select * from rentsync.source_unit() join rentsync.source_property() using (property_id)) to stdout",
            )
            .await?;
        while rows.try_next().await?.is_some() {}
        took = took.min(began.elapsed());
    }
    conn.close().await?;
    Ok(took)
}

fn print(figures: &Figures, what: &str, floor: Duration) {
    let (took, floor) = (figures.took.as_secs_f64(), floor.as_secs_f64());
    println!(
        "{what:<32} {took:>8.2} {:>10.0} {floor:>8.2} {:>7.1}x {:>7.1} s {:>7.1} s {:>9.0}",
        UNITS as f64 / took,
        took / floor,
        figures.relay_cpu,
        figures.backends_cpu,
        figures.peak_mb
    );
}

pub async fn idle(bed: &Bed<'_>, relay: &RelayProcess) -> Result<()> {
    heading("idle: nothing to send, 2,000 feeds, percent of one core (floor: 0; target: 2 % in all)");
    let mut conn = bed.connect().await?;
    // What autovacuum does within its next minute; until then sweeps step over the dead rows of 200,000 units sent.
    bed.execute("vacuum analyze").await?;
    let began = Instant::now();
    let before = (cpu_seconds(relay.id())?, backends_cpu_seconds(&mut conn).await?);
    sleep(IDLE).await;
    let after = (cpu_seconds(relay.id())?, backends_cpu_seconds(&mut conn).await?);
    let percent = |from: f64, to: f64| 100.0 * (to - from) / began.elapsed().as_secs_f64();
    println!("{:<44} {:>10.1} %", "relay", percent(before.0, after.0));
    println!(
        "{:<44} {:>10.1} %",
        "its PostgreSQL backends",
        percent(before.1, after.1)
    );
    Ok(conn.close().await?)
}
