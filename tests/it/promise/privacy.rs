//! A lead's names, a receiver's words, a secret: where they are, and where they never are.

use std::process::Output;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_postgres::{Durability, LocalPostgres};
use rentsync_relay::capture;
use rentsync_relay::config::{Auth, Config, OAuth2, RemovedAs, Retention, SecretRef, UnitStyle};
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use rentsync_relay::erase;
use rentsync_relay::payload::decompressed;
use rentsync_relay::prune;
use rentsync_relay::receiver::Endpoint;
use rentsync_relay::replay::{self, Request, Window};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::doctor::own_units;
use crate::process::{output, refused, relay, said};
use crate::receiver::stub::{Received, Stub, answer};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

/// Names that occur nowhere else.
const FIRST: &str = "Wilhelmina";
const LAST: &str = "Qu\u{e4}rles-O'Neil";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What a terminal would obey.
const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\u{202e}";

const GIVE_LEAD: &str =
    "update project_rent_roll_units set lead_first_name = 'Wilhelmina', lead_last_name = 'Qu\u{e4}rles-O''Neil'";

async fn with_lead(rig: &Rig, units: &str) {
    rig.edit(&format!("{GIVE_LEAD} where id in ({units})")).await;
}

fn has_name(text: &str) -> bool {
    let text = text.to_lowercase();
    ["wilhelmina", "qu\u{e4}rles", "qu\\u00e4rles", "rles-o", "neil"]
        .iter()
        .any(|part| text.contains(part))
}

/// Every row of every table of the relay's own, and every body.
async fn everything_kept(rig: &Rig) -> String {
    let mut conn = rig.source.connect().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'rentsync'::regnamespace and relkind = 'r'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select t::text from rentsync.{table} t")))
                .fetch_all(&mut conn)
                .await
                .unwrap();
        all += &rows.join("\n");
    }
    let bodies: Vec<Vec<u8>> = sqlx::query_scalar("select body from rentsync.sync where body is not null")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    for body in bodies {
        all += &String::from_utf8(decompressed(&body).unwrap()).unwrap();
    }
    all
}

async fn text(rig: &Rig, query: &'static str) -> Option<String> {
    sqlx::query_scalar(query)
        .fetch_one(&mut rig.source.connect().await)
        .await
        .unwrap()
}

async fn sync_ids(rig: &Rig) -> Vec<String> {
    sqlx::query_scalar("select sync_id from rentsync.sync order by sequence")
        .fetch_all(&mut rig.source.connect().await)
        .await
        .unwrap()
}

async fn unavailable(style: UnitStyle) -> Rig {
    let mut rig = Rig::empty().await;
    rig.agree_anew(|receiver| {
        receiver.removed = RemovedAs::Unavailable;
        receiver.unit_style = style;
    })
    .await;
    rig.fill().await;
    rig
}

#[tokio::test]
async fn promise_05_a_removed_units_lead_is_neither_kept_nor_sent() {
    for style in [UnitStyle::Flat, UnitStyle::Nested] {
        let rig = unavailable(style).await;
        with_lead(&rig, "11, 12").await;
        rig.settle().await;
        assert!(has_name(&rig.bodies(1).await[0].to_string()), "a lead is sent");
        let content = text(&rig, "select content from rentsync.ledger where unit_id = 11").await;
        let content = content.expect("kept for when it goes");
        assert!(
            content.contains("1100.0") && !has_name(&content) && !content.contains("lead"),
            "{content}"
        );

        rig.edit("delete from project_rent_roll_units where id = 11").await;
        rig.settle().await;
        let gone = rig.bodies(1).await.pop().unwrap();
        let unit = &gone["units"][0];
        let is_available = unit["is_available"]
            .as_bool()
            .or(unit["availability"]["is_available"].as_bool());
        assert_eq!(
            (unit["unit_id"].as_i64(), is_available),
            (Some(11), Some(false)),
            "{gone}"
        );
        assert!(!gone.to_string().contains("lead"), "{gone}");
        rig.assert_equal().await;

        let window = Window {
            since: chrono::Utc::now() - chrono::TimeDelta::hours(1),
            until: None,
        };
        let asked = Request {
            receiver: &rig.receiver,
            window,
            property: None,
        };
        let mut conn = rig.source.connect().await;
        replay::mark(&mut conn, &asked).await.unwrap();
        rig.settle().await;
        let replayed = rig.bodies(1).await.pop().unwrap();
        let units = replayed["units"].as_array().unwrap();
        let gone = units.iter().find(|unit| unit["unit_id"] == 11).expect("sent again");
        assert!(!gone.to_string().contains("lead"), "{gone}");
        rig.assert_equal().await;
        for command in [["explain", "11"].as_slice(), &["preview"], &["verify"]] {
            let shown = said(&output(unavailable_relay(&rig, style, command)).await);
            assert!(!has_name(&shown), "{shown}");
        }
    }
}

fn unavailable_relay(rig: &Rig, style: UnitStyle, arguments: &[&str]) -> Command {
    let mut command = relay(rig, arguments);
    command.env("RELAY_RECEIVERS__MAIN__REMOVED", "unavailable");
    if style == UnitStyle::Nested {
        command.env("RELAY_RECEIVERS__MAIN__UNIT_STYLE", "nested");
    }
    command
}

