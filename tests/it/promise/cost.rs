//! What is asked on a schedule costs what changed: pages are counted, because they are the same on any machine.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Arguments, PgConnection, Row};

use super::size::{arguments, compared_in_vain, explain, explained, filled, pages, touched};
use crate::support::execute;
use crate::support::rig::Rig;

/// What every scrape reads of the database.
async fn cost_of_a_scrape(conn: &mut PgConnection) -> [(&'static str, i64); 2] {
    let all = arguments(|all| all.add(None::<&str>).unwrap());
    [
        ("work", pages(&mut *conn, explained!("inspect/work.sql"), all).await),
        (
            "attempts",
            pages(conn, explained!("inspect/attempts_last_hour.sql"), arguments(|_| ())).await,
        ),
    ]
}

#[tokio::test]
async fn promise_17_a_scrape_costs_the_same_however_much_waits_is_owed_or_was_tried() {
    let rig = filled(20).await;
    let mut conn = rig.source.connect().await;
    rig.edit("update project_rent_roll_units set price = 2 where id = 101")
        .await;
    let little = cost_of_a_scrape(&mut conn).await;
    rig.edit(
        "insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, sequence, owed)
         select f.feed_id, 100000 + n * 100 + f.feed_id, n, decode(repeat('00', 32), 'hex'), 1, 'in_doubt'
           from rentsync.feed f, generate_series(1, 1000) n;
         insert into rentsync.outbox (property_id, op, unit_ids) select 1, 'update', '{101}' from generate_series(1, 20000);
         insert into rentsync.sync (sequence, sync_id, receiver, sync_type, state, units, removed_units, body_bytes, body, sealed_at, settled_at)
         select n, 's' || n, 'main', 'delta', 'delivered', 1, 0, 1, '', now(), now() - interval '1 hour' from generate_series(1, 20000) n;
         insert into rentsync.attempt (sequence, lease, relay, started_at, finished_at, outcome)
         select n, 1, 'test', now(), now(), 'delivered' from generate_series(1, 20000) n",
    )
    .await;
    let much = cost_of_a_scrape(&mut conn).await;
    for ((statement, little), (_, much)) in little.into_iter().zip(much) {
        // An index is a level or two deeper, for each feed.
        assert!(
            much <= little * 2 + 60,
            "{statement}: {little} pages, {much} where much waits"
        );
    }
}

/// What choosing among the feeds of 20 properties reads, of which one has news, and a look at all of them.
async fn cost_of_choosing(conn: &mut PgConnection) -> [(&'static str, i64); 2] {
    let choose = arguments(|all| {
        all.add("main").unwrap();
        all.add(None::<Vec<i64>>).unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
        for number in [0_i64, 256, 501] {
            all.add(number).unwrap();
        }
        all.add(false).unwrap();
        all.add(10_000_i64).unwrap();
        all.add(None::<i64>).unwrap();
        all.add(None::<bool>).unwrap();
    });
    let look = arguments(|all| {
        all.add("main").unwrap();
        all.add(None::<i64>).unwrap();
        all.add(0_i64).unwrap();
        all.add(256_i64).unwrap();
    });
    [
        (
            "choose_feeds",
            pages(&mut *conn, explained!("plan/choose_feeds.sql"), choose).await,
        ),
        ("every feed", pages(conn, explained!("verify/feeds.sql"), look).await),
    ]
}

#[tokio::test]
async fn promise_17_a_transaction_that_stays_open_makes_no_look_read_what_was_planned() {
    let rig = filled(20).await;
    rig.edit("insert into rentsync.outbox (property_id, op, unit_ids) select 1 + n % 20, 'update', '{}' from generate_series(1, 20000) n")
        .await;
    let planned = "update rentsync.feed set cursor = pg_current_snapshot(); analyze rentsync.outbox, rentsync.feed";
    rig.edit(planned).await;
    let mut conn = rig.source.connect().await;
    let closed = cost_of_choosing(&mut conn).await;
    let mut open = rig.source.connect().await;
    sqlx::raw_sql("begin; update project_rent_roll_units set price = 2 where id = 101")
        .execute(&mut open)
        .await
        .unwrap();
    // A transaction that began later and is over: only now the open one is among those that run.
    rig.edit("insert into rentsync.outbox (property_id, op, unit_ids) values (2, 'update', '{}')")
        .await;
    rig.edit(planned).await;
    let running = rig
        .source
        .number("select count(*) from rentsync.feed where pg_snapshot_xmin(cursor) < pg_snapshot_xmax(cursor)");
    assert_eq!(running.await, 20);
    let opened = cost_of_choosing(&mut conn).await;
    for ((statement, closed), (_, opened)) in closed.into_iter().zip(opened) {
        assert!(
            opened <= closed * 2 + 60,
            "{statement}: {closed} pages, {opened} with a transaction open"
        );
    }
    sqlx::raw_sql("commit").execute(&mut open).await.unwrap();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_17_what_nobody_analysed_is_not_read_whole() {
    let rig = filled(20).await;
    let tables = ["outbox", "sync", "sync_feed", "attempt"];
    for table in tables {
        rig.edit(&format!("alter table rentsync.{table} set (autovacuum_enabled = off)"))
            .await;
    }
    rig.edit(
        "insert into rentsync.outbox (property_id, op, unit_ids) select 1 + n % 20, 'update', '{}' from generate_series(1, 20000) n;
         insert into rentsync.sync (sequence, sync_id, receiver, sync_type, state, units, removed_units, body_bytes, body, sealed_at, settled_at)
         select n, 's' || n, 'main', 'delta', 'delivered', 1, 0, 1, '', now(), now() - interval '1 day' from generate_series(1, 20000) n;
         insert into rentsync.sync_feed (sequence, feed_id, is_open)
         select n, (select min(feed_id) from rentsync.feed) + n % 20, false from generate_series(1, 20000) n;
         insert into rentsync.attempt (sequence, lease, relay, started_at, finished_at, outcome)
         select n, 1, 'test', now(), now(), 'delivered' from generate_series(1, 20000) n",
    )
    .await;
    let mut conn = rig.source.connect().await;
    let seen: String = sqlx::query_scalar("select pg_current_snapshot()::text")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    let look = arguments(|all| {
        all.add("main").unwrap();
        all.add(seen).unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
    });
    let looked = pages(&mut conn, explained!("plan/look.sql"), look).await;
    assert!(looked <= 30, "{looked} pages to see that nothing is new");
    let prune = arguments(|all| {
        all.add(Utc::now()).unwrap();
        all.add(10_i64).unwrap();
    });
    let pruned = pages(&mut conn, explained!("prune/syncs.sql"), prune).await;
    assert!(pruned <= 600, "{pruned} pages to prune 10 syncs");
    let late = arguments(|all| all.add((1..=10).collect::<Vec<i64>>()).unwrap());
    let looked_up = pages(&mut conn, explained!("replay/late.sql"), late).await;
    assert!(looked_up <= 150, "{looked_up} pages to look up 10 syncs");
}

#[tokio::test]
async fn promise_17_a_replay_of_everything_compares_no_property_with_all_others() {
    let rig = Rig::empty().await;
    let tables = ["feed", "outbox", "sync_feed", "attempt"];
    for table in tables {
        rig.edit(&format!("alter table rentsync.{table} set (autovacuum_enabled = off)"))
            .await;
    }
    rig.hands().await;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, n::text, true from generate_series(1, 1000) n;
         insert into rentsync.feed (receiver, property_id, property_sequence) select 'main', n, n from generate_series(1, 1000) n;
         insert into rentsync.sync (sequence, sync_id, receiver, sync_type, state, units, removed_units, body_bytes, body, sealed_at, settled_at)
         select n, 's' || n, 'main', 'delta', 'delivered', 1, 0, 1, '', now(), now() from generate_series(1, 1000) n;
         insert into rentsync.sync_feed (sequence, feed_id, is_open, units)
         select f.property_id, f.feed_id, false, array(select f.property_id * 100 + u from generate_series(1, 5) u) from rentsync.feed f;
         insert into rentsync.attempt (sequence, lease, relay, started_at, finished_at, outcome)
         select n, 1, 'test', now(), now(), 'delivered' from generate_series(1, 1000) n;
         insert into rentsync.outbox (property_id, op) select n, 'update' from generate_series(1, 1000) n",
    )
    .await;
    let replay = arguments(|all| {
        all.add("main").unwrap();
        all.add(Utc::now() - chrono::TimeDelta::hours(1)).unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
        all.add(None::<i64>).unwrap();
        all.add(30_f64).unwrap();
        all.add(None::<Vec<i64>>).unwrap();
        all.add(None::<Vec<i64>>).unwrap();
    });
    let units = arguments(|all| {
        all.add("main").unwrap();
        all.add(Utc::now() - chrono::TimeDelta::hours(1)).unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
        all.add(None::<i64>).unwrap();
        all.add(30_f64).unwrap();
        all.add(true).unwrap();
        all.add(false).unwrap();
        all.add(None::<Vec<i64>>).unwrap();
        all.add(None::<Vec<i64>>).unwrap();
    });
    let mut conn = rig.source.connect().await;
    for (statement, arguments, rows) in [
        (explained!("replay/feeds.sql"), replay, 1_000.0),
        (explained!("replay/units.sql"), units, 5_000.0),
    ] {
        let plan = explain(&mut conn, statement, arguments).await;
        assert_eq!(plan["Actual Rows"].as_f64(), Some(rows));
        assert!(compared_in_vain(&plan) + passed_over(&plan) <= 10_000.0, "{plan:#}");
        let pages = touched(&plan);
        assert!(pages <= 100_000, "{pages} pages: {plan:#}");
    }
}

/// It is empty nearly always, and autovacuum says so to whoever plans a statement then.
#[tokio::test]
async fn promise_17_what_is_withheld_is_put_together_by_key_after_a_long_time_without_any() {
    let rig = Rig::empty().await;
    rig.edit("alter table rentsync.withheld set (autovacuum_enabled = off)")
        .await;
    rig.edit("vacuum analyze rentsync.withheld").await;
    let mut conn = rig.source.connect().await;
    let prepared = concat!(
        "set plan_cache_mode = force_generic_plan; prepare gather (text, bigint[]) as ",
        include_str!("../../../sql/hold/gather.sql")
    );
    execute(&mut conn, prepared).await;
    let feeds: Vec<String> = (1..=256).map(|feed| feed.to_string()).collect();
    let gather = format!(
        "explain (analyze, buffers, format json) execute gather ('main', '{{{}}}')",
        feeds.join(",")
    );
    let gather: &str = gather.leak();
    // The plan is made, and kept, while there is nothing.
    explain(&mut conn, gather, arguments(|_| ())).await;
    rig.edit(
        "insert into rentsync.withheld (receiver, feed_id, kind, units)
         select 'main', n, 'held', units from generate_series(1, 5000) n, (values (20), (-20)) as of (units)",
    )
    .await;
    let plan = explain(&mut conn, gather, arguments(|_| ())).await;
    assert!(compared_in_vain(&plan) + passed_over(&plan) <= 1_000.0, "{plan:#}");
    let pages = touched(&plan);
    assert!(pages <= 3_000, "{pages} pages: {plan:#}");
}

/// Indexes of what passes are full of nothing in quiet times, and a vacuum says so: whoever goes by that reads them whole.
#[tokio::test]
async fn promise_17_after_a_quiet_time_what_is_withheld_is_read_by_property() {
    let rig = Rig::empty().await;
    rig.hands().await;
    rig.edit("alter table rentsync.ledger set (autovacuum_enabled = off)")
        .await;
    rig.edit(
        "insert into rentsync.feed (receiver, property_id, units, of_units) select 'main', n, 50, 50 from generate_series(1, 200) n;
         insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, sequence)
         select feed_id, feed_id * 1000 + n, n, decode(repeat('00', 32), 'hex'), 1 from rentsync.feed, generate_series(1, 50) n;
         insert into rentsync.hold (receiver, feed_id, units, gone, of_units, opened_at, grown_at)
         select 'main', feed_id, 1, 0, 50, now(), now() from rentsync.feed",
    )
    .await;
    let withhold = "update rentsync.ledger
                       set withheld = case when unit_id % 10 = 0 then 'held' else 'refused' end, withheld_because = 'test',
                           withheld_at = now(), refusals = 1, retry_at = now();
                    update rentsync.feed set retry_at = now()";
    rig.edit(withhold).await;
    rig.edit(
        "update rentsync.ledger set withheld = null, withheld_because = null, withheld_at = null, retry_at = null",
    )
    .await;
    rig.edit("vacuum analyze rentsync.ledger").await;
    rig.edit(withhold).await;
    let mut conn = rig.source.connect().await;
    let feeds: Vec<i64> = sqlx::query_scalar("select feed_id from rentsync.feed")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    let clear = arguments(|all| {
        all.add("main").unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
        for limit in [100_i64, 100, 100, 100] {
            all.add(limit).unwrap();
        }
        all.add(&feeds).unwrap();
        all.add(10_i64).unwrap();
        all.add(10_f64).unwrap();
    });
    let let_go = arguments(|all| {
        all.add("main").unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
        all.add(100_i64).unwrap();
    });
    let accept = arguments(|all| {
        all.add(&feeds).unwrap();
        all.add(vec![1_i64; 200]).unwrap();
        all.add(None::<DateTime<Utc>>).unwrap();
    });
    for (statement, arguments, units) in [
        (explained!("hold/clear.sql"), clear, 500.0),
        (explained!("plan/let_go.sql"), let_go, 5_000.0),
        (explained!("deliver/accept_refused.sql"), accept, 5_000.0),
    ] {
        let plan = explain(&mut conn, statement, arguments).await;
        assert!(compared_in_vain(&plan) + passed_over(&plan) <= units * 3.0, "{plan:#}");
    }
}

#[tokio::test]
async fn promise_17_removals_that_are_old_are_forgotten_by_key_after_a_long_time_without_any() {
    let rig = Rig::empty().await;
    rig.hands().await;
    rig.edit("alter table rentsync.removed set (autovacuum_enabled = off)")
        .await;
    rig.edit("vacuum analyze rentsync.removed").await;
    let mut conn = rig.source.connect().await;
    let prepared = concat!(
        "set plan_cache_mode = force_generic_plan; prepare expire (text, timestamptz, bigint) as ",
        include_str!("../../../sql/hold/expire.sql")
    );
    execute(&mut conn, prepared).await;
    let expire = "explain (analyze, buffers, format json) execute expire ('main', null, 500)";
    // The plan is made, and kept, while there is nothing.
    explain(&mut conn, expire, arguments(|_| ())).await;
    rig.edit(
        "insert into rentsync.feed (receiver, property_id) select 'main', n from generate_series(1, 2000) n;
         insert into rentsync.removed (receiver, feed_id, sequence, units, uncovered, units_before, told_at)
         select 'main', feed_id, n, 1, 0, 20, now() - interval '25 hours' from rentsync.feed, generate_series(1, 2) n",
    )
    .await;
    let plan = explain(&mut conn, expire, arguments(|_| ())).await;
    assert!(compared_in_vain(&plan) + passed_over(&plan) <= 10_000.0, "{plan:#}");
    assert_eq!(rig.source.number("select count(*) from rentsync.removed").await, 3_500);
}

#[tokio::test]
async fn promise_17_who_carries_a_code_is_found_by_reading_each_property_once() {
    let rig = Rig::empty().await;
    rig.hands().await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (1, 'Large', true);
         insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(1, 3000) n;
         insert into rentsync.feed (receiver, property_id) values ('main', 1);
         insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, sequence)
         select feed_id, n, n, decode(repeat('00', 32), 'hex'), 1 from rentsync.feed, generate_series(1, 3000) n",
    )
    .await;
    let codes: Vec<String> = (1..=500).map(|code| code.to_string()).collect();
    let carriers = arguments(|all| {
        all.add(vec![1_i64; 500]).unwrap();
        all.add(vec![1_i64; 500]).unwrap();
        all.add(&codes).unwrap();
        all.add("main").unwrap();
        all.add("").unwrap();
    });
    let mut conn = rig.source.connect().await;
    execute(&mut conn, "set plan_cache_mode = force_generic_plan").await;
    let plan = explain(&mut conn, explained!("plan/carriers.sql"), carriers).await;
    assert_eq!(plan["Actual Rows"].as_f64(), Some(500.0));
    assert!(compared_in_vain(&plan) + passed_over(&plan) <= 20_000.0, "{plan:#}");
}

