//! The snapshots that were begun, and what they found that no change had announced.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::drift::{self as inspect, DriftView};
use crate::inspect::snapshots::{self, RunView};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;

const RUNS_MAX: i64 = 30;
const DRIFT_MAX: i64 = 100;

#[derive(Serialize)]
pub struct Snapshots {
    /// The newest 30.
    runs: Vec<RunView>,
    /// The newest 100.
    drift: Vec<DriftView>,
}

impl Screen for Snapshots {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let receiver = ask.text("receiver");
        site.check_receiver(conn, receiver).await?;
        Ok(Self {
            runs: snapshots::runs(conn, receiver, RUNS_MAX).await?,
            drift: inspect::found(conn, receiver, None, DRIFT_MAX).await?,
        })
    }

    fn title(&self) -> String {
        "Snapshots".to_owned()
    }

    fn hide(&mut self) {
        hide(&mut self.drift);
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let row = |run: &RunView| {
            let of = run
                .property_id
                .map_or_else(|| "every property".to_owned(), |id| format!("property {id}"));
            let night = run.scheduled_for.map(|night| format!("the night of {night}"));
            vec![
                cell(format!("run {}", run.id)),
                cell(&run.receiver),
                cell(night.unwrap_or_else(|| run.reason.clone())),
                cell(of),
                parts::when(Some(run.started_at)),
                parts::when(run.finished_at),
                cell(format!("{} of {}", run.feeds_done, run.feeds)),
                cell(run.units),
                cell(run.drift),
                cell(run.failures),
            ]
        };
        let head = [
            "run",
            "receiver",
            "because of",
            "of",
            "began",
            "ended",
            "properties done",
            "units",
            "drift",
            "as deltas",
        ];
        html! {
            (parts::table("Snapshots, the newest first", &head, self.runs.iter().map(row).collect(), "None was begun yet."))
            h2 { "Drift" }
            p { "Differences between source and ledger that no change had announced. The snapshot that finds one sends it." }
            (drift(&self.drift, frame))
        }
    }
}

/// The same on other screens.
/// See [`Screen::hide`].
pub(super) fn hide(found: &mut [DriftView]) {
    for drift in found {
        parts::hide(&mut drift.ledger_hash);
        parts::hide(&mut drift.source_hash);
    }
}

pub(super) fn drift(found: &[DriftView], frame: &Frame<'_>) -> Markup {
    let row = |drift: &DriftView| {
        vec![
            parts::time(drift.found_at),
            cell(&drift.receiver),
            way(
                frame.link(&format!("/properties/{}", drift.property_id)),
                drift.property_id,
            ),
            match drift.unit_id {
                Some(id) => way(frame.link(&format!("/units/{id}")), id),
                None => cell("the property itself"),
            },
            cell(parts::maybe(drift.differs.as_ref())),
            parts::hash(drift.ledger_hash.as_deref()),
            parts::hash(drift.source_hash.as_deref()),
        ]
    };
    let head = [
        "found",
        "receiver",
        "property",
        "unit",
        "fields",
        "sealed last",
        "source",
    ];
    parts::table(
        "Drift, the newest first",
        &head,
        found.iter().map(row).collect(),
        "None was found.",
    )
}
