//! What bookkeeping costs at full size.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rentsync_relay::hold::{self, Decision};
use rustix::process::Signal;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, PgConnection};

use crate::process::{LIMIT, ended, output, relay, said, signal};
use crate::support::kept;
use crate::support::rig::Rig;

const HOUR: Duration = Duration::from_secs(3_600);

/// So many properties of 20 units, all of them held since, and two that nothing is wrong with; without a relay, so that it takes
/// no time.
async fn all_held(properties: i64) -> Rig {
    let rig = all_held_unseen(properties).await;
    rig.edit("analyze rentsync.hold, rentsync.feed, rentsync.ledger, rentsync.withheld")
        .await;
    rig
}

/// The same where the statistics are from before the first hold, as they are wherever a source goes empty.
async fn all_held_unseen(properties: i64) -> Rig {
    let rig = Rig::new().await;
    rig.settle().await;
    rig.edit(
        "alter table rentsync.hold set (autovacuum_enabled = off); alter table rentsync.feed set (autovacuum_enabled = off);
         alter table rentsync.ledger set (autovacuum_enabled = off); alter table rentsync.withheld set (autovacuum_enabled = off);
         analyze rentsync.hold, rentsync.feed, rentsync.ledger, rentsync.withheld",
    )
    .await;
    rig.edit(&format!(
        "insert into rentsync.feed (receiver, property_id, cursor, units, of_units)
         select 'main', 1000 + n, pg_current_snapshot(), 20, 20 from generate_series(1, {properties}) n;
         insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, sequence, withheld, withheld_because, withheld_at)
         select f.feed_id, f.property_id * 100 + n, n, decode(repeat('00', 32), 'hex'), 1, 'held', 'test', now()
           from rentsync.feed f, generate_series(1, 20) n where f.property_id > 1000;
         insert into rentsync.hold (receiver, feed_id, units, gone, of_units, opened_at, grown_at)
         select 'main', feed_id, 20, 0, 20, now(), now() from rentsync.feed where property_id > 1000;
         update rentsync.receiver_count
            set of_units = (select sum(of_units) from rentsync.feed), ahead = 0, ahead_seen = pg_current_snapshot()"
    ))
    .await;
    rig
}

/// What a statement did.
pub(super) async fn explain(conn: &mut PgConnection, statement: &'static str, arguments: PgArguments) -> Value {
    let (mut plan,): (Value,) = sqlx::query_as_with(statement, arguments)
        .fetch_one(conn)
        .await
        .expect("explain");
    plan[0]["Plan"].take()
}

/// How many rows its joins looked at in vain: the square of what there is, where each is compared with each.
pub(super) fn compared_in_vain(plan: &Value) -> f64 {
    let of = |name: &str| plan[name].as_f64().unwrap_or(0.0);
    let below = plan["Plans"].as_array().into_iter().flatten().map(compared_in_vain);
    of("Rows Removed by Join Filter") * of("Actual Loops") + below.sum::<f64>()
}

/// How many pages a statement touches.
pub(super) async fn pages(conn: &mut PgConnection, statement: &'static str, arguments: PgArguments) -> i64 {
    touched(&explain(conn, statement, arguments).await)
}

pub(super) fn touched(plan: &Value) -> i64 {
    plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap()
}

macro_rules! explained {
    ($file:literal) => {
        concat!(
            "explain (analyze, buffers, format json) ",
            include_str!(concat!("../../../sql/", $file))
        )
    };
}
pub(super) use explained;

pub(super) fn arguments(add: impl FnOnce(&mut PgArguments)) -> PgArguments {
    let mut arguments = PgArguments::default();
    add(&mut arguments);
    arguments
}

