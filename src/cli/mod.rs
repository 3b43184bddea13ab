//! The commands: what they are called, and which function does each.

mod alerts;
mod audit;
mod certify;
mod check;
mod context;
mod doctor;
mod duplicates;
mod erase;
mod explain;
mod feeds;
mod fixtures;
mod health;
mod holds;
mod install;
mod lambda;
mod log;
mod map;
mod preview;
mod print;
mod prune;
mod receivers;
mod refused;
mod replay;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod shell;
mod snapshot;
mod status;
mod syncs;
mod verify;

use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::database::statements;
use crate::fault::Fault;
use crate::relay::{self, Stop, stopped};

use context::Listing;
pub use log::LogFormat;

/// Keeps a listing partner's copy of a PostgreSQL rent roll right.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Settings file [default: relay.toml, where there is one]
    #[arg(long, global = true, env = "RELAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What a line of the log on stderr is
    #[arg(
        long,
        global = true,
        env = "RELAY_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show everything on a private PostgreSQL: portfolio, relay, receiver, an outage; ends by proving receiver = source
    #[cfg(feature = "demo")]
    Demo(demo::Options),
    /// Create schema rentsync, the source functions and the triggers; as the owner of the source tables
    Install(install::Options),
    /// Take the triggers off again
    Uninstall {
        /// Also drop schema rentsync with all that was ever noted in it
        #[arg(long)]
        purge: bool,
        /// Without asking; needed where there is no terminal to ask on
        #[arg(long, requires = "purge")]
        yes: bool,
    },
    /// Whether the settings are valid, as `run` would find them; contacts nobody
    Check,
    /// What is wrong with database, triggers, settings and receivers, and what to do about it; exits 1 when anything is
    Doctor(Listing),
    /// Run the relay until Ctrl-C or SIGTERM: the first finishes what is under way, the second stops at once
    Run(run::Options),
    /// Whether the relay that runs with these settings is ready, for a container's health check: asks its /readyz
    Health,
    /// One pass until nothing is due, for cron; waits for no retry; exits 1 when something stays undelivered
    Once {
        /// Every property is due a snapshot
        #[arg(long)]
        snapshot: bool,
    },
    /// Answer the invocations of AWS Lambda: an event is a pass, or with {"command":"snapshot"} a snapshot; started as `bootstrap` as well
    Lambda,
    /// Compare everything and send everything, now; waits until it is delivered
    Snapshot(snapshot::Options),
    /// How every receiver stands
    Status(status::Options),
    /// Feeds: one property's stream to one receiver
    #[command(subcommand)]
    Feeds(feeds::Feeds),
    /// Receivers: pause, resume, send everything again
    #[command(subcommand)]
    Receivers(receivers::Receivers),
    /// Mapping: what the receiver calls properties and units, where that is not what the source calls them
    #[command(subcommand)]
    Map(map::Map),
    /// Syncs: sealed bodies and how they were answered
    #[command(subcommand)]
    Syncs(syncs::Syncs),
    /// Refused units: what the receiver doesn't take
    #[command(subcommand)]
    Refused(refused::Refused),
    /// Holds: removals that are too many to be sent unasked
    #[command(subcommand)]
    Holds(holds::Holds),
    /// Alerts: what a person should know
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Audit: what persons had the relay change
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Send a receiver again what it may have lost, in its present state: after an outage of its own, or an old backup
    Replay(replay::Replay),
    /// Send one sync's own bytes once more, under its own sync ID
    Redeliver(replay::Redeliver),
    /// Forget changes and syncs that are older than retention and that nothing needs any more
    Prune,
    /// Erase what is kept of one unit's lead: the bodies that carried it, and the answers to them
    Erase(erase::Options),
    /// Compare the source with what was sealed for every receiver, without sending anything; exits 1 on drift
    Verify(verify::Options),
    /// The requests that would be sent now, unit by unit; writes and sends nothing
    Preview(preview::Options),
    /// One unit's way to every receiver: changes, syncs, tries, and why it is sent or not
    Explain(explain::Options),
    /// Which rules of the contract a partner's staging endpoint keeps, found out with made-up properties; exits 1 where the copy would go wrong
    Certify(certify::Options),
    /// Write test payloads: every kind of body by a receiver's settings, with headers and what is held after each; sends nothing
    Fixtures(fixtures::Options),
    /// Run a stand-in for RentSync: strict, keeps state, can be made to fail
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Options),
    /// Print what completes these commands in a shell
    Completions(shell::Completions),
    /// Write the manual's pages
    Man(shell::Man),
}

#[cfg(feature = "demo")]
use crate::demo;

impl Command {
    /// It listens to signals by itself: there is more to do than to end.
    fn stops_itself(&self) -> bool {
        match self {
            #[cfg(feature = "demo")]
            Self::Demo(_) => true,
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => true,
            Self::Certify(_)
            | Self::Run(_)
            | Self::Once { .. }
            | Self::Lambda
            | Self::Snapshot(_)
            | Self::Replay(_)
            | Self::Redeliver(_) => true,
            _ => false,
        }
    }
}

