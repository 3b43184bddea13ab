//! `map`.

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::context::{connect, connect_to_write};
use super::print;
use crate::audit::Actor;
use crate::config::Config;
use crate::mapping::{self, Kind, Match, Ours, Report};
use crate::words::count;

/// Rows of a report that a person reads; `--json` and `--to` have all.
const SHOWN_MAX: usize = 50;

#[derive(Subcommand)]
pub(super) enum Map {
    /// Take a mapping from a CSV file with the columns kind (property or unit), id (the source's) and theirs; all of it or nothing
    Import(Import),
    /// Print the mapping as CSV, as it is imported
    Export(Export),
    /// What has a mapping; with the partner's own list, what goes with what on both sides
    Report(ReportOptions),
}

#[derive(Args)]
pub(super) struct Import {
    /// An empty `theirs` takes a mapping away
    file: PathBuf,
    /// What the file does not name has no mapping any more
    #[arg(long)]
    replace: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

#[derive(Args)]
pub(super) struct Export {
    /// Also what has no mapping, with nothing under `theirs`
    #[arg(long)]
    all: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

#[derive(Args)]
pub(super) struct ReportOptions {
    /// The partner's list: CSV with the columns kind, theirs, and as far as known name, address (of properties), property (theirs, of units)
    #[arg(long, value_name = "FILE")]
    theirs: Option<PathBuf>,
    /// Write what matches, exactly or likely, to a file that can be read through and imported
    #[arg(long, value_name = "FILE", requires = "theirs")]
    to: Option<PathBuf>,
    /// One JSON array instead of a table
    #[arg(long)]
    json: bool,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

pub(super) async fn map(config: &Config, command: Map) -> Result<()> {
    match command {
        Map::Import(options) => import(config, &options).await,
        Map::Export(options) => export(config, &options).await,
        Map::Report(options) => report(config, &options).await,
    }
}

async fn import(config: &Config, options: &Import) -> Result<()> {
    let receiver = config.receiver(options.receiver.as_deref())?;
    let mut conn = connect_to_write(config).await?;
    let imported = mapping::import(
        &mut conn,
        &Actor::of_command(),
        receiver,
        &options.file,
        options.replace,
    )
    .await?;
    print::line(&format!(
        "{} read; {} and {} are called otherwise since, and what that changes is sent",
        count(imported.rows, "row", "rows"),
        count(imported.properties, "property", "properties"),
        count(imported.units, "unit", "units"),
    ))
}

async fn export(config: &Config, options: &Export) -> Result<()> {
    let receiver = config.receiver(options.receiver.as_deref())?;
    let mut conn = connect(config).await?;
    mapping::export(&mut conn, receiver, io::stdout().lock(), options.all).await
}

async fn report(config: &Config, options: &ReportOptions) -> Result<()> {
    let receiver = config.receiver(options.receiver.as_deref())?;
    let theirs = options.theirs.as_deref().map(mapping::read_theirs).transpose()?;
    let mut conn = connect(config).await?;
    let ours = Ours::read(&mut conn, receiver).await?;
    let report = match &theirs {
        Some(theirs) => mapping::compare(&ours, theirs),
        None => mapping::stored(&ours),
    };
    if let Some(path) = &options.to {
        report.propose(path)?;
    }
    if options.json {
        return print::rows(&report.pairs, true, "");
    }
    print_for_people(&report, theirs.is_some())
}

/// What needs a person first: what matches exactly needs none.
fn print_for_people(report: &Report, is_compared: bool) -> Result<()> {
    for (kind, one) in [(Kind::Property, "properties"), (Kind::Unit, "units")] {
        let of = |how| report.count(kind, how);
        print::line(&match is_compared {
            true => format!(
                "{one}: {} exact, {} likely, {} twice, {} without a counterpart",
                of(Match::Exact),
                of(Match::Likely),
                of(Match::Twice),
                of(Match::None)
            ),
            false => format!(
                "{one}: {} mapped, {} not, {} share a name",
                of(Match::Exact),
                of(Match::None),
                of(Match::Twice)
            ),
        })?;
    }
    let open: Vec<_> = report.pairs.iter().filter(|pair| pair.how != Match::Exact).collect();
    if open.is_empty() {
        return Ok(());
    }
    print::line("")?;
    print::rows(&open[..open.len().min(SHOWN_MAX)], false, "")?;
    match open.len().saturating_sub(SHOWN_MAX) {
        0 => Ok(()),
        more => print::line(&format!("and {more} more: --json has all")),
    }
}
