//! Whether what a body says of a property fits what was received before. Changes nothing.

use std::collections::{BTreeMap, HashMap};

use super::super::received::{Part, ReceivedProperty, RemovedCode, Upsert, sha256};
use super::super::refusal::Refusal;
use super::Property;

impl Property {
    /// Whether a body fits what was received before. A stale sync is not judged: the state it
    /// was written against is gone. Without a sequence the later request wins, and nothing is compared.
    pub fn judge(&self, received: &ReceivedProperty, sequence: Option<i64>) -> Result<(), Refusal> {
        match sequence {
            None => return Ok(()),
            Some(sequence) if sequence < self.sequence => return Ok(()),
            Some(sequence) if sequence == self.sequence => {
                return Err(Refusal::breach(
                    "$.sync_metadata.sequence",
                    format!("{sequence} was applied under another sync ID; expected a sequence of its own"),
                ));
            }
            Some(_) => {}
        }
        self.hashes_fit_contents(received)?;
        self.removals_spare_the_living(received)?;
        match &received.whole {
            Some(part) => self.part_fits(part, received),
            None => Ok(()),
        }
    }

    /// Equal content, equal hash, and the reverse.
    fn hashes_fit_contents(&self, received: &ReceivedProperty) -> Result<(), Refusal> {
        for unit in &received.upserts {
            if let Some(what) = self.hash_defect(unit) {
                return Err(Refusal::breach(
                    format!("{}.content_hash", unit.place),
                    format!("of unit {} {what}", unit.unit_id),
                ));
            }
        }
        Ok(())
    }

    fn hash_defect(&self, unit: &Upsert) -> Option<&'static str> {
        let (contents, claimed) = (self.contents.get(&unit.unit_id)?, unit.content_hash?);
        let fingerprint = sha256(unit.content.as_bytes());
        contents
            .iter()
            .find_map(|(content, hash)| match (*content == fingerprint, *hash == claimed) {
                (true, false) => Some("is another than before for the same content; expected the same"),
                (false, true) => Some("is the same as before for another content; expected another"),
                (true, true) | (false, false) => None,
            })
    }

    /// A receiver keyed by code must not delete a living unit with a removed one's code.
    fn removals_spare_the_living(&self, received: &ReceivedProperty) -> Result<(), Refusal> {
        if received.removals.is_empty() {
            return Ok(());
        }
        let present = self.codes_after(received);
        let carriers: HashMap<&str, i64> = present
            .iter()
            .filter_map(|(unit_id, code)| code.map(|code| (code, *unit_id)))
            .collect();
        for removal in &received.removals {
            let place = |key| format!("{}.{key}", removal.place);
            match &removal.code {
                // Any other id may be a unit that the sender has and has yet to send.
                RemovedCode::ReplacedBy(by) if received.removals.iter().any(|other| other.unit_id == *by) => {
                    return Err(Refusal::breach(
                        place("replaced_by"),
                        format!("{by} is removed too; expected one that is present"),
                    ));
                }
                RemovedCode::Freed(Some(code)) => {
                    if let Some(carrier) = carriers.get(code.as_str()) {
                        return Err(Refusal::breach(
                            place("unit_code"),
                            format!("is carried by unit {carrier}; expected replaced_by instead"),
                        ));
                    }
                }
                RemovedCode::ReplacedBy(_) | RemovedCode::Freed(None) => {}
            }
        }
        Ok(())
    }

    /// The units that would be present after applying, with their codes.
    fn codes_after<'s>(&'s self, received: &'s ReceivedProperty) -> BTreeMap<i64, Option<&'s str>> {
        let mut codes: BTreeMap<_, _> = self
            .units
            .iter()
            .map(|(unit_id, unit)| (*unit_id, unit.unit_code.as_deref()))
            .collect();
        for removal in &received.removals {
            codes.remove(&removal.unit_id);
        }
        for unit in &received.upserts {
            codes.insert(unit.unit_id, unit.unit_code.as_deref());
        }
        codes
    }

    /// A part agrees with the other parts of its snapshot.
    fn part_fits(&self, part: &Part, received: &ReceivedProperty) -> Result<(), Refusal> {
        let Some(pending) = self.pending_of(part) else {
            return Ok(());
        };
        if pending.parts != part.parts {
            return Err(Refusal::breach(
                "$.sync_metadata.parts",
                format!("is {}; expected {} as in the parts before", part.parts, pending.parts),
            ));
        }
        if pending.seen_parts.contains(&part.part) {
            return Err(Refusal::breach(
                "$.sync_metadata.part",
                format!("{} came under another sync ID; expected each part once", part.part),
            ));
        }
        if pending.property_digest != received.property_digest {
            return Err(Refusal::breach(
                format!("{}.property_digest", received.place),
                "is another than in the parts before; expected that of the state after the last",
            ));
        }
        for unit in &received.upserts {
            if pending.seen_units.contains(&unit.unit_id) {
                return Err(Refusal::breach(
                    format!("{}.unit_id", unit.place),
                    format!("{} was in a part before; expected each unit once", unit.unit_id),
                ));
            }
        }
        Ok(())
    }
}
