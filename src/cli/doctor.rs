//! `doctor`.

use anyhow::Result;

use super::context::{Listing, database};
use super::print;
use crate::config::{Config, Receiver};
use crate::doctor::{self, Diagnosis, Finding, Grade, Limits};
use crate::fault::{self, Fault};

pub(super) async fn doctor(config: &Config, listing: &Listing) -> Result<()> {
    let receivers: Vec<&Receiver> = match &listing.receiver {
        Some(name) => vec![config.receiver(Some(name))?],
        None => config.receivers.values().collect(),
    };
    let Diagnosis { findings, unreachable } =
        doctor::examine(&database(config)?, config, &receivers, &Limits::default()).await;
    if listing.json {
        print::rows(&findings, true, "")?;
    } else {
        table(&findings)?;
    }
    if let Some(error) = unreachable {
        return Err(match fault::exit_code(&error) {
            3 => error,
            // It was there, and ended the session.
            _ => Fault::unreachable(fault::sentence(&error)).into(),
        });
    }
    match findings.iter().filter(|found| found.finding == Grade::Wrong).count() {
        0 => Ok(()),
        1 => Err(Fault::finding("one thing is wrong; what to do about it stands beneath it").into()),
        wrong => Err(Fault::finding(format!(
            "{wrong} things are wrong; what to do about each stands beneath it"
        ))
        .into()),
    }
}

/// A line for each finding, and one beneath it where there is something to do.
fn table(findings: &[Finding]) -> Result<()> {
    let width = |of: fn(&Finding) -> String| findings.iter().map(|found| of(found).len()).max().unwrap_or(0);
    let (words, checks) = (width(|found| found.finding.word().to_owned()), width(name));
    for found in findings {
        print::line(&format!(
            "{:words$}  {:checks$}  {}",
            found.finding.word(),
            name(found),
            found.what
        ))?;
        if let Some(todo) = &found.todo {
            print::line(&format!("{:words$}  {:checks$}  -> {todo}", "", ""))?;
        }
    }
    Ok(())
}

fn name(found: &Finding) -> String {
    let check = found.check.replace('_', " ");
    match &found.receiver {
        Some(receiver) => format!("{check} ({receiver})"),
        None => check,
    }
}
