//! What the receiver acknowledged: tombstones go, the next part of a snapshot comes, and what else its answer says.

use std::collections::HashSet;

use anyhow::Result;

use super::alerts::Finding;
use super::breaker::wake;
use super::decided_try::DecidedTry;
use super::lease::LeasedFeed;
use super::refuse::refuse_named;
use super::search::end_search;
use super::settling::Settling;
use super::stale;
use crate::alert;
use crate::config::Format;

/// Everything that follows from the delivered. `has_failed`: the receiver, since it last acknowledged anything.
pub(super) async fn accept(settling: &mut Settling<'_>, delivered: &[&DecidedTry], has_failed: bool) -> Result<()> {
    if delivered.is_empty() {
        return Ok(());
    }
    if has_failed {
        hurry_refused(settling, delivered).await?;
    }
    note_lag(settling, delivered).await?;
    close_feeds(settling, delivered).await?;
    open_next_parts(settling, delivered).await?;
    for decided in delivered {
        for feed in &decided.outcome.leased.feeds {
            refuse_named(settling, decided, feed).await?;
        }
        // The others of the batch were acknowledged.
        stale::send_anew(settling, decided).await?;
    }
    // After what the answer objects to was refused: a removal among that is no acknowledged one.
    purge_tombstones(settling, delivered).await?;
    let acknowledged = acknowledged(delivered);
    accept_bisection(settling, &acknowledged).await?;
    accept_refused(settling, &acknowledged).await?;
    wake(settling.conn, &settling.receiver.name).await?;
    let properties: Vec<i64> = acknowledged.iter().map(|(_, feed)| feed.property_id).collect();
    let equal = compare_digests(settling, delivered, &properties).await?;
    alert::resolve_acknowledged(
        settling.conn,
        &settling.receiver.name,
        (&properties, &equal),
        settling.now,
    )
    .await
}

/// The feeds of which something was acknowledged; what is called stale was not.
fn acknowledged<'a>(delivered: &'a [&'a DecidedTry]) -> Vec<(&'a DecidedTry, &'a LeasedFeed)> {
    let stale: HashSet<i64> = delivered
        .iter()
        .flat_map(|decided| stale::stale_feeds(decided))
        .map(|(feed, _)| feed.feed_id)
        .collect();
    feeds_of(delivered)
        .filter(|(_, feed)| !stale.contains(&feed.feed_id))
        .collect()
}

