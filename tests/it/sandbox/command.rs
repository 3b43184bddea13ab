//! `rentsync-relay sandbox`: what was agreed is said on the command line.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

/// A running command; it goes with the test. Without a reader for what it says it would end.
struct Running(Child, BufReader<ChildStdout>);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Answers where it listens, or nothing where it ended at once.
    fn start(arguments: &[&str]) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"));
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self(child, stdout);
        let mut first = String::new();
        running.1.read_line(&mut first).unwrap();
        let url = first.split_whitespace().last().unwrap_or_default().to_owned();
        (running, url)
    }
}

#[tokio::test]
async fn the_command_line_says_what_was_agreed() {
    let shape = "--format flat --extensions false --removed unavailable --fields base_rent,floor --bearer right";
    let arguments: Vec<_> = shape.split(' ').collect();
    let (_running, url) = Running::start(&arguments);
    let bench = Bench::new().await;
    let send = |token: &str, body: &str| {
        let request = bench.client.post(&url).body(body.to_owned());
        answered(
            request
                .header("content-type", "application/json")
                .header("user-agent", "AiGent/1.0")
                .header("x-aigent-sync-id", Sync::delta(1, &[]).id())
                .header("authorization", format!("Bearer {token}")),
        )
    };
    let body = r#"{"sync_timestamp":"2025-01-15T02:00:00Z","units":[{"property_id":1,"unit_id":2,"floor":3,"base_rent":4.5}]}"#;
    assert_eq!(send("wrong", body).await.0, 401);
    assert_refused(&send("right", "{}").await, "$.sync_timestamp", "missing");
    assert_eq!(send("right", body).await.0, 200);
}

#[test]
fn what_doesnt_go_together_is_an_error_of_usage() {
    for (arguments, named) in [
        ("--extensions false", "removed"),
        ("--format unit --batch all_properties", "batch"),
        ("--fields rent", "fields"),
        ("--api-key a --bearer b", "--bearer"),
        ("--oauth2-scope a", "--oauth2-client"),
        ("--oauth2-client a", "--oauth2-client"),
        ("--static-header a", "--static-header"),
        ("--hmac-secret a", "auth"),
    ] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let (mut running, url) = Running::start(&arguments);
        assert_eq!(url, "", "{arguments:?} should not start");
        let mut error = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(named), "{error} should name {named}");
    }
}
