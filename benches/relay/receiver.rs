//! Who receives.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use rentsync_sandbox::Sandbox;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub enum Receiver {
    Minimal(Minimal),
    Strict(Sandbox),
}

impl Receiver {
    pub fn url(&self) -> String {
        match self {
            Self::Minimal(minimal) => minimal.url().to_owned(),
            Self::Strict(sandbox) => sandbox.url(),
        }
    }

    pub fn requests(&self) -> usize {
        match self {
            Self::Minimal(minimal) => minimal.requests(),
            Self::Strict(sandbox) => sandbox.syncs().len(),
        }
    }
}

/// Reads a body and answers; so what is measured is the relay.
pub struct Minimal {
    url: String,
    requests: Arc<AtomicUsize>,
    /// The unit codes that begin as [`MARK`] does.
    marks: Arc<Mutex<HashSet<String>>>,
    server: JoinHandle<()>,
}

/// How a unit code begins whose arrival somebody waits for.
pub const MARK: &str = "W-";

impl Minimal {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let requests = Arc::new(AtomicUsize::new(0));
        let marks = Arc::<Mutex<HashSet<String>>>::default();
        let (counted, marked) = (requests.clone(), marks.clone());
        let answer = async move |body: Bytes| {
            counted.fetch_add(1, Ordering::Relaxed);
            marked.lock().expect("marks").extend(mark(&body));
            "{}"
        };
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Ok(Self {
            url,
            requests,
            marks,
            server,
        })
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn has(&self, mark: &str) -> bool {
        self.marks.lock().expect("marks").contains(mark)
    }
}

/// Only small bodies are looked at: the others are what is measured.
fn mark(body: &[u8]) -> Option<String> {
    const LOOKED_AT: usize = 8 * 1024;
    let text = std::str::from_utf8(body.get(..body.len().min(LOOKED_AT))?).ok()?;
    let (_, from) = text.split_once(&format!("\"unit_code\":\"{MARK}"))?;
    let (number, _) = from.split_once('"')?;
    Some(format!("{MARK}{number}"))
}

impl Drop for Minimal {
    fn drop(&mut self) {
        self.server.abort();
    }
}
