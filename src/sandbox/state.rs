//! What the receiver holds, and how a checked body changes it. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::check::{Snapshot, Told, Unit};

/// A status and the JSON that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    pub repeat: bool,
    pub stale: bool,
    pub digest_mismatch: bool,
}

impl Answer {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            repeat: false,
            stale: false,
            digest_mismatch: false,
        }
    }

    pub(super) fn refusal(message: impl Into<String>) -> Self {
        Self::new(400, json!({ "error": message.into() }))
    }
}

/// Everything told so far.
#[derive(Default)]
pub(super) struct State {
    properties: BTreeMap<i64, Property>,
    /// Sync IDs that were answered with success: the body's hash and the answer.
    known: HashMap<String, ([u8; 32], Answer)>,
    /// Per unit its content and its content hash, as sent last.
    contents: HashMap<(i64, i64), ([u8; 32], String)>,
}

#[derive(Default)]
pub(super) struct Property {
    pub property: Option<Value>,
    pub units: BTreeMap<i64, Held>,
    pub digest: [u8; 32],
    pub sequence: i64,
    snapshot: Option<Parts>,
}

pub(super) struct Held {
    pub unit_code: Option<String>,
    pub content_hash: String,
    pub json: String,
}

/// The parts of a snapshot that have come so far.
struct Parts {
    id: String,
    came: HashSet<i64>,
    present: HashSet<i64>,
}

impl State {
    pub(super) fn properties(&self) -> &BTreeMap<i64, Property> {
        &self.properties
    }

    /// The receiver's rules, one after another.
    pub(super) fn receive(&mut self, told: &Told, body: &[u8], rejected: &[i64]) -> Answer {
        let body_hash = Sha256::digest(body).into();
        if let Some((known, answer)) = self.known.get(&told.sync_id) {
            if *known != body_hash {
                return Answer::refusal(format!("sync {} was sent before with another body", told.sync_id));
            }
            return Answer {
                repeat: true,
                ..answer.clone()
            };
        }
        let newest = self
            .properties
            .get(&told.project_id)
            .map_or(0, |property| property.sequence);
        let answer = if told.sequence < newest {
            Answer {
                stale: true,
                ..Answer::new(200, json!({ "status": "stale", "sequence": newest }))
            }
        } else if told.sequence == newest {
            return Answer::refusal(format!("sequence {newest} was used before, by another sync"));
        } else if let Err(message) = self.check_against(told) {
            return Answer::refusal(message);
        } else {
            self.apply(told, rejected)
        };
        self.known.insert(told.sync_id.clone(), (body_hash, answer.clone()));
        answer
    }

    /// What can be wrong only in the light of what came before.
    fn check_against(&self, told: &Told) -> Result<(), String> {
        for unit in &told.units {
            let Some((content, hash)) = self.contents.get(&(told.project_id, unit.unit_id)) else {
                continue;
            };
            let same_content = *content == content_of(unit);
            let same_hash = *hash == unit.content_hash;
            if same_content != same_hash {
                return Err(format!(
                    "unit {}: its content is {} but its content_hash is {}",
                    unit.unit_id,
                    if same_content { "the same" } else { "another" },
                    if same_hash { "the same" } else { "another" },
                ));
            }
        }
        self.check_removals(told)
    }

