//! `audit`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::context::{Listing, connect};
use super::print;
use crate::clock::Clock;
use crate::config::Config;
use crate::inspect::audit::{self as inspect, AuditView};
use crate::replay::Window;

/// More of what changed than this makes a table unreadable; `--json` has all of it.
const CHANGED_CHARS_MAX: usize = 80;

#[derive(Subcommand)]
pub(super) enum Audit {
    /// What persons had the relay change, the newest first
    List(List),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
    /// Since then: a time (RFC 3339) or an age like 1h or 2d [default: since ever]
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

/// An action as a line of a table.
#[derive(Serialize)]
struct Line<'a> {
    at: DateTime<Utc>,
    who: &'a str,
    through: &'a str,
    action: &'a str,
    receiver: Option<&'a str>,
    subject: &'a str,
    before: Option<String>,
    after: Option<String>,
}

pub(super) async fn audit(config: &Config, command: Audit) -> Result<()> {
    let Audit::List(options) = command;
    let mut conn = connect(config).await?;
    let since = match &options.since {
        Some(since) => {
            let now = Clock::Database.moment(&mut conn).await?;
            Some(Window::parse(since, None, now)?.since)
        }
        None => None,
    };
    // A receiver that is gone from the settings and the schema still has what was done to it.
    let rows = inspect::audit(&mut conn, options.listing.receiver.as_deref(), since, options.limit).await?;
    if options.listing.json {
        return print::rows(&rows, true, "");
    }
    let lines: Vec<Line> = rows.iter().map(line).collect();
    print::rows(&lines, false, "nothing was done by a person")
}

fn line(row: &AuditView) -> Line<'_> {
    let changed = |side: &Option<Value>| {
        let text = side.as_ref().map(Value::to_string);
        text.map(|text| print::in_a_line(&text, CHANGED_CHARS_MAX))
    };
    Line {
        at: row.at,
        who: &row.who,
        through: &row.through,
        action: &row.action,
        receiver: row.receiver.as_deref(),
        subject: &row.subject,
        before: changed(&row.before),
        after: changed(&row.after),
    }
}
