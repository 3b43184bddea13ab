//! The loop that plans for one receiver: looks every `relay.poll_every`, sweeps every `relay.sweep_every`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::context::{RECONNECT_EVERY, Relay, Wake};
use super::stop::{Stop, stopped};
use super::turns::Turns;
use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::config::{self, Receiver};
use crate::database::check_server;
use crate::fault::sentence;
use crate::heartbeat::Registration;
use crate::lineage;
use crate::plan::{Scope, Walk, know_receiver};
use crate::snapshot;

/// How often a run under way is counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn plan_loop(
    relay: Relay,
    registration: Arc<Registration>,
    scope: Scope,
    wake: mpsc::Sender<Wake>,
    mut noticed: mpsc::UnboundedReceiver<Vec<i64>>,
    mut stop: watch::Receiver<Stop>,
) {
    let mut ticks = interval(relay.config.relay.poll_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut walk = Walk::new(relay.clock.clone(), registration.clone());
    let mut nightly = Nightly::new(&relay);
    let stages = relay.progress.of(&scope.receiver.name);
    let mut failing = false;
    let mut reported = String::new();
    loop {
        // A connection of its own: closing it, for whatever reason, ends a plan under way and its lock.
        let planning = async {
            let mut conn = relay.database.connect().await?;
            check_server(&mut conn).await?;
            know_receiver(&mut conn, &scope).await?;
            // It may be another server than before, or the same one set back.
            lineage::check(&mut conn, &scope.receiver.name, relay.clock.now()).await?;
            walk.look_anew();
            let mut turns = Turns::new(&relay.clock);
            let mut works = false;
            loop {
                // What is due goes out also where planning fails.
                let look = walk.look(&mut conn, &scope).await?;
                wake_for(look.due, &wake);
                let step = walk
                    .plan(&mut conn, &scope, look, relay.config.relay.sweep_every)
                    .await?;
                wake_for(step.planned.syncs, &wake);
                nightly
                    .step(&mut conn, &scope.receiver.name, look.snapshot_runs)
                    .await?;
                if turns.progress(&mut conn, &scope.receiver.name, &step.planned).await? {
                    stages.planned();
                    if !std::mem::replace(&mut works, true) {
                        if std::mem::take(&mut failing) {
                            tracing::info!(receiver = scope.receiver.name, "planning works again");
                        }
                        let over = [Kind::Plan, Kind::Starved];
                        alert::resolve(&mut conn, &scope.receiver.name, &over, relay.clock.now()).await?;
                    }
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
            Err::<(), _>(error) = registration.unless_silent(planning) => error,
            () = stopped(&mut stop, Stop::Finish) => return,
        };
        let because = sentence(&error);
        if !failing || because != reported {
            failing = true;
            report_failure(&relay, &scope.receiver, &because).await;
            reported = because;
        }
        tokio::select! {
            () = sleep(RECONNECT_EVERY) => {}
            () = stopped(&mut stop, Stop::Finish) => return,
        }
    }
}

/// Begins the night's run when it is due, and counts what runs have done.
struct Nightly {
    settings: config::Snapshot,
    clock: Clock,
    ask_every: Duration,
    asked: Option<Instant>,
    counted: Option<Instant>,
}

impl Nightly {
    fn new(relay: &Relay) -> Self {
        Self {
            settings: relay.config.snapshot.clone(),
            clock: relay.clock.clone(),
            ask_every: relay.config.relay.sweep_every,
            asked: None,
            counted: None,
        }
    }

    async fn step(&mut self, conn: &mut PgConnection, receiver: &str, running: bool) -> Result<()> {
        let is_over = |last: Option<Instant>, every| last.is_none_or(|last| last.elapsed() >= every);
        if self.settings.enabled && is_over(self.asked, self.ask_every) {
            self.asked = Some(Instant::now());
            snapshot::begin_scheduled(conn, receiver, &self.settings, self.clock.now()).await?;
        }
        if running && is_over(self.counted, COUNT_EVERY.min(self.ask_every)) {
            self.counted = Some(Instant::now());
            snapshot::advance(conn, receiver, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// A full channel holds enough to wake up for.
fn wake_for(due: usize, wake: &mpsc::Sender<Wake>) {
    if due > 0 {
        wake.try_send(Wake).ok();
    }
}

/// One alert where the database can still be written to, one log line in any case.
async fn report_failure(relay: &Relay, receiver: &Receiver, because: &str) {
    let alert = Alert {
        kind: Kind::Plan,
        receiver: receiver.name.clone(),
        property_id: None,
        message: format!("planning stopped, changes keep gathering: {because}"),
    };
    let raised = async { alert::raise(&mut relay.database.connect().await?, &alert, relay.clock.now()).await };
    if raised.await.is_err() {
        tracing::error!(receiver = receiver.name, "{}", alert.message);
    }
}
