//! Which units of a rejected sync are bad.
//!
//! Units that the answer names are refused. Where it names none, several properties are sent again in two halves, then one
//! property's units are, each half by itself, until the bad ones stand alone: O(log n) requests for one bad unit, and
//! whatever else of the property is to be sent goes before them. What stood alone is judged when none is left. Where every unit turns out
//! bad none is: then it is the property, if the receiver accepts others, and else nothing is blamed but the receiver. What failed and was
//! not rejected (5xx, no answer, a page) is set apart the same way.
//!
//! No judgement is final. What is refused is tried again by itself: a unit less and less often (`policy::pauses`), a property as a
//! receiver is that is paused. A unit that was refused before and is rejected by itself is refused again without a search.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::alerts::Finding;
use super::bisect::{bisect_feeds, bisect_remainder, bisect_units, cool_down};
use super::decided_try::DecidedTry;
use super::doubt::doubt_sync;
use super::lease::{Leased, LeasedFeed};
use super::refuse::{refuse, refuse_alone, refuse_named};
use super::settling::Settling;
use crate::policy::{self, Decision};

/// Requests of one search in a row that are not acknowledged, after which it rests. One bad unit of a hundred thousand is found with fewer,
/// whichever it is.
const SEARCH_MAX: i32 = 20;

/// Rests after which a search goes on with one request a rest.
const RESTS_MAX: i32 = 5;

/// Which of the units is it? Says how many searches begin, that among several properties included.
pub(super) async fn find_the_bad(settling: &mut Settling<'_>, decided: &DecidedTry) -> Result<usize> {
    let leased = &decided.outcome.leased;
    // Deltas of all units can be halved, a snapshot can't.
    doubt_sync(settling, leased, None).await?;
    let is_one = leased.feeds.len() == 1 && !leased.is_snapshot;
    let (mut begun, mut is_named) = (0, false);
    for feed in &leased.feeds {
        let units = units_of_sync(settling.conn, feed, leased).await?;
        let named = named_of(&units, decided);
        is_named |= named > 0;
        if units.len() > 1 && named == units.len() {
            begun += find_in(settling, decided, feed, (&units, true)).await?;
        } else if named > 0 {
            refuse_named(settling, decided, feed).await?;
        } else if is_one && (!units.is_empty() || leased.entries == 0) {
            begun += find_in(settling, decided, feed, (&units, units.len() <= 1)).await?;
        }
        // Else what it carried was sealed since, in a sync that overtook it.
    }
    if !is_named && !is_one && !leased.is_snapshot {
        bisect_feeds(settling.conn, &leased.feed_ids(), leased.sequence).await?;
        begun += 1;
    }
    Ok(begun)
}

/// Without those that a later sync carries.
async fn units_of_sync(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/units_of_sync.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .fetch_all(conn)
        .await?)
}

/// How many of the units the answer names.
fn named_of(units: &[i64], decided: &DecidedTry) -> usize {
    let errors = decided.outcome.tried.said.errors.iter();
    let named: HashSet<i64> = errors.map(|error| error.unit_id).collect();
    units.iter().filter(|unit_id| named.contains(unit_id)).count()
}

/// One step of a feed's search, which begins with it if there is none: what was sent stands alone (`is_alone`), or is halved. Says
/// whether it begins and the property was acknowledged last: until anything is, that counts as a failure, or else a receiver that
/// rejects everything is searched for bad units of every property.
async fn find_in(
    settling: &mut Settling<'_>,
    decided: &DecidedTry,
    feed: &LeasedFeed,
    (units, is_alone): (&[i64], bool),
) -> Result<usize> {
    let leased = &decided.outcome.leased;
    let before = search(settling, decided, feed).await?;
    let because = format!("{} when sent alone", decided.refusal());
    let is_known = before.was_refused && units.len() == 1;
    if is_known {
        refuse(settling, decided, feed, (units, &because)).await?;
    } else if is_alone {
        // Of a property that was never acknowledged nothing says that it is the unit: what else there is to send shows that.
        if units.len() == 1 && !before.is_on && !before.was_acknowledged {
            bisect_remainder(settling.conn, feed, leased).await?;
        }
        stand_alone(settling, (leased, feed), (units, &because)).await?;
    } else {
        bisect_units(settling.conn, feed, leased).await?;
    }
    let search = search(settling, decided, feed).await?;
    if !search.is_on {
        return Ok(0);
    }
    if is_known && !search.is_left && search.alone == 0 {
        rest(settling.conn, feed, (false, false)).await?;
        return Ok(0);
    }
    follow(settling, decided, feed, &search).await?;
    Ok(usize::from(!before.is_on && before.failures == 0))
}

