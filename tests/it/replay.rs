//! Replay: what a receiver may have lost is sent again, and no more than that.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rentsync_relay::config::UnitIdentity;
use rentsync_relay::fault::exit_code;
use rentsync_relay::relay::Stop;
use rentsync_relay::replay::{self, Outcome, Request, Selection, Window};
use rentsync_sandbox::Saved;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::process::{output, refused, relay, said};
use crate::support::rig::Rig;

const LIMIT: Duration = Duration::from_secs(30);

/// As if everything so far had been so much earlier.
pub async fn backdate(rig: &Rig, by: &str) {
    rig.edit(&format!(
        "update rentsync.outbox set occurred_at = occurred_at - interval '{by}';
         update rentsync.attempt set started_at = started_at - interval '{by}', finished_at = finished_at - interval '{by}';
         update rentsync.sync set sealed_at = sealed_at - interval '{by}', settled_at = settled_at - interval '{by}';
         update rentsync.purged_tombstone set purged_at = purged_at - interval '{by}'"
    ))
    .await;
}

/// Three properties with three units each, delivered a day ago.
async fn delivered_yesterday() -> Rig {
    let rig = Rig::new().await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (3, 'Three', true);
         insert into project_rent_roll_units (id, project_id, unit_code) values (31, 3, '31'), (32, 3, '32'), (33, 3, '33')",
    )
    .await;
    rig.settle().await;
    backdate(&rig, "1 day").await;
    rig.sandbox.clear_log();
    rig
}

fn request(rig: &Rig, since: TimeDelta) -> Request<'_> {
    Request {
        receiver: &rig.receiver,
        window: Window {
            since: Utc::now() - since,
            until: None,
        },
        property: None,
    }
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

async fn mark(rig: &Rig, request: &Request<'_>) -> Selection {
    replay::mark(&mut rig.source.connect().await, request)
        .await
        .expect("mark")
}

async fn look(rig: &Rig, request: &Request<'_>) -> Selection {
    replay::look(&mut rig.source.connect().await, request)
        .await
        .expect("look")
}

async fn wait(rig: &Rig, feeds: Vec<i64>) -> Outcome {
    let relay = rig.relay();
    let mut quiet = |_| {};
    let (_stop, unstopped) = watch::channel(Stop::No);
    let waiting = replay::wait(&relay, &rig.receiver, feeds, &unstopped, &mut quiet);
    tokio::time::timeout(LIMIT, waiting)
        .await
        .expect("it ends")
        .expect("wait")
}

/// Marks what an hour asks for and waits for all of it.
async fn replayed(rig: &Rig, request: &Request<'_>) -> Selection {
    let asked = mark(rig, request).await;
    let outcome = wait(rig, asked.feed_ids()).await;
    assert!(outcome.undelivered.is_empty(), "{outcome:?}");
    asked
}

/// Property, units, removals, whether whole.
fn counts(asked: &Selection) -> Vec<(i64, usize, usize, bool)> {
    let feeds = asked.feeds.iter();
    let mut counts: Vec<_> = feeds
        .map(|feed| (feed.property_id, feed.units, feed.removals, feed.snapshot))
        .collect();
    counts.sort_unstable();
    counts
}