/// Undoes the migration that renamed things.
fn words_of_before() -> String {
    let renamed = include_str!("../../../migrations/0019_words.sql").lines();
    let undone = renamed.filter_map(|line| {
        let (object, (then, now)) = line
            .strip_suffix(';')?
            .split_once(" rename ")
            .and_then(|(object, names)| Some((object, names.split_once("to ")?)))?;
        Some(match object.rsplit_once('.') {
            Some((schema, name)) if then.is_empty() => format!("{schema}.{now} rename to {name}"),
            _ => {
                let (kind, then) = then.trim_end().rsplit_once(' ')?;
                format!("{object} rename {kind} {now} to {then}")
            }
        })
    });
    let mut undone: Vec<String> = undone.collect();
    undone.reverse();
    // Its text is no column's, and does not follow.
    let counting = include_str!("../../../migrations/0017_figures.sql");
    let from = counting
        .find("create or replace function rentsync.count_withheld")
        .expect("there");
    let until = counting[from..].find("$body$;").expect("its end");
    undone.push(counting[from..from + until + "$body$".len()].to_owned());
    undone.join("; ")
}

#[tokio::test]
async fn promise_05_an_upgrade_forgets_leads_and_sends_what_is_gone_once_more_without() {
    for style in [UnitStyle::Flat, UnitStyle::Nested] {
        let rig = unavailable(style).await;
        with_lead(&rig, "11, 12").await;
        rig.settle().await;
        rig.edit(
            "delete from project_rent_roll_units where id = 11; delete from project_rent_roll_units where id = 21",
        )
        .await;
        rig.settle().await;
        // As an older release left it.
        let lead = match style {
            UnitStyle::Flat => {
                r#"{"unit_id":11,"floor":null,"base_rent":1100.0,"lead_first_name":"Wilhelmina","lead_last_name":"A \"}\" B"}"#
            }
            UnitStyle::Nested => {
                r#"{"unit_id":11,"pricing":{"base_rent":1100.0},"lead_assignment":{"lead_first_name":"Wilhelmina","lead_last_name":"A \"}\" B"}}"#
            }
        };
        rig.edit(&format!(
            "update rentsync.ledger set content = '{lead}' where unit_id in (11, 12);
             update rentsync.attempt set answer = 'no Wilhelmina';
             update rentsync.ledger set withheld = 'refused', withheld_because = 'no Wilhelmina', refused_hash = hash
              where unit_id = 13;
             create index ledger_withheld_unit on rentsync.ledger (unit_id);
             {}; delete from rentsync.migration where version in (10, 19, 31);
             drop index rentsync.sync_body_over;
             alter table rentsync.sync drop column body_gone, drop constraint body_while_it_may_be_sent,
                   alter column body set not null",
            words_of_before()
        ))
        .await;
        capture::install(&rig.source.database, &Config::default().source)
            .await
            .expect("upgraded");
        let kept: Vec<String> = sqlx::query_scalar("select content from rentsync.ledger where unit_id in (11, 12)")
            .fetch_all(&mut rig.source.connect().await)
            .await
            .unwrap();
        for content in kept {
            let unit: Value = serde_json::from_str(&content).expect("JSON still");
            assert!(
                content.contains("1100.0") && unit.as_object().unwrap().keys().all(|key| !key.starts_with("lead")),
                "{content}"
            );
        }
        let noted = "select count(*) from rentsync.ledger l where l::text like '%Wilhelmina%'";
        let answered = "select count(*) from rentsync.attempt where answer is not null";
        assert_eq!(
            (rig.source.number(noted).await, rig.source.number(answered).await),
            (0, 0)
        );

        let before = sync_ids(&rig).await.len();
        rig.settle().await;
        let received: Vec<Value> = rig.bodies(1).await.pop().into_iter().collect();
        assert_eq!(
            sync_ids(&rig).await.len(),
            before + 1,
            "one unit that is gone had a lead"
        );
        let units = received[0]["units"].as_array().unwrap();
        assert_eq!((units.len(), &units[0]["unit_id"]), (1, &json!(11)), "{received:?}");
        assert!(!received[0].to_string().contains("lead"), "{received:?}");
        rig.settle().await;
        assert_eq!(sync_ids(&rig).await.len(), before + 1, "it rests");
    }
}

