//! Environment variables as settings: which key a variable sets, and setting it
//! over what the file says.
//!
//! Not its business: whether the key exists. A variable that no key
//! takes is found by the same look that finds an unknown key in the file.

use std::rc::Rc;

use crate::error::SettingsError;
use crate::node::{Content, Entries, Node};

/// How a program's variables are named.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment {
    /// What the names of all of them begin with.
    pub prefix: &'static str,
    /// Those that begin with it and set no key.
    pub set_nothing: &'static [&'static str],
    /// The table whose keys are names that the user gives.
    pub named: &'static str,
    /// Variables of other names, each with the table and the key that it sets where nothing else does.
    pub fallbacks: &'static [(&'static str, [&'static str; 2])],
}

/// Between the segments of a path in a variable's name.
const SEPARATOR: &str = "__";

/// A variable and the key that it sets.
struct Setting<'a> {
    path: Vec<String>,
    variable: &'a str,
    text: &'a str,
}

impl Environment {
    /// The variables that concern the program, from the process's environment.
    ///
    /// # Errors
    /// When the value of one is not UTF-8.
    pub fn of_process(&self) -> Result<Vec<(String, String)>, SettingsError> {
        let is_fallback = |name: &str| self.fallbacks.iter().any(|(fallback, _)| *fallback == name);
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(self.prefix) || is_fallback(name))
            .map(|(name, value)| match value.into_string() {
                Ok(value) => Ok((name, value)),
                Err(_) => Err(not_unicode(&name)),
            })
            .collect()
    }

    /// The name of the variable that sets a key.
    #[must_use]
    pub fn variable_of(&self, path: &str) -> String {
        format!("{}{}", self.prefix, path.to_uppercase().replace('.', "__"))
    }

    /// Sets what the variables say over the file's settings; returns the problems.
    pub(crate) fn overlay(&self, settings: &mut Entries, variables: &[(String, String)]) -> Vec<String> {
        let names = names_in(settings, self.named);
        let mut wanted: Vec<Setting> = variables
            .iter()
            .filter(|(variable, _)| self.is_setting(variable))
            .map(|(variable, text)| Setting {
                path: self.path_of(variable, &names),
                variable,
                text,
            })
            .collect();
        // A table's variable comes before those of its keys, which win over it.
        wanted.sort_by_key(|setting| (setting.path.len(), setting.variable));
        let mut problems: Vec<String> = wanted
            .iter()
            .filter_map(|setting| set(settings, setting).err())
            .collect();
        for (variable, path) in self.fallbacks {
            problems.extend(fall_back(settings, variables, variable, *path));
        }
        problems
    }

    fn is_setting(&self, variable: &str) -> bool {
        variable.starts_with(self.prefix) && !self.set_nothing.contains(&variable)
    }

    /// `RELAY_RECEIVERS__MAIN__URL` as `receivers`, `main`, `url`.
    fn path_of(&self, variable: &str, names: &[String]) -> Vec<String> {
        let path = variable[self.prefix.len()..].to_lowercase();
        let below = path
            .strip_prefix(self.named)
            .and_then(|rest| rest.strip_prefix(SEPARATOR));
        match below.and_then(|rest| named_in(rest, names)) {
            Some((name, rest)) => [vec![self.named.to_owned(), name], segments(rest)].concat(),
            None => segments(&path),
        }
    }
}

/// The value of a variable; one that is set to nothing counts as not set.
pub fn value_of<'a>(env: &'a [(String, String)], variable: &str) -> Option<&'a str> {
    let found = env.iter().find(|(name, _)| name == variable);
    found.map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

fn fall_back(
    settings: &mut Entries,
    variables: &[(String, String)],
    variable: &str,
    path: [&str; 2],
) -> Option<String> {
    let text = value_of(variables, variable)?;
    let [table, key] = path;
    match settings.get(table).cloned().map(Node::into_entries) {
        // What stands there is no table, which reading it will say.
        Some(None) => return None,
        Some(Some(entries)) if entries.contains_key(key) => return None,
        _ => {}
    }
    let setting = Setting {
        path: path.map(str::to_owned).to_vec(),
        variable,
        text,
    };
    set(settings, &setting).err()
}

fn names_in(settings: &Entries, table: &str) -> Vec<String> {
    let entries = settings.get(table).cloned().and_then(Node::into_entries);
    entries.unwrap_or_default().into_keys().collect()
}

/// A name may hold the separator itself, so the file's names are tried first,
/// the longest before the others.
fn named_in<'a>(path: &'a str, names: &[String]) -> Option<(String, &'a str)> {
    let key_under = |name: &String| path.strip_prefix(name.as_str())?.strip_prefix(SEPARATOR);
    names
        .iter()
        .filter_map(|name| Some((name.clone(), key_under(name)?)))
        .max_by_key(|(name, _)| name.len())
}

fn segments(path: &str) -> Vec<String> {
    path.split(SEPARATOR).map(str::to_owned).collect()
}

fn set(settings: &mut Entries, setting: &Setting) -> Result<(), String> {
    let origin: Rc<str> = format!("environment variable {}", setting.variable).into();
    let Some((last, tables)) = setting.path.split_last() else {
        return Ok(());
    };
    let mut entries = settings;
    for (depth, key) in tables.iter().enumerate() {
        let node = entries
            .entry(key.clone())
            .or_insert_with(|| Node::table(origin.clone()));
        let found_in = node.origin.clone();
        entries = table_of(node).ok_or_else(|| {
            let table = setting.path[..=depth].join(".");
            format!("{origin}: {table} is not a table in {found_in}, so no key of it can be set.")
        })?;
    }
    entries.insert(last.clone(), Node::text(origin, setting.text));
    Ok(())
}

/// The node's entries for change, once a variable's text is read as a table.
fn table_of(node: &mut Node) -> Option<&mut Entries> {
    if let Content::Text(_) = node.content {
        node.content = Content::Table(node.clone().into_entries()?);
    }
    match &mut node.content {
        Content::Table(entries) => Some(entries),
        _ => None,
    }
}

fn not_unicode(variable: &str) -> SettingsError {
    SettingsError::new(format!("environment variable {variable}: the value is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: Environment = Environment {
        prefix: "RELAY_",
        set_nothing: &[],
        named: "receivers",
        fallbacks: &[],
    };

    #[test]
    fn two_underscores_separate_and_one_belongs_to_the_key() {
        let path = ENVIRONMENT.path_of("RELAY_RECEIVERS__MAIN__BREAKER__PROBE_EVERY", &[]);
        assert_eq!(path, ["receivers", "main", "breaker", "probe_every"]);
    }

    #[test]
    fn a_receiver_of_the_file_is_found_though_its_name_holds_the_separator() {
        let names = ["a".to_owned(), "a__b".to_owned(), "main_".to_owned()];
        let path = |variable| ENVIRONMENT.path_of(variable, &names);
        assert_eq!(path("RELAY_RECEIVERS__A__B__URL"), ["receivers", "a__b", "url"]);
        assert_eq!(path("RELAY_RECEIVERS__A__URL"), ["receivers", "a", "url"]);
        assert_eq!(path("RELAY_RECEIVERS__MAIN___URL"), ["receivers", "main_", "url"]);
    }

    #[test]
    fn the_variable_of_a_key_leads_back_to_it() {
        let variable = ENVIRONMENT.variable_of("receivers.main.auth.key");
        assert_eq!(variable, "RELAY_RECEIVERS__MAIN__AUTH__KEY");
        assert_eq!(ENVIRONMENT.path_of(&variable, &[]).join("."), "receivers.main.auth.key");
    }
}
