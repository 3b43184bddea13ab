//! `refused`: what a receiver doesn't take, and sending it once more.
//!
//! What the relay's own check withholds is no refusal: nobody but the source can put it right. It is listed apart.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::context::{Listing, check_receiver, connect, connect_to_write};
use super::{duplicates, print};
use crate::actions::refused as actions;
use crate::audit::Actor;
use crate::config::Config;
use crate::inspect::receivers::{self, ReceiverStatus, ReceiverWork};
use crate::inspect::withheld;
use crate::states::Withheld;

/// More of a reason than this makes a table unreadable; `--json` has all of it.
const BECAUSE_CHARS_MAX: usize = 80;

#[derive(Subcommand)]
pub(super) enum Refused {
    /// The units that are left out because the receiver doesn't take them
    List(List),
    /// Send refused units once more
    Retry(Retry),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
    /// Instead, the units that the relay's own check withholds: a price of NaN, or what [receivers.NAME.require] rules out
    #[arg(long)]
    invalid: bool,
    /// Instead, the units that are sent and have the same code as another of their property, and in what they differ
    #[arg(long, conflicts_with = "invalid")]
    duplicates: bool,
}

#[derive(Args)]
pub(super) struct Retry {
    /// The unit's id, as `refused list` names it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    unit_id: Option<i64>,
    /// Every refused unit
    #[arg(long)]
    all: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

pub(super) async fn refused(config: &Config, command: Refused) -> Result<()> {
    match command {
        Refused::List(options) => list(config, &options).await,
        Refused::Retry(options) => retry(config, &options).await,
    }
}

async fn list(config: &Config, options: &List) -> Result<()> {
    let mut conn = connect(config).await?;
    let listing = &options.listing;
    check_receiver(&mut conn, listing).await?;
    if options.duplicates {
        return duplicates::list(&mut conn, config, listing).await;
    }
    let (kind, when_empty) = match options.invalid {
        true => (Withheld::Invalid, "every unit can be sealed"),
        false => (Withheld::Refused, "nothing is refused"),
    };
    let mut units = withheld::withheld(&mut conn, listing.receiver.as_deref(), kind).await?;
    if !listing.json {
        units
            .iter_mut()
            .for_each(|unit| unit.because = print::in_a_line(&unit.because, BECAUSE_CHARS_MAX));
    }
    print::rows(&units, listing.json, when_empty)?;
    if listing.json || options.invalid {
        return Ok(());
    }
    mention_others(&receivers::statuses(&mut conn, listing.receiver.as_deref()).await?);
    Ok(())
}

/// Whoever looks for a unit may look here first: invalid ones are missing at the receiver as well.
fn mention_others(statuses: &[ReceiverStatus]) {
    let sum = |of: fn(&ReceiverWork) -> i64| statuses.iter().map(|status| of(&status.work)).sum::<i64>();
    match sum(|work| work.units_withheld_as(Withheld::Invalid)) {
        0 => {}
        1 => eprintln!("1 unit can't be sealed as it is, and is left out as well; see `refused list --invalid`"),
        units => {
            eprintln!(
                "{units} units can't be sealed as they are, and are left out as well; see `refused list --invalid`"
            )
        }
    }
    match sum(|work| work.duplicate_codes) {
        0 => {}
        1 => eprintln!(
            "1 code is carried by several units of its property, which are sent; see `refused list --duplicates`"
        ),
        codes => eprintln!(
            "{codes} codes are carried by several units of their property, which are sent; see `refused list --duplicates`"
        ),
    }
}

async fn retry(config: &Config, options: &Retry) -> Result<()> {
    let receiver = &config.receiver(options.receiver.as_deref())?.name;
    let mut conn = connect_to_write(config).await?;
    let released = actions::retry(&mut conn, &Actor::of_command(), receiver, options.unit_id).await?;
    match released.as_slice() {
        [] => print::line(&format!("nothing is refused by {receiver}"))?,
        [one] => print::line(&format!(
            "unit {} of property {} is sent to {receiver} again",
            one.unit_id, one.property_id
        ))?,
        units => print::line(&format!("{} units are sent to {receiver} again", units.len()))?,
    }
    let paused = released.iter().filter(|unit| unit.feed_is_paused);
    print::paused(paused.map(|unit| unit.property_id))
}
