//! What a receiver doesn't take: the bad unit is found, everything else arrives.

use std::time::Duration;

use rentsync_relay::config::Batch;
use rentsync_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::support::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);
const UNITS: i64 = 64;

/// One property with many units and one with a few, delivered.
async fn delivered() -> Rig {
    let rig = Rig::new().await;
    rig.edit(&format!(
        "insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price)
         select n, 1, n::text, 1, 1000 from generate_series(100, {}) n",
        99 + UNITS
    ))
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig
}

async fn refused(rig: &Rig) -> Vec<i64> {
    sqlx::query_scalar("select unit_id from rentsync.ledger where withheld = 'refused' order by 1")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .unwrap()
}

/// What there is to do now, and then an edit of another property, which shows that the receiver takes others.
async fn another_is_acknowledged(rig: &Rig) {
    let mut hands = rig.hands().await;
    hands.work(rig).await;
    rig.edit("update project_rent_roll_units set price = 4711 where id in (2, 12)")
        .await;
}

fn rent(rig: &Rig, property_id: i64, unit_id: i64) -> Value {
    rig.sandbox.property(property_id).unwrap().units[&unit_id]["base_rent"].clone()
}

#[tokio::test]
async fn a_unit_that_poisons_its_request_is_found_in_few_requests_and_all_others_arrive() {
    for poison in [100, 131, 99 + UNITS] {
        let rig = delivered().await;
        rig.faults(json!({ "poison_units": [poison] }));
        rig.edit("update project_rent_roll_units set price = 7 where id >= 100 or id = 21")
            .await;
        rig.settle().await;
        assert_eq!(refused(&rig).await, [poison]);
        for unit_id in 100..100 + UNITS {
            let expected = if unit_id == poison { 1000.0 } else { 7.0 };
            assert_eq!(rent(&rig, 1, unit_id), json!(expected), "{unit_id}");
        }
        let (others, about): (Vec<_>, Vec<_>) = rig.requests().into_iter().partition(|request| request.0 == 2);
        assert_eq!(others, [(2, 1, 0, 200)], "the other property has nothing to do with it");
        assert!(about.len() <= 1 + 2 * 6, "{} requests for {UNITS} units", about.len());
        rig.assert_no_complaint_but("400");
    }
}

#[tokio::test]
async fn a_property_sends_its_news_before_the_halves_of_what_was_rejected() {
    let rig = delivered().await;
    rig.faults(json!({ "poison_units": [131] }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    rig.plan().await;
    rig.deliver().await;
    rig.edit("update project_rent_roll_units set price = 8 where id = 11")
        .await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(rent(&rig, 1, 11), json!(8.0), "in the very next request");
    rig.settle().await;
    assert_eq!(refused(&rig).await, [131]);
}

#[tokio::test]
async fn several_poisonous_units_are_all_found() {
    let rig = delivered().await;
    let bad = [100, 101, 140, 150];
    rig.faults(json!({ "poison_units": bad }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, bad);
    assert!(rig.requests().len() <= 1 + 2 * 6 * bad.len());
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = 9 where id in (100, 101, 140, 150)")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [] as [i64; 0], "sent again when they change");
    rig.assert_equal().await;
}

#[tokio::test]
async fn units_that_a_rejection_names_are_refused_and_the_others_sent_at_once() {
    let rig = delivered().await;
    rig.faults(json!({ "refuse_units": [110, 120] }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [110, 120]);
    assert_eq!(rig.requests(), [(1, 62, 0, 200), (1, 64, 0, 400)]);
    assert_eq!(rig.alerts().await, ["rejected", "refused"]);
}

#[tokio::test]
async fn units_that_a_success_leaves_out_are_refused_until_they_change() {
    let rig = delivered().await;
    rig.faults(json!({ "reject_units": [110] }));
    rig.edit("update project_rent_roll_units set price = 7 where id in (110, 111)")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [110]);
    assert_eq!((rent(&rig, 1, 110), rent(&rig, 1, 111)), (json!(1000.0), json!(7.0)));
    rig.edit("update project_rent_roll_units set price = price").await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 2, 0, 200)], "a touch is no change");
    assert_eq!(rig.alerts().await, ["refused"]);
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = 8 where id = 110")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_answer_that_names_what_it_was_not_sent_refuses_nothing_else() {
    let rig = delivered().await;
    let body = json!({ "errors": [{ "unit_id": 11, "message": "not mine" }, { "unit_id": 999, "message": "whose?" }] });
    rig.faults(json!({ "status": 200, "times": 1, "body": body.to_string() }));
    rig.edit("update project_rent_roll_units set price = 7 where id = 110")
        .await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(refused(&rig).await, [] as [i64; 0]);
}

