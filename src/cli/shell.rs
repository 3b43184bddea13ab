//! `completions` and `man`: what a shell and `man` make of the commands.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::Shell;

use super::print;
use crate::fault::Fault;

/// What `completions` takes.
#[derive(Args)]
pub(super) struct Completions {
    /// Which shell's
    shell: Shell,
}

/// What `man` takes.
#[derive(Args)]
pub(super) struct Man {
    /// Where the pages are written: rentsync-relay.1 and one for each command
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn completions(options: &Completions, mut command: Command) -> Result<()> {
    let name = command.get_name().to_owned();
    // Written at once, because what writes it itself panics where nobody reads.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}

pub(super) fn man(options: &Man, command: Command) -> Result<()> {
    let directory = &options.directory;
    let written = std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(command, directory));
    let directory = directory.display();
    match written {
        Ok(()) => print::line(&format!("the manual's pages are in {directory}")),
        Err(error) => Err(Fault::usage(format!("the manual's pages can't be written to {directory}: {error}")).into()),
    }
}
