//! What is sealed: what really changed, and nothing else.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use rentsync_relay::config::RemovedAs;
use rentsync_relay::plan::{self, Planned, Scope};
use serde_json::json;

use crate::process::LIMIT;
use crate::support::rig::{Hands, Rig, UNGUARDED};

#[tokio::test]
async fn a_new_property_is_sent_whole_and_then_rests() {
    let rig = Rig::new().await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 3, 0, 200), (2, 3, 0, 200)]);
    rig.assert_equal().await;
    assert_eq!(rig.plan().await, Planned::default(), "nothing is left to plan");
}

#[tokio::test]
async fn only_what_changed_is_sent() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1150 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)]);
    let body = rig.bodies(1).await.pop().unwrap();
    assert_eq!(body["sync_metadata"]["sync_type"], "delta");
    assert_eq!(body["units"][0]["base_rent"], json!(1150.0));
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_touch_a_reverted_edit_and_ten_edits_of_one_unit_cost_at_most_one_unit() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = price").await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 12; update project_rent_roll_units set price = 1200 where id = 12")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    for price in 0..10 {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 12"
        ))
        .await;
    }
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_rename_alone_is_a_delta_without_units() {
    let rig = Rig::delivered().await;
    rig.edit("update projects set name = 'Uno' where id = 1").await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 0, 0, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_unit_that_moves_leaves_one_property_and_comes_to_the_other() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set project_id = 2 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 0, 1, 200), (2, 1, 0, 200)]);
    let removal = &rig.bodies(1).await.pop().unwrap()["removed_units"][0];
    assert_eq!(*removal, json!({ "unit_id": 11, "unit_code": "11", "reason": "moved" }));
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_renumbered_unit_is_a_removal_that_names_its_replacement() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set id = 14 where id = 11")
        .await;
    rig.settle().await;
    let body = rig.bodies(1).await.pop().unwrap();
    assert_eq!(
        body["removed_units"],
        json!([{ "unit_id": 11, "replaced_by": 14, "reason": "deleted" }])
    );
    rig.assert_equal().await;
}

#[tokio::test]
async fn every_way_out_of_a_feed_has_its_reason_and_every_way_back_is_sent() {
    let rig = Rig::delivered().await;
    let reasons = async || {
        rig.settle().await;
        let removed = rig.bodies(1).await.pop().unwrap()["removed_units"].clone();
        let mut reasons: Vec<_> = removed
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["reason"].as_str().unwrap().to_owned())
            .collect();
        reasons.dedup();
        reasons
    };
    rig.edit("delete from project_rent_roll_units where id = 13").await;
    assert_eq!(reasons().await, ["deleted"]);

    rig.edit("update projects set is_actived = false where id = 1").await;
    assert_eq!(reasons().await, ["property_inactive"]);
    rig.edit("update projects set is_actived = true where id = 1").await;
    rig.settle().await;
    rig.assert_equal().await;

    rig.edit("update projects set is_actived = null where id = 1").await;
    assert_eq!(reasons().await, ["property_inactive"]);
    rig.edit("update projects set is_actived = true where id = 1").await;
    rig.settle().await;

    rig.edit("update rentsync.feed set enabled = false where property_id = 1; insert into rentsync.outbox (property_id, op) values (1, 'feed')")
        .await;
    assert_eq!(reasons().await, ["feed_disabled"]);
    assert_eq!(rig.sandbox.property(1).unwrap().units.len(), 0);
    rig.edit("update rentsync.feed set enabled = true where property_id = 1; insert into rentsync.outbox (property_id, op) values (1, 'feed')")
        .await;
    rig.settle().await;
    rig.assert_equal().await;

    rig.edit("delete from projects where id = 1").await;
    assert_eq!(reasons().await, ["deleted"]);
    rig.assert_equal().await;
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where removed is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_property_that_comes_back_without_units_is_active_again() {
    let rig = Rig::delivered().await;
    let is_active = || rig.sandbox.property(1).unwrap().property.unwrap()["is_active"].clone();
    rig.edit("update projects set is_actived = false where id = 1").await;
    rig.settle().await;
    assert_eq!(is_active(), false, "sent with the removals");
    rig.edit(
        "delete from project_rent_roll_units where project_id = 1; update projects set is_actived = true where id = 1",
    )
    .await;
    rig.settle().await;
    assert_eq!(is_active(), true);
}

