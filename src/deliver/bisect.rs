//! Which units of a rejected sync are bad.
//!
//! Units that the answer names are refused. Where it names none, several properties are told again in two halves, then one
//! property's units are, each half by itself, until the bad ones stand alone: O(log n) requests for one bad unit, and
//! whatever else the property has to tell goes before them. What stood alone is judged when none is left, and is bad only where an
//! acknowledgement lies between two rejections of it (`convict.sql`): else it is sent once more. Where every unit turns out bad none
//! is: then it is the property, if the receiver takes others, and else nothing is blamed but the receiver. What failed and was not
//! rejected (5xx, no answer, a page) is set apart the same way, and tried again for ever.

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
use crate::policy::Decision;
use crate::receiver::UnitError;

/// Requests of one search without any acceptance, after which it is asked whether anything is taken at all. One bad unit of a
/// hundred thousand is found with fewer, whichever it is.
const SEARCH_MAX: i64 = 20;

/// The receiver does not take these units of this sync. Says which; an answer may name others as well.
pub(super) async fn refuse(
    conn: &mut PgConnection,
    leased: &Leased,
    feed: &LeasedFeed,
    (errors, because): (&[UnitError], &str),
    now: Option<DateTime<Utc>>,
) -> Result<Vec<i64>> {
    let units: Vec<i64> = errors
        .iter()
        .filter(|error| error.project_id.as_ref().is_none_or(|id| *id == feed.external_id))
        .map(|error| error.unit_id)
        .collect();
    if units.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/refuse_units.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .bind(units)
        .bind(because)
        .bind(now)
        .fetch_all(conn)
        .await?)
}

