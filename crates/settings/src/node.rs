//! Settings as they were written, each with the place it was written in.
//!
//! Not its business: what a setting means. A variable's text stays text until
//! the key that takes it says whether it is a string or TOML.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use crate::error::SettingsError;

/// A table's entries by key.
pub type Entries = BTreeMap<String, Node>;

/// More of a value than this is not needed to find it.
const SHOWN_CHARS_MAX: usize = 80;

/// One setting or table of settings.
#[derive(Clone, Debug)]
pub struct Node {
    /// The file or the variable, as messages begin with it.
    pub origin: Rc<str>,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Table(Entries),
    Value(toml::Value),
    /// From an environment variable: a string, or TOML of any other type.
    Text(String),
}

impl Node {
    /// A variable's text.
    pub fn text(origin: Rc<str>, text: &str) -> Self {
        let content = Content::Text(text.to_owned());
        Self { origin, content }
    }

    pub(crate) fn table(origin: Rc<str>) -> Self {
        let content = Content::Table(Entries::new());
        Self { origin, content }
    }

    /// A value of the file.
    pub fn value(origin: Rc<str>, value: toml::Value) -> Self {
        let content = match value {
            toml::Value::Table(table) => Content::Table(entries_of(&origin, table)),
            other => Content::Value(other),
        };
        Self { origin, content }
    }

    /// The string, when it is one; a variable's text is one as it stands.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Value(value) => value.as_str(),
            Content::Table(_) => None,
        }
    }

    /// The value of a type other than string or table.
    pub fn to_value(&self) -> Option<toml::Value> {
        match &self.content {
            Content::Text(text) => text.parse().ok(),
            Content::Value(value) => Some(value.clone()),
            Content::Table(_) => None,
        }
    }

    /// The list's items, with the list's origin.
    pub fn to_items(&self) -> Option<Vec<Node>> {
        let items = self.to_value()?.as_array()?.clone();
        let node = |item| Node::value(self.origin.clone(), item);
        Some(items.into_iter().map(node).collect())
    }

    /// Whether it was written as a table.
    pub fn is_table(&self) -> bool {
        matches!(self.content, Content::Table(_) | Content::Value(toml::Value::Table(_)))
    }

    /// Whether it is a variable's own.
    pub fn is_variable(&self) -> bool {
        matches!(self.content, Content::Text(_))
    }

    /// The table's entries; a variable's text is read as an inline table.
    pub fn into_entries(self) -> Option<Entries> {
        match self.content {
            Content::Table(entries) => Some(entries),
            Content::Value(_) => None,
            Content::Text(text) => match text.parse().ok()? {
                toml::Value::Table(table) => Some(entries_of(&self.origin, table)),
                _ => None,
            },
        }
    }

    /// The value for a message.
    pub fn shown(&self) -> String {
        let whole = match &self.content {
            Content::Table(_) => return "a table".to_owned(),
            Content::Value(value) => value.to_string(),
            Content::Text(text) => format!("{text:?}"),
        };
        match whole.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        }
    }
}

/// The settings file as entries.
pub(crate) fn parse_file(text: &str, path: &Path) -> Result<Entries, SettingsError> {
    let origin: Rc<str> = path.display().to_string().into();
    // A byte-order mark is an editor's doing and no part of the settings.
    let text = text.trim_start_matches('\u{feff}');
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(entries_of(&origin, table)),
        Err(error) => Err(syntax_error(&origin, text, &error)),
    }
}

fn entries_of(origin: &Rc<str>, table: toml::Table) -> Entries {
    let entry = |(key, value)| (key, Node::value(origin.clone(), value));
    table.into_iter().map(entry).collect()
}

/// Says where, without the line itself: there may be a secret on it.
fn syntax_error(origin: &str, text: &str, error: &toml::de::Error) -> SettingsError {
    let (line, column) = position(text, error.span().unwrap_or_default());
    let message = error.message().replace('\n', "; ");
    // The library reads it as a type that no setting has.
    if message.contains("` as i128") || message.contains("` as u128") || message.contains("overflow") {
        return SettingsError::new(format!(
            "{origin}, line {line}, column {column}: the number there is larger than any setting takes"
        ));
    }
    SettingsError::new(format!(
        "{origin}, line {line}, column {column}: not valid TOML: {message}"
    ))
}

/// Line and column, both from 1, the column in characters.
fn position(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_25_a_number_beyond_all_settings_is_said_in_our_words() {
        for number in ["99999999999999999999", "-99999999999999999999", "0xffffffffffffffffff"] {
            let text = format!("[receivers.main]\nbody_bytes_max = {number}\n");
            let error = parse_file(&text, Path::new("relay.toml")).unwrap_err().to_string();
            assert!(
                error.contains("line 2, column 18: the number there is larger"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_syntax_error_names_file_line_and_column_and_not_the_line() {
        let text = "[database]\nurl = \"postgres://relay:pass@db/x\n";
        let error = parse_file(text, Path::new("relay.toml")).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("relay.toml, line 2, column "), "{message}");
        assert!(!message.contains("pass"), "{message}");
    }

    #[test]
    fn a_long_value_is_cut_in_messages() {
        let node = Node::text("RELAY_X".into(), &"é".repeat(500));
        assert_eq!(node.shown().chars().count(), SHOWN_CHARS_MAX + 1);
    }

    #[test]
    fn a_variables_text_is_a_string_or_toml_as_the_key_wants_it() {
        let node = |text| Node::text("RELAY_X".into(), text);
        assert_eq!(node("12").as_str(), Some("12"));
        assert_eq!(node("12").to_value(), Some(toml::Value::Integer(12)));
        assert_eq!(node("[1, 4]").to_items().unwrap().len(), 2);
        assert!(node("{ a = 1 }").into_entries().unwrap().contains_key("a"));
        assert!(node("1\nb = 2").to_value().is_none());
    }
}
