//! What commands share: the flags of a listing, and how they connect.

use anyhow::Result;
use clap::Args;
use sqlx::PgConnection;

use crate::actions::unknown_receiver;
use crate::capture;
use crate::config::Config;
use crate::database::{Database, check_server};
use crate::inspect::receivers;

/// What every listing takes.
#[derive(Args)]
pub(super) struct Listing {
    /// One JSON array instead of a table
    #[arg(long)]
    pub json: bool,
    /// Of this receiver only
    #[arg(long, value_name = "NAME")]
    pub receiver: Option<String>,
}

/// Connects, and makes sure that this release is installed.
pub(super) async fn connect(config: &Config) -> Result<PgConnection> {
    connect_to(&database(config)?, config).await
}

/// The same for whoever also asks where that is.
pub(super) async fn connect_to(database: &Database, config: &Config) -> Result<PgConnection> {
    let mut conn = database.connect().await?;
    capture::check_usable(database, &config.source, &mut conn).await?;
    Ok(conn)
}

/// The same for what writes: not on a standby, and not where transactions are read-only.
pub(super) async fn connect_to_write(config: &Config) -> Result<PgConnection> {
    let database = database(config)?;
    let mut conn = database.connect().await?;
    check_server(&mut conn).await?;
    capture::check_usable(&database, &config.source, &mut conn).await?;
    Ok(conn)
}

/// A name that was never run is a typing error, not an empty listing.
pub(super) async fn check_receiver(conn: &mut PgConnection, listing: &Listing) -> Result<()> {
    let Some(name) = &listing.receiver else { return Ok(()) };
    match receivers::standing(conn, name, None).await? {
        Some(_) => Ok(()),
        None => Err(unknown_receiver(name)),
    }
}

pub(super) fn database(config: &Config) -> Result<Database> {
    Database::from_config(&config.database)
}
