//! Holds: too many removals at once wait for a person, because a source that lost its rows looks like one whose units are
//! all gone.
//!
//! Decided over a whole batch, between reading both sides and putting together what is sealed. Guarantees: removals sealed for
//! the first time within 24 hours stay within `[guard]`, unless a person approved them; everything else of a feed goes on.
//! A hold's units are ledger rows; its own row is what a person is shown, under a number that changes when units join.

use std::collections::HashMap;

use anyhow::{Context, Result};
use sqlx::FromRow;

use super::ahead::{self, Ahead, Losing};
use super::feed_delta::FeedDelta;
use super::scope::{PlanTx, Scope};
use crate::alert::{self, Alert, Kind};
use crate::config::Limit;
use crate::delta::{LedgerRow, Withholding};
use crate::payload::RemovalReason;
use crate::states::Withheld;
use crate::words;

const OF_FEED: &str = "too many units of its property went at once; see `holds list`";
const OF_RECEIVER: &str = "too many units went at once from the receiver as a whole; see `holds list`";

/// Stands for the hold over the whole among feeds.
pub(super) const OVER_THE_WHOLE: i64 = -1;
/// No sooner is it said again that holds grew.
const SAID_EVERY_SECONDS: f64 = 5.0;
/// Of holds that need nobody any more, so many units are released by one statement.
pub(super) const CLEARED_MAX: i64 = 2_000;

/// A hold that was opened, or that units joined.
pub(crate) struct Grown {
    /// None: over the receiver as a whole.
    pub feed_id: Option<i64>,
    /// Removals that wait.
    pub units: i64,
    /// Of these, those that joined.
    pub joined: i64,
    /// Removals sealed within 24 hours.
    pub gone: i64,
    /// Units when those began.
    pub of_units: i64,
}

/// What was decided over a batch.
pub(super) struct Decided {
    /// Holds that removals joined.
    pub grown: Vec<Grown>,
    /// What was learnt of the rest of the source; none: nothing.
    pub ahead: Option<Ahead>,
}

/// Finds what has to wait, and notes it in each delta.
pub(super) async fn decide(tx: &mut PlanTx<'_>, deltas: &mut [FeedDelta]) -> Result<Decided> {
    let mut leaving: Vec<Leaving> = deltas.iter().map(Leaving::of).collect();
    let mut grown = Vec::new();
    if leaving.iter().any(|feed| !feed.own.is_empty()) {
        let standing = of_feeds(tx, &leaving).await?;
        for (feed, delta) in leaving.iter_mut().zip(deltas.iter()) {
            grown.extend(feed.hold(tx.scope, delta, &standing));
        }
    }
    let (guarded, ahead) = guard(tx, deltas, &mut leaving).await?;
    grown.extend(guarded);
    for (feed, delta) in leaving.into_iter().zip(deltas) {
        delta.held = feed.held;
    }
    Ok(Decided { grown, ahead })
}

/// One feed's removals that were never sealed nor approved.
struct Leaving {
    feed_id: i64,
    /// Deleted or moved.
    own: Vec<i64>,
    /// The whole property is no longer covered.
    uncovered: Vec<i64>,
    /// What waits already, and from now on.
    held: HashMap<i64, Withholding>,
    /// How many of these wait from now on.
    newly_held: i64,
}

impl Leaving {
    fn of(delta: &FeedDelta) -> Self {
        let mut leaving = Self {
            feed_id: delta.feed.feed_id,
            own: Vec::new(),
            uncovered: Vec::new(),
            held: HashMap::new(),
            newly_held: 0,
        };
        for (reason, row) in delta.leaving().filter(|(_, row)| row.is_removed_unasked()) {
            leaving.take(*reason, row);
        }
        leaving
    }

    /// What its own hold has is the receiver's to doubt once the whole property goes.
    fn take(&mut self, reason: RemovalReason, row: &LedgerRow) {
        let is_own = matches!(reason, RemovalReason::Deleted | RemovalReason::Moved);
        if row.is_withheld(Withheld::Guarded) || (is_own && row.is_withheld(Withheld::Held)) {
            self.held.extend(row.withheld.clone().map(|kept| (row.unit_id, kept)));
        } else if is_own {
            self.own.push(row.unit_id);
        } else {
            self.uncovered.push(row.unit_id);
        }
    }

