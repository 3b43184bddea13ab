//! What every screen and action works with: the database, the settings, and how much of both pages may use.
//!
//! Reading takes no lock and its statements are bounded; few pages are worked at at once, each on a connection of its own that goes
//! with it. So however many ask, planning and delivering keep what they need.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::http::StatusCode;
use secrecy::SecretString;
use sqlx::PgConnection;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::failure::Failure;
use super::tries::Tries;
use crate::capture;
use crate::config::Config;
use crate::database::{Database, check_server};
use crate::inspect::hours::{self, Hour};
use crate::inspect::receivers;
use crate::plan::Scope;

/// Pages that are worked at at once.
const PAGES_MAX: usize = 4;
/// How long one more waits for its place.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the count of the last day is shown.
const DAY_KEPT: Duration = Duration::from_secs(30);
/// Of one statement that reads for a page.
const STATEMENT_MAX: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Site {
    pub database: Database,
    pub config: Config,
    pub tries: Tries,
    /// Of one request of whatever kind; whoever comes then is refused for a while.
    pub requests: Arc<Semaphore>,
    pages: Semaphore,
    /// One examination at a time: it asks receivers as well.
    pub examinations: Semaphore,
    /// The last day as it was counted last. Whoever counts has it; the others wait for that.
    day: Mutex<Option<(Instant, Vec<Hour>)>>,
}

/// There are so many already that one more has to wait.
pub(super) fn busy() -> Failure {
    let sentence = "others are being answered already; try again in a moment";
    Failure::busy(StatusCode::SERVICE_UNAVAILABLE, sentence, PATIENCE)
}

impl Site {
    pub fn new(database: Database, config: Config, requests_max: usize) -> Self {
        Self {
            database,
            config,
            tries: Tries::default(),
            requests: Arc::new(Semaphore::new(requests_max)),
            pages: Semaphore::new(PAGES_MAX),
            examinations: Semaphore::new(1),
            day: Mutex::default(),
        }
    }

    /// An address of ours, behind whatever the proxy before us adds.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.config.http.path_prefix)
    }

    /// The token as it is now; none: there is none to be had, and nothing can be changed here.
    pub fn token(&self) -> Result<Option<SecretString>, Failure> {
        let unusable = |error| Failure::new(StatusCode::SERVICE_UNAVAILABLE, format!("nobody can sign in: {error}"));
        self.config.http.token_now().map_err(unusable)
    }

    /// A place at the database, held while it is used.
    pub async fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let place = timeout(PATIENCE, self.pages.acquire()).await.map_err(|_| busy())?;
        place.map_err(|_| busy())
    }

    /// Reads only, each statement for a few seconds at most.
    pub async fn connect_to_read(&self) -> Result<PgConnection> {
        let mut conn = self.database.connect_in_passing(STATEMENT_MAX).await?;
        capture::check_usable(&self.database, &self.config.source, &mut conn).await?;
        Ok(conn)
    }

    /// For what changes something, as commands connect.
    pub async fn connect_to_write(&self) -> Result<PgConnection> {
        let mut conn = self.database.connect().await?;
        check_server(&mut conn).await?;
        capture::check_usable(&self.database, &self.config.source, &mut conn).await?;
        Ok(conn)
    }

    /// The last 24 hours. Counting them reads all that was tried in them, so whoever watches gets for a while what was counted.
    pub async fn day(&self, conn: &mut PgConnection) -> Result<Vec<Hour>> {
        let mut last = self.day.lock().await;
        if let Some((_, day)) = last.as_ref().filter(|(at, _)| at.elapsed() < DAY_KEPT) {
            return Ok(day.clone());
        }
        let day = hours::hours(conn, None).await?;
        *last = Some((Instant::now(), day.clone()));
        Ok(day)
    }

    /// What is sent to each receiver that is configured, or to this one.
    pub fn scopes(&self, chosen: Option<&str>) -> Result<Vec<Scope>> {
        let available = self.config.source.available_status_ids()?;
        let receivers = match chosen {
            None => self.config.receivers.values().collect(),
            Some(name) => vec![self.config.receiver(Some(name))?],
        };
        Ok(receivers
            .into_iter()
            .map(|receiver| Scope::new(receiver, available))
            .collect())
    }

    /// A name that was never run is a typing error, not an empty listing.
    pub async fn check_receiver(&self, conn: &mut PgConnection, name: Option<&str>) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        match receivers::standing(conn, name, None).await? {
            Some(_) => Ok(()),
            None => Err(Failure::unknown(format!("no receiver {name} has been run against this database")).into()),
        }
    }
}
