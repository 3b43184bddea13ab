//! One unit: whether it is shown as the source has it, or why not; both versions field by field; what happened to it.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::difference::Side;
use crate::inspect::explain::{self, Attempt, Change, Entry, Part, Sync, What};
use crate::inspect::versions::{self, Versions};
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;

/// A part of the way, with what was sealed and what there is.
#[derive(Serialize)]
struct Way {
    #[serde(flatten)]
    part: Part,
    versions: Option<Versions>,
}

#[derive(Serialize)]
pub struct Unit {
    unit_id: i64,
    parts: Vec<Way>,
}

impl Screen for Unit {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let unit_id = ask.id("unit_id")?;
        let mut parts = Vec::new();
        for scope in &site.scopes(ask.text("receiver"))? {
            for part in explain::explain(conn, scope, unit_id, None).await? {
                let versions = match part.property_id {
                    Some(property_id) => versions::versions(conn, scope, property_id, unit_id).await?,
                    None => None,
                };
                parts.push(Way { part, versions });
            }
        }
        if parts.is_empty() {
            return Err(Failure::unknown(format!(
                "unit {unit_id} is known nowhere: the source has no such unit, no change that is kept names it, and nothing of it was \
                 ever sealed"
            ))
            .into());
        }
        Ok(Self { unit_id, parts })
    }

    fn title(&self) -> String {
        format!("Unit {}", self.unit_id)
    }

    fn hide(&mut self) {
        for Way { part, .. } in &mut self.parts {
            parts::hide(&mut part.source_hash);
            parts::hide(&mut part.sealed_hash);
            parts::hide(&mut part.acknowledged_hash);
            for entry in &mut part.timeline {
                if let What::Attempt(attempt) = &mut entry.what {
                    parts::hide(&mut attempt.answer);
                }
            }
        }
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            p { (frame.action(&format!("/units/{}/leads", self.unit_id), "Show the lead's names")) }
            @for way in &self.parts { (self.part(way, frame)) }
        }
    }
}

impl Unit {
    fn part(&self, Way { part, versions }: &Way, frame: &Frame<'_>) -> Markup {
        let of = format!("receiver={}", parts::encoded(&part.receiver));
        html! {
            h2 { "At receiver " (part.receiver) }
            p.verdict { strong { (part.standing.replace('_', " ")) } ": " (part.answer) }
            @if part.standing == "refused" {
                p { (frame.action(&format!("/refused/{}/retry?{of}", self.unit_id), "Send it once more")) }
            }
            (parts::facts(vec![
                ("property", match part.property_id {
                    Some(id) => way(frame.link(&format!("/properties/{id}")), id),
                    None => cell("none"),
                }),
                ("source has", parts::hash(part.source_hash.as_deref())),
                ("sealed last", parts::hash(part.sealed_hash.as_deref())),
                ("sealed in", match &part.sealed_in {
                    Some(id) => way(frame.link(&format!("/syncs/{id}")), id),
                    None => cell("–"),
                }),
                ("acknowledged", parts::hash(part.acknowledged_hash.as_deref())),
            ]))
            @if let Some(versions) = versions { (both(versions)) }
            h3 { "What happened" }
            @if let Some(since) = part.known_since { p { "What was before " (parts::time(since)) " may be pruned." } }
            @if part.older_left_out { p { "Only the newest changes and syncs are shown." } }
            (parts::table("What happened to it, the oldest first", &["when", "what", "how"],
                part.timeline.iter().map(|entry| happened(entry, frame)).collect(), "Nothing that is still known."))
        }
    }
}

fn both(versions: &Versions) -> Markup {
    let row = |side: &Side| {
        let differs = if side.differs { "≠ differs" } else { "= same" };
        vec![
            cell(&side.field),
            cell(parts::value(side.sealed.as_ref())),
            cell(parts::value(side.present.as_ref())),
            html! { span class=[side.differs.then_some("differs")] { (differs) } },
        ]
    };
    html! {
        h3 { "Both versions" }
        @if let Some(because) = &versions.not_present { p { "The source's side is empty: " (because) "." } }
        @if !versions.is_sealed_kept { p { "What was sealed last is not kept, or nothing was." } }
        (parts::table("Each field, as it was sealed last and as the source has it", &["field", "sealed last", "source", "compared"],
            versions.fields.iter().map(row).collect(), "Neither side has a field to show."))
    }
}

fn happened(entry: &Entry, frame: &Frame<'_>) -> Vec<Markup> {
    let (what, how) = match &entry.what {
        What::Change(change) => ("change", cell(changed(change))),
        What::Sync(sync) => ("sync", sealed(sync, frame)),
        What::Attempt(attempt) => ("attempt", cell(tried(attempt))),
        What::Drift { differs } => (
            "drift",
            cell(format!(
                "a snapshot found it to differ: {}",
                parts::maybe(differs.as_ref())
            )),
        ),
        What::Withheld { because } => ("withheld", cell(parts::words(because))),
        What::RemovalAcknowledged { sequence } => {
            let sequence = parts::maybe(sequence.as_ref());
            (
                "removed",
                cell(format!("its removal was acknowledged (sequence {sequence})")),
            )
        }
    };
    vec![parts::time(entry.at), cell(what), how]
}

fn changed(change: &Change) -> String {
    let planned = match change.is_planned {
        Some(true) => "planned",
        Some(false) => "not planned yet",
        None => "never planned",
    };
    format!(
        "{} of {}, transaction {}, {planned}",
        change.op, change.of, change.transaction
    )
}

fn sealed(sync: &Sync, frame: &Frame<'_>) -> Markup {
    let carries = if sync.is_gone {
        "carries its removal"
    } else {
        "carries it"
    };
    html! {
        (sync.sync_type) " " a href=(frame.link(&format!("/syncs/{}", sync.sync_id))) { (sync.sync_id) }
        " (sequence " (sync.sequence) ") " (carries) ": " (sync.state)
    }
}

fn tried(attempt: &Attempt) -> String {
    let outcome = attempt.outcome.as_deref().unwrap_or("under way, or its relay died");
    let said = [
        attempt.status.map(|status| status.to_string()),
        attempt.error.clone(),
        attempt.answer.clone(),
    ];
    let said: Vec<String> = said.into_iter().flatten().map(|text| parts::words(&text)).collect();
    format!("{} by {}: {outcome} {}", attempt.attempt, attempt.relay, said.join(" "))
}
