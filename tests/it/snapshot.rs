//! The truth every night: what no change announced is found and put right, in each feed's own order.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use rentsync_relay::config;
use rentsync_relay::snapshot::{self, Run};
use serde_json::json;

use crate::support::rig::Rig;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Begins a run and lets everything come to rest.
async fn take(rig: &Rig, property_id: Option<i64>) -> Run {
    let mut conn = rig.source.connect().await;
    let run_id = snapshot::begin(&mut conn, "main", "test", property_id, rig.clock.now())
        .await
        .unwrap();
    rig.settle().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    snapshot::run(&mut conn, run_id).await.unwrap()
}

/// Edits that no trigger sees.
async fn bypass(rig: &Rig, statements: &str) {
    rig.edit(&format!(
        "alter table project_rent_roll_units disable trigger all; {statements};
         alter table project_rent_roll_units enable trigger all"
    ))
    .await;
}

fn types(rig: &Rig) -> Vec<&'static str> {
    rig.sandbox.syncs().iter().filter_map(|sync| sync.sync_type).collect()
}

#[tokio::test]
async fn what_no_change_announced_is_found_counted_and_put_right() {
    let rig = Rig::delivered().await;
    bypass(
        &rig,
        "update project_rent_roll_units set price = 1 where id = 11;
         delete from project_rent_roll_units where id = 12;
         insert into project_rent_roll_units (id, project_id) values (14, 1)",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [], "no change, no look");
    let run = take(&rig, None).await;
    assert!(run.is_finished);
    assert_eq!(
        (run.feeds, run.feeds_done, run.units, run.drift, run.failures),
        (2, 2, 6, 3, 0)
    );
    assert_eq!(types(&rig), ["snapshot", "snapshot"]);
    rig.assert_equal().await;
    let drift: Vec<(i64, bool, bool, String)> = sqlx::query_as(
        "select unit_id, ledger_hash is null, source_hash is null, differs from rentsync.drift order by 1",
    )
    .fetch_all(&mut rig.source.connect().await)
    .await
    .unwrap();
    let expected = [
        (11, false, false, "base_rent"),
        (12, false, true, "the source no longer has it here"),
        (14, true, false, "it was never sealed"),
    ];
    let expected = expected.map(|(unit, unsealed, gone, differs)| (unit, unsealed, gone, differs.to_owned()));
    assert_eq!(drift, expected);
}

#[tokio::test]
async fn what_a_change_announced_is_no_drift() {
    let rig = Rig::delivered().await;
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; delete from project_rent_roll_units where id = 12",
    )
    .await;
    let run = take(&rig, None).await;
    assert_eq!((run.drift, run.units), (0, 5));
    rig.assert_equal().await;
}

#[tokio::test]
async fn only_the_property_that_is_asked_for_is_sent() {
    let rig = Rig::delivered().await;
    let run = take(&rig, Some(2)).await;
    assert_eq!((run.feeds, run.units), (1, 3));
    assert_eq!(rig.requests(), [(2, 3, 0, 200)]);
    let mut conn = rig.source.connect().await;
    let unknown = snapshot::begin(&mut conn, "main", "test", Some(99), None)
        .await
        .unwrap_err();
    assert!(
        format!("{unknown:#}").contains("property 99 has no feed"),
        "{unknown:#}"
    );
    assert_eq!(
        rig.source.number("select count(*) from rentsync.snapshot_run").await,
        1,
        "nothing half done"
    );
}

