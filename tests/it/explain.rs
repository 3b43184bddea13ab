//! Explain: where one unit stands at a receiver, in the words of what the planner would do, and how it came there.

use std::time::Duration;

use rentsync_relay::config::UnitIdentity;
use rentsync_relay::deliver::breaker;
use rentsync_relay::inspect::explain::{self, Part};
use rentsync_relay::prune;
use serde_json::{Value, json};

use crate::process::{LIMIT, output, refused, relay, said};
use crate::support::rig::Rig;

async fn parts(rig: &Rig, unit_id: i64) -> Vec<Part> {
    let mut conn = rig.source.connect().await;
    explain::explain(&mut conn, &rig.scope(), unit_id, rig.clock.now())
        .await
        .expect("explain")
}

/// The first part's word, and its sentence.
async fn answer(rig: &Rig, unit_id: i64) -> (&'static str, String) {
    let part = parts(rig, unit_id).await.into_iter().next().expect("it is known");
    (part.standing, part.answer)
}

/// The unit stands like this, and the sentence has these parts.
async fn stands(rig: &Rig, unit_id: i64, standing: &str, says: &[&str]) {
    let (word, sentence) = answer(rig, unit_id).await;
    assert_eq!(word, standing, "{sentence}");
    for part in says {
        assert!(sentence.contains(part), "{part:?} in: {sentence}");
    }
}

/// A connection that was closed is listed for a moment longer.
async fn until_no_relay_is_connected(rig: &Rig, unit_id: i64) {
    let mut conn = rig.source.connect().await;
    loop {
        let parts = explain::explain(&mut conn, &rig.scope(), unit_id, None)
            .await
            .expect("explain");
        let says = "no relay is connected to this database: `rentsync-relay run` or `once` sends it";
        if parts[0].answer.contains(says) {
            return;
        }
    }
}

fn kinds(part: &Value) -> Vec<&str> {
    let timeline = part["timeline"].as_array().expect("a timeline");
    timeline
        .iter()
        .map(|entry| entry["what"].as_str().expect("a kind"))
        .collect()
}

async fn json_of(rig: &Rig, unit_id: &str) -> Vec<Value> {
    let output = output(relay(rig, &["explain", unit_id, "--json"])).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

#[tokio::test]
async fn what_the_receiver_shows_is_said_first_and_then_how_it_came_there() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1111 where id = 11")
        .await;
    rig.settle().await;
    let output = output(relay(&rig, &["explain", "11"])).await;
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let first = text.lines().next().expect("a line");
    assert!(
        first.starts_with("unit 11 of property 1: main shows it as the source has it, sent at "),
        "{text}"
    );
    assert!(first.contains(" in sync sync-"), "{text}");
    let after: Vec<_> = [
        "insert of the unit",
        "insert of the whole property",
        "delta sync-",
        "attempt   1 of sync-",
        "update of the unit",
        "delta sync-",
    ]
    .into_iter()
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part:?} in: {text}")))
    .collect();
    assert!(
        after[0] < after[2] && after[2] < after[3] && after[3] < after[4],
        "{text}"
    );
    assert!(text.contains(": delivered"), "{text}");

    let parts = json_of(&rig, "11").await;
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(
        (
            &part["receiver"],
            &part["property_id"],
            &part["unit_id"],
            &part["standing"]
        ),
        (&json!("main"), &json!(1), &json!(11), &json!("equal"))
    );
    assert_eq!(part["source_hash"], part["acknowledged_hash"]);
    assert_eq!(part["source_hash"], part["told_hash"]);
    let kinds = kinds(part);
    assert_eq!(kinds.iter().filter(|kind| **kind == "sync").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "attempt").count(), 2);
    let times: Vec<_> = part["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            entry["at"]
                .as_str()
                .unwrap()
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
        })
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(rig.requests().len(), 1, "nothing is sent by it");
}

