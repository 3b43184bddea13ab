//! Whose trouble an answer is: a unit's, a property's or the receiver's. What is one's touches no other.

use rentsync_relay::config::Batch;
use serde_json::json;

use super::receivers::{MINUTE, delivered, messages, open_alerts, pass, requests_of, touch, work};
use crate::breaker::is_paused;
use crate::process::{LIMIT, output, relay, said};
use crate::support::rig::Rig;

async fn refused(rig: &Rig) -> i64 {
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused'";
    rig.source.number(refused).await
}

async fn feeds_paused(rig: &Rig) -> i64 {
    let paused = "select count(*) from rentsync.feed where paused_because is not null";
    rig.source.number(paused).await
}

fn rent(rig: &Rig, property_id: i64) -> f64 {
    let property = rig.sandbox.property(property_id).expect("received");
    let rent = &property.units[&(10 * property_id + 1)]["base_rent"];
    rent.as_f64().expect("a rent")
}

#[tokio::test]
async fn promise_12_ten_properties_that_are_answered_so_at_once_keep_no_other_for_longer_than_one_probe() {
    for status in [404, 400, 503] {
        let rig = delivered(40, Batch::PerProperty).await;
        let bad: Vec<i64> = (1..=10).flat_map(|p| (1..=3).map(move |n| 10 * p + n)).collect();
        rig.faults(json!({ "poison_units": bad, "poison_status": status }));
        let mut hands = rig.hands().await;
        let mut pauses = 0;
        for minute in 1..=60 {
            touch(&rig, minute).await;
            pass(&mut hands, &rig, 1).await;
            pauses += usize::from(is_paused(&rig).await);
        }
        assert!(pauses <= 16, "{status}: paused in {pauses} of 60 minutes");
        for property in 11..=40 {
            assert_eq!(rent(&rig, property), 60.0, "{status}: {property}");
        }
        assert_eq!(refused(&rig).await, 0, "{status}: no unit is blamed for its property");
        rig.no_faults();
        pass(&mut hands, &rig, 20).await;
        rig.assert_equal_but(&status.to_string()).await;
    }
}

#[tokio::test]
async fn promise_12_what_is_under_way_when_a_receiver_is_paused_says_that_it_takes_others() {
    let mut rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "status": 404, "property_id": 1 }));
    touch(&rig, 7).await;
    rig.plan().await;
    rig.receiver.concurrency_max = 1;
    let mut one = rig.deliverer("one:1").await;
    rig.receiver.concurrency_max = 3;
    let mut other = rig.deliverer("other:1").await;
    assert_eq!(one.start_due().await.expect("lease"), 1, "the property's");
    assert_eq!(other.start_due().await.expect("lease"), 2);
    let ended = one.ended().await.expect("ended");
    one.settle(ended).await.expect("settle");
    assert!(is_paused(&rig).await);
    let ended = other.ended().await.expect("ended");
    assert!(other.settle(ended).await.expect("settle").delivered > 0);
    assert!(!is_paused(&rig).await);
}

#[tokio::test]
async fn promise_13_rejections_of_everything_pause_no_feed_and_refuse_no_unit_for_good() {
    for (properties, edit) in [
        (1, "update project_rent_roll_units set price = 7"),
        (4, "update project_rent_roll_units set price = 7"),
        (4, "update project_rent_roll_units set price = 7 where id % 10 = 1"),
        (
            4,
            "delete from project_rent_roll_units where id % 10 > 1; update project_rent_roll_units set price = 7",
        ),
        (4, "update projects set name = name || '!'"),
    ] {
        let rig = delivered(properties, Batch::PerProperty).await;
        rig.faults(json!({ "status": 400 }));
        rig.edit(edit).await;
        let mut hands = rig.hands().await;
        work(&mut hands, &rig).await;
        pass(&mut hands, &rig, 60).await;
        assert_eq!(
            feeds_paused(&rig).await,
            0,
            "{properties} {edit}: no property needs a person"
        );
        let requests = rig.sandbox.syncs().len();
        assert!(requests <= 140, "{properties} {edit}: {requests} requests in an hour");
        rig.no_faults();
        // Nobody edits anything.
        pass(&mut hands, &rig, 31).await;
        assert_eq!(refused(&rig).await, 0, "{properties} {edit}");
        rig.assert_equal_but("400").await;
    }
}

