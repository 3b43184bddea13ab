//! Explain: one unit's way to each receiver, and where it stands now: shown as the source has it, or why not and what to do.
//!
//! The comparison is the planner's own, in a read-only REPEATABLE READ transaction, so words and deeds can't disagree. What
//! follows from it is put into words in `reason.rs`; what happened so far is gathered in `timeline.rs`. A unit that moved has a
//! part for each property that had it. Reads only, and shows no lead's name.

mod blocker;
mod case;
mod reason;
mod standing;
mod timeline;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::delta::LastSealed;
use crate::difference::Difference;
use crate::inspect::receivers;
use crate::plan::{
    ChosenFeed, FeedDelta, Mode, Scope, compare_sides, differing, every_feed, read_briefly, without_values,
};

use standing::{Fed, Home, UnitQuestion};
use timeline::Timeline;
pub use timeline::{Attempt, Change, Entry, Sync, What};

/// One unit's way through one property's feed to one receiver.
#[derive(Serialize)]
pub struct Part {
    /// The receiver.
    pub receiver: String,
    /// The property; none: the source has the unit without one.
    pub property_id: Option<i64>,
    /// The unit.
    pub unit_id: i64,
    /// Where it stands, in a word.
    pub standing: &'static str,
    /// The same in a sentence, with what to do.
    pub answer: String,
    /// SHA-256 of what the source has.
    pub source_hash: Option<String>,
    /// SHA-256 of what was sealed last; none: nothing was, or its removal.
    #[serde(rename = "told_hash")]
    pub sealed_hash: Option<String>,
    /// The sync that carries that.
    #[serde(rename = "told_in")]
    pub sealed_in: Option<String>,
    /// SHA-256 of what was acknowledged last, as far as that is still known.
    pub acknowledged_hash: Option<String>,
    /// Which fields differ between what was sealed last and the source, where the former is still kept.
    pub differs: Vec<Difference>,
    /// Changes and syncs from before may have been pruned.
    pub known_since: Option<DateTime<Utc>>,
    /// There is more than the timeline shows.
    pub older_left_out: bool,
    /// What happened, in time order.
    pub timeline: Vec<Entry>,
}

