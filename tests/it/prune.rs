//! Prune: what nobody needs goes, what anybody needs stays, and nobody waits for it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rentsync_relay::config::Retention;
use rentsync_relay::fault::exit_code;
use rentsync_relay::prune::{self, Pruned};
use rentsync_relay::replay::{self, Request, Window};
use sqlx::Connection;

use crate::process::{output, refused, relay, said};
use crate::replay::backdate;
use crate::support::execute;
use crate::support::rig::Rig;

const LIMIT: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const RETENTION: Retention = Retention {
    outbox: DAY,
    syncs: DAY,
    audit: DAY.saturating_mul(365),
};
const CHANGES: &str = "select count(*) from rentsync.outbox";

async fn prune(rig: &Rig) -> Pruned {
    let mut conn = rig.source.connect().await;
    let mut pruned = Pruned::default();
    loop {
        pruned += prune::step(&mut conn, &RETENTION, rig.clock.now())
            .await
            .expect("prune");
        if !pruned.more {
            return pruned;
        }
    }
}

/// Prunes until so many changes are left. Transactions anywhere on the server, other tests' too, hold cursors back while
/// they are open.
async fn prune_down_to(rig: &Rig, changes: i64) -> Pruned {
    let mut pruned = Pruned::default();
    let pruning = async {
        loop {
            pruned += prune(rig).await;
            if rig.source.number(CHANGES).await == changes {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, pruning).await.expect("few enough are left");
    pruned
}

/// Prunes until nothing is written any more.
async fn prune_to_rest(rig: &Rig) {
    let resting = async {
        while prune(rig).await != Pruned::default() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, resting).await.expect("rest");
}

async fn edit_all(rig: &Rig, price: u32) {
    rig.edit(&format!("update project_rent_roll_units set price = {price}"))
        .await;
}

#[tokio::test]
async fn what_every_feed_has_planned_goes_when_it_is_old_and_the_horizon_says_so() {
    let rig = Rig::delivered().await;
    edit_all(&rig, 1).await;
    rig.settle().await;
    assert_eq!(prune(&rig).await, Pruned::default(), "nothing is old");
    backdate(&rig, "2 days").await;
    edit_all(&rig, 2).await;
    rig.settle().await;
    let young = "select count(*) from rentsync.outbox where occurred_at > now() - interval '1 hour'";
    let before = rig.source.number(young).await;
    let pruned = prune_down_to(&rig, before).await;
    assert!(pruned.outbox > 0 && pruned.snapshots == 0, "{pruned:?}");
    assert_eq!(rig.source.number(young).await, before);
    rig.sandbox.clear_log();
    rig.settle().await;
    assert_eq!(rig.requests(), [], "nobody was sent anything again");

    let horizon = prune::horizon(&mut rig.source.connect().await).await.unwrap().unwrap();
    assert!(horizon < Utc::now() - TimeDelta::days(1));
    let since = |since| Request {
        receiver: &rig.receiver,
        window: Window { since, until: None },
        property: None,
    };
    let mut conn = rig.source.connect().await;
    for pruned in [
        replay::mark(&mut conn, &since(horizon - TimeDelta::seconds(1))).await,
        replay::look(&mut conn, &since(horizon - TimeDelta::seconds(1))).await,
    ] {
        let error = pruned.unwrap_err();
        let named = (horizon + TimeDelta::seconds(1)).format("%Y-%m-%dT%H:%M").to_string();
        let text = error.to_string();
        assert!(text.contains("snapshot") && text.contains(&named), "{text}");
        assert_eq!(exit_code(&error), 2);
    }
    replay::mark(&mut conn, &since(horizon)).await.unwrap();
}

#[tokio::test]
async fn idle_feeds_let_go_of_the_outbox_without_a_request() {
    let rig = Rig::delivered().await;
    // Only property 1 changes; the feed of property 2 stands where it began.
    for price in 0..20 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        rig.settle().await;
    }
    backdate(&rig, "2 days").await;
    rig.sandbox.clear_log();
    let pruned = prune_down_to(&rig, 0).await;
    assert_eq!(pruned.snapshots, 0, "{pruned:?}");
    assert_eq!(prune(&rig).await, Pruned::default(), "moved once");
    edit_all(&rig, 30).await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(rig.requests(), [(1, 3, 0, 200), (2, 3, 0, 200)]);
}

#[tokio::test]
async fn a_feed_that_was_paused_a_while_keeps_its_news_and_nothing_else() {
    let rig = Rig::delivered().await;
    // What the feed of property 2 holds back is none of its own.
    for price in 0..3 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        rig.settle().await;
    }
    backdate(&rig, "2 days").await;
    rig.edit("update rentsync.feed set paused_because = 'by hand' where property_id = 2")
        .await;
    edit_all(&rig, 2).await;
    rig.settle().await;
    // The young ones.
    let pruned = prune_down_to(&rig, 2).await;
    assert!(pruned.cursors > 0 && pruned.snapshots == 0, "{pruned:?}");
    rig.sandbox.clear_log();
    rig.edit("update rentsync.feed set paused_because = null").await;
    rig.settle().await;
    rig.assert_equal().await;
    let syncs = rig.sandbox.syncs();
    assert_eq!((syncs.len(), syncs[0].sync_type), (1, Some("delta")));
}

