//! Set apart: what was in one request goes again in two, each half by itself.

use std::time::Duration;

use anyhow::Result;
use sqlx::PgConnection;

use super::lease::{Leased, LeasedFeed};
use super::settling::Settling;

/// Nobody knows whether it is the receiver or something in this sync: sent again in halves, and nothing is blamed. If it was
/// the receiver that costs a request; if one unit brings it down, the others don't wait for that unit.
pub(super) async fn set_apart(conn: &mut PgConnection, leased: &Leased) -> Result<()> {
    match leased.feeds.as_slice() {
        _ if leased.is_snapshot => Ok(()),
        [feed] if leased.entries > 0 => bisect_units(conn, feed, leased).await,
        [_] => Ok(()),
        _ => bisect_feeds(conn, &leased.feed_ids(), leased.sequence).await,
    }
}

/// The feeds are set apart, half of them and the other half.
pub(super) async fn bisect_feeds(conn: &mut PgConnection, feeds: &[i64], sequence: i64) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_feeds.sql"))
        .bind(feeds)
        .bind(sequence)
        .execute(conn)
        .await?;
    Ok(())
}

/// The units of one feed are; a search for bad ones begins with it if there is none.
pub(super) async fn bisect_units(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_units.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(())
}

/// What else of the feed is to be sent goes by itself.
pub(super) async fn bisect_remainder(conn: &mut PgConnection, feed: &LeasedFeed, leased: &Leased) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/bisect_remainder.sql"))
        .bind(feed.feed_id)
        .bind(leased.sequence)
        .execute(conn)
        .await?;
    Ok(())
}

/// Nothing is planned for the feeds for a while.
pub(super) async fn cool_down(settling: &mut Settling<'_>, feeds: &[i64], because: &str, step: Duration) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/cool_down_feeds.sql"))
        .bind(settling.now)
        .bind(feeds)
        .bind(because)
        .bind(step.as_secs_f64())
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}
