//! Who may send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::Utc;
use hmac::{Hmac, KeyInit as _, Mac as _};

use super::*;

#[tokio::test]
async fn the_key_is_asked_for_where_one_was_agreed() {
    let (name, value) = ("X-API-Key".to_owned(), "right".to_owned());
    let bench = Bench::with(SandboxAuth::Header { name, value }).await;
    let sync = Sync::delta(1, &[]);
    let send = |keys: Vec<&str>| {
        let mut request = bench.post(&sync.id(), sync.body());
        for key in keys {
            request = request.header("x-api-key", key);
        }
        answered(request)
    };
    for (keys, what) in [
        (vec![], "missing"),
        (vec!["wrong"], "wrong"),
        (vec!["right", "right"], "once"),
    ] {
        let (status, answer) = send(keys).await;
        let message = answer["error"].as_str().unwrap();
        assert_eq!(status, 401);
        assert!(message.starts_with("header X-API-Key: ") && message.contains(what));
        assert_eq!(bench.last().status, Some(401));
    }
    assert_eq!(send(vec!["right"]).await.0, 200);
}

// Signed payloads

const KEY: &[u8] = b"a key of thirty-two bytes, no more";

fn signature_by(key: &[u8], id: &str, timestamp: &str, wire: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(wire);
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

async fn signed_bench() -> Bench {
    let secret = format!("whsec_{}", BASE64.encode(KEY));
    Bench::with(SandboxAuth::Hmac { secret }).await
}

/// Posts with the three headers, which may be missing.
async fn post_signed(bench: &Bench, sync: &Sync, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = bench.post(&sync.id(), sync.body());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answered(request).await
}

#[tokio::test]
async fn a_signed_payload_is_accepted_fresh_for_its_sync_and_by_the_agreed_secret() {
    let bench = signed_bench().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let (id, now) = (sync.id(), Utc::now().timestamp());
    let right = |timestamp: i64| signature_by(KEY, &id, &timestamp.to_string(), sync.body().as_bytes());
    let other = signature_by(b"another key", &id, &now.to_string(), sync.body().as_bytes());
    let other_id = Sync::delta(2, &[]).id();
    let for_other = signature_by(KEY, &other_id, &now.to_string(), sync.body().as_bytes());
    for (name, what, id, timestamp, signature) in [
        (
            "signature",
            "expected one by the agreed secret",
            id.as_str(),
            now,
            other.clone(),
        ),
        (
            "signature",
            "expected one by the agreed secret",
            &id,
            now - 1,
            right(now),
        ),
        ("signature", "v1,<base64>", &id, now, right(now).replace("v1,", "")),
        ("signature", "v1,<base64>", &id, now, right(now).replace("v1,", "v2,")),
        ("signature", "v1,<base64>", &id, now, format!("{}  {other}", right(now))),
        ("timestamp", "at most 300 seconds", &id, now - 310, right(now - 310)),
        ("timestamp", "at most 300 seconds", &id, now + 310, right(now + 310)),
        ("id", "expected the sync ID", &other_id, now, for_other),
    ] {
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        let (status, answer) = post_signed(&bench, &sync, &headers).await;
        let message = answer["error"].as_str().unwrap();
        assert_eq!(status, 401, "{message}");
        assert!(
            message.starts_with(&format!("header webhook-{name}: ")) && message.contains(what),
            "{message}"
        );
    }
    assert!(bench.sandbox.properties().is_empty());
    let (timestamp, both) = (now.to_string(), format!("{other} {}", right(now)));
    let headers = [
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &both),
    ];
    assert_eq!(post_signed(&bench, &sync, &headers).await.0, 200);
    for (index, (name, _)) in headers.iter().enumerate() {
        let mut others = headers.to_vec();
        others.remove(index);
        let (status, answer) = post_signed(&bench, &sync, &others).await;
        assert_eq!(
            (status, &answer["error"]),
            (401, &json!(format!("header {name}: is missing")))
        );
    }
    let fraction = [
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", "1.5"),
        ("webhook-signature", &both),
    ];
    let (_, answer) = post_signed(&bench, &sync, &fraction).await;
    assert!(answer["error"].as_str().unwrap().contains("digits only"));
}

#[tokio::test]
async fn what_is_signed_are_the_bytes_on_the_wire() {
    let bench = signed_bench().await;
    let sync = Sync::delta(1, &[]);
    let (packed, timestamp) = (gzip(sync.body().as_bytes()), Utc::now().timestamp().to_string());
    for (signed, expected) in [(sync.body().into_bytes(), 401), (packed.clone(), 200)] {
        let request = bench
            .post(&sync.id(), packed.clone())
            .header("content-encoding", "gzip")
            .header("webhook-id", sync.id())
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", signature_by(KEY, &sync.id(), &timestamp, &signed));
        assert_eq!(answered(request).await.0, expected);
    }
}

#[tokio::test]
async fn a_secret_of_another_form_is_refused_at_the_start() {
    let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
    for secret in ["", "whsec_", "whsec_%", "c2VjcmV0"] {
        let auth = SandboxAuth::Hmac { secret: secret.into() };
        let options = SandboxOptions {
            auth,
            ..SandboxOptions::default()
        };
        let error = Sandbox::start(anywhere, options).await.err().expect("refused");
        assert!(error.to_string().starts_with("auth: ") && !error.to_string().contains("c2V"));
    }
}

// Tokens

async fn token_bench() -> Bench {
    Bench::with(SandboxAuth::OAuth2 {
        client_id: "a client".into(),
        client_secret: "p%:&=+".into(),
        scope: Some("rent-roll".into()),
        audience: None,
    })
    .await
}

