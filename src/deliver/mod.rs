//! Deliver: lease sealed syncs, send them, settle what came of it.
//!
//! A lease is one transaction, sending is in none, settling a group of outcomes is one. It guarantees: every try of a
//! sync sends the same bytes under the same sync ID; a relay that died is taken over when its lease ends; a failure
//! counts only under the newest lease, a success always. What is told next is the planner's business.

mod settle;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::Receiver;
use crate::policy::{self, Answer, Decision, Tried};
use crate::receiver::{Endpoint, Try};

pub use settle::Settled;

/// A lease outlives the request's total deadline by this much.
const LEASE_BEYOND_TIMEOUT: Duration = Duration::from_secs(10);
/// Leases in a row that ended without any outcome: then the sync itself is what kills its relays.
const LOST_MAX: i32 = 5;

/// A sync that this relay may send now.
struct Leased {
    sequence: i64,
    lease: i32,
    sync_id: String,
    feed_id: i64,
    property_id: i64,
    has_removals: bool,
    body: Vec<u8>,
    attempts: u32,
    lost: i32,
    age: Duration,
    probe: bool,
}

/// How the try of a leased sync ended.
struct Outcome {
    leased: Leased,
    tried: Result<Try>,
}

/// Tries that have ended and are not settled yet.
pub struct Ended(Vec<Outcome>);

/// Sends one receiver's syncs, as many at a time as its settings allow.
pub struct Deliverer {
    pool: PgPool,
    receiver: Receiver,
    endpoint: Arc<Endpoint>,
    clock: Clock,
    /// Host and process, as the attempts name it.
    relay: String,
    in_flight: JoinSet<Outcome>,
    /// What is leased by this relay, so that a stop can give it back.
    held: Vec<(i64, i32)>,
}

impl Deliverer {
    /// Nothing is leased yet.
    pub fn new(pool: PgPool, receiver: &Receiver, clock: Clock, relay: &str) -> Result<Self> {
        Ok(Self {
            pool,
            receiver: receiver.clone(),
            endpoint: Arc::new(Endpoint::new(receiver)?),
            clock,
            relay: relay.to_owned(),
            in_flight: JoinSet::new(),
            held: Vec::new(),
        })
    }

    /// How many more syncs may be under way.
    pub fn free(&self) -> usize {
        // A probe is sent also where every place is taken.
        self.receiver.concurrency_max.saturating_sub(self.in_flight.len())
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Leases due syncs into the free places and starts sending them. Says how many.
    pub async fn start_due(&mut self) -> Result<usize> {
        self.start(self.free(), false).await
    }

    /// Sends one sync to a paused receiver, if its probe is due.
    pub async fn start_probe(&mut self) -> Result<usize> {
        let claimed = sqlx::query(include_str!("../../sql/deliver/claim_probe.sql"))
            .bind(&self.receiver.name)
            .bind(self.clock.now())
            .bind(self.receiver.breaker.probe_every.as_secs_f64())
            .execute(&self.pool)
            .await?;
        if claimed.rows_affected() == 0 {
            return Ok(0);
        }
        self.start(1, true).await
    }

    async fn start(&mut self, at_most: usize, probe: bool) -> Result<usize> {
        let leased = self.lease(at_most, probe).await?;
        let count = leased.len();
        for leased in leased {
            self.held.push((leased.sequence, leased.lease));
            self.in_flight.spawn(send(self.endpoint.clone(), leased));
        }
        Ok(count)
    }

    async fn lease(&self, at_most: usize, probe: bool) -> Result<Vec<Leased>> {
        if at_most == 0 {
            return Ok(Vec::new());
        }
        type Row = (
            i64,
            i32,
            String,
            i64,
            i64,
            bool,
            Vec<u8>,
            i32,
            i32,
            DateTime<Utc>,
            DateTime<Utc>,
        );
        let rows: Vec<Row> = sqlx::query_as(include_str!("../../sql/deliver/lease.sql"))
            .bind(&self.receiver.name)
            .bind(&self.relay)
            .bind(self.clock.now())
            .bind((self.receiver.timeout + LEASE_BEYOND_TIMEOUT).as_secs_f64())
            .bind(i64::try_from(at_most)?)
            .bind(probe)
            .fetch_all(&self.pool)
            .await
            .context("leasing due syncs")?;
        Ok(rows
            .into_iter()
            .map(
                |(
                    sequence,
                    lease,
                    sync_id,
                    feed_id,
                    property_id,
                    has_removals,
                    body,
                    attempts,
                    lost,
                    sealed_at,
                    now,
                )| Leased {
                    sequence,
                    lease,
                    sync_id,
                    feed_id,
                    property_id,
                    has_removals,
                    body,
                    attempts: attempts.unsigned_abs(),
                    lost,
                    age: (now - sealed_at).to_std().unwrap_or_default(),
                    probe,
                },
            )
            .collect())
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

    fn decide(&self, outcome: &Outcome) -> Option<Decision> {
        let tried = outcome.tried.as_ref().ok()?;
        Some(policy::decide(
            &tried.answer,
            Tried {
                attempts: outcome.leased.attempts,
                age: outcome.leased.age,
                jitter: rand::random(),
            },
            &self.receiver.retry,
        ))
    }
}

async fn send(endpoint: Arc<Endpoint>, mut leased: Leased) -> Outcome {
    let body = std::mem::take(&mut leased.body);
    let tried = if leased.lost >= LOST_MAX {
        Ok(lost(leased.lost))
    } else {
        match decompressed(&body) {
            Ok(body) => endpoint.post(&leased.sync_id, body).await,
            Err(error) => Err(error),
        }
    };
    Outcome { leased, tried }
}

fn lost(times: i32) -> Try {
    Try {
        answer: Answer::RelayLost,
        status: None,
        error: Some(format!(
            "{times} leases in a row ended without any outcome; not sent again"
        )),
        text: None,
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
