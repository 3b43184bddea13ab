//! What the command says and writes, and how it ends.

use std::time::Duration;

use rentsync_sandbox::{Sandbox, SandboxAuth, SandboxOptions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::FIRST;
use super::naive::naive;
use crate::process::{LIMIT, bare, output, said};

const SECRET: &str = "s3cr3t-of-the-staging-endpoint";

/// What differs from run to run, put in one form.
fn steady(text: &str) -> String {
    let patterns = [
        (r"http://127\.0\.0\.1:[0-9]+", "http://HOST"),
        (r"sync-[0-9]{4}(-[0-9]{2}){5}-[0-9a-f]{32}", "SYNC-ID"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(\.[0-9]+)?Z", "TIME"),
        (r#""sequence":[0-9]+"#, "\"sequence\":NUMBER"),
        (r"[0-9.]+ ms", "N ms"),
        (r"(at once) \| [0-9]+ \|", "$1 | N |"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *with)
            .into_owned()
    })
}

#[tokio::test]
async fn the_report_on_a_naive_receiver_reads_well_to_somebody_who_never_saw_this() {
    let (stub, _held) = naive().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.md");
    let mut command = bare(&[
        "certify",
        "--url",
        &stub.url,
        "--yes",
        "127.0.0.1",
        "--report",
        file.to_str().unwrap(),
    ]);
    command.env("RELAY_CERTIFY__READ_BACK", "/units/{project_id}");
    let ended = output(command).await;
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("does not keep what the copy depends on: unreadable, applied_once, older_sequence"));
    let written = steady(&std::fs::read_to_string(&file).unwrap());
    let (written, exchanges) = written.split_once("## Requests and answers").unwrap();
    for part in [
        "a body that says nothing: {} (`unreadable`)",
        "the first delta again, the same bytes under the same sync ID (`same_answer`, `applied_once`)",
        "\"removed_units\":[{\"unit_id\":2147480060,\"unit_code\":\"TEST-1\",\"reason\":\"deleted\"}]",
        "HTTP 200, after N ms\n{\"ok\":true}\n````",
        "HTTP 500, after N ms\nInternal Server Error",
    ] {
        assert!(exchanges.contains(part), "{part} in {exchanges}");
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/certify_naive.md");
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write(golden, written).unwrap();
    }
    assert_eq!(
        written,
        std::fs::read_to_string(golden).unwrap(),
        "GOLDEN=1 writes it anew"
    );
}

async fn sandbox(faults: Value) -> Sandbox {
    let auth = SandboxAuth::Header {
        name: "X-API-Key".to_owned(),
        value: SECRET.to_owned(),
    };
    let options = SandboxOptions {
        lenient: true,
        auth,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    sandbox.set_faults(faults).unwrap();
    sandbox
}

fn with_key(sandbox: &Sandbox, beside: &[&str]) -> tokio::process::Command {
    let url = sandbox.url();
    let mut command = bare(&["certify", "--url", &url, "--yes", "127.0.0.1"]);
    command
        .args(beside)
        .env("RELAY_RECEIVERS__PARTNER__URL", "https://partner.example/")
        .env(
            "RELAY_RECEIVERS__PARTNER__AUTH",
            "{ method = 'api_key', key = { env = 'KEY' } }",
        )
        .env("RELAY_CERTIFY__PROPERTY_ID", FIRST.to_string())
        .env("RELAY_CERTIFY__READ_BACK", "/v1/rent-roll/properties/{project_id}")
        .env("KEY", SECRET);
    command
}

#[tokio::test]
async fn a_right_endpoint_ends_in_zero_and_no_secret_is_in_what_is_said_or_written() {
    // It quotes what it was sent.
    let sandbox = sandbox(json!({ "headers": { "x-quoted": SECRET } })).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.json");
    let ended = output(with_key(&sandbox, &["--json", "--report", file.to_str().unwrap()])).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    let written = std::fs::read_to_string(&file).unwrap();
    let report: Value = serde_json::from_str(&written).unwrap();
    let printed: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report, printed);
    assert_eq!(report["rules"].as_array().unwrap().len(), 21);
    assert_eq!(report["receiver"], "partner");
    let delta = report["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["rule"] == "delta")
        .unwrap();
    assert_eq!(delta["verdict"], "kept");
    let first = delta["exchanges"][0].as_u64().unwrap() as usize;
    assert!(
        report["exchanges"][first]["body"]
            .as_str()
            .unwrap()
            .contains("Certification test")
    );
    assert!(!written.contains(SECRET) && !said(&ended).contains(SECRET));
}

#[tokio::test]
async fn what_was_sent_is_taken_back_after_an_interruption() {
    let sandbox = sandbox(json!({ "delay_ms": 20 })).await;
    let child = with_key(&sandbox, &[]).spawn().unwrap();
    let pid = Pid::from_raw(child.id().unwrap() as i32).unwrap();
    let begun = sandbox.wait_until(
        |it| {
            it.properties()
                .iter()
                .any(|id| !it.property(*id).unwrap().units.is_empty())
        },
        LIMIT,
    );
    assert!(begun.await);
    kill_process(pid, Signal::INT).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(
        said(&ended).contains("interrupted: not everything was asked"),
        "{}",
        said(&ended)
    );
    for property in sandbox.properties() {
        assert_eq!(sandbox.property(property).unwrap().units.len(), 0, "{property}");
    }
}
