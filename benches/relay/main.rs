//! What the relay costs and how fast it is, beside a floor measured in the same run.
//!
//! `cargo bench` measures everything on a private PostgreSQL, `cargo bench -- capture` only what has that name:
//! capture, drain, idle, latency, churn, ledger, snapshot, mass, schedule. Prints tables, asserts no times. A ratio to the floor says more than a figure: the
//! floor is the same work without the relay, on the same machine, minutes apart at most. The relay runs as its own
//! process, the release's own program, so that its memory and processor time are its own.

mod bed;
mod capture;
mod churn;
mod drain;
mod latency;
mod ledger;
mod machine;
mod mass;
mod process;
mod receiver;
mod schedule;
mod snapshot;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_sandbox::{Sandbox, SandboxOptions};

use bed::Bed;
use machine::heading;
use receiver::{Minimal, Receiver};

fn main() -> ExitCode {
    // Cargo passes --bench.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    match run(only.as_deref().unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: &str) -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let began = Instant::now();
    let server = Server::Private(LocalPostgres::start(Durability::Full)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&server, only))?;
    println!("\n({:.0} s in all)", began.elapsed().as_secs_f64());
    Ok(())
}

async fn measure(server: &Server, only: &str) -> Result<()> {
    let wants = |section: &str| section.contains(only);
    machine::print_machine(server).await?;
    bed::make_databases(server).await?;
    if wants("capture") {
        capture::capture(server).await?;
    }
    if wants("drain") || wants("idle") {
        let bed = Bed::new(server, "bench_drain").await?;
        let receiver = Receiver::Minimal(Minimal::start().await?);
        heading("drain: receiver that answers at once");
        let relay = drain::drain(&bed, &receiver).await?;
        if wants("idle") {
            drain::idle(&bed, &relay).await?;
        }
        relay.stop().await?;
    }
    if wants("drain") || wants("latency") {
        let bed = Bed::new(server, "bench_strict").await?;
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default()).await?;
        let receiver = Receiver::Strict(sandbox);
        heading("drain: sandbox that checks every byte, in the bench's own process");
        drain::drain(&bed, &receiver).await?.stop().await?;
        if wants("latency") {
            latency::latency(&bed, &receiver).await?;
        }
    }
    if wants("churn") {
        churn::churn(server).await?;
    }
    if wants("ledger") {
        ledger::ledger(server).await?;
    }
    if wants("snapshot") {
        snapshot::snapshots(server).await?;
    }
    if wants("mass") {
        mass::mass().await?;
    }
    if wants("schedule") {
        schedule::schedule().await?;
    }
    Ok(())
}
