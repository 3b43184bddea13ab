//! Preview: what it says would be sent is what is sealed then, request by request and to the byte, in every shape; and it
//! writes nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rentsync_relay::inspect::preview::{self, PreviewItem, PreviewRequest, Request, Total};
use serde_json::json;
use sqlx::PgConnection;

use super::day::BEGINNING;
use super::runtime;
use super::settings::{Case, cases};
use crate::support::TestDatabase;
use crate::support::rig::{Hands, Rig};

/// Type, part, parts, units, removals, bytes.
type Brief = (String, i64, i64, i64, i64, i64);

async fn previewed(rig: &Rig, conn: &mut PgConnection) -> (Vec<Request>, Total) {
    let mut requests = Vec::new();
    let mut report = |said| {
        if let PreviewItem::Request(request) = said {
            requests.push(request);
        }
        Ok(())
    };
    let asked = PreviewRequest {
        property_id: None,
        now: rig.clock.now(),
    };
    let total = preview::preview(conn, &rig.scope(), asked, &mut report)
        .await
        .expect("preview");
    (requests, total)
}

fn brief(request: &Request) -> Brief {
    let number = |number: usize| i64::try_from(number).expect("a number");
    (
        request.sync_type.to_owned(),
        number(request.part),
        number(request.parts),
        number(request.units),
        number(request.removed_units),
        number(request.body_bytes),
    )
}

