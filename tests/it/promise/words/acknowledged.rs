//! Numbers and lists say what the receiver acknowledged, what it did not, and what is over.

use std::time::Duration;

use serde_json::json;

use super::{json as listed, ok, run, says};
use crate::process::relay;
use crate::receiver::stub::{Stub, answer};
use crate::support::rig::Rig;

const OPEN: &str = "select count(*) from rentsync.alert where acked_at is null";

async fn open_alerts(rig: &Rig) -> Vec<String> {
    sqlx::query_scalar("select kind from rentsync.alert where acked_at is null order by kind")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("alerts")
}

#[tokio::test]
async fn promise_20_once_counts_what_was_acknowledged() {
    let rig = Rig::new().await;
    rig.faults(json!({ "status": 503, "times": 1 }));
    let (code, out, err) = run(relay(&rig, &["once"])).await;
    assert_eq!(code, Some(1), "{out}{err}");
    says(
        &out,
        &["3 units acknowledged, 1 sync delivered, 1 try failed"],
        &["told"],
    );
    says(
        &err,
        &["1 feed has something undelivered", "3 units are not acknowledged"],
        &["feeds have"],
    );

    let rig = Rig::delivered().await;
    rig.faults(json!({ "reject_units": [11] }));
    rig.edit("update project_rent_roll_units set price = price + 1 where id in (11, 12)")
        .await;
    let (code, out, err) = run(relay(&rig, &["once"])).await;
    assert_eq!(code, Some(0), "a refused unit is listed, and no failure: {out}{err}");
    says(
        &out,
        &["1 unit acknowledged", "1 unit is withheld, see `refused list`"],
        &["2 units"],
    );
}

#[tokio::test]
async fn promise_20_stale_says_who_has_which_number() {
    let rig = Rig::delivered().await;
    let stub = Stub::answering(|_, _| answer(200, &[], r#"{"status":"stale","sequence":4800}"#)).await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    let mut once = relay(&rig, &["once"]);
    once.env("RELAY_RECEIVERS__MAIN__URL", &stub.url);
    let (code, out, err) = run(once).await;
    assert_eq!(code, Some(1), "{out}{err}");
    says(&err, &["stale", "4800"], &["not delivered: the receiver answered 200"]);
    let explained = ok(&rig, &["explain", "11"]).await;
    says(&explained, &["stale, the receiver has a later sequence"], &[]);
}

#[tokio::test]
async fn promise_20_alerts_are_over_when_all_is_well() {
    let mut rig = Rig::delivered().await;
    rig.receiver.retry.schedule = vec![Duration::from_secs(1)];
    let edit = "update project_rent_roll_units set price = price + 1 where id in (11, 12)";

    rig.faults(json!({ "reject_units": [11] }));
    rig.edit(edit).await;
    rig.settle().await;
    assert_eq!(
        open_alerts(&rig).await,
        ["refused"],
        "it stands while the unit is refused"
    );
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = price + 1 where id = 12")
        .await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(open_alerts(&rig).await, ["refused"], "another unit says nothing of it");
    rig.edit("update project_rent_roll_units set price = price + 1 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);

    rig.faults(json!({ "status": 400, "times": 1 }));
    rig.edit(edit).await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(open_alerts(&rig).await, ["rejected"]);
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);

    rig.faults(json!({ "status": 503, "times": 2 }));
    rig.edit(edit).await;
    rig.plan().await;
    rig.deliver().await;
    rig.pass(Duration::from_secs(2));
    rig.deliver().await;
    assert_eq!(open_alerts(&rig).await, ["exhausted"]);
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
}

#[tokio::test]
async fn promise_20_alerts_about_numbers_and_digests_are_over_with_the_next_that_are_right() {
    let rig = Rig::delivered().await;
    let edit = "update project_rent_roll_units set price = price + 1 where id in (11, 21)";
    for (fault, kind) in [
        (
            json!({ "stale": 9_000_000_000_000_000_i64, "property_id": 1, "times": 1 }),
            "stale",
        ),
        (
            json!({ "digest": "ab".repeat(32), "property_id": 1, "times": 1 }),
            "digest_mismatch",
        ),
    ] {
        rig.faults(fault);
        rig.edit(edit).await;
        rig.plan().await;
        rig.deliver().await;
        assert_eq!(
            open_alerts(&rig).await,
            [kind],
            "another property's answer does not end it"
        );
        rig.settle().await;
        assert_eq!(open_alerts(&rig).await, [] as [String; 0], "{kind}");
        rig.assert_equal().await;
    }
    rig.faults(json!({ "digest": "ab".repeat(32), "property_id": 1 }));
    rig.edit(edit).await;
    rig.plan().await;
    rig.deliver().await;
    rig.pass(Duration::from_secs(3_700));
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(
        open_alerts(&rig).await,
        ["digest_mismatch"],
        "an acknowledgement with another digest does not end it"
    );
}

#[tokio::test]
async fn promise_20_an_alert_about_a_refused_unit_is_over_when_the_unit_goes() {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "reject_units": [14] }));
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '14')")
        .await;
    rig.settle().await;
    assert_eq!(open_alerts(&rig).await, ["refused"]);
    rig.edit("delete from project_rent_roll_units where id = 14").await;
    rig.settle().await;
    assert_eq!(rig.source.number(OPEN).await, 0);
}

