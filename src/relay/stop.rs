//! Stopping, in two stages: what is under way may end, or it is cut off. Either way nothing stays leased.

use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::deliver::{Deliverer, Settled};
use crate::fault::{Fault, sentence};

/// How long a stop waits for what is under way before it is cut off.
pub const GRACE: Duration = Duration::from_secs(20);

/// How long it waits for the database to take leases back, and connections to be closed.
pub(super) const DATABASE_TAKES_MAX: Duration = Duration::from_secs(5);

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

/// Returns when a stop has gone this far.
pub(crate) async fn stopped(stop: &mut watch::Receiver<Stop>, as_far_as: Stop) {
    // Whoever could ask for a stop is gone: stop. What `wait_for` gives back is dropped here: it keeps who asks waiting.
    stop.wait_for(|stop| *stop >= as_far_as).await.ok();
}

/// Work that may be dropped where it stands; an error once a stop has gone this far.
pub(super) async fn unless_stopped<T>(
    stop: &watch::Receiver<Stop>,
    as_far_as: Stop,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut stop = stop.clone();
    tokio::select! {
        done = work => done,
        () = stopped(&mut stop, as_far_as) => Err(interrupted().into()),
    }
}

/// What a command says that was stopped before it was done.
pub(crate) fn interrupted() -> Fault {
    Fault::finding(
        "interrupted: nothing is under way any more; what was not delivered stays owed, and is sent by the next `run` or `once`",
    )
}

/// What is under way ends within a bound or, once there is no time for it, is cut off and its leases given back. `note` is given what
/// ended.
pub(super) async fn finish(
    deliverer: &mut Deliverer,
    stop: &mut watch::Receiver<Stop>,
    note: &mut (dyn FnMut(&Settled) + Send),
) {
    tokio::select! {
        done = timeout(GRACE, settle_all(deliverer, note)) => if done.is_err() {
            tracing::warn!("requests under way did not end within {GRACE:?}, they are cut off");
        },
        () = stopped(stop, Stop::Now) => {}
    }
    let cut_off = timeout(DATABASE_TAKES_MAX, deliverer.cut_off()).await;
    if let Err(error) = cut_off.unwrap_or_else(|_| Err(anyhow!("the database does not answer"))) {
        tracing::error!(
            "leases could not be given back, they end by themselves: {}",
            sentence(&error)
        );
    }
}

async fn settle_all(deliverer: &mut Deliverer, note: &mut (dyn FnMut(&Settled) + Send)) {
    while !deliverer.is_idle() {
        let settled = match deliverer.ended().await {
            Ok(ended) => deliverer.settle(ended).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(settled) => note(&settled),
            Err(error) => tracing::error!(
                "an answer could not be written down, its sync will be sent again: {}",
                sentence(&error)
            ),
        }
    }
}
