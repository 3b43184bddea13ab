//! The relay: the loops that run the stages, one bounded step after another.
//!
//! Per receiver two tasks: one plans (looks every `relay.poll_every`, sweeps every `relay.sweep_every`), one delivers.
//! They wake each other; neither depends on it, both find their work in the database. A failure of our own, such as a
//! database that went away, is logged once and tried again; nothing is lost by it.

mod capture_watch;
mod context;
mod delivering;
mod housekeeping;
mod planning;
mod progress;
mod stop;
mod turns;
mod worker;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::alert::Poster;
use crate::deliver::{Deliverer, breaker};
use crate::heartbeat::Heartbeat;
use crate::inspect::receivers::{self, ReceiverStatus};
use crate::plan::Scope;
use crate::snapshot;

use context::close;
use delivering::Delivering;
use housekeeping::{post_loop, prune_loop};
use planning::Planning;
use stop::unless_stopped;
use worker::{Round, Worker};

pub use context::Relay;
pub use progress::{Progress, Stages};
pub use stop::{GRACE, Stop};
pub(crate) use stop::{interrupted, stopped};

/// Between looks at whether what was asked for is done, while there is work to do.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A look into a run of ten thousand properties takes long: all looks together take no more than this part of the time.
const LOOK_SHARE: u32 = 20;

impl Relay {
    /// Runs until `stop` says so; fails only where it can't begin.
    pub async fn run(self, stop: watch::Receiver<Stop>) -> Result<()> {
        let scopes = self.scopes()?;
        let pool = self.pool();
        let mut stopping = stop.clone();
        let (_, heartbeat) = tokio::select! {
            begun = self.begin(&scopes, false) => begun?,
            // Nothing is under way yet: a stop is no failure.
            () = stopped(&mut stopping, Stop::Finish) => return Ok(()),
        };
        let registration = heartbeat.registration();
        let mut tasks = JoinSet::new();
        if let Some(url) = &self.config.alerts.webhook_url {
            let poster = Poster::new(url, self.clock.clone())?;
            tasks.spawn(post_loop(self.clone(), poster, stop.clone()));
        }
        tasks.spawn(prune_loop(self.clone(), stop.clone()));
        let captured = Arc::new(self.capture_watch());
        for scope in scopes {
            let (wake_deliverer, woken) = mpsc::channel(4);
            let (notice, noticed_planner) = mpsc::unbounded_channel();
            let delivering = Delivering {
                deliverer: Deliverer::new(pool.clone(), &scope.receiver, self.clock.clone(), registration)?,
                registration: registration.clone(),
                woken,
                notice,
                credentials_every: interval(self.config.relay.sweep_every),
                stages: self.progress.of(&scope.receiver.name),
                stop: stop.clone(),
                due: false,
                settling: false,
                denied: false,
            };
            let planning = Planning {
                relay: self.clone(),
                registration: registration.clone(),
                scope,
                wake: wake_deliverer,
                captured: captured.clone(),
                noticed: noticed_planner,
            };
            tasks.spawn(planning.run(stop.clone()));
            tasks.spawn(delivering.run());
        }
        while let Some(task) = tasks.join_next().await {
            task.context("a stage panicked")?;
        }
        heartbeat.end().await;
        close(pool).await;
        Ok(())
    }

    /// One pass: plans and delivers until nothing is due. Waits for no retry. Reports `progress` after each step. An error
    /// where it was stopped before.
    pub async fn once(&self, stop: &watch::Receiver<Stop>, progress: &mut dyn FnMut(&Pass)) -> Result<Pass> {
        let scopes = self.scopes()?;
        let (mut conn, heartbeat) = unless_stopped(stop, Stop::Finish, self.begin(&scopes, true)).await?;
        let passed = self.pass(&mut conn, &heartbeat, &scopes, stop, progress).await;
        heartbeat.end().await;
        passed
    }

