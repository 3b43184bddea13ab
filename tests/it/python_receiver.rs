//! The reference receiver under `examples/receiver`: it keeps the contract, and both sides become equal with it.
//!
//! Where there is no `python3` these say so in a line and claim nothing.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use rentsync_relay::certify::{Rule, Verdict};
use rentsync_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certify::{READ_BACK, of, receiver, run};
use crate::convergence::{assert_at_rest, converge};
use crate::receiver::stub::answer;
use crate::support::rig::Rig;

/// It goes with the test.
struct Python {
    child: Child,
    url: String,
    _directory: TempDir,
}

impl Python {
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/receiver/receiver.py");
        let child = Command::new("python3")
            .args([program, "--listen", "127.0.0.1:0", "--database"])
            .arg(directory.path().join("rentroll.db"))
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: there is no python3 here");
            return None;
        };
        let mut first = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut first).unwrap();
        let url = first
            .split_whitespace()
            .last()
            .expect("its first line ends with where it is")
            .to_owned();
        Some(Self {
            child,
            url,
            _directory: directory,
        })
    }

    async fn shown(&self, property_id: i64) -> Option<Value> {
        let url = self.url.replace("/sync", &format!("/properties/{property_id}"));
        let response = reqwest::get(url).await.unwrap();
        let is_there = response.status() == StatusCode::OK;
        let text = response.text().await.unwrap();
        is_there.then(|| serde_json::from_str(&text).unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_python_receiver_keeps_every_rule() {
    let Some(python) = Python::start() else { return };
    let report = run(receiver(&python.url), READ_BACK).await;
    assert_eq!(of(&report, Verdict::NotKept), [], "{:#?}", report.rules);
    // It has no limit, and this one no key.
    assert_eq!(
        of(&report, Verdict::NotVisible),
        [Rule::Credentials, Rule::RateLimit],
        "{:#?}",
        report.rules
    );
    assert_eq!(report.remains, [""; 0]);
}

/// Between the relay and a receiver: fails as a sandbox would that was set to the same.
#[derive(Clone)]
struct InBetween {
    faults: Arc<Mutex<Value>>,
    client: reqwest::Client,
    to: String,
}

impl InBetween {
    async fn start(to: &str) -> (Self, String) {
        let it = Self {
            faults: Arc::default(),
            client: reqwest::Client::new(),
            to: to.to_owned(),
        };
        let (forwarding, listener) = (it.clone(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("http://{}/v1/rent-roll/sync", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
            let it = forwarding.clone();
            // Whoever hangs up doesn't keep it from being applied late.
            async move { tokio::spawn(it.handle(request)).await.unwrap() }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (it, url)
    }

    /// What happens to the next request.
    fn next(&self) -> Value {
        let mut faults = self.faults.lock().unwrap();
        let now = faults.clone();
        for counter in ["times", "drop_after_apply", "drop_before_apply"] {
            if let Some(left) = now[counter].as_u64() {
                match left {
                    0..=1 => *faults = json!({}),
                    _ => faults[counter] = json!(left - 1),
                }
            }
        }
        now
    }

    async fn handle(self, request: axum::extract::Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let fault = self.next();
        if let Some(status) = fault["status"].as_u64() {
            let retry_after = fault["retry_after"].as_u64().map(|seconds| seconds.to_string());
            let headers: Vec<_> = retry_after
                .iter()
                .map(|seconds| ("retry-after", seconds.as_str()))
                .collect();
            return answer(status as u16, &headers, r#"{"error":"fault"}"#);
        }
        // No answer is what it looks like from the other side, once that has waited long enough.
        let no_answer = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            answer(500, &[], "")
        };
        if fault["drop_before_apply"].is_u64() {
            return no_answer().await;
        }
        tokio::time::sleep(Duration::from_millis(fault["delay_ms"].as_u64().unwrap_or(0))).await;
        let forwarded = self
            .client
            .post(&self.to)
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, text) = (forwarded.status().as_u16(), forwarded.text().await.unwrap());
        match fault["drop_after_apply"].is_u64() {
            true => no_answer().await,
            false => answer(status, &[("content-type", "application/json")], text),
        }
    }
}

/// What it holds, put into a sandbox: that one is compared with the source, as every other.
async fn copied(python: &Python, properties: i64) -> Sandbox {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .unwrap();
    for property_id in 1..=properties {
        let Some(shown) = python.shown(property_id).await else {
            continue;
        };
        let sync_id = format!("sync-2025-01-15-02-00-00-{property_id:032x}");
        let units: Vec<&Value> = shown["units"].as_object().unwrap().values().collect();
        let body = json!({
            "sync_metadata": {
                "sync_id": sync_id, "sync_timestamp": "2025-01-15T02:00:00Z", "source": "aigent", "sync_type": "delta",
                "sequence": shown["sequence"], "snapshot_id": null, "part": 1, "parts": 1
            },
            "property": shown["property"], "units": units, "removed_units": [], "keep": [],
            "property_digest": shown["property_digest"]
        });
        let request = reqwest::Client::new().post(sandbox.url()).body(body.to_string());
        let request = request
            .header("content-type", "application/json")
            .header("user-agent", "AiGent/1.0");
        let response = request.header("x-aigent-sync-id", sync_id).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
    }
    sandbox
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_edits_faults_and_killed_relays_end_in_equality_with_the_python_receiver() {
    let mut rig = Rig::empty().await;
    let Some(python) = Python::start() else { return };
    let (between, url) = InBetween::start(&python.url).await;
    rig.receiver.url = url.parse().unwrap();
    converge(&mut rig, &|_, faults| *between.faults.lock().unwrap() = faults).await;
    let held = copied(&python, crate::convergence::PROPERTIES).await;
    let sandbox = std::mem::replace(&mut rig.sandbox, held);
    assert!(sandbox.syncs().is_empty(), "all went to the other one");
    rig.assert_equal().await;
    assert_at_rest(&rig).await;
}