#[tokio::test]
async fn a_property_larger_than_a_request_is_sent_in_parts_of_one_snapshot() {
    let mut rig = Rig::empty().await;
    rig.receiver.units_per_request_max = 4;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id, unit_code, price) select n, 1, n::text, n from generate_series(1, 10) n",
    )
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    bypass(&rig, "delete from project_rent_roll_units where id in (3, 9)").await;
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 5")
        .await;
    let run = take(&rig, None).await;
    assert_eq!((run.feeds_done, run.units, run.failures), (1, 7, 0));
    let syncs = rig.sandbox.syncs();
    let snapshots: Vec<_> = syncs.iter().filter(|sync| sync.sync_type == Some("snapshot")).collect();
    let parts: Vec<_> = snapshots
        .iter()
        .map(|sync| (sync.part, sync.parts, sync.units))
        .collect();
    assert_eq!(parts, [(Some(1), Some(2), 4), (Some(2), Some(2), 3)]);
    let ids: BTreeSet<_> = snapshots.iter().map(|sync| sync.snapshot_id.clone()).collect();
    assert_eq!(ids.len(), 1);
    assert!(snapshots.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    let held = rig.sandbox.property(1).unwrap();
    assert_eq!(
        held.units.keys().copied().collect::<Vec<_>>(),
        [1, 2, 4, 5, 6, 7, 8, 10]
    );
    assert_eq!(
        held.units[&5]["base_rent"],
        json!(5.0),
        "what can't be sealed is not dropped either"
    );
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where removed is not null")
            .await,
        0
    );
    rig.edit("update project_rent_roll_units set price = 5 where id = 5")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_edit_while_parts_are_under_way_comes_after_them() {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 2;
    let mut conn = rig.source.connect().await;
    snapshot::begin(&mut conn, "main", "test", Some(1), rig.clock.now())
        .await
        .unwrap();
    rig.plan().await;
    let mut deliverer = rig.deliverer("test:1").await;
    deliverer.start_due().await.unwrap();
    let first = deliverer.ended().await.unwrap();
    rig.edit("update project_rent_roll_units set price = 9 where id in (11, 13)")
        .await;
    assert_eq!(rig.plan().await.syncs, 0, "the feed is busy");
    deliverer.settle(first).await.unwrap();
    assert_eq!(rig.plan().await.syncs, 0, "and still is");
    rig.settle().await;
    assert_eq!(types(&rig), ["snapshot", "snapshot", "delta"]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_part_that_is_given_up_takes_the_later_ones_with_it_and_everything_is_sent_as_deltas() {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 2;
    rig.edit("insert into project_rent_roll_units (id, project_id) select n, 1 from generate_series(14, 18) n")
        .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig.faults(json!({ "poison_units": [14] }));
    let run = take(&rig, Some(1)).await;
    assert_eq!((run.feeds_done, run.failures), (1, 1));
    let cancelled = "select count(*) from rentsync.sync where state = 'cancelled'";
    assert!(rig.source.number(cancelled).await > 0);
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused' and unit_id = 14";
    assert_eq!(rig.source.number(refused).await, 1, "found by halves, as in any delta");
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = 3 where id = 14")
        .await;
    rig.settle().await;
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn what_was_refused_is_tried_once_a_night_by_itself_and_spoils_no_snapshot() {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "poison_units": [11] }));
    rig.edit("update project_rent_roll_units set price = 3").await;
    rig.settle().await;
    rig.sandbox.clear_log();
    let run = take(&rig, None).await;
    assert_eq!(run.failures, 0);
    let mut requests: Vec<_> = rig
        .sandbox
        .syncs()
        .iter()
        .map(|sync| (sync.sync_type.unwrap(), sync.units, sync.status.unwrap()))
        .collect();
    requests.sort_unstable();
    assert_eq!(
        requests,
        [("delta", 1, 400), ("snapshot", 2, 200), ("snapshot", 3, 200)]
    );
    rig.no_faults();
    rig.sandbox.clear_log();
    take(&rig, None).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_snapshot_that_an_outage_interrupts_is_due_again_by_itself() {
    let mut rig = Rig::delivered().await;
    rig.receiver.breaker.failures = 2;
    bypass(&rig, "update project_rent_roll_units set price = 1").await;
    rig.faults(json!({ "status": 503 }));
    let mut conn = rig.source.connect().await;
    let run_id = snapshot::begin(&mut conn, "main", "test", None, rig.clock.now())
        .await
        .unwrap();
    let mut hands = rig.hands().await;
    for _ in 0..5 {
        hands.work(&rig).await;
        rig.pass(MINUTE);
    }
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    assert_eq!(snapshot::run(&mut conn, run_id).await.unwrap().feeds_done, 0);
    rig.no_faults();
    rig.settle().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    let run = snapshot::run(&mut conn, run_id).await.unwrap();
    assert!(run.is_finished && run.failures == 0, "{run:?}");
    rig.assert_equal().await;
}

fn every_night_at_two() -> config::Snapshot {
    config::Config::default().snapshot
}

#[tokio::test]
async fn a_night_begins_once_however_many_relays_ask_and_a_missed_one_is_caught_up() {
    let rig = Rig::delivered().await;
    let mut conn = rig.source.connect().await;
    let mut other = rig.source.connect().await;
    let settings = every_night_at_two();
    let ask = async |conn: &mut sqlx::PgConnection| {
        snapshot::begin_scheduled(conn, "main", &settings, rig.clock.now())
            .await
            .unwrap()
    };
    assert_eq!(ask(&mut conn).await, None, "the last night was before it was installed");
    let next = snapshot::next_night(Utc::now(), &settings);
    rig.pass((next.due_at - Utc::now()).to_std().unwrap() + MINUTE);
    let (one, two) = tokio::join!(ask(&mut conn), ask(&mut other));
    assert_eq!(one.is_some() as u8 + two.is_some() as u8, 1);
    assert_eq!(ask(&mut conn).await, None);
    rig.settle().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    assert_eq!(types(&rig), ["snapshot", "snapshot"]);

    rig.pass(72 * HOUR);
    assert!(ask(&mut conn).await.is_some(), "three nights down: one is caught up");
    assert_eq!(ask(&mut conn).await, None);
    rig.settle().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    assert_eq!(rig.source.number("select count(*) from rentsync.snapshot_run").await, 2);
}

#[tokio::test]
async fn a_run_by_command_after_the_nights_hour_stands_for_the_night() {
    let rig = Rig::delivered().await;
    let settings = every_night_at_two();
    let next = snapshot::next_night(Utc::now(), &settings);
    rig.pass((next.due_at - Utc::now()).to_std().unwrap() + MINUTE);
    take(&rig, None).await;
    let mut conn = rig.source.connect().await;
    let begun = snapshot::begin_scheduled(&mut conn, "main", &settings, rig.clock.now())
        .await
        .unwrap();
    assert_eq!(begun, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_relay_takes_the_nights_snapshot_and_a_killed_one_is_no_matter() {
    let rig = Rig::delivered().await;
    bypass(&rig, "update project_rent_roll_units set price = 77 where id = 21").await;
    let next = snapshot::next_night(Utc::now(), &every_night_at_two());
    rig.pass((next.due_at - Utc::now()).to_std().unwrap() + MINUTE);
    let begun = "select count(*) from rentsync.snapshot_run";
    loop {
        // Killed as soon as the run exists, wherever it is then.
        let (_stop, stopped) = tokio::sync::watch::channel(rentsync_relay::relay::Stop::No);
        let relay = tokio::spawn(rig.relay().run(stopped));
        while rig.source.number(begun).await == 0 && !relay.is_finished() {
            tokio::task::yield_now().await;
        }
        relay.abort();
        if relay.await.is_err_and(|error| error.is_cancelled()) {
            break;
        }
    }
    // What it had leased is free when it counts as dead.
    let alive = "select count(*) from rentsync.live_relay where 'main' = any (receivers)";
    while rig.source.number(alive).await > 0 {
        tokio::task::yield_now().await;
    }
    rig.settle().await;
    rig.assert_equal().await;
    let mut conn = rig.source.connect().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    let finished =
        "select count(*) from rentsync.snapshot_run where finished_at is not null and drift = 1 and feeds_done = 2";
    assert_eq!(rig.source.number(finished).await, 1);
}

#[tokio::test]
async fn a_property_renamed_past_the_triggers_is_drift_as_well() {
    let rig = Rig::delivered().await;
    rig.edit("alter table projects disable trigger all; update projects set name = 'Uno' where id = 1; alter table projects enable trigger all")
        .await;
    let run = take(&rig, None).await;
    assert_eq!(run.drift, 1);
    let own = "select count(*) from rentsync.drift where unit_id is null and ledger_hash is not null";
    assert_eq!(rig.source.number(own).await, 1);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_run_that_another_takes_over_is_not_done_before_that_one_is() {
    let rig = Rig::delivered().await;
    let mut conn = rig.source.connect().await;
    let first = snapshot::begin(&mut conn, "main", "test", None, rig.clock.now())
        .await
        .unwrap();
    let second = snapshot::begin(&mut conn, "main", "test", None, rig.clock.now())
        .await
        .unwrap();
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    let stands = snapshot::run(&mut conn, first).await.unwrap();
    assert_eq!((stands.run_id, stands.is_finished), (second, false));
    rig.settle().await;
    snapshot::advance(&mut conn, "main", rig.clock.now()).await.unwrap();
    let done = snapshot::run(&mut conn, first).await.unwrap();
    assert_eq!((done.run_id, done.is_finished, done.units), (second, true, 6));
}

#[tokio::test]
async fn the_age_of_what_is_owed_is_that_of_its_oldest_change() {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 1;
    rig.edit("update project_rent_roll_units set price = 5 where project_id = 1")
        .await;
    rig.plan().await;
    rig.deliver().await;
    rig.plan().await;
    rig.faults(json!({ "status": 503 }));
    rig.deliver().await;
    let late = "select count(*) from rentsync.sync where state = 'open' and oldest_change is not null";
    assert_eq!(rig.source.number(late).await, 1);
    let owed = "select count(*) from rentsync.feed where owed_since is not null";
    assert_eq!(rig.source.number(owed).await, 1);
    rig.no_faults();
    rig.settle().await;
    assert_eq!(rig.source.number(owed).await, 0);
}

#[tokio::test]
async fn what_a_snapshot_says_again_is_not_written_again_and_a_lost_one_leaves_nothing_unsent() {
    let rig = Rig::delivered().await;
    let versions = "select count(*) from rentsync.ledger where xmin::text::bigint >= $1";
    let before: i64 = rig.source.number("select pg_current_xact_id()::text::bigint").await;
    rig.edit("update rentsync.feed set snapshot_due = 'command'").await;
    rig.settle().await;
    let written: i64 = sqlx::query_scalar(versions)
        .bind(before)
        .fetch_one(&mut rig.source.connect().await)
        .await
        .expect("the ledger");
    assert_eq!(written, 0, "nothing changed");
    // One unit changes, the snapshot with it is lost, and the change is undone.
    rig.faults(json!({ "status": 400, "times": 1 }));
    rig.edit("update project_rent_roll_units set price = price + 1 where id = 11; update rentsync.feed set snapshot_due = 'command' where property_id = 1")
        .await;
    let mut hands = rig.hands().await;
    hands.round(&rig).await;
    rig.edit("update project_rent_roll_units set price = price - 1 where id = 11")
        .await;
    rig.settle().await;
    rig.assert_equal_but("400").await;
    // What a success objects to is refused, also where the snapshot only said it again.
    rig.faults(json!({ "reject_units": [12] }));
    rig.edit("update rentsync.feed set snapshot_due = 'command' where property_id = 1")
        .await;
    hands.work(&rig).await;
    let refused = "select unit_id from rentsync.ledger where withheld = 'refused'";
    assert_eq!(rig.source.number(refused).await, 12);
}

#[tokio::test]
async fn a_pass_begins_the_night_that_is_due_and_the_next_pass_no_other() {
    let rig = Rig::delivered().await;
    let nights =
        "select count(*) from rentsync.snapshot_run where scheduled_for is not null and finished_at is not null";
    rig.once_by_night().await;
    assert_eq!(rig.source.number(nights).await, 0, "its hour is yet to come");
    rig.pass(Duration::from_secs(24 * 3600));
    rig.once_by_night().await;
    rig.once_by_night().await;
    assert_eq!(rig.source.number(nights).await, 1);
    let snapshots = rig
        .sandbox
        .syncs()
        .into_iter()
        .filter(|sync| sync.sync_type == Some("snapshot"));
    assert_eq!(snapshots.count(), 2);
}