#[tokio::test]
async fn what_waits_says_for_what_and_which_fields_differ_but_no_leads_name() {
    let rig = Rig::delivered().await;
    rig.source.connect_anew();
    rig.edit("update project_rent_roll_units set price = 1111, lead_first_name = 'Somebody' where id = 11")
        .await;
    let relaying = rig.source.connect().await;
    stands(
        &rig,
        11,
        "waiting",
        &[
            "main has it as sent at ",
            "the source has it otherwise: it changed and is not planned yet; a relay is connected",
        ],
    )
    .await;
    drop(relaying);
    tokio::time::timeout(LIMIT, until_no_relay_is_connected(&rig, 11))
        .await
        .expect("it is said that nobody sends it");
    let text = said(&output(relay(&rig, &["explain", "11"])).await);
    assert!(
        text.contains("differs in     base_rent 1100.0 -> 1111.0, lead_first_name differs, lead_last_name differs"),
        "{text}"
    );
    assert!(!text.contains("Somebody"), "{text}");
    let before = json_of(&rig, "11").await.remove(0);
    assert_ne!(before["acknowledged_hash"], before["source_hash"]);

    // Sealed, and nobody has leased it yet.
    rig.plan().await;
    stands(
        &rig,
        11,
        "under_way",
        &["is being sent it as the source has it, in sync sync-", "not tried yet"],
    )
    .await;
    let sealed = json_of(&rig, "11").await.remove(0);
    assert_eq!(
        (&sealed["acknowledged_hash"], &sealed["told_hash"]),
        (&before["acknowledged_hash"], &before["source_hash"])
    );
    rig.faults(json!({ "status": 503, "times": 1 }));
    rig.deliver().await;
    stands(&rig, 11, "under_way", &["tried once, the next try is at"]).await;
    // What comes after it waits for it.
    rig.edit("update project_rent_roll_units set price = 5 where id = 12")
        .await;
    stands(&rig, 12, "waiting", &["its property has sync-", "under way"]).await;
    rig.settle().await;
    stands(&rig, 12, "equal", &[]).await;
    rig.edit("update rentsync.ledger set owed = 'replay' where unit_id = 13")
        .await;
    stands(
        &rig,
        13,
        "waiting",
        &["was sent it as the source has it", "a replay asked for it"],
    )
    .await;
    rig.edit("update rentsync.feed set snapshot_due = 'test' where property_id = 2")
        .await;
    stands(&rig, 21, "equal", &[]).await;
}

