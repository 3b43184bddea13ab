//! One request of a preview, and what it says of each property.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use sqlx::PgConnection;

use super::reason;
use crate::inspect::verify::{self, Difference};
use crate::payload::RemovalReason;
use crate::plan::{FeedDelta, Mode, News, Rehearsed, Scope, differing};
use crate::states::Owed;

/// Units whose contents are looked at together.
const DETAILED_AT_ONCE: usize = 100;

/// A request that would be sent.
#[derive(Serialize)]
pub struct Request {
    /// Whose.
    pub receiver: String,
    /// Which of this preview's.
    pub number: usize,
    /// 1: it goes out first of its feeds' requests; 2: once that is acknowledged, and so on.
    pub turn: usize,
    /// delta, snapshot or replay.
    pub sync_type: &'static str,
    /// Of a snapshot that needs several.
    pub part: usize,
    /// How many it needs.
    pub parts: usize,
    /// Before any compression.
    pub body_bytes: usize,
    /// Units that it carries.
    pub units: usize,
    /// Removals that it carries, in words or by absence.
    pub removed_units: usize,
    /// What it says of each property.
    pub properties: Vec<Property>,
}

/// What a request says of one property.
#[derive(Serialize)]
pub struct Property {
    /// Whose feed it is.
    pub receiver: String,
    /// The property.
    pub property_id: i64,
    /// Why more than news is sent.
    pub because: Option<String>,
    /// Its own fields that differ from those sealed last, where these are still kept.
    pub differs: Vec<Difference>,
    /// Its own fields are news, whether or not it can be said how.
    pub is_news: bool,
    /// Units that are new or changed.
    pub units: Vec<Unit>,
    /// How many more are sent again as they were.
    pub again: usize,
    /// Its removals.
    pub removed: Vec<RemovedUnit>,
    /// What would be withheld from now on.
    pub withheld: Vec<WithheldUnit>,
    /// What waits for a later request.
    pub later: Vec<PostponedUnit>,
}

/// A unit that is sent.
#[derive(Serialize)]
pub struct Unit {
    /// Which.
    pub unit_id: i64,
    /// Its code as sent.
    pub unit_code: Option<String>,
    /// The receiver has nothing of it.
    pub is_new: bool,
    /// Which fields differ from what was sealed last.
    pub differs: Vec<Difference>,
    /// Why that can't be said.
    pub because: Option<String>,
}

/// A removal that is sent.
#[derive(Serialize)]
pub struct RemovedUnit {
    /// Which.
    pub unit_id: i64,
    /// Its code as sealed last.
    pub unit_code: Option<String>,
    /// The unit that carries its code now.
    pub replaced_by: Option<i64>,
    /// Why it is gone.
    pub reason: &'static str,
    /// removed, absent (from a snapshot) or unavailable.
    #[serde(rename = "told_as")]
    pub sent_as: &'static str,
}

/// A unit that would be withheld.
#[derive(Serialize)]
pub struct WithheldUnit {
    /// Which.
    pub unit_id: i64,
    /// Whose objection it is.
    pub kind: &'static str,
    /// In words.
    pub because: String,
}

/// Units that wait for a later request.
#[derive(Serialize)]
pub struct PostponedUnit {
    /// Why, as the ledger says it.
    pub owed: Owed,
    /// How many.
    pub units: i64,
}

impl Request {
    pub(super) async fn of(
        conn: &mut PgConnection,
        scope: &Scope,
        (number, turn): (usize, usize),
        rehearsed: &Rehearsed,
    ) -> Result<Self> {
        let mut properties = Vec::with_capacity(rehearsed.deltas.len());
        for delta in &rehearsed.deltas {
            properties.push(Property::of(conn, scope, delta).await?);
        }
        let count = |of: fn(&FeedDelta) -> usize| rehearsed.deltas.iter().map(of).sum();
        Ok(Self {
            receiver: scope.receiver.name.clone(),
            number,
            turn,
            sync_type: rehearsed.sync_type.as_str(),
            part: rehearsed.part,
            parts: rehearsed.parts,
            body_bytes: rehearsed.body_bytes,
            units: count(|delta| delta.upserts.len()),
            removed_units: count(|delta| delta.remove.len() + delta.absent.len()),
            properties,
        })
    }
}

