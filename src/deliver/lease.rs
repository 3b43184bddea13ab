//! Leasing: the right to send a sync for as long as a request may take. One transaction, behind the receiver's row, so
//! that all relays together keep the receiver's limits.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::borrowed::Borrowed;
use super::locked::lock_receiver;
use crate::clock::Moment;
use crate::config::Receiver;
use crate::heartbeat::Registration;
use crate::unit::Columns;
use crate::witness::Sent;

/// A lease outlives the request's total deadline by this much.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(10);
/// And is only good for a request that begins so soon: its deadline is over before the lease is.
const BEGINS_WITHIN: Duration = Duration::from_secs(8);
/// How far ahead requests are given their moment, where requests a second are limited; a small part of the above.
const PACED_AHEAD: Duration = Duration::from_millis(250);

/// A sync that this relay may send now.
#[derive(Clone)]
pub(super) struct Leased {
    pub sequence: i64,
    pub lease: i32,
    /// By the database's clock.
    pub leased_at: DateTime<Utc>,
    /// Not later than the lease began.
    pub since: Moment,
    pub sync_id: String,
    pub is_snapshot: bool,
    pub snapshot_id: Option<Uuid>,
    pub part: i32,
    pub parts: i32,
    pub probe: bool,
    pub entries: i32,
    pub has_removals: bool,
    pub body: Vec<u8>,
    pub attempts: u32,
    pub lost: i32,
    /// How often the receiver answered 429 since it last acknowledged anything.
    pub waits: u32,
    pub age: Duration,
    /// What it is about.
    pub feeds: Vec<LeasedFeed>,
    /// The receiver allows only so many requests a second: this one begins so much later.
    pub begin_after: Duration,
}

/// A feed that a leased sync is about.
#[derive(Clone)]
pub(super) struct LeasedFeed {
    pub feed_id: i64,
    pub property_id: i64,
    /// As the receiver's answers may call the property.
    pub external_id: String,
}

impl Leased {
    /// It is the last part, or the only one.
    pub fn is_last_part(&self) -> bool {
        self.part == self.parts
    }

    /// It may begin to be sent.
    pub fn may_begin(&self) -> bool {
        self.since.elapsed() < BEGINS_WITHIN
    }

    /// What a relay remembers of it once it was sent.
    pub fn sent(&self) -> Sent {
        Sent {
            sequence: self.sequence,
            sync_id: self.sync_id.clone(),
            at: self.leased_at,
        }
    }

    /// The feeds it is about.
    pub fn feed_ids(&self) -> Vec<i64> {
        self.feeds.iter().map(|feed| feed.feed_id).collect()
    }

    /// The properties it is about.
    pub fn property_ids(&self) -> impl Iterator<Item = i64> {
        self.feeds.iter().map(|feed| feed.property_id)
    }

    /// The property, where it is about one.
    pub fn property_id(&self) -> Option<i64> {
        match self.feeds.as_slice() {
            [feed] => Some(feed.property_id),
            _ => None,
        }
    }
}

/// When requests may begin.
struct Pace {
    /// The first one after now.
    first: TimeDelta,
    /// Between one and the next.
    step: TimeDelta,
    /// How many begin soon.
    count: usize,
}

