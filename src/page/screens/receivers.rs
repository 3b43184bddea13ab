//! The receivers: whether each may be sent to, and what there is to do for it.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::receivers::{self, ReceiverStatus};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell};
use crate::page::screen::Screen;
use crate::page::site::Site;

#[derive(Serialize)]
pub struct Receivers {
    receivers: Vec<ReceiverStatus>,
}

impl Screen for Receivers {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let receivers = receivers::statuses(conn, ask.text("receiver")).await?;
        Ok(Self { receivers })
    }

    fn title(&self) -> String {
        "Receivers".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            @for status in &self.receivers { (one(status, frame)) }
            @if self.receivers.is_empty() { p { "No receiver has been run against this database yet." } }
        }
    }
}

fn one(status: &ReceiverStatus, frame: &Frame<'_>) -> Markup {
    let (standing, work) = (&status.standing, &status.work);
    let (name, sending) = (&standing.receiver, &standing.sending);
    let at = format!("/receivers/{}", parts::encoded(name));
    html! {
        h2 { (name) ": " (sending.state) }
        @if let Some(because) = &sending.because { p.verdict.stopped { strong { "✗ Paused." } " " (parts::words(because)) } }
        p {
            @match sending.state.as_str() {
                "paused" => { (frame.action(&format!("{at}/resume"), "Resume")) }
                _ => { (frame.action(&format!("{at}/pause"), "Pause")) }
            }
            " " (frame.action(&format!("{at}/resync"), "Send everything again"))
        }
        (parts::facts(vec![
            ("paused since", parts::when(sending.since)),
            ("next probe", parts::when(sending.next_probe)),
            ("probes that failed", cell(sending.failed_probes)),
            ("failures in a row", cell(sending.failures_in_a_row)),
            ("requests at once", cell(parts::maybe(sending.concurrency))),
            ("asked to wait until", parts::when(sending.wait_until)),
            ("waits for a resync", cell(if standing.waits_for_resync { "yes" } else { "no" })),
            ("oldest change not acknowledged", parts::when(work.oldest_change)),
            ("properties", cell(format!("{} ({} behind, {} in cooldown, {} paused)", work.feeds, work.feeds_behind, work.feeds_cooling_down, work.feeds_paused))),
            ("units", cell(format!("{} sealed, {} owed, {} withheld", work.units_sealed, work.units_owed, work.units_withheld))),
            ("open syncs", cell(work.open_syncs)),
            ("next try", parts::when(work.next_try)),
            ("last acknowledged", parts::when(work.last_delivered)),
        ]))
    }
}
