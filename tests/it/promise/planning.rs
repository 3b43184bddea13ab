//! Relays that die, that vanish, that hold on to what they have; and whoever else sits on a lock.

use std::time::{Duration, Instant};

use rentsync_relay::capture;
use rentsync_relay::config::{Config, Enroll};
use rentsync_relay::database::Database;
use rentsync_relay::plan;
use rentsync_relay::relay::{Relay, Stop};
use rustix::process::Signal;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::process::{LIMIT, at_rest, ended, relay, signal};
use crate::support::execute;
use crate::support::rig::{Rig, immortal};

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// What is promised of a machine or a network that vanishes.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(15);
/// Five seconds without a beat, and what two relays on a busy machine need for a plan and a request.
const REPLACED_WITHIN: Duration = Duration::from_secs(8);

pub(super) async fn until(what: &str, limit: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(limit, waiting).await;
    assert!(waited.is_ok(), "{what} within {limit:?}");
}

/// A relay with its real loops, in this process.
pub(super) struct Running {
    relay: Relay,
    stop: watch::Sender<Stop>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub(super) fn start(relay: Relay) -> Self {
        let (stop, stopped) = watch::channel(Stop::No);
        let task = tokio::spawn(relay.clone().run(stopped));
        Self { relay, stop, task }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.relay.progress.lacking().is_empty()
    }

    pub(super) async fn end(self) {
        self.stop.send_replace(Stop::Finish);
        tokio::time::timeout(LIMIT, self.task)
            .await
            .expect("it ends")
            .expect("no panic")
            .expect("it ran");
    }
}

#[tokio::test]
async fn promise_04_advisory_locks_of_whoever_may_connect_have_no_effect() {
    let rig = Rig::new().await;
    let role = format!("nobody_{}", rig.source.number("select (random() * 1e9)::bigint").await);
    rig.edit(&format!("create role {role} login")).await;
    let mut nobody = rig.source.connect().await;
    execute(
        &mut nobody,
        &format!(
            "set role {role};
             select pg_advisory_lock(hashtextextended('rentsync.plan.main', 0));
             select pg_advisory_lock(hashtextextended('rentsync.install', 0))"
        ),
    )
    .await;
    let pass = tokio::time::timeout(LIMIT, rig.once()).await.expect("it ends");
    assert_eq!((pass.acknowledged, pass.delivered, pass.left), (6, 2, 0));
    let config = Config::default();
    let installed = capture::install(&rig.source.database, &config.source);
    tokio::time::timeout(LIMIT, installed)
        .await
        .expect("it ends")
        .expect("install");
    rig.assert_equal().await;
    rig.edit(&format!("drop role {role}")).await;
    for statement in statements() {
        assert!(
            !statement.contains("pg_advisory") && !statement.contains("pg_try_advisory"),
            "{statement}"
        );
    }
}

/// All that the relay ever says to the database.
fn statements() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sql")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("sql") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(std::fs::read_to_string(path).expect("a statement")),
            }
        }
    }
    found
}

#[tokio::test]
async fn promise_04_a_right_that_is_never_given_back_is_no_progress_and_raises_an_alert() {
    let rig = Rig::delivered().await;
    let running = Running::start(rig.relay());
    until("it to work", LIMIT, async || running.is_ready()).await;
    let mut sitting = rig.source.connect().await;
    execute(
        &mut sitting,
        "begin; select from rentsync.planner where receiver = 'main' for update",
    )
    .await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    let stages = running.relay.progress.of("main");
    let open = "select count(*) from rentsync.alert where kind = 'starved' and acked_at is null";
    until("somebody to be waited for", LIMIT, async || {
        // Nobody comes to an end, whatever time passes.
        rig.pass(61 * SECOND);
        rig.source.number(open).await == 1
    })
    .await;
    assert!(stages.planned_ago().is_none_or(|ago| ago > SECOND), "no progress");
    execute(&mut sitting, "rollback").await;
    until("the alert to be over", LIMIT, async || {
        rig.source.number(open).await == 0
    })
    .await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    until("progress", LIMIT, async || running.is_ready()).await;
    running.end().await;
}

