//! What a receiver can and can't do to the relay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rentsync_relay::capture;
use rentsync_relay::config::{Accept, Batch, Config};
use rentsync_relay::snapshot;
use rentsync_sandbox::{Sandbox, SandboxOptions, SyncLogEntry};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::breaker::is_paused;
use crate::http::Running;
use crate::process::{LIMIT, output, relay, said};
use crate::receiver::stub::{Stub, answer};
use crate::support::TestDatabase;
use crate::support::rig::{Hands, Rig};

pub const MINUTE: Duration = Duration::from_secs(60);
const PAGE: &str = "<!doctype html><title>Maintenance</title><p>We are back soon";

/// Everything that can be done at this moment.
pub async fn work(hands: &mut Hands, rig: &Rig) {
    hands.work(rig).await;
}

/// A minute after another.
pub async fn pass(hands: &mut Hands, rig: &Rig, minutes: u32) {
    hands.pass(rig, minutes).await;
}

/// Every property delivered, so many of them, and the request log empty.
pub async fn delivered(properties: u32, batch: Batch) -> Rig {
    let mut rig = Rig::empty().await;
    rig.receiver.batch = batch;
    rig.agree_anew(|_| {}).await;
    rig.edit(&format!(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, {properties}) n;
         insert into project_rent_roll_units (id, project_id, price)
         select 10 * p + n, p, 1000 from generate_series(1, {properties}) p, generate_series(1, 3) n"
    ))
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig
}

pub async fn touch(rig: &Rig, price: u32) {
    rig.edit(&format!("update project_rent_roll_units set price = {price}"))
        .await;
}

async fn number_now(rig: &Rig) -> i64 {
    rig.source
        .number("select pg_sequence_last_value('rentsync.sync_sequence')")
        .await
}

pub async fn messages(rig: &Rig, kind: &str) -> Vec<String> {
    sqlx::query_scalar("select message from rentsync.alert where kind = $1 order by alert_id")
        .bind(kind)
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("alerts")
}

pub async fn open_alerts(rig: &Rig) -> Vec<String> {
    sqlx::query_scalar("select kind from rentsync.alert where acked_at is null order by alert_id")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("alerts")
}

/// The newest number of each property that came in.
fn numbers(rig: &Rig) -> BTreeMap<i64, i64> {
    let syncs = rig.sandbox.syncs();
    let received = syncs.iter().filter_map(|sync| Some((sync.project_id?, sync.sequence?)));
    received.fold(BTreeMap::new(), |mut newest, (property, sequence)| {
        let of = newest.entry(property).or_insert(sequence);
        *of = (*of).max(sequence);
        newest
    })
}

#[tokio::test]
async fn promise_12_a_forged_sequence_raises_the_numbers_of_that_property_for_that_receiver_alone() {
    for forged in [
        9_000_000_000_000_000,
        9_007_199_254_740_993,
        9_100_000_000_000_000_000_i64,
    ] {
        let mut rig = delivered(2, Batch::PerProperty).await;
        let before = number_now(&rig).await;
        rig.faults(json!({ "stale": forged, "property_id": 1, "times": 1 }));
        touch(&rig, 1).await;
        rig.settle().await;
        rig.assert_equal().await;
        assert_eq!(open_alerts(&rig).await, [] as [String; 0], "what it took ends it");
        assert!(
            messages(&rig, "stale").await[0].contains(&forged.to_string()),
            "its own number"
        );
        rig.sandbox.clear_log();
        touch(&rig, 2).await;
        rig.settle().await;
        let numbers = numbers(&rig);
        assert!(numbers[&1] > forged, "{numbers:?}");
        let now = number_now(&rig).await;
        assert!(
            numbers[&2] <= now && now < before + 1_000,
            "{numbers:?}, {before}, {now}"
        );

        rig.receiver.name = "staging".to_owned();
        rig.sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
            .await
            .expect("sandbox");
        rig.receiver.url = rig.sandbox.url().parse().expect("URL");
        rig.settle().await;
        let highest = rig.sandbox.syncs().iter().filter_map(|sync| sync.sequence).max();
        assert!(highest.is_some_and(|highest| highest < before + 1_000), "{highest:?}");
    }
}

