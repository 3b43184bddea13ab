//! `status`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::{Listing, check_receiver, connect, print};
use crate::config::Config;

/// How one receiver stands.
#[derive(Serialize, FromRow)]
struct Status {
    receiver: String,
    state: String,
    feeds: i64,
    feeds_behind: i64,
    feeds_resting: i64,
    feeds_paused: i64,
    units_told: i64,
    units_owed: i64,
    /// Of these, units that a replay asked for.
    units_replayed: i64,
    units_kept_back: i64,
    oldest_change: Option<DateTime<Utc>>,
    open_syncs: i64,
    /// Of these, syncs of type replay and redelivered ones.
    open_replays: i64,
    next_try: Option<DateTime<Utc>>,
    last_delivered: Option<DateTime<Utc>>,
    alerts: i64,
}

#[derive(Serialize, FromRow)]
struct OpenAlert {
    id: i64,
    kind: String,
    property_id: Option<i64>,
    times: i32,
    last_at: DateTime<Utc>,
    message: String,
}

pub(super) async fn status(config: &Config, listing: &Listing) -> Result<()> {
    let mut conn = connect(config).await?;
    check_receiver(&mut conn, listing).await?;
    let rows: Vec<Status> = sqlx::query_as(include_str!("../../sql/status/status.sql"))
        .bind(&listing.receiver)
        .fetch_all(&mut conn)
        .await?;
    if listing.json {
        return print::rows(&rows, true, "");
    }
    for row in &rows {
        print_one(row)?;
        let alerts: Vec<OpenAlert> = sqlx::query_as(include_str!("../../sql/status/open_alerts.sql"))
            .bind(&row.receiver)
            .fetch_all(&mut conn)
            .await?;
        for alert in alerts {
            let about = alert.property_id.map_or(String::new(), |id| format!(" property {id}"));
            print::line(&format!(
                "  ! {}{about}, {} times, last {}: {}",
                alert.kind,
                alert.times,
                moment(Some(alert.last_at)),
                alert.message
            ))?;
        }
    }
    if rows.is_empty() {
        print::line("no receiver has been run yet")?;
    }
    Ok(())
}

fn print_one(row: &Status) -> Result<()> {
    let lines = [
        (
            "feeds",
            format!(
                "{} ({} behind, {} resting, {} paused)",
                row.feeds, row.feeds_behind, row.feeds_resting, row.feeds_paused
            ),
        ),
        (
            "units",
            format!(
                "{} told, {} owed{}, {} kept back",
                row.units_told,
                row.units_owed,
                of_these(row.units_replayed, "for a replay"),
                row.units_kept_back
            ),
        ),
        ("oldest change not delivered", moment(row.oldest_change)),
        (
            "open syncs",
            format!(
                "{}{}, next try {}",
                row.open_syncs,
                of_these(row.open_replays, "replayed or redelivered"),
                moment(row.next_try)
            ),
        ),
        ("last delivered", moment(row.last_delivered)),
        ("alerts", row.alerts.to_string()),
    ];
    print::line(&format!("receiver {}: {}", row.receiver, row.state))?;
    for (name, value) in lines {
        print::line(&format!("  {name:<28} {value}"))?;
    }
    Ok(())
}

/// Said only where there are any.
fn of_these(count: i64, what: &str) -> String {
    match count {
        0 => String::new(),
        _ => format!(" ({count} {what})"),
    }
}

fn moment(time: Option<DateTime<Utc>>) -> String {
    time.map_or("-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string())
}