    /// Holds the feed's own removals where they are too many.
    fn hold(&mut self, scope: &Scope, delta: &FeedDelta, standing: &HashMap<i64, RemovalCounts>) -> Option<Grown> {
        let standing = standing.get(&self.feed_id).filter(|_| !self.own.is_empty())?;
        let units = standing.waiting - delta.observed.back.held + count(&self.own);
        if !scope
            .receiver
            .guard
            .feed
            .is_exceeded_by(units + standing.gone, standing.of_units)
        {
            return None;
        }
        let own = std::mem::take(&mut self.own);
        let joined = count(&own);
        self.keep(own, Withheld::Held, OF_FEED);
        Some(standing.grown(units, joined))
    }

    fn guard(&mut self) {
        let all = [std::mem::take(&mut self.own), std::mem::take(&mut self.uncovered)].concat();
        self.keep(all, Withheld::Guarded, OF_RECEIVER);
    }

    fn keep(&mut self, units: Vec<i64>, kind: Withheld, because: &str) {
        let kept = Withholding {
            kind,
            because: because.to_owned(),
            hash: None,
        };
        self.newly_held += count(&units);
        self.held
            .extend(units.into_iter().map(|unit_id| (unit_id, kept.clone())));
    }

    /// What would be sealed now.
    fn news(&self) -> i64 {
        count(&self.own) + count(&self.uncovered)
    }
}

/// What a limit is compared with, beside the removals of this batch.
#[derive(FromRow)]
struct RemovalCounts {
    /// Of this feed; none: over the receiver as a whole.
    feed_id: Option<i64>,
    /// Removals that wait in feeds' own holds, where it is about the whole.
    #[sqlx(default)]
    held: i64,
    waiting: i64,
    gone: i64,
    of_units: i64,
}

impl RemovalCounts {
    fn grown(&self, units: i64, joined: i64) -> Grown {
        Grown {
            feed_id: self.feed_id,
            units,
            joined,
            gone: self.gone,
            of_units: self.of_units,
        }
    }
}

async fn of_feeds(tx: &mut PlanTx<'_>, leaving: &[Leaving]) -> Result<HashMap<i64, RemovalCounts>> {
    let asked = leaving.iter().filter(|feed| !feed.own.is_empty());
    let rows: Vec<RemovalCounts> = sqlx::query_as(include_str!("../../sql/hold/feeds.sql"))
        .bind(asked.map(|feed| feed.feed_id).collect::<Vec<_>>())
        .bind(tx.now)
        .fetch_all(&mut *tx.conn)
        .await?;
    let of_feed = |counts: RemovalCounts| Some((counts.feed_id?, counts));
    Ok(rows.into_iter().filter_map(of_feed).collect())
}