#[tokio::test]
async fn promise_12_a_sequence_that_nothing_goes_on_above_raises_nothing_and_its_property_is_sent_hourly() {
    let rig = delivered(2, Batch::PerProperty).await;
    let before = number_now(&rig).await;
    rig.faults(json!({ "stale": i64::MAX, "property_id": 1 }));
    touch(&rig, 1).await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    pass(&mut hands, &rig, 185).await;
    let (one, other): (Vec<_>, Vec<_>) = rig.sandbox.syncs().into_iter().partition(|sync| sync.stale);
    assert_eq!((one.len(), other.len()), (4, 1), "at once, and after each hour");
    assert!(
        one.iter()
            .chain(&other)
            .all(|sync| sync.sequence < Some(before + 1_000))
    );
    assert!(messages(&rig, "stale").await[0].contains("9223372036854775807"));
    rig.no_faults();
    pass(&mut hands, &rig, 61).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_12_after_a_purge_a_new_installation_is_sent_and_nothing_is_stale() {
    let rig = delivered(3, Batch::PerProperty).await;
    capture::uninstall(&rig.source.database, &Config::default().source, true)
        .await
        .expect("purge");
    capture::install(&rig.source.database, &Config::default().source)
        .await
        .expect("install");
    touch(&rig, 2).await;
    rig.settle().await;
    assert_eq!(rig.alerts().await, [] as [String; 0]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_12_numbers_that_a_purge_lost_are_gone_on_above_at_once_however_high_they_are() {
    for batch in [Batch::PerProperty, Batch::AllProperties] {
        let rig = delivered(12, batch).await;
        // As an installation leaves it that believed every number it was sent.
        rig.edit("select setval('rentsync.sync_sequence', 4000001000000000)")
            .await;
        touch(&rig, 2).await;
        rig.settle().await;
        capture::uninstall(&rig.source.database, &Config::default().source, true)
            .await
            .expect("purge");
        capture::install(&rig.source.database, &Config::default().source)
            .await
            .expect("install");
        rig.sandbox.clear_log();
        touch(&rig, 3).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        pass(&mut hands, &rig, 2).await;
        rig.assert_equal().await;
        let paused = "select count(*) from rentsync.receiver where paused_at is not null or failures > 0";
        assert_eq!(rig.source.number(paused).await, 0, "it said what was wrong: no failure");
        let requests = rig.sandbox.syncs().len();
        assert!(requests <= 24, "{batch:?}: {requests}");

        // What was raised by much the same shares requests again.
        rig.sandbox.clear_log();
        touch(&rig, 4).await;
        work(&mut hands, &rig).await;
        let expected = if batch == Batch::AllProperties { 2 } else { 12 };
        let requests = rig.sandbox.syncs().len();
        assert!(requests <= expected, "{batch:?}: {requests}");
        rig.assert_equal().await;
    }
}

#[tokio::test]
async fn promise_12_a_receiver_that_calls_everything_stale_gets_a_snapshot_an_hour_and_counts_as_failing() {
    for (batch, stale) in [
        (Batch::PerProperty, 9_000),
        (Batch::AllProperties, 9_000),
        (Batch::AllProperties, 9_000_000_000_000_000_i64),
    ] {
        let rig = delivered(4, batch).await;
        rig.edit("delete from rentsync.attempt").await;
        rig.faults(json!({ "stale": stale }));
        touch(&rig, 1).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        pass(&mut hands, &rig, 185).await;
        let snapshots = rig.source.number(
            "select coalesce(max(syncs), 0) from (
                 select count(*) as syncs from rentsync.sync s join rentsync.sync_feed using (sequence)
                   join rentsync.attempt using (sequence)
                  where s.sync_type = 'snapshot' group by feed_id) as feed",
        );
        assert!((1..=4).contains(&snapshots.await), "{batch:?}");
        let delivered = "select count(*) from rentsync.attempt where outcome = 'delivered'";
        assert_eq!(rig.source.number(delivered).await, 0, "{batch:?}");
        let failures = "select failures::bigint from rentsync.receiver";
        assert!(rig.source.number(failures).await > 0, "{batch:?}");
        assert!(open_alerts(&rig).await.contains(&"stale".to_owned()), "{batch:?}");

        rig.no_faults();
        pass(&mut hands, &rig, 61).await;
        rig.assert_equal().await;
    }
}

#[tokio::test]
async fn promise_12_staleness_over_and_over_opens_the_breaker_and_a_probe_that_meets_it_leaves_it_open() {
    let mut rig = delivered(8, Batch::PerProperty).await;
    rig.receiver.breaker.failures = 5;
    rig.faults(json!({ "stale": 9_000 }));
    touch(&rig, 1).await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    let paused = "select count(*) from rentsync.receiver where paused_at is not null";
    assert_eq!(rig.source.number(paused).await, 0, "each may be right once");
    pass(&mut hands, &rig, 120).await;
    assert_eq!(rig.source.number(paused).await, 1);
    assert!(rig.alerts().await.contains(&"breaker_open".to_owned()));
    assert!(!rig.alerts().await.contains(&"breaker_closed".to_owned()));
    rig.no_faults();
    pass(&mut hands, &rig, 90).await;
    assert_eq!(rig.source.number(paused).await, 0);
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_12_what_is_stale_of_a_batch_keeps_nothing_else_of_it_waiting() {
    let rig = delivered(3, Batch::AllProperties).await;
    rig.faults(json!({ "stale": 9_000_000_000_000_000_i64, "property_id": 1 }));
    touch(&rig, 1).await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    for price in 2..10 {
        touch(&rig, price).await;
        pass(&mut hands, &rig, 5).await;
        for property in [2, 3] {
            let unit = &rig.sandbox.property(property).expect("received").units[&(10 * property + 1)];
            assert_eq!(unit["base_rent"], json!(f64::from(price)));
        }
    }
    let of_one = |sync: &&SyncLogEntry| sync.stale;
    assert_eq!(
        rig.sandbox.syncs().iter().filter(of_one).count(),
        2,
        "one snapshot within the hour"
    );
    rig.no_faults();
    pass(&mut hands, &rig, 61).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_13_a_day_of_silence_asked_for_by_a_failure_lasts_as_long_as_the_longest_step() {
    for status in [503, 425, 408, 409, 500] {
        let rig = delivered(2, Batch::PerProperty).await;
        rig.faults(json!({ "status": status, "retry_after": 86_400, "times": 1, "property_id": 1 }));
        touch(&rig, 1).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        pass(&mut hands, &rig, 10).await;
        rig.assert_equal_but("any").await;
    }
}

#[tokio::test]
async fn promise_13_a_long_wait_is_alerted_and_the_alert_ends_with_what_is_acknowledged() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.faults(json!({ "status": 429, "retry_after": 60, "times": 1 }));
    touch(&rig, 1).await;
    rig.settle().await;
    assert_eq!(rig.alerts().await, [] as [String; 0], "a short one is none's business");

    rig.faults(json!({ "status": 429, "retry_after": 7_200, "times": 1 }));
    touch(&rig, 2).await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    assert_eq!(open_alerts(&rig).await, ["waiting"]);
    let message = &messages(&rig, "waiting").await[0];
    assert!(message.contains("429") && message.contains("2h"), "{message}");
    rig.sandbox.clear_log();
    pass(&mut hands, &rig, 119).await;
    assert_eq!(rig.sandbox.syncs().len(), 0, "it is kept");
    pass(&mut hands, &rig, 2).await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
    rig.assert_equal_but("any").await;
}

#[tokio::test]
async fn promise_13_no_answer_puts_a_probe_off_for_longer_than_probes_are_apart() {
    for status in [503, 429] {
        let mut rig = delivered(2, Batch::PerProperty).await;
        rig.receiver.breaker.failures = 2;
        rig.receiver.retry.schedule = vec![MINUTE];
        // Silence was asked for as well, before the breaker opened.
        rig.faults(json!({ "status": 429, "retry_after": 86_400, "times": 1 }));
        touch(&rig, 1).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        rig.edit(
            "update rentsync.receiver set paused_at = now(), paused_because = 'test', probe_at = now();
             update rentsync.sync set state = 'cancelled', settled_at = now(), due_at = null, leased_until = null where state = 'open';
             update rentsync.sync_feed set is_open = false where is_open;
             update rentsync.feed set snapshot_due = 'test'",
        )
        .await;
        rig.faults(json!({ "status": status, "retry_after": 86_400 }));
        rig.sandbox.clear_log();
        work(&mut hands, &rig).await;
        assert_eq!(rig.sandbox.syncs().len(), 1, "{status}: a probe waits for no silence");
        for probes in 2..5 {
            pass(&mut hands, &rig, 15).await;
            assert!(rig.sandbox.syncs().len() >= probes, "{status}");
        }
        rig.no_faults();
        pass(&mut hands, &rig, 16).await;
        let paused = "select count(*) from rentsync.receiver where paused_at is not null";
        assert_eq!(rig.source.number(paused).await, 0, "{status}");
        let waits = "select count(*) from rentsync.receiver where wait_until is not null or waits > 0";
        assert_eq!(
            rig.source.number(waits).await,
            0,
            "{status}: what it took says otherwise"
        );
        let open = open_alerts(&rig).await;
        assert!(!open.contains(&"waiting".to_owned()), "{status}: {open:?}");
        touch(&rig, 2).await;
        work(&mut hands, &rig).await;
        rig.assert_equal_but("any").await;
    }
}

#[tokio::test]
async fn promise_13_a_rate_limit_without_end_is_alerted_and_blames_no_unit() {
    for retry_after in [Value::Null, json!(1)] {
        let rig = delivered(12, Batch::PerProperty).await;
        let mut limited = json!({ "status": 429 });
        if !retry_after.is_null() {
            limited["retry_after"] = retry_after;
        }
        rig.faults(limited);
        touch(&rig, 1).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        pass(&mut hands, &rig, 9).await;
        assert_eq!(
            open_alerts(&rig).await,
            [] as [String; 0],
            "a short one is none's business"
        );
        pass(&mut hands, &rig, 20).await;
        assert_eq!(open_alerts(&rig).await, ["waiting"]);
        rig.sandbox.clear_log();
        pass(&mut hands, &rig, 60).await;
        let requests = rig.sandbox.syncs().len();
        assert!(
            (5..=7).contains(&requests),
            "the last step by now, for all of it: {requests}"
        );
        // More than a day.
        for _ in 0..160 {
            rig.pass(10 * MINUTE);
            work(&mut hands, &rig).await;
        }
        assert_eq!(open_alerts(&rig).await, ["waiting"]);
        let blamed = "select (select count(*) from rentsync.ledger where bisection is not null or withheld is not null)
                           + (select count(*) from rentsync.feed where bisection is not null or bisected_sync is not null or cooldown_until is not null)
                           + (select count(*) from rentsync.receiver where paused_at is not null or failures > 0)";
        assert_eq!(rig.source.number(blamed).await, 0);
        rig.no_faults();
        pass(&mut hands, &rig, 11).await;
        rig.assert_equal_but("any").await;
        assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
    }
}

/// An answer in the place of the receiver's, with this type.
fn answers(body: &str, content_type: &str) -> Value {
    json!({ "status": 200, "body": body, "headers": { "content-type": content_type } })
}

/// How often a property's requests came in.
pub fn requests_of(rig: &Rig, property_id: i64) -> usize {
    let syncs = rig.sandbox.syncs();
    syncs.iter().filter(|sync| sync.project_id == Some(property_id)).count()
}

#[tokio::test]
async fn promise_12_a_property_that_the_receiver_does_not_know_stops_no_other() {
    for status in [404, 403, 410, 301] {
        let rig = delivered(3, Batch::PerProperty).await;
        rig.faults(json!({ "status": status, "property_id": 1 }));
        let mut hands = rig.hands().await;
        let mut pauses = 0;
        for minute in 0..60 {
            touch(&rig, 2_000 + minute).await;
            pass(&mut hands, &rig, 1).await;
            pauses += usize::from(is_paused(&rig).await);
        }
        // At most once, for as long as until the first probe: nothing had shown yet whose trouble it is.
        assert!(pauses <= 16, "{status}: paused in {pauses} of 60 minutes");
        // A search ends after 20, then comes one request each rest.
        assert!(requests_of(&rig, 1) <= 28, "{status}: {}", requests_of(&rig, 1));
        assert!(requests_of(&rig, 2) >= 42, "{status}: {}", requests_of(&rig, 2));
        let said = messages(&rig, "exhausted").await;
        assert!(said.iter().any(|said| said.contains("it is this property")), "{said:?}");
        rig.no_faults();
        pass(&mut hands, &rig, 16).await;
        rig.assert_equal_but(&status.to_string()).await;
        assert_eq!(open_alerts(&rig).await, [] as [String; 0], "{status}");
    }
}

#[tokio::test]
async fn promise_12_an_address_that_is_wrong_for_all_pauses_at_once() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "status": 404 }));
    let mut hands = rig.hands().await;
    touch(&rig, 7).await;
    work(&mut hands, &rig).await;
    assert!(is_paused(&rig).await);
    assert_eq!(open_alerts(&rig).await, ["paused"]);
    rig.no_faults();
    pass(&mut hands, &rig, 16).await;
    rig.assert_equal_but("404").await;
}

