//! Whatever happens, once edits stop and the receiver answers, both sides become equal and everything comes to rest.
//!
//! Random edits from several connections, random faults of the receiver, two relays with their real loops of which one
//! is killed again and again. The seed is printed; `SEED=… cargo test convergence` draws the same edits and faults.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rentsync_relay::hold::{self, Decision};
use rentsync_relay::inspect::receivers;
use rentsync_relay::relay::Stop;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::rig::{Rig, UNGUARDED};
use crate::support::seed;

const WRITERS: u64 = 3;
const EDITS: usize = 400;
pub const PROPERTIES: i64 = 5;
const UNITS: i64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_edits_faults_and_killed_relays_end_in_equality() {
    let mut rig = Rig::empty().await;
    converge(&mut rig, &|rig, faults| rig.faults(faults)).await;
    rig.assert_equal().await;
    assert_at_rest(&rig).await;
    println!("{} requests", rig.sandbox.syncs().len());
}

/// How a receiver is made to fail: as the sandbox understands it.
pub type SetFaults<'a> = &'a (dyn Fn(&Rig, Value) + Sync);

/// Edits, faults and killed relays, until nothing is left to do.
pub async fn converge(rig: &mut Rig, set_faults: SetFaults<'_>) {
    let seed = seed();
    rig.receiver.units_per_request_max = 7;
    rig.receiver.concurrency_max = 3;
    rig.receiver.timeout = Duration::from_millis(300);
    rig.receiver.retry.schedule = [1, 2, 5, 10].map(Duration::from_secs).to_vec();
    rig.receiver.breaker.probe_every = Duration::from_secs(5);
    if seed.is_multiple_of(2) {
        rig.receiver.guard = UNGUARDED;
    }
    rig.edit(&format!(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, {PROPERTIES}) n;
         insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price)
         select n, 1 + n % {PROPERTIES}, (n % 12)::text, n % 3, n from generate_series(1, {UNITS}) n"
    ))
    .await;
    let rig = &*rig;
    let over = AtomicBool::new(false);

    let steady = start(rig);
    let editing = async {
        futures_util::future::join_all((0..WRITERS).map(|writer| edit(rig, seed.wrapping_add(writer)))).await;
        over.store(true, Ordering::Relaxed);
    };
    let ((), (), ()) = tokio::join!(editing, fault(rig, seed, &over, set_faults), kill(rig, seed, &over));
    set_faults(rig, json!({}));

    let relay = start(rig);
    rest(rig).await;
    // What was refused or paused because of a fault is let go, as a person would, once nothing more of the kind can come.
    rig.edit(
        "update rentsync.ledger set withheld = null, withheld_because = null, refused_hash = null, owed = 'retry'
          where withheld = 'refused';
         update rentsync.feed set paused_because = null;
         insert into rentsync.outbox (property_id, op, unit_ids) values (null, 'retry', '{}')",
    )
    .await;
    rest(rig).await;
    while approve(rig).await > 0 {
        rest(rig).await;
    }
    for (stop, task) in [steady, relay] {
        stop.send_replace(Stop::Finish);
        task.await.expect("no panic").expect("a relay that runs");
    }
}

/// As a person would who looked at every hold.
async fn approve(rig: &Rig) -> usize {
    let mut conn = rig.source.connect().await;
    let approved = hold::decide(&mut conn, &rig.receiver.name, None, Decision::Approve, rig.clock.now()).await;
    approved.expect("approve").len()
}

type Running = (watch::Sender<Stop>, tokio::task::JoinHandle<anyhow::Result<()>>);

fn start(rig: &Rig) -> Running {
    let (stop, stopped) = watch::channel(Stop::No);
    (stop, tokio::spawn(rig.relay().run(stopped)))
}

