//! Reading a table by taking keys out of it: what was asked for is known, what
//! is left over at the end is unknown. A key is thereby declared in one place,
//! where it is read.
//!
//! Problems are gathered and reading goes on with the default, so that all of
//! them are reported at once; with any problem the result is thrown away.
//! Not its business: what the keys mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::env::Environment;
use crate::node::{Entries, Node};
use crate::secret::{SecretRef, secret, secrets};
use crate::values::Validated;

/// Below this two keys look like two keys and not like one mistyped.
const SIMILARITY_MIN: f64 = 0.85;

/// What is gathered while the settings are read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub environment: Environment,
    /// What relative paths are relative to.
    pub directory: PathBuf,
    pub problems: Vec<String>,
    pub secrets: Vec<SecretRef>,
    /// The full path of every key asked for.
    pub keys: BTreeSet<String>,
}

/// A table that is being read.
pub struct Section<'a> {
    path: String,
    entries: Entries,
    known: BTreeSet<String>,
    /// When the known keys depend on another key: on which.
    condition: Option<String>,
    /// Keys that are known once another key has another value: that key and value.
    elsewhere: BTreeMap<String, (String, String)>,
    reading: &'a mut Reading,
}

/// What was found at a key.
pub enum Found<T> {
    /// Nothing.
    Absent,
    /// The problem is noted.
    Refused,
    /// What was read.
    Value(T),
}

impl Reading {
    /// Reads the whole document.
    pub fn read<T>(&mut self, entries: Entries, read: impl FnOnce(&mut Section) -> T) -> T {
        read_whole(self, String::new(), entries, read)
    }
}

/// What reading gives where nothing is set: the defaults.
pub fn read_nothing<T>(read: impl FnOnce(&mut Section) -> T) -> T {
    Reading::default().read(Entries::new(), read)
}

fn read_whole<T>(reading: &mut Reading, path: String, entries: Entries, read: impl FnOnce(&mut Section) -> T) -> T {
    let mut section = Section {
        path,
        entries,
        known: BTreeSet::new(),
        condition: None,
        elsewhere: BTreeMap::new(),
        reading,
    };
    let result = read(&mut section);
    section.refuse_rest();
    result
}