#[tokio::test]
async fn promise_05_every_body_goes_with_retention_and_once_sees_to_it() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    let ids = sync_ids(&rig).await;
    assert!(has_name(&everything_kept(&rig).await));
    let retention = Retention {
        outbox: 14 * DAY,
        syncs: 14 * DAY,
        audit: 365 * DAY,
    };
    let mut conn = rig.source.connect().await;
    prune::step(&mut conn, &retention, rig.clock.now()).await.unwrap();
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where body is null")
            .await,
        0,
        "not yet"
    );

    rig.pass(15 * DAY);
    rig.once().await;
    assert_eq!(sync_ids(&rig).await, ids, "each is its feed's newest");
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where body is not null")
            .await,
        0
    );
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.attempt where answer is not null")
            .await,
        0
    );
    assert!(!has_name(&everything_kept(&rig).await));

    // What the rows are kept for still holds, and whoever asks for a body gets an answer.
    refused(
        relay(&rig, &["syncs", "show", &ids[0], "--body"]),
        1,
        &[&ids[0], "pruned", "retention.syncs"],
    )
    .await;
    refused(relay(&rig, &["redeliver", &ids[0]]), 1, &[&ids[0], "pruned", "replay"]).await;
    for command in [
        ["verify"].as_slice(),
        &["explain", "11"],
        &["preview"],
        &["syncs", "show", &ids[0]],
    ] {
        let done = output(relay(&rig, command)).await;
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", said(&done));
    }
    rig.sandbox.clear_log();
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)], "one unit changed");
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_05_old_bytes_that_name_a_removed_units_lead_are_not_redelivered() {
    let rig = Rig::new().await;
    with_lead(&rig, "11, 21").await;
    rig.settle().await;
    let ids = sync_ids(&rig).await;
    rig.edit("delete from project_rent_roll_units where id = 11; delete from project_rent_roll_units where id = 22")
        .await;
    rig.settle().await;
    rig.sandbox.clear_log();
    for arguments in [
        ["redeliver", ids[0].as_str()].as_slice(),
        &["redeliver", &ids[0], "--force"],
    ] {
        refused(relay(&rig, arguments), 1, &[&ids[0]]).await;
    }
    refused(
        relay(&rig, &["redeliver", &ids[0], "--force"]),
        1,
        &["lead of unit 11", "gone from property 1", "replay"],
    )
    .await;
    assert_eq!(rig.requests(), []);
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where redelivered_at is not null")
            .await,
        0
    );
    // The one that is gone had no lead, the one with a lead is there.
    let done = output(relay(&rig, &["redeliver", &ids[1], "--force"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_05_erase_leaves_nothing_of_a_unit_and_loses_nothing() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    // One is under way, with an answer that quotes everything.
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = 7 where id in (11, 12)")
        .await;
    rig.plan().await;
    rig.deliver().await;
    rig.edit("update project_rent_roll_units set lead_first_name = null, lead_last_name = null where id = 11")
        .await;
    let before = sync_ids(&rig).await;
    assert_eq!(rig.states().await.last().map(String::as_str), Some("open"));
    assert!(has_name(&everything_kept(&rig).await));

    let done = output(relay(&rig, &["erase", "--unit", "11"])).await;
    let shown = said(&done);
    assert_eq!(done.status.code(), Some(0), "{shown}");
    for part in [
        "unit 11, receiver main: erased 2 bodies",
        "1 request under way given up",
        "2 hashes",
        "nothing is left",
        "2 requests that carried it",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("still has a lead"), "{shown}");
    let kept = everything_kept(&rig).await;
    assert!(!has_name(&kept), "{kept}");
    refused(relay(&rig, &["syncs", "show", &before[0], "--body"]), 1, &["erased"]).await;

    rig.no_faults();
    rig.pass(Duration::from_secs(3600));
    rig.settle().await;
    rig.assert_equal().await;
    let after = sync_ids(&rig).await;
    assert!(
        after.len() > before.len() && after[..before.len()] == before,
        "what was given up has another ID"
    );
    assert!(!has_name(&everything_kept(&rig).await));
}

const SAMPLED: &str =
    "select count(*) from pg_stats where schemaname = 'rentsync' and attname in ('body', 'answer', 'error')
    and (most_common_vals is not null or histogram_bounds is not null)";

/// `analyze` keeps values of a column in a catalog, and those of one that it no longer looks at stay.
#[tokio::test]
async fn promise_05_the_servers_statistics_keep_no_body_and_no_answer_and_erase_proves_it() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    let send = async |prices: std::ops::Range<i32>| {
        for price in prices {
            let edit = format!("update project_rent_roll_units set price = {price} where id in (11, 12)");
            rig.edit(&edit).await;
            rig.settle().await;
        }
    };
    send(7..10).await;
    rig.edit(
        "update rentsync.attempt set answer = 'said ' || lease || sequence, error = 'failed ' || lease || sequence;
         alter table rentsync.sync alter body set statistics -1;
         alter table rentsync.attempt alter answer set statistics -1, alter error set statistics -1;
         analyze rentsync.sync, rentsync.attempt",
    )
    .await;
    assert_eq!(rig.source.number(SAMPLED).await, 3, "as before this release");
    let left = "as the owner of schema rentsync, and once no view reads these columns, run `";
    let done = refused_with(&rig, left).await;
    let mends = done.split('`').nth(1).expect("statements").to_owned();
    // Somebody's view stops no upgrade; the rest is done.
    rig.edit(
        "create view public.reads as select body from rentsync.sync; delete from rentsync.migration where version = 23",
    )
    .await;
    for expected in [1, 0] {
        let done = output(relay(&rig, &["install"])).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        rig.edit("analyze rentsync.sync, rentsync.attempt").await;
        assert_eq!(rig.source.number(SAMPLED).await, expected);
        rig.edit("drop view if exists public.reads; delete from rentsync.migration where version = 23")
            .await;
    }
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    send(10..13).await;
    rig.edit("alter table rentsync.sync alter body set statistics -1; analyze rentsync.sync")
        .await;
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(
        doctor.contains("column sync.body differs from this release's"),
        "{doctor}"
    );
    refused_with(&rig, left).await;
    rig.edit(&mends).await;
    let done = output(relay(&rig, &["erase", "--unit", "11"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains("and the server's statistics afterwards: nothing is left"),
        "{}",
        said(&done)
    );
}

/// What `erase` says where it leaves something.
async fn refused_with(rig: &Rig, part: &str) -> String {
    let done = output(relay(rig, &["erase", "--unit", "11"])).await;
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    assert!(said(&done).contains(part), "{}", said(&done));
    said(&done)
}

/// A receiver may say of one request what it knows from another.
#[tokio::test]
async fn promise_05_erase_finds_the_name_in_answers_to_other_requests() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    for price in [1, 2, 3] {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 12"
        ))
        .await;
        rig.settle().await;
    }
    rig.edit(
        "update project_rent_roll_units set lead_first_name = null, lead_last_name = null where id = 11;
         with last as (select a.sequence, row_number() over (order by a.sequence desc) as place from rentsync.attempt a)
         update rentsync.attempt a
            set answer = case last.place when 1 then 'unit 12 overlaps one let to WILHELMINA'
                                         when 2 then '{\"error\": \"Qu\\u00e4rles-O''Neil\"}' else 'fine' end,
                error = case last.place when 3 then 'of Quarles-O%27Neil' end
           from last where last.sequence = a.sequence and last.place <= 4",
    )
    .await;
    let done = output(relay(&rig, &["erase", "--unit", "11"])).await;
    let shown = said(&done);
    assert_eq!(done.status.code(), Some(0), "{shown}");
    assert!(shown.contains("nothing is left"), "{shown}");
    let kept = everything_kept(&rig).await;
    assert!(!has_name(&kept) && !kept.contains("Quarles"), "{kept}");
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_05_an_erase_in_the_same_property_still_finds_the_next_ones_name() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.edit("update project_rent_roll_units set lead_first_name = 'Balthasar' where id = 12")
        .await;
    rig.settle().await;
    rig.edit(
        "update rentsync.attempt a set answer = 'unit 12 is reserved for BALTHASAR'
           from rentsync.sync_feed sf join rentsync.feed f using (feed_id)
          where sf.sequence = a.sequence and f.property_id = 2;
         update project_rent_roll_units set lead_first_name = null, lead_last_name = null",
    )
    .await;
    rig.settle().await;
    let mut conn = rig.source.connect().await;
    for unit_id in [11, 12] {
        let erased = erase::erase(&mut conn, "main", unit_id, None).await.unwrap();
        assert_eq!(erased.proof.left(), 0, "{erased:?}");
    }
    let kept = everything_kept(&rig).await;
    assert!(!has_name(&kept) && !kept.to_lowercase().contains("balthasar"), "{kept}");
}

