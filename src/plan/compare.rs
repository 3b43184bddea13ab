//! Source against ledger: from chosen feeds to the delta of each.

use std::collections::{HashMap, HashSet};
use std::mem;

use anyhow::{Result, bail};
use futures_util::TryStreamExt;
use sqlx::PgConnection;
use tokio::task::yield_now;

use super::ahead::Ahead;
use super::choose::owed_per_feed_max;
use super::chosen::ChosenFeed;
use super::feed_delta::FeedDelta;
use super::guard::{self, Grown};
use super::scope::{Mode, PlanTx, Scope};
use super::sides::UnitSides;
use crate::config::UnitIdentity;
use crate::unit::{Columns, TEXT_BYTES_MAX};

/// How much of the source one batch holds, unless a single feed holds more: with a usual source some ten thousand units.
const BATCH_BYTES_MAX: usize = 16_000_000;
/// From so many touched units on they may be most of a property's.
const MOST_OF: i64 = 32;
/// After so many rows it is others' turn: of a large property what has arrived may be read for seconds, and while it is the runtime
/// looks at no timer and no socket, those of the heartbeat among them.
const ROWS_PER_TURN: usize = 512;
/// Why a snapshot is due after the database was set back (`sql/source_identity/start_anew.sql`).
const SOURCE_IDENTITY: &str = "source_identity";
/// Why one is due after an answer with another digest (`sql/deliver/mismatch.sql`).
const MISMATCH: &str = "digest mismatch";
/// Why it is due again after one that was rejected (`sql/plan/snapshot_again.sql`): nobody knows by then what that one was to put right.
const REPAIR: &str = "repair";

/// What comparing a batch found.
pub(crate) struct Compared {
    /// A feed each.
    pub deltas: Vec<FeedDelta>,
    /// Holds that removals joined.
    pub grown: Vec<Grown>,
    /// What was learnt of what other feeds lose.
    pub ahead: Option<Ahead>,
    /// The feeds beyond this one are left for the next batch: memory is bounded by bytes as well.
    pub more_after: Option<i64>,
}

/// Compares the feeds' units, reading both sides as one stream. Writes nothing.
pub(crate) async fn compare(tx: &mut PlanTx<'_>, feeds: Vec<ChosenFeed>) -> Result<Compared> {
    let mut deltas = Vec::with_capacity(feeds.len());
    for feed in feeds {
        let mode = mode_of(&feed, tx.scope);
        deltas.push(FeedDelta::of(feed, mode, tx.scope)?);
    }
    if tx.scope.receiver.unit_identity == UnitIdentity::Global {
        note_elsewhere(tx.conn, tx.scope, &mut deltas).await?;
    }
    let read = read_both_sides(tx.conn, tx.scope, &mut deltas, BATCH_BYTES_MAX, |delta| {
        delta.feed.touched.clone()
    })
    .await?;
    let is_cut_short = read < deltas.len();
    deltas.truncate(read);
    let guard::Decided { grown, ahead } = guard::decide(tx, &mut deltas).await?;
    deltas.iter_mut().try_for_each(|delta| delta.finish(tx.scope))?;
    resend_instead(tx.conn, tx.scope, &mut deltas).await?;
    name_carriers(tx.conn, tx.scope, &mut deltas).await?;
    Ok(Compared {
        more_after: deltas.last().filter(|_| is_cut_short).map(|delta| delta.feed.feed_id),
        deltas,
        grown,
        ahead,
    })
}

/// One part of a snapshot, read again; the last one names what is kept.
pub(super) async fn read_part(
    conn: &mut PgConnection,
    scope: &Scope,
    snapshot: &mut FeedDelta,
    units: &[i64],
    is_last: bool,
) -> Result<FeedDelta> {
    let mut part = compare_part(conn, scope, &snapshot.feed, units).await?;
    part.take_digest_of(snapshot);
    if is_last {
        part.keep = mem::take(&mut snapshot.keep);
    }
    Ok(part)
}

async fn compare_part(conn: &mut PgConnection, scope: &Scope, feed: &ChosenFeed, units: &[i64]) -> Result<FeedDelta> {
    let mut part = [FeedDelta::of(feed.clone(), Mode::Part, scope)?];
    read_both_sides(conn, scope, &mut part, usize::MAX, |_| units.to_vec()).await?;
    let [mut part] = part;
    part.finish(scope)?;
    Ok(part)
}

fn mode_of(feed: &ChosenFeed, scope: &Scope) -> Mode {
    match feed.snapshot_due.as_deref() {
        None => Mode::Delta,
        // What the receiver holds of a property that left the feed is known, unless the ledger was set back or the receiver says otherwise.
        Some(due)
            if (feed.uncovered.is_none() || [SOURCE_IDENTITY, MISMATCH, REPAIR].contains(&due))
                && scope.shape.absence_can_be_read() =>
        {
            Mode::Snapshot
        }
        Some(_) => Mode::ResendAll,
    }
}

