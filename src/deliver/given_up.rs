//! What becomes of a sync that is never sent again: what it carried is in doubt, and where the receiver rejected it the bad
//! units are looked for (`search.rs`).

use anyhow::Result;

use super::alerts::Finding;
use super::bisect::{cool_down, set_apart};
use super::decided_try::DecidedTry;
use super::doubt::doubt_sync;
use super::search::{find_the_bad, search};
use super::settling::Settling;
use super::stale;
use crate::policy::{Answer, Decision};

/// What the giving up of a group says of the receiver.
#[derive(Default)]
pub(super) struct GivenUp {
    /// How many searches for bad units, or for bad properties, begin.
    pub searches_begun: usize,
    /// Syncs that it called stale although their property was sent anew for that already.
    pub stale_again: Vec<i64>,
}

/// Settles what was given up.
pub(super) async fn give_up(settling: &mut Settling<'_>, given_up: &[&DecidedTry]) -> Result<GivenUp> {
    const GIVEN_UP: Option<&str> = Some("its request was given up");
    let mut given = GivenUp::default();
    for decided in given_up {
        let leased = &decided.outcome.leased;
        match &decided.decision {
            Decision::Rejected => {
                settling.find_about(leased, Finding::rejected(decided));
                given.searches_begun += find_the_bad(settling, decided).await?;
            }
            // It says nothing of what the request carried: that is planned anew and waits on.
            Decision::Exhausted if decided.is_waited_out() => {
                doubt_sync(settling, leased, GIVEN_UP).await?;
                if leased.feeds.len() > 1 {
                    set_apart(settling.conn, leased).await?;
                }
            }
            Decision::Exhausted => given.searches_begun += exhaust(settling, decided).await?,
            Decision::Renumber { .. } => {
                doubt_sync(settling, leased, Some("numbering")).await?;
                if stale::send_anew(settling, decided).await? {
                    given.stale_again.push(leased.sequence);
                }
            }
            Decision::ProbeFailed { .. } => {
                doubt_sync(settling, leased, GIVEN_UP).await?;
                set_apart(settling.conn, leased).await?;
            }
            _ => doubt_sync(settling, leased, GIVEN_UP).await?,
        }
    }
    Ok(given)
}

/// Where others are acknowledged it is something in this one; else the receiver is down, and the feed rests.
async fn exhaust(settling: &mut Settling<'_>, decided: &DecidedTry) -> Result<usize> {
    let leased = &decided.outcome.leased;
    // Whose relays died got no answer: that blames nothing of what it sends, whatever becomes of other syncs meanwhile.
    let is_lost = decided.outcome.tried.answer == Answer::RelayLost;
    settling.find_about(leased, Finding::exhausted(decided));
    if !is_lost && (decided.others_acknowledged() || stands_alone(settling, decided).await?) {
        return find_the_bad(settling, decided).await;
    }
    doubt_sync(settling, leased, None).await?;
    set_apart(settling.conn, leased).await?;
    // That others are acknowledged says nothing about this one: only time does.
    let because = if is_lost { "failing" } else { "exhausted" };
    let longest = settling.receiver.retry.longest();
    cool_down(settling, &leased.feed_ids(), because, longest).await?;
    Ok(0)
}

/// It carries one unit that was refused before, or one of a property of which some was acknowledged between the tries of its halves: the
/// receiver is not down.
async fn stands_alone(settling: &mut Settling<'_>, decided: &DecidedTry) -> Result<bool> {
    let leased = &decided.outcome.leased;
    let ([feed], 1) = (leased.feeds.as_slice(), leased.entries) else {
        return Ok(false);
    };
    let search = search(settling, decided, feed).await?;
    Ok(search.accepted || search.was_refused)
}
