//! `feeds`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use sqlx::FromRow;

use super::{Listing, check_receiver, connect, print};
use crate::config::Config;
use crate::fault::Fault;

#[derive(Subcommand)]
pub(super) enum Feeds {
    /// Every feed and how it stands
    List(Listing),
    /// Enrol a property, or cover one again that was disabled
    Enable(One),
    /// Have the receiver drop every unit of a property
    Disable(One),
    /// Plan nothing for a property; its changes keep gathering
    Pause(One),
    /// Plan a paused property again
    Resume(One),
}

#[derive(Args)]
pub(super) struct One {
    /// The property's id (`projects.id`)
    property_id: i64,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

#[derive(Serialize, FromRow)]
struct Feed {
    id: i64,
    receiver: String,
    property_id: i64,
    state: String,
    units: i64,
    owed: i64,
    kept_back: i64,
    last_sequence: Option<i64>,
    last_delivered: Option<DateTime<Utc>>,
}

pub(super) async fn feeds(config: &Config, command: Feeds) -> Result<()> {
    match command {
        Feeds::List(listing) => list(config, &listing).await,
        Feeds::Enable(one) => set(config, &one, Change::Enabled(true)).await,
        Feeds::Disable(one) => set(config, &one, Change::Enabled(false)).await,
        Feeds::Pause(one) => set(config, &one, Change::Paused(true)).await,
        Feeds::Resume(one) => set(config, &one, Change::Paused(false)).await,
    }
}

async fn list(config: &Config, listing: &Listing) -> Result<()> {
    let mut conn = connect(config).await?;
    check_receiver(&mut conn, listing).await?;
    let feeds: Vec<Feed> = sqlx::query_as(include_str!("../../sql/status/feeds.sql"))
        .bind(&listing.receiver)
        .fetch_all(&mut conn)
        .await?;
    print::rows(
        &feeds,
        listing.json,
        "no feeds yet: they come with the first `run` or `once`, or by `feeds enable`",
    )
}

#[derive(Clone, Copy)]
enum Change {
    Enabled(bool),
    Paused(bool),
}

impl Change {
    fn said(self) -> &'static str {
        match self {
            Self::Enabled(true) => "enabled: what the receiver lacks is told",
            Self::Enabled(false) => "disabled: the receiver is told to drop its units",
            Self::Paused(true) => "paused: nothing is planned, changes keep gathering",
            Self::Paused(false) => "resumed",
        }
    }
}

async fn set(config: &Config, one: &One, change: Change) -> Result<()> {
    let receiver = &config.receiver(one.receiver.as_deref())?.name;
    let mut conn = connect(config).await?;
    let (enabled, paused) = match change {
        Change::Enabled(enabled) => (Some(enabled), None),
        Change::Paused(paused) => (None, Some(paused)),
    };
    let known: bool = sqlx::query_scalar(include_str!("../../sql/plan/set_feed.sql"))
        .bind(receiver)
        .bind(one.property_id)
        .bind(enabled)
        .bind(paused)
        .fetch_one(&mut conn)
        .await?;
    if !known {
        let lacking = match change {
            Change::Enabled(true) => "the source has no such property",
            _ => "it has no feed; see `feeds list`",
        };
        return Err(Fault::usage(format!(
            "property {} for receiver {receiver}: {lacking}",
            one.property_id
        ))
        .into());
    }
    print::line(&format!(
        "feed of property {} to {receiver} {}",
        one.property_id,
        change.said()
    ))
}
