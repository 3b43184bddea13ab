//! `replay` and `redeliver`.

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::context::{connect, connect_to_write};
use super::print;
use super::run::{ready, stop_on_signals};
use crate::actions::again;
use crate::audit::Actor;
use crate::clock::Clock;
use crate::config::{Config, Receiver};
use crate::fault::Fault;
use crate::relay::Relay;
use crate::replay::{self, Outcome, Request, SelectedFeed, Selection, Undelivered, Window, Withholding};
use crate::states::SyncState;
use crate::words;

/// Properties that an error names.
const NAMED_MAX: usize = 5;

#[derive(Args)]
#[command(after_long_help = "\
Every unit that was in a request since T, and every unit touched since T, is sent again in its present state; removals \
too. Where a whole property was touched it is sent again whole. Choose T well before the receiver lost anything: what it \
has already is only sent twice.

Waits until everything is delivered, whether or not a `run` is at work, and exits 1 when something is not: the receiver \
is paused, a feed is paused, a request was given up. Units that are withheld (invalid, refused, held) are listed.")]
pub(super) struct Replay {
    /// From then on: a time (RFC 3339) or an age like 1h or 2d
    #[arg(long, value_name = "T")]
    since: String,
    /// Until then [default: now]
    #[arg(long, value_name = "T")]
    until: Option<String>,
    /// Of this property only
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Count and list, and move nothing
    #[arg(long)]
    dry_run: bool,
    /// Mark, and leave the rest to a relay that runs
    #[arg(long)]
    pub(super) no_wait: bool,
    /// One JSON array instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_long_help = "\
Redelivering a delivered sync helps only a receiver that lost its state: any other knows the sync ID, and answers as it \
did before without applying anything.

Refused where a later sync of the same property was delivered or given up, because the old bytes would undo it; with \
--force they are sent all the same, and the present state of what they carry is sent after them. Refused in any case while \
another sync of the property is under way. `replay` is nearly always what you want.")]
pub(super) struct Redeliver {
    /// As `syncs list` names it
    sync_id: String,
    /// Also over later syncs of the same property
    #[arg(long)]
    force: bool,
    /// Open it, and leave the rest to a relay that runs
    #[arg(long)]
    pub(super) no_wait: bool,
}

/// One property of a replay.
#[derive(Serialize)]
struct Row<'a> {
    receiver: &'a str,
    property_id: i64,
    units: usize,
    removals: usize,
    snapshot: bool,
    /// Units that are sent once they can be.
    withheld: Vec<i64>,
    outcome: String,
}

pub(super) async fn replay(config: Config, options: &Replay) -> Result<()> {
    let receiver = config.receiver(options.receiver.as_deref())?.clone();
    let mut conn = match options.dry_run {
        true => connect(&config).await?,
        false => connect_to_write(&config).await?,
    };
    let now = Clock::Database.moment(&mut conn).await?;
    let request = Request {
        receiver: &receiver,
        window: Window::parse(&options.since, options.until.as_deref(), now)?,
        property: options.property,
    };
    if options.dry_run {
        let asked = replay::look(&mut conn, &request).await?;
        return report(&receiver, &asked, options.json, |_| "would be sent".to_owned());
    }
    let relay = match options.no_wait {
        true => None,
        false => Some(ready(config).await?),
    };
    let mut asked = again::replay(&mut conn, &Actor::of_command(), &request).await?;
    drop(conn);
    let Some(relay) = relay else {
        return report(&receiver, &asked, options.json, |_| "marked".to_owned());
    };
    let outcome = wait(&relay, &receiver, asked.feed_ids()).await?;
    for feed in &mut asked.feeds {
        feed.withheld = outcome.withheld_of(feed.property_id);
    }
    report(&receiver, &asked, options.json, |feed| {
        let missed = outcome
            .undelivered
            .iter()
            .find(|missed| missed.property_id == feed.property_id);
        match (missed, feed.withheld.len()) {
            (Some(missed), _) => missed.because.clone(),
            (None, 0) => "delivered".to_owned(),
            (None, withheld) => {
                let units = words::count(withheld, "unit withheld", "units withheld");
                format!("delivered, but for {units}")
            }
        }
    })?;
    list_withheld(&outcome.withheld, options.json)?;
    check_delivered(&outcome.undelivered)
}