/// Which of the units is it? Says how many feeds there are whose search begins, or of which the receiver takes nothing at all.
pub(super) async fn find_the_bad(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let (leased, errors) = (&verdict.outcome.leased, &verdict.outcome.tried.said.errors);
    // Deltas of all units can be halved, a snapshot can't.
    doubt_sync(conn, leased, None, now).await?;
    let mut failures = 0;
    let mut named = 0;
    for feed in &leased.feeds {
        let told = told_units(conn, feed, leased).await?;
        let all: HashSet<i64> = told.iter().copied().collect();
        let known = |error: &&UnitError| all.contains(&error.unit_id);
        let errors: Vec<UnitError> = errors.iter().filter(known).cloned().collect();
        let naming: HashSet<i64> = errors.iter().map(|error| error.unit_id).collect();
        named += naming.len();
        if told.len() > 1 && naming.len() == told.len() {
            failures += find_in(conn, receiver, verdict, (feed, &told, true), found, now).await?;
        } else if !naming.is_empty() {
            let refused = refuse(conn, leased, feed, (&errors, &verdict.refusal()), now).await?;
            found.push(Found::of(feed.property_id, Finding::Refused(refused)));
        }
    }
    if named > 0 || leased.is_snapshot {
        return Ok(failures);
    }
    match leased.feeds.as_slice() {
        [feed] => {
            let told = told_units(conn, feed, leased).await?;
            match told.as_slice() {
                // Sent again by command, and overtaken: what it told was told since, and nothing is left to look for.
                [] if leased.entries > 0 => Ok(0),
                told => find_in(conn, receiver, verdict, (feed, told, told.len() <= 1), found, now).await,
            }
        }
        _ => {
            bisect_feeds(conn, &leased.feed_ids(), leased.sequence).await?;
            Ok(0)
        }
    }
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

/// One step of a feed's search, which begins with it if there is none: what was told stands alone (`is_alone`), or is halved.
async fn find_in(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    (feed, told, is_alone): (&LeasedFeed, &[i64], bool),
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    let is_unknown = verdict.outcome.tried.answer.may_be_about_one_property();
    let before = search(conn, receiver, (leased, feed), is_unknown).await?;
    if is_alone {
        // Of a property that was never taken nothing says that it is the unit: that is asked of what else there is to tell.
        if told.len() == 1 && !before.is_on() && !before.was_taken {
            bisect_remainder(conn, feed, leased).await?;
        }
        let because = format!("{} when told alone", verdict.refusal());
        sqlx::query(include_str!("../../sql/deliver/stand_alone.sql"))
            .bind(feed.feed_id)
            .bind(leased.sequence)
            .bind(told)
            .bind(because)
            .bind(now)
            .execute(&mut *conn)
            .await?;
    } else {
        bisect_units(conn, feed, leased).await?;
    }
    let search = search(conn, receiver, (leased, feed), is_unknown).await?;
    // What failed, and was not rejected, never shows that it is the content: that may pass.
    let judgement = search.judge(is_unknown || verdict.decision == Decision::Exhausted);
    let is_whole = matches!(judgement, Judgement::Whole);
    follow(conn, (receiver, verdict, feed), (search, judgement), found, now).await?;
    // What begins a search counts as a failure until anything is taken: else a receiver that rejects everything is searched for
    // bad units of every property.
    Ok(usize::from(!before.is_on() || is_whole))
}

/// What follows from how a search stands.
async fn follow(
    conn: &mut PgConnection,
    (receiver, verdict, feed): (&Receiver, &Verdict, &LeasedFeed),
    (search, judgement): (Search, Judgement),
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let step = receiver.retry.longest();
    match judgement {
        Judgement::GoOn => Ok(()),
        Judgement::Alone => {
            let (proved, unproved): (Vec<i64>, Vec<i64>) = convict(conn, feed).await?;
            if !proved.is_empty() {
                found.push(Found::of(feed.property_id, Finding::Refused(proved)));
            }
            if !unproved.is_empty() {
                found.push(Found::of(feed.property_id, Finding::Unproved(unproved)));
            }
            Ok(())
        }
        // What is left to be searched stays so, and goes on where it stopped once the receiver takes anything.
        Judgement::NothingIsTaken => {
            acquit(conn, feed, true).await?;
            cool_down(conn, &[feed.feed_id], "exhausted", step, now).await
        }
        Judgement::Unknown => {
            acquit(conn, feed, search.is_left).await?;
            sqlx::query(include_str!("../../sql/deliver/fail_feed.sql"))
                .bind(feed.feed_id)
                .execute(&mut *conn)
                .await?;
            fails(conn, verdict, (feed, step), found, now).await
        }
        Judgement::Whole => {
            acquit(conn, feed, false).await?;
            pause(conn, feed, found).await
        }
    }
}

/// How a feed's search for bad units stands: a row of `sql/deliver/search.sql`.
#[derive(FromRow)]
pub(super) struct Search {
    bisected_sync: Option<i64>,
    is_left: bool,
    /// Some of the property was taken since it began.
    pub accepted: bool,
    takes_others: bool,
    is_long: bool,
    alone: Vec<i64>,
    was_taken: bool,
}

/// What follows from how a search stands.
enum Judgement {
    /// Bisected are left, and may be told.
    GoOn,
    /// It is what stood alone, as far as that is proved.
    Alone,
    /// The receiver takes nothing at all.
    NothingIsTaken,
    /// The receiver takes others, and answers as if it did not know this property.
    Unknown,
    /// The receiver takes others, and nothing of this property.
    Whole,
}

impl Search {
    /// There is one.
    pub fn is_on(&self) -> bool {
        self.bisected_sync.is_some()
    }

    /// One unit that was all there was to tell says nothing about a property that was taken before; nor do many of a receiver
    /// that takes nothing else.
    fn judge(&self, is_unknown: bool) -> Judgement {
        let is_one = self.alone.len() == 1 && self.was_taken;
        match (self.accepted, self.takes_others) {
            (false, true) if self.is_left && self.is_long && is_unknown => Judgement::Unknown,
            (false, false) if self.is_left && self.is_long => Judgement::NothingIsTaken,
            _ if self.is_left => Judgement::GoOn,
            (true, _) => Judgement::Alone,
            _ if is_one => Judgement::Alone,
            (_, true) if is_unknown => Judgement::Unknown,
            (_, true) => Judgement::Whole,
            (_, false) => Judgement::NothingIsTaken,
        }
    }
}

/// How a feed's search stands, up to this sync; `is_unknown`: which was answered as one of a property that the receiver does not know.
pub(super) async fn search(
    conn: &mut PgConnection,
    receiver: &Receiver,
    (leased, feed): (&Leased, &LeasedFeed),
    is_unknown: bool,
) -> Result<Search> {
    Ok(sqlx::query_as(include_str!("../../sql/deliver/search.sql"))
        .bind(&receiver.name)
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .bind(SEARCH_MAX)
        .bind(is_unknown)
        .fetch_one(conn)
        .await?)
}

/// Judges what stood alone, where nothing is left to look in. Says which units are shown to be bad, and which are not.
pub(super) async fn convict(conn: &mut PgConnection, feed: &LeasedFeed) -> Result<(Vec<i64>, Vec<i64>)> {
    let mut judged: Vec<(i64, bool)> = sqlx::query_as(include_str!("../../sql/deliver/convict.sql"))
        .bind(feed.feed_id)
        .fetch_all(conn)
        .await?;
    judged.sort_unstable();
    let (proved, unproved): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(_, proved)| *proved);
    let ids = |units: Vec<(i64, bool)>| units.into_iter().map(|(unit_id, _)| unit_id).collect();
    Ok((ids(proved), ids(unproved)))
}

/// What stood alone was not shown to be bad; the search goes on, or is over.
async fn acquit(conn: &mut PgConnection, feed: &LeasedFeed, goes_on: bool) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/acquit.sql"))
        .bind(feed.feed_id)
        .bind(goes_on)
        .execute(conn)
        .await?;
    Ok(())
}

/// It is the property, not the units.
async fn pause(conn: &mut PgConnection, feed: &LeasedFeed, found: &mut Vec<Found>) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/pause_feed.sql"))
        .bind(feed.feed_id)
        .bind("the receiver rejects everything about it")
        .execute(conn)
        .await?;
    found.push(Found::of(feed.property_id, Finding::FeedPaused));
    Ok(())
}

/// The property is answered as one that the receiver does not know: it rests, and is told by itself, so that it costs a batch nothing.
pub(super) async fn fails(
    conn: &mut PgConnection,
    verdict: &Verdict,
    (feed, step): (&LeasedFeed, Duration),
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    cool_down(conn, &[feed.feed_id], "failing", step, now).await?;
    bisect_feeds(conn, &[feed.feed_id], verdict.outcome.leased.sequence).await?;
    found.push(Found::of(feed.property_id, Finding::property_fails(verdict, step)));
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
