//! The demo: a portfolio, a relay, a receiver, a day in fast motion, and the proof at its end.
//!
//! Everything runs on a scratch database that goes when it ends. The relay is the real one with its real loops; only
//! the waits between tries are shorter, by the factor `--speed`.

pub mod portfolio;
pub mod proof;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use sqlx::PgConnection;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::capture;
use crate::config::{Config, Receiver};
use crate::database::Database;
use crate::fault::Fault;
use crate::http;
use crate::inspect::receivers;
use crate::relay::{Relay, Stop, stopped};
use crate::replay;
use crate::snapshot;
use crate::words::thousands;
use local_postgres::{Durability, Server};
use rentsync_sandbox::{Sandbox, SandboxOptions};

const RECEIVER: &str = "rentsync";
const UNITS: usize = 1500;
/// Longer than any chapter takes; a relay that needs more is broken.
const CHAPTER_MAX: Duration = Duration::from_secs(60);

/// What `demo` takes.
#[derive(Args)]
pub struct Options {
    /// Stay up when the story is over, with the relay running, until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// How many times faster than the guide's retry schedule time goes
    #[arg(long, default_value_t = 600, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=6000))]
    speed: u32,
    /// What the sample portfolio and its edits are drawn from
    #[arg(long, default_value_t = 2025, value_name = "N")]
    seed: u64,
}

/// Plays the story; fails unless the receiver equals the source at its end.
pub async fn run(options: Options, mut stop: watch::Receiver<Stop>) -> Result<()> {
    let began = Instant::now();
    let server = tokio::task::spawn_blocking(|| Server::start(Durability::Full)).await??;
    let database = format!("rentsync_demo_{}", std::process::id());
    server.create_database(&database, None).await?;
    println!(
        "{} PostgreSQL ready in {:.1} s\n",
        if server.is_private() {
            "A private"
        } else {
            "DATABASE_URL's"
        },
        began.elapsed().as_secs_f64()
    );
    let played = tokio::select! {
        played = play(&server, &database, &options, began) => played,
        () = stopped(&mut stop, Stop::Finish) => Err(Fault::finding("interrupted; nothing is left behind").into()),
    };
    let outcome = match played {
        Ok(story) => story.end(&server, &database, &options, &mut stop).await,
        Err(error) => Err(error),
    };
    server.drop_database(&database).await?;
    outcome
}

async fn play(server: &Server, database: &str, options: &Options, began: Instant) -> Result<Story> {
    let mut story = Story::begin(server, database, options).await?;
    story.all(options.speed).await?;
    println!("({:.1} s in all)", began.elapsed().as_secs_f64());
    Ok(story)
}

/// What has been counted up to some moment.
#[derive(Clone, Copy, Default)]
struct Counts {
    changes: i64,
    units: i64,
    requests: usize,
    bytes: usize,
}

struct Story {
    conn: PgConnection,
    sandbox: Sandbox,
    stop: watch::Sender<Stop>,
    relay: tokio::task::JoinHandle<Result<()>>,
    /// What answers the page.
    face: Relay,
    before: Counts,
    seed: u64,
    edits: u64,
}

impl Story {
    async fn begin(server: &Server, name: &str, options: &Options) -> Result<Self> {
        let database = Database::from_options(server.options(name));
        let mut conn = database.connect().await?;
        // The edits of the day are an application's, which has its tables in its path.
        sqlx::query("set search_path to public").execute(&mut conn).await?;
        portfolio::load(&mut conn, options.seed, UNITS).await?;
        println!("12 properties with {} units; the triggers go on.", thousands(UNITS));
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await?;
        let config = config(&sandbox, options.speed)?;
        capture::install(&database, &config.source).await?;
        let (stop, stopped) = watch::channel(Stop::No);
        let face = Relay::new(database, config);
        let relay = tokio::spawn(face.clone().run(stopped));
        Ok(Self {
            conn,
            sandbox,
            stop,
            relay,
            face,
            before: Counts::default(),
            seed: options.seed,
            edits: 0,
        })
    }

    async fn all(&mut self, speed: u32) -> Result<()> {
        self.heading();
        self.settle("first sync", 0).await?;

        let edits = self.edit(sql::RENTS).await?;
        self.settle("rents of one property go up, in one statement", edits)
            .await?;

        let mut edits = 0;
        for _ in 0..25 {
            edits += self.edit(sql::RENT_ONE).await?;
        }
        self.settle("25 units are rented, one after the other", edits).await?;

        let edits = self.edit(sql::MOVE_ONE).await?;
        self.settle("a unit moves to another property", edits).await?;

        let edits = self.edit(sql::RENAME).await?;
        self.settle("a property is renamed", edits).await?;

        let edits = self.edit(sql::DELETE_ONE).await?;
        self.settle("a unit is deleted", edits).await?;

        let edits = self.edit(sql::TOUCH_ALL).await?;
        self.settle("an import touches every unit and changes nothing", edits)
            .await?;

        self.outage(speed).await?;
        self.lost_hour().await?;
        self.night().await?;
        self.prove().await
    }

