//! Whatever commits is sent once, and none of it waits for an unrelated transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::support::rig::Rig;
use crate::support::{execute, seed};

/// How often each unit was sent since the log was cleared.
async fn times_sent(rig: &Rig) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for property_id in [1, 2] {
        for body in rig.bodies(property_id).await.iter().skip(1) {
            for unit in body["units"].as_array().into_iter().flatten() {
                *counts.entry(unit["unit_id"].as_i64().expect("an id")).or_default() += 1;
            }
        }
    }
    counts
}

#[tokio::test]
async fn a_late_commit_is_sent_without_waiting_and_without_making_others_wait() {
    let rig = Rig::delivered().await;
    let mut slow = rig.source.connect().await;
    execute(
        &mut slow,
        "begin; update project_rent_roll_units set price = 1 where id = 11",
    )
    .await;
    // Later to begin, and to draw its outbox id, but first to commit; another unit of the same property.
    rig.edit("update project_rent_roll_units set price = 2 where id = 12")
        .await;
    rig.settle().await;
    assert_eq!(times_sent(&rig).await, BTreeMap::from([(12, 1)]));
    execute(&mut slow, "commit").await;
    rig.settle().await;
    assert_eq!(times_sent(&rig).await, BTreeMap::from([(11, 1), (12, 1)]));
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_long_transaction_anywhere_delays_nobody() {
    let rig = Rig::delivered().await;
    rig.edit("create table elsewhere (n integer)").await;
    let mut long = rig.source.connect().await;
    execute(&mut long, "begin; insert into elsewhere values (1)").await;
    for price in 0..20 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        rig.settle().await;
        assert_eq!(
            rig.sandbox.property(2).expect("received").units[&21]["base_rent"],
            Value::from(f64::from(price))
        );
    }
    assert_eq!(
        times_sent(&rig).await,
        BTreeMap::from([(21, 20)]),
        "and nothing is looked at twice"
    );
    execute(&mut long, "rollback").await;
}

#[tokio::test]
async fn what_is_rolled_back_is_never_sent() {
    let rig = Rig::delivered().await;
    rig.edit("begin; update project_rent_roll_units set price = 1; rollback")
        .await;
    rig.edit("begin; savepoint a; update project_rent_roll_units set price = 1 where id = 11; rollback to a; commit")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
}

#[tokio::test]
async fn a_prepared_transaction_is_sent_when_it_commits_and_makes_nobody_wait() {
    let rig = Rig::delivered().await;
    let name = format!("prepared-{}", std::process::id());
    rig.edit(&format!(
        "begin; update project_rent_roll_units set price = 1 where id = 11; prepare transaction '{name}'"
    ))
    .await;
    rig.edit("update project_rent_roll_units set price = 2 where id = 12")
        .await;
    rig.settle().await;
    assert_eq!(times_sent(&rig).await, BTreeMap::from([(12, 1)]));
    rig.edit(&format!("commit prepared '{name}'")).await;
    rig.settle().await;
    assert_eq!(times_sent(&rig).await, BTreeMap::from([(11, 1), (12, 1)]));
}

/// Writers begin, dawdle, commit and roll back in any order while the relay plans all the time. Each unit is edited by
/// one transaction at the most, so each that committed must be sent once, and no other ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_every_committed_change_arrives_exactly_once() {
    const WRITERS: i64 = 6;
    const EDITS: i64 = 40;
    let seed = seed();
    let rig = Rig::empty().await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true);
         insert into project_rent_roll_units (id, project_id, price) select n, 1 + n % 2, 0 from generate_series(1, 240) n",
    )
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    let done = AtomicBool::new(false);
    let writers = async {
        let committed =
            futures_util::future::join_all((0..WRITERS).map(|writer| write(&rig, writer, EDITS, seed))).await;
        done.store(true, Ordering::Relaxed);
        committed
            .into_iter()
            .flatten()
            .map(|unit_id| (unit_id, 1))
            .collect::<BTreeMap<i64, usize>>()
    };
    let planning = async {
        let mut hands = rig.hands().await;
        while !done.load(Ordering::Relaxed) {
            hands.round(&rig).await;
        }
    };
    let (committed, ()) = tokio::join!(writers, planning);
    rig.settle().await;
    assert!(committed.len() > 50, "{} commits", committed.len());
    assert_eq!(times_sent(&rig).await, committed);
    rig.assert_equal().await;
}

/// Each edit in a transaction of its own on one of three connections, up to three of them open at a time.
async fn write(rig: &Rig, writer: i64, edits: i64, seed: u64) -> Vec<i64> {
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(writer.unsigned_abs()));
    let mut committed = Vec::new();
    let mut open: Vec<Option<i64>> = vec![None; 3];
    let mut connections = Vec::new();
    for _ in 0..open.len() {
        connections.push(rig.source.connect().await);
    }
    for edit in 0..edits + 3 {
        let slot = random.random_range(0..open.len());
        if let Some(unit_id) = open[slot].take() {
            let commits = random.random_bool(0.7);
            execute(&mut connections[slot], if commits { "commit" } else { "rollback" }).await;
            committed.extend(commits.then_some(unit_id));
        }
        if edit < edits {
            let unit_id = 1 + writer * edits + edit;
            let savepoint = if random.random_bool(0.3) { "savepoint s;" } else { "" };
            let statement =
                format!("begin; {savepoint} update project_rent_roll_units set price = price + 1 where id = {unit_id}");
            execute(&mut connections[slot], &statement).await;
            open[slot] = Some(unit_id);
        }
    }
    // What is still open at the end is rolled back with its connection.
    committed
}