/// Which properties rest because nothing of them is acknowledged.
async fn failing(rig: &Rig) -> Vec<i64> {
    let failing = "select property_id from rentsync.feed where cooldown_because = 'failing' order by property_id";
    let mut conn = rig.source.connect().await;
    sqlx::query_scalar(failing).fetch_all(&mut conn).await.expect("feeds")
}

#[tokio::test]
async fn where_everything_of_a_property_is_rejected_nothing_is_refused_and_the_property_rests() {
    let rig = delivered().await;
    rig.faults(json!({ "status": 400, "property_id": 1 }));
    rig.edit("update project_rent_roll_units set price = 7 where id between 100 and 107 or id = 21")
        .await;
    let mut hands = rig.hands().await;
    hands.work(&rig).await;
    // What was on its way with the first rejection shows nothing; this does.
    rig.edit("update project_rent_roll_units set price = 8 where id = 22")
        .await;
    hands.pass(&rig, 30).await;
    assert_eq!((refused(&rig).await, failing(&rig).await), (vec![], vec![1]));
    assert_eq!(rig.alerts().await, ["rejected", "exhausted"]);
    assert_eq!(rent(&rig, 2, 21), json!(7.0));
    let requests = rig.sandbox.syncs().len();
    hands.pass(&rig, 120).await;
    let requests = rig.sandbox.syncs().len() - requests;
    assert!(requests <= 20, "{requests} requests in two hours");
    rig.no_faults();
    // It rests for half an hour at most.
    hands.pass(&rig, 31).await;
    rig.settle().await;
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn a_property_that_was_never_acknowledged_rests_and_its_unit_is_not_blamed() {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "status": 422, "property_id": 3 }));
    rig.edit("insert into projects (id, name, is_actived) values (3, 'Three', true); insert into project_rent_roll_units (id, project_id) values (31, 3)")
        .await;
    another_is_acknowledged(&rig).await;
    rig.hands().await.pass(&rig, 30).await;
    assert_eq!((refused(&rig).await, failing(&rig).await), (vec![], vec![3]));
    assert_eq!(rig.alerts().await, ["rejected", "exhausted"]);
    rig.no_faults();
    rig.settle().await;
    rig.assert_equal_but("422").await;
}

#[tokio::test]
async fn a_body_too_large_is_bisected_and_nobody_is_refused() {
    let rig = delivered().await;
    rig.faults(json!({ "units_max": 10 }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [] as [i64; 0]);
    rig.assert_equal_but("413").await;
}

#[tokio::test]
async fn what_fails_again_and_again_where_others_are_acknowledged_is_bisected() {
    let rig = delivered().await;
    rig.faults(json!({ "poison_units": [105], "poison_status": 500 }));
    rig.edit("update project_rent_roll_units set price = 7 where id between 100 and 107")
        .await;
    let mut hands = rig.hands().await;
    for price in 0..400 {
        if refused(&rig).await == [105] && rent(&rig, 1, 107) == json!(7.0) {
            break;
        }
        // Another property goes on all the while.
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        hands.work(&rig).await;
        rig.pass(MINUTE);
    }
    assert_eq!(refused(&rig).await, [105]);
    assert_eq!(rent(&rig, 1, 107), json!(7.0));
    assert_eq!(rent(&rig, 1, 105), json!(1000.0));
}

#[tokio::test]
async fn several_properties_in_a_request_are_halved_before_their_units() {
    let mut rig = Rig::empty().await;
    rig.receiver.batch = Batch::AllProperties;
    let agreed = SandboxOptions {
        batch: rentsync_sandbox::Batch::AllProperties,
        ..SandboxOptions::default()
    };
    rig.sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), agreed).await.unwrap();
    rig.receiver.url = rig.sandbox.url().parse().unwrap();
    rig.edit(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, 8) n;
         insert into project_rent_roll_units (id, project_id, price)
         select n, 1 + n % 8, 1000 from generate_series(1, 64) n",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.sandbox.syncs().len(), 1, "all in one request");
    rig.sandbox.clear_log();
    rig.faults(json!({ "poison_units": [9] }));
    rig.edit("update project_rent_roll_units set price = 7").await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [9]);
    // 8 properties in halves, then 8 units in halves, and what is left of each.
    assert!(
        rig.sandbox.syncs().len() <= 1 + 2 * 3 + 1 + 2 * 3,
        "{}",
        rig.sandbox.syncs().len()
    );
}