/// Time passes by itself, so that retries, leases and probes come due.
async fn rest(rig: &Rig) {
    let mut conn = rig.source.connect().await;
    let mut quiet = 0;
    for _ in 0..12_000 {
        let unsettled = receivers::unsettled(&mut conn, &rig.receiver.name)
            .await
            .expect("status");
        quiet = if unsettled == 0 { quiet + 1 } else { 0 };
        // Longer than a look and a sweep take.
        if quiet == 60 {
            return;
        }
        // Faster than real time, but not so fast that a lease ends while its request is under way.
        rig.pass(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no rest; last request {:?}", rig.sandbox.syncs().last());
}

async fn edit(rig: &Rig, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut conn = rig.source.connect().await;
    for number in 0..EDITS {
        let mut statements = vec![random_edit(&mut random)];
        while random.random_bool(0.3) {
            statements.push(random_edit(&mut random));
        }
        let end = if random.random_bool(0.2) { "rollback" } else { "commit" };
        let transaction = format!("begin; {}; {end}", statements.join("; "));
        // Writers collide on keys and on each other's rows; what fails was rolled back.
        if sqlx::raw_sql(sqlx::AssertSqlSafe(transaction))
            .execute(&mut conn)
            .await
            .is_err()
        {
            sqlx::raw_sql("rollback").execute(&mut conn).await.expect("roll back");
        }
        if number % 10 == 0 {
            rig.pass(Duration::from_secs(20));
        }
    }
}

fn random_edit(random: &mut StdRng) -> String {
    let unit = random.random_range(1..=UNITS);
    let property = random.random_range(1..=PROPERTIES);
    let number = random.random_range(0..12);
    let units = "project_rent_roll_units";
    match random.random_range(0..100) {
        0..35 => format!("update {units} set price = {number} where id = {unit}"),
        35..45 => format!("update {units} set rentroll_status_id = {number} % 3 where project_id = {property}"),
        45..55 => format!("update {units} set project_id = {property} where id = {unit}"),
        55..62 => format!("update {units} set unit_code = '{number}' where id = {unit}"),
        62..72 => format!("delete from {units} where id = {unit}"),
        72..82 => format!(
            "insert into {units} (id, project_id, unit_code) values ({unit}, {property}, '{number}') on conflict (id) do update set price = {number}"
        ),
        82..87 => format!("update projects set name = 'P{number}' where id = {property}"),
        87..92 => format!(
            "update projects set is_actived = {} where id = {property}",
            random.random_bool(0.7)
        ),
        92..95 => format!("update {units} set price = price"),
        95..97 => format!(
            "update {units} set id = {} where id = {unit}",
            UNITS + random.random_range(0..40)
        ),
        97..98 => format!("delete from projects where id = {property}"),
        98..99 => format!(
            "insert into projects (id, name, is_actived) values ({property}, 'back', true) on conflict do nothing"
        ),
        _ => format!("truncate {units}"),
    }
}

async fn fault(rig: &Rig, seed: u64, over: &AtomicBool, set_faults: SetFaults<'_>) {
    let mut random = StdRng::seed_from_u64(seed ^ 0xfa);
    let faults: [Value; 9] = [
        json!({}),
        json!({ "status": 503, "times": 3 }),
        json!({ "status": 500 }),
        json!({ "drop_after_apply": 2 }),
        json!({ "drop_before_apply": 2 }),
        json!({ "status": 429, "retry_after": 3, "times": 2 }),
        json!({ "status": 400, "times": 1 }),
        json!({ "status": 401, "times": 1 }),
        json!({ "delay_ms": 400 }),
    ];
    while !over.load(Ordering::Relaxed) {
        set_faults(rig, faults.choose(&mut random).expect("faults").clone());
        tokio::time::sleep(Duration::from_millis(random.random_range(5..60))).await;
    }
}

async fn kill(rig: &Rig, seed: u64, over: &AtomicBool) {
    let mut random = StdRng::seed_from_u64(seed ^ 0xdead);
    while !over.load(Ordering::Relaxed) {
        let (_stop, task) = start(rig);
        tokio::time::sleep(Duration::from_millis(random.random_range(10..120))).await;
        task.abort();
    }
}

/// A convergence test alone can't show fencing or an endless row of syncs.
pub async fn assert_at_rest(rig: &Rig) {
    let number = async |query| rig.source.number(query).await;
    assert_eq!(
        number("select count(*) from rentsync.sync where state = 'open'").await,
        0
    );
    assert_eq!(
        number(
            "select count(*) from rentsync.ledger where owed is not null or removed is not null or withheld is not null"
        )
        .await,
        0
    );
    assert_eq!(
        number("select count(*) from rentsync.feed where cooldown_until is not null").await,
        0
    );
    assert_eq!(
        number("select count(*) from rentsync.sync s where attempts > 5 or attempts > (select count(*) from rentsync.attempt a where a.sequence = s.sequence)").await,
        0,
        "no sync has more tries than its schedule, or than rows that say so"
    );
    let sealed = number("select count(*) from rentsync.sync").await;
    rig.settle().await;
    assert_eq!(
        number("select count(*) from rentsync.sync").await,
        sealed,
        "and nothing more is said"
    );
}
