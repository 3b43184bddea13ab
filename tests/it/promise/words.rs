//! What a person reads.

mod acknowledged;
mod database;
mod failures;

use tokio::process::Command;

use crate::process::{output, relay, said};
use crate::support::rig::Rig;

/// Exit code, standard output, standard error.
async fn run(command: Command) -> (Option<i32>, String, String) {
    let output = output(command).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What a command says that does what it should.
async fn ok(rig: &Rig, arguments: &[&str]) -> String {
    let output = output(relay(rig, arguments)).await;
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn json(rig: &Rig, arguments: &[&str]) -> Vec<serde_json::Value> {
    let text = output(relay(rig, &[arguments, &["--json"]].concat())).await.stdout;
    serde_json::from_slice(&text).expect("a JSON array")
}

/// Each of these is in the text, and none of those.
fn says(text: &str, parts: &[&str], not: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in: {text}");
    }
    for part in not {
        assert!(!text.contains(part), "no {part:?} in: {text}");
    }
}
