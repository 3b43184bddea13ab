//! `syncs`.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde::Serialize;
use sqlx::PgConnection;

use super::context::{Listing, check_receiver, connect};
use super::print;
use crate::config::Config;
use crate::fault::Fault;
use crate::inspect::syncs::{self as inspect, AttemptView, Body, SyncView, Wanted};
use crate::states::SyncState;

#[derive(Subcommand)]
pub(super) enum Syncs {
    /// The newest syncs
    List(List),
    /// One sync and every try of it
    Show(Show),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listing: Listing,
    /// Of this property only
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
    /// In this state only
    #[arg(long, value_parser = PossibleValuesParser::new(SyncState::ALL.iter().map(|state| state.as_str())))]
    state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

#[derive(Args)]
pub(super) struct Show {
    /// As `syncs list` names it
    sync_id: String,
    /// The body that was, or will be, sent
    #[arg(long)]
    body: bool,
    /// One JSON array instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    sync: SyncView,
    tries: Vec<AttemptView>,
}

pub(super) async fn syncs(config: &Config, command: Syncs) -> Result<()> {
    let mut conn = connect(config).await?;
    match command {
        Syncs::List(options) => list(&mut conn, &options).await,
        Syncs::Show(options) => show(&mut conn, &options).await,
    }
}

async fn list(conn: &mut PgConnection, options: &List) -> Result<()> {
    check_receiver(conn, &options.listing).await?;
    let wanted = Wanted {
        receiver: options.listing.receiver.as_deref(),
        property_id: options.property,
        state: options.state.as_deref(),
        ..Wanted::default()
    };
    let syncs = inspect::syncs(conn, wanted, options.limit).await?;
    print::rows(&syncs, options.listing.json, "no such syncs")
}

async fn show(conn: &mut PgConnection, options: &Show) -> Result<()> {
    let sync_id = &options.sync_id;
    let wanted = Wanted {
        sync_id: Some(sync_id),
        ..Wanted::default()
    };
    let Some(sync) = inspect::syncs(conn, wanted, 1).await?.pop() else {
        return Err(Fault::usage(format!(
            "no sync {sync_id}: never sealed here, or pruned; see `syncs list`"
        ))
        .into());
    };
    if options.body {
        return match inspect::body(conn, &sync).await? {
            Body::Kept(body) => print::json_line(&String::from_utf8_lossy(&body)),
            Body::Erased => Err(Fault::finding(format!(
                "the body of {sync_id} was erased, because it carried a unit that `erase` was asked for"
            ))
            .into()),
            Body::Pruned => Err(Fault::finding(format!(
                "the body of {sync_id} was pruned: bodies are kept for retention.syncs after they are settled"
            ))
            .into()),
        };
    }
    let tries = inspect::attempts(conn, &sync).await?;
    if options.json {
        return print::rows(&[Shown { sync, tries }], true, "");
    }
    print::rows(&[sync], false, "")?;
    print::line("")?;
    print::rows(&tries, false, "not tried yet")
}
