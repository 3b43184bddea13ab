//! A stand-in for the partner's endpoint: it takes what the contract allows, refuses the rest
//! with the place and the reason, and can be told to fail.
//!
//! It is the judge of the relay, so it is written from the contract alone and shares no code with
//! the sending side. What it holds is in memory and goes with it. It doesn't know what the source
//! has: whether the partner's copy is right is for whoever compares the two.
//!
//! In the order in which a request meets them:
//!
//! | module | its business |
//! | --- | --- |
//! | `connection` | a connection that can be closed without an answer |
//! | `server` | routes, the lock, the order of steps |
//! | `auth` | who may send |
//! | `request` | headers, gzip, size |
//! | `json`, `check` | what a body must look like |
//! | `told` | what a body says, whatever its format |
//! | `faults` | what goes wrong on purpose |
//! | `state` | sync IDs known, properties held: whether a sync fits and what it changes |
//! | `property` | the same for one property |
//! | `log` | what came in |
//! | `refusal` | why something was not taken |
//!
//! Everything is bounded: bodies at 64 MiB, the log at 100,000 requests, remembered sync IDs at
//! 200,000 (older ones are still stale by their sequence), remembered contents at 16 a unit.

mod auth;
mod check;
mod connection;
mod faults;
mod json;
mod log;
mod property;
mod refusal;
mod request;
mod server;
mod state;
mod told;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use auth::SandboxAuth;
pub use log::SyncLogEntry;
pub use property::PropertyState;

use connection::{CutListener, Cutter};
use server::Shared;

/// How a sandbox is set up.
#[derive(Clone, Default)]
pub struct SandboxOptions {
    /// How the sender has to prove itself.
    pub auth: SandboxAuth,
}

/// A running sandbox. It stops when it is dropped: it takes no new connection, closes idle ones,
/// and lets requests in flight end by themselves.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
    /// Dropped or sent to, it closes the connections.
    stop: Option<oneshot::Sender<()>>,
}

impl Sandbox {
    /// Starts on `listen`; port 0 takes any free one.
    pub async fn start(listen: SocketAddr, options: SandboxOptions) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the sandbox can't listen on {listen}"))?;
        let address = listener.local_addr().context("the sandbox's own address is unknown")?;
        let shared = Arc::new(Shared::new(options.auth));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, shared.clone(), stopped));
        Ok(Self {
            shared,
            address,
            server,
            stop: Some(stop),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint to POST to.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}/v1/rent-roll/sync")
    }

    /// Replaces the faults, as `PUT /faults` does; `{}` clears them.
    pub fn set_faults(&self, faults: Value) -> anyhow::Result<()> {
        self.shared.set_faults(faults).map_err(anyhow::Error::msg)
    }

    /// The properties ever told, in order.
    pub fn properties(&self) -> Vec<i64> {
        let summaries = self.shared.held().state.summaries();
        summaries.iter().map(|line| line.project_id).collect()
    }

    /// What it holds of a property, if that was ever told.
    pub fn property(&self, project_id: i64) -> Option<PropertyState> {
        self.shared.held().state.property(project_id)
    }

    /// What came in, oldest first; at most the latest 100,000 requests.
    pub fn syncs(&self) -> Vec<SyncLogEntry> {
        self.shared.held().log.entries()
    }

    /// Forgets what came in. What it holds stays.
    pub fn clear_log(&self) {
        self.shared.held().log.clear();
    }

    /// Waits until `predicate` holds, asking again after each request; false when that took
    /// longer than `timeout`.
    pub async fn wait_until(&self, mut predicate: impl FnMut(&Self) -> bool, timeout: Duration) -> bool {
        let mut settled = self.shared.settled.subscribe();
        let waited = tokio::time::timeout(timeout, async {
            loop {
                // Before asking: what is settled meanwhile must wake the wait below.
                settled.borrow_and_update();
                if predicate(self) {
                    break;
                }
                // The sender lives in `shared`, so it is never closed here.
                let _ = settled.changed().await;
            }
        });
        waited.await.is_ok()
    }

    /// Serves until the future is cancelled, for the command line.
    pub async fn stopped(&mut self) {
        // An aborted or panicked server is as stopped as one that ended.
        let _ = (&mut self.server).await;
    }

    /// Stops, and returns once the address is free again.
    pub async fn stop(mut self) {
        self.shut();
        self.stopped().await;
    }

    fn shut(&mut self) {
        self.stop.take();
        self.server.abort();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shut();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let service = server::router(shared).into_make_service_with_connect_info::<Cutter>();
    // axum's accept loop never ends with an error.
    let _ = axum::serve(CutListener(listener), service)
        .with_graceful_shutdown(async {
            let _ = stopped.await;
        })
        .await;
}
