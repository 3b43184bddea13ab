//! A source that goes empty and comes back: 10,000 properties of 20 units, in a database that was never analysed.
//!
//! Beside it somebody edits a property that nothing happened to, and the server writes down what takes long.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use rentsync_relay::inspect::receivers;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::bed::{RECEIVER, UNITS_OF_ALL, connect, execute, sized};
use crate::machine::{heading, quantile};
use crate::process::RelayProcess;
use crate::receiver::{MARK, Minimal};

const PROPERTIES: i64 = 10_000;
const UNITS_PER_PROPERTY: i64 = 20;
const DATABASE: &str = "bench_mass";
/// The property that nothing happens to but its edits, and the unit of it that is edited.
const WATCHED: &str = "
insert into projects values (20000, 'Watched', 1, '1 Main Street', true, false);
insert into project_rent_roll_units (id, project_id, unit_code) values (10000000, 20000, 'W-0'), (10000001, 20000, 'A'), (10000002, 20000, 'B')";
const EDIT_EVERY: Duration = Duration::from_millis(500);
/// Longer than this, and something is broken.
const PHASE_MAX: Duration = Duration::from_secs(300);
const WITHHELD: &str = "select count(*) from rentsync.ledger where withheld in ('held', 'guarded')";
const HOLDS: &str = "select count(*) from rentsync.hold where state = 'open'";

pub async fn mass() -> Result<()> {
    heading(
        "mass: 10,000 properties of 20 units go empty and come back, never analysed (goals: back 30 s, news 2 s, statement 500 ms)",
    );
    println!(
        "{:<24} {:>12} {:>12} {:>10} {:>10} {:>14}",
        "", "all held s", "all back s", "news p50 s", "max s", "statement ms"
    );
    for (what, empty, refill) in [
        (
            "rows deleted",
            "create table kept as select * from project_rent_roll_units where project_id <> 20000;
             delete from project_rent_roll_units where project_id <> 20000",
            "insert into project_rent_roll_units select * from kept",
        ),
        (
            "properties inactive",
            "update projects set is_actived = false where id <> 20000",
            "update projects set is_actived = true where id <> 20000",
        ),
    ] {
        let source = Source::new().await?;
        source.measure(what, empty, refill).await?;
    }
    Ok(())
}

struct Source {
    server: Server,
    receiver: Arc<Minimal>,
}

impl Source {
    async fn new() -> Result<Self> {
        let private = LocalPostgres::start_with(
            Durability::Full,
            &[
                ("autovacuum", "off"),
                ("log_min_duration_statement", "50"),
                ("log_line_prefix", "%a|"),
            ],
        )?;
        let server = Server::Private(private);
        server.create_database(DATABASE, None).await?;
        let mut conn = connect(&server, DATABASE).await?;
        let units = sized(UNITS_OF_ALL, PROPERTIES, UNITS_PER_PROPERTY);
        for statements in [portfolio::SCHEMA, &units, WATCHED] {
            execute(&mut conn, statements).await?;
        }
        conn.close().await?;
        capture::install(
            &Database::from_options(server.options(DATABASE)),
            &Config::default().source,
        )
        .await?;
        let receiver = Arc::new(Minimal::start().await?);
        Ok(Self { server, receiver })
    }

    async fn measure(self, what: &str, empty: &str, refill: &str) -> Result<()> {
        let mut conn = connect(&self.server, DATABASE).await?;
        let relay = RelayProcess::start(&self.server.url(DATABASE), self.receiver.url())?;
        let began = Instant::now();
        while self.receiver.requests() < usize::try_from(PROPERTIES)?
            || receivers::unsettled(&mut conn, RECEIVER).await? > 0
        {
            ensure!(began.elapsed() < PHASE_MAX, "the first sync did not end");
            sleep(Duration::from_millis(100)).await;
        }
        let lags = Arc::new(Mutex::new(Vec::new()));
        let editing = self.edit(lags.clone()).await?;
        execute(&mut conn, empty).await?;
        let held = until(&mut conn, WITHHELD, PROPERTIES * UNITS_PER_PROPERTY).await?;
        execute(&mut conn, refill).await?;
        let back = until(&mut conn, HOLDS, 0).await?;
        editing.abort();
        relay.stop().await?;
        let mut lags = lags.lock().expect("lags").clone();
        println!(
            "{what:<24} {held:>12.1} {back:>12.1} {:>10.2} {:>10.2} {:>14.0}",
            quantile(&mut lags, 0.5),
            quantile(&mut lags, 1.0),
            self.slowest()?
        );
        Ok(conn.close().await?)
    }

    /// Edits the watched unit over and over; how long it took each time until the receiver had it, in seconds.
    async fn edit(&self, lags: Arc<Mutex<Vec<f64>>>) -> Result<JoinHandle<Result<()>>> {
        let mut conn = connect(&self.server, DATABASE).await?;
        let receiver = self.receiver.clone();
        Ok(tokio::spawn(async move {
            for edit in 1.. {
                let code = format!("{MARK}{edit}");
                sqlx::query("update project_rent_roll_units set unit_code = $1 where id = 10000000")
                    .bind(&code)
                    .execute(&mut conn)
                    .await?;
                let committed = Instant::now();
                while !receiver.has(&code) && committed.elapsed() < PHASE_MAX {
                    sleep(Duration::from_millis(5)).await;
                }
                lags.lock().expect("lags").push(committed.elapsed().as_secs_f64());
                sleep(EDIT_EVERY).await;
            }
            Ok(())
        }))
    }

    /// The longest statement of the relay that the server wrote down, in milliseconds.
    fn slowest(&self) -> Result<f64> {
        let Server::Private(server) = &self.server else {
            return Ok(0.0);
        };
        let log = std::fs::read_to_string(server.directory().join("log"))?;
        let durations = log.lines().filter_map(|line| {
            let (_, rest) = line.strip_prefix("rentsync-relay")?.split_once("duration: ")?;
            rest.split_once(" ms")?.0.parse::<f64>().ok()
        });
        Ok(durations.fold(0.0, f64::max))
    }
}

/// How many seconds it took until there were so many.
async fn until(conn: &mut PgConnection, query: &'static str, wanted: i64) -> Result<f64> {
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(query).fetch_one(&mut *conn).await? != wanted {
        ensure!(began.elapsed() < PHASE_MAX, "{query}: never {wanted}");
        sleep(Duration::from_millis(250)).await;
    }
    Ok(began.elapsed().as_secs_f64())
}