#[tokio::test]
async fn a_feed_paused_for_longer_than_retention_is_due_a_snapshot_and_keeps_nothing_back() {
    let rig = Rig::delivered().await;
    rig.edit("update rentsync.feed set paused_because = 'by hand' where property_id = 2")
        .await;
    rig.edit("update project_rent_roll_units set price = 9; delete from project_rent_roll_units where id in (12, 22)")
        .await;
    rig.settle().await;
    backdate(&rig, "2 days").await;
    let pruned = prune_down_to(&rig, 0).await;
    assert_eq!(pruned.snapshots, 1, "{pruned:?}");
    rig.sandbox.clear_log();
    rig.edit("update rentsync.feed set paused_because = null").await;
    rig.settle().await;
    rig.assert_equal().await;
    let syncs = rig.sandbox.syncs();
    assert_eq!((syncs.len(), syncs[0].sync_type), (1, Some("snapshot")));
}

#[tokio::test]
async fn a_receiver_that_nobody_runs_any_more_keeps_nothing_back() {
    let rig = Rig::delivered().await;
    rig.edit(
        "insert into rentsync.receiver (receiver) values ('former');
         insert into rentsync.feed (receiver, property_id, cursor) select 'former', property_id, cursor from rentsync.feed",
    )
    .await;
    edit_all(&rig, 1).await;
    rig.settle().await;
    backdate(&rig, "2 days").await;
    let pruned = prune_down_to(&rig, 0).await;
    assert_eq!(pruned.snapshots, 2, "{pruned:?}");
}

#[tokio::test]
async fn what_a_transaction_in_progress_wrote_is_sent_when_it_commits_however_old_it_is() {
    let rig = Rig::delivered().await;
    let mut open = rig.source.connect().await;
    crate::support::execute(
        &mut open,
        "begin; update project_rent_roll_units set price = 5 where id = 11",
    )
    .await;
    for price in 0..3 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        rig.settle().await;
    }
    let old = "update rentsync.outbox set occurred_at = occurred_at - interval '2 days'";
    rig.edit(old).await;
    crate::support::execute(&mut open, &format!("{old} where xid = pg_current_xact_id()")).await;
    // No cursor is beyond the oldest that is open, and none is written in vain.
    prune_down_to(&rig, 3).await;
    prune_to_rest(&rig).await;
    assert_eq!(rig.source.number(CHANGES).await, 3);
    crate::support::execute(&mut open, "commit").await;
    rig.settle().await;
    rig.assert_equal().await;
    prune_down_to(&rig, 0).await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn nothing_beyond_a_cursor_goes_while_that_cursor_is_another_relays_to_move() {
    let rig = Rig::delivered().await;
    edit_all(&rig, 1).await;
    backdate(&rig, "2 days").await;
    let mut planner = rig.source.connect().await;
    execute(
        &mut planner,
        "begin; select from rentsync.planner where receiver = 'main' for no key update",
    )
    .await;
    prune(&rig).await;
    assert!(
        rig.source.number(CHANGES).await >= 2,
        "the edit's two rows are not planned yet"
    );
    planner.close().await.unwrap();
    rig.sandbox.clear_log();
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(rig.sandbox.syncs()[0].sync_type, Some("delta"));
}

#[tokio::test]
async fn two_relays_that_prune_at_once_share_the_work() {
    let rig = Rig::delivered().await;
    rig.edit(
        "insert into rentsync.outbox (property_id, op, unit_ids)
         select 1 + n % 2, 'update', '{}' from generate_series(1, 12000) n",
    )
    .await;
    rig.settle().await;
    backdate(&rig, "2 days").await;
    let before = rig.source.number(CHANGES).await;
    let (one, other) = tokio::join!(prune_down_to(&rig, 0), prune_down_to(&rig, 0));
    assert_eq!(i64::try_from(one.outbox + other.outbox).unwrap(), before);
}

