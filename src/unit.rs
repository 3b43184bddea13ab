//! What a property and a unit are, read from the source.
//!
//! Plain data, and how a row becomes it. How a receiver sees it is [`crate::payload`]'s business. Neither type has a
//! `Debug`: a unit carries its lead's name, which must never reach a log.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Row, Type};

use crate::words;

/// The longest text that is read of the source, in bytes. Beyond it nothing is read but its length: one such value must cost
/// no more than that, however many there are.
pub(crate) const TEXT_BYTES_MAX: i32 = 65_536;

/// A field whose text can't be read, and why; it is null beside this.
pub type Unreadable = (&'static str, String);

/// A property of the source (guide 2.1).
#[derive(Clone, PartialEq)]
pub struct Property {
    /// `projects.id`
    pub property_id: i64,
    /// Its name.
    pub name: Option<String>,
    /// Its full address.
    pub address: Option<String>,
    /// The portfolio it belongs to.
    pub project_group_id: Option<i64>,
    /// Null in the source counts as inactive.
    pub is_active: bool,
    /// Whether it is being leased up.
    pub is_lease_up: Option<bool>,
    /// Of its name and address those that can't be read.
    pub unreadable: Vec<Unreadable>,
}

/// A unit of the rent roll (guide 2.2); everything but its id may be unknown.
#[derive(Clone, Default, PartialEq)]
#[allow(missing_docs)] // the fields are the guide's own
pub struct Unit {
    pub unit_id: i64,
    pub unit_code: Option<String>,
    pub building: Option<String>,
    pub floor: Option<i64>,
    pub floorplan: Option<String>,
    pub type_name: Option<String>,
    pub dwelling_type: Option<String>,
    pub status_id: Option<i64>,
    pub status_name: Option<String>,
    pub when_available: Option<String>,
    pub base_rent: Option<f64>,
    pub price_amortized: Option<f64>,
    pub size_sqft: Option<i64>,
    pub bedrooms: Option<f64>,
    pub bathrooms: Option<f64>,
    pub dens: Option<i64>,
    pub exposure: Option<String>,
    pub view: Option<String>,
    pub has_garage: Option<bool>,
    pub pets_allowed: Option<i64>,
    pub parking_stalls: Option<i64>,
    pub storage_boxes: Option<i64>,
    pub lead_first_name: Option<String>,
    pub lead_last_name: Option<String>,
    pub unreadable: Vec<Unreadable>,
    /// What this receiver calls it, where it has a name of its own for it (`map import`).
    pub mapped_code: Option<String>,
}

impl Unit {
    /// A lead is assigned when either name says something.
    pub fn has_lead(&self) -> bool {
        [&self.lead_first_name, &self.lead_last_name]
            .into_iter()
            .flatten()
            .any(|name| !name.trim().is_empty())
    }

    /// The fields that hold what JSON has no word for: NaN or an infinity.
    pub fn not_finite(&self) -> impl Iterator<Item = &'static str> {
        [
            ("base_rent", self.base_rent),
            ("price_amortized", self.price_amortized),
            ("bedrooms", self.bedrooms),
            ("bathrooms", self.bathrooms),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_some_and(|number| !number.is_finite()))
        .map(|(field, _)| field)
    }

    /// Reads the columns of `rentsync.source_unit()` and the unit's mapped code, in the order in which `sql/plan/compare_units.sql` lists
    /// them.
    pub(crate) fn read(unit_id: i64, columns: &mut Columns<'_>) -> sqlx::Result<Self> {
        let mut texts = Texts::of(columns)?;
        Ok(Self {
            unit_id,
            unit_code: texts.next("unit_code", columns)?,
            building: texts.next("building", columns)?,
            floor: columns.next()?,
            floorplan: texts.next("floorplan", columns)?,
            type_name: texts.next("type", columns)?,
            dwelling_type: texts.next("dwelling_type", columns)?,
            status_id: columns.next()?,
            status_name: texts.next("status_name", columns)?,
            when_available: texts.next("when_available", columns)?,
            base_rent: columns.next()?,
            price_amortized: columns.next()?,
            size_sqft: columns.next()?,
            bedrooms: columns.next()?,
            bathrooms: columns.next()?,
            dens: columns.next()?,
            exposure: texts.next("exposure", columns)?,
            view: texts.next("view", columns)?,
            has_garage: columns.next()?,
            pets_allowed: columns.next()?,
            parking_stalls: columns.next()?,
            storage_boxes: columns.next()?,
            lead_first_name: texts.next("lead_first_name", columns)?,
            lead_last_name: texts.next("lead_last_name", columns)?,
            mapped_code: columns.next()?,
            unreadable: texts.unreadable,
        })
    }
}

