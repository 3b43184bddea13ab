//! A database that can't be worked on: one sentence, with what to do, the same from every command.

use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::{run, says};
use crate::process::{LIMIT, at_rest, ended, relay, signal};
use crate::support::backup::{Backup, programs};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

/// Everything that writes.
const WRITING: [&[&str]; 14] = [
    &["once"],
    &["run"],
    &["snapshot"],
    &["snapshot", "--no-wait"],
    &["replay", "--since", "1h"],
    &["feeds", "pause", "1"],
    &["feeds", "enable", "1"],
    &["receivers", "pause", "main"],
    &["receivers", "resync", "main"],
    &["refused", "retry", "--all"],
    &["holds", "approve", "--all"],
    &["alerts", "ack", "--all"],
    &["prune"],
    &["install"],
];
const READING: [&[&str]; 5] = [
    &["status"],
    &["feeds", "list"],
    &["syncs", "list"],
    &["verify"],
    &["explain", "11"],
];

/// Each ends with this code, and with one sentence that says this.
async fn all_say(rig: &Rig, url: &str, commands: &[&[&str]], code: i32, parts: &[&str]) {
    for arguments in commands {
        let mut command = relay(rig, arguments);
        command.env("DATABASE_URL", url);
        let (ended_with, out, err) = run(command).await;
        let context = format!("{arguments:?}: {out}{err}");
        assert_eq!(ended_with, Some(code), "{context}");
        let errors: Vec<_> = err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{context}");
        says(
            errors[0],
            parts,
            &["at line", "error returned from database", "cannot execute", "panicked"],
        );
    }
}

async fn doctor_says(rig: &Rig, url: &str, parts: &[&str]) {
    let mut doctor = relay(rig, &["doctor"]);
    doctor.env("DATABASE_URL", url);
    let (code, out, err) = run(doctor).await;
    assert_eq!(code, Some(1), "{out}{err}");
    says(&out, parts, &[]);
}

async fn name_of(rig: &Rig) -> String {
    sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .expect("a name")
}

