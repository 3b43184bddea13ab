//! What the endpoint holds of a property: by what it shows, or else by the digest that it answers.
//!
//! A property has few units in few states, so its digest says which of all that it may hold it does hold. Nothing is guessed: what
//! fits nothing is not known.

use std::collections::BTreeMap;

use serde_json::Value;

use super::portfolio::TestProperty;
use super::session::{Asked, Session};
use crate::payload::{Digest, Hash};

/// More combinations are not gone through: of a large property only what it should be is compared.
const COMBINATIONS_MAX: usize = 4_096;

/// What it holds, as far as that is known.
#[derive(Debug, PartialEq)]
pub enum Held {
    /// Its units, each in the state of this hash, or in another than any that was sent.
    Units(BTreeMap<i64, Option<Hash>>),
    /// That can't be seen.
    Unseen,
}

impl Held {
    /// Whether it holds a unit, in whatever state; none where that can't be seen.
    pub fn has(&self, property: &TestProperty, slot: usize) -> Option<bool> {
        match self {
            Self::Units(units) => Some(units.contains_key(&property.id_of(slot))),
            Self::Unseen => None,
        }
    }

    /// Whether it holds a unit in this state.
    pub fn is(&self, property: &TestProperty, slot: usize, state: usize) -> Option<bool> {
        match self {
            Self::Units(units) => {
                let held = units.get(&property.id_of(slot)).copied().flatten();
                Some(held == Some(property.hash_of(slot, state)))
            }
            Self::Unseen => None,
        }
    }

    /// Whether it holds none at all.
    pub fn is_empty(&self) -> Option<bool> {
        match self {
            Self::Units(units) => Some(units.is_empty()),
            Self::Unseen => None,
        }
    }
}

/// What it holds after the exchange of this number.
pub async fn held(session: &mut Session, property: &TestProperty, posted: usize) -> Asked<Held> {
    let by_digest = by_digest(session, property, posted);
    let Some(shown) = session.ask_back(property.id).await? else {
        return Ok(by_digest);
    };
    let Some(units) = shown_units(&shown, property) else {
        return Ok(by_digest);
    };
    let exchange = &mut session.exchanges[posted];
    if let (Some(answered), Some(all)) = (
        exchange.digest(),
        units.iter().map(|(id, hash)| Some((*id, (*hash)?))).collect(),
    ) {
        exchange.digest_fits = Some(answered == digest(&all).to_string());
    }
    Ok(Held::Units(units))
}

/// The name that it shows of a property, where it shows one.
pub fn shown_name(shown: &[u8]) -> Option<String> {
    let shown: Value = serde_json::from_slice(shown).ok()?;
    let own = shown.get("property").unwrap_or(&shown);
    let name = ["project_name", "name"].iter().find_map(|key| own.get(key)?.as_str());
    name.map(str::to_owned)
}

fn by_digest(session: &mut Session, property: &TestProperty, posted: usize) -> Held {
    let exchange = &mut session.exchanges[posted];
    if !exchange.is_acknowledged() {
        return Held::Unseen;
    }
    let Some(answered) = exchange.digest() else {
        return Held::Unseen;
    };
    let answered = hex::decode(answered)
        .ok()
        .and_then(|bytes| Digest::try_from(bytes).ok());
    let found = combinations(property).find(|units| Some(digest(units)) == answered);
    exchange.digest_fits = Some(found.is_some());
    match found {
        Some(units) => Held::Units(units.into_iter().map(|(id, hash)| (id, Some(hash))).collect()),
        None => Held::Unseen,
    }
}

fn digest(units: &BTreeMap<i64, Hash>) -> Digest {
    let mut digest = Digest::EMPTY;
    units.iter().for_each(|(unit_id, hash)| digest.toggle(*unit_id, hash));
    digest
}

/// All that may be held: of every unit nothing, or one of its states. Where these are too many, all units in their first state, or none.
fn combinations(property: &TestProperty) -> Box<dyn Iterator<Item = BTreeMap<i64, Hash>> + '_> {
    let choices: Vec<usize> = (0..property.slots())
        .map(|slot| property.states(slot).len() + 1)
        .collect();
    let number = choices
        .iter()
        .try_fold(1_usize, |product, choices| product.checked_mul(*choices));
    match number.filter(|number| *number <= COMBINATIONS_MAX) {
        Some(number) => Box::new((0..number).map(move |mut place| {
            let mut units = BTreeMap::new();
            for (slot, choices) in choices.iter().enumerate() {
                if let Some(state) = (place % choices).checked_sub(1) {
                    units.insert(property.id_of(slot), property.hash_of(slot, state));
                }
                place /= choices;
            }
            units
        })),
        None => {
            let all = (0..property.slots()).map(|slot| (property.id_of(slot), property.hash_of(slot, 0)));
            Box::new([all.collect(), BTreeMap::new()].into_iter())
        }
    }
}

