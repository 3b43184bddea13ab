//! Claims about the relay, each against a real PostgreSQL and real sockets.

mod capture;
mod install;
mod local_postgres;
mod plan;
mod support;
