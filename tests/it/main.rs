//! Claims about the relay, each against a real PostgreSQL and real sockets.

mod alerts;
mod capture;
mod convergence;
mod crash;
mod deliver;
mod http;
mod install;
mod local_postgres;
mod plan;
mod process;
mod receiver;
mod sandbox;
mod support;
mod transactions;