/// What the statements touch that a batch of two properties has, and what a look at everything else costs them.
async fn cost_of_a_batch(properties: i64) -> Vec<(&'static str, i64)> {
    let rig = all_held(properties).await;
    let mut conn = rig.source.connect().await;
    let feeds: Vec<i64> = sqlx::query_scalar("select feed_id from rentsync.feed where property_id <= 2 order by 1")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    let now = rig.clock.now();
    let with_whole = [feeds.as_slice(), &[-1]].concat();
    let receiver = arguments(|all| {
        all.add("main").unwrap();
        all.add(now).unwrap();
    });
    let of_feeds = arguments(|all| {
        all.add(&feeds).unwrap();
        all.add(now).unwrap();
    });
    let clear = arguments(|all| {
        all.add("main").unwrap();
        all.add(now).unwrap();
        for limit in [5_i64, 40, 50, 20] {
            all.add(limit).unwrap();
        }
        all.add(&with_whole).unwrap();
        all.add(2_000_i64).unwrap();
        all.add(10_f64).unwrap();
    });
    let gather = arguments(|all| {
        all.add("main").unwrap();
        all.add(&feeds).unwrap();
    });
    let ahead = arguments(|all| {
        all.add("main").unwrap();
        all.add(now).unwrap();
        all.add(10_f64).unwrap();
        all.add(20_000_i64).unwrap();
    });
    let is_news = arguments(|all| {
        all.add("main").unwrap();
        all.add(now).unwrap();
        all.add(5_f64).unwrap();
    });
    vec![
        (
            "receiver",
            pages(&mut conn, explained!("hold/receiver.sql"), receiver).await,
        ),
        ("feeds", pages(&mut conn, explained!("hold/feeds.sql"), of_feeds).await),
        ("clear", pages(&mut conn, explained!("hold/clear.sql"), clear).await),
        ("gather", pages(&mut conn, explained!("hold/gather.sql"), gather).await),
        ("ahead", pages(&mut conn, explained!("hold/ahead.sql"), ahead).await),
        (
            "is_news",
            pages(&mut conn, explained!("hold/is_news.sql"), is_news).await,
        ),
    ]
}

#[tokio::test]
async fn promise_17_what_holds_cost_a_batch_follows_the_batch_and_not_what_waits() {
    let (few, many) = (cost_of_a_batch(20).await, cost_of_a_batch(1_000).await);
    for ((statement, few), (_, many)) in few.into_iter().zip(many) {
        // An index is a level or two deeper.
        assert!(
            many <= few * 2 + 30,
            "{statement}: {few} pages with 20 holds, {many} with 1,000"
        );
    }
}

/// What is kept is what counting again gives.
async fn assert_counted(rig: &Rig) {
    let mut conn = rig.source.connect().await;
    kept::assert_withheld_is_counted(&mut conn).await;
    kept::assert_attempts_are_counted(&mut conn, rig.clock.now()).await;
    kept::assert_lag_is_counted(&mut conn, rig.clock.now()).await;
    let wrong = rig.source.number(
        "select count(*) from rentsync.receiver_count c
          where of_units <> (select sum(of_units) from rentsync.feed)
             or gone <> (select coalesce(sum(units + uncovered), 0) from rentsync.removed)",
    );
    assert_eq!(wrong.await, 0);
}

pub(super) async fn filled(properties: i64) -> Rig {
    let rig = Rig::empty().await;
    rig.edit(&format!(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, {properties}) n;
         insert into project_rent_roll_units (id, project_id, unit_code, price)
         select p * 100 + n, p, n, 1 from generate_series(1, {properties}) p, generate_series(1, 20) n"
    ))
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig
}

