//! What a receiver sees: the JSON of a unit and of a property, their hashes, and the body around them.
//!
//! Pure; the same input gives the same bytes on every machine.

mod body;
mod hash;

pub use body::{Body, Reason, Removal};
pub use hash::{Digest, Hash};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::unit::{Property, Unit};

/// A unit as one receiver sees it: its JSON with the hash in it.
pub struct TellableUnit {
    /// Its id.
    pub unit_id: i64,
    /// SHA-256 of its canonical bytes.
    pub hash: Hash,
    /// The JSON object.
    pub json: Box<RawValue>,
}

/// Serialises a unit (format "property", flat) and hashes what it serialised.
///
/// The canonical bytes are the unit's own JSON, in the contract's key order, without `content_hash`.
pub fn tellable(unit: &Unit, available_status_ids: &[i64]) -> serde_json::Result<TellableUnit> {
    let mut json = serde_json::to_string(&FlatUnit {
        unit,
        available_status_ids,
    })?;
    let hash = Hash::of_unit(json.as_bytes());
    json.truncate(json.len() - 1);
    json.push_str(",\"content_hash\":\"");
    json.push_str(&hash.to_string());
    json.push_str("\"}");
    Ok(TellableUnit {
        unit_id: unit.unit_id,
        hash,
        json: RawValue::from_string(json)?,
    })
}

/// Serialises a property's own fields and hashes them.
pub fn tellable_property(property: &Property) -> serde_json::Result<(Hash, Box<RawValue>)> {
    let json = serde_json::to_string(&PropertyFields(property))?;
    Ok((Hash::of_property(json.as_bytes()), RawValue::from_string(json)?))
}

struct PropertyFields<'a>(&'a Property);

impl Serialize for PropertyFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let property = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("project_id", &property.property_id)?;
        map.serialize_entry("project_name", &property.name)?;
        map.serialize_entry("address", &property.address)?;
        map.serialize_entry("project_group_id", &property.project_group_id)?;
        map.serialize_entry("is_active", &property.is_active)?;
        map.serialize_entry("is_lease_up", &property.is_lease_up)?;
        map.end()
    }
}

struct FlatUnit<'a> {
    unit: &'a Unit,
    available_status_ids: &'a [i64],
}

impl Serialize for FlatUnit<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unit = self.unit;
        let is_available = unit
            .status_id
            .is_some_and(|status_id| self.available_status_ids.contains(&status_id));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("unit_id", &unit.unit_id)?;
        map.serialize_entry("unit_code", &unit.unit_code)?;
        map.serialize_entry("building", &unit.building)?;
        map.serialize_entry("floor", &unit.floor)?;
        map.serialize_entry("floorplan", &unit.floorplan)?;
        map.serialize_entry("type", &unit.type_name)?;
        map.serialize_entry("dwelling_type", &unit.dwelling_type)?;
        map.serialize_entry("status_id", &unit.status_id)?;
        map.serialize_entry("status_name", &unit.status_name)?;
        map.serialize_entry("is_available", &is_available)?;
        map.serialize_entry("when_available", &unit.when_available)?;
        map.serialize_entry("base_rent", &unit.base_rent)?;
        map.serialize_entry("price_amortized", &unit.price_amortized)?;
        map.serialize_entry("size_sqft", &unit.size_sqft)?;
        map.serialize_entry("bedrooms", &unit.bedrooms)?;
        map.serialize_entry("bathrooms", &unit.bathrooms)?;
        map.serialize_entry("dens", &unit.dens)?;
        map.serialize_entry("exposure", &unit.exposure)?;
        map.serialize_entry("view", &unit.view)?;
        map.serialize_entry("has_garage", &unit.has_garage)?;
        map.serialize_entry("pets_allowed", &unit.pets_allowed)?;
        map.serialize_entry("parking_stalls", &unit.parking_stalls)?;
        map.serialize_entry("storage_boxes", &unit.storage_boxes)?;
        if unit.has_lead() {
            map.serialize_entry("lead_first_name", &unit.lead_first_name)?;
            map.serialize_entry("lead_last_name", &unit.lead_last_name)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        Unit {
            unit_id: 12345,
            unit_code: Some("101".into()),
            status_id: Some(1),
            status_name: Some("Available".into()),
            base_rent: Some(1500.0),
            ..Unit::default()
        }
    }

    #[test]
    fn a_float_keeps_its_point_and_an_unknown_value_is_null() {
        let told = tellable(&unit(), &[1]).unwrap();
        assert!(told.json.get().starts_with(
            r#"{"unit_id":12345,"unit_code":"101","building":null,"floor":null,"floorplan":null,"type":null,"dwelling_type":null,"status_id":1,"status_name":"Available","is_available":true,"when_available":null,"base_rent":1500.0,"#
        ));
    }

    #[test]
    fn a_hash_is_stable_over_releases() {
        // Changing this makes every receiver be told everything again: raise the version tag instead.
        assert_eq!(
            tellable(&unit(), &[1]).unwrap().hash.to_string(),
            "0b87bf3b811a5df05f682af0142d4d475e406655c7b48a665bf789928b516e7a"
        );
    }

    #[test]
    fn a_unit_without_a_status_is_not_available() {
        let unit = Unit {
            status_id: None,
            ..unit()
        };
        let json: serde_json::Value = serde_json::from_str(tellable(&unit, &[1]).unwrap().json.get()).unwrap();
        assert_eq!(json["is_available"], false);
    }

    #[test]
    fn lead_keys_are_there_only_when_a_lead_is_assigned() {
        let mut unit = unit();
        unit.lead_last_name = Some("Doe".into());
        let json = tellable(&unit, &[]).unwrap().json;
        assert!(
            json.get()
                .contains(r#""lead_first_name":null,"lead_last_name":"Doe","content_hash""#)
        );
        unit.lead_last_name = Some("  ".into());
        assert!(!tellable(&unit, &[]).unwrap().json.get().contains("lead_"));
    }
}
