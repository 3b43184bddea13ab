//! The answers that a receiver may give: what stands in the schemas' examples is what the relay reads in them.

use rentsync_relay::config::Receiver;
use rentsync_relay::policy::Answer;
use rentsync_relay::receiver::{Endpoint, Try};
use rentsync_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use super::Schemas;

/// What the relay makes of an answer.
async fn read(sandbox: &Sandbox, status: u16, answer: &Value) -> Try {
    sandbox
        .set_faults(json!({ "status": status, "body": answer.to_string() }))
        .unwrap();
    let endpoint = Endpoint::new(&Receiver::new("main", sandbox.url().parse().unwrap())).unwrap();
    endpoint.post("sync-1", b"{}".to_vec()).await.unwrap()
}

/// An id as the relay keeps it.
fn id(said: &Value) -> Option<String> {
    (!said.is_null()).then(|| said.to_string().trim_matches('"').to_owned())
}

/// The list under a key; empty where there is none.
fn list<T>(answer: &Value, key: &str, read: impl Fn(&Value) -> T) -> Vec<T> {
    answer[key].as_array().into_iter().flatten().map(read).collect()
}

fn is_read_whole(tried: &Try, answer: &Value) {
    let said = &tried.said;
    assert_eq!(said.property_digest.as_deref(), answer["property_digest"].as_str());
    let errors: Vec<_> = said.errors.iter().map(|e| (e.project_id.clone(), e.unit_id)).collect();
    let expected = list(answer, "errors", |error| {
        (id(&error["project_id"]), error["unit_id"].as_i64().unwrap())
    });
    assert_eq!(errors, expected);
    let pair = |key: &'static str| move |line: &Value| (id(&line["project_id"]).unwrap(), line[key].clone());
    let stale: Vec<_> = said
        .stale
        .iter()
        .map(|(id, sequence)| (id.clone(), json!(sequence)))
        .collect();
    assert_eq!(stale, list(answer, "stale", pair("sequence")));
    let digests: Vec<_> = said
        .properties
        .iter()
        .map(|(id, digest)| (id.clone(), json!(digest)))
        .collect();
    assert_eq!(digests, list(answer, "properties", pair("property_digest")));
}

#[tokio::test]
async fn the_relay_reads_all_that_an_example_says() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .unwrap();
    let schemas = Schemas::published();
    for (name, status) in [
        ("answer", 200),
        ("answer-all-properties", 200),
        ("answer-stale", 200),
        ("answer-refused", 422),
    ] {
        let examples = schemas.0[name]["examples"].as_array().unwrap();
        assert_ne!(examples, &[] as &[Value], "{name}");
        for example in examples {
            assert_eq!(schemas.complaints(name, example), [] as [String; 0]);
            let tried = read(&sandbox, status, example).await;
            if name == "answer-stale" {
                let sequence = example["sequence"].as_i64().unwrap();
                assert_eq!(tried.answer, Answer::Stale { sequence });
            } else {
                assert_eq!(tried.status, Some(status));
                is_read_whole(&tried, example);
            }
        }
    }
}

#[test]
fn what_the_relay_would_pass_over_is_refused() {
    let schemas = Schemas::published();
    for (name, wrong) in [
        ("answer", json!({"digest": "0"})),
        ("answer", json!({"property_digest": null})),
        ("answer", json!({"errors": {"12345": "no"}})),
        ("answer", json!({"errors": [{"message": "no"}]})),
        ("answer", json!({"errors": [{"unit_id": "12345"}]})),
        ("answer", json!({"errors": [{"unit_id": 12345, "reason": "no"}]})),
        ("answer", json!({"status": "ok"})),
        ("answer-stale", json!({"status": "stale"})),
        ("answer-stale", json!({"status": "stale", "sequence": "4800"})),
        ("answer-stale", json!({"status": "stale", "sequence": -1})),
        ("answer-all-properties", json!({"stale": [101]})),
        ("answer-all-properties", json!({"stale": [{"project_id": 101}]})),
        (
            "answer-all-properties",
            json!({"properties": [{"project_id": 101, "property_digest": "0"}]}),
        ),
        ("answer-all-properties", json!({"property_digest": "0".repeat(64)})),
        ("answer-refused", json!({"message": "no"})),
    ] {
        assert_ne!(schemas.complaints(name, &wrong), [] as [String; 0], "{name}: {wrong}");
    }
}