#[tokio::test]
async fn what_nothing_announced_is_drift() {
    let rig = Rig::delivered().await;
    rig.edit(
        "alter table project_rent_roll_units disable trigger all; update project_rent_roll_units set price = 9 where id = 11;
         alter table project_rent_roll_units enable trigger all; alter table project_rent_roll_units enable always trigger rentsync_update",
    )
    .await;
    stands(
        &rig,
        11,
        "drift",
        &["no change announced that", "`snapshot --property 1`"],
    )
    .await;
    // Other settings than it was run with explain it.
    let mut others = relay(&rig, &["explain", "11"]);
    others.env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[2]");
    let text = said(&output(others).await);
    assert!(text.contains("last run with other settings than these"), "{text}");
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    stands(&rig, 11, "waiting", &["due a snapshot (test)"]).await;
    rig.settle().await;
    let part = json_of(&rig, "11").await.remove(0);
    assert_eq!(part["standing"], "equal");
    let drift = part["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["what"] == "drift")
        .expect("drift");
    assert_eq!(drift["differs"], "base_rent");
}

#[tokio::test]
async fn whoever_objects_is_named_with_what_to_do() {
    let rig = Rig::delivered().await;
    let acknowledged = json_of(&rig, "21").await.remove(0)["acknowledged_hash"].clone();
    rig.faults(json!({ "reject_units": [21] }));
    rig.edit(
        "update project_rent_roll_units set price = 'NaN' where id = 11; update project_rent_roll_units set price = 2 where id = 21;
         insert into project_rent_roll_units (id, project_id, price) values (14, 1, 'NaN')",
    )
    .await;
    stands(
        &rig,
        11,
        "invalid",
        &[
            "main keeps what was sent at",
            "base_rent is not a finite number",
            "put right in the source",
        ],
    )
    .await;
    rig.settle().await;
    stands(
        &rig,
        11,
        "invalid",
        &["main keeps what was sent at", "base_rent is not a finite number"],
    )
    .await;
    stands(&rig, 14, "invalid", &["main does not have it"]).await;
    stands(
        &rig,
        21,
        "refused",
        &["main does not take it as it is: ", "`refused retry 21`"],
    )
    .await;
    let part = json_of(&rig, "21").await.remove(0);
    assert_eq!(part["acknowledged_hash"], acknowledged, "what it took before");
    let kinds = kinds(&part);
    assert_eq!(kinds.last(), Some(&"withheld"), "{kinds:?}");
    let attempts = part["timeline"].as_array().expect("a timeline").iter();
    let mut answers = attempts
        .filter(|entry| entry["what"] == "attempt")
        .map(|entry| entry["answer"].to_string());
    let answer = answers.next_back().expect("an answer");
    assert!(answer.contains("rejected by the fault"), "{answer}");
    // It changes: nobody has objected to that yet.
    rig.edit("update project_rent_roll_units set price = 3 where id = 21")
        .await;
    stands(&rig, 21, "waiting", &["changed and is not planned yet"]).await;
}

#[tokio::test]
async fn a_removal_that_waits_for_a_person_names_its_hold() {
    for (receiver_min, kind, of) in [
        (50, "held", "of its property went at once"),
        (5, "guarded", "from all it has"),
    ] {
        let mut rig = Rig::new().await;
        rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(101, 107) n")
            .await;
        rig.settle().await;
        rig.receiver.guard.receiver.units_min = receiver_min;
        rig.receiver.guard.feed.units_min = 55 - receiver_min;
        rig.edit("delete from project_rent_roll_units where id between 101 and 106")
            .await;
        stands(
            &rig,
            101,
            "waiting",
            &["still has it as sent at", "though the source no longer has it"],
        )
        .await;
        rig.settle().await;
        let hold = rig
            .source
            .number("select hold_id from rentsync.hold where state = 'open'")
            .await;
        stands(
            &rig,
            101,
            kind,
            &[
                of,
                &format!("`holds approve {hold}`"),
                &format!("`holds reject {hold}`"),
            ],
        )
        .await;
        rig.edit("update rentsync.ledger set withheld = 'rejected' where unit_id = 101")
            .await;
        stands(&rig, 101, "rejected", &["a person rejected its removal"]).await;
    }
}

#[tokio::test]
async fn a_unit_that_moved_has_a_part_for_each_property() {
    let mut rig = Rig::new().await;
    rig.receiver.unit_identity = UnitIdentity::Global;
    rig.settle().await;
    rig.edit("update rentsync.feed set paused_because = 'test' where property_id = 1; update project_rent_roll_units set project_id = 2 where id = 11")
        .await;
    rig.settle().await;
    let found = parts(&rig, 11).await;
    let brief: Vec<_> = found.iter().map(|part| (part.property_id, part.standing)).collect();
    assert_eq!(brief, [(Some(2), "elsewhere"), (Some(1), "feed_paused")]);
    assert!(
        found[0].answer.contains("still has it from property 1"),
        "{}",
        found[0].answer
    );
    assert!(
        found[1]
            .answer
            .contains("though it belongs to property 2 now: the feed of property 1 is paused (test); `feeds resume 1`"),
        "{}",
        found[1].answer
    );
    rig.edit("update rentsync.feed set paused_because = null").await;
    rig.settle().await;
    let brief: Vec<_> = parts(&rig, 11)
        .await
        .iter()
        .map(|part| (part.property_id, part.standing))
        .collect();
    assert_eq!(brief, [(Some(2), "equal"), (Some(1), "gone")]);
    let left = &json_of(&rig, "11").await[1];
    assert_eq!(kinds(left).last(), Some(&"removal_taken"));
}

#[tokio::test]
async fn what_is_gone_says_why_and_what_carries_its_code() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set id = 19 where id = 11")
        .await;
    rig.plan().await;
    rig.faults(json!({ "status": 503, "times": 1 }));
    rig.deliver().await;
    stands(
        &rig,
        11,
        "under_way",
        &["is being sent its removal, because the source no longer has it"],
    )
    .await;
    rig.settle().await;
    stands(
        &rig,
        11,
        "gone",
        &["no longer has it, because the source no longer has it; it acknowledged the removal at"],
    )
    .await;
    let text = said(&output(relay(&rig, &["explain", "11"])).await);
    assert!(
        text.contains("carries its removal, its code is unit 19's now"),
        "{text}"
    );
    // A property's ways out.
    for (statement, unit, why) in [
        (
            "update projects set is_actived = false where id = 2",
            21,
            "property 2 is inactive in the source",
        ),
        (
            "update rentsync.feed set enabled = false where property_id = 1; insert into rentsync.outbox (property_id, op) values (1, 'feed')",
            12,
            "`feeds enable 1`",
        ),
        (
            "delete from projects where id = 2",
            22,
            "the source no longer has property 2",
        ),
    ] {
        rig.edit(statement).await;
        rig.settle().await;
        stands(&rig, unit, "gone", &[why]).await;
    }
    // Somebody who never had it.
    rig.edit("insert into project_rent_roll_units (id, project_id) values (15, 1)")
        .await;
    rig.settle().await;
    stands(
        &rig,
        15,
        "gone",
        &["main has nothing of it here, because the feed of property 1 is disabled"],
    )
    .await;
}

