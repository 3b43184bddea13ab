//! Which feeds a batch plans.

use anyhow::{Context, Result};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::chosen::{ChosenFeed, NOT_ENROLLED, UnreadFeed, read_properties};
use super::scope::{Batch, FEEDS_PER_BATCH_MAX, PlanTarget, UNITS_PER_BATCH_MAX};
use crate::config::{Enroll, Receiver};

/// The planner's own: what it chooses stays as it is until it is sealed.
const CHOOSE_AND_LOCK: &str = concat!(
    include_str!("../../sql/plan/choose_feeds.sql"),
    "   for no key update of f\n"
);
/// For whoever only looks.
const CHOOSE: &str = include_str!("../../sql/plan/choose_feeds.sql");
/// So many feeds a sweep asks for news in one statement.
const FEEDS_PER_LOOK: i64 = 1_000;
/// So many properties are looked at by one statement that enrols.
const PROPERTIES_PER_LOOK: i64 = 2_000;

/// Locks the next feeds with news, as many as fit a batch; the second value says where to go on.
pub(super) async fn choose(
    conn: &mut PgConnection,
    receiver: &Receiver,
    batch: &Batch<'_>,
) -> Result<(Vec<UnreadFeed>, Option<i64>)> {
    let last = window(conn, receiver, batch).await?;
    let rows = match batch.probe {
        None => with_news(conn, CHOOSE_AND_LOCK, receiver, batch, FeedFilter::news(last)).await?,
        Some(_) => to_probe(conn, receiver, batch, last).await?,
    };
    let (feeds, more_after) = fitting(&rows, feeds_max(batch))?;
    Ok((feeds, more_after.or(last)))
}

/// Whether [`choose`] would choose any; by one statement, without the right to plan.
pub(super) async fn has_news(conn: &mut PgConnection, receiver: &Receiver, batch: &Batch<'_>) -> Result<bool> {
    let rows = with_news(conn, CHOOSE, receiver, batch, FeedFilter::news(None)).await;
    // A row that can't be read is the plan's to set aside.
    Ok(rows.map_or(true, |rows| !rows.is_empty()))
}

/// The feed that finds out whether the receiver answers again: one that did not fail, if any has news; else the next one that did.
async fn to_probe(
    conn: &mut PgConnection,
    receiver: &Receiver,
    batch: &Batch<'_>,
    last: Option<i64>,
) -> Result<Vec<PgRow>> {
    let among = |failed| FeedFilter {
        failed: Some(failed),
        ..FeedFilter::news(last)
    };
    let mut rows = with_news(conn, CHOOSE_AND_LOCK, receiver, batch, among(false)).await?;
    // Nobody's turn is missed: what lies before the sweep's place is asked as well before one that failed is.
    for (failed, after) in [(false, 0), (true, batch.after), (true, 0)] {
        if rows.is_empty() && last.is_none() {
            let batch = Batch { after, ..*batch };
            rows = with_news(conn, CHOOSE_AND_LOCK, receiver, &batch, among(failed)).await?;
        }
    }
    Ok(rows)
}

/// Which feeds are looked at.
struct FeedFilter {
    /// None beyond this one.
    last: Option<i64>,
    /// All of them, to be compared as a whole.
    whole: bool,
    /// Only those that failed last, or only those that did not.
    failed: Option<bool>,
}

impl FeedFilter {
    fn news(last: Option<i64>) -> Self {
        Self {
            last,
            whole: false,
            failed: None,
        }
    }
}

/// The last feed that a sweep looks at in one statement; none: there are no more beyond it.
async fn window(conn: &mut PgConnection, receiver: &Receiver, batch: &Batch<'_>) -> Result<Option<i64>> {
    if let PlanTarget::Properties(_) = batch.place {
        return Ok(None);
    }
    Ok(sqlx::query_scalar(include_str!("../../sql/plan/sweep_window.sql"))
        .bind(&receiver.name)
        .bind(batch.after)
        .bind(FEEDS_PER_LOOK)
        .fetch_optional(conn)
        .await?)
}