#[tokio::test]
async fn a_snapshot_sends_a_property_without_units_again_whatever_the_shape() {
    for extensions in [true, false] {
        let mut rig = Rig::empty().await;
        rig.agree_anew(|receiver| {
            receiver.extensions = extensions;
            receiver.removed = RemovedAs::Unavailable;
        })
        .await;
        rig.edit("insert into projects (id, name, is_actived) values (1, 'One', true)")
            .await;
        rig.settle().await;
        let backup = rig.sandbox.save();
        rig.edit("update projects set name = 'Uno'").await;
        rig.settle().await;
        rig.sandbox.restore(backup);
        rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
        rig.settle().await;
        rig.assert_equal().await;
    }
}

#[tokio::test]
async fn a_truncate_empties_every_feed() {
    let rig = Rig::delivered().await;
    rig.edit("truncate project_rent_roll_units").await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 0, 3, 200), (2, 0, 3, 200)]);
    rig.assert_equal().await;
    let digest = rig.bodies(1).await.pop().unwrap()["property_digest"].clone();
    assert_eq!(digest, "0".repeat(64));
}

#[tokio::test]
async fn what_does_not_fit_a_request_is_owed_and_sent_next() {
    let mut rig = Rig::empty().await;
    rig.receiver.units_per_request_max = 2;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id) select n, 1 from generate_series(1, 5) n",
    )
    .await;
    assert_eq!(rig.plan().await.units, 2);
    let owed = "select count(*) from rentsync.ledger where owed = 'over_limit'";
    assert_eq!(rig.source.number(owed).await, 3);
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200), (1, 2, 0, 200), (1, 2, 0, 200)]);
    rig.assert_equal().await;
    // Removals are bounded as well, and the newest content is sent, not the one that was owed first.
    rig.edit("delete from project_rent_roll_units where id <= 4; update project_rent_roll_units set price = 5")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(
        rig.sandbox.syncs().iter().map(|sync| sync.units + sync.removed).max(),
        Some(2)
    );
}

#[tokio::test]
async fn a_body_stays_within_its_bytes() {
    let mut rig = Rig::empty().await;
    rig.receiver.body_bytes_max = 10_000;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id, view)
         select n, 1, repeat('view ', 100) from generate_series(1, 40) n",
    )
    .await;
    rig.settle().await;
    rig.assert_equal().await;
    let largest = rig.sandbox.syncs().iter().map(|sync| sync.bytes).max().unwrap();
    assert!((5_000..=10_000).contains(&largest), "{largest}");
}

