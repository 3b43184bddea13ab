//! What whoever runs the relay has beside the stages: checks, health, logs, and what a shell and `man` make of the commands.

use clap::CommandFactory;
use rentsync_relay::capture;
use rentsync_relay::cli::Cli;
use rentsync_relay::config::Config;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::http::Running;
use crate::process::{bare, output, refused, relay, said};
use crate::receiver::stub::{Stub, answer, deserted};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

/// Settings under which nothing can be reached.
fn nowhere(arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command
        .env("DATABASE_URL", "postgres://relay@db.invalid/aigent")
        .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]")
        .env("RELAY_RECEIVERS__MAIN__URL", "https://receiver.invalid/");
    command
}

#[tokio::test]
async fn check_says_what_is_wrong_with_the_settings_and_contacts_nobody() {
    refused(
        nowhere(&["check"]),
        0,
        &["the settings are valid, for 1 receiver: main"],
    )
    .await;
    for (variable, value, part) in [
        (
            "DATABASE_URL",
            "mysql://db.invalid/aigent",
            "postgres://user@host/database",
        ),
        (
            "RELAY_RECEIVERS__MAIN__TIMEOUT",
            "soon",
            "RELAY_RECEIVERS__MAIN__TIMEOUT",
        ),
        (
            "RELAY_RECEIVERS__MAIN__TIMEOOT",
            "1s",
            "did you mean receivers.main.timeout?",
        ),
        (
            "RELAY_RECEIVERS__MAIN__AUTH",
            "{ method = 'bearer', token = { env = 'UNSET' } }",
            "UNSET is not set",
        ),
        (
            "RELAY_HTTP__TOKEN",
            "{ file = '/no/such/token' }",
            "file /no/such/token can't be read",
        ),
        ("RELAY_HTTP__LISTEN", "0.0.0.0:9464", "http.token"),
        ("RELAY_HTTP__LISTEN", "9464", "must be an IP address and a port"),
    ] {
        let mut check = nowhere(&["check"]);
        check.env(variable, value);
        refused(check, 2, &[part]).await;
    }
    // As `run` says it, where it gets there at all; and all of it at once.
    let nothing = output(bare(&["check"])).await;
    let nothing = said(&nothing);
    for part in [
        "database.url is not set",
        "available_status_ids is not set",
        "no receiver is configured",
    ] {
        assert!(nothing.contains(part), "{nothing}");
    }
}

fn health(listen: &str) -> Command {
    let mut health = bare(&["health"]);
    // A proxy has no business with it.
    health
        .env("RELAY_HTTP__LISTEN", listen)
        .env("HTTP_PROXY", "http://proxy.invalid/");
    health
}

#[tokio::test]
async fn health_is_what_the_relay_that_runs_says_of_itself() {
    let rig = Rig::new().await;
    let running = Running::of(&rig).await;
    let listen = running.base.strip_prefix("http://").expect("where").to_owned();
    running.until_ready_is(200).await;
    refused(health(&listen), 0, &["ready"]).await;
    running.stop().await;
    refused(health(&listen), 3, &["no relay answers at", &listen]).await;
}

#[tokio::test]
async fn health_is_bad_where_the_relay_is_not_ready_or_something_else_answers() {
    let not_ready = Stub::answering(|_, _| {
        answer(
            503,
            &[],
            "receiver main: planning stands still\nreceiver b: so does this\n",
        )
    })
    .await;
    let listen = |stub: &Stub| stub.url.split('/').nth(2).expect("where").to_owned();
    let both = "not ready: receiver main: planning stands still; receiver b: so does this";
    refused(health(&listen(&not_ready)), 1, &[both]).await;
    assert_eq!(not_ready.received()[0].path, "/readyz");
    let other = Stub::answering(|_, _| answer(200, &[], "<html>welcome")).await;
    refused(health(&listen(&other)), 3, &["something else"]).await;
    refused(health(&deserted().await), 3, &["no relay answers"]).await;
    refused(health("none"), 2, &["http.listen is none"]).await;
    // Somebody who accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    refused(
        health(&silent.local_addr().unwrap().to_string()),
        3,
        &["nothing came within"],
    )
    .await;
}

/// Every line is an event.
fn events(text: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(text);
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let events: Vec<_> = text.lines().map(event).collect();
    for event in &events {
        for key in ["timestamp", "level", "message"] {
            assert!(event[key].is_string(), "{key}: {event}");
        }
    }
    events
}