#[tokio::test]
async fn a_property_without_a_feed_says_why() {
    let mut rig = Rig::empty().await;
    rig.fill().await;
    rig.edit("insert into project_rent_roll_units (id) values (99)").await;
    stands(&rig, 11, "no_feed", &["main was never run here"]).await;
    stands(&rig, 99, "no_property", &["without a property"]).await;
    rig.receiver.property_groups = Some(vec![7]);
    rig.settle().await;
    stands(&rig, 11, "equal", &[]).await;
    stands(&rig, 21, "outside_portfolio", &["receivers.main.property_groups"]).await;
    rig.edit("insert into projects (id, project_group_id, is_actived) values (3, 7, false); insert into project_rent_roll_units (id, project_id) values (31, 3)")
        .await;
    stands(&rig, 31, "property_inactive", &["property 3 is inactive"]).await;
    rig.edit("update projects set is_actived = true where id = 3").await;
    stands(&rig, 31, "no_feed", &["enrolled at the next sweep"]).await;
    rig.receiver.enroll = rentsync_relay::config::Enroll::Listed;
    stands(&rig, 31, "no_feed", &["`feeds enable 3`"]).await;
    rig.receiver.property_groups = Some(vec![8]);
    rig.settle().await;
    stands(
        &rig,
        11,
        "gone",
        &["property 1 is outside receivers.main.property_groups"],
    )
    .await;
}

