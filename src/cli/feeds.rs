//! `feeds`.

use anyhow::Result;
use clap::{Args, Subcommand};
use sqlx::PgConnection;

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::print;
use crate::actions::feeds::{self as actions, Change};
use crate::audit::Actor;
use crate::config::Config;
use crate::fault::sentence;
use crate::inspect::feeds::{self as inspect, FeedView};
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
        Feeds::Enable(Enable { one, external_id }) => set(config, &one, Change::Enable(external_id.as_deref())).await,
        Feeds::Disable(one) => set(config, &one, Change::Disable).await,
        Feeds::Pause(one) => set(config, &one, Change::Pause).await,
        Feeds::Resume(Resume {
            property_id: Some(property_id),
            receiver,
            ..
        }) => {
            let one = One { property_id, receiver };
            set(config, &one, Change::Resume).await
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

fn said(change: Change<'_>) -> &'static str {
    match change {
        Change::Enable(_) => "enabled: what the receiver lacks is sent while it is active and among `property_groups`",
        Change::Disable => "disabled: the receiver is sent the removal of its units",
        Change::Pause => "paused: nothing is planned, changes keep gathering",
        Change::Resume => "resumed",
    }
}

async fn set(config: &Config, one: &One, change: Change<'_>) -> Result<()> {
    let receiver = &config.receiver(one.receiver.as_deref())?.name;
    let mut conn = connect_to_write(config).await?;
    actions::set(&mut conn, &Actor::of_command(), receiver, one.property_id, change).await?;
    print::line(&format!(
        "feed of property {} to {receiver} {}",
        one.property_id,
        said(change)
    ))
}

async fn resume_all(config: &Config, receiver: Option<&str>) -> Result<()> {
    let receiver = &config.receiver(receiver)?.name;
    let mut conn = connect_to_write(config).await?;
    let properties = actions::resume_all(&mut conn, &Actor::of_command(), receiver).await?;
    print::line(&match properties.len() {
        0 => format!("no property of {receiver} is paused"),
        resumed => format!("{} of {receiver} resumed", count(resumed, "property", "properties")),
    })
}
