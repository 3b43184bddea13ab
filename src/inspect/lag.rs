//! How long one property's changes take to be acknowledged: asked for one property, and counted then.

use anyhow::Result;
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

/// A property's lag to one receiver, in seconds.
#[derive(Serialize, FromRow)]
pub struct PropertyLag {
    /// The receiver.
    pub receiver: String,
    /// The property.
    pub property_id: i64,
    /// How old the oldest change is that is not acknowledged; none where all are.
    #[serde(rename = "oldest_change_age_seconds")]
    pub oldest_change_age: Option<f64>,
    /// From the oldest change in a sync to its acknowledgement: half of the last hour's syncs took no longer.
    #[serde(rename = "lag_p50_seconds")]
    pub lag_p50: Option<f64>,
    /// 99 in 100 took no longer.
    #[serde(rename = "lag_p99_seconds")]
    pub lag_p99: Option<f64>,
}

/// To each receiver that has a feed of it, or to this one.
pub async fn of_property(
    conn: &mut PgConnection,
    property_id: i64,
    receiver: Option<&str>,
) -> Result<Vec<PropertyLag>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/lag_of_property.sql"))
        .bind(property_id)
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}