/// A snapshot that would have to name what it doesn't carry becomes deltas of all units, where that can't be named.
async fn resend_instead(conn: &mut PgConnection, scope: &Scope, deltas: &mut [FeedDelta]) -> Result<()> {
    for delta in deltas.iter_mut().filter(|delta| delta.can_only_be_resent(scope)) {
        for resent in again(conn, scope, [(&*delta, Mode::ResendAll)]).await? {
            *delta = resent;
        }
    }
    Ok(())
}

/// The same feeds compared once more, otherwise. What is elsewhere or waits for a person was found the first time.
pub(super) async fn again<'a>(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: impl IntoIterator<Item = (&'a FeedDelta, Mode)>,
) -> Result<Vec<FeedDelta>> {
    let mut compared = Vec::new();
    for (delta, mode) in deltas {
        let mut anew = FeedDelta::of(delta.feed.clone(), mode, scope)?;
        anew.elsewhere.clone_from(&delta.elsewhere);
        anew.held.clone_from(&delta.held);
        compared.push(anew);
    }
    read_both_sides(conn, scope, &mut compared, usize::MAX, |delta| {
        delta.feed.touched.clone()
    })
    .await?;
    compared.iter_mut().try_for_each(|delta| delta.finish(scope))?;
    Ok(compared)
}

/// Says how many feeds were read whole: at least one, and the others as long as what they hold is not more than `bytes_max`.
async fn read_both_sides(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: &mut [FeedDelta],
    bytes_max: usize,
    touched: impl Fn(&FeedDelta) -> Vec<i64>,
) -> Result<usize> {
    compare_up_to(conn, scope, deltas, bytes_max, touched, |delta, pair| {
        delta.take(pair, scope)
    })
    .await
}

/// Hands each unit's two sides to `take`, with the feed's delta; reads only. The deltas are in the order of their feeds, as
/// the rows are.
pub(crate) async fn compare_sides(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: &mut [FeedDelta],
    touched: impl Fn(&FeedDelta) -> Vec<i64>,
    take: impl FnMut(&mut FeedDelta, UnitSides) -> Result<()>,
) -> Result<()> {
    compare_up_to(conn, scope, deltas, usize::MAX, touched, take)
        .await
        .map(drop)
}

async fn compare_up_to(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: &mut [FeedDelta],
    bytes_max: usize,
    touched: impl Fn(&FeedDelta) -> Vec<i64>,
    mut take: impl FnMut(&mut FeedDelta, UnitSides) -> Result<()>,
) -> Result<usize> {
    let keys = Keys::of(deltas, touched);
    let mut rows = sqlx::query(include_str!("../../sql/plan/compare_units.sql"))
        .bind(&keys.touched_feeds)
        .bind(&keys.touched_units)
        .bind(&keys.owing_feeds)
        .bind(&keys.whole_feeds)
        .bind(&keys.whole_properties)
        .bind(owed_per_feed_max(&scope.receiver))
        .bind(!scope.shape.removals_are_sent())
        .bind(TEXT_BYTES_MAX)
        .bind(&scope.receiver.name)
        .fetch(conn);
    let (mut position, mut bytes_held) = (0, 0);
    let mut last = None;
    let mut rows_read: usize = 0;
    while let Some(row) = rows.try_next().await? {
        rows_read += 1;
        if rows_read.is_multiple_of(ROWS_PER_TURN) {
            yield_now().await;
        }
        let mut columns = Columns::of(&row);
        let (feed_id, unit_id): (i64, Option<i64>) = (columns.next()?, columns.next()?);
        let Some(unit_id) = unit_id else {
            bail!("rentsync.source_unit() gives a unit without an id (unit_id is null); what it joins has to have one");
        };
        if last.replace((feed_id, unit_id)) == Some((feed_id, unit_id)) {
            bail!("rentsync.source_unit() gives unit {unit_id} more than once; a joined table has several rows for it");
        }
        while deltas[position].feed.feed_id != feed_id {
            bytes_held += deltas[position].bytes_held();
            position += 1;
            if bytes_held > bytes_max {
                return Ok(position);
            }
        }
        let delta = &mut deltas[position];
        let pair = UnitSides::read(unit_id, columns, &delta.frame(scope))?;
        take(delta, pair)?;
    }
    Ok(deltas.len())
}

/// The unit ids to look at, as the statement wants them.
#[derive(Default)]
struct Keys {
    touched_feeds: Vec<i64>,
    touched_units: Vec<i64>,
    owing_feeds: Vec<i64>,
    whole_feeds: Vec<i64>,
    whole_properties: Vec<i64>,
}

impl Keys {
    fn of(deltas: &[FeedDelta], touched: impl Fn(&FeedDelta) -> Vec<i64>) -> Self {
        let mut keys = Self::default();
        for delta in deltas {
            let feed = &delta.feed;
            let units = touched(delta);
            if is_read_whole(delta, units.len()) {
                keys.whole_feeds.push(feed.feed_id);
                keys.whole_properties.push(feed.property_id);
                continue;
            }
            if delta.mode == Mode::Delta {
                keys.owing_feeds.push(feed.feed_id);
            }
            keys.touched_feeds
                .extend(std::iter::repeat_n(feed.feed_id, units.len()));
            keys.touched_units.extend(units);
        }
        keys
    }
}