#[tokio::test]
async fn promise_05_what_is_under_way_of_another_unit_brings_no_digest_after_an_erasure() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 12")
        .await;
    rig.plan().await;
    let mut deliverer = rig.deliverer("late:1").await;
    deliverer.start_due().await.unwrap();
    let ended = deliverer.ended().await.unwrap();
    let mut conn = rig.source.connect().await;
    erase::erase(&mut conn, "main", 11, None).await.unwrap();
    deliverer.settle(ended).await.unwrap();
    let left = "select count(*) from rentsync.sync_feed sf join rentsync.sync s using (sequence) join rentsync.feed f using (feed_id)
                 where f.property_id = 1
                   and (sf.digest is not null or sf.digest_said is not null or s.body is not null
                     or exists (select from rentsync.attempt a where a.sequence = s.sequence and a.answer is not null))";
    assert_eq!(rig.source.number(left).await, 0);
    rig.settle().await;
    rig.assert_equal().await;
}

/// The search is over before anything is locked: a server that breaks off idle transactions breaks off none.
#[tokio::test]
async fn promise_05_erase_searches_a_thousand_answers_before_it_locks_anything() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    // Other requests, each with a long answer, and every hundredth that names the lead.
    rig.edit(
        "insert into rentsync.sync
         select (jsonb_populate_record(s, jsonb_build_object('sequence', -n, 'sync_id', 'sync-' || n, 'body', null, 'body_gone', 'pruned'))).*
           from rentsync.sync s, generate_series(1, 1000) n
          where s.sequence = (select min(sequence) from rentsync.sync);
         insert into rentsync.attempt
         select (jsonb_populate_record(a, jsonb_build_object('sequence', -n, 'answer',
                 case n % 100 when 0 then 'no WILHELMINA' else repeat('unit 1204-B said &quot;n/a&quot; (ERR_4012), ', 44) end))).*
           from rentsync.attempt a, generate_series(1, 1000) n
          where a.sequence = (select min(sequence) from rentsync.attempt)",
    )
    .await;
    let mut conn = rig.source.connect().await;
    sqlx::query("set idle_in_transaction_session_timeout = '500ms'")
        .execute(&mut conn)
        .await
        .unwrap();
    let erased = erase::erase(&mut conn, "main", 11, None).await.unwrap();
    assert!(erased.searched && erased.proof.left() == 0, "{erased:?}");
    let kept = "select count(*) from rentsync.attempt where sequence < 0 and answer is not null";
    assert_eq!(rig.source.number(kept).await, 990);
    assert!(!has_name(&everything_kept(&rig).await));
}

