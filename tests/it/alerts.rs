//! What a person is told and can do about it: refused units, alerts, posts to a webhook.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{output, refused, relay, said};
use crate::support::rig::Rig;

async fn ok(command: Command) -> String {
    let output = output(command).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output)
}

async fn listed(rig: &Rig, arguments: &[&str]) -> Vec<Value> {
    let output = output(relay(rig, &[arguments, &["--json"]].concat())).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

/// The receiver refuses units 11 and 22; the second's reason is long and would break a table.
async fn with_refused_units() -> Rig {
    let rig = Rig::told().await;
    rig.faults(json!({ "reject_units": [11, 22] }));
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.deliver().await;
    rig.no_faults();
    rig.sandbox.clear_log();
    rig
}

#[tokio::test]
async fn refused_units_are_listed_and_told_again_by_command() {
    let rig = with_refused_units().await;
    let units = listed(&rig, &["refused", "list"]).await;
    let ids: Vec<_> = units
        .iter()
        .map(|unit| (&unit["property_id"], &unit["unit_id"]))
        .collect();
    assert_eq!(ids, [(&json!(1), &json!(11)), (&json!(2), &json!(22))]);
    assert_eq!(
        (&units[0]["unit_code"], &units[0]["what"]),
        (&json!("11"), &json!("content"))
    );
    assert!(
        units[0]["since"].is_string() && units[0]["because"].is_string(),
        "{units:?}"
    );
    assert_eq!(
        ok(relay(&rig, &["refused", "list"])).await.lines().count(),
        3,
        "one line each"
    );

    rig.plan().await;
    assert_eq!(rig.deliver().await.delivered, 0, "left out until they change");
    ok(relay(&rig, &["refused", "retry", "11"])).await;
    ok(relay(&rig, &["once"])).await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)], "that unit alone");
    assert_eq!(listed(&rig, &["refused", "list"]).await.len(), 1);
    let all = ok(relay(&rig, &["refused", "retry", "--all"])).await;
    assert!(all.contains("unit 22 of property 2"), "{all}");
    ok(relay(&rig, &["once"])).await;
    rig.assert_equal().await;
    assert!(
        ok(relay(&rig, &["refused", "list"]))
            .await
            .contains("nothing is refused")
    );
    ok(relay(&rig, &["refused", "retry", "--all"])).await;
}

#[tokio::test]
async fn a_running_relay_tells_a_retried_unit_without_waiting_for_its_sweep() {
    let rig = with_refused_units().await;
    let mut conn = rig.source.connect().await;
    let mut hands = rig.hands().await;
    while hands.round(&rig).await {}
    ok(relay(&rig, &["refused", "retry", "22"])).await;
    let step = hands
        .walk
        .step(&mut conn, &rig.scope(), crate::process::LIMIT)
        .await
        .expect("plan");
    assert_eq!((step.planned.syncs, step.planned.units), (1, 1), "noticed, not swept");
}