/// Both sides are read as a whole: because all is compared, or because so many of its units were touched that looking each up costs
/// more. Of what is owed no more is read than a request holds, so that is looked up.
fn is_read_whole(delta: &FeedDelta, touched: usize) -> bool {
    let feed = &delta.feed;
    match delta.mode {
        Mode::Part => false,
        Mode::Delta if !feed.whole => feed.owed == 0 && touched as i64 * 2 >= MOST_OF.max(feed.units + feed.withheld),
        Mode::Delta | Mode::ResendAll | Mode::Snapshot => true,
    }
}

/// A receiver that knows units by their ids alone is sent one only when no other feed has it there. Asked before the
/// units are read, so that a snapshot knows what it withholds before it is split into parts.
async fn note_elsewhere(conn: &mut PgConnection, scope: &Scope, deltas: &mut [FeedDelta]) -> Result<()> {
    let keys = Keys::of(deltas, |delta| delta.feed.touched.clone());
    let held: Vec<(i64, i64, bool)> = sqlx::query_as(include_str!("../../sql/plan/elsewhere.sql"))
        .bind(&keys.touched_feeds)
        .bind(&keys.touched_units)
        .bind(&keys.owing_feeds)
        .bind(&keys.whole_feeds)
        .bind(&keys.whole_properties)
        .bind(owed_per_feed_max(&scope.receiver))
        .bind(&scope.receiver.name)
        .fetch_all(conn)
        .await?;
    let mut held_by: HashMap<i64, HashMap<i64, bool>> = HashMap::new();
    for (feed_id, unit_id, lives) in held {
        held_by.entry(feed_id).or_default().insert(unit_id, lives);
    }
    for delta in deltas {
        delta.elsewhere = held_by.remove(&delta.feed.feed_id).unwrap_or_default();
    }
    Ok(())
}

/// Where another unit carries a removed one's code, the removal names that unit instead.
pub(super) async fn name_carriers(conn: &mut PgConnection, scope: &Scope, deltas: &mut [FeedDelta]) -> Result<()> {
    let carriers = carriers(conn, scope, deltas).await?;
    for delta in deltas.iter_mut().filter(|delta| !delta.remove.is_empty()) {
        let removed: HashSet<i64> = delta.remove.iter().map(|removal| removal.unit_id).collect();
        let recoded: HashMap<i64, Option<&str>> = delta
            .upserts
            .iter()
            .map(|upsert| (upsert.unit.unit_id, upsert.unit.code.as_deref()))
            .collect();
        let upserted: HashMap<&str, i64> = recoded
            .iter()
            .filter_map(|(unit_id, code)| Some(((*code)?, *unit_id)))
            .collect();
        for removal in &mut delta.remove {
            let Some(code) = removal.unit_code.as_deref() else {
                continue;
            };
            let lives = |unit_id: &&i64| {
                !removed.contains(unit_id) && recoded.get(unit_id).is_none_or(|now| *now == Some(code))
            };
            let carrying = carriers.get(&(delta.feed.feed_id, code.to_owned()));
            let carrying = carrying.and_then(|units| units.iter().find(lives)).copied();
            removal.replaced_by = carrying.or_else(|| upserted.get(code).copied());
        }
    }
    Ok(())
}

async fn carriers(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: &[FeedDelta],
) -> Result<HashMap<(i64, String), Vec<i64>>> {
    let asked: Vec<_> = deltas
        .iter()
        .flat_map(|delta| delta.remove.iter().map(move |removal| (&delta.feed, removal)))
        .filter_map(|(feed, removal)| Some((feed.feed_id, feed.property_id, removal.unit_code.as_deref()?)))
        .collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let unit_codes = &scope.receiver.unit_codes;
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(include_str!("../../sql/plan/carriers.sql"))
        .bind(asked.iter().map(|(feed_id, ..)| *feed_id).collect::<Vec<_>>())
        .bind(asked.iter().map(|(_, property_id, _)| *property_id).collect::<Vec<_>>())
        .bind(asked.iter().map(|(.., code)| *code).collect::<Vec<_>>())
        .bind(&scope.receiver.name)
        .bind(&unit_codes.prefix)
        .fetch_all(conn)
        .await?;
    let mut carriers: HashMap<(i64, String), Vec<i64>> = HashMap::new();
    for (feed_id, code, unit_id) in rows {
        // A unit with a code of its own carries that one, whatever the source calls it.
        if unit_codes.map.get(&unit_id).is_none_or(|own| *own == code) {
            carriers.entry((feed_id, code)).or_default().push(unit_id);
        }
    }
    Ok(carriers)
}
