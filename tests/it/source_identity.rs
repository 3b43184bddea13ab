//! Source identity: the database under the relay went back, or is another one. Restores are real ones where the server's programs
//! are at hand.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::deliver::Deliverer;
use rentsync_relay::inspect::receivers;
use rentsync_relay::relay::Stop;
use rentsync_relay::source_identity::{self, IdentityCheck};
use rentsync_relay::witness::Witness;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;

use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::backup::{Backup, programs};
use crate::support::rig::Rig;

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "rent_roll";

/// Everything delivered, and the database noted.
async fn noted() -> Rig {
    let rig = Rig::delivered().await;
    assert_eq!(check(&rig).await, IdentityCheck::Same);
    rig
}

async fn check(rig: &Rig) -> IdentityCheck {
    let mut conn = rig.source.connect().await;
    source_identity::check(&mut conn, "main", &Witness::default(), rig.clock.now())
        .await
        .expect("check")
}

/// What a restore does to cursors and outbox: they are of transactions that this server has yet to begin.
async fn set_back(rig: &Rig) {
    rig.edit(
        "update rentsync.feed set cursor = '900000000000:900000000000:';
         insert into rentsync.outbox (xid, property_id, op) values ('900000000001', 1, 'update'), ('900000000002', null, 'update')",
    )
    .await;
}

pub fn newest_sequence(rig: &Rig) -> i64 {
    rig.sandbox
        .syncs()
        .iter()
        .filter_map(|sync| sync.sequence)
        .max()
        .unwrap_or(0)
}

/// Every property came as a snapshot, above everything before, and nothing was called stale.
pub fn assert_sent_anew(rig: &Rig, properties: &[i64], beyond: i64) {
    let now = chrono::Utc::now().timestamp_micros();
    let an_hour = 3_600_000_000;
    for sync in rig.sandbox.syncs() {
        assert!(!sync.stale, "{sync:?}");
        let sequence = sync.sequence.expect("a sequence");
        assert!(sequence > beyond && sequence > now - an_hour, "{sequence}, {beyond}");
        assert_eq!(sync.sync_type, Some("snapshot"), "{sync:?}");
    }
    let mut received: Vec<i64> = rig.sandbox.syncs().iter().filter_map(|sync| sync.project_id).collect();
    received.sort_unstable();
    assert_eq!(received, properties);
}

#[tokio::test]
async fn a_database_is_noted_once_and_that_costs_nothing_later() {
    let rig = Rig::delivered().await;
    for _ in 0..2 {
        assert_eq!(check(&rig).await, IdentityCheck::Same);
        let noted = "select count(*) from rentsync.source_identity where system_identifier is not null and timeline ~ '^[0-9A-F]{8}$'";
        assert_eq!(rig.source.number(noted).await, 1);
    }
    rig.once().await;
    assert_eq!(rig.requests(), []);
    assert_eq!(rig.alerts().await, [] as [String; 0]);
}

#[tokio::test]
async fn cursors_ahead_of_the_database_have_everything_sent_anew_once() {
    let rig = noted().await;
    // One sync is open, one unit is owed, a property left the feed: all of it as the restored ledger has it.
    rig.edit("update project_rent_roll_units set price = 1 where id = 11; update projects set is_actived = false where id = 2")
        .await;
    rig.plan().await;
    set_back(&rig).await;
    let beyond = newest_sequence(&rig);
    rig.once().await;
    rig.assert_equal().await;
    assert_sent_anew(&rig, &[1, 2], beyond);
    assert_eq!(rig.alerts().await, ["source_identity"]);
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where state = 'cancelled'")
            .await,
        2
    );
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.outbox where xid >= '900000000000'")
            .await,
        0,
        "they would be news for ever"
    );
    let mut conn = rig.source.connect().await;
    assert_eq!(receivers::unsettled(&mut conn, "main").await.unwrap(), 0);

    rig.sandbox.clear_log();
    rig.once().await;
    assert_eq!(rig.requests(), [], "once is enough");
}

