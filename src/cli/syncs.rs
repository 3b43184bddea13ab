//! `syncs`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use super::context::{Listing, check_receiver, connect};
use super::print;
use crate::config::Config;
use crate::fault::Fault;
use crate::payload::decompressed;
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

#[derive(Serialize, FromRow)]
struct Sync {
    id: String,
    receiver: String,
    property_id: Option<i64>,
    properties: i64,
    sequence: i64,
    #[serde(skip)]
    number: i64,
    sync_type: String,
    state: String,
    units: i32,
    removed_units: i32,
    body_bytes: i32,
    attempts: i32,
    sealed_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    settled_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, FromRow)]
struct Attempt {
    attempt: i32,
    relay: String,
    started_at: DateTime<Utc>,
    seconds: Option<f64>,
    outcome: String,
    status: Option<i32>,
    error: Option<String>,
    answer: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    sync: Sync,
    tries: Vec<Attempt>,
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
    let syncs = read(
        conn,
        options.listing.receiver.as_deref(),
        options.property,
        options.state.as_deref(),
        None,
        options.limit,
    )
    .await?;
    print::rows(&syncs, options.listing.json, "no such syncs")
}

async fn read(
    conn: &mut PgConnection,
    receiver: Option<&str>,
    property_id: Option<i64>,
    state: Option<&str>,
    sync_id: Option<&str>,
    limit: i64,
) -> Result<Vec<Sync>> {
    Ok(sqlx::query_as(include_str!("../../sql/status/syncs.sql"))
        .bind(receiver)
        .bind(property_id)
        .bind(state)
        .bind(sync_id)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

async fn show(conn: &mut PgConnection, options: &Show) -> Result<()> {
    let sync_id = &options.sync_id;
    let Some(sync) = read(conn, None, None, None, Some(sync_id), 1).await?.pop() else {
        return Err(Fault::usage(format!(
            "no sync {sync_id}: never sealed here, or pruned; see `syncs list`"
        ))
        .into());
    };
    if options.body {
        let (body, gone): (Option<Vec<u8>>, Option<String>) = sqlx::query_as(include_str!("../../sql/replay/body.sql"))
            .bind(sync.sequence)
            .fetch_one(conn)
            .await?;
        let Some(body) = body else {
            return Err(Fault::finding(no_body(sync_id, gone.as_deref())).into());
        };
        return print::json_line(&String::from_utf8_lossy(&decompressed(&body)?));
    }
    let tries: Vec<Attempt> = sqlx::query_as(include_str!("../../sql/status/attempts.sql"))
        .bind(sync.number)
        .fetch_all(conn)
        .await?;
    if options.json {
        return print::rows(&[Shown { sync, tries }], true, "");
    }
    print::rows(&[sync], false, "")?;
    print::line("")?;
    print::rows(&tries, false, "not tried yet")
}

fn no_body(sync_id: &str, gone: Option<&str>) -> String {
    match gone {
        Some("erased") => {
            format!("the body of {sync_id} was erased, because it told a unit that `erase` was asked for")
        }
        _ => format!("the body of {sync_id} was pruned: bodies are kept for retention.syncs after they are settled"),
    }
}
