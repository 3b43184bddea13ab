//! `receivers`.

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use sqlx::PgConnection;

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::print;
use crate::actions::receivers as actions;
use crate::audit::Actor;
use crate::config::Config;
use crate::inspect::receivers::{self, ReceiverStanding, Sending};
use crate::words;

#[derive(Subcommand)]
pub(super) enum Receivers {
    /// Every receiver and whether it may be sent to
    List(Listing),
    /// Send nothing until `receivers resume`; changes keep gathering
    Pause {
        /// The receiver's name
        name: String,
    },
    /// Send again at once
    Resume {
        /// The receiver's name
        name: String,
    },
    /// Send it everything again from this database: after a restore, or where this is another database than before
    Resync {
        /// The receiver's name
        name: String,
    },
}

/// Whether a receiver may be sent to; `status` has the rest.
#[derive(Serialize)]
struct Row {
    receiver: String,
    #[serde(flatten)]
    sending: Sending,
}

pub(super) async fn receivers(config: &Config, command: Receivers) -> Result<()> {
    let mut conn = match command {
        Receivers::List(_) => connect(config).await?,
        _ => connect_to_write(config).await?,
    };
    match command {
        Receivers::List(listing) => list(&mut conn, &listing).await,
        Receivers::Pause { name } => pause(&mut conn, &name).await,
        Receivers::Resume { name } => resume(&mut conn, &name).await,
        Receivers::Resync { name } => resync(&mut conn, &name).await,
    }
}

async fn list(conn: &mut PgConnection, listing: &Listing) -> Result<()> {
    check_receiver(conn, listing).await?;
    let receivers = receivers::standings(conn, listing.receiver.as_deref(), None).await?;
    let row = |ReceiverStanding { receiver, sending, .. }| Row { receiver, sending };
    let rows: Vec<Row> = receivers.into_iter().map(row).collect();
    print::rows(&rows, listing.json, "no receiver has been run yet")
}

async fn pause(conn: &mut PgConnection, name: &str) -> Result<()> {
    actions::pause(conn, &Actor::of_command(), name).await?;
    print::line(&format!("receiver {name} paused until `receivers resume {name}`"))
}

async fn resume(conn: &mut PgConnection, name: &str) -> Result<()> {
    actions::resume(conn, &Actor::of_command(), name).await?;
    print::line(&format!("receiver {name} is sent to"))
}

async fn resync(conn: &mut PgConnection, name: &str) -> Result<()> {
    let done = actions::resync(conn, &Actor::of_command(), name).await?;
    if done.accepted {
        print::line(&format!("receiver {name} is fed from this database from now on"))?;
    }
    print::line(&format!(
        "{} given up; {} due a snapshot; numbering goes on above {}; {} removed that came from another server's transactions",
        words::count(done.syncs, "open sync", "open syncs"),
        words::count(done.feeds, "feed", "feeds"),
        done.sequence,
        words::count(done.changes, "change", "changes")
    ))?;
    match done.paused_because {
        None => {
            print::line("the next `run` or `once` sends it everything; a relay that runs does so at its next sweep")
        }
        Some(because) => print::line(&format!(
            "nothing is sent to it yet, it is paused ({because}): `receivers resume {name}`"
        )),
    }
}
