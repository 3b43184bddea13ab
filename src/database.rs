//! Connecting to the database, and what every connection agrees on.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use futures_util::future::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::config::{self, Tls, url_of_each};
use crate::fault::Fault;
use crate::words::in_a_line;
use hosts::{Answer, CONNECTING_TAKES_MAX, Hosts, at};
pub(crate) use server::SERVER_VERSION_MIN;
pub use server::check_server;
pub(crate) use server::{distributed, distributed_words, engine};
pub use trust::SchemaOwner;
use trust::{SourceObjection, Trust};
use unreachable::{none_writable, unreachable};
pub(crate) use url::mode_name;
use url::{PARAMETERS, is_local, is_well_formed, known_parameters, named, proven};

mod engine;
mod files;
mod hosts;
mod server;
pub mod statements;
mod trust;
mod unreachable;
mod url;

/// What no name, type or operator of ours is looked up beyond: where `public` is writable, somebody's
/// `public.hashtextextended(text, integer)` would be a better match than the server's own.
const PATH: [(&str, &str); 1] = [("search_path", "pg_catalog, pg_temp")];
/// Under a stricter isolation our reads of the source would have the application's own transactions fail.
const SESSION: [(&str, &str); 5] = [
    ("default_transaction_isolation", "read committed"),
    // Compiling a statement that is expected to be long took seconds where running it took tenths.
    ("jit", "off"),
    // A plan that was made while a table was small reads all of it once it is large: nobody says when that is, in a database that is
    // not analysed. So every plan goes by an index, and can be kept: making it costs more than a single edit's statements do.
    ("enable_seqscan", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    // A table without an index to go by looks as dear as can be then, and workers would be started to share it.
    ("max_parallel_workers_per_gather", "0"),
];

/// What statements of ours rely on, and a database's owner or whoever may alter the role may have set otherwise. DateStyle, TimeZone,
/// client_encoding and extra_float_digits are not among them, because the driver sets them itself; nor is what none of ours reads.
const RELIED_ON: [(&str, &str); 5] = [
    // Strings of ours have backslashes in them, in views as well; and a file of source functions is split as the server then reads it.
    ("standard_conforming_strings", "on"),
    // Types and names are compared with what the catalogs print.
    ("quote_all_identifiers", "off"),
    // A mistake in a file of source functions is `install`'s to find, not planning's.
    ("check_function_bodies", "on"),
    // Our tables are updated row by row, which others can't.
    ("default_table_access_method", "heap"),
    // What fails may be tried again, and needs the connection for that.
    ("exit_on_error", "off"),
];

/// What the server has to give up by itself, so that nothing of ours outlives a machine or a network that vanished: its locks
/// are gone within 15 s. A statement may take long, where one property is huge, but not for ever; one that only waits says so.
const BOUNDS: [(&str, &str); 7] = [
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
    hosts: Arc<Hosts>,
    /// The schemas along the role's own search_path, once a connection has been asked.
    own_path: Arc<OnceLock<Vec<String>>>,
    trust: Arc<Trust>,
}

impl Database {
    /// Where the settings say.
    pub fn from_config(settings: &config::Database) -> Result<Self> {
        Ok(Self::from_url_with(settings.url()?, settings.tls)?.trusting(settings.schema_owner.clone()))
    }

    /// From a `postgres://` URL.
    pub fn from_url(url: &SecretString) -> Result<Self> {
        Self::from_url_with(url, None)
    }

    fn from_url_with(url: &SecretString, tls: Option<Tls>) -> Result<Self> {
        let given = url.expose_secret();
        let (url, unknown) = known_parameters(given);
        let malformed = || {
            Fault::usage(
                "the database URL is not one: expected postgres://user:password@host:5432/database (a user with a colon in it: ?user=)",
            )
        };
        if !is_well_formed(given) {
            return Err(malformed().into());
        }
        let environment = |name: &str| std::env::var(name).ok();
        let urls = url_of_each(&url, environment).map_err(|why| Fault::usage(format!("the database URL: {why}")))?;
        let options = urls.iter().map(|url| PgConnectOptions::from_str(url).ok());
        let options: Vec<_> = options.collect::<Option<_>>().ok_or_else(malformed)?;
        if !unknown.is_empty() {
            // Their values may be secrets: a misspelt password is one.
            tracing::warn!(
                "the database URL has parameters that the relay does not know and leaves out: {}; those it knows are {}",
                in_a_line(&unknown.join(", ")),
                PARAMETERS.join(", ")
            );
        }
        files::check(&url)?;
        let options = options
            .into_iter()
            .map(|options| Ok(named(proven(options, &url, tls)?, &url)));
        Ok(Self::from_hosts(options.collect::<Result<_>>()?))
    }

    /// What the server in use has to prove, and whether it is on this machine.
    pub(crate) fn tls(&self) -> (PgSslMode, bool) {
        let options = self.hosts.in_use();
        (options.get_ssl_mode(), is_local(options))
    }

    /// The host in use and all of them, where there are several.
    pub(crate) fn host_in_use(&self) -> Option<(String, String)> {
        (self.hosts.all.len() > 1).then(|| (at(self.hosts.in_use()), self.hosts.named()))
    }

    /// How often another host came to be used: a connection made before is to none that counts.
    pub(crate) fn moves(&self) -> u64 {
        self.hosts.moves()
    }

    /// From options made elsewhere.
    pub fn from_options(options: PgConnectOptions) -> Self {
        Self::from_hosts(vec![options])
    }

    fn from_hosts(hosts: Vec<PgConnectOptions>) -> Self {
        Self {
            hosts: Arc::new(Hosts::new(hosts.into_iter().map(Self::bounded).collect())),
            own_path: Arc::default(),
            trust: Arc::default(),
        }
    }

    fn bounded(options: PgConnectOptions) -> PgConnectOptions {
        // A policy that hides rows would look like an empty source; with this PostgreSQL says so instead.
        // A slow statement is the server's to log: here it would be a page of SQL a line.
        options
            .application_name("rentsync-relay")
            // Parameters of a statement that failed may be a body: they are not for the server's log.
            .options([("row_security", "off"), ("log_parameter_max_length_on_error", "0")])
            .options(BOUNDS)
            .disable_statement_logging()
    }

    /// One connection; its commits survive a crash of the server, whatever the server's default.
    pub async fn connect(&self) -> Result<PgConnection> {
        let mut conn = self.connect_unremembered().await?;
        statements::remember(session(self.hosts.in_use()).options(PATH), &mut conn).await?;
        Ok(conn)
    }

    /// What it has under way no interruption of this process ends.
    async fn connect_unremembered(&self) -> Result<PgConnection> {
        // Planning looks up some thousands of keys that were written lately: with the default cost of a random read the
        // ledger would be read whole, and a batch cost as much as the portfolio.
        let settings: [(&'static str, &'static str); 2] = [("synchronous_commit", "on"), ("random_page_cost", "1.1")];
        let mut conn = match self.hosts.all.as_slice() {
            [only] => {
                let connected = tokio::time::timeout(CONNECTING_TAKES_MAX, self.open(only, &settings))
                    .await
                    .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
                connected.map_err(|error| unreachable(only, &error))?
            }
            _ => {
                let database = self.clone();
                let ask = move |host| {
                    let database = database.clone();
                    async move { database.ask(&host, &settings).await }.boxed()
                };
                let found = self.hosts.writable(&ask).await;
                found.map_err(|answers| none_writable(&self.hosts, &answers))?
            }
        };
        sqlx::query(include_str!("../sql/connection/encoding.sql"))
            .execute(&mut conn)
            .await?;
        self.trust.check(&mut conn).await?;
        Ok(conn)
    }

    /// One that only reads, and ends each statement that takes longer than `statement_max`.
    pub async fn connect_to_read(&self, statement_max: Duration) -> Result<PgConnection> {
        let mut conn = self.connect().await?;
        Self::only_read(&mut conn, statement_max).await?;
        Ok(conn)
    }

    /// The same for one of many that come and go: of the sessions that are remembered to be ended with this process they would leave
    /// no others. What it has under way ends by itself.
    pub async fn connect_in_passing(&self, statement_max: Duration) -> Result<PgConnection> {
        let mut conn = self.connect_unremembered().await?;
        Self::only_read(&mut conn, statement_max).await?;
        Ok(conn)
    }

    async fn only_read(conn: &mut PgConnection, statement_max: Duration) -> Result<()> {
        sqlx::query(include_str!("../sql/connection/read_only.sql"))
            .bind(statement_max.as_millis().to_string())
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Whoever may own schema rentsync beside the owner of the source tables, because a person says so.
    #[must_use]
    pub fn trusting(mut self, schema_owners: Vec<String>) -> Self {
        self.trust = Arc::new(Trust::named(schema_owners));
        self
    }

    /// Who owns schema rentsync, if it is there; `tables` are the source tables' full names.
    pub(crate) async fn schema_owner(
        &self,
        conn: &mut PgConnection,
        tables: &[String; 2],
    ) -> Result<Option<SchemaOwner>> {
        self.trust.owner(conn, tables).await
    }

    /// What the source functions have to be for a role that may become a superuser.
    pub(crate) fn expect_generated(&self, bodies: Vec<String>) {
        self.trust.expect_generated(bodies);
    }

    /// Why this role may not read the source unasked; `tables` are the source tables' full names.
    pub(crate) async fn objections_to_source(
        &self,
        conn: &mut PgConnection,
        tables: &[String; 2],
    ) -> Result<Vec<SourceObjection>> {
        self.trust.objections_to_source(conn, tables).await
    }

    /// An error where a source function is a stranger's, or one of the site's own that a superuser would run.
    pub(crate) async fn check_source_functions(&self, conn: &mut PgConnection) -> Result<()> {
        self.trust.owner_of_all(conn).await.map(|_| ())
    }

    /// An error where the schema is gone since it was found to be trusted, or belongs to somebody who is not. What has its name
    /// a moment later may be a stranger's.
    pub(crate) async fn check_schema_owner(&self, conn: &mut PgConnection) -> Result<()> {
        match self.trust.check(conn).await? {
            true => Ok(()),
            false => Err(Fault::usage(
                "schema rentsync is gone: it was purged; run `rentsync-relay install` as the owner of the source tables",
            )
            .into()),
        }
    }

    /// The full names of the source tables. One without a schema is looked up along the role's own search_path, which no
    /// connection keeps; one that is not there stays as it is.
    pub async fn tables(&self, conn: &mut PgConnection, source: &config::Source) -> Result<[String; 2]> {
        let mut names = [source.properties_table.clone(), source.units_table.clone()];
        for name in names.iter_mut().filter(|name| !name.contains('.')) {
            let path = self.own_path.get().map_or(&[][..], Vec::as_slice);
            let found: Option<String> = sqlx::query_scalar(include_str!("../sql/capture/resolve.sql"))
                .bind(&*name)
                .bind(path)
                .fetch_optional(&mut *conn)
                .await?;
            *name = found.unwrap_or_else(|| name.clone());
        }
        Ok(names)
    }

    /// A server of several.
    async fn ask(&self, host: &PgConnectOptions, settings: &[(&str, &str)]) -> Answer {
        let asked = async {
            let mut conn = self.open(host, settings).await?;
            let is_standby: bool = sqlx::query_scalar(include_str!("../sql/connection/is_standby.sql"))
                .fetch_one(&mut conn)
                .await?;
            Ok((conn, is_standby))
        };
        match asked.await {
            Ok((conn, false)) => Answer::Writable(conn),
            Ok((_, true)) => Answer::Standby,
            Err(error) => Answer::Unreachable(error),
        }
    }

    /// The one place where connections are made, but for the pool's. The first of them is asked for the role's own search_path
    /// before it gets ours; any other has ours from its beginning.
    async fn open(&self, host: &PgConnectOptions, settings: &[(&str, &str)]) -> sqlx::Result<PgConnection> {
        let options = session(host).options(settings.iter().copied());
        if self.own_path.get().is_some() {
            let mut conn = PgConnection::connect_with(&options.options(PATH)).await?;
            notice_lost_client(&mut conn).await?;
            return Ok(conn);
        }
        let mut conn = PgConnection::connect_with(&options).await?;
        let path = sqlx::query_scalar(include_str!("../sql/connection/own_path.sql"))
            .fetch_one(&mut conn)
            .await?;
        sqlx::query(include_str!("../sql/connection/fence.sql"))
            .execute(&mut conn)
            .await?;
        self.own_path.set(path).ok();
        notice_lost_client(&mut conn).await?;
        Ok(conn)
    }

    /// A pool for delivering. A lease or a settled answer that a crash forgets is only repeated under its sync ID, so
    /// these commits are not waited for.
    pub fn pool(&self, options: PgPoolOptions) -> PgPool {
        let options = options
            .acquire_timeout(Duration::from_secs(10))
            // Whoever waits too long gets an error that says so; a warning before that says nothing to anybody.
            .acquire_slow_threshold(Duration::MAX);
        let database = self.clone();
        let options = options.before_acquire(move |conn, made| {
            let database = database.clone();
            Box::pin(async move {
                if database.hosts.moved_ago().is_some_and(|moved| made.age > moved) {
                    return Ok(false);
                }
                let checked = database.check_schema_owner(conn).await;
                checked.map_err(|error| sqlx::Error::Configuration(error.into()))?;
                Ok(true)
            })
        });
        let of = |host| session(host).options(PATH).options([("synchronous_commit", "off")]);
        let pool = options.connect_lazy_with(of(self.hosts.in_use()));
        self.hosts.lead(&pool, self.hosts.all.iter().map(of).collect());
        pool
    }
}

/// What every connection begins with, the pool's too.
fn session(host: &PgConnectOptions) -> PgConnectOptions {
    host.clone().options(SESSION).options(RELIED_ON)
}

/// A statement of ours ends in the server soon after the process that waits for it. Not every platform's server can notice: then
/// it ends when it is done, or at its bound.
pub(crate) async fn notice_lost_client(conn: &mut PgConnection) -> sqlx::Result<()> {
    let set = sqlx::query(include_str!("../sql/database/notice_lost_client.sql"));
    match set.execute(conn).await {
        Err(sqlx::Error::Database(_)) => Ok(()),
        set => set.map(|_| ()),
    }
}