#[tokio::test]
async fn promise_04_while_another_relay_plans_that_is_progress() {
    let rig = Rig::delivered().await;
    let other = immortal(&rig.source, "other:1").await;
    rig.edit(&format!(
        "update rentsync.planner set relay_id = {}, taken_at = now() + interval '1 hour'",
        other.id()
    ))
    .await;
    let running = Running::start(rig.relay());
    until("progress", LIMIT, async || running.is_ready()).await;
    assert_eq!(rig.requests(), []);
    // Dead, and the right it took long ago is anybody's.
    rig.edit("delete from rentsync.relay where name = 'other:1'; update rentsync.planner set taken_at = now() - interval '6 seconds'")
        .await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    running.end().await;
}

#[tokio::test]
async fn promise_04_a_right_is_anybodys_five_seconds_after_it_was_acquired_unless_a_plan_holds_it() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 5").await;
    let other = immortal(&rig.source, "other:1").await;
    let mut conn = rig.source.connect().await;
    let acquired_ago = async |seconds: i64| {
        rig.edit(&format!(
            "update rentsync.planner set relay_id = {}, fence = fence + 1, taken_at = clock_timestamp() - interval '{seconds} seconds'",
            other.id()
        ))
        .await;
    };
    acquired_ago(0).await;
    let scope = rig.scope();
    assert!(
        plan::plan_batch(&mut conn, &scope, &rig.batch(0))
            .await
            .unwrap()
            .without_right
    );
    acquired_ago(6).await;
    let mut planning = rig.source.connect().await;
    execute(&mut planning, "begin; select from rentsync.planner for no key update").await;
    assert!(
        plan::plan_batch(&mut conn, &scope, &rig.batch(0))
            .await
            .unwrap()
            .without_right
    );
    drop(planning);
    until("the plan that died to be gone", LIMIT, async || {
        plan::plan_batch(&mut conn, &scope, &rig.batch(0)).await.unwrap().syncs == 2
    })
    .await;
    let turn = plan::turn(&mut conn, "main", None).await.unwrap().unwrap();
    assert_eq!((turn.holder, turn.planned_at.is_some()), (None, true));
}

#[tokio::test]
async fn promise_04_a_plan_is_ended_as_soon_as_its_relay_is_dead_and_never_while_that_is_only_slow() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 5").await;
    let other = immortal(&rig.source, "other:1").await;
    let mut sitting = rig.source.connect().await;
    plan_since_an_hour(&mut sitting, other.id(), "").await;
    let mut conn = rig.source.connect().await;
    let scope = rig.scope();
    for _ in 0..3 {
        let planned = plan::plan_batch(&mut conn, &scope, &rig.batch(0)).await.unwrap();
        assert!(planned.without_right, "an hour long, but it lives");
    }
    execute(&mut sitting, "select 1").await;
    rig.edit("update rentsync.relay set beat_at = clock_timestamp() - interval '6 seconds' where name = 'other:1'")
        .await;
    until("its plan to be ended", 5 * SECOND, async || {
        plan::plan_batch(&mut conn, &scope, &rig.batch(0)).await.unwrap().syncs == 2
    })
    .await;
    let ended = sqlx::query("select 1").execute(&mut sitting).await;
    assert!(ended.is_err(), "the session is gone with what it held");
}

#[tokio::test]
async fn promise_04_a_dead_relays_plan_is_ended_whatever_its_role_is_called() {
    let rig = Rig::delivered().await;
    let role = format!("Relay.One@x_{}", std::process::id());
    rig.edit(&format!("create role \"{role}\" login")).await;
    capture::install_for(&rig.source.database, &Config::default().source, Some(&role))
        .await
        .expect("install");
    rig.edit("update project_rent_roll_units set price = 5").await;
    let options: PgConnectOptions = rig.source.url().parse().expect("a URL");
    let database = Database::from_options(options.username(&role));
    let mut sitting = database.connect().await.expect("connect");
    plan_since_an_hour(&mut sitting, -1, "").await;
    let mut conn = database.connect().await.expect("connect");
    until("its plan to be ended", 5 * SECOND, async || {
        plan::plan_batch(&mut conn, &rig.scope(), &rig.batch(0))
            .await
            .expect("a plan")
            .syncs
            == 2
    })
    .await;
    let ended = sqlx::query("select 1").execute(&mut sitting).await;
    assert!(ended.is_err(), "the session is gone with what it held");
    drop(conn);
    rig.edit(&format!("drop owned by \"{role}\" cascade; drop role \"{role}\""))
        .await;
}

