//! `snapshot`.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgConnection;

use super::context::connect_to_write;
use super::print;
use super::replay::check_delivered;
use super::run::{ready, stop_on_signals};
use crate::actions::again;
use crate::audit::Actor;
use crate::config::{Config, Receiver};
use crate::fault::Fault;
use crate::inspect::{feeds, withheld};
use crate::relay::Relay;
use crate::replay::{self, Undelivered};
use crate::snapshot::{self, Run};
use crate::words::count;

#[derive(Args)]
pub(super) struct Options {
    /// Only this property (`projects.id`)
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Only mark what is due; a relay that runs does the rest
    #[arg(long)]
    pub(super) no_wait: bool,
}

pub(super) async fn snapshot(config: Config, options: Options) -> Result<()> {
    let receiver = config.receiver(options.receiver.as_deref())?.clone();
    let relay = ready(config).await?;
    let mut conn = connect_to_write(&relay.config).await?;
    let (by, now) = (Actor::of_command(), relay.clock.now());
    let run = again::snapshot(&mut conn, &by, &receiver.name, options.property, now).await?;
    let run_id = run.run_id;
    if options.no_wait {
        return print::line(&format!(
            "run {run_id}: {} due a snapshot",
            count(run.feeds, "feed is", "feeds are")
        ));
    }
    let (run, undelivered) = wait(&relay, &receiver, run_id).await?;
    print::line(&format!(
        "run {run_id}: {} of {}, {}, {} found to differ without a change, {} fell back to deltas",
        run.feeds_done,
        count(run.feeds, "feed", "feeds"),
        count(run.units, "unit", "units"),
        run.drift,
        run.failures
    ))?;
    list_withheld(&mut conn, &receiver.name, options.property).await?;
    let paused = feeds::paused(&mut conn, &receiver.name, options.property).await?;
    if paused > 0 {
        return Err(Fault::finding(format!(
            "{} paused and left out; see `feeds list` and `feeds resume`",
            count(paused, "feed is", "feeds are")
        ))
        .into());
    }
    check_delivered(&undelivered)?;
    if run.is_finished {
        return Ok(());
    }
    Err(Fault::finding(format!(
        "{} not delivered: receiver {} is paused; see `status`. What is due stays due",
        count(run.feeds - run.feeds_done, "feed is", "feeds are"),
        receiver.name
    ))
    .into())
}

/// Until every feed of the run is done, or nothing more comes of those that are left.
async fn wait(relay: &Relay, receiver: &Receiver, run_id: i64) -> Result<(Run, Vec<Undelivered>)> {
    let bar = progress();
    let (mut last, mut undelivered) = (None, Vec::new());
    let mut stalled = Stalled::default();
    let look = async |conn: &mut PgConnection| {
        snapshot::advance(conn, &receiver.name, relay.clock.now()).await?;
        let run = snapshot::run(conn, run_id).await?;
        show(&bar, &run);
        last = Some(run);
        if stalled.at(run.feeds_done) {
            let open = snapshot::open_feeds(conn, run.run_id).await?;
            undelivered = replay::stuck(conn, relay, receiver, open).await?.unwrap_or_default();
        }
        Ok(run.is_finished || !undelivered.is_empty())
    };
    let worked = relay.work_until(&receiver.name, &stop_on_signals()?, look).await;
    bar.finish_and_clear();
    worked?;
    let run = last.ok_or_else(|| Fault::finding("the run was never looked at"))?;
    Ok((run, undelivered))
}

/// What is left is asked about one by one, so not while a run gets on, and not at every look.
#[derive(Default)]
struct Stalled {
    feeds_done: i32,
    since: Option<Instant>,
}

impl Stalled {
    const LONG: Duration = Duration::from_secs(1);

    fn at(&mut self, feeds_done: i32) -> bool {
        let is_new = feeds_done != self.feeds_done || self.since.is_none();
        let is_long = self.since.is_some_and(|since| since.elapsed() >= Self::LONG);
        if is_new || is_long {
            (self.feeds_done, self.since) = (feeds_done, Some(Instant::now()));
        }
        !is_new && is_long
    }
}

/// Shown where stderr is a terminal.
fn progress() -> ProgressBar {
    let style = "{bar:30} {pos}/{len} feeds, {msg}, {eta} left";
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, run: &Run) {
    bar.set_length(run.feeds.unsigned_abs().into());
    bar.set_position(run.feeds_done.unsigned_abs().into());
    let seconds = bar.elapsed().as_secs_f64().max(0.001);
    bar.set_message(format!(
        "{}, {:.0} units/s",
        count(run.units, "unit", "units"),
        run.units as f64 / seconds
    ));
}

/// What a snapshot leaves out on purpose is no failure, but no secret either.
async fn list_withheld(conn: &mut PgConnection, receiver: &str, property_id: Option<i64>) -> Result<()> {
    let kept = withheld::counts(conn, receiver, property_id).await?;
    for (kind, units) in kept {
        print::line(&format!("withheld: {units} {kind}"))?;
    }
    Ok(())
}