#[tokio::test]
async fn more_properties_than_one_transaction_marks_are_all_sent_again() {
    let rig = Rig::empty().await;
    let empty = rig.sandbox.save();
    rig.edit(
        "insert into projects (id, name, is_actived) select n, n::text, true from generate_series(1, 300) n;
         insert into project_rent_roll_units (id, project_id, unit_code) select n, n, n from generate_series(1, 300) n",
    )
    .await;
    rig.settle().await;
    rig.sandbox.restore(empty);
    let asked = replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(asked.feeds.len(), 300);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_receiver_set_back_by_an_hour_becomes_equal_and_is_sent_only_what_was_touched_since() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    for edit in [
        "update project_rent_roll_units set price = 1 where id = 11",
        "delete from project_rent_roll_units where id = 12",
        "update project_rent_roll_units set project_id = 1, unit_code = '21b' where id = 21",
        "insert into project_rent_roll_units (id, project_id, unit_code) values (39, 3, '39')",
        "delete from project_rent_roll_units where id = 39",
        "update projects set name = 'Deux' where id = 2",
        "insert into projects (id, name, is_actived) values (4, 'Four', true);
         insert into project_rent_roll_units (id, project_id) values (41, 4), (42, 4)",
        "update project_rent_roll_units set price = 2 where id in (11, 41)",
    ] {
        rig.edit(edit).await;
        rig.settle().await;
    }
    rig.assert_equal().await;
    rig.sandbox.restore(backup);
    rig.sandbox.clear_log();

    let asked = replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(
        counts(&asked),
        [
            (1, 2, 1, false),
            // The rename is about all of it, what moved away is removed by absence.
            (2, 2, 1, true),
            (3, 0, 1, false),
            (4, 2, 0, true),
        ]
    );
    rig.assert_equal().await;
    assert_eq!(
        rig.requests(),
        [(1, 2, 1, 200), (2, 2, 0, 200), (3, 0, 1, 200), (4, 2, 0, 200)]
    );
    let types: Vec<_> = rig.sandbox.syncs().iter().filter_map(|sync| sync.sync_type).collect();
    assert!(!types.contains(&"delta"), "{types:?}");
    let removed = rig.bodies(1).await.pop().unwrap()["removed_units"].clone();
    assert_eq!(
        removed,
        json!([{ "unit_id": 12, "unit_code": "12", "reason": "deleted" }]),
        "under the code that the receiver knows"
    );
    let tombstones = "select count(*) from rentsync.ledger where removed is not null or owed is not null";
    assert_eq!(rig.source.number(tombstones).await, 0);
}

#[tokio::test]
async fn an_edit_from_before_that_was_delivered_since_is_sent_and_so_is_what_is_yet_to_be_planned() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; delete from project_rent_roll_units where id = 32",
    )
    .await;
    backdate(&rig, "2 hours").await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set price = 2 where id = 22; insert into project_rent_roll_units (id, project_id) values (24, 2)")
        .await;
    rig.sandbox.restore(backup);
    rig.sandbox.clear_log();
    let asked = replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(counts(&asked), [(1, 1, 0, false), (2, 2, 0, false), (3, 0, 1, false)]);
    rig.assert_equal().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200), (2, 2, 0, 200), (3, 0, 1, 200)]);
}

#[tokio::test]
async fn a_request_that_began_before_and_ended_since_is_sent_again() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    backdate(&rig, "1 hour").await;
    rig.edit("update rentsync.attempt set finished_at = started_at + interval '4 seconds'")
        .await;
    rig.sandbox.restore(backup);
    let begun: DateTime<Utc> = sqlx::query_scalar("select max(started_at) from rentsync.attempt")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .unwrap();
    rig.edit("update rentsync.outbox set occurred_at = occurred_at - interval '1 day'")
        .await;
    let since = |seconds| Request {
        window: Window {
            since: begun + TimeDelta::seconds(seconds),
            until: None,
        },
        ..request(&rig, hours(1))
    };
    assert_eq!(counts(&look(&rig, &since(5)).await), []);
    replayed(&rig, &since(3)).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_unit_touched_again_and_again_costs_one() {
    let rig = delivered_yesterday().await;
    for price in 0..5 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        rig.settle().await;
    }
    rig.sandbox.clear_log();
    let asked = replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(counts(&asked), [(1, 1, 0, false)]);
    assert_eq!(rig.requests(), [(1, 1, 0, 200)]);
    assert_eq!(rig.sandbox.syncs()[0].sync_type, Some("replay"));
    // And a second replay at once asks for the same, which is no more than that.
    mark(&rig, &request(&rig, hours(1))).await;
    mark(&rig, &request(&rig, hours(1))).await;
    rig.settle().await;
    assert_eq!(rig.requests().len(), 2);
}