#[tokio::test]
async fn promise_04_another_session_than_the_one_that_planned_is_left_alone() {
    let rig = Rig::delivered().await;
    for other_by in [
        // Another process under the same number.
        "update rentsync.planner set session_began = session_began - interval '1 second'",
        // What a pooler does to a session before it hands it on.
        "discard all",
    ] {
        let mut sitting = rig.source.connect().await;
        plan_since_an_hour(&mut sitting, -1, other_by).await;
        let mut conn = rig.source.connect().await;
        for _ in 0..3 {
            let planned = plan::plan_batch(&mut conn, &rig.scope(), &rig.batch(0)).await.unwrap();
            assert!(planned.without_right, "{other_by}");
        }
        execute(&mut sitting, "rollback").await;
    }
}

/// Takes the right to plan as a relay does, and holds it in a plan that never ends; `then`: what happens to the session before that.
async fn plan_since_an_hour(conn: &mut PgConnection, relay: i64, then: &str) {
    sqlx::query(include_str!("../../../sql/plan/take.sql"))
        .bind("main")
        .bind(relay)
        .fetch_one(&mut *conn)
        .await
        .expect("the right to plan");
    execute(
        conn,
        "update rentsync.planner set taken_at = clock_timestamp() - interval '1 hour'",
    )
    .await;
    if !then.is_empty() {
        execute(conn, then).await;
    }
    execute(conn, "begin; select from rentsync.planner for no key update").await;
}

#[tokio::test]
async fn promise_04_a_relay_that_is_stopped_in_the_middle_of_a_plan_is_replaced_as_soon_as_it_is_missed() {
    let rig = Rig::delivered().await;
    let stopped = relay(&rig, &["run"]).spawn().expect("run");
    let planned = "select count(*) from rentsync.planner p join rentsync.live_relay r on 'main' = any (r.receivers)
                    where p.planned_at > now() - interval '1 second'";
    until("it to plan", LIMIT, async || rig.source.number(planned).await == 1).await;
    // Its plan stands before the source when it is stopped.
    let mut blocker = rig.source.connect().await;
    execute(
        &mut blocker,
        "begin; lock table project_rent_roll_units in access exclusive mode;
         update project_rent_roll_units set price = 5 where id = 11",
    )
    .await;
    rig.edit("insert into rentsync.outbox (property_id, op, unit_ids) values (1, 'update', '{11}')")
        .await;
    until("its plan to wait", LIMIT, async || rig.source.waiting().await > 0).await;
    signal(&stopped, Signal::STOP);
    let since = Instant::now();
    execute(&mut blocker, "commit").await;
    rig.sandbox.clear_log();
    let near = Running::start(rig.relay());
    until("its news", REPLACED_WITHIN, async || !rig.sandbox.syncs().is_empty()).await;
    assert!(since.elapsed() < REPLACED_WITHIN, "{:?}", since.elapsed());
    at_rest(&rig).await;
    rig.assert_equal().await;
    // What it does when it goes on does no harm.
    signal(&stopped, Signal::CONT);
    let both = "select count(*) from rentsync.live_relay where 'main' = any (receivers)";
    until("it to live again", LIMIT, async || rig.source.number(both).await == 2).await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    near.end().await;
    signal(&stopped, Signal::KILL);
    ended(stopped).await;
}

/// Between relay and database; what it holds up nobody learns.
pub(super) struct Network {
    port: u16,
    flows: watch::Sender<bool>,
}

impl Network {
    pub(super) async fn to(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().expect("the tests' server is on a socket");
        let path = socket.join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (flows, flowing) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&path).await.expect("the server");
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(forward(from_client, to_server, flowing.clone()));
                tokio::spawn(forward(from_server, to_client, flowing.clone()));
            }
        });
        Self { port, flows }
    }

    /// Nothing is closed, nothing is refused, nothing comes through.
    pub(super) fn falls_silent(&self) {
        self.flows.send_replace(false);
    }

    pub(super) fn comes_back(&self) {
        self.flows.send_replace(true);
    }

    /// The rig's relay on the far side.
    pub(super) fn relay(&self, rig: &Rig, options: &PgConnectOptions) -> Relay {
        let mut relay = rig.relay();
        let far = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(options.get_username())
            .database(options.get_database().expect("a database"))
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        relay.database = Database::from_options(far);
        relay.name = "far:1".to_owned();
        relay
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut flowing: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        if flowing.wait_for(|flows| *flows).await.is_err() || to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}

