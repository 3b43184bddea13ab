//! Units that the receiver refuses: left out for a while, longer each time in a row (`policy::pauses`).

use anyhow::Result;

use super::alerts::Finding;
use super::decided_try::DecidedTry;
use super::lease::LeasedFeed;
use super::settling::Settling;
use crate::config::Receiver;
use crate::policy;

/// Refuses what an answer names of this feed; it may name anything.
pub(super) async fn refuse_named(settling: &mut Settling<'_>, decided: &DecidedTry, feed: &LeasedFeed) -> Result<()> {
    let errors = decided.outcome.tried.said.errors.iter();
    let named = errors.filter(|error| error.project_id.as_ref().is_none_or(|id| *id == feed.external_id));
    let units: Vec<i64> = named.map(|error| error.unit_id).collect();
    refuse(settling, decided, feed, (&units, &decided.refusal())).await
}

/// Refuses these units of this feed, as far as the sync carries them.
pub(super) async fn refuse(
    settling: &mut Settling<'_>,
    decided: &DecidedTry,
    feed: &LeasedFeed,
    (units, because): (&[i64], &str),
) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let refused = sqlx::query_scalar(include_str!("../../sql/deliver/refuse_units.sql"))
        .bind(feed.feed_id)
        .bind(decided.outcome.leased.sequence)
        .bind(units)
        .bind(because)
        .bind(settling.now)
        .bind(pauses(settling.receiver))
        .fetch_all(&mut *settling.conn)
        .await?;
    say(settling, feed, refused);
    Ok(())
}

/// Refuses what stood alone: the search for bad units is over.
pub(super) async fn refuse_alone(settling: &mut Settling<'_>, feed: &LeasedFeed) -> Result<()> {
    let refused = sqlx::query_scalar(include_str!("../../sql/deliver/refuse_alone.sql"))
        .bind(feed.feed_id)
        .bind(settling.now)
        .bind(pauses(settling.receiver))
        .fetch_all(&mut *settling.conn)
        .await?;
    say(settling, feed, refused);
    Ok(())
}

fn say(settling: &mut Settling<'_>, feed: &LeasedFeed, refused: Vec<i64>) {
    if !refused.is_empty() {
        settling.find(feed, Finding::Refused(refused));
    }
}

/// In seconds, as the statements take them.
fn pauses(receiver: &Receiver) -> Vec<f64> {
    let pauses = policy::pauses(&receiver.retry);
    pauses.iter().map(std::time::Duration::as_secs_f64).collect()
}
