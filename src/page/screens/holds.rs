//! Removals that wait for a person.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::holds::{self, HoldView};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::words::count;

const SHOWN_MAX: i64 = 50;
/// Ids of one hold; its own screen has its units.
const IDS_MAX: usize = 20;

#[derive(Serialize)]
pub struct Holds {
    /// Each with the first of its properties and units.
    holds: Vec<HoldView>,
    /// How many more there are.
    more: i64,
}

impl Screen for Holds {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let (receiver, all) = (ask.text("receiver"), ask.is_set("all"));
        site.check_receiver(conn, receiver).await?;
        let mut holds = holds::holds(conn, receiver, all, Some(SHOWN_MAX)).await?;
        for hold in &mut holds {
            hold.unit_ids.truncate(IDS_MAX);
            hold.property_ids.truncate(IDS_MAX);
        }
        let more = holds::count(conn, receiver, all).await? - holds.len() as i64;
        Ok(Self { holds, more })
    }

    fn title(&self) -> String {
        "Holds".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let row = |hold: &HoldView| {
            vec![
                way(
                    frame.link(&format!(
                        "/holds/{}?receiver={}",
                        hold.id,
                        parts::encoded(&hold.receiver)
                    )),
                    format!("hold {}", hold.id),
                ),
                cell(&hold.receiver),
                cell(place(hold)),
                cell(&hold.state),
                cell(format!("{} of {}", hold.units, hold.of_units)),
                cell(hold.gone),
                parts::when(Some(hold.opened_at)),
                decide(hold.id, &hold.receiver, &hold.state, frame),
            ]
        };
        let head = [
            "hold",
            "receiver",
            "property",
            "state",
            "units",
            "removed in the 24 hours before",
            "since",
            "decide",
        ];
        let rows = self.holds.iter().map(row).collect();
        html! {
            p { "Removals that were too many at once are not sent before somebody says that the units are gone indeed." }
            (parts::table("Holds", &head, rows, "No removals wait for a person."))
            @if self.more > 0 { p { "And " (count(self.more, "more hold", "more holds")) "; `holds list --json` has all." } }
            p { a href=(frame.link("/holds?all=1")) { "Also those that are over" } }
        }
    }
}

/// Whose removals they are.
fn place(hold: &HoldView) -> String {
    match hold.property_id {
        Some(property_id) => property_id.to_string(),
        None => "all of the receiver".to_owned(),
    }
}

/// Both ways to decide, as far as they are open.
pub(super) fn decide(hold_id: i64, receiver: &str, state: &str, frame: &Frame<'_>) -> Markup {
    let of = format!("receiver={}", parts::encoded(receiver));
    html! {
        @if state == "open" || state == "rejected" { (frame.action(&format!("/holds/{hold_id}/approve?{of}"), "Approve")) " " }
        @if state == "open" { (frame.action(&format!("/holds/{hold_id}/reject?{of}"), "Reject")) }
    }
}
