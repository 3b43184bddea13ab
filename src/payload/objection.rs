//! Why a unit can't be sent to a receiver as it is: every reason, in words that name field and limit and never a value.

use std::collections::BTreeSet;

use super::content::{Present, Value};
use super::layout::Content as _;
use crate::config::{Field, Requirement, Requirements};
use crate::words;

/// The longest code that a unit may be sent by. Codes are looked up and indexed, and a removal has to name one in whatever room
/// there is.
pub(crate) const UNIT_CODE_BYTES_MAX: i32 = 1024;

/// Checks a unit as the receiver would see it; `unreadable`: the fields of it whose text can't be read, and why.
pub(super) fn objections(content: &Present, unreadable: &[(Field, &str)], requirements: &Requirements) -> Vec<String> {
    let is_readable = |field| unreadable.iter().all(|(other, _)| *other != field);
    let unread = unreadable.iter().map(|(field, why)| format!("{} {why}", field.name()));
    let long_code = content.code.filter(|code| code.len() > UNIT_CODE_BYTES_MAX as usize);
    let long_code = long_code.map(|code| {
        let (bytes, max) = (
            words::thousands(code.len() as u64),
            words::thousands(UNIT_CODE_BYTES_MAX),
        );
        format!("unit_code is {bytes} bytes long, more than the {max} that a code may have")
    });
    let not_finite = content
        .unit
        .not_finite()
        .map(|field| format!("{field} is not a finite number"));
    let failing = requirements
        .iter()
        .filter(|(field, _)| is_readable(*field))
        .flat_map(|(field, required)| of_field(content, field, required));
    unread.chain(long_code).chain(not_finite).chain(failing).collect()
}

fn of_field(content: &Present, field: Field, required: &Requirement) -> Vec<String> {
    // A lead's names are there only where a lead is assigned.
    if field.is_lead() && !content.has_lead() {
        return Vec::new();
    }
    let failing = match content.value(field) {
        Value::Text(Some(text)) if !(required.required && text.trim().is_empty()) => of_text(text, required),
        Value::Integer(Some(number)) => of_number(number as f64, required),
        Value::Float(Some(number)) => of_number(number, required),
        Value::Boolean(Some(_)) => Vec::new(),
        Value::Text(_) | Value::Integer(None) | Value::Float(None) | Value::Boolean(None) => {
            let missing = required.required.then(|| "is missing".to_owned());
            missing.into_iter().collect()
        }
    };
    failing
        .into_iter()
        .map(|what| format!("{} {what}", field.name()))
        .collect()
}