/// What the command line says, and what starts this where it says nothing.
pub fn parse() -> Cli {
    let in_lambda = std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some();
    Cli::parse_from(lambda::meant(std::env::args_os().collect(), in_lambda))
}

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<()> {
    // Fails only where a provider is installed already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(unless_interrupted(cli))
}

/// A command that has no better way to stop ends at the first signal. However one is stopped, it leaves no statement under way
/// in the server.
async fn unless_interrupted(cli: Cli) -> Result<()> {
    let stops_itself = cli.command.stops_itself();
    let stop = run::stop_on_signals()?;
    let mut signal = stop.clone();
    let mut work = std::pin::pin!(dispatch(cli));
    let done = tokio::select! {
        done = &mut work => done,
        () = stopped(&mut signal, Stop::Finish) => {
            statements::cancel().await;
            if stops_itself { work.await } else { Err(cancelled().into()) }
        }
    };
    if *stop.borrow() == Stop::No {
        return done;
    }
    statements::cancel().await;
    done.map_err(|error| match (statements::is_cancelled(&error), stops_itself) {
        (false, _) => error,
        (true, true) => relay::interrupted().into(),
        (true, false) => cancelled().into(),
    })
}

/// What a command says that leaves nothing owed.
fn cancelled() -> Fault {
    Fault::finding("interrupted: what was under way is cancelled")
}

async fn dispatch(cli: Cli) -> Result<()> {
    // Whoever only installs or looks has no receiver's key, and needs none.
    let load = if needs_secrets(&cli.command) {
        Config::load
    } else {
        Config::load_without_secrets
    };
    let config = || load(cli.config.as_deref()).map_err(anyhow::Error::from);
    cli.log_format.begin(logged_by_default(&cli.command));
    match cli.command {
        #[cfg(feature = "demo")]
        Command::Demo(options) => demo::run(options, run::stop_on_signals()?).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(options) => sandbox::run(options).await,
        Command::Install(options) => install::install(&config()?, &options).await,
        Command::Uninstall { purge, yes } => install::uninstall(&config()?, purge, yes).await,
        Command::Check => check::check(&config()?),
        Command::Health => health::health(&config()?).await,
        Command::Completions(options) => shell::completions(&options, Cli::command()),
        Command::Man(options) => shell::man(&options, Cli::command()),
        Command::Doctor(listing) => doctor::doctor(&config()?, &listing).await,
        Command::Run(options) => run::run(config()?, &options).await,
        Command::Once { snapshot } => run::once(config()?, snapshot).await,
        Command::Lambda => lambda::lambda(config()?).await,
        Command::Snapshot(options) => snapshot::snapshot(config()?, options).await,
        Command::Status(options) => status::status(&config()?, &options).await,
        Command::Feeds(command) => feeds::feeds(&config()?, command).await,
        Command::Map(command) => map::map(&config()?, command).await,
        Command::Receivers(command) => receivers::receivers(&config()?, command).await,
        Command::Verify(options) => verify::verify(&config()?, &options).await,
        Command::Preview(options) => preview::preview(&config()?, &options).await,
        Command::Explain(options) => explain::explain(&config()?, &options).await,
        Command::Syncs(command) => syncs::syncs(&config()?, command).await,
        Command::Refused(command) => refused::refused(&config()?, command).await,
        Command::Holds(command) => holds::holds(&config()?, command).await,
        Command::Alerts(command) => alerts::alerts(&config()?, command).await,
        Command::Audit(command) => audit::audit(&config()?, command).await,
        Command::Replay(options) => replay::replay(config()?, &options).await,
        Command::Redeliver(options) => replay::redeliver(config()?, &options).await,
        Command::Prune => prune::prune(&config()?).await,
        Command::Fixtures(options) => fixtures::fixtures(&config()?, &options).await,
        Command::Certify(options) => certify::certify(&config()?, options).await,
        Command::Erase(options) => erase::erase(&config()?, &options).await,
    }
}

/// Whether a command sends anything to a receiver, or is asked whether it could.
fn needs_secrets(command: &Command) -> bool {
    match command {
        Command::Run(_) | Command::Once { .. } | Command::Lambda | Command::Check => true,
        Command::Snapshot(options) => !options.no_wait,
        Command::Replay(options) => !options.no_wait,
        Command::Redeliver(options) => !options.no_wait,
        _ => false,
    }
}

/// The demo prints its own story: there only what goes wrong without being part of it is logged.
fn logged_by_default(command: &Command) -> &'static str {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(_) => "off",
        // What these libraries say has no context: what matters of it comes as an error of ours.
        _ => "warn,sqlx=off,rustls_platform_verifier=off,rentsync_relay=info",
    }
}
