//! What becomes of a sync that is never sent again: what it told is in doubt, and where the receiver rejected it the bad
//! units are looked for (`bisect.rs`).

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::alerts::{Finding, Found};
use super::bisect::{cool_down, fails, find_the_bad, search, set_apart};
use super::doubt::doubt_sync;
use super::lease::Leased;
use super::stale;
use super::verdict::Verdict;
use crate::config::Receiver;
use crate::policy::{Answer, Decision};

/// What the giving up of a group says of the receiver.
#[derive(Default)]
pub(super) struct GivenUp {
    /// How many feeds there are of which it takes nothing at all, or whose search for bad units begins.
    pub refused_whole: usize,
    /// Syncs that it called stale although their property was told anew for that already.
    pub stale_again: Vec<i64>,
}

/// Settles what was given up.
pub(super) async fn give_up(
    conn: &mut PgConnection,
    receiver: &Receiver,
    given_up: &[&Verdict],
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<GivenUp> {
    let mut given = GivenUp::default();
    for verdict in given_up {
        let leased = &verdict.outcome.leased;
        match &verdict.decision {
            Decision::Rejected => given.refused_whole += reject(conn, receiver, verdict, found, now).await?,
            // It says nothing of what the request told: that is planned anew and waits on.
            Decision::Exhausted if verdict.is_waited_out() => {
                doubt_sync(conn, leased, Some("its request was given up"), now).await?;
            }
            Decision::Exhausted => given.refused_whole += exhaust(conn, receiver, verdict, found, now).await?,
            Decision::Renumber { .. } => {
                doubt_sync(conn, leased, Some("numbering"), now).await?;
                if stale::tell_anew(conn, receiver, verdict, found, now).await? {
                    given.stale_again.push(leased.sequence);
                }
            }
            Decision::ProbeFailed { .. } => {
                doubt_sync(conn, leased, Some("its request was given up"), now).await?;
                set_apart(conn, leased).await?;
            }
            _ => doubt_sync(conn, leased, Some("its request was given up"), now).await?,
        }
    }
    Ok(given)
}

/// Something in it is bad, unless all of the property was answered so before.
async fn reject(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    if verdict.outcome.tried.answer.may_be_about_one_property()
        && fails_again(conn, receiver, verdict, found, now).await?
    {
        return Ok(0);
    }
    found.push(Found::about(&verdict.outcome.leased, Finding::rejected(verdict)));
    find_the_bad(conn, receiver, verdict, found, now).await
}

/// Whether all of the property failed before: then it is not looked into again.
async fn fails_again(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<bool> {
    let leased = &verdict.outcome.leased;
    let [feed] = leased.feeds.as_slice() else {
        return Ok(false);
    };
    let is_failing: bool = sqlx::query_scalar(include_str!("../../sql/deliver/is_failing.sql"))
        .bind(feed.feed_id)
        .fetch_one(&mut *conn)
        .await?;
    if is_failing {
        doubt_sync(conn, leased, None, now).await?;
        fails(conn, verdict, (feed, receiver.retry.longest()), found, now).await?;
    }
    Ok(is_failing)
}

/// Where others are taken it is something in this one; else the receiver is down, and the feed rests. What stands alone may
/// have met an outage of that property only: it is given a second sync before it is set apart.
async fn exhaust(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let leased = &verdict.outcome.leased;
    // Whose relays died got no answer: that blames nothing of what it sends, whatever becomes of other syncs meanwhile.
    let is_lost = verdict.outcome.tried.answer == Answer::RelayLost;
    let accepts_others = verdict.others_acknowledged();
    found.push(Found::about(leased, Finding::exhausted(verdict)));
    if !is_lost && accepts_others && fails_again(conn, receiver, verdict, found, now).await? {
        return Ok(0);
    }
    let (searching, accepted) = match leased.feeds.as_slice() {
        [feed] => {
            let search = search(conn, receiver, (leased, feed), false).await?;
            (search.is_on(), search.accepted)
        }
        _ => (false, false),
    };
    // Some of the property was taken between the tries of its halves: the receiver is not down.
    let is_found =
        accepted && leased.entries == 1 || accepts_others && (searching || !has_a_second_chance(conn, leased).await?);
    if is_found && !is_lost {
        return find_the_bad(conn, receiver, verdict, found, now).await;
    }
    doubt_sync(conn, leased, None, now).await?;
    set_apart(conn, leased).await?;
    // That others are taken says nothing about this one: only time does.
    let because = if is_lost || accepts_others {
        "failing"
    } else {
        "exhausted"
    };
    cool_down(conn, &leased.feed_ids(), because, receiver.retry.longest(), now).await?;
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