#[tokio::test]
async fn promise_12_a_bad_unit_is_tried_again_by_itself_less_and_less_often() {
    let mut rig = delivered(2, Batch::PerProperty).await;
    rig.receiver.retry.refused_max = 40 * MINUTE;
    rig.faults(json!({ "poison_units": [11] }));
    rig.edit("update project_rent_roll_units set price = 7 where id in (11, 12, 13)")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    assert_eq!(refused(&rig).await, 1);
    let found = rig.sandbox.syncs().len();
    let mut tried = Vec::new();
    for minute in 1..=160 {
        let before = rig.sandbox.syncs().len();
        pass(&mut hands, &rig, 1).await;
        tried.extend((before < rig.sandbox.syncs().len()).then_some(minute));
    }
    assert_eq!(tried, [1, 3, 8, 18, 38, 78, 118, 158]);
    assert_eq!(rig.sandbox.syncs().len(), found + tried.len(), "one request each");
    assert!(!is_paused(&rig).await);
    rig.no_faults();
    pass(&mut hands, &rig, 40).await;
    assert_nobody_is_blamed(&rig, "400").await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
}

#[tokio::test]
async fn promise_12_units_that_one_bad_node_of_two_refused_are_sent_within_minutes() {
    for batch in [Batch::PerProperty, Batch::AllProperties] {
        let rig = delivered(12, batch).await;
        let mut hands = rig.hands().await;
        for price in 1..=10 {
            touch(&rig, price).await;
            // Every second request meets the bad node.
            while {
                rig.faults(json!({ "status": 400, "times": 1 }));
                hands.round(&rig).await
            } {
                rig.no_faults();
                hands.round(&rig).await;
            }
            rig.pass(MINUTE / 60);
        }
        rig.no_faults();
        pass(&mut hands, &rig, 16).await;
        assert_nobody_is_blamed(&rig, "400").await;
    }
}

#[tokio::test]
async fn promise_12_once_one_of_the_refused_is_acknowledged_the_others_are_sent_together() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.faults(json!({ "reject_units": [11, 12] }));
    rig.edit("update project_rent_roll_units set price = 7 where id in (11, 12)")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    rig.edit("update project_rent_roll_units set price = 8 where id = 13; update rentsync.ledger set retry_at = 'infinity' where unit_id = 12")
        .await;
    rig.no_faults();
    assert_eq!(refused(&rig).await, 2);
    pass(&mut hands, &rig, 2).await;
    assert_nobody_is_blamed(&rig, "errors").await;
}

#[tokio::test]
async fn promise_12_in_a_property_of_mostly_bad_units_the_good_one_is_sent_within_minutes() {
    let rig = delivered(2, Batch::PerProperty).await;
    rig.edit("insert into project_rent_roll_units (id, project_id, price) select n, 1, 1000 from generate_series(100, 129) n")
        .await;
    rig.settle().await;
    let bad: Vec<i64> = (100..129).collect();
    rig.faults(json!({ "poison_units": bad }));
    rig.edit("update project_rent_roll_units set price = 7 where id >= 100")
        .await;
    let mut hands = rig.hands().await;
    pass(&mut hands, &rig, 30).await;
    let property = rig.sandbox.property(1).expect("received");
    assert_eq!(property.units[&129]["base_rent"], json!(7.0));
    assert_eq!(refused(&rig).await, 29);
}

#[tokio::test]
async fn promise_12_a_property_that_is_not_known_pauses_a_quiet_receiver_once_at_most() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "status": 404, "property_id": 1 }));
    rig.edit("update project_rent_roll_units set price = 7 where project_id = 1")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    assert!(is_paused(&rig).await, "nothing shows whose trouble it is");
    touch(&rig, 8).await;
    pass(&mut hands, &rig, 16).await;
    for minute in 0..240 {
        pass(&mut hands, &rig, 1).await;
        assert!(!is_paused(&rig).await, "{minute}");
    }
    let said = messages(&rig, "exhausted").await;
    assert!(said.iter().any(|said| said.contains("it is this property")), "{said:?}");
    assert!(requests_of(&rig, 1) <= 35, "{}", requests_of(&rig, 1));
    assert_eq!((refused(&rig).await, feeds_paused(&rig).await), (0, 0));
    rig.no_faults();
    pass(&mut hands, &rig, 16).await;
    rig.assert_equal_but("404").await;
    assert_eq!(open_alerts(&rig).await, [] as [String; 0]);
}

#[tokio::test]
async fn promise_12_a_batch_that_is_answered_so_because_of_one_property_is_sent_in_parts() {
    for status in [404, 403, 410, 302] {
        let rig = delivered(8, Batch::AllProperties).await;
        rig.faults(json!({ "status": status, "property_id": 5 }));
        let mut hands = rig.hands().await;
        for minute in 1..=60 {
            touch(&rig, minute).await;
            pass(&mut hands, &rig, 1).await;
            assert!(minute <= 16 || !is_paused(&rig).await, "{status}: {minute}");
        }
        for property in (1..=8).filter(|property| *property != 5) {
            assert_eq!(rent(&rig, property), 60.0, "{status}: {property}");
        }
        assert_eq!((refused(&rig).await, feeds_paused(&rig).await), (0, 0), "{status}");
        rig.no_faults();
        pass(&mut hands, &rig, 16).await;
        rig.assert_equal_but(&status.to_string()).await;
    }
}