/// Every part of the unit's way to this receiver, that of the property which has it now first. None: neither source nor
/// receiver ever had to do with it. `now` none: by the database's clock.
pub async fn explain(
    conn: &mut PgConnection,
    scope: &Scope,
    unit_id: i64,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Part>> {
    let mut tx = conn
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    read_briefly(&mut tx).await?;
    let parts = parts(&mut tx, scope, unit_id, now).await.map_err(without_values)?;
    tx.rollback().await?;
    Ok(parts)
}

async fn parts(conn: &mut PgConnection, scope: &Scope, unit_id: i64, now: Option<DateTime<Utc>>) -> Result<Vec<Part>> {
    let receiver = receivers::standing(conn, &scope.receiver.name, now).await?;
    let known_since = sqlx::query_scalar(include_str!("../../sql/replay/horizon.sql"))
        .fetch_one(&mut *conn)
        .await?;
    let home: Option<Home> = sqlx::query_as(include_str!("../../sql/explain/source.sql"))
        .bind(unit_id)
        .fetch_optional(&mut *conn)
        .await?;
    let properties: Vec<(i64, Option<i64>)> = sqlx::query_as(include_str!("../../sql/explain/properties.sql"))
        .bind(&scope.receiver.name)
        .bind(unit_id)
        .fetch_all(&mut *conn)
        .await?;
    let here = home.as_ref().and_then(|home| home.property_id);
    let asked = UnitQuestion {
        scope,
        unit_id,
        now,
        receiver: receiver.as_ref(),
        relays: receivers::relays(conn).await?,
        known_since,
        home: home.as_ref(),
    };
    let mut parts = Vec::new();
    if home.is_some() && here.is_none() {
        parts.push(asked.unfed(conn, None).await?);
    }
    for (property_id, feed_id) in properties {
        parts.push(match feed_id {
            Some(feed_id) => asked.fed(conn, property_id, feed_id).await?,
            None => asked.unfed(conn, Some(property_id)).await?,
        });
    }
    parts.sort_by_key(|part| (part.property_id != here, part.property_id));
    Ok(parts)
}

impl UnitQuestion<'_> {
    /// The part of a property without a feed.
    async fn unfed(&self, conn: &mut PgConnection, property_id: Option<i64>) -> Result<Part> {
        let timeline = match property_id {
            Some(property_id) => Timeline::read(conn, property_id, None, self.unit_id).await?,
            None => Timeline::default(),
        };
        let reason = reason::without_feed(self, property_id);
        Ok(self.part(property_id, reason, timeline))
    }

    async fn fed(&self, conn: &mut PgConnection, property_id: i64, feed_id: i64) -> Result<Part> {
        let fed = self.read(conn, property_id, feed_id).await?;
        let mut timeline = Timeline::read(conn, property_id, Some(feed_id), self.unit_id).await?;
        timeline.note(&fed);
        let sealed = fed
            .pair
            .ledger
            .as_ref()
            .map_or(LastSealed::Nothing, |row| row.last_sealed);
        let is_acknowledged = reason::is_acknowledged(&fed);
        let acknowledged_hash = match (sealed.hash(), is_acknowledged) {
            (Some(hash), true) => Some(hash.to_string()),
            _ => {
                let unacknowledged = fed.standing.last_sequence.filter(|_| !is_acknowledged);
                timeline.acknowledged_hash(conn, self.unit_id, unacknowledged).await?
            }
        };
        let source_hash = fed.pair.source_hash();
        let differs = match (source_hash, sealed.hash()) {
            (Some(source), Some(sealed)) if source != *sealed => self.differences(conn, &fed.feed).await?,
            _ => Vec::new(),
        };
        Ok(Part {
            source_hash: source_hash.map(|hash| hash.to_string()),
            sealed_hash: sealed.hash().map(ToString::to_string),
            sealed_in: fed.standing.last_sync_id.clone(),
            acknowledged_hash,
            differs,
            ..self.part(Some(property_id), reason::of(self, &fed), timeline)
        })
    }

    async fn read(&self, conn: &mut PgConnection, property_id: i64, feed_id: i64) -> Result<Fed> {
        let (mut feeds, _) = every_feed(conn, &self.scope.receiver, Some(property_id), 0).await?;
        let feed = feeds.pop().context("the feed is there, under the same snapshot")?;
        let standing = sqlx::query_as(include_str!("../../sql/explain/feed.sql"))
            .bind(feed_id)
            .bind(self.unit_id)
            .bind(self.now)
            .fetch_one(&mut *conn)
            .await?;
        let mut sides = None;
        let mut delta = [FeedDelta::of(feed.clone(), Mode::Part, self.scope)?];
        let this = |_: &FeedDelta| vec![self.unit_id];
        compare_sides(conn, self.scope, &mut delta, this, |_, pair| {
            sides = Some(pair);
            Ok(())
        })
        .await?;
        Ok(Fed {
            feed,
            standing,
            pair: sides.context("a unit that is asked for has two sides")?,
        })
    }

    async fn differences(&self, conn: &mut PgConnection, feed: &ChosenFeed) -> Result<Vec<Difference>> {
        let found = differing(conn, self.scope, feed, &[self.unit_id]).await?;
        Ok(found.into_iter().flat_map(|finding| finding.fields).collect())
    }

    fn part(&self, property_id: Option<i64>, reason: reason::Reason, timeline: Timeline) -> Part {
        Part {
            receiver: self.scope.receiver.name.clone(),
            property_id,
            unit_id: self.unit_id,
            standing: reason.standing,
            answer: reason.sentence,
            source_hash: None,
            sealed_hash: None,
            sealed_in: None,
            acknowledged_hash: None,
            differs: Vec::new(),
            known_since: self.known_since,
            older_left_out: timeline.older_left_out,
            timeline: timeline.in_order(),
        }
    }
}
