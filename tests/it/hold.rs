//! What waits for a person: removals that are too many to be sent unasked, and nothing else.

use std::time::Duration;

use rentsync_relay::config::{Batch, Guard, Limit, RemovedAs};
use rentsync_relay::hold::{self, Decided, Decision};
use serde_json::{Value, json};

use crate::process::{output, refused, relay, said};
use crate::support::rig::Rig;

const HOUR: Duration = Duration::from_secs(3_600);

/// Twenty units in property 1, three in property 2, and eighty in eight others; delivered.
async fn delivered() -> Rig {
    let rig = filled().await;
    rig.settle().await;
    rig.sandbox.clear_log();
    rig
}

async fn filled() -> Rig {
    let rig = Rig::empty().await;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(1, 10) n;
         insert into project_rent_roll_units (id, project_id, unit_code, price)
         select n, 1, n, 1 from generate_series(101, 120) n union all
         select n, 2, n, 1 from generate_series(201, 203) n union all
         select p * 100 + n, p, n, 1 from generate_series(3, 10) p, generate_series(1, 10) n",
    )
    .await;
    rig
}

async fn delete(rig: &Rig, units: std::ops::RangeInclusive<i64>) {
    let (first, last) = units.into_inner();
    rig.edit(&format!(
        "delete from project_rent_roll_units where id between {first} and {last}"
    ))
    .await;
    rig.settle().await;
}

/// How many units the receiver has of a property.
fn has(rig: &Rig, property_id: i64) -> usize {
    rig.sandbox.property(property_id).map_or(0, |held| held.units.len())
}

async fn open(rig: &Rig) -> Vec<(i64, Option<i64>)> {
    sqlx::query_as(
        "select hold_id, f.property_id from rentsync.hold h left join rentsync.feed f using (feed_id)
          where h.state = 'open' order by 1",
    )
    .fetch_all(&mut rig.source.connect().await)
    .await
    .unwrap()
}

async fn kept(rig: &Rig, kind: &str) -> Vec<i64> {
    sqlx::query_scalar("select unit_id from rentsync.ledger where withheld = $1 order by 1")
        .bind(kind)
        .fetch_all(&mut rig.source.connect().await)
        .await
        .unwrap()
}

async fn decide(rig: &Rig, hold_id: Option<i64>, decision: Decision) -> anyhow::Result<Vec<Decided>> {
    let mut conn = rig.source.connect().await;
    hold::decide(&mut conn, "main", hold_id, decision, rig.clock.now()).await
}

/// Only this one is open; its number.
async fn the_hold(rig: &Rig) -> i64 {
    let open = open(rig).await;
    assert_eq!(open.len(), 1, "{open:?}");
    open[0].0
}

async fn alert(rig: &Rig) -> Option<String> {
    sqlx::query_scalar("select message from rentsync.alert where kind = 'hold' and acked_at is null")
        .fetch_optional(&mut rig.source.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn too_many_removals_of_a_property_wait_and_everything_else_goes_on() {
    let rig = delivered().await;
    rig.edit("update project_rent_roll_units set price = 2 where id in (120, 201)")
        .await;
    delete(&rig, 101..=109).await;
    assert_eq!(
        rig.requests(),
        [(1, 1, 0, 200), (2, 1, 0, 200)],
        "9 of 20 are more than 40 %"
    );
    assert_eq!(kept(&rig, "held").await, (101..=109).collect::<Vec<_>>());
    let message = alert(&rig).await.expect("an alert");
    assert!(
        message.starts_with("9 removals wait for a person, of 1 property with 20 units"),
        "{message}"
    );
    // What goes on: other removals of other properties, and news of this one.
    delete(&rig, 201..=201).await;
    rig.edit("update project_rent_roll_units set price = 3 where id = 110")
        .await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), has(&rig, 2)), (20, 2));
    let hold = the_hold(&rig).await;
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    assert_eq!(
        (the_hold(&rig).await, has(&rig, 1)),
        (hold, 20),
        "looked at again, it has not grown"
    );
}

