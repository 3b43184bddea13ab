//! Connecting to the database, and what every connection agrees on.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::fault::Fault;

pub(crate) const SERVER_VERSION_MIN: i32 = 140_000;

/// Where the database is; made from a URL once, so that no other module sees the password.
#[derive(Clone)]
pub struct Database {
    options: PgConnectOptions,
}

impl Database {
    /// From a `postgres://` URL.
    pub fn from_url(url: &SecretString) -> Result<Self> {
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
            Fault::usage("the database URL is not one: expected postgres://user:password@host:5432/database")
        })?;
        Ok(Self::from_options(named(options, url.expose_secret())))
    }

    /// From options made elsewhere.
    pub fn from_options(options: PgConnectOptions) -> Self {
        // A policy that hides rows would look like an empty source; with this PostgreSQL says so instead.
        // A slow statement is the server's to log: here it would be a page of SQL a line.
        let options = options
            .application_name("rentsync-relay")
            .options([("row_security", "off")])
            .disable_statement_logging();
        Self { options }
    }

    /// One connection; its commits survive a crash of the server, whatever the server's default.
    pub async fn connect(&self) -> Result<PgConnection> {
        // Planning looks up some thousands of keys that were written lately: with the default cost of a random read the
        // ledger would be read whole, and a batch cost as much as the portfolio.
        let settings = [("synchronous_commit", "on"), ("random_page_cost", "1.1")];
        let options = self.options.clone().options(settings);
        let connecting = PgConnection::connect_with(&options);
        let connected = tokio::time::timeout(Duration::from_secs(10), connecting)
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
        let mut conn = connected.map_err(|error| self.unreachable(&error))?;
        sqlx::query(include_str!("../sql/connection/encoding.sql"))
            .execute(&mut conn)
            .await?;
        Ok(conn)
    }

    /// A pool for delivering. A lease or a settled answer that a crash forgets is only repeated under its sync ID, so
    /// these commits are not waited for.
    pub fn pool(&self, options: PgPoolOptions) -> PgPool {
        options
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(self.options.clone().options([("synchronous_commit", "off")]))
    }

    fn unreachable(&self, error: &sqlx::Error) -> Fault {
        let place = match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        };
        let database = self.options.get_database().unwrap_or("(default)");
        Fault::unreachable(format!(
            "the database {database} at {place} could not be reached as {}: {error}; check DATABASE_URL or database.url",
            self.options.get_username()
        ))
    }
}

/// Without a name of its own a URL means the account's, as psql has it.
fn named(options: PgConnectOptions, url: &str) -> PgConnectOptions {
    let has_user = url.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?'])
            .next()
            .is_some_and(|authority| authority.contains('@'))
    }) || url.contains("user=");
    if has_user {
        return options;
    }
    match std::env::var("PGUSER").or_else(|_| std::env::var("USER")) {
        Ok(user) => options.username(&user),
        Err(_) => options.username("postgres"),
    }
}

/// Refuses servers that the relay can't work on.
pub async fn check_server(conn: &mut PgConnection) -> Result<()> {
    let (version, in_recovery): (i32, bool) =
        sqlx::query_as("select current_setting('server_version_num')::integer, pg_is_in_recovery()")
            .fetch_one(conn)
            .await?;
    if version < SERVER_VERSION_MIN {
        return Err(Fault::usage(format!(
            "the server is PostgreSQL {}; the relay needs 14 or newer",
            version / 10_000
        ))
        .into());
    }
    if in_recovery {
        // Its snapshots lack running transactions: changes would be lost.
        return Err(Fault::usage("the server is a standby; point the relay at the primary").into());
    }
    Ok(())
}
