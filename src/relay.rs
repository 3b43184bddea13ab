//! The relay: the only loops. Each runs one bounded step of a stage after another.
//!
//! Per receiver two tasks: one plans (looks every `relay.poll_every`, sweeps every `relay.sweep_every`), one delivers.
//! They wake each other; neither depends on it, both find their work in the database. A failure of our own, such as a
//! database that went away, is logged once and tried again; nothing is lost by it.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::config::{Config, Receiver};
use crate::database::{Database, check_server};
use crate::deliver::Deliverer;
use crate::fault::sentence;
use crate::plan::{self, Scope, Walk};
use crate::status;

/// How long a stop waits for what is under way before it is cut off.
pub const GRACE: Duration = Duration::from_secs(20);
/// Between tries to reach a database that went away.
const RECONNECT_EVERY: Duration = Duration::from_secs(1);

/// How far a stop has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Take nothing new, finish what is under way.
    Finish,
    /// Now.
    Now,
}

/// What a relay runs on.
#[derive(Clone)]
pub struct Relay {
    /// The database.
    pub database: Database,
    /// All settings.
    pub config: Config,
    /// Whose time it goes by.
    pub clock: Clock,
    /// Host and process, as attempts name it.
    pub name: String,
}

/// What the deliverer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    Due,
    Probe,
}

impl Relay {
    /// One for these settings.
    pub fn new(database: Database, config: Config) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "relay".into());
        Self {
            database,
            config,
            clock: Clock::Database,
            name: format!("{}:{}", host.trim(), std::process::id()),
        }
    }

    /// Runs until told to stop; fails only where it can't begin.
    pub async fn run(self, stop: watch::Receiver<Stop>) -> Result<()> {
        let available = self.config.source.available_status_ids()?.to_vec();
        let pool = self.pool();
        self.begin(&available).await?;
        let mut tasks = JoinSet::new();
        for receiver in self.config.receivers.values() {
            let (wake_deliverer, woken_deliverer) = mpsc::channel(4);
            let (notice_planner, noticed_planner) = mpsc::unbounded_channel();
            tasks.spawn(plan_loop(
                self.clone(),
                receiver.clone(),
                available.clone(),
                wake_deliverer,
                noticed_planner,
                stop.clone(),
            ));
            let deliverer = Deliverer::new(pool.clone(), receiver, self.clock.clone(), &self.name)?;
            tasks.spawn(deliver_loop(deliverer, woken_deliverer, notice_planner, stop.clone()));
        }
        while let Some(task) = tasks.join_next().await {
            task.context("a stage panicked")?;
        }
        pool.close().await;
        Ok(())
    }

    /// One pass: plans and delivers until nothing is due. Waits for no retry. Tells `progress` after each step.
    pub async fn once(&self, progress: &mut dyn FnMut(&Pass)) -> Result<Pass> {
        let available = self.config.source.available_status_ids()?.to_vec();
        let pool = self.pool();
        let mut conn = self.begin(&available).await?;
        let mut pass = Pass::default();
        for receiver in self.config.receivers.values() {
            let scope = Scope {
                receiver,
                available_status_ids: &available,
            };
            let mut deliverer = Deliverer::new(pool.clone(), receiver, self.clock.clone(), &self.name)?;
            let mut walk = Walk::new(self.clock.clone());
            loop {
                let step = walk.step(&mut conn, scope, Duration::MAX).await?;
                pass.units += step.planned.units + step.planned.removed_units;
                let started = if step.look.probe {
                    deliverer.start_probe().await?
                } else {
                    deliverer.start_due().await?
                };
                if !deliverer.is_idle() {
                    let ended = deliverer.ended().await?;
                    let settled = deliverer.settle(ended).await?;
                    pass.delivered += settled.delivered;
                    pass.failed += settled.failed;
                    walk.notice(settled.properties);
                } else if started == 0 && !step.more && !step.planned.elsewhere {
                    break;
                }
                progress(&pass);
                if step.planned.elsewhere {
                    sleep(self.config.relay.poll_every).await;
                }
            }
        }
        for receiver in self.config.receivers.keys() {
            pass.left += usize::try_from(status::unsettled(&mut conn, receiver).await?)?;
        }
        pool.close().await;
        Ok(pass)
    }

    async fn begin(&self, available: &[i64]) -> Result<PgConnection> {
        let mut conn = self.database.connect().await?;
        check_server(&mut conn).await?;
        for receiver in self.config.receivers.values() {
            let scope = Scope {
                receiver,
                available_status_ids: available,
            };
            plan::register(&mut conn, scope).await?;
        }
        Ok(conn)
    }

    fn pool(&self) -> PgPool {
        let planners = u32::try_from(self.config.receivers.len()).unwrap_or(u32::MAX);
        self.database
            .pool(self.config.database.max_connections.saturating_sub(planners).max(1))
    }
}

/// What one pass did, and what it could not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Units and removals sealed.
    pub units: usize,
    /// Syncs the receivers took.
    pub delivered: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
    /// Feeds that are not at rest.
    pub left: usize,
}

