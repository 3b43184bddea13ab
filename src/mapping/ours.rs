//! Our side of the mapping: every property and unit, and what a receiver calls them.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use csv::Writer;
use futures_util::TryStreamExt;
use sqlx::PgConnection;

use super::file::{Kind, Row};
use crate::config::Receiver;
use crate::payload::UNIT_CODE_BYTES_MAX;

/// The file's columns; the last three are there for whoever reads it.
const HEADING: [&str; 6] = ["kind", "id", "theirs", "property_id", "name", "address"];

/// A property that the receiver may be sent.
pub struct OurProperty {
    /// The source's id.
    pub id: i64,
    /// What the receiver calls it.
    pub theirs: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// A unit of one.
pub struct OurUnit {
    /// The source's id.
    pub id: i64,
    /// Its property.
    pub property_id: i64,
    /// A mapped code.
    pub theirs: Option<String>,
    /// The code it is sent by otherwise.
    pub code: Option<String>,
}

/// Everything, in the order of ids; units by property.
pub struct Ours {
    /// Active, or with a feed.
    pub properties: Vec<OurProperty>,
    /// Theirs, and of properties that are neither.
    pub units: Vec<OurUnit>,
}

impl Ours {
    /// Reads all of the source.
    pub async fn read(conn: &mut PgConnection, receiver: &Receiver) -> Result<Self> {
        let rows = sqlx::query_as(include_str!("../../sql/mapping/our_properties.sql")).bind(&receiver.name);
        let rows = rows.fetch_all(&mut *conn).await?;
        let properties = rows.into_iter().map(|(id, theirs, name, address)| OurProperty {
            id,
            theirs,
            name,
            address,
        });
        let properties: Vec<OurProperty> = properties.collect();
        let mut rows = sqlx::query_as(include_str!("../../sql/mapping/our_units.sql"))
            .bind(&receiver.name)
            .bind(&receiver.unit_codes.prefix)
            .bind(UNIT_CODE_BYTES_MAX)
            .fetch(conn);
        let mut units = Vec::new();
        while let Some((property_id, id, imported, code)) = rows.try_next().await? {
            units.push(OurUnit {
                id,
                property_id,
                theirs: receiver.unit_codes.map.get(&id).cloned().or(imported),
                code,
            });
        }
        Ok(Self { properties, units })
    }
}

/// Writes the mapping in the form in which it is imported. `is_whole`: what has no mapping too, with nothing under `theirs`.
pub async fn export(conn: &mut PgConnection, receiver: &Receiver, out: impl Write, is_whole: bool) -> Result<()> {
    let ours = Ours::read(&mut *conn, receiver).await?;
    let mut out = Writer::from_writer(out);
    out.write_record(HEADING)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for property in ours.properties.iter().filter(|it| is_whole || it.theirs.is_some()) {
        let (id, theirs) = (property.id.to_string(), text(&property.theirs));
        let (name, address) = (text(&property.name), text(&property.address));
        out.write_record([Kind::Property.as_str(), &id, &theirs, "", &name, &address])?;
    }
    // What the settings say is not the file's to say.
    let of_settings = |unit: &OurUnit| receiver.unit_codes.map.contains_key(&unit.id);
    for unit in ours
        .units
        .iter()
        .filter(|it| !of_settings(it) && (is_whole || it.theirs.is_some()))
    {
        let (id, theirs) = (unit.id.to_string(), text(&unit.theirs));
        let (property_id, code) = (unit.property_id.to_string(), text(&unit.code));
        out.write_record([Kind::Unit.as_str(), &id, &theirs, &property_id, &code, ""])?;
    }
    for (id, theirs) in gone(conn, receiver).await? {
        out.write_record([Kind::Unit.as_str(), &id.to_string(), &theirs, "", "", ""])?;
    }
    out.flush().context("writing the mapping")
}

/// Mapped units that the source has no more; their mapping waits for them to come back.
async fn gone(conn: &mut PgConnection, receiver: &Receiver) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as(include_str!("../../sql/mapping/gone_units.sql"))
        .bind(&receiver.name)
        .fetch_all(conn)
        .await?)
}

/// A row each for what is mapped and no row of a file names: it is not to be any more.
pub(super) async fn left_out(conn: &mut PgConnection, receiver: &Receiver, rows: &[Row]) -> Result<Vec<Row>> {
    let mapped: Vec<(bool, i64)> = sqlx::query_as(include_str!("../../sql/mapping/mapped.sql"))
        .bind(&receiver.name)
        .fetch_all(conn)
        .await?;
    let named: std::collections::HashSet<(Kind, i64)> = rows.iter().map(|row| (row.kind, row.id)).collect();
    let mapped = mapped.into_iter().map(|(is_unit, id)| match is_unit {
        true => (Kind::Unit, id),
        false => (Kind::Property, id),
    });
    let left_out = mapped.filter(|key| !named.contains(key));
    Ok(left_out
        .map(|(kind, id)| Row {
            line: 0,
            kind,
            id,
            theirs: None,
        })
        .collect())
}

/// Where a proposal is written: the same form.
pub(super) fn write_proposal<'a>(
    path: &Path,
    rows: impl Iterator<Item = (Kind, i64, &'a str, &'a str, &'a str)>,
) -> Result<()> {
    let writing = || format!("writing {}", path.display());
    let mut out = Writer::from_path(path).with_context(writing)?;
    out.write_record(["kind", "id", "theirs", "match", "ours"])
        .with_context(writing)?;
    for (kind, id, theirs, how, ours) in rows {
        out.write_record([kind.as_str(), &id.to_string(), theirs, how, ours])
            .with_context(writing)?;
    }
    out.flush().with_context(writing)
}