/// Where the tests' server is.
pub(super) fn server_of(rig: &Rig) -> PgConnectOptions {
    rig.source.url().parse().expect("a URL")
}

#[tokio::test]
async fn promise_15_a_relay_that_vanishes_in_the_middle_of_a_plan_is_taken_over_within_15_s() {
    let rig = Rig::delivered().await;
    let options = server_of(&rig);
    let network = Network::to(&options).await;
    let far = Running::start(network.relay(&rig, &options));
    until("the far relay to work", LIMIT, async || far.is_ready()).await;
    // Its plan stands before the source when its network falls silent.
    let mut blocker = rig.source.connect().await;
    execute(
        &mut blocker,
        "begin; lock table project_rent_roll_units in access exclusive mode;
         update project_rent_roll_units set price = 5 where id = 11",
    )
    .await;
    rig.edit("insert into rentsync.outbox (property_id, op, unit_ids) values (1, 'update', '{11}')")
        .await;
    until("its plan to wait", LIMIT, async || rig.source.waiting().await > 0).await;
    network.falls_silent();
    let silent = Instant::now();
    execute(&mut blocker, "commit").await;
    rig.sandbox.clear_log();
    let near = Running::start(rig.relay());
    until("its news", TAKEN_OVER_WITHIN, async || !rig.sandbox.syncs().is_empty()).await;
    assert!(silent.elapsed() < TAKEN_OVER_WITHIN, "{:?}", silent.elapsed());
    until("its notice", TAKEN_OVER_WITHIN, async || !far.is_ready()).await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    network.comes_back();
    until("the far relay to be back", LIMIT, async || far.is_ready()).await;
    near.end().await;
    far.end().await;
}

#[tokio::test]
async fn promise_15_a_database_that_falls_silent_is_noticed_within_15_s_and_used_again() {
    let rig = Rig::delivered().await;
    let options = server_of(&rig);
    let network = Network::to(&options).await;
    let far = Running::start(network.relay(&rig, &options));
    until("it to work", LIMIT, async || far.is_ready()).await;
    network.falls_silent();
    until("its notice", TAKEN_OVER_WITHIN, async || !far.is_ready()).await;
    // Long enough for every connection to have been given up.
    let given_up = Instant::now() + TAKEN_OVER_WITHIN;
    until("its connections to end", TAKEN_OVER_WITHIN + SECOND, async || {
        Instant::now() > given_up
    })
    .await;
    network.comes_back();
    rig.edit("update project_rent_roll_units set price = 5").await;
    until("it to work again", LIMIT, async || far.is_ready()).await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    far.end().await;
}

#[tokio::test]
async fn promise_15_every_connection_bounds_what_it_waits_for() {
    let rig = Rig::new().await;
    let bounds = "select count(*) from pg_settings
                   where name in ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout')
                     and setting::bigint > 0";
    let mut conn = rig.source.database.connect().await.unwrap();
    let bounded: i64 = sqlx::query_scalar(bounds).fetch_one(&mut conn).await.unwrap();
    let pool = rig.source.database.pool(sqlx::postgres::PgPoolOptions::new());
    let pooled: i64 = sqlx::query_scalar(bounds).fetch_one(&pool).await.unwrap();
    assert_eq!((bounded, pooled), (3, 3));
}

#[tokio::test]
async fn promise_16_where_the_source_is_serializable_by_default_no_write_of_its_own_fails_because_of_us() {
    let rig = Rig::new().await;
    rig.edit(
        "do $$ begin
             execute format('alter database %I set default_transaction_isolation = serializable', current_database());
         end $$",
    )
    .await;
    let mut writer = server_of(&rig).connect().await.expect("the application");
    // As long as this is open the server keeps whatever predicate locks anybody takes.
    let mut open = server_of(&rig).connect().await.expect("another of it");
    execute(
        &mut open,
        "begin isolation level serializable; select pg_current_snapshot()",
    )
    .await;
    let running = Running::start(rig.relay());
    for price in 0..200 {
        execute(
            &mut writer,
            &format!(
                "begin;
                 select sum(price) from project_rent_roll_units where project_id = {0};
                 update project_rent_roll_units set price = {price} where id = {0}1;
                 commit",
                price % 2 + 1
            ),
        )
        .await;
    }
    at_rest(&rig).await;
    let ours = "select count(*) from pg_locks
                 where mode = 'SIReadLock'
                   and database = (select oid from pg_database where datname = current_database())
                   and relation in (select oid from pg_class where relnamespace = 'rentsync'::regnamespace)";
    assert_eq!(
        rig.source.number(ours).await,
        0,
        "nothing of ours takes predicate locks"
    );
    let serializable: String = sqlx::query_scalar("show transaction_isolation")
        .fetch_one(&mut writer)
        .await
        .expect("isolation");
    assert_eq!(serializable, "serializable", "as the application has it");
    running.end().await;
    rig.assert_equal().await;
}

