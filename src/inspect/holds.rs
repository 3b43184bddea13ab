//! Removals that wait for a person.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// A hold, open or decided.
#[derive(Serialize, FromRow)]
pub struct HoldView {
    /// `hold_id`
    pub id: i64,
    /// From whom the removals are withheld.
    pub receiver: String,
    /// None: over the receiver as a whole.
    pub property_id: Option<i64>,
    /// `open`, `approved`, `rejected` or `cleared`.
    pub state: String,
    /// Removals that wait, or that were decided about.
    pub units: i64,
    /// Units when the first of them went.
    pub of_units: i64,
    /// Removals sealed in the 24 hours before.
    pub gone: i64,
    /// When the first of them went.
    pub opened_at: DateTime<Utc>,
    /// When the last of them joined.
    pub grown_at: DateTime<Utc>,
    /// When it was decided, or its units were back.
    pub settled_at: Option<DateTime<Utc>>,
    /// Of which properties.
    pub property_ids: Vec<i64>,
    /// Which units.
    pub unit_ids: Vec<i64>,
}

/// A unit of a hold.
#[derive(Serialize, FromRow)]
pub struct HeldUnitView {
    /// Its hold.
    pub id: i64,
    /// From whom its removal is withheld.
    pub receiver: String,
    /// Its property.
    pub property_id: i64,
    /// The source's id.
    pub unit_id: i64,
    /// As it was sealed last.
    pub unit_code: Option<String>,
    /// Of the hold.
    pub state: String,
    /// When it went.
    pub since: Option<DateTime<Utc>>,
}

/// The newest first; `all`: also those that are over. `limit`: none for all of them.
pub async fn holds(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    all: bool,
    limit: Option<i64>,
) -> Result<Vec<HoldView>> {
    Ok(sqlx::query_as(include_str!("../../sql/hold/list.sql"))
        .bind(receiver)
        .bind(all)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// How many there are.
pub async fn count(conn: &mut PgConnection, receiver: Option<&str>, all: bool) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/hold/count.sql"))
        .bind(receiver)
        .bind(all)
        .fetch_one(conn)
        .await?)
}

/// The units of one hold that is open or was rejected, the first so many.
pub async fn units_of(conn: &mut PgConnection, hold_id: i64, limit: i64) -> Result<Vec<HeldUnitView>> {
    Ok(sqlx::query_as(include_str!("../../sql/hold/units_of.sql"))
        .bind(hold_id)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// A row for each unit of each hold.
pub async fn units(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    all: bool,
    limit: Option<i64>,
) -> Result<Vec<HeldUnitView>> {
    Ok(sqlx::query_as(include_str!("../../sql/hold/units.sql"))
        .bind(receiver)
        .bind(all)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
