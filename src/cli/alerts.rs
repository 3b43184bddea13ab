//! `alerts`.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::print;
use crate::actions::alerts as actions;
use crate::audit::Actor;
use crate::config::Config;
use crate::inspect::alerts::{self as inspect, AlertView};
use crate::words;

#[derive(Subcommand)]
pub(super) enum Alerts {
    /// What nobody has acknowledged yet, the newest first
    List(List),
    /// Say that it is known; should it happen again, that is a new alert
    Ack(Ack),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
    /// Also what was acknowledged, or is over by itself
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

#[derive(Args)]
pub(super) struct Ack {
    /// As `alerts list` names it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// Every one that is open
    #[arg(long)]
    all: bool,
    /// With --all: about this receiver only
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    receiver: Option<String>,
}

pub(super) async fn alerts(config: &Config, command: Alerts) -> Result<()> {
    match command {
        Alerts::List(options) => list(config, &options).await,
        Alerts::Ack(Ack { id: Some(id), .. }) => ack(config, id).await,
        Alerts::Ack(options) => ack_all(config, options.receiver).await,
    }
}

async fn list(config: &Config, options: &List) -> Result<()> {
    let mut conn = connect(config).await?;
    let listing = &options.listing;
    check_receiver(&mut conn, listing).await?;
    let alerts = inspect::alerts(&mut conn, listing.receiver.as_deref(), options.all, options.limit).await?;
    let rows: Vec<_> = alerts
        .iter()
        .map(|alert| columns(alert, options.all))
        .collect::<Result<_>>()?;
    print::rows(
        &rows,
        listing.json,
        if options.all { "no alerts" } else { "no open alerts" },
    )
}

/// Of open alerts all are unacknowledged: a column that says so is of no use.
fn columns(alert: &AlertView, with_acked: bool) -> Result<Map<String, Value>> {
    let Value::Object(mut columns) = serde_json::to_value(alert)? else {
        unreachable!("a struct is an object");
    };
    if !with_acked {
        columns.shift_remove("acked_at");
    }
    Ok(columns)
}

async fn ack(config: &Config, id: i64) -> Result<()> {
    let mut conn = connect_to_write(config).await?;
    actions::acknowledge(&mut conn, &Actor::of_command(), id).await?;
    print::line(&format!("alert {id} acknowledged"))
}

async fn ack_all(config: &Config, receiver: Option<String>) -> Result<()> {
    if receiver.is_none() && config.receivers.len() > 1 {
        config.receiver(None)?;
    }
    let mut conn = connect_to_write(config).await?;
    let listing = Listing { json: false, receiver };
    check_receiver(&mut conn, &listing).await?;
    let acked = actions::acknowledge_all(&mut conn, &Actor::of_command(), listing.receiver.as_deref()).await?;
    print::line(&match acked {
        0 => "no open alerts".to_owned(),
        _ => format!("{} acknowledged", words::count(acked, "alert", "alerts")),
    })
}
