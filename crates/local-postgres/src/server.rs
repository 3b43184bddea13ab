//! A server to make scratch databases on: the one `DATABASE_URL` names, else a private one.
//!
//! On a given server it touches only databases that it is asked to create and drop.

use std::env::{self, VarError};

use anyhow::{Context, Result, bail};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tracing::subscriber::{NoSubscriber, with_default};

use super::account;
use super::cluster::{Durability, LocalPostgres, percent_encoded};

/// A server to make scratch databases on: `DATABASE_URL`'s when set, else a private one.
#[derive(Debug)]
pub enum Server {
    /// Somebody's; it stays.
    Given(Box<Given>),
    /// Goes with this value.
    Private(LocalPostgres),
}

/// A server that a URL names.
#[derive(Debug)]
pub struct Given {
    url: DatabaseUrl,
    options: PgConnectOptions,
}

impl Server {
    /// The server of `DATABASE_URL` when that is set and not empty, unasked whether it
    /// answers; else a private one, started here (see [`LocalPostgres::start`]).
    pub fn start(durability: Durability) -> Result<Self> {
        match env::var("DATABASE_URL") {
            Ok(url) if !url.is_empty() => Self::given(&url).context("DATABASE_URL can't be used"),
            Err(VarError::NotUnicode(_)) => bail!("DATABASE_URL isn't UTF-8"),
            _ => LocalPostgres::start(durability).map(Self::Private),
        }
    }

    /// The server that a URL names.
    pub fn given(url: &str) -> Result<Self> {
        let url = DatabaseUrl::parse(url)?.with_user(default_user);
        // What sqlx doesn't know it would log, with its value.
        let parse = || url.to_string(&url.database).parse();
        let options = with_default(NoSubscriber::new(), parse)?;
        Ok(Self::Given(Box::new(Given { url, options })))
    }

    /// The URL of a database on this server.
    pub fn url(&self, database: &str) -> String {
        match self {
            Self::Given(given) => given.url.to_string(&percent_encoded(database)),
            Self::Private(private) => private.url(database),
        }
    }

    /// How to connect to a database on this server.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        match self {
            Self::Given(given) => given.options.clone().database(database),
            Self::Private(private) => private.options(database),
        }
    }

    /// Whether the server goes with this value.
    pub fn is_private(&self) -> bool {
        matches!(self, Self::Private(_))
    }

    /// Creates a database, as a copy of another where one is named. Nobody may be connected
    /// to that other one.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<()> {
        let mut statement = format!("create database {}", quoted(name));
        if let Some(template) = template {
            statement.push_str(&format!(" template {}", quoted(template)));
        }
        self.execute(statement).await
    }

    /// Drops a database if there is one, and the connections to it.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let statement = format!("drop database if exists {} with (force)", quoted(name));
        self.execute(statement).await
    }

    async fn execute(&self, statement: String) -> Result<()> {
        let mut connection: PgConnection = self.home().connect().await.context("can't connect")?;
        let context = format!("can't {statement}");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .context(context)?;
        connection.close().await?;
        Ok(())
    }

    /// A database that is there, to give statements about other databases from.
    fn home(&self) -> PgConnectOptions {
        match self {
            Self::Given(given) if given.options.get_database().is_some() => given.options.clone(),
            _ => self.options("postgres"),
        }
    }
}

/// A PostgreSQL URL in parts, each still percent-encoded.
#[derive(Debug)]
struct DatabaseUrl {
    scheme: String,
    authority: String,
    database: String,
    /// Without `dbname`, which would outvote the database in the path.
    parameters: Vec<String>,
}

impl DatabaseUrl {
    fn parse(url: &str) -> Result<Self> {
        let Some((scheme @ ("postgres" | "postgresql"), rest)) = url.split_once("://") else {
            bail!("a PostgreSQL URL starts with postgres:// or postgresql://");
        };
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = address.split_once('/').unwrap_or((address, ""));
        let all = query.split('&').filter(|parameter| !parameter.is_empty());
        let (dbname, parameters): (Vec<&str>, _) = all.partition(|each| each.starts_with("dbname="));
        let named = dbname.last().and_then(|each| each.strip_prefix("dbname="));
        Ok(Self {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            database: named.unwrap_or(path).to_owned(),
            parameters: parameters.into_iter().map(str::to_owned).collect(),
        })
    }

    /// As a parameter rather than in the authority, where a user without a host is not allowed.
    fn with_user(mut self, default: fn() -> Option<String>) -> Self {
        if !self.names_user()
            && let Some(user) = default()
        {
            self.parameters.push(format!("user={}", percent_encoded(&user)));
        }
        self
    }

    fn names_user(&self) -> bool {
        let in_authority = self.authority.rsplit_once('@');
        in_authority.is_some_and(|(user, _)| !user.is_empty() && !user.starts_with(':'))
            || self.parameters.iter().any(|each| each.starts_with("user="))
    }

    fn to_string(&self, database: &str) -> String {
        let Self { scheme, authority, .. } = self;
        let url = format!("{scheme}://{authority}/{database}");
        match self.parameters.as_slice() {
            [] => url,
            parameters => format!("{url}?{}", parameters.join("&")),
        }
    }
}

/// libpq's default. sqlx's own is "anonymous" as soon as PGUSER isn't set.
fn default_user() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    set("PGUSER").or_else(account::own_name).or_else(|| set("USER"))
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