impl Property {
    /// One that the source no longer has.
    pub fn gone(property_id: i64) -> Self {
        Self {
            property_id,
            name: None,
            address: None,
            project_group_id: None,
            is_active: false,
            is_lease_up: None,
            unreadable: Vec::new(),
        }
    }

    /// Reads the columns of `rentsync.source_property()`, in the order in which `sql/plan/read_properties.sql` lists them.
    pub(crate) fn read(columns: &mut Columns<'_>) -> sqlx::Result<Self> {
        let property_id = columns.next()?;
        let mut texts = Texts::of(columns)?;
        let (name, address) = (texts.next("name", columns)?, texts.next("address", columns)?);
        let project_group_id = columns.next()?;
        let is_active: Option<bool> = columns.next()?;
        let is_lease_up = columns.next()?;
        Ok(Self {
            property_id,
            name,
            address,
            project_group_id,
            is_active: is_active.unwrap_or(false),
            is_lease_up,
            unreadable: texts.unreadable,
        })
    }
}

/// A row read from left to right: by position, because a look-up by name costs more than the value.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    position: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r PgRow) -> Self {
        Self { row, position: 0 }
    }

    pub(crate) fn next<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> sqlx::Result<T> {
        let value = self.row.try_get(self.position);
        self.position += 1;
        value
    }
}

/// The texts of one row of the source, as the statements have them: in front of the first one how long all of them are, where
/// one is too long to be read.
struct Texts {
    lengths: Vec<Option<i32>>,
    place: usize,
    unreadable: Vec<Unreadable>,
}

impl Texts {
    fn of(columns: &mut Columns<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            lengths: columns.next::<Option<_>>()?.unwrap_or_default(),
            place: 0,
            unreadable: Vec::new(),
        })
    }

    fn next(&mut self, field: &'static str, columns: &mut Columns<'_>) -> sqlx::Result<Option<String>> {
        let text: Option<Bytes> = columns.next()?;
        let length = self.lengths.get(self.place).copied().flatten();
        self.place += 1;
        let why = match text.map(|text| std::str::from_utf8(text.0)) {
            Some(Ok(text)) => return Ok(Some(text.to_owned())),
            Some(Err(_)) => "is not valid UTF-8".to_owned(),
            None => match length.filter(|bytes| *bytes > TEXT_BYTES_MAX) {
                None => return Ok(None),
                Some(bytes) => format!(
                    "is {} bytes long, more than the {} that are read of a text",
                    words::thousands(bytes),
                    words::thousands(TEXT_BYTES_MAX)
                ),
            },
        };
        self.unreadable.push((field, why));
        Ok(None)
    }
}

/// A text as the server sent it. A database of encoding SQL_ASCII holds any bytes, and one that is no UTF-8 must not keep a
/// row from being read.
struct Bytes<'r>(&'r [u8]);

impl Type<Postgres> for Bytes<'_> {
    fn type_info() -> PgTypeInfo {
        <&str as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <&str as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Bytes<'r> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        value.as_bytes().map(Self)
    }
}

/// The source's words for a person to read, whatever bytes they are.
#[derive(Clone)]
pub(crate) struct Lossy(pub String);

impl Type<Postgres> for Lossy {
    fn type_info() -> PgTypeInfo {
        Bytes::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        Bytes::compatible(ty)
    }
}

impl Decode<'_, Postgres> for Lossy {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(String::from_utf8_lossy(value.as_bytes()?).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_lead(first: Option<&str>, last: Option<&str>) -> Unit {
        Unit {
            lead_first_name: first.map(str::to_owned),
            lead_last_name: last.map(str::to_owned),
            ..Unit::default()
        }
    }

    #[test]
    fn a_lead_is_assigned_when_either_name_says_something() {
        assert!(with_lead(Some("John"), None).has_lead());
        assert!(with_lead(None, Some("Doe")).has_lead());
        assert!(with_lead(Some(" "), Some("Doe")).has_lead());
        assert!(!with_lead(Some(" "), Some("")).has_lead());
        assert!(!with_lead(None, None).has_lead());
    }
}
