//! Two units of one property with the same code: both are sent, and a person is warned of them.

use std::path::Path;

use rentsync_relay::config::{Config, Field, RemovedAs};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

type Alert = (String, Option<i64>, i32, String);

async fn open_alerts(rig: &Rig) -> Vec<Alert> {
    sqlx::query_as(
        "select kind, property_id, times, message from rentsync.alert where acked_at is null order by kind, property_id",
    )
    .fetch_all(&mut rig.source.connect().await)
    .await
    .expect("alerts")
}

/// Property, code, units.
async fn flagged(rig: &Rig) -> Vec<(i64, String, Vec<i64>)> {
    sqlx::query_as(
        "select property_id, unit_code, unit_ids from rentsync.duplicate join rentsync.feed using (feed_id)
          order by property_id, unit_code",
    )
    .fetch_all(&mut rig.source.connect().await)
    .await
    .expect("flagged codes")
}

async fn listed(command: Command) -> Vec<Value> {
    let output = output(command).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

async fn duplicates(rig: &Rig) -> Vec<Value> {
    listed(relay(rig, &["refused", "list", "--duplicates", "--json"])).await
}

#[tokio::test]
async fn both_are_sent_and_flagged_until_it_ends() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set unit_code = '11' where id = 12")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)], "both are at the receiver");
    assert_eq!(flagged(&rig).await, [(1, "11".to_owned(), vec![11, 12])]);
    let alerts = open_alerts(&rig).await;
    let (kind, property_id, times, message) = &alerts[0];
    assert_eq!(
        (alerts.len(), kind.as_str(), *property_id, *times),
        (1, "duplicate", Some(1), 1)
    );
    assert!(message.starts_with("units 11, 12 have the same unit code"), "{message}");

    rig.edit("update project_rent_roll_units set unit_code = '12' where id = 12")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
    assert_eq!(open_alerts(&rig).await, []);
    assert_eq!(duplicates(&rig).await, [] as [Value; 0]);
}

#[tokio::test]
async fn they_are_listed_with_what_differs_between_them_and_no_leads_name() {
    let rig = Rig::delivered().await;
    rig.edit(
        "update project_rent_roll_units set unit_code = '11', price = 1234, view = 'Lake' where id = 12;
         update project_rent_roll_units set view = 'Lake', lead_first_name = 'Wilhelmina', lead_last_name = 'Doe' where id = 11;
         update project_rent_roll_units set unit_code = '21' where id = 23",
    )
    .await;
    rig.settle().await;
    let units = duplicates(&rig).await;
    let brief: Vec<_> = units
        .iter()
        .map(|unit| (&unit["property_id"], &unit["unit_code"], &unit["unit_id"]))
        .collect();
    assert_eq!(
        brief,
        [
            (&json!(1), &json!("11"), &json!(11)),
            (&json!(1), &json!("11"), &json!(12)),
            (&json!(2), &json!("21"), &json!(21)),
            (&json!(2), &json!("21"), &json!(23)),
        ]
    );
    assert_eq!(
        (&units[0]["receiver"], units[0]["since"].is_string()),
        (&json!("main"), true)
    );
    assert_eq!(
        units[0]["fields"],
        json!([
            { "field": "base_rent", "value": 1100.0 },
            { "field": "lead_first_name" },
            { "field": "lead_last_name" },
        ])
    );
    assert_eq!(
        units[1]["fields"],
        json!([
            { "field": "base_rent", "value": 1234.0 },
            { "field": "lead_first_name" },
            { "field": "lead_last_name" },
        ])
    );
    let people = said(&output(relay(&rig, &["refused", "list", "--duplicates"])).await);
    assert!(
        people.contains("base_rent 1234.0, lead_first_name, lead_last_name"),
        "{people}"
    );
    let mentioned = said(&output(relay(&rig, &["refused", "list"])).await);
    assert!(
        mentioned.contains("2 codes are carried by several units"),
        "{mentioned}"
    );
    for said in [
        people,
        mentioned,
        format!("{units:?}"),
        format!("{:?}", open_alerts(&rig).await),
    ] {
        assert!(!said.contains("Wilhelmina") && !said.contains("Doe"), "{said}");
    }
    refused(
        relay(&rig, &["refused", "list", "--duplicates", "--invalid"]),
        2,
        &["--invalid"],
    )
    .await;
    refused(
        relay(&rig, &["refused", "list", "--duplicates", "--receiver", "nope"]),
        2,
        &["nope"],
    )
    .await;
}