/// Holds whatever is left where too much of all that the receiver has is gone. What a feed's own hold keeps counts as well:
/// of a source that lost everything the small properties are no more to be believed than the large ones.
async fn guard(
    tx: &mut PlanTx<'_>,
    deltas: &[FeedDelta],
    leaving: &mut [Leaving],
) -> Result<(Option<Grown>, Option<Ahead>)> {
    let news: i64 = leaving.iter().map(Leaving::news).sum();
    let limit = tx.scope.receiver.guard.receiver;
    if news == 0 || limit.is_off() {
        return Ok((None, None));
    }
    let standing: RemovalCounts = sqlx::query_as(include_str!("../../sql/hold/receiver.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(tx.now)
        .fetch_one(&mut *tx.conn)
        .await?;
    let (gone, of_units) = (standing.gone, standing.of_units);
    let back = |of: fn(&FeedDelta) -> i64| deltas.iter().map(of).sum::<i64>();
    let units = standing.waiting - back(|delta| delta.observed.back.guarded) + news;
    let held = standing.held - back(|delta| delta.observed.back.held)
        + leaving.iter().map(|feed| feed.newly_held).sum::<i64>();
    let removed = units + held + gone;
    let mut exceeded = limit.is_exceeded_by(removed, of_units);
    let mut ahead = None;
    if !exceeded && may_be_the_beginning(leaving, removed - gone, limit) {
        let losing = Losing {
            feeds: &leaving.iter().map(|feed| feed.feed_id).collect::<Vec<_>>(),
            units: removed - gone,
            enough: limit.exceeded_from(of_units) - removed,
        };
        let (enough, learnt) = ahead::is_enough(tx, &losing).await?;
        (exceeded, ahead) = (enough, Some(learnt));
    }
    if !exceeded {
        return Ok((None, ahead));
    }
    leaving.iter_mut().for_each(Leaving::guard);
    Ok((Some(standing.grown(units, news)), ahead))
}

/// Several properties that lose units at once, or one that loses many: worth a look at all the others.
fn may_be_the_beginning(leaving: &[Leaving], removed: i64, limit: Limit) -> bool {
    let losing = leaving.iter().filter(|feed| feed.news() + feed.newly_held > 0);
    losing.count() > 1 || removed >= limit.units_min
}

/// Writes what grew, and says so.
pub(super) async fn grow(tx: &mut PlanTx<'_>, grown: &[Grown]) -> Result<()> {
    if grown.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Grown) -> i64| grown.iter().map(of).collect::<Vec<_>>();
    sqlx::query(include_str!("../../sql/hold/grow.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(grown.iter().map(|hold| hold.feed_id).collect::<Vec<_>>())
        .bind(column(|hold| hold.units))
        .bind(column(|hold| hold.gone))
        .bind(column(|hold| hold.of_units))
        .bind(tx.now)
        .execute(&mut *tx.conn)
        .await
        .context("writing holds")?;
    say(tx).await
}

/// What waits for a person, in numbers.
#[derive(FromRow)]
struct OpenHolds {
    holds: i64,
    units: i64,
    properties: i64,
    of_units: i64,
}

/// Raises an alert of what waits, where a hold grew since that was said last: at once the first time, then with a sweep at the
/// earliest, because the numbers are of all feeds.
pub(super) async fn say(tx: &mut PlanTx<'_>) -> Result<()> {
    let is_news: bool = sqlx::query_scalar(include_str!("../../sql/hold/is_news.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(tx.now)
        .bind(SAID_EVERY_SECONDS)
        .fetch_one(&mut *tx.conn)
        .await?;
    if !is_news {
        return Ok(());
    }
    let OpenHolds {
        holds,
        units,
        properties,
        of_units,
    } = sqlx::query_as(include_str!("../../sql/hold/numbers.sql"))
        .bind(&tx.scope.receiver.name)
        .fetch_one(&mut *tx.conn)
        .await?;
    let alert = Alert {
        kind: Kind::Hold,
        receiver: tx.scope.receiver.name.clone(),
        property_id: None,
        message: format!(
            "{units} removals wait for a person, of {} with {of_units} units: too many within 24 hours to be sent \
             unasked. See `holds list`, then `holds approve ID` to remove them at the receiver or `holds reject ID` to keep \
             them there; a hold clears itself when the units come back ({holds} open)",
            words::count(properties, "property", "properties")
        ),
    };
    alert::raise(tx.conn, &alert, tx.now).await
}

/// Closes those of these feeds' holds that need nobody any more, and the one over the whole. Says how many of their units are
/// released now: where that are as many as at most, more may be left.
pub(super) async fn clear(tx: &mut PlanTx<'_>, feeds: &[i64]) -> Result<i64> {
    let guard = &tx.scope.receiver.guard;
    let (units, any_open): (i64, bool) = sqlx::query_as(include_str!("../../sql/hold/clear.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(tx.now)
        .bind(guard.feed.units_min)
        .bind(guard.feed.percent_max)
        .bind(guard.receiver.units_min)
        .bind(guard.receiver.percent_max)
        .bind(feeds)
        .bind(CLEARED_MAX)
        .bind(ahead::BELIEVED_SECONDS)
        .fetch_one(&mut *tx.conn)
        .await
        .context("clearing holds")?;
    if !any_open {
        alert::resolve(tx.conn, &tx.scope.receiver.name, &[Kind::Hold], tx.now).await?;
    }
    Ok(units)
}

/// Puts together what the batch counted.
pub(super) async fn gather(tx: &mut PlanTx<'_>, feeds: &[i64]) -> Result<()> {
    sqlx::query(include_str!("../../sql/hold/gather.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(feeds)
        .execute(&mut *tx.conn)
        .await
        .context("counting what is withheld")?;
    Ok(())
}

fn count(units: &[i64]) -> i64 {
    i64::try_from(units.len()).unwrap_or(i64::MAX)
}