    fn check_removals(&self, told: &Told) -> Result<(), String> {
        if told.removed.is_empty() {
            return Ok(());
        }
        let removed: HashSet<i64> = told.removed.iter().map(|removed| removed.unit_id).collect();
        let held = self.properties.get(&told.project_id);
        let told_ids: HashSet<i64> = told.units.iter().map(|unit| unit.unit_id).collect();
        let remaining = held
            .into_iter()
            .flat_map(|property| &property.units)
            .filter(|(unit_id, _)| !removed.contains(unit_id) && !told_ids.contains(unit_id))
            .map(|(unit_id, held)| (*unit_id, held.unit_code.as_deref()));
        let codes: HashMap<i64, Option<&str>> = told
            .units
            .iter()
            .map(|unit| (unit.unit_id, unit.unit_code.as_deref()))
            .chain(remaining)
            .collect();
        for gone in &told.removed {
            if gone.replaced_by.is_some_and(|by| removed.contains(&by)) {
                return Err(format!(
                    "removed unit {}: replaced_by names a unit that is removed too",
                    gone.unit_id
                ));
            }
            let code = gone.unit_code.as_deref();
            if code.is_some() && codes.values().any(|other| *other == code) {
                return Err(format!(
                    "removed unit {}: its unit_code is that of a present unit; expected replaced_by",
                    gone.unit_id
                ));
            }
        }
        Ok(())
    }

    fn apply(&mut self, told: &Told, rejected: &[i64]) -> Answer {
        let property = self.properties.entry(told.project_id).or_default();
        property.sequence = told.sequence;
        property.property = Some(told.property.clone());
        for removed in &told.removed {
            property.remove(removed.unit_id);
        }
        let mut errors = Vec::new();
        for unit in &told.units {
            if rejected.contains(&unit.unit_id) {
                errors.push(json!({ "unit_id": unit.unit_id, "message": "rejected by fault" }));
                continue;
            }
            property.put(unit);
            self.contents.insert(
                (told.project_id, unit.unit_id),
                (content_of(unit), unit.content_hash.clone()),
            );
        }
        let complete = match &told.snapshot {
            Some(snapshot) => property.take_part(snapshot, told),
            None => true,
        };
        let digest = hex::encode(property.digest);
        Answer {
            digest_mismatch: complete && digest != told.digest,
            ..Answer::new(200, json!({ "property_digest": digest, "errors": errors }))
        }
    }
}

impl Property {
    fn put(&mut self, unit: &Unit) {
        self.remove(unit.unit_id);
        self.toggle(unit.unit_id, &unit.content_hash);
        self.units.insert(
            unit.unit_id,
            Held {
                unit_code: unit.unit_code.clone(),
                content_hash: unit.content_hash.clone(),
                json: unit.json.clone(),
            },
        );
    }

    fn remove(&mut self, unit_id: i64) {
        if let Some(held) = self.units.remove(&unit_id) {
            self.toggle(unit_id, &held.content_hash);
        }
    }

    fn toggle(&mut self, unit_id: i64, content_hash: &str) {
        let entry = Sha256::digest(format!("{unit_id}:{content_hash}"));
        for (byte, with) in self.digest.iter_mut().zip(entry) {
            *byte ^= with;
        }
    }

    /// Once all parts came, what is in none of them nor kept is dropped. Says whether they have.
    fn take_part(&mut self, snapshot: &Snapshot, told: &Told) -> bool {
        if self.snapshot.as_ref().is_none_or(|parts| parts.id != snapshot.id) {
            self.snapshot = Some(Parts {
                id: snapshot.id.clone(),
                came: HashSet::new(),
                present: HashSet::new(),
            });
        }
        let parts = self.snapshot.as_mut().expect("it was just put there");
        parts.came.insert(snapshot.part);
        parts.present.extend(told.units.iter().map(|unit| unit.unit_id));
        parts.present.extend(&snapshot.keep);
        if (1..=snapshot.parts).any(|part| !parts.came.contains(&part)) {
            return false;
        }
        let present = self.snapshot.take().map(|parts| parts.present).unwrap_or_default();
        let absent: Vec<i64> = self
            .units
            .keys()
            .filter(|unit_id| !present.contains(unit_id))
            .copied()
            .collect();
        for unit_id in absent {
            self.remove(unit_id);
        }
        true
    }
}

/// The unit as it was sent, without its hash.
fn content_of(unit: &Unit) -> [u8; 32] {
    Sha256::digest(unit.json.replace(&unit.content_hash, "")).into()
}
