//! Units that share their code with another of their property, and in what they differ.
//!
//! Each is shown as the source has it now and as its receiver sees it. A lead's name is never shown, only that it differs.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::config::{Config, Field};
use crate::payload::Shape;
use crate::unit::{Columns, Lossy, TEXT_BYTES_MAX, Unit};

/// A unit that shares its code.
#[derive(Clone, Serialize)]
pub struct DuplicateView {
    /// The source's id.
    pub unit_id: i64,
    /// To whom it is sent.
    pub receiver: String,
    /// Its property.
    pub property_id: i64,
    /// The code.
    pub unit_code: String,
    /// When that was noticed.
    pub since: DateTime<Utc>,
    /// In what the units of this code differ.
    pub fields: Vec<FieldView>,
}

/// This unit's side of a field that differs.
#[derive(Clone, Serialize)]
pub struct FieldView {
    /// Its flat name.
    pub field: &'static str,
    /// Left out where it is not sent, and for a lead's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Those of every receiver, or of this one; the units of one code beside each other.
pub async fn duplicates(
    conn: &mut PgConnection,
    config: &Config,
    receiver: Option<&str>,
) -> Result<Vec<DuplicateView>> {
    let carried = read(conn, receiver).await?;
    let of_one_code = |one: &Carried, other: &Carried| one.sharing.is_of_one_code_with(&other.sharing);
    let mut sharing = Vec::with_capacity(carried.len());
    for units in carried.chunk_by(of_one_code) {
        sharing.extend(compared(config, units)?);
    }
    Ok(sharing)
}

struct Carried {
    sharing: DuplicateView,
    unit: Unit,
}

async fn read(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<Carried>> {
    let rows = sqlx::query(include_str!("../../sql/inspect/duplicates.sql"))
        .bind(receiver)
        .bind(TEXT_BYTES_MAX)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            let (receiver, property_id) = (columns.next()?, columns.next()?);
            let (Lossy(unit_code), since) = (columns.next()?, columns.next()?);
            let unit_id = columns.next()?;
            let sharing = DuplicateView {
                unit_id,
                receiver,
                property_id,
                unit_code,
                since,
                fields: Vec::new(),
            };
            let unit = Unit::read(unit_id, &mut columns)?;
            Ok(Carried { sharing, unit })
        })
        .collect()
}

/// The units of one code side by side. Of a receiver without settings nobody knows what it would see.
fn compared(config: &Config, units: &[Carried]) -> Result<Vec<DuplicateView>> {
    let available = config.source.available_status_ids.as_deref().unwrap_or_default();
    let receiver = config.receivers.get(&units[0].sharing.receiver);
    let shape = receiver.map(|receiver| Shape::new(receiver, available));
    let versions = |carried: &Carried| {
        shape
            .as_ref()
            .map_or(Ok(Vec::new()), |shape| shape.fields(&carried.unit))
    };
    let versions: Vec<Vec<(Field, Option<Value>)>> = units.iter().map(versions).collect::<Result<_>>()?;
    let differs = |place: usize| versions.iter().any(|fields| fields[place] != versions[0][place]);
    let differing: Vec<usize> = (0..versions[0].len()).filter(|place| differs(*place)).collect();
    let side = |fields: &[(Field, Option<Value>)]| {
        let version = |place: &usize| {
            let (field, value) = &fields[*place];
            FieldView {
                field: field.name(),
                value: value.clone().filter(|_| !field.is_lead()),
            }
        };
        differing.iter().map(version).collect()
    };
    let sharing = units.iter().zip(&versions).map(|(carried, fields)| DuplicateView {
        fields: side(fields),
        ..carried.sharing.clone()
    });
    Ok(sharing.collect())
}

impl DuplicateView {
    fn is_of_one_code_with(&self, other: &Self) -> bool {
        (&self.receiver, self.property_id, &self.unit_code) == (&other.receiver, other.property_id, &other.unit_code)
    }
}
