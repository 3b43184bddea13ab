//! Claims about the relay, each against a real PostgreSQL and real sockets.

mod alerts;
mod breaker;
mod capture;
mod convergence;
mod crash;
mod deliver;
mod doctor;
mod formats;
mod http;
mod install;
mod lineage;
mod local_postgres;
mod plan;
mod process;
mod prune;
mod receiver;
mod refusal;
mod replay;
mod sandbox;
mod schema;
mod snapshot;
mod support;
mod transactions;
mod verify;
