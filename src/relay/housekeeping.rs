//! What is done beside the stages, every now and then: posting alerts, pruning. Whatever fails is tried again, and is never in
//! anybody's way.

use std::time::Duration;

use anyhow::Result;
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio::time::sleep;

use super::context::Relay;
use super::stop::{Stop, stopped};
use crate::alert::Poster;
use crate::fault::sentence;
use crate::prune;

/// What is older than its retention is some days old: an hour more is nothing.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Each of some thousands of rows.
const STEPS_OF_A_PASS: usize = 50;

/// Alerts that are due at the webhook; whatever fails is tried again, and never in anybody's way.
pub(super) async fn post_loop(relay: Relay, poster: Poster, mut stop: watch::Receiver<Stop>) {
    loop {
        let posting = async { poster.post_due(&mut relay.database.connect().await?).await };
        tokio::select! {
            posted = posting => if let Err(error) = posted {
                tracing::debug!("alerts could not be posted: {}", sentence(&error));
            },
            () = stopped(&mut stop, Stop::Finish) => return,
        }
        tokio::select! {
            () = sleep(relay.config.relay.sweep_every) => {}
            () = stopped(&mut stop, Stop::Finish) => return,
        }
    }
}

/// Old changes and old syncs, a bounded step at a time.
pub(super) async fn prune_loop(relay: Relay, mut stop: watch::Receiver<Stop>) {
    loop {
        tokio::select! {
            pruned = prune_all(&relay) => if let Err(error) = pruned {
                tracing::warn!("nothing could be pruned, it is tried again in an hour: {}", sentence(&error));
            },
            () = stopped(&mut stop, Stop::Finish) => return,
        }
        tokio::select! {
            () = sleep(PRUNE_EVERY) => {}
            () = stopped(&mut stop, Stop::Finish) => return,
        }
    }
}

/// A pass may be all that ever runs here: it prunes what a night leaves behind, and the next one goes on. Nothing that was
/// sent depends on it.
pub(super) async fn prune_some(relay: &Relay, conn: &mut PgConnection) {
    for _ in 0..STEPS_OF_A_PASS {
        match prune::step(conn, &relay.config.retention, relay.clock.now()).await {
            Ok(step) if step.more => {}
            Ok(_) => return,
            Err(error) => {
                return tracing::warn!(
                    "nothing could be pruned, the next pass tries again: {}",
                    sentence(&error)
                );
            }
        }
    }
}

async fn prune_all(relay: &Relay) -> Result<()> {
    let mut conn = relay.database.connect().await?;
    while prune::step(&mut conn, &relay.config.retention, relay.clock.now())
        .await?
        .more
    {}
    Ok(())
}
