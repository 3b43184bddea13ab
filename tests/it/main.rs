//! Claims about the relay, each against a real PostgreSQL and real sockets.

mod breaker;
mod capture;
mod convergence;
mod crash;
mod deliver;
mod install;
mod lineage;
mod local_postgres;
mod plan;
mod process;
mod receiver;
mod refusal;
mod sandbox;
mod support;
mod transactions;
mod verify;
