//! A receiver that knows a unit by its id alone, whatever its property: it must never be sent one by two properties
//! at once, else the one that lets go of it last takes it away from the other.

use std::time::Duration;

use rentsync_relay::config::{Batch, Format, Receiver, RemovedAs, UnitIdentity, UnitStyle};
use rentsync_relay::plan::{self, Batch as PlanBatch, PlanTarget};
use rentsync_sandbox::PropertyId;
use serde_json::json;
use sqlx::Connection;

use crate::support::rig::{Hands, Rig};
use crate::support::{TestDatabase, execute};

const MINUTE: Duration = Duration::from_secs(60);

type Shape = fn(&mut Receiver);

const SHAPES: [(&str, Shape); 7] = [
    ("property", |_| {}),
    ("properties", |r| r.batch = Batch::AllProperties),
    ("unavailable", |r| r.removed = RemovedAs::Unavailable),
    ("no extensions", |r| {
        r.extensions = false;
        r.removed = RemovedAs::Unavailable;
    }),
    ("rows", |r| {
        r.format = Format::Flat;
        r.batch = Batch::AllProperties;
    }),
    ("unit", one_by_one),
    ("unit, unavailable", |r| {
        one_by_one(r);
        r.removed = RemovedAs::Unavailable;
    }),
];

fn one_by_one(receiver: &mut Receiver) {
    receiver.format = Format::Unit;
    receiver.unit_style = UnitStyle::Nested;
    receiver.units_per_request_max = 1;
}

/// Two properties of three units each, delivered to a receiver that knows units by their ids alone.
async fn delivered(used: Option<TestDatabase>, shape: Shape) -> (Rig, Hands) {
    let mut receiver = Rig::receiver();
    receiver.unit_identity = UnitIdentity::Global;
    shape(&mut receiver);
    let rig = Rig::agreeing(TestDatabase::installed_again(used).await, receiver).await;
    rig.fill().await;
    let mut hands = rig.hands().await;
    hands.settle(&rig).await;
    rig.sandbox.clear_log();
    (rig, hands)
}

/// The properties in which the receiver has this unit to offer.
fn homes(rig: &Rig, unit_id: i64) -> Vec<i64> {
    let has = |property_id: &i64| {
        let state = rig.sandbox.property(*property_id);
        let unit = state.and_then(|state| state.units.get(&unit_id).cloned());
        unit.is_some_and(|unit| {
            let availability = unit.get("availability").unwrap_or(&unit);
            availability["is_available"] == json!(true)
        })
    };
    [1, 2].into_iter().filter(has).collect()
}

/// Comes to rest, and looks at every turn that nothing is in two places.
async fn settle(rig: &Rig, hands: &mut Hands) {
    hands
        .settle_watched(rig, || assert!(homes(rig, 11).len() <= 1, "in both"))
        .await;
    rig.assert_equal().await;
}

/// Of what was acknowledged, whose news it was.
fn order(rig: &Rig) -> Vec<Vec<PropertyId>> {
    let acknowledged = rig.sandbox.syncs().into_iter().filter(|sync| sync.status == Some(200));
    acknowledged.map(|sync| sync.property_ids).collect()
}

#[tokio::test]
async fn a_unit_that_moved_is_sent_by_its_new_property_only_after_the_old_one_let_go_of_it() {
    let mut used = None;
    for (name, shape) in SHAPES {
        let (rig, mut hands) = delivered(used, shape).await;
        // There and back: what the old property still has of it differs.
        for (from, to) in [(1, 2), (2, 1)] {
            rig.sandbox.clear_log();
            rig.edit(&format!(
                "update project_rent_roll_units set project_id = {to} where id = 11"
            ))
            .await;
            settle(&rig, &mut hands).await;
            assert_eq!(order(&rig), [[from.into()], [to.into()]], "{name}");
            assert_eq!(homes(&rig, 11), [to], "{name}");
        }
        used = Some(rig.source);
    }
}

#[tokio::test]
async fn a_removal_that_is_not_acknowledged_keeps_its_unit_back_and_nothing_else() {
    let mut used = None;
    for (name, shape) in SHAPES {
        let (rig, mut hands) = delivered(used, shape).await;
        rig.faults(json!({ "status": 503, "property_id": 1 }));
        rig.edit("update project_rent_roll_units set project_id = 2 where id = 11")
            .await;
        hands.round(&rig).await;
        rig.edit("update project_rent_roll_units set price = 1 where id = 21")
            .await;
        for _ in 0..10 {
            hands.round(&rig).await;
            rig.pass(MINUTE);
        }
        assert_eq!(homes(&rig, 11), [1], "{name}");
        let received = rig.sandbox.property(2).unwrap().units[&21].clone();
        let rent = received.get("pricing").unwrap_or(&received)["base_rent"].clone();
        assert_eq!(rent, json!(1.0), "{name}");
        rig.no_faults();
        settle(&rig, &mut hands).await;
        assert_eq!(homes(&rig, 11), [2], "{name}");
        used = Some(rig.source);
    }
}

