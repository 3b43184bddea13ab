//! Whole bodies, compared text by text with those in `tests/golden`. The guide's own examples are among them.

use super::samples::{fields, sealed_at, shape, sunset_apartments, unit_101, unit_102};
use super::{Body, Digest, PropertyPart, Removal, RemovalReason, SealableProperty, SealableUnit, Shape};
use crate::config::{Batch, Fields, Format, Receiver, RemovedAs, UnitStyle};
use crate::sync::{SyncId, SyncType};
use crate::unit::{Property, Unit};

/// The golden bodies have the guide's sync ID; ours is a new one every time.
const SYNC_ID: &str = "sync-2025-01-15-02-00-00";

/// A golden body without the blanks between its values.
fn compact(golden: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(golden).unwrap();
    value.to_string()
}

/// What one property has to say.
struct Part {
    property: SealableProperty,
    units: Vec<SealableUnit>,
    removed_units: Vec<Removal>,
    keep: Vec<i64>,
}

impl Part {
    fn of(shape: &Shape, property: &Property, units: &[Unit]) -> Self {
        let property = shape.property(property, None).unwrap();
        let units = units.iter().map(|unit| shape.unit(unit, &property).unwrap());
        Self {
            units: units.collect(),
            property,
            removed_units: Vec::new(),
            keep: Vec::new(),
        }
    }

    fn removing(mut self, removed_units: impl Into<Vec<Removal>>) -> Self {
        self.removed_units = removed_units.into();
        self
    }

    fn keeping(mut self, keep: impl Into<Vec<i64>>) -> Self {
        self.keep = keep.into();
        self
    }
}

fn body(shape: &Shape, said: &[Part], sync_type: SyncType) -> anyhow::Result<String> {
    let units: Vec<Vec<_>> = said.iter().map(|said| said.units.iter().collect()).collect();
    let properties: Vec<_> = said.iter().zip(&units).map(|(said, units)| part(said, units)).collect();
    let sync_id = SyncId::new(sealed_at());
    let in_parts = sync_type == SyncType::Snapshot;
    let bytes = shape.body(&Body {
        sync_id: &sync_id,
        sealed_at: sealed_at(),
        sync_type,
        sequence: 4711,
        snapshot_id: in_parts.then(|| "0194676e-a880-7c31-b2d9-4c5e6f708192".parse().unwrap()),
        part: if in_parts { 2 } else { 1 },
        parts: if in_parts { 3 } else { 1 },
        properties: &properties,
    })?;
    Ok(String::from_utf8(bytes)?.replace(sync_id.as_str(), SYNC_ID))
}

fn part<'a>(said: &'a Part, units: &'a [&'a SealableUnit]) -> PropertyPart<'a> {
    let mut property_digest = Digest::EMPTY;
    for unit in units {
        property_digest.toggle(unit.unit_id, &unit.hash);
    }
    PropertyPart {
        property: &said.property,
        units,
        removed_units: &said.removed_units,
        keep: &said.keep,
        property_digest: Some(property_digest),
    }
}

fn removal(unit_id: i64, code: &str, replaced_by: Option<i64>, reason: RemovalReason) -> Removal {
    Removal {
        unit_id,
        unit_code: Some(code.into()),
        replaced_by,
        reason,
    }
}

/// One of either form.
fn removals() -> [Removal; 2] {
    [
        removal(12347, "103", None, RemovalReason::Deleted),
        removal(12348, "101", Some(12345), RemovalReason::Moved),
    ]
}

/// A property of which hardly anything is known, without a unit.
fn bare_property() -> Property {
    Property {
        is_active: true,
        ..Property::gone(102)
    }
}

/// Two properties: one with units, removals of either form and units to keep, and one with nothing but its name.
fn two(shape: &Shape) -> [Part; 2] {
    [
        Part::of(shape, &sunset_apartments(), &[unit_101(), unit_102()]).removing(removals()),
        Part::of(shape, &bare_property(), &[]),
    ]
}

fn all_properties(receiver: &mut Receiver) {
    receiver.batch = Batch::AllProperties;
}