pub(super) async fn redeliver(config: Config, options: &Redeliver) -> Result<()> {
    let sync_id = &options.sync_id;
    let mut conn = connect_to_write(&config).await?;
    let Some(name) = replay::receiver_of(&mut conn, sync_id).await? else {
        return Err(Fault::usage(format!(
            "no sync {sync_id}: never sealed here, or pruned; see `syncs list`"
        ))
        .into());
    };
    let receiver = config.receiver(Some(&name))?.clone();
    let relay = match options.no_wait {
        true => None,
        false => Some(ready(config).await?),
    };
    let opened = again::redeliver(&mut conn, &Actor::of_command(), &receiver, sync_id, options.force).await?;
    let after_it = match opened.forced {
        true => "; what it carries is sent in its present state after it",
        false => "",
    };
    let Some(relay) = relay else {
        return print::line(&format!("{sync_id} is open again{after_it}"));
    };
    let outcome = wait(&relay, &receiver, opened.feeds).await?;
    let state = replay::state_of(&mut conn, sync_id).await?;
    let said = state.map_or("", SyncState::as_str);
    print::line(&format!("{sync_id} {said}{after_it}"))?;
    list_withheld(&outcome.withheld, false)?;
    check_delivered(&outcome.undelivered)?;
    match state {
        Some(SyncState::Delivered) => Ok(()),
        _ => Err(Fault::finding(format!(
            "{sync_id} was not acknowledged ({said}); see `syncs show {sync_id}`"
        ))
        .into()),
    }
}

/// Drives the stages, under a bar where somebody looks.
async fn wait(relay: &Relay, receiver: &Receiver, feeds: Vec<i64>) -> Result<Outcome> {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} properties{msg}")?;
    let bar = ProgressBar::new(u64::try_from(feeds.len())?).with_style(style);
    let stop = stop_on_signals()?;
    let outcome = replay::wait(relay, receiver, feeds, &stop, &mut |progress| {
        bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
        bar.set_message(match progress.owed {
            0 => String::new(),
            owed => format!(", {} to go", words::count(owed, "unit", "units")),
        });
    })
    .await;
    bar.finish_and_clear();
    outcome
}

fn report(receiver: &Receiver, asked: &Selection, json: bool, outcome: impl Fn(&SelectedFeed) -> String) -> Result<()> {
    let row = |feed: &SelectedFeed| Row {
        receiver: &receiver.name,
        property_id: feed.property_id,
        units: feed.units,
        removals: feed.removals,
        snapshot: feed.sent_whole,
        withheld: feed.withheld.clone(),
        outcome: outcome(feed),
    };
    let rows: Vec<_> = asked.feeds.iter().map(row).collect();
    print::rows(&rows, json, "nothing was sent or touched in that time")?;
    if json || rows.is_empty() {
        return Ok(());
    }
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    print::line(&format!(
        "{}: {}, {}, {}",
        words::count(rows.len(), "property", "properties"),
        words::count(sum(|row| row.units), "unit", "units"),
        words::count(sum(|row| row.removals), "removal", "removals"),
        words::count(sum(|row| usize::from(row.snapshot)), "snapshot", "snapshots")
    ))
}

fn list_withheld(withheld: &[Withholding], json: bool) -> Result<()> {
    for unit in withheld.iter().filter(|_| !json) {
        print::line(&format!(
            "withheld: unit {} of property {}, {}",
            unit.unit_id, unit.property_id, unit.withheld
        ))?;
    }
    Ok(())
}

pub(super) fn check_delivered(undelivered: &[Undelivered]) -> Result<()> {
    if undelivered.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = undelivered
        .iter()
        .take(NAMED_MAX)
        .map(|missed| format!("property {}: {}", missed.property_id, missed.because))
        .collect();
    let beyond = match undelivered.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Fault::finding(format!(
        "not everything was delivered; it stays owed and is sent when that is possible. {}{beyond}",
        named.join("; ")
    ))
    .into())
}