#[tokio::test]
async fn promise_05_erase_empties_answers_that_nobody_can_read() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    for price in [1, 2] {
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        rig.settle().await;
    }
    // As an older release kept them.
    rig.edit(
        "with last as (select a.sequence, row_number() over (order by a.sequence desc) as place from rentsync.attempt a)
         update rentsync.attempt a
            set answer = case last.place when 1 then 'of ' || encode(convert_to('Wilhelmina of 1204', 'UTF8'), 'base64')
                                         else 'unit 12 is fine' end
           from last where last.sequence = a.sequence and last.place <= 2",
    )
    .await;
    let mut conn = rig.source.connect().await;
    let erased = erase::erase(&mut conn, "main", 11, None).await.unwrap();
    assert_eq!(erased.proof.left(), 0, "{erased:?}");
    let kept = text(&rig, "select string_agg(answer, '|') from rentsync.attempt").await;
    let kept = kept.expect("what can be read");
    assert!(kept.contains("unit 12 is fine") && !kept.contains("of V2ls"), "{kept}");
}

#[tokio::test]
async fn promise_05_erase_without_a_body_takes_the_sources_names_or_says_that_it_knows_none() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    let quote = "update rentsync.sync set body = null, body_gone = 'pruned';
                 update rentsync.attempt set answer = 'unit 12 overlaps one let to WILHELMINA'";
    rig.edit(quote).await;
    rig.edit("update rentsync.sync_feed set units = array_remove(units, 11)")
        .await;
    let shown = said(&output(relay(&rig, &["erase", "--unit", "11"])).await);
    assert!(shown.contains(": nothing is left"), "{shown}");
    assert!(!has_name(&everything_kept(&rig).await));
    rig.edit("update project_rent_roll_units set lead_first_name = null, lead_last_name = null where id = 11")
        .await;
    let shown = said(&output(relay(&rig, &["erase", "--unit", "11"])).await);
    assert!(
        shown.contains("no name of its lead is known any more, so answers were not searched for one"),
        "{shown}"
    );
    assert!(!shown.contains(": nothing is left"), "{shown}");
}

#[tokio::test]
async fn promise_05_an_answer_that_comes_after_an_erasure_is_not_kept() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.plan().await;
    rig.faults(json!({ "status": 503 }));
    let mut deliverer = rig.deliverer("late:1").await;
    deliverer.start_due().await.unwrap();
    let ended = deliverer.ended().await.unwrap();
    let mut conn = rig.source.connect().await;
    erase::erase(&mut conn, "main", 11, None).await.unwrap();
    deliverer.settle(ended).await.unwrap();
    let answers = "select count(*) from rentsync.attempt a join rentsync.sync s using (sequence)
                    where a.answer is not null and s.body is null";
    assert_eq!(rig.source.number(answers).await, 0);
    let statuses = "select count(*) from rentsync.attempt where status = 503";
    assert!(rig.source.number(statuses).await > 0, "that it was tried is kept");
    assert!(!has_name(&everything_kept(&rig).await));
}

/// A site's own function may say anything when it fails.
#[tokio::test]
async fn promise_05_what_a_source_function_says_of_a_lead_is_repeated_nowhere() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    for raised in [
        "begin raise exception 'no such lead: %', $1; end",
        "begin raise exception 'no such lead: %', $1 using errcode = 'XX001'; end",
        "begin raise exception 'no such lead: %', $1 using errcode = '42704'; end",
        "begin raise exception 'no such lead: %', $1 using errcode = '53100'; end",
        "begin execute format('select %I', $1); end",
        "begin return $1::bigint; end",
    ] {
        rig.edit(&format!(
            "create or replace function public.lead_of(text) returns text language plpgsql stable as $$ {raised} $$;
             {}",
            own_units("stable", &[("building", "public.lead_of(lead_last_name)::text")], "")
        ))
        .await;
        for arguments in [
            &["doctor"][..],
            &["doctor", "--json"],
            &["once"],
            &["explain", "11"],
            &["verify"],
            &["preview"],
            &["status"],
        ] {
            let shown = said(&output(relay(&rig, arguments)).await);
            assert!(!has_name(&shown), "{arguments:?}, {raised}: {shown}");
        }
        // Said anew, it says at least what kind of failure it is.
        rig.edit("update rentsync.feed set cooldown_until = null, cooldown_because = null; delete from rentsync.alert")
            .await;
        let shown = said(&output(relay(&rig, &["once"])).await);
        assert!(shown.contains("SQLSTATE") && !has_name(&shown), "{raised}: {shown}");
    }
    assert!(!has_name(&everything_kept(&rig).await));
}

