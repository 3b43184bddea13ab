//! A year of a city's building register, sent day by day: every building is a property, the first four of its
//! apartments are units: fewer than `guard.removed_units_min`, so that a building that really goes asks nobody.
//!
//! Each day is loaded the careless way, everything emptied and filled again in the order of the file. So what is sent says
//! what really changed: neither rows in another order, nor rows with other numbers, nor a column that goes. On one day
//! the register answered with an error page instead of its 3,611 buildings.
//!
//! The data is no part of this project; without it the test is skipped. Contains information licensed under the Open
//! Government Licence – Toronto.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::support::execute;
use crate::support::rig::Rig;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// No sweep is later than this.
const A_SWEEP: Duration = Duration::from_secs(10);
/// The register's last two days, and the units of either: every column of a building is to be seen at the receiver.
const REGISTER: &str = "
    create schema register;
    create table register.today (
        place bigint generated always as identity, _id text, rsn integer, site_address text, pcode text, ward text,
        property_type text, prop_management_company_name text, year_built text, year_registered text, confirmed_storeys text,
        confirmed_units integer, no_of_elevators text, pets_allowed text, pet_restrictions text, parking_type text,
        visitor_parking text, no_of_accessible_parking_spaces text, locker_or_storage_room text, laundry_room text,
        air_conditioning_type text, heating_type text, non_smoking_building text, window_type text, amenities_available text
    );
    create table register.yesterday (like register.today);
    create function register.property(register.today) returns text[] language sql return
        array[$1.prop_management_company_name, concat_ws(', ', $1.site_address, $1.pcode, $1.ward)];
    create function register.unit(register.today) returns text language sql return
        to_jsonb($1) - array['place', '_id', 'site_address', 'pcode', 'ward', 'prop_management_company_name'];
";
/// The day that was is yesterday.
const TURN: &str = "
    truncate register.yesterday;
    insert into register.yesterday select * from register.today;
    truncate register.today;
";
/// Everything goes, and what the file has comes, in its order.
const LOAD: &str = "
    truncate projects, project_rent_roll_units;
    insert into projects (id, name, full_address, is_actived)
    select rsn, (register.property(today))[1], (register.property(today))[2], true from register.today order by place;
    insert into project_rent_roll_units (id, project_id, unit_code, view, rentroll_status_id)
    select rsn * 10 + n, rsn, n, register.unit(today), 1
      from register.today cross join generate_series(1, 4) n
     where n <= greatest(confirmed_units, 1)
     order by place, n;
";
/// What has to come in of each building: units sent, removals sent.
const DUE: &str = "
    with building as (
        select rsn,
               case when t.rsn is null then 0 else least(greatest(t.confirmed_units, 1), 4) end as units,
               case when y.rsn is null then 0 else least(greatest(y.confirmed_units, 1), 4) end as units_before,
               register.property(t) is distinct from register.property(y) as property_differs,
               register.unit(t) is distinct from register.unit(y) as units_differ
          from register.today t full join (select (y::text::register.today).* from register.yesterday y) y using (rsn)
    )
    select rsn, case when units_differ then units else 0 end::bigint, greatest(units_before - units, 0)::bigint
      from building
     where property_differs or units_differ
";

/// What the register's keeper says of a day, beside the day before.
#[derive(Deserialize)]
struct Day {
    date: String,
    file: String,
    rows: usize,
    added: Option<usize>,
    removed: Option<usize>,
    changed: Option<usize>,
}

/// What one building's difference is worth: units sent, removals sent.
type Units = BTreeMap<i64, (usize, usize)>;

#[tokio::test]
async fn a_year_of_a_building_register_is_sent_as_what_really_changed() {
    let Some(register) = register() else { return };
    let days: Vec<Day> = serde_json::from_slice(&fs::read(register.join("index.json")).unwrap()).unwrap();
    let mut rig = Rig::empty().await;
    rig.receiver.concurrency_max = 64;
    rig.edit(REGISTER).await;
    let mut before: Option<usize> = None;
    for day in days {
        rig.sandbox.clear_log();
        rig.pass(30 * DAY);
        load(&rig, &register.join(&day.file)).await;
        rig.settle().await;
        if day.rows == 0 {
            nothing_is_sent_of_an_error_page(&rig, before.expect("a day before")).await;
            continue;
        }
        assert_eq!(holds(&rig).await, 0, "{}", day.date);
        let received = received(&rig);
        assert_eq!(received, due(&rig).await, "{}", day.date);
        if let (Some(added), Some(removed), Some(changed)) = (day.added, day.removed, day.changed) {
            assert_eq!(kinds(&rig, &received).await, (added, removed, changed), "{}", day.date);
            println!(
                "{}: {added} added, {removed} removed, {changed} changed of {}",
                day.date, day.rows
            );
        }
        before = Some(day.rows);
    }
    rig.assert_equal().await;
}

