//! The night's snapshot: when it is next, and whether the last one was.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use crate::clock::Clock;
use crate::config;
use crate::snapshot::{latest_night, next_night};
use crate::words::count;

const SCHEDULE: &str = "schedule";

#[derive(FromRow)]
struct Runs {
    missed: bool,
    missed_before: bool,
    finished_at: Option<DateTime<Utc>>,
    drift: Option<i64>,
    failures: Option<i32>,
    started_at: Option<DateTime<Utc>>,
    feeds_done: Option<i32>,
    feeds: Option<i32>,
}

/// When it is next; needs no database.
pub(super) fn next(settings: &config::Snapshot, now: DateTime<Utc>) -> Finding {
    if !settings.enabled {
        return Finding::ok(
            SCHEDULE,
            "off by snapshot.enabled: what no change announces is not found",
        );
    }
    let next = next_night(now, settings).due_at;
    let local = next.with_timezone(&settings.time_zone);
    let what = format!(
        "the next snapshot is due at {} in {}, {}",
        local.format("%Y-%m-%d %H:%M"),
        settings.time_zone,
        next.format("%Y-%m-%d %H:%MZ")
    );
    Finding::ok(SCHEDULE, what)
}

/// How the last one went. The night goes by the database's clock, as for the relay.
pub(super) async fn last(
    conn: &mut PgConnection,
    receiver: &str,
    settings: &config::Snapshot,
) -> Result<Option<Finding>> {
    if !settings.enabled {
        return Ok(None);
    }
    let now = Clock::Database.moment(conn).await?;
    let night = latest_night(now, settings);
    let runs: Option<Runs> = sqlx::query_as(include_str!("../../sql/doctor/night.sql"))
        .bind(receiver)
        .bind(night.date)
        .bind(night.due_at)
        .fetch_optional(conn)
        .await?;
    Ok(runs.map(|runs| runs.finding(night.due_at).about(receiver)))
}

impl Runs {
    fn finding(&self, due_at: DateTime<Utc>) -> Finding {
        let last = match (self.finished_at, self.drift, self.failures) {
            (Some(at), Some(drift), Some(failures)) => {
                let gave_up = if failures > 0 {
                    format!(", {} fell back to deltas", count(failures, "property", "properties"))
                } else {
                    String::new()
                };
                format!(
                    "the last one was done at {}: {drift} differences found{gave_up}",
                    minute(at)
                )
            }
            _ => "none was done yet".to_owned(),
        };
        if self.missed {
            let what = format!("the one of {} has not begun; {last}", minute(due_at));
            let todo = "start `rentsync-relay run`, which catches up at once; with cron: `once --snapshot`";
            return if self.missed_before {
                Finding::wrong(SCHEDULE, format!("{what}: nor the one before it"), todo)
            } else {
                Finding::warning(SCHEDULE, what, todo)
            };
        }
        match (self.started_at, self.feeds_done, self.feeds) {
            (Some(at), Some(done), Some(feeds)) => Finding::ok(
                SCHEDULE,
                format!(
                    "one is under way since {}, {done} of {}; {last}",
                    minute(at),
                    count(feeds, "property", "properties")
                ),
            ),
            _ => Finding::ok(SCHEDULE, last),
        }
    }
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}
