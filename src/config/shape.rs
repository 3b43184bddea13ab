//! What a receiver's bodies look like: format, fields, removals.
//!
//! Plain data; how bodies come of it is [`crate::payload`]'s business.

use std::collections::BTreeMap;

/// The guide's three payload examples (sections 4.2, 4.3 and 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A property with its units.
    Property,
    /// One row a unit.
    Flat,
    /// One request a unit.
    Unit,
}

/// How a unit looks within format "property".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitStyle {
    /// Every field beside the others.
    Flat,
    /// Fields in the objects of the guide's section 4.1.
    Nested,
}

/// How much one request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// One property.
    PerProperty,
    /// Every property that has news.
    AllProperties,
}

/// How a removed unit is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedAs {
    /// In a list of removals.
    List,
    /// As the unit sent last, but not available.
    Unavailable,
}

/// What the receiver knows a unit by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitIdentity {
    /// Property and unit id.
    Property,
    /// The unit id alone, whatever its property.
    Global,
}

/// How bodies are packed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `Content-Encoding: gzip` (RFC 9110, section 8.4.1.3).
    Gzip,
}

/// What a 2xx must look like to count as an acknowledgement, each stricter than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accept {
    /// Anything.
    Any,
    /// Anything but an HTML page.
    NotHtml,
    /// A JSON object.
    Json,
    /// A JSON object with the receiver's digest of each property whose digest the body has.
    Digest,
}

/// How the receiver's unit codes come of the source's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitCodes {
    /// Put before every code.
    pub prefix: String,
    /// Codes sent as they stand here, by unit id.
    pub map: BTreeMap<i64, String>,
}

/// A field of a unit that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the contract's own
pub enum Field {
    UnitCode,
    Building,
    Floor,
    Floorplan,
    Type,
    DwellingType,
    StatusId,
    StatusName,
    IsAvailable,
    WhenAvailable,
    BaseRent,
    PriceAmortized,
    SizeSqft,
    Bedrooms,
    Bathrooms,
    Dens,
    Exposure,
    View,
    HasGarage,
    PetsAllowed,
    ParkingStalls,
    StorageBoxes,
    LeadFirstName,
    LeadLastName,
}

impl Field {
    /// All of them, in the order in which a flat unit has them.
    pub const ALL: [(Self, &'static str); 24] = [
        (Self::UnitCode, "unit_code"),
        (Self::Building, "building"),
        (Self::Floor, "floor"),
        (Self::Floorplan, "floorplan"),
        (Self::Type, "type"),
        (Self::DwellingType, "dwelling_type"),
        (Self::StatusId, "status_id"),
        (Self::StatusName, "status_name"),
        (Self::IsAvailable, "is_available"),
        (Self::WhenAvailable, "when_available"),
        (Self::BaseRent, "base_rent"),
        (Self::PriceAmortized, "price_amortized"),
        (Self::SizeSqft, "size_sqft"),
        (Self::Bedrooms, "bedrooms"),
        (Self::Bathrooms, "bathrooms"),
        (Self::Dens, "dens"),
        (Self::Exposure, "exposure"),
        (Self::View, "view"),
        (Self::HasGarage, "has_garage"),
        (Self::PetsAllowed, "pets_allowed"),
        (Self::ParkingStalls, "parking_stalls"),
        (Self::StorageBoxes, "storage_boxes"),
        (Self::LeadFirstName, "lead_first_name"),
        (Self::LeadLastName, "lead_last_name"),
    ];

    /// What its values are.
    pub fn kind(self) -> FieldKind {
        match self {
            Self::UnitCode
            | Self::Building
            | Self::Floorplan
            | Self::Type
            | Self::DwellingType
            | Self::StatusName
            | Self::WhenAvailable
            | Self::Exposure
            | Self::View
            | Self::LeadFirstName
            | Self::LeadLastName => FieldKind::Text,
            Self::Floor
            | Self::StatusId
            | Self::SizeSqft
            | Self::Dens
            | Self::PetsAllowed
            | Self::ParkingStalls
            | Self::StorageBoxes => FieldKind::Integer,
            Self::BaseRent | Self::PriceAmortized | Self::Bedrooms | Self::Bathrooms => FieldKind::Float,
            Self::IsAvailable | Self::HasGarage => FieldKind::Boolean,
        }
    }

    /// Whether it names a person; it is there only where a lead is assigned.
    pub fn is_lead(self) -> bool {
        matches!(self, Self::LeadFirstName | Self::LeadLastName)
    }

    /// Its flat name.
    pub fn name(self) -> &'static str {
        let (_, name) = Self::ALL[self as usize];
        name
    }

    /// The field of this flat name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(field, _)| *field)
    }
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // JSON's own
pub enum FieldKind {
    Text,
    Integer,
    Float,
    Boolean,
}

/// The fields of a unit that are sent; its id always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields(u32);

impl Fields {
    /// Every field.
    pub const ALL: Self = Self((1 << Field::ALL.len()) - 1);
    /// No field.
    pub const NONE: Self = Self(0);

    /// With this field as well.
    #[must_use]
    pub fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u32)
    }

    /// Without this field.
    #[must_use]
    pub fn without(self, field: Field) -> Self {
        Self(self.0 & !(1 << field as u32))
    }

    /// Whether this field is sent.
    pub fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_not_what_was_taken_out() {
        for (field, name) in Field::ALL {
            assert_eq!((Field::named(name), field.name()), (Some(field), name));
            assert!(Fields::ALL.has(field) && !Fields::NONE.has(field));
            let alone = Fields::NONE.with(field);
            let others = Field::ALL.iter().filter(|(other, _)| alone.has(*other)).count();
            assert_eq!((alone.has(field), others), (true, 1));
            assert_eq!(alone.without(field), Fields::NONE);
        }
        assert_eq!(Field::named("unit_id"), None, "it is always sent");
    }
}
