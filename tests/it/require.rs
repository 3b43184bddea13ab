//! What a receiver requires: a unit that fails is not sent, is listed with every reason, and is sent once it is right.

use std::path::Path;
use std::time::Duration;

use rentsync_relay::config::{Config, Receiver, Requirements};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

/// As they stand in a settings file.
fn receiver(settings: &str) -> Receiver {
    let text = format!("[receivers.main]\nurl = 'http://127.0.0.1:9/'\n{settings}");
    let config = Config::parse(Some(&text), Path::new("relay.toml"), &[]).expect("settings");
    config.receivers["main"].clone()
}

fn require(settings: &str) -> Requirements {
    receiver(&format!("[receivers.main.require]\n{settings}")).require
}

async fn requiring(settings: &str) -> Rig {
    let rig = Rig::agreeing(TestDatabase::installed().await, receiver(settings)).await;
    rig.fill().await;
    rig
}

/// Unit, and why.
async fn invalid(rig: &Rig) -> Vec<(i64, String)> {
    sqlx::query_as("select unit_id, withheld_because from rentsync.ledger where withheld = 'invalid' order by unit_id")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("invalid units")
}

async fn open_alerts(rig: &Rig) -> Vec<(String, i32, String)> {
    sqlx::query_as("select kind, times, message from rentsync.alert where acked_at is null order by alert_id")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("alerts")
}