/// The units that a request carries, and its removals.
fn named(request: &Request) -> (usize, usize) {
    let properties = request.properties.iter();
    let count = |property: &preview::Property| {
        let unavailable = property
            .removed
            .iter()
            .filter(|gone| gone.sent_as == "unavailable")
            .count();
        (
            property.units.len() + property.again + unavailable,
            property.removed.len() - unavailable,
        )
    };
    properties.map(count).fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

/// Every row of every table with the transaction that wrote it, and where every sequence stands.
async fn everything(conn: &mut PgConnection) -> Vec<(String, Option<String>)> {
    let relations: Vec<(String, String)> = sqlx::query_as(
        "select relname::text, relkind::text from pg_class where relnamespace = 'rentsync'::regnamespace and relkind in ('r', 'S') order by 1",
    )
    .fetch_all(&mut *conn)
    .await
    .expect("relations");
    let state = |(name, kind): &(String, String)| match kind.as_str() {
        "S" => format!("select '{name}', last_value::text || is_called from rentsync.{name}"),
        _ => format!(
            "select '{name}', md5(string_agg(t.xmin::text || t::text, ',' order by t::text)) from rentsync.{name} t"
        ),
    };
    let all = relations.iter().map(state).collect::<Vec<_>>().join(" union all ") + " order by 1";
    sqlx::query_as(sqlx::AssertSqlSafe(all))
        .fetch_all(conn)
        .await
        .expect("state")
}

/// Previews, then plans: both are the same.
async fn agrees(rig: &Rig, hands: &mut Hands) -> Total {
    let conn = &mut hands.conn;
    let before = everything(conn).await;
    let (requests, total) = previewed(rig, conn).await;
    assert_eq!(everything(conn).await, before, "a preview writes nothing");
    let newest: i64 = sqlx::query_scalar("select coalesce(max(sequence), 0) from rentsync.sync")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let planned = rig.plan().await;
    let sealed: Vec<Brief> = sqlx::query_as(
        "select s.sync_type, s.part::bigint, s.parts::bigint, sum(cardinality(f.units))::bigint, sum(cardinality(f.gone))::bigint, s.body_bytes::bigint
           from rentsync.sync s join rentsync.sync_feed f using (sequence) where s.sequence > $1 group by s.sequence order by s.sequence",
    )
    .bind(newest)
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let (first, later): (Vec<_>, Vec<_>) = requests.iter().partition(|request| request.turn == 1);
    assert_eq!(first.iter().copied().map(brief).collect::<Vec<_>>(), sealed);
    let carried = |requests: &[&Request]| {
        let sum = |of: fn(&Request) -> usize| requests.iter().copied().map(of).sum::<usize>();
        (sum(|request| request.units), sum(|request| request.removed_units))
    };
    assert_eq!(
        (first.len(), carried(&first)),
        (planned.syncs, (planned.units, planned.removed_units))
    );
    assert_eq!(
        (total.requests, total.units, total.removed_units),
        (
            requests.len(),
            carried(&first).0 + carried(&later).0,
            carried(&first).1 + carried(&later).1
        )
    );
    assert_eq!(
        total.body_bytes,
        requests.iter().map(|request| request.body_bytes).sum::<usize>()
    );
    for request in &requests {
        assert_eq!(named(request), (request.units, request.removed_units), "each is named");
    }
    // What is under way since before was not looked at.
    let owed: i64 = sqlx::query_scalar(
        "select count(*) from rentsync.ledger l
          where l.owed is not null and l.withheld is null
            and not exists (select from rentsync.sync_feed f where f.feed_id = l.feed_id and f.is_open and f.sequence <= $1)",
    )
    .bind(newest)
    .fetch_one(conn)
    .await
    .unwrap();
    let forecast = i64::try_from(carried(&later).0 + carried(&later).1).expect("a number");
    assert_eq!(total.later + forecast, owed);
    total
}

/// A day's stages, each previewed.
async fn play(used: Option<TestDatabase>, case: &Case) -> TestDatabase {
    let database = TestDatabase::installed_again(used).await;
    let rig = Rig::agreeing(database, case.receiver.clone()).await;
    rig.edit(BEGINNING).await;
    let mut hands = rig.hands().await;
    let first = agrees(&rig, &mut hands).await;
    assert_eq!(first.new_properties, 5);
    hands.settle(&rig).await;
    for statements in [
        "update project_rent_roll_units set price = price + 1, view = 'Lake' where id in (11, 12, 13, 21);
         update projects set name = 'Uno' where id = 1; update projects set name = 'Dos' where id = 2;
         insert into project_rent_roll_units (id, project_id, unit_code) values (16, 1, '16'), (42, 4, '42')",
        "update project_rent_roll_units set project_id = 2 where id = 12; delete from project_rent_roll_units where id = 13;
         update project_rent_roll_units set id = 114 where id = 14",
        "update projects set is_actived = false where id = 4; update project_rent_roll_units set price = 'NaN' where id = 11",
        "alter table project_rent_roll_units disable trigger rentsync_update; update project_rent_roll_units set price = 77 where id = 15;
         alter table project_rent_roll_units enable always trigger rentsync_update; delete from project_rent_roll_units where id = 16;
         insert into project_rent_roll_units (id, project_id, unit_code) select n, 3, n from generate_series(171, 175) n;
         update rentsync.feed set snapshot_due = 'test'",
        "update project_rent_roll_units set price = 12 where id in (11, 15); update projects set is_actived = true where id = 4",
    ] {
        rig.edit(statements).await;
        let total = agrees(&rig, &mut hands).await;
        assert!(total.requests > 0, "{statements}");
        let under_way = agrees(&rig, &mut hands).await;
        assert_eq!(under_way.requests, 0, "what is under way is not planned again");
        hands.settle(&rig).await;
    }
    // What a rejected request carried is sent again in halves.
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.faults(json!({ "status": 400, "times": 2 }));
    rig.deliver().await;
    rig.no_faults();
    agrees(&rig, &mut hands).await;
    hands.settle(&rig).await;
    // A unit that stood alone in a rejected request is refused until it changes.
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    agrees(&rig, &mut hands).await;
    hands.settle(&rig).await;
    let nothing = agrees(&rig, &mut hands).await;
    assert_eq!((nothing.requests, nothing.later), (0, 0));
    rig.assert_equal_but("a rejection").await;
    rig.source
}

/// Every shape of this format, with all fields or with few.
fn every_preview_is_what_is_sealed(format: &str) {
    let runtime = runtime();
    let mut used = None;
    // Shapes follow each other in pairs that differ by their fields alone.
    let one_of_each = cases(format)
        .into_iter()
        .enumerate()
        .filter(|(number, _)| number / 2 % 2 == number % 2);
    for (_, case) in one_of_each {
        let database = used.take();
        match catch_unwind(AssertUnwindSafe(|| runtime.block_on(play(database, &case)))) {
            Ok(database) => used = Some(database),
            Err(panicked) => panic!("{}{:?}", case.text, panicked.downcast_ref::<String>()),
        }
    }
}

#[test]
fn what_a_preview_says_is_what_is_sealed_by_property() {
    every_preview_is_what_is_sealed("property");
}

#[test]
fn what_a_preview_says_is_what_is_sealed_in_rows() {
    every_preview_is_what_is_sealed("flat");
}

#[test]
fn what_a_preview_says_is_what_is_sealed_unit_by_unit() {
    every_preview_is_what_is_sealed("unit");
}