/// Many properties with a unit each, so that there are more syncs than places.
pub(super) async fn many(rig: &Rig) {
    rig.edit(
        "insert into projects (id, name, is_actived) select n, 'P' || n, true from generate_series(101, 140) n;
         insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id)
         select n * 10, n, n::text, 1 from generate_series(101, 140) n",
    )
    .await;
}

#[tokio::test]
async fn promise_18_a_killed_relays_leases_are_free_whatever_the_timeout_is_and_it_never_had_all_places() {
    let rig = Rig::empty().await;
    rig.faults(json!({ "delay_ms": 60_000 }));
    let run = || {
        let mut command = relay(&rig, &["run"]);
        command
            .env("RELAY_RECEIVERS__MAIN__TIMEOUT", "120s")
            .env("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "4");
        command.spawn().expect("run")
    };
    let (one, other) = (run(), run());
    let leased = "select count(*) from rentsync.sync where state = 'open' and leased_until > now()";
    let holders = "select count(distinct relay_id) from rentsync.sync where state = 'open' and leased_until > now()";
    let relays = "select count(*) from rentsync.live_relay where 'main' = any (receivers)";
    until("two relays", LIMIT, async || rig.source.number(relays).await == 2).await;
    many(&rig).await;
    until("both to be busy", LIMIT, async || {
        rig.source.number(holders).await == 2 && rig.source.number(leased).await == 4
    })
    .await;
    let most = "select max(n) from (select count(*) as n from rentsync.sync where state = 'open' and leased_until > now() group by relay_id) as held";
    assert_eq!(rig.source.number(most).await, 2, "places are shared");
    rig.no_faults();
    let killed = one.id().expect("it runs").to_string();
    signal(&one, Signal::KILL);
    let dead = Instant::now();
    let passed_on = "select count(*) from rentsync.sync where lease = 2 and relay_id is not null";
    until("its leases to be passed on", 10 * SECOND, async || {
        rig.source.number(passed_on).await == 2
    })
    .await;
    assert!(dead.elapsed() < 10 * SECOND);
    // All but the two that the other one waits for, unless a machine that stood still for some seconds had it break those off.
    let delivered = "select count(*) from rentsync.sync where state = 'delivered'";
    until("the rest", LIMIT, async || rig.source.number(delivered).await >= 38).await;
    let lost: i64 =
        sqlx::query_scalar("select count(*) from rentsync.attempt where outcome is null and relay like '%:' || $1")
            .bind(killed)
            .fetch_one(&mut rig.source.connect().await)
            .await
            .expect("attempts");
    assert_eq!(lost, 2, "nobody knows how they ended");
    signal(&other, Signal::KILL);
    ended(one).await;
    ended(other).await;
}

#[tokio::test]
async fn promise_16_a_tolerant_attachment_fails_no_write_though_nothing_can_be_noted() {
    let rig = Rig::new().await;
    rig.edit(
        "select rentsync.attach('projects', 'project_rent_roll_units', tolerant => true);
         truncate rentsync.outbox;
         alter table rentsync.outbox add constraint no_room check (false) not valid",
    )
    .await;
    rig.edit(
        "update project_rent_roll_units set price = 1;
         update projects set name = 'Renamed';
         delete from project_rent_roll_units where id = (select min(id) from project_rent_roll_units)",
    )
    .await;
    assert_eq!(rig.source.number("select count(*) from rentsync.outbox").await, 0);
}

#[tokio::test]
async fn promise_18_a_relay_whose_heartbeat_lapses_sends_nothing_twice() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 9 where id = 11")
        .await;
    rig.plan().await;
    let sent = rig.requests().len();
    let mut deliverer = rig.deliverer("lapsing:1").await;
    assert_eq!(deliverer.start_due().await.unwrap(), 1);
    rig.edit("update rentsync.relay set beat_at = '-infinity'").await;
    assert_eq!(deliverer.start_due().await.unwrap(), 0, "it is under way");
    let ended = deliverer.ended().await.unwrap();
    assert_eq!(deliverer.settle(ended).await.unwrap().delivered, 1);
    assert_eq!(rig.requests().len(), sent + 1);
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_18_relays_that_die_blame_no_unit_and_no_receiver() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 9 where id = 11")
        .await;
    rig.plan().await;
    // Twice, because what stands alone gets a second chance; others are acknowledged meanwhile.
    for price in 1..=3 {
        for _ in 0..5 {
            let mut dying = rig.deliverer("dying:1").await;
            dying.start_due().await.unwrap();
            dying.ended().await.unwrap();
            drop(dying);
            rig.pass(rig.receiver.timeout + 10 * SECOND);
        }
        rig.edit(&format!(
            "update project_rent_roll_units set price = {price} where id = 21"
        ))
        .await;
        rig.settle().await;
        rig.edit("update project_rent_roll_units set price = price + 1 where id = 11")
            .await;
        rig.plan().await;
    }
    rig.settle().await;
    rig.assert_equal().await;
    let blamed = "select count(*) from rentsync.ledger where withheld is not null";
    assert_eq!(rig.source.number(blamed).await, 0);
    assert_eq!(
        rig.source
            .number("select failures::bigint from rentsync.receiver")
            .await,
        0
    );
}

