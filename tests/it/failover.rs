//! Failover: the database is several servers, one of which takes writes, and that changes while the relay runs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::database::Database;
use rentsync_relay::demo::proof;
use rentsync_relay::inspect::receivers;
use rentsync_relay::relay::Stop;
use rentsync_relay::source_identity::{self, IdentityCheck};
use rentsync_relay::witness::{Sent, Witness};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::process::{output, refused, relay, said};
use crate::source_identity::{assert_sent_anew, at_rest, edit_what_gets_lost, newest_sequence, on};
use crate::support::TestDatabase;
use crate::support::backup::{Backup, programs};
use crate::support::rig::Rig;

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "rent_roll";

/// A primary with what it takes to copy it.
struct Primary {
    server: Server,
    directory: PathBuf,
    bin: PathBuf,
}

impl Primary {
    /// None where the server's programs are not there.
    async fn start() -> Option<Self> {
        let cluster = LocalPostgres::start(Durability::InMemory).unwrap();
        let (directory, options) = (cluster.directory().to_owned(), cluster.options(NAME));
        let server = Server::Private(cluster);
        server.create_database(NAME, None).await.unwrap();
        let mut conn = options.connect().await.unwrap();
        let bin = programs(&mut conn, &["pg_basebackup", "postgres"]).await;
        if bin.is_none() {
            println!("skipped: no pg_basebackup beside the server");
        }
        Some(Self {
            server,
            directory,
            bin: bin?,
        })
    }

    async fn follower(&self, name: &str) -> Backup {
        let follower = Backup::standby_named(&self.directory, &self.bin, name);
        follower.start();
        let primary = format!("host={} port=5432 user=postgres", self.directory.display());
        follow(&follower, &primary).await;
        follower
    }
}

/// A URL that names these servers.
fn url_of(directories: &[&Path]) -> String {
    let hosts: Vec<String> = directories
        .iter()
        .map(|directory| directory.display().to_string().replace('/', "%2F") + ":5432")
        .collect();
    format!("postgres://postgres@{}/{NAME}", hosts.join(","))
}

fn options_at(directory: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(directory)
        .username("postgres")
        .database(NAME)
}

/// The portfolio, and the relay installed, on whichever of these servers takes writes.
async fn rig_on(directories: &[&Path]) -> Rig {
    let url = url_of(directories);
    let mut source = TestDatabase::elsewhere(NAME, options_at(directories[0]), url.clone());
    source.database = Database::from_url(&url.into()).unwrap();
    source.connect_anew();
    on(source).await
}