#[tokio::test]
async fn the_first_plan_finds_them_and_so_does_a_snapshot() {
    let rig = Rig::new().await;
    rig.edit("update project_rent_roll_units set unit_code = '1'").await;
    rig.settle().await;
    let both = [
        (1, "1".to_owned(), vec![11, 12, 13]),
        (2, "1".to_owned(), vec![21, 22, 23]),
    ];
    assert_eq!(flagged(&rig).await, both);
    let properties: Vec<_> = open_alerts(&rig)
        .await
        .into_iter()
        .map(|(_, property_id, ..)| property_id)
        .collect();
    assert_eq!(properties, [Some(1), Some(2)], "one a property");

    rig.edit(
        "begin; alter table project_rent_roll_units disable trigger user;
         update project_rent_roll_units set unit_code = id::text;
         update project_rent_roll_units set unit_code = '13', price = 'NaN' where id = 12;
         alter table project_rent_roll_units enable trigger user; commit;
         update rentsync.feed set snapshot_due = 'test'",
    )
    .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, [(1, "13".to_owned(), vec![12, 13])]);
}

#[tokio::test]
async fn a_code_that_says_nothing_is_no_code() {
    let rig = Rig::delivered().await;
    rig.edit(
        "update project_rent_roll_units set unit_code = null where project_id = 1;
         update project_rent_roll_units set unit_code = E' \\t' where project_id = 2",
    )
    .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
}

#[tokio::test]
async fn one_code_in_two_properties_is_none_of_ours() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set unit_code = '11' where id = 21")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
}

#[tokio::test]
async fn codes_are_compared_as_the_receiver_is_sent_them() {
    let mut rig = Rig::delivered().await;
    rig.receiver.unit_codes.prefix = "A-".into();
    rig.receiver.unit_codes.map = [(12, "A-11".to_owned())].into();
    rig.settle().await;
    assert_eq!(flagged(&rig).await, [(1, "A-11".to_owned(), vec![11, 12])]);
    rig.edit("update project_rent_roll_units set unit_code = '12' where id = 13")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await.len(), 1, "unit 12 has another code there");
    rig.receiver.unit_codes.map.clear();
    rig.settle().await;
    assert_eq!(flagged(&rig).await, [(1, "A-12".to_owned(), vec![12, 13])]);
    rig.receiver.fields = rig.receiver.fields.without(Field::UnitCode);
    rig.plan().await;
    assert_eq!(flagged(&rig).await, [], "it is sent no codes");
    assert_eq!(open_alerts(&rig).await, []);
}

#[tokio::test]
async fn it_ends_when_one_goes_or_the_property_does() {
    let rig = Rig::new().await;
    rig.edit("update project_rent_roll_units set unit_code = '1'").await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where id = 11; update project_rent_roll_units set project_id = 1 where id = 23")
        .await;
    rig.settle().await;
    let now = [(1, "1".to_owned(), vec![12, 13, 23]), (2, "1".to_owned(), vec![21, 22])];
    assert_eq!(flagged(&rig).await, now);
    rig.edit(
        "delete from project_rent_roll_units where id in (12, 13); update projects set is_actived = false where id = 2",
    )
    .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
    assert_eq!(
        open_alerts(&rig)
            .await
            .iter()
            .filter(|(kind, ..)| kind == "duplicate")
            .count(),
        0
    );
}

#[tokio::test]
async fn a_property_that_the_receiver_is_not_sent_has_none() {
    let mut receiver = Rig::receiver();
    receiver.removed = RemovedAs::Unavailable;
    let rig = Rig::agreeing(TestDatabase::installed().await, receiver).await;
    rig.fill().await;
    rig.settle().await;
    rig.edit("update projects set is_actived = false where id = 2").await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set unit_code = '1' where project_id = 2")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
}

#[tokio::test]
async fn what_is_known_is_not_said_again_and_what_joins_is() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set unit_code = '11' where id = 12")
        .await;
    rig.settle().await;
    rig.edit("update rentsync.feed set snapshot_due = 'test'; update rentsync.alert set acked_at = last_at")
        .await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, [], "acknowledged, and no more than before");
    rig.edit("update project_rent_roll_units set unit_code = '11' where id = 13")
        .await;
    rig.settle().await;
    let alerts = open_alerts(&rig).await;
    assert!(alerts[0].3.starts_with("units 11, 12, 13 have"), "{alerts:?}");
}

