//! Whatever write the relay dies at, nothing is lost and nothing is half done.
//!
//! A fuse is a trigger on one of the relay's own tables that ends the session at its n-th firing: to the database that is
//! a relay that died in the middle of that transaction. The relay that comes after it has to bring everything right.

use std::collections::HashSet;
use std::time::Duration;

use rentsync_relay::plan;
use rentsync_relay::snapshot;
use serde_json::json;

use crate::support::rig::{Hands, Rig};

/// Every table and kind of write between a plan and its settling.
const WRITES: [(&str, &str); 13] = [
    ("sync", "insert"),
    ("sync_feed", "insert"),
    ("sync_feed", "update"),
    ("ledger", "insert"),
    ("ledger", "update"),
    ("ledger", "delete"),
    ("feed", "insert"),
    ("feed", "update"),
    ("sync", "update"),
    ("attempt", "insert"),
    ("attempt", "update"),
    ("alert", "insert"),
    ("receiver", "update"),
];

async fn arm(rig: &Rig, table: &str, write: &str, nth: usize) {
    rig.edit(&format!(
        "create sequence fuse;
         create function blow() returns trigger language plpgsql as $$
         begin
             if nextval('public.fuse') = {nth} then perform pg_terminate_backend(pg_backend_pid()); end if;
             return null;
         end $$;
         create trigger fuse after {write} on rentsync.{table} for each row execute function blow()"
    ))
    .await;
}

/// Whether the fuse has blown; it is removed.
async fn disarm(rig: &Rig, table: &str, nth: usize) -> bool {
    let fired = rig
        .source
        .number("select case when is_called then last_value else 0 end from fuse")
        .await;
    rig.edit(&format!(
        "drop trigger fuse on rentsync.{table}; drop function blow; drop sequence fuse"
    ))
    .await;
    usize::try_from(fired).unwrap() >= nth
}

/// A day's work for a relay that may die on the way: each error ends it, as the process would end.
async fn work_until_it_dies(rig: &Rig) {
    let Ok(mut conn) = rig.source.database.connect().await else {
        return;
    };
    if plan::register(&mut conn, &rig.scope()).await.is_err()
        || plan::enroll(&mut conn, &rig.receiver, None).await.is_err()
    {
        return;
    }
    for _ in 0..4 {
        if plan::plan_batch(&mut conn, &rig.scope(), &rig.batch(0)).await.is_err() {
            return;
        }
        let mut deliverer = rig.deliverer("dying:1").await;
        if deliverer.start_due().await.is_err() {
            return;
        }
        while !deliverer.is_idle() {
            let ended = deliverer.ended().await.expect("ended");
            if deliverer.settle(ended).await.is_err() {
                return;
            }
        }
        rig.pass(Duration::from_secs(61));
    }
}

#[tokio::test]
async fn a_relay_that_dies_at_any_write_leaves_nothing_half_done() {
    let mut blown = 0;
    for (table, write) in WRITES {
        for nth in [1, 2] {
            let rig = Rig::delivered().await;
            rig.edit(
                "update project_rent_roll_units set price = 1 where id in (11, 12, 21);
                 delete from project_rent_roll_units where id = 13;
                 insert into project_rent_roll_units (id, project_id, unit_code) values (24, 2, '24');
                 insert into projects (id, name, is_actived) values (3, 'Three', true)",
            )
            .await;
            // Property 2's first sync is refused, so that giving up is on the way as well.
            rig.faults(json!({ "status": if write == "update" && table == "receiver" { 403 } else { 400 }, "times": 1, "property_id": 2 }));
            arm(&rig, table, write, nth).await;
            work_until_it_dies(&rig).await;
            blown += usize::from(disarm(&rig, table, nth).await);
            rig.no_faults();
            rig.settle().await;
            let mut conn = rig.source.connect().await;
            let proof = rentsync_relay::demo::proof::compare(&mut conn, &rig.sandbox, &rig.agreement())
                .await
                .unwrap();
            assert_eq!(proof.differences, [] as [String; 0], "{write} of {table}, number {nth}");
        }
    }
    // Some writes come only once in such a day.
    assert!(blown >= 16, "only {blown} fuses blew: the test shows less than it says");
}

/// Of a snapshot in parts and a replay.
const TELLING_AGAIN: [(&str, &str); 8] = [
    ("sync", "insert"),
    ("sync", "update"),
    ("sync_feed", "insert"),
    ("sync_feed", "update"),
    ("ledger", "update"),
    ("feed", "update"),
    ("attempt", "insert"),
    ("attempt", "update"),
];

/// Two properties due a snapshot in parts, and a replay of everything.
async fn sent_again() -> Rig {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 2;
    let mut conn = rig.source.connect().await;
    snapshot::begin(&mut conn, "main", "test", Some(1), rig.clock.now())
        .await
        .unwrap();
    rig.edit("update rentsync.ledger set owed = 'replay' where unit_id in (21, 22, 23)")
        .await;
    rig
}

#[tokio::test]
async fn a_relay_that_dies_at_any_write_of_a_snapshot_or_a_replay_sends_nothing_twice_but_under_the_same_sync_id() {
    let rig = sent_again().await;
    rig.settle().await;
    let undisturbed = distinct_syncs(&rig);
    let mut blown = 0;
    for (table, write) in TELLING_AGAIN {
        for nth in [1, 3] {
            let rig = sent_again().await;
            arm(&rig, table, write, nth).await;
            work_until_it_dies(&rig).await;
            blown += usize::from(disarm(&rig, table, nth).await);
            rig.settle().await;
            rig.assert_equal().await;
            assert_eq!(distinct_syncs(&rig), undisturbed, "{write} of {table}, number {nth}");
        }
    }
    assert!(blown >= 14, "only {blown} fuses blew: the test shows less than it says");
}

fn distinct_syncs(rig: &Rig) -> usize {
    let syncs = rig.sandbox.syncs();
    let ids: HashSet<_> = syncs.iter().map(|sync| &sync.sync_id).collect();
    ids.len()
}

#[tokio::test]
async fn an_answer_that_could_not_be_written_down_is_asked_for_again_under_the_same_sync_id() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.plan().await;
    arm(&rig, "attempt", "update", 1).await;
    work_until_it_dies(&rig).await;
    assert!(disarm(&rig, "attempt", 1).await);
    rig.settle().await;
    let syncs = rig.sandbox.syncs();
    assert_eq!(syncs.len(), 2);
    assert_eq!(syncs[0].sync_id, syncs[1].sync_id);
    assert!(syncs[1].repeat);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_plan_that_dies_gives_back_the_right_to_plan() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1").await;
    arm(&rig, "sync", "insert", 1).await;
    let Hands { mut conn, .. } = rig.hands().await;
    plan::plan_batch(&mut conn, &rig.scope(), &rig.batch(0))
        .await
        .unwrap_err();
    disarm(&rig, "sync", 1).await;
    assert_eq!(rig.plan().await.syncs, 2);
}
