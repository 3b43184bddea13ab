//! Rows as a table for people, as JSON for programs.

use std::io::{self, Write};

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::Value;

/// Prints rows: their fields are the columns.
pub(super) fn rows<T: Serialize>(rows: &[T], json: bool, when_empty: &str) -> Result<()> {
    if json {
        return line(&serde_json::to_string_pretty(rows)?);
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

/// One line to standard output; a closed pipe is an error that the caller ends on quietly.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(moment) => moment.to_utc().format("%Y-%m-%d %H:%M:%SZ").to_string(),
            Err(_) => text.clone(),
        },
        other => other.to_string(),
    }
}
