//! The loop that delivers to one receiver: whatever comes first, an answer, a wake-up, new credentials, a stop.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, sleep};

use super::context::{RECONNECT_EVERY, Wake};
use super::progress::Stages;
use super::stop::{Stop, finish, stopped};
use crate::deliver::{Deliverer, Ended};
use crate::fault::{exit_code, is_denied, sentence};
use crate::heartbeat::Registration;

/// The exit code of what says so.
const UNREACHABLE: u8 = 3;

/// What a delivering loop goes by.
pub(super) struct Delivering {
    pub deliverer: Deliverer,
    /// Whose it is.
    pub registration: Arc<Registration>,
    /// Something is due.
    pub woken: mpsc::Receiver<Wake>,
    /// Properties that may be planned again.
    pub notice: mpsc::UnboundedSender<Vec<i64>>,
    /// When to look at the credentials.
    pub credentials_every: Interval,
    /// For whoever asks from outside.
    pub stages: Arc<Stages>,
    pub stop: watch::Receiver<Stop>,
    /// There may be more to lease.
    pub due: bool,
    /// What ended is being written down, or was not the last time.
    pub settling: bool,
    /// A right was lacking: nothing is sent until it is there.
    pub denied: bool,
}

impl Delivering {
    /// Until a stop.
    pub async fn run(mut self) {
        let mut failing = false;
        let mut reported = String::new();
        while *self.stop.borrow() == Stop::No {
            // What was being settled when the database fell silent is sent again, under its own sync ID.
            let step = self.registration.clone().unless_silent(self.step()).await;
            match step {
                // Whoever can lease may still be unable to write down what came of it.
                Ok(()) if self.settling => {}
                Ok(()) => {
                    self.stages.delivering(true);
                    if std::mem::take(&mut failing) {
                        tracing::info!("delivering works again");
                    }
                }
                Err(error) => {
                    self.stages.delivering(false);
                    // A database that went away took the tries with it, and they are made again.
                    self.settling &= exit_code(&error) != UNREACHABLE;
                    self.denied |= error.chain().any(|cause| cause.downcast_ref().is_some_and(is_denied));
                    let because = sentence(&error);
                    if !failing || because != reported {
                        tracing::error!("delivering stopped, it is tried again every second: {because}");
                        reported = because;
                    }
                    failing = true;
                    sleep(RECONNECT_EVERY).await;
                }
            }
        }
        let stages = self.stages.clone();
        finish(&mut self.deliverer, &mut self.stop, &mut |settled| {
            stages.settled(settled)
        })
        .await;
    }

    async fn step(&mut self) -> Result<()> {
        if self.denied {
            self.deliverer.check_rights().await?;
            self.denied = false;
        }
        if self.deliverer.is_behind() {
            self.settle(Ended::default()).await?;
        }
        let free = self.deliverer.free();
        if self.due && free > 0 {
            let started = self.deliverer.start_due().await?;
            // As many as there was room for: there may be more. Where the receiver's limits leave less room a look says what is due.
            self.due = started == free;
        }
        let ended = tokio::select! {
            ended = self.deliverer.ended() => ended?,
            Some(Wake) = self.woken.recv() => {
                self.due = true;
                return Ok(());
            }
            _ = self.credentials_every.tick() => return self.deliverer.notice_credentials().await,
            () = stopped(&mut self.stop, Stop::Finish) => return Ok(()),
        };
        self.settle(ended).await
    }

    async fn settle(&mut self, ended: Ended) -> Result<()> {
        self.settling = true;
        let settled = self.deliverer.settle(ended).await?;
        self.settling = false;
        self.stages.settled(&settled);
        self.notice.send(settled.properties).ok();
        Ok(())
    }
}