/// The feeds that [`choose`] would choose, those with them that are yet to be enrolled; locks nothing. `whole`: every one is to
/// be compared as a whole.
pub(crate) async fn forecast_feeds(
    conn: &mut PgConnection,
    receiver: &Receiver,
    batch: &Batch<'_>,
    whole: bool,
) -> Result<(Vec<ChosenFeed>, Option<i64>)> {
    let among = FeedFilter {
        whole,
        ..FeedFilter::news(None)
    };
    let mut rows = with_news(&mut *conn, CHOOSE, receiver, batch, among).await?;
    if receiver.enroll == Enroll::Active {
        let room = feeds_max(batch) - i64::try_from(rows.len())?;
        let new = sqlx::query(include_str!("../../sql/plan/new_feeds.sql"))
            .bind(&receiver.name)
            .bind(&receiver.property_groups)
            .bind(batch.place.properties())
            .bind(batch.after)
            .bind(room)
            .bind(NOT_ENROLLED)
            .fetch_all(&mut *conn)
            .await?;
        rows.extend(new);
    }
    let (feeds, more_after) = fitting(&rows, feeds_max(batch))?;
    Ok((read_properties(conn, receiver, feeds).await?, more_after))
}

fn feeds_max(batch: &Batch<'_>) -> i64 {
    FEEDS_PER_BATCH_MAX.min(i64::try_from(batch.feeds_max).unwrap_or(i64::MAX))
}

async fn with_news(
    conn: &mut PgConnection,
    choose: &'static str,
    receiver: &Receiver,
    batch: &Batch<'_>,
    among: FeedFilter,
) -> Result<Vec<PgRow>> {
    Ok(sqlx::query(choose)
        .bind(&receiver.name)
        .bind(batch.place.properties())
        .bind(batch.now)
        .bind(batch.after)
        .bind(feeds_max(batch))
        .bind(owed_per_feed_max(receiver))
        .bind(among.whole)
        .bind(UNITS_PER_BATCH_MAX)
        .bind(among.last)
        .bind(among.failed.map(|failed| !failed))
        .fetch_all(conn)
        .await?)
}

/// The next feeds beyond one as they stand, news or not, of one property or of all; locks nothing.
pub(crate) async fn every_feed(
    conn: &mut PgConnection,
    receiver: &Receiver,
    property_id: Option<i64>,
    after: i64,
) -> Result<(Vec<ChosenFeed>, Option<i64>)> {
    let rows = sqlx::query(include_str!("../../sql/verify/feeds.sql"))
        .bind(&receiver.name)
        .bind(property_id)
        .bind(after)
        .bind(FEEDS_PER_BATCH_MAX)
        .fetch_all(&mut *conn)
        .await?;
    let (feeds, more_after) = fitting(&rows, FEEDS_PER_BATCH_MAX)?;
    Ok((read_properties(conn, receiver, feeds).await?, more_after))
}

/// As many as fit a batch; the second value says where to go on.
fn fitting(rows: &[PgRow], feeds_max: i64) -> Result<(Vec<UnreadFeed>, Option<i64>)> {
    let full = i64::try_from(rows.len())? == feeds_max;
    let feeds: Vec<_> = rows.iter().map(UnreadFeed::read).collect::<Result<_>>()?;
    let fitting = how_many_fit(&feeds);
    let more_after = (full || fitting < feeds.len()).then(|| feeds[fitting - 1].feed_id());
    Ok((feeds.into_iter().take(fitting).collect(), more_after))
}

/// One more than a request may hold, so that a plan knows that there is more.
pub(super) fn owed_per_feed_max(receiver: &Receiver) -> i64 {
    i64::try_from(receiver.units_per_request_max + 1).unwrap_or(i64::MAX)
}

/// The longest beginning within the bound on units, but at least one feed.
fn how_many_fit(feeds: &[UnreadFeed]) -> usize {
    let mut units = 0;
    feeds
        .iter()
        .take_while(|feed| {
            let first = units == 0;
            units += feed.weight().max(1);
            first || units <= UNITS_PER_BATCH_MAX
        })
        .count()
}

/// Enrols active properties that have no feed yet; `properties` limits where to look. So many at a time that no statement takes
/// longer for being asked of a large portfolio.
pub async fn enroll(conn: &mut PgConnection, receiver: &Receiver, properties: Option<&[i64]>) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let last: Option<i64> = sqlx::query_scalar(include_str!("../../sql/plan/enroll.sql"))
            .bind(&receiver.name)
            .bind(&receiver.property_groups)
            .bind(properties)
            .bind(after)
            .bind(PROPERTIES_PER_LOOK)
            .fetch_one(&mut *conn)
            .await
            .context("enrolling new properties")?;
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}
