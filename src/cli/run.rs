//! `run` and `once`.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::context::{connect, connect_to_write, database};
use super::print;
use crate::actions::again;
use crate::audit::Actor;
use crate::config::Config;
use crate::fault::{self, Fault};
use crate::http;
use crate::relay::{GRACE, Pass, Relay, Stop, stopped};
use crate::words::count;

/// How long is waited between looks for a database that is down.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What `run` takes.
#[derive(Args)]
pub(super) struct Options {
    /// Exit with code 3 where the database is down at the start, instead of waiting for it
    #[arg(long)]
    exit: bool,
}

pub(super) async fn run(config: Config, options: &Options) -> Result<()> {
    config.http.check()?;
    let stop = stop_on_signals()?;
    let Some(relay) = ready_once_up(&config, options, stop.clone()).await? else {
        return Ok(());
    };
    let names: Vec<_> = relay.config.receivers.keys().cloned().collect();
    tracing::info!("relay {} runs for {}", relay.name, names.join(", "));
    if let Some(listen) = relay.config.http.listen {
        let (relay, stop) = (relay.clone(), stop.clone());
        tokio::spawn(async move { http::serve(listen, &relay, stop).await });
    }
    relay.run(stop).await?;
    tracing::info!("stopped; nothing is under way");
    Ok(())
}

/// Waits for a database that is down, and says so once; none where that was stopped.
async fn ready_once_up(config: &Config, options: &Options, mut stop: watch::Receiver<Stop>) -> Result<Option<Relay>> {
    let waiting = async {
        let mut is_said = false;
        loop {
            match ready(config.clone()).await {
                Err(error) if fault::is_down(&error) && !options.exit => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!("{}; waiting until it is there", fault::sentence(&error));
                    }
                }
                ready => return ready.map(Some),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        ready = waiting => ready,
        () = stopped(&mut stop, Stop::Finish) => Ok(None),
    }
}

pub(super) async fn once(config: Config, with_snapshot: bool) -> Result<()> {
    let relay = ready(config).await?;
    if with_snapshot {
        let mut conn = connect_to_write(&relay.config).await?;
        let by = Actor::of_command();
        for receiver in relay.config.receivers.keys() {
            again::snapshot(&mut conn, &by, receiver, None, relay.clock.now()).await?;
        }
    }
    let progress = ProgressBar::new_spinner();
    let passed = relay
        .once(&stop_on_signals()?, &mut |pass| {
            progress.set_message(acknowledged(pass));
            progress.tick();
        })
        .await;
    progress.finish_and_clear();
    let pass = passed?;
    let withheld = match pass.withheld {
        0 => String::new(),
        withheld => format!(
            "; {} withheld, see `refused list` and `holds list`",
            count(withheld, "unit is", "units are")
        ),
    };
    print::line(&format!(
        "{}, {} failed{withheld}",
        acknowledged(&pass),
        count(pass.failed, "try", "tries")
    ))?;
    if pass.left > 0 {
        return Err(Fault::finding(format!(
            "{} something undelivered ({} not acknowledged; what changed since may be more); see `rentsync-relay status` and \
             `feeds list`",
            count(pass.left, "feed has", "feeds have"),
            count(pass.unacknowledged, "unit is", "units are")
        ))
        .into());
    }
    Ok(())
}

fn acknowledged(pass: &Pass) -> String {
    format!(
        "{} acknowledged, {} delivered",
        count(pass.acknowledged, "unit", "units"),
        count(pass.delivered, "sync", "syncs")
    )
}

/// Everything that would make planning impossible is said before anything is planned.
pub(super) async fn ready(config: Config) -> Result<Relay> {
    if config.receivers.is_empty() {
        config.receiver(None)?;
    }
    if config.source.available_status_ids.is_none() {
        let mut conn = connect(&config).await?;
        let statuses: Vec<_> = crate::capture::statuses(&mut conn)
            .await?
            .into_iter()
            .map(|status| {
                let id = status.status_id.map_or("null".to_owned(), |id| id.to_string());
                status.status_name.map_or(id.clone(), |name| format!("{id} {name}"))
            })
            .collect();
        config
            .source
            .available_status_ids()
            .map_err(|error| Fault::usage(format!("{error} The source has: {}", statuses.join(", "))))?;
    }
    connect_to_write(&config).await?;
    Ok(Relay::new(database(&config)?, config))
}

/// The first signal asks to finish, the second to stop at once. Whoever asks again hears of the same.
pub(super) fn stop_on_signals() -> Result<watch::Receiver<Stop>> {
    static STOP: OnceLock<watch::Sender<Stop>> = OnceLock::new();
    if let Some(sender) = STOP.get() {
        return Ok(sender.subscribe());
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sender = STOP.get_or_init(|| watch::channel(Stop::No).0);
    tokio::spawn(async move {
        for stop in [Stop::Finish, Stop::Now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stop == Stop::Finish && sender.receiver_count() > 0 {
                tracing::info!("stopping: what is under way may take {GRACE:?}; once more stops at once");
            }
            sender.send_replace(stop);
        }
        std::future::pending::<()>().await;
    });
    Ok(sender.subscribe())
}