#[tokio::test]
async fn a_refused_removal_is_listed_as_one() {
    let rig = Rig::told().await;
    rig.faults(json!({ "refuse_units": [12] }));
    rig.edit("delete from project_rent_roll_units where id = 12").await;
    rig.plan().await;
    rig.deliver().await;
    rig.no_faults();
    let units = listed(&rig, &["refused", "list"]).await;
    assert_eq!(
        (&units[0]["unit_id"], &units[0]["what"]),
        (&json!(12), &json!("removal"))
    );
    ok(relay(&rig, &["refused", "retry", "12"])).await;
    ok(relay(&rig, &["once"])).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn what_is_invalid_is_listed_apart_and_cannot_be_retried() {
    let rig = Rig::told().await;
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 13")
        .await;
    rig.settle().await;
    assert_eq!(listed(&rig, &["refused", "list"]).await, [] as [Value; 0]);
    let people = ok(relay(&rig, &["refused", "list"])).await;
    assert!(
        people.contains("1 more left out") && people.contains("--invalid"),
        "{people}"
    );
    let invalid = listed(&rig, &["refused", "list", "--invalid"]).await;
    assert_eq!((invalid.len(), &invalid[0]["unit_id"]), (1, &json!(13)));
    refused(
        relay(&rig, &["refused", "retry", "13"]),
        2,
        &["13", "put right in the source"],
    )
    .await;
}

#[tokio::test]
async fn a_retry_of_a_paused_property_says_when_it_will_be_told() {
    let rig = with_refused_units().await;
    ok(relay(&rig, &["feeds", "pause", "1"])).await;
    let done = ok(relay(&rig, &["refused", "retry", "--all"])).await;
    assert!(done.contains("2 units") && done.contains("feeds resume 1"), "{done}");
    assert!(!done.contains("feeds resume 2"), "{done}");
}

#[tokio::test]
async fn a_retry_needs_a_refused_unit_and_where_there_is_a_choice_a_receiver() {
    let rig = with_refused_units().await;
    refused(
        relay(&rig, &["refused", "retry", "999"]),
        2,
        &["999", "not refused", "refused list"],
    )
    .await;
    refused(relay(&rig, &["refused", "retry", "12"]), 2, &["12", "not refused"]).await;
    refused(relay(&rig, &["refused", "retry"]), 2, &["UNIT_ID"]).await;
    refused(relay(&rig, &["refused", "retry", "11", "--all"]), 2, &["--all"]).await;
    refused(relay(&rig, &["refused", "list", "--receiver", "nope"]), 2, &["nope"]).await;
    let of_two = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:1/");
        command
    };
    refused(of_two(&["refused", "retry", "11"]), 2, &["main, other", "--receiver"]).await;
    refused(
        of_two(&["refused", "retry", "11", "--receiver", "other"]),
        2,
        &["other"],
    )
    .await;
    ok(of_two(&["refused", "retry", "11", "--receiver", "main"])).await;
}

#[tokio::test]
async fn alerts_are_listed_until_they_are_acknowledged() {
    let rig = Rig::told().await;
    for _ in 0..2 {
        rig.faults(json!({ "status": 400, "property_id": 1, "times": 1 }));
        rig.edit("update project_rent_roll_units set price = price + 1 where id = 11")
            .await;
        rig.settle().await;
    }
    let open = listed(&rig, &["alerts", "list"]).await;
    let rejected = open.iter().find(|alert| alert["kind"] == "rejected").expect("rejected");
    assert_eq!(
        (&rejected["receiver"], &rejected["property_id"], &rejected["times"]),
        (&json!("main"), &json!(1), &json!(2))
    );
    assert!(rejected.get("acked_at").is_none(), "{rejected}");
    let id = rejected["id"].to_string();
    ok(relay(&rig, &["alerts", "ack", &id])).await;
    assert_eq!(listed(&rig, &["alerts", "list"]).await.len(), open.len() - 1);
    let all = listed(&rig, &["alerts", "list", "--all"]).await;
    assert_eq!(all.len(), open.len());
    assert_eq!(all.iter().filter(|alert| alert["acked_at"].is_string()).count(), 1);

    refused(relay(&rig, &["alerts", "ack", &id]), 2, &[&id, "not open"]).await;
    refused(relay(&rig, &["alerts", "ack", "999"]), 2, &["no alert 999"]).await;
    refused(relay(&rig, &["alerts", "ack"]), 2, &["ID"]).await;
    refused(relay(&rig, &["alerts", "list", "--receiver", "nope"]), 2, &["nope"]).await;
}

#[tokio::test]
async fn all_alerts_are_acknowledged_at_once_of_the_receiver_that_is_meant() {
    let rig = Rig::told().await;
    rig.edit(
        "insert into rentsync.receiver (receiver) values ('other');
         insert into rentsync.alert (kind, receiver, property_id, message, raised_at, last_at)
         values ('rejected', 'main', 1, 'one', now(), now()), ('rejected', 'main', 2, 'two', now(), now()),
                ('plan', 'other', null, 'three', now(), now())",
    )
    .await;
    let of_two = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:1/");
        command
    };
    refused(of_two(&["alerts", "ack", "--all"]), 2, &["main, other", "--receiver"]).await;
    let done = ok(of_two(&["alerts", "ack", "--all", "--receiver", "main"])).await;
    assert!(done.contains("2 alerts acknowledged"), "{done}");
    let left = listed(&rig, &["alerts", "list"]).await;
    assert_eq!((left.len(), &left[0]["receiver"]), (1, &json!("other")));
    ok(relay(&rig, &["alerts", "ack", "--all"])).await;
    let none = ok(relay(&rig, &["alerts", "list"])).await;
    assert!(none.contains("no open alerts"), "{none}");
}
