//! A receiver that has a newer sequence of a property than it was sent: the property's numbers are raised above that, and it is
//! sent anew as a snapshot, at most once an hour.
//!
//! What a receiver says of one property touches that property's numbers for that receiver and nothing else, so a false number
//! harms nobody but whom it is about.

use anyhow::Result;

use super::alerts::Finding;
use super::decided_try::DecidedTry;
use super::doubt::doubt;
use super::lease::LeasedFeed;
use super::settling::Settling;
use crate::policy::Answer;

/// Left above what a receiver says: a thousand years of microseconds, by which our own numbers may rise, and the present.
const ROOM: i64 = 40_000_000_000_000_000;
/// Nothing goes on above a greater number.
const SEQUENCE_MAX: i64 = i64::MAX - ROOM;
/// Numbers are raised by so much at a time: properties that are raised by much the same can go on sharing requests.
const STEP: i64 = 1_000_000_000_000;

/// The feeds of a sync that the receiver calls stale, each with the sequence that it says it has.
pub(super) fn stale_feeds(decided: &DecidedTry) -> Vec<(&LeasedFeed, i64)> {
    let (leased, tried) = (&decided.outcome.leased, &decided.outcome.tried);
    let named = |feed: &LeasedFeed| {
        let said = tried
            .said
            .stale
            .iter()
            .find(|(property, _)| *property == feed.external_id);
        said.map(|(_, sequence)| *sequence)
    };
    let of_all = match tried.answer {
        Answer::Stale { sequence } => Some(sequence),
        _ => None,
    };
    let feeds = leased.feeds.iter();
    feeds.filter_map(|feed| Some((feed, named(feed).or(of_all)?))).collect()
}

/// Raises the numbers of the feeds that a sync is stale for, and has them sent anew. Says whether nothing better is to be expected
/// of sending them again before an hour is over.
pub(super) async fn send_anew(settling: &mut Settling<'_>, decided: &DecidedTry) -> Result<bool> {
    let leased = &decided.outcome.leased;
    let first_wait = settling.receiver.retry.schedule.first().copied().unwrap_or_default();
    let mut all_rest = true;
    for (feed, newest) in stale_feeds(decided) {
        doubt(
            settling.conn,
            &[(leased.sequence, feed.feed_id, true)],
            Some("numbering"),
        )
        .await?;
        let offset = offset_above(newest, leased.sequence);
        let rests: bool = sqlx::query_scalar(include_str!("../../sql/deliver/call_stale.sql"))
            .bind(feed.feed_id)
            .bind(settling.now)
            .bind(offset)
            .bind(first_wait.as_secs_f64())
            .fetch_one(&mut *settling.conn)
            .await?;
        all_rest &= rests;
        let sync_id = leased.sync_id.clone();
        let finding = match (offset, rests) {
            (None, _) => Finding::BeyondNumbering { sync_id, newest },
            (Some(_), true) => Finding::StaleAgain { sync_id, newest },
            (Some(_), false) => Finding::Stale { sync_id, newest },
        };
        settling.find(feed, finding);
    }
    Ok(all_rest)
}

/// What to add to later numbers of the feed, all of them above `sequence`, so that they are above what the receiver has. None where
/// that would leave too little of what there is.
fn offset_above(newest: i64, sequence: i64) -> Option<i64> {
    let lacking = newest.saturating_sub(sequence).saturating_add(1).max(0);
    (newest <= SEQUENCE_MAX).then(|| lacking.saturating_add(STEP - 1) / STEP * STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any sequence of ours.
    const SEQUENCE: i64 = 4_000_000_000_000_000;

    #[test]
    fn promise_12_numbers_go_on_above_what_a_receiver_has_and_leave_a_thousand_years() {
        let thousand_years = 1000 * 366 * 24 * 3600 * 1_000_000_i64;
        for newest in [0, 1, SEQUENCE - 1, SEQUENCE, SEQUENCE + 1, STEP * 7, SEQUENCE_MAX] {
            for sequence in [1, 4711, SEQUENCE] {
                let offset = offset_above(newest, sequence).expect("an offset");
                assert!(sequence + 1 + offset > newest, "{newest} {sequence}");
                assert!(offset < (newest - sequence).max(0) + 2 * STEP, "{newest} {sequence}");
            }
            let present = 2_000_000_000_000_000;
            let offset = offset_above(newest, present).expect("an offset");
            assert!((present + thousand_years).checked_add(offset).is_some(), "{newest}");
        }
        for newest in [SEQUENCE_MAX + 1, i64::MAX] {
            assert_eq!(offset_above(newest, 1), None);
        }
        assert_eq!(offset_above(i64::MIN, i64::MAX), Some(0));
    }
}