/// The units of what was shown: an object by their ids, or a list, at the top or under `units`.
fn shown_units(shown: &[u8], property: &TestProperty) -> Option<BTreeMap<i64, Option<Hash>>> {
    let shown: Value = serde_json::from_slice(shown).ok()?;
    let units = shown.get("units").unwrap_or(&shown);
    let by_id: Vec<(i64, &Value)> = match units {
        Value::Array(units) => units
            .iter()
            .map(|unit| Some((unit.get("unit_id")?.as_i64()?, unit)))
            .collect::<Option<_>>()?,
        Value::Object(units) => units
            .iter()
            .map(|(id, unit)| Some((id.parse().ok()?, unit)))
            .collect::<Option<_>>()?,
        _ => return None,
    };
    let state = |(id, shown): (i64, &Value)| {
        let slot = (0..property.slots()).find(|slot| property.id_of(*slot) == id);
        let states = slot.map_or(&[][..], |slot| property.states(slot));
        let fits = |json: &str| serde_json::from_str(json).is_ok_and(|sent: Value| shows(shown, &sent));
        (id, states.iter().find(|unit| fits(&unit.json)).map(|unit| unit.hash))
    };
    Some(by_id.into_iter().map(state).collect())
}

/// Whether what is shown of a unit is what was sent: of what both have nothing differs, and they have something but its ids in common.
fn shows(shown: &Value, sent: &Value) -> bool {
    fn compare(shown: &Value, sent: &Value, common: &mut usize) -> bool {
        match (shown, sent) {
            (Value::Object(shown), Value::Object(sent)) => sent.iter().all(|(key, sent)| match shown.get(key) {
                Some(_) if key.ends_with("_id") && key != "status_id" => true,
                Some(shown) => compare(shown, sent, common),
                None => true,
            }),
            (Value::Number(shown), Value::Number(sent)) => {
                *common += 1;
                shown.as_f64() == sent.as_f64()
            }
            (shown, sent) => {
                *common += 1;
                shown == sent
            }
        }
    }
    let mut common = 0;
    compare(shown, sent, &mut common) && common > 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::portfolio::{A, B, C, CHANGED, Portfolio};
    use super::super::rules::Rule;
    use super::*;
    use crate::config::Receiver;
    use crate::payload::Shape;

    #[test]
    fn a_digest_says_which_of_all_states_is_held() {
        let receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
        let portfolio = Portfolio::new(&Shape::new(&receiver, &[]), 1_000, 3, 100_000).unwrap();
        let property = portfolio.of(Rule::Delta);
        let held = BTreeMap::from([
            (property.id_of(A), property.hash_of(A, CHANGED)),
            (property.id_of(C), property.hash_of(C, 0)),
        ]);
        let found: Vec<_> = combinations(property)
            .filter(|units| digest(units) == digest(&held))
            .collect();
        assert_eq!(found, [held]);
        assert!(combinations(property).any(|units| units.is_empty()));
    }

    #[test]
    fn what_is_shown_is_known_by_its_values_and_not_by_a_hash_that_was_kept() {
        let receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
        let portfolio = Portfolio::new(&Shape::new(&receiver, &[]), 1_000, 3, 100_000).unwrap();
        let property = portfolio.of(Rule::Delta);
        let mut mixed: Value = serde_json::from_str(&property.unit(A, CHANGED).json).unwrap();
        mixed["view"] = json!("Test view 0");
        let whole: Value = serde_json::from_str(&property.unit(B, 0).json).unwrap();
        let shown = json!({ "units": [mixed, whole] }).to_string();
        let units = Held::Units(shown_units(shown.as_bytes(), property).unwrap());
        assert_eq!(units.is(property, B, 0), Some(true));
        assert_eq!(
            (units.has(property, A), units.is(property, A, CHANGED)),
            (Some(true), Some(false))
        );
        assert_eq!(units.has(property, C), Some(false));
        assert!(shown_units(b"{\"units\":12}", property).is_none());
        assert!(!shows(&json!({ "unit_id": 1 }), &json!({ "unit_id": 1, "floor": 2 })));
    }
}
