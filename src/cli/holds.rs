//! `holds`: removals that wait for a person.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::print;
use crate::actions::holds as actions;
use crate::audit::Actor;
use crate::config::Config;
use crate::hold::{Decided, Decision};
use crate::inspect::holds::{self as inspect, HoldView};
use crate::words;

/// More unit ids than these make a table unreadable; `--units` and `--json` have all of them.
const UNITS_SHOWN_MAX: usize = 8;

/// Nobody reads more lines than these; `--json` has all of them.
const HOLDS_SHOWN_MAX: i64 = 50;
const UNIT_LINES_MAX: i64 = 1_000;

#[derive(Subcommand)]
pub(super) enum Holds {
    /// The holds that wait for a person
    List(List),
    /// The units of a hold are gone indeed: remove them at the receiver
    Approve(Decide),
    /// Keep the units of a hold at the receiver until they are back in the source; `approve` may follow later
    Reject(Decide),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
    /// Also holds that were approved or rejected, or cleared when their units came back
    #[arg(long)]
    all: bool,
    /// One row a unit
    #[arg(long)]
    units: bool,
}

#[derive(Args)]
pub(super) struct Decide {
    /// As `holds list` names it; a hold that units join gets another number
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// Every open hold
    #[arg(long)]
    all: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

/// A hold as a line of a table.
#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    receiver: &'a str,
    property: String,
    state: &'a str,
    units: String,
    removed_before: i64,
    since: DateTime<Utc>,
    unit_ids: String,
}

pub(super) async fn holds(config: &Config, command: Holds) -> Result<()> {
    match command {
        Holds::List(options) if options.units => list_units(config, &options).await,
        Holds::List(options) => list(config, &options).await,
        Holds::Approve(options) => decide(config, &options, Decision::Approve).await,
        Holds::Reject(options) => decide(config, &options, Decision::Reject).await,
    }
}

fn when_empty(options: &List) -> &'static str {
    match options.all {
        true => "there were no holds",
        false => "no removals wait for a person",
    }
}

async fn list(config: &Config, options: &List) -> Result<()> {
    let mut conn = connect(config).await?;
    let listing = &options.listing;
    check_receiver(&mut conn, listing).await?;
    let (receiver, limit) = (listing.receiver.as_deref(), (!listing.json).then_some(HOLDS_SHOWN_MAX));
    let holds = inspect::holds(&mut conn, receiver, options.all, limit).await?;
    if listing.json {
        return print::rows(&holds, true, "");
    }
    print::rows(&holds.iter().map(line).collect::<Vec<_>>(), false, when_empty(options))?;
    let all = inspect::count(&mut conn, receiver, options.all).await?;
    match all - i64::try_from(holds.len())? {
        ..=0 => Ok(()),
        more => print::line(&format!(
            "and {}; `--json` lists all, `holds approve --all` and `holds reject --all` decide about all",
            words::count(more, "more hold", "more holds")
        )),
    }
}

fn line(hold: &HoldView) -> Line<'_> {
    Line {
        id: hold.id,
        receiver: &hold.receiver,
        property: match (hold.property_id, hold.property_ids.len()) {
            (Some(property_id), _) => property_id.to_string(),
            (None, 1) => "all (of 1)".to_owned(),
            (None, properties) => format!("all (of {properties})"),
        },
        state: &hold.state,
        units: format!("{} of {}", hold.units, hold.of_units),
        removed_before: hold.gone,
        since: hold.opened_at,
        unit_ids: in_short(&hold.unit_ids),
    }
}

fn in_short(unit_ids: &[i64]) -> String {
    let shown: Vec<String> = unit_ids.iter().take(UNITS_SHOWN_MAX).map(i64::to_string).collect();
    match unit_ids.len() {
        ..=UNITS_SHOWN_MAX => shown.join(" "),
        more => format!("{} and {} more", shown.join(" "), more - UNITS_SHOWN_MAX),
    }
}

async fn list_units(config: &Config, options: &List) -> Result<()> {
    let mut conn = connect(config).await?;
    let listing = &options.listing;
    check_receiver(&mut conn, listing).await?;
    let limit = (!listing.json).then_some(UNIT_LINES_MAX + 1);
    let units = inspect::units(&mut conn, listing.receiver.as_deref(), options.all, limit).await?;
    let shown = match listing.json {
        true => units.len(),
        false => units.len().min(usize::try_from(UNIT_LINES_MAX)?),
    };
    print::rows(&units[..shown], listing.json, when_empty(options))?;
    match shown < units.len() {
        true => print::line("and more; `--json` lists all"),
        false => Ok(()),
    }
}

async fn decide(config: &Config, options: &Decide, decision: Decision) -> Result<()> {
    let receiver = &config.receiver(options.receiver.as_deref())?.name;
    let mut conn = connect_to_write(config).await?;
    let decided = actions::decide(&mut conn, &Actor::of_command(), receiver, options.id, decision).await?;
    if decided.is_empty() {
        return print::line(&format!("no removals wait for a person at {receiver}"));
    }
    let mut holds = decided.chunk_by(|one, next| one.hold_id == next.hold_id);
    for of_hold in holds.by_ref().take(usize::try_from(HOLDS_SHOWN_MAX)?) {
        print::line(&in_words(receiver, of_hold, decision))?;
    }
    let more = holds.count();
    if more > 0 {
        print::line(&format!(
            "and {} {}: {} in all",
            words::count(i64::try_from(more)?, "more hold", "more holds"),
            decision.as_str(),
            words::count(decided.iter().map(|part| part.units).sum::<i64>(), "unit", "units")
        ))?;
    }
    if decision == Decision::Approve {
        let paused = decided.iter().filter(|part| part.feed_is_paused);
        print::paused(paused.filter_map(|part| part.property_id))?;
    }
    Ok(())
}

/// What was decided about one hold.
fn in_words(receiver: &str, of_hold: &[Decided], decision: Decision) -> String {
    let units: i64 = of_hold.iter().map(|part| part.units).sum();
    let what = words::count(units, "unit", "units");
    let place = match of_hold {
        [one] => one.property_id.map_or(String::new(), |id| format!(" of property {id}")),
        several => format!(" of {} properties", several.len()),
    };
    let then = match decision {
        Decision::Approve => format!("removed at {receiver} now"),
        Decision::Reject => format!("kept at {receiver} until back in the source"),
    };
    format!(
        "hold {} {}: {what}{place} {} {then}",
        of_hold[0].hold_id,
        decision.as_str(),
        if units == 1 { "is" } else { "are" }
    )
}
