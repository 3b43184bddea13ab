//! One property as the receiver holds it: its units, their digest, its place in the order.
//!
//! [`Property::judge`] says whether a body fits what was received before and changes nothing;
//! [`Property::receive`] applies it and can't fail.

mod judge;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;
use serde_json::Value;

use super::breach::Breach;
use super::received::{Digest, Part, PropertyId, ReceivedDigest, ReceivedProperty, RemovedCode, Upsert, sha256};

/// Contents of one unit whose hash is remembered.
const CONTENTS_MAX: usize = 16;

/// What the receiver holds of one property.
#[derive(Clone, Default)]
pub struct Property {
    fields: Option<String>,
    units: BTreeMap<i64, Unit>,
    /// XOR over `units`, kept as they come and go.
    digest: Digest,
    sequence: i64,
    pending: Option<Pending>,
    /// Units received but rejected: present at the sender though not held here.
    rejected: BTreeSet<i64>,
    /// Fingerprint and hash of each unit's latest contents; outlives the unit.
    contents: BTreeMap<i64, VecDeque<(Digest, Digest)>>,
}

#[derive(Clone)]
struct Unit {
    unit_code: Option<String>,
    content: String,
    content_hash: Option<Digest>,
}

/// A snapshot of which parts are missing.
#[derive(Clone)]
struct Pending {
    snapshot_id: String,
    parts: i64,
    property_digest: ReceivedDigest,
    seen_parts: BTreeSet<i64>,
    seen_units: BTreeSet<i64>,
    keep: BTreeSet<i64>,
}

/// What the receiver holds of one property, for others to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PropertyState {
    /// The property.
    pub project_id: PropertyId,
    /// Its own fields as received last; null in formats that have none.
    pub property: Option<Value>,
    /// Unit objects as received, by `unit_id`.
    pub units: BTreeMap<i64, Value>,
    /// XOR over the units that came with a hash, in hex.
    #[serde(rename = "property_digest")]
    pub digest: String,
    /// The newest sequence applied; 0 where bodies have none.
    pub sequence: i64,
}

/// One line of the list of properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PropertySummary {
    /// The property.
    pub project_id: PropertyId,
    /// How many units it holds.
    pub units: usize,
    /// XOR over the units, in hex.
    pub property_digest: String,
    /// The newest sequence applied.
    pub sequence: i64,
}

/// A unit that was not applied, in the answer.
#[derive(Serialize)]
pub struct UnitError {
    unit_id: i64,
    message: &'static str,
}

/// What happened to one property of a sync.
pub enum Outcome {
    /// Nothing: `sequence` was applied before and is newer.
    Stale {
        /// The property.
        project_id: PropertyId,
        /// Its newest.
        sequence: i64,
    },
    /// It was applied.
    Applied(Applied),
}

/// What came of applying.
pub struct Applied {
    /// The property.
    pub project_id: PropertyId,
    /// Units that were not applied.
    pub errors: Vec<UnitError>,
    /// None where the body has no place for one, or names a later one: before a snapshot's last part.
    pub digest: Option<Digest>,
    /// The sender expected another digest.
    pub mismatch: bool,
}

impl Property {
    /// Its line in the list.
    pub fn summary(&self, project_id: PropertyId) -> PropertySummary {
        PropertySummary {
            project_id,
            units: self.units.len(),
            property_digest: hex::encode(self.digest),
            sequence: self.sequence,
        }
    }

    /// All of it.
    pub fn state(&self, project_id: PropertyId) -> PropertyState {
        let units = self.units.iter();
        PropertyState {
            project_id,
            property: self.fields.as_deref().map(parsed),
            units: units.map(|(unit_id, unit)| (*unit_id, unit.object())).collect(),
            digest: hex::encode(self.digest),
            sequence: self.sequence,
        }
    }

    fn pending_of(&self, part: &Part) -> Option<&Pending> {
        self.pending
            .as_ref()
            .filter(|pending| pending.snapshot_id == part.snapshot_id)
    }

    /// Applies what was judged, unless something newer was applied before. Units in `reject` are
    /// not applied but listed as errors. The rules in `breaches` are broken.
    pub fn receive(
        &mut self,
        mut received: ReceivedProperty,
        sequence: Option<i64>,
        reject: &BTreeSet<i64>,
        breaches: &BTreeSet<Breach>,
    ) -> Outcome {
        let newest = sequence.map_or(0, |sequence| sequence.max(self.sequence));
        if sequence.is_some_and(|sequence| sequence < self.sequence) && !breaches.contains(&Breach::OlderSequence) {
            if breaches.contains(&Breach::StaleAnswer) {
                return self.pass_over(received);
            }
            return Outcome::Stale {
                project_id: received.project_id,
                sequence: self.sequence,
            };
        }
        self.sequence = newest;
        self.spoil(&mut received, breaches);
        self.collect(&received);
        let (received_digest, completes) = (received.property_digest, received.completes());
        if received.property.is_some() {
            self.fields = received.property;
        }
        for removal in &received.removals {
            self.remove(removal.unit_id);
        }
        let errors = self.upsert_all(received.upserts, reject);
        if breaches.contains(&Breach::ReplacedBy) {
            for removal in &received.removals {
                if let RemovedCode::ReplacedBy(living) = removal.code {
                    self.remove(living);
                }
            }
        }
        self.drop_absent();
        Outcome::Applied(Applied {
            project_id: received.project_id,
            errors,
            digest: (completes && received_digest != ReceivedDigest::Nowhere).then_some(self.digest),
            mismatch: matches!(received_digest, ReceivedDigest::Is(digest) if completes && digest != self.digest),
        })
    }

