//! What the receiver holds and how a sync changes it. Pure: no clock, no network, no lock.
//!
//! A sync is judged whole before any of it is applied: a refused one changes nothing. Its body is
//! forgotten; what stays is the units' text, a fingerprint of every body and the answer it got.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::json;

use super::property::{Outcome, Property, PropertyState, PropertySummary, UnitError};
use super::refusal::Refusal;
use super::told::{Digest, Told, ToldProperty};

/// Sync IDs that are remembered; the oldest are forgotten first, and are then old by sequence.
const SYNC_IDS_MAX: usize = 200_000;

/// Everything the receiver holds.
#[derive(Default)]
pub struct State {
    properties: BTreeMap<i64, Property>,
    known: HashMap<Arc<str>, Known>,
    /// The keys of `known`, oldest first.
    known_order: VecDeque<Arc<str>>,
}

/// What is remembered of a sync ID.
struct Known {
    body: Digest,
    /// None while no attempt was taken: all met a fault.
    answer: Option<Answer>,
}

/// A 200 answer and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// JSON text.
    pub body: String,
    /// The sync changed the state (a repeat or a stale one doesn't).
    pub applied: bool,
    /// The sync ID was known.
    pub repeat: bool,
    /// Some property had a newer sequence.
    pub stale: bool,
    /// The sender expected another digest.
    pub digest_mismatch: bool,
}

impl State {
    /// Judges a sync and applies it, or gives the answer that it got before.
    /// Units in `reject` are not applied but listed as errors.
    pub fn receive(&mut self, told: Told, body: Digest, reject: &BTreeSet<i64>) -> Result<Answer, Refusal> {
        self.same_body(&told.sync_id, &body)?;
        if let Some(answer) = self.known_answer(&told.sync_id) {
            return Ok(answer);
        }
        for property in &told.properties {
            self.judge(&told, property)?;
        }
        let sync_id = told.sync_id.clone();
        let answer = self.apply(told, reject);
        self.note(&sync_id, body);
        if let Some(known) = self.known.get_mut(sync_id.as_str()) {
            known.answer = Some(answer.clone());
        }
        Ok(answer)
    }

    /// One sync ID has one body, on every attempt.
    pub fn same_body(&self, sync_id: &str, body: &Digest) -> Result<(), Refusal> {
        match self.known.get(sync_id) {
            Some(known) if known.body != *body => Err(Refusal::breach(
                "$",
                format!("sync {sync_id} was sent before with another body; expected the same bytes"),
            )),
            _ => Ok(()),
        }
    }

    /// Remembers the body of an attempt, whether it was taken or met a fault.
    pub fn note(&mut self, sync_id: &str, body: Digest) {
        if self.known.contains_key(sync_id) {
            return;
        }
        if self.known_order.len() == SYNC_IDS_MAX
            && let Some(oldest) = self.known_order.pop_front()
        {
            self.known.remove(&oldest);
        }
        let sync_id: Arc<str> = sync_id.into();
        self.known_order.push_back(sync_id.clone());
        self.known.insert(sync_id, Known { body, answer: None });
    }

    /// Every property ever told.
    pub fn summaries(&self) -> Vec<PropertySummary> {
        let properties = self.properties.iter();
        properties
            .map(|(project_id, property)| property.summary(*project_id))
            .collect()
    }

    /// One property, if it was ever told.
    pub fn property(&self, project_id: i64) -> Option<PropertyState> {
        let property = self.properties.get(&project_id)?;
        Some(property.state(project_id))
    }

    fn known_answer(&self, sync_id: &str) -> Option<Answer> {
        let answer = self.known.get(sync_id)?.answer.as_ref()?;
        Some(Answer {
            applied: false,
            repeat: true,
            ..answer.clone()
        })
    }

    fn judge(&self, told: &Told, property: &ToldProperty) -> Result<(), Refusal> {
        match self.properties.get(&property.project_id) {
            Some(held) => held.judge(told, property),
            None => Property::default().judge(told, property),
        }
    }

    fn apply(&mut self, told: Told, reject: &BTreeSet<i64>) -> Answer {
        let (sequence, sync_type) = (told.sequence, told.sync_type);
        let outcomes = told.properties.into_iter().map(|property| {
            let held = self.properties.entry(property.project_id).or_default();
            held.receive(property, sequence, &sync_type, reject)
        });
        Answer::of(outcomes.collect())
    }
}

impl Answer {
    /// One property answers for itself; several answer with what is not as the sender thinks.
    fn of(outcomes: Vec<Outcome>) -> Self {
        let (mut stale, mut errors, mut digests) = (vec![], vec![], vec![]);
        let mut mismatch = false;
        let told = outcomes.len();
        for outcome in outcomes {
            match outcome {
                Outcome::Stale { project_id, sequence } => stale.push((project_id, sequence)),
                Outcome::Applied(applied) => {
                    errors.extend(applied.errors);
                    digests.extend(applied.digest);
                    mismatch |= applied.mismatch;
                }
            }
        }
        let body = match (told, stale.as_slice(), digests.as_slice()) {
            (1, [(_, sequence)], _) => json!({ "status": "stale", "sequence": sequence }),
            (1, _, [digest]) => json!({ "property_digest": hex::encode(digest), "errors": errors }),
            (1, _, _) => json!({ "errors": errors }),
            (_, stale, _) => batch_body(stale, &errors),
        };
        Self {
            body: body.to_string(),
            applied: stale.len() < told,
            repeat: false,
            stale: !stale.is_empty(),
            digest_mismatch: mismatch,
        }
    }
}

fn batch_body(stale: &[(i64, i64)], errors: &[UnitError]) -> serde_json::Value {
    let stale: Vec<_> = stale
        .iter()
        .map(|(project_id, sequence)| json!({ "project_id": project_id, "sequence": sequence }))
        .collect();
    json!({ "stale": stale, "errors": errors })
}

#[cfg(test)]
mod tests;
