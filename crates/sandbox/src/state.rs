//! What the receiver holds and how a sync changes it. Pure: no clock, no network, no lock.
//!
//! A sync is judged whole before any of it is applied: a refused one changes nothing. Its body is
//! forgotten; what stays is the units' text, a fingerprint of every body and the answer it got.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::breach::Breach;
use super::property::{Outcome, Property, PropertyState, PropertySummary, UnitError};
use super::received::{Digest, PropertyId, ReceivedProperty, ReceivedSync, SyncType};
use super::refusal::Refusal;

/// Sync IDs that are remembered; the oldest are forgotten first, and are then old by sequence.
const SYNC_IDS_MAX: usize = 200_000;

/// Everything the receiver holds.
#[derive(Clone, Default)]
pub struct State {
    properties: BTreeMap<PropertyId, Property>,
    known: HashMap<Arc<str>, Known>,
    /// The keys of `known`, oldest first.
    known_order: VecDeque<Arc<str>>,
}

/// What is remembered of a sync ID.
#[derive(Clone)]
struct Known {
    body: Digest,
    /// None while every attempt met a fault.
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

/// What goes wrong on purpose while a sync is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Twist {
    /// These units are not applied but listed as errors.
    pub reject_units: BTreeSet<i64>,
    /// The answer names this digest.
    pub digest: Option<String>,
    /// This sequence is said to have been applied before; nothing is.
    pub stale: Option<i64>,
    /// But only of this property.
    pub stale_only: Option<PropertyId>,
    /// These rules are broken.
    pub breaches: BTreeSet<Breach>,
}

impl Twist {
    fn stale(&self, project_id: &PropertyId) -> Option<Outcome> {
        let meant = self.stale_only.as_ref().is_none_or(|only| only == project_id);
        let sequence = self.stale.filter(|_| meant)?;
        let project_id = project_id.clone();
        Some(Outcome::Stale { project_id, sequence })
    }
}

impl State {
    /// Judges a sync and applies it, or gives the answer that it got before.
    /// What `twist` names goes wrong on the way.
    pub fn receive(&mut self, sync: ReceivedSync, body: Digest, twist: &Twist) -> Result<Answer, Refusal> {
        if !twist.breaches.contains(&Breach::SameAnswer) {
            self.same_body(&sync.sync_id, &body)?;
            if let Some(answer) = self.known_answer(&sync.sync_id) {
                if twist.breaches.contains(&Breach::AppliedOnce) {
                    let mut twist = twist.clone();
                    twist.breaches.insert(Breach::OlderSequence);
                    self.apply(sync, &twist);
                }
                return Ok(answer);
            }
        }
        for property in &sync.properties {
            self.judge(&sync, property)?;
            if twist.breaches.contains(&Breach::UnknownRemoval) {
                self.removals_are_known(property)?;
            }
        }
        let sync_id = sync.sync_id.clone();
        let answer = self.apply(sync, twist);
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

    /// Remembers the body of an attempt, whether it was applied or met a fault.
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

    /// How many properties were ever received.
    pub fn properties(&self) -> usize {
        self.properties.len()
    }

    /// Every property ever received.
    pub fn summaries(&self) -> Vec<PropertySummary> {
        let properties = self.properties.iter();
        properties
            .map(|(project_id, property)| property.summary(project_id.clone()))
            .collect()
    }

    /// One property, if it was ever received.
    pub fn property(&self, project_id: &PropertyId) -> Option<PropertyState> {
        let property = self.properties.get(project_id)?;
        Some(property.state(project_id.clone()))
    }

    fn known_answer(&self, sync_id: &str) -> Option<Answer> {
        let answer = self.known.get(sync_id)?.answer.as_ref()?;
        Some(Answer {
            applied: false,
            repeat: true,
            ..answer.clone()
        })
    }

    fn judge(&self, sync: &ReceivedSync, property: &ReceivedProperty) -> Result<(), Refusal> {
        let sequence = sync.order.as_ref().map(|order| order.sequence);
        match self.properties.get(&property.project_id) {
            Some(held) => held.judge(property, sequence),
            None => Property::default().judge(property, sequence),
        }
    }

    fn removals_are_known(&self, property: &ReceivedProperty) -> Result<(), Refusal> {
        let held = self.properties.get(&property.project_id);
        let is_known = |unit_id| held.is_some_and(|held| held.has(unit_id));
        match property.removals.iter().find(|removal| !is_known(removal.unit_id)) {
            Some(unknown) => Err(Refusal::breach(&unknown.place, "names a unit that is not there")),
            None => Ok(()),
        }
    }

    fn apply(&mut self, sync: ReceivedSync, twist: &Twist) -> Answer {
        let sequence = sync.order.as_ref().map(|order| order.sequence);
        let is_passed_over = twist.breaches.contains(&Breach::Replay)
            && sync
                .order
                .as_ref()
                .is_some_and(|order| order.sync_type == SyncType::Replay);
        let outcomes = sync.properties.into_iter().map(|property| {
            if let Some(outcome) = twist.stale(&property.project_id) {
                return outcome;
            }
            let held = self.properties.entry(property.project_id.clone()).or_default();
            if is_passed_over {
                return held.pass_over(property);
            }
            held.receive(property, sequence, &twist.reject_units, &twist.breaches)
        });
        Answer::of(outcomes.collect(), twist)
    }
}

impl Answer {
    /// One property answers for itself; several answer one by one. A A false digest stands in the place of each.
    fn of(outcomes: Vec<Outcome>, twist: &Twist) -> Self {
        let false_digest = twist.digest.as_deref();
        let is_silent = twist.breaches.contains(&Breach::Digest);
        let (mut stale, mut errors, mut digests) = (vec![], vec![], vec![]);
        let (count, mut mismatch) = (outcomes.len(), false);
        for outcome in outcomes {
            match outcome {
                Outcome::Stale { project_id, sequence } => stale.push((project_id, sequence)),
                Outcome::Applied(applied) => {
                    errors.extend(applied.errors);
                    let digest = applied.digest.map(hex::encode);
                    let digest = false_digest.map(str::to_owned).or(digest).filter(|_| !is_silent);
                    digests.extend(digest.map(|digest| (applied.project_id, digest)));
                    mismatch |= applied.mismatch;
                }
            }
        }
        let body = match (count, stale.as_slice(), digests.as_slice()) {
            (1, [(_, sequence)], _) => json!({ "status": "stale", "sequence": sequence }),
            (1, _, [(_, digest)]) => json!({ "property_digest": digest, "errors": errors }),
            (1, _, _) => json!({ "errors": errors }),
            (_, stale, digests) => batch_body(stale, digests, &errors),
        };
        Self {
            body: body.to_string(),
            applied: stale.len() < count,
            repeat: false,
            stale: !stale.is_empty(),
            digest_mismatch: mismatch,
        }
    }
}

/// What is not there to be said is left out.
fn batch_body(stale: &[(PropertyId, i64)], digests: &[(PropertyId, String)], errors: &[UnitError]) -> Value {
    let mut body = Map::new();
    if !stale.is_empty() {
        let line = |(id, sequence): &(PropertyId, i64)| json!({ "project_id": id, "sequence": sequence });
        body.insert("stale".into(), stale.iter().map(line).collect());
    }
    if !digests.is_empty() {
        let line = |(id, digest): &(PropertyId, String)| json!({ "project_id": id, "property_digest": digest });
        body.insert("properties".into(), digests.iter().map(line).collect());
    }
    body.insert("errors".into(), json!(errors));
    body.into()
}

#[cfg(test)]
mod tests;