#[tokio::test]
async fn promise_13_a_limit_that_one_property_meets_for_ever_keeps_no_other_waiting_and_is_alerted() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "status": 429, "property_id": 1 }));
    let mut hands = rig.hands().await;
    for minute in 0..60 {
        touch(&rig, 2_000 + minute).await;
        pass(&mut hands, &rig, 1).await;
    }
    let said = messages(&rig, "waiting").await;
    assert!(
        said.iter().any(|said| said.contains("it alone is left alone")),
        "{said:?}"
    );
    assert_eq!(open_alerts(&rig).await, ["waiting"]);
    // From then on a minute's news is sent in that minute.
    rig.sandbox.clear_log();
    for minute in 0..30 {
        touch(&rig, 3_000 + minute).await;
        pass(&mut hands, &rig, 1).await;
    }
    assert!(requests_of(&rig, 2) >= 29, "{}", requests_of(&rig, 2));
    assert!(requests_of(&rig, 1) <= 4, "{}", requests_of(&rig, 1));
    rig.no_faults();
    pass(&mut hands, &rig, 12).await;
    rig.assert_equal_but("429").await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
}

#[tokio::test]
async fn promise_13_a_receiver_that_rejects_everything_is_given_rest_and_sent_all_of_it_later() {
    let mut rig = Rig::empty().await;
    rig.agree_anew(|receiver| receiver.concurrency_max = 2).await;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, 30) n;
         insert into project_rent_roll_units (id, project_id, price)
         select 1000 * p + n, p, 1000 from generate_series(1, 30) p, generate_series(1, 200) n",
    )
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig.faults(json!({ "status": 400 }));
    touch(&rig, 5).await;
    let mut hands = rig.hands().await;
    pass(&mut hands, &rig, 120).await;
    let requests = rig.sandbox.syncs().len();
    assert!(
        requests < 100,
        "{requests} requests, of 11,970 that a search of everything takes"
    );
    assert!(is_paused(&rig).await, "rejections are no sign that it is back");
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused'";
    assert_eq!(rig.source.number(refused).await, 0, "nothing shows that a unit is bad");
    let paused = "select count(*) from rentsync.feed where paused_because is not null";
    assert_eq!(rig.source.number(paused).await, 0, "and no property needs a person");
    rig.no_faults();
    pass(&mut hands, &rig, 30).await;
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn promise_20_what_waits_for_a_receiver_ends_when_nothing_more_comes_of_it() {
    for (faults, why) in [
        (
            json!({ "stale": 9_000_000_000_000_000_i64, "property_id": 1 }),
            "stale again and again",
        ),
        (
            json!({ "status": 429, "retry_after": 86_400 }),
            "asked to be left alone until",
        ),
        (json!({ "status": 429 }), "asked to be left alone until"),
    ] {
        for command in [&["snapshot"][..], &["replay", "--since", "1h"]] {
            let rig = delivered(2, Batch::PerProperty).await;
            rig.faults(faults.clone());
            let mut command = relay(&rig, command);
            command.env("RELAY_RECEIVERS__MAIN__RETRY__SCHEDULE", "[\"10ms\", \"20ms\"]");
            let done = timeout(LIMIT, output(command)).await.expect("an end");
            assert_eq!(done.status.code(), Some(1), "{why}: {}", said(&done));
            assert!(said(&done).contains(why), "{why}: {}", said(&done));
        }
    }
}

