//! Private clusters: that they run, and that nothing of them is left however their owner ends.
//!
//! What ends an owner is tried on another process: this test binary again, running only
//! [`owner`], which an environment variable says what to do.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Server};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sqlx::{ConnectOptions, Connection, PgConnection};

const ROLE: &str = "RENTSYNC_TEST_OWNER";
const READY: &str = "owner is ready";
const IN_MEMORY: &str = "/dev/shm";
/// Where a cluster may be.
const PLACES: [&str; 3] = [IN_MEMORY, "/tmp", "/var/tmp"];

#[tokio::test]
async fn a_private_server_answers_and_goes_when_dropped() {
    let server = LocalPostgres::start(Durability::Off).unwrap();
    let directory = server.directory().to_owned();
    assert!(is_running(&directory.to_string_lossy()));

    let mut connection = server.options("postgres").connect().await.unwrap();
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
    assert_eq!(one, 1);
    drop(server);

    assert!(!directory.exists());
    assert!(!is_running(&directory.to_string_lossy()));
}

#[tokio::test]
async fn settings_are_the_modules_then_the_durabilitys_then_the_callers() {
    let durable = LocalPostgres::start(Durability::Full).unwrap();
    let durable_beside = LocalPostgres::start_with(Durability::InMemory, &[("fsync", "on")]).unwrap();

    assert_eq!(setting(&durable, "fsync").await, "on");
    assert_eq!(setting(&durable, "max_connections").await, "200");
    assert_eq!(setting(&durable, "listen_addresses").await, "");
    assert_eq!(setting(&durable_beside, "fsync").await, "on");
    assert_eq!(setting(&durable_beside, "full_page_writes").await, "off");
    for durability in [Durability::Off, Durability::InMemory] {
        let fast = LocalPostgres::start_with(durability, &[("max_connections", "30")]).unwrap();
        assert_eq!(setting(&fast, "fsync").await, "off");
        assert_eq!(setting(&fast, "max_connections").await, "30");
        assert_eq!(setting(&fast, "max_prepared_transactions").await, "20");
    }
}

#[test]
fn what_is_not_to_be_in_memory_is_on_disk() {
    for durability in [Durability::Full, Durability::Off] {
        let server = LocalPostgres::start(durability).unwrap();
        assert!(!server.directory().starts_with(IN_MEMORY), "{durability:?}");
    }
}

#[tokio::test]
async fn databases_are_created_from_templates_and_dropped_under_their_users() {
    let server = Server::Private(LocalPostgres::start(Durability::Off).unwrap());
    assert!(server.is_private());
    server.create_database("a template", None).await.unwrap();
    let mut template = connect(&server, "a template").await;
    sqlx::query("create table unit (id int)")
        .execute(&mut template)
        .await
        .unwrap();
    template.close().await.unwrap();

    server
        .create_database("it's \"one\"", Some("a template"))
        .await
        .unwrap();

    let mut copy = connect(&server, "it's \"one\"").await;
    sqlx::query("insert into unit values (1)")
        .execute(&mut copy)
        .await
        .unwrap();
    server.drop_database("it's \"one\"").await.unwrap();
    assert!(copy.ping().await.is_err());
    server.drop_database("it's \"one\"").await.unwrap();
    let again = server.create_database("a template", None).await.unwrap_err();
    assert!(format!("{again:#}").contains("already exists"), "{again:#}");
}

#[tokio::test]
async fn a_server_named_by_url_serves_as_a_private_one_does() {
    let private = LocalPostgres::start(Durability::Off).unwrap();
    let given = Server::given(&private.url("postgres")).unwrap();
    assert!(!given.is_private());

    given.create_database("scratch", None).await.unwrap();

    let mut by_options = given.options("scratch").connect().await.unwrap();
    let mut by_url = connect(&given, "scratch").await;
    for connection in [&mut by_options, &mut by_url] {
        let name: String = sqlx::query_scalar("select current_database()::text")
            .fetch_one(connection)
            .await
            .unwrap();
        assert_eq!(name, "scratch");
    }
    given.drop_database("scratch").await.unwrap();
}

#[test]
fn a_given_url_keeps_all_but_its_database() {
    let cases = [
        ("postgres://me@db/old", "postgres://me@db/new"),
        ("postgres://me:p%40ss@db:5433", "postgres://me:p%40ss@db:5433/new"),
        (
            "postgresql://me@db/old?sslmode=require&application_name=x",
            "postgresql://me@db/new?sslmode=require&application_name=x",
        ),
        ("postgres:///old?host=/tmp&user=me", "postgres:///new?host=/tmp&user=me"),
        (
            "postgres://me@db/?dbname=old&port=5433",
            "postgres://me@db/new?port=5433",
        ),
        ("postgres://me@%2Ftmp%2Fx:5432/old", "postgres://me@%2Ftmp%2Fx:5432/new"),
    ];
    for (given, expected) in cases {
        assert_eq!(Server::given(given).unwrap().url("new"), expected, "{given}");
    }
    let odd = Server::given("postgres://me@db/old").unwrap().url("a/b?c é");
    assert_eq!(odd, "postgres://me@db/a%2Fb%3Fc%20%C3%A9");
}

