//! The command itself: what it prints, what it exits with, and what is left when it is stopped or killed.

use std::process::{Output, Stdio};
use std::time::Duration;

use rentsync_relay::inspect::receivers;
use rentsync_sandbox::{Sandbox, SandboxOptions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::Connection;
use tokio::process::{Child, Command};

use crate::support::rig::Rig;

pub const LIMIT: Duration = Duration::from_secs(30);

pub fn relay(rig: &Rig, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command
        .env("DATABASE_URL", rig.source.url())
        .env("RELAY_RECEIVERS__MAIN__URL", rig.receiver.url.as_str())
        .env("RELAY_RECEIVERS__MAIN__TIMEOUT", "2s")
        .env("RELAY_RELAY__POLL_EVERY", "5ms")
        .env("RELAY_RELAY__SWEEP_EVERY", "200ms")
        .env("RELAY_HTTP__LISTEN", "none")
        .env(
            "RELAY_RECEIVERS__MAIN__UNITS_PER_REQUEST_MAX",
            rig.receiver.units_per_request_max.to_string(),
        )
        .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]");
    command
}

/// Nothing of this process's environment but what a command needs to start.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub async fn output(mut command: Command) -> Output {
    tokio::time::timeout(LIMIT, command.output())
        .await
        .expect("it ends")
        .expect("it starts")
}

pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub async fn refused(command: Command, code: i32, parts: &[&str]) {
    let output = output(command).await;
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

pub fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id().expect("it runs")).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("signal");
}

pub async fn ended(mut child: Child) -> Option<i32> {
    tokio::time::timeout(LIMIT, child.wait())
        .await
        .expect("it ends")
        .expect("wait")
        .code()
}

pub async fn at_rest(rig: &Rig) {
    let mut conn = rig.source.connect().await;
    let resting = async {
        while receivers::unsettled(&mut conn, "main").await.expect("status") > 0 || rig.sandbox.syncs().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, resting).await.expect("rest");
}

async fn under_way(rig: &Rig) {
    let leased = async {
        while leases(rig).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, leased).await.expect("a request under way");
}

async fn leases(rig: &Rig) -> i64 {
    rig.source
        .number("select count(*) from rentsync.sync where leased_until is not null")
        .await
}

async fn delivered(rig: &Rig) -> usize {
    rig.states().await.iter().filter(|state| *state == "delivered").count()
}