#[tokio::test]
async fn a_receiver_that_holds_something_else_is_sent_everything_at_most_hourly() {
    let rig = delivered().await;
    rig.faults(json!({ "digest": "ab".repeat(32) }));
    let edit = async |price: i32| {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        let mut hands = rig.hands().await;
        hands.work(&rig).await;
    };
    edit(1).await;
    assert_eq!(
        rig.requests(),
        [(2, 1, 0, 200), (2, 3, 0, 200)],
        "a delta, then a snapshot"
    );
    assert_eq!(rig.sandbox.syncs()[1].sync_type, Some("snapshot"));
    rig.pass(59 * MINUTE);
    edit(2).await;
    assert_eq!(rig.requests().len(), 3, "not so soon again");
    rig.pass(MINUTE);
    edit(3).await;
    assert_eq!(rig.requests().len(), 4);
    assert_eq!(rig.sandbox.syncs()[3].sync_type, Some("snapshot"), "the edit is in it");
    // It was wrong once more, and nobody edits anything.
    rig.pass(59 * MINUTE);
    rig.settle().await;
    assert_eq!(rig.requests().len(), 4, "not so soon");
    rig.no_faults();
    rig.pass(MINUTE);
    rig.settle().await;
    assert_eq!(rig.requests().len(), 5, "sent by itself when the hour is over");
    assert_eq!(rig.sandbox.syncs()[4].sync_type, Some("snapshot"));
    rig.pass(120 * MINUTE);
    rig.settle().await;
    assert_eq!(rig.requests().len(), 5, "and then it is at rest");
    assert_eq!(rig.alerts().await, ["digest_mismatch"]);
}

#[tokio::test]
async fn digests_are_not_compared_while_something_is_refused() {
    let rig = delivered().await;
    rig.faults(json!({ "reject_units": [21] }));
    rig.edit("update project_rent_roll_units set price = 7 where id in (21, 22)")
        .await;
    rig.settle().await;
    assert_eq!(rig.alerts().await, ["refused"]);
}

#[tokio::test]
async fn steady_news_of_a_property_does_not_keep_its_bisection_back() {
    let rig = delivered().await;
    rig.faults(json!({ "poison_units": [131] }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    let mut hands = rig.hands().await;
    hands.round(&rig).await;
    for price in 0..40 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        hands.round(&rig).await;
    }
    assert_eq!(refused(&rig).await, [131]);
    for unit_id in (100..100 + UNITS).filter(|unit_id| *unit_id != 131) {
        assert_eq!(rent(&rig, 1, unit_id), json!(7.0), "{unit_id}");
    }
    rig.settle().await;
    assert_eq!(rent(&rig, 1, 11), json!(39.0));
}

#[tokio::test]
async fn an_outage_of_one_property_alone_blames_nothing_and_a_unit_that_always_fails_is_found_in_the_end() {
    let rig = delivered().await;
    let outage = json!({ "status": 503, "property_id": 1 });
    let minutes = async |rig: &Rig, count: i32| {
        let mut hands = rig.hands().await;
        for minute in 0..count {
            rig.edit(&format!(
                "update project_rent_roll_units set price = {minute} where id = 21"
            ))
            .await;
            hands.work(rig).await;
            rig.pass(MINUTE);
        }
    };
    rig.faults(outage.clone());
    rig.edit("delete from project_rent_roll_units where id = 12").await;
    minutes(&rig, 25).await;
    rig.no_faults();
    minutes(&rig, 10).await;
    assert_eq!(refused(&rig).await, [] as [i64; 0]);
    rig.settle().await;
    rig.assert_equal_but("503").await;

    rig.faults(json!({ "poison_units": [13], "poison_status": 500 }));
    rig.edit("update project_rent_roll_units set price = 1 where id = 13")
        .await;
    minutes(&rig, 60).await;
    assert_eq!(refused(&rig).await, [13], "no sync is sealed for ever");
}

#[tokio::test]
async fn a_bad_first_unit_of_a_property_sent_unit_by_unit_keeps_no_other_back() {
    let mut rig = Rig::empty().await;
    rig.receiver.units_per_request_max = 1;
    rig.faults(json!({ "poison_units": [1] }));
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id, price) select n, 1, n from generate_series(1, 6) n",
    )
    .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [1]);
    assert_eq!(rig.sandbox.property(1).unwrap().units.len(), 5);

    rig.faults(json!({ "status": 422, "property_id": 2 }));
    rig.edit(
        "insert into projects (id, name, is_actived) values (2, 'Two', true);
         insert into project_rent_roll_units (id, project_id) select n, 2 from generate_series(21, 24) n",
    )
    .await;
    another_is_acknowledged(&rig).await;
    rig.hands().await.pass(&rig, 30).await;
    assert_eq!(refused(&rig).await, [] as [i64; 0], "where all are bad none is");
    assert_eq!(failing(&rig).await, [2]);
}

