//! Which properties a receiver is to have, and how each stands.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::unit::Lossy;
use crate::words::thousands;

/// A longer name is not read at all: there are as many as properties.
const NAME_BYTES_MAX: i32 = 1_000;

/// A property of a receiver's.
#[derive(Serialize, FromRow)]
pub struct FeedView {
    /// `feed_id`
    pub id: i64,
    /// Who is to have it.
    pub receiver: String,
    /// The source's id.
    pub property_id: i64,
    /// As the source has it; none where it has no such property, or no name.
    #[sqlx(skip)]
    pub name: Option<String>,
    /// What the receiver calls it.
    pub external_id: Option<String>,
    /// How it stands.
    pub state: String,
    /// That were sealed.
    pub units: i64,
    /// That are due.
    pub owed: i64,
    /// That are withheld.
    pub withheld: i64,
    /// Of its newest sync.
    pub last_sequence: Option<i64>,
    /// When the receiver last acknowledged one.
    pub last_delivered: Option<DateTime<Utc>>,
}

/// Where a list of feeds goes on.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Whose feed was the last.
    pub receiver: String,
    /// Of which property.
    pub property_id: i64,
}

/// Those of every receiver, or of this one, without names.
pub async fn feeds(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<FeedView>> {
    read(conn, receiver, None, None, None).await
}

/// Those of one receiver or property or of all, behind `after`, without names.
pub async fn page(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    property_id: Option<i64>,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<FeedView>> {
    read(conn, receiver, property_id, after, Some(limit)).await
}

async fn read(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    property_id: Option<i64>,
    after: Option<&Place>,
    limit: Option<i64>,
) -> Result<Vec<FeedView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/feeds.sql"))
        .bind(receiver)
        .bind(property_id)
        .bind(after.map(|after| after.receiver.as_str()))
        .bind(after.map(|after| after.property_id))
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// A property, its name unless that is too long, and how long it is.
type Named = (i64, Option<Lossy>, Option<i32>);

/// What the source calls its properties.
pub async fn names(conn: &mut PgConnection) -> Result<HashMap<i64, Option<String>>> {
    let names: Vec<Named> = sqlx::query_as(include_str!("../../sql/inspect/property_names.sql"))
        .bind(NAME_BYTES_MAX)
        .fetch_all(conn)
        .await?;
    Ok(names.into_iter().map(readable).collect())
}

/// What it calls these.
pub async fn names_of(conn: &mut PgConnection, properties: &[i64]) -> Result<HashMap<i64, Option<String>>> {
    let names: Vec<Named> = sqlx::query_as(include_str!("../../sql/inspect/names_of.sql"))
        .bind(NAME_BYTES_MAX)
        .bind(properties)
        .fetch_all(conn)
        .await?;
    Ok(names.into_iter().map(readable).collect())
}

fn readable((property_id, name, bytes): Named) -> (i64, Option<String>) {
    let placeholder = || Some(format!("(a name of {} bytes)", thousands(bytes?)));
    (property_id, name.map(|Lossy(name)| name).or_else(placeholder))
}

/// How many of the receiver's feeds are paused for whatever reason; of this property only, where one is named.
pub async fn paused(conn: &mut PgConnection, receiver: &str, property_id: Option<i64>) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/inspect/paused_feeds.sql"))
        .bind(receiver)
        .bind(property_id)
        .fetch_one(conn)
        .await?)
}
