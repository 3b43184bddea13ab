//! Our own proxy on the way out: its failures are not the receiver's.
//!
//! What proxies there are is read from the environment, so every claim runs in a process of its own: this test again.

use std::process::Stdio;

use rentsync_relay::receiver::Endpoint;
use tokio::process::Command;

use super::stub::{Stub, answer, close, deserted, raw};
use super::{BODY, ID, receiver};

const TEST: &str = "receiver::proxy::a_proxys_failures_are_distinguished_from_the_receivers";
const POST_TO: &str = "TEST_POST_TO";
const VARIABLES: [&str; 8] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// Posts in a process with these variables, and gives what it says of its try.
async fn posted(to: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    let output = command
        .args(["--exact", TEST, "--nocapture"])
        .env(POST_TO, to)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.strip_prefix("tried: "));
    let said = said.unwrap_or_else(|| panic!("{output:?}")).to_owned();
    assert!(!said.contains("hunter2"), "{said}");
    said
}

async fn post(to: &str) {
    let endpoint = Endpoint::new(&receiver(to)).unwrap();
    let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
    println!("\ntried: {tried:?}");
}

fn assert_answer(said: &str, answer: &str) {
    let start = format!("Try {{ answer: {answer}");
    assert!(said.starts_with(&start), "{answer}: {said}");
}

#[tokio::test]
async fn a_proxys_failures_are_distinguished_from_the_receivers() {
    if let Ok(to) = std::env::var(POST_TO) {
        return post(&to).await;
    }
    tunnels().await;
    handed_on().await;
    ways_around().await;
}

/// https: the proxy opens a tunnel or it doesn't.
async fn tunnels() {
    let refusals: [&[u8]; 5] = [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"garbage\r\n\r\n",
        b"",
    ];
    for refusal in refusals {
        let (address, heads) = raw(refusal, close).await;
        let proxy = format!("http://me:hunter2@{address}");
        let said = posted("https://receiver.invalid/", &[("HTTPS_PROXY", &proxy)]).await;
        assert_answer(&said, "Proxy");
        let head = heads.lock().unwrap()[0].clone();
        assert!(head.starts_with("CONNECT receiver.invalid:443 "), "{head}");
        assert!(
            head.to_lowercase().contains("\r\nproxy-authorization: basic "),
            "{head}"
        );
    }
    let nobody = format!("http://me:hunter2@{}", deserted().await);
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let said = posted("https://receiver.invalid/", &[(variable, &nobody)]).await;
        assert_answer(&said, "Proxy");
    }
    // The tunnel stands, and what is at its other end is not the receiver.
    let (address, _) = raw(b"HTTP/1.1 200 OK\r\n\r\n", close).await;
    let proxy = format!("http://{address}");
    let said = posted("https://receiver.invalid/", &[("HTTPS_PROXY", &proxy)]).await;
    assert_answer(&said, "NotConnected");
}

/// Plain http: the proxy answers in the receiver's place.
async fn handed_on() {
    let proxy = Stub::answering(|number, _| answer([407, 503, 200][number], &[], "")).await;
    let address = proxy.url.trim_end_matches("/sync");
    for answer in ["Proxy", "Status { status: 503", "Status { status: 200"] {
        let said = posted("http://receiver.invalid/", &[("HTTP_PROXY", address)]).await;
        assert_answer(&said, answer);
    }
    let nobody = format!("http://me:hunter2@{}", deserted().await);
    let said = posted("http://receiver.invalid/", &[("HTTP_PROXY", &nobody)]).await;
    assert_answer(&said, "Proxy");
}

/// No proxy where none is wanted, and then no failure is one's.
async fn ways_around() {
    let (address, heads) = raw(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", close).await;
    let proxy = format!("http://{address}");
    let around = [("HTTPS_PROXY", &*proxy), ("NO_PROXY", "other.invalid,receiver.invalid")];
    assert_answer(&posted("https://receiver.invalid/", &around).await, "NotConnected");
    let stub = Stub::answering(|_, _| answer(407, &[], "")).await;
    let said = posted(&stub.url, &[("ALL_PROXY", &proxy), ("HTTP_PROXY", &proxy)]).await;
    assert_answer(&said, "Status { status: 407");
    assert_eq!(heads.lock().unwrap().len(), 0);
}