#[tokio::test]
async fn promise_05_erase_says_what_the_source_still_has_and_asks_which_receiver() {
    let rig = Rig::new().await;
    with_lead(&rig, "11").await;
    rig.settle().await;
    let shown = said(&output(relay(&rig, &["erase", "--unit", "11"])).await);
    assert!(shown.contains("the source still has a lead for unit 11"), "{shown}");
    assert!(!has_name(&shown), "{shown}");
    let mut of_two = relay(&rig, &["erase", "--unit", "11"]);
    of_two.env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:1/");
    refused(of_two, 2, &["--receiver"]).await;
    refused(
        relay(&rig, &["erase", "--unit", "11", "--receiver", "nope"]),
        2,
        &["nope"],
    )
    .await;
    let mut conn = rig.source.connect().await;
    let erased = erase::erase(&mut conn, "main", 99, None).await.unwrap();
    assert_eq!(
        (erased.bodies, erased.proof),
        (0, erase::Proof::default()),
        "nobody was ever sent it"
    );
    // A part of a snapshot takes its other parts along.
    let mut rig = rig;
    rig.receiver.units_per_request_max = 1;
    rig.edit("update rentsync.feed set snapshot_due = 'test' where property_id = 1")
        .await;
    rig.plan().await;
    let erased = erase::erase(&mut conn, "main", 12, None).await.unwrap();
    assert_eq!(erased.given_up, 3, "{erased:?}");
    assert_eq!(erased.proof.left(), 0);
    rig.settle().await;
    rig.assert_equal().await;
}

/// The server's own log holds every statement with its parameters.
#[tokio::test(flavor = "multi_thread")]
async fn promise_05_the_databases_log_gets_no_leads_name() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = LocalPostgres::start_with(
        Durability::InMemory,
        &[
            ("log_statement", "all"),
            ("log_min_duration_statement", "0"),
            ("log_parameter_max_length", "-1"),
            ("log_parameter_max_length_on_error", "-1"),
        ],
    )
    .expect("a server");
    let silent = server
        .options("postgres")
        .options([("log_statement", "none"), ("log_min_duration_statement", "-1")]);
    let source = TestDatabase::elsewhere("postgres", silent, server.url("postgres"));
    source.execute(portfolio::SCHEMA).await;
    capture::install(&source.database, &Config::default().source)
        .await
        .expect("install");
    let mut rig = Rig::on(source).await;
    rig.agree_anew(|receiver| receiver.removed = RemovedAs::Unavailable)
        .await;
    with_lead(&rig, "11, 21").await;
    let loud = TestDatabase::elsewhere("postgres", server.options("postgres"), server.url("postgres"));
    rig.source.database = Database::from_options(server.options("postgres"));
    let error = format!("{FIRST} {LAST} is nobody");
    rig.faults(json!({ "status": 400, "times": 1, "body": json!({ "error": error }).to_string() }));
    rig.settle().await;
    loud.execute("delete from project_rent_roll_units where id = 11").await;
    rig.settle().await;
    let mut conn = loud.connect().await;
    erase::erase(&mut conn, "main", 21, None).await.unwrap();
    drop(conn);
    let log = std::fs::read_to_string(server.directory().join("log")).unwrap();
    assert!(
        log.contains("insert into rentsync.ledger") && log.contains("parameters: $1"),
        "it logs what is bound"
    );
    let named = log.lines().find(|line| has_name(line));
    assert_eq!(named, None);
}

/// Echoes what it got, in a 400 first and in a success afterwards: a body, credentials in some encodings, and what a terminal
/// would obey. It names the unit with a lead among those that it got.
fn echo(number: usize, request: &Received) -> axum::response::Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let token = request.header("authorization").unwrap_or_default();
    let bare = token.rsplit(' ').next().unwrap();
    let units = body["units"].as_array().unwrap();
    let names: Vec<String> = units
        .iter()
        .filter_map(|unit| {
            Some(format!(
                "{} {}",
                unit["lead_first_name"].as_str()?,
                unit["lead_last_name"].as_str()?
            ))
        })
        .collect();
    let errors: Vec<Value> = units
        .iter()
        .filter(|unit| unit.get("lead_first_name").is_some())
        .map(|unit| json!({ "unit_id": unit["unit_id"], "message": format!("{ESCAPES}{names:?} {token}\nis no lead") }))
        .collect();
    let text = json!({
        "errors": errors,
        "error": format!("{ESCAPES}{token} {bare} {}", STANDARD.encode(token)),
        "body": request.body.iter().take(400).map(|byte| *byte as char).collect::<String>(),
        "names": names,
    });
    let location = format!("https://elsewhere.example/{bare}?token={bare}");
    answer(
        if number == 0 { 400 } else { 200 },
        &[("location", &location)],
        text.to_string(),
    )
}

fn no_foreign_words(shown: &str, of: &str) {
    assert!(!has_name(shown), "{of}: a name in {shown}");
    for secret in ["s3cr3t", "czNjcjN0"] {
        assert!(!shown.contains(secret), "{of}: {secret} in {shown}");
    }
    let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!shown.contains(obeyed), "{of}: {shown:?}");
}

