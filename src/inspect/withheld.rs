//! Units that are withheld from a receiver.

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
    /// From whom.
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
    /// The sync that carried it, where there still is one.
    pub sync_id: Option<String>,
    /// The answer to that sync.
    #[serde(skip)]
    answer: Option<String>,
}

/// Those of every receiver, or of this one, withheld for this reason.
pub async fn withheld(conn: &mut PgConnection, receiver: Option<&str>, kind: Withheld) -> Result<Vec<WithheldView>> {
    read(conn, receiver, kind, None).await
}

/// The first so many of them.
pub async fn some(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    kind: Withheld,
    limit: i64,
) -> Result<Vec<WithheldView>> {
    read(conn, receiver, kind, Some(limit)).await
}

async fn read(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    kind: Withheld,
    limit: Option<i64>,
) -> Result<Vec<WithheldView>> {
    let mut units: Vec<WithheldView> = sqlx::query_as(include_str!("../../sql/inspect/refused.sql"))
        .bind(receiver)
        .bind(kind.as_str())
        .bind(limit)
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

/// How many units there are for each reason, of all properties or of one.
pub async fn counts(conn: &mut PgConnection, receiver: &str, property_id: Option<i64>) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/withheld.sql"))
        .bind(receiver)
        .bind(property_id)
        .fetch_all(conn)
        .await?)
}
