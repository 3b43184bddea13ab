//! What becomes of a sync that is never sent again: what it told is in doubt, and where the receiver rejected it the bad
//! units are looked for.
//!
//! Units that the answer names are refused. Where it names none, several properties are told again in two halves, then one
//! property's units are, each half by itself, until the bad ones stand alone: O(log n) requests for one bad unit, and
//! whatever else the property has to tell goes before them. Where every unit of a property turns out bad none is: then it
//! is the property, or the receiver.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::alerts::{Finding, Found};
use super::lease::{Leased, LeasedFeed};
use super::settle::Verdict;
use super::{Deliverer, breaker, seconds, stale};
use crate::policy::{Answer, Decision};
use crate::receiver::UnitError;

/// What the giving up of a group says of the receiver.
#[derive(Default)]
pub(super) struct GivenUp {
    /// How many feeds there are of which it takes nothing at all.
    pub refused_whole: usize,
    /// Syncs that it called stale although their property was told anew for that already.
    pub stale_again: Vec<i64>,
}

/// Settles what was given up.
pub(super) async fn give_up(
    conn: &mut PgConnection,
    deliverer: &Deliverer,
    given_up: &[&Verdict],
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<GivenUp> {
    let mut given = GivenUp::default();
    for verdict in given_up {
        let leased = &verdict.outcome.leased;
        match &verdict.decision {
            Decision::Rejected => {
                found.push(Found::about(leased, Finding::rejected(verdict)));
                given.refused_whole += find_the_bad(conn, verdict, found, now).await?;
            }
            // It says nothing of what the request told: that is planned anew and waits on.
            Decision::Exhausted if verdict.is_waited_out() => {
                doubt(conn, leased, Some("its request was given up"), now).await?;
            }
            Decision::Exhausted => {
                found.push(Found::about(leased, Finding::exhausted(verdict)));
                given.refused_whole += exhaust(conn, deliverer, verdict, found, now).await?;
            }
            Decision::Renumber { .. } => {
                doubt(conn, leased, Some("numbering"), now).await?;
                if stale::tell_anew(conn, deliverer, verdict, found, now).await? {
                    given.stale_again.push(leased.sequence);
                }
            }
            Decision::ProbeFailed { .. } => {
                doubt(conn, leased, Some("its request was given up"), now).await?;
                set_apart(conn, leased).await?;
            }
            _ => doubt(conn, leased, Some("its request was given up"), now).await?,
        }
    }
    Ok(given)
}

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

/// In doubt; a snapshot is due again, because of `again`, or (none) is told as deltas, which can be halved.
async fn doubt(
    conn: &mut PgConnection,
    leased: &Leased,
    again: Option<&str>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let mut sequences = vec![leased.sequence];
    if leased.is_snapshot && !leased.is_last_part() {
        let later: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/cancel_parts.sql"))
            .bind([leased.snapshot_id])
            .bind(now)
            .fetch_all(&mut *conn)
            .await?;
        sequences.extend(later);
    }
    let about: Vec<_> = sequences
        .iter()
        .flat_map(|sequence| {
            leased
                .feeds
                .iter()
                .map(|feed| (*sequence, feed.feed_id, leased.is_snapshot))
        })
        .collect();
    breaker::doubt(conn, &about, again).await?;
    if leased.is_snapshot && again.is_none() {
        sqlx::query(include_str!("../../sql/deliver/owe_all.sql"))
            .bind(feeds_of(leased))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Where others are taken it is something in this one; else the receiver is down, and the feed rests. What stands alone may
/// have met an outage of that property only: it is given a second sync before it is blamed.
async fn exhaust(
    conn: &mut PgConnection,
    deliverer: &Deliverer,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    // Whose relays died got no answer: that blames nothing of what it sends, whatever becomes of other syncs meanwhile.
    if verdict.outcome.tried.answer == Answer::RelayLost {
        doubt(conn, leased, None, now).await?;
        set_apart(conn, leased).await?;
        rest(conn, leased, "failing", deliverer.receiver.retry.schedule.last(), now).await?;
        return Ok(0);
    }
    let accepts_others: bool = sqlx::query_scalar(include_str!("../../sql/deliver/accepts_others.sql"))
        .bind(&deliverer.receiver.name)
        .bind(leased.sequence)
        .fetch_one(&mut *conn)
        .await?;
    let (searching, accepted) = match leased.feeds.as_slice() {
        [feed] => search(conn, feed).await?,
        _ => (false, false),
    };
    // Some of the property was taken between the tries of its halves: the receiver is not down.
    if accepted && leased.entries == 1 || accepts_others && (searching || !has_a_second_chance(conn, leased).await?) {
        return find_the_bad(conn, verdict, found, now).await;
    }
    doubt(conn, leased, None, now).await?;
    set_apart(conn, leased).await?;
    // That others are taken says nothing about this one: only time does.
    let because = if accepts_others { "failing" } else { "exhausted" };
    rest(conn, leased, because, deliverer.receiver.retry.schedule.last(), now).await?;
    Ok(0)
}

async fn has_a_second_chance(conn: &mut PgConnection, leased: &Leased) -> Result<bool> {
    let ([feed], 0..=1) = (leased.feeds.as_slice(), leased.entries) else {
        return Ok(false);
    };
    let before: bool = sqlx::query_scalar(include_str!("../../sql/deliver/exhausted_before.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .fetch_one(conn)
        .await?;
    Ok(!before)
}

/// Nobody knows whether it is the receiver or something in this sync: told again in halves, and nothing is blamed. If it was
/// the receiver that costs a request; if one unit brings it down, the others don't wait for that unit.
async fn set_apart(conn: &mut PgConnection, leased: &Leased) -> Result<()> {
    match leased.feeds.as_slice() {
        _ if leased.is_snapshot => {}
        [feed] if leased.entries > 0 => {
            sqlx::query(include_str!("../../sql/deliver/halve_units.sql"))
                .bind(feed.feed_id)
                .bind(leased.sequence)
                .execute(conn)
                .await?;
        }
        [_] => {}
        _ => {
            halve_feeds(conn, leased).await?;
        }
    }
    Ok(())
}

async fn rest(
    conn: &mut PgConnection,
    leased: &Leased,
    because: &str,
    step: Option<&Duration>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/rest_feeds.sql"))
        .bind(now)
        .bind(feeds_of(leased))
        .bind(because)
        .bind(seconds(step.copied().unwrap_or_default()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Which of the units is it? Says how many feeds there are of which the receiver takes nothing at all.
async fn find_the_bad(
    conn: &mut PgConnection,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let (leased, errors) = (&verdict.outcome.leased, &verdict.outcome.tried.said.errors);
    // Deltas of all units can be halved, a snapshot can't.
    doubt(conn, leased, None, now).await?;
    let mut refused_whole = 0;
    let mut named = 0;
    for feed in &leased.feeds {
        let told = told_units(conn, feed, leased).await?;
        let all: HashSet<i64> = told.iter().copied().collect();
        let known = |error: &&UnitError| all.contains(&error.unit_id);
        let errors: Vec<UnitError> = errors.iter().filter(known).cloned().collect();
        let naming: HashSet<i64> = errors.iter().map(|error| error.unit_id).collect();
        named += naming.len();
        if told.len() > 1 && naming.len() == told.len() {
            refused_whole += pause(conn, feed, found).await?;
        } else if !naming.is_empty() {
            let refused = refuse(conn, leased, feed, (&errors, &verdict.refusal()), now).await?;
            found.push(Found::of(feed.property_id, Finding::Refused(refused)));
        }
    }
    if named > 0 || leased.is_snapshot {
        return Ok(refused_whole);
    }
    match leased.feeds.as_slice() {
        [feed] => halve_units(conn, verdict, feed, found, now).await,
        _ => halve_feeds(conn, leased).await,
    }
}

async fn halve_feeds(conn: &mut PgConnection, leased: &Leased) -> Result<usize> {
    sqlx::query(include_str!("../../sql/deliver/halve_feeds.sql"))
        .bind(feeds_of(leased))
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(0)
}

async fn halve_units(
    conn: &mut PgConnection,
    verdict: &Verdict,
    feed: &LeasedFeed,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    let told = told_units(conn, feed, leased).await?;
    match told.as_slice() {
        // Sent again by command, and overtaken: what it told was told since, and nothing is left to look for.
        [] if leased.entries > 0 => return Ok(0),
        [] => return pause(conn, feed, found).await,
        // It stands alone. But of a property that was never taken nothing says that it is the unit.
        [unit_id] => {
            let mut searching = search(conn, feed).await?.0;
            if !searching && !has_delivered(conn, feed).await? {
                if suspect_rest(conn, feed, leased).await? == 0 {
                    return pause(conn, feed, found).await;
                }
                searching = true;
            }
            let alone = UnitError {
                project_id: None,
                unit_id: *unit_id,
            };
            let because = format!("{} when told alone", verdict.refusal());
            let refused = refuse(conn, leased, feed, (&[alone], &because), now).await?;
            if !searching {
                found.push(Found::of(feed.property_id, Finding::Refused(refused)));
            }
        }
        _ => {
            sqlx::query(include_str!("../../sql/deliver/halve_units.sql"))
                .bind(feed.feed_id)
                .bind(leased.sequence)
                .execute(&mut *conn)
                .await?;
        }
    }
    end_halving(conn, feed, found).await
}

/// The search is over when no half is left. What it found is refused; but where no half was accepted, nothing is.
pub(super) async fn end_halving(conn: &mut PgConnection, feed: &LeasedFeed, found: &mut Vec<Found>) -> Result<usize> {
    let over: Option<(i64, bool)> = sqlx::query_as(include_str!("../../sql/deliver/end_halving.sql"))
        .bind(feed.feed_id)
        .fetch_optional(&mut *conn)
        .await?;
    let Some((began_with, accepted)) = over else {
        return Ok(0);
    };
    let units: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/refused_since.sql"))
        .bind(feed.feed_id)
        .bind(began_with)
        .fetch_all(&mut *conn)
        .await?;
    // One unit that was all there was to tell says nothing about a property that was taken before.
    let blamed = accepted || (units.len() == 1 && has_delivered(conn, feed).await?);
    if !blamed {
        sqlx::query(include_str!("../../sql/deliver/release_refused.sql"))
            .bind(feed.feed_id)
            .bind(began_with)
            .execute(&mut *conn)
            .await?;
        return pause(conn, feed, found).await;
    }
    if !units.is_empty() {
        found.push(Found::of(feed.property_id, Finding::Refused(units)));
    }
    Ok(0)
}

/// It is the property or the receiver, not the units.
async fn pause(conn: &mut PgConnection, feed: &LeasedFeed, found: &mut Vec<Found>) -> Result<usize> {
    sqlx::query(include_str!("../../sql/deliver/pause_feed.sql"))
        .bind(feed.feed_id)
        .bind("the receiver rejects everything about it")
        .execute(conn)
        .await?;
    found.push(Found::of(feed.property_id, Finding::FeedPaused));
    Ok(1)
}

async fn told_units(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/told_units.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .fetch_all(conn)
        .await?)
}

/// Whether the feed's bad units are looked for, and whether anything of it was accepted meanwhile.
async fn search(conn: &mut PgConnection, feed: &LeasedFeed) -> Result<(bool, bool)> {
    Ok(sqlx::query_as(include_str!("../../sql/deliver/is_halving.sql"))
        .bind(feed.feed_id)
        .fetch_one(conn)
        .await?)
}

async fn suspect_rest(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/suspect_rest.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .fetch_one(conn)
        .await?)
}

async fn has_delivered(conn: &mut PgConnection, feed: &LeasedFeed) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/has_delivered.sql"))
        .bind(feed.feed_id)
        .fetch_one(conn)
        .await?)
}

fn feeds_of(leased: &Leased) -> Vec<i64> {
    leased.feeds.iter().map(|feed| feed.feed_id).collect()
}
