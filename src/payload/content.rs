//! What the fields of a unit hold: as the source has it, or as it was sealed last.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use serde_json::value::RawValue;

use super::json::Text;
use super::layout::{Content, NESTED};
use crate::config::Field;
use crate::unit::Unit;

/// A unit of the source, and what this receiver's settings make of it.
pub(super) struct Present<'a> {
    pub unit: &'a Unit,
    pub code: Option<&'a str>,
    pub is_available: bool,
}

/// What a field of a unit holds.
pub(super) enum Value<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
    Float(Option<f64>),
    Boolean(Option<bool>),
}

impl Present<'_> {
    /// What the receiver is sent there.
    pub fn value(&self, field: Field) -> Value<'_> {
        let unit = self.unit;
        match field {
            Field::UnitCode => Value::Text(self.code),
            Field::Building => Value::Text(unit.building.as_deref()),
            Field::Floor => Value::Integer(unit.floor),
            Field::Floorplan => Value::Text(unit.floorplan.as_deref()),
            Field::Type => Value::Text(unit.type_name.as_deref()),
            Field::DwellingType => Value::Text(unit.dwelling_type.as_deref()),
            Field::StatusId => Value::Integer(unit.status_id),
            Field::StatusName => Value::Text(unit.status_name.as_deref()),
            Field::IsAvailable => Value::Boolean(Some(self.is_available)),
            Field::WhenAvailable => Value::Text(unit.when_available.as_deref()),
            Field::BaseRent => Value::Float(unit.base_rent),
            Field::PriceAmortized => Value::Float(unit.price_amortized),
            Field::SizeSqft => Value::Integer(unit.size_sqft),
            Field::Bedrooms => Value::Float(unit.bedrooms),
            Field::Bathrooms => Value::Float(unit.bathrooms),
            Field::Dens => Value::Integer(unit.dens),
            Field::Exposure => Value::Text(unit.exposure.as_deref()),
            Field::View => Value::Text(unit.view.as_deref()),
            Field::HasGarage => Value::Boolean(unit.has_garage),
            Field::PetsAllowed => Value::Integer(unit.pets_allowed),
            Field::ParkingStalls => Value::Integer(unit.parking_stalls),
            Field::StorageBoxes => Value::Integer(unit.storage_boxes),
            Field::LeadFirstName => Value::Text(unit.lead_first_name.as_deref()),
            Field::LeadLastName => Value::Text(unit.lead_last_name.as_deref()),
        }
    }
}

impl Content for Present<'_> {
    fn write(&self, field: Field, out: &mut Text) -> serde_json::Result<()> {
        match self.value(field) {
            Value::Text(text) => out.value(&text),
            Value::Integer(number) => out.value(&number),
            Value::Float(number) => out.value(&number),
            Value::Boolean(answer) => out.value(&answer),
        }
    }

    fn has_lead(&self) -> bool {
        self.unit.has_lead()
    }
}

type Object<'a> = HashMap<String, &'a RawValue>;

/// A unit that went: as it was sealed last, but not available, and without its lead: nobody learns any more who was to rent
/// what is gone.
///
/// Values are copied as they were written. They are found in either style, so that it doesn't matter whether the
/// settings have changed since: what is sent now and wasn't then is null.
#[derive(Default)]
pub(super) struct AsSealed<'a> {
    /// As it was sealed last: the ledger knows it even where no text was kept.
    pub code: Option<String>,
    values: [Option<&'a RawValue>; Field::ALL.len()],
    /// Format "unit" has the property's fields in every unit.
    pub project_name: Option<&'a RawValue>,
    pub property_address: Option<&'a RawValue>,
}

impl<'a> AsSealed<'a> {
    /// Reads the unit's text, as it stood in any body.
    pub fn read(unit_id: i64, text: &'a str) -> Result<Self> {
        // The parser's own message may quote what it found.
        Self::parse(text).map_err(|_| anyhow!("what was sealed last of unit {unit_id} is no JSON object of a unit"))
    }

    fn parse(text: &'a str) -> serde_json::Result<Self> {
        let unit: Object<'a> = serde_json::from_str(text)?;
        let mut objects: HashMap<&str, Object<'a>> = HashMap::new();
        for name in NESTED.iter().filter_map(|(object, ..)| *object) {
            if let Some(object) = unit.get(name).filter(|_| !objects.contains_key(name)) {
                objects.insert(name, serde_json::from_str(object.get())?);
            }
        }
        let mut last = Self {
            project_name: unit.get("project_name").copied(),
            property_address: unit.get("property_address").copied(),
            ..Self::default()
        };
        for (object, field, key) in NESTED {
            let nested = object.and_then(|name| objects.get(name)?.get(key));
            let (_, flat) = Field::ALL[field as usize];
            last.values[field as usize] = nested.or_else(|| unit.get(flat)).copied();
        }
        last.code = match last.value(Field::UnitCode) {
            Some(code) => serde_json::from_str(code.get())?,
            None => None,
        };
        Ok(last)
    }

    fn value(&self, field: Field) -> Option<&'a RawValue> {
        self.values[field as usize]
    }
}

impl Content for AsSealed<'_> {
    fn write(&self, field: Field, out: &mut Text) -> serde_json::Result<()> {
        match field {
            Field::IsAvailable => out.raw("false"),
            Field::UnitCode => out.value(&self.code)?,
            _ => out.raw(self.value(field).map_or("null", RawValue::get)),
        }
        Ok(())
    }

    fn has_lead(&self) -> bool {
        false
    }
}