#[tokio::test]
async fn few_units_and_few_percent_are_sent_unasked() {
    let rig = delivered().await;
    delete(&rig, 101..=108).await;
    assert_eq!(has(&rig, 1), 12, "8 of 20 are 40 %");
    let rig = delivered().await;
    delete(&rig, 201..=203).await;
    assert_eq!(has(&rig, 2), 0, "3 are fewer than 5");
    assert_eq!(rig.alerts().await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_trickle_is_counted_over_a_day_and_no_longer() {
    let rig = delivered().await;
    delete(&rig, 101..=104).await;
    rig.pass(12 * HOUR);
    delete(&rig, 105..=108).await;
    assert_eq!(has(&rig, 1), 12);
    rig.pass(11 * HOUR);
    delete(&rig, 109..=109).await;
    assert_eq!(has(&rig, 1), 12, "the ninth of twenty within a day");
    assert_eq!(kept(&rig, "held").await, [109]);
    let rig = delivered().await;
    delete(&rig, 101..=104).await;
    rig.pass(12 * HOUR);
    delete(&rig, 105..=108).await;
    rig.pass(13 * HOUR);
    // Four of the sixteen that there were when the window began, and one: five of sixteen.
    delete(&rig, 109..=109).await;
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (11, 0));
}

#[tokio::test]
async fn a_hold_ends_by_units_that_come_back_and_not_by_time() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    assert_eq!(kept(&rig, "held").await.len(), 10);
    rig.pass(72 * HOUR);
    rig.settle().await;
    assert_eq!(kept(&rig, "held").await.len(), 10);
    rig.sandbox.clear_log();
    // One comes back as it was, which is nothing to send; nine are still too many.
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code, price) values (101, 1, 101, 1)")
        .await;
    rig.settle().await;
    assert_eq!((kept(&rig, "held").await.len(), rig.requests().len()), (9, 0));
    // Eight would never have waited: they are sent.
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code, price) values (102, 1, 102, 7)")
        .await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (12, 0));
    assert_eq!(alert(&rig).await, None);
    rig.assert_equal().await;
    let settled = rig
        .source
        .number("select count(*) from rentsync.hold where state = 'cleared'");
    assert_eq!(settled.await, 1);
}

#[tokio::test]
async fn an_empty_source_for_an_hour_sends_nothing() {
    let rig = delivered().await;
    rig.edit(
        "create table kept as select * from project_rent_roll_units;
         create table kept_projects as select * from projects;
         truncate project_rent_roll_units, projects",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    assert_eq!(
        (has(&rig, 1), has(&rig, 2), has(&rig, 10)),
        (20, 3, 10),
        "a snapshot keeps them"
    );
    rig.sandbox.clear_log();
    rig.edit(
        "insert into projects select * from kept_projects; insert into project_rent_roll_units select * from kept",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    assert_eq!((open(&rig).await, alert(&rig).await), (vec![], None));
    rig.assert_equal().await;
}

#[tokio::test]
async fn properties_that_are_deactivated_together_wait_as_one_hold_over_the_receiver() {
    let rig = delivered().await;
    rig.edit("update projects set is_actived = false where id between 3 and 8")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [], "60 of 103 units, found before the first is sent");
    let hold = the_hold(&rig).await;
    assert_eq!(open(&rig).await, [(hold, None)]);
    assert_eq!(kept(&rig, "guarded").await.len(), 60);
    let verified = output(relay(&rig, &["verify"])).await;
    assert_eq!(
        verified.status.code(),
        Some(0),
        "what waits is no drift: {}",
        said(&verified)
    );
    // Every further removal joins, and the hold has another number then.
    delete(&rig, 201..=201).await;
    assert_eq!(kept(&rig, "guarded").await.len(), 61);
    let grown = the_hold(&rig).await;
    assert_ne!(grown, hold);
    let error = decide(&rig, Some(hold), Decision::Approve).await.unwrap_err();
    assert!(error.to_string().contains("it has another number"), "{error}");
    rig.edit("update projects set is_actived = true where id between 3 and 8")
        .await;
    rig.settle().await;
    assert_eq!(
        (open(&rig).await.len(), has(&rig, 2)),
        (0, 2),
        "one removal is sent unasked"
    );
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_source_that_goes_empty_is_doubted_before_the_first_of_many_batches() {
    let mut rig = Rig::empty().await;
    rig.receiver.concurrency_max = 1;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, n, true from generate_series(1, 200) n;
         insert into project_rent_roll_units (id, project_id) select n, n from generate_series(1, 200) n",
    )
    .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    // A batch is 32 properties then: a sixth.
    rig.edit("delete from project_rent_roll_units").await;
    rig.settle().await;
    assert_eq!((rig.requests(), kept(&rig, "guarded").await.len()), (vec![], 200));
}

