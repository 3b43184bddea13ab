//! What failed, on what, what to do: of receivers, settings and sources.

use serde_json::json;

use super::{ok, run, says};
use crate::deliver::self_signed;
use crate::process::relay;
use crate::receiver::stub::{Stub, answer, deserted};
use crate::support::rig::Rig;

async fn once(rig: &Rig, url: &str) -> String {
    let mut once = relay(rig, &["once"]);
    once.env("RELAY_RECEIVERS__MAIN__URL", url)
        .env("RELAY_RECEIVERS__MAIN__TIMEOUT", "300ms");
    let (code, out, err) = run(once).await;
    assert_eq!(code, Some(1), "{out}{err}");
    err
}

/// Nothing of how the libraries put it.
const LIBRARIES: [&str; 6] = [
    "error sending request",
    "error decoding",
    "operation timed out",
    "OtherError",
    "os error",
    "client error",
];

#[tokio::test]
async fn promise_25_a_timeout_is_said_as_one() {
    let rig = Rig::new().await;
    rig.faults(json!({ "delay_ms": 60_000 }));
    let err = once(&rig, rig.receiver.url.as_str()).await;
    says(&err, &["no whole answer from 127.0.0.1:", "within 300ms"], &LIBRARIES);
}

#[tokio::test]
async fn promise_25_a_receiver_that_is_not_there_is_named() {
    let rig = Rig::new().await;
    let place = deserted().await;
    let err = once(&rig, &format!("http://{place}/sync?tenant=private")).await;
    let expected = format!("no connection to {place}: connection refused");
    says(&err, &[&expected], &LIBRARIES);
    says(&err, &[], &["private"]);
    let shown: Option<String> = sqlx::query_scalar("select error from rentsync.attempt limit 1")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .expect("an attempt");
    says(&shown.expect("why"), &[&expected], &LIBRARIES);
}

#[tokio::test]
async fn promise_25_a_certificate_is_refused_in_words() {
    let rig = Rig::new().await;
    let err = once(&rig, &format!("https://localhost:{}/", self_signed().port())).await;
    says(
        &err,
        &["the certificate of localhost:", "is not accepted: it "],
        &LIBRARIES,
    );
    says(&err, &[], &["UnknownIssuer", "CaUsedAsEndEntity", "Other("]);
}

#[tokio::test]
async fn promise_25_https_to_a_port_without_tls_is_said_so() {
    let rig = Rig::new().await;
    let place = rig.receiver.url.port().expect("a port");
    let err = once(&rig, &format!("https://127.0.0.1:{place}/")).await;
    says(&err, &["does not speak TLS", "http://"], &LIBRARIES);
}

#[tokio::test]
async fn promise_25_a_redirect_names_where_to() {
    let rig = Rig::new().await;
    let to = "https://user:pw@other.example/v2/sync?token=hunter2";
    let stub = Stub::answering(move |_, _| answer(302, &[("location", to)], "")).await;
    let err = once(&rig, &stub.url).await;
    says(
        &err,
        &["answered 302", "a redirect to another host,", "`syncs show`"],
        &["hunter2", "other.example"],
    );
    let alerts = ok(&rig, &["alerts", "list"]).await;
    says(&alerts, &["a redirect to another host"], &["other.example"]);
    let kept: String = sqlx::query_scalar("select min(answer) from rentsync.attempt")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .unwrap();
    says(&kept, &["Location: https://", "other.example/v2/sync"], &[]);
}

#[tokio::test]
async fn promise_25_a_key_of_another_method_says_which_to_set() {
    let rig = Rig::empty().await;
    let mut once = relay(&rig, &["once"]);
    once.env("RELAY_RECEIVERS__MAIN__AUTH__KEY", "{ env = \"KEY\" }");
    let (code, out, err) = run(once).await;
    assert_eq!(code, Some(2), "{out}{err}");
    says(
        &err,
        &[
            "receivers.main.auth.key",
            "set receivers.main.auth.method = \"api_key\"",
        ],
        &["Known keys there"],
    );
}

#[tokio::test]
async fn promise_25_a_receiver_that_recovers_is_not_called_weak() {
    let rig = Rig::delivered().await;
    rig.edit("update rentsync.receiver set concurrency = 6, failures = 0")
        .await;
    let status = ok(&rig, &["status"]).await;
    says(
        &status,
        &["6, one more with every sync that it takes"],
        &["bears no more"],
    );
}

#[tokio::test]
async fn promise_25_a_unit_without_an_id_is_named_as_what_it_is() {
    let rig = Rig::delivered().await;
    rig.edit(
        "alter table project_rent_roll_units disable trigger all;
         alter table project_rent_roll_units drop constraint project_rent_roll_units_pkey;
         alter table project_rent_roll_units alter column id drop not null;
         insert into project_rent_roll_units (id, project_id, unit_code) values (null, 1, 'ghost')",
    )
    .await;
    let (code, out, err) = run(relay(&rig, &["verify"])).await;
    assert_ne!(code, Some(0), "{out}{err}");
    says(
        &err,
        &["rentsync.source_unit()", "without an id"],
        &["unexpected null", "Option"],
    );
}