#[tokio::test]
async fn a_pause_an_outage_and_doubt_are_explained_with_what_ends_them() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    rig.faults(json!({ "status": 503 }));
    let mut hands = rig.hands().await;
    for minutes in [1, 2, 5, 10, 0] {
        hands.round(&rig).await;
        rig.pass(Duration::from_secs(60 * minutes));
    }
    stands(
        &rig,
        11,
        "resting",
        &[
            "whether main applied what was sent at",
            "which was given up is not known: a sync of its property was given up, and it rests until",
            "or until main acknowledges anything",
        ],
    )
    .await;
    rig.edit("update project_rent_roll_units set price = 1100 where id = 11")
        .await;
    stands(&rig, 11, "resting", &["is not known"]).await;
    rig.pass(Duration::from_secs(3600));
    stands(&rig, 11, "waiting", &["the sync that carried it was given up"]).await;

    let mut conn = rig.source.connect().await;
    breaker::open(&mut conn, "main", "paused by command", None, None)
        .await
        .unwrap();
    stands(
        &rig,
        11,
        "receiver_paused",
        &[
            "main is paused since",
            "(paused by command); `receivers resume main` ends that",
        ],
    )
    .await;
    rig.edit("insert into rentsync.source_identity (receiver, noted_at, waits_since) values ('main', now(), now()) on conflict (receiver) do update set waits_since = now()")
        .await;
    stands(&rig, 11, "receiver_paused", &["`receivers resync main`"]).await;
}

#[tokio::test]
async fn what_was_pruned_is_said_and_the_answer_stays() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 7 where id = 12")
        .await;
    rig.settle().await;
    rig.pass(Duration::from_secs(15 * 24 * 3600));
    let mut conn = rig.source.connect().await;
    while prune::step(
        &mut conn,
        &rentsync_relay::config::Config::default().retention,
        rig.clock.now(),
    )
    .await
    .unwrap()
    .more
    {}
    stands(&rig, 11, "equal", &["sent in sequence", "which is pruned"]).await;
    let part = json_of(&rig, "11").await.remove(0);
    assert_eq!(part["source_hash"], part["acknowledged_hash"]);
    assert!(part["known_since"].is_string(), "{part}");
    let text = said(&output(relay(&rig, &["explain", "11"])).await);
    assert!(
        text.contains("pruned    what happened before this may no longer be known"),
        "{text}"
    );
    rig.edit("update project_rent_roll_units set price = 8 where id = 11")
        .await;
    stands(&rig, 11, "waiting", &["in sequence"]).await;
}

#[tokio::test]
async fn a_unit_known_nowhere_is_one_sentence_and_nothing_is_written() {
    let rig = Rig::delivered().await;
    refused(
        relay(&rig, &["explain", "4711"]),
        2,
        &["unit 4711 is known nowhere", "nothing of it was ever sealed for main"],
    )
    .await;
    refused(relay(&rig, &["explain", "11", "--receiver", "nope"]), 2, &["nope"]).await;
    // Every receiver has its say; the other was never run.
    let mut two = relay(&rig, &["explain", "11", "--json"]);
    two.env("RELAY_RECEIVERS__OTHER__URL", rig.receiver.url.as_str());
    let parts: Vec<Value> = serde_json::from_slice(&output(two).await.stdout).expect("JSON");
    let brief: Vec<_> = parts
        .iter()
        .map(|part| (part["receiver"].as_str().unwrap(), part["standing"].as_str().unwrap()))
        .collect();
    assert_eq!(brief, [("main", "equal"), ("other", "no_feed")]);

    let role = format!("reader_{}", rig.source.number("select (random() * 1e9)::bigint").await);
    rig.edit(&format!(
        "create role {role} login; grant usage on schema rentsync to {role};
         grant execute on function rentsync.source_property(), rentsync.source_unit(), rentsync.kept_because(bigint), rentsync.news(bigint, pg_snapshot) to {role};
         grant select on all tables in schema rentsync to {role}; grant select on projects, project_rent_roll_units to {role}"
    ))
    .await;
    let mut reader = relay(&rig, &["explain", "11"]);
    reader.env(
        "DATABASE_URL",
        rig.source.url().replacen("postgres@", &format!("{role}@"), 1),
    );
    let output = output(reader).await;
    assert_eq!(output.status.code(), Some(0), "it needs to write: {}", said(&output));
    rig.edit(&format!("drop owned by {role}; drop role {role}")).await;
}
