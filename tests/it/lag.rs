//! How long changes take to be acknowledged: what is kept of it is what happened, and it costs a row a minute.

use std::time::Duration;

use rentsync_relay::inspect::{lag, receivers};

use crate::process::{output, relay, said};
use crate::support::kept;
use crate::support::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);

async fn kept(rig: &Rig) -> (Option<f64>, Option<f64>) {
    let mut conn = rig.source.connect().await;
    let status = receivers::status(&mut conn, "main")
        .await
        .expect("status")
        .expect("a receiver");
    (status.work.lag_p50, status.work.lag_p99)
}

/// Settled so long after the edit, which is some moments more.
fn assert_near(seconds: Option<f64>, after: f64) {
    let seconds = seconds.expect("a lag");
    assert!(
        (after..(after + 30.0) * 1.2).contains(&seconds),
        "{seconds} after {after}"
    );
}

async fn edited(rig: &Rig, unit: &str, after: Duration) {
    rig.edit(&format!(
        "update project_rent_roll_units set price = price + 1 where id = {unit}"
    ))
    .await;
    rig.pass(after);
    rig.settle().await;
}

async fn assert_kept(rig: &Rig) {
    let mut conn = rig.source.connect().await;
    kept::assert_lag_is_counted(&mut conn, rig.clock.now()).await;
}

#[tokio::test]
async fn half_and_99_of_100_of_the_last_hour_are_what_they_were() {
    let rig = Rig::delivered().await;
    assert_kept(&rig).await;
    rig.source.execute("delete from rentsync.lag_count").await;
    assert_eq!(kept(&rig).await, (None, None));
    // Each a sync of its own, and no time beside what passes before.
    for _ in 0..3 {
        edited(&rig, "11", Duration::ZERO).await;
    }
    let (half, most) = kept(&rig).await;
    assert!(
        half.is_some_and(|half| half < 30.0) && most.is_some_and(|most| most < 30.0),
        "{half:?} {most:?}"
    );
    edited(&rig, "21", 10 * MINUTE).await;
    let (half, most) = kept(&rig).await;
    assert!(half.is_some_and(|half| half < 30.0), "{half:?}");
    assert_near(most, 600.0);
    // What is more than an hour ago counts no longer.
    rig.source
        .execute("update rentsync.lag_count set began = began - interval '2 hours'")
        .await;
    assert_eq!(kept(&rig).await, (None, None));
}

#[tokio::test]
async fn what_no_change_brought_about_says_nothing_of_it() {
    let rig = Rig::delivered().await;
    rig.source.execute("delete from rentsync.lag_count").await;
    rig.source
        .execute("update rentsync.feed set snapshot_due = 'scheduled'")
        .await;
    rig.pass(10 * MINUTE);
    rig.settle().await;
    assert!(rig.sandbox.syncs().len() >= 2, "snapshots were sent");
    assert_eq!(kept(&rig).await, (None, None));
    // A change that an outage held up counts from when it was made: the clock was set ahead before.
    rig.faults(serde_json::json!({ "status": 503, "times": 1 }));
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    rig.settle().await;
    assert_near(kept(&rig).await.0, 600.0);
}

#[tokio::test]
async fn an_hour_later_a_minutes_row_is_used_again() {
    let rig = Rig::delivered().await;
    rig.source.execute("delete from rentsync.lag_count").await;
    edited(&rig, "11", Duration::ZERO).await;
    let rows = "select count(*) from rentsync.lag_count";
    let syncs = "select coalesce(sum(syncs), 0)::bigint from rentsync.lag_count";
    assert_eq!((rig.source.number(rows).await, rig.source.number(syncs).await), (1, 1));
    // As if that had been one, two and three hours ago, and as slow as what comes.
    let all_steps = "
        insert into rentsync.lag_count
        select l.receiver, s.step, m.minute, date_trunc('minute', clock_timestamp()) - interval '3 hours', 1000
          from rentsync.lag_count l, generate_series(0, 127) as s (step), generate_series(0, 59) as m (minute)
            on conflict (receiver, step, minute_of_hour) do update set began = excluded.began, syncs = excluded.syncs";
    rig.source.execute(all_steps).await;
    let full = rig.source.number(rows).await;
    edited(&rig, "11", Duration::ZERO).await;
    assert_eq!(rig.source.number(rows).await, full);
    let now = "select coalesce(sum(syncs), 0)::bigint from rentsync.lag_count where began > clock_timestamp() - interval '1 hour'";
    assert_eq!(rig.source.number(now).await, 1);
    assert!(kept(&rig).await.1.is_some_and(|most| most < 30.0));
}

#[tokio::test]
async fn each_property_has_its_own_where_that_is_asked() {
    let rig = Rig::delivered().await;
    // What was first sent counts as well, from when the property was enrolled.
    rig.source
        .execute("update rentsync.sync set settled_at = settled_at - interval '2 hours'")
        .await;
    edited(&rig, "11", Duration::ZERO).await;
    edited(&rig, "21", 10 * MINUTE).await;
    let mut conn = rig.source.connect().await;
    let mut of = async |property| {
        lag::of_property(&mut conn, property, None)
            .await
            .expect("lag")
            .remove(0)
    };
    let (one, two) = (of(1).await, of(2).await);
    assert!(one.lag_p99.is_some_and(|most| most < 30.0), "{:?}", one.lag_p99);
    assert_near(two.lag_p50, 600.0);
    assert_eq!((one.oldest_change_age, two.oldest_change_age), (None, None));
    rig.edit("update project_rent_roll_units set price = 9 where id = 11")
        .await;
    assert!(of(1).await.oldest_change_age.is_some_and(|age| age < 30.0));
    assert_eq!(of(2).await.oldest_change_age, None);
    // Also while it is under way, and once it was given up.
    rig.plan().await;
    assert!(of(1).await.oldest_change_age.is_some());

    let status = output(relay(&rig, &["status", "--property", "2", "--json"])).await;
    assert!(said(&status).contains("\"lag_p99_seconds\": 6"), "{}", said(&status));
    let status = output(relay(&rig, &["status"])).await;
    assert!(
        said(&status).contains("last hour's changes took     p50 "),
        "{}",
        said(&status)
    );
    let unknown = output(relay(&rig, &["status", "--property", "77"])).await;
    assert!(said(&unknown).contains("property 77 has no feed"), "{}", said(&unknown));
}
