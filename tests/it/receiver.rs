//! What goes over the wire to a receiver, and what its answers mean: against real sockets.

mod auth;
mod proxy;
pub mod stub;
mod token;

use std::io::{Read, Write};
use std::time::Duration;

use axum::body::Body;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rentsync_relay::config::{Auth, Compression, Receiver, SecretRef};
use rentsync_relay::policy::Answer;
use rentsync_relay::receiver::{Endpoint, ResponseBody, Try};
use serde_json::json;

use stub::{Stub, answer, close, deserted, raw, trickle};

const ID: &str = "sync-2025-01-15-02-00-00-0194676ea8807c31b2d94c5e6f708192";
const BODY: &[u8] = br#"{"units":[{"unit_id":12345,"base_rent":1500.0}]}"#;

/// A receiver at a URL, with nothing set but a deadline that no machine under load misses.
fn receiver(url: &str) -> Receiver {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut receiver = Receiver::new("main", url.parse().unwrap());
    receiver.timeout = Duration::from_secs(60);
    receiver
}

/// A secret in a file that lives as long as the test.
struct Secret {
    file: tempfile::NamedTempFile,
    reference: SecretRef,
}

impl Secret {
    fn new(key: &str, secret: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reference = SecretRef::file(&format!("receivers.main.auth.{key}"), file.path());
        let it = Self { file, reference };
        it.becomes(secret);
        it
    }

    fn becomes(&self, secret: &str) {
        std::fs::write(self.file.path(), format!("{secret}\n")).unwrap();
    }
}

async fn posted(receiver: &Receiver) -> Try {
    let endpoint = Endpoint::new(receiver).unwrap();
    endpoint.post(ID, BODY.to_vec()).await.unwrap()
}

fn status(status: u16) -> Answer {
    let retry_after = None;
    Answer::Status { status, retry_after }
}

