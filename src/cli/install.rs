//! `install` and `uninstall`.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::context::database;
use super::print;
use crate::capture::{self, Dependent, PUBLIC, Roles, Template};
use crate::config::Config;
use crate::fault::Fault;
use crate::words::in_a_line;

/// What `install` takes.
#[derive(Args)]
pub(super) struct Options {
    /// SQL that creates rentsync.source_property() and rentsync.source_unit(), for tables with other columns; without it
    /// install prints where to begin
    #[arg(long, value_name = "FILE")]
    source_functions: Option<PathBuf>,
    /// Grant this role all that `run` needs; a later install grants it what that release adds, also without this
    #[arg(long, value_name = "ROLE")]
    grant_to: Option<String>,
    /// Print the SQL that an install of this database would run, in order, each step with what it locks, for somebody to agree to;
    /// writes nothing
    #[arg(long)]
    print: bool,
}

impl Options {
    fn functions(&self) -> Result<Option<String>> {
        let Some(path) = &self.source_functions else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path);
        let unreadable = |error| Fault::usage(format!("--source-functions {} can't be read: {error}", path.display()));
        let text = text.map_err(unreadable)?;
        // Editors on Windows begin a file with a mark of its encoding, which is no SQL.
        Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
    }
}

pub(super) async fn install(config: &Config, options: &Options) -> Result<()> {
    let functions = options.functions()?;
    let (database, grant_to) = (database(config)?, options.grant_to.as_deref());
    if options.print {
        let script = capture::script(&database, &config.source, functions.as_deref(), grant_to).await?;
        return print::line(script.trim_end());
    }
    let installed = match capture::install_all(&database, &config.source, functions.as_deref(), grant_to).await {
        Ok(installed) => installed,
        Err(error) => {
            if let Some(template) = error.downcast_ref::<Template>() {
                print::line(template.sql().trim_end())?;
            }
            return Err(error);
        }
    };
    let [properties, units] = &installed.tables;
    print::line(&format!(
        "installed: schema rentsync, source functions, triggers on {properties} and {units}"
    ))?;
    say_roles(&installed.roles)?;
    for what in &installed.taken_off {
        print::line(&format!("{} was none of the relay's: it is taken off", in_a_line(what)))?;
    }
    if config.source.available_status_ids.is_some() || installed.statuses.is_empty() {
        return Ok(());
    }
    print::line("\nNext: say which of these statuses mean available, in source.available_status_ids")?;
    for status in installed.statuses {
        let id = status.status_id.map_or("null".to_owned(), |id| id.to_string());
        let name = status.status_name.unwrap_or_default();
        print::line(&format!(
            "  {id:>6}  {name}  ({})",
            crate::words::count(status.units, "unit", "units")
        ))?;
    }
    Ok(())
}

/// Nobody's rights change without a word.
fn say_roles(roles: &Roles) -> Result<()> {
    if !roles.relays.is_empty() {
        let role = match roles.relays.len() {
            1 => "role",
            _ => "roles",
        };
        print::line(&format!(
            "granted to {role} {}: what `run` needs",
            in_a_line(&roles.relays.join(", "))
        ))?;
    }
    for role in &roles.found {
        print::line(&format!(
            "role {} was granted by hand what `run` needs: it is noted as the relay's and granted what this release adds",
            in_a_line(role)
        ))?;
    }
    for (role, objection) in &roles.refused {
        print::line(&format!(
            "role {} was granted by hand what `run` needs and keeps reading alone: the relay is not to run as it, because {}",
            in_a_line(role),
            in_a_line(objection)
        ))?;
    }
    for role in &roles.trimmed {
        let role = in_a_line(role);
        let (who, relay) = match role.as_str() {
            PUBLIC => ("just anybody (public)".to_owned(), "ROLE"),
            role => (format!("role {role}"), role),
        };
        print::line(&format!(
            "{who} had rights in schema rentsync that nobody decided on: they are taken back (if the relay runs as it: \
             `rentsync-relay install --grant-to {relay}`)"
        ))?;
    }
    for role in &roles.readers {
        print::line(&format!(
            "role {} may read schema rentsync: it is granted to read what this release adds",
            in_a_line(role)
        ))?;
    }
    Ok(())
}

pub(super) async fn uninstall(config: &Config, purge: bool, yes: bool) -> Result<()> {
    if purge && !yes {
        check_terminal()?;
    }
    let database = database(config)?;
    let others = match purge {
        true => with_it(&capture::dependents(&database).await?),
        false => String::new(),
    };
    if purge && !yes {
        confirm(&others)?;
    }
    let done = capture::uninstall(&database, &config.source, purge).await?;
    match (done, purge) {
        (false, _) => print::line("nothing to take away: the relay is not installed in this database"),
        (true, false) => print::line("triggers taken off; schema rentsync is kept (--purge drops it)"),
        (true, true) => print::line(&format!("triggers taken off, schema rentsync dropped{others}")),
    }
}

/// What goes with the schema and is not the relay's.
fn with_it(dependents: &[Dependent]) -> String {
    match dependents {
        [] => String::new(),
        others => format!(", and with it what others made upon it: {}", Dependent::named(others)),
    }
}

fn check_terminal() -> Result<()> {
    if stdin().is_terminal() {
        return Ok(());
    }
    Err(Fault::usage(
            "uninstall --purge drops schema rentsync with all that was ever noted in it, and there is no terminal to ask on: \
             say --yes as well; nothing was changed",
    )
    .into())
}

/// What is dropped can't be made again: what the receivers have is known nowhere else.
fn confirm(others: &str) -> Result<()> {
    eprint!("This drops schema rentsync with all that was ever noted in it{others}. Type yes to go on: ");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Fault::usage("the answer was not yes; nothing was changed").into())
}