#[tokio::test]
async fn promise_06_a_receivers_words_stay_with_their_attempt() {
    let receiver = Stub::answering(echo).await;
    let webhook = Stub::answering(|_, _| answer(200, &[], "ok")).await;
    let mut rig = Rig::new().await;
    with_lead(&rig, "11, 21").await;
    rig.receiver.url = receiver.url.parse().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command
            .env("RELAY_LOG", "trace,hyper=off,h2=off")
            .env("RELAY_ALERTS__WEBHOOK_URL", &webhook.url)
            .env("RELAY_RECEIVERS__MAIN__AUTH__METHOD", "static")
            .env("RELAY_RECEIVERS__MAIN__AUTH__HEADER", "Authorization")
            .env("RELAY_RECEIVERS__MAIN__AUTH__VALUE", "{ env = 'KEY' }")
            .env("KEY", "Token s3cr3t-t0ken");
        command
    };
    for _ in 0..3 {
        let passed = said(&output(command(&["once"])).await);
        assert!(passed.contains("refuse") && passed.contains("400"), "{passed}");
        no_foreign_words(&passed, "log");
        if rig
            .source
            .number("select count(*) from rentsync.ledger where withheld = 'refused'")
            .await
            == 2
        {
            break;
        }
    }
    let refused = "select count(*) from rentsync.ledger where withheld = 'refused'";
    assert_eq!(
        rig.source.number(refused).await,
        2,
        "it was named in both kinds of answer"
    );
    let noted =
        "select string_agg(withheld_because, ',' order by unit_id) from rentsync.ledger where withheld = 'refused'";
    let noted = text(&rig, noted).await.unwrap();
    assert!(
        noted.contains("the receiver refused it (400)") && noted.contains("the receiver refused it (200)"),
        "{noted}"
    );

    let answers = text(&rig, "select string_agg(answer, '|') from rentsync.attempt")
        .await
        .unwrap();
    assert!(
        answers.contains("[name]") && answers.contains("[hidden]") && answers.contains("is no lead"),
        "{answers}"
    );
    assert!(!has_name(&answers) && !answers.contains("s3cr3t"), "{answers}");
    let elsewhere = "select string_agg(t, '|') from (select a::text from rentsync.alert a union all select l::text from rentsync.ledger l
                      union all select s::text from rentsync.receiver s union all select error from rentsync.attempt) as v (t)";
    let elsewhere = text(&rig, elsewhere).await.unwrap();
    no_foreign_words(&elsewhere, "tables");
    assert!(!elsewhere.contains("is no lead"), "{elsewhere}");

    let ids = sync_ids(&rig).await;
    let mut listings: Vec<Vec<&str>> = vec![
        vec!["refused", "list"],
        vec!["refused", "list", "--json"],
        vec!["explain", "11"],
        vec!["explain", "11", "--json"],
        vec!["status"],
        vec!["verify"],
        vec!["alerts", "list"],
        vec!["syncs", "list"],
        vec!["preview"],
    ];
    for id in &ids {
        listings.push(vec!["syncs", "show", id]);
        listings.push(vec!["syncs", "show", id, "--json"]);
    }
    for arguments in &listings {
        let done = output(command(arguments)).await;
        no_foreign_words(&said(&done), &arguments.join(" "));
    }
    let list = said(&output(command(&["refused", "list", "--json"])).await);
    assert!(
        list.contains("the receiver refused it (400): ") && list.contains("is no lead"),
        "{list}"
    );
    let posts = webhook.received();
    assert!(!posts.is_empty());
    for post in posts {
        no_foreign_words(&String::from_utf8(post.body).unwrap(), "webhook");
    }
}

/// A secret in a file that lives as long as the test.
fn secret(text: &str) -> (tempfile::NamedTempFile, SecretRef) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let reference = SecretRef::file("receivers.main.auth.secret", file.path());
    (file, reference)
}

