//! `explain`.

use anyhow::Result;
use clap::Args;

use super::context::{Listing, connect};
use super::print;
use super::verify::{field, scopes};
use crate::config::Config;
use crate::fault::Fault;
use crate::inspect::explain::{self, Attempt, Change, Entry, Part, Sync, What};
use crate::words;

/// More of an answer than this makes a line unreadable; `--json` has all of it.
const ANSWER_CHARS_MAX: usize = 160;

#[derive(Args)]
pub(super) struct Options {
    /// The unit's id, as the source has it
    unit_id: i64,
    #[command(flatten)]
    listing: Listing,
}

pub(super) async fn explain(config: &Config, options: &Options) -> Result<()> {
    let (unit_id, listing) = (options.unit_id, &options.listing);
    let scopes = scopes(config, listing.receiver.as_deref())?;
    let mut conn = connect(config).await?;
    let mut explained = Vec::new();
    for scope in &scopes {
        let parts = explain::explain(&mut conn, scope, unit_id, None).await?;
        explained.push((scope.receiver.name.as_str(), parts));
    }
    if explained.iter().all(|(_, parts)| parts.is_empty()) {
        return Err(unknown(unit_id, &explained).into());
    }
    if listing.json {
        let parts: Vec<_> = explained.into_iter().flat_map(|(_, parts)| parts).collect();
        return print::rows(&parts, true, "");
    }
    for (receiver, parts) in &explained {
        if parts.is_empty() {
            print::line(&format!(
                "unit {unit_id}: {receiver} has nothing of it, and the source has no such unit\n"
            ))?;
        }
        for part in parts {
            print_part(part)?;
        }
    }
    Ok(())
}

fn unknown(unit_id: i64, explained: &[(&str, Vec<Part>)]) -> Fault {
    let names: Vec<_> = explained.iter().map(|(name, _)| *name).collect();
    Fault::usage(format!(
        "unit {unit_id} is known nowhere: the source has no such unit, no change that is kept names it, and nothing of it was ever sealed for {}",
        names.join(", ")
    ))
}

fn print_part(part: &Part) -> Result<()> {
    let of = part
        .property_id
        .map_or(String::new(), |id| format!(" of property {id}"));
    print::line(&format!("unit {}{of}: {}", part.unit_id, part.answer))?;
    let fields: Vec<String> = part.differs.iter().map(field).collect();
    let facts = [
        ("source has", source(part)),
        ("sealed last", sealed_last(part)),
        ("acknowledged", part.acknowledged_hash.clone()),
        ("differs in", (!fields.is_empty()).then(|| fields.join(", "))),
    ];
    for (name, fact) in facts {
        print::line(&format!("  {name:<14} {}", fact.as_deref().unwrap_or("-")))?;
    }
    if let Some(since) = part.known_since {
        print::line(&format!(
            "  {}  pruned    what happened before this may no longer be known",
            words::moment(since)
        ))?;
    }
    if part.older_left_out {
        print::line("  only the newest changes and syncs are shown, older ones are left out")?;
    }
    for entry in &part.timeline {
        print::line(&format!("  {}  {}", words::moment(entry.at), said(entry)))?;
    }
    print::line("")
}

/// What can't be sealed as it is has no hash.
fn source(part: &Part) -> Option<String> {
    let invalid = (part.standing == "invalid").then(|| "what can't be sealed as it is".to_owned());
    part.source_hash.clone().or(invalid)
}

fn sealed_last(part: &Part) -> Option<String> {
    let in_sync = part.sealed_in.as_ref().map(|sync_id| format!("in {sync_id}"));
    match (&part.sealed_hash, in_sync) {
        (Some(hash), in_sync) => Some(format!("{hash} {}", in_sync.unwrap_or_default()).trim_end().to_owned()),
        (None, in_sync) => in_sync.map(|in_sync| format!("its removal, {in_sync}")),
    }
}

fn said(entry: &Entry) -> String {
    match &entry.what {
        What::Change(change) => format!("change    {}", changed(change)),
        What::Sync(sync) => format!("sync      {}", sealed(sync)),
        What::Attempt(attempt) => format!("attempt   {}", tried(attempt)),
        What::Drift { differs } => format!(
            "drift     a snapshot found that it differed though no change had announced it: {}",
            differs.as_deref().unwrap_or("-")
        ),
        What::Withheld { because } => format!("withheld {}", print::in_a_line(because, ANSWER_CHARS_MAX)),
        What::RemovalAcknowledged { sequence } => format!(
            "removed   its removal was acknowledged (sequence {})",
            sequence.unwrap_or_default()
        ),
    }
}

fn changed(change: &Change) -> String {
    let of = match change.of.as_str() {
        "unit" => "the unit",
        "property" => "the whole property",
        every => every,
    };
    let planned = match change.is_planned {
        Some(true) => ", planned",
        Some(false) => ", not planned yet",
        None => ", never planned",
    };
    format!("{} of {of}, transaction {}{planned}", change.op, change.transaction)
}

fn sealed(sync: &Sync) -> String {
    let part = match sync.parts {
        1 => String::new(),
        parts => format!(" part {} of {parts}", sync.part),
    };
    let carries = match (sync.is_gone, sync.replaced_by) {
        (false, _) => "carries it".to_owned(),
        (true, None) => "carries its removal".to_owned(),
        (true, Some(unit_id)) => format!("carries its removal, its code is unit {unit_id}'s now"),
    };
    let settled = sync
        .settled_at
        .map_or(String::new(), |at| format!(" at {}", words::moment(at)));
    let again = sync
        .redelivered_at
        .map_or(String::new(), |at| format!(", redelivered at {}", words::moment(at)));
    let probe = if sync.probe { " as a probe" } else { "" };
    format!(
        "{}{part}{probe} {} (sequence {}) {carries}: {}{settled}{again}",
        sync.sync_type, sync.sync_id, sync.sequence, sync.state
    )
}

fn tried(attempt: &Attempt) -> String {
    let outcome = match attempt.outcome.as_deref() {
        None => "under way, or its relay died",
        Some("stale") => "stale, the receiver has a later sequence",
        Some(outcome) => outcome,
    };
    let said = [
        attempt.status.map(|status| status.to_string()),
        attempt.error.clone(),
        attempt.answer.clone(),
    ];
    let said: Vec<_> = said
        .into_iter()
        .flatten()
        .map(|text| print::in_a_line(&text, ANSWER_CHARS_MAX))
        .filter(|text| !text.is_empty())
        .collect();
    let colon = if said.is_empty() { "" } else { ": " };
    format!(
        "{} of {} by {}: {outcome}{colon}{}",
        attempt.attempt,
        attempt.sync_id,
        attempt.relay,
        said.join(" ")
    )
}