impl Property {
    pub(super) async fn of(conn: &mut PgConnection, scope: &Scope, delta: &FeedDelta) -> Result<Self> {
        let is_news = delta.property_differs && delta.property_changed;
        let differs = match is_news && !delta.feed.is_not_enrolled() {
            true => verify::property_differences(conn, delta).await?.unwrap_or_default(),
            false => Vec::new(),
        };
        let again = delta
            .upserts
            .iter()
            .filter(|upsert| upsert.removed.is_none() && upsert.news() == News::Again);
        Ok(Self {
            receiver: scope.receiver.name.clone(),
            property_id: delta.feed.property_id,
            because: reason(&delta.feed),
            differs,
            is_news,
            units: units(conn, scope, delta).await?,
            again: again.count(),
            removed: removed(delta),
            withheld: withheld(delta),
            later: match matches!(delta.mode, Mode::Delta | Mode::ResendAll) && !delta.goes_on {
                true => later(conn, delta).await?,
                false => Vec::new(),
            },
        })
    }

    /// Nothing is sent, and nothing is kept from being sent.
    pub(super) fn says_nothing(&self) -> bool {
        self.withheld.is_empty() && self.later.is_empty()
    }
}

/// New units first, then those that changed, with what of them did.
async fn units(conn: &mut PgConnection, scope: &Scope, delta: &FeedDelta) -> Result<Vec<Unit>> {
    let living = || delta.upserts.iter().filter(|upsert| upsert.removed.is_none());
    let unit = |unit_id, unit_code, is_new| Unit {
        unit_id,
        unit_code,
        is_new,
        differs: Vec::new(),
        because: None,
    };
    let new = living().filter(|upsert| upsert.news() == News::New);
    let mut units: Vec<_> = new
        .map(|upsert| unit(upsert.unit.unit_id, upsert.unit.code.clone(), true))
        .collect();
    let changed: BTreeMap<i64, Option<String>> = living()
        .filter(|upsert| upsert.news() == News::Changed)
        .map(|upsert| (upsert.unit.unit_id, upsert.unit.code.clone()))
        .collect();
    let ids: Vec<i64> = changed.keys().copied().collect();
    for ids in ids.chunks(DETAILED_AT_ONCE) {
        for found in differing(conn, scope, &delta.feed, ids).await? {
            let unit_id = found.unit_id;
            units.push(Unit {
                differs: found.fields,
                because: found.because.map(str::to_owned),
                ..unit(unit_id, changed.get(&unit_id).cloned().flatten(), false)
            });
        }
    }
    Ok(units)
}

fn removed(delta: &FeedDelta) -> Vec<RemovedUnit> {
    let gone = |unit_id, unit_code: &Option<String>, reason: RemovalReason, sent_as| RemovedUnit {
        unit_id,
        unit_code: unit_code.clone(),
        replaced_by: None,
        reason: reason.as_str(),
        sent_as,
    };
    let removed = delta.remove.iter().map(|removal| RemovedUnit {
        replaced_by: removal.replaced_by,
        ..gone(removal.unit_id, &removal.unit_code, removal.reason, "removed")
    });
    let absent = delta.absent.iter();
    let absent = absent.map(|(reason, row)| gone(row.unit_id, &row.unit_code, *reason, "absent"));
    let unavailable = delta.upserts.iter().filter_map(|upsert| {
        let unit = &upsert.unit;
        Some(gone(unit.unit_id, &unit.code, upsert.removed?, "unavailable"))
    });
    removed.chain(absent).chain(unavailable).collect()
}

fn withheld(delta: &FeedDelta) -> Vec<WithheldUnit> {
    let noted = delta.noted.iter().filter_map(|row| {
        let kept = row.withheld.as_ref()?;
        Some(WithheldUnit {
            unit_id: row.unit_id,
            kind: kept.kind.as_str(),
            because: kept.because.clone(),
        })
    });
    noted.collect()
}

/// What is owed from now on, and what was owed before and isn't sent.
async fn later(conn: &mut PgConnection, delta: &FeedDelta) -> Result<Vec<PostponedUnit>> {
    let upserts = delta.upserts.iter().map(|upsert| upsert.unit.unit_id);
    let removed = delta.remove.iter().map(|removal| removal.unit_id);
    let noted = delta.noted.iter().map(|row| row.unit_id);
    let settled: Vec<i64> = upserts
        .chain(removed)
        .chain(noted)
        .chain(delta.forget.iter().copied())
        .chain(delta.settled_before.iter().copied())
        .collect();
    let owed: Vec<(Owed, i64)> = sqlx::query_as(include_str!("../../../sql/preview/owed.sql"))
        .bind(delta.feed.feed_id)
        .bind(settled)
        .fetch_all(conn)
        .await?;
    let mut later: BTreeMap<Owed, i64> = owed.into_iter().collect();
    for owed in delta
        .noted
        .iter()
        .filter(|row| row.is_owed())
        .filter_map(|row| row.owed)
    {
        *later.entry(owed).or_default() += 1;
    }
    Ok(later
        .into_iter()
        .map(|(owed, units)| PostponedUnit { owed, units })
        .collect())
}
