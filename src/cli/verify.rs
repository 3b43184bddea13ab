//! `verify`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use serde_json::Value;
use sqlx::PgConnection;

use super::context::{Listing, check_receiver, connect};
use super::print;
use crate::config::Config;
use crate::fault::Fault;
use crate::inspect::drift;
use crate::inspect::verify::{self, Counts, Difference, Finding};
use crate::plan::Scope;
use crate::words::{self, count};

/// Differences that `--found` lists at most.
const FOUND_MAX: i64 = 1000;
/// Lines of each kind of finding for a receiver; `--json` has no bound.
const SHOWN_MAX: usize = 20;

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    listing: Listing,
    /// Of this property only
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
    /// Compare nothing; list the drift that snapshots found and repaired, the newest 1,000
    #[arg(long)]
    found: bool,
}

pub(super) async fn verify(config: &Config, options: &Options) -> Result<()> {
    let mut conn = connect(config).await?;
    if options.found {
        return list_found(&mut conn, options).await;
    }
    let scopes = scopes(config, options.listing.receiver.as_deref())?;
    let mut printer = Printer {
        list: print::List::begin(options.listing.json),
        seen: BTreeMap::new(),
    };
    let mut bad = Vec::new();
    for scope in &scopes {
        let mut report = |finding: Finding| printer.print(&finding);
        let counts = verify::verify(&mut conn, scope, options.property, &mut report).await?;
        printer.sum_up(&scope.receiver.name, &counts)?;
        if counts.drift + counts.digests_differing > 0 {
            bad.push(scope.receiver.name.as_str());
        }
    }
    printer.list.end()?;
    if bad.is_empty() {
        return Ok(());
    }
    Err(Fault::finding(format!(
        "{} may hold something else than the source has, and no change that waits explains it; the next snapshot sends \
         every unit again",
        bad.join(", ")
    ))
    .into())
}

/// The chosen receiver, or all that are configured.
pub(super) fn scopes(config: &Config, chosen: Option<&str>) -> Result<Vec<Scope>> {
    let available = config.source.available_status_ids()?;
    let receivers = match chosen {
        None if !config.receivers.is_empty() => config.receivers.values().collect(),
        _ => vec![config.receiver(chosen)?],
    };
    Ok(receivers
        .into_iter()
        .map(|receiver| Scope::new(receiver, available))
        .collect())
}

async fn list_found(conn: &mut PgConnection, options: &Options) -> Result<()> {
    let listing = &options.listing;
    check_receiver(conn, listing).await?;
    let found = drift::found(conn, listing.receiver.as_deref(), options.property, FOUND_MAX).await?;
    print::rows(
        &found,
        listing.json,
        "no snapshot found a difference that no change had announced",
    )
}

/// Findings as they come; for people only the first of each kind, else nobody would see the sum for the lines before it.
struct Printer {
    list: print::List,
    /// How many of each kind there were, for the receiver that is being looked at.
    seen: BTreeMap<&'static str, usize>,
}

impl Printer {
    fn print(&mut self, finding: &Finding) -> Result<()> {
        if self.list.is_json() {
            return self.list.item(finding);
        }
        let seen = self.seen.entry(finding.finding).or_default();
        *seen += 1;
        match *seen <= SHOWN_MAX {
            true => print::line(&sentence(finding)),
            false => Ok(()),
        }
    }

    fn say_what_is_left_out(&mut self, receiver: &str) -> Result<()> {
        for (kind, seen) in std::mem::take(&mut self.seen) {
            if seen > SHOWN_MAX {
                let more = words::thousands(seen - SHOWN_MAX);
                print::line(&format!(
                    "{receiver}: and {more} more {kind}; `verify --json` lists all"
                ))?;
            }
        }
        Ok(())
    }

    fn sum_up(&mut self, receiver: &str, counts: &Counts) -> Result<()> {
        if self.list.is_json() {
            return Ok(());
        }
        self.say_what_is_left_out(receiver)?;
        let removed = match counts.removed {
            0 => String::new(),
            removed => format!(", {removed} removed"),
        };
        let digests = match (counts.digests, counts.digests_differing) {
            (0, _) => "it answers no digest that can be compared".to_owned(),
            (1, 0) => "its digest of 1 property is ours".to_owned(),
            (digests, 0) => format!("its digests of {digests} properties are ours"),
            (digests, differing) => format!(
                "of its digests of {} {} not ours",
                count(digests, "property", "properties"),
                count(differing, "is", "are")
            ),
        };
        // No drift, and no proof of anything either.
        let unproved = match counts.equal + counts.removed {
            0 if counts.waiting > 0 => {
                "; nothing that the source has now is acknowledged yet, so nothing is verified: see `status`"
            }
            _ => "",
        };
        print::line(&format!(
            "receiver {receiver}: {} of {} compared: {} equal{removed}, {} waiting, {} withheld, {} drifted; {digests}{unproved}",
            count(counts.units, "unit", "units"),
            count(counts.feeds, "property", "properties"),
            counts.equal,
            counts.waiting,
            counts.withheld,
            counts.drift
        ))
    }
}

fn sentence(finding: &Finding) -> String {
    let unit = finding.unit_id.map_or(String::new(), |id| format!(" unit {id}"));
    let because = finding.because.iter().map(String::clone);
    let said: Vec<String> = because.chain(finding.fields.iter().map(field)).collect();
    let (receiver, property_id) = (&finding.receiver, finding.property_id);
    format!(
        "{receiver}: property {property_id}{unit}: {}: {}",
        finding.finding,
        said.join(", ")
    )
}

/// What differs of one field; of a lead's name, that it does.
pub(super) fn field(difference: &Difference) -> String {
    let side = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    match (&difference.sealed, &difference.present) {
        (None, None) => format!("{} differs", difference.field),
        (sealed, present) => format!("{} {} -> {}", difference.field, side(sealed), side(present)),
    }
}