async fn note_lag(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/note_lag.sql"))
        .bind(sequences(delivered))
        .bind(settling.now)
        .bind(&settling.receiver.name)
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

async fn close_feeds(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/close_feeds.sql"))
        .bind(sequences(delivered))
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

async fn purge_tombstones(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    let (feeds, sequences): (Vec<i64>, Vec<i64>) = feeds_of(delivered)
        .filter(|(decided, _)| decided.outcome.leased.has_removals)
        .map(|(decided, feed)| (feed.feed_id, decided.outcome.leased.sequence))
        .unzip();
    if !feeds.is_empty() {
        sqlx::query(include_str!("../../sql/deliver/purge_tombstones.sql"))
            .bind(feeds)
            .bind(sequences)
            .bind(settling.now)
            .execute(&mut *settling.conn)
            .await?;
    }
    Ok(())
}

async fn open_next_parts(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    let (snapshots, parts): (Vec<_>, Vec<_>) = delivered
        .iter()
        .map(|decided| &decided.outcome.leased)
        .filter(|leased| !leased.is_last_part())
        .map(|leased| (leased.snapshot_id, leased.part))
        .unzip();
    if !snapshots.is_empty() {
        sqlx::query(include_str!("../../sql/deliver/open_next_parts.sql"))
            .bind(snapshots)
            .bind(parts)
            .bind(settling.now)
            .execute(&mut *settling.conn)
            .await?;
    }
    Ok(())
}

/// Where a property's units are sent in halves, something of it was acknowledged.
async fn accept_bisection(settling: &mut Settling<'_>, acknowledged: &[(&DecidedTry, &LeasedFeed)]) -> Result<()> {
    let searched: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/accept_bisection.sql"))
        .bind(acknowledged.iter().map(|(_, feed)| feed.feed_id).collect::<Vec<_>>())
        .bind(
            acknowledged
                .iter()
                .map(|(decided, _)| decided.entries() > 0)
                .collect::<Vec<_>>(),
        )
        .fetch_all(&mut *settling.conn)
        .await?;
    for (decided, feed) in acknowledged.iter().filter(|(_, feed)| searched.contains(&feed.feed_id)) {
        end_search(settling, decided, feed).await?;
    }
    Ok(())
}

/// It may accept what else it refused before.
async fn accept_refused(settling: &mut Settling<'_>, acknowledged: &[(&DecidedTry, &LeasedFeed)]) -> Result<()> {
    let (feeds, sequences): (Vec<i64>, Vec<i64>) = acknowledged
        .iter()
        .map(|(decided, feed)| (feed.feed_id, decided.outcome.leased.sequence))
        .unzip();
    sqlx::query(include_str!("../../sql/deliver/accept_refused.sql"))
        .bind(feeds)
        .bind(sequences)
        .bind(settling.now)
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

/// Where the receiver failed before this, so may what it refused meanwhile.
async fn hurry_refused(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/hurry_refused.sql"))
        .bind(&settling.receiver.name)
        .bind(sequences(delivered))
        .bind(settling.now)
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

fn sequences(decided_tries: &[&DecidedTry]) -> Vec<i64> {
    let leased = decided_tries.iter().map(|decided| &decided.outcome.leased);
    leased.map(|leased| leased.sequence).collect()
}

fn feeds_of<'a>(decided_tries: &'a [&'a DecidedTry]) -> impl Iterator<Item = (&'a DecidedTry, &'a LeasedFeed)> {
    let decided_tries = decided_tries.iter();
    decided_tries.flat_map(|decided| decided.outcome.leased.feeds.iter().map(move |feed| (*decided, feed)))
}

/// What the receiver says that it holds, against what the body said that it would: where both say it. Gives the properties of
/// which it holds that, or all that were `acknowledged`, where it can't be asked.
async fn compare_digests(
    settling: &mut Settling<'_>,
    delivered: &[&DecidedTry],
    acknowledged: &[i64],
) -> Result<Vec<i64>> {
    if !settling.receiver.extensions || settling.receiver.format == Format::Unit {
        return Ok(acknowledged.to_vec());
    }
    let said: Vec<(i64, &LeasedFeed, &str)> = delivered
        .iter()
        .filter(|decided| decided.outcome.leased.is_last_part())
        .flat_map(|decided| {
            let sequence = decided.outcome.leased.sequence;
            digests_said(decided)
                .into_iter()
                .map(move |(feed, said)| (sequence, feed, said))
        })
        .collect();
    if said.is_empty() {
        return Ok(Vec::new());
    }
    note_digests(settling, delivered).await?;
    let (sequences, feeds): (Vec<i64>, Vec<i64>) =
        said.iter().map(|(sequence, feed, _)| (sequence, feed.feed_id)).unzip();
    let ours: Vec<(i64, String)> = sqlx::query_as(include_str!("../../sql/deliver/digests.sql"))
        .bind(sequences)
        .bind(feeds)
        .fetch_all(&mut *settling.conn)
        .await?;
    let mut equal = Vec::new();
    for (feed_id, digest) in ours {
        let differing = said
            .iter()
            .find(|(_, feed, said)| feed.feed_id == feed_id && **said != digest);
        if let Some((_, feed, _)) = differing {
            sqlx::query(include_str!("../../sql/deliver/mismatch.sql"))
                .bind(feed_id)
                .bind(settling.now)
                .execute(&mut *settling.conn)
                .await?;
            settling.find(feed, Finding::DigestMismatch);
        } else if let Some((_, feed, _)) = said.iter().find(|(_, feed, _)| feed.feed_id == feed_id) {
            equal.push(feed.property_id);
        }
    }
    Ok(equal)
}

/// Kept with the sync, for whoever compares later.
async fn note_digests(settling: &mut Settling<'_>, delivered: &[&DecidedTry]) -> Result<()> {
    let mut noted = (Vec::new(), Vec::new(), Vec::new());
    for decided in delivered {
        for (feed, digest) in digests_said(decided) {
            noted.0.push(decided.outcome.leased.sequence);
            noted.1.push(feed.feed_id);
            noted.2.push(digest);
        }
    }
    sqlx::query(include_str!("../../sql/deliver/note_digests.sql"))
        .bind(noted.0)
        .bind(noted.1)
        .bind(noted.2)
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

fn digests_said(decided: &DecidedTry) -> Vec<(&LeasedFeed, &str)> {
    let (leased, said) = (&decided.outcome.leased, &decided.outcome.tried.said);
    if let ([feed], Some(digest)) = (leased.feeds.as_slice(), &said.property_digest) {
        return vec![(feed, digest)];
    }
    let named = said.properties.iter();
    named
        .filter_map(|(property, digest)| {
            let feed = leased.feeds.iter().find(|feed| feed.external_id == *property)?;
            Some((feed, digest.as_str()))
        })
        .collect()
}