#[tokio::test]
async fn promise_21_a_read_only_database_is_one_sentence() {
    let rig = Rig::delivered().await;
    let name = name_of(&rig).await;
    rig.edit(&format!("alter database {name} set default_transaction_read_only = on"))
        .await;
    let url = rig.source.url();
    let parts = [
        "takes no writes",
        "default_transaction_read_only",
        "set default_transaction_read_only = off",
    ];
    all_say(&rig, &url, &WRITING, 2, &parts).await;
    for arguments in READING {
        let (code, out, err) = run(relay(&rig, arguments)).await;
        assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
    }
    doctor_says(&rig, &url, &["default_transaction_read_only is on", "alter role"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_21_a_standby_is_one_sentence() {
    let cluster = LocalPostgres::start(Durability::InMemory).unwrap();
    let directory = cluster.directory().to_owned();
    let (options, url) = (cluster.options("rent_roll"), cluster.url("rent_roll"));
    let server = Server::Private(cluster);
    server.create_database("rent_roll", None).await.unwrap();
    let source = TestDatabase::elsewhere("rent_roll", options, url.clone());
    source.execute(rentsync_relay::demo::portfolio::SCHEMA).await;
    capture::install(&source.database, &Config::default().source)
        .await
        .unwrap();
    let rig = Rig::on(source).await;
    rig.settle().await;
    let Some(bin) = programs(&mut rig.source.connect().await, &["pg_basebackup", "postgres"]).await else {
        return println!("skipped: no pg_basebackup beside the server");
    };
    let standby = Backup::standby(&directory, &bin);
    standby.start();
    let url = url.replace(":5432/", "-restored:5432/");
    let began = Instant::now();
    loop {
        let mut status = relay(&rig, &["status"]);
        status.env("DATABASE_URL", &url);
        let (code, out, err) = run(status).await;
        if code == Some(0) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "{out}{err}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all_say(&rig, &url, &WRITING, 2, &["standby", "primary", "DATABASE_URL"]).await;
    doctor_says(&rig, &url, &["a standby", "primary"]).await;
}

#[tokio::test]
async fn promise_21_a_missing_grant_names_the_statement() {
    let rig = Rig::delivered().await;
    let role = format!("{}_poor", name_of(&rig).await);
    rig.edit(&format!("create role {role} login")).await;
    let url = rig.source.url();
    let host = url
        .split_once("://")
        .map(|(_, rest)| rest.split_once('@').map_or(rest, |(_, host)| host));
    let poor = format!("postgres://{role}@{}", host.expect("a URL"));
    let reading: Vec<&[&str]> = [&READING[..], &WRITING[..13]].concat();
    all_say(
        &rig,
        &poor,
        &reading,
        2,
        &[
            "permission denied for schema rentsync",
            "grant usage on schema rentsync",
            "doctor",
        ],
    )
    .await;
    doctor_says(
        &rig,
        &poor,
        &["lacks usage on schema rentsync", &format!("install --grant-to {role}")],
    )
    .await;
    rig.edit(&format!(
        "grant usage on schema rentsync to {role}; grant select on rentsync.migration to {role}"
    ))
    .await;
    all_say(
        &rig,
        &poor,
        &[&["status"]],
        2,
        &["permission denied for view", "doctor` lists what is missing"],
    )
    .await;
    doctor_says(&rig, &poor, &["select", &format!("install --grant-to {role}")]).await;
    rig.edit(&format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn promise_21_a_database_without_the_schema_says_install() {
    let mut rig = Rig::delivered().await;
    rig.source = TestDatabase::bare().await;
    let commands: Vec<&[&str]> = [&READING[..], &WRITING[..13]].concat();
    let url = rig.source.url();
    all_say(&rig, &url, &commands, 2, &["not installed", "rentsync-relay install"]).await;
    doctor_says(&rig, &url, &["not installed", "rentsync-relay install"]).await;
}

/// Lines of standard error until one has all of these in it.
async fn until_it_says(child: &mut Child, parts: &[&str]) -> Vec<String> {
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut seen = Vec::new();
    let looking = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            seen.push(line);
            let line = &seen[seen.len() - 1];
            if parts.iter().all(|part| line.contains(part)) {
                return;
            }
        }
    };
    let found = tokio::time::timeout(LIMIT, looking).await;
    assert!(found.is_ok(), "{parts:?} in {seen:#?}");
    child.stderr = Some(lines.into_inner().into_inner());
    seen
}

#[tokio::test]
async fn promise_21_a_running_relay_says_that_its_schema_is_gone_or_read_only() {
    let rig = Rig::new().await;
    let mut child = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    let name = name_of(&rig).await;
    let others = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
    rig.edit(&format!(
        "alter database {name} set default_transaction_read_only = on; {others}"
    ))
    .await;
    until_it_says(&mut child, &["takes no writes", "default_transaction_read_only"]).await;
    let mut conn = rig.source.connect().await;
    execute(&mut conn, "set default_transaction_read_only = off").await;
    let reset = format!("alter database {name} reset default_transaction_read_only; {others}");
    execute(&mut conn, &reset).await;
    until_it_says(&mut child, &["planning works again"]).await;
    rig.edit("drop schema rentsync cascade").await;
    let lines = until_it_says(&mut child, &["schema rentsync", "rentsync-relay install"]).await;
    for line in lines {
        says(&line, &[], &["at line", "error returned from database"]);
    }
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_25_a_server_that_stops_at_once_is_said_in_context() {
    let cluster = LocalPostgres::start(Durability::InMemory).unwrap();
    let (options, url) = (cluster.options("rent_roll"), cluster.url("rent_roll"));
    let server = Server::Private(cluster);
    server.create_database("rent_roll", None).await.unwrap();
    let source = TestDatabase::elsewhere("rent_roll", options, url);
    source.execute(rentsync_relay::demo::portfolio::SCHEMA).await;
    capture::install(&source.database, &Config::default().source)
        .await
        .unwrap();
    let rig = Rig::on(source).await;
    let mut child = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    // The private server is stopped at once.
    drop(server);
    let lines = until_it_says(&mut child, &["planning stopped", "database"]).await;
    for line in lines {
        says(
            &line,
            &[],
            &[
                "immediate shutdown command\"",
                "WARN terminating",
                "slow threshold",
                "os error",
            ],
        );
    }
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
}

#[tokio::test]
async fn promise_25_a_pool_that_is_busy_warns_of_nothing() {
    let rig = Rig::empty().await;
    let pool = rig.source.database.pool(sqlx::postgres::PgPoolOptions::new());
    assert!(pool.options().get_acquire_slow_threshold() > pool.options().get_acquire_timeout());
}
