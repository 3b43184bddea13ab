//! Which syncs there are, and how each was tried.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::payload::decompressed;

/// A sync.
#[derive(Serialize, FromRow)]
pub struct SyncView {
    /// The sync ID.
    pub id: String,
    /// To whom.
    pub receiver: String,
    /// None where it is about several.
    pub property_id: Option<i64>,
    /// How many it is about.
    pub properties: i64,
    /// As the body has it.
    pub sequence: i64,
    /// Its row.
    #[serde(skip)]
    pub number: i64,
    /// `delta`, `snapshot` or `replay`.
    pub sync_type: String,
    /// Where it is on its way.
    pub state: String,
    /// Upserts in its body.
    pub units: i32,
    /// Removals in its body.
    pub removed_units: i32,
    /// As sent.
    pub body_bytes: i32,
    /// So far.
    pub attempts: i32,
    /// When its body was written.
    pub sealed_at: DateTime<Utc>,
    /// When it is sent next.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub settled_at: Option<DateTime<Utc>>,
}

/// One try.
#[derive(Serialize, FromRow)]
pub struct AttemptView {
    /// From 1.
    pub attempt: i32,
    /// Host and process of the relay.
    pub relay: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What came of it.
    pub outcome: String,
    /// The answer's HTTP status.
    pub status: Option<i32>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// The answer, lead names masked.
    pub answer: Option<String>,
}

/// Tries that ended in the same way.
#[derive(Serialize, FromRow)]
pub struct AttemptCount {
    /// To whom.
    pub receiver: String,
    /// What came of them.
    pub outcome: String,
    /// How many.
    pub tries: i64,
}

/// Which syncs are asked for; what is not said is left open.
#[derive(Default)]
pub struct Wanted<'a> {
    /// To this receiver.
    pub receiver: Option<&'a str>,
    /// About this property.
    pub property_id: Option<i64>,
    /// In this state.
    pub state: Option<&'a str>,
    /// This one.
    pub sync_id: Option<&'a str>,
    /// With a number below this.
    pub before: Option<i64>,
}

/// A body as it was or will be sent, or why it is no more.
pub enum Body {
    /// Decompressed.
    Kept(Vec<u8>),
    /// It carried a unit that `erase` was asked for.
    Erased,
    /// It is older than `retention.syncs`.
    Pruned,
}

/// The newest first.
pub async fn syncs(conn: &mut PgConnection, wanted: Wanted<'_>, limit: i64) -> Result<Vec<SyncView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/syncs.sql"))
        .bind(wanted.receiver)
        .bind(wanted.property_id)
        .bind(wanted.state)
        .bind(wanted.sync_id)
        .bind(limit)
        .bind(wanted.before)
        .fetch_all(conn)
        .await?)
}

/// The tries of a sync, in order.
pub async fn attempts(conn: &mut PgConnection, sync: &SyncView) -> Result<Vec<AttemptView>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/attempts.sql"))
        .bind(sync.number)
        .fetch_all(conn)
        .await?)
}

/// Those that began within the last hour, of every relay.
pub async fn attempts_last_hour(conn: &mut PgConnection) -> Result<Vec<AttemptCount>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/attempts_last_hour.sql"))
        .fetch_all(conn)
        .await?)
}

/// What was, or will be, sent.
pub async fn body(conn: &mut PgConnection, sync: &SyncView) -> Result<Body> {
    let (body, gone): (Option<Vec<u8>>, Option<String>) = sqlx::query_as(include_str!("../../sql/replay/body.sql"))
        .bind(sync.sequence)
        .fetch_one(conn)
        .await?;
    Ok(match (body, gone.as_deref()) {
        (Some(body), _) => Body::Kept(decompressed(&body)?),
        (None, Some("erased")) => Body::Erased,
        (None, _) => Body::Pruned,
    })
}
