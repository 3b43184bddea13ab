//! How a receiver stands: asked here and nowhere else.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::payload::Shape;
use crate::states::Withheld;

/// Whether a receiver may be sent to, and what its breaker goes by.
#[derive(Serialize, FromRow)]
pub struct Sending {
    /// `paused`, `waiting` or `sending`.
    pub state: String,
    /// Paused since then.
    pub since: Option<DateTime<Utc>>,
    /// While paused; none where only a person ends it.
    pub next_probe: Option<DateTime<Utc>>,
    /// Probes that failed since it was paused.
    pub failed_probes: i32,
    /// What its breaker counts.
    pub failures_in_a_row: i32,
    /// How many requests at once it bears; none where that is as many as the settings allow.
    pub concurrency: Option<i32>,
    /// Nothing is sent before.
    pub wait_until: Option<DateTime<Utc>>,
    /// Why it is paused.
    pub because: Option<String>,
}

/// A receiver, and whether it may be sent to.
#[derive(Serialize, FromRow)]
pub struct ReceiverStanding {
    /// Its name in the settings.
    pub receiver: String,
    /// Whether it may be sent to.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub sending: Sending,
    /// This is another database than it was fed from.
    pub waits_for_resync: bool,
    /// The fingerprint of the settings that it was run with last.
    #[serde(skip)]
    pub settings: Option<String>,
}

/// What there is to do for a receiver, and what is wrong with it.
#[derive(Serialize, FromRow)]
pub struct ReceiverWork {
    #[serde(skip)]
    receiver: String,
    /// When this was so.
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// Properties that it is to have.
    pub feeds: i64,
    /// With changes beyond their cursor.
    pub feeds_behind: i64,
    /// That wait after a failure.
    pub feeds_cooling_down: i64,
    /// That a person paused.
    pub feeds_paused: i64,
    /// Units sealed last as upserts.
    #[serde(rename = "units_told")]
    #[sqlx(rename = "units_told")]
    pub units_sealed: i64,
    /// Units that are due, for whatever reason.
    pub units_owed: i64,
    /// Of these, units that a replay asked for.
    pub units_replayed: i64,
    /// Units that are withheld, for whatever reason.
    pub units_withheld: i64,
    /// Why units are withheld or owed.
    #[serde(skip)]
    kinds: Vec<String>,
    /// How many, for each kind.
    #[serde(skip)]
    units: Vec<i64>,
    /// Codes that several units of one property carry.
    #[serde(skip)]
    pub duplicate_codes: i64,
    /// Of all that is not delivered.
    pub oldest_change: Option<DateTime<Utc>>,
    /// How many seconds passed between the oldest change in a sync and its acknowledgement, for half of the last hour's syncs at
    /// most; to a fifth of it. None where there were none.
    #[serde(rename = "lag_p50_seconds")]
    pub lag_p50: Option<f64>,
    /// The same for 99 in 100.
    #[serde(rename = "lag_p99_seconds")]
    pub lag_p99: Option<f64>,
    /// Syncs that are sealed and not settled.
    pub open_syncs: i64,
    /// Of these, syncs of type replay and redelivered ones.
    pub open_replays: i64,
    /// When the first of them is due.
    pub next_try: Option<DateTime<Utc>>,
    /// When it last acknowledged one.
    pub last_delivered: Option<DateTime<Utc>>,
    /// Holds that wait for a person.
    pub holds: i64,
    /// The removals in them.
    #[serde(skip)]
    pub removals_held: i64,
    /// Alerts that are open.
    pub alerts: i64,
    /// What they are about.
    #[serde(skip)]
    pub alert_kinds: Option<String>,
}

/// How a receiver stands: what `status`, `doctor`, a scrape and a page say of it.
#[derive(Serialize)]
pub struct ReceiverStatus {
    /// Whether it may be sent to.
    #[serde(flatten)]
    pub standing: ReceiverStanding,
    /// What there is to do.
    #[serde(flatten)]
    pub work: ReceiverWork,
}

impl ReceiverStanding {
    /// It was last run with others than these.
    pub fn settings_differ(&self, shape: &Shape) -> bool {
        let settings = self.settings.as_deref();
        settings.is_some_and(|settings| settings != shape.fingerprint())
    }
}

impl ReceiverWork {
    /// Units withheld for this reason.
    pub fn units_withheld_as(&self, kind: Withheld) -> i64 {
        let counts = self.kinds.iter().zip(&self.units);
        let of_kind = counts.filter(|(counted, _)| *counted == kind.as_str());
        of_kind.map(|(_, units)| units).sum()
    }

    /// How old the oldest change is that is not delivered, in seconds; 0 where all are.
    pub fn oldest_change_age(&self) -> f64 {
        let age = self.oldest_change.map(|oldest| self.at - oldest);
        let microseconds = age.and_then(|age| age.num_microseconds());
        microseconds.map_or(0.0, |age| age as f64 / 1e6)
    }
}

/// Whether every receiver, or this one, may be sent to; `now` none: by the database's clock. One that was never run is not among
/// them.
pub async fn standings(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<ReceiverStanding>> {
    Ok(sqlx::query_as(include_str!("../../sql/inspect/standings.sql"))
        .bind(receiver)
        .bind(now)
        .fetch_all(conn)
        .await?)
}

/// Whether this one may be sent to; none: it was never run against this database.
pub async fn standing(
    conn: &mut PgConnection,
    receiver: &str,
    now: Option<DateTime<Utc>>,
) -> Result<Option<ReceiverStanding>> {
    Ok(standings(conn, Some(receiver), now).await?.pop())
}

/// How every receiver stands, or this one, with all that there is to do for it.
pub async fn statuses(conn: &mut PgConnection, receiver: Option<&str>) -> Result<Vec<ReceiverStatus>> {
    let work: Vec<ReceiverWork> = sqlx::query_as(include_str!("../../sql/inspect/work.sql"))
        .bind(receiver)
        .fetch_all(&mut *conn)
        .await?;
    let mut work: HashMap<String, ReceiverWork> = work.into_iter().map(|work| (work.receiver.clone(), work)).collect();
    let standings = standings(conn, receiver, None).await?;
    let status = |standing: ReceiverStanding| {
        let work = work.remove(&standing.receiver)?;
        Some(ReceiverStatus { standing, work })
    };
    Ok(standings.into_iter().filter_map(status).collect())
}

/// How this one stands; none: it was never run against this database.
pub async fn status(conn: &mut PgConnection, receiver: &str) -> Result<Option<ReceiverStatus>> {
    Ok(statuses(conn, Some(receiver)).await?.pop())
}

/// How many of the receiver's feeds are new, behind, busy, resting or owing. Zero when it is at rest.
pub async fn unsettled(conn: &mut PgConnection, receiver: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/inspect/unsettled.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// Units and removals in syncs that are not settled.
pub async fn under_way(conn: &mut PgConnection, receiver: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/inspect/under_way.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// How many sessions of relays this database has, this one left out.
pub async fn relays(conn: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/inspect/relays.sql"))
        .fetch_one(conn)
        .await?)
}
