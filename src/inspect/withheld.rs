//! Units that a receiver is not told of.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::receiver::message_about;
use crate::states::Withheld;

/// A unit that is left out.
#[derive(Serialize, FromRow)]
pub struct WithheldView {
    /// The source's id.
    pub unit_id: i64,
    /// Who is not told of it.
    pub receiver: String,
    /// Its property.
    pub property_id: i64,
    /// As the source has it.
    pub unit_code: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// The unit, or its removal.
    pub what: String,
    /// When a refused one is tried again.
    pub retry_at: Option<DateTime<Utc>>,
    /// The reason, with the receiver's own words where its answer is still kept.
    pub because: String,
    /// The sync that told it, where there still is one.
    pub sync_id: Option<String>,
    /// The answer to that sync.
    #[serde(skip)]
    answer: Option<String>,
}

/// Those of every receiver, or of this one, withheld for this reason.
pub async fn withheld(conn: &mut PgConnection, receiver: Option<&str>, kind: Withheld) -> Result<Vec<WithheldView>> {
    let mut units: Vec<WithheldView> = sqlx::query_as(include_str!("../../sql/inspect/refused.sql"))
        .bind(receiver)
        .bind(kind.as_str())
        .fetch_all(conn)
        .await?;
    units.iter_mut().for_each(WithheldView::quote);
    Ok(units)
}

impl WithheldView {
    fn quote(&mut self) {
        let answer = self.answer.take();
        if let Some(said) = answer.and_then(|answer| message_about(&answer, self.unit_id)) {
            self.because = format!("{}: {said}", self.because);
        }
    }
}

/// How many units can't be told as they are.
pub async fn count_invalid(conn: &mut PgConnection, receiver: Option<&str>) -> Result<i64> {
    let counts = counts(conn, receiver, None).await?.into_iter();
    let invalid = counts.filter(|(kind, _)| *kind == Withheld::Invalid.as_str());
    Ok(invalid.map(|(_, units)| units).sum())
}

/// Whether a unit can't be told as it is.
pub async fn is_invalid(conn: &mut PgConnection, receiver: &str, unit_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/inspect/is_invalid.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_one(conn)
        .await?)
}

/// How many units there are for each reason, of every receiver or of one, of all properties or of one.
pub async fn counts(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    property_id: Option<i64>,
) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/withheld.sql"))
        .bind(receiver)
        .bind(property_id)
        .fetch_all(conn)
        .await?)
}
