//! What becomes of a sync that is never sent again: what it told is in doubt, and where the receiver rejected it the bad
//! units are looked for (`bisect.rs`).

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::alerts::{Finding, Found};
use super::bisect::{cool_down, find_the_bad, search, set_apart};
use super::doubt::doubt_sync;
use super::stale;
use super::verdict::Verdict;
use crate::config::Receiver;
use crate::policy::{Answer, Decision};

/// What the giving up of a group says of the receiver.
#[derive(Default)]
pub(super) struct GivenUp {
    /// How many feeds there are whose search for bad units begins.
    pub searches_begun: usize,
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
            Decision::Rejected => given.searches_begun += reject(conn, receiver, verdict, found, now).await?,
            // It says nothing of what the request told: that is planned anew and waits on.
            Decision::Exhausted if verdict.is_waited_out() => {
                doubt_sync(conn, leased, Some("its request was given up"), now).await?;
                if leased.feeds.len() > 1 {
                    set_apart(conn, leased).await?;
                }
            }
            Decision::Exhausted => given.searches_begun += exhaust(conn, receiver, verdict, found, now).await?,
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

/// Something in it is bad.
async fn reject(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdict: &Verdict,
    found: &mut Vec<Found>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    found.push(Found::about(&verdict.outcome.leased, Finding::rejected(verdict)));
    find_the_bad(conn, receiver, verdict, found, now).await
}

/// Where others are taken it is something in this one; else the receiver is down, and the feed rests.
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
    found.push(Found::about(leased, Finding::exhausted(verdict)));
    if !is_lost && (verdict.others_acknowledged() || stands_alone(conn, receiver, verdict).await?) {
        return find_the_bad(conn, receiver, verdict, found, now).await;
    }
    doubt_sync(conn, leased, None, now).await?;
    set_apart(conn, leased).await?;
    // That others are taken says nothing about this one: only time does.
    let because = if is_lost { "failing" } else { "exhausted" };
    cool_down(conn, &leased.feed_ids(), because, receiver.retry.longest(), now).await?;
    Ok(0)
}

/// It tells one unit that was refused before, or one of a property of which some was taken between the tries of its halves: the
/// receiver is not down.
async fn stands_alone(conn: &mut PgConnection, receiver: &Receiver, verdict: &Verdict) -> Result<bool> {
    let leased = &verdict.outcome.leased;
    let ([feed], 1) = (leased.feeds.as_slice(), leased.entries) else {
        return Ok(false);
    };
    let search = search(conn, receiver, verdict, feed).await?;
    Ok(search.accepted || search.was_refused)
}
