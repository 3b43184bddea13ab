//! A receiver that is down: few requests while it is, the latest state when it is back.

use std::time::Duration;

use serde_json::json;

use crate::support::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);
/// More than the work takes: the clock that is set goes on meanwhile.
const BEFORE: Duration = Duration::from_secs(30);
const PROPERTIES: usize = 20;

/// Many properties, delivered, and a breaker that opens after a few failures.
async fn delivered() -> Rig {
    let mut rig = Rig::empty().await;
    rig.receiver.breaker.failures = 5;
    rig.receiver.concurrency_max = 4;
    rig.edit(&format!(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, {PROPERTIES}) n;
         insert into project_rent_roll_units (id, project_id, price)
         select n, 1 + n % {PROPERTIES}, 1000 from generate_series(1, {}) n",
        10 * PROPERTIES
    ))
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig
}

/// Everything that can be done at this moment.
async fn work(rig: &Rig) {
    let mut hands = rig.hands().await;
    hands.work(rig).await;
}

async fn open_breaker(rig: &Rig) {
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = 1").await;
    work(rig).await;
}

pub async fn is_paused(rig: &Rig) -> bool {
    rig.source
        .number("select count(*) from rentsync.receiver where paused_at is not null")
        .await
        == 1
}

#[tokio::test]
async fn an_outage_costs_few_requests_and_afterwards_one_for_each_property() {
    let rig = delivered().await;
    open_breaker(&rig).await;
    assert!(is_paused(&rig).await);
    let failed = rig.sandbox.syncs().len();
    assert!(failed <= 5 + 4, "{failed} requests until it was clear");
    assert_eq!(rig.alerts().await, ["breaker_open"]);
    let open = "select count(*) from rentsync.sync where state in ('open', 'waiting')";
    assert_eq!(rig.source.number(open).await, 0, "nothing is left to be sent as it was");

    for price in 2..50 {
        rig.edit(&format!("update project_rent_roll_units set price = {price}"))
            .await;
        work(&rig).await;
    }
    assert_eq!(rig.sandbox.syncs().len(), failed, "edits are no reason to ask");

    rig.no_faults();
    rig.sandbox.clear_log();
    rig.pass(MINUTE);
    work(&rig).await;
    assert!(!is_paused(&rig).await);
    assert_eq!(rig.sandbox.syncs().len(), PROPERTIES);
    assert_eq!(rig.alerts().await, ["breaker_open", "breaker_closed"]);
    let unacknowledged = "select count(*) from rentsync.alert where acked_at is null";
    assert_eq!(rig.source.number(unacknowledged).await, 0, "it is over by itself");
    rig.assert_equal().await;
}

#[tokio::test]
async fn probes_keep_to_the_schedule_then_to_their_own_pace_and_each_is_one_try_of_something_new() {
    let rig = delivered().await;
    open_breaker(&rig).await;
    rig.sandbox.clear_log();
    for wait in [1, 2, 5, 10, 15, 15] {
        rig.pass(wait * MINUTE - BEFORE);
        work(&rig).await;
        assert_eq!(rig.sandbox.syncs().len(), 0, "{wait} minutes are not over");
        rig.pass(BEFORE);
        work(&rig).await;
        let probes = rig.sandbox.syncs();
        assert_eq!(probes.len(), 1, "after {wait} minutes");
        rig.sandbox.clear_log();
    }
    let tries = "select max(attempts)::bigint from rentsync.sync where probe";
    assert_eq!(rig.source.number(tries).await, 1);
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where withheld is not null")
            .await,
        0,
        "an outage refuses nothing"
    );
}

#[tokio::test]
async fn one_relays_breaker_is_every_relays() {
    let rig = delivered().await;
    let mut other = rig.hands().await;
    open_breaker(&rig).await;
    rig.sandbox.clear_log();
    other.work(&rig).await;
    assert_eq!(rig.sandbox.syncs().len(), 0);
    rig.pass(MINUTE);
    let mut one = rig.hands().await;
    one.round(&rig).await;
    other.round(&rig).await;
    assert_eq!(rig.sandbox.syncs().len(), 1, "one probe, not one each");
}