#[tokio::test]
async fn promise_20_an_alert_about_a_batch_is_over_when_its_halves_are_acknowledged() {
    let mut rig = Rig::delivered().await;
    rig.agree_anew(|receiver| receiver.batch = rentsync_relay::config::Batch::AllProperties)
        .await;
    rig.faults(json!({ "status": 400, "times": 1 }));
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(open_alerts(&rig).await, ["rejected"]);
    rig.settle().await;
    assert_eq!(rig.source.number(OPEN).await, 0);
}

#[tokio::test]
async fn promise_20_a_property_that_is_inactive_counts_as_removed() {
    let rig = Rig::delivered().await;
    rig.edit("update projects set is_actived = false where id = 2").await;
    rig.settle().await;
    let verified = ok(&rig, &["verify"]).await;
    says(
        &verified,
        &["6 units of 2 properties compared: 3 equal, 3 removed, 0 waiting, 0 withheld, 0 drifted"],
        &[],
    );
    let replayed = listed(&rig, &["replay", "--since", "1h", "--dry-run"]).await;
    let of_two = replayed.iter().find(|row| row["property_id"] == 2).expect("property 2");
    assert_eq!(
        (&of_two["units"], &of_two["removals"], &of_two["snapshot"]),
        (&json!(0), &json!(3), &json!(false))
    );
    let of_one = replayed.iter().find(|row| row["property_id"] == 1).expect("property 1");
    assert_eq!((&of_one["units"], &of_one["removals"]), (&json!(3), &json!(0)));

    // The same where nobody was warned of it yet.
    rig.edit("update projects set is_actived = false where id = 1").await;
    let planned = listed(&rig, &["replay", "--since", "1h", "--dry-run", "--property", "1"]).await;
    assert_eq!((&planned[0]["units"], &planned[0]["removals"]), (&json!(0), &json!(3)));
}

#[tokio::test]
async fn promise_20_verify_prints_twenty_lines_of_each_kind() {
    let rig = Rig::delivered().await;
    rig.edit(
        "insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id)
         select 100 + n, 1, 'N' || n, 1 from generate_series(1, 1030) n",
    )
    .await;
    let verified = ok(&rig, &["verify", "--property", "1"]).await;
    let lines = verified.lines().filter(|line| line.contains(": waiting: ")).count();
    assert_eq!(lines, 20, "{verified}");
    says(
        &verified,
        &["and 1,010 more waiting", "of 1 property compared"],
        &["1 properties"],
    );
    assert_eq!(
        listed(&rig, &["verify", "--property", "1"]).await.len(),
        1030,
        "complete"
    );
}

#[tokio::test]
async fn promise_20_one_is_singular() {
    let rig = Rig::delivered().await;
    let replayed = ok(&rig, &["replay", "--since", "1h", "--dry-run", "--property", "1"]).await;
    says(
        &replayed,
        &["1 property: 3 units, 0 removals, 1 snapshot\n"],
        &["1 properties"],
    );
    let begun = ok(&rig, &["snapshot", "--property", "1", "--no-wait"]).await;
    says(&begun, &["1 feed is due a snapshot"], &["1 feeds"]);
}

#[tokio::test]
async fn promise_20_feeds_have_the_names_of_their_properties() {
    let rig = Rig::delivered().await;
    rig.edit(
        r"update projects set name = E'Two\x1b[31m\nLines' where id = 2; update projects set name = null where id = 1",
    )
    .await;
    let feeds = listed(&rig, &["feeds", "list"]).await;
    assert_eq!(feeds[0]["name"], json!(null));
    assert_eq!(feeds[1]["name"], "Two\u{1b}[31m\nLines", "JSON has it as it is");
    let table = ok(&rig, &["feeds", "list"]).await;
    assert_eq!(table.lines().count(), 3, "{table}");
    says(&table, &["Two [31m Lines"], &["\u{1b}"]);

    rig.edit("drop table projects cascade").await;
    let (code, out, err) = run(relay(&rig, &["feeds", "list"])).await;
    assert_eq!(code, Some(0), "a name is a help and no more: {err}");
    assert_eq!(out.lines().count(), 3, "{out}");
    says(&err, &["names of properties could not be read"], &[]);
}
