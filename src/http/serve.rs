//! The HTTP server: what one client may cost, and all of them together.
//!
//! Requests that never become whole, connections that nobody uses and answers that nobody reads hold a place only until somebody
//! needs it: at the limit the oldest connection without a request under way makes room for the new one. So clients can't take
//! the file descriptors that delivering needs, and a health check is answered whatever else is connected. Not its business:
//! the answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};

/// Accepting failed for want of something: until there may be more of it.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// The least that hyper can be told; ours are a few hundred bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What clients may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// From the first moment of waiting for a request until its head is whole; for idle connections as well.
    pub head: Duration,
    /// From its head until its answer.
    pub request: Duration,
    /// Of a request's body.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Most of what this process may open is for database and receivers.
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self {
            connections: usize::try_from(descriptors / 4).unwrap_or(usize::MAX).clamp(4, 64),
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            body_bytes: 64 * 1024,
        }
    }
}

/// A connection that was taken.
struct Connection {
    task: AbortHandle,
    /// A request is under way.
    busy: Arc<AtomicBool>,
}

/// Answers until it is dropped, and every connection with it.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits) {
    let longest = limits.request;
    let app = app
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(from_fn(move |request, next| in_time(request, next, longest)));
    let mut tasks = JoinSet::new();
    let mut open: Vec<Connection> = Vec::new();
    loop {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        open.retain(|connection| !connection.task.is_finished());
        match accepted {
            Ok((stream, _)) => {
                // Where every one is at work the new one is closed.
                if open.len() < limits.connections || make_room(&mut open) {
                    let busy = Arc::new(AtomicBool::new(false));
                    let task = tasks.spawn(converse(stream, app.clone(), busy.clone(), limits.head));
                    open.push(Connection { task, busy });
                    // It sees its request before anybody newer needs its place.
                    yield_now().await;
                }
            }
            Err(error) => {
                if is_lacking(&error) {
                    make_room(&mut open);
                }
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Ends the oldest connection that has no request under way, if there is one.
fn make_room(open: &mut Vec<Connection>) -> bool {
    let idle = open
        .iter()
        .position(|connection| !connection.busy.load(Ordering::Relaxed));
    if let Some(place) = idle {
        open.remove(place).task.abort();
    }
    idle.is_some()
}

/// A client that hung up too early is no reason to wait; anything else lacks something.
fn is_lacking(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// One connection, request after request.
async fn converse(stream: TcpStream, app: Router, busy: Arc<AtomicBool>, head: Duration) {
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |request| {
        busy.store(true, Ordering::Relaxed);
        let (answer, busy) = (app.call(request), busy.clone());
        async move {
            let answer = answer.await;
            busy.store(false, Ordering::Relaxed);
            answer
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
        // What goes wrong is the client's.
        .ok();
}

async fn in_time(request: Request, next: Next, longest: Duration) -> Response {
    let late = |_| (StatusCode::SERVICE_UNAVAILABLE, "it took too long\n").into_response();
    timeout(longest, next.run(request)).await.unwrap_or_else(late)
}
