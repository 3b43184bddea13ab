//! What a running relay answers over HTTP: whether it is alive, whether its stages get anywhere, its figures, and the page.
//!
//! Nothing here can stop the relay: where the port is in use it is asked for again now and then, and delivering goes on. Not its
//! business: the figures themselves, see [`crate::metrics`]; the page, and who may have what done there, see [`crate::page`].

mod ask;
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use ask::READY;
pub use ask::ask;
pub use serve::Limits;

use crate::metrics::{CONTENT_TYPE, Scraper};
use crate::page;
use crate::relay::{Progress, Relay, Stop};

/// Another relay of this machine may have the port, and give it back when it stops.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the answers come from.
struct Face {
    progress: Arc<Progress>,
    scraper: Scraper,
    /// Of one scrape at work and those that wait for what it finds; whoever comes then is refused for a while.
    scrapes: Arc<Semaphore>,
    stop: watch::Receiver<Stop>,
}

/// Answers for this relay until the task is dropped.
pub async fn serve(listen: SocketAddr, relay: &Relay, stop: watch::Receiver<Stop>) {
    let listener = listener(listen, &relay.config.http.path_prefix).await;
    serve_on(listener, relay, stop).await;
}

/// The same where somebody listens already.
pub async fn serve_on(listener: TcpListener, relay: &Relay, stop: watch::Receiver<Stop>) {
    let limits = Limits::default();
    let face = Face {
        progress: relay.progress.clone(),
        scraper: Scraper::new(relay.database.clone()),
        scrapes: Arc::new(Semaphore::new(limits.connections / 2)),
        stop,
    };
    let app = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(face))
        .merge(page::router(
            relay.database.clone(),
            &relay.config,
            (limits.connections / 4).max(1),
        ));
    serve::serve(listener, app, limits).await;
}

async fn listener(listen: SocketAddr, prefix: &str) -> TcpListener {
    let mut said = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(listen);
                tracing::info!("http://{address}/ has /metrics, /healthz and /readyz, and the page at {prefix}/");
                return listener;
            }
            Err(error) if !said => {
                said = true;
                tracing::warn!(
                    "http.listen: {listen} can't be listened on: {error}; the relay runs without /metrics, /healthz, \
                     /readyz and the page, and asks again every {LISTEN_AGAIN_AFTER:?}"
                );
            }
            Err(_) => {}
        }
        sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn healthz() -> &'static str {
    "alive\n"
}

async fn readyz(State(face): State<Arc<Face>>) -> Response {
    let mut lacking = face.progress.lacking();
    if *face.stop.borrow() != Stop::No {
        lacking.push("the relay stops".to_owned());
    }
    match lacking.as_slice() {
        [] => READY.into_response(),
        lacking => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", lacking.join("\n"))).into_response(),
    }
}

/// However many scrape, places are left for the others, and no connection is kept for the next scrape. Whoever hangs up before
/// the end has cost the database no more than others: what was begun is answered to the next.
async fn metrics(State(face): State<Arc<Face>>) -> Response {
    let answer = match face.scrapes.clone().try_acquire_owned() {
        Ok(place) => {
            let scrape = async move {
                let _place = place;
                face.scraper.scrape(&face.progress).await
            };
            match tokio::spawn(scrape).await {
                Ok(Ok(text)) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
                _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "others are being answered already\n").into_response(),
    };
    ([(header::CONNECTION, "close")], answer).into_response()
}
