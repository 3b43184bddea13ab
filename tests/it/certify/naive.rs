//! A receiver that puts in what it is sent and does nothing else, as a first version often is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rentsync_relay::certify::{Rule, Verdict, markdown};
use serde_json::{Value, json};

use super::{of, receiver, run};
use crate::receiver::stub::{Stub, answer};

pub type Units = Arc<Mutex<BTreeMap<i64, BTreeMap<i64, Value>>>>;

/// It reads JSON, upserts `units`, answers 200 to everything, and shows what it has at `/units/ID`.
pub async fn naive() -> (Stub, Units) {
    let held: Units = Arc::default();
    let state = held.clone();
    let stub = Stub::answering(move |_, request| {
        let mut held = state.lock().unwrap();
        if let Some(id) = request.path.strip_prefix("/units/") {
            let units = held.get(&id.parse().unwrap()).cloned().unwrap_or_default();
            return answer(
                200,
                &[("content-type", "application/json")],
                json!({ "units": units }).to_string(),
            );
        }
        if request.body.is_empty() {
            return answer(405, &[], "");
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return answer(500, &[], "Internal Server Error");
        };
        let property = body["property"]["project_id"].as_i64().unwrap_or(0);
        for unit in body["units"].as_array().into_iter().flatten() {
            let units = held.entry(property).or_default();
            units.insert(unit["unit_id"].as_i64().unwrap(), unit.clone());
        }
        answer(200, &[("content-type", "application/json")], r#"{"ok":true}"#)
    })
    .await;
    (stub, held)
}

#[tokio::test]
async fn a_receiver_that_only_upserts_is_found_out_by_what_it_shows() {
    let (stub, held) = naive().await;
    let report = run(receiver(&stub.url), Some("/units/{project_id}")).await;
    let not_kept = [
        Rule::Unreadable,
        Rule::AppliedOnce,
        Rule::OlderSequence,
        Rule::Removal,
        Rule::Snapshot,
        Rule::SnapshotParts,
        Rule::Digest,
        Rule::Gzip,
    ];
    assert_eq!(of(&report, Verdict::NotKept), not_kept, "{:#?}", report.rules);
    // What drops nothing shows nothing of what it would spare.
    let unseen = [
        Rule::Credentials,
        Rule::ReplacedBy,
        Rule::Keep,
        Rule::PropertyChange,
        Rule::UnitErrors,
        Rule::RateLimit,
    ];
    assert_eq!(of(&report, Verdict::NotVisible), unseen);
    for line in [
        "removed = \"unavailable\"",
        "accept = \"json\"",
        "compression = \"none\"",
    ] {
        assert!(report.settings.contains(line), "{}", report.settings);
    }
    // It drops nothing, and that is said.
    assert!(
        report
            .remains
            .iter()
            .all(|left| left.contains("units remain (") && left.ends_with("never sent as available")),
        "{:?}",
        report.remains
    );
    let available = held
        .lock()
        .unwrap()
        .values()
        .flat_map(BTreeMap::values)
        .filter(|unit| unit["is_available"] == true)
        .count();
    assert_eq!(available, 0);
}

#[tokio::test]
async fn of_a_receiver_that_shows_nothing_only_its_answers_are_judged() {
    let (stub, _held) = naive().await;
    let report = run(receiver(&stub.url), None).await;
    let not_kept = [Rule::Unreadable, Rule::OlderSequence, Rule::Digest, Rule::Gzip];
    assert_eq!(of(&report, Verdict::NotKept), not_kept, "{:#?}", report.rules);
    assert_eq!(report.costly(), ["unreadable", "older_sequence"]);
    let text = markdown(&report);
    assert!(
        text.contains(
            "what is held can't be seen: no answer has a digest that says so, and nothing that is read back shows it"
        ),
        "{text}"
    );
}