#[test]
fn a_url_without_a_user_gets_one() {
    for url in [
        "postgres://db/old",
        "postgres://:pass@db/old",
        "postgres:///old?host=/tmp",
    ] {
        let server = Server::given(url).unwrap();

        assert_ne!(server.options("new").get_username(), "anonymous", "{url}");
        assert!(server.url("new").contains("user="), "{url}");
    }
}

#[test]
fn what_is_not_a_postgres_url_is_refused() {
    for url in ["mysql://me@db/old", "db", "postgres://me@db:port/old"] {
        assert!(Server::given(url).is_err(), "{url}");
    }
}

#[test]
fn a_killed_owner_leaves_nothing() {
    let mut owner = Owner::start("park");
    owner.wait_until_ready();
    assert!(!owner.directories().is_empty());

    kill_process(owner.pid(), Signal::KILL).unwrap();

    owner.expect_nothing_left();
}

#[test]
fn an_owner_killed_at_any_time_of_the_start_leaves_nothing() {
    for milestone in [
        "",
        "log",
        "data/PG_VERSION",
        "data/global/pg_control",
        "data/postmaster.pid",
    ] {
        let mut owner = Owner::start("park");
        owner.wait_until_made(milestone);

        kill_process(owner.pid(), Signal::KILL).unwrap();

        owner.expect_nothing_left();
    }
}

#[test]
fn ctrl_c_leaves_nothing() {
    let mut owner = Owner::start("park");
    owner.wait_until_ready();

    kill_process_group(owner.pid(), Signal::INT).unwrap();

    owner.expect_nothing_left();
}

#[test]
fn an_owner_that_exits_with_its_server_in_a_static_leaves_nothing() {
    Owner::start("exit").expect_nothing_left();
}

#[test]
fn an_owner_that_panics_leaves_nothing() {
    Owner::start("panic").expect_nothing_left();
}

#[test]
fn a_start_that_fails_has_left_nothing_when_it_returns() {
    let mut owner = Owner::start("fail");

    owner.wait_until_ready();

    owner.expect_nothing_left();
}

#[test]
fn other_children_of_the_owner_do_not_keep_its_server_alive() {
    let mut owner = Owner::start("beget");
    owner.wait_until_ready();

    kill_process(owner.pid(), Signal::KILL).unwrap();

    owner.expect_nothing_left();
}

/// The other process's part.
#[test]
#[ignore = "started by the tests above"]
fn owner() {
    static SERVER: OnceLock<LocalPostgres> = OnceLock::new();
    let Ok(role) = env::var(ROLE) else { return };
    if role == "fail" {
        let started = LocalPostgres::start_with(Durability::InMemory, &[("no_such_setting", "1")]);
        let message = format!("{:#}", started.unwrap_err());
        assert!(message.contains("no_such_setting"), "{message}");
        assert_eq!(directories_of(process::id()), Vec::<PathBuf>::new());
        println!("{READY}");
        return;
    }
    let server = LocalPostgres::start(Durability::InMemory).unwrap();
    match role.as_str() {
        "panic" => panic!("as asked"),
        "exit" => {
            SERVER.set(server).unwrap();
            process::exit(0);
        }
        // Lives as long as the test holds the other end of the standard input it inherits.
        "beget" => drop(Command::new("cat").spawn().unwrap()),
        _ => {}
    }
    println!("{READY}");
    loop {
        thread::park();
    }
}

struct Owner {
    process: Child,
    _stdin: ChildStdin,
}

impl Owner {
    fn start(role: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "owner", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let _stdin = process.stdin.take().unwrap();
        Self { process, _stdin }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn directories(&self) -> Vec<PathBuf> {
        directories_of(self.process.id())
    }

    fn wait_until_ready(&mut self) {
        let said = BufReader::new(self.process.stdout.take().unwrap());
        let ready = said.lines().map_while(Result::ok).any(|line| line.ends_with(READY));
        assert!(ready, "the owner ended without being ready");
    }

    fn wait_until_made(&self, file: &str) {
        wait_until(|| self.directories().iter().any(|directory| directory.join(file).exists()));
    }

    fn expect_nothing_left(&mut self) {
        self.process.wait().unwrap();
        wait_until(|| self.directories().is_empty() && !is_running(&prefix(self.process.id())));
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn setting(server: &LocalPostgres, name: &str) -> String {
    let mut connection = server.options("postgres").connect().await.unwrap();
    let setting = sqlx::query_scalar("select current_setting($1)").bind(name);
    setting.fetch_one(&mut connection).await.unwrap()
}

async fn connect(server: &Server, database: &str) -> PgConnection {
    PgConnection::connect(&server.url(database)).await.unwrap()
}

fn prefix(owner: u32) -> String {
    format!("/rentsync-{owner}-")
}

fn directories_of(owner: u32) -> Vec<PathBuf> {
    let entries = PLACES.iter().filter_map(|place| fs::read_dir(place).ok()).flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.to_string_lossy().contains(&prefix(owner)))
        .collect()
}

/// Whether any process was started with a word like this. Without /proc nothing is known.
fn is_running(word: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut words = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    words.any(|words| String::from_utf8_lossy(&words).contains(word))
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never came to that");
        thread::sleep(Duration::from_millis(5));
    }
}
