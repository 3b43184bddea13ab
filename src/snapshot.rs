//! Snapshot: every night, and on demand, every feed is compared whole and sealed whole.
//!
//! A run only marks feeds as due; the planner does the rest, feed by feed and in each feed's own order, so a snapshot never
//! overwrites anything newer, no transaction spans the portfolio, and a relay that dies leaves nothing to clean up. Any
//! number of relays may ask for the night's run: one of them begins it. When the night is, is pure.

use anyhow::{Context, Result};
use chrono::{DateTime, Days, LocalResult, NaiveDate, TimeDelta, TimeZone, Utc};
use sqlx::{Connection, FromRow, PgConnection};

use crate::config;
use crate::fault::Fault;
use crate::words::count;

/// A night's date and the moment when its snapshot is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// By the settings' time zone.
    pub date: NaiveDate,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Run {
    /// Which.
    pub run_id: i64,
    /// Every feed is done.
    pub is_finished: bool,
    /// Feeds it began with.
    pub feeds: i32,
    /// Of these, done.
    pub feeds_done: i32,
    /// Units delivered.
    pub units: i64,
    /// Differences that no change had announced.
    pub drift: i64,
    /// Feeds whose snapshot was given up; they fall back to deltas.
    pub failures: i32,
    /// The run that took its feeds over.
    superseded_by: Option<i64>,
}

/// The night that was due last.
pub fn latest_night(now: DateTime<Utc>, settings: &config::Snapshot) -> Night {
    let today = now.with_timezone(&settings.time_zone).date_naive();
    let tonight = night_of(today, settings);
    if tonight.due_at <= now {
        return tonight;
    }
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    night_of(yesterday, settings)
}

/// The night that is due next.
pub fn next_night(now: DateTime<Utc>, settings: &config::Snapshot) -> Night {
    let latest = latest_night(now, settings);
    let next = latest.date.checked_add_days(Days::new(1)).unwrap_or(latest.date);
    night_of(next, settings)
}

/// A time that a clock change skips is the moment of the change; of one that comes twice it is the first.
fn night_of(date: NaiveDate, settings: &config::Snapshot) -> Night {
    let mut local = date.and_time(settings.at);
    loop {
        match settings.time_zone.from_local_datetime(&local) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                return Night {
                    date,
                    due_at: moment.to_utc(),
                };
            }
            // Gaps begin and end on whole minutes, and a day is the longest there was.
            LocalResult::None => local += TimeDelta::minutes(1),
        }
    }
}

/// Begins the run of the night that was due last, unless it was begun or is not owed.
pub async fn begin_scheduled(
    conn: &mut PgConnection,
    receiver: &str,
    settings: &config::Snapshot,
    now: Option<DateTime<Utc>>,
) -> Result<Option<i64>> {
    let moment: DateTime<Utc> = sqlx::query_scalar(include_str!("../sql/connection/moment.sql"))
        .bind(now)
        .fetch_one(&mut *conn)
        .await?;
    let night = latest_night(moment, settings);
    let mut tx = conn.begin().await?;
    let run: Option<i64> = sqlx::query_scalar(include_str!("../sql/snapshot/begin_scheduled.sql"))
        .bind(receiver)
        .bind(night.date)
        .bind(night.due_at)
        .bind(now)
        .fetch_optional(&mut *tx)
        .await
        .context("beginning the night's snapshot")?;
    let Some(run_id) = run else { return Ok(None) };
    let feeds = mark_feeds(&mut tx, run_id).await?;
    tx.commit().await?;
    tracing::info!(
        receiver,
        run_id,
        feeds,
        "the snapshot of {} begins: {}",
        night.date,
        count(feeds, "feed", "feeds")
    );
    Ok(Some(run_id))
}

/// Begins a run now, of one property or of all.
pub async fn begin(
    conn: &mut PgConnection,
    receiver: &str,
    reason: &str,
    property_id: Option<i64>,
    now: Option<DateTime<Utc>>,
) -> Result<i64> {
    let mut tx = conn.begin().await?;
    let run_id: i64 = sqlx::query_scalar(include_str!("../sql/snapshot/begin.sql"))
        .bind(receiver)
        .bind(reason)
        .bind(property_id)
        .bind(now)
        .fetch_one(&mut *tx)
        .await
        .context("beginning a snapshot")?;
    let feeds = mark_feeds(&mut tx, run_id).await?;
    if let (Some(property_id), 0) = (property_id, feeds) {
        return Err(Fault::usage(format!(
            "property {property_id} has no feed to receiver {receiver}, or its feed is paused; see `feeds list`"
        ))
        .into());
    }
    tx.commit().await?;
    Ok(run_id)
}