#[tokio::test]
async fn properties_that_go_one_by_one_are_sent_until_a_fifth_is_gone() {
    let rig = delivered().await;
    for property in 3..=10 {
        rig.edit(&format!("update projects set is_actived = false where id = {property}"))
            .await;
        rig.settle().await;
        rig.pass(HOUR);
    }
    // 103 units: with the fifth property 50 would be gone.
    let left: usize = (3..=10).map(|property| has(&rig, property)).sum();
    assert_eq!((left, kept(&rig, "guarded").await.len()), (40, 40));
}

#[tokio::test]
async fn a_property_that_is_deactivated_alone_is_none_of_its_own_hold() {
    let rig = delivered().await;
    rig.edit("update projects set is_actived = false where id = 1").await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (0, 0));
}

#[tokio::test]
async fn what_is_approved_is_sent_and_nothing_that_joined_since() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    let shown = the_hold(&rig).await;
    delete(&rig, 111..=111).await;
    assert!(decide(&rig, Some(shown), Decision::Approve).await.is_err());
    assert_eq!(has(&rig, 1), 20);
    // One comes back between showing and approving: it leaves the set.
    let shown = the_hold(&rig).await;
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code, price) values (101, 1, 101, 1)")
        .await;
    rig.settle().await;
    let decided = decide(&rig, Some(shown), Decision::Approve).await.unwrap();
    assert_eq!(
        (decided.len(), decided[0].property_id, decided[0].units),
        (1, Some(1), 10)
    );
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (10, 0));
    assert_eq!(alert(&rig).await, None);
    rig.assert_equal().await;
    // Approved removals don't count for the next.
    delete(&rig, 112..=114).await;
    assert_eq!(has(&rig, 1), 7);
    let error = decide(&rig, Some(shown), Decision::Reject).await.unwrap_err();
    assert!(error.to_string().contains("is not open: approved"), "{error}");
}

#[tokio::test]
async fn what_is_approved_is_still_so_when_its_request_fails_for_good() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    rig.faults(json!({ "status": 503, "times": 5 }));
    decide(&rig, None, Decision::Approve).await.unwrap();
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (10, 0));
}

#[tokio::test]
async fn what_is_rejected_stays_until_it_is_back_and_is_not_asked_about_again() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    let hold = the_hold(&rig).await;
    decide(&rig, Some(hold), Decision::Reject).await.unwrap();
    assert_eq!(kept(&rig, "rejected").await.len(), 10);
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len(), alert(&rig).await), (20, 0, None));
    rig.sandbox.clear_log();
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code, price) values (101, 1, 101, 5)")
        .await;
    rig.settle().await;
    assert_eq!(
        (rig.requests(), kept(&rig, "rejected").await.len()),
        (vec![(1, 1, 0, 200)], 9)
    );
    // Back, it is a unit like any other.
    delete(&rig, 101..=101).await;
    assert_eq!(has(&rig, 1), 19);
    // Somebody thinks better of it.
    let decided = decide(&rig, Some(hold), Decision::Approve).await.unwrap();
    assert_eq!(decided[0].units, 9);
    rig.settle().await;
    assert_eq!(has(&rig, 1), 10);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_feed_that_is_disabled_ends_what_was_rejected_before() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    decide(&rig, None, Decision::Reject).await.unwrap();
    output(relay(&rig, &["feeds", "disable", "1"])).await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), kept(&rig, "rejected").await.len()), (0, 0));
}

