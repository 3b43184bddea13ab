//! The servers that a database URL names, and which of them is in use: the one that takes writes.
//!
//! The driver connects to one host. Where there are several all are asked at once, and one that is no standby is used from then on,
//! until it can't be reached or has become a standby itself: then all are asked again. Where two take writes, because one that was
//! left came back, the one on the newest timeline is used. A pool follows, and forgets its connections to the other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::time::{timeout, timeout_at};

use crate::fault::{io_in_words, said};

/// A server that says nothing for so long is taken for gone.
pub(super) const CONNECTING_TAKES_MAX: Duration = Duration::from_secs(10);
/// The one in use is asked alone for so long; then the others are asked as well.
const ALONE_FOR: Duration = Duration::from_secs(1);
/// How long the others may take to say that they take writes as well, once one does.
const OTHERS_TAKE: Duration = Duration::from_millis(500);

/// Asks one server.
type Ask = dyn Fn(PgConnectOptions) -> BoxFuture<'static, Answer> + Send + Sync;

/// The servers that a URL names.
pub(super) struct Hosts {
    pub all: Vec<PgConnectOptions>,
    used: Mutex<Used>,
}

/// Which is in use.
#[derive(Default)]
struct Used {
    place: Option<usize>,
    /// How often it was another one before.
    moves: u64,
    moved_at: Option<Instant>,
    pools: Vec<Pool>,
}

/// A pool, and what its connections begin with at each host.
struct Pool {
    pool: PgPool,
    options: Vec<PgConnectOptions>,
}

/// What a server answered.
pub(super) enum Answer {
    /// It takes writes.
    Writable(PgConnection),
    Standby,
    Unreachable(sqlx::Error),
}

impl Hosts {
    pub fn new(all: Vec<PgConnectOptions>) -> Self {
        Self {
            all,
            used: Mutex::default(),
        }
    }

    /// The one in use; the first, before one was found.
    pub fn in_use(&self) -> &PgConnectOptions {
        &self.all[self.used().place.unwrap_or(0)]
    }

    /// How often another one came to be used.
    pub fn moves(&self) -> u64 {
        self.used().moves
    }

    /// Since when the present one is used, where there was another before.
    pub fn moved_ago(&self) -> Option<Duration> {
        self.used().moved_at.map(|at| at.elapsed())
    }

    /// The pool connects to whichever is in use, until it is closed: it is held here until then. Where there is one host only
    /// there is nowhere to lead it, and a pool that nobody has any more ends by itself.
    pub fn lead(&self, pool: &PgPool, options: Vec<PgConnectOptions>) {
        if options.len() < 2 {
            return;
        }
        let mut used = self.used();
        used.pools.retain(|known| !known.pool.is_closed());
        used.pools.push(Pool {
            pool: pool.clone(),
            options,
        });
    }

    /// A connection to the one that takes writes; else what each answered.
    pub async fn writable(&self, ask: &Ask) -> Result<PgConnection, Vec<Answer>> {
        let used = self.used().place;
        if let Some(place) = used
            && let Ok(Answer::Writable(conn)) = timeout(ALONE_FOR, ask(self.all[place].clone())).await
        {
            return Ok(conn);
        }
        let mut answers: Vec<Option<Answer>> = self.all.iter().map(|_| None).collect();
        let asked = (0..).zip(&self.all);
        let mut asked: FuturesUnordered<_> = asked
            .map(|(place, host)| ask(host.clone()).map(move |answer| (place, answer)))
            .collect();
        let mut until = tokio::time::Instant::now() + CONNECTING_TAKES_MAX;
        while let Ok(Some((place, answer))) = timeout_at(until, asked.next()).await {
            let is_writable = matches!(answer, Answer::Writable(_));
            answers[place] = Some(answer);
            if is_writable && used == Some(place) {
                break;
            }
            if is_writable {
                until = until.min(tokio::time::Instant::now() + OTHERS_TAKE);
            }
        }
        drop(asked);
        let silent = || Answer::Unreachable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(silent));
        self.choose(answers.collect()).await
    }

    async fn choose(&self, mut answers: Vec<Answer>) -> Result<PgConnection, Vec<Answer>> {
        let used = self.used().place;
        let writable: Vec<usize> = (0..answers.len())
            .filter(|place| matches!(answers[*place], Answer::Writable(_)))
            .collect();
        let place = match writable.as_slice() {
            [] => return Err(answers),
            [one] => *one,
            several => match used.filter(|place| several.contains(place)) {
                Some(place) => place,
                None => self.newest(several, &mut answers).await,
            },
        };
        self.take(place);
        match answers.swap_remove(place) {
            Answer::Writable(conn) => Ok(conn),
            _ => Err(answers),
        }
    }

    /// Of several that take writes the one that was promoted last.
    async fn newest(&self, writable: &[usize], answers: &mut [Answer]) -> usize {
        let mut timelines = Vec::new();
        for place in writable {
            if let Answer::Writable(conn) = &mut answers[*place] {
                // One that does not say is no newer than any.
                let timeline: Option<String> =
                    sqlx::query_scalar(include_str!("../../sql/source_identity/timeline.sql"))
                        .fetch_one(conn)
                        .await
                        .ok();
                timelines.push((timeline.unwrap_or_default(), *place));
            }
        }
        let newest = timelines.iter().map(|(timeline, _)| timeline).max().cloned();
        let chosen = timelines.iter().find(|(timeline, _)| Some(timeline) == newest.as_ref());
        let chosen = chosen.map_or(writable[0], |(_, place)| *place);
        let named: Vec<String> = timelines
            .iter()
            .map(|(timeline, place)| format!("{} on timeline {timeline}", at(&self.all[*place])))
            .collect();
        tracing::error!(
            "several servers of the database URL take writes ({}): only one may; the relay uses {}; stop the others",
            named.join(", "),
            at(&self.all[chosen])
        );
        chosen
    }

    fn take(&self, place: usize) {
        let mut used = self.used();
        let before = used.place.replace(place);
        if before == Some(place) {
            return;
        }
        used.pools.retain(|known| !known.pool.is_closed());
        for Pool { pool, options } in &used.pools {
            pool.set_connect_options(options[place].clone());
        }
        let now = at(&self.all[place]);
        match before {
            None => tracing::info!("the database is used at {now}, which takes writes, of {}", self.named()),
            Some(before) => {
                used.moves += 1;
                used.moved_at = Some(Instant::now());
                tracing::warn!(
                    "the database is used at {now} from now on, which takes writes, and no longer at {}",
                    at(&self.all[before])
                );
            }
        }
    }

    /// All of them.
    pub fn named(&self) -> String {
        self.all.iter().map(at).collect::<Vec<_>>().join(", ")
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// Why nothing can be written there.
    pub fn said(&self) -> String {
        match self {
            Self::Writable(_) => "it takes writes".to_owned(),
            Self::Standby => "a standby".to_owned(),
            Self::Unreachable(error) => why_unreachable(error),
        }
    }
}

/// Where a server is.
pub(super) fn at(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

pub(super) fn why_unreachable(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => io_in_words(error),
        error => said(error),
    }
}