#[tokio::test]
async fn promise_14_a_page_acknowledges_nothing_and_an_alert_says_so_until_something_is_acknowledged() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.edit("update rentsync.feed set snapshot_due = 'test' where property_id = 1")
        .await;
    touch(&rig, 1).await;
    rig.faults(answers(PAGE, "text/html"));
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    let open = "select count(*) from rentsync.sync where state = 'open' and attempts = 1";
    assert_eq!(rig.source.number(open).await, 2, "the snapshot as well");
    assert_eq!(open_alerts(&rig).await, ["not_acknowledged"]);
    let message = &messages(&rig, "not_acknowledged").await[0];
    assert!(message.contains("200 with an HTML page"), "{message}");
    assert_eq!(
        rig.source
            .number("select failures::bigint from rentsync.receiver")
            .await,
        2,
        "the breaker counts it"
    );
    pass(&mut hands, &rig, 60).await;
    let delivered = "select count(*) from rentsync.sync s join rentsync.sync_feed f using (sequence) \
                     where s.state = 'delivered' and s.sealed_at > (select min(raised_at) from rentsync.alert)";
    assert_eq!(rig.source.number(delivered).await, 0);
    rig.no_faults();
    rig.settle().await;
    let left = open_alerts(&rig).await;
    assert!(!left.contains(&"not_acknowledged".to_owned()), "{left:?}");
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_14_accept_says_what_an_acknowledgement_looks_like() {
    use Accept::{Any, Digest, Json, NotHtml};
    let digest = format!("{{\"property_digest\":\"{}\"}}", "0".repeat(64));
    let foreign = format!(
        "{{\"properties\":[{{\"project_id\":\"RS-0\",\"property_digest\":\"{}\"}}]}}",
        "0".repeat(64)
    );
    let long = format!(
        "{{\"errors\":[{{\"unit_id\":11}}],\"more\":\"{}\"}}",
        "x".repeat(5_000_000)
    );
    let mut used = None;
    for (body, content_type, strictest) in [
        (PAGE, "text/html", Some(Any)),
        (PAGE, "application/json", Some(Any)),
        ("Service paused", "text/html; charset=utf-8", Some(Any)),
        ("", "text/html", Some(NotHtml)),
        ("OK", "text/plain", Some(NotHtml)),
        ("OK", "text/html", Some(NotHtml)),
        ("[]", "application/json", Some(NotHtml)),
        ("{\"errors\": [", "application/json", Some(Any)),
        (long.as_str(), "application/json", Some(Any)),
        (
            "{\"stale\":[{\"project_id\":\"RS-0\",\"sequence\":5}]}",
            "application/json",
            Some(Any),
        ),
        (foreign.as_str(), "application/json", Some(Json)),
        ("{\"errors\": []}", "application/json", Some(Json)),
        ("{}", "text/html", Some(Json)),
        (digest.as_str(), "application/json", Some(Digest)),
    ] {
        for accept in [Any, NotHtml, Json, Digest] {
            let source = TestDatabase::installed_again(used.take()).await;
            let mut rig = Rig::agreeing(source, Rig::receiver()).await;
            rig.receiver.accept = accept;
            rig.edit(
                "insert into projects (id, name, is_actived) values (1, 'One', true);
                 insert into project_rent_roll_units (id, project_id) values (11, 1)",
            )
            .await;
            rig.faults(answers(body, content_type));
            rig.plan().await;
            let settled = rig.deliver().await;
            let acknowledged = Some(accept) <= strictest;
            assert_eq!(
                settled.delivered,
                usize::from(acknowledged),
                "{accept:?} {content_type} {body}"
            );
            used = Some(rig.source);
        }
    }
}

