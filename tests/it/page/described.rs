//! `docs/api.json`: the same addresses as the router has, and every answer as it says, with nothing that it does not say.

use std::collections::BTreeSet;
use std::path::Path;

use rentsync_relay::page;
use serde_json::{Value, json};

fn described() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("docs/api.json")).expect("JSON")
}

/// What is wrong with an answer to this address, as it was asked for, without prefix and query.
pub fn objections(method: &str, address: &str, answer: &Value) -> Vec<String> {
    let mut api = described();
    strict(&mut api);
    let paths = api["paths"].as_object().expect("paths");
    let path = paths
        .keys()
        .find(|path| is_at(path, address))
        .unwrap_or_else(|| panic!("{address} is in no path"));
    let schema = &api["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} says nothing of its answer");
    let schema = json!({ "allOf": [schema], "components": api["components"] });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors = validator.iter_errors(answer);
    errors
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect()
}

/// A client ignores what it does not know; this test does not.
fn strict(value: &mut Value) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(strict),
        Value::Object(fields) => {
            fields.values_mut().for_each(strict);
            // Of some objects only what they have in common is described.
            let is_whole = fields.get("properties").is_some() && !fields.contains_key("x-more");
            if is_whole {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}

fn is_at(path: &str, address: &str) -> bool {
    let (path, address): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), address.split('/').collect());
    let fits = |(part, given): (&&str, &&str)| part == given || part.starts_with('{') && !given.is_empty();
    path.len() == address.len() && path.iter().zip(&address).all(fits)
}

#[test]
fn the_description_has_every_address_of_the_api_and_no_other() {
    let api = described();
    let mut found = BTreeSet::new();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            found.insert((method.clone(), path.clone()));
        }
    }
    let routed = page::api().into_iter().map(|(method, path)| (method.to_owned(), path));
    assert_eq!(found, routed.collect());
}

#[test]
fn every_reference_leads_somewhere_and_every_parameter_of_a_path_is_described() {
    fn check(api: &Value, value: &Value) {
        match value {
            Value::Array(entries) => entries.iter().for_each(|entry| check(api, entry)),
            Value::Object(fields) => {
                if let Some(place) = fields.get("$ref").and_then(Value::as_str) {
                    assert!(api.pointer(&place[1..]).is_some(), "{place}");
                }
                fields.values().for_each(|field| check(api, field));
            }
            _ => {}
        }
    }
    let api = described();
    check(&api, &api);
    for (path, methods) in api["paths"].as_object().expect("paths") {
        let named: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        for operation in methods.as_object().expect("methods").values() {
            let parameters = operation["parameters"].as_array().expect("parameters").iter();
            let in_path = parameters.filter(|parameter| parameter["in"] == "path");
            let described: BTreeSet<&str> = in_path.filter_map(|parameter| parameter["name"].as_str()).collect();
            assert_eq!(described, named, "{path}");
        }
    }
}