#[tokio::test]
async fn nobody_waits_for_pruning_and_pruning_waits_for_nobody() {
    let rig = Rig::delivered().await;
    edit_all(&rig, 1).await;
    rig.settle().await;
    backdate(&rig, "2 days").await;
    // Somebody looks closely at a row: it is passed over.
    let mut reader = rig.source.connect().await;
    crate::support::execute(
        &mut reader,
        "begin; select from rentsync.outbox where ctid = (select min(ctid) from rentsync.outbox) for update",
    )
    .await;
    prune_down_to(&rig, 1).await;
    crate::support::execute(&mut reader, "rollback").await;
    // A pruning that is not over yet.
    let mut pruner = rig.source.connect().await;
    let mut tx = pruner.begin().await.unwrap();
    let gone: i64 = sqlx::query_scalar(include_str!("../../sql/prune/outbox.sql"))
        .bind(Utc::now())
        .bind(5000_i64)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(gone, 1);
    rig.edit("set lock_timeout = '1s'; update project_rent_roll_units set price = 2; delete from project_rent_roll_units where id = 12")
        .await;
    tx.commit().await.unwrap();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn settled_syncs_go_with_their_attempts_but_the_newest_delivered_of_each_feed_stays() {
    let rig = Rig::delivered().await;
    for price in 0..3 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 11"
        ))
        .await;
        rig.settle().await;
    }
    rig.edit("delete from project_rent_roll_units where id = 13").await;
    rig.settle().await;
    rig.faults(serde_json::json!({ "status": 503 }));
    edit_all(&rig, 9).await;
    rig.plan().await;
    rig.deliver().await;
    rig.edit(
        "insert into rentsync.alert (kind, message, raised_at, last_at, acked_at) values
             ('plan', 'acknowledged', now(), now(), now()), ('rejected', 'open', now(), now(), null);
         insert into rentsync.drift (feed_id, unit_id, found_at) select feed_id, 1, now() from rentsync.feed;
         insert into rentsync.snapshot_run (receiver, reason, started_at, finished_at) values
             ('main', 'old', now(), now()), ('main', 'newest', now(), now()), ('main', 'unfinished', now(), null)",
    )
    .await;
    backdate(&rig, "2 days").await;
    rig.edit(
        "update rentsync.alert set acked_at = acked_at - interval '2 days';
         update rentsync.drift set found_at = found_at - interval '2 days';
         update rentsync.snapshot_run set finished_at = finished_at - interval '2 days'",
    )
    .await;
    let pruned = prune(&rig).await;
    assert_eq!((pruned.syncs, pruned.notes), (4, 1 + 2 + 1 + 1), "{pruned:?}");
    let mut states = rig.states().await;
    states.sort();
    assert_eq!(states, ["delivered", "delivered", "open", "open"]);
    let orphans = "select count(*) from rentsync.attempt where sequence not in (select sequence from rentsync.sync)";
    assert_eq!(rig.source.number(orphans).await, 0);
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.alert where acked_at is not null")
            .await,
        0
    );
    assert_eq!(rig.source.number("select count(*) from rentsync.snapshot_run").await, 2);
    let horizon = prune::horizon(&mut rig.source.connect().await).await.unwrap();
    assert!(horizon.is_some());
    rig.no_faults();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn sizes_stay_small_under_churn() {
    let rig = Rig::delivered().await;
    let size = "select pg_relation_size('rentsync.outbox') + pg_relation_size('rentsync.outbox_xid')
                     + pg_relation_size('rentsync.sync') + pg_relation_size('rentsync.attempt')";
    let churn = async || {
        for price in 0..3 {
            rig.edit(&format!(
                "do $$ begin for i in 1..100 loop update project_rent_roll_units set price = i + {price} where id = 11; end loop; end $$"
            ))
            .await;
            rig.settle().await;
        }
        backdate(&rig, "2 days").await;
        prune_down_to(&rig, 0).await;
        for table in ["outbox", "sync", "attempt"] {
            rig.edit(&format!("vacuum rentsync.{table}")).await;
        }
        rig.source.number(size).await
    };
    churn().await;
    let early = churn().await;
    for _ in 0..6 {
        churn().await;
    }
    let late = churn().await;
    // What stayed after every round would be more than four times as much; a vacuum may leave a few pages at the end.
    assert!(late <= 2 * early, "{early} bytes, then {late}");
}

#[tokio::test]
async fn the_command_prunes_and_says_what_and_how_far_back_a_replay_can_go() {
    let rig = Rig::delivered().await;
    let relay = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command
            .env("RELAY_RETENTION__OUTBOX", "1d")
            .env("RELAY_RETENTION__SYNCS", "1d");
        command
    };
    let done = output(relay(&["prune"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("to the beginning"), "{}", said(&done));
    edit_all(&rig, 1).await;
    rig.settle().await;
    backdate(&rig, "2 days").await;
    let done = output(relay(&["prune"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains("2 syncs") && said(&done).contains("go back to"),
        "{}",
        said(&done)
    );
    refused(
        relay(&["replay", "--since", "30d"]),
        2,
        &["pruned", "snapshot", "--since 20"],
    )
    .await;
    let mut bad = relay(&["prune"]);
    bad.env("RELAY_RETENTION__OUTBOX", "10m");
    refused(bad, 2, &["retention.outbox", "1h"]).await;
}
