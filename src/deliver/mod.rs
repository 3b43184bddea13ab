//! Deliver: lease sealed syncs, send them, settle what came of it.
//!
//! A lease is one transaction, sending is in none, settling a group of outcomes is one. It guarantees: every try of a
//! sync sends the same bytes under the same sync ID; the leases of a relay that died are taken over; a failure
//! counts only under the newest lease, a success always. A relay that can't or must not send gives its leases back at once, to
//! whoever can. What is sealed next is the planner's business.
//!
//! | in this order | its business |
//! | --- | --- |
//! | `lease`, `locked`, `borrowed` | the right to send, behind the receiver's row, on a connection of the pool |
//! | `send` | one try |
//! | `credentials`, `backoff` | a relay that can't send, and when it may again |
//! | `decided_try`, `acknowledged`, `blame` | what came of it, whose trouble that is, and what is to be done about it |
//! | `settle`, `settling` | a group of tries that were decided about, one transaction |
//! | `delivered`; `given_up`, `search`, `bisect`, `refuse`, `stale`, `doubt` | what follows for syncs, feeds and units |
//! | `breaker` | what follows for the receiver as a whole |
//! | `alerts`, `notices` | what a person should know of it |

mod acknowledged;
mod alerts;
mod backoff;
mod bisect;
mod blame;
mod borrowed;
pub mod breaker;
mod credentials;
mod decided_try;
mod delivered;
mod doubt;
mod given_up;
mod lease;
mod locked;
mod notices;
mod refuse;
mod search;
mod send;
mod settle;
mod settling;
mod stale;

use std::sync::Arc;

use anyhow::{Context, Result};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::capture;
use crate::clock::Clock;
use crate::config::Receiver;
use crate::heartbeat::Registration;
use crate::policy::Answer;
use crate::receiver::Endpoint;
use crate::replay;

use backoff::Backoff;
use credentials::Credentials;
use decided_try::Outcome;
use lease::{Leased, lease_due};
use send::send;

pub(crate) use doubt::doubt;
pub use settle::Settled;

/// Tries that have ended and are not settled yet.
#[derive(Default)]
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
    leases: Vec<(i64, i32)>,
    backoff: Backoff,
    /// Tries that ended with this relay's leases: written down once the database is back.
    lapsed: Vec<Outcome>,
    /// Syncs whose requests may have arrived after newer ones. What those newer ones carried is yet to be owed again.
    late: Vec<i64>,
}

impl Deliverer {
    /// Nothing is leased yet.
    pub fn new(pool: PgPool, receiver: &Receiver, clock: Clock, relay: &Arc<Registration>) -> Result<Self> {
        Ok(Self {
            pool,
            receiver: receiver.clone(),
            endpoint: Arc::new(Endpoint::new(receiver)?),
            credentials: Credentials::of(receiver),
            clock,
            relay: relay.clone(),
            in_flight: JoinSet::new(),
            leases: Vec::new(),
            backoff: Backoff::default(),
            lapsed: Vec::new(),
            late: Vec::new(),
        })
    }

    /// How many more syncs may be under way: none while others are about to take over what this relay has.
    pub fn free(&self) -> usize {
        if self.relay.is_lapsed() {
            return 0;
        }
        let places = self.backoff.places(self.receiver.concurrency_max);
        places.saturating_sub(self.in_flight.len())
    }

    /// This relay lacks what sending takes, and leases nothing for a while.
    pub fn rests(&self) -> bool {
        self.backoff.is_on()
    }

    /// Something that ended is not written down yet, because the database did not answer.
    pub fn is_behind(&self) -> bool {
        !self.lapsed.is_empty() || !self.late.is_empty()
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Leases due syncs into the free places and starts sending them. Says how many.
    pub async fn start_due(&mut self) -> Result<usize> {
        let now = self.clock.now();
        let lapses = self.relay.lapses();
        let leased = lease_due(&self.pool, &self.receiver, &self.relay, self.free(), now).await?;
        let count = leased.len();
        if let Some(newest) = leased.last() {
            let properties = leased.iter().flat_map(Leased::property_ids);
            self.relay
                .witness()
                .note(&self.receiver.name, newest.sent(), properties);
        }
        for leased in leased {
            self.leases.push((leased.sequence, leased.lease));
            let (endpoint, relay) = (self.endpoint.clone(), self.relay.clone());
            self.in_flight
                .spawn(send(endpoint, self.receiver.accept, relay, leased, lapses));
        }
        Ok(count)
    }

    /// New credentials may be what this relay rests for, or a paused receiver waits for: then it is probed at once.
    pub async fn notice_credentials(&mut self) -> Result<()> {
        if self.credentials.changed() {
            self.backoff.end();
            let mut conn = self.pool.acquire().await?;
            breaker::probe_now(&mut conn, &self.receiver.name, self.clock.now()).await?;
        }
        Ok(())
    }

    /// An error while this relay lacks a right without which it could not write down what comes of a request.
    pub async fn check_rights(&self) -> Result<()> {
        let mut conn = self.pool.acquire().await?;
        capture::check_tables_granted(&mut conn).await
    }

    /// Waits for at least one try to end and gathers all that have; pending for ever while nothing is under way.
    ///
    /// Safe to cancel: nothing is taken out before it returns.
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
        self.backoff.learn(&ended.0, &self.receiver);
        // What is refused now is what the next look compares with: between two of them they may be wrong for a moment.
        if ended.0.iter().any(Outcome::is_unauthorized) {
            self.credentials.changed();
        }
        let is_lapsed = |outcome: &Outcome| matches!(outcome.tried.answer, Answer::Lapsed { .. });
        let (lapsed, mut outcomes): (Vec<_>, Vec<_>) = ended.0.into_iter().partition(is_lapsed);
        self.lapsed.extend(lapsed);
        outcomes.extend(self.lapsed.iter().cloned());
        let ended: Vec<_> = outcomes
            .iter()
            .map(|outcome| (outcome.leased.sequence, outcome.leased.lease))
            .collect();
        let of = (&self.receiver, self.relay.name());
        let (mut settled, late) = settle::settle(&self.pool, of, outcomes, self.clock.now()).await?;
        self.leases.retain(|lease| !ended.contains(lease));
        self.lapsed.clear();
        self.late.extend(late);
        settled.properties.extend(self.doubt_late().await?);
        Ok(settled)
    }

    /// Late requests may have overwritten what newer syncs carried: that is owed again. Says of which properties.
    async fn doubt_late(&mut self) -> Result<Vec<i64>> {
        if self.late.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.pool.acquire().await?;
        let properties = replay::owe_overtaken(&mut conn, &self.receiver, &self.late).await?;
        self.late.clear();
        Ok(properties)
    }

    /// Cuts off what is under way and gives its leases back; none of it counts as a try.
    pub async fn cut_off(&mut self) -> Result<()> {
        self.in_flight.shutdown().await;
        let (sequences, leases): (Vec<i64>, Vec<i32>) = self.leases.drain(..).unzip();
        if !sequences.is_empty() {
            sqlx::query(include_str!("../../sql/deliver/release.sql"))
                .bind(sequences)
                .bind(leases)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }
}
