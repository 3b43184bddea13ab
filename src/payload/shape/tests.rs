use std::path::Path;

use super::*;
use crate::config::{Config, Fields, UnitIdentity};
use crate::payload::samples::{default_shape, fields, shape, sunset_apartments, unit_101, unit_102};

fn sealable(shape: &Shape, unit: &Unit) -> SealableUnit {
    unit_under(shape, unit, None)
}

fn unit_under(shape: &Shape, unit: &Unit, external_id: Option<&str>) -> SealableUnit {
    let property = shape.property(&sunset_apartments(), external_id).unwrap();
    shape.unit(unit, &property).unwrap()
}

/// As it would be sent to a receiver that knows no removal.
fn gone(shape: &Shape, code: Option<&str>, last_sealed: Option<&str>) -> SealableUnit {
    let property = shape.property(&Property::gone(101), None).unwrap();
    shape.unavailable(12345, code, last_sealed, &property).unwrap()
}

fn without_lead() -> Unit {
    Unit {
        lead_first_name: None,
        lead_last_name: None,
        ..unit_101()
    }
}

fn nested(receiver: &mut Receiver) {
    receiver.unit_style = UnitStyle::Nested;
}

fn without_extensions(receiver: &mut Receiver) {
    receiver.extensions = false;
    receiver.removed = RemovedAs::Unavailable;
}

