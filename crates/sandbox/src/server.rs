//! The HTTP face: routes, the one lock, and the order in which a request is taken.
//!
//! A request is read and judged by itself ([`super::request`], [`super::check`]), meets its
//! fault, waits if it has to, and is then settled under the lock: state and log change together,
//! so the log's order is the order in which syncs were applied.

mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State as Shares};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use chrono::Utc;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::answer::HttpAnswer;
use super::auth::{Gate, TokenDesk};
use super::check::Shape;
use super::connection::Cutter;
use super::faults::{Effect, Ending, Faults};
use super::log::{Log, SyncLogEntry};
use super::property::PropertyState;
use super::refusal::Refusal;
use super::request;
use super::state::{State, Twist};
use super::told::{Digest, PropertyId, Told, sha256};

/// Backups that are kept.
const SAVED_MAX: usize = 16;

/// What all requests share.
pub struct Shared {
    shape: Shape,
    gate: Gate,
    held: Mutex<Held>,
    /// Backups by their names.
    saved: Mutex<BTreeMap<String, State>>,
    /// Counts the requests settled, for whoever waits for one.
    pub settled: watch::Sender<u64>,
}

/// What the lock guards.
#[derive(Default)]
pub struct Held {
    /// What the receiver holds.
    pub state: State,
    /// What it is told to do wrong.
    pub faults: Faults,
    /// What came in.
    pub log: Log,
}

/// A request that keeps the contract as far as it can be judged by itself.
struct Arrived {
    told: Told,
    body: Digest,
}

/// What the sender gets.
enum Reply {
    Answer(HttpAnswer),
    Nothing,
}

impl Shared {
    /// An empty receiver.
    pub fn new(shape: Shape, gate: Gate) -> Self {
        Self {
            shape,
            gate,
            held: Mutex::default(),
            saved: Mutex::default(),
            settled: watch::Sender::new(0),
        }
    }

    /// The lock. Never held across an await.
    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the faults.
    pub fn set_faults(&self, faults: Value) -> Result<(), String> {
        let faults = Faults::read(faults)?;
        self.held().faults = faults;
        Ok(())
    }

    fn has_settled(&self) {
        self.settled.send_modify(|count| *count += 1);
    }

    /// The token endpoint, where tokens were agreed.
    pub fn token_desk(&self) -> Option<&TokenDesk> {
        self.gate.token_desk()
    }

    /// Keeps a backup under `name`, in the place of an older one; answers how many properties are in it.
    fn save(&self, name: String) -> Result<usize, String> {
        let state = self.held().state.clone();
        let mut saved = self.saved();
        if saved.len() == SAVED_MAX && !saved.contains_key(&name) {
            return Err(format!("{SAVED_MAX} backups are kept; save under one of their names"));
        }
        let properties = state.properties();
        saved.insert(name, state);
        Ok(properties)
    }

    /// Sets back what is held; the backup stays.
    fn restore(&self, name: &str) -> Result<usize, String> {
        let saved = self.saved().get(name).cloned();
        let state = saved.ok_or_else(|| format!("nothing was saved as {name:?}"))?;
        let properties = state.properties();
        self.held().state = state;
        Ok(properties)
    }

    fn saved(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held of a property, by its id as text: a number is AiGent's own id first.
    pub fn property(&self, id: &str) -> Option<PropertyState> {
        let held = self.held();
        let own = id.parse().ok().map(PropertyId::Integer);
        let by_number = own.and_then(|own| held.state.property(&own));
        by_number.or_else(|| held.state.property(&id.into()))
    }

    /// Everything about a request that needs no state. Fills in the log entry as far as it gets.
    fn read(
        &self,
        headers: &HeaderMap,
        wire: Result<Vec<u8>, Refusal>,
        entry: &mut SyncLogEntry,
    ) -> Result<Arrived, Refusal> {
        entry.sync_id = request::sync_id(headers).ok().map(str::to_owned);
        entry.bytes = wire.as_ref().map_or(0, Vec::len);
        self.gate.check(headers, &wire)?;
        let wire = wire?;
        let sync_id = request::headers(headers)?;
        let encoding = request::encoding(headers)?;
        entry.encoding = Some(encoding.name());
        let body = encoding.decode(wire)?;
        entry.bytes = body.len();
        let told = self.shape.told(&body, sync_id)?;
        entry.describe(&told);
        Ok(Arrived {
            told,
            body: sha256(&body),
        })
    }

    /// Applies or doesn't, and logs, in one step.
    fn settle(&self, arrived: Result<Arrived, Refusal>, effect: Effect, mut entry: SyncLogEntry) -> Reply {
        let mut held = self.held();
        let told = arrived.as_ref().ok().map(|arrived| &arrived.told);
        let mut reply = match effect.ending_of(told, entry.bytes) {
            Ending::Usual => Reply::Answer(held.take(arrived, &effect.twist, &mut entry)),
            Ending::DropAfter => {
                entry.because("fault: no answer");
                held.take(arrived, &effect.twist, &mut entry);
                Reply::Nothing
            }
            Ending::DropBefore => {
                entry.because("fault: not applied, no answer");
                held.pass_over(arrived, &mut entry);
                Reply::Nothing
            }
            Ending::Answer(answer) => {
                entry.because(format_args!("fault: status {}", answer.status));
                held.pass_over(arrived, &mut entry);
                Reply::Answer(answer)
            }
        };
        if let Reply::Answer(answer) = &mut reply {
            answer.headers.extend(effect.headers);
            answer.tail = effect.tail;
            entry.status = Some(answer.status);
            if answer.tail.trickle.is_some() && entry.reason.is_none() {
                entry.because("fault: an answer without end");
            }
        }
        held.log.push(entry);
        drop(held);
        self.has_settled();
        reply
    }
}

impl Held {
    /// Takes a request as the contract says.
    fn take(&mut self, arrived: Result<Arrived, Refusal>, twist: &Twist, entry: &mut SyncLogEntry) -> HttpAnswer {
        let taken = arrived
            .and_then(|Arrived { told, body }| self.state.receive(told, body, twist))
            .inspect_err(|refusal| entry.because(&refusal.message));
        match taken {
            Ok(answer) => {
                entry.applied = answer.applied;
                entry.repeat = answer.repeat;
                entry.stale = answer.stale;
                entry.digest_mismatch = answer.digest_mismatch;
                HttpAnswer::plain(200, answer.body)
            }
            Err(refusal) => HttpAnswer::plain(refusal.status, refusal.body()),
        }
    }

    /// A fault took the request's place. Its body is remembered all the same: the next attempt
    /// must have the same. What breaks the contract is at least logged.
    fn pass_over(&mut self, arrived: Result<Arrived, Refusal>, entry: &mut SyncLogEntry) {
        let noted = arrived.and_then(|Arrived { told, body }| {
            self.state.same_body(&told.sync_id, &body)?;
            self.state.note(&told.sync_id, body);
            Ok(())
        });
        if let Err(refusal) = noted {
            entry.because(&refusal.message);
        }
    }
}

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
        None => json_response(404, &json!({ "error": format!("property {id} was never told") })),
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