fn of_text(text: &str, required: &Requirement) -> Vec<String> {
    let length = text.chars().count();
    let short = required.length_min.filter(|min| length < *min);
    let long = required.length_max.filter(|max| length > *max);
    let other = required.one_of.as_ref().filter(|texts| !texts.contains(text));
    let listed = |texts: &BTreeSet<String>| {
        texts
            .iter()
            .map(|text| format!("{text:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    [
        short.map(|min| format!("is shorter than {}", characters(min))),
        long.map(|max| format!("is longer than {}", characters(max))),
        other.map(|texts| format!("is none of {}", listed(texts))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is no number is objected to already.
fn of_number(number: f64, required: &Requirement) -> Vec<String> {
    let small = required.min.filter(|min| number.is_finite() && number < *min);
    let large = required.max.filter(|max| number.is_finite() && number > *max);
    [
        small.map(|min| format!("is less than {min}")),
        large.map(|max| format!("is more than {max}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn characters(count: usize) -> String {
    match count {
        1 => "1 character".to_owned(),
        _ => format!("{count} characters"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Field, FieldKind};
    use crate::payload::Shape;
    use crate::payload::content::{Present, Value};
    use crate::payload::samples::{default_shape, unit_101, unit_102};
    use crate::unit::Unit;

    fn shape(settings: &str) -> Shape {
        let text = format!("[receivers.main]\nurl = 'https://receiver.invalid/'\n{settings}");
        let config = Config::parse(Some(&text), Path::new("relay.toml"), &[]).unwrap();
        Shape::new(&config.receivers["main"], &[1])
    }

    #[track_caller]
    fn objected(settings: &str, unit: &Unit, expected: Option<&str>) {
        assert_eq!(shape(settings).objection(unit).as_deref(), expected, "{settings}");
    }

    #[test]
    fn a_number_that_json_lacks_is_objected_to_by_everybody() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let unit = Unit {
                price_amortized: Some(bad),
                ..unit_101()
            };
            let because = "price_amortized is not a finite number";
            assert_eq!(default_shape().objection(&unit).as_deref(), Some(because));
            objected("require.price_amortized = { min = 1, max = 2 }", &unit, Some(because));
        }
        assert_eq!(default_shape().objection(&Unit::default()), None);
    }

    #[test]
    fn what_is_required_is_neither_null_nor_blank() {
        for view in [None, Some(""), Some(" \t")] {
            let unit = Unit {
                view: view.map(str::to_owned),
                ..unit_101()
            };
            objected("require.view = { required = true }", &unit, Some("view is missing"));
            objected(
                "require.view = { required = true, length_min = 3 }",
                &unit,
                Some("view is missing"),
            );
        }
        for field in ["floor", "price_amortized", "has_garage"] {
            let settings = format!("require.{field} = {{ required = true }}");
            objected(&settings, &unit_102(), Some(&format!("{field} is missing")));
            objected(&settings, &unit_101(), None);
        }
        objected("require.is_available = { required = true }", &unit_102(), None);
    }

    #[test]
    fn a_limit_is_one_of_what_is_there() {
        objected("require.view = { length_min = 3 }", &unit_102(), None);
        objected("require.floor = { min = 3 }", &unit_102(), None);
        let blank = Unit {
            view: Some(String::new()),
            ..unit_101()
        };
        objected(
            "require.view = { length_min = 1 }",
            &blank,
            Some("view is shorter than 1 character"),
        );
    }

    #[test]
    fn limits_are_kept_up_to_themselves() {
        let unit = Unit {
            view: Some("Zürich".into()),
            ..unit_101()
        };
        objected("require.view = { length_min = 6, length_max = 6 }", &unit, None);
        objected(
            "require.view = { length_min = 7 }",
            &unit,
            Some("view is shorter than 7 characters"),
        );
        objected(
            "require.view = { length_max = 5 }",
            &unit,
            Some("view is longer than 5 characters"),
        );
        objected("require.view = { one_of = ['Zürich', 'x'] }", &unit, None);
        objected(
            "require.view = { one_of = ['zürich', 'x'] }",
            &unit,
            Some("view is none of \"x\", \"zürich\""),
        );
        objected("require.base_rent = { min = 1500, max = 1500 }", &unit, None);
        objected(
            "require.base_rent = { min = 1500.01 }",
            &unit,
            Some("base_rent is less than 1500.01"),
        );
        objected(
            "require.base_rent = { max = 1499 }",
            &unit,
            Some("base_rent is more than 1499"),
        );
        objected("require.floor = { min = 1, max = 1 }", &unit, None);
        objected("require.floor = { min = 2 }", &unit, Some("floor is less than 2"));
    }

    #[test]
    fn every_reason_is_named_and_no_value() {
        let unit = Unit {
            unit_code: Some("secret code".into()),
            base_rent: Some(77.0),
            bedrooms: Some(f64::NAN),
            bathrooms: Some(f64::NAN),
            lead_first_name: Some("Wilhelmina".into()),
            lead_last_name: None,
            ..unit_102()
        };
        objected(
            "[receivers.main.require]
             view = { required = true }
             unit_code = { length_max = 3, one_of = ['1'] }
             base_rent = { min = 100 }
             lead_first_name = { length_max = 5 }
             lead_last_name = { required = true }",
            &unit,
            Some(
                "bedrooms is not a finite number; bathrooms is not a finite number; unit_code is longer than 3 characters; \
                 unit_code is none of \"1\"; base_rent is less than 100; view is missing; \
                 lead_first_name is longer than 5 characters; lead_last_name is missing",
            ),
        );
    }

    #[test]
    fn a_leads_names_are_required_where_a_lead_is_assigned() {
        let settings = "require.lead_last_name = { required = true }";
        objected(settings, &unit_102(), None);
        let blank = Unit {
            lead_first_name: Some(" ".into()),
            ..unit_102()
        };
        objected(settings, &blank, None);
    }

    #[test]
    fn what_is_checked_is_what_the_receiver_would_see() {
        let settings = "unit_codes.prefix = 'AB-'\nunit_codes.map = { 12346 = 'X' }\nrequire.unit_code = { length_min = 2, length_max = 5 }";
        objected(settings, &unit_102(), Some("unit_code is shorter than 2 characters"));
        let long = Unit {
            unit_code: Some("1015".into()),
            ..unit_101()
        };
        objected(settings, &long, Some("unit_code is longer than 5 characters"));
        let no_code = Unit {
            unit_code: None,
            ..unit_101()
        };
        let settings = "unit_codes.map = { 12345 = 'X' }\nrequire.unit_code = { required = true }";
        objected(settings, &no_code, None);
    }

    #[test]
    fn a_field_holds_what_the_settings_take_it_for() {
        let unit = unit_101();
        let content = Present {
            unit: &unit,
            code: None,
            is_available: true,
        };
        for (field, name) in Field::ALL {
            let kind = match content.value(field) {
                Value::Text(_) => FieldKind::Text,
                Value::Integer(_) => FieldKind::Integer,
                Value::Float(_) => FieldKind::Float,
                Value::Boolean(_) => FieldKind::Boolean,
            };
            assert_eq!(kind, field.kind(), "{name}");
        }
    }
}
