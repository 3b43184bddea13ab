//! What runs on a schedule, one statement after the other, on 1,000,000 units of 10,000 feeds that have been sent for a week: at
//! rest, with a transaction open for long, and with every unit owed; as the tables were never analysed, and as they were.

use std::time::Instant;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Connection, Executor, PgConnection};

use crate::bed::{UNITS_OF_ALL, connect, execute, sized};
use crate::machine::{heading, quantile};

const PROPERTIES: i64 = 10_000;
const UNITS_PER_PROPERTY: i64 = 100;
const RUNS: usize = 5;
const PLANNED: &str = "update rentsync.feed set cursor = pg_current_snapshot()";
/// What a week of sending leaves: a sync of each feed every eight hours, its try, two changes a property and day.
const SENT: &str = "
insert into rentsync.receiver (receiver, settings) values ('main', '');
insert into rentsync.planner (receiver) values ('main');
insert into rentsync.receiver_count (receiver, of_units, ahead_seen) values ('main', $UNITS, pg_current_snapshot());
insert into rentsync.feed (receiver, property_id, property_hash, units, of_units, owed_since)
select 'main', p, decode(repeat('11', 32), 'hex'), $PER_PROPERTY, $PER_PROPERTY, null from generate_series(1, $PROPERTIES) p;
insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, sequence)
select f.feed_id, u.id, u.unit_code, sha256(u.id::text::bytea), 200000 + f.feed_id
  from project_rent_roll_units u join rentsync.feed f on f.property_id = u.project_id order by f.feed_id, u.id;
insert into rentsync.sync (sequence, sync_id, receiver, sync_type, state, units, removed_units, body_bytes, body, sealed_at, lease, attempts, settled_at)
select n, n, 'main', 'delta', 'delivered', 1, 0, 1000, decode(repeat('ab', 300), 'hex'), moment.at, 1, 1, moment.at
  from generate_series(1, 210000) n cross join lateral (select now() - interval '7 days' + n * interval '2.88 s' as at) as moment;
insert into rentsync.sync_feed (sequence, feed_id, is_open, units)
select s.sequence, 1 + (s.sequence - 1) % $PROPERTIES, false, '{1}' from rentsync.sync s;
insert into rentsync.attempt (sequence, lease, relay, started_at, finished_at, outcome, status)
select sequence, 1, 'bench', settled_at, settled_at, 'delivered', 200 from rentsync.sync";
/// Beside them the changes, a transaction each thousand.
const CHANGED: &str = "
do $$ begin
    for n in 1 .. 140 loop
        insert into rentsync.outbox (property_id, op, unit_ids, occurred_at)
        select 1 + (n * 1000 + g) % $PROPERTIES, 'update', array[n], now() - interval '7 days' + n * interval '72 min'
          from generate_series(1, 1000) g;
        commit;
    end loop;
end $$";

pub async fn schedule() -> Result<()> {
    heading("schedule: statements that run on a schedule, 1,000,000 units of 10,000 feeds, ms (goal: 100)");
    let private = LocalPostgres::start_with(Durability::Off, &[("autovacuum", "off")])?;
    let server = Server::Private(private);
    server.create_database("bench_never", None).await?;
    let mut conn = connect(&server, "bench_never").await?;
    for statements in [portfolio::SCHEMA, UNITS_OF_ALL] {
        execute(&mut conn, &sized(statements, PROPERTIES, UNITS_PER_PROPERTY)).await?;
    }
    let database = Database::from_options(server.options("bench_never"));
    capture::install(&database, &Config::default().source).await?;
    for statements in [SENT, CHANGED, PLANNED] {
        execute(&mut conn, &sized(statements, PROPERTIES, UNITS_PER_PROPERTY)).await?;
    }
    conn.close().await?;
    server.create_database("bench_analysed", Some("bench_never")).await?;
    let mut columns = Vec::new();
    for database in ["bench_never", "bench_analysed"] {
        let mut conn = connect(&server, database).await?;
        if database == "bench_analysed" {
            conn.execute("vacuum analyze").await?;
        }
        columns.push(measured(&mut conn).await?);
        let mut open = connect(&server, database).await?;
        open.execute("begin; select pg_current_xact_id()").await?;
        conn.execute("select pg_current_xact_id()").await?;
        conn.execute(PLANNED).await?;
        columns.push(measured(&mut conn).await?);
        open.close().await?;
        conn.execute("update rentsync.ledger set owed = 'in_doubt'").await?;
        if database == "bench_analysed" {
            conn.execute("vacuum analyze").await?;
        }
        columns.push(measured(&mut conn).await?);
        conn.close().await?;
    }
    print(&columns);
    Ok(())
}

