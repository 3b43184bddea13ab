//! What a receiver bears: bytes in a body, requests in a second.

use chrono::{DateTime, TimeDelta, Utc};
use rentsync_relay::config::{Batch, Format, Receiver, RemovedAs, UnitStyle};
use rentsync_relay::relay::Stop;
use std::time::Duration;
use tokio::sync::watch;

use crate::support::rig::{Rig, UNGUARDED};

const BYTES_MAX: usize = 10_000;
const PER_SECOND: usize = 20;
const REQUESTS: usize = 50;
/// Requests that the test's machine may be late with, so that they come together with later ones.
const LATE: usize = PER_SECOND / 3;

const SHAPES: [fn(&mut Receiver); 6] = [
    |_| {},
    |r| r.unit_style = UnitStyle::Nested,
    |r| r.batch = Batch::AllProperties,
    |r| r.format = Format::Flat,
    |r| {
        r.format = Format::Flat;
        r.batch = Batch::AllProperties;
    },
    |r| {
        r.extensions = false;
        r.removed = RemovedAs::Unavailable;
    },
];

#[tokio::test]
async fn bodies_are_split_by_their_bytes_in_every_format() {
    for (number, shape) in SHAPES.into_iter().enumerate() {
        let mut rig = Rig::empty().await;
        rig.agree_anew(shape).await;
        rig.receiver.body_bytes_max = BYTES_MAX;
        rig.receiver.guard = UNGUARDED;
        rig.edit(
            r#"insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true);
               insert into project_rent_roll_units (id, project_id, unit_code, view)
               select n, 1 + n % 2, repeat('"', 80) || n, repeat('view ', n) from generate_series(1, 80) n"#,
        )
        .await;
        rig.settle().await;
        rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
        rig.settle().await;
        rig.assert_equal().await;
        let syncs = rig.sandbox.syncs();
        let parts = syncs.iter().filter_map(|sync| sync.parts).max();
        assert!(!rig.receiver.extensions || parts > Some(1), "{number}: {parts:?} parts");
        rig.edit("delete from project_rent_roll_units where id > 4").await;
        rig.settle().await;
        rig.assert_equal().await;
        let largest = rig.sandbox.syncs().iter().map(|sync| sync.bytes).max().unwrap();
        assert!(
            (BYTES_MAX * 8 / 10..=BYTES_MAX).contains(&largest),
            "{number}: {largest}"
        );
        let most = |of: fn(&rentsync_sandbox::SyncLogEntry) -> usize| rig.sandbox.syncs().iter().map(of).max().unwrap();
        let fullest = (most(|sync| sync.units), most(|sync| sync.removed));
        assert!(fullest.0 < 40 && fullest.1 < 40, "{number}: {fullest:?} of 40 units");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_together_keep_the_requests_a_second() {
    let mut rig = Rig::empty().await;
    rig.receiver.requests_per_second_max = Some(PER_SECOND as f64);
    rig.edit(&format!(
        "insert into projects (id, is_actived) select n, true from generate_series(1, {REQUESTS}) n"
    ))
    .await;
    let relays = ["one:1", "other:2"].map(|name| {
        let mut relay = rig.relay();
        relay.name = name.into();
        let (stop, stopped) = watch::channel(Stop::No);
        (stop, tokio::spawn(relay.run(stopped)))
    });
    let all = |sandbox: &rentsync_sandbox::Sandbox| sandbox.syncs().len() >= REQUESTS;
    assert!(rig.sandbox.wait_until(all, Duration::from_secs(60)).await);
    for (stop, task) in relays {
        stop.send_replace(Stop::Finish);
        task.await.expect("no panic").expect("a relay that runs");
    }
    let both = "select count(distinct relay) from rentsync.attempt";
    assert_eq!(rig.source.number(both).await, 2, "each sent some");
    let mut times: Vec<DateTime<Utc>> = rig.sandbox.syncs().iter().map(|sync| sync.received_at).collect();
    times.sort_unstable();
    let within_a_second = |begin: &DateTime<Utc>| {
        let end = *begin + TimeDelta::seconds(1);
        times.iter().filter(|time| (*begin..end).contains(*time)).count()
    };
    let most = times.iter().map(within_a_second).max().unwrap();
    assert!(most <= PER_SECOND + LATE, "{most} requests within a second");
    rig.assert_equal().await;
}