#[tokio::test]
async fn promise_14_units_that_a_long_answer_refuses_are_refused() {
    let rig = delivered(1, Batch::PerProperty).await;
    let errors: Vec<_> = (11..14)
        .map(|unit| json!({ "unit_id": unit, "message": "x".repeat(500_000) }))
        .collect();
    rig.faults(answers(&json!({ "errors": errors }).to_string(), "application/json"));
    touch(&rig, 1).await;
    rig.settle().await;
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused'";
    assert_eq!(rig.source.number(refused).await, 3);
}

#[tokio::test]
async fn promise_20_a_receiver_that_is_resumed_by_command_is_paused_no_more() {
    let rig = delivered(1, Batch::PerProperty).await;
    rig.faults(json!({ "status": 404, "times": 1 }));
    touch(&rig, 1).await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(open_alerts(&rig).await, ["paused"]);
    rentsync_relay::deliver::breaker::close(&mut rig.source.connect().await, &rig.receiver.name, true, false)
        .await
        .expect("resumed");
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
    rig.assert_equal_but("any").await;
}

#[tokio::test]
async fn promise_14_the_strictest_setting_takes_what_a_receiver_by_the_contract_answers() {
    for batch in [Batch::PerProperty, Batch::AllProperties] {
        let mut rig = delivered(3, batch).await;
        rig.receiver.accept = Accept::Digest;
        rig.receiver.units_per_request_max = 2;
        touch(&rig, 1).await;
        rig.edit("update rentsync.feed set snapshot_due = 'test' where property_id = 1; delete from project_rent_roll_units where id = 21")
            .await;
        rig.settle().await;
        assert_eq!(rig.alerts().await, [] as [String; 0], "{batch:?}");
        rig.assert_equal().await;
    }
}