/// Connected to one server, as soon as it answers.
async fn connected(directory: &Path) -> PgConnection {
    let began = Instant::now();
    loop {
        match options_at(directory).connect().await {
            Ok(conn) => return conn,
            Err(error) => assert!(began.elapsed() < LIMIT, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn execute(directory: &Path, statement: &str) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    statement.execute(&mut connected(directory).await).await.unwrap();
}

async fn until(directory: &Path, question: &'static str) {
    let (mut conn, began) = (connected(directory).await, Instant::now());
    while !sqlx::query_scalar::<_, bool>(question)
        .fetch_one(&mut conn)
        .await
        .unwrap()
    {
        assert!(began.elapsed() < LIMIT, "{question}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn promote(directory: &Path) {
    until(directory, "select pg_promote(true, 60)").await;
}

async fn follow(follower: &Backup, primary: &str) {
    let setting = format!("alter system set primary_conninfo = '{primary}'");
    execute(follower.directory(), &setting).await;
    execute(follower.directory(), "select pg_reload_conf()").await;
}

/// What the primary commits from now on the follower never hears of.
async fn cut_off(follower: &Backup) {
    follow(follower, "").await;
    until(
        follower.directory(),
        "select not exists (select from pg_stat_wal_receiver)",
    )
    .await;
}

async fn caught_up(primary: &Path, follower: &Backup) {
    execute(
        primary,
        "create table if not exists public.mark (at timestamptz); insert into mark values (now())",
    )
    .await;
    let mut conn = connected(primary).await;
    let position: String = sqlx::query_scalar("select pg_current_wal_flush_lsn()::text")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    let (mut conn, began) = (connected(follower.directory()).await, Instant::now());
    let behind = "select coalesce(pg_last_wal_replay_lsn() < $1::pg_lsn, true)";
    while sqlx::query_scalar(behind)
        .bind(&position)
        .fetch_one(&mut conn)
        .await
        .unwrap()
    {
        assert!(began.elapsed() < LIMIT);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

struct Running(watch::Sender<Stop>, JoinHandle<anyhow::Result<()>>);

impl Running {
    fn of(rig: &Rig) -> Self {
        let (stop, stopped) = watch::channel(Stop::No);
        Self(stop, tokio::spawn(rig.relay().run(stopped)))
    }

    async fn end(self) {
        self.0.send_replace(Stop::Finish);
        self.1.await.unwrap().unwrap();
    }
}

/// Until the receiver has what this database has, and nothing is left to do.
async fn equal(rig: &Rig) {
    let began = Instant::now();
    loop {
        let left = differences(rig).await;
        match left {
            Ok(left) if left.is_empty() => return rig.assert_no_complaint(),
            left => assert!(began.elapsed() < LIMIT, "{left:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn differences(rig: &Rig) -> anyhow::Result<Vec<String>> {
    let mut conn = rig.source.database.connect().await?;
    sqlx::raw_sql("set search_path to public").execute(&mut conn).await?;
    if receivers::unsettled(&mut conn, "main").await? > 0 {
        return Ok(vec!["something is under way".to_owned()]);
    }
    Ok(proof::compare(&mut conn, &rig.sandbox, &rig.agreement())
        .await?
        .differences)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_promoted_is_found_by_a_running_relay_and_what_was_lost_is_put_right() {
    let Some(primary) = Primary::start().await else { return };
    let follower = primary.follower("follower").await;
    let rig = rig_on(&[follower.directory(), &primary.directory]).await;
    let running = Running::of(&rig);
    at_rest(&rig, 0).await;
    caught_up(&primary.directory, &follower).await;
    cut_off(&follower).await;
    edit_what_gets_lost(&rig).await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (3, 'Three', true);
         insert into project_rent_roll_units (id, project_id, unit_code) values (31, 3, '31')",
    )
    .await;
    at_rest(&rig, 0).await;
    rig.assert_equal().await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();

    drop(primary.server);
    promote(follower.directory()).await;
    at_rest(&rig, 1).await;
    equal(&rig).await;
    assert_sent_anew(&rig, &[1, 2, 3], beyond);
    assert!(rig.sandbox.property(3).expect("received").units.is_empty());
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    equal(&rig).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_image_set_back_under_a_running_relay_is_noticed_by_what_it_sent_last() {
    let Some(primary) = Primary::start().await else { return };
    // The database lies behind a name that can be made to point elsewhere.
    let place = tempfile::tempdir().unwrap();
    let address = place.path().join("server");
    symlink(&primary.directory, &address).unwrap();
    let rig = rig_on(&[&address]).await;
    let running = Running::of(&rig);
    at_rest(&rig, 0).await;
    let image = Backup::image(&primary.directory, &primary.bin);
    edit_what_gets_lost(&rig).await;
    at_rest(&rig, 0).await;
    rig.assert_equal().await;
    let beyond = newest_sequence(&rig);
    rig.sandbox.clear_log();

    image.start();
    let spare = place.path().join("next");
    symlink(image.directory(), &spare).unwrap();
    std::fs::rename(&spare, &address).unwrap();
    drop(primary.server);
    at_rest(&rig, 1).await;
    running.end().await;
    assert_sent_anew(&rig, &[1, 2], beyond);
    rig.assert_equal().await;
    let same = "select count(*) from rentsync.source_identity where timeline = '00000001'";
    assert_eq!(rig.source.number(same).await, 1, "nothing else shows it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_were_promoted_to_the_same_timeline_are_told_apart_by_what_was_sent() {
    let Some(primary) = Primary::start().await else { return };
    let (one, two) = (primary.follower("one").await, primary.follower("two").await);
    let rig = rig_on(&[&primary.directory, one.directory(), two.directory()]).await;
    rig.settle().await;
    caught_up(&primary.directory, &one).await;
    caught_up(&primary.directory, &two).await;
    drop(primary.server);
    promote(one.directory()).await;
    let running = Running::of(&rig);
    equal(&rig).await;
    // Another relay worked on the other one, which is on a timeline of that number as well.
    promote(two.directory()).await;
    let mut once = relay(&rig, &["once"]);
    once.env("DATABASE_URL", url_of(&[two.directory()]));
    let done = output(once).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    edit_what_gets_lost(&rig).await;
    equal(&rig).await;

    drop(one);
    let noted = "select timeline = '00000002' from rentsync.source_identity";
    until(two.directory(), noted).await;
    equal(&rig).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_the_one_that_takes_writes_is_used_and_the_newest_where_two_do() {
    let Some(primary) = Primary::start().await else { return };
    let follower = primary.follower("follower").await;
    let both = [follower.directory(), &*primary.directory];
    let rig = rig_on(&both).await;
    rig.settle().await;
    let says = async |arguments: &[&str], parts: &[&str]| {
        let done = output(relay(&rig, arguments)).await;
        for part in parts {
            assert!(said(&done).contains(part), "{part:?} in: {}", said(&done));
        }
    };
    let at = |directory: &Path| directory.display().to_string();
    let at_primary = format!("{} takes writes", at(&primary.directory));
    says(&["status"], &[&at_primary.replace(" takes", ", which takes")]).await;
    says(&["doctor"], &["host", &at_primary]).await;

    // As libpq takes a list from the environment.
    let listed = |hosts: &[&Path]| {
        let mut status = relay(&rig, &["status"]);
        let hosts: Vec<String> = hosts.iter().map(|host| at(host)).collect();
        status.env("DATABASE_URL", format!("postgres:///{NAME}?user=postgres"));
        status.env("PGHOST", hosts.join(","));
        status
    };
    let done = output(listed(&both)).await;
    assert!(said(&done).contains(&at(&primary.directory)), "{}", said(&done));
    let nowhere = Path::new("/nonexistent");
    refused(
        listed(&[nowhere, follower.directory()]),
        3,
        &["/nonexistent:", "a standby", "takes writes"],
    )
    .await;
    refused(
        listed(&[follower.directory(), follower.directory()]),
        3,
        &["all are standbys", "promote one"],
    )
    .await;

    // What was left comes back: two take writes.
    promote(follower.directory()).await;
    says(
        &["status"],
        &[&format!("database at {}", at(follower.directory())), "only one may"],
    )
    .await;
}

#[tokio::test]
async fn a_new_property_that_was_sent_and_lost_is_taken_off_whichever_relay_notices_first() {
    let rig = Rig::delivered().await;
    let mut conn = rig.source.connect().await;
    let (sender, other) = (Witness::default(), Witness::default());
    let mut checks = async |witness| {
        source_identity::check(&mut conn, "main", witness, rig.clock.now())
            .await
            .unwrap()
    };
    assert_eq!(checks(&sender).await, IdentityCheck::Same);
    rig.edit(
        "insert into projects (id, name, is_actived) values (3, 'Three', true);
         insert into project_rent_roll_units (id, project_id, unit_code) values (31, 3, '31')",
    )
    .await;
    rig.settle().await;
    let sync = rig.sandbox.syncs().pop().expect("it was sent");
    let sent = Sent {
        sequence: sync.sequence.expect("a number"),
        sync_id: sync.sync_id.expect("an ID"),
        at: rig.clock.now().unwrap_or_default(),
    };
    sender.note("main", sent, [1, 2, 3]);
    assert_eq!(rig.sandbox.property(3).expect("received").units.len(), 1);

    // The standby never had it. The relay that notices did not send it.
    rig.edit(
        "delete from projects where id = 3; delete from rentsync.outbox;
         delete from rentsync.ledger where unit_id = 31;
         delete from rentsync.sync_feed where feed_id = (select max(feed_id) from rentsync.feed);
         delete from rentsync.feed where property_id = 3;
         update rentsync.source_identity set timeline = '00000000'",
    )
    .await;
    assert_eq!(checks(&other).await, IdentityCheck::Anew);
    rig.settle().await;
    assert_eq!(
        rig.sandbox.property(3).expect("received").units.len(),
        1,
        "it can't know"
    );
    assert_eq!(checks(&sender).await, IdentityCheck::Same);
    rig.settle().await;
    assert!(rig.sandbox.property(3).expect("received").units.is_empty());
    rig.sandbox.clear_log();
    assert_eq!(checks(&sender).await, IdentityCheck::Same);
    rig.settle().await;
    assert_eq!(rig.requests(), [], "once is enough");
}
