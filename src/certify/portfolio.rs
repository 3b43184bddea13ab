//! The properties and units that are sent to be certified: made up, under ids that are reserved for them, never available.
//!
//! Each probe has a property of its own, so that what one rule's breach leaves behind is not held against another. A
//! property's units are always the same: what an interrupted run left is overwritten by the next.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::fault::Fault;
use crate::payload::{Hash, Removal, RemovalReason, SealableProperty, SealableUnit, Shape};
use crate::unit::{Property, Unit};

use super::rules::Rule;

/// So many consecutive ids of properties are used.
pub const PROPERTIES: i64 = 32;
/// And so many of units, from the same number on.
pub const UNITS: i64 = 2_000;

/// Properties that are sent to at the same time, to see what rate is borne.
pub const BURST: i64 = 8;
/// More units than this are in no body, whatever the settings allow.
const LARGEST_UNITS: usize = 1_000;
const LARGEST_FIRST: i64 = 1_000;
/// Room for what stands around the units of the largest body.
const LARGEST_MARGIN: usize = 4_096;
const FIRST_OF_BURST: i64 = 24;

/// The units of a property, by their place in it.
pub const A: usize = 0;
pub const B: usize = 1;
pub const C: usize = 2;
/// One with nothing but its id: what the source has not is null.
pub const BARE: usize = 3;
/// A unit in another state than before: two of them, and one with the code of [`A`].
pub const CHANGED: usize = 1;
pub const CHANGED_AGAIN: usize = 2;
pub const WITH_CODE_OF_A: usize = 3;

/// Everything that may be sent.
pub struct Portfolio {
    pub first_id: i64,
    properties: BTreeMap<i64, TestProperty>,
}

/// A property, and each of its units in every state that is ever sent.
pub struct TestProperty {
    pub id: i64,
    pub sealable: SealableProperty,
    /// The same under another name.
    pub renamed: SealableProperty,
    units: Vec<Vec<SealableUnit>>,
}

impl Portfolio {
    pub fn new(shape: &Shape, first_id: i64, units_max: usize, body_bytes_max: usize) -> Result<Self> {
        let mut properties = BTreeMap::new();
        for number in 0..PROPERTIES {
            properties.insert(number, TestProperty::new(shape, first_id, number)?);
        }
        let largest = properties.entry(Rule::LargestBody as i64);
        largest.and_modify(|property| property.enlarge(shape, first_id, units_max.min(LARGEST_UNITS), body_bytes_max));
        let portfolio = Self { first_id, properties };
        let states = portfolio.of(Rule::Delta).states(A);
        ensure!(
            states[0].hash != states[CHANGED].hash && states[CHANGED].hash != states[CHANGED_AGAIN].hash,
            Fault::usage(
                "the receiver's fields leave nothing by which one state of a unit is known from another; include base_rent"
            )
        );
        Ok(portfolio)
    }

    /// The property of the probe for a rule.
    pub fn of(&self, rule: Rule) -> &TestProperty {
        self.numbered(rule as i64)
    }

    /// Those that a burst is about.
    pub fn burst(&self) -> impl Iterator<Item = (i64, &TestProperty)> {
        (FIRST_OF_BURST..FIRST_OF_BURST + BURST).map(|number| (number, self.numbered(number)))
    }

    pub fn numbered(&self, number: i64) -> &TestProperty {
        &self.properties[&number]
    }
}

impl TestProperty {
    fn new(shape: &Shape, first_id: i64, number: i64) -> Result<Self> {
        let id = first_id + number;
        let property = |name: &str| shape.property(&described(id, name), None);
        let sealable = property("Certification test")?;
        let first_unit = first_id + number * 10;
        let unit = |slot: usize, state: usize| shape.unit(&state_of(first_unit, slot, state), &sealable);
        let mut units = Vec::new();
        for slot in [A, B, C] {
            let states = if slot == B {
                0..=WITH_CODE_OF_A
            } else {
                0..=CHANGED_AGAIN
            };
            units.push(states.map(|state| unit(slot, state)).collect::<Result<Vec<_>>>()?);
        }
        let bare = Unit {
            unit_id: first_unit + BARE as i64,
            ..Unit::default()
        };
        units.push(vec![shape.unit(&bare, &sealable)?]);
        Ok(Self {
            id,
            renamed: property("Certification test, renamed")?,
            sealable,
            units,
        })
    }

    /// Units up to either limit in the place of the usual ones.
    fn enlarge(&mut self, shape: &Shape, first_id: i64, units_max: usize, body_bytes_max: usize) {
        self.units.clear();
        let mut bytes = LARGEST_MARGIN + shape.property_bytes(&self.sealable);
        for number in 0..units_max {
            let described = state_of(first_id + LARGEST_FIRST, number, 0);
            let Ok(unit) = shape.unit(&described, &self.sealable) else {
                break;
            };
            bytes += shape.entry_bytes(&unit);
            if bytes > body_bytes_max && !self.units.is_empty() {
                break;
            }
            self.units.push(vec![unit]);
        }
    }

    /// A unit in one of its states.
    pub fn unit(&self, slot: usize, state: usize) -> &SealableUnit {
        &self.units[slot][state]
    }

    pub fn states(&self, slot: usize) -> &[SealableUnit] {
        &self.units[slot]
    }

    pub fn slots(&self) -> usize {
        self.units.len()
    }

    pub fn id_of(&self, slot: usize) -> i64 {
        self.units[slot][0].unit_id
    }

    /// The state of a unit by its hash.
    pub fn hash_of(&self, slot: usize, state: usize) -> Hash {
        self.units[slot][state].hash
    }

    /// The removal of a unit.
    pub fn removal(&self, slot: usize) -> Removal {
        Removal {
            unit_id: self.id_of(slot),
            unit_code: self.units[slot][0].code.clone(),
            replaced_by: None,
            reason: RemovalReason::Deleted,
        }
    }
}

fn described(property_id: i64, name: &str) -> Property {
    Property {
        property_id,
        name: Some(name.to_owned()),
        address: Some("1 Test Street, Nowhere".to_owned()),
        project_group_id: None,
        is_active: true,
        is_lease_up: Some(false),
        unreadable: Vec::new(),
    }
}

/// What one state has and the next has not must be gone then: a unit is replaced whole.
fn state_of(first_unit: i64, slot: usize, state: usize) -> Unit {
    let code = if state == WITH_CODE_OF_A { A } else { slot };
    let number = state as i64;
    Unit {
        unit_id: first_unit + slot as i64,
        unit_code: Some(format!("TEST-{}", code + 1)),
        building: Some("Test".to_owned()),
        floor: Some(1 + number),
        floorplan: Some(format!("TEST-PLAN-{number}")),
        type_name: Some("Test unit".to_owned()),
        dwelling_type: Some("Apartment".to_owned()),
        status_id: Some(2),
        status_name: Some("Rented".to_owned()),
        when_available: None,
        base_rent: Some(1000.0 + 100.5 * state as f64),
        price_amortized: None,
        size_sqft: Some(700 + number),
        bedrooms: Some(1.0),
        bathrooms: Some(1.0 + 0.5 * state as f64),
        dens: Some(0),
        exposure: (state == 0).then(|| "SW".to_owned()),
        view: (state != CHANGED).then(|| format!("Test view {number}")),
        has_garage: Some(state == 0),
        pets_allowed: Some(number),
        parking_stalls: Some(number),
        storage_boxes: None,
        lead_first_name: None,
        lead_last_name: None,
        unreadable: Vec::new(),
        mapped_code: None,
    }
}