impl Section<'_> {
    /// The value at a key, or the default where nothing is set.
    pub fn take<T>(&mut self, key: &str, default: T, kind: impl FnOnce(&Node) -> Validated<T>) -> T {
        self.optional(key, kind).unwrap_or(default)
    }

    /// The value at a key that has no default.
    pub fn optional<T>(&mut self, key: &str, kind: impl FnOnce(&Node) -> Validated<T>) -> Option<T> {
        match self.find(key, kind) {
            Found::Value(value) => Some(value),
            Found::Absent | Found::Refused => None,
        }
    }

    /// The value at a key that has to be set; `None` once the problem is noted.
    pub fn required<T>(&mut self, key: &str, kind: impl FnOnce(&Node) -> Validated<T>) -> Option<T> {
        match self.find(key, kind) {
            Found::Value(value) => Some(value),
            Found::Refused => None,
            Found::Absent => {
                self.miss(key);
                None
            }
        }
    }

    /// The reference to a secret that has to be set.
    pub fn secret(&mut self, key: &str) -> Option<SecretRef> {
        let path = self.path_of(key);
        let directory = self.reading.directory.clone();
        let reference = self.required(key, secret(&path, &directory))?;
        self.keep_secret(&reference);
        Some(reference)
    }

    /// The references to secrets of which there has to be one at least.
    pub fn secrets(&mut self, key: &str) -> Option<Vec<SecretRef>> {
        let path = self.path_of(key);
        let directory = self.reading.directory.clone();
        let references = self.required(key, secrets(&path, &directory))?;
        for reference in &references {
            self.keep_secret(reference);
        }
        Some(references)
    }

    /// Notes a secret, so that it is read once at the start.
    pub fn keep_secret(&mut self, reference: &SecretRef) {
        self.reading.secrets.push(reference.clone());
    }

    /// What relative paths are relative to.
    pub fn directory(&self) -> &Path {
        &self.reading.directory
    }

    /// Notes what is wrong with a key beside others; `what` is read after its name.
    pub fn refuse(&mut self, key: &str, what: &str) {
        let path = self.path_of(key);
        self.reading.problems.push(format!("{path} {what}."));
    }

    /// What is at a key, for a reader to whom absent and refused differ.
    pub fn find<T>(&mut self, key: &str, kind: impl FnOnce(&Node) -> Validated<T>) -> Found<T> {
        let path = self.path_of(key);
        self.reading.keys.insert(path.clone());
        let Some(node) = self.take_node(key) else {
            return Found::Absent;
        };
        let refusal = match kind(&node) {
            Ok(value) => return Found::Value(value),
            Err(refusal) => refusal,
        };
        let (origin, must) = (&node.origin, refusal.must);
        self.reading.problems.push(if refusal.hides_value {
            format!("{origin}: {path} {must}.")
        } else {
            let shown = refusal.shown.unwrap_or_else(|| node.shown());
            format!("{origin}: {path} is {shown}, but {must}.")
        });
        Found::Refused
    }

    /// A table within this one; read as empty where it is not set.
    pub fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Section) -> T) -> T {
        let path = self.path_of(key);
        let entries = match self.take_node(key) {
            None => Some(Entries::new()),
            Some(node) => self.entries_at(&path, node),
        };
        match entries {
            Some(entries) => read_whole(self.reading, path, entries, read),
            None => read_nothing(read),
        }
    }

    /// A table within this one, where it is set.
    pub fn section_if_set<T>(&mut self, key: &str, read: impl FnOnce(&mut Section) -> T) -> Option<T> {
        let path = self.path_of(key);
        let node = self.take_node(key)?;
        let entries = self.entries_at(&path, node)?;
        Some(read_whole(self.reading, path, entries, read))
    }

    /// A table of tables whose keys are names that the user gives.
    pub fn named<T>(
        &mut self,
        key: &str,
        name_must: &str,
        name_rule: impl Fn(&str) -> bool,
        read: impl Fn(&str, &mut Section) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let path = self.path_of(key);
        let node = self.take_node(key);
        let named = node.and_then(|node| self.entries_at(&path, node));
        let mut tables = BTreeMap::new();
        for (name, node) in named.unwrap_or_default() {
            if !name_rule(&name) {
                let origin = &node.origin;
                let problem = format!("{origin}: the name in {path}.{name} {name_must}.");
                self.reading.problems.push(problem);
                continue;
            }
            let path = format!("{path}.{name}");
            let Some(entries) = self.entries_at(&path, node) else {
                continue;
            };
            let table = read_whole(self.reading, path, entries, |section| read(&name, section));
            tables.extend(table.map(|table| (name, table)));
        }
        tables
    }

    /// Says on what the known keys depend, for the message about an unknown one.
    pub fn keys_depend_on(&mut self, condition: impl Into<String>) {
        self.condition = Some(condition.into());
    }

    /// Says that a key would be known if `decider` were `value`.
    pub fn keys_set_by(&mut self, key: &str, decider: &str, value: &str) {
        let decided = (decider.to_owned(), value.to_owned());
        self.elsewhere.insert(key.to_owned(), decided);
    }

    /// Lets unknown keys pass, where a problem already noted decides which keys
    /// are known.
    pub fn ignore_rest(&mut self) {
        self.entries.clear();
    }

    fn take_node(&mut self, key: &str) -> Option<Node> {
        self.known.insert(key.to_owned());
        self.entries.remove(key)
    }

    /// The entries of what has to be a table. What it is instead is not shown:
    /// it may be a secret on the wrong line.
    fn entries_at(&mut self, path: &str, node: Node) -> Option<Entries> {
        let origin = node.origin.clone();
        let entries = node.into_entries();
        if entries.is_none() {
            let problem = format!("{origin}: {path} must be a table, written as [{path}].");
            self.reading.problems.push(problem);
        }
        entries
    }

    fn miss(&mut self, key: &str) {
        let path = self.path_of(key);
        let variable = self.reading.environment.variable_of(&path);
        self.reading.problems.push(format!(
            "{path} has to be set, in the settings file or as environment variable {variable}."
        ));
    }

    fn refuse_rest(&mut self) {
        for (key, node) in std::mem::take(&mut self.entries) {
            let origin = &node.origin;
            let path = self.path_of(&key);
            if let Some((decider, value)) = self.elsewhere.get(&key) {
                let (decider, now) = (self.path_of(decider), self.condition.as_deref().unwrap_or_default());
                let problem = format!("{origin}: {path} is not a key with {now}; set {decider} = {value:?} to use it.");
                self.reading.problems.push(problem);
                continue;
            }
            let near = match nearest(self.known.iter().map(String::as_str), &key) {
                Some(near) => format!("; did you mean {}?", self.path_of(near)),
                None => ".".to_owned(),
            };
            let known = self.known_shown();
            let problem = format!("{origin}: unknown key {path}{near} {known}.");
            self.reading.problems.push(problem);
        }
    }

    fn known_shown(&self) -> String {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let known = known.join(", ");
        match &self.condition {
            Some(condition) => format!("Known keys there with {condition}: {known}"),
            None => format!("Known keys there: {known}"),
        }
    }

    /// The full path of a key.
    pub fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

/// The one among the known names that was probably meant.
pub fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::parse_file;
    use crate::values::any_integer;
    use std::path::Path;

    fn problems(text: &str, read: impl FnOnce(&mut Section)) -> Vec<String> {
        let mut reading = Reading {
            environment: Environment {
                prefix: "RELAY_",
                ..Environment::default()
            },
            ..Reading::default()
        };
        let entries = parse_file(text, Path::new("relay.toml")).unwrap();
        reading.read(entries, read);
        reading.problems
    }

    #[test]
    fn what_nobody_takes_is_unknown_and_the_nearest_key_is_offered() {
        let found = problems("timout = 1\nfrobnicate = 2", |section| {
            section.take("timeout", 3, any_integer);
            section.take("retries", 4, any_integer);
        });
        assert_eq!(
            found,
            [
                "relay.toml: unknown key frobnicate. Known keys there: retries, timeout.",
                "relay.toml: unknown key timout; did you mean timeout? \
                 Known keys there: retries, timeout.",
            ]
        );
    }

    #[test]
    fn a_value_in_place_of_a_table_is_reported_once_and_not_shown() {
        let found = problems("auth = 'hunter2'", |section| {
            section.section("auth", |auth| {
                auth.required("method", any_integer);
            });
        });
        assert_eq!(found, ["relay.toml: auth must be a table, written as [auth]."]);
    }

    #[test]
    fn a_missing_key_is_reported_with_its_variable() {
        let found = problems("[auth]", |section| {
            section.section("auth", |auth| {
                auth.required("key", any_integer);
            });
        });
        assert_eq!(
            found,
            ["auth.key has to be set, in the settings file \
              or as environment variable RELAY_AUTH__KEY."]
        );
    }
}
