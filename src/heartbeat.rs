//! A relay's sign of life: a row in `rentsync.relay` that it refreshes every second over a connection of its own.
//!
//! By this row the other relays know whose leases still count and among how many they share a receiver's places. It
//! guarantees: whoever asks this process learns whether its row is refreshed, and whether the database answers at all, within
//! seconds, by this machine's clock, however a connection fell silent. Not its business: the right to plan, which is a row of
//! its own and is fenced.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::PgConnection;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::clock::Moment;
use crate::database::Database;
use crate::fault::{Fault, sentence};
use crate::witness::Witness;

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A beat is one short statement, at most a connection before it: an answer that takes longer is none.
const BEAT_TAKES_MAX: Duration = Duration::from_secs(3);
/// The others take a relay for dead after as long (`rentsync.live_relay`).
pub const DEAD_AFTER: Duration = Duration::from_secs(5);
/// So long after a beat began nothing more is sent, so that nothing is on its way when others take over.
const LAPSES_AFTER: Duration = Duration::from_secs(4);
/// A database that said nothing for so long is gone, whatever the network's own timeouts say.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Who a relay is in the database.
pub struct Registration {
    id: AtomicI64,
    name: String,
    receivers: Vec<String>,
    witness: Arc<Witness>,
    began: Instant,
    /// Milliseconds after `began`.
    beaten: AtomicU64,
    answered: AtomicU64,
    /// When the last beat that the database accepted began. None while nobody beats for it: then it doesn't lapse.
    lives_since: Mutex<Option<Moment>>,
    /// How often a beat was accepted after it had lapsed: what it had before is others' by then.
    lapses: AtomicU64,
}

