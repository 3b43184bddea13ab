//! `docs/openapi.json`: whole, and in its answers of one mind with `src/policy.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use rentsync_relay::config::{Receiver, Retry};
use rentsync_relay::policy::{Answer, Decision, Tried, decide};
use serde_json::Value;

use super::{SHARED, json_of, names_in, text_of};

fn endpoint(api: &Value) -> &Value {
    &api["paths"]["/v1/rent-roll/sync"]["post"]
}

/// As every setting is by default.
fn usual() -> Retry {
    let mut retry = Receiver::new("main", "https://receiver.invalid/".parse().unwrap()).retry;
    retry.jitter_percent = 0;
    retry
}

fn decided(answer: &Answer, attempts: u32) -> Decision {
    let tried = Tried {
        limited: 0,
        several: false,
        others_acknowledged: false,
        failed_before: false,
        attempts,
        waits: 0,
        age: Duration::ZERO,
        probe: false,
        jitter: 0.0,
    };
    decide(answer, tried, &usual())
}

/// The description's word for what a first attempt comes to.
fn word(answer: &Answer) -> &'static str {
    match decided(answer, 0) {
        Decision::Delivered => "delivered",
        Decision::Renumber { .. } => "renumber",
        Decision::Retry { .. } => "retry",
        Decision::Wait { .. } => "wait",
        Decision::Rejected => "rejected",
        Decision::Pause => "pause",
        other => panic!("{other:?} is for no answer of a receiver"),
    }
}

/// Every reference in a document, resolved against where it stands.
fn references(value: &Value, path: &str) -> Vec<String> {
    let below: Vec<&Value> = match value {
        Value::Object(entries) => entries.values().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => vec![],
    };
    let mut found: Vec<_> = below.into_iter().flat_map(|value| references(value, path)).collect();
    if let Some(reference) = value.get("$ref") {
        let reference = reference.as_str().unwrap();
        let directory = path.rsplit_once('/').unwrap().0;
        found.push(match reference.strip_prefix('#') {
            Some(within) => format!("{path}#{within}"),
            None => format!("{directory}/{reference}"),
        });
    }
    found
}

#[test]
fn every_reference_leads_somewhere() {
    let mut documents = vec!["docs/openapi.json".to_owned()];
    documents.extend(
        names_in("docs/schemas")
            .iter()
            .map(|name| format!("docs/schemas/{name}.json")),
    );
    let mut followed = 0;
    for path in documents {
        for reference in references(&json_of(&path), &path) {
            let (file, within) = reference.split_once('#').unwrap_or((&reference, ""));
            assert!(json_of(file).pointer(within).is_some(), "{path} refers to {reference}");
            followed += 1;
        }
    }
    assert!(followed > 100);
}

#[test]
fn each_body_and_each_answer_is_named_and_nothing_else() {
    let api = json_of("docs/openapi.json");
    assert_eq!(api["openapi"], "3.1.0");
    let named = |value: &Value| -> BTreeSet<String> {
        let files = references(value, "docs/openapi.json").into_iter();
        files
            .map(|file| file.replace("docs/schemas/", "").replace(".json", ""))
            .collect()
    };
    let published = names_in("docs/schemas")
        .into_iter()
        .filter(|name| !SHARED.contains(&name.as_str()));
    let (answers, bodies): (BTreeSet<_>, BTreeSet<_>) = published.partition(|name| name.starts_with("answer"));
    assert_eq!(named(&endpoint(&api)["requestBody"]), bodies);
    assert_eq!(named(&endpoint(&api)["responses"]), answers);
}

#[test]
fn every_status_is_answered_as_it_says() {
    let api = json_of("docs/openapi.json");
    let responses = &endpoint(&api)["responses"];
    for status in 200..=599u16 {
        let exact = responses.get(status.to_string());
        let response = exact.unwrap_or_else(|| &responses[format!("{}XX", status / 100)]);
        let answer = Answer::Status {
            status,
            retry_after: None,
        };
        assert_eq!(response["x-relay-decision"], word(&answer), "{status}");
    }
    let stale = Answer::Stale { sequence: 1 };
    assert_eq!(responses["2XX"]["x-relay-decision-if-stale"], word(&stale));
    let without = endpoint(&api)["x-relay-without-answer"].as_object().unwrap();
    let kinds = [
        ("timeout", Answer::Timeout),
        ("not_connected", Answer::NotConnected),
        ("connection_lost", Answer::ConnectionLost),
        ("bad_certificate", Answer::BadCertificate),
    ];
    assert_eq!(without.len(), kinds.len());
    for (kind, answer) in kinds {
        assert_eq!(without[kind], word(&answer), "{kind}");
    }
}

#[test]
fn every_answers_text_has_the_sentence_of_its_decision() {
    let api = json_of("docs/openapi.json");
    let sentences = &api["x-relay-decisions"];
    for (status, response) in endpoint(&api)["responses"].as_object().unwrap() {
        let decision = response["x-relay-decision"].as_str().unwrap();
        let sentence = sentences[decision].as_str().unwrap();
        let description = response["description"].as_str().unwrap();
        assert!(description.ends_with(sentence), "{status}: {description}");
        let asks = response["headers"]["Retry-After"].is_object();
        assert_eq!(asks, ["retry", "wait"].contains(&decision), "{status}: Retry-After");
    }
}

#[test]
fn the_schedule_is_the_relays_and_after_it_the_sync_is_given_up() {
    let api = json_of("docs/openapi.json");
    let schedule = endpoint(&api)["x-relay-retry-schedule"].as_array().unwrap();
    let waits: Vec<_> = schedule
        .iter()
        .map(|wait| humantime::parse_duration(wait.as_str().unwrap()).unwrap())
        .collect();
    for (attempts, after) in (0..).zip(&waits) {
        assert_eq!(decided(&Answer::Timeout, attempts), Decision::Retry { after: *after });
    }
    let last = u32::try_from(waits.len()).unwrap();
    assert_eq!(decided(&Answer::Timeout, last), Decision::Exhausted);
}

#[test]
fn every_method_of_proof_is_described() {
    let api = json_of("docs/openapi.json");
    let schemes = api["components"]["securitySchemes"].as_object().unwrap();
    let example = text_of("relay.example.toml");
    let methods: BTreeSet<_> = example
        .lines()
        .filter_map(|line| line.strip_prefix("# With method = \"")?.split_once('"'))
        .map(|(method, _)| method)
        .collect();
    assert_eq!(schemes.keys().map(String::as_str).collect::<BTreeSet<_>>(), methods);
    for (method, scheme) in schemes {
        let says = format!("auth.method = \"{method}\"");
        assert!(scheme["description"].as_str().unwrap().starts_with(&says), "{method}");
    }
    let ways: BTreeSet<_> = api["security"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|way| way.as_object().unwrap().keys())
        .collect();
    assert_eq!(ways, schemes.keys().collect());
}
