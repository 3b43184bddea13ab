//! What a release left in a database, as `pg_dump` wrote it down, is upgraded by this release's `install`: nothing that was
//! acknowledged is sent again, nothing that is owed is lost.
//!
//! A release's dump is made once, before its tag, by the test that is ignored here; see CONTRIBUTING.md.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::fault;
use rentsync_relay::hold::{self, Decision};
use rentsync_relay::payload::decompressed;
use rentsync_relay::receiver::Endpoint;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::promise::rights::{drop_role, role};
use crate::support::rig::{Rig, UNGUARDED};
use crate::support::{TestDatabase, kept};

/// What an upgrade leaves as it was, a line each.
const KEPT: &str = "
    select 'outbox ' || coalesce(o.property_id::text, '-') || ' ' || coalesce(o.op, '-') from rentsync.outbox o where o.op <> 'attach'
    union all select 'feed ' || f.property_id || ' ' || coalesce(encode(f.digest, 'hex'), '-') from rentsync.feed f
    union all select 'unit ' || l.unit_id || coalesce(' ' || encode(l.hash, 'hex'), '') || coalesce(' owed: ' || l.owed, '')
                     || coalesce(' withheld: ' || l.withheld, '') || coalesce(' sync ' || l.sequence, '') from rentsync.ledger l
    union all select 'removed ' || b.unit_id from rentsync.purged_tombstone b
    union all select 'sync ' || s.sequence || ' ' || coalesce(s.sync_id, '-') || ' ' || s.state || ' ' || coalesce(md5(s.body), '-') from rentsync.sync s
    union all select 'attempt ' || a.sequence || ' ' || a.lease || ' ' || coalesce(a.outcome, '-') from rentsync.attempt a
    union all select 'hold ' || h.hold_id || ' ' || h.state from rentsync.hold h
    union all select 'alert ' || a.kind from rentsync.alert a where a.acked_at is null
    order by 1";

/// What has another name by now, and what 0.1.0 calls it.
const BEFORE: &[(&str, &str)] = &[
    ("l.withheld", "l.kept_back"),
    ("rentsync.purged_tombstone", "rentsync.buried"),
];

#[tokio::test]
async fn every_release_is_upgraded_with_all_that_it_knew_and_owed() {
    let released = released();
    assert!(!released.is_empty());
    for (version, dump) in released {
        let source = TestDatabase::blank().await;
        source.execute(&statements(&dump)).await;
        // The dump's transactions are in the past here, as they are where a release is upgraded.
        source
            .execute("do $$ begin for n in 1 .. 2000 loop perform pg_current_xact_id(); commit; end loop; end $$")
            .await;
        let before = kept(&source, BEFORE).await;
        for part in [
            "outbox ",
            "owed: ",
            "withheld: invalid",
            "withheld: held",
            "removed ",
            " open ",
            "hold ",
        ] {
            assert!(
                before.iter().any(|line| line.contains(part)),
                "{version} has no {part}: {before:#?}"
            );
        }
        capture::install(&source.database, &Config::default().source)
            .await
            .expect("install");
        let after = kept(&source, &[]).await;
        let differing: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        assert!(
            differing.is_empty() && after.len() == before.len(),
            "{version}: {differing:#?}"
        );

        let mut conn = source.connect().await;
        kept::assert_withheld_is_counted(&mut conn).await;
        kept::assert_attempts_are_counted(&mut conn, None).await;
        let owing = "select count(*) from rentsync.withheld where feed_id is null and rentsync.is_owed(kind)";
        assert!(source.number(owing).await > 0, "{version} owes units");
        let mut rig = Rig::agreeing(source, Rig::receiver()).await;
        receive_again(&rig).await;
        let had = rig.sandbox.syncs().len();
        // The same cluster, though the dump can't know it.
        rig.edit("delete from rentsync.source_identity").await;
        rig.pass(Duration::from_secs(3600));
        rig.settle().await;
        let sent = rig.sandbox.syncs().len() - had;
        assert_eq!(sent, 2, "{version}: one sync was open, one change waited");
        let mut conn = rig.source.connect().await;
        let held = hold::decide(&mut conn, "main", None, Decision::Approve, rig.clock.now())
            .await
            .expect("approve");
        assert!(
            held.iter().map(|part| part.units).sum::<i64>() > 0,
            "{version}: what waits for a person still does"
        );
        rig.receiver.guard = UNGUARDED;
        rig.edit("update project_rent_roll_units set price = 8 where id = 22")
            .await;
        rig.settle().await;
        rig.assert_equal().await;
    }
}

