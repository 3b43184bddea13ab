//! Which units of a rejected sync are bad.
//!
//! Units that the answer names are refused. Where it names none, several properties are told again in two halves, then one
//! property's units are, each half by itself, until the bad ones stand alone: O(log n) requests for one bad unit, and
//! whatever else the property has to tell goes before them. Where every unit of a property turns out bad none is: then it
//! is the property, or the receiver. And where a search finds nothing that is accepted, and nothing else is either, it waits.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::alerts::{Finding, Found};
use super::doubt::doubt_sync;
use super::lease::{Leased, LeasedFeed};
use super::verdict::Verdict;
use crate::config::Receiver;
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

/// Which of the units is it? Says how many feeds there are of which the receiver takes nothing at all.
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
        [feed] => {
            let (searching, _) = search(conn, feed).await?;
            let refused_whole = halve_units(conn, receiver, verdict, (feed, searching), found, now).await?;
            // What begins a search counts as a failure until anything is taken: else a receiver that rejects everything is
            // searched for bad units of every property.
            Ok(refused_whole.max(usize::from(!searching)))
        }
        _ => halve_feeds(conn, leased).await,
    }
}

async fn halve_feeds(conn: &mut PgConnection, leased: &Leased) -> Result<usize> {
    sqlx::query(include_str!("../../sql/deliver/halve_feeds.sql"))
        .bind(leased.feed_ids())
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(0)
}

async fn halve_units(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    (feed, mut searching): (&LeasedFeed, bool),
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
            if let Some(began_with) = nothing_is_taken(conn, receiver, leased, feed).await? {
                release_refused(conn, feed, began_with).await?;
                rest(conn, leased, "exhausted", receiver.retry.schedule.last(), now).await?;
                return Ok(1);
            }
        }
    }
    end_halving(conn, feed, found).await
}

/// The search has gone on for long, no half was accepted, and neither was anything else: it is not the units. Says with which
/// sync it began. What is left to be searched stays so, and goes on where it stopped once the receiver takes anything.
async fn nothing_is_taken(
    conn: &mut PgConnection,
    receiver: &Receiver,
    leased: &Leased,
    feed: &LeasedFeed,
) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar(include_str!("../../sql/deliver/nothing_is_taken.sql"))
            .bind(&receiver.name)
            .bind(feed.feed_id)
            .bind(SEARCH_MAX)
            .bind(leased.sequence)
            .fetch_optional(conn)
            .await?,
    )
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
        release_refused(conn, feed, began_with).await?;
        return pause(conn, feed, found).await;
    }
    if !units.is_empty() {
        found.push(Found::of(feed.property_id, Finding::Refused(units)));
    }
    Ok(0)
}

/// What this search refused was not shown to be bad.
async fn release_refused(conn: &mut PgConnection, feed: &LeasedFeed, began_with: i64) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/release_refused.sql"))
        .bind(feed.feed_id)
        .bind(began_with)
        .execute(conn)
        .await?;
    Ok(())
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
pub(super) async fn search(conn: &mut PgConnection, feed: &LeasedFeed) -> Result<(bool, bool)> {
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

/// Nobody knows whether it is the receiver or something in this sync: told again in halves, and nothing is blamed. If it was
/// the receiver that costs a request; if one unit brings it down, the others don't wait for that unit.
pub(super) async fn set_apart(conn: &mut PgConnection, leased: &Leased) -> Result<()> {
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

/// Nothing is planned for the feeds for a while.
pub(super) async fn rest(
    conn: &mut PgConnection,
    leased: &Leased,
    because: &str,
    step: Option<&Duration>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/rest_feeds.sql"))
        .bind(now)
        .bind(leased.feed_ids())
        .bind(because)
        .bind(step.copied().unwrap_or_default().as_secs_f64())
        .execute(conn)
        .await?;
    Ok(())
}