#[tokio::test]
async fn promise_17_what_one_transaction_changed_with_many_comes_before_an_edit_that_the_same_look_finds() {
    let rig = Rig::new().await;
    rig.hands().await;
    let mut conn = rig.source.connect().await;
    let before = rig.source.texts("select pg_current_snapshot()::text").await.remove(0);
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    rig.edit("update project_rent_roll_units set price = 8").await;
    rig.edit("update project_rent_roll_units set price = 9 where id = 11")
        .await;
    rig.edit("insert into rentsync.outbox (property_id, op) select n, 'update' from generate_series(10, 12) n")
        .await;
    let look = sqlx::query(include_str!("../../../sql/plan/look.sql"))
        .bind("main")
        .bind(before)
        .bind(None::<DateTime<Utc>>)
        .fetch_one(&mut conn)
        .await
        .expect("look");
    let touched: Vec<Option<i64>> = look.get("touched");
    assert_eq!(touched, [10, 11, 12, 2, 1].map(Some));
}

/// Rows that scans of what was worked out before looked at in vain.
fn passed_over(plan: &Value) -> f64 {
    let of = |name: &str| plan[name].as_f64().unwrap_or(0.0);
    let below = plan["Plans"].as_array().into_iter().flatten().map(passed_over);
    of("Rows Removed by Filter") * of("Actual Loops") + below.sum::<f64>()
}