async fn plan_loop(
    relay: Relay,
    receiver: Receiver,
    available: Vec<i64>,
    wake: mpsc::Sender<Wake>,
    mut noticed: mpsc::UnboundedReceiver<Vec<i64>>,
    mut stop: watch::Receiver<Stop>,
) {
    let scope = Scope {
        receiver: &receiver,
        available_status_ids: &available,
    };
    let mut ticks = interval(relay.config.relay.poll_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut walk = Walk::new(relay.clock.clone());
    let mut failing = false;
    loop {
        // A connection of its own: closing it, for whatever reason, gives back the planning lock.
        let planning = async {
            let mut conn = relay.database.connect().await?;
            check_server(&mut conn).await?;
            loop {
                // What is due goes out also where planning fails.
                let look = walk.look(&mut conn, scope).await?;
                wake_for(look.probe, look.due, &wake);
                let step = walk
                    .plan(&mut conn, scope, look, relay.config.relay.sweep_every)
                    .await?;
                wake_for(look.probe, step.planned.syncs, &wake);
                if std::mem::take(&mut failing) {
                    tracing::info!(receiver = receiver.name, "planning works again");
                }
                if step.more && step.planned.feeds > 0 {
                    continue;
                }
                tokio::select! {
                    _ = ticks.tick() => {}
                    Some(properties) = noticed.recv() => walk.notice(properties),
                }
            }
        };
        let error: anyhow::Error = tokio::select! {
            Err::<(), _>(error) = planning => error,
            () = stopped(&mut stop, Stop::Finish) => return,
        };
        if !failing {
            failing = true;
            report_failure(&relay, &receiver, &error).await;
        }
        tokio::select! {
            () = sleep(RECONNECT_EVERY) => {}
            () = stopped(&mut stop, Stop::Finish) => return,
        }
    }
}

/// A full channel holds enough to wake up for.
fn wake_for(probe: bool, due: usize, wake: &mpsc::Sender<Wake>) {
    if probe {
        wake.try_send(Wake::Probe).ok();
    } else if due > 0 {
        wake.try_send(Wake::Due).ok();
    }
}

/// One alert where the database can still be written to, one log line in any case.
async fn report_failure(relay: &Relay, receiver: &Receiver, error: &anyhow::Error) {
    let alert = Alert {
        kind: Kind::Plan,
        receiver: receiver.name.clone(),
        property_id: None,
        message: format!("planning stopped, changes keep gathering: {}", sentence(error)),
    };
    let raised = async { alert::raise(&mut relay.database.connect().await?, &alert, relay.clock.now()).await };
    if raised.await.is_err() {
        tracing::error!(receiver = receiver.name, "{}", alert.message);
    }
}

async fn deliver_loop(
    mut deliverer: Deliverer,
    mut woken: mpsc::Receiver<Wake>,
    notice: mpsc::UnboundedSender<Vec<i64>>,
    mut stop: watch::Receiver<Stop>,
) {
    let mut failing = false;
    let mut due = None;
    loop {
        let started = match due {
            Some(Wake::Due) if deliverer.free() > 0 => deliverer.start_due().await,
            Some(Wake::Probe) => deliverer.start_probe().await,
            _ => Ok(0),
        };
        let stepped = match started {
            // As many as there was room for: there may be more.
            Ok(0) => {
                due = due.filter(|_| deliverer.free() == 0);
                step(&mut deliverer, &mut woken, &mut due, &notice, &mut stop).await
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match stepped {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("delivering works again");
            }
            Ok(()) => {}
            Err(error) => {
                if !failing {
                    tracing::error!(
                        "delivering stopped, it is tried again every second: {}",
                        sentence(&error)
                    );
                }
                failing = true;
                sleep(RECONNECT_EVERY).await;
            }
        }
        if *stop.borrow() > Stop::No {
            break;
        }
    }
    finish(&mut deliverer, &mut stop).await;
}

/// Waits for whatever comes first: an answer, a wake-up, a stop.
async fn step(
    deliverer: &mut Deliverer,
    woken: &mut mpsc::Receiver<Wake>,
    due: &mut Option<Wake>,
    notice: &mpsc::UnboundedSender<Vec<i64>>,
    stop: &mut watch::Receiver<Stop>,
) -> Result<()> {
    let ended = tokio::select! {
        ended = deliverer.ended() => ended?,
        Some(wake) = woken.recv() => {
            *due = Some(wake);
            return Ok(());
        }
        () = stopped(stop, Stop::Finish) => return Ok(()),
    };
    notice.send(deliverer.settle(ended).await?.properties).ok();
    Ok(())
}

/// Returns when a stop has gone this far.
async fn stopped(stop: &mut watch::Receiver<Stop>, as_far_as: Stop) {
    // Whoever could ask for a stop is gone: stop.
    stop.wait_for(|stop| *stop >= as_far_as).await.ok();
}

/// The second stage of a stop: what is under way ends within a bound, or is cut off and given back.
async fn finish(deliverer: &mut Deliverer, stop: &mut watch::Receiver<Stop>) {
    let finishing = async {
        while !deliverer.is_idle() {
            let ended = deliverer.ended().await;
            let settled = match ended {
                Ok(ended) => deliverer.settle(ended).await,
                Err(error) => Err(error),
            };
            if let Err(error) = settled {
                tracing::error!(
                    "an answer could not be written down, its sync will be sent again: {}",
                    sentence(&error)
                );
            }
        }
    };
    tokio::select! {
        done = timeout(GRACE, finishing) => if done.is_err() {
            tracing::warn!("requests under way did not end within {GRACE:?}, they are cut off");
        },
        () = stopped(stop, Stop::Now) => {}
    }
    if let Err(error) = deliverer.cut_off().await {
        tracing::error!(
            "leases could not be given back, they end by themselves: {}",
            sentence(&error)
        );
    }
}