/// What follows from how a search stands.
async fn follow(settling: &mut Settling<'_>, decided: &DecidedTry, feed: &LeasedFeed, search: &Search) -> Result<()> {
    let (is_slow, failed) = (decided.is_slow_to_search(), decided.decision == Decision::Exhausted);
    let keeps_alone = search.is_left && !is_slow;
    let (retry, probe_every) = (&settling.receiver.retry, settling.receiver.breaker.probe_every);
    match search.judge(is_slow, failed) {
        Judgement::GoOn => Ok(()),
        Judgement::Over => refuse_alone(settling, feed).await,
        // The search stays on: what the receiver acknowledges from now on shows that it accepts others.
        Judgement::NothingIsAcknowledged => {
            rest(settling.conn, feed, (true, keeps_alone)).await?;
            cool_down(settling, &[feed.feed_id], "exhausted", retry.longest()).await
        }
        Judgement::PropertyFails => {
            let pause = policy::rest_after(u32::try_from(search.failures)?, retry, probe_every);
            rest(settling.conn, feed, (search.is_left, keeps_alone)).await?;
            fail(settling, decided, feed, pause).await
        }
    }
}

/// How a feed's search for bad units stands: a row of `sql/deliver/search.sql`.
#[derive(FromRow)]
pub(super) struct Search {
    is_on: bool,
    is_left: bool,
    /// Some of the property was acknowledged since it began.
    pub accepted: bool,
    accepts_others: bool,
    searched: i32,
    alone: i64,
    was_acknowledged: bool,
    failures: i32,
    /// Something that was sent was refused before.
    pub was_refused: bool,
}

/// What follows from how a search stands.
enum Judgement {
    /// Some is left to look in.
    GoOn,
    /// It is what stood alone.
    Over,
    /// The receiver acknowledges nothing at all: what is left to look in waits until it acknowledges anything.
    NothingIsAcknowledged,
    /// The receiver accepts others, and nothing of this property.
    PropertyFails,
}

impl Search {
    /// One unit that was all there was to send says nothing about a property that was acknowledged before, unless it `failed` and was not
    /// rejected: that may have been an outage, so it is given a second sync.
    fn judge(&self, is_slow: bool, failed: bool) -> Judgement {
        let is_one = self.alone == 1 && self.was_acknowledged && (!failed || self.failures > 0);
        // What failed before is looked into again, in one request a rest where that says nothing, or has said nothing for long.
        let budget = match self.failures {
            0 => SEARCH_MAX,
            1..RESTS_MAX if !is_slow => SEARCH_MAX,
            _ => 1,
        };
        match self.is_left {
            true if self.accepted || self.searched < budget => Judgement::GoOn,
            false if self.alone > 0 && self.accepted || is_one => Judgement::Over,
            _ if self.accepts_others || self.failures > 0 => Judgement::PropertyFails,
            _ => Judgement::NothingIsAcknowledged,
        }
    }
}

/// How the search for bad units of a feed stands, which this sync is about.
pub(super) async fn search(settling: &mut Settling<'_>, decided: &DecidedTry, feed: &LeasedFeed) -> Result<Search> {
    Ok(sqlx::query_as(include_str!("../../sql/deliver/search.sql"))
        .bind(&settling.receiver.name)
        .bind(feed.feed_id)
        .bind(decided.outcome.leased.sequence)
        .bind(decided.is_about_the_property())
        .fetch_one(&mut *settling.conn)
        .await?)
}

async fn stand_alone(
    settling: &mut Settling<'_>,
    (leased, feed): (&Leased, &LeasedFeed),
    (units, because): (&[i64], &str),
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/stand_alone.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .bind(units)
        .bind(because)
        .bind(settling.now)
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

/// Some of a property was acknowledged: what stood alone is refused, where nothing is left to look in.
pub(super) async fn end_search(settling: &mut Settling<'_>, decided: &DecidedTry, feed: &LeasedFeed) -> Result<()> {
    match search(settling, decided, feed).await?.is_left {
        true => Ok(()),
        false => refuse_alone(settling, feed).await,
    }
}

/// Nothing was acknowledged: the search rests or is over. What stood alone is owed again, unless it is kept apart until the rest was looked
/// at.
async fn rest(conn: &mut PgConnection, feed: &LeasedFeed, (goes_on, keeps_alone): (bool, bool)) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/rest_search.sql"))
        .bind(feed.feed_id)
        .bind(goes_on)
        .bind(keeps_alone)
        .execute(conn)
        .await?;
    Ok(())
}

/// It is the property and not a unit: it rests, and is sent by itself, so that it costs a batch nothing.
async fn fail(settling: &mut Settling<'_>, decided: &DecidedTry, feed: &LeasedFeed, rests: Duration) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/fail_feed.sql"))
        .bind(feed.feed_id)
        .bind(settling.now)
        .bind(rests.as_secs_f64())
        .execute(&mut *settling.conn)
        .await?;
    bisect_feeds(settling.conn, &[feed.feed_id], decided.outcome.leased.sequence).await?;
    settling.find(feed, Finding::property_fails(decided, rests));
    Ok(())
}
