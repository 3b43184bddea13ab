//! The golden bodies, and what is left of them when anything in them is broken.

use rentsync_relay::config::Field;
use serde_json::{Value, json};

use super::{SHARED, Schemas, names_in, text_of};

/// The golden bodies have the guide's sync ID.
const GUIDES_ID: &str = "\"sync-2025-01-15-02-00-00\"";
const SYNC_ID: &str = "\"sync-2025-01-15-02-00-00-0194676ea8807c31b2d94c5e6f708192\"";

/// A golden body and its schema; where not all fields are sent, those that are.
struct Golden(&'static str, &'static str, Option<&'static [&'static str]>);

const GOLDEN: [Golden; 12] = [
    Golden("flat", "flat", None),
    Golden("guide_4_1", "unit-without-extensions", Some(&GUIDES_UNIT)),
    Golden(
        "guide_4_2",
        "property-flat-without-extensions",
        Some(&["unit_code", "status_name", "is_available", "base_rent"]),
    ),
    Golden(
        "guide_4_3",
        "flat-without-extensions",
        Some(&[
            "unit_code",
            "status_id",
            "status_name",
            "is_available",
            "base_rent",
            "bedrooms",
            "bathrooms",
        ]),
    ),
    Golden("properties_flat", "all-properties-flat", None),
    Golden("properties_nested", "all-properties-nested", None),
    Golden(
        "properties_without_extensions",
        "all-properties-flat-without-extensions",
        Some(&["unit_code"]),
    ),
    Golden("property_flat", "property-flat", None),
    Golden("property_nested", "property-nested", None),
    Golden("unit", "unit", None),
    Golden("unit_removed", "unit-removed", None),
    Golden("unit_replaced", "unit-removed", None),
];

/// All but parking_stalls and storage_boxes.
const GUIDES_UNIT: [&str; 22] = {
    let mut names = [""; 22];
    let (mut from, mut to) = (0, 0);
    while from < Field::ALL.len() {
        if !matches!(Field::ALL[from].0, Field::ParkingStalls | Field::StorageBoxes) {
            names[to] = Field::ALL[from].1;
            to += 1;
        }
        from += 1;
    }
    names
};

impl Golden {
    fn body(&self) -> Value {
        let text = text_of(&format!("tests/golden/{}.json", self.0));
        serde_json::from_str(&text.replace(GUIDES_ID, SYNC_ID)).unwrap()
    }

    fn schemas(&self) -> Schemas {
        let schemas = Schemas::published();
        match self.2 {
            Some(fields) => schemas.of_fields(fields),
            None => schemas,
        }
    }
}

#[test]
fn every_golden_body_is_by_its_schema_and_by_no_other() {
    let known: Vec<_> = GOLDEN.iter().map(|golden| golden.0).collect();
    assert_eq!(names_in("tests/golden"), known);
    for golden in GOLDEN {
        let (schemas, body) = (golden.schemas(), golden.body());
        assert_eq!(schemas.complaints(golden.1, &body), [] as [String; 0], "{}", golden.0);
        // Of a unit that has a code alone either style looks the same.
        let twin = (golden.0 == "properties_without_extensions").then_some("all-properties-nested-without-extensions");
        let others = schemas.0.keys().filter(|name| {
            let name = name.as_str();
            !SHARED.contains(&name) && name != golden.1 && Some(name) != twin
        });
        for other in others {
            assert_ne!(
                schemas.complaints(other, &body),
                [] as [String; 0],
                "{} by {other}",
                golden.0
            );
        }
    }
}

/// The pointers to everything in a value, the value itself first.
fn places(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let within = |key: &str, value: &Value| -> Vec<String> {
        places(value).iter().map(|place| format!("/{key}{place}")).collect()
    };
    match value {
        Value::Object(entries) => found.extend(entries.iter().flat_map(|(key, value)| within(key, value))),
        Value::Array(elements) => found.extend(
            (0..)
                .zip(elements)
                .flat_map(|(at, value)| within(&at.to_string(), value)),
        ),
        _ => {}
    }
    found
}