#[tokio::test]
async fn a_unit_that_is_not_sent_yet_carries_its_code_all_the_same() {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 1;
    rig.edit(
        "update project_rent_roll_units set unit_code = '11', price = 'NaN' where id = 12;
         insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '14'), (15, 1, '14'), (16, 1, '16')",
    )
    .await;
    rig.plan().await;
    let both = [(1, "11".to_owned(), vec![11, 12]), (1, "14".to_owned(), vec![14, 15])];
    assert_eq!(
        flagged(&rig).await,
        both,
        "invalid, and beyond the limit of one request"
    );
    // Before it was ever sent as 14.
    rig.edit("update project_rent_roll_units set unit_code = '16' where id = 15")
        .await;
    rig.settle().await;
    let now = [(1, "11".to_owned(), vec![11, 12]), (1, "16".to_owned(), vec![15, 16])];
    assert_eq!(flagged(&rig).await, now);
    let units = duplicates(&rig).await;
    assert_eq!(
        units[1]["fields"][0],
        json!({ "field": "base_rent", "value": null }),
        "{units:?}"
    );
}

#[tokio::test]
async fn a_code_that_is_undone_before_it_was_sent_is_no_news_for_long() {
    let mut rig = Rig::delivered().await;
    rig.receiver.units_per_request_max = 1;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11; update project_rent_roll_units set unit_code = '12' where id = 13")
        .await;
    rig.plan().await;
    assert_eq!(flagged(&rig).await, [(1, "12".to_owned(), vec![12, 13])]);
    rig.edit("update project_rent_roll_units set unit_code = '13' where id = 13")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_edit_that_moves_no_code_looks_at_none() {
    let rig = Rig::delivered().await;
    // What was noted by nobody stays as long as nobody looks.
    rig.edit(
        "insert into rentsync.duplicate select feed_id, 'planted', '{1, 2}', now() from rentsync.feed;
         update project_rent_roll_units set price = price + 1",
    )
    .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await.len(), 2);
    rig.edit("update project_rent_roll_units set unit_code = 'x' where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(flagged(&rig).await, [(2, "planted".to_owned(), vec![1, 2])]);
}

#[tokio::test]
async fn each_receiver_has_its_own() {
    let rig = Rig::delivered().await;
    let text = "[receivers.other]\nurl = 'http://127.0.0.1:9/'\nunit_codes.map = { 12 = '11' }";
    let config = Config::parse(Some(text), Path::new("relay.toml"), &[]).expect("settings");
    let other = &config.receivers["other"];
    let mut conn = rig.source.connect().await;
    let scope = rentsync_relay::plan::Scope::new(other, &[1]);
    rentsync_relay::plan::register(&mut conn, &scope)
        .await
        .expect("register");
    rentsync_relay::plan::enroll(&mut conn, other, None)
        .await
        .expect("enroll");
    rentsync_relay::plan::plan_batch(&mut conn, &scope, &rig.batch(0))
        .await
        .expect("plan");
    let units = duplicates(&rig).await;
    let brief: Vec<_> = units.iter().map(|unit| (&unit["receiver"], &unit["unit_id"])).collect();
    assert_eq!(brief, [(&json!("other"), &json!(11)), (&json!("other"), &json!(12))]);
    assert_eq!(
        units[0]["fields"],
        json!([]),
        "nobody knows what a receiver without settings would see"
    );
    let mut command = relay(
        &rig,
        &["refused", "list", "--duplicates", "--json", "--receiver", "other"],
    );
    command
        .env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:9/")
        .env("RELAY_RECEIVERS__OTHER__UNIT_CODES__MAP", "{ 12 = '11' }")
        .env(
            "RELAY_RECEIVERS__OTHER__FIELDS",
            "{ include = ['unit_code', 'building'] }",
        );
    assert_eq!(listed(command).await[0]["fields"], json!([]), "it is sent no rent");
    assert_eq!(
        listed(relay(
            &rig,
            &["refused", "list", "--duplicates", "--json", "--receiver", "main"]
        ))
        .await,
        [] as [Value; 0]
    );
}