    /// The receiver is down for twelve of the guide's minutes while edits go on.
    async fn outage(&mut self, speed: u32) -> Result<()> {
        self.sandbox.set_faults(serde_json::json!({ "status": 503 }))?;
        let mut edits = 0;
        for _ in 0..400 {
            edits += self.edit(sql::BUSY_DAY).await?;
        }
        sleep(Duration::from_secs(12 * 60) / speed).await;
        self.line("the receiver is down for 12 minutes; edits go on", edits)
            .await?;
        self.sandbox.set_faults(serde_json::json!({}))?;
        self.settle("it is back: everything owed, in its present state", 0)
            .await
    }

    /// The receiver is set back to its state of an hour ago; a replay sends it what it lost.
    async fn lost_hour(&mut self) -> Result<()> {
        let backup = self.sandbox.save();
        let since = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&mut self.conn)
            .await?;
        let mut edits = 0;
        for _ in 0..60 {
            edits += self.edit(sql::BUSY_DAY).await?;
        }
        edits += self.edit(sql::DELETE_ONE).await?;
        self.settle("an hour goes by", edits).await?;
        self.sandbox.restore(backup);
        self.line("the receiver restores its backup of an hour ago", 0).await?;
        let receiver = Receiver::new(RECEIVER, self.sandbox.url().parse()?);
        let request = replay::Request {
            receiver: &receiver,
            window: replay::Window { since, until: None },
            property: None,
        };
        replay::mark(&mut self.conn, &request).await?;
        self.settle("a replay of that hour sends it again", 0).await
    }

    /// Something changes units past the triggers; the nightly snapshot finds it.
    async fn night(&mut self) -> Result<()> {
        let edits = self.bypass(sql::BYPASS).await?;
        self.settle("a careless job edits with the triggers disabled", edits)
            .await?;
        let run_id = snapshot::begin(&mut self.conn, RECEIVER, "demo", None, None).await?;
        let began = Instant::now();
        while !snapshot::run(&mut self.conn, run_id).await?.is_finished {
            if self.relay.is_finished() || began.elapsed() > CHAPTER_MAX {
                return Err(Fault::finding("the snapshot did not end").into());
            }
            sleep(Duration::from_millis(5)).await;
        }
        let drift = snapshot::run(&mut self.conn, run_id).await?.drift;
        self.line(&format!("the nightly snapshot finds {drift} units to differ"), 0)
            .await?;
        if drift != i64::try_from(edits)? {
            return Err(Fault::finding(format!("{edits} units were edited past the triggers")).into());
        }
        Ok(())
    }

    async fn bypass(&mut self, statement: &'static str) -> Result<u64> {
        sqlx::query("alter table project_rent_roll_units disable trigger user")
            .execute(&mut self.conn)
            .await?;
        let edits = self.edit(statement).await?;
        sqlx::query("alter table project_rent_roll_units enable trigger user")
            .execute(&mut self.conn)
            .await?;
        Ok(edits)
    }

    async fn prove(&mut self) -> Result<()> {
        let agreed = proof::Agreement::new(&[portfolio::AVAILABLE]);
        let proof = proof::compare(&mut self.conn, &self.sandbox, &agreed).await?;
        if proof.differences.is_empty() {
            println!(
                "\nreceiver equals source: {} units, digest {}",
                thousands(proof.units),
                &proof.digest[..16]
            );
            return Ok(());
        }
        for difference in proof.differences.iter().take(10) {
            println!("  {difference}");
        }
        Err(Fault::finding(format!(
            "receiver differs from source in {} places",
            proof.differences.len()
        ))
        .into())
    }

    async fn edit(&mut self, statement: &'static str) -> Result<u64> {
        self.edits += 1;
        let query = match statement.contains("$1") {
            true => sqlx::query(statement).bind(format!("{} {}", self.seed, self.edits)),
            false => sqlx::query(statement),
        };
        Ok(query.execute(&mut self.conn).await?.rows_affected())
    }

    /// Waits until everything is settled, then prints what it took.
    async fn settle(&mut self, what: &str, edits: u64) -> Result<()> {
        let began = Instant::now();
        while receivers::unsettled(&mut self.conn, RECEIVER).await? > 0 || self.nothing_yet() {
            if self.relay.is_finished() || began.elapsed() > CHAPTER_MAX {
                return Err(Fault::finding(format!("{what}: the relay did not come to rest")).into());
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.line(what, edits).await
    }

    fn nothing_yet(&self) -> bool {
        self.sandbox.syncs().is_empty()
    }

    fn heading(&self) {
        println!(
            "\n{:<52} {:>7} {:>8} {:>6} {:>9} {:>9}",
            "", "edits", "changes", "sent", "requests", "bytes"
        );
    }

    async fn line(&mut self, what: &str, edits: u64) -> Result<()> {
        let now = self.count().await?;
        let before = std::mem::replace(&mut self.before, now);
        println!(
            "{what:<52} {:>7} {:>8} {:>6} {:>9} {:>9}",
            thousands(usize::try_from(edits)?),
            thousands(usize::try_from(now.changes - before.changes)?),
            thousands(usize::try_from(now.units - before.units)?),
            thousands(now.requests - before.requests),
            thousands(now.bytes - before.bytes),
        );
        Ok(())
    }

    async fn count(&mut self) -> Result<Counts> {
        let (changes, units) = sqlx::query_as(include_str!("counts.sql"))
            .fetch_one(&mut self.conn)
            .await?;
        let syncs = self.sandbox.syncs();
        Ok(Counts {
            changes,
            units,
            requests: syncs.len(),
            bytes: syncs.iter().map(|sync| sync.bytes).sum(),
        })
    }

    async fn end(
        self,
        server: &Server,
        database: &str,
        options: &Options,
        stop: &mut watch::Receiver<Stop>,
    ) -> Result<()> {
        if options.serve {
            println!("\nStill running, until Ctrl-C:");
            println!("  DATABASE_URL={}", server.url(database));
            println!("  receiver at  {}", self.sandbox.url());
            let listener = page_listener().await?;
            println!("  page at      http://{}/", listener.local_addr()?);
            tokio::select! {
                () = http::serve_on(listener, &self.face, self.stop.subscribe()) => {}
                () = stopped(stop, Stop::Finish) => {}
            }
        }
        self.stop.send_replace(Stop::Finish);
        self.relay.await?.context("the relay failed")
    }
}

/// Where `run` has it by default; elsewhere where somebody else is there.
async fn page_listener() -> Result<TcpListener> {
    let usual = Config::default().http.listen;
    let usual = usual.context("by default somebody is answered")?;
    match TcpListener::bind(usual).await {
        Ok(listener) => Ok(listener),
        Err(_) => Ok(TcpListener::bind((usual.ip(), 0)).await?),
    }
}

fn config(sandbox: &Sandbox, speed: u32) -> Result<Config> {
    let mut receiver = Receiver::new(RECEIVER, sandbox.url().parse()?);
    receiver.breaker.probe_every /= speed;
    for wait in &mut receiver.retry.schedule {
        *wait /= speed;
    }
    let mut config = Config::default();
    config.source.available_status_ids = Some(vec![portfolio::AVAILABLE]);
    config.receivers.insert(RECEIVER.to_owned(), receiver);
    Ok(config)
}

/// A day's edits. Which unit they hit follows from the seed and the edit's number ($1), not from where rows lie.
mod sql {
    pub const RENTS: &str = "update project_rent_roll_units set price = round(price * 1.02) where project_id = 101";
    pub const RENT_ONE: &str = "update project_rent_roll_units
        set rentroll_status_id = 2, rentroll_status = 'Rented', when_available = null
      where id = (select id from project_rent_roll_units where rentroll_status_id = 1 order by md5(id::text || $1) limit 1)";
    pub const MOVE_ONE: &str = "update project_rent_roll_units set project_id = 112
      where id = (select id from project_rent_roll_units where project_id = 102 order by md5(id::text || $1) limit 1)";
    pub const RENAME: &str = "update projects set name = 'Sunset Residences' where id = 101";
    pub const DELETE_ONE: &str = "delete from project_rent_roll_units
      where id = (select id from project_rent_roll_units where project_id = 104 order by md5(id::text || $1) limit 1)";
    pub const TOUCH_ALL: &str = "update project_rent_roll_units set price = price";
    pub const BYPASS: &str = "update project_rent_roll_units set price = price + 40
      where id in (select id from project_rent_roll_units order by md5(id::text || $1) limit 5)";
    pub const BUSY_DAY: &str = "update project_rent_roll_units set price = price + 5
      where id = (select id from project_rent_roll_units where project_id between 105 and 109 order by md5(id::text || $1) limit 1)";
}