/// Where the data is, if it is anywhere.
fn register() -> Option<PathBuf> {
    let place = std::env::var_os("RENTSAFE_DATA").map(PathBuf::from);
    let place = place.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/toronto-rentsafe"));
    if place.join("index.json").is_file() {
        return Some(place);
    }
    println!(
        "skipped: no building register at {}; RENTSAFE_DATA names another place",
        place.display()
    );
    None
}

/// Everything waits, also through a night's snapshot, and an alert has the numbers.
async fn nothing_is_sent_of_an_error_page(rig: &Rig, buildings: usize) {
    assert_eq!(rig.requests(), []);
    // What is said at once is of the first batch; a sweep later it is of all.
    rig.pass(A_SWEEP);
    rig.settle().await;
    assert_eq!(rig.requests(), []);
    let units = rig
        .source
        .number("select count(*) from rentsync.ledger where withheld = 'guarded'")
        .await;
    let message: String =
        sqlx::query_scalar("select message from rentsync.alert where kind = 'hold' and acked_at is null")
            .fetch_one(&mut rig.source.connect().await)
            .await
            .unwrap();
    assert!(
        message.starts_with(&format!(
            "{units} removals wait for a person, of {buildings} properties with {units} units"
        )),
        "{message}"
    );
    println!("{message}");
    rig.edit("update rentsync.feed set snapshot_due = 'night' where feed_id % 20 = 0")
        .await;
    rig.settle().await;
    let buildings = rig
        .sandbox
        .properties()
        .into_iter()
        .filter_map(|rsn| rig.sandbox.property(rsn));
    let held: usize = buildings.map(|building| building.units.len()).sum();
    assert_eq!(i64::try_from(held).unwrap(), units);
}

async fn holds(rig: &Rig) -> i64 {
    rig.source
        .number("select count(*) from rentsync.hold where state = 'open'")
        .await
}

/// What came in, by building.
fn received(rig: &Rig) -> Units {
    let mut received = Units::new();
    for (building, units, removed, status) in rig.requests() {
        assert_eq!(status, 200);
        let sum = received.entry(building).or_default();
        sum.0 += units;
        sum.1 += removed;
    }
    received
}

/// What has to come in: the day's file against the one before, by their own columns.
async fn due(rig: &Rig) -> Units {
    let rows: Vec<(i32, i64, i64)> = sqlx::query_as(DUE)
        .fetch_all(&mut rig.source.connect().await)
        .await
        .unwrap();
    rows.into_iter()
        .map(|(rsn, units, removed)| {
            (
                i64::from(rsn),
                (usize::try_from(units).unwrap(), usize::try_from(removed).unwrap()),
            )
        })
        .collect()
}

/// How many of the buildings that were sent are new, gone, changed.
async fn kinds(rig: &Rig, received: &Units) -> (usize, usize, usize) {
    let kinds: Vec<(bool, bool)> = sqlx::query_as(
        "select rsn in (select rsn from register.yesterday), rsn in (select rsn from register.today)
           from unnest($1::bigint[]) as sent (rsn)",
    )
    .bind(received.keys().collect::<Vec<_>>())
    .fetch_all(&mut rig.source.connect().await)
    .await
    .unwrap();
    let count = |kind| kinds.iter().filter(|found| **found == kind).count();
    (count((false, true)), count((true, false)), count((true, true)))
}

/// Has the source be what a file says, in one transaction. An error page has nothing.
async fn load(rig: &Rig, file: &Path) {
    let mut conn = rig.source.connect().await;
    let bytes = fs::read(file).unwrap();
    if file.extension().is_none_or(|extension| extension != "gz") {
        return execute(&mut conn, "truncate projects, project_rent_roll_units").await;
    }
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    let columns = text.lines().next().expect("a header").to_lowercase();
    execute(&mut conn, "begin").await;
    execute(&mut conn, TURN).await;
    let copy = format!("copy register.today ({columns}) from stdin with (format csv, header true)");
    let mut copy = conn.copy_in_raw(&copy).await.unwrap();
    copy.send(text.as_bytes()).await.unwrap();
    copy.finish().await.unwrap();
    execute(&mut conn, LOAD).await;
    execute(&mut conn, "commit").await;
}
