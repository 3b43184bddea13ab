//! One server for the whole run, a database of its own for every test.

pub mod agreed;
pub mod backup;
pub mod kept;
mod resting;
pub mod rig;
pub mod tls;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use local_postgres::{Durability, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;

use resting::Resting;

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().ok();
        Server::start(Durability::InMemory).expect("a PostgreSQL for the tests")
    })
}

fn numbered_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "rentsync_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A database with the source tables; gone with the test.
pub struct TestDatabase {
    name: String,
    pub database: Database,
    url: String,
    /// On another server, with which it goes.
    elsewhere: bool,
    resting: Resting,
    /// What it was copied from stays as long as any copy does.
    _template: Option<Arc<TestDatabase>>,
}

impl TestDatabase {
    /// Source tables, nothing installed.
    pub async fn bare() -> Self {
        let it = Self::create(None).await;
        execute(&mut it.connect().await, portfolio::SCHEMA).await;
        it
    }

    /// Nothing at all.
    pub async fn blank() -> Self {
        Self::create(None).await
    }

    /// Source tables in a database whose texts may be any bytes, nothing installed.
    pub async fn of_any_bytes() -> Self {
        Self::of_encoding("SQL_ASCII").await
    }

    /// Source tables in a database of an encoding, nothing installed.
    pub async fn of_encoding(encoding: &str) -> Self {
        let name = numbered_name();
        let create = format!("template template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'");
        let home = Self::create(None).await;
        home.execute(&format!("create database {name} {create}")).await;
        let it = Self {
            database: Database::from_options(server().options(&name)),
            url: server().url(&name),
            name,
            elsewhere: false,
            resting: Resting::allowed(),
            _template: None,
        };
        it.execute(portfolio::SCHEMA).await;
        it
    }

    /// Source tables, and the relay installed on them.
    pub async fn installed() -> Self {
        // Copied from one that was made once: a copy takes a third of an install. It goes with the last copy.
        static TEMPLATE: Mutex<Weak<TestDatabase>> = Mutex::const_new(Weak::new());
        let mut standing = TEMPLATE.lock().await;
        let template = match standing.upgrade() {
            Some(template) => template,
            None => {
                let template = Arc::new(Self::bare().await);
                capture::install(&template.database, &Config::default().source)
                    .await
                    .expect("install");
                *standing = Arc::downgrade(&template);
                template
            }
        };
        drop(standing);
        let mut copy = Self::create(Some(&template.name)).await;
        copy._template = Some(template);
        copy
    }

    /// Like [`TestDatabase::installed`], from one that is used up if there is any: emptying takes a fraction of copying.
    /// Its sequences go on.
    pub async fn installed_again(used: Option<Self>) -> Self {
        let Some(used) = used else {
            return Self::installed().await;
        };
        used.execute(
            "truncate projects, project_rent_roll_units;
             do $$ begin
                 execute (select 'truncate ' || string_agg(format('rentsync.%I', relname), ', ') from pg_class
                           where relnamespace = 'rentsync'::regnamespace and relkind = 'r'
                             and relname not in ('attachment', 'migration'));
             end $$",
        )
        .await;
        used
    }

    async fn create(template: Option<&str>) -> Self {
        let name = numbered_name();
        server()
            .create_database(&name, template)
            .await
            .expect("create a database");
        Self {
            database: Database::from_options(server().options(&name)),
            url: server().url(&name),
            name,
            elsewhere: false,
            resting: Resting::allowed(),
            _template: None,
        }
    }

    /// One that is there already, on a server of the test's own.
    pub fn elsewhere(name: &str, options: PgConnectOptions, url: String) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        Self {
            name: name.to_owned(),
            database: Database::from_options(options),
            url,
            elsewhere: true,
            resting: Resting::forbidden(),
            _template: None,
        }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub async fn connect(&self) -> PgConnection {
        let mut conn = self
            .database
            .clone()
            .trusting(Vec::new())
            .connect()
            .await
            .expect("connect");
        // As whoever writes to the source is: with names of their own; and what a test holds open is for the test to end.
        execute(
            &mut conn,
            "set search_path to \"$user\", public; set idle_in_transaction_session_timeout = 0; set lock_timeout = 0",
        )
        .await;
        conn
    }

    /// One that [`TestDatabase::put`] left, or a new one.
    pub async fn take(&self) -> PgConnection {
        match self.resting.take().await {
            Some(resting) => resting,
            None => self.connect().await,
        }
    }

    /// Leaves a connection for whoever takes one next; it has to be as it was when it was handed out.
    pub fn put(&self, conn: PgConnection) {
        self.resting.put(conn);
    }

    /// From now on nothing is connected but what a test holds.
    pub fn connect_anew(&self) {
        self.resting.forbid();
    }

    /// A deliverer's, of its own.
    pub fn new_pool(&self) -> PgPool {
        self.database.pool(PgPoolOptions::new().max_connections(4))
    }

    /// The same again and again, for deliverers that come one after the other.
    pub fn pool(&self) -> PgPool {
        self.resting.pool(|| self.new_pool())
    }

    /// Runs statements as whoever writes to the source, each in its own transaction unless they say otherwise.
    pub async fn execute(&self, statements: &str) {
        if !resting::are_plain(statements) {
            self.connect_anew();
        }
        let mut conn = self.take().await;
        execute(&mut conn, statements).await;
        self.put(conn);
    }

    pub async fn number(&self, query: &'static str) -> i64 {
        let mut conn = self.take().await;
        let number = sqlx::query_scalar(query)
            .fetch_one(&mut conn)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        self.put(conn);
        number
    }

    /// How many sessions wait for a lock.
    pub async fn waiting(&self) -> i64 {
        self.number(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .await
    }

    pub async fn texts(&self, query: &'static str) -> Vec<String> {
        let mut conn = self.take().await;
        let texts = sqlx::query_scalar(query)
            .fetch_all(&mut conn)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        self.put(conn);
        texts
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.elsewhere {
            return;
        }
        let name = self.name.clone();
        // The test's own runtime may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(server().drop_database(&name)).ok();
            }
        });
        // It takes a tenth of a second. Nobody waits for it where the server goes with this process.
        if !server().is_private() {
            dropping.join().ok();
        }
    }
}

pub async fn execute(conn: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
        .execute(conn)
        .await
        .unwrap_or_else(|error| panic!("{statements}: {error}"));
}

/// A seed to print and to repeat: `SEED=… cargo test`.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("SEED={seed}");
    seed
}
