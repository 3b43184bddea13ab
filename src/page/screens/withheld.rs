//! Units that are left out: what a receiver refuses, and what can't be sealed as it is.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::withheld::{self, WithheldView};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::states::Withheld;

const SHOWN_MAX: usize = 200;

/// Units, and whether there are more.
#[derive(Serialize)]
struct Left {
    units: Vec<WithheldView>,
    /// These are not all.
    is_cut: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Refused(Left);

#[derive(Serialize)]
#[serde(transparent)]
pub struct Invalid(Left);

impl Screen for Refused {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        Left::read(site, conn, ask, Withheld::Refused).await.map(Self)
    }

    fn title(&self) -> String {
        "Refused units".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            p { "The receiver doesn't take these as they are. Each is tried again by itself, or when it changes." }
            (self.0.table(frame, true))
        }
    }
}

impl Screen for Invalid {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        Left::read(site, conn, ask, Withheld::Invalid).await.map(Self)
    }

    fn title(&self) -> String {
        "Invalid units".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            p { "The relay's own check withholds these: put them right in the source, or change the receiver's requirements." }
            (self.0.table(frame, false))
        }
    }
}

impl Left {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask, kind: Withheld) -> Result<Self> {
        let receiver = ask.text("receiver");
        site.check_receiver(conn, receiver).await?;
        let mut units = withheld::some(conn, receiver, kind, SHOWN_MAX as i64 + 1).await?;
        let is_cut = units.len() > SHOWN_MAX;
        units.truncate(SHOWN_MAX);
        Ok(Self { units, is_cut })
    }

    fn table(&self, frame: &Frame<'_>, can_retry: bool) -> Markup {
        let row = |unit: &WithheldView| {
            let retry = format!(
                "/refused/{}/retry?receiver={}",
                unit.unit_id,
                parts::encoded(&unit.receiver)
            );
            let mut cells = frame.unit_cells(unit.unit_id, unit.unit_code.as_ref(), unit.property_id, &unit.receiver);
            cells.extend([
                cell(&unit.what),
                cell(parts::words(&unit.because)),
                parts::when(unit.since),
                parts::when(unit.retry_at),
                html! { @if can_retry { (frame.action(&retry, "Send once more")) } },
            ]);
            cells
        };
        let head = [
            "unit",
            "code",
            "property",
            "receiver",
            "what",
            "why",
            "since",
            "tried again",
            "have it done",
        ];
        let rows = self.units.iter().map(row).collect();
        html! {
            (parts::table("Units that are left out", &head, rows, "None."))
            @if self.is_cut { p { "And more; `refused list --json` has all." } }
        }
    }
}
