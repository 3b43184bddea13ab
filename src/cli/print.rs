//! Rows as a table for people, as JSON for programs.

use std::io::{self, Write};

use anyhow::Result;
use chrono::DateTime;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::Value;

use crate::words;

/// Prints rows: their fields are the columns.
pub(super) fn rows<T: Serialize>(rows: &[T], json: bool, when_empty: &str) -> Result<()> {
    if json {
        return json_line(&serde_json::to_string_pretty(rows)?);
    }
    let rows: Vec<Value> = rows.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let Some(first) = rows.first().and_then(Value::as_object) else {
        return line(when_empty);
    };
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(first.keys().map(|name| name.replace('_', " ")));
    for row in &rows {
        table.add_row(row.as_object().into_iter().flatten().map(|(_, value)| cell(value)));
    }
    line(&table.trim_fmt())
}

/// A JSON array whose elements are printed as they come: there may be as many as there are units.
pub(super) struct List {
    json: bool,
    first: bool,
}

impl List {
    /// Nothing is printed before there is something; `json` false: nothing at all, whoever uses it prints for people.
    pub fn begin(json: bool) -> Self {
        Self { json, first: true }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    pub fn item(&mut self, item: &impl Serialize) -> Result<()> {
        let before = if std::mem::take(&mut self.first) { "[" } else { "," };
        json_line(&format!("{before}{}", serde_json::to_string(item)?))
    }

    pub fn end(&self) -> Result<()> {
        match (self.json, self.first) {
            (true, true) => line("[]"),
            (true, false) => line("]"),
            (false, _) => Ok(()),
        }
    }
}

/// One line, or a table, to standard output; a closed pipe is an error that the caller ends on quietly. Names, codes and
/// words that somebody else wrote are in many of them: whatever a terminal would obey is left out.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(io::stdout().lock(), "{}", words::printable(text))?;
    Ok(())
}

/// The same for JSON, which says all that it said, in escapes.
pub(super) fn json_line(text: &str) -> Result<()> {
    writeln!(io::stdout().lock(), "{}", words::printable_json(text))?;
    Ok(())
}

/// Where log events go, one at a time: each stays a line, and nothing in it is obeyed by a terminal.
pub(super) struct Clean<W>(pub W);

impl<W: Write> Write for Clean<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let end = if text.ends_with('\n') { "\n" } else { "" };
        let line = words::printable(text.trim_end_matches('\n')).replace('\n', " ");
        self.0.write_all(format!("{line}{end}").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Somebody else's words, in one line and not too many.
pub(super) fn in_a_line(text: &str, chars_max: usize) -> String {
    let line = words::in_a_line(text);
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A feed that is paused sends nothing of what was asked for just now.
pub(super) fn paused(properties: impl Iterator<Item = i64>) -> Result<()> {
    let mut properties: Vec<i64> = properties.collect();
    properties.dedup();
    for property_id in properties {
        line(&format!(
            "property {property_id} is paused: what it owes is sent after `feeds resume {property_id}`"
        ))?;
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => words::moment(at.to_utc()),
            // A line break would begin a row that nobody wrote.
            Err(_) => words::in_a_line(text),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_not_too_long_whatever_the_receiver_says() {
        assert_eq!(in_a_line("no\n such\t\u{1b}[31mcode\r\n", 80), "no such [31mcode");
        assert_eq!(in_a_line(&"é".repeat(500), 80).chars().count(), 81);
    }
}
