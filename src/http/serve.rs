//! The HTTP server: what one client may cost, and all of them together.
//!
//! Requests that never become whole, head or body, connections that nobody uses and answers that nobody reads hold a place only until somebody
//! needs it. At the limit one connection without a request under way makes room for the new one: of the address that has the most
//! of them the oldest, and none before it had a moment to send its request. So clients can't take the file descriptors that
//! delivering needs, and a health check is answered whatever else is connected. Not its business: the answers.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::page::{Client, add_headers};

/// Accepting failed for want of something: until there may be more of it.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// A client sends its request as soon as it is connected. Until then it keeps its place, however many others come: they wait in the
/// system's queue, of which each place serves forty a second.
const MOMENT: Duration = Duration::from_millis(25);
/// The least that hyper can be set to; ours are a few hundred bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What clients may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// From the first moment of waiting for a request until its head is whole, for idle connections as well; then until its body is.
    pub half: Duration,
    /// From then until its answer.
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
            half: Duration::from_secs(10),
            request: Duration::from_secs(30),
            body_bytes: 64 * 1024,
        }
    }
}

/// A connection that was accepted.
struct Connection {
    task: AbortHandle,
    /// A request is under way.
    busy: Arc<AtomicBool>,
    network: IpAddr,
    since: Instant,
}

/// Answers until it is dropped, and every connection with it.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits) {
    let longest = limits.request;
    let app = app
        .layer(from_fn(move |request, next| in_time(request, next, longest)))
        // Outside of all, because every answer has them, also that it took too long.
        .layer(map_response(with_headers));
    let mut tasks = JoinSet::new();
    let mut open: Vec<Connection> = Vec::new();
    loop {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                // Where every one is at work the new one is closed.
                if has_room(&mut open, limits.connections).await {
                    let (client, busy) = (Client(network(peer.ip())), Arc::new(AtomicBool::new(false)));
                    let task = tasks.spawn(converse(stream, app.clone(), (client, busy.clone()), limits.clone()));
                    open.push(Connection {
                        task,
                        busy,
                        network: network(peer.ip()),
                        since: Instant::now(),
                    });
                }
            }
            Err(error) => {
                if is_lacking(&error) {
                    has_room(&mut open, 0).await;
                }
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Whether one more may be open; the one that is in its way, if one may be ended, is ended.
async fn has_room(open: &mut Vec<Connection>, connections_max: usize) -> bool {
    loop {
        open.retain(|connection| !connection.task.is_finished());
        if open.len() < connections_max {
            return true;
        }
        let Some(place) = in_the_way(open) else {
            return false;
        };
        let had_its_moment = open[place].since + MOMENT;
        if had_its_moment <= Instant::now() {
            open.remove(place).task.abort();
            return true;
        }
        sleep_until(had_its_moment).await;
    }
}

/// Of those without a request under way the oldest of the network that has the most. The oldest come first.
fn in_the_way(open: &[Connection]) -> Option<usize> {
    let idle = |connection: &&Connection| !connection.busy.load(Ordering::Relaxed);
    let mut of_network: HashMap<IpAddr, usize> = HashMap::new();
    for connection in open.iter().filter(idle) {
        *of_network.entry(connection.network).or_default() += 1;
    }
    let most = of_network.values().copied().max()?;
    open.iter()
        .position(|connection| idle(&connection) && of_network.get(&connection.network) == Some(&most))
}

/// Who an address belongs to: of IPv6 one client has at least 64 bits of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}

/// A client that hung up too early is no reason to wait; anything else lacks something.
fn is_lacking(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// One connection, request after request.
async fn converse(stream: TcpStream, app: Router, (client, busy): (Client, Arc<AtomicBool>), limits: Limits) {
    let (app, half) = (TowerToHyperService::new(app), limits.half);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (app, busy, limits) = (app.clone(), busy.clone(), limits.clone());
        async move {
            let mut request = match whole(request, &limits).await {
                Ok(request) => request,
                Err(answer) => return Ok(answer),
            };
            request.extensions_mut().insert(client);
            busy.store(true, Ordering::Relaxed);
            let answer = app.call(request).await;
            busy.store(false, Ordering::Relaxed);
            answer
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(half)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
        // What goes wrong is the client's.
        .ok();
}

/// With all of its body; else what to say of that. Until then nobody works at it, so it keeps nobody away.
async fn whole(request: hyper::Request<Incoming>, limits: &Limits) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    let refused = |status, sentence: &'static str| {
        let mut answer = (status, sentence).into_response();
        add_headers(&mut answer);
        answer
    };
    match timeout(limits.half, to_bytes(Body::new(body), limits.body_bytes)).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body.into())),
        Ok(Err(_)) => Err(refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the form is larger than any that is asked for here; nothing was done\n",
        )),
        Err(_) => Err(refused(
            StatusCode::REQUEST_TIMEOUT,
            "the request never became whole; nothing was done\n",
        )),
    }
}

async fn with_headers(mut answer: Response) -> Response {
    add_headers(&mut answer);
    answer
}

async fn in_time(request: Request, next: Next, longest: Duration) -> Response {
    let late = |_| (StatusCode::SERVICE_UNAVAILABLE, "it took too long\n").into_response();
    timeout(longest, next.run(request)).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(address: &str) -> Connection {
        Connection {
            task: tokio::spawn(std::future::pending::<()>()).abort_handle(),
            busy: Arc::default(),
            network: network(address.parse().expect("an address")),
            since: Instant::now(),
        }
    }

    #[tokio::test]
    async fn a_connection_has_a_moment_to_send_its_request() {
        let mut all = vec![open("10.0.0.1"), open("10.0.0.2")];
        assert!(has_room(&mut all, 2).await);
        assert_eq!(all.len(), 1);
        assert!(all[0].since.elapsed() >= MOMENT);
    }

    #[tokio::test]
    async fn the_oldest_of_whoever_has_most_is_in_the_way_and_none_that_is_answered() {
        let all = ["10.0.0.1", "2001:db8::1", "10.0.0.2", "2001:db8::2", "::ffff:10.0.0.2"].map(open);
        assert_eq!(in_the_way(&all), Some(1), "one network of IPv6");
        all[1].busy.store(true, Ordering::Relaxed);
        assert_eq!(in_the_way(&all), Some(2));
        all.iter()
            .for_each(|connection| connection.busy.store(true, Ordering::Relaxed));
        assert_eq!(in_the_way(&all), None);
    }
}
