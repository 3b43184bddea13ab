//! The loop that plans for one receiver: looks every `relay.poll_every`, sooner after news, and sweeps every `relay.sweep_every`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::capture_watch::CaptureWatch;
use super::context::{RECONNECT_EVERY, Relay, Wake};
use super::stop::{Stop, stopped};
use super::turns::Turns;
use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::config::{self, Receiver};
use crate::database::check_server;
use crate::fault::{Fault, sentence};
use crate::heartbeat::Registration;
use crate::plan::{Planner, Scope, current_snapshot, know_receiver};
use crate::snapshot;
use crate::source_identity;

/// While there is news looks come so much sooner; once there was none for a while the pause doubles until it is `relay.poll_every` again.
const SOONER: u32 = 16;
/// A person edits a property field by field: where there was news there is more.
const NEWS_LASTS: Duration = Duration::from_secs(1);
/// How often a run under way is counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// What plans for one receiver.
pub(super) struct Planning {
    pub relay: Relay,
    pub registration: Arc<Registration>,
    pub scope: Scope,
    /// Wakes the deliverer: something is due.
    pub wake: mpsc::Sender<Wake>,
    /// Asked once for all receivers.
    pub captured: Arc<CaptureWatch>,
    /// Properties whose syncs were settled.
    pub noticed: mpsc::UnboundedReceiver<Vec<i64>>,
}

/// What was logged last: a failure once, and that it is over.
#[derive(Default)]
struct Reported {
    failing: bool,
    because: String,
}

impl Planning {
    pub async fn run(mut self, mut stop: watch::Receiver<Stop>) {
        let registration = self.registration.clone();
        let mut planner = Planner::new(self.relay.clock.clone(), registration.clone());
        let mut nightly = Nightly::new(&self.relay);
        let mut reported = Reported::default();
        loop {
            let planning = self.plan(&mut planner, &mut nightly, &mut reported);
            let error: anyhow::Error = tokio::select! {
                Err::<(), _>(error) = registration.unless_silent(planning) => error,
                () = stopped(&mut stop, Stop::Finish) => return,
            };
            let because = sentence(&error);
            if !reported.failing || because != reported.because {
                reported.failing = true;
                report_failure(&self.relay, &self.scope.receiver, &because).await;
                reported.because = because;
            }
            tokio::select! {
                () = sleep(RECONNECT_EVERY) => {}
                () = stopped(&mut stop, Stop::Finish) => return,
            }
        }
    }

    /// Plans until something fails. A connection of its own: closing it, for whatever reason, ends a plan under way and its lock.
    async fn plan(&mut self, planner: &mut Planner, nightly: &mut Nightly, reported: &mut Reported) -> Result<()> {
        let (relay, scope) = (&self.relay, &self.scope);
        let receiver = &scope.receiver.name;
        let stages = relay.progress.of(receiver);
        let mut conn = relay.database.connect().await?;
        let moves = relay.database.moves();
        check_server(&mut conn).await?;
        know_receiver(&mut conn, scope).await?;
        // It may be another server than before, or the same one set back.
        source_identity::check(&mut conn, receiver, &relay.witness, relay.clock.now()).await?;
        planner.look_anew();
        let mut turns = Turns::new(&relay.clock);
        let mut works = false;
        let poll_every = relay.config.relay.poll_every;
        let mut pause = poll_every;
        let mut news: Option<Instant> = None;
        loop {
            if news.is_none_or(|news| news.elapsed() > NEWS_LASTS) {
                pause = (pause * 2).min(poll_every);
            }
            let snapshot = current_snapshot(&mut conn).await?;
            if !planner.is_at_rest(&snapshot, relay.config.relay.sweep_every) {
                if relay.database.moves() != moves {
                    return Err(Fault::down("the database is used at another host by now").into());
                }
                relay.database.check_schema_owner(&mut conn).await?;
                self.captured.step(&mut conn).await?;
                // What is due goes out also where planning fails.
                let look = planner.look(&mut conn, scope).await?;
                wake_for(look.free, &self.wake);
                let step = planner
                    .plan(&mut conn, scope, look, relay.config.relay.sweep_every)
                    .await?;
                wake_for(step.planned.syncs, &self.wake);
                nightly.step(&mut conn, receiver, look.snapshot_runs).await?;
                if turns.progress(&mut conn, receiver, &step.planned).await? {
                    stages.planned();
                    if !planner.is_sweeping() && !std::mem::replace(&mut works, true) {
                        reported.over(&mut conn, relay, receiver).await?;
                    }
                }
                if step.more && step.planned.feeds > 0 {
                    continue;
                }
                if step.planned.feeds > 0 {
                    pause = poll_every / SOONER;
                    news = Some(Instant::now());
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                Some(properties) = self.noticed.recv() => planner.notice(properties),
            }
        }
    }
}

impl Reported {
    /// Planning works, whatever failed before.
    async fn over(&mut self, conn: &mut PgConnection, relay: &Relay, receiver: &str) -> Result<()> {
        if std::mem::take(&mut self.failing) {
            tracing::info!(receiver, "planning works again");
        }
        alert::resolve(conn, receiver, &[Kind::Plan, Kind::Starved], relay.clock.now()).await
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