#[tokio::test]
async fn a_unit_that_json_cannot_say_is_withheld_and_sent_when_it_is_well_again() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 11; update project_rent_roll_units set price = 7 where id = 12")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)]);
    let why = "select count(*) from rentsync.ledger where unit_id = 11 and withheld = 'invalid' and withheld_because = 'base_rent is not a finite number'";
    assert_eq!(rig.source.number(why).await, 1);
    rig.edit("update project_rent_roll_units set price = 1150 where id = 11")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where withheld is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_feed_has_at_most_one_open_sync_and_plans_what_came_meanwhile_after_it() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    assert_eq!(rig.plan().await.syncs, 1);
    rig.edit("update project_rent_roll_units set price = 2 where id = 11")
        .await;
    assert_eq!(rig.plan().await.syncs, 0);
    let second =
        "with another as (
                      insert into rentsync.sync (sequence, sync_id, receiver, sync_type, units, removed_units, body_bytes,
                          body, sealed_at, due_at)
                      select sequence + 1, 'another', receiver, sync_type, 0, 0, 0, '', now(), now()
                        from rentsync.sync where state = 'open'
                      returning sequence
                  )
                  insert into rentsync.sync_feed (sequence, feed_id, is_open)
                  select another.sequence, feed_id, true from another, rentsync.sync_feed where is_open";
    let error = sqlx::query(second)
        .execute(&mut rig.source.connect().await)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("one_open_sync_per_feed"), "{error}");
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200), (1, 1, 0, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn sequences_rise_within_every_feed() {
    let rig = Rig::delivered().await;
    for price in 0..5 {
        rig.edit(&format!("update project_rent_roll_units set price = {price}"))
            .await;
        rig.settle().await;
    }
    for property_id in [1, 2] {
        let sequences: Vec<i64> = rig
            .sandbox
            .syncs()
            .iter()
            .filter(|sync| sync.project_id == Some(property_id))
            .filter_map(|sync| sync.sequence)
            .collect();
        assert_eq!(sequences.len(), 5);
        assert!(sequences.is_sorted(), "{sequences:?}");
    }
}

#[tokio::test]
async fn only_the_receivers_portfolio_is_sent() {
    let mut rig = Rig::new().await;
    rig.receiver.property_groups = Some(vec![7]);
    rig.hands().await.round(&rig).await;
    assert_eq!(rig.requests(), [(1, 3, 0, 200)]);
    rig.edit("update projects set project_group_id = 9 where id = 1").await;
    let mut hands = rig.hands().await;
    hands.round(&rig).await;
    assert_eq!(rig.sandbox.property(1).unwrap().units.len(), 0);
}

#[tokio::test]
async fn a_changed_setting_sends_exactly_what_it_changes() {
    let rig = Rig::delivered().await;
    let scope = Scope::new(&rig.receiver, &[1, 2]);
    let mut conn = rig.source.connect().await;
    plan::register(&mut conn, &scope).await.unwrap();
    let planned = plan::plan_batch(&mut conn, &scope, &rig.batch(0)).await.unwrap();
    assert_eq!(
        (planned.feeds, planned.syncs, planned.units),
        (2, 2, 2),
        "the rented unit of each property"
    );
}

#[tokio::test]
async fn a_paused_feed_gathers_and_catches_up() {
    let rig = Rig::delivered().await;
    rig.edit("update rentsync.feed set paused_because = 'by hand' where property_id = 1")
        .await;
    rig.edit("update project_rent_roll_units set price = 9").await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(2, 3, 0, 200)]);
    rig.edit("update rentsync.feed set paused_because = null").await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_source_that_fails_to_answer_is_not_an_empty_source() {
    let rig = Rig::delivered().await;
    rig.edit(
        "alter table project_rent_roll_units rename column price to rent; update project_rent_roll_units set rent = 1",
    )
    .await;
    let mut hands = rig.hands().await;
    let failed = hands
        .planner
        .step(&mut hands.conn, &rig.scope(), std::time::Duration::ZERO)
        .await
        .unwrap_err();
    assert!(format!("{failed:#}").contains("price"), "{failed:#}");
    rig.edit("alter table project_rent_roll_units rename column rent to price")
        .await;
    rig.settle().await;
    rig.assert_equal().await;

    // A policy that hides rows from the relay must not look like removals either.
    rig.edit(
        "do $$ begin create role relay_reader; exception when duplicate_object then null; end $$;
         grant usage on schema rentsync to relay_reader;
         grant select, insert, update, delete on all tables in schema rentsync to relay_reader;
         grant usage on all sequences in schema rentsync to relay_reader;
         grant execute on function rentsync.source_property(), rentsync.source_unit() to relay_reader;
         grant select on projects, project_rent_roll_units to relay_reader;
         alter table project_rent_roll_units enable row level security;
         update project_rent_roll_units set price = 2",
    )
    .await;
    let mut hands = rig.hands().await;
    crate::support::execute(&mut hands.conn, "set role relay_reader").await;
    let failed = hands
        .planner
        .step(&mut hands.conn, &rig.scope(), std::time::Duration::ZERO)
        .await
        .unwrap_err();
    assert!(format!("{failed:#}").contains("row-level security"), "{failed:#}");
    rig.edit("drop owned by relay_reader").await;
}