#[tokio::test]
async fn run_sends_every_edit_until_it_is_stopped() {
    let rig = Rig::new().await;
    let child = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let rig = Rig::new().await;
    let child = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    rig.sandbox.clear_log();
    rig.faults(json!({ "delay_ms": 300 }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    under_way(&rig).await;
    signal(&child, Signal::INT);
    assert_eq!(ended(child).await, Some(0));
    assert_eq!(rig.states().await.last().map(String::as_str), Some("delivered"));
}

#[tokio::test]
async fn a_second_signal_cuts_off_and_gives_back() {
    let rig = Rig::new().await;
    let child = relay(&rig, &["run"])
        .env("RELAY_RECEIVERS__MAIN__TIMEOUT", "60s")
        .spawn()
        .expect("run");
    at_rest(&rig).await;
    rig.faults(json!({ "delay_ms": 60000 }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    under_way(&rig).await;
    signal(&child, Signal::TERM);
    signal(&child, Signal::INT);
    assert_eq!(ended(child).await, Some(0));
    let free = "select count(*) from rentsync.sync where state = 'open' and leased_until is null and attempts = 0";
    assert_eq!(rig.source.number(free).await, 1);
}

#[tokio::test]
async fn what_works_until_it_is_done_stops_as_a_relay_does() {
    for command in [&["once"][..], &["snapshot"], &["replay", "--since", "1h"]] {
        let rig = Rig::delivered().await;
        let begin = async |delay_ms: u32| {
            rig.faults(json!({ "delay_ms": delay_ms }));
            rig.edit("update project_rent_roll_units set price = price + 1 where id = 11")
                .await;
            let child = relay(&rig, command)
                .env("RELAY_RECEIVERS__MAIN__TIMEOUT", "60s")
                .spawn()
                .expect("it starts");
            under_way(&rig).await;
            child
        };
        let child = begin(60_000).await;
        signal(&child, Signal::INT);
        signal(&child, Signal::TERM);
        interrupted(child).await;
        let free = "select count(*) from rentsync.sync where state = 'open' and leased_until is null and attempts = 0";
        assert!(rig.source.number(free).await > 0, "{command:?}");
        assert_eq!(leases(&rig).await, 0, "{command:?}");

        let child = begin(300).await;
        let before = delivered(&rig).await;
        signal(&child, Signal::INT);
        interrupted(child).await;
        assert!(delivered(&rig).await > before, "{command:?}");
        assert_eq!(leases(&rig).await, 0, "{command:?}");
    }
}

#[tokio::test]
async fn whoever_waits_for_a_lock_can_be_stopped() {
    let rig = Rig::delivered().await;
    let receiver = "lock table rentsync.receiver in access exclusive mode";
    let units = "lock table project_rent_roll_units in access exclusive mode";
    // The first lock holds up what comes before any planning, the other the planning itself.
    for (command, lock, signals) in [
        ("once", receiver, &[Signal::INT][..]),
        ("once", units, &[Signal::INT, Signal::TERM]),
        ("run", receiver, &[Signal::TERM]),
    ] {
        let mut blocker = rig.source.connect().await;
        let mut tx = blocker.begin().await.expect("begin");
        sqlx::query(lock).execute(&mut *tx).await.expect("lock");
        let child = relay(&rig, &[command]).spawn().expect("it starts");
        let blocked = "select count(*) from pg_locks where not granted
                         and database = (select oid from pg_database where datname = current_database())";
        let waits = async {
            while rig.source.number(blocked).await == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waits).await.expect("it waits");
        for one in signals {
            signal(&child, *one);
        }
        match command {
            "run" => assert_eq!(ended(child).await, Some(0)),
            _ => interrupted(child).await,
        }
        tx.rollback().await.expect("the lock is gone");
    }
}

async fn interrupted(child: Child) {
    let output = tokio::time::timeout(LIMIT, child.wait_with_output())
        .await
        .expect("it ends")
        .expect("wait");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted") && said.contains("stays owed"), "{said}");
}

#[tokio::test]
async fn a_killed_relay_loses_nothing_and_two_send_nothing_twice() {
    let rig = Rig::new().await;
    let first = relay(&rig, &["run"]).spawn().expect("run");
    let second = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    assert_eq!(rig.requests(), [(1, 3, 0, 200), (2, 3, 0, 200)]);
    for price in 0..20 {
        rig.edit(&format!("update project_rent_roll_units set price = {price}"))
            .await;
        if price == 10 {
            signal(&first, Signal::KILL);
        }
    }
    at_rest(&rig).await;
    rig.assert_equal().await;
    let ids: Vec<_> = rig
        .sandbox
        .syncs()
        .into_iter()
        .map(|sync| (sync.sync_id, sync.repeat))
        .collect();
    let distinct: std::collections::HashSet<_> = ids.iter().map(|(id, _)| id).collect();
    assert_eq!(
        distinct.len() + ids.iter().filter(|(_, repeat)| *repeat).count(),
        ids.len()
    );
    signal(&second, Signal::TERM);
    assert_eq!(ended(second).await, Some(0));
}

#[tokio::test]
async fn of_two_relays_one_is_killed_in_the_middle_of_a_snapshot_and_of_a_replay() {
    let mut rig = Rig::new().await;
    rig.receiver.units_per_request_max = 2;
    let survivor = relay(&rig, &["run"]).spawn().expect("run");
    at_rest(&rig).await;
    for command in [
        &["snapshot", "--no-wait"][..],
        &["replay", "--since", "1h", "--no-wait"],
    ] {
        let victim = relay(&rig, &["run"]).spawn().expect("run");
        // Slow enough to be caught in the act.
        rig.faults(json!({ "delay_ms": 100 }));
        rig.sandbox.clear_log();
        let marked = output(relay(&rig, command)).await;
        assert_eq!(marked.status.code(), Some(0), "{}", said(&marked));
        assert!(
            rig.sandbox
                .wait_until(|sandbox| !sandbox.syncs().is_empty(), LIMIT)
                .await
        );
        signal(&victim, Signal::KILL);
        rig.edit("update project_rent_roll_units set price = price + 1").await;
        at_rest(&rig).await;
        rig.no_faults();
        rig.assert_equal().await;
        let twice = rig.sandbox.syncs().iter().filter(|sync| sync.stale).count();
        assert_eq!(twice, 0, "nothing old arrives late");
    }
    signal(&survivor, Signal::TERM);
    assert_eq!(ended(survivor).await, Some(0));
}

#[tokio::test]
async fn in_one_pass_a_slow_receiver_keeps_no_other_waiting() {
    let rig = Rig::new().await;
    let slow = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .expect("a sandbox");
    slow.set_faults(json!({ "delay_ms": 300 })).expect("faults");
    let mut once = relay(&rig, &["once"]);
    once.env("RELAY_RECEIVERS__A_SLOW_ONE__URL", slow.url())
        .env("RELAY_RECEIVERS__A_SLOW_ONE__CONCURRENCY_MAX", "1");
    let done = output(once).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let last = |sandbox: &Sandbox| sandbox.syncs().iter().map(|sync| sync.received_at).max();
    assert!(slow.syncs().len() > 1);
    assert!(last(&rig.sandbox) < last(&slow), "it comes first by name");
}

#[tokio::test]
async fn once_delivers_what_is_due_and_says_what_it_could_not() {
    let rig = Rig::new().await;
    let done = output(relay(&rig, &["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).starts_with("6 units acknowledged, 2 syncs delivered, 0 tries failed"),
        "{}",
        said(&done)
    );
    rig.assert_equal().await;

    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    rig.faults(json!({ "status": 503 }));
    refused(relay(&rig, &["once"]), 1, &["undelivered"]).await;
    let status = output(relay(&rig, &["status", "--json"])).await;
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert!(
        status[0]["oldest_change"].is_string(),
        "what waits for its next try is late: {status}"
    );
    for status in [503, 401] {
        rig.faults(json!({ "status": status }));
        rig.edit("update project_rent_roll_units set price = price + 1 where id in (11, 21)")
            .await;
        refused(relay(&rig, &["once"]), 1, &["undelivered", "status"]).await;
    }
}

#[tokio::test]
async fn what_listings_print_is_for_people_and_with_json_for_programs() {
    let rig = Rig::new().await;
    for listing in [
        &["status"][..],
        &["feeds", "list"],
        &["syncs", "list"],
        &["receivers", "list"],
    ] {
        let empty = output(relay(&rig, listing)).await;
        assert_eq!(empty.status.code(), Some(0), "{}", said(&empty));
    }
    output(relay(&rig, &["once"])).await;
    let json = async |arguments: &[&str]| -> Value {
        let output = output(relay(&rig, arguments)).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
    };
    let status = json(&["status", "--json"]).await;
    assert_eq!(
        (&status[0]["receiver"], &status[0]["feeds"], &status[0]["units_told"]),
        (&json!("main"), &json!(2), &json!(6))
    );
    assert_eq!(status[0]["feeds_behind"], 0);
    let feeds = json(&["feeds", "list", "--json"]).await;
    assert_eq!(
        (&feeds[0]["property_id"], &feeds[0]["state"], &feeds[0]["units"]),
        (&json!(1), &json!("idle"), &json!(3))
    );
    let syncs = json(&["syncs", "list", "--property", "2", "--json"]).await;
    assert_eq!(syncs.as_array().map(Vec::len), Some(1));
    let sync_id = syncs[0]["id"].as_str().expect("an id").to_owned();
    let shown = json(&["syncs", "show", &sync_id, "--json"]).await;
    assert_eq!(shown[0]["tries"][0]["outcome"], "delivered");
    let body = json(&["syncs", "show", &sync_id, "--body"]).await;
    assert_eq!(body["sync_metadata"]["sync_id"], json!(sync_id));
    let table = output(relay(&rig, &["syncs", "show", &sync_id])).await;
    assert!(said(&table).contains("delivered"), "{}", said(&table));
}

#[tokio::test]
async fn feeds_and_receivers_obey_their_commands() {
    let rig = Rig::new().await;
    output(relay(&rig, &["once"])).await;
    let ok = async |arguments: &[&str]| {
        let output = output(relay(&rig, arguments)).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    };
    ok(&["feeds", "disable", "1"]).await;
    ok(&["once"]).await;
    assert_eq!(rig.sandbox.property(1).expect("received").units.len(), 0);
    ok(&["feeds", "enable", "1"]).await;
    ok(&["feeds", "pause", "2"]).await;
    rig.edit("update project_rent_roll_units set price = 77").await;
    ok(&["once"]).await;
    assert_eq!(rig.sandbox.property(1).expect("received").units.len(), 3);
    assert_ne!(
        rig.sandbox.property(2).expect("received").units[&21]["base_rent"],
        json!(77.0)
    );
    ok(&["feeds", "resume", "2"]).await;
    ok(&["once"]).await;
    rig.assert_equal().await;

    ok(&["feeds", "pause", "1"]).await;
    ok(&["feeds", "pause", "2"]).await;
    rig.edit("update project_rent_roll_units set price = 76").await;
    let resumed = said(&output(relay(&rig, &["feeds", "resume", "--all"])).await);
    assert!(resumed.contains("2 properties of main resumed"), "{resumed}");
    ok(&["once"]).await;
    rig.assert_equal().await;
    refused(relay(&rig, &["feeds", "resume"]), 2, &["required"]).await;

    ok(&["receivers", "pause", "main"]).await;
    rig.edit("update project_rent_roll_units set price = 78").await;
    let requests = rig.requests().len();
    refused(relay(&rig, &["once"]), 1, &["undelivered"]).await;
    assert_eq!(rig.requests().len(), requests);
    ok(&["receivers", "resume", "main"]).await;
    ok(&["once"]).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn another_address_is_said_until_somebody_says_that_everything_is_to_be_sent_there() {
    let mut rig = Rig::delivered().await;
    let other =
        rentsync_sandbox::Sandbox::start(([127, 0, 0, 1], 0).into(), rentsync_sandbox::SandboxOptions::default())
            .await
            .expect("sandbox");
    rig.receiver.url = other.url().parse().expect("URL");
    let open = "select message from rentsync.alert where kind = 'address' and acked_at is null";
    for _ in 0..2 {
        output(relay(&rig, &["once"])).await;
        let said = rig.source.texts(open).await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("receivers resync main"), "{said:?}");
    }
    assert_eq!(other.syncs().len(), 0, "it may be the same one elsewhere");
    output(relay(&rig, &["receivers", "resync", "main"])).await;
    assert_eq!(rig.source.texts(open).await, [] as [String; 0]);
    output(relay(&rig, &["once"])).await;
    rig.sandbox = other;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_listed_receiver_is_sent_only_the_properties_that_were_enabled() {
    let rig = Rig::new().await;
    let listed = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__MAIN__ENROLL", "listed");
        command
    };
    output(listed(&["once"])).await;
    assert_eq!(rig.requests(), []);
    output(listed(&["feeds", "enable", "2"])).await;
    let done = output(listed(&["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(rig.requests(), [(2, 3, 0, 200)]);
}

#[tokio::test]
async fn bad_input_gets_one_clear_sentence_and_the_right_exit_code() {
    let rig = Rig::new().await;
    let with = |arguments: &[&str], name: &str, value: &str| {
        let mut command = relay(&rig, arguments);
        command.env(name, value);
        command
    };
    refused(relay(&rig, &["frobnicate"]), 2, &["frobnicate"]).await;
    refused(relay(&rig, &["once", "--frobnicate"]), 2, &["--frobnicate"]).await;
    refused(relay(&rig, &["feeds", "enable", "one"]), 2, &["one"]).await;
    refused(
        relay(&rig, &["feeds", "enable", "999"]),
        2,
        &["999", "no such property"],
    )
    .await;
    refused(relay(&rig, &["feeds", "disable", "999"]), 2, &["999", "feeds list"]).await;
    refused(relay(&rig, &["receivers", "resume", "nobody"]), 2, &["nobody"]).await;
    refused(relay(&rig, &["syncs", "show", "sync-x"]), 2, &["sync-x"]).await;
    refused(relay(&rig, &["status", "--receiver", "nope"]), 2, &["nope"]).await;
    refused(
        relay(&rig, &["run", "--config", "not-there.toml"]),
        2,
        &["not-there.toml"],
    )
    .await;
    refused(
        with(&["once"], "RELAY_RECEIVERS__MAIN__TIMOUT", "1s"),
        2,
        &["timout", "timeout"],
    )
    .await;
    refused(
        with(&["once"], "RELAY_RECEIVERS__MAIN__TIMEOUT", "soon"),
        2,
        &["timeout", "soon"],
    )
    .await;
    let unreachable = "postgres://nobody@127.0.0.1:1/none";
    refused(
        with(&["once"], "DATABASE_URL", unreachable),
        3,
        &["127.0.0.1:1", "could not be reached"],
    )
    .await;
    refused(with(&["once"], "DATABASE_URL", "mysql://x"), 2, &["postgres"]).await;
    refused(bare(&["run"]), 2, &["receiver"]).await;
    let mut no_status = relay(&rig, &["run"]);
    no_status.env_remove("RELAY_SOURCE__AVAILABLE_STATUS_IDS");
    refused(no_status, 2, &["available_status_ids", "The source has"]).await;
}

#[tokio::test]
async fn a_database_without_the_relay_says_how_to_install_it() {
    let mut rig = Rig::new().await;
    rig.source = crate::support::TestDatabase::bare().await;
    refused(relay(&rig, &["status"]), 2, &["not installed", "install"]).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let done = output(relay(&rig, &["status"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let done = output(relay(&rig, &["uninstall", "--purge", "--yes"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}

#[tokio::test]
async fn run_needs_no_more_rights_than_it_says() {
    let rig = Rig::new().await;
    let role = format!("relay_{}", rig.source.number("select (random() * 1e9)::bigint").await);
    rig.edit(&format!("create role {role} login")).await;
    let done = output(relay(&rig, &["install", "--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!("revoke select on projects from {role}")).await;
    let url = rig.source.url().replacen("postgres@", &format!("{role}@"), 1);
    let once = || {
        let mut command = relay(&rig, &["once"]);
        command.env("DATABASE_URL", &url);
        command
    };
    refused(once(), 2, &["permission denied", "projects"]).await;
    rig.edit(&format!("grant select on projects to {role}")).await;
    let done = output(once()).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;
    let mut install = relay(&rig, &["install"]);
    install.env("DATABASE_URL", &url);
    refused(install, 2, &["belongs to", &role]).await;
    rig.edit(&format!("drop owned by {role}; drop role {role}")).await;
}

#[cfg(unix)]
#[tokio::test]
async fn promise_08_a_relay_toml_that_another_may_have_written_is_obeyed_only_where_it_is_named() {
    use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};

    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("relay.toml");
    let status = |arguments: &[&str]| {
        let mut command = bare(&[&["status"], arguments].concat());
        command.current_dir(directory.path());
        command
    };
    // Obeyed, it is wrong.
    let obeyed = "unknown key nothing";
    let allow = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("a mode");
    std::fs::write(&file, "nothing = 1").expect("a file");
    allow(0o644);
    refused(status(&[]), 2, &[obeyed]).await;
    let is_not = [
        "relay.toml in the current directory",
        "so it is not obeyed: name it with --config",
    ];
    allow(0o646);
    refused(status(&[]), 2, &[is_not[0], "may be written by others", is_not[1]]).await;
    refused(status(&["--config", "relay.toml"]), 2, &[obeyed]).await;
    let mut by_variable = status(&[]);
    by_variable.env("RELAY_CONFIG", "relay.toml");
    refused(by_variable, 2, &[obeyed]).await;
    allow(0o600);
    // Only root can give a file away.
    if chown(&file, Some(65_534), None).is_ok() {
        refused(status(&[]), 2, &[is_not[0], "belongs to another user", is_not[1]]).await;
        chown(&file, Some(0), None).expect("root's");
        let link = directory.path().join("elsewhere.toml");
        std::fs::rename(&file, &link).expect("a move");
        symlink(&link, &file).expect("a link");
        refused(status(&[]), 2, &[obeyed]).await;
        lchown(&file, Some(65_534), None).expect("another's link");
        refused(status(&[]), 2, &["belongs to another user"]).await;
    }
    std::fs::remove_file(&file).expect("none left");
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.expect("mkfifo").success());
    refused(status(&[]), 2, &[is_not[0], "is no regular file", is_not[1]]).await;
}
