//! What a property and a unit are, read from the source.
//!
//! Plain data, and how a row becomes it. How a receiver sees it is [`crate::payload`]'s business. Neither type has a
//! `Debug`: a unit carries its lead's name, which must never reach a log.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

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

    /// Reads the columns of `rentsync.source_unit()`, in the order in which `sql/plan/compare_units.sql` lists them.
    pub(crate) fn read(unit_id: i64, columns: &mut Columns<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            unit_id,
            unit_code: columns.next()?,
            building: columns.next()?,
            floor: columns.next()?,
            floorplan: columns.next()?,
            type_name: columns.next()?,
            dwelling_type: columns.next()?,
            status_id: columns.next()?,
            status_name: columns.next()?,
            when_available: columns.next()?,
            base_rent: columns.next()?,
            price_amortized: columns.next()?,
            size_sqft: columns.next()?,
            bedrooms: columns.next()?,
            bathrooms: columns.next()?,
            dens: columns.next()?,
            exposure: columns.next()?,
            view: columns.next()?,
            has_garage: columns.next()?,
            pets_allowed: columns.next()?,
            parking_stalls: columns.next()?,
            storage_boxes: columns.next()?,
            lead_first_name: columns.next()?,
            lead_last_name: columns.next()?,
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
        }
    }

    /// Reads the columns of `rentsync.source_property()`, in the order in which `sql/plan/choose_feeds.sql` lists them.
    pub(crate) fn read(columns: &mut Columns<'_>) -> sqlx::Result<Option<Self>> {
        let property_id: Option<i64> = columns.next()?;
        let (name, address) = (columns.next()?, columns.next()?);
        let project_group_id = columns.next()?;
        let is_active: Option<bool> = columns.next()?;
        let is_lease_up = columns.next()?;
        Ok(property_id.map(|property_id| Self {
            property_id,
            name,
            address,
            project_group_id,
            is_active: is_active.unwrap_or(false),
            is_lease_up,
        }))
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
