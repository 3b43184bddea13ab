//! Deliver: lease sealed syncs, send them, settle what came of it.
//!
//! A lease is one transaction, sending is in none, settling a group of outcomes is one. It guarantees: every try of a
//! sync sends the same bytes under the same sync ID; a relay that died is taken over when its lease ends; a failure
//! counts only under the newest lease, a success always. What is told next is the planner's business.

mod acknowledged;
mod alerts;
mod borrowed;
pub mod breaker;
mod credentials;
mod given_up;
mod lease;
mod settle;
mod stale;
mod taken;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::{Accept, Receiver};
use crate::heartbeat::Registration;
use crate::policy::{self, Answer, Decision, Tried};
use crate::receiver::{Endpoint, Form, Said, Try, Unsent};

use credentials::Credentials;
use lease::Leased;
pub use settle::Settled;

/// Leases in a row that ended without any outcome: then the sync itself is what kills its relays.
const LOST_MAX: i32 = 5;

/// How the try of a leased sync ended.
struct Outcome {
    leased: Leased,
    tried: Try,
    /// How many properties' digests the body tells, where the answer has to repeat them.
    digests_told: usize,
}

/// Tries that have ended and are not settled yet.
pub struct Ended(Vec<Outcome>);

/// Sends one receiver's syncs, as many at a time as its settings allow.
pub struct Deliverer {
    pool: PgPool,
    receiver: Receiver,
    endpoint: Arc<Endpoint>,
    credentials: Credentials,
    clock: Clock,
    /// Whose leases they are.
    relay: Arc<Registration>,
    in_flight: JoinSet<Outcome>,
    /// What is leased by this relay, so that a stop can give it back.
    held: Vec<(i64, i32)>,
}

impl Deliverer {
    /// Nothing is leased yet.
    pub fn new(pool: PgPool, receiver: &Receiver, clock: Clock, relay: &Arc<Registration>) -> Result<Self> {
        Ok(Self {
            pool,
            receiver: receiver.clone(),
            endpoint: Arc::new(Endpoint::new(receiver)?),
            credentials: Credentials::of(&receiver.auth, &receiver.secret_headers),
            clock,
            relay: relay.clone(),
            in_flight: JoinSet::new(),
            held: Vec::new(),
        })
    }

    /// How many more syncs may be under way.
    pub fn free(&self) -> usize {
        self.receiver.concurrency_max.saturating_sub(self.in_flight.len())
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Leases due syncs into the free places and starts sending them. Says how many.
    pub async fn start_due(&mut self) -> Result<usize> {
        let leased = self.lease(self.free()).await?;
        let count = leased.len();
        for leased in leased {
            self.held.push((leased.sequence, leased.lease));
            self.in_flight
                .spawn(send(self.endpoint.clone(), self.receiver.accept, leased));
        }
        Ok(count)
    }

    /// New credentials may be what a paused receiver waits for: then it is probed at once.
    pub async fn notice_credentials(&mut self) -> Result<()> {
        if self.credentials.changed() {
            let mut conn = self.pool.acquire().await?;
            breaker::probe_now(&mut conn, &self.receiver.name, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Waits for at least one try to end and takes all that have; pending for ever while nothing is under way.
    ///
    /// Safe to cancel: nothing is taken before it returns.
    pub async fn ended(&mut self) -> Result<Ended> {
        let Some(first) = self.in_flight.join_next().await else {
            return std::future::pending().await;
        };
        let mut outcomes = vec![first.context("sending panicked")?];
        while let Some(next) = self.in_flight.try_join_next() {
            outcomes.push(next.context("sending panicked")?);
        }
        Ok(Ended(outcomes))
    }

    /// Settles a group of tries. Not to be cancelled: what it was given would be sent again when its leases end.
    pub async fn settle(&mut self, ended: Ended) -> Result<Settled> {
        let leases: Vec<_> = ended
            .0
            .iter()
            .map(|outcome| (outcome.leased.sequence, outcome.leased.lease))
            .collect();
        let settled = settle::settle(self, ended.0).await?;
        self.held.retain(|held| !leases.contains(held));
        Ok(settled)
    }

    /// Cuts off what is under way and gives its leases back; none of it counts as a try.
    pub async fn cut_off(&mut self) -> Result<()> {
        self.in_flight.shutdown().await;
        let (sequences, leases): (Vec<i64>, Vec<i32>) = self.held.drain(..).unzip();
        if !sequences.is_empty() {
            sqlx::query(include_str!("../../sql/deliver/release.sql"))
                .bind(sequences)
                .bind(leases)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    fn decide(&self, outcome: &Outcome) -> Decision {
        let leased = &outcome.leased;
        let tried = Tried {
            attempts: leased.attempts,
            waits: leased.waits,
            age: leased.age,
            probe: leased.probe,
            jitter: rand::random(),
        };
        policy::decide(&outcome.tried.answer, tried, &self.receiver.retry)
    }
}

async fn send(endpoint: Arc<Endpoint>, accept: Accept, mut leased: Leased) -> Outcome {
    let body = std::mem::take(&mut leased.body);
    let mut digests_told = 0;
    let tried = if leased.lost >= LOST_MAX {
        let why = format!(
            "{} leases in a row ended without any outcome; not sent again",
            leased.lost
        );
        no_answer(Answer::RelayLost, why)
    } else {
        tokio::time::sleep(leased.begin_after).await;
        match try_once(&endpoint, &leased.sync_id, &body, accept, &mut digests_told).await {
            Ok(tried) => tried,
            Err(error) => no_answer(not_sent(&error), format!("{error:#}")),
        }
    };
    Outcome {
        leased,
        tried,
        digests_told,
    }
}

async fn try_once(
    endpoint: &Endpoint,
    sync_id: &str,
    body: &[u8],
    accept: Accept,
    digests_told: &mut usize,
) -> Result<Try> {
    let body = decompressed(body)?;
    if accept == Accept::Digest {
        *digests_told = acknowledged::digests_in(&body);
    }
    endpoint.post(sync_id, body).await
}

fn not_sent(error: &anyhow::Error) -> Answer {
    match error.downcast_ref::<Unsent>() {
        Some(unsent) if unsent.needs_a_person() => Answer::NoToken,
        _ => Answer::NotSent,
    }
}

fn no_answer(answer: Answer, why: String) -> Try {
    Try {
        answer,
        status: None,
        error: Some(why),
        text: None,
        said: Said::default(),
        form: Form::Nothing,
    }
}

/// The JSON that a stored body holds.
pub fn decompressed(body: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len() * 8);
    GzDecoder::new(body)
        .read_to_end(&mut bytes)
        .context("a stored body is damaged")?;
    Ok(bytes)
}

/// A duration as the statements take it.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
