//! A stand-in for RentSync: strict, keeps state, can be told to fail.
//!
//! Written from the contract alone. It shares no code with planning and payload: the relay is judged by it, and a judge
//! that shares the defendant's mistakes proves nothing.

mod check;
mod faults;
mod json;
mod server;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use faults::Faults;
use state::State;

/// Older entries of the log are forgotten.
const LOG_ENTRIES_MAX: usize = 100_000;

/// How strict the door is.
#[derive(Clone, Debug, Default)]
pub struct SandboxOptions {
    /// Who may post.
    pub auth: SandboxAuth,
}

/// Who may post.
#[derive(Clone, Default)]
pub enum SandboxAuth {
    /// Everybody.
    #[default]
    None,
    /// Whoever sends this header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

impl std::fmt::Debug for SandboxAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Header { name, .. } => write!(f, "Header({name})"),
        }
    }
}

/// What the receiver holds of one property.
#[derive(Clone, Debug)]
pub struct PropertyState {
    /// Its own fields.
    pub property: Option<Value>,
    /// Its units, by id.
    pub units: BTreeMap<i64, Value>,
    /// The digest over them, hex.
    pub digest: String,
    /// The newest sequence applied.
    pub sequence: i64,
}

/// One request that came in.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs)] // the fields are the body's own
pub struct SyncLogEntry {
    pub sync_id: String,
    pub sequence: i64,
    pub project_id: i64,
    pub sync_type: String,
    pub units: usize,
    pub removed: usize,
    /// As they came over the wire.
    pub bytes: u64,
    /// HTTP status answered; 0 where the connection was dropped.
    pub status: u16,
    pub repeat: bool,
    pub stale: bool,
    pub digest_mismatch: bool,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// What the sandbox had been told to do to it.
    pub fault: Option<String>,
    pub received_at: DateTime<Utc>,
}

struct Inner {
    auth: SandboxAuth,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    log: Mutex<VecDeque<SyncLogEntry>>,
    changed: watch::Sender<u64>,
}

impl Inner {
    fn note(&self, entry: SyncLogEntry) {
        let mut log = self.log.lock().expect("log");
        if log.len() == LOG_ENTRIES_MAX {
            log.pop_front();
        }
        log.push_back(entry);
        self.changed.send_modify(|count| *count += 1);
    }

    fn property(&self, project_id: i64) -> Option<PropertyState> {
        let state = self.state.lock().expect("state");
        let property = state.properties().get(&project_id)?;
        Some(PropertyState {
            property: property.property.clone(),
            units: property
                .units
                .iter()
                .map(|(unit_id, held)| (*unit_id, serde_json::from_str(&held.json).unwrap_or(Value::Null)))
                .collect(),
            digest: hex::encode(property.digest),
            sequence: property.sequence,
        })
    }
}

/// A running sandbox; stops when it is dropped.
pub struct Sandbox {
    inner: Arc<Inner>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Listens; port 0 takes a free one.
    pub async fn start(listen: SocketAddr, options: SandboxOptions) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the sandbox can't listen on {listen}; choose another with --listen"))?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            auth: options.auth,
            state: Mutex::default(),
            faults: Mutex::default(),
            log: Mutex::default(),
            changed: watch::channel(0).0,
        });
        let router = server::router(inner.clone());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { inner, address, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The receiver's endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, server::PATH)
    }

    /// The same as `PUT /faults`.
    pub fn set_faults(&self, faults: Value) -> Result<()> {
        *self.inner.faults.lock().expect("faults") = Faults::parse(faults)?;
        Ok(())
    }

    /// The properties it was ever told.
    pub fn properties(&self) -> Vec<i64> {
        self.inner
            .state
            .lock()
            .expect("state")
            .properties()
            .keys()
            .copied()
            .collect()
    }

    /// What it holds of one.
    pub fn property(&self, project_id: i64) -> Option<PropertyState> {
        self.inner.property(project_id)
    }

    /// Every request that came in, the oldest first.
    pub fn syncs(&self) -> Vec<SyncLogEntry> {
        self.inner.log.lock().expect("log").iter().cloned().collect()
    }

    /// Forgets the requests, not the state.
    pub fn clear_log(&self) {
        self.inner.log.lock().expect("log").clear();
    }

    /// Waits until the requests that came in satisfy something. False when they don't within `limit`.
    pub async fn wait_until(&self, mut satisfied: impl FnMut(&[SyncLogEntry]) -> bool, limit: Duration) -> bool {
        let mut changes = self.inner.changed.subscribe();
        let waiting = async {
            while !satisfied(self.inner.log.lock().expect("log").make_contiguous()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}