const FORM: &str = "grant_type=client_credentials&client_id=a+client&client_secret=p%25%3A%26%3D%2B&scope=rent-roll";

fn ask(bench: &Bench, form: &str) -> RequestBuilder {
    bench
        .client
        .post(bench.sandbox.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned())
}

async fn token(bench: &Bench) -> String {
    let (status, answer) = answered(ask(bench, FORM)).await;
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn send_with(bench: &Bench, sync: &Sync, authorization: &str) -> (u16, Value) {
    answered(
        bench
            .post(&sync.id(), sync.body())
            .header("authorization", authorization),
    )
    .await
}

#[tokio::test]
async fn a_token_is_issued_for_client_credentials_and_opens_the_endpoint() {
    let bench = token_bench().await;
    let response = ask(&bench, FORM).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let sync = Sync::delta(1, &[]);
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    assert_eq!(send_with(&bench, &sync, &bearer).await.0, 200);
    // HTTP Basic, each half form-encoded.
    let basic = ask(&bench, "grant_type=client_credentials&scope=rent-roll").header(
        "authorization",
        format!("Basic {}", BASE64.encode("a+client:p%25%3A%26%3D%2B")),
    );
    assert_eq!(answered(basic).await.0, 200);
    assert_eq!(bench.sandbox.token_requests(), 2);
    assert_eq!(bench.get("/oauth/tokens").await.1, json!({"requests": 2, "live": 2}));
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_request_for_a_token_is_refused_by_its_rules() {
    let bench = token_bench().await;
    for (status, error, from, to) in [
        (400, "invalid_request", "grant_type=client_credentials&", ""),
        (400, "unsupported_grant_type", "client_credentials", "password"),
        (400, "invalid_request", "scope=rent-roll", "scope=rent-roll&scope=rent-roll"),
        (400, "invalid_scope", "rent-roll", "everything"),
        (400, "invalid_scope", "&scope=rent-roll", ""),
        (400, "invalid_request", "&scope", "&audience=x&scope"),
        (401, "invalid_client", "a+client", "b+client"),
        (401, "invalid_client", "p%25", "q%25"),
        (401, "invalid_client", "&client_secret=p%25%3A%26%3D%2B", ""),
    ] {
        let form = FORM.replacen(from, to, 1);
        let (found, answer) = answered(ask(&bench, &form)).await;
        assert_eq!((found, &answer["error"]), (status, &json!(error)), "{form}: {answer}");
        assert!(!answer.to_string().contains("p%"), "no secret is shown");
    }
    let basic = |text: &str| format!("Basic {}", BASE64.encode(text));
    let lone = "grant_type=client_credentials&scope=rent-roll";
    for (authorization, form, error) in [
        (basic("a+client:p%25%3A%26%3D%2B"), FORM, "invalid_request"),
        (basic("a client:wrong"), lone, "invalid_client"),
        (basic("nothing"), lone, "invalid_client"),
        ("Bearer x".to_owned(), lone, "invalid_client"),
    ] {
        let (_, answer) = answered(ask(&bench, form).header("authorization", authorization)).await;
        assert_eq!(answer["error"], error);
    }
    let json = bench.client.post(bench.sandbox.token_url()).header("content-type", "application/json").body("{}");
    assert_eq!(answered(json).await.1["error"], "invalid_request");
    assert_eq!(bench.sandbox.token_requests(), 14);
    assert_eq!(bench.get("/oauth/tokens").await.1["live"], 0);
}

#[tokio::test]
async fn only_a_living_token_of_its_own_opens_the_endpoint() {
    let bench = token_bench().await;
    let sync = Sync::delta(1, &[]);
    let refused = async |authorization: &str, what: &str| {
        let (status, answer) = send_with(&bench, &sync, authorization).await;
        let message = answer["error"].as_str().unwrap();
        assert_eq!(status, 401);
        assert!(
            message.starts_with("header Authorization: ") && message.contains(what),
            "{message}"
        );
    };
    refused("Bearer made-up", "not issued here").await;
    refused("Basic eDp5", "no Bearer token").await;
    let revoked = format!("Bearer {}", token(&bench).await);
    bench.sandbox.revoke_tokens();
    refused(&revoked, "was revoked").await;
    bench.set_faults(json!({"token": {"expires_in": 0, "times": 1}}));
    let expired = format!("Bearer {}", token(&bench).await);
    refused(&expired, "has expired").await;
    let living = format!("Bearer {}", token(&bench).await);
    assert_eq!(send_with(&bench, &sync, &living).await.0, 200);
    let url = format!("http://{}/oauth/tokens", bench.sandbox.address());
    let (status, left) = answered(bench.client.delete(url)).await;
    assert_eq!((status, &left["live"]), (200, &json!(0)));
    refused(&living, "was revoked").await;
}

#[tokio::test]
async fn the_token_endpoint_can_be_made_to_fail() {
    let bench = token_bench().await;
    let faults = r#"{"token": {"status": 503, "body": "<html>", "times": 1}}"#;
    let (_, shown) = bench.put_faults(faults).await;
    assert_eq!(shown, serde_json::from_str::<Value>(faults).unwrap());
    assert_eq!(answered(ask(&bench, FORM)).await, (503, json!("<html>")));
    token(&bench).await;
    assert_eq!(bench.sandbox.token_requests(), 2);
    let open = Bench::new().await;
    assert_eq!(answered(ask(&open, FORM)).await.0, 404);
    assert_eq!(open.sandbox.token_requests(), 0);
}
