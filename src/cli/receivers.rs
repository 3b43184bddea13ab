//! `receivers`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use super::{Listing, check_receiver, connect, print, unknown_receiver};
use crate::config::Config;

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
}

#[derive(Serialize, FromRow)]
struct Receiver {
    receiver: String,
    state: String,
    paused_because: Option<String>,
    probe_at: Option<DateTime<Utc>>,
    wait_until: Option<DateTime<Utc>>,
}

pub(super) async fn receivers(config: &Config, command: Receivers) -> Result<()> {
    let mut conn = connect(config).await?;
    match command {
        Receivers::List(listing) => list(&mut conn, &listing).await,
        Receivers::Pause { name } => pause(&mut conn, &name).await,
        Receivers::Resume { name } => resume(&mut conn, &name).await,
    }
}

async fn list(conn: &mut PgConnection, listing: &Listing) -> Result<()> {
    check_receiver(conn, listing).await?;
    let receivers: Vec<Receiver> = sqlx::query_as(include_str!("../../sql/status/receivers.sql"))
        .bind(&listing.receiver)
        .fetch_all(conn)
        .await?;
    print::rows(&receivers, listing.json, "no receiver has been run yet")
}

async fn pause(conn: &mut PgConnection, name: &str) -> Result<()> {
    let done = sqlx::query(include_str!("../../sql/deliver/pause_receiver.sql"))
        .bind(name)
        .bind(None::<DateTime<Utc>>)
        .bind("paused by command")
        .bind(None::<f64>)
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(unknown_receiver(name));
    }
    print::line(&format!("receiver {name} paused until `receivers resume {name}`"))
}

async fn resume(conn: &mut PgConnection, name: &str) -> Result<()> {
    let done = sqlx::query(include_str!("../../sql/deliver/resume_receiver.sql"))
        .bind(name)
        .bind(true)
        .execute(conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(unknown_receiver(name));
    }
    print::line(&format!("receiver {name} is sent to"))
}
