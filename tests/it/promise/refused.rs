//! What is refused is tried again by itself, whatever else withholds it meanwhile, and costs a bounded number of requests.

use std::time::Duration;

use rentsync_relay::config::{Batch, Format};
use serde_json::json;

use super::receivers::{MINUTE, delivered, pass, work};
use crate::support::rig::Rig;

async fn refused(rig: &Rig) -> i64 {
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused'";
    rig.source.number(refused).await
}

/// Minutes in which another property has news, so that the receiver is seen to take others.
async fn others_go_on(rig: &Rig, minutes: u32) {
    let mut hands = rig.hands().await;
    for minute in 1..=minutes {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {minute} where project_id = 2"
        ))
        .await;
        pass(&mut hands, rig, 1).await;
    }
}

#[tokio::test]
async fn promise_12_what_was_refused_stays_owed_whatever_withholds_it_next() {
    for (refuse, hide, show) in [
        (
            "update project_rent_roll_units set price = 7 where id = 11",
            "update project_rent_roll_units set price = 'NaN' where id = 11",
            "update project_rent_roll_units set price = 7 where id = 11",
        ),
        (
            "update project_rent_roll_units set price = 7 where project_id = 1",
            "delete from project_rent_roll_units where project_id = 1",
            "insert into project_rent_roll_units (id, project_id, price) select 10 + n, 1, 7 from generate_series(1, 3) n",
        ),
        (
            "delete from project_rent_roll_units where id = 11",
            "insert into project_rent_roll_units (id, project_id, price) values (11, 1, 'NaN')",
            "delete from project_rent_roll_units where id = 11",
        ),
    ] {
        for format in [Format::Property, Format::Unit] {
            let mut rig = Rig::empty().await;
            rig.receiver.format = format;
            if format == Format::Unit {
                rig.receiver.units_per_request_max = 1;
            }
            rig.receiver.guard.feed.units_min = 2;
            rig.agree_anew(|_| {}).await;
            rig.edit(
                "insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true);
                 insert into project_rent_roll_units (id, project_id, price)
                 select 10 * p + n, p, 1000 from generate_series(1, 2) p, generate_series(1, 3) n",
            )
            .await;
            rig.settle().await;
            let objects = |unit_id: i64| json!({ "unit_id": unit_id, "message": "no" });
            let body = json!({ "errors": [objects(11), objects(12), objects(13)] });
            rig.faults(json!({ "status": 200, "body": body.to_string(), "property_id": 1 }));
            rig.edit(refuse).await;
            let mut hands = rig.hands().await;
            work(&mut hands, &rig).await;
            assert!(refused(&rig).await > 0, "{refuse}");
            rig.edit(hide).await;
            work(&mut hands, &rig).await;
            assert_eq!(refused(&rig).await, 0, "{hide}: withheld for another reason");
            rig.no_faults();
            rig.edit(show).await;
            pass(&mut hands, &rig, 31).await;
            rig.assert_equal_but("errors").await;
        }
    }
}

#[tokio::test]
async fn promise_12_a_property_whose_own_fields_are_rejected_rests_and_keeps_no_other_waiting() {
    for status in [400, 404, 503] {
        let rig = delivered(3, Batch::PerProperty).await;
        rig.faults(json!({ "status": status, "property_id": 1 }));
        rig.edit("update projects set name = 'Another' where id = 1").await;
        others_go_on(&rig, 60).await;
        let requests = super::receivers::requests_of(&rig, 1);
        assert!(requests <= 15, "{status}: {requests} requests in an hour");
        let news = super::receivers::requests_of(&rig, 2);
        assert!(news >= 45, "{status}: {news} of 60");
        rig.no_faults();
        others_go_on(&rig, 16).await;
        rig.assert_equal_but(&status.to_string()).await;
    }
}

#[tokio::test]
async fn promise_12_of_many_bad_units_the_good_are_sent_within_minutes() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.edit("insert into project_rent_roll_units (id, project_id, price) select n, 1, 1000 from generate_series(100, 159) n")
        .await;
    rig.settle().await;
    let bad: Vec<i64> = (100..160).filter(|unit_id| unit_id % 2 == 0).collect();
    rig.faults(json!({ "poison_units": bad }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    others_go_on(&rig, 20).await;
    let property = rig.sandbox.property(1).expect("received");
    let sent = (100..160).filter(|unit_id| property.units[unit_id]["base_rent"] == json!(7.0));
    assert_eq!(sent.count(), 30);
    assert_eq!(refused(&rig).await, 30);
}

#[tokio::test]
async fn promise_12_a_search_of_which_nothing_is_left_ends() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.faults(json!({ "status": 400, "property_id": 1 }));
    rig.edit("insert into project_rent_roll_units (id, project_id, price) select n, 1, 1000 from generate_series(100, 129) n")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    let alone = "select count(*) from rentsync.ledger where withheld = 'refused' and bisection is not null";
    assert!(rig.source.number(alone).await > 0);
    // What is left to look in is withheld for another reason.
    rig.edit("update project_rent_roll_units set price = 'NaN' where id in (select unit_id from rentsync.ledger where withheld is null and owed is not null)")
        .await;
    rig.no_faults();
    others_go_on(&rig, 31).await;
    assert_eq!(refused(&rig).await, 0);
}

#[tokio::test]
async fn promise_12_refusals_are_counted_for_as_long_as_it_takes() {
    let mut rig = delivered(1, Batch::PerProperty).await;
    rig.receiver.retry.refused_max = Duration::from_secs(60);
    rig.faults(json!({ "reject_units": [11] }));
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    rig.edit("update rentsync.ledger set refusals = 32766 where unit_id = 11")
        .await;
    pass(&mut hands, &rig, 5).await;
    assert_eq!(refused(&rig).await, 1);
    rig.no_faults();
    pass(&mut hands, &rig, 2).await;
    rig.assert_equal_but("errors").await;
}

#[tokio::test]
async fn promise_13_a_receiver_that_rejects_all_is_probed_by_the_schedule_and_batches_pause_it_soon() {
    let mut rig = delivered(60, Batch::PerProperty).await;
    rig.receiver.breaker.probe_every = 15 * MINUTE;
    rig.faults(json!({ "status": 400 }));
    super::receivers::touch(&rig, 7).await;
    let mut hands = rig.hands().await;
    pass(&mut hands, &rig, 120).await;
    let requests = rig.sandbox.syncs().len();
    assert!(requests <= 60, "{requests} requests in two hours");

    let mut rig = delivered(64, Batch::AllProperties).await;
    rig.receiver.units_per_request_max = 6;
    rig.faults(json!({ "status": 400 }));
    super::receivers::touch(&rig, 7).await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    let requests = rig.sandbox.syncs().len();
    assert!(requests <= 30, "{requests} requests before it is paused");
    rig.no_faults();
    pass(&mut hands, &rig, 31).await;
    rig.assert_equal_but("400").await;
}
