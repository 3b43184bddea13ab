//! rentsync-relay keeps a listing partner's copy of a PostgreSQL rent roll right.
//!
//! In reading order: what is sent, the stages that send it, the loop that runs them, and what stands around.

#![forbid(unsafe_code)]

/// What differs between source and ledger: one exhaustive match.
pub mod delta;
/// What a receiver sees: JSON, hashes, digests, bodies.
pub mod payload;
/// What to do about an answer: one exhaustive function.
pub mod policy;
/// Sync IDs.
pub mod sync;
/// What a property and a unit are.
pub mod unit;

/// Stage 1: triggers write changes into the outbox.
pub mod capture;
/// Stage 3: lease, send, settle.
pub mod deliver;
/// A person's decision about removals that wait for one.
pub mod hold;
/// Stage 2: compare, seal.
pub mod plan;
/// One receiver's HTTP endpoint.
pub mod receiver;
/// Stage 4: everything, once a night and on demand.
pub mod snapshot;

/// Everything that is kept of a unit's lead, and the proof that it is gone.
pub mod erase;
/// Forgetting what is long over.
pub mod prune;
/// Stage 5: send again what may be lost.
pub mod replay;

/// The only loops.
pub mod relay;

/// What a person has the relay change, from wherever it is asked.
pub mod actions;
/// What a person should know.
pub mod alert;
/// Who had the relay change what.
pub mod audit;
/// Whether a partner's endpoint keeps the contract.
pub mod certify;
/// The commands.
pub mod cli;
/// What time a stage goes by.
pub mod clock;
/// Settings.
pub mod config;
/// Connecting.
pub mod database;
/// A day in fast motion, and the proof at its end.
#[cfg(feature = "demo")]
pub mod demo;
/// Which fields of a unit differ from what was sealed last.
mod difference;
/// What is wrong, and what to do about it.
pub mod doctor;
/// Failures a person can do something about.
pub mod fault;
/// Test payloads as files.
pub mod fixtures;
/// A relay's sign of life in the database.
pub mod heartbeat;
/// What the relay answers over HTTP.
pub mod http;
/// What there is to see: how receivers and units stand, what would be sent, which feeds, syncs, holds and alerts there are.
pub mod inspect;
/// The same pass, made by AWS Lambda.
#[cfg(feature = "lambda")]
pub mod lambda;
/// What receivers call properties and units.
pub mod mapping;
/// What a scrape is answered.
pub mod metrics;
/// What a browser is shown of all that, and what a person may have the relay do there.
pub mod page;
/// Certificates and private keys as text.
mod pem;
/// Whether this is still the database that the receivers were fed from.
pub mod source_identity;
/// The states that the database has as text.
pub mod states;
/// What a running relay remembers of what it sent.
pub mod witness;
/// Numbers, times and other people's words, in a sentence.
mod words;
