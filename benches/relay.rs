//! What the relay costs and how fast it is, beside a floor measured in the same run.
//!
//! `cargo bench` measures everything on a private PostgreSQL, `cargo bench -- capture` only what has that name:
//! capture, drain, idle, latency, churn, snapshot. Prints tables, asserts no times. A ratio to the floor says more than a figure: the
//! floor is the same work without the relay, on the same machine, minutes apart at most. The relay runs as its own
//! process, the release's own program, so that its memory and processor time are its own.

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use local_postgres::{Durability, LocalPostgres, Server};
use rand::Rng;
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use rentsync_relay::status;
use rentsync_sandbox::{Sandbox, SandboxOptions};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

const PROPERTIES: i64 = 2_000;
const UNITS: i64 = 200_000;
const UNITS_PER_PROPERTY: i64 = UNITS / PROPERTIES;
const RECEIVER: &str = "main";
/// Odd, so that one of them is the median.
const ROUNDS: usize = 3;
const WRITING: Duration = Duration::from_secs(2);
const EDITS: i64 = 200;
const IDLE: Duration = Duration::from_secs(20);
/// A relay that needs longer than this to come to rest is broken.
const REST_MAX: Duration = Duration::from_secs(60);
/// What /proc counts processor time in: Linux shows 100 to every program, whatever its kernel ticks at.
const PROC_TICKS_PER_SECOND: f64 = 100.0;

fn main() -> ExitCode {
    // Cargo passes --bench.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    match run(only.as_deref().unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: &str) -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let began = Instant::now();
    let server = Server::Private(LocalPostgres::start(Durability::Full)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&server, only))?;
    println!("\n({:.0} s in all)", began.elapsed().as_secs_f64());
    Ok(())
}

