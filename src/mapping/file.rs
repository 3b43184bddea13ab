//! The files: CSV with a heading, as spreadsheets write it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::Result;
use csv::{ReaderBuilder, StringRecord};
use serde::Serialize;

use crate::fault::Fault;
use crate::words::is_unprintable;

/// Of an id or a code, as `rentsync.unit_mapping` and `feeds enable` have it.
const THEIRS_CHARS_MAX: usize = 200;
/// Some hundred times what the largest portfolio has.
const BYTES_MAX: u64 = 256 << 20;
/// Bad rows that an error names.
const NAMED_MAX: usize = 20;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Kind {
    Property,
    Unit,
}

impl Kind {
    /// As the files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::Unit => "unit",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "property" => Ok(Self::Property),
            "unit" => Ok(Self::Unit),
            _ => Err(format!("kind is {text:?}, but must be property or unit")),
        }
    }
}

/// A row to import.
pub(super) struct Row {
    pub line: u64,
    pub kind: Kind,
    pub id: i64,
    /// None: it is not to have a name of its own any more.
    pub theirs: Option<String>,
}

/// A row of a partner's own list.
pub struct Theirs {
    /// What it is.
    pub kind: Kind,
    /// The id or the code it goes by there.
    pub theirs: String,
    /// A property's name, a unit's label.
    pub name: String,
    /// A property's address.
    pub address: String,
    /// A unit's property, as they call it.
    pub property: String,
}

/// What is wrong with a file, row by row.
#[derive(Default)]
pub(super) struct Bad(Vec<(Option<u64>, String)>);

impl Bad {
    pub fn add(&mut self, line: Option<u64>, why: impl Into<String>) {
        self.0.push((line, why.into()));
    }

    /// An error where anything is wrong; the rows in their order.
    pub fn check(mut self, path: &Path, otherwise: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(line, _)| *line);
        let number = self.0.len();
        let mut lines: Vec<String> = self.0.into_iter().take(NAMED_MAX).map(in_words).collect();
        if number > NAMED_MAX {
            lines.push(format!("and {} more", number - NAMED_MAX));
        }
        let file = path.display();
        Err(Fault::usage(format!("{file}: {}; {otherwise}", lines.join("; "))).into())
    }
}

fn in_words((line, why): (Option<u64>, String)) -> String {
    match line {
        Some(line) => format!("line {line}: {why}"),
        None => why,
    }
}

/// Reads what is to be imported. Every row is looked at before anything is said.
pub(super) fn read_rows(path: &Path, bad: &mut Bad) -> Result<Vec<Row>> {
    let mut seen: HashMap<(Kind, i64), u64> = HashMap::new();
    read(path, &["kind", "id", "theirs"], bad, |line, fields| {
        let kind: Kind = fields.get("kind").parse()?;
        let id = fields.get("id");
        let id: i64 = id
            .parse()
            .map_err(|_| format!("id is {id:?}, but must be the source's id of a {}", kind.as_str()))?;
        let theirs = fields.get("theirs");
        check_theirs(theirs)?;
        if let Some(first) = seen.insert((kind, id), line) {
            return Err(format!("{} {id} stands on line {first} already", kind.as_str()));
        }
        Ok(Row {
            line,
            kind,
            id,
            theirs: (!theirs.is_empty()).then(|| theirs.to_owned()),
        })
    })
}

/// Reads a partner's list.
///
/// # Errors
/// Where the file or any row of it can't be read.
pub fn read_theirs(path: &Path) -> Result<Vec<Theirs>> {
    let mut bad = Bad::default();
    let rows = read(path, &["kind", "theirs"], &mut bad, |_, fields| {
        let theirs = fields.get("theirs");
        check_theirs(theirs)?;
        match theirs {
            "" => Err("theirs is empty".to_owned()),
            theirs => Ok(Theirs {
                kind: fields.get("kind").parse()?,
                theirs: theirs.to_owned(),
                name: fields.get("name").to_owned(),
                address: fields.get("address").to_owned(),
                property: fields.get("property").to_owned(),
            }),
        }
    })?;
    bad.check(path, "nothing was compared")?;
    Ok(rows)
}

fn check_theirs(theirs: &str) -> Result<(), String> {
    match theirs.chars().count() <= THEIRS_CHARS_MAX && !theirs.chars().any(is_unprintable) {
        true => Ok(()),
        false => Err(format!("theirs must be at most {THEIRS_CHARS_MAX} visible characters")),
    }
}

/// A row by the names of its columns.
struct Fields<'a> {
    places: &'a HashMap<String, usize>,
    record: &'a StringRecord,
}

impl<'a> Fields<'a> {
    /// Without the blanks around it; empty where there is no such column.
    fn get(&self, name: &str) -> &'a str {
        let place = self.places.get(name);
        place
            .and_then(|place| self.record.get(*place))
            .unwrap_or_default()
            .trim()
    }
}

/// One row after the other.
fn read<T>(
    path: &Path,
    columns: &[&str],
    bad: &mut Bad,
    mut row: impl FnMut(u64, Fields<'_>) -> Result<T, String>,
) -> Result<Vec<T>> {
    let unreadable = |why: &dyn fmt::Display| Fault::usage(format!("{} can't be read: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !about.is_file() {
        // Nothing ends the wait for a pipe that nobody writes to, and a device has no end.
        return Err(unreadable(&"it is no regular file").into());
    }
    if about.len() > BYTES_MAX {
        return Err(unreadable(&format!("it is longer than {BYTES_MAX} bytes")).into());
    }
    let text = std::fs::read(path).map_err(|error| unreadable(&error))?;
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err(unreadable(&"it is UTF-16; save it as UTF-8").into());
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .from_reader(text);
    let heading = reader.headers().map_err(|error| unreadable(&error))?;
    let places: HashMap<String, usize> = heading.iter().map(|name| name.trim().to_lowercase()).zip(0..).collect();
    if let Some(missing) = columns.iter().find(|name| !places.contains_key(**name)) {
        let known = columns.join(", ");
        return Err(unreadable(&format!(
            "its first line names no column {missing}; it must name {known}"
        ))
        .into());
    }
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                let fields = Fields {
                    places: &places,
                    record: &record,
                };
                match row(line, fields) {
                    Ok(found) => rows.push(found),
                    Err(why) => bad.add(Some(line), why),
                }
            }
            Err(error) if error.is_io_error() => return Err(unreadable(&error).into()),
            Err(_) => bad.add(Some(line), "it is not UTF-8"),
        }
    }
}

/// What the heading has most of: a comma, or what spreadsheets write where a comma is part of numbers.
fn delimiter(text: &[u8]) -> u8 {
    let heading = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| heading.iter().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',')
}
