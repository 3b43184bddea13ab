//! The fields of a unit that are about a person: its lead's names.
//!
//! They are sent while the unit is there, and kept nowhere but in the bodies that carry them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

const KEYS: [&str; 2] = ["lead_first_name", "lead_last_name"];
/// The object that they stand in, in nested style.
const OBJECT: &str = "lead_assignment";

/// A unit's text without them, in either style; none where it is no unit's text at all, because then nobody knows what it
/// holds. Every other value stays as it was written.
pub(crate) fn without_lead(text: &str) -> Option<String> {
    if !text.contains("\"lead_") {
        return Some(text.to_owned());
    }
    let mut unit: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    unit.retain(|key, _| key != OBJECT && !KEYS.contains(&key.as_str()));
    serde_json::to_string(&unit).ok()
}

/// What stands in a name's place where a body is shown.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Over names as well, so that whoever has a list of names can find out by them which was hidden: a unit's, and a property's, which is over
/// units that the body does not carry.
const HASH: &str = "content_hash";
const DIGEST: &str = "property_digest";

/// Puts that in every name's place, in whatever style and at whatever depth, and in the place of hashes over them. Says whether there
/// was a name.
pub(crate) fn hide_leads(body: &mut Value) -> bool {
    match body {
        Value::Array(entries) => entries.iter_mut().map(hide_leads).fold(false, bool::max),
        Value::Object(fields) => {
            let mut found = false;
            for (key, value) in fields.iter_mut().filter(|(_, value)| !value.is_null()) {
                let is_name = KEYS.contains(&key.as_str());
                if is_name || key == DIGEST {
                    *value = Value::from(HIDDEN);
                }
                found |= is_name || hide_leads(value);
            }
            if let Some(hash) = fields.get_mut(HASH).filter(|_| found) {
                *hash = Value::from(HIDDEN);
            }
            found
        }
        _ => false,
    }
}

/// Every name in a body of ours, whatever its format.
///
/// The body is not parsed: it is compact, and a quote within a string is escaped, so that a key is found by its letters.
pub(crate) fn leads(body: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = std::str::from_utf8(body).unwrap_or_default();
    while let Some(at) = rest.find("\"lead_") {
        rest = &rest[at + 1..];
        let value = KEYS.iter().find_map(|key| rest.strip_prefix(key)?.strip_prefix("\":"));
        let value = value.and_then(|value| serde_json::Deserializer::from_str(value).into_iter::<String>().next());
        names.extend(value.and_then(Result::ok).filter(|name| !name.trim().is_empty()));
    }
    names
}

/// The units that a body carries a lead of.
pub(crate) fn units_with_lead(body: &Value) -> BTreeSet<i64> {
    let mut units = BTreeSet::new();
    find_units(body, &mut units);
    units
}

/// A body has its units in a list, or in a list of each property, or is one.
fn find_units(part: &Value, units: &mut BTreeSet<i64>) {
    let has_lead = part.get(OBJECT).is_some() || KEYS.iter().any(|key| part.get(key).is_some());
    units.extend(part.get("unit_id").and_then(Value::as_i64).filter(|_| has_lead));
    for list in ["units", "properties"] {
        let entries = part.get(list).and_then(Value::as_array);
        entries.into_iter().flatten().for_each(|entry| find_units(entry, units));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_units_text_loses_its_lead_and_nothing_else() {
        let flat = r#"{"unit_id":1,"base_rent":1500.0,"view":"\"lead_first_name\":\"x\"","lead_first_name":"A","lead_last_name":null}"#;
        let kept = without_lead(flat).unwrap();
        assert!(
            kept.contains("\"base_rent\":1500.0") && !kept.contains(":\"A\""),
            "{kept}"
        );
        let nested = r#"{"unit_id":1,"lead_assignment":{"lead_last_name":"B"},"status":{"id":1}}"#;
        assert_eq!(without_lead(nested).unwrap(), r#"{"status":{"id":1},"unit_id":1}"#);
        assert_eq!(without_lead(r#"{"unit_id":1}"#).as_deref(), Some(r#"{"unit_id":1}"#));
        assert_eq!(without_lead(r#"{"lead_last_name":"B""#), None);
    }

    #[test]
    fn names_are_hidden_and_so_is_what_they_could_be_found_by() {
        let flat = json!({ "unit_id": 7, "lead_first_name": "Ann", "lead_last_name": null, "content_hash": "a" });
        let nested = json!({ "unit_id": 8, "lead_assignment": { "lead_last_name": "Doe" }, "content_hash": "b" });
        let other = json!({ "unit_id": 9, "content_hash": "c" });
        let mut body = json!({ "properties": [
            { "property_digest": "d", "units": [flat, other] },
            { "property_digest": "e", "units": [nested] },
            { "property_digest": "f", "units": [other] },
        ] });
        assert!(hide_leads(&mut body));
        let text = body.to_string();
        assert!(
            !["Ann", "Doe", "\"a\"", "\"b\"", "\"d\"", "\"e\"", "\"f\""]
                .iter()
                .any(|one| text.contains(one)),
            "{text}"
        );
        assert!(["\"c\"", "null"].iter().all(|one| text.contains(one)), "{text}");
    }

    #[test]
    fn leads_are_found_in_every_kind_of_body() {
        let flat = json!({ "unit_id": 7, "lead_first_name": "Zo\u{eb} \"Z\"", "lead_last_name": null });
        let nested = json!({ "unit_id": 8, "lead_assignment": { "lead_last_name": "Doe" } });
        let other = json!({ "unit_id": 9, "view": "\"lead_first_name\":\"nobody\"" });
        for body in [
            json!({ "units": [flat, nested, other] }),
            json!({ "properties": [{ "units": [flat] }, { "units": [other, nested] }] }),
        ] {
            let names = leads(body.to_string().as_bytes());
            assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Doe", "Zo\u{eb} \"Z\""]);
            assert_eq!(units_with_lead(&body).into_iter().collect::<Vec<_>>(), [7, 8]);
        }
        assert_eq!(units_with_lead(&nested).into_iter().collect::<Vec<_>>(), [8]);
    }
}