/// Leases at most so many syncs that are due.
pub(super) async fn lease_due(
    pool: &PgPool,
    receiver: &Receiver,
    relay: &Registration,
    at_most: usize,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Leased>> {
    if at_most == 0 {
        return Ok(Vec::new());
    }
    let mut borrowed = Borrowed::of(pool).await?;
    let mut tx = borrowed.begin().await?;
    let Some(locked) = lock_receiver(&mut tx, receiver, now)
        .await
        .context("leasing due syncs")?
    else {
        return Ok(Vec::new());
    };
    let moment = locked.now;
    let pace = receiver
        .requests_per_second_max
        .map(|per_second| Pace::of(per_second, locked.paced_until, moment));
    let room = pace.as_ref().map_or(at_most, |pace| pace.count.min(at_most));
    let concurrency = locked
        .concurrency
        .map_or(i64::MAX, i64::from)
        .min(i64::try_from(receiver.concurrency_max)?);
    let mut leased = lease(&mut tx, receiver, relay, (room, concurrency), now).await?;
    if let Some(pace) = pace.filter(|_| !leased.is_empty()) {
        for (leased, place) in leased.iter_mut().zip(0..) {
            leased.begin_after = pace.at(place).to_std().unwrap_or_default();
        }
        let next = moment + pace.at(i32::try_from(leased.len())?);
        sqlx::query(include_str!("../../sql/deliver/pace_receiver.sql"))
            .bind(&receiver.name)
            .bind(next)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    borrowed.give_back();
    Ok(leased)
}

async fn lease(
    conn: &mut PgConnection,
    receiver: &Receiver,
    relay: &Registration,
    (room, concurrency): (usize, i64),
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Leased>> {
    let lasting = receiver.timeout + BEYOND_TIMEOUT;
    let since = Moment::now();
    let rows = sqlx::query(include_str!("../../sql/deliver/lease.sql"))
        .bind(&receiver.name)
        .bind(relay.name())
        .bind(now)
        .bind(lasting.as_secs_f64())
        .bind(i64::try_from(room)?)
        .bind(concurrency)
        .bind(relay.id())
        .fetch_all(conn)
        .await
        .context("leasing due syncs")?;
    Ok(rows.iter().map(|row| read(row, since)).collect::<sqlx::Result<_>>()?)
}

impl Pace {
    fn of(per_second: f64, paced_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let step = Duration::from_secs_f64(1.0 / per_second);
        let first = paced_until.map_or(TimeDelta::zero(), |until| (until - now).max(TimeDelta::zero()));
        let ahead = PACED_AHEAD.saturating_sub(first.to_std().unwrap_or_default());
        let soon = (ahead.as_secs_f64() / step.as_secs_f64()).ceil();
        // One that may begin at once is one, however slow the pace.
        let count = if ahead.is_zero() { 0.0 } else { soon.max(1.0) };
        Self {
            first,
            step: TimeDelta::from_std(step).unwrap_or(TimeDelta::MAX),
            count: count as usize,
        }
    }

    fn at(&self, place: i32) -> TimeDelta {
        self.first + self.step * place
    }
}

fn read(row: &PgRow, since: Moment) -> sqlx::Result<Leased> {
    let mut columns = Columns::of(row);
    let (sequence, lease, sync_id) = (columns.next()?, columns.next()?, columns.next()?);
    let sync_type: String = columns.next()?;
    let (snapshot_id, part, parts, probe) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let (units, removed_units): (i32, i32) = (columns.next()?, columns.next()?);
    let body = columns.next()?;
    let attempts: i32 = columns.next()?;
    let lost = columns.next()?;
    let waits: i32 = columns.next()?;
    let (sealed_at, now): (DateTime<Utc>, DateTime<Utc>) = (columns.next()?, columns.next()?);
    Ok(Leased {
        sequence,
        lease,
        leased_at: now,
        since,
        sync_id,
        is_snapshot: sync_type == "snapshot",
        snapshot_id,
        part,
        parts,
        probe,
        entries: units + removed_units,
        // A snapshot removes by absence.
        has_removals: removed_units > 0 || sync_type == "snapshot",
        body,
        attempts: attempts.unsigned_abs(),
        lost,
        waits: waits.unsigned_abs(),
        age: (now - sealed_at).to_std().unwrap_or_default(),
        feeds: read_feeds(&mut columns)?,
        begin_after: Duration::ZERO,
    })
}

fn read_feeds(columns: &mut Columns<'_>) -> sqlx::Result<Vec<LeasedFeed>> {
    let feeds: Vec<i64> = columns.next()?;
    let properties: Vec<i64> = columns.next()?;
    let external_ids: Vec<String> = columns.next()?;
    let named = feeds.into_iter().zip(properties).zip(external_ids);
    Ok(named
        .map(|((feed_id, property_id), external_id)| LeasedFeed {
            feed_id,
            property_id,
            external_id,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_begin_one_after_another_at_the_receivers_pace() {
        let now = Utc::now();
        let ten = Pace::of(10.0, None, now);
        assert_eq!(
            (ten.count, ten.at(0), ten.at(2)),
            (3, TimeDelta::zero(), TimeDelta::milliseconds(200))
        );
        let busy = Pace::of(10.0, Some(now + TimeDelta::milliseconds(200)), now);
        assert_eq!((busy.count, busy.at(0)), (1, TimeDelta::milliseconds(200)));
        assert_eq!(Pace::of(10.0, Some(now + TimeDelta::milliseconds(250)), now).count, 0);
        assert_eq!(
            Pace::of(10.0, Some(now - TimeDelta::days(1)), now).at(0),
            TimeDelta::zero()
        );
        let slow = Pace::of(0.01, None, now);
        assert_eq!((slow.count, slow.at(1)), (1, TimeDelta::seconds(100)));
    }
}
