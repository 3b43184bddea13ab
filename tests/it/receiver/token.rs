//! OAuth2 client credentials: one token for all, renewed early, once more when it isn't accepted.

use std::time::Duration;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::join_all;
use rentsync_relay::config::{Auth, OAuth2, Receiver};
use rentsync_relay::receiver::{Endpoint, Unsent};
use serde_json::{Value, json};

use super::stub::{Received, Stub, answer, close, deserted, raw};
use super::{BODY, ID, Secret, receiver, status};

/// A receiver and the token endpoint it trusts.
struct Bench {
    stub: Stub,
    tokens: Stub,
    receiver: Receiver,
    secret: Secret,
}

fn granted(number: usize, life: &Value) -> Response {
    let token = format!("hunter2-{number}");
    let grant = json!({ "access_token": token, "token_type": "Bearer", "expires_in": life });
    answer(200, &[("content-type", "application/json")], grant.to_string())
}

impl Bench {
    /// The token endpoint grants `hunter2-N`, N from 0, for so many seconds.
    async fn granting(life: Value) -> Self {
        Self::with(move |number, _| granted(number, &life), |_, _| answer(200, &[], "")).await
    }

    async fn with(
        tokens: impl Fn(usize, &Received) -> Response + Send + Sync + 'static,
        answers: impl Fn(usize, &Received) -> Response + Send + Sync + 'static,
    ) -> Self {
        let (tokens, stub) = (Stub::answering(tokens).await, Stub::answering(answers).await);
        let secret = Secret::new("client_secret", "hunter2 is +secret");
        let mut receiver = receiver(&stub.url);
        receiver.auth = Auth::OAuth2(OAuth2 {
            token_url: tokens.url.parse().unwrap(),
            client_id: "aigent:1".to_owned(),
            client_secret: secret.reference.clone(),
            scope: None,
            audience: None,
        });
        Self {
            stub,
            tokens,
            receiver,
            secret,
        }
    }

    fn settings(&mut self) -> &mut OAuth2 {
        match &mut self.receiver.auth {
            Auth::OAuth2(settings) => settings,
            other => panic!("{other:?}"),
        }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.receiver).unwrap()
    }

    /// The tokens that the receiver was shown, in order.
    fn shown(&self) -> Vec<String> {
        let token = |request: &Received| request.header("authorization").unwrap().replace("Bearer hunter2-", "");
        self.stub.received().iter().map(token).collect()
    }

    fn asked(&self) -> usize {
        self.tokens.received().len()
    }
}

#[tokio::test]
async fn a_token_is_asked_for_with_credentials_in_the_header_and_the_rest_in_a_form() {
    let mut bench = Bench::granting(json!(3600)).await;
    bench.settings().scope = Some("units:write rent".to_owned());
    bench.settings().audience = Some("https://partner.example/?a&b".to_owned());
    let endpoint = bench.endpoint();
    let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!(tried.answer, status(200));
    assert_eq!(bench.shown(), ["0"]);
    let request = &bench.tokens.received()[0];
    let basic = format!("Basic {}", STANDARD.encode("aigent%3A1:hunter2+is+%2Bsecret"));
    assert_eq!(request.header("authorization"), Some(&*basic));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.header("x-aigent-sync-id"), None);
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        "grant_type=client_credentials&scope=units%3Awrite+rent&audience=https%3A%2F%2Fpartner.example%2F%3Fa%26b"
    );
    let shown = format!("{tried:?} {endpoint:?} {:?}", bench.receiver);
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn one_token_is_asked_for_however_many_requests_wait() {
    let bench = Bench::granting(json!(3600)).await;
    let endpoint = bench.endpoint();
    let posts = join_all((0..20).map(|_| endpoint.post(ID, BODY.to_vec()))).await;
    assert!(posts.iter().all(|tried| tried.as_ref().unwrap().answer == status(200)));
    endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!((bench.asked(), bench.stub.received().len()), (1, 21));
}