#[tokio::test]
async fn promise_06_no_form_of_any_secret_is_kept() {
    let tokens =
        Stub::answering(|_, _| answer(200, &[], r#"{"access_token":"acc3ss/t\"ken","token_type":"bearer"}"#)).await;
    let kept = [
        secret("k3y/with\"quote"),
        secret("b3arer-t0ken"),
        secret("Token st4tic,value"),
        secret("Basic bWU6aHVudGVyMg=="),
        secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        secret("cl1ent-s3cret"),
    ];
    let of = |index: usize| kept[index].1.clone();
    let header = || "Authorization".to_owned();
    let methods: [(Auth, &[&str]); 6] = [
        (
            Auth::ApiKey {
                key: of(0),
                header: header(),
            },
            &["k3y/with\"quote"],
        ),
        (Auth::Bearer { token: of(1) }, &["b3arer-t0ken"]),
        (
            Auth::Static {
                header: header(),
                value: of(2),
            },
            &["st4tic,value", "Token st4tic,value"],
        ),
        (
            Auth::Static {
                header: header(),
                value: of(3),
            },
            &["hunter2", "bWU6aHVudGVyMg=="],
        ),
        (
            Auth::Hmac { secrets: vec![of(4)] },
            &[
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            ],
        ),
        (
            Auth::OAuth2(OAuth2 {
                token_url: tokens.url.parse().unwrap(),
                client_id: "me".to_owned(),
                client_secret: of(5),
                scope: None,
                audience: None,
            }),
            &["acc3ss/t\"ken", "cl1ent-s3cret"],
        ),
    ];
    for (auth, words) in methods {
        let quoted: Vec<String> = words
            .iter()
            .flat_map(|word| {
                let json = serde_json::to_string(word).unwrap();
                let percent: String = word.bytes().map(|byte| format!("%{byte:02X}")).collect();
                [
                    (*word).to_owned(),
                    json.clone(),
                    json!({ "inner": json }).to_string(),
                    STANDARD.encode(word),
                    percent.clone(),
                    percent.replace('%', "="),
                    percent.replace('%', "\\x"),
                    percent.replace('%', "\\u00"),
                    word.bytes().map(|byte| format!("&#{byte};")).collect(),
                    word.chars().map(|c| format!("{c}=\r\n")).collect(),
                ]
            })
            .collect();
        let said = quoted.clone();
        let stub = Stub::answering(move |_, request| {
            let whole: Vec<String> = request
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect();
            answer(403, &[], format!("<{}> {}", said.join("> <"), whole.join(" ")))
        })
        .await;
        let mut receiver = Rig::receiver();
        rustls::crypto::ring::default_provider().install_default().ok();
        receiver.url = stub.url.parse().unwrap();
        receiver.auth = auth;
        let tried = Endpoint::new(&receiver)
            .unwrap()
            .post("sync-1", b"{}".to_vec())
            .await
            .unwrap();
        let text = tried.text.unwrap();
        for word in &quoted {
            assert!(!text.contains(word.trim_matches('"')), "{word} in {text}");
        }
        assert!(text.contains("[hidden]"), "{text}");
    }
}

#[tokio::test]
async fn promise_06_no_text_of_the_source_moves_a_terminal() {
    let rig = Rig::new().await;
    rig.edit(
        "update project_rent_roll_units set unit_code = E'1\\x1b]0;owned\\x07\\n2\\u009b31m\\u202e3', view = E'\\x1b[2Jlake' where id = 11",
    )
    .await;
    let shown = said(&output(relay(&rig, &["preview"])).await);
    assert!(
        shown.contains("+ unit 11 (1 ]0;owned 2 31m 3)\n"),
        "a code begins no line of its own: {shown}"
    );
    rig.settle().await;
    rig.edit(
        "update project_rent_roll_units set view = E'\\x1b[2Jpark\\u009b' where id = 11;
         update project_rent_roll_units set unit_code = E'1\\x1b]0;owned\\x07\\n2\\u009b31m\\u202e3' where id = 12",
    )
    .await;
    for arguments in [
        ["preview"].as_slice(),
        &["preview", "--json"],
        &["explain", "11"],
        &["explain", "11", "--json"],
    ] {
        let shown = said(&output(relay(&rig, arguments)).await);
        assert!(shown.contains("park"), "{shown}");
        no_foreign_words(&shown, &arguments.join(" "));
    }
    rig.settle().await;
    for arguments in [
        ["refused", "list", "--duplicates"].as_slice(),
        &["alerts", "list"],
        &["status"],
    ] {
        let shown = said(&output(relay(&rig, arguments)).await);
        no_foreign_words(&shown, &arguments.join(" "));
    }
    let ids = sync_ids(&rig).await;
    let body = output(relay(&rig, &["syncs", "show", &ids[0], "--body"])).await;
    no_foreign_words(&said(&body), "syncs show --body");
    let shown: Value = serde_json::from_slice(&body.stdout).expect("the same JSON");
    assert_eq!(shown, rig.bodies(1).await[0]);
}

#[tokio::test]
async fn promise_06_a_refused_url_is_shown_without_what_may_be_a_key() {
    let rig = Rig::new().await;
    let with = |name: &str, value: &str| {
        let mut command = relay(&rig, &["status"]);
        command.env(name, value);
        command
    };
    let hidden = |output: &Output| {
        let said = said(output);
        assert!(!said.contains("hunter2"), "{said}");
        said
    };
    for url in [
        "http://partner.example/hook?key=hunter2",
        "ftp://partner.example/hook?key=hunter2#hunter2",
        "https://me:hunter2@partner.example/",
        "partner.example/hook?hunter2",
    ] {
        let done = output(with("RELAY_RECEIVERS__MAIN__URL", url)).await;
        assert_eq!(done.status.code(), Some(2));
        assert!(hidden(&done).contains("receivers.main.url"));
    }
    let url = format!(
        "{}{}pasword=hunter2",
        rig.source.url(),
        if rig.source.url().contains('?') { "&" } else { "?" }
    );
    let done = output(with("DATABASE_URL", &url)).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(hidden(&done).contains("pasword"));
    for url in [
        "http://127.0.0.1:1/hook?key=hunter2",
        "http://localhost:1/hook?key=hunter2",
    ] {
        for arguments in [["once"].as_slice(), &["doctor"]] {
            let mut command = relay(&rig, arguments);
            command.env("RELAY_RECEIVERS__MAIN__URL", url).env("RELAY_LOG", "trace");
            hidden(&output(command).await);
        }
    }
    let all = everything_kept(&rig).await;
    assert!(!all.contains("hunter2"), "{all}");
}