#[tokio::test]
async fn joined_rows_that_repeat_a_unit_are_an_error_that_names_it() {
    let rig = Rig::new().await;
    rig.edit(
        "do $$ declare body text; begin
             select prosrc into body from pg_proc where proname = 'source_unit';
             execute 'create or replace function rentsync.source_unit() returns table ('
                 || (select string_agg(format('%I %s', n, format_type(t, null)), ', ' order by o)
                       from pg_proc p, unnest(p.proargnames, p.proallargtypes) with ordinality as a (n, t, o) where proname = 'source_unit')
                 || ') language sql stable as ' || quote_literal(body || ', generate_series(1, 2)');
         end $$",
    )
    .await;
    let mut hands = rig.hands().await;
    let failed = hands
        .planner
        .step(&mut hands.conn, &rig.scope(), std::time::Duration::ZERO)
        .await
        .unwrap_err();
    assert!(format!("{failed:#}").contains("more than once"), "{failed:#}");
}

#[tokio::test]
async fn a_property_far_beyond_one_request_is_sent_in_as_many_as_it_takes() {
    let mut rig = Rig::empty().await;
    rig.receiver.units_per_request_max = 50;
    rig.receiver.guard = UNGUARDED;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n % 300 from generate_series(1, 1000) n",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.requests().len(), 20);
    rig.assert_equal().await;
    // Half of it goes, half of it changes: what lives first, then what is gone.
    rig.edit("delete from project_rent_roll_units where id % 2 = 0; update project_rent_roll_units set price = 1")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(rig.requests().len(), 40);
}

#[tokio::test]
async fn a_number_beyond_a_double_is_withheld_and_one_too_small_is_zero() {
    let mut rig = Rig::new().await;
    rig.source = crate::support::TestDatabase::bare().await;
    rig.edit("alter table project_rent_roll_units alter column price type numeric")
        .await;
    rentsync_relay::capture::install(&rig.source.database, &rentsync_relay::config::Config::default().source)
        .await
        .unwrap();
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id, price) values (1, 1, 1e400), (2, 1, 1e-400), (3, 1, 1500.1)",
    )
    .await;
    rig.settle().await;
    let units = rig.sandbox.property(1).unwrap().units;
    assert_eq!(
        (&units[&2]["base_rent"], &units[&3]["base_rent"]),
        (&json!(0.0), &json!(1500.1))
    );
    assert!(!units.contains_key(&1));
}

async fn open_messages(rig: &Rig) -> Vec<String> {
    sqlx::query_scalar("select message from rentsync.alert where acked_at is null")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .expect("alerts")
}

#[tokio::test]
async fn a_value_that_fails_is_not_quoted() {
    let rig = Rig::new().await;
    rig.edit(
        "update project_rent_roll_units set lead_first_name = 'Jane Secret' where id = 11;
         do $$ declare f record; begin
             select prosrc, pg_get_function_result(oid) as result into f from pg_proc where proname = 'source_unit';
             drop function rentsync.source_unit();
             execute format('create function rentsync.source_unit() returns %s language sql stable as %L',
                 f.result, replace(f.prosrc, 't.\"pets\"::bigint', 'coalesce(t.lead_first_name, ''0'')::bigint'));
         end $$",
    )
    .await;
    let mut hands = rig.hands().await;
    let scope = rig.scope();
    let mut step = async || {
        let step = hands.planner.step(&mut hands.conn, &scope, std::time::Duration::ZERO);
        step.await.map_err(|failed| format!("{failed:#} {failed:?}"))
    };
    step().await.expect("the other property");
    let said = open_messages(&rig).await.concat();
    assert!(said.contains("22P02") && !said.contains("Secret"), "{said}");
    // Nor where it is so with all of them.
    rig.deliver().await;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, n::text, true from generate_series(100, 120) n;
         insert into project_rent_roll_units (id, project_id, unit_code) select n, n, n::text from generate_series(100, 120) n;
         update project_rent_roll_units set lead_first_name = 'Jane Secret'",
    )
    .await;
    let said = step().await.unwrap_err();
    assert!(said.contains("22P02") && !said.contains("Secret"), "{said}");
}