#[test]
fn the_guides_single_unit_comes_out_key_for_key() {
    let shape = shape(|receiver| {
        receiver.format = Format::Unit;
        receiver.extensions = false;
        receiver.removed = RemovedAs::Unavailable;
        receiver.fields = Fields::ALL
            .without(crate::config::Field::ParkingStalls)
            .without(crate::config::Field::StorageBoxes);
    });
    let said = [Part::of(&shape, &sunset_apartments(), &[unit_101()])];
    assert_eq!(
        body(&shape, &said, SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/guide_4_1.json"))
    );
}

#[test]
fn the_guides_full_property_comes_out_key_for_key() {
    let shape = shape(|receiver| {
        receiver.extensions = false;
        receiver.removed = RemovedAs::Unavailable;
        receiver.fields = fields(&["unit_code", "status_name", "is_available", "base_rent"]);
    });
    let said = [Part::of(&shape, &sunset_apartments(), &[unit_101(), unit_102()])];
    assert_eq!(
        body(&shape, &said, SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/guide_4_2.json"))
    );
}

#[test]
fn the_guides_flat_format_comes_out_key_for_key() {
    let shape = shape(|receiver| {
        receiver.format = Format::Flat;
        receiver.extensions = false;
        receiver.removed = RemovedAs::Unavailable;
        receiver.fields = fields(&[
            "unit_code",
            "status_id",
            "status_name",
            "is_available",
            "base_rent",
            "bedrooms",
            "bathrooms",
        ]);
    });
    let said = [Part::of(&shape, &sunset_apartments(), &[unit_101()])];
    assert_eq!(
        body(&shape, &said, SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/guide_4_3.json"))
    );
}

#[test]
fn a_property_with_flat_units_has_every_key_of_the_contract() {
    let shape = shape(|_| {});
    let units = [unit_101(), unit_102()];
    let said = Part::of(&shape, &sunset_apartments(), &units).removing(removals());
    assert_eq!(
        body(&shape, &[said.keeping([12349, 12350])], SyncType::Snapshot).unwrap(),
        compact(include_str!("../../tests/golden/property_flat.json"))
    );
}

#[test]
fn a_property_with_nested_units_has_the_guides_objects() {
    let shape = shape(|receiver| receiver.unit_style = UnitStyle::Nested);
    let said = Part::of(&shape, &sunset_apartments(), &[unit_101(), unit_102()]);
    assert_eq!(
        body(&shape, &[said], SyncType::Replay).unwrap(),
        compact(include_str!("../../tests/golden/property_nested.json"))
    );
}

#[test]
fn all_properties_with_flat_units_are_one_list() {
    let shape = shape(all_properties);
    assert_eq!(
        body(&shape, &two(&shape), SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/properties_flat.json"))
    );
}

#[test]
fn all_properties_with_nested_units_are_one_list() {
    let shape = shape(|receiver| {
        all_properties(receiver);
        receiver.unit_style = UnitStyle::Nested;
    });
    assert_eq!(
        body(&shape, &two(&shape), SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/properties_nested.json"))
    );
}

#[test]
fn all_properties_without_extensions_are_a_list_of_the_guides_properties() {
    let shape = shape(|receiver| {
        all_properties(receiver);
        receiver.extensions = false;
        receiver.fields = fields(&["unit_code"]);
    });
    let said = [
        Part::of(&shape, &sunset_apartments(), &[unit_101(), unit_102()]),
        Part::of(&shape, &bare_property(), &[]),
    ];
    assert_eq!(
        body(&shape, &said, SyncType::Delta).unwrap(),
        compact(include_str!("../../tests/golden/properties_without_extensions.json"))
    );
}

#[test]
fn flat_units_of_any_number_of_properties_are_one_list() {
    let shape = shape(|receiver| {
        receiver.format = Format::Flat;
        all_properties(receiver);
    });
    let [sunset, bare] = two(&shape);
    let said = [
        sunset.keeping([12349, 12350]),
        bare.removing([removal(1, "1", None, RemovalReason::FeedDisabled)]),
    ];
    assert_eq!(
        body(&shape, &said, SyncType::Snapshot).unwrap(),
        compact(include_str!("../../tests/golden/flat.json"))
    );
}

#[test]
fn flat_units_of_one_property_look_the_same_in_either_batch() {
    let bodies = [Batch::PerProperty, Batch::AllProperties].map(|batch| {
        let shape = shape(|receiver| {
            receiver.format = Format::Flat;
            receiver.batch = batch;
        });
        body(
            &shape,
            &[Part::of(&shape, &sunset_apartments(), &[unit_101()])],
            SyncType::Delta,
        )
        .unwrap()
    });
    assert_eq!(bodies[0], bodies[1]);
}

fn unit_shape() -> Shape {
    shape(|receiver| receiver.format = Format::Unit)
}

#[test]
fn a_unit_alone_has_its_property_with_it() {
    let shape = unit_shape();
    assert_eq!(
        body(
            &shape,
            &[Part::of(&shape, &sunset_apartments(), &[unit_101()])],
            SyncType::Delta
        )
        .unwrap(),
        compact(include_str!("../../tests/golden/unit.json"))
    );
}

#[test]
fn a_removed_unit_alone_has_no_more_than_its_names() {
    let shape = unit_shape();
    let removed = |removal| {
        let said = Part::of(&shape, &sunset_apartments(), &[]).removing([removal]);
        body(&shape, &[said], SyncType::Delta).unwrap()
    };
    let [gone, replaced] = removals();
    assert_eq!(
        removed(gone),
        compact(include_str!("../../tests/golden/unit_removed.json"))
    );
    assert_eq!(
        removed(replaced),
        compact(include_str!("../../tests/golden/unit_replaced.json"))
    );
}

/// Why a body can't be sealed.
fn refusal(shape: &Shape, said: &[Part]) -> String {
    let error = body(shape, said, SyncType::Delta).unwrap_err();
    error.root_cause().to_string()
}

#[test]
fn what_a_shape_has_no_place_for_is_never_left_out_in_silence() {
    let bare = shape(|receiver| receiver.extensions = false);
    let together = shape(all_properties);
    let unavailable = shape(|receiver| receiver.removed = RemovedAs::Unavailable);
    let said = |shape| Part::of(shape, &sunset_apartments(), &[unit_101()]);
    for shape in [&bare, &unavailable] {
        let removing = said(shape).removing(removals());
        assert_eq!(refusal(shape, &[removing]), "this receiver is sent no removals");
    }
    for shape in [&bare, &together, &unit_shape()] {
        let keeping = said(shape).keeping([1]);
        assert_eq!(refusal(shape, &[keeping]), "this receiver can't be sent what to keep");
    }
}

#[test]
fn a_body_is_about_no_more_than_its_shape_allows() {
    let (default, unit) = (shape(|_| {}), unit_shape());
    for said in [Vec::new(), Vec::from(two(&default))] {
        assert_eq!(
            refusal(&default, &said),
            "a request of this receiver is about one property"
        );
    }
    for units in [vec![], vec![unit_101(), unit_102()]] {
        let said = Part::of(&unit, &sunset_apartments(), &units);
        assert_eq!(refusal(&unit, &[said]), "a request of this receiver is about one unit");
    }
}