#[tokio::test]
async fn until_leaves_out_what_came_later_but_sends_the_present() {
    let rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set price = 1 where id in (11, 21)")
        .await;
    rig.settle().await;
    backdate(&rig, "3 hours").await;
    rig.edit(
        "update project_rent_roll_units set price = 2 where id = 31; delete from project_rent_roll_units where id = 21",
    )
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    let request = Request {
        window: Window {
            since: Utc::now() - hours(4),
            until: Some(Utc::now() - hours(1)),
        },
        ..request(&rig, hours(4))
    };
    let asked = replayed(&rig, &request).await;
    assert_eq!(counts(&asked), [(1, 1, 0, false), (2, 0, 1, false)]);
    assert_eq!(rig.requests(), [(1, 1, 0, 200), (2, 0, 1, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn one_property_is_sent_and_no_other() {
    let rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set price = 1").await;
    rig.settle().await;
    rig.sandbox.clear_log();
    let request = Request {
        property: Some(2),
        ..request(&rig, hours(1))
    };
    replayed(&rig, &request).await;
    assert_eq!(rig.requests(), [(2, 3, 0, 200)]);
    let unknown = Request {
        property: Some(99),
        ..request
    };
    let error = replay::mark(&mut rig.source.connect().await, &unknown)
        .await
        .unwrap_err();
    assert_eq!(exit_code(&error), 2);
    assert!(error.to_string().contains("property 99"), "{error}");
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_moves_nothing() {
    let rig = delivered_yesterday().await;
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; delete from project_rent_roll_units where id = 12",
    )
    .await;
    rig.settle().await;
    rig.edit("truncate project_rent_roll_units").await;
    rig.settle().await;
    let everything = "select md5(string_agg(t, '|' order by t)) from (
        select l::text as t from rentsync.ledger l union all select f::text from rentsync.feed f
         union all select o::text from rentsync.outbox o union all select s.sync_id || s.state from rentsync.sync s) as all_of_it";
    let state = async || -> String {
        sqlx::query_scalar(everything)
            .fetch_one(&mut rig.source.connect().await)
            .await
            .unwrap()
    };
    let before = state().await;
    let looked = look(&rig, &request(&rig, hours(1))).await;
    assert_eq!(state().await, before);
    let marked = mark(&rig, &request(&rig, hours(1))).await;
    assert_eq!(counts(&looked), counts(&marked));
    assert_eq!(counts(&looked), [(1, 0, 3, true), (2, 0, 3, true), (3, 0, 3, true)]);
    assert_ne!(state().await, before);
}

#[tokio::test]
async fn what_is_owed_already_keeps_its_reason_and_what_is_withheld_is_listed_and_sent_later() {
    let rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set price = 1 where project_id = 1")
        .await;
    rig.settle().await;
    let backup = rig.sandbox.save();
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 11")
        .await;
    rig.settle().await;
    rig.sandbox.restore(Saved::default());
    rig.edit("update rentsync.ledger set owed = 'in_doubt' where unit_id = 12")
        .await;
    let asked = mark(&rig, &request(&rig, hours(1))).await;
    assert_eq!(asked.feeds[0].withheld, [11]);
    let owed = "select count(*) from rentsync.ledger where (unit_id, owed) in ((11, 'replay'), (12, 'in_doubt'), (13, 'replay'))";
    assert_eq!(rig.source.number(owed).await, 3);
    let outcome = wait(&rig, asked.feed_ids()).await;
    assert!(outcome.undelivered.is_empty(), "{outcome:?}");
    assert_eq!(outcome.withheld_of(1), [11]);
    assert_eq!(outcome.withheld[0].withheld, "invalid");
    // Back to what was acknowledged before the receiver lost it: sent all the same.
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], json!(1.0));
    drop(backup);
}

#[tokio::test]
async fn a_rename_alone_is_sent_again() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit("update projects set name = 'Uno' where id = 1").await;
    rig.settle().await;
    // As if the change were from before, and only its delivery since.
    rig.edit("update rentsync.outbox set occurred_at = occurred_at - interval '2 days'")
        .await;
    rig.sandbox.restore(backup);
    rig.sandbox.clear_log();
    let asked = replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(counts(&asked), [(1, 0, 0, false)]);
    assert!(asked.feeds[0].property);
    assert_eq!(rig.requests(), [(1, 0, 0, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_receiver_that_knows_units_by_their_ids_alone_is_not_sent_the_removal_of_a_moved_one() {
    let mut rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set project_id = 2, unit_code = '11b' where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(
        counts(&look(&rig, &request(&rig, hours(1))).await),
        [(1, 0, 1, false), (2, 1, 0, false)]
    );
    rig.receiver.unit_identity = UnitIdentity::Global;
    assert_eq!(counts(&look(&rig, &request(&rig, hours(1))).await), [(2, 1, 0, false)]);
}

#[tokio::test]
async fn the_relays_own_notices_are_no_reason_to_send_everything() {
    let rig = delivered_yesterday().await;
    rig.edit(
        "insert into rentsync.outbox (property_id, op) values (null, 'settings'), (1, 'feed');
         insert into rentsync.outbox (property_id, op, unit_ids) values (2, 'replay', '{}')",
    )
    .await;
    assert_eq!(counts(&look(&rig, &request(&rig, hours(1))).await), []);
    rig.edit("insert into rentsync.outbox (property_id, op) values (null, 'failed')")
        .await;
    assert_eq!(look(&rig, &request(&rig, hours(1))).await.feeds.len(), 3);
}

#[tokio::test]
async fn waiting_ends_where_the_receiver_is_paused_or_a_request_is_given_up() {
    let rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set price = 1 where id in (11, 21)")
        .await;
    rig.settle().await;
    rig.faults(json!({ "status": 503 }));
    rig.edit("update rentsync.feed set paused_because = 'by hand' where property_id = 2")
        .await;
    let asked = mark(&rig, &request(&rig, hours(1))).await;
    let because = |outcome: Outcome| -> Vec<(i64, String)> {
        let missed = outcome.undelivered.into_iter();
        missed.map(|missed| (missed.property_id, missed.because)).collect()
    };
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            rig.pass(Duration::from_secs(5));
        }
    };
    let outcome = tokio::select! {
        outcome = wait(&rig, asked.feed_ids()) => outcome,
        () = passing => unreachable!("time goes on"),
    };
    let missed = because(outcome);
    assert!(missed[0].0 == 1 && missed[0].1.contains("given up"), "{missed:?}");
    assert!(missed[1].0 == 2 && missed[1].1.contains("by hand"), "{missed:?}");
    assert_eq!(rig.requests().len(), 2 + 5, "the whole schedule was waited for");

    rig.faults(json!({ "status": 401 }));
    rig.edit("update rentsync.feed set paused_because = null, cooldown_until = null, cooldown_because = null")
        .await;
    let missed = because(wait(&rig, asked.feed_ids()).await);
    assert_eq!(missed.len(), 2);
    assert!(missed.iter().all(|(_, because)| because.contains("401")), "{missed:?}");
}

#[tokio::test]
async fn a_retry_is_waited_for() {
    let mut rig = delivered_yesterday().await;
    rig.receiver.retry.schedule = vec![Duration::from_millis(1); 4];
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    rig.sandbox.restore(Saved::default());
    rig.faults(json!({ "status": 503, "times": 3 }));
    replayed(&rig, &request(&rig, hours(1))).await;
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], json!(1.0));
}