#[tokio::test]
async fn a_failure_is_shared_by_all_who_waited_and_by_nobody_else() {
    let failing_once = |number, _: &Received| match number {
        0 => answer(503, &[], "hunter2"),
        _ => granted(number, &json!(3600)),
    };
    let bench = Bench::with(failing_once, |_, _| answer(200, &[], "")).await;
    let endpoint = bench.endpoint();
    let posts = join_all((0..20).map(|_| endpoint.post(ID, BODY.to_vec()))).await;
    assert!(posts.iter().all(Result::is_err));
    assert_eq!((bench.asked(), bench.stub.connections()), (1, 0));
    endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!((bench.asked(), bench.shown()), (2, vec!["1".to_owned()]));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_one_without_an_end_is_kept() {
    // Ten seconds of life are its last seconds from the start.
    for (life, shown) in [
        (json!(10), ["0", "1", "2"]),
        (json!("10"), ["0", "1", "2"]),
        (json!(3600), ["0", "0", "0"]),
        (json!(null), ["0", "0", "0"]),
    ] {
        let bench = Bench::granting(life.clone()).await;
        let endpoint = bench.endpoint();
        for _ in 0..3 {
            endpoint.post(ID, BODY.to_vec()).await.unwrap();
        }
        assert_eq!(bench.shown(), shown, "{life}");
    }
}

#[tokio::test]
async fn a_renewal_is_one_request_and_the_others_go_on_with_the_old_token() {
    let bench = Bench::granting(json!(10)).await;
    let endpoint = bench.endpoint();
    endpoint.post(ID, BODY.to_vec()).await.unwrap();
    join_all((0..5).map(|_| endpoint.post(ID, BODY.to_vec()))).await;
    assert_eq!(bench.asked(), 2);
    let mut shown = bench.shown();
    shown.sort_unstable();
    assert_eq!(shown, ["0", "0", "0", "0", "0", "1"]);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_token_in_use_and_is_not_tried_by_everyone() {
    let granting_once = |number, _: &Received| match number {
        0 => granted(0, &json!(10)),
        _ => answer(503, &[], ""),
    };
    let bench = Bench::with(granting_once, |_, _| answer(200, &[], "")).await;
    let endpoint = bench.endpoint();
    for _ in 0..4 {
        endpoint.post(ID, BODY.to_vec()).await.unwrap();
    }
    assert_eq!(bench.shown(), ["0", "0", "0", "0"]);
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_renewed_and_the_same_bytes_go_again() {
    let refusing_the_first = |_: usize, request: &Received| match request.header("authorization") {
        Some("Bearer hunter2-0") => answer(401, &[], "hunter2-0 is revoked"),
        _ => answer(200, &[], ""),
    };
    let bench = Bench::with(|number, _| granted(number, &json!(3600)), refusing_the_first).await;
    let endpoint = bench.endpoint();
    let tried = endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!(tried.answer, status(200));
    assert_eq!(bench.shown(), ["0", "1"]);
    let received = bench.stub.received();
    assert!(
        received
            .iter()
            .all(|request| request.body == BODY && request.header("x-aigent-sync-id") == Some(ID))
    );
    endpoint.post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!(bench.shown(), ["0", "1", "1"]);
}

#[tokio::test]
async fn many_requests_whose_token_is_not_accepted_ask_for_one_new_one() {
    let refusing_the_first = |_: usize, request: &Received| match request.header("authorization") {
        Some("Bearer hunter2-0") => answer(401, &[], ""),
        _ => answer(200, &[], ""),
    };
    let bench = Bench::with(|number, _| granted(number, &json!(3600)), refusing_the_first).await;
    let endpoint = bench.endpoint();
    let posts = join_all((0..20).map(|_| endpoint.post(ID, BODY.to_vec()))).await;
    assert!(posts.iter().all(|tried| tried.as_ref().unwrap().answer == status(200)));
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let bench = Bench::with(
        |number, _| granted(number, &json!(3600)),
        |number, _| answer(401, &[], format!("hunter2-{number} is not known")),
    )
    .await;
    let tried = bench.endpoint().post(ID, BODY.to_vec()).await.unwrap();
    assert_eq!(tried.answer, status(401));
    assert_eq!(
        (bench.shown(), bench.asked()),
        (vec!["0".to_owned(), "1".to_owned()], 2)
    );
    assert_eq!(tried.text.as_deref(), Some("[hidden] is not known"));
}

#[tokio::test]
async fn an_exchanged_client_secret_is_used_for_the_next_token() {
    let bench = Bench::with(
        |_, request| match request.header("authorization") {
            Some(basic) if basic.ends_with(&STANDARD.encode("aigent%3A1:changed")) => granted(1, &json!(3600)),
            _ => answer(401, &[], r#"{"error":"invalid_client"}"#),
        },
        |_, _| answer(200, &[], ""),
    )
    .await;
    let endpoint = bench.endpoint();
    assert!(endpoint.post(ID, BODY.to_vec()).await.is_err());
    bench.secret.becomes("changed");
    assert_eq!(endpoint.post(ID, BODY.to_vec()).await.unwrap().answer, status(200));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_reason_is_given_without_any_secret() {
    let refused = r#"{"error":"invalid_client","error_description":"hunter2"}"#;
    let rows: [(u16, &'static str, bool, &str); 9] = [
        (
            401,
            refused,
            true,
            "answered 401 (invalid_client): nothing was sent; look at client_id",
        ),
        (400, r#"{"error":"hunter2"}"#, true, "answered 400: nothing was sent"),
        (403, "hunter2", true, "answered 403: nothing was sent"),
        (503, "hunter2", false, "answered 503: nothing was sent"),
        (302, "hunter2", false, "answered 302: nothing was sent"),
        (200, "<p>hunter2</p>", false, "answered, but with no bearer token"),
        (
            200,
            r#"{"access_token":"hunter2","token_type":"mac"}"#,
            false,
            "with no bearer token",
        ),
        (200, r#"{"access_token":""}"#, false, "with no bearer token"),
        (
            200,
            r#"{"access_token":"hunter2\n"}"#,
            false,
            "with no bearer token that a header can carry",
        ),
    ];
    for (code, text, needs_a_person, reason) in rows {
        let location = [("location", "http://127.0.0.1:9/hunter2")];
        let bench = Bench::with(move |_, _| answer(code, &location, text), |_, _| answer(200, &[], "")).await;
        let error = bench.endpoint().post(ID, BODY.to_vec()).await.unwrap_err();
        let unsent: &Unsent = error.downcast_ref().unwrap();
        assert_eq!(unsent.needs_a_person(), needs_a_person, "{unsent:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!format!("{error:?} {unsent:?}").contains("hunter2"), "{error:?}");
        assert_eq!((bench.asked(), bench.stub.connections()), (1, 0));
    }
}

#[tokio::test]
async fn a_token_endpoint_that_gives_no_answer_is_not_the_receivers_fault() {
    let mut bench = Bench::granting(json!(3600)).await;
    let silent = raw(b"", |stream| async move {
        let _held = stream;
        std::future::pending().await
    });
    let (silent, broken) = (
        silent.await.0,
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", close).await.0,
    );
    bench.receiver.timeout = Duration::from_millis(300);
    for address in [silent, broken, deserted().await] {
        bench.settings().token_url = format!("http://{address}/hunter2").parse().unwrap();
        let error = bench.endpoint().post(ID, BODY.to_vec()).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Unsent::NoToken(_))), "{error:?}");
        let start = format!("the token endpoint at http://{address} gave no answer");
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(bench.stub.connections(), 0);
}

#[tokio::test]
async fn a_request_for_a_token_that_is_cut_off_leaves_no_one_waiting() {
    let bench = Bench::granting(json!(3600)).await;
    let endpoint = bench.endpoint();
    let cut_off = endpoint.post(ID, BODY.to_vec()).now_or_never();
    assert!(cut_off.is_none(), "it waits for a token and is dropped there");
    assert_eq!(endpoint.post(ID, BODY.to_vec()).await.unwrap().answer, status(200));
}