#[tokio::test]
async fn promise_14_doctor_recommends_the_strictest_setting_that_the_partner_keeps_to() {
    let rig = delivered(12, Batch::PerProperty).await;
    for (accept, grade, recommended) in [
        ("not_html", "warning", "receivers.main.accept = \"digest\""),
        ("digest", "ok", ""),
    ] {
        let mut doctor = relay(&rig, &["doctor", "--json"]);
        doctor.env("RELAY_RECEIVERS__MAIN__ACCEPT", accept);
        let output = output(doctor).await;
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("findings");
        let found = findings
            .iter()
            .find(|found| found["check"] == "accept")
            .expect("a finding");
        assert_eq!(found["finding"], grade, "{found}");
        assert!(
            found["todo"].as_str().unwrap_or_default().contains(recommended),
            "{found}"
        );
    }
}

/// How many files a process may have open from now on.
fn limit_files(running: &Running, files: u64) -> u64 {
    let pid = running
        .child
        .id()
        .and_then(|pid| Pid::from_raw(pid.cast_signed()))
        .expect("pid");
    let limits = getrlimit(Resource::Nofile);
    let limits = Rlimit {
        current: Some(files),
        maximum: limits.maximum,
    };
    let before = prlimit(Some(pid), Resource::Nofile, limits).expect("prlimit");
    before.current.expect("a limit")
}

fn files_of(running: &Running) -> usize {
    let open = format!("/proc/{}/fd", running.child.id().expect("pid"));
    std::fs::read_dir(open).expect("its files").count()
}

/// A request that never becomes whole.
async fn half_sent(running: &Running) -> TcpStream {
    let address = running.base.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: relay\r\n").await.ok();
    stream
}

#[tokio::test]
async fn promise_09_half_sent_requests_keep_neither_deliveries_nor_a_health_check_waiting() {
    // This process holds the other end of each.
    let limits = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limits.maximum,
            maximum: limits.maximum,
        },
    )
    .expect("setrlimit");
    let rig = Rig::empty().await;
    let running = Running::of(&rig).await;
    limit_files(&running, 256);
    let mut clients = Vec::new();
    for _ in 0..1_100 {
        clients.push(half_sent(&running).await);
    }
    assert_eq!(running.get("/healthz").await, (200, "alive\n".to_owned()));
    assert!(files_of(&running) < 200, "{}", files_of(&running));
    rig.fill().await;
    let received = |sandbox: &Sandbox| sandbox.property(1).is_some() && sandbox.property(2).is_some();
    assert!(
        rig.sandbox.wait_until(received, LIMIT).await,
        "{:?}",
        rig.sandbox.syncs()
    );
    assert_eq!(rig.alerts().await, [] as [String; 0]);
    // The newest is not pushed out by another; its time is up.
    let mut last = clients.pop().expect("a client");
    let ended = timeout(LIMIT, last.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "a request that never becomes whole is not waited for");
    assert_eq!(running.get("/healthz").await.0, 200);
    running.stop().await;
}

