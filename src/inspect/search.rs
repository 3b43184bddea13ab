//! Finding what a person has a name or a number of.

use anyhow::Result;
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use super::syncs::{self, SyncView, Wanted};
use crate::unit::Lossy;

/// Of each kind.
pub const FOUND_MAX: i64 = 20;
/// Of a longer name nothing is read.
const NAME_BYTES_MAX: i32 = 1_000;

/// A unit of a feed.
#[derive(Serialize, FromRow)]
pub struct FoundUnit {
    /// Who was sent it, or is to be.
    pub receiver: String,
    /// Its property there.
    pub property_id: i64,
    /// The source's id.
    pub unit_id: i64,
    /// As it was sealed last.
    pub unit_code: Option<String>,
}

/// A property of the source.
#[derive(Serialize)]
pub struct FoundProperty {
    /// The source's id.
    pub property_id: i64,
    /// As the source has it.
    pub name: Option<String>,
}

/// What there is under a text.
#[derive(Default, Serialize)]
pub struct Found {
    /// With this id.
    pub units: Vec<FoundUnit>,
    /// With this code.
    pub units_by_code: Vec<FoundUnit>,
    /// With this id, or with this in their name.
    pub properties: Vec<FoundProperty>,
    /// With this sync ID.
    pub syncs: Vec<SyncView>,
}

/// Looks for a text as each of these that it can be.
pub async fn search(conn: &mut PgConnection, text: &str) -> Result<Found> {
    if text.starts_with("sync-") {
        let wanted = Wanted {
            sync_id: Some(text),
            ..Wanted::default()
        };
        let syncs = syncs::syncs(conn, wanted, 1).await?;
        return Ok(Found {
            syncs,
            ..Found::default()
        });
    }
    let id: Option<i64> = text.parse().ok();
    let units = match id {
        Some(id) => {
            sqlx::query_as(include_str!("../../sql/inspect/find_unit.sql"))
                .bind(id)
                .bind(FOUND_MAX)
                .fetch_all(&mut *conn)
                .await?
        }
        None => Vec::new(),
    };
    let properties: Vec<(i64, Option<Lossy>)> = sqlx::query_as(include_str!("../../sql/inspect/find_property.sql"))
        .bind(id)
        .bind(text)
        .bind(NAME_BYTES_MAX)
        .bind(FOUND_MAX)
        .fetch_all(&mut *conn)
        .await?;
    let property = |(property_id, name): (i64, Option<Lossy>)| FoundProperty {
        property_id,
        name: name.map(|Lossy(name)| name),
    };
    Ok(Found {
        units,
        units_by_code: by_code(conn, text).await?,
        properties: properties.into_iter().map(property).collect(),
        syncs: Vec::new(),
    })
}

async fn by_code(conn: &mut PgConnection, code: &str) -> Result<Vec<FoundUnit>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/find_code.sql"))
        .bind(code)
        .bind(FOUND_MAX)
        .fetch_all(conn)
        .await?)
}
