//! Which units of a rejected sync are bad.
//!
//! Units that the answer names are refused. Where it names none, several properties are told again in two halves, then one
//! property's units are, each half by itself, until the bad ones stand alone: O(log n) requests for one bad unit, and
//! whatever else the property has to tell goes before them. What stood alone is judged when none is left. Where every unit turns out
//! bad none is: then it is the property, if the receiver takes others, and else nothing is blamed but the receiver. What failed and was
//! not rejected (5xx, no answer, a page) is set apart the same way.
//!
//! No judgement is final. What is refused is tried again by itself: a unit less and less often (`policy::pauses`), a property as a
//! receiver is that is paused. A unit that was refused before and is rejected by itself is refused again without a search.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::alerts::{Finding, Found};
use super::doubt::doubt_sync;
use super::lease::{Leased, LeasedFeed};
use super::verdict::Verdict;
use crate::config::Receiver;
use crate::policy::{self, Decision};

/// Requests of one search in a row that are not taken, after which it rests. One bad unit of a hundred thousand is found with fewer,
/// whichever it is.
const SEARCH_MAX: i32 = 20;

/// Rests after which a search goes on with one request a rest.
const RESTS_MAX: i32 = 5;

/// The receiver does not take what its answer names of this feed. Says which units; an answer may name others as well.
pub(super) async fn refuse_named(
    conn: &mut PgConnection,
    (receiver, verdict): (&Receiver, &Verdict),
    feed: &LeasedFeed,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let errors = &verdict.outcome.tried.said.errors;
    let named = errors
        .iter()
        .filter(|error| error.project_id.as_ref().is_none_or(|id| *id == feed.external_id));
    let units: Vec<i64> = named.map(|error| error.unit_id).collect();
    refuse(
        conn,
        (receiver, verdict),
        feed,
        (&units, &verdict.refusal()),
        found,
        now,
    )
    .await
}

async fn refuse(
    conn: &mut PgConnection,
    (receiver, verdict): (&Receiver, &Verdict),
    feed: &LeasedFeed,
    (units, because): (&[i64], &str),
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let refused: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/refuse_units.sql"))
        .bind(feed.feed_id)
        .bind(verdict.outcome.leased.sequence)
        .bind(units)
        .bind(because)
        .bind(now)
        .bind(pauses(receiver))
        .fetch_all(conn)
        .await?;
    if !refused.is_empty() {
        found.push(Found::of(feed.property_id, Finding::Refused(refused)));
    }
    Ok(())
}

/// In seconds, as the statements take them.
fn pauses(receiver: &Receiver) -> Vec<f64> {
    policy::pauses(&receiver.retry)
        .iter()
        .map(std::time::Duration::as_secs_f64)
        .collect()
}

/// Which of the units is it? Says how many feeds there are whose search begins.
pub(super) async fn find_the_bad(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    // Deltas of all units can be halved, a snapshot can't.
    doubt_sync(conn, leased, None, now).await?;
    let is_one = leased.feeds.len() == 1 && !leased.is_snapshot;
    let (mut begun, mut is_named) = (0, false);
    for feed in &leased.feeds {
        let told = told_units(conn, feed, leased).await?;
        let named = named_of(&told, verdict);
        is_named |= named > 0;
        if told.len() > 1 && named == told.len() {
            begun += find_in(conn, (receiver, verdict), (feed, &told, true), found, now).await?;
        } else if named > 0 {
            refuse_named(conn, (receiver, verdict), feed, found, now).await?;
        } else if is_one && (!told.is_empty() || leased.entries == 0) {
            begun += find_in(conn, (receiver, verdict), (feed, &told, told.len() <= 1), found, now).await?;
        }
        // Else what it told was told since, by a sync that overtook it.
    }
    if !is_named && !is_one && !leased.is_snapshot {
        bisect_feeds(conn, &leased.feed_ids(), leased.sequence).await?;
    }
    Ok(begun)
}

/// How many of the units the answer names.
fn named_of(told: &[i64], verdict: &Verdict) -> usize {
    let errors = verdict.outcome.tried.said.errors.iter();
    let named: HashSet<i64> = errors.map(|error| error.unit_id).collect();
    told.iter().filter(|unit_id| named.contains(unit_id)).count()
}

