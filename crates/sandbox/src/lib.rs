//! A stand-in for the partner's endpoint: it accepts what the contract allows, refuses the rest
//! with the place and the reason, and can be made to fail.
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
//! | `auth` | who may send; the token endpoint |
//! | `request` | headers, gzip, size |
//! | `options` | what was agreed |
//! | `json`, `check` | what a body must look like |
//! | `received` | what a body says, whatever its format |
//! | `faults` | what goes wrong on purpose |
//! | `breach` | which rules are broken on purpose |
//! | `state` | sync IDs known, properties held: whether a sync fits and what it changes |
//! | `property` | the same for one property |
//! | `answer` | what goes out |
//! | `log` | what came in |
//! | `refusal` | why something was not applied |
//!
//! Everything is bounded: bodies at 64 MiB, the log at 100,000 requests, remembered sync IDs at
//! 200,000 (older ones are still stale by their sequence), remembered contents at 16 a unit, backups at 16.

mod answer;
mod auth;
mod breach;
mod check;
mod connection;
mod faults;
mod json;
mod log;
mod options;
mod property;
mod received;
mod refusal;
mod request;
mod server;
mod state;

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
pub use options::{Batch, Format, Removed, SandboxOptions, UnitStyle};
pub use property::PropertyState;
pub use received::PropertyId;

use auth::Gate;
use check::Shape;
use connection::{CutListener, Cutter};
use server::Shared;
use state::State;

/// The contract's defaults, open to anybody.
impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            format: Format::Property,
            batch: Batch::PerProperty,
            unit_style: UnitStyle::Flat,
            extensions: true,
            fields: check::field_names().map(str::to_owned).collect(),
            removed: Removed::List,
            auth: SandboxAuth::None,
            lenient: false,
        }
    }
}

impl SandboxOptions {
    /// Whether they go together; the error says which don't, and what is expected.
    pub fn check(&self) -> Result<(), String> {
        Shape::agreed(self)?;
        Gate::agreed(self.auth.clone())?;
        Ok(())
    }
}

/// What a sandbox held at some time; by default, nothing.
#[derive(Clone, Default)]
pub struct Saved(State);

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
        let shape = Shape::agreed(&options).map_err(anyhow::Error::msg)?;
        let gate = Gate::agreed(options.auth).map_err(anyhow::Error::msg)?;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the sandbox can't listen on {listen}"))?;
        let address = listener.local_addr().context("the sandbox's own address is unknown")?;
        let shared = Arc::new(Shared::new(shape, gate));
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

    /// Where it issues tokens, if those were agreed.
    pub fn token_url(&self) -> String {
        self.url().replace("/v1/rent-roll/sync", "/oauth/token")
    }

    /// How often a token was asked for, refusals included.
    pub fn token_requests(&self) -> u64 {
        self.shared.token_desk().map_or(0, |desk| desk.issued().requests)
    }

    /// No token issued until now is good any more.
    pub fn revoke_tokens(&self) {
        if let Some(desk) = self.shared.token_desk() {
            desk.revoke();
        }
    }

    /// Replaces the faults, as `PUT /faults` does; `{}` clears them.
    pub fn set_faults(&self, faults: Value) -> anyhow::Result<()> {
        self.shared.set_faults(faults).map_err(anyhow::Error::msg)
    }

    /// The properties ever received, in order; those known by AiGent's own id.
    pub fn properties(&self) -> Vec<i64> {
        let own = |id| match id {
            PropertyId::Integer(id) => Some(id),
            PropertyId::Text(_) => None,
        };
        self.property_ids().into_iter().filter_map(own).collect()
    }

    /// All properties ever received, in order.
    pub fn property_ids(&self) -> Vec<PropertyId> {
        let summaries = self.shared.held().state.summaries();
        summaries.into_iter().map(|line| line.project_id).collect()
    }

    /// What it holds of a property, if any was ever received.
    pub fn property(&self, project_id: i64) -> Option<PropertyState> {
        self.property_by(&project_id.into())
    }

    /// What it holds of a property, by whichever id that is known.
    pub fn property_by(&self, id: &PropertyId) -> Option<PropertyState> {
        self.shared.held().state.property(id)
    }

    /// What came in, oldest first; at most the latest 100,000 requests.
    pub fn syncs(&self) -> Vec<SyncLogEntry> {
        self.shared.held().log.entries()
    }

    /// A backup of what it holds: properties, sync IDs, sequences.
    pub fn save(&self) -> Saved {
        Saved(self.shared.held().state.clone())
    }

    /// Sets back what it holds, as a receiver that was restored from an old backup: what came later is forgotten, sync
    /// IDs and sequences included. The log stays.
    pub fn restore(&self, saved: Saved) {
        self.shared.held().state = saved.0;
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