#[tokio::test]
async fn promise_16_whoever_locks_one_source_table_after_the_other_is_never_the_victim_of_a_deadlock() {
    let mut rig = Rig::delivered().await;
    // Else it waits for the first table before it plans, and holds nothing.
    rig.receiver.enroll = Enroll::Listed;
    let running = Running::start(rig.relay());
    let mut writer = server_of(&rig).connect().await.expect("the application");
    execute(
        &mut writer,
        "begin; lock table projects in access exclusive mode; update projects set name = 'Uno' where id = 1",
    )
    .await;
    // Something to plan, committed by another session: the planner reads one table and is kept from the other.
    rig.edit("insert into rentsync.outbox (property_id, op) values (1, 'update'), (2, 'update')")
        .await;
    let kept_out = "select count(*) from pg_locks l join pg_stat_activity a using (pid)
                     where not l.granted and l.relation = 'projects'::regclass
                       and exists (select from pg_locks h
                                    where h.pid = l.pid and h.granted and h.relation = 'project_rent_roll_units'::regclass)";
    until("a plan waits for the second table", LIMIT, async || {
        rig.source.number(kept_out).await > 0
    })
    .await;
    execute(
        &mut writer,
        "lock table project_rent_roll_units in access exclusive mode;
         update project_rent_roll_units set price = 5 where id = 11; commit",
    )
    .await;
    at_rest(&rig).await;
    running.end().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn promise_04_commands_that_mark_without_end_neither_fail_a_plan_nor_keep_it_from_its_turn() {
    let rig = Rig::delivered().await;
    rig.edit(
        "insert into projects (id, name, is_actived) values (9, 'Nine', true);
         insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id)
         select 1000 + n, 9, n::text, 1 from generate_series(1, 3000) n",
    )
    .await;
    let marking: Vec<_> = (0..2)
        .map(|_| {
            let options = server_of(&rig);
            tokio::spawn(async move {
                let mut conn = options.connect().await.expect("connect");
                loop {
                    // As mark has it, held for a while; the pause is longer, or two that fall into step would leave no gap at all.
                    execute(
                        &mut conn,
                        "begin; update rentsync.planner set marked = marked + 1 where receiver = 'main';
                         select pg_sleep(0.02); commit",
                    )
                    .await;
                    execute(&mut conn, "select pg_sleep(0.08)").await;
                }
            })
        })
        .collect();
    let running = Running::start(rig.relay());
    let held = async || rig.sandbox.property(9).is_some_and(|held| held.units.len() == 3000);
    until("its news", LIMIT, held).await;
    for task in marking {
        task.abort();
    }
    at_rest(&rig).await;
    rig.assert_equal().await;
    assert_eq!(rig.alerts().await, [] as [String; 0], "planning never failed");
    running.end().await;
}
