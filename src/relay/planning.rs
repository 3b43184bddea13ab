//! The loop that plans for one receiver: looks every `relay.poll_every`, sweeps every `relay.sweep_every`.

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{RECONNECT_EVERY, Relay, Stop, Wake, stopped};
use crate::alert::{self, Alert, Kind};
use crate::config::Receiver;
use crate::database::check_server;
use crate::fault::sentence;
use crate::lineage;
use crate::plan::{Scope, Walk};

pub(super) async fn plan_loop(
    relay: Relay,
    scope: Scope,
    wake: mpsc::Sender<Wake>,
    mut noticed: mpsc::UnboundedReceiver<Vec<i64>>,
    mut stop: watch::Receiver<Stop>,
) {
    let mut ticks = interval(relay.config.relay.poll_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut walk = Walk::new(relay.clock.clone());
    let mut failing = false;
    loop {
        // A connection of its own: closing it, for whatever reason, gives back the planning lock.
        let planning = async {
            let mut conn = relay.database.connect().await?;
            check_server(&mut conn).await?;
            // It may be another server than before, or the same one set back.
            lineage::check(&mut conn, &scope.receiver.name, relay.clock.now()).await?;
            walk.look_anew();
            loop {
                // What is due goes out also where planning fails.
                let look = walk.look(&mut conn, &scope).await?;
                wake_for(look.due, &wake);
                let step = walk
                    .plan(&mut conn, &scope, look, relay.config.relay.sweep_every)
                    .await?;
                wake_for(step.planned.syncs, &wake);
                if std::mem::take(&mut failing) {
                    tracing::info!(receiver = scope.receiver.name, "planning works again");
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
            report_failure(&relay, &scope.receiver, &error).await;
        }
        tokio::select! {
            () = sleep(RECONNECT_EVERY) => {}
            () = stopped(&mut stop, Stop::Finish) => return,
        }
    }
}

/// A full channel holds enough to wake up for.
fn wake_for(due: usize, wake: &mpsc::Sender<Wake>) {
    if due > 0 {
        wake.try_send(Wake).ok();
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
