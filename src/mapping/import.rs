//! A file's rows become the mapping: all of them in one transaction, or none.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::file::{Bad, Kind, Row, read_rows};
use super::ours;
use crate::audit::{self, Actor, Entry};
use crate::config::{Enroll, Receiver};
use crate::words::listed;

/// Ids of several properties that an error names.
const SAME_MAX: i64 = 20;
const NOTHING: &str = "nothing was imported";

/// How much an import changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows of the file.
    pub rows: usize,
    /// Properties that are called otherwise since.
    pub properties: usize,
    /// Units whose code is another since.
    pub units: usize,
}

/// What changes: rows, and of each what it is called at present and, of units, their property.
#[derive(Default)]
struct Changes<'a> {
    properties: Vec<&'a Row>,
    units: Vec<(&'a Row, Option<i64>)>,
}

/// Imports a file. `is_whole`: what it does not name is called as the source calls it.
///
/// # Errors
/// Where any row can't be kept to; then nothing has changed, and every such row is named.
pub async fn import(
    conn: &mut PgConnection,
    by: &Actor,
    receiver: &Receiver,
    path: &Path,
    is_whole: bool,
) -> Result<Imported> {
    let mut bad = Bad::default();
    let mut rows = read_rows(path, &mut bad)?;
    let imported_rows = rows.len();
    let mut tx = conn.begin().await?;
    sqlx::query(include_str!("../../sql/mapping/lock.sql"))
        .execute(&mut *tx)
        .await?;
    if is_whole {
        rows.extend(ours::left_out(&mut tx, receiver, &rows).await?);
    }
    let mut changes = Changes::default();
    changes.compare_properties(&mut tx, receiver, &rows, &mut bad).await?;
    changes.compare_units(&mut tx, receiver, &rows, &mut bad).await?;
    bad.check(path, NOTHING)?;
    changes.write(&mut tx, receiver).await?;
    let mut bad = Bad::default();
    // Again, because the feeds are locked only now: until then a plan could seal units under the ids that they had.
    check_held(&mut tx, receiver, &changes.properties, &mut bad).await?;
    check_ids(&mut tx, receiver, &changes, &mut bad).await?;
    bad.check(path, NOTHING)?;
    let imported = Imported {
        rows: imported_rows,
        properties: changes.properties.len(),
        units: changes.units.len(),
    };
    let entry = Entry {
        action: "map import",
        receiver: Some(&receiver.name),
        subject: "the mapping".to_owned(),
        before: None,
        after: Some(json!({ "properties": imported.properties, "units": imported.units, "whole": is_whole })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(imported)
}

fn of(rows: &[Row], kind: Kind) -> Vec<&Row> {
    rows.iter().filter(|row| row.kind == kind).collect()
}

fn ids(rows: &[&Row]) -> Vec<i64> {
    rows.iter().map(|row| row.id).collect()
}

impl Row {
    /// A row that stands for what the file left out has no line.
    fn at(&self) -> Option<u64> {
        (self.line > 0).then_some(self.line)
    }
}

impl<'a> Changes<'a> {
    async fn compare_properties(
        &mut self,
        conn: &mut PgConnection,
        receiver: &Receiver,
        rows: &'a [Row],
        bad: &mut Bad,
    ) -> Result<()> {
        let rows = of(rows, Kind::Property);
        let found: Vec<(bool, Option<String>)> = sqlx::query_as(include_str!("../../sql/mapping/properties.sql"))
            .bind(&receiver.name)
            .bind(ids(&rows))
            .fetch_all(&mut *conn)
            .await?;
        for (row, (is_known, external_id)) in rows.into_iter().zip(found) {
            if !is_known && row.theirs.is_some() {
                bad.add(row.at(), format!("the source has no property {}", row.id));
            } else if external_id != row.theirs {
                self.properties.push(row);
            }
        }
        check_held(conn, receiver, &self.properties, bad).await
    }

    async fn compare_units(
        &mut self,
        conn: &mut PgConnection,
        receiver: &Receiver,
        rows: &'a [Row],
        bad: &mut Bad,
    ) -> Result<()> {
        let rows = of(rows, Kind::Unit);
        let found: Vec<(Option<i64>, Option<String>)> = sqlx::query_as(include_str!("../../sql/mapping/units.sql"))
            .bind(&receiver.name)
            .bind(ids(&rows))
            .fetch_all(conn)
            .await?;
        let mut carried: HashMap<(i64, &str), i64> = HashMap::new();
        for (row, (property_id, unit_code)) in rows.into_iter().zip(found) {
            let theirs = row.theirs.as_deref();
            let other = match (property_id, theirs) {
                (None, Some(_)) => {
                    bad.add(row.at(), format!("the source has no unit {}", row.id));
                    continue;
                }
                (Some(property_id), Some(theirs)) => carried.insert((property_id, theirs), row.id),
                (_, None) => None,
            };
            if let Some(other) = other {
                bad.add(row.at(), format!("unit {other} of the same property has that code too"));
            } else if unit_code != row.theirs {
                self.units.push((row, property_id));
            }
        }
        Ok(())
    }

    async fn write(&self, conn: &mut PgConnection, receiver: &Receiver) -> sqlx::Result<()> {
        if !self.properties.is_empty() {
            let theirs: Vec<Option<&str>> = self.properties.iter().map(|row| row.theirs.as_deref()).collect();
            sqlx::query(include_str!("../../sql/mapping/map_properties.sql"))
                .bind(&receiver.name)
                .bind(ids(&self.properties))
                .bind(theirs)
                .bind(receiver.enroll == Enroll::Active)
                .execute(&mut *conn)
                .await?;
        }
        if !self.units.is_empty() {
            let (rows, properties): (Vec<&Row>, Vec<Option<i64>>) = self.units.iter().copied().unzip();
            let theirs: Vec<Option<&str>> = rows.iter().map(|row| row.theirs.as_deref()).collect();
            sqlx::query(include_str!("../../sql/mapping/map_units.sql"))
                .bind(&receiver.name)
                .bind(ids(&rows))
                .bind(theirs)
                .bind(properties)
                .execute(conn)
                .await?;
        }
        Ok(())
    }
}

/// A property that is held under one id and sent under another would be held twice.
async fn check_held(conn: &mut PgConnection, receiver: &Receiver, properties: &[&Row], bad: &mut Bad) -> Result<()> {
    let held_there: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/mapping/held_there.sql"))
        .bind(&receiver.name)
        .bind(ids(properties))
        .fetch_all(conn)
        .await?;
    for row in properties.iter().filter(|row| held_there.contains(&row.id)) {
        let (id, name) = (row.id, &receiver.name);
        let why = format!(
            "receiver {name} holds units of property {id} under another id (`feeds disable {id}`, wait until `feeds list` shows 0 \
             units, then import and `feeds enable {id}`)"
        );
        bad.add(row.at(), why);
    }
    Ok(())
}

/// Two properties under one id would be one to the receiver.
async fn check_ids(conn: &mut PgConnection, receiver: &Receiver, changes: &Changes<'_>, bad: &mut Bad) -> Result<()> {
    if changes.properties.is_empty() {
        return Ok(());
    }
    let same: Vec<(String, Vec<i64>)> = sqlx::query_as(include_str!("../../sql/mapping/same_id.sql"))
        .bind(&receiver.name)
        .bind(SAME_MAX)
        .fetch_all(conn)
        .await?;
    for (external_id, properties) in same {
        let of_file = changes.properties.iter().filter(|row| properties.contains(&row.id));
        let line = of_file.filter_map(|row| row.at()).max();
        let properties: Vec<String> = properties.iter().map(i64::to_string).collect();
        let why = format!("properties {} would all be called {external_id:?}", listed(&properties));
        bad.add(line, why);
    }
    Ok(())
}
