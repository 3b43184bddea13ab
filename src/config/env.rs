//! Environment variables as settings: which key a variable sets, and setting it
//! over what the file says.
//!
//! Not its business: whether the key exists. A `RELAY_` variable that no key
//! takes is found by the same look that finds an unknown key in the file.

use std::rc::Rc;

use super::error::ConfigError;
use super::node::{Content, Entries, Node};

/// Where the settings file is.
pub(super) const CONFIG_VARIABLE: &str = "RELAY_CONFIG";

/// Read by the log's own set-up.
const LOG_VARIABLE: &str = "RELAY_LOG";

/// What every platform calls it; the relay's own names win over it.
const DATABASE_URL_VARIABLE: &str = "DATABASE_URL";

const PREFIX: &str = "RELAY_";

/// A variable and the key that it sets.
struct Setting<'a> {
    path: Vec<String>,
    variable: &'a str,
    text: &'a str,
}

/// The variables that concern the relay, from the process's environment.
pub(super) fn of_process() -> Result<Vec<(String, String)>, ConfigError> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX) || name == DATABASE_URL_VARIABLE)
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(not_unicode(&name)),
        })
        .collect()
}

/// The name of the variable that sets a key.
pub(super) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// The value of a variable; one that is set to nothing counts as not set.
pub(super) fn value_of<'a>(env: &'a [(String, String)], variable: &str) -> Option<&'a str> {
    let found = env.iter().find(|(name, _)| name == variable);
    found.map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

/// Sets what the variables say over the file's settings; returns the problems.
pub(super) fn overlay(settings: &mut Entries, env: &[(String, String)]) -> Vec<String> {
    let names = receiver_names(settings);
    let mut wanted: Vec<Setting> = env
        .iter()
        .filter(|(variable, _)| is_setting(variable))
        .map(|(variable, text)| Setting {
            path: path_of(variable, &names),
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
    problems.extend(overlay_database_url(settings, env));
    problems
}

fn is_setting(variable: &str) -> bool {
    variable.starts_with(PREFIX) && variable != CONFIG_VARIABLE && variable != LOG_VARIABLE
}

fn overlay_database_url(settings: &mut Entries, env: &[(String, String)]) -> Option<String> {
    let text = value_of(env, DATABASE_URL_VARIABLE)?;
    let database = settings.get("database").cloned().map(Node::into_entries);
    match database {
        // What stands there is no table, which reading it will say.
        Some(None) => return None,
        Some(Some(entries)) if entries.contains_key("url") => return None,
        _ => {}
    }
    let setting = Setting {
        path: vec!["database".to_owned(), "url".to_owned()],
        variable: DATABASE_URL_VARIABLE,
        text,
    };
    set(settings, &setting).err()
}

fn receiver_names(settings: &Entries) -> Vec<String> {
    let receivers = settings.get("receivers").cloned();
    let entries = receivers.and_then(Node::into_entries).unwrap_or_default();
    entries.into_keys().collect()
}

/// `RELAY_RECEIVERS__MAIN__URL` as `receivers`, `main`, `url`.
fn path_of(variable: &str, receiver_names: &[String]) -> Vec<String> {
    let path = variable[PREFIX.len()..].to_lowercase();
    let Some(rest) = path.strip_prefix("receivers__") else {
        return segments(&path);
    };
    match named_in(rest, receiver_names) {
        Some((name, rest)) => [vec!["receivers".to_owned(), name], segments(rest)].concat(),
        None => segments(&path),
    }
}

/// A receiver's name may hold `__` itself, so the file's names are tried first,
/// the longest before the others.
fn named_in<'a>(path: &'a str, names: &[String]) -> Option<(String, &'a str)> {
    let key_under = |name: &String| path.strip_prefix(name.as_str())?.strip_prefix("__");
    names
        .iter()
        .filter_map(|name| Some((name.clone(), key_under(name)?)))
        .max_by_key(|(name, _)| name.len())
}

fn segments(path: &str) -> Vec<String> {
    path.split("__").map(str::to_owned).collect()
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

fn not_unicode(variable: &str) -> ConfigError {
    ConfigError::new(format!("environment variable {variable}: the value is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_underscores_separate_and_one_belongs_to_the_key() {
        let path = path_of("RELAY_RECEIVERS__MAIN__BREAKER__PROBE_EVERY", &[]);
        assert_eq!(path, ["receivers", "main", "breaker", "probe_every"]);
    }

    #[test]
    fn a_receiver_of_the_file_is_found_though_its_name_holds_the_separator() {
        let names = ["a".to_owned(), "a__b".to_owned(), "main_".to_owned()];
        let path = |variable| path_of(variable, &names);
        assert_eq!(path("RELAY_RECEIVERS__A__B__URL"), ["receivers", "a__b", "url"]);
        assert_eq!(path("RELAY_RECEIVERS__A__URL"), ["receivers", "a", "url"]);
        assert_eq!(path("RELAY_RECEIVERS__MAIN___URL"), ["receivers", "main_", "url"]);
    }

    #[test]
    fn the_variable_of_a_key_leads_back_to_it() {
        let variable = variable_of("receivers.main.auth.key");
        assert_eq!(variable, "RELAY_RECEIVERS__MAIN__AUTH__KEY");
        assert_eq!(path_of(&variable, &[]).join("."), "receivers.main.auth.key");
    }
}
