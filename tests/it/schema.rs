//! What is published for a partner's engineers says what the relay does: the schemas, the description of the endpoint and
//! the guide, all in `docs`.

mod answers;
mod bodies;
mod golden;
mod guide;
mod openapi;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jsonschema::{Registry, Validator};
use serde_json::Value;

/// Where the schemas are said to be; nothing is ever fetched from there.
const BASE: &str = "json-schema:///";
/// Parts that the other schemas refer to.
const SHARED: [&str; 2] = ["defs", "fields"];

fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json_of(path: &str) -> Value {
    serde_json::from_str(&text_of(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the JSON files in a directory, without their ending.
fn names_in(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(in_repository(directory)).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files
        .filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The schemas, by their names.
#[derive(Clone)]
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    fn published() -> Self {
        let names = names_in("docs/schemas").into_iter();
        Self(
            names
                .map(|name| (name.clone(), json_of(&format!("docs/schemas/{name}.json"))))
                .collect(),
        )
    }

    /// For a receiver that is sent these fields alone: left out of `fields.json` as that file says.
    fn of_fields(mut self, sent: &[&str]) -> Self {
        let defs = &mut self.0.get_mut("fields").unwrap()["$defs"];
        leave_out(&mut defs["flat"], |name| sent.contains(&name));
        let objects = [
            ("status", "status_"),
            ("availability", ""),
            ("pricing", ""),
            ("specifications", ""),
            ("attributes", ""),
            ("lead_assignment", ""),
        ];
        let nested = &mut defs["nested"];
        for (object, prefix) in objects {
            let is_sent = |key: &str| sent.contains(&key) || sent.contains(&format!("{prefix}{key}").as_str());
            leave_out(&mut nested["properties"][object], is_sent);
        }
        let properties = nested["properties"].clone();
        leave_out(nested, |name| match properties[name]["properties"].as_object() {
            Some(object) => !object.is_empty(),
            None => sent.contains(&name),
        });
        self
    }

    fn validator(&self, name: &str) -> Validator {
        let mut registry = Registry::new();
        for (name, schema) in &self.0 {
            registry = registry.add(format!("{BASE}{name}.json"), schema).unwrap();
        }
        let registry = registry.prepare().unwrap();
        let options = jsonschema::options();
        let options = options.with_registry(&registry).with_base_uri(BASE);
        options
            .build(&self.0[name])
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What is wrong with a value, if anything is.
    fn complaints(&self, name: &str, value: &Value) -> Vec<String> {
        let validator = self.validator(name);
        let errors = validator.iter_errors(value);
        errors
            .map(|error| format!("{name}: {}: {error}", error.instance_path()))
            .collect()
    }
}

/// Takes fields out of an object's schema.
fn leave_out(schema: &mut Value, is_sent: impl Fn(&str) -> bool) {
    for key in ["properties", "dependentRequired"] {
        if let Some(entries) = schema.get_mut(key).and_then(Value::as_object_mut) {
            entries.retain(|name, _| is_sent(name));
        }
    }
    if let Some(dependent) = schema.get_mut("dependentRequired").and_then(Value::as_object_mut) {
        for others in dependent.values_mut() {
            others
                .as_array_mut()
                .unwrap()
                .retain(|other| is_sent(other.as_str().unwrap()));
        }
    }
    let required = schema["required"].as_array_mut().unwrap();
    required.retain(|name| is_sent(name.as_str().unwrap()));
}

#[test]
fn every_schema_is_one_and_is_called_like_its_file() {
    let schemas = Schemas::published();
    for (name, schema) in &schemas.0 {
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("{name}.json"));
        schemas.validator(name);
    }
}
