//! Both hands of a relay for one receiver, moved one step at a time: for a pass, and for commands that wait until something
//! is done. Beside a running relay it is as safe as a second one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::sleep;

use super::context::Relay;
use super::stop::{Stop, finish, interrupted, stopped, unless_stopped};
use crate::deliver::{Deliverer, Settled};
use crate::heartbeat::Registration;
use crate::plan::{Planner, Scope};

/// One receiver's planner and deliverer.
pub(super) struct Worker<'a> {
    relay: &'a Relay,
    registration: Arc<Registration>,
    scope: &'a Scope,
    deliverer: Deliverer,
    planner: Planner,
    stop: watch::Receiver<Stop>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    /// Units and removals that the receiver acknowledged.
    pub acknowledged: usize,
    /// Syncs that the receiver acknowledged.
    pub delivered: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
    /// There is nothing to do at this moment.
    pub is_idle: bool,
}

impl Round {
    fn add(&mut self, settled: &Settled) {
        self.acknowledged += settled.acknowledged;
        self.delivered += settled.delivered;
        self.failed += settled.failed;
    }
}

impl<'a> Worker<'a> {
    /// Has done nothing yet.
    pub fn new(
        relay: &'a Relay,
        registration: &Arc<Registration>,
        scope: &'a Scope,
        pool: &PgPool,
        stop: watch::Receiver<Stop>,
    ) -> Result<Self> {
        Ok(Self {
            deliverer: Deliverer::new(pool.clone(), &scope.receiver, relay.clock.clone(), registration)?,
            planner: Planner::new(relay.clock.clone(), registration.clone()),
            registration: registration.clone(),
            relay,
            scope,
            stop,
        })
    }

    /// Moves both hands until `is_done` says so after a round; an error where it was stopped before. However it ends, nothing
    /// stays leased. `sweep_every`: how often to ask every feed. Gives also what ended while it stopped, which no round reports.
    pub async fn work(
        mut self,
        conn: &mut PgConnection,
        sweep_every: Duration,
        is_done: impl AsyncFnMut(&mut PgConnection, &Round) -> Result<bool>,
    ) -> (Round, Result<()>) {
        let mut stop = self.stop.clone();
        let registration = self.registration.clone();
        let working = registration.unless_silent(self.rounds(conn, sweep_every, is_done));
        let worked = unless_stopped(&stop, Stop::Now, working).await;
        let mut last = Round::default();
        finish(&mut self.deliverer, &mut stop, &mut |settled| last.add(settled)).await;
        (last, worked)
    }

    async fn rounds(
        &mut self,
        conn: &mut PgConnection,
        sweep_every: Duration,
        mut is_done: impl AsyncFnMut(&mut PgConnection, &Round) -> Result<bool>,
    ) -> Result<()> {
        while *self.stop.borrow() == Stop::No {
            let round = self.round(conn, sweep_every).await?;
            // Stopped in the middle of a statement, the connection is good for nothing more.
            if unless_stopped(&self.stop, Stop::Finish, is_done(conn, &round)).await? {
                return Ok(());
            }
            if round.is_idle {
                self.pause().await;
            }
        }
        Err(interrupted().into())
    }

    /// Plans at most one batch, sends what is due, settles what was answered.
    async fn round(&mut self, conn: &mut PgConnection, sweep_every: Duration) -> Result<Round> {
        let step = tokio::select! {
            step = self.planner.step(conn, self.scope, sweep_every) => step?,
            () = stopped(&mut self.stop, Stop::Finish) => return Err(interrupted().into()),
        };
        let mut round = Round::default();
        let started = self.deliverer.start_due().await?;
        if !self.deliverer.is_idle() {
            let ended = tokio::select! {
                ended = self.deliverer.ended() => ended?,
                () = stopped(&mut self.stop, Stop::Finish) => return Ok(round),
            };
            let settled = self.deliverer.settle(ended).await?;
            round.add(&settled);
            self.planner.notice(settled.properties);
            return Ok(round);
        }
        let is_due = started == 0 && step.look.free > 0 && !self.deliverer.rests();
        let waits = step.planned.without_right || is_due;
        if waits {
            // Another relay's turn, or the receiver's pace.
            self.pause().await;
        }
        round.is_idle = started == 0 && !step.more && !waits;
        Ok(round)
    }

    async fn pause(&mut self) {
        tokio::select! {
            () = sleep(self.relay.config.relay.poll_every) => {}
            () = stopped(&mut self.stop, Stop::Finish) => {}
        }
    }
}
