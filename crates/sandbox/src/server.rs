//! The HTTP face: routes, and the order in which a request is handled.
//!
//! A request is read and judged by itself ([`super::request`], [`super::check`]), meets its
//! fault, waits if it has to, and is then settled under the lock: state and log change together,
//! so the log's order is the order in which syncs were applied.

mod shared;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State as Shares};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use chrono::Utc;
use serde::Serialize;
use serde_json::json;

use super::answer::HttpAnswer;
use super::connection::Cutter;
use super::log::SyncLogEntry;
use super::refusal::Refusal;
use super::request;

use shared::Reply;
pub use shared::Shared;

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/rent-roll/sync", post(sync))
        .route("/v1/rent-roll/syncs", get(syncs))
        .route("/v1/rent-roll/properties", get(properties))
        .route("/v1/rent-roll/properties/{project_id}", get(property))
        .route("/faults", put(set_faults).get(faults))
        .route("/oauth/token", post(tokens::issue))
        .route("/oauth/tokens", get(tokens::issued).delete(tokens::revoke))
        .route("/state/{name}", put(save))
        .route("/state/{name}/restore", post(restore))
        .with_state(shared)
}

/// The receiver's endpoint.
async fn sync(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let wire = to_bytes(body, request::BODY_BYTES_MAX)
        .await
        .map(Vec::from)
        .map_err(|_| request::too_large());
    // A task of its own: a slow receiver doesn't notice that the sender has hung up, and applies
    // the sync late. hyper would end the handler together with the connection.
    let handled = tokio::spawn(async move { handle(&shared, &parts.headers, wire).await });
    match handled.await {
        Ok(Reply::Answer(answer)) => answer.response(),
        Ok(Reply::Nothing) => {
            cutter.cut();
            Response::new(Body::empty())
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn handle(shared: &Shared, headers: &HeaderMap, wire: Result<Vec<u8>, Refusal>) -> Reply {
    let mut entry = SyncLogEntry::arrived(Utc::now());
    let arrived = shared.read(headers, wire, &mut entry);
    let effect = shared.held().faults.next(&entry.property_ids);
    if !effect.delay.is_zero() {
        tokio::time::sleep(effect.delay).await;
    }
    shared.settle(arrived, effect, entry)
}

async fn syncs(Shares(shared): Shares<Arc<Shared>>) -> Response {
    let entries = shared.held().log.entries();
    json_response(200, &entries)
}

async fn properties(Shares(shared): Shares<Arc<Shared>>) -> Response {
    let summaries = shared.held().state.summaries();
    json_response(200, &summaries)
}

async fn property(Shares(shared): Shares<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match shared.property(&id) {
        Some(property) => json_response(200, &property),
        None => json_response(404, &json!({ "error": format!("property {id} was never received") })),
    }
}

async fn faults(Shares(shared): Shares<Arc<Shared>>) -> Response {
    let faults = shared.held().faults.shown();
    json_response(200, &faults)
}

async fn set_faults(Shares(shared): Shares<Arc<Shared>>, body: Bytes) -> Response {
    let set = serde_json::from_slice(&body)
        .map_err(|error| format!("faults: not JSON: {error}"))
        .and_then(|value| shared.set_faults(value));
    match set {
        Ok(()) => faults(Shares(shared)).await,
        Err(error) => json_response(400, &json!({ "error": error })),
    }
}

async fn save(Shares(shared): Shares<Arc<Shared>>, Path(name): Path<String>) -> Response {
    match shared.save(name) {
        Ok(properties) => json_response(200, &json!({ "properties": properties })),
        Err(error) => json_response(409, &json!({ "error": error })),
    }
}

async fn restore(Shares(shared): Shares<Arc<Shared>>, Path(name): Path<String>) -> Response {
    match shared.restore(&name) {
        Ok(properties) => json_response(200, &json!({ "properties": properties })),
        Err(error) => json_response(404, &json!({ "error": error })),
    }
}

fn json_response(status: u16, value: &impl Serialize) -> Response {
    HttpAnswer::json(status, value).response()
}
