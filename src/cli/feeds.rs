//! `feeds`.

use anyhow::Result;
use clap::{Args, Subcommand};
use sqlx::PgConnection;

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::print;
use crate::config::Config;
use crate::fault::{Fault, sentence};
use crate::inspect::feeds::{self as inspect, FeedView};
use crate::plan::{self, FeedChange};
use crate::words::count;

/// Of a property's name, in a table.
const NAME_CHARS_MAX: usize = 40;

#[derive(Subcommand)]
pub(super) enum Feeds {
    /// Every feed and how it stands
    List(Listing),
    /// Enrol a property, or cover one again that was disabled
    Enable(Enable),
    /// Have the receiver drop every unit of a property
    Disable(One),
    /// Plan nothing for a property; its changes keep gathering
    Pause(One),
    /// Plan a paused property again
    Resume(Resume),
}

#[derive(Args)]
pub(super) struct One {
    /// The property's id (`projects.id`)
    property_id: i64,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

#[derive(Args)]
pub(super) struct Resume {
    /// The property's id (`projects.id`)
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    property_id: Option<i64>,
    /// Every paused property
    #[arg(long)]
    all: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

#[derive(Args)]
pub(super) struct Enable {
    #[command(flatten)]
    one: One,
    /// What the receiver calls the property; without it, `projects.id`
    #[arg(long, value_name = "ID", value_parser = external_id)]
    external_id: Option<String>,
}

fn external_id(text: &str) -> Result<String, String> {
    match text.trim() == text && !text.is_empty() && text.chars().count() <= 200 {
        true => Ok(text.to_owned()),
        false => Err("it has to be 1 to 200 characters, without blanks around them".to_owned()),
    }
}

pub(super) async fn feeds(config: &Config, command: Feeds) -> Result<()> {
    match command {
        Feeds::List(listing) => list(config, &listing).await,
        Feeds::Enable(Enable { one, external_id }) => {
            set(config, &one, Change::Enabled(true), external_id.as_deref()).await
        }
        Feeds::Disable(one) => set(config, &one, Change::Enabled(false), None).await,
        Feeds::Pause(one) => set(config, &one, Change::Paused(true), None).await,
        Feeds::Resume(Resume {
            property_id: Some(property_id),
            receiver,
            ..
        }) => {
            let one = One { property_id, receiver };
            set(config, &one, Change::Paused(false), None).await
        }
        Feeds::Resume(Resume { receiver, .. }) => resume_all(config, receiver.as_deref()).await,
    }
}

async fn list(config: &Config, listing: &Listing) -> Result<()> {
    let mut conn = connect(config).await?;
    check_receiver(&mut conn, listing).await?;
    let mut feeds = inspect::feeds(&mut conn, listing.receiver.as_deref()).await?;
    name(&mut conn, &mut feeds, listing.json).await;
    print::rows(
        &feeds,
        listing.json,
        "no feeds yet: they come with the first `run` or `once`, or by `feeds enable`",
    )
}

/// Names are a help and no more: a source that can't be read leaves them out, and says so.
async fn name(conn: &mut PgConnection, feeds: &mut [FeedView], whole: bool) {
    let names = match inspect::names(conn).await {
        Ok(names) => names,
        Err(error) => {
            return eprintln!("the names of properties could not be read: {}", sentence(&error));
        }
    };
    for feed in feeds {
        let name = names.get(&feed.property_id).cloned().flatten();
        feed.name = match whole {
            true => name,
            false => name.map(|name| print::in_a_line(&name, NAME_CHARS_MAX)),
        };
    }
}

#[derive(Clone, Copy)]
enum Change {
    Enabled(bool),
    Paused(bool),
}

impl Change {
    fn said(self) -> &'static str {
        match self {
            Self::Enabled(true) => {
                "enabled: what the receiver lacks is sent while it is active and among `property_groups`"
            }
            Self::Enabled(false) => "disabled: the receiver is sent the removal of its units",
            Self::Paused(true) => "paused: nothing is planned, changes keep gathering",
            Self::Paused(false) => "resumed",
        }
    }
}

async fn set(config: &Config, one: &One, change: Change, external_id: Option<&str>) -> Result<()> {
    let receiver = &config.receiver(one.receiver.as_deref())?.name;
    let mut conn = connect_to_write(config).await?;
    if let Some(external_id) = external_id {
        check_nothing_sent(&mut conn, receiver, one.property_id, external_id).await?;
    }
    let asked = match change {
        Change::Enabled(enabled) => FeedChange {
            enabled: Some(enabled),
            external_id,
            ..FeedChange::default()
        },
        Change::Paused(paused) => FeedChange {
            paused: Some(paused),
            ..FeedChange::default()
        },
    };
    let known = plan::set_feed(&mut conn, receiver, one.property_id, asked).await?;
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

async fn resume_all(config: &Config, receiver: Option<&str>) -> Result<()> {
    let receiver = &config.receiver(receiver)?.name;
    let mut conn = connect_to_write(config).await?;
    let properties = plan::resume_feeds(&mut conn, receiver).await?;
    print::line(&match properties.len() {
        0 => format!("no property of {receiver} is paused"),
        resumed => format!("{} of {receiver} resumed", count(resumed, "property", "properties")),
    })
}

/// Whoever holds units under one name would keep them beside those under another.
async fn check_nothing_sent(
    conn: &mut PgConnection,
    receiver: &str,
    property_id: i64,
    external_id: &str,
) -> Result<()> {
    let sent = plan::has_another_name(conn, receiver, property_id, external_id).await?;
    if sent {
        return Err(Fault::usage(format!(
            "property {property_id}: receiver {receiver} holds units of it under another id; `feeds disable {property_id}`, \
             wait until their removal is acknowledged (`feeds list` shows 0 units), then enable it with the new id"
        ))
        .into());
    }
    Ok(())
}
