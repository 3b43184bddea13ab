//! Connecting to the database, and what every connection agrees on.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::fault::Fault;
use crate::words::in_a_line;

pub(crate) const SERVER_VERSION_MIN: i32 = 140_000;

/// What the server has to give up by itself, so that nothing of ours outlives a machine or a network that vanished: its locks
/// are gone within 15 s. A statement may take long, where one property is huge, but not for ever; one that only waits says so.
const BOUNDS: [(&str, &str); 8] = [
    ("default_transaction_isolation", "read committed"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "11000"),
    ("idle_in_transaction_session_timeout", "10000"),
    ("lock_timeout", "30000"),
    ("statement_timeout", "300000"),
];

/// Where the database is; made from a URL once, so that no other module sees the password.
#[derive(Clone)]
pub struct Database {
    options: PgConnectOptions,
}

impl Database {
    /// From a `postgres://` URL.
    pub fn from_url(url: &SecretString) -> Result<Self> {
        let (url, unknown) = known_parameters(url.expose_secret());
        let options = PgConnectOptions::from_str(&url).map_err(|_| {
            Fault::usage("the database URL is not one: expected postgres://user:password@host:5432/database")
        })?;
        if !unknown.is_empty() {
            // Their values may be secrets: a misspelt password is one.
            tracing::warn!(
                "the database URL has parameters that the relay does not know and leaves out: {}; those it knows are {}",
                in_a_line(&unknown.join(", ")),
                PARAMETERS.join(", ")
            );
        }
        Ok(Self::from_options(named(options, &url)))
    }

    /// From options made elsewhere.
    pub fn from_options(options: PgConnectOptions) -> Self {
        // A policy that hides rows would look like an empty source; with this PostgreSQL says so instead.
        // A slow statement is the server's to log: here it would be a page of SQL a line.
        let options = options
            .application_name("rentsync-relay")
            // Parameters of a statement that failed may be a body: they are not for the server's log.
            .options([("row_security", "off"), ("log_parameter_max_length_on_error", "0")])
            .options(BOUNDS)
            .disable_statement_logging();
        Self { options }
    }

    /// One connection; its commits survive a crash of the server, whatever the server's default.
    pub async fn connect(&self) -> Result<PgConnection> {
        // Planning looks up some thousands of keys that were written lately: with the default cost of a random read the
        // ledger would be read whole, and a batch cost as much as the portfolio.
        let settings = [("synchronous_commit", "on"), ("random_page_cost", "1.1")];
        let options = self.options.clone().options(settings);
        let connecting = async {
            let mut conn = PgConnection::connect_with(&options).await?;
            notice_lost_client(&mut conn).await?;
            Ok(conn)
        };
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

/// The parameters of a URL that sqlx takes; it logs any other with its value.
const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[NAME]",
];

/// A URL without the parameters that nobody takes, and the names of those.
pub(crate) fn known_parameters(url: &str) -> (String, Vec<String>) {
    let Some((place, query)) = url.split_once('?') else {
        return (url.to_owned(), Vec::new());
    };
    let name = |parameter: &str| -> String {
        let pair = form_urlencoded::parse(parameter.as_bytes()).next();
        pair.map_or(String::new(), |(name, _)| name.into_owned())
    };
    let is_known = |parameter: &&str| {
        let name = name(parameter);
        PARAMETERS.contains(&name.as_str()) || name.starts_with("options[")
    };
    let all = query.split('&').filter(|parameter| !parameter.is_empty());
    let (known, unknown): (Vec<&str>, Vec<&str>) = all.partition(is_known);
    let unknown = unknown.into_iter().map(name).collect();
    match known.is_empty() {
        true => (place.to_owned(), unknown),
        false => (format!("{place}?{}", known.join("&")), unknown),
    }
}

/// A statement of ours ends in the server soon after the process that waits for it. Not every platform's server can tell: then
/// it ends when it is done, or at its bound.
pub(crate) async fn notice_lost_client(conn: &mut PgConnection) -> sqlx::Result<()> {
    let set = sqlx::query(include_str!("../sql/database/notice_lost_client.sql"));
    match set.execute(conn).await {
        Err(sqlx::Error::Database(_)) => Ok(()),
        set => set.map(|_| ()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_nobody_takes_are_named_without_their_values() {
        let (url, unknown) = known_parameters("postgres://u@h/d?sslmode=disable&pasword=hunter2&options[a]=b&x%5Fy=z&");
        assert_eq!(url, "postgres://u@h/d?sslmode=disable&options[a]=b");
        assert_eq!(unknown, ["pasword", "x_y"]);
        assert_eq!(known_parameters("postgres://h/d?a=1").0, "postgres://h/d");
        assert_eq!(
            known_parameters("postgres://h/d"),
            ("postgres://h/d".to_owned(), vec![])
        );
    }
}