#[test]
fn a_float_keeps_its_point_and_an_unknown_value_is_null() {
    let json = sealable(&default_shape(), &unit_102()).json;
    assert!(
        json.starts_with(r#"{"unit_id":12346,"unit_code":"102","building":null,"floor":null,"#),
        "{json}"
    );
    assert!(json.contains(r#""base_rent":2100.0,"price_amortized":null,"#), "{json}");
}

#[test]
fn a_hash_is_stable_over_releases() {
    // Changing this has everything sent to every receiver again: raise the version instead.
    let unit = Unit {
        unit_id: 12345,
        unit_code: Some("101".into()),
        status_id: Some(1),
        status_name: Some("Available".into()),
        base_rent: Some(1500.0),
        ..Unit::default()
    };
    assert_eq!(
        sealable(&default_shape(), &unit).hash.to_string(),
        "0b87bf3b811a5df05f682af0142d4d475e406655c7b48a665bf789928b516e7a"
    );
    let alone = shape(|receiver| receiver.format = Format::Unit);
    assert_eq!(
        sealable(&alone, &unit_101()).hash.to_string(),
        "f3bb1013c048e7c406689af41c332d6b64371a1b1b50eb378b7a683e9e5504d5"
    );
}

#[test]
fn a_hash_is_of_the_text_without_the_hash() {
    for bare in [false, true] {
        let shape = shape(|receiver| receiver.extensions = !bare);
        let unit = sealable(&shape, &unit_101());
        let (text, hash) = match unit.json.split_once(r#","content_hash":""#) {
            Some((text, hash)) => (format!("{text}}}"), hash.trim_end_matches("\"}").to_owned()),
            None => (unit.json.clone(), unit.hash.to_string()),
        };
        assert_eq!(
            bare,
            text == unit.json,
            "only without extensions there is no hash in it"
        );
        assert_eq!(Hash::of_unit(text.as_bytes()).to_string(), hash);
        assert_eq!(unit.hash.to_string(), hash);
    }
}

#[test]
fn only_the_statuses_of_the_settings_are_available() {
    let shape = default_shape();
    for (status_id, is_available) in [(Some(1), true), (Some(2), false), (None, false)] {
        let unit = Unit {
            status_id,
            ..unit_101()
        };
        let json: serde_json::Value = serde_json::from_str(&sealable(&shape, &unit).json).unwrap();
        assert_eq!(json["is_available"], is_available, "{status_id:?}");
    }
}

#[test]
fn lead_keys_are_there_only_when_a_lead_is_assigned() {
    let mut unit = unit_102();
    unit.lead_last_name = Some("Doe".into());
    for (style, lead) in [
        (
            default_shape(),
            r#","lead_first_name":null,"lead_last_name":"Doe","content_hash""#,
        ),
        (
            shape(nested),
            r#","lead_assignment":{"lead_first_name":null,"lead_last_name":"Doe"},"content_hash""#,
        ),
    ] {
        let json = sealable(&style, &unit).json;
        assert!(json.contains(lead), "{json}");
        unit.lead_last_name = Some("  ".into());
        assert!(!sealable(&style, &unit).json.contains("lead"));
        unit.lead_last_name = Some("Doe".into());
    }
}

#[test]
fn fields_that_are_left_out_are_left_out_in_either_style() {
    let chosen = fields(&["floor", "status_name", "is_available", "view", "lead_last_name"]);
    for (unit_style, expected) in [
        (
            UnitStyle::Flat,
            r#"{"unit_id":12345,"floor":1,"status_name":"Available","is_available":true,"view":"City View","lead_last_name":"Doe"}"#,
        ),
        (
            UnitStyle::Nested,
            r#"{"unit_id":12345,"floor":1,"status":{"name":"Available"},"availability":{"is_available":true},"attributes":{"view":"City View"},"lead_assignment":{"lead_last_name":"Doe"}}"#,
        ),
    ] {
        let shape = shape(|receiver| {
            without_extensions(receiver);
            receiver.unit_style = unit_style;
            receiver.fields = chosen;
        });
        assert_eq!(sealable(&shape, &unit_101()).json, expected);
    }
}

#[test]
fn ids_remain_where_every_field_is_left_out() {
    for (format, expected) in [
        (Format::Property, r#"{"unit_id":12345}"#),
        (Format::Flat, r#"{"property_id":101,"unit_id":12345}"#),
        (
            Format::Unit,
            r#"{"unit_id":12345,"project_id":101,"project_name":"Sunset Apartments","property_address":"123 Main Street, Calgary, AB"}"#,
        ),
    ] {
        let shape = shape(|receiver| {
            without_extensions(receiver);
            receiver.format = format;
            receiver.fields = Fields::NONE;
        });
        assert_eq!(sealable(&shape, &unit_101()).json, expected);
    }
}

#[test]
fn what_is_left_out_changes_no_hash() {
    let shape = shape(|receiver| receiver.fields = Fields::ALL.without(Field::View));
    let other_view = Unit {
        view: None,
        ..unit_101()
    };
    assert_eq!(sealable(&shape, &unit_101()).hash, sealable(&shape, &other_view).hash);
    assert_ne!(
        sealable(&default_shape(), &unit_101()).hash,
        sealable(&default_shape(), &other_view).hash
    );
}

#[test]
fn an_external_id_is_a_number_where_it_is_written_like_one() {
    let property = sunset_apartments();
    for (external_id, id) in [
        (None, "101"),
        (Some("7"), "7"),
        (Some("-7"), "-7"),
        (Some("0"), "0"),
        (Some("9223372036854775807"), "9223372036854775807"),
        (Some("9223372036854775808"), r#""9223372036854775808""#),
        (Some("-0"), r#""-0""#),
        (Some("+7"), r#""+7""#),
        (Some("007"), r#""007""#),
        (Some(" 7"), r#"" 7""#),
        (Some("7.0"), r#""7.0""#),
        (Some("RS-\"7\""), r#""RS-\"7\"""#),
        (Some(""), r#""""#),
    ] {
        let sent = default_shape().property(&property, external_id).unwrap();
        assert_eq!(sent.id, id);
        assert!(sent.json.starts_with(&format!(r#"{{"project_id":{id},"project_name""#)));
        assert_eq!(sent.property_id, 101);
    }
}

#[test]
fn a_units_hash_depends_on_its_propertys_id_only_where_it_is_part_of_the_unit() {
    for (format, depends) in [(Format::Property, false), (Format::Flat, true), (Format::Unit, true)] {
        let shape = shape(|receiver| receiver.format = format);
        let (own, external) = (
            sealable(&shape, &unit_101()),
            unit_under(&shape, &unit_101(), Some("RS-101")),
        );
        assert_eq!(own.hash != external.hash, depends, "{format:?}");
        assert_eq!(
            external.json.contains(r#"_id":"RS-101","#),
            depends,
            "{}",
            external.json
        );
    }
}

#[test]
fn a_rename_is_sent_with_the_property_or_with_every_unit_or_not_at_all() {
    let renamed = Property {
        name: Some("Sunrise Apartments".into()),
        ..sunset_apartments()
    };
    for (format, property_differs, unit_differs) in [
        (Format::Property, true, false),
        (Format::Flat, false, false),
        (Format::Unit, false, true),
    ] {
        let shape = shape(|receiver| receiver.format = format);
        let [(property, unit), (other_property, other_unit)] = [sunset_apartments(), renamed.clone()].map(|property| {
            let property = shape.property(&property, None).unwrap();
            let unit = shape.unit(&unit_101(), &property).unwrap();
            (property, unit)
        });
        assert_eq!(property.hash != other_property.hash, property_differs, "{format:?}");
        assert_eq!(unit.hash != other_unit.hash, unit_differs, "{format:?}");
        assert_eq!(shape.properties_are_sent(), property_differs);
    }
}

#[test]
fn a_propertys_hash_covers_what_the_receiver_sees() {
    let leased_up = Property {
        is_lease_up: Some(true),
        ..sunset_apartments()
    };
    for bare in [false, true] {
        let shape = shape(|receiver| receiver.extensions = !bare);
        let hash = |property| shape.property(property, None).unwrap().hash;
        assert_eq!(hash(&sunset_apartments()) == hash(&leased_up), bare);
    }
}

#[test]
fn a_code_is_mapped_or_prefixed_and_null_stays_null() {
    let shape = shape(|receiver| {
        receiver.unit_codes.prefix = "SA-".into();
        receiver.unit_codes.map = [(1, "PH1".into()), (3, "PH3".into())].into();
    });
    for (unit_id, source, code) in [
        (1, Some("101"), Some("PH1")),
        (2, Some("101"), Some("SA-101")),
        (2, None, None),
        (3, None, Some("PH3")),
    ] {
        let unit = sealable(
            &shape,
            &Unit {
                unit_id,
                unit_code: source.map(str::to_owned),
                ..Unit::default()
            },
        );
        assert_eq!(unit.code.as_deref(), code);
        let json: serde_json::Value = serde_json::from_str(&unit.json).unwrap();
        assert_eq!(json["unit_code"].as_str(), code);
    }
}

#[test]
fn a_code_that_is_left_out_is_not_sent_in_any_way() {
    let shape = shape(|receiver| receiver.fields = Fields::ALL.without(Field::UnitCode));
    assert_eq!(sealable(&shape, &unit_101()).code, None);
    let unavailable = gone(&shape, Some("101"), None);
    assert_eq!(unavailable.code, None);
    assert!(!unavailable.json.contains("unit_code"));
}

#[test]
fn a_unit_that_went_is_sent_as_last_but_not_available_and_without_its_lead() {
    for change in [without_extensions, nested, |_: &mut Receiver| {}] {
        let shape = shape(change);
        let last = sealable(&shape, &unit_101());
        let unavailable = gone(&shape, Some("101"), Some(&last.json));
        let expected = sealable(&shape, &without_lead()).json;
        let expected = expected.replace(r#""is_available":true"#, r#""is_available":false"#);
        let without_hash = |json: &str| json.split(r#","content_hash""#).next().map(str::to_owned);
        assert_eq!(without_hash(&unavailable.json), without_hash(&expected));
        assert_ne!(last.hash, unavailable.hash);
        assert_eq!(unavailable.code.as_deref(), Some("101"));
    }
}

#[test]
fn a_unit_that_went_hashes_like_one_that_is_only_not_available() {
    let shape = default_shape();
    let last = sealable(&shape, &unit_101());
    let rented = Shape {
        available_status_ids: Vec::new(),
        ..default_shape()
    };
    let unavailable = gone(&shape, None, Some(&last.json));
    assert_eq!(unavailable.hash, sealable(&rented, &without_lead()).hash);
    assert_eq!(unavailable.json, sealable(&rented, &without_lead()).json);
    let again = gone(&shape, None, Some(&unavailable.json));
    assert_eq!(again.hash, unavailable.hash, "sealed again it is the same");
}

#[test]
fn a_unit_that_went_is_sent_as_the_settings_are_now() {
    let shapes = [
        default_shape(),
        shape(nested),
        shape(|receiver| receiver.format = Format::Flat),
        shape(|receiver| receiver.format = Format::Unit),
    ];
    for (then, now) in shapes.iter().flat_map(|then| shapes.iter().map(move |now| (then, now))) {
        let last = sealable(then, &unit_101());
        let property = now.property(&sunset_apartments(), None).unwrap();
        let unavailable = now.unavailable(12345, None, Some(&last.json), &property).unwrap();
        let straight = now.unavailable(12345, None, Some(&sealable(now, &unit_101()).json), &property);
        assert_eq!(unavailable.json, straight.unwrap().json);
    }
    let last = sealable(&shapes[0], &unit_101()).json;
    let fewer = shape(|receiver| {
        without_extensions(receiver);
        receiver.fields = fields(&["unit_code", "is_available", "floor"]);
    });
    let less = gone(&fewer, None, Some(&last)).json;
    assert_eq!(
        less,
        r#"{"unit_id":12345,"unit_code":"101","floor":1,"is_available":false}"#
    );
    let more = shape(|receiver| {
        without_extensions(receiver);
        receiver.fields = fields(&["floor", "view"]);
    });
    assert_eq!(
        gone(&more, None, Some(&less)).json,
        r#"{"unit_id":12345,"floor":1,"view":null}"#
    );
}

#[test]
fn a_unit_that_went_without_a_text_is_nothing_but_not_available() {
    let shape = shape(|receiver| {
        without_extensions(receiver);
        receiver.fields = fields(&["unit_code", "floor", "is_available", "lead_last_name"]);
    });
    for (code, expected) in [(Some("101"), r#""101""#), (None, "null")] {
        assert_eq!(
            gone(&shape, code, None).json,
            format!(r#"{{"unit_id":12345,"unit_code":{expected},"floor":null,"is_available":false}}"#)
        );
    }
}

#[test]
fn a_unit_of_a_property_that_went_keeps_its_propertys_name() {
    let shape = shape(|receiver| {
        without_extensions(receiver);
        receiver.format = Format::Unit;
        receiver.fields = fields(&["is_available"]);
    });
    let last = sealable(&shape, &unit_101());
    let names = r#""project_name":"Sunset Apartments","property_address":"123 Main Street, Calgary, AB""#;
    assert_eq!(
        gone(&shape, None, Some(&last.json)).json,
        format!(r#"{{"unit_id":12345,"project_id":101,{names},"availability":{{"is_available":false}}}}"#)
    );
}

#[test]
fn a_text_that_is_no_unit_is_an_error_that_does_not_quote_it() {
    let shape = default_shape();
    let property = shape.property(&sunset_apartments(), None).unwrap();
    for text in [r#""John""#, "{", r#"{"status":"John"}"#] {
        let Err(error) = shape.unavailable(12345, None, Some(text), &property) else {
            panic!("{text} was read");
        };
        let message = format!("{error:#}");
        assert_eq!(
            message,
            "what was sealed last of unit 12345 is no JSON object of a unit"
        );
    }
}

#[test]
fn every_setting_that_shapes_a_unit_changes_the_fingerprint() {
    let changes: [fn(&mut Receiver); 18] = [
        |_| {},
        |receiver| receiver.format = Format::Flat,
        |receiver| receiver.format = Format::Unit,
        nested,
        |receiver| receiver.batch = Batch::AllProperties,
        |receiver| receiver.fields = Fields::ALL.without(Field::View),
        |receiver| receiver.extensions = false,
        |receiver| receiver.removed = RemovedAs::Unavailable,
        |receiver| receiver.unit_identity = UnitIdentity::Global,
        |receiver| receiver.unit_codes.prefix = "SA-".into(),
        |receiver| receiver.require = requirements("view = { required = true }"),
        |receiver| receiver.require = requirements("view = { length_max = 3 }"),
        |receiver| receiver.require = requirements("view = { length_max = 4 }"),
        |receiver| receiver.require = requirements("building = { length_max = 4 }"),
        |receiver| receiver.unit_codes.map = [(1, "PH1".into())].into(),
        |receiver| receiver.body_bytes_max = 6_000_000,
        |receiver| receiver.property_groups = Some(vec![7]),
        |receiver| receiver.property_groups = Some(Vec::new()),
    ];
    let mut fingerprints: Vec<_> = changes.map(|change| shape(change).fingerprint().to_owned()).into();
    let receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
    fingerprints.push(Shape::new(&receiver, &[1, 2]).fingerprint().to_owned());
    let count = fingerprints.len();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), count);
}

fn requirements(settings: &str) -> Requirements {
    let text = format!("[receivers.main]\nurl = 'https://receiver.invalid/'\n[receivers.main.require]\n{settings}");
    let config = Config::parse(Some(&text), Path::new("relay.toml"), &[]).unwrap();
    config.receivers["main"].require.clone()
}

#[test]
fn what_shapes_no_unit_leaves_the_fingerprint_alone() {
    let receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
    let elsewhere = Receiver {
        units_per_request_max: 1,
        ..Receiver::new("staging", "https://staging.invalid/".parse().unwrap())
    };
    assert_eq!(
        Shape::new(&receiver, &[1, 2]).fingerprint(),
        Shape::new(&elsewhere, &[2, 1, 2]).fingerprint()
    );
    let chosen =
        |texts: &str| shape(|receiver| receiver.require = requirements(&format!("view = {{ one_of = {texts} }}")));
    assert_eq!(
        chosen("['a', 'b']").fingerprint(),
        chosen("['b', 'a', 'b']").fingerprint()
    );
    let nothing = shape(|receiver| receiver.require = requirements("view = {}"));
    assert_eq!(nothing.fingerprint(), default_shape().fingerprint());
    let groups = |groups: &[i64]| shape(|receiver| receiver.property_groups = Some(groups.to_vec()));
    assert_eq!(groups(&[1, 2]).fingerprint(), groups(&[2, 1]).fingerprint());
}

#[test]
fn what_a_receiver_can_read_follows_from_its_format() {
    use Batch::{AllProperties, PerProperty};
    for (format, batch, extensions, absence, keep) in [
        (Format::Property, PerProperty, true, true, true),
        (Format::Property, AllProperties, true, true, false),
        (Format::Property, PerProperty, false, false, false),
        (Format::Flat, PerProperty, true, true, true),
        (Format::Flat, AllProperties, true, true, true),
        (Format::Flat, PerProperty, false, false, false),
        (Format::Unit, PerProperty, true, false, false),
        (Format::Unit, PerProperty, false, false, false),
    ] {
        let shape = shape(|receiver| {
            (receiver.format, receiver.batch, receiver.extensions) = (format, batch, extensions);
        });
        assert_eq!(
            (
                shape.absence_can_be_read(),
                shape.keep_can_be_sent(),
                shape.removals_are_sent()
            ),
            (absence, keep, extensions),
            "{format:?} {batch:?} {extensions}"
        );
    }
}
