//! Private, throw-away PostgreSQL clusters, for the demo, the tests and the benchmarks.
//!
//! A cluster is made with the machine's own server programs (or a pinned, hash-checked
//! download of them), lies in one short directory under `/tmp`, or in memory under `/dev/shm`,
//! listens on a Unix socket there and nowhere else, and is gone with its owner.
//!
//! Guarantees:
//! - A started server answers queries.
//! - Server and directory go when the `LocalPostgres` is dropped or its process ends, for
//!   whatever reason: return, exit, panic, Ctrl-C, `kill -9`, also while the cluster is made.
//! - No running server is touched, and nothing is written to the repository or, as root, to
//!   a home directory. As root the server runs as `postgres`, else as `nobody`.
//!
//! Not its business: schemas, pools, and data that has to outlive the process.

mod account;
mod cluster;
mod fetch;
mod find;
mod place;
mod programs;
mod server;
mod supervise;

pub use cluster::{Durability, LocalPostgres};
pub use server::{Given, Server};