/// Counts what the unfinished runs have done, and finishes those that are done.
pub async fn advance(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<Vec<Run>> {
    let runs: Vec<Run> = sqlx::query_as(include_str!("../sql/snapshot/advance_runs.sql"))
        .bind(receiver)
        .bind(now)
        .fetch_all(conn)
        .await
        .context("counting a snapshot")?;
    for run in runs.iter().filter(|run| run.is_finished) {
        tracing::info!(
            receiver,
            run_id = run.run_id,
            "the snapshot is done: {}, {}, {} found to differ without a change, {} fell back to deltas",
            count(run.feeds, "feed", "feeds"),
            count(run.units, "unit", "units"),
            run.drift,
            run.failures
        );
    }
    Ok(runs)
}

/// The newest run over every property that is not finished.
pub async fn under_way(conn: &mut PgConnection, receiver: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(include_str!("../sql/snapshot/under_way.sql"))
        .bind(receiver)
        .fetch_optional(conn)
        .await?)
}

/// The feeds that a run still waits for.
pub async fn open_feeds(conn: &mut PgConnection, run_id: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../sql/snapshot/open_feeds.sql"))
        .bind(run_id)
        .fetch_all(conn)
        .await?)
}

/// How a run stands, or the one that took its feeds over.
pub async fn run(conn: &mut PgConnection, run_id: i64) -> Result<Run> {
    let mut run_id = run_id;
    loop {
        let run: Run = sqlx::query_as(include_str!("../sql/snapshot/run.sql"))
            .bind(run_id)
            .fetch_one(&mut *conn)
            .await?;
        match run.superseded_by {
            Some(later) if run.is_finished => run_id = later,
            _ => return Ok(run),
        }
    }
}

async fn mark_feeds(conn: &mut PgConnection, run_id: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../sql/snapshot/mark_feeds.sql"))
        .bind(run_id)
        .fetch_one(conn)
        .await?)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;

    fn settings(at: &str, time_zone: &str) -> config::Snapshot {
        config::Snapshot {
            at: NaiveTime::parse_from_str(at, "%H:%M").unwrap(),
            time_zone: time_zone.parse().unwrap(),
            enabled: true,
        }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_night_is_due_at_its_time_in_its_zone() {
        let edmonton = settings("02:00", "America/Edmonton");
        let before = latest_night(utc("2026-11-25T08:59:59Z"), &edmonton);
        assert_eq!(before.date.to_string(), "2026-11-24");
        let at = latest_night(utc("2026-11-25T09:00:00Z"), &edmonton);
        assert_eq!(
            (at.date.to_string().as_str(), at.due_at),
            ("2026-11-25", utc("2026-11-25T09:00:00Z"))
        );
        assert_eq!(
            next_night(utc("2026-11-25T09:00:00Z"), &edmonton).due_at,
            utc("2026-11-26T09:00:00Z")
        );
    }

    #[test]
    fn a_time_that_the_spring_skips_is_the_moment_of_the_change() {
        let edmonton = settings("02:30", "America/Edmonton");
        // Clocks go from 02:00 to 03:00 MDT on 2026-03-08, at 09:00 UTC.
        let night = latest_night(utc("2026-03-08T12:00:00Z"), &edmonton);
        assert_eq!(
            (night.date.to_string().as_str(), night.due_at),
            ("2026-03-08", utc("2026-03-08T09:00:00Z"))
        );
    }

    #[test]
    fn a_time_that_comes_twice_in_autumn_counts_the_first_time() {
        let edmonton = settings("01:30", "America/Edmonton");
        // Clocks go from 02:00 MDT back to 01:00 MST on 2026-11-01, at 08:00 UTC.
        let first = latest_night(utc("2026-11-01T07:30:00Z"), &edmonton);
        let second = latest_night(utc("2026-11-01T08:30:00Z"), &edmonton);
        assert_eq!(first, second);
        assert_eq!(first.due_at, utc("2026-11-01T07:30:00Z"));
    }

    #[test]
    fn every_night_of_a_year_is_due_once_in_every_kind_of_zone() {
        for zone in [
            "UTC",
            "America/Edmonton",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Africa/Casablanca",
        ] {
            for at in ["00:00", "02:30", "23:59"] {
                let settings = settings(at, zone);
                let mut now = utc("2026-01-01T00:00:00Z");
                let mut nights = Vec::new();
                while now < utc("2027-01-01T00:00:00Z") {
                    let night = latest_night(now, &settings);
                    assert!(night.due_at <= now, "{zone} {at}");
                    nights.push(night);
                    now += TimeDelta::minutes(30);
                }
                nights.dedup();
                assert!((365..=366).contains(&nights.len()), "{zone} {at}: {}", nights.len());
                assert!(
                    nights
                        .windows(2)
                        .all(|pair| pair[0].date < pair[1].date && pair[0].due_at < pair[1].due_at)
                );
            }
        }
    }
}