// The command.

#[tokio::test]
async fn the_command_waits_and_says_what_came_of_it() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; delete from project_rent_roll_units where id = 12",
    )
    .await;
    rig.settle().await;
    rig.sandbox.restore(backup);
    let json = async |arguments: &[&str]| -> Value {
        let output = output(relay(&rig, arguments)).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
    };
    let requests = rig.requests().len();
    let dry = json(&["replay", "--since", "1h", "--dry-run", "--json"]).await;
    assert_eq!(
        (&dry[0]["property_id"], &dry[0]["units"], &dry[0]["removals"]),
        (&json!(1), &json!(1), &json!(1))
    );
    json(&["replay", "--since", "1h", "--no-wait", "--json"]).await;
    assert_eq!(rig.requests().len(), requests);
    let status = json(&["status", "--json"]).await;
    assert_eq!(status[0]["units_replayed"], 2);
    let since = (Utc::now() - hours(1)).to_rfc3339();
    let done = output(relay(&rig, &["replay", "--since", &since])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("delivered") && said(&done).contains("1 property: 1 unit, 1 removal"));
    rig.assert_equal().await;
    assert_eq!(rig.requests().len(), requests + 1);

    let nothing = output(relay(&rig, &["replay", "--since", "1s", "--property", "3"])).await;
    assert_eq!(nothing.status.code(), Some(0), "{}", said(&nothing));
    assert!(said(&nothing).contains("nothing was sent or touched"));

    rig.faults(json!({ "status": 401 }));
    refused(relay(&rig, &["replay", "--since", "1h"]), 1, &["property 1", "401"]).await;
}

