//! `rentsync-relay sandbox`: what was agreed is said on the command line.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

/// With the headers that every sync has, as the guide writes them.
async fn answered(url: &str, token: &str, body: &str) -> (u16, String) {
    // Only the first test of the process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().post(url).body(body.to_owned());
    let response = request
        .header("content-type", "application/json")
        .header("user-agent", "AiGent/1.0")
        .header("x-aigent-sync-id", format!("sync-2025-01-15-02-00-00-{:032x}", 1))
        .header("authorization", format!("Bearer {token}"))
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

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
    let body = r#"{"sync_timestamp":"2025-01-15T02:00:00Z","units":[{"property_id":1,"unit_id":2,"floor":3,"base_rent":4.5}]}"#;
    assert_eq!(answered(&url, "wrong", body).await.0, 401);
    let (status, answer) = answered(&url, "right", "{}").await;
    assert_eq!(status, 400);
    assert!(
        answer.contains("$.sync_timestamp: ") && answer.contains("missing"),
        "{answer}"
    );
    assert_eq!(answered(&url, "right", body).await.0, 200);
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

#[test]
fn a_port_that_is_in_use_is_named_with_what_to_do() {
    let used = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = used.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"));
    let output = command.args(["sandbox", "--listen", &listen]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&listen) && said.contains("--listen"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_supervisor_ends_it_as_a_terminal_does() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let (mut running, at) = Running::start(&[]);
        assert!(!at.is_empty());
        rustix::process::kill_process(rustix::process::Pid::from_child(&running.0), signal).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{signal:?}");
    }
}