/// What each body about a property says of its digest, the oldest first.
/// Base64 of base64 and of escapes that hold escapes: whoever decodes it is busy for hours.
fn endless_to_decode() -> String {
    let inner = "A%25252541\\\\x41=3D41 \\\\\\\\x5cx41%252541&amp;amp;#65;=3D3D41+61 62 63 ".repeat(4);
    (0..8).fold(inner, |text, _| format!("{text}{}", STANDARD.encode(&text)))[..6600].to_owned()
}

#[tokio::test]
async fn promise_13_an_answer_that_is_costly_to_read_keeps_no_other_receiver_waiting() {
    let mut rig = Rig::new().await;
    rig.edit("update project_rent_roll_units set lead_first_name = 'Wilhelmina', lead_last_name = 'Müller'")
        .await;
    let said = endless_to_decode();
    let bad = Stub::answering(move |_, _| answer(503, &[], said.clone())).await;
    let good = Stub::answering(|_, _| answer(200, &[], "{}")).await;
    rig.receiver.url = bad.url.parse().expect("URL");
    let settings = [("RELAY_RECEIVERS__GOOD__URL", good.url.as_str())];
    let running = Running::with(&rig, &settings).await;
    let got = async |stub: &Stub, more_than: usize| {
        while stub.received().len() <= more_than {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let both = async {
        got(&bad, 1).await;
        got(&good, 1).await;
        let before = good.received().len();
        rig.edit("update project_rent_roll_units set price = 7 where id = 11")
            .await;
        got(&good, before).await;
        // And the answer is kept, so that it was looked at.
        let kept = "select count(*) from rentsync.attempt where status = 503 and answer is not null";
        while rig.source.number(kept).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, both).await.expect("the other receiver is served");
    drop(running);
}

async fn digests_sent(rig: &Rig) -> Vec<Option<String>> {
    let bodies = rig.bodies(1).await;
    let digest = |body: &Value| {
        body.get("property_digest")
            .expect("a place for it")
            .as_str()
            .map(str::to_owned)
    };
    bodies.iter().map(digest).collect()
}

#[tokio::test]
async fn promise_12_a_digest_is_sent_only_where_nothing_is_left_to_be_sent() {
    let mut rig = Rig::empty().await;
    rig.receiver.units_per_request_max = 2;
    rig.receiver.accept = Accept::Digest;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id) select n, 1 from generate_series(1, 5) n",
    )
    .await;
    rig.settle().await;
    let received = digests_sent(&rig).await;
    assert_eq!(
        received.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, false, true]
    );
    // A receiver that says its own digest each time, and an operator who asks for one, agree with that.
    assert!(
        rig.sandbox.syncs().iter().all(|sync| !sync.digest_mismatch),
        "{:?}",
        rig.sandbox.syncs()
    );
    assert_eq!(rig.alerts().await, [] as [String; 0]);
    rig.assert_equal().await;
    let said = "select count(*) from rentsync.sync_feed where digest_said is not null";
    assert_eq!(rig.source.number(said).await, 3, "it says its own whatever it is sent");
    // Of a snapshot in parts each part says what holds after the last.
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    let received = digests_sent(&rig).await;
    assert_eq!(
        received[3..],
        [received[2].clone(), received[2].clone(), received[2].clone()]
    );
    assert_eq!(rig.alerts().await, [] as [String; 0]);
}

#[tokio::test]
async fn promise_12_a_property_that_left_the_feed_is_sent_anew_where_the_receiver_has_something_else_of_it() {
    let rig = Rig::delivered().await;
    let backup = rig.sandbox.save();
    rig.faults(json!({ "digest": "ab".repeat(32), "times": 1 }));
    rig.edit("update projects set is_actived = false where id = 2").await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(rig.alerts().await, ["digest_mismatch"]);
    // What it acknowledged it has lost, as it says.
    rig.sandbox.restore(backup);
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.alert where acked_at is null")
            .await,
        0
    );
}

#[tokio::test]
async fn promise_12_a_snapshot_sends_a_property_that_left_where_the_receiver_is_known_to_have_something_else_of_it() {
    let rig = Rig::delivered().await;
    let backup = rig.sandbox.save();
    rig.faults(json!({ "digest": "ab".repeat(32), "times": 2 }));
    rig.edit("update projects set is_actived = false where id = 2").await;
    rig.settle().await;
    let again = "select count(*) from rentsync.feed where mismatch_again";
    assert_eq!(rig.source.number(again).await, 1, "it is for later");
    // What it acknowledged it has lost, and nobody waits for that hour.
    rig.sandbox.restore(backup);
    snapshot::begin(
        &mut rig.source.connect().await,
        "main",
        "test",
        Some(2),
        rig.clock.now(),
    )
    .await
    .expect("a run");
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(rig.source.number(again).await, 0);
}