#[tokio::test]
async fn promise_12_a_unit_whose_content_is_forbidden_silences_neither_its_property_nor_the_receiver() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "poison_units": [12], "poison_status": 403 }));
    let mut hands = rig.hands().await;
    for minute in 1..=40 {
        touch(&rig, minute).await;
        pass(&mut hands, &rig, 1).await;
    }
    pass(&mut hands, &rig, 12).await;
    assert_eq!(refused(&rig).await, 1);
    assert_eq!(rent(&rig, 1), 40.0);
    assert_eq!(feeds_paused(&rig).await, 0);
    rig.no_faults();
    touch(&rig, 41).await;
    pass(&mut hands, &rig, 12).await;
    rig.assert_equal_but("403").await;
}

#[tokio::test]
async fn promise_13_hours_of_silence_asked_for_one_property_silence_the_others_once() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "status": 429, "retry_after": 7200, "property_id": 1 }));
    let mut hands = rig.hands().await;
    let mut silent = 0;
    for minute in 1..=300 {
        touch(&rig, minute).await;
        pass(&mut hands, &rig, 1).await;
        silent += usize::from(rent(&rig, 2) < f64::from(minute));
    }
    assert!(silent <= 125, "silent in {silent} of 300 minutes");
    // A day later its request is given up and made anew: by then it is known.
    rig.pass(24 * 60 * MINUTE);
    work(&mut hands, &rig).await;
    for minute in 301..=330 {
        touch(&rig, minute).await;
        pass(&mut hands, &rig, 1).await;
        assert_eq!(rent(&rig, 2), f64::from(minute));
    }
    rig.no_faults();
    pass(&mut hands, &rig, 125).await;
    rig.assert_equal_but("429").await;
}

#[tokio::test]
async fn promise_13_a_limit_of_one_property_in_a_batch_keeps_the_others_waiting_for_one_schedule_at_most() {
    let rig = delivered(8, Batch::AllProperties).await;
    rig.faults(json!({ "status": 429, "property_id": 5 }));
    let mut hands = rig.hands().await;
    let mut silent = 0;
    for minute in 1..=120 {
        touch(&rig, minute).await;
        pass(&mut hands, &rig, 1).await;
        silent += usize::from(rent(&rig, 2) < f64::from(minute));
    }
    assert!(silent <= 35, "silent in {silent} of 120 minutes");
    assert_eq!(rent(&rig, 2), 120.0);
    rig.no_faults();
    pass(&mut hands, &rig, 15).await;
    assert_nobody_is_blamed(&rig, "429").await;
}

#[tokio::test]
async fn promise_13_a_limit_that_all_properties_meet_is_kept_whole() {
    let rig = delivered(8, Batch::AllProperties).await;
    rig.faults(json!({ "status": 429 }));
    touch(&rig, 7).await;
    let mut hands = rig.hands().await;
    pass(&mut hands, &rig, 240).await;
    let requests = rig.sandbox.syncs().len();
    assert!(requests <= 60, "{requests} requests in four hours");
    rig.no_faults();
    pass(&mut hands, &rig, 15).await;
    assert_nobody_is_blamed(&rig, "429").await;
}

#[tokio::test]
async fn promise_20_what_waits_for_one_property_alone_ends() {
    for command in [&["snapshot"][..], &["replay", "--since", "1h"]] {
        let rig = delivered(3, Batch::PerProperty).await;
        rig.faults(json!({ "status": 429, "property_id": 1 }));
        let mut command = relay(&rig, command);
        command.env("RELAY_RECEIVERS__MAIN__RETRY__SCHEDULE", "[\"10ms\", \"20ms\"]");
        let mut hands = rig.hands().await;
        let done = tokio::select! {
            done = tokio::time::timeout(LIMIT, output(command)) => done.expect("an end"),
            // Others are acknowledged all the while.
            () = async {
                for price in 1.. {
                    rig.edit(&format!("update project_rent_roll_units set price = {price} where project_id = 2")).await;
                    work(&mut hands, &rig).await;
                }
            } => unreachable!("without end"),
        };
        assert_eq!(done.status.code(), Some(1), "{}", said(&done));
        assert!(said(&done).contains("asked to be left alone until"), "{}", said(&done));
    }
}

