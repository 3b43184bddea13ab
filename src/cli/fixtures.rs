//! `fixtures`: test payloads as files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::context::database;
use super::print;
use crate::config::{Config, Receiver};
use crate::fault::{Fault, sentence};
use crate::fixtures::{Cast, story, write};
use crate::words::count;

#[derive(Args)]
pub(super) struct Options {
    /// Where to write them; it must not be there, or be empty
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// By whose settings; needed where several receivers are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// The same seed gives the same files
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Of this property of the source, with other names for leads, instead of a made-up one
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
}

/// How long the source may take to answer.
const STATEMENT_MAX: Duration = Duration::from_secs(60);

pub(super) async fn fixtures(config: &Config, options: &Options) -> Result<()> {
    let unconfigured = "https://receiver.invalid/v1/rent-roll/sync".parse()?;
    let receiver = match config.receivers.is_empty() && options.receiver.is_none() {
        true => Receiver::new("main", unconfigured),
        false => config.receiver(options.receiver.as_deref())?.clone(),
    };
    let place = options.directory.display();
    if options
        .directory
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Fault::usage(format!(
            "{place} is not empty: name a directory that is, or that is not there yet"
        ))
        .into());
    }
    let cast = match options.property {
        None => Cast::drawn(options.seed),
        Some(property_id) => {
            let available = config.source.available_status_ids()?;
            let mut conn = database(config)?.connect_to_read(STATEMENT_MAX).await?;
            Cast::of_source(&mut conn, property_id, &receiver, available).await?
        }
    };
    let bodies = write(&options.directory, &receiver, &story(&receiver, options.seed, &cast)?)
        .map_err(|error| Fault::usage(sentence(&error)))?;
    print::line(&format!(
        "{} in {place}, by the settings of receiver {}; nothing was sent",
        count(bodies as u64, "body", "bodies"),
        receiver.name
    ))
}
