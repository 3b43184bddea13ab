//! What a site's own source functions may begin with: the two functions as they would be, with what its tables lack left open.

use std::fmt;

use super::columns::{FoundColumn, Source};

/// SQL text for `install --source-functions`.
#[derive(Debug)]
pub struct Template {
    sql: String,
}

impl Template {
    pub(super) fn new() -> Self {
        Self {
            sql: "-- What the relay reads of your tables, for `install --source-functions FILE`. Put the right expression wherever a\n\
                  -- null stands. Each function is one plain query, stable, with all names qualified; the two key columns are not cast;\n\
                  -- one row for each property, one for each unit.\n"
                .to_owned(),
        }
    }

    /// Adds a function for a table with these columns.
    pub(super) fn add(&mut self, source: &Source, table: &str, found: &[FoundColumn]) {
        let mut results = Vec::new();
        let mut lines = Vec::new();
        let last = source.columns.len() - 1;
        for (place, column) in source.columns.iter().enumerate() {
            let comma = if place == last { "" } else { "," };
            let (line, kind) = match column.read(found) {
                Ok((expression, kind)) => (format!("{expression} as {}{comma}", column.result), kind),
                Err(problem) => {
                    let kind = column.none();
                    let line = format!("null::{kind} as {}{comma} -- {problem}", column.result);
                    (line, kind.to_owned())
                }
            };
            results.push(format!("{} {kind}", column.result));
            lines.push(line);
        }
        self.sql += &format!(
            "\ncreate function rentsync.{}() returns table (\n    {}\n) language sql stable as $source$\nselect {}\n  from {table} t\n\
             $source$;\n",
            source.function,
            results.join(",\n    "),
            lines.join("\n       "),
        );
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.sql
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source functions can't be written")
    }
}