    /// Whether it holds a unit.
    pub fn has(&self, unit_id: i64) -> bool {
        self.units.contains_key(&unit_id)
    }

    /// Says that it was applied, and it is not.
    pub fn pass_over(&self, received: ReceivedProperty) -> Outcome {
        let has_digest = received.completes() && received.property_digest != ReceivedDigest::Nowhere;
        Outcome::Applied(Applied {
            digest: has_digest.then_some(self.digest),
            project_id: received.project_id,
            errors: Vec::new(),
            mismatch: false,
        })
    }

    /// What a receiver that breaks these rules makes of it.
    fn spoil(&self, received: &mut ReceivedProperty, breaches: &BTreeSet<Breach>) {
        for breach in breaches {
            match (breach, &mut received.whole) {
                (Breach::Delta, None) => received.upserts.retain(|unit| !self.has(unit.unit_id)),
                (Breach::Removal, _) => received.removals.clear(),
                (Breach::Keep, _) => received.keep.clear(),
                (Breach::Snapshot, Some(part)) if part.parts == 1 => received.whole = None,
                (Breach::SnapshotParts, Some(part)) => (part.part, part.parts) = (1, 1),
                (Breach::PropertyChange, None) if received.upserts.is_empty() => received.property = None,
                _ => {}
            }
        }
    }

    /// Notes a part's units. Any other sync ends a snapshot that is still incomplete: its rest
    /// can't come any more, as it would be older.
    fn collect(&mut self, received: &ReceivedProperty) {
        let Some(part) = &received.whole else {
            self.pending = None;
            return;
        };
        if self.pending_of(part).is_none() {
            self.pending = Some(Pending::new(part, received.property_digest));
        }
        if let Some(pending) = &mut self.pending {
            pending.seen_parts.insert(part.part);
            pending
                .seen_units
                .extend(received.upserts.iter().map(|unit| unit.unit_id));
            pending.keep.extend(&received.keep);
        }
    }

    /// Once all parts were applied, what is in none of them is gone.
    fn drop_absent(&mut self) {
        let Some(snapshot) = self.pending.take_if(|pending| pending.is_complete()) else {
            return;
        };
        let absent: Vec<_> = self
            .units
            .keys()
            .chain(&self.rejected)
            .filter(|unit_id| !snapshot.spares(**unit_id))
            .copied()
            .collect();
        for unit_id in absent {
            self.remove(unit_id);
        }
    }

    fn upsert_all(&mut self, upserts: Vec<Upsert>, reject: &BTreeSet<i64>) -> Vec<UnitError> {
        let mut errors = Vec::new();
        for unit in upserts {
            self.remember_content(&unit);
            if reject.contains(&unit.unit_id) {
                self.rejected.insert(unit.unit_id);
                errors.push(UnitError {
                    unit_id: unit.unit_id,
                    message: "rejected by the fault reject_units",
                });
            } else {
                self.upsert(unit);
            }
        }
        errors
    }

    fn remember_content(&mut self, unit: &Upsert) {
        let Some(content_hash) = unit.content_hash else { return };
        let contents = self.contents.entry(unit.unit_id).or_default();
        let content = (sha256(unit.content.as_bytes()), content_hash);
        if contents.contains(&content) {
            return;
        }
        if contents.len() == CONTENTS_MAX {
            contents.pop_front();
        }
        contents.push_back(content);
    }

    fn upsert(&mut self, unit: Upsert) {
        self.remove(unit.unit_id);
        self.toggle(unit.unit_id, unit.content_hash);
        self.units.insert(
            unit.unit_id,
            Unit {
                unit_code: unit.unit_code,
                content: unit.content,
                content_hash: unit.content_hash,
            },
        );
    }

    fn remove(&mut self, unit_id: i64) {
        self.rejected.remove(&unit_id);
        if let Some(unit) = self.units.remove(&unit_id) {
            self.toggle(unit_id, unit.content_hash);
        }
    }

    /// Takes a unit into the digest or out of it: XOR is its own inverse.
    fn toggle(&mut self, unit_id: i64, content_hash: Option<Digest>) {
        let Some(content_hash) = content_hash else { return };
        let mark = sha256(format!("{unit_id}:{}", hex::encode(content_hash)).as_bytes());
        for (byte, mark) in self.digest.iter_mut().zip(mark) {
            *byte ^= mark;
        }
    }
}

impl Unit {
    /// The unit as it was received, hash included.
    fn object(&self) -> Value {
        let mut object = parsed(&self.content);
        if let Some(content_hash) = self.content_hash {
            object["content_hash"] = hex::encode(content_hash).into();
        }
        object
    }
}

impl Pending {
    fn new(part: &Part, property_digest: ReceivedDigest) -> Self {
        Self {
            snapshot_id: part.snapshot_id.clone(),
            parts: part.parts,
            property_digest,
            seen_parts: BTreeSet::new(),
            seen_units: BTreeSet::new(),
            keep: BTreeSet::new(),
        }
    }

    fn is_complete(&self) -> bool {
        i64::try_from(self.seen_parts.len()) == Ok(self.parts)
    }

    fn spares(&self, unit_id: i64) -> bool {
        self.seen_units.contains(&unit_id) || self.keep.contains(&unit_id)
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("text that this module was given is JSON")
}