    async fn pass(
        &self,
        conn: &mut PgConnection,
        heartbeat: &Heartbeat,
        scopes: &[Scope],
        stop: &watch::Receiver<Stop>,
        progress: &mut dyn FnMut(&Pass),
    ) -> Result<Pass> {
        let pool = self.pool();
        let so_far = RefCell::new((Pass::default(), progress));
        let note = |round: &Round| {
            let (pass, progress) = &mut *so_far.borrow_mut();
            pass.add(round);
            progress(pass);
        };
        // All at once: one that is slow, or has much to do, keeps no other waiting, nor what has to be done beside.
        let works = scopes
            .iter()
            .map(|scope| self.work_off(heartbeat, scope, &pool, stop, &note));
        let (worked, posted) = tokio::join!(join_all(works), self.look_after(conn));
        worked.into_iter().collect::<Result<()>>()?;
        posted?;
        let (mut pass, _) = so_far.into_inner();
        for receiver in self.config.receivers.keys() {
            pass.left += usize::try_from(receivers::unsettled(&mut *conn, receiver).await?)?;
            pass.unacknowledged += receivers::under_way(&mut *conn, receiver).await?;
            if let Some(ReceiverStatus { work, .. }) = receivers::status(&mut *conn, receiver).await? {
                pass.unacknowledged += work.units_owed;
                pass.withheld += work.units_withheld;
            }
        }
        self.post(conn).await?;
        close(pool).await;
        Ok(pass)
    }

    /// One receiver's part of a pass, on a connection of its own.
    async fn work_off(
        &self,
        heartbeat: &Heartbeat,
        scope: &Scope,
        pool: &PgPool,
        stop: &watch::Receiver<Stop>,
        note: impl Fn(&Round),
    ) -> Result<()> {
        let (name, now) = (&scope.receiver.name, self.clock.now());
        let mut conn = self.database.connect().await?;
        // No loop may run here that begins it at its hour.
        if self.config.snapshot.enabled {
            snapshot::begin_scheduled(&mut conn, name, &self.config.snapshot, now).await?;
        }
        let worker = Worker::new(self, heartbeat.registration(), scope, pool, stop.clone())?;
        let count = async |_: &mut PgConnection, round: &Round| {
            note(round);
            Ok(round.is_idle)
        };
        let (last, worked) = worker.work(&mut conn, Duration::MAX, count).await;
        note(&last);
        worked?;
        snapshot::advance(&mut conn, name, self.clock.now()).await?;
        Ok(())
    }

    /// What a relay that runs does every now and then.
    async fn look_after(&self, conn: &mut PgConnection) -> Result<()> {
        self.post(conn).await?;
        housekeeping::prune_some(self, conn).await;
        Ok(())
    }

    async fn post(&self, conn: &mut PgConnection) -> Result<()> {
        match &self.config.alerts.webhook_url {
            Some(url) => Poster::new(url, self.clock.clone())?.post_due(conn).await.map(drop),
            None => Ok(()),
        }
    }

    /// Works for one receiver until `is_done` says so, or nothing more can be done before somebody resumes it. An error where
    /// it was stopped before.
    pub async fn work_until(
        &self,
        receiver: &str,
        stop: &watch::Receiver<Stop>,
        mut is_done: impl AsyncFnMut(&mut PgConnection) -> Result<bool>,
    ) -> Result<()> {
        let scopes = self.scopes()?;
        let pool = self.pool();
        let (mut conn, heartbeat) = unless_stopped(stop, Stop::Finish, self.begin(&scopes, true)).await?;
        let scope = scopes.iter().find(|scope| scope.receiver.name == receiver);
        let scope = scope.context("the receiver is configured")?;
        let mut next_look = Instant::now();
        let look = async |conn: &mut PgConnection, round: &Round| {
            let began = Instant::now();
            if !round.is_idle && began < next_look {
                return Ok(false);
            }
            let done = is_done(conn).await?;
            next_look = Instant::now() + LOOK_EVERY.max(began.elapsed() * LOOK_SHARE);
            Ok(done || round.is_idle && breaker::is_open(conn, receiver).await?)
        };
        let worker = Worker::new(self, heartbeat.registration(), scope, &pool, stop.clone())?;
        let (_, worked) = worker.work(&mut conn, self.config.relay.sweep_every, look).await;
        heartbeat.end().await;
        worked?;
        close(pool).await;
        Ok(())
    }
}

/// What one pass did, and what it could not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Units and removals that the receivers acknowledged.
    pub acknowledged: usize,
    /// Syncs that the receivers acknowledged.
    pub delivered: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
    /// Feeds that are not at rest.
    pub left: usize,
    /// Units and removals that are owed, or in a sync that was not acknowledged.
    pub unacknowledged: i64,
    /// Units that are withheld: refused, invalid, held.
    pub withheld: i64,
}

impl Pass {
    fn add(&mut self, round: &Round) {
        self.acknowledged += round.acknowledged;
        self.delivered += round.delivered;
        self.failed += round.failed;
    }
}