#[tokio::test]
async fn sealing_a_tombstone_again_does_not_count() {
    let rig = delivered().await;
    rig.faults(json!({ "status": 503 }));
    rig.edit("delete from project_rent_roll_units where id between 101 and 108")
        .await;
    for _ in 0..30 {
        rig.plan().await;
        rig.deliver().await;
        rig.pass(Duration::from_secs(600));
    }
    rig.no_faults();
    rig.settle().await;
    let syncs = rig
        .source
        .number("select count(*) from rentsync.sync where removed_units > 0");
    assert!(syncs.await > 1, "sent more than once");
    assert_eq!((has(&rig, 1), open(&rig).await.len()), (12, 0));
}

#[tokio::test]
async fn replaying_removals_does_not_count() {
    let rig = delivered().await;
    delete(&rig, 101..=108).await;
    let replayed = said(&output(relay(&rig, &["replay", "--since", "1h", "--no-wait"])).await);
    assert!(replayed.contains("8 removals"), "{replayed}");
    rig.settle().await;
    assert_eq!(open(&rig).await, []);
    rig.assert_equal().await;
}

#[tokio::test]
async fn units_that_move_count_where_they_were() {
    let rig = delivered().await;
    rig.edit("update project_rent_roll_units set project_id = 2 where project_id = 1")
        .await;
    rig.settle().await;
    assert_eq!(
        (has(&rig, 1), has(&rig, 2)),
        (20, 23),
        "sent in the new property, kept in the old"
    );
    decide(&rig, None, Decision::Approve).await.unwrap();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn holds_work_alike_whatever_a_removal_looks_like() {
    for unavailable in [false, true] {
        for batch in [Batch::PerProperty, Batch::AllProperties] {
            let mut rig = filled().await;
            rig.agree_anew(|receiver| {
                receiver.batch = batch;
                receiver.removed = if unavailable {
                    RemovedAs::Unavailable
                } else {
                    RemovedAs::List
                };
            })
            .await;
            rig.settle().await;
            let available = |rig: &Rig| {
                let held = rig.sandbox.property(1).unwrap();
                held.units
                    .values()
                    .filter(|unit| unit["unit_code"] != Value::Null)
                    .count()
            };
            rig.sandbox.clear_log();
            delete(&rig, 101..=115).await;
            assert_eq!(
                (available(&rig), rig.requests().len()),
                (20, 0),
                "{batch:?} {unavailable}"
            );
            rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
            rig.settle().await;
            assert_eq!(has(&rig, 1), 20);
            decide(&rig, None, Decision::Approve).await.unwrap();
            rig.settle().await;
            rig.assert_equal().await;
            assert_eq!(open(&rig).await.len(), 0);
        }
    }
}

#[tokio::test]
async fn without_a_word_for_keep_a_snapshot_is_sent_as_deltas_while_something_is_held() {
    let mut rig = filled().await;
    rig.agree_anew(|receiver| {
        receiver.extensions = false;
        receiver.removed = RemovedAs::Unavailable;
    })
    .await;
    rig.settle().await;
    delete(&rig, 101..=115).await;
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    assert_eq!((has(&rig, 1), kept(&rig, "held").await.len()), (20, 15));
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code, price) select n, 1, n, 1 from generate_series(101, 115) n")
        .await;
    rig.settle().await;
    assert_eq!(open(&rig).await.len(), 0);
    rig.assert_equal().await;
}