#[tokio::test]
async fn a_refused_removal_keeps_its_unit_back_until_it_is_acknowledged() {
    let mut used = None;
    for (name, shape) in SHAPES {
        let (rig, mut hands) = delivered(used, shape).await;
        rig.faults(json!({ "poison_units": [11], "property_id": 1 }));
        rig.edit("update project_rent_roll_units set project_id = 2 where id = 11")
            .await;
        hands.settle(&rig).await;
        assert_eq!(homes(&rig, 11), [1], "{name}");
        rig.no_faults();
        rig.edit(
            "update rentsync.ledger set withheld = null, withheld_because = null, refused_hash = null, owed = 'retry'
              where withheld = 'refused'",
        )
        .await;
        hands.settle(&rig).await;
        assert_eq!(homes(&rig, 11), [2], "{name}");
        used = Some(rig.source);
    }
}

#[tokio::test]
async fn a_removal_that_is_acknowledged_while_its_unit_is_being_withheld_lets_it_go_all_the_same() {
    let (rig, mut hands) = delivered(None, |_| {}).await;
    rig.edit("update project_rent_roll_units set project_id = 2 where id = 11")
        .await;
    let scope = rig.scope();
    let of = |properties| PlanBatch {
        place: PlanTarget::Properties(properties),
        ..rig.batch(0)
    };
    let old = plan::plan_batch(&mut hands.conn, &scope, &of(&[1]))
        .await
        .expect("plan");
    assert_eq!(old.removed_units, 1);
    // The new property's plan has its snapshot and stands before its feed; the removal is delivered meanwhile.
    let mut conn = rig.source.connect().await;
    let mut tx = conn.begin().await.expect("begin");
    execute(&mut tx, "select from rentsync.feed where property_id = 2 for update").await;
    let batch = of(&[2]);
    let planning = plan::plan_batch(&mut hands.conn, &scope, &batch);
    let delivering = async {
        while rig.source.waiting().await == 0 {}
        assert_eq!(rig.deliver().await.delivered, 1);
        tx.rollback().await.expect("rollback");
    };
    let (planned, ()) = tokio::join!(planning, delivering);
    assert_eq!(
        planned.expect("plan").units,
        0,
        "as far as its snapshot knows the unit is elsewhere"
    );
    settle(&rig, &mut hands).await;
    assert_eq!(homes(&rig, 11), [2]);
}

#[tokio::test]
async fn nothing_sends_a_unit_that_moved_as_unavailable_over_the_living_one() {
    let unavailable = SHAPES
        .into_iter()
        .filter(|(name, _)| name.contains("unavailable") || *name == "no extensions");
    let mut used = None;
    for (name, shape) in unavailable {
        let (rig, mut hands) = delivered(used, shape).await;
        // The old property comes before the new one, and after it.
        for (from, to) in [(1, 2), (2, 1)] {
            rig.edit(&format!(
                "update project_rent_roll_units set project_id = {to} where id = 11"
            ))
            .await;
            settle(&rig, &mut hands).await;
            for again in [
                "update rentsync.feed set snapshot_due = 'test'".to_owned(),
                format!("update rentsync.feed set snapshot_due = 'test' where property_id = {from}"),
                "update rentsync.ledger set owed = 'retell' where sequence is not null".to_owned(),
            ] {
                rig.edit(&again).await;
                settle(&rig, &mut hands).await;
                assert_eq!(homes(&rig, 11), [to], "{name}: {again}");
            }
        }
        used = Some(rig.source);
    }
}

#[tokio::test]
async fn a_snapshot_does_not_send_a_unit_that_another_property_still_has() {
    let mut used = None;
    for (name, shape) in SHAPES {
        let (mut rig, mut hands) = delivered(used, shape).await;
        // In parts as well, but where both properties shall be in one request.
        if name != "properties" {
            rig.receiver.units_per_request_max = rig.receiver.units_per_request_max.min(2);
        }
        rig.edit(
            "update project_rent_roll_units set project_id = 2 where id = 11;
             insert into project_rent_roll_units (id, project_id, unit_code) values (1, 2, '1'), (2, 2, '2');
             update rentsync.feed set snapshot_due = 'test'",
        )
        .await;
        rig.faults(json!({ "status": 503, "property_id": 1, "times": 3 }));
        settle(&rig, &mut hands).await;
        assert_eq!(homes(&rig, 11), [2], "{name}");
        let drift = "select count(*) from rentsync.drift";
        assert_eq!(
            rig.source.number(drift).await,
            0,
            "{name}: what is withheld is no drift"
        );
        used = Some(rig.source);
    }
}