/// Refreshes a row until it is dropped; [`Heartbeat::end`] also removes it.
pub struct Heartbeat {
    registration: Arc<Registration>,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Registration {
    /// Writes a row that nobody refreshes yet.
    pub async fn write(
        conn: &mut PgConnection,
        name: &str,
        receivers: Vec<String>,
        witness: Arc<Witness>,
    ) -> Result<Arc<Self>> {
        let id = register(conn, name, &receivers).await?;
        Ok(Arc::new(Self {
            id: AtomicI64::new(id),
            name: name.to_owned(),
            receivers,
            witness,
            began: Instant::now(),
            beaten: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            lives_since: Mutex::default(),
            lapses: AtomicU64::new(0),
        }))
    }

    /// Its row's number; another one after the schema was dropped and installed anew.
    pub fn id(&self) -> i64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Host and process, as attempts name it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it sent, against a database that is set back.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Since its row was last refreshed.
    pub fn beaten_ago(&self) -> Duration {
        self.since(&self.beaten)
    }

    /// Its last sign of life is so old that others are about to take over what it has.
    pub fn is_lapsed(&self) -> bool {
        self.holds_for().is_zero()
    }

    /// How often that was over before it beat again.
    pub fn lapses(&self) -> u64 {
        self.lapses.load(Ordering::Relaxed)
    }

    /// Returns once it is lapsed, or has lapsed more often than that. The clocks are asked whenever this is polled: whoever was stopped
    /// for a while and polls this first does nothing that it may no longer do, also where a beat came before it.
    pub async fn lapse(&self, lapses: u64) {
        let mut timer = pin!(sleep(Duration::ZERO));
        poll_fn(|context| {
            loop {
                match self.holds_for() {
                    Duration::ZERO => return Poll::Ready(()),
                    _ if self.lapses() != lapses => return Poll::Ready(()),
                    left => timer.as_mut().reset(tokio::time::Instant::now() + left),
                }
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }

    fn holds_for(&self) -> Duration {
        let since = *self.lives_since();
        since.map_or(LAPSES_AFTER, |since| LAPSES_AFTER.saturating_sub(since.elapsed()))
    }

    /// The database accepted a beat that began then.
    fn live(&self, began: Moment) {
        if self.is_lapsed() {
            self.lapses.fetch_add(1, Ordering::Relaxed);
        }
        *self.lives_since() = Some(began);
    }

    fn lives_since(&self) -> MutexGuard<'_, Option<Moment>> {
        self.lives_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the database has not answered for too long. Whoever waits for it on another connection waits for nothing.
    pub async fn silence(&self) {
        loop {
            match SILENT_AFTER.checked_sub(self.since(&self.answered)) {
                None | Some(Duration::ZERO) => return,
                Some(left) => sleep(left).await,
            }
        }
    }

    /// Work over a connection of this relay's; an error once the database is silent.
    pub async fn unless_silent<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            () = self.silence() => Err(silent().into()),
        }
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        let moment = Duration::from_millis(moment.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(moment)
    }

    fn note(&self, moment: &AtomicU64) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        moment.store(millis, Ordering::Relaxed);
    }
}

impl Heartbeat {
    /// Registers a relay and goes on beating.
    pub async fn begin(database: &Database, name: &str, receivers: Vec<String>, witness: Arc<Witness>) -> Result<Self> {
        let mut conn = connect(database).await?;
        let began = Moment::now();
        let registration = Registration::write(&mut conn, name, receivers, witness).await?;
        *registration.lives_since() = Some(began);
        let (end, ended) = oneshot::channel();
        let beating = beat_until(database.clone(), registration.clone(), conn, ended);
        Ok(Self {
            registration,
            end,
            task: tokio::spawn(beating),
        })
    }

    /// Whose it is.
    pub fn registration(&self) -> &Arc<Registration> {
        &self.registration
    }

    /// The row goes, as far as the database answers: nobody has to wait until it counts as dead.
    pub async fn end(mut self) {
        let (unused, _) = oneshot::channel();
        std::mem::replace(&mut self.end, unused).send(()).ok();
        timeout(BEAT_TAKES_MAX, &mut self.task).await.ok();
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a step says that was given up for it.
fn silent() -> Fault {
    Fault::unreachable(format!(
        "the database has not answered for {} s; look at the server and at the network between",
        SILENT_AFTER.as_secs()
    ))
}

/// How the last beat ended.
enum BeatState {
    Well,
    /// The database accepted it when the one before counted no longer.
    Late,
    Failing(String),
}

impl BeatState {
    /// One line when it changes.
    fn report_after(&self, before: &Self, took: Duration) {
        match (before, self) {
            (Self::Well, Self::Well) | (Self::Late, Self::Late) | (Self::Failing(_), Self::Failing(_)) => {}
            (_, Self::Well) => tracing::info!("the relay's heartbeat works again"),
            (Self::Well, Self::Late) => tracing::error!(
                "the relay's heartbeat comes too late, the database took {took:.1?} to answer it; what is under way is broken off each \
                 time, which is no try, and is sent again: look at what keeps the database busy"
            ),
            // It has been said what happens meanwhile.
            (Self::Failing(_), Self::Late) => {}
            (_, Self::Failing(error)) => tracing::error!(
                "the relay's heartbeat fails, it is tried again every second; meanwhile another relay may take over what it has \
                 leased: {error}"
            ),
        }
    }
}

async fn beat_until(
    database: Database,
    registration: Arc<Registration>,
    conn: PgConnection,
    mut ended: oneshot::Receiver<()>,
) {
    let mut conn = Some(conn);
    let mut ticks = interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = BeatState::Well;
    let mut moves = database.moves();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut ended => break,
        }
        // Its row is where the relay works.
        if std::mem::replace(&mut moves, database.moves()) != moves {
            conn = None;
        }
        let began = Moment::now();
        let beating = timeout(BEAT_TAKES_MAX, beat(&database, &registration, &mut conn)).await;
        if beating.is_ok() {
            registration.note(&registration.answered);
        }
        let beaten = beating.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {BEAT_TAKES_MAX:?}")));
        let next = match beaten {
            Ok(()) => {
                // Where this process stood still the database took no time.
                let is_late = registration.is_lapsed() && began.elapsed() > BEAT_EVERY;
                registration.note(&registration.beaten);
                registration.live(began);
                if is_late { BeatState::Late } else { BeatState::Well }
            }
            Err(error) => {
                conn = None;
                BeatState::Failing(sentence(&error))
            }
        };
        next.report_after(&state, began.elapsed());
        state = next;
    }
    if let Some(mut conn) = conn {
        let id = registration.id();
        let gone = sqlx::query(include_str!("../sql/relay/end.sql"))
            .bind(id)
            .execute(&mut conn);
        gone.await.ok();
    }
}

async fn connect(database: &Database) -> Result<PgConnection> {
    let mut conn = database.connect().await?;
    sqlx::query(include_str!("../sql/relay/patience.sql"))
        .execute(&mut conn)
        .await?;
    Ok(conn)
}

/// A connection that failed is not used again: `kept` stays empty.
async fn beat(database: &Database, registration: &Registration, kept: &mut Option<PgConnection>) -> Result<()> {
    let mut conn = match kept.take() {
        Some(conn) => conn,
        None => connect(database).await?,
    };
    database.check_schema_owner(&mut conn).await?;
    let beaten = sqlx::query(include_str!("../sql/relay/beat.sql"))
        .bind(registration.id())
        .bind(&registration.name)
        .execute(&mut conn)
        .await?;
    if beaten.rows_affected() == 0 {
        let id = register(&mut conn, &registration.name, &registration.receivers).await?;
        registration.id.store(id, Ordering::Relaxed);
    }
    *kept = Some(conn);
    Ok(())
}

async fn register(conn: &mut PgConnection, name: &str, receivers: &[String]) -> Result<i64> {
    sqlx::query_scalar(include_str!("../sql/relay/register.sql"))
        .bind(name)
        .bind(receivers)
        .fetch_one(conn)
        .await
        .context("registering this relay")
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    async fn is_over(mut future: Pin<&mut impl Future>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn promise_18_what_was_taken_before_a_relay_stood_still_is_lost_to_it_though_it_beats_again() {
        let registration = Registration {
            id: AtomicI64::new(1),
            name: "test:1".to_owned(),
            receivers: Vec::new(),
            witness: Arc::default(),
            began: Instant::now(),
            beaten: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            lives_since: Mutex::new(Some(Moment::now())),
            lapses: AtomicU64::new(0),
        };
        let mut before = pin!(registration.lapse(0));
        assert!(!is_over(before.as_mut()).await);
        registration.live(Moment::now());
        assert!(!is_over(before.as_mut()).await, "it beats in time");
        *registration.lives_since() = Some(Moment::ago(DEAD_AFTER));
        registration.live(Moment::now());
        assert!(!registration.is_lapsed());
        assert!(is_over(before).await);
        assert!(
            !is_over(pin!(registration.lapse(1))).await,
            "what it takes now is its own"
        );
    }
}