/// Nothing is left for a person to release: neither a unit that is refused nor a feed that is paused.
async fn assert_nobody_is_blamed(rig: &Rig, of: &str) {
    assert_eq!((refused(rig).await, feeds_paused(rig).await), (0, 0), "{of}");
    rig.assert_equal_but(of).await;
}

#[tokio::test]
async fn promise_12_a_receiver_that_rejects_everything_for_a_while_blames_no_unit() {
    for status in [400, 413, 422] {
        for batch in [Batch::PerProperty, Batch::AllProperties] {
            let rig = delivered(12, batch).await;
            rig.faults(json!({ "status": status }));
            rig.edit("update project_rent_roll_units set price = 5 where id % 10 < 3")
                .await;
            let mut hands = rig.hands().await;
            pass(&mut hands, &rig, 20).await;
            rig.no_faults();
            pass(&mut hands, &rig, 40).await;
            assert_nobody_is_blamed(&rig, &status.to_string()).await;
        }
    }
}

#[tokio::test]
async fn promise_12_an_acknowledgement_that_was_under_way_proves_nothing_against_those_beside_it() {
    let rig = delivered(8, Batch::PerProperty).await;
    // The first property's request got through before the receiver began to reject.
    let rejected: Vec<i64> = (2..=8).flat_map(|p| (1..=3).map(move |n| 10 * p + n)).collect();
    rig.faults(json!({ "poison_units": rejected }));
    rig.edit("update project_rent_roll_units set price = 5 where id % 10 = 1")
        .await;
    let mut hands = rig.hands().await;
    work(&mut hands, &rig).await;
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = 6 where id = 12")
        .await;
    pass(&mut hands, &rig, 20).await;
    assert_nobody_is_blamed(&rig, "400").await;
}

#[tokio::test]
async fn promise_12_what_fails_of_one_property_for_hours_is_sent_by_itself_once_it_is_mended() {
    for faults in [
        json!({ "status": 503, "property_id": 1 }),
        json!({ "poison_units": [12], "poison_status": 500 }),
        json!({ "status": 200, "property_id": 1, "body": "<html>", "headers": { "content-type": "text/html" } }),
    ] {
        let rig = delivered(3, Batch::PerProperty).await;
        rig.faults(faults.clone());
        rig.edit("update project_rent_roll_units set price = 5 where project_id = 1")
            .await;
        let mut hands = rig.hands().await;
        let mut others_go_on = async |prices: std::ops::Range<i32>| {
            for price in prices {
                rig.edit(&format!(
                    "update project_rent_roll_units set price = {price} where project_id = 2"
                ))
                .await;
                rig.pass(5 * MINUTE);
                work(&mut hands, &rig).await;
                assert_eq!(rent(&rig, 2), f64::from(price), "{faults}: others go on");
            }
        };
        others_go_on(100..150).await;
        rig.no_faults();
        others_go_on(200..206).await;
        assert_nobody_is_blamed(&rig, &faults.to_string()).await;
    }
}

#[tokio::test]
async fn promise_12_what_one_property_alone_is_rejected_for_a_while_blames_no_unit_of_it() {
    for status in [400, 403, 404] {
        let rig = delivered(3, Batch::PerProperty).await;
        rig.faults(json!({ "status": status, "property_id": 1 }));
        rig.edit("update project_rent_roll_units set price = 5 where id = 11")
            .await;
        let mut hands = rig.hands().await;
        for price in 100..110 {
            rig.edit(&format!(
                "update project_rent_roll_units set price = {price} where project_id = 2"
            ))
            .await;
            pass(&mut hands, &rig, 1).await;
        }
        rig.no_faults();
        for price in 200..215 {
            rig.edit(&format!(
                "update project_rent_roll_units set price = {price} where project_id = 2"
            ))
            .await;
            pass(&mut hands, &rig, 1).await;
        }
        assert_nobody_is_blamed(&rig, &status.to_string()).await;
    }
}

#[tokio::test]
async fn promise_12_a_failure_is_no_first_rejection() {
    let rig = delivered(3, Batch::PerProperty).await;
    rig.faults(json!({ "poison_units": [11], "poison_status": 503 }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    let mut hands = rig.hands().await;
    let others = async |hands: &mut _, prices: std::ops::Range<i32>| {
        for price in prices {
            rig.edit(&format!(
                "update project_rent_roll_units set price = {price} where id in (12, 21)"
            ))
            .await;
            pass(hands, &rig, 1).await;
        }
    };
    others(&mut hands, 100..160).await;
    // Once, and after an acknowledgement.
    rig.faults(json!({ "poison_units": [11], "poison_status": 400, "times": 1 }));
    others(&mut hands, 200..230).await;
    assert_nobody_is_blamed(&rig, "400").await;
}