/// What a scrape says: how many feeds are behind, units owed, the age of the oldest change that is not delivered.
async fn scraped(rig: &Rig) -> (i64, i64, f64) {
    sqlx::query_as("select feeds_behind, units_owed, coalesce(extract(epoch from clock_timestamp() - oldest_change), 0)::float8 from rentsync.receiver_backlog")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn promise_20_a_first_sync_that_never_arrives_has_an_age() {
    let mut rig = Rig::new().await;
    rig.receiver.breaker.failures = 100;
    rig.hands().await;
    assert_eq!(scraped(&rig).await, (0, 0, 0.0), "nothing is enrolled");
    rig.faults(json!({ "status": 503 }));
    let mut before = 0.0;
    for what in ["enrolled", "planned", "tried", "given up"] {
        match what {
            "enrolled" => {
                let mut conn = rig.source.connect().await;
                rentsync_relay::plan::enroll(&mut conn, &rig.receiver, None)
                    .await
                    .unwrap();
            }
            "planned" => drop(rig.plan().await),
            "tried" => drop(rig.deliver().await),
            _ => {
                for _ in 0..6 {
                    rig.pass(std::time::Duration::from_secs(3_600));
                    rig.deliver().await;
                }
            }
        }
        let (behind, owed, age) = scraped(&rig).await;
        assert!(age > before, "{what}: {age}");
        before = age;
        match what {
            "enrolled" => assert_eq!((behind, owed), (2, 0), "{what}"),
            "given up" => assert_eq!((behind, owed), (2, 6), "{what}"),
            _ => assert_eq!((behind, owed), (0, 0), "{what}"),
        }
    }
    rig.no_faults();
    rig.settle().await;
    assert_eq!(scraped(&rig).await, (0, 0, 0.0));
}

/// What was imported comes all at once, when plans from the time before are kept.
#[tokio::test]
async fn promise_17_codes_that_were_imported_are_looked_up_a_unit_at_a_time() {
    let rig = Rig::empty().await;
    rig.hands().await;
    rig.edit("alter table rentsync.unit_mapping set (autovacuum_enabled = off)")
        .await;
    rig.edit("vacuum analyze rentsync.unit_mapping").await;
    rig.edit(
        "insert into projects (id, name, is_actived) select n, n::text, true from generate_series(1, 40) n;
         insert into project_rent_roll_units (id, project_id, unit_code) select n, n % 40 + 1, n from generate_series(1, 10000) n;
         analyze project_rent_roll_units;
         insert into rentsync.feed (feed_id, property_id, receiver) overriding system value select n, n, 'main' from generate_series(1, 40) n",
    )
    .await;
    let mut conn = rig.source.connect().await;
    execute(&mut conn, "set plan_cache_mode = force_generic_plan").await;
    for prepared in [
        concat!(
            "prepare duplicates (bigint[], bigint[], text, bigint[], text[], timestamptz, bigint, text) as ",
            include_str!("../../../sql/plan/duplicates.sql")
        ),
        concat!(
            "prepare carriers (bigint[], bigint[], text[], text, text) as ",
            include_str!("../../../sql/plan/carriers.sql")
        ),
    ] {
        execute(&mut conn, prepared).await;
    }
    let feeds: Vec<String> = (1..=40).map(|feed| feed.to_string()).collect();
    let (feeds, codes) = (feeds.join(","), vec!["M1"; 40].join(","));
    let executed = [
        format!("duplicates ('{{{feeds}}}', '{{{feeds}}}', '', '{{}}', '{{}}', null, 500, 'main')"),
        format!("carriers ('{{{feeds}}}', '{{{feeds}}}', '{{{codes}}}', 'main', '')"),
    ];
    let executed =
        executed.map(|statement| &*format!("explain (analyze, buffers, format json) execute {statement}").leak());
    // The plans are made while there is nothing.
    for statement in executed {
        explain(&mut conn, statement, arguments(|_| ())).await;
    }
    rig.edit("insert into rentsync.unit_mapping (receiver, unit_id, unit_code) select 'main', n, 'M' || n from generate_series(1, 300000) n")
        .await;
    for statement in executed {
        let plan = explain(&mut conn, statement, arguments(|_| ())).await;
        let pages = touched(&plan);
        // Six for each of the units, whatever else the mapping has.
        assert!(pages <= 60_000, "{pages} pages: {plan:#}");
    }
}