async fn measure(server: &Server, only: &str) -> Result<()> {
    let wants = |section: &str| section.contains(only);
    print_machine(server).await?;
    make_databases(server).await?;
    if wants("capture") {
        capture(server).await?;
    }
    if wants("drain") || wants("idle") {
        let bed = Bed::new(server, "bench_drain").await?;
        let receiver = Receiver::Minimal(Minimal::start().await?);
        heading("drain: receiver that answers at once");
        let relay = drain(&bed, &receiver).await?;
        if wants("idle") {
            idle(&bed, &relay).await?;
        }
        relay.stop().await?;
    }
    if wants("drain") || wants("latency") {
        let bed = Bed::new(server, "bench_strict").await?;
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await?;
        let receiver = Receiver::Strict(sandbox);
        heading("drain: sandbox that checks every byte, in the bench's own process");
        drain(&bed, &receiver).await?.stop().await?;
        if wants("latency") {
            latency(&bed, &receiver).await?;
        }
    }
    if wants("churn") {
        churn(server).await?;
    }
    if wants("snapshot") {
        snapshots(server).await?;
    }
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------------
// Databases

const UNITS_OF_ALL: &str = "
insert into projects
select p, 'Property ' || p, 1 + p % 3, p || ' Main Street, Calgary, AB', true, false
  from generate_series(1, $PROPERTIES) p;
insert into project_rent_roll_units
select u, 1 + (u - 1) / $PER_PROPERTY, (1 + u % 24) || lpad((u % 40)::text, 2, '0') || '-' || u, 'A', 1 + u % 24,
       '2BR-CORNER', '2 Bed', 1 + u % 3, (array['Available', 'Rented', 'On Notice'])[1 + u % 3], 'December',
       1500 + u % 700, 1450.5, 820, 2, 2, 0, 'Apartment', 'SE', 'City View', u % 2 = 0, u % 3, u % 3, u % 2, null, null
  from generate_series(1, $UNITS) u;
";

/// A writer that commits each update and whose client has nothing to do: with two cores a client's own work would be
/// half of what is measured and would hide what a trigger costs.
const WRITER: &str = "
create procedure bench_write(ends timestamptz, inout done bigint) language plpgsql as $$
declare
    unit integer;
begin
    while clock_timestamp() < ends loop
        unit := 1 + floor(random() * $UNITS)::integer;
        update project_rent_roll_units set price = price + 1 where id = unit;
        commit;
        done := done + 1;
    end loop;
end
$$;
";

/// `bench_bare` has the source, `bench_installed` also the triggers.
async fn make_databases(server: &Server) -> Result<()> {
    server.create_database("bench_bare", None).await?;
    let mut conn = connect(server, "bench_bare").await?;
    for statements in [
        portfolio::SCHEMA,
        UNITS_OF_ALL,
        WRITER,
        "vacuum analyze projects",
        "vacuum analyze project_rent_roll_units",
    ] {
        execute(&mut conn, statements).await?;
    }
    conn.close().await?;
    server.create_database("bench_installed", Some("bench_bare")).await?;
    let database = Database::from_options(server.options("bench_installed"));
    capture::install(&database, &Config::default().source).await?;
    Ok(())
}

async fn connect(server: &Server, database: &str) -> Result<PgConnection> {
    let options = server.options(database).application_name("bench");
    Ok(options.connect().await?)
}

async fn execute(conn: &mut PgConnection, statements: &str) -> Result<()> {
    let statements = statements
        .replace("$PROPERTIES", &PROPERTIES.to_string())
        .replace("$PER_PROPERTY", &UNITS_PER_PROPERTY.to_string())
        .replace("$UNITS", &UNITS.to_string());
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(conn).await?;
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------------
// Capture

async fn capture(server: &Server) -> Result<()> {
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

// ---------------------------------------------------------------------------------------------------------------------
// Drain

async fn drain(bed: &Bed<'_>, receiver: &Receiver) -> Result<RelayProcess> {
    println!(
        "{:<32} {:>8} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "200,000 units of 2,000 feeds", "s", "units/s", "floor s", "ratio", "relay cpu", "its pg", "peak MB"
    );
    let floor = read_all(bed).await?;
    let initial = bed.run_to_rest(receiver).await?;
    initial.figures.print("initial sync", floor);
    initial.relay.stop().await?;
    bed.execute("update project_rent_roll_units set price = price + 1")
        .await?;
    let floor = read_all(bed).await?;
    let drained = bed.run_to_rest(receiver).await?;
    drained.figures.print("drain (target 10 s, 100 MB)", floor);
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

/// What coming to rest took.
struct Figures {
    took: Duration,
    relay_cpu: f64,
    backends_cpu: f64,
    peak_mb: f64,
}

impl Figures {
    fn print(&self, what: &str, floor: Duration) {
        let (took, floor) = (self.took.as_secs_f64(), floor.as_secs_f64());
        println!(
            "{what:<32} {took:>8.2} {:>10.0} {floor:>8.2} {:>7.1}x {:>7.1} s {:>7.1} s {:>9.0}",
            UNITS as f64 / took,
            took / floor,
            self.relay_cpu,
            self.backends_cpu,
            self.peak_mb
        );
    }
}

struct Rested {
    relay: RelayProcess,
    figures: Figures,
}

/// A database with 200,000 units and the relay installed.
struct Bed<'a> {
    server: &'a Server,
    database: &'static str,
}

impl<'a> Bed<'a> {
    async fn new(server: &'a Server, database: &'static str) -> Result<Self> {
        server.create_database(database, Some("bench_bare")).await?;
        let source = Config::default().source;
        capture::install(&Database::from_options(server.options(database)), &source).await?;
        Ok(Self { server, database })
    }

    async fn connect(&self) -> Result<PgConnection> {
        connect(self.server, self.database).await
    }

    async fn execute(&self, statements: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        execute(&mut conn, statements).await?;
        Ok(conn.close().await?)
    }

    /// Starts a relay and waits until nothing is left to tell.
    async fn run_to_rest(&self, receiver: &Receiver) -> Result<Rested> {
        let mut conn = self.connect().await?;
        let requests = receiver.requests();
        let began = Instant::now();
        let relay = RelayProcess::start(&self.server.url(self.database), &receiver.url())?;
        // Every feed has something to tell. The database, which has work to do, is only asked once all have.
        while receiver.requests() < requests + PROPERTIES as usize || status::unsettled(&mut conn, RECEIVER).await? > 0
        {
            ensure!(began.elapsed() < REST_MAX, "the relay did not come to rest");
            sleep(Duration::from_millis(20)).await;
        }
        let figures = Figures {
            took: began.elapsed(),
            relay_cpu: cpu_seconds(relay.id())?,
            backends_cpu: backends_cpu_seconds(&mut conn).await?,
            peak_mb: peak_mb(relay.id())?,
        };
        conn.close().await?;
        Ok(Rested { relay, figures })
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Idle

async fn idle(bed: &Bed<'_>, relay: &RelayProcess) -> Result<()> {
    heading("idle: nothing to tell, 2,000 feeds, percent of one core (floor: 0; target: 2 % in all)");
    let mut conn = bed.connect().await?;
    // What autovacuum does within its next minute; until then sweeps step over the dead rows of 200,000 units told.
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

// ---------------------------------------------------------------------------------------------------------------------
// Latency

async fn latency(bed: &Bed<'_>, receiver: &Receiver) -> Result<()> {
    let Receiver::Strict(sandbox) = receiver else {
        return Ok(());
    };
    heading("latency: commit to received, single-row edits, ms (target: p50 under 50)");
    let rested = {
        // Something for each feed to tell, so that coming to rest can be seen.
        bed.execute("update project_rent_roll_units set price = price + 1")
            .await?;
        bed.run_to_rest(receiver).await?
    };
    let mut conn = bed.connect().await?;
    let (mut told, mut floor) = (Vec::new(), Vec::new());
    for edit in 1..=EDITS {
        told.push(edit_to_received(&mut conn, sandbox, edit).await?);
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
    let relay = latency_line("relay", &mut told);
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
        "an edit was not told within {REST_MAX:?}"
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

// ---------------------------------------------------------------------------------------------------------------------
// Churn

const CHURN_ROUNDS: usize = 100;
const TABLES: [&str; 5] = ["outbox", "ledger", "sync", "sync_feed", "attempt"];

/// A day in which a twentieth of all units changes a hundred times, then the day when that is too old to be kept.
async fn churn(server: &Server) -> Result<()> {
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
    while status::unsettled(&mut conn, RECEIVER).await? > 0 {
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

// ---------------------------------------------------------------------------------------------------------------------
// Snapshot

/// Ten times the units must not be ten times the memory.
async fn snapshots(server: &Server) -> Result<()> {
    heading("snapshot: everything compared and told whole, 100 units a property");
    println!("{:<44} {:>8} {:>10} {:>9}", "", "s", "units/s", "peak MB");
    for (database, units) in [("bench_snapshot_1", 100_000), ("bench_snapshot_10", 1_000_000)] {
        server.create_database(database, None).await?;
        let mut conn = connect(server, database).await?;
        execute(&mut conn, portfolio::SCHEMA).await?;
        let statements = UNITS_OF_ALL
            .replace("$PROPERTIES", &(units / UNITS_PER_PROPERTY).to_string())
            .replace("$PER_PROPERTY", &UNITS_PER_PROPERTY.to_string())
            .replace("$UNITS", &units.to_string());
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

// ---------------------------------------------------------------------------------------------------------------------
// Receivers

enum Receiver {
    Minimal(Minimal),
    Strict(Sandbox),
}

impl Receiver {
    fn url(&self) -> String {
        match self {
            Self::Minimal(minimal) => minimal.url.clone(),
            Self::Strict(sandbox) => sandbox.url(),
        }
    }

    fn requests(&self) -> usize {
        match self {
            Self::Minimal(minimal) => minimal.requests.load(Ordering::Relaxed),
            Self::Strict(sandbox) => sandbox.syncs().len(),
        }
    }
}

/// Reads a body and answers; so what is measured is the relay.
struct Minimal {
    url: String,
    requests: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Minimal {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let answer = async move |_: Bytes| {
            counted.fetch_add(1, Ordering::Relaxed);
            "{}"
        };
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { url, requests, server })
    }
}

impl Drop for Minimal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The relay's process

struct RelayProcess {
    child: Child,
    /// No settings file is in it.
    _directory: tempfile::TempDir,
}

impl RelayProcess {
    fn start(database: &str, receiver: &str) -> Result<Self> {
        Self::start_with(&["run"], database, receiver)
    }

    fn start_with(arguments: &[&str], database: &str, receiver: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let child = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"))
            .args(arguments)
            .current_dir(directory.path())
            .env_clear()
            .env("DATABASE_URL", database)
            .env("RELAY_LOG", "warn")
            .env("RELAY_HTTP__LISTEN", "none")
            .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]")
            .env("RELAY_RECEIVERS__MAIN__URL", receiver)
            .env("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "32")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            _directory: directory,
        })
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has done what it was asked to. Says how much memory it took at most.
    async fn ended(mut self) -> Result<f64> {
        let mut peak = 0.0;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the relay ended with {status}");
                return Ok(peak);
            }
            // It may just have ended.
            peak = peak_mb(self.id()).unwrap_or(peak);
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < REST_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the relay ended with {status}");
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("the relay did not stop")
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Machine

async fn print_machine(server: &Server) -> Result<()> {
    let mut conn = connect(server, "postgres").await?;
    let version: String = sqlx::query_scalar("select current_setting('server_version')")
        .fetch_one(&mut conn)
        .await?;
    let cores = std::thread::available_parallelism()?;
    let model = proc_field("/proc/cpuinfo", "model name").unwrap_or_else(|_| "unknown processor".to_owned());
    let memory_kb: f64 = kilobytes("/proc/meminfo", "MemTotal")?;
    println!("{cores} cores, {model}, {:.0} GiB memory", memory_kb / 1024.0 / 1024.0);
    println!("PostgreSQL {version}, private, commits durable unless said otherwise");
    println!("{}", Utc::now().format("%Y-%m-%d %H:%M UTC"));
    Ok(conn.close().await?)
}

fn proc_field(path: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    let (_, value) = value.with_context(|| format!("{path} has no {name}"))?;
    Ok(value.trim().to_owned())
}

fn kilobytes(path: &str, name: &str) -> Result<f64> {
    Ok(proc_field(path, name)?.trim_end_matches(" kB").parse()?)
}

fn peak_mb(process: u32) -> Result<f64> {
    Ok(kilobytes(&format!("/proc/{process}/status"), "VmHWM")? / 1024.0)
}

/// Both in user and in kernel mode, since the process began.
fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; the 14th and 15th fields are the 12th and 13th behind it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / PROC_TICKS_PER_SECOND)
}

/// Of the relay's connections that are open now.
async fn backends_cpu_seconds(conn: &mut PgConnection) -> Result<f64> {
    let backends: Vec<i32> =
        sqlx::query_scalar("select pid from pg_stat_activity where application_name = 'rentsync-relay'")
            .fetch_all(conn)
            .await?;
    backends
        .into_iter()
        .map(|backend| cpu_seconds(backend.unsigned_abs()))
        .sum()
}

fn heading(what: &str) {
    println!("\n{what}");
}

/// The nearest rank.
fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * part).ceil() as usize;
    values[rank.max(1) - 1]
}