async fn listed(command: Command) -> Vec<Value> {
    let output = output(command).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

#[tokio::test]
async fn a_unit_that_fails_is_not_sent_and_holds_nothing_up() {
    let rig = requiring("require.base_rent = { max = 2200 }\nrequire.view = { length_max = 4 }").await;
    rig.edit(
        "update project_rent_roll_units set price = 9000, view = 'secret lake', lead_first_name = 'Wilhelmina' where id = 22",
    )
    .await;
    rig.settle().await;
    let held: Vec<Vec<i64>> = [1, 2]
        .map(|id| rig.sandbox.property(id).unwrap().units.keys().copied().collect())
        .into();
    assert_eq!(held, [vec![11, 12, 13], vec![21]]);
    assert_eq!(
        invalid(&rig).await,
        [
            (
                22,
                "base_rent is more than 2200; view is longer than 4 characters".to_owned()
            ),
            (23, "base_rent is more than 2200".to_owned())
        ]
    );
    let units = listed(relay(&rig, &["refused", "list", "--invalid", "--json"])).await;
    let listed: Vec<_> = units
        .iter()
        .map(|unit| (&unit["receiver"], &unit["property_id"], &unit["unit_id"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!("main"), &json!(2), &json!(22)),
            (&json!("main"), &json!(2), &json!(23))
        ]
    );
    let because = "base_rent is more than 2200; view is longer than 4 characters";
    assert_eq!(units[0]["because"], because);
    let listed = said(&output(relay(&rig, &["refused", "list", "--invalid"])).await);
    let everything = format!("{listed}{:?}", open_alerts(&rig).await);
    for value in ["9000", "secret lake", "Wilhelmina"] {
        assert!(!everything.contains(value), "{everything}");
    }
    refused(
        relay(&rig, &["refused", "retry", "22"]),
        2,
        &["22", "put right in the source"],
    )
    .await;
}

#[tokio::test]
async fn it_stays_as_it_was_sent_and_is_sent_as_soon_as_it_is_right_again() {
    let rig = requiring("require.base_rent = { min = 1000 }").await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [], "nothing to send");
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], 1100.0);
    rig.edit("update rentsync.feed set snapshot_due = 'test' where property_id = 1")
        .await;
    rig.settle().await;
    assert_eq!(rig.bodies(1).await.last().unwrap()["keep"], json!([11]));
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], 1100.0, "kept");
    rig.sandbox.clear_log();
    rig.edit("update project_rent_roll_units set price = 1001 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)]);
    assert_eq!(invalid(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn stricter_settings_withhold_what_fails_and_relaxed_ones_send_it() {
    let mut rig = Rig::delivered().await;
    rig.receiver.require = require("base_rent = { min = 1250 }\nunit_code = { required = true }");
    rig.edit("insert into project_rent_roll_units (id, project_id, price) values (14, 1, 1)")
        .await;
    rig.settle().await;
    let reasons: Vec<_> = invalid(&rig)
        .await
        .into_iter()
        .map(|(unit_id, because)| (unit_id, because.len()))
        .collect();
    let (low, both) = (
        "base_rent is less than 1250".len(),
        "unit_code is missing; base_rent is less than 1250".len(),
    );
    assert_eq!(reasons, [(11, low), (12, low), (14, both)]);
    assert_eq!(rig.requests(), [], "what was sent stays");

    rig.receiver.require = require("base_rent = { min = 1150 }");
    rig.settle().await;
    assert_eq!(invalid(&rig).await.len(), 2);
    assert_eq!(rig.requests(), [], "unit 12 is at the receiver as it is");
    rig.receiver.require = Requirements::default();
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)], "unit 14 alone");
    assert_eq!(invalid(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn what_the_receiver_would_see_is_checked() {
    let rig = requiring(
        "unit_codes.prefix = 'AB-'\nunit_codes.map = { 12 = 'PH' }\n\
         require.unit_code = { length_min = 5 }\nrequire.is_available = { required = true }",
    )
    .await;
    rig.settle().await;
    assert_eq!(
        invalid(&rig).await,
        [(12, "unit_code is shorter than 5 characters".to_owned())]
    );
}

#[tokio::test]
async fn one_alert_says_that_there_are_invalid_units_until_there_are_none() {
    let rig = requiring("require.base_rent = { min = 1000 }").await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, []);
    rig.edit("update project_rent_roll_units set price = 1 where id in (11, 21)")
        .await;
    rig.settle().await;
    let open = open_alerts(&rig).await;
    let (kind, _, message) = &open[0];
    assert_eq!((open.len(), kind.as_str()), (1, "invalid"));
    assert!(
        message.starts_with("2 units of 2 properties can't be sealed") && message.contains("refused list --invalid"),
        "{message}"
    );

    let times = open[0].1;
    rig.edit("update project_rent_roll_units set price = 2, view = 'x' where id = 11")
        .await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set price = 1500 where id = 21")
        .await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await[0].1, times, "no news");
    rig.edit("update project_rent_roll_units set price = 2 where id = 12")
        .await;
    rig.settle().await;
    let open = open_alerts(&rig).await;
    assert!(
        open[0].1 == times + 1 && open[0].2.starts_with("2 units of 1 property "),
        "{open:?}"
    );

    rig.edit("delete from project_rent_roll_units where id = 11; update project_rent_roll_units set price = 1200 where id = 12").await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn where_keep_cannot_be_sent_an_invalid_unit_stays_all_the_same() {
    let rig = requiring("extensions = false\nremoved = 'unavailable'\nrequire.base_rent = { min = 1000 }").await;
    rig.settle().await;
    rig.edit(
        "update project_rent_roll_units set price = 1 where id = 11; update rentsync.feed set snapshot_due = 'test'",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], 1100.0);
    rig.edit("update project_rent_roll_units set price = 1001 where id = 11")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_invalid_unit_may_still_go() {
    let rig = requiring("require.base_rent = { min = 1000 }").await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where id = 11").await;
    rig.settle().await;
    assert_eq!(invalid(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_unit_whose_request_is_in_doubt_is_sent_again_once_it_is_right() {
    let rig = requiring("require.base_rent = { min = 1000 }").await;
    rig.settle().await;
    rig.faults(json!({ "drop_after_apply": 5, "property_id": 1 }));
    rig.edit("update project_rent_roll_units set price = 1101 where id = 11")
        .await;
    rig.plan().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    for _ in 0..5 {
        rig.deliver().await;
        rig.pass(Duration::from_secs(15 * 60));
    }
    rig.no_faults();
    rig.settle().await;
    assert_eq!(invalid(&rig).await.len(), 1);
    rig.edit("update project_rent_roll_units set price = 1100 where id = 11")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn the_settings_are_read_and_verify_lists_what_they_withhold() {
    let rig = Rig::delivered().await;
    let with = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__MAIN__REQUIRE", "{ base_rent = { min = 1150 } }");
        command
    };
    assert_eq!(
        output(with(&["once"])).await.status.code(),
        Some(0),
        "what is withheld is no failure"
    );
    let found = listed(with(&["verify", "--json"])).await;
    let found: Vec<_> = found
        .iter()
        .map(|finding| (&finding["unit_id"], &finding["finding"], &finding["because"]))
        .collect();
    assert_eq!(
        found,
        [(&json!(11), &json!("invalid"), &json!("base_rent is less than 1150"))]
    );
    let mut unknown = relay(&rig, &["once"]);
    unknown.env("RELAY_RECEIVERS__MAIN__REQUIRE__BAS_RENT__MIN", "1");
    refused(
        unknown,
        2,
        &[
            "receivers.main.require.bas_rent",
            "did you mean receivers.main.require.base_rent?",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_preset_withholds_what_a_network_would_refuse_until_it_is_right() {
    let rig = requiring("require.preset = 'ils'").await;
    rig.edit("update project_rent_roll_units set price = 1000, bedrooms = 0, bathrooms = 1; update projects set full_address = 'Main Street 1'")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
    rig.edit(
        "update project_rent_roll_units set price = 0 where id = 11; update project_rent_roll_units set bathrooms = null where id = 12;
         update projects set full_address = ' ' where id = 2",
    )
    .await;
    rig.settle().await;
    let address = "the property's address is missing";
    let expected = [
        (11, "base_rent is less than 0.01"),
        (12, "bathrooms is missing"),
        (21, address),
        (22, address),
        (23, address),
    ];
    assert_eq!(invalid(&rig).await, expected.map(|(unit, why)| (unit, why.to_owned())));
    rig.edit(
        "update project_rent_roll_units set price = 900.5, bathrooms = 2 where id in (11, 12);
         update projects set full_address = 'Main Street 2' where id = 2",
    )
    .await;
    rig.settle().await;
    assert_eq!(invalid(&rig).await, []);
    rig.assert_equal().await;
}