#[tokio::test]
async fn bad_times_names_and_ids_are_one_sentence_and_exit_2() {
    let rig = delivered_yesterday().await;
    for (arguments, parts) in [
        (&["--since", "yesterday"][..], &["--since", "yesterday", "1h"][..]),
        (&["--since", "2999-01-01T00:00:00Z"], &["future"]),
        (&["--since", "1h", "--until", "2h"], &["--until", "not after"]),
        (&["--since", "1h", "--property", "99"], &["property 99", "feeds list"]),
        (&["--since", "1h", "--receiver", "nobody"], &["nobody"]),
        (&["--since"], &["--since"]),
        (&[], &["--since"]),
    ] {
        let arguments = [&["replay"], arguments].concat();
        refused(relay(&rig, &arguments), 2, parts).await;
    }
    refused(relay(&rig, &["redeliver", "sync-x"]), 2, &["sync-x", "syncs list"]).await;
    let never_run = Rig::new().await;
    refused(
        relay(&never_run, &["replay", "--since", "1h", "--no-wait"]),
        2,
        &["no receiver main"],
    )
    .await;
}

// Redelivery.

async fn newest(rig: &Rig, property_id: i64) -> String {
    sqlx::query_scalar(
        "select sync_id from rentsync.sync join rentsync.sync_feed using (sequence) join rentsync.feed using (feed_id)
          where property_id = $1 order by sequence desc limit 1",
    )
    .bind(property_id)
    .fetch_one(&mut rig.source.connect().await)
    .await
    .unwrap()
}

async fn redeliver(rig: &Rig, sync_id: &str, force: bool) -> anyhow::Result<replay::Redelivered> {
    replay::redeliver(
        &mut rig.source.connect().await,
        &rig.receiver,
        sync_id,
        force,
        rig.clock.now(),
    )
    .await
}