#[tokio::test]
async fn logs_are_json_where_that_is_asked_for_errors_included() {
    let rig = Rig::new().await;
    rig.faults(serde_json::json!({ "status": 401 }));
    let ended = output(relay(&rig, &["once", "--log-format", "json"])).await;
    assert_eq!(ended.status.code(), Some(1));
    let said = events(&ended.stderr);
    assert!(said.len() > 1, "{said:?}");
    let last = said.last().expect("an error");
    assert_eq!(last["level"], "ERROR");
    assert!(
        last["message"].as_str().expect("a text").contains("undelivered"),
        "{last}"
    );
    let mut in_the_environment = nowhere(&["status"]);
    in_the_environment
        .env("RELAY_LOG_FORMAT", "json")
        .env("RELAY_LOG", "off");
    let ended = output(in_the_environment).await;
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(events(&ended.stderr).len(), 1);
    let mut unknown = nowhere(&["status"]);
    unknown.env("RELAY_LOG_FORMAT", "xml");
    refused(unknown, 2, &["[possible values: text, json]"]).await;
}

#[tokio::test]
async fn shells_and_man_know_every_command() {
    let commands = Cli::command();
    let names: Vec<&str> = commands.get_subcommands().map(|command| command.get_name()).collect();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = output(bare(&["completions", shell])).await;
        assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
        let script = String::from_utf8(output.stdout).expect("text");
        for name in &names {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    refused(bare(&["completions", "tcsh"]), 2, &["invalid value 'tcsh'", "bash"]).await;
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    refused(
        bare(&["man", pages.to_str().unwrap()]),
        0,
        &["the manual's pages are in"],
    )
    .await;
    for name in names {
        let page = std::fs::read_to_string(pages.join(format!("rentsync-relay-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    let file = directory.path().join("a file");
    std::fs::write(&file, "").unwrap();
    refused(bare(&["man", file.to_str().unwrap()]), 2, &["can't be written to"]).await;
}

/// Runs a script as psql does, a statement after the other.
async fn run_as_script(database: &TestDatabase, script: &str) {
    let mut conn = database.connect().await;
    execute(&mut conn, script).await;
}

#[tokio::test]
async fn what_print_shows_makes_what_install_makes_and_printing_makes_nothing() {
    let print = async |database: &TestDatabase, arguments: &[&str]| {
        let mut command = bare(&[&["install", "--print"], arguments].concat());
        command.env("DATABASE_URL", database.url());
        let output = output(command).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let shape = async |database: &TestDatabase| capture::shape(&mut database.connect().await).await.expect("shape");
    let bare_one = TestDatabase::bare().await;
    let script = print(&bare_one, &[]).await;
    let schemas = "select count(*) from pg_namespace where nspname = 'rentsync'";
    assert_eq!(bare_one.number(schemas).await, 0);
    // Every step says what it locks, and the source is locked by none but the last.
    let steps: Vec<&str> = script.split("\n-- ==== ").skip(1).collect();
    assert!(steps.len() > newest_migrations(), "{script}");
    assert!(
        steps
            .iter()
            .all(|step| step.lines().nth(1).is_some_and(|line| line.starts_with("-- Locks "))),
        "{script}"
    );
    let locking: Vec<usize> = (0..steps.len())
        .filter(|step| steps[*step].contains("on both source tables"))
        .collect();
    assert!(
        locking.len() == 1 && steps[locking[0]].contains("\ncommit;"),
        "{locking:?}"
    );

    run_as_script(&bare_one, &script).await;
    let installed = TestDatabase::installed().await;
    assert!(
        shape(&bare_one).await == shape(&installed).await,
        "the script makes another schema"
    );
    let triggers = "select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid where p.pronamespace = 'rentsync'::regnamespace";
    assert_eq!(bare_one.number(triggers).await, installed.number(triggers).await);
    // The library finds its migrations as it would have noted them.
    capture::install(&bare_one.database, &Config::default().source)
        .await
        .expect("install upon it");
    assert!(
        shape(&bare_one).await == shape(&installed).await,
        "the script makes another schema"
    );

    // What stands is not made again.
    let again = print(&installed, &["--grant-to", "nobody_yet"]).await;
    assert!(
        !again.contains("Migration 1,") && again.contains("of migration "),
        "{again}"
    );
    run_as_script(&installed, &again).await;
    assert!(
        shape(&bare_one).await == shape(&installed).await,
        "the script makes another schema"
    );
}

fn newest_migrations() -> usize {
    std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .expect("migrations")
        .count()
        - 1
}

#[tokio::test]
async fn where_no_database_can_be_asked_no_script_is_made_up() {
    let mut print = bare(&["install", "--print"]);
    print.env("DATABASE_URL", "postgres://owner@127.0.0.1:1/aigent");
    refused(print, 3, &["could not be reached"]).await;
    let empty = TestDatabase::blank().await;
    let mut print = bare(&["install", "--print"]);
    print.env("DATABASE_URL", empty.url());
    refused(print, 2, &["table projects does not exist"]).await;
}