fn print(columns: &[Vec<f64>]) {
    println!("{:<24} {:>29}   {:>29}", "", "never analysed", "analysed");
    println!(
        "{:<24} {:>9} {:>9} {:>9}   {:>9} {:>9} {:>9}",
        "", "rest", "open", "owed", "rest", "open", "owed"
    );
    for (row, (name, ..)) in statements().iter().enumerate() {
        let figures: Vec<String> = columns.iter().map(|column| format!("{:>9.1}", column[row])).collect();
        println!("{name:<24} {}   {}", figures[..3].join(" "), figures[3..].join(" "));
    }
}

/// The median of some runs of each, nothing of which stays.
async fn measured(conn: &mut PgConnection) -> Result<Vec<f64>> {
    conn.execute("set jit = off").await?;
    let mut medians = Vec::new();
    for at in 0..statements().len() {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let (_, statement, arguments) = statements().swap_remove(at);
            let mut tx = conn.begin().await?;
            let began = Instant::now();
            sqlx::query_with(statement, arguments).fetch_all(&mut *tx).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            tx.rollback().await?;
        }
        medians.push(quantile(&mut times, 0.5));
    }
    Ok(medians)
}

macro_rules! scheduled {
    ($name:literal $(, $argument:expr)*) => {{
        #[allow(unused_mut)]
        let mut arguments = PgArguments::default();
        $(arguments.add($argument).expect("an argument");)*
        ($name, include_str!(concat!("../../sql/", $name, ".sql")), arguments)
    }};
}

const NOW: Option<DateTime<Utc>> = None;
const ALL: Option<Vec<i64>> = None;

fn statements() -> Vec<(&'static str, &'static str, PgArguments)> {
    let days_ago = |days| Utc::now() - TimeDelta::days(days);
    let noticed: Vec<i64> = (1..=32).collect();
    vec![
        scheduled!("plan/look", "main", None::<&str>, NOW),
        scheduled!("plan/enroll", "main", ALL, ALL, None::<i64>, 2_000_i64),
        scheduled!("plan/sweep_window", "main", 8_000_i64, 1_000_i64),
        scheduled!(
            "plan/choose_feeds",
            "main",
            ALL,
            NOW,
            0_i64,
            256_i64,
            501_i64,
            false,
            10_000_i64,
            1_000_i64,
            None::<bool>
        ),
        scheduled!(
            "plan/choose_feeds",
            "main",
            noticed,
            NOW,
            0_i64,
            32_i64,
            501_i64,
            false,
            10_000_i64,
            None::<i64>,
            None::<bool>
        ),
        scheduled!("hold/expire", "main", NOW, 2_000_i64),
        scheduled!("hold/ahead", "main", NOW, 10_f64, 20_000_i64),
        scheduled!("hold/look_ahead", "main", ALL, Vec::<i64>::new(), 0_i64, 256_i64),
        scheduled!("hold/gather", "main", Vec::<i64>::new()),
        scheduled!(
            "hold/clear",
            "main",
            NOW,
            5_i64,
            40_i64,
            50_i64,
            20_i64,
            vec![-1_i64, 1],
            2_000_i64,
            10_f64
        ),
        scheduled!("prune/oldest_changes", days_ago(14), 5_000_i64),
        scheduled!("prune/held_back_by", "1"),
        scheduled!("prune/move_cursors", "main", "1000000000", days_ago(14), 2_000_i64),
        scheduled!("prune/syncs", days_ago(6), 1_000_i64),
        scheduled!("prune/bodies", days_ago(6), 1_000_i64),
        scheduled!("inspect/standings", None::<&str>, NOW),
        scheduled!("inspect/work", None::<&str>),
        scheduled!("inspect/attempts_last_hour"),
        scheduled!("inspect/alerts_by_kind"),
        scheduled!("verify/feeds", "main", 77_i64, 0_i64, 256_i64),
    ]
}