#[tokio::test]
async fn a_unit_that_brings_a_quiet_receiver_down_is_found_and_nobody_else_waits_for_it() {
    let mut rig = delivered().await;
    rig.receiver.breaker.failures = 10;
    rig.faults(json!({ "poison_units": [131], "poison_status": 500 }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    let others = || (100..100 + UNITS).filter(|unit_id| *unit_id != 131);
    let mut hands = rig.hands().await;
    for _ in 0..600 {
        hands.work(&rig).await;
        if refused(&rig).await == [131] && others().all(|unit_id| rent(&rig, 1, unit_id) == json!(7.0)) {
            break;
        }
        rig.pass(MINUTE);
    }
    assert_eq!(refused(&rig).await, [131]);
    for unit_id in others() {
        assert_eq!(rent(&rig, 1, unit_id), json!(7.0), "{unit_id}");
    }
    let paused = "select count(*) from rentsync.receiver where paused_at is not null";
    assert_eq!(rig.source.number(paused).await, 0);
}

#[tokio::test]
async fn a_removal_names_no_code_that_a_refused_unit_may_still_have() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set unit_code = '13' where id = 11")
        .await;
    rig.settle().await;
    rig.faults(json!({ "refuse_units": [13] }));
    rig.edit("update project_rent_roll_units set unit_code = 'new' where id = 13")
        .await;
    rig.settle().await;
    assert_eq!(refused(&rig).await, [13]);
    rig.no_faults();
    rig.edit("delete from project_rent_roll_units where id = 11").await;
    rig.settle().await;
    assert!(!rig.sandbox.property(1).unwrap().units.contains_key(&11));
    let removal = &rig.bodies(1).await.pop().unwrap()["removed_units"][0];
    assert_eq!(
        *removal,
        json!({ "unit_id": 11, "replaced_by": 13, "reason": "deleted" })
    );
    // Once the new code is sent and acknowledged, the old one is nobody's.
    rig.edit(
        "insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '13');
         update project_rent_roll_units set price = 5 where id = 13",
    )
    .await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where id = 14").await;
    rig.settle().await;
    let removal = &rig.bodies(1).await.pop().unwrap()["removed_units"][0];
    assert_eq!(
        *removal,
        json!({ "unit_id": 14, "unit_code": "13", "reason": "deleted" })
    );
    rig.assert_equal_but("400").await;
}

#[tokio::test]
async fn a_success_that_objects_to_a_removal_leaves_it_refused() {
    let rig = Rig::delivered().await;
    let body = json!({ "errors": [{ "unit_id": 12, "message": "is leased through us" }] });
    rig.faults(json!({ "status": 200, "times": 1, "body": body.to_string() }));
    rig.edit("delete from project_rent_roll_units where id = 12").await;
    rig.settle().await;
    assert_eq!(
        (refused(&rig).await, rig.alerts().await),
        (vec![12], vec!["refused".to_owned()])
    );
}