#[tokio::test]
async fn promise_17_a_source_that_goes_empty_and_comes_back_leaves_no_hold_and_sends_nothing() {
    let rig = filled(80).await;
    rig.edit("create table kept as select * from project_rent_roll_units; delete from project_rent_roll_units")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    assert_counted(&rig).await;
    let waiting = rig.source.number(
        "select sum(units)::bigint from rentsync.withheld where feed_id is null and not rentsync.is_owed(kind)",
    );
    assert_eq!(waiting.await, 1_600);
    rig.edit("insert into project_rent_roll_units select * from kept").await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    let open = rig
        .source
        .number("select count(*) from rentsync.hold where state = 'open'");
    assert_eq!(open.await, 0);
    assert_counted(&rig).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_17_what_is_kept_is_what_counting_again_gives_whoever_decides() {
    let rig = filled(10).await;
    rig.edit("delete from project_rent_roll_units where project_id <= 3; update projects set is_actived = false where id in (4, 5)")
        .await;
    rig.settle().await;
    assert_counted(&rig).await;
    let mut conn = rig.source.connect().await;
    hold::decide(&mut conn, "main", None, Decision::Reject, rig.clock.now())
        .await
        .unwrap();
    assert_counted(&rig).await;
    rig.edit("update projects set is_actived = true where id in (4, 5); delete from project_rent_roll_units where id in (601, 701)")
        .await;
    rig.settle().await;
    assert_counted(&rig).await;
    // A day later neither removal counts.
    rig.pass(25 * HOUR);
    rig.settle().await;
    assert_counted(&rig).await;
    assert_eq!(rig.source.number("select count(*) from rentsync.removed").await, 0);
    let base = rig.source.number("select of_units from rentsync.receiver_count");
    assert_eq!(
        base.await,
        rig.source.number("select sum(units)::bigint from rentsync.feed").await
    );
}

#[tokio::test]
async fn promise_17_an_edit_overtakes_a_backlog() {
    let rig = filled(150).await;
    let mut hands = rig.hands().await;
    hands.settle(&rig).await;
    rig.edit("delete from project_rent_roll_units where project_id < 150")
        .await;
    let step = hands.planner.step(&mut hands.conn, &rig.scope(), HOUR).await.unwrap();
    assert!(step.more, "the backlog takes several batches");
    rig.edit("update project_rent_roll_units set price = 2 where id = 15001")
        .await;
    let sealed = "select count(*) from rentsync.sync_feed join rentsync.feed using (feed_id) where property_id = 150 and is_open";
    let mut steps = 0;
    while rig.source.number(sealed).await == 0 {
        let step = hands.planner.step(&mut hands.conn, &rig.scope(), HOUR).await.unwrap();
        assert!(step.more, "the backlog is not done before");
        steps += 1;
    }
    assert!(steps <= 2, "of two batches one is the newest's: {steps}");
}

/// What listing all holds, and deciding about all of them, touch; and what the latter compares in vain.
async fn cost_of_all_holds(properties: i64) -> ([i64; 2], f64) {
    let rig = all_held_unseen(properties).await;
    let mut conn = rig.source.connect().await;
    let list = arguments(|all| {
        all.add("main").unwrap();
        all.add(false).unwrap();
        all.add(None::<i64>).unwrap();
    });
    let settle = arguments(|all| {
        all.add("main").unwrap();
        all.add(None::<i64>).unwrap();
        all.add("rejected").unwrap();
        all.add(rig.clock.now()).unwrap();
    });
    let listed = pages(&mut conn, explained!("hold/list.sql"), list).await;
    let decided = explain(&mut conn, explained!("hold/settle.sql"), settle).await;
    ([listed, touched(&decided)], compared_in_vain(&decided))
}

#[tokio::test]
async fn promise_19_a_decision_about_all_holds_costs_what_they_hold_whatever_the_statistics_say() {
    for holds in [50, 400] {
        let ([listed, decided], in_vain) = cost_of_all_holds(holds).await;
        let units = holds * 20;
        // A unit is looked up with its property; changed, it goes into some indexes and is counted.
        assert!(listed <= 4 * units, "{listed} pages to list {units} units");
        assert!(decided <= 30 * units, "{decided} pages to decide about {units} units");
        assert!(in_vain <= units as f64, "{in_vain} comparisons for {units} units");
    }
}

#[tokio::test]
async fn promise_19_any_number_of_holds_is_listed_in_short_and_decided_at_once() {
    let rig = all_held(300).await;
    let listed = said(&output(relay(&rig, &["holds", "list"])).await);
    assert!(
        listed.contains("and 250 more holds") && listed.lines().count() < 60,
        "{listed}"
    );
    let json = output(relay(&rig, &["holds", "list", "--json"])).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 300);
    let units = said(&output(relay(&rig, &["holds", "list", "--units"])).await);
    assert!(
        units.lines().count() < 1_010 && units.contains("and more"),
        "{}",
        units.len()
    );
    let began = Instant::now();
    let rejected = said(&output(relay(&rig, &["holds", "reject", "--all"])).await);
    assert!(
        rejected.contains("and 250 more holds rejected: 6000 units in all"),
        "{rejected}"
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_counted(&rig).await;
    let decided = rig
        .source
        .number("select sum(units)::bigint from rentsync.hold where state = 'rejected'");
    assert_eq!(decided.await, 6_000);
}

/// A command whose statement takes for ever is stopped: it ends, and so does the statement, though what it waits for does not.
async fn leaves_nothing(arguments: &[&str]) {
    let rig = Rig::delivered().await;
    let mut blocking = rig.source.connect().await;
    sqlx::raw_sql("begin; lock table rentsync.hold, rentsync.feed in access exclusive mode")
        .execute(&mut blocking)
        .await
        .unwrap();
    let mut command = relay(&rig, arguments);
    let child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let waiting = "select count(*) from pg_stat_activity
                    where datname = current_database() and application_name = 'rentsync-relay' and wait_event_type = 'Lock'";
    let begins = async {
        while rig.source.number(waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, begins).await.expect("it waits");
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(1));
    let ends = async {
        while rig.source.number(waiting).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, ends)
        .await
        .expect("the statement ends with its command");
}

#[tokio::test]
async fn promise_19_an_interrupted_command_leaves_no_statement_in_the_server() {
    leaves_nothing(&["holds", "list"]).await;
    leaves_nothing(&["snapshot"]).await;
}