/// The feeds are told apart, half of them and the other half.
pub(super) async fn bisect_feeds(conn: &mut PgConnection, feeds: &[i64], sequence: i64) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_feeds.sql"))
        .bind(feeds)
        .bind(sequence)
        .execute(conn)
        .await?;
    Ok(())
}

/// One step of a feed's search, which begins with it if there is none: what was told stands alone (`is_alone`), or is halved. Says
/// whether it begins and the property was taken last: until anything is taken that counts as a failure, or else a receiver that
/// rejects everything is searched for bad units of every property.
async fn find_in(
    conn: &mut PgConnection,
    (receiver, verdict): (&Receiver, &Verdict),
    (feed, told, is_alone): (&LeasedFeed, &[i64], bool),
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    let before = search(conn, receiver, verdict, feed).await?;
    let because = format!("{} when told alone", verdict.refusal());
    if before.was_refused && told.len() == 1 {
        refuse(conn, (receiver, verdict), feed, (told, &because), found, now).await?;
    } else if is_alone {
        // Of a property that was never taken nothing says that it is the unit: that is asked of what else there is to tell.
        if told.len() == 1 && !before.is_on && !before.was_taken {
            bisect_remainder(conn, feed, leased).await?;
        }
        stand_alone(conn, (leased, feed), (told, &because), now).await?;
    } else {
        bisect_units(conn, feed, leased).await?;
    }
    let search = search(conn, receiver, verdict, feed).await?;
    if !search.is_on {
        return Ok(0);
    }
    follow(conn, (receiver, verdict, feed), &search, found, now).await?;
    Ok(usize::from(!before.is_on && before.failures == 0))
}

/// What follows from how a search stands.
async fn follow(
    conn: &mut PgConnection,
    (receiver, verdict, feed): (&Receiver, &Verdict, &LeasedFeed),
    search: &Search,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let (is_slow, failed) = (verdict.is_slow_to_search(), verdict.decision == Decision::Exhausted);
    match search.judge(is_slow, failed) {
        Judgement::GoOn => Ok(()),
        Judgement::Over => refuse_alone(conn, receiver, feed, found, now).await,
        // The search stays on: what the receiver takes from now on shows that it takes others.
        Judgement::NothingIsTaken => {
            rest(conn, feed, true, search.is_left && !is_slow).await?;
            cool_down(conn, &[feed.feed_id], "exhausted", receiver.retry.longest(), now).await
        }
        Judgement::PropertyFails => {
            rest(conn, feed, search.is_left, search.is_left && !is_slow).await?;
            let pause = policy::rest_after(
                u32::try_from(search.failures)?,
                &receiver.retry,
                receiver.breaker.probe_every,
            );
            fail(conn, (verdict, feed), pause, found, now).await
        }
    }
}

/// How a feed's search for bad units stands: a row of `sql/deliver/search.sql`.
#[derive(FromRow)]
pub(super) struct Search {
    is_on: bool,
    is_left: bool,
    /// Some of the property was taken since it began.
    pub accepted: bool,
    takes_others: bool,
    searched: i32,
    alone: i64,
    was_taken: bool,
    failures: i32,
    /// Something that was told was refused before.
    pub was_refused: bool,
}

/// What follows from how a search stands.
enum Judgement {
    /// Some is left to look in.
    GoOn,
    /// It is what stood alone.
    Over,
    /// The receiver takes nothing at all: what is left to look in waits until it takes anything.
    NothingIsTaken,
    /// The receiver takes others, and nothing of this property.
    PropertyFails,
}

impl Search {
    /// One unit that was all there was to tell says nothing about a property that was taken before, unless it `failed` and was not
    /// rejected: that may have been an outage, so it is given a second sync.
    fn judge(&self, is_slow: bool, failed: bool) -> Judgement {
        let is_one = self.alone == 1 && self.was_taken && (!failed || self.failures > 0);
        // What failed before is looked into again, in one request a rest where that says nothing, or has said nothing for long.
        let budget = match self.failures {
            0 => SEARCH_MAX,
            1..RESTS_MAX if !is_slow => SEARCH_MAX,
            _ => 1,
        };
        match self.is_left {
            true if self.accepted || self.searched < budget => Judgement::GoOn,
            false if self.accepted || self.alone == 0 || is_one => Judgement::Over,
            _ if self.takes_others || self.failures > 0 => Judgement::PropertyFails,
            _ => Judgement::NothingIsTaken,
        }
    }
}

