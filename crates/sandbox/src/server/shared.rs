//! What all requests share, behind the one lock.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use serde_json::Value;
use tokio::sync::watch;

use super::super::answer::HttpAnswer;
use super::super::auth::{Gate, TokenDesk};
use super::super::breach::Breach;
use super::super::check::Shape;
use super::super::faults::{Effect, Ending, Faults};
use super::super::log::{Log, SyncLogEntry};
use super::super::property::PropertyState;
use super::super::received::{Digest, PropertyId, ReceivedSync, sha256};
use super::super::refusal::Refusal;
use super::super::request;
use super::super::state::{State, Twist};

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
    /// What it does wrong on purpose.
    pub faults: Faults,
    /// What came in.
    pub log: Log,
}

/// A request that keeps the contract as far as it can be judged by itself.
pub struct Arrived {
    sync: ReceivedSync,
    body: Digest,
}

/// What the sender gets.
pub enum Reply {
    /// This.
    Answer(HttpAnswer),
    /// The connection's end.
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

    /// Wakes whoever waits for a request.
    pub fn has_settled(&self) {
        self.settled.send_modify(|count| *count += 1);
    }

    /// The token endpoint, where tokens were agreed.
    pub fn token_desk(&self) -> Option<&TokenDesk> {
        self.gate.token_desk()
    }

    /// Keeps a backup under `name`, in the place of an older one; answers how many properties are in it.
    pub fn save(&self, name: String) -> Result<usize, String> {
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
    pub fn restore(&self, name: &str) -> Result<usize, String> {
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

    fn breaks(&self, breach: Breach) -> bool {
        self.held().faults.breaks(breach)
    }

    /// Everything about a request that needs no state. Fills in the log entry as far as it gets.
    pub fn read(
        &self,
        headers: &HeaderMap,
        wire: Result<Vec<u8>, Refusal>,
        entry: &mut SyncLogEntry,
    ) -> Result<Arrived, Refusal> {
        entry.sync_id = request::sync_id(headers).ok().map(str::to_owned);
        entry.bytes = wire.as_ref().map_or(0, Vec::len);
        if !self.breaks(Breach::Credentials) {
            self.gate.check(headers, &wire)?;
        }
        let wire = wire?;
        let sync_id = request::headers(headers)?;
        let encoding = request::encoding(headers)?;
        entry.encoding = Some(encoding.name());
        if encoding.name() == "gzip" && self.breaks(Breach::Gzip) {
            return Err(Refusal {
                status: 415,
                message: "fault: nothing packed is read".into(),
            });
        }
        let body = encoding.decode(wire)?;
        entry.bytes = body.len();
        let sync = self.shape.read(&body, sync_id)?;
        entry.describe(&sync);
        Ok(Arrived {
            sync,
            body: sha256(&body),
        })
    }

    /// Applies or doesn't, and logs, in one step.
    pub fn settle(&self, arrived: Result<Arrived, Refusal>, effect: Effect, mut entry: SyncLogEntry) -> Reply {
        let mut held = self.held();
        let sync = arrived.as_ref().ok().map(|arrived| &arrived.sync);
        let mut reply = match effect.ending_of(sync, entry.bytes) {
            Ending::Usual => Reply::Answer(held.apply(arrived, &effect.twist, &mut entry)),
            Ending::DropAfter => {
                entry.because("fault: no answer");
                held.apply(arrived, &effect.twist, &mut entry);
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
    /// Applies a request as the contract says.
    fn apply(&mut self, arrived: Result<Arrived, Refusal>, twist: &Twist, entry: &mut SyncLogEntry) -> HttpAnswer {
        let answer = arrived
            .and_then(|Arrived { sync, body }| self.state.receive(sync, body, twist))
            .inspect_err(|refusal| entry.because(&refusal.message));
        match answer {
            Ok(answer) => {
                entry.applied = answer.applied;
                entry.repeat = answer.repeat;
                entry.stale = answer.stale;
                entry.digest_mismatch = answer.digest_mismatch;
                HttpAnswer::plain(200, answer.body)
            }
            Err(refusal) if refusal.status == 400 && twist.breaches.contains(&Breach::Unreadable) => {
                HttpAnswer::plain(200, r#"{"errors":[]}"#.into())
            }
            Err(refusal) => HttpAnswer::plain(refusal.status, refusal.body()),
        }
    }

    /// A fault took the request's place. Its body is remembered all the same: the next attempt
    /// must have the same. What breaks the contract is at least logged.
    fn pass_over(&mut self, arrived: Result<Arrived, Refusal>, entry: &mut SyncLogEntry) {
        let noted = arrived.and_then(|Arrived { sync, body }| {
            self.state.same_body(&sync.sync_id, &body)?;
            self.state.note(&sync.sync_id, body);
            Ok(())
        });
        if let Err(refusal) = noted {
            entry.because(&refusal.message);
        }
    }
}