#[tokio::test]
async fn promise_12_no_digest_is_sent_while_a_unit_is_withheld_or_in_doubt() {
    let rig = Rig::delivered().await;
    let edit = async |price: i32| {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        rig.settle().await;
        digests_sent(&rig).await.pop().expect("a body").is_some()
    };
    assert!(edit(1).await);
    // Another unit that no plan looks at.
    rig.faults(json!({ "reject_units": [12] }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 12")
        .await;
    rig.settle().await;
    rig.no_faults();
    // Where it refuses a unit it is not what it was to become.
    rig.sandbox.clear_log();
    assert!(!edit(2).await, "unit 12 is refused");
    rig.edit("update project_rent_roll_units set price = 6 where id = 12")
        .await;
    rig.settle().await;
    assert!(edit(3).await, "it is acknowledged");
    rig.edit("update rentsync.ledger set owed = 'in_doubt', bisection = 7 where unit_id = 13")
        .await;
    rig.edit("update project_rent_roll_units set price = 4 where id = 11")
        .await;
    rig.plan().await;
    assert_eq!(digests_sent(&rig).await.pop(), Some(None), "unit 13 is in doubt");
    rig.settle().await;
    assert!(
        digests_sent(&rig).await.pop().expect("a body").is_some(),
        "it was acknowledged"
    );
    assert!(rig.sandbox.syncs().iter().all(|sync| !sync.digest_mismatch));
    rig.assert_equal().await;
    // What a sync did not say is no mismatch, whatever the receiver says.
    rig.edit("update rentsync.ledger set owed = 'in_doubt', bisection = 7 where unit_id = 13")
        .await;
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    rig.plan().await;
    rig.edit("update rentsync.ledger set owed = null, bisection = null where unit_id = 13")
        .await;
    rig.faults(json!({ "digest": "ab".repeat(32) }));
    rig.deliver().await;
    assert!(
        !rig.alerts().await.contains(&"digest_mismatch".to_owned()),
        "{:?}",
        rig.alerts().await
    );
}

/// One request on a connection of its own, as whoever has no library for it would ask: status and text.
async fn asked(base: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(base.strip_prefix("http://")?).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_09_however_many_ask_for_figures_a_health_check_is_answered_within_a_second() {
    let rig = Rig::empty().await;
    let running = Running::of(&rig).await;
    running.until_ready_is(200).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..100 {
        let (base, answered) = (running.base.clone(), answered.clone());
        clients.spawn(async move {
            loop {
                let answer = asked(&base, "/metrics").await.unwrap_or_default();
                answered.fetch_add(usize::from(answer.starts_with("HTTP/1.1 200")), Ordering::Relaxed);
            }
        });
    }
    for _ in 0..50 {
        for path in ["/healthz", "/readyz"] {
            // A client that is slow to send its request, as one among a hundred may be here, asks again.
            let answered = async {
                loop {
                    if let Some(answer) = asked(&running.base, path).await.filter(|answer| !answer.is_empty()) {
                        return answer;
                    }
                }
            };
            let answer = timeout(Duration::from_secs(1), answered).await.expect("in time");
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        }
    }
    let scraped = async {
        while answered.load(Ordering::Relaxed) < 3 {
            yield_now().await;
        }
    };
    timeout(LIMIT, scraped)
        .await
        .expect("figures are answered all the while");
    clients.shutdown().await;
    running.stop().await;
}

#[tokio::test]
async fn promise_12_a_snapshot_that_was_rejected_is_due_again_within_the_hour() {
    for batch in [Batch::PerProperty, Batch::AllProperties] {
        let rig = delivered(2, batch).await;
        let mut hands = rig.hands().await;
        rig.edit("update rentsync.feed set snapshot_due = 'source_identity'")
            .await;
        rig.faults(json!({ "status": 400, "times": 1 }));
        pass(&mut hands, &rig, 5).await;
        rig.assert_equal_but("400").await;
        let snapshots = || {
            let syncs = rig.sandbox.syncs().into_iter();
            syncs
                .filter(|sync| sync.status == Some(200) && sync.sync_type == Some("snapshot"))
                .count()
        };
        let before = snapshots();
        pass(&mut hands, &rig, 50).await;
        assert_eq!(snapshots(), before, "its deltas come first");
        pass(&mut hands, &rig, 10).await;
        assert!(
            snapshots() > before,
            "{batch:?}: deltas drop nothing that the ledger doesn't know"
        );
        let after = snapshots();
        pass(&mut hands, &rig, 15).await;
        assert_eq!(snapshots(), after, "and no more");
    }
}