async fn state(rig: &Rig, sync_id: &str) -> String {
    replay::state_of(&mut rig.source.connect().await, sync_id)
        .await
        .unwrap()
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn a_redelivered_sync_is_the_same_bytes_under_the_same_id() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    let sync_id = newest(&rig, 1).await;
    rig.sandbox.clear_log();
    let again = async || {
        let opened = redeliver(&rig, &sync_id, false).await.unwrap();
        assert!(!opened.forced);
        let outcome = wait(&rig, opened.feeds).await;
        assert!(outcome.undelivered.is_empty(), "{outcome:?}");
        assert_eq!(state(&rig, &sync_id).await, "delivered");
        rig.sandbox.syncs().pop().unwrap()
    };
    // The sandbox refuses a known ID with another body.
    let known = again().await;
    assert_eq!((known.sync_id.as_ref(), known.repeat), (Some(&sync_id), true));
    rig.sandbox.restore(backup);
    let lost = again().await;
    assert_eq!(
        (lost.sync_id.as_ref(), lost.applied, lost.bytes),
        (Some(&sync_id), true, known.bytes)
    );
    assert_eq!(rig.requests().len(), 2, "and nothing else");
    rig.assert_equal().await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_redelivery_is_named() {
    let rig = delivered_yesterday().await;
    let first = newest(&rig, 1).await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.plan().await;
    let second = newest(&rig, 1).await;
    let refused = async |sync_id: &str, force: bool, parts: &[&str]| {
        let error = redeliver(&rig, sync_id, force).await.unwrap_err();
        assert_eq!(exit_code(&error), 1, "{error}");
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    refused(&first, true, &[&second, "try again"]).await;
    refused(&second, true, &["not settled (open)"]).await;
    rig.faults(json!({ "status": 400, "times": 1 }));
    rig.deliver().await;
    assert_eq!(state(&rig, &second).await, "rejected");
    refused(&first, false, &[&second, "rejected", "--force"]).await;
    rig.edit("update project_rent_roll_units set price = 2 where id = 12")
        .await;
    rig.settle().await;
    let third = newest(&rig, 1).await;
    refused(&first, false, &[&third, "delivered", "--force"]).await;
    rig.edit("update rentsync.receiver set paused_at = now(), paused_because = 'by hand', probe_at = 'infinity'")
        .await;
    refused(&third, false, &["paused", "by hand", "receivers resume main"]).await;
    let untouched =
        "select count(*) from rentsync.sync where redelivered_at is not null or state in ('open', 'waiting')";
    assert_eq!(rig.source.number(untouched).await, 0);
}

#[tokio::test]
async fn a_forced_redelivery_is_followed_by_the_present_state() {
    let rig = delivered_yesterday().await;
    let first = newest(&rig, 1).await;
    let backup = Saved::default();
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; delete from project_rent_roll_units where id = 12;
         update projects set name = 'Uno' where id = 1",
    )
    .await;
    rig.settle().await;
    rig.sandbox.restore(backup);
    rig.sandbox.clear_log();
    let opened = redeliver(&rig, &first, true).await.unwrap();
    assert!(opened.forced);
    let status = output(relay(&rig, &["status", "--json"])).await;
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status[0]["open_replays"], 1);
    let outcome = wait(&rig, opened.feeds).await;
    assert!(outcome.undelivered.is_empty(), "{outcome:?}");
    let syncs = rig.sandbox.syncs();
    assert_eq!(syncs[0].sync_id.as_ref(), Some(&first));
    assert_eq!((syncs[0].units, syncs.len()), (3, 2));
    // Because it is owed, not because the receiver's digest was found to differ.
    assert_eq!(
        (syncs[1].sync_type, syncs[1].units, syncs[1].removed),
        (Some("delta"), 2, 1)
    );
    assert_eq!(rig.alerts().await, [""; 0]);
    let held = rig.sandbox.property(1).unwrap();
    assert_eq!(held.units.keys().copied().collect::<Vec<_>>(), [11, 13]);
    assert_eq!(held.units[&11]["base_rent"], json!(1.0));
    assert_eq!(held.property.unwrap()["project_name"], json!("Uno"));
}

#[tokio::test]
async fn a_forced_redelivery_of_an_old_name_is_followed_by_the_present_one() {
    let rig = delivered_yesterday().await;
    let backup = rig.sandbox.save();
    rig.edit("update projects set name = 'Uno' where id = 1").await;
    rig.settle().await;
    let uno = newest(&rig, 1).await;
    rig.edit("update projects set name = 'Un' where id = 1").await;
    rig.settle().await;
    rig.sandbox.restore(backup);
    let opened = redeliver(&rig, &uno, true).await.unwrap();
    wait(&rig, opened.feeds).await;
    let held = rig.sandbox.property(1).unwrap();
    assert_eq!(held.property.unwrap()["project_name"], json!("Un"));
}

