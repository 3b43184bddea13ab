//! Where the fields of a unit stand: beside each other, or in the objects of the guide's section 4.1.
//!
//! A layout is worked out once for a receiver. Writing a unit is then copying pieces with values between them, whatever
//! the style and the choice of fields.

use serde_json::Result;

use super::json::Text;
use crate::config::{Field, Fields};

/// Something whose fields can be written as JSON values.
pub(super) trait Content {
    fn write(&self, field: Field, out: &mut Text) -> serde_json::Result<()>;

    /// Whether a lead is assigned; its fields are not there otherwise.
    fn has_lead(&self) -> bool;
}

/// The object that a field stands in, if it isn't beside the unit's id, and its key there.
pub(super) type Place = (Option<&'static str>, Field, &'static str);

/// The guide's section 4.1, in its order.
pub(super) const NESTED: [Place; 24] = [
    (None, Field::UnitCode, "unit_code"),
    (None, Field::Building, "building"),
    (None, Field::Floor, "floor"),
    (None, Field::Floorplan, "floorplan"),
    (None, Field::Type, "type"),
    (None, Field::DwellingType, "dwelling_type"),
    (Some("status"), Field::StatusId, "id"),
    (Some("status"), Field::StatusName, "name"),
    (Some("availability"), Field::IsAvailable, "is_available"),
    (Some("availability"), Field::WhenAvailable, "when_available"),
    (Some("pricing"), Field::BaseRent, "base_rent"),
    (Some("pricing"), Field::PriceAmortized, "price_amortized"),
    (Some("specifications"), Field::SizeSqft, "size_sqft"),
    (Some("specifications"), Field::Bedrooms, "bedrooms"),
    (Some("specifications"), Field::Bathrooms, "bathrooms"),
    (Some("specifications"), Field::Dens, "dens"),
    (Some("attributes"), Field::Exposure, "exposure"),
    (Some("attributes"), Field::View, "view"),
    (Some("attributes"), Field::HasGarage, "has_garage"),
    (Some("attributes"), Field::PetsAllowed, "pets_allowed"),
    (Some("attributes"), Field::ParkingStalls, "parking_stalls"),
    (Some("attributes"), Field::StorageBoxes, "storage_boxes"),
    (Some("lead_assignment"), Field::LeadFirstName, "lead_first_name"),
    (Some("lead_assignment"), Field::LeadLastName, "lead_last_name"),
];

/// The chosen fields in their places.
#[derive(Clone)]
pub(super) struct Layout {
    always: Run,
    with_lead: Run,
}

impl Layout {
    /// Every field beside the others.
    pub fn flat(fields: Fields) -> Self {
        Self::of(Field::ALL.map(|(field, key)| (None, field, key)), fields)
    }

    /// Fields in the guide's objects. One of which every field is left out is left out as well.
    pub fn nested(fields: Fields) -> Self {
        Self::of(NESTED, fields)
    }

    fn of(places: [Place; 24], fields: Fields) -> Self {
        let chosen = places.into_iter().filter(|(_, field, _)| fields.has(*field));
        let (lead, rest): (Vec<_>, Vec<_>) = chosen.partition(|(_, field, _)| field.is_lead());
        Self {
            always: Run::of(&rest),
            with_lead: Run::of(&lead),
        }
    }

    /// Writes the fields behind something that stands before them in the same object.
    pub fn write(&self, out: &mut Text, content: &impl Content) -> Result<()> {
        self.always.write(out, content)?;
        if content.has_lead() {
            self.with_lead.write(out, content)?;
        }
        Ok(())
    }
}

/// Fields that are written together or not at all: each with the piece before it, and the piece behind the last.
#[derive(Clone)]
struct Run {
    fields: Vec<(String, Field)>,
    end: &'static str,
}

impl Run {
    fn of(places: &[Place]) -> Self {
        let mut open = None;
        let fields = places
            .iter()
            .map(|&(object, field, key)| (before(key, object, std::mem::replace(&mut open, object)), field))
            .collect();
        Self {
            fields,
            end: open.map_or("", |_| "}"),
        }
    }

    fn write(&self, out: &mut Text, content: &impl Content) -> Result<()> {
        for (before, field) in &self.fields {
            out.raw(before);
            content.write(*field, out)?;
        }
        out.raw(self.end);
        Ok(())
    }
}

/// The piece before a value: closes the object before it and opens its own, where they aren't the same.
fn before(key: &str, object: Option<&str>, open: Option<&str>) -> String {
    let close = if open.is_some() && open != object { "}" } else { "" };
    match object {
        Some(name) if object != open => format!("{close},\"{name}\":{{\"{key}\":"),
        _ => format!("{close},\"{key}\":"),
    }
}