#[tokio::test]
async fn a_probe_that_is_rejected_is_an_answer_and_ends_the_pause() {
    let rig = delivered().await;
    open_breaker(&rig).await;
    rig.faults(json!({ "status": 400, "times": 1 }));
    rig.pass(MINUTE);
    rig.settle().await;
    assert!(!is_paused(&rig).await);
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn a_success_between_failures_keeps_the_breaker_closed() {
    let rig = delivered().await;
    for price in 1..10 {
        rig.faults(json!({ "status": 503, "times": 4 }));
        rig.edit(&format!("update project_rent_roll_units set price = {price}"))
            .await;
        work(&rig).await;
        assert!(!is_paused(&rig).await);
        rig.pass(20 * MINUTE);
        rig.no_faults();
        work(&rig).await;
    }
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn concurrency_shrinks_when_the_receiver_is_overburdened_and_grows_back() {
    let rig = delivered().await;
    let bears = "select coalesce(concurrency, 99)::bigint from rentsync.receiver";
    rig.faults(json!({ "status": 429, "retry_after": 1, "times": 1 }));
    rig.edit("update project_rent_roll_units set price = 1").await;
    rig.plan().await;
    let mut deliverer = rig.deliverer("test:1").await;
    assert_eq!(deliverer.start_due().await.unwrap(), 4);
    while !deliverer.is_idle() {
        let ended = deliverer.ended().await.unwrap();
        deliverer.settle(ended).await.unwrap();
    }
    let shrunk = rig.source.number(bears).await;
    assert!(shrunk < 4, "{shrunk}");
    rig.pass(MINUTE);
    let started = deliverer.start_due().await.unwrap();
    assert_eq!(i64::try_from(started).unwrap(), shrunk);
    rig.settle().await;
    assert_eq!(rig.source.number(bears).await, 99, "as many as the settings allow");
}

#[tokio::test]
async fn relays_together_keep_to_the_receivers_concurrency() {
    let rig = delivered().await;
    rig.edit("update project_rent_roll_units set price = 1").await;
    rig.plan().await;
    let (mut one, mut other) = (rig.deliverer("one:1").await, rig.deliverer("other:1").await);
    assert_eq!(one.start_due().await.unwrap(), 4);
    assert_eq!(other.start_due().await.unwrap(), 0);
    let ended = one.ended().await.unwrap();
    one.settle(ended).await.unwrap();
    assert!(other.start_due().await.unwrap() > 0);
}

#[tokio::test]
async fn a_pause_by_command_outlasts_every_probe_and_sends_the_latest_when_it_ends() {
    let rig = delivered().await;
    rig.edit("update project_rent_roll_units set price = 1").await;
    rig.plan().await;
    let mut conn = rig.source.connect().await;
    rentsync_relay::deliver::breaker::open(&mut conn, "main", "paused by command", None, rig.clock.now())
        .await
        .unwrap();
    rig.edit("update project_rent_roll_units set price = 2").await;
    for _ in 0..3 {
        rig.pass(15 * MINUTE);
        work(&rig).await;
    }
    assert_eq!(rig.sandbox.syncs().len(), 0);
    rentsync_relay::deliver::breaker::close(&mut conn, "main", true, false)
        .await
        .unwrap();
    work(&rig).await;
    assert_eq!(rig.sandbox.syncs().len(), PROPERTIES);
    rig.assert_equal().await;
}

#[tokio::test]
async fn resuming_by_command_ends_every_wait_that_was_asked_for() {
    let rig = delivered().await;
    rig.faults(json!({ "status": 429, "retry_after": 80_000, "times": 1 }));
    rig.edit("update project_rent_roll_units set price = 1").await;
    work(&rig).await;
    let mut conn = rig.source.connect().await;
    rentsync_relay::deliver::breaker::close(&mut conn, "main", true, false)
        .await
        .unwrap();
    work(&rig).await;
    rig.assert_equal().await;
}