#[tokio::test]
async fn units_that_only_the_receiver_knows_of_are_dropped_also_where_the_property_left_the_feed() {
    let rig = noted().await;
    // The ledger as the backup had it: it never heard of units 13 and 23.
    rig.edit(
        "delete from project_rent_roll_units where id in (13, 23); delete from rentsync.ledger where unit_id in (13, 23);
         update projects set is_actived = false where id = 2;
         update rentsync.feed set digest = decode(repeat('00', 32), 'hex')",
    )
    .await;
    set_back(&rig).await;
    rig.once().await;
    let held = |property_id| {
        rig.sandbox
            .property(property_id)
            .expect("received")
            .units
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!((held(1), held(2)), (vec![11, 12], vec![]));
}

#[tokio::test]
async fn nothing_is_sent_over_a_connection_before_it_is_checked() {
    let rig = noted().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    assert_eq!(rig.plan().await.syncs, 1);
    set_back(&rig).await;
    let options = PgPoolOptions::new().max_connections(1);
    let checked = source_identity::checked(
        options,
        &rig.source.database,
        vec!["main".to_owned()],
        std::sync::Arc::default(),
        rig.clock.clone(),
    );
    let pool = rig.source.database.pool(checked);
    let mut deliverer = Deliverer::new(pool, &rig.receiver, rig.clock.clone(), &rig.relay).unwrap();
    assert_eq!(deliverer.start_due().await.unwrap(), 0);
    assert_eq!(rig.states().await.last().unwrap(), "cancelled");
    rig.settle().await;
    rig.assert_equal().await;
}

/// This database is another one for the relay; nothing happens until a person says so.
async fn waits_for_a_person(rig: &Rig) {
    rig.sandbox.clear_log();
    refused(
        relay(rig, &["once"]),
        1,
        &["another database", "receivers resync main", "undelivered"],
    )
    .await;
    refused(relay(rig, &["once"]), 1, &["another database", "receivers resync main"]).await;
    refused(
        relay(rig, &["receivers", "resume", "main"]),
        2,
        &["receivers resync main"],
    )
    .await;
    output(relay(rig, &["receivers", "pause", "main"])).await;
    refused(
        relay(rig, &["receivers", "resume", "main"]),
        2,
        &["receivers resync main"],
    )
    .await;
    refused(relay(rig, &["once"]), 1, &["receivers resync main"]).await;
    assert_eq!(rig.requests(), []);
    let status = output(relay(rig, &["status"])).await;
    assert!(
        said(&status).contains("none, until `receivers resync main`"),
        "{}",
        said(&status)
    );
}

async fn resync(rig: &Rig) {
    let done = output(relay(rig, &["receivers", "resync", "main"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains("fed from this database from now on"),
        "{}",
        said(&done)
    );
}

#[tokio::test]
async fn another_system_identifier_waits_for_a_person_and_each_receiver_for_itself() {
    let rig = noted().await;
    rig.edit(
        "update rentsync.source_identity set system_identifier = system_identifier + 1;
         insert into rentsync.receiver (receiver) values ('other');
         insert into rentsync.source_identity (receiver, system_identifier, noted_at) values ('other', 1, now())",
    )
    .await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    let beyond = newest_sequence(&rig);
    waits_for_a_person(&rig).await;
    assert_eq!(rig.alerts().await, ["source_identity"]);
    resync(&rig).await;
    let done = output(relay(&rig, &["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;
    assert_sent_anew(&rig, &[1, 2], beyond);
    let mut conn = rig.source.connect().await;
    assert_eq!(
        source_identity::check(&mut conn, "other", &Witness::default(), None)
            .await
            .unwrap(),
        IdentityCheck::Stopped
    );
}

#[tokio::test]
async fn replay_sends_nothing_from_another_database() {
    let rig = noted().await;
    rig.edit("update rentsync.source_identity set system_identifier = system_identifier + 1")
        .await;
    rig.sandbox.clear_log();
    refused(relay(&rig, &["replay", "--since", "1h"]), 1, &["another database"]).await;
    assert_eq!(rig.requests(), []);
}

#[tokio::test]
async fn resync_serves_a_restore_that_nothing_can_detect_and_keeps_a_pause() {
    let rig = noted().await;
    // The receiver has it otherwise, and nothing here knows.
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    rig.settle().await;
    rig.edit(
        "alter table project_rent_roll_units disable trigger all;
         update project_rent_roll_units set price = 1100 where id = 11;
         alter table project_rent_roll_units enable trigger all;
         update rentsync.feed set digest = decode(repeat('00', 32), 'hex'); delete from rentsync.ledger",
    )
    .await;
    output(relay(&rig, &["receivers", "pause", "main"])).await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();
    let done = output(relay(&rig, &["receivers", "resync", "main"])).await;
    assert!(
        said(&done).contains("2 feeds due a snapshot") && said(&done).contains("receivers resume main"),
        "{}",
        said(&done)
    );
    refused(relay(&rig, &["once"]), 1, &["undelivered"]).await;
    output(relay(&rig, &["receivers", "resume", "main"])).await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_sent_anew(&rig, &[1, 2], beyond);
    refused(relay(&rig, &["receivers", "resync", "nobody"]), 2, &["nobody"]).await;
}

#[tokio::test]
async fn lineage_needs_no_more_rights_than_run_has_and_bears_a_server_that_does_not_say() {
    let rig = noted().await;
    let role = format!("relay_{}", rig.source.number("select (random() * 1e9)::bigint").await);
    rig.edit(&format!("create role {role} login")).await;
    let source = &Config::default().source;
    capture::install_for(&rig.source.database, source, Some(&role))
        .await
        .expect("install");
    let url = rig.source.url().replacen("postgres@", &format!("{role}@"), 1);
    let as_role = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", &url);
        command
    };
    set_back(&rig).await;
    let done = output(as_role(&["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("6 units acknowledged"), "{}", said(&done));
    assert!(!said(&done).contains("does not say"), "{}", said(&done));
    rig.assert_equal().await;

    rig.edit(
        "revoke execute on function pg_control_system(), pg_current_wal_lsn() from public;
         delete from rentsync.source_identity",
    )
    .await;
    set_back(&rig).await;
    for times in [1, 0] {
        let done = output(as_role(&["once"])).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert_eq!(said(&done).matches("pg_control_system()").count(), 1, "{}", said(&done));
        assert_eq!(said(&done).matches("does not say").count(), 2, "{}", said(&done));
        assert_eq!(
            said(&done).matches("6 units acknowledged").count(),
            times,
            "{}",
            said(&done)
        );
    }
    let done = output(as_role(&["receivers", "resync", "main"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn a_dump_restored_into_a_new_cluster_waits_and_then_makes_the_receiver_equal_to_it() {
    let mut rig = noted().await;
    let Some(bin) = programs(&mut rig.source.connect().await, &["pg_dump", "psql"]).await else {
        return println!("skipped: no pg_dump and psql beside the server");
    };
    let dump = dumped(&bin, &rig);
    edit_what_gets_lost(&rig).await;
    rig.settle().await;
    rig.assert_equal().await;
    let beyond = newest_sequence(&rig);

    let cluster = LocalPostgres::start(Durability::InMemory).unwrap();
    let (options, url) = (cluster.options(NAME), cluster.url(NAME));
    let server = Server::Private(cluster);
    server.create_database(NAME, None).await.unwrap();
    restore(&bin, &dump, &url);
    rig.source = TestDatabase::elsewhere(NAME, options, url);

    waits_for_a_person(&rig).await;
    resync(&rig).await;
    let done = output(relay(&rig, &["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_sent_anew(&rig, &[1, 2], beyond);
    rig.assert_equal().await;
}

/// A dump of a rig's database that takes off what is there before it restores.
fn dumped(bin: &Path, rig: &Rig) -> tempfile::NamedTempFile {
    let dump = tempfile::NamedTempFile::new().unwrap();
    let mut pg_dump = Command::new(bin.join("pg_dump"));
    succeeds(
        pg_dump
            .args(["--clean", "--if-exists", "-f"])
            .arg(dump.path())
            .arg(rig.source.url()),
    );
    dump
}

fn restore(bin: &Path, dump: &tempfile::NamedTempFile, url: &str) {
    let mut psql = Command::new(bin.join("psql"));
    succeeds(
        psql.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f"])
            .arg(dump.path())
            .arg(url),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_restored_in_place_is_noticed_by_whoever_connects_next_and_by_a_running_relay() {
    let rig = noted().await;
    let Some(bin) = programs(&mut rig.source.connect().await, &["pg_dump", "psql"]).await else {
        return println!("skipped: no pg_dump and psql beside the server");
    };
    rig.source.connect_anew();
    let dump = dumped(&bin, &rig);
    edit_what_gets_lost(&rig).await;
    rig.settle().await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();
    restore(&bin, &dump, &rig.source.url());
    let done = output(relay(&rig, &["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_sent_anew(&rig, &[1, 2], beyond);
    rig.assert_equal().await;

    let dump = dumped(&bin, &rig);
    edit_what_gets_lost(&rig).await;
    let (stop, stopped) = tokio::sync::watch::channel(Stop::No);
    let running = tokio::spawn(rig.relay().run(stopped));
    at_rest(&rig, 1).await;
    rig.assert_equal().await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();
    restore(&bin, &dump, &rig.source.url());
    at_rest(&rig, 2).await;
    stop.send_replace(Stop::Finish);
    running.await.unwrap().unwrap();
    assert_sent_anew(&rig, &[1, 2], beyond);
    rig.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_comes_up_on_a_new_timeline_under_a_running_relay_is_sent_by_itself() {
    let cluster = LocalPostgres::start(Durability::InMemory).unwrap();
    let place = tempfile::tempdir().unwrap();
    let address = place.path().join("server");
    symlink(cluster.directory(), &address).unwrap();
    // The database lies behind a name that can be made to point elsewhere, as after a failover.
    let (options, url) = (cluster.options(NAME).socket(&address), cluster.url(NAME));
    let server = Server::Private(cluster);
    server.create_database(NAME, None).await.unwrap();
    let rig = on(TestDatabase::elsewhere(NAME, options, url)).await;
    let Some(bin) = programs(&mut rig.source.connect().await, &["pg_basebackup", "postgres"]).await else {
        return println!("skipped: no pg_basebackup beside the server");
    };
    rig.edit("insert into projects (id, name, is_actived) values (3, 'Three', true); insert into project_rent_roll_units (id, project_id) values (31, 3)")
        .await;
    let (stop, stopped) = tokio::sync::watch::channel(Stop::No);
    let running = tokio::spawn(rig.relay().run(stopped));
    at_rest(&rig, 0).await;
    rig.edit("update projects set is_actived = false where id = 3").await;
    at_rest(&rig, 0).await;

    let backup = Backup::of(&address, &bin);
    edit_what_gets_lost(&rig).await;
    rig.edit("update projects set is_actived = true where id = 3").await;
    at_rest(&rig, 0).await;
    rig.assert_equal().await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();
    backup.start();
    let spare = place.path().join("next");
    symlink(backup.directory(), &spare).unwrap();
    std::fs::rename(&spare, &address).unwrap();
    drop(server);

    at_rest(&rig, 1).await;
    stop.send_replace(Stop::Finish);
    running.await.unwrap().unwrap();
    assert_sent_anew(&rig, &[1, 2, 3], beyond);
    rig.assert_equal().await;
    let timeline = "select count(*) from rentsync.source_identity where timeline = '00000002'";
    assert_eq!(rig.source.number(timeline).await, 1);
}

pub async fn on(source: TestDatabase) -> Rig {
    source.execute(rentsync_relay::demo::portfolio::SCHEMA).await;
    capture::install(&source.database, &Config::default().source)
        .await
        .expect("install");
    Rig::on(source).await
}

/// Edits of every kind: a value, a removal, a new unit, a move, a property's own field.
pub async fn edit_what_gets_lost(rig: &Rig) {
    rig.edit(
        "update project_rent_roll_units set price = 99 where id = 11;
         delete from project_rent_roll_units where id = 12;
         insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '14');
         update project_rent_roll_units set project_id = 1 where id = 21;
         update projects set name = 'Zwei' where id = 2",
    )
    .await;
}

/// At rest, with so many alerts about source identity; a database that is away is asked again.
pub async fn at_rest(rig: &Rig, alerts: i64) {
    let began = Instant::now();
    while !is_at_rest(&rig.source.database, alerts).await.unwrap_or(false) {
        assert!(began.elapsed() < LIMIT, "no rest: {:?}", rig.sandbox.syncs().last());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_at_rest(database: &Database, alerts: i64) -> anyhow::Result<bool> {
    let mut conn = database.connect().await?;
    let raised: i64 = sqlx::query_scalar("select count(*) from rentsync.alert where kind = 'source_identity'")
        .fetch_one(&mut conn)
        .await?;
    let feeds: i64 = sqlx::query_scalar("select count(*) from rentsync.feed")
        .fetch_one(&mut conn)
        .await?;
    Ok(raised == alerts && feeds > 0 && receivers::unsettled(&mut conn, "main").await? == 0)
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn status_and_the_alert_say_that_a_database_went_back_and_why() {
    let rig = noted().await;
    set_back(&rig).await;
    assert_eq!(check(&rig).await, IdentityCheck::Anew);
    let status = output(relay(&rig, &["status", "--json"])).await;
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status[0]["alerts"], json!(1));
    let message = "select count(*) from rentsync.alert where kind = 'source_identity' and message like '%2 properties are sent again%'";
    assert_eq!(rig.source.number(message).await, 1);
}
