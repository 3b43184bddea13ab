//! `status`.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;

use super::context::{Listing, check_receiver, connect_to, database};
use super::print;
use crate::config::Config;
use crate::inspect::receivers::{self, ReceiverStanding, ReceiverStatus, ReceiverWork};
use crate::inspect::{alerts, lag};
use crate::words;

/// Of each receiver; `alerts list` has all.
const ALERTS_SHOWN_MAX: i64 = 20;

/// What `status` takes.
#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    listing: Listing,
    /// How long this property's changes take, and how old the oldest is that is not acknowledged
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
}

pub(super) async fn status(config: &Config, options: &Options) -> Result<()> {
    let (database, listing) = (database(config)?, &options.listing);
    let mut conn = connect_to(&database, config).await?;
    check_receiver(&mut conn, listing).await?;
    if let Some(property_id) = options.property {
        let rows = lag::of_property(&mut conn, property_id, listing.receiver.as_deref()).await?;
        return print::rows(
            &rows,
            listing.json,
            &format!("property {property_id} has no feed to any receiver"),
        );
    }
    let rows = receivers::statuses(&mut conn, listing.receiver.as_deref()).await?;
    if listing.json {
        return print::rows(&rows, true, "");
    }
    if let Some((host, all)) = database.host_in_use() {
        print::line(&format!("database at {host}, which takes writes, of {all}"))?;
    }
    for row in &rows {
        print_one(row)?;
        for alert in alerts::alerts(&mut conn, Some(&row.standing.receiver), false, ALERTS_SHOWN_MAX).await? {
            let about = alert.property_id.map_or(String::new(), |id| format!(", property {id}"));
            print::line(&format!(
                "  ! alert {}: {}{about}{}, last {}: {}",
                alert.id,
                alert.kind,
                times(alert.times),
                moment(Some(alert.last_at)),
                words::in_a_line(&alert.message)
            ))?;
        }
    }
    if rows.is_empty() {
        print::line("no receiver has been run yet")?;
    }
    Ok(())
}

fn print_one(row: &ReceiverStatus) -> Result<()> {
    let (standing, work) = (&row.standing, &row.work);
    print::line(&format!("receiver {}: {}", standing.receiver, standing.sending.state))?;
    for (name, value) in sending(standing).into_iter().chain(to_do(work)) {
        print::line(&format!("  {name:<28} {value}"))?;
    }
    Ok(())
}

/// What there is to say of the breaker; nothing where all is well.
fn sending(row: &ReceiverStanding) -> Vec<(&'static str, String)> {
    let (receiver, sending) = (&row.receiver, &row.sending);
    let mut lines = Vec::new();
    if let Some(since) = sending.since {
        lines.push(("paused since", moment(Some(since))));
        lines.push(("because", sending.because.clone().unwrap_or_default()));
        let next = match sending.next_probe {
            Some(at) if sending.failed_probes > 0 => {
                format!("{}, {} failed so far", moment(Some(at)), sending.failed_probes)
            }
            Some(at) => moment(Some(at)),
            None if row.waits_for_resync => format!("none, until `receivers resync {receiver}`"),
            None => format!("none, until `receivers resume {receiver}`"),
        };
        lines.push(("next probe", next));
    }
    if sending.wait_until.is_some() {
        lines.push(("asked to wait until", moment(sending.wait_until)));
    }
    if sending.failures_in_a_row > 0 {
        lines.push(("deliveries failed in a row", sending.failures_in_a_row.to_string()));
    }
    if let Some(concurrency) = sending.concurrency {
        lines.push((
            "requests at once",
            match sending.failures_in_a_row {
                0 => format!("{concurrency}, one more with every sync that it takes: it was overburdened before"),
                _ => format!("{concurrency}, fewer than allowed: it is overburdened"),
            },
        ));
    }
    lines
}

fn to_do(row: &ReceiverWork) -> [(&'static str, String); 8] {
    let see = match (row.units_withheld, row.holds) {
        (0, _) => "",
        (_, 0) => "; see `refused list`",
        _ => "; see `holds list` and `refused list`",
    };
    [
        (
            "feeds",
            format!(
                "{} ({} behind, {} resting, {} paused)",
                row.feeds, row.feeds_behind, row.feeds_cooling_down, row.feeds_paused
            ),
        ),
        (
            "units",
            format!(
                "{} sealed, {} owed{}, {} withheld{see}",
                row.units_sealed,
                row.units_owed,
                of_these(row.units_replayed, "for a replay"),
                row.units_withheld
            ),
        ),
        ("oldest change not delivered", moment(row.oldest_change)),
        ("last hour's changes took", words::lag(row.lag_p50, row.lag_p99)),
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
        ("holds", row.holds.to_string()),
        ("alerts", row.alerts.to_string()),
    ]
}

fn times(times: i32) -> String {
    match times {
        1 => String::new(),
        times => format!(", {times} times"),
    }
}

/// A time, and how far away it is.
fn moment(time: Option<DateTime<Utc>>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let away = Utc::now() - time;
    let distance = humantime::format_duration(Duration::from_secs(away.num_seconds().unsigned_abs()));
    let at = words::moment(time);
    match away.num_seconds() {
        ..0 => format!("{at} (in {distance})"),
        _ => format!("{at} ({distance} ago)"),
    }
}

/// Said only where there are any.
fn of_these(count: i64, what: &str) -> String {
    match count {
        0 => String::new(),
        _ => format!(" ({count} {what})"),
    }
}