/// A body that was broken, and how.
fn broken(body: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for place in places(body) {
        let mut change = |how: &str, change: &dyn Fn(&mut Value)| {
            let mut body = body.clone();
            change(body.pointer_mut(&place).unwrap());
            found.push((format!("{place} {how}"), body));
        };
        let at = body.pointer(&place).unwrap();
        if let Value::Object(entries) = at {
            change("with an unknown key", &|at| at["more"] = json!(1));
            // Without a lead it isn't there.
            for key in entries.keys().filter(|key| *key != "lead_assignment") {
                change(&format!("without {key}"), &|at| {
                    at.as_object_mut().unwrap().shift_remove(key);
                });
            }
        }
        for wrong in wrong(at) {
            change(&format!("as {wrong}"), &|at| *at = wrong.clone());
        }
    }
    found
}

/// Values of other types than this one.
fn wrong(right: &Value) -> Vec<Value> {
    let scalar = match right {
        Value::String(_) => json!(7),
        Value::Number(_) => json!(true),
        Value::Bool(_) | Value::Object(_) | Value::Array(_) => json!("true"),
        // What else it may be isn't seen from the value.
        Value::Null => json!([]),
    };
    let empty = if right.is_object() { json!([]) } else { json!({}) };
    vec![scalar, empty]
}

#[test]
fn a_body_with_a_key_too_many_one_too_few_or_a_wrong_type_is_refused() {
    for golden in GOLDEN {
        let validator = golden.schemas().validator(golden.1);
        let broken = broken(&golden.body());
        assert!(broken.len() > 20, "{}: only {} ways", golden.0, broken.len());
        for (how, body) in broken {
            assert!(!validator.is_valid(&body), "{}: {how} is accepted", golden.0);
        }
    }
}

#[test]
fn a_value_that_the_contract_does_not_have_is_refused() {
    let cases = [
        ("property_flat", "/sync_metadata/sync_id", json!("sync-2025-01-15")),
        (
            "property_flat",
            "/sync_metadata/sync_timestamp",
            json!("2025-01-15T02:00:00+00:00"),
        ),
        ("property_flat", "/sync_metadata/source", json!("AiGent")),
        ("property_flat", "/sync_metadata/sync_type", json!("full")),
        ("property_flat", "/sync_metadata/sync_type", json!("delta")),
        ("property_flat", "/sync_metadata/sequence", json!(0)),
        ("property_flat", "/sync_metadata/sequence", json!(1.5)),
        ("property_flat", "/sync_metadata/snapshot_id", json!(null)),
        ("property_flat", "/sync_metadata/part", json!(0)),
        ("property_flat", "/property/project_id", json!("")),
        ("property_flat", "/property/is_active", json!(null)),
        ("property_flat", "/units/0/is_available", json!(null)),
        ("property_flat", "/units/0/floor", json!(1.5)),
        ("property_flat", "/units/0/content_hash", json!("D9".repeat(32))),
        ("property_flat", "/removed_units/0/reason", json!("rented")),
        ("property_flat", "/removed_units/1/unit_code", json!("101")),
        ("property_flat", "/keep", json!([7, 7])),
        ("property_nested", "/sync_metadata/parts", json!(2)),
        (
            "property_nested",
            "/sync_metadata/snapshot_id",
            json!("0194676e-a880-7c31-b2d9-4c5e6f708192"),
        ),
        ("property_nested", "/keep", json!([7])),
        ("properties_flat", "/properties", json!([])),
        ("flat", "/sync_metadata/sync_type", json!("replay")),
        ("guide_4_3", "/units", json!([])),
        ("unit_removed", "/removed", json!(false)),
    ];
    for (name, place, value) in cases {
        let golden = GOLDEN.iter().find(|golden| golden.0 == name).unwrap();
        let mut body = golden.body();
        match body.pointer_mut(place) {
            Some(at) => *at = value.clone(),
            None => {
                let (parent, key) = place.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap()[key] = value.clone();
            }
        }
        assert!(
            !golden.schemas().validator(golden.1).is_valid(&body),
            "{name}: {place} = {value}"
        );
    }
}