#[tokio::test]
async fn a_request_has_the_headers_of_the_contract_and_the_bytes_as_they_are() {
    let stub = Stub::answering(|_, _| answer(200, &[], "")).await;
    let mut receiver = receiver(&stub.url);
    receiver.headers = vec![("X-Partner".into(), "aigent".into())];
    assert_eq!(posted(&receiver).await.answer, status(200));
    let request = &stub.received()[0];
    assert_eq!(request.path, "/sync");
    assert_eq!(request.body, BODY);
    for (name, value) in [
        ("content-type", Some("application/json")),
        ("user-agent", Some("AiGent/1.0")),
        ("x-aigent-sync-id", Some(ID)),
        ("x-partner", Some("aigent")),
        ("content-encoding", None),
        ("authorization", None),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_packed_body_is_the_same_bytes_on_every_try() {
    let stub = Stub::answering(|_, _| answer(503, &[], "")).await;
    let mut receiver = receiver(&stub.url);
    receiver.compression = Compression::Gzip;
    posted(&receiver).await;
    posted(&receiver).await;
    let [first, second] = &stub.received()[..] else {
        panic!("two requests");
    };
    assert_eq!(first.header("content-encoding"), Some("gzip"));
    assert_eq!(first.body, second.body);
    let mut body = Vec::new();
    GzDecoder::new(&first.body[..]).read_to_end(&mut body).unwrap();
    assert_eq!(body, BODY);
}

#[tokio::test]
async fn connections_are_used_again() {
    let stub = Stub::answering(|_, _| answer(200, &[], r#"{"status":"ok"}"#)).await;
    let endpoint = Endpoint::new(&receiver(&stub.url)).unwrap();
    for _ in 0..5 {
        let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
        assert_eq!(tried.answer, status(200));
    }
    assert_eq!((stub.received().len(), stub.connections()), (5, 1));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Stub::answering(|_, _| answer(200, &[], "")).await;
    let location = elsewhere.url.clone();
    for code in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let stub = Stub::answering(move |_, _| answer(code, &[("location", &location)], "")).await;
        assert_eq!(posted(&receiver(&stub.url)).await.answer, status(code));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_answer() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{";
    let (address, _) = raw(head, trickle).await;
    let mut receiver = receiver(&format!("http://{address}/"));
    receiver.timeout = Duration::from_millis(200);
    let tried = posted(&receiver).await;
    assert_eq!((tried.answer, tried.said), (Answer::Timeout, ResponseBody::default()));
}

#[tokio::test]
async fn a_success_that_breaks_off_is_none_and_any_other_status_has_said_enough() {
    let broken: [(&'static [u8], Answer); 4] = [
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}",
            Answer::ConnectionLost,
        ),
        (b"HTTP/1.1 503 Down\r\ncontent-length: 1000\r\n\r\nsorry", status(503)),
        (
            b"HTTP/1.1 422 No\r\ncontent-length: 1000\r\n\r\n{\"errors\":[]}",
            status(422),
        ),
        (b"", Answer::ConnectionLost),
    ];
    for (bytes, expected) in broken {
        let (address, _) = raw(bytes, close).await;
        let tried = posted(&receiver(&format!("http://{address}/"))).await;
        assert_eq!(tried.answer, expected, "{tried:?}");
    }
    let nobody = format!("http://{}/private-path", deserted().await);
    let tried = posted(&receiver(&nobody)).await;
    assert_eq!(tried.answer, Answer::NotConnected);
    assert!(!format!("{tried:?}").contains("private-path"), "{tried:?}");
}

#[tokio::test]
async fn what_a_receiver_says_is_understood() {
    let digest = "0123456789abcdef".repeat(4);
    let body = json!({
        "property_digest": digest,
        "errors": [{ "unit_id": 12345, "message": "rent is missing" }, "garbage"],
        "stale": [{ "project_id": 101, "sequence": 4800 }],
        "properties": [{ "project_id": 7, "property_digest": digest }],
    });
    let said = body.to_string();
    let stub = Stub::answering(move |number, _| answer([200, 422, 500][number], &[], said.clone())).await;
    let receiver = receiver(&stub.url);
    let [acknowledged, refused, failed] = [
        posted(&receiver).await,
        posted(&receiver).await,
        posted(&receiver).await,
    ];
    assert_eq!(acknowledged.answer, status(200));
    assert_eq!(acknowledged.said.property_digest, Some(digest.clone()));
    assert_eq!(acknowledged.said.stale, [("101".to_owned(), 4800)]);
    assert_eq!(acknowledged.said.properties, [("7".to_owned(), digest)]);
    let errors = &acknowledged.said.errors;
    assert_eq!((errors.len(), errors[0].unit_id), (1, 12345));
    assert_eq!(&refused.said.errors, errors);
    assert_eq!(refused.said.property_digest, None);
    assert_eq!(failed.said, ResponseBody::default());
    assert_eq!(failed.text.as_deref(), Some(&*body.to_string()));
}

#[tokio::test]
async fn a_stale_answer_is_no_success() {
    let stub = Stub::answering(|_, _| answer(200, &[], r#"{"status":"stale","sequence":4800}"#)).await;
    let tried = posted(&receiver(&stub.url)).await;
    assert_eq!(tried.answer, Answer::Stale { sequence: 4800 });
}

#[tokio::test]
async fn of_an_endless_answer_only_the_beginning_is_read() {
    let stale = r#"{"status":"stale","sequence":1,"more":""#;
    let plain = move || Body::from(format!("{stale}{}\"}}", "é".repeat(4 * 1024 * 1024)));
    let bomb = move || {
        let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(stale.as_bytes()).unwrap();
        packed.write_all(&vec![b' '; 64 * 1024 * 1024]).unwrap();
        packed.write_all(b"\"}").unwrap();
        packed.finish().unwrap()
    };
    let stub = Stub::answering(move |number, _| match number {
        0 => answer(200, &[], plain()),
        _ => answer(200, &[("content-encoding", "gzip")], bomb()),
    })
    .await;
    for _ in 0..2 {
        let tried = posted(&receiver(&stub.url)).await;
        assert_eq!(tried.answer, status(200), "not read to its end, not understood");
        // To the end of a word, if one ends so near.
        assert!((1_900..=2_000).contains(&tried.text.unwrap().chars().count()));
    }
    let (address, _) = raw(b"HTTP/1.1 200 OK\r\n\r\n", endless).await;
    let tried = posted(&receiver(&format!("http://{address}/"))).await;
    assert_eq!(tried.answer, status(200));
}

async fn endless(mut stream: tokio::net::TcpStream) {
    use tokio::io::AsyncWriteExt;
    let much = [b'x'; 64 * 1024];
    while stream.write_all(&much).await.is_ok() {}
}

#[tokio::test]
async fn an_answer_just_short_enough_is_understood() {
    let start = r#"{"status":"stale","sequence":1,"more":""#;
    let whole = format!("{start}{}\"}}", "x".repeat(4 * 1024 * 1024 - start.len() - 2));
    assert_eq!(whole.len(), 4 * 1024 * 1024);
    let longer = whole.replace("\"}", "x\"}");
    let stub = Stub::answering(move |number, _| answer(200, &[], [&whole, &longer][number].clone())).await;
    let receiver = receiver(&stub.url);
    assert_eq!(posted(&receiver).await.answer, Answer::Stale { sequence: 1 });
    assert_eq!(posted(&receiver).await.answer, status(200));
}

#[tokio::test]
async fn the_wait_that_is_asked_for_is_understood_in_every_form() {
    const DATE: &str = "Sun, 06 Nov 1994 08:49:00 GMT";
    let day = 24 * 3600;
    let rows = [
        ("7", Some(7)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
        ("Sun Nov  6 08:49:37 1994", Some(37)),
        ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
        ("Fri, 31 Dec 2094 23:59:59 GMT", Some(day)),
        ("99999999999999999999", Some(day)),
        ("in a while", None),
        ("-7", None),
    ];
    let stub = Stub::answering(move |number, _| {
        // The receiver's own clock is decades behind: that makes no difference.
        answer(429, &[("retry-after", rows[number].0), ("date", DATE)], "")
    })
    .await;
    let endpoint = Endpoint::new(&receiver(&stub.url)).unwrap();
    for (asked, seconds) in rows {
        let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
        let expected = Answer::Status {
            status: 429,
            retry_after: seconds.map(Duration::from_secs),
        };
        assert_eq!(tried.answer, expected, "{asked}");
    }
}

#[tokio::test]
async fn a_secret_that_the_receiver_quotes_is_not_kept() {
    let quoting = |_: usize, request: &stub::Received| {
        let key = request.header("x-api-key").unwrap();
        let error = json!({ "unit_id": 1, "message": format!("{}{key}", "x".repeat(190)) });
        answer(
            400,
            &[],
            json!({ "errors": [error], "said": format!("bad key {key}") }).to_string(),
        )
    };
    let stub = Stub::answering(quoting).await;
    let key = Secret::new("key", "correct-horse-battery-staple");
    let mut receiver = receiver(&stub.url);
    receiver.auth = Auth::ApiKey {
        key: key.reference.clone(),
        header: "X-API-Key".into(),
    };
    let endpoint = Endpoint::new(&receiver).unwrap();
    let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!(
        stub.received()[0].header("x-api-key"),
        Some("correct-horse-battery-staple")
    );
    let shown = format!("{tried:?} {endpoint:?} {receiver:?}");
    assert!(!shown.contains("correct"), "{shown}");
    assert!(tried.text.unwrap().contains("bad key [hidden]"));
}