#[tokio::test]
async fn an_older_relays_settings_never_swallow_a_newer_ones() {
    let rig = Rig::delivered().await;
    let newer = Scope::new(&rig.receiver, &[1, 2]);
    let mut old = rig.hands().await;
    let mut conn = rig.source.connect().await;
    plan::register(&mut conn, &newer).await.unwrap();
    let refused = old
        .planner
        .step(&mut old.conn, &rig.scope(), std::time::Duration::ZERO)
        .await
        .unwrap_err();
    assert!(format!("{refused:#}").contains("other settings"), "{refused:#}");
    let planned = plan::plan_batch(&mut conn, &newer, &rig.batch(0)).await.unwrap();
    assert_eq!(planned.units, 2);
}

#[tokio::test]
async fn steady_edits_of_one_property_do_not_hold_up_the_sweep() {
    let rig = Rig::delivered().await;
    rig.edit(
        "update rentsync.feed set paused_because = 'by hand' where property_id = 1; truncate project_rent_roll_units",
    )
    .await;
    let mut hands = rig.hands().await;
    for id in 100..110 {
        rig.edit(&format!(
            "insert into project_rent_roll_units (id, project_id) values ({id}, 1)"
        ))
        .await;
        hands.round(&rig).await;
    }
    assert_eq!(rig.sandbox.property(2).unwrap().units.len(), 0);
}

#[tokio::test]
async fn a_planner_is_at_rest_until_any_transaction_ends() {
    let rig = Rig::delivered().await;
    let mut hands = rig.hands().await;
    hands.settle(&rig).await;
    let hour = Duration::from_secs(3600);
    let snapshot = async |hands: &mut Hands| -> String {
        sqlx::query_scalar("select pg_current_snapshot()::text")
            .fetch_one(&mut hands.conn)
            .await
            .expect("a snapshot")
    };
    // Others use this server as well.
    let at_rest = async {
        loop {
            let before = snapshot(&mut hands).await;
            let step = hands
                .planner
                .step(&mut hands.conn, &rig.scope(), hour)
                .await
                .expect("step");
            assert!(!step.more);
            if snapshot(&mut hands).await == before {
                return before;
            }
        }
    };
    let seen = tokio::time::timeout(LIMIT, at_rest).await.expect("a quiet moment");
    assert!(hands.planner.is_at_rest(&seen, hour));
    assert!(!hands.planner.is_at_rest("", hour));
    assert!(!hands.planner.is_at_rest(&seen, Duration::ZERO), "a sweep is due");
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    let seen_now = snapshot(&mut hands).await;
    assert!(!hands.planner.is_at_rest(&seen_now, hour));
    hands.planner.notice([1]);
    assert!(!hands.planner.is_at_rest(&seen, hour), "a property is to be planned");
}

/// The longest that a future kept others of its thread waiting, as a part of all that it took of it.
async fn longest_turn(future: impl Future) -> f64 {
    let mut future = pin!(future);
    let (mut longest, mut all) = (Duration::ZERO, Duration::ZERO);
    poll_fn(|context| {
        let began = Instant::now();
        let polled = future.as_mut().poll(context);
        longest = longest.max(began.elapsed());
        all += began.elapsed();
        polled.map(drop)
    })
    .await;
    longest.div_duration_f64(all)
}

#[tokio::test]
async fn promise_15_while_a_large_property_is_compared_heartbeats_have_their_turn() {
    let rig = Rig::empty().await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'Large', true);
         insert into project_rent_roll_units (id, project_id, price) select n, 1, n from generate_series(1, 60000) n",
    )
    .await;
    let longest = longest_turn(rig.plan()).await;
    assert!(longest < 0.1, "{longest:.3} of planning is one turn");
}
