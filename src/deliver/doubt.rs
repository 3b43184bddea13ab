//! What a sync carried that is never sent again is in doubt: whether the receiver applied it nobody knows, so it is owed.

use anyhow::Result;
use sqlx::PgConnection;

use super::lease::Leased;
use super::settling::Settling;

/// What given up syncs carried is owed. `given_up`: sync, feed, whether it was a snapshot; `because`: such a snapshot is due
/// again.
pub(crate) async fn doubt(conn: &mut PgConnection, given_up: &[(i64, i64, bool)], because: Option<&str>) -> Result<()> {
    if given_up.is_empty() {
        return Ok(());
    }
    let sequences: Vec<i64> = given_up.iter().map(|(sequence, ..)| *sequence).collect();
    let feeds: Vec<i64> = given_up.iter().map(|(_, feed_id, _)| *feed_id).collect();
    let snapshots: Vec<bool> = given_up.iter().map(|(.., snapshot)| *snapshot).collect();
    sqlx::query(include_str!("../../sql/deliver/close_feeds.sql"))
        .bind(&sequences)
        .execute(&mut *conn)
        .await?;
    sqlx::query(include_str!("../../sql/deliver/doubt_units.sql"))
        .bind(&feeds)
        .bind(&sequences)
        .execute(&mut *conn)
        .await?;
    sqlx::query(include_str!("../../sql/deliver/doubt_feeds.sql"))
        .bind(&feeds)
        .bind(&sequences)
        .bind(&snapshots)
        .bind(because)
        .execute(conn)
        .await?;
    Ok(())
}

/// In doubt; a snapshot is due again, because of `again`, or (none) is sent as deltas, which can be halved, and another is due an hour
/// later.
pub(super) async fn doubt_sync(settling: &mut Settling<'_>, leased: &Leased, again: Option<&str>) -> Result<()> {
    let mut sequences = vec![leased.sequence];
    if leased.is_snapshot && !leased.is_last_part() {
        let later: Vec<i64> = sqlx::query_scalar(include_str!("../../sql/deliver/cancel_parts.sql"))
            .bind([leased.snapshot_id])
            .bind(settling.now)
            .fetch_all(&mut *settling.conn)
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
    doubt(settling.conn, &about, again).await?;
    if leased.is_snapshot && again.is_none() {
        sqlx::query(include_str!("../../sql/deliver/owe_all.sql"))
            .bind(leased.feed_ids())
            .execute(&mut *settling.conn)
            .await?;
        sqlx::query(include_str!("../../sql/deliver/snapshot_again.sql"))
            .bind(leased.feed_ids())
            .bind(settling.now)
            .execute(&mut *settling.conn)
            .await?;
    }
    Ok(())
}