/// Who left it is a superuser; the source is somebody else's.
#[tokio::test]
async fn a_superusers_schema_of_any_release_is_upgraded_and_given_to_the_sources_owner() {
    for (version, dump) in released() {
        let source = TestDatabase::blank().await;
        source.execute(&statements(&dump)).await;
        let owner = role(&source).await;
        source
            .execute(&format!(
                "alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner}"
            ))
            .await;
        let trusting = source.database.clone().trusting(vec![owner.clone()]);
        capture::install(&trusting, &Config::default().source)
            .await
            .unwrap_or_else(|error| panic!("{version}: {error:#}"));
        let made = include_str!("../../migrations/shape.txt");
        let standing = capture::shape(&mut source.connect().await).await.expect("a look");
        let differing: Vec<_> = standing
            .iter()
            .filter(|line| !made.lines().any(|made| made == *line))
            .collect();
        assert_eq!(differing, [] as [&String; 0], "{version}");
        assert_eq!(standing.len(), made.lines().count(), "{version}");
        let owned = "select count(distinct c.relowner) from pg_class c
                      where c.relnamespace = 'rentsync'::regnamespace or c.oid = 'projects'::regclass";
        assert_eq!(source.number(owned).await, 1, "{version}");
        drop_role(&source, &owner).await;
    }
}

/// 0.1.0 let just anybody make such a column.
#[tokio::test]
async fn what_stops_an_upgrade_because_it_stands_on_a_table_is_named_with_its_owner() {
    for (_, dump) in released() {
        let source = TestDatabase::blank().await;
        source.execute(&statements(&dump)).await;
        let stranger = role(&source).await;
        source
            .execute(&format!(
                "grant usage on schema rentsync to {stranger}; create schema hers authorization {stranger}; set role {stranger};
                 create table hers.t (l rentsync.feed[]); reset role"
            ))
            .await;
        let install = async || capture::install(&source.database, &Config::default().source).await;
        let error = install().await.err().expect("a refusal");
        let (said, code) = (fault::sentence(&error), fault::exit_code(&error));
        for part in [
            &format!("table column hers.t.l (of {stranger})"),
            "drop it, or have its owner drop it, run install again",
            "nothing was changed",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(code == 2 && !said.contains("CREATE"), "{code}: {said}");
        source.execute("drop table hers.t").await;
        install().await.expect("install");
        drop_role(&source, &stranger).await;
    }
}

/// Everything that was acknowledged arrives at a receiver that is new, in its order.
async fn receive_again(rig: &Rig) {
    let acknowledged: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select sync_id, body from rentsync.sync where state = 'delivered' order by sequence")
            .fetch_all(&mut rig.source.connect().await)
            .await
            .unwrap();
    let endpoint = Endpoint::new(&rig.receiver).expect("endpoint");
    for (sync_id, body) in acknowledged {
        endpoint
            .post(&sync_id, decompressed(&body).unwrap())
            .await
            .expect("a 2xx");
    }
}

/// Each release with the dump of what it left.
fn released() -> Vec<(String, String)> {
    let files = std::fs::read_dir(directory()).expect("tests/released");
    let dumps = files.map(|file| file.expect("a file").path());
    dumps
        .map(|path| {
            let version = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (version, std::fs::read_to_string(path).expect("a dump"))
        })
        .collect()
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/released")
}

async fn kept(source: &TestDatabase, names: &[(&str, &str)]) -> Vec<String> {
    let named = |query: String, (now, then): &(&str, &str)| query.replace(now, then);
    let query = names.iter().fold(KEPT.to_owned(), named);
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_all(&mut source.connect().await)
        .await
        .unwrap()
}

/// Without what only psql understands.
fn statements(dump: &str) -> String {
    let lines = dump.lines().filter(|line| !line.starts_with('\\'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes tests/released/VERSION.sql for the version in Cargo.toml.
#[tokio::test]
#[ignore = "makes a release's dump, once"]
async fn the_dump_of_this_release() {
    let rig = Rig::new().await;
    rig.edit(
        "insert into projects (id, name, project_group_id, full_address, is_actived) values (3, 'Three', 7, '3 Third Street', true);
         insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price)
         select 300 + n, 3, n::text, 1, 3000 + n from generate_series(1, 40) n",
    )
    .await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where id = 13").await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where project_id = 3; update project_rent_roll_units set price = 'NaN' where id = 22")
        .await;
    rig.settle().await;
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 21")
        .await;
    rig.plan().await;
    rig.deliver().await;
    rig.edit(
        "update project_rent_roll_units set price = 6 where id = 11;
         update rentsync.ledger set owed = 'retry' where unit_id = 12",
    )
    .await;
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/released/{}.sql", env!("CARGO_PKG_VERSION")));
    let dump = Command::new("pg_dump")
        .args(["--inserts", "--no-owner", "--no-privileges", &rig.source.url()])
        .output()
        .expect("pg_dump of the server's version in PATH");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    assert!(!path.exists(), "{} is there: a release is dumped once", path.display());
    std::fs::write(&path, statements(&String::from_utf8(dump.stdout).expect("UTF-8"))).expect("a dump");
}