#[tokio::test]
async fn a_redelivery_that_is_rejected_blames_nothing_and_the_present_state_follows() {
    let rig = delivered_yesterday().await;
    let first = newest(&rig, 1).await;
    rig.edit("update project_rent_roll_units set price = 1").await;
    rig.settle().await;
    rig.faults(json!({ "status": 400, "times": 1 }));
    let opened = redeliver(&rig, &first, true).await.unwrap();
    let outcome = wait(&rig, opened.feeds).await;
    assert!(
        outcome.undelivered.is_empty() && outcome.withheld.is_empty(),
        "{outcome:?}"
    );
    assert_eq!(state(&rig, &first).await, "rejected");
    let paused = "select count(*) from rentsync.feed where paused_because is not null";
    assert_eq!(rig.source.number(paused).await, 0);
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn a_forced_redelivery_of_a_snapshot_does_not_drop_what_came_after_it() {
    let rig = delivered_yesterday().await;
    rig.edit("update rentsync.feed set snapshot_due = 'by hand' where property_id = 1")
        .await;
    rig.settle().await;
    let snapshot = newest(&rig, 1).await;
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '14')")
        .await;
    rig.settle().await;
    // A receiver that lost its sequences and sync IDs, but not its units.
    rig.sandbox.restore(Saved::default());
    let opened = redeliver(&rig, &snapshot, true).await.unwrap();
    wait(&rig, opened.feeds).await;
    assert_eq!(rig.alerts().await, [""; 0]);
    assert_eq!(
        rig.sandbox
            .property(1)
            .unwrap()
            .units
            .keys()
            .copied()
            .collect::<Vec<_>>(),
        [11, 12, 13, 14]
    );
}

#[tokio::test]
async fn an_answer_to_a_try_of_long_ago_does_not_count_against_a_redelivery() {
    let rig = delivered_yesterday().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.plan().await;
    let sync_id = newest(&rig, 1).await;
    rig.faults(json!({ "status": 503, "delay_ms": 50 }));
    let mut late = rig.deliverer("late:1").await;
    assert_eq!(late.start_due().await.unwrap(), 1);
    // Given up by a command while its request was under way, and opened again.
    let mut conn = rig.source.connect().await;
    rentsync_relay::deliver::breaker::cancel_open(&mut conn, "main", "test", rig.clock.now())
        .await
        .unwrap();
    redeliver(&rig, &sync_id, false).await.unwrap();
    let ended = late.ended().await.unwrap();
    late.settle(ended).await.unwrap();
    let fresh = "select count(*) from rentsync.sync where state = 'open' and attempts = 0";
    assert_eq!(rig.source.number(fresh).await, 1);
    rig.no_faults();
    rig.settle().await;
    assert_eq!(state(&rig, &sync_id).await, "delivered");
    rig.assert_equal().await;
}

#[tokio::test]
async fn the_command_redelivers_and_exits_1_when_it_may_not() {
    let rig = delivered_yesterday().await;
    let first = newest(&rig, 1).await;
    let done = output(relay(&rig, &["redeliver", &first])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("delivered"), "{}", said(&done));
    assert!(rig.sandbox.syncs().pop().unwrap().repeat);
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    refused(relay(&rig, &["redeliver", &first]), 1, &["--force"]).await;
    let help = output(relay(&rig, &["redeliver", "--help"])).await;
    assert!(said(&help).contains("lost its state"), "{}", said(&help));
    let opened = output(relay(&rig, &["redeliver", &first, "--force", "--no-wait"])).await;
    assert_eq!(opened.status.code(), Some(0), "{}", said(&opened));
    assert_eq!(state(&rig, &first).await, "open");
    rig.settle().await;
    rig.assert_equal().await;
}