/// How the search for bad units of a feed that this sync told stands.
pub(super) async fn search(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    feed: &LeasedFeed,
) -> Result<Search> {
    Ok(sqlx::query_as(include_str!("../../sql/deliver/search.sql"))
        .bind(&receiver.name)
        .bind(feed.feed_id)
        .bind(verdict.outcome.leased.sequence)
        .bind(verdict.is_about_the_property())
        .fetch_one(conn)
        .await?)
}

async fn stand_alone(
    conn: &mut PgConnection,
    (leased, feed): (&Leased, &LeasedFeed),
    (told, because): (&[i64], &str),
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/stand_alone.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .bind(told)
        .bind(because)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Where some of a property was taken and nothing is left to look in, what stood alone is refused.
pub(super) async fn end_search(
    conn: &mut PgConnection,
    (receiver, verdict): (&Receiver, &Verdict),
    feed: &LeasedFeed,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    match search(conn, receiver, verdict, feed).await?.is_left {
        true => Ok(()),
        false => refuse_alone(conn, receiver, feed, found, now).await,
    }
}

async fn refuse_alone(
    conn: &mut PgConnection,
    receiver: &Receiver,
    feed: &LeasedFeed,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let refused: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/refuse_alone.sql"))
        .bind(feed.feed_id)
        .bind(now)
        .bind(pauses(receiver))
        .fetch_all(conn)
        .await?;
    if !refused.is_empty() {
        found.push(Found::of(feed.property_id, Finding::Refused(refused)));
    }
    Ok(())
}

/// Nothing was taken: the search rests or is over, and what stood alone was not shown to be bad.
async fn rest(conn: &mut PgConnection, feed: &LeasedFeed, goes_on: bool, keeps_alone: bool) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/rest_search.sql"))
        .bind(feed.feed_id)
        .bind(goes_on)
        .bind(keeps_alone)
        .execute(conn)
        .await?;
    Ok(())
}

/// It is the property and not a unit: it rests, and is told by itself, so that it costs a batch nothing.
async fn fail(
    conn: &mut PgConnection,
    (verdict, feed): (&Verdict, &LeasedFeed),
    rests: Duration,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/fail_feed.sql"))
        .bind(feed.feed_id)
        .bind(now)
        .bind(rests.as_secs_f64())
        .execute(&mut *conn)
        .await?;
    bisect_feeds(conn, &[feed.feed_id], verdict.outcome.leased.sequence).await?;
    found.push(Found::of(feed.property_id, Finding::property_fails(verdict, rests)));
    Ok(())
}

async fn told_units(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/told_units.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .fetch_all(conn)
        .await?)
}

async fn bisect_remainder(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_remainder.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(())
}

async fn bisect_units(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_units.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(())
}

/// Nobody knows whether it is the receiver or something in this sync: told again in halves, and nothing is blamed. If it was
/// the receiver that costs a request; if one unit brings it down, the others don't wait for that unit.
pub(super) async fn set_apart(conn: &mut PgConnection, leased: &Leased) -> Result<()> {
    match leased.feeds.as_slice() {
        _ if leased.is_snapshot => Ok(()),
        [feed] if leased.entries > 0 => bisect_units(conn, feed, leased).await,
        [_] => Ok(()),
        _ => bisect_feeds(conn, &leased.feed_ids(), leased.sequence).await,
    }
}

/// Nothing is planned for the feeds for a while.
pub(super) async fn cool_down(
    conn: &mut PgConnection,
    feeds: &[i64],
    because: &str,
    step: Duration,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/cool_down_feeds.sql"))
        .bind(now)
        .bind(feeds)
        .bind(because)
        .bind(step.as_secs_f64())
        .execute(conn)
        .await?;
    Ok(())
}
