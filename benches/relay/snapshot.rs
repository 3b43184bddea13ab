//! A snapshot of a city, and of a tenth of it.

use std::time::Instant;

use anyhow::Result;
use local_postgres::Server;
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use sqlx::Connection;

use crate::bed::{UNITS_OF_ALL, UNITS_PER_PROPERTY, connect, execute, sized};
use crate::machine::heading;
use crate::process::RelayProcess;
use crate::receiver::{Minimal, Receiver};

/// Ten times the units must not be ten times the memory.
pub async fn snapshots(server: &Server) -> Result<()> {
    heading("snapshot: everything compared and sent whole, 100 units a property");
    println!("{:<44} {:>8} {:>10} {:>9}", "", "s", "units/s", "peak MB");
    for (database, units) in [("bench_snapshot_1", 100_000), ("bench_snapshot_10", 1_000_000)] {
        server.create_database(database, None).await?;
        let mut conn = connect(server, database).await?;
        execute(&mut conn, portfolio::SCHEMA).await?;
        let statements = sized(UNITS_OF_ALL, units / UNITS_PER_PROPERTY, UNITS_PER_PROPERTY);
        execute(&mut conn, &statements).await?;
        execute(&mut conn, "vacuum analyze").await?;
        conn.close().await?;
        capture::install(
            &Database::from_options(server.options(database)),
            &Config::default().source,
        )
        .await?;
        let receiver = Receiver::Minimal(Minimal::start().await?);
        for (what, arguments) in [("first sync", &["once"][..]), ("snapshot", &["once", "--snapshot"])] {
            let began = Instant::now();
            let peak = RelayProcess::start_with(arguments, &server.url(database), &receiver.url())?
                .ended()
                .await?;
            let took = began.elapsed().as_secs_f64();
            let line = format!("{what} of {units} units");
            println!("{line:<44} {took:>8.1} {:>10.0} {peak:>9.0}", units as f64 / took);
        }
    }
    Ok(())
}