#[tokio::test]
async fn limits_are_settings_and_a_hundred_percent_is_never() {
    let mut rig = delivered().await;
    let off = Limit {
        units_min: 1,
        percent_max: 100,
    };
    rig.receiver.guard = Guard {
        feed: off,
        receiver: off,
    };
    delete(&rig, 101..=1010).await;
    assert_eq!((has(&rig, 1), has(&rig, 10), open(&rig).await.len()), (0, 0, 0));
    let mut rig = delivered().await;
    rig.receiver.guard.feed = Limit {
        units_min: 1,
        percent_max: 0,
    };
    delete(&rig, 201..=201).await;
    assert_eq!((has(&rig, 2), open(&rig).await.len()), (3, 1), "nothing goes unasked");
    // Looser settings let go what no longer needs anybody.
    rig.receiver.guard.feed.units_min = 2;
    rig.settle().await;
    assert_eq!((has(&rig, 2), open(&rig).await.len()), (2, 0));
}

#[tokio::test]
async fn two_relays_hold_the_same_and_what_is_left_open_survives_a_restart() {
    let rig = delivered().await;
    let (mut one, mut other) = (rig.hands().await, rig.hands().await);
    rig.edit("delete from project_rent_roll_units where project_id = 1")
        .await;
    tokio::join!(one.settle(&rig), other.settle(&rig));
    drop((one, other));
    rig.settle().await;
    assert_eq!((has(&rig, 1), open(&rig).await.len(), rig.requests().len()), (20, 1, 0));
}

#[tokio::test]
async fn the_commands_show_and_decide() {
    let rig = delivered().await;
    delete(&rig, 101..=110).await;
    let hold = the_hold(&rig).await.to_string();
    let listed = said(&output(relay(&rig, &["holds", "list"])).await);
    assert!(listed.contains("10 of 20") && listed.contains("101 102"), "{listed}");
    let json: Value = serde_json::from_slice(&output(relay(&rig, &["holds", "list", "--json"])).await.stdout).unwrap();
    assert_eq!(json[0]["property_id"], json!(1));
    assert_eq!(json[0]["unit_ids"], json!((101..=110).collect::<Vec<_>>()));
    let units: Value = serde_json::from_slice(
        &output(relay(&rig, &["holds", "list", "--units", "--json"]))
            .await
            .stdout,
    )
    .unwrap();
    assert_eq!(
        (units.as_array().unwrap().len(), &units[9]["unit_id"]),
        (10, &json!(110))
    );
    let status = said(&output(relay(&rig, &["status"])).await);
    assert!(status.contains("see `holds list`"), "{status}");
    refused(
        relay(&rig, &["holds", "approve", "999"]),
        2,
        &["no hold 999", "holds list"],
    )
    .await;
    refused(relay(&rig, &["holds", "approve"]), 2, &["required"]).await;
    let approved = said(&output(relay(&rig, &["holds", "approve", &hold])).await);
    assert!(
        approved.contains(&format!(
            "hold {hold} approved: 10 units of property 1 are removed at main now"
        )),
        "{approved}"
    );
    let all = said(&output(relay(&rig, &["holds", "list", "--all"])).await);
    assert!(all.contains("approved") && all.contains("10 of 20"), "{all}");
    refused(
        relay(&rig, &["holds", "reject", &hold]),
        2,
        &["is not open: approved at"],
    )
    .await;
    let none = said(&output(relay(&rig, &["holds", "reject", "--all"])).await);
    assert!(none.contains("no removals wait for a person"), "{none}");
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn pruning_forgets_what_holds_no_longer_go_by_and_nothing_that_is_still_kept() {
    let rig = delivered().await;
    delete(&rig, 201..=202).await;
    delete(&rig, 101..=110).await;
    decide(&rig, None, Decision::Reject).await.unwrap();
    delete(&rig, 301..=306).await;
    decide(&rig, None, Decision::Approve).await.unwrap();
    rig.settle().await;
    rig.pass(40 * 24 * HOUR);
    let mut conn = rig.source.connect().await;
    let retention = rentsync_relay::config::Config::default().retention;
    while rentsync_relay::prune::step(&mut conn, &retention, rig.clock.now())
        .await
        .unwrap()
        .more
    {}
    let states: Vec<String> = sqlx::query_scalar("select state from rentsync.hold")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(states, ["rejected"]);
    assert_eq!(rig.source.number("select count(*) from rentsync.removed").await, 0);
}
