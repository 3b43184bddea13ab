//! What the tests seal: the guide's property and units, and shapes of every kind.

use chrono::{DateTime, Utc};

use super::Shape;
use crate::config::{Field, Fields, Receiver};
use crate::unit::{Property, Unit};

/// The shape of a receiver with these settings changed; status 1 means available.
pub(super) fn shape(change: impl FnOnce(&mut Receiver)) -> Shape {
    let url = "https://receiver.invalid/".parse().unwrap();
    let mut receiver = Receiver::new("main", url);
    change(&mut receiver);
    Shape::new(&receiver, &[1])
}

/// As every setting is by default.
pub(super) fn default_shape() -> Shape {
    shape(|_| {})
}

/// These fields and no others.
pub(super) fn fields(names: &[&str]) -> Fields {
    let chosen = names.iter().map(|name| Field::named(name).unwrap());
    chosen.fold(Fields::NONE, Fields::with)
}

/// The moment of the guide's examples.
pub(super) fn sealed_at() -> DateTime<Utc> {
    "2025-01-15T02:00:00Z".parse().unwrap()
}

/// The guide's property.
pub(super) fn sunset_apartments() -> Property {
    Property {
        property_id: 101,
        name: Some("Sunset Apartments".into()),
        address: Some("123 Main Street, Calgary, AB".into()),
        project_group_id: Some(7),
        is_active: true,
        is_lease_up: Some(false),
        unreadable: Vec::new(),
    }
}

/// The guide's unit, with its lead.
pub(super) fn unit_101() -> Unit {
    Unit {
        unit_id: 12345,
        unit_code: Some("101".into()),
        building: Some("A".into()),
        floor: Some(1),
        floorplan: Some("1BR-OPEN".into()),
        type_name: Some("1 Bed + Den".into()),
        dwelling_type: Some("Apartment".into()),
        status_id: Some(1),
        status_name: Some("Available".into()),
        when_available: Some("Immediate".into()),
        base_rent: Some(1500.0),
        price_amortized: Some(1425.0),
        size_sqft: Some(750),
        bedrooms: Some(1.0),
        bathrooms: Some(1.0),
        dens: Some(1),
        exposure: Some("SW".into()),
        view: Some("City View".into()),
        has_garage: Some(true),
        pets_allowed: Some(1),
        parking_stalls: None,
        storage_boxes: None,
        lead_first_name: Some("John".into()),
        lead_last_name: Some("Doe".into()),
        unreadable: Vec::new(),
        mapped_code: None,
    }
}

/// The guide's other unit, of which it says little; no lead is assigned to it.
pub(super) fn unit_102() -> Unit {
    Unit {
        unit_id: 12346,
        unit_code: Some("102".into()),
        status_id: Some(2),
        status_name: Some("Rented".into()),
        base_rent: Some(2100.0),
        ..Unit::default()
    }
}
