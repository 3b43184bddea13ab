//! One hold, and what would be removed.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use super::holds::decide;
use crate::inspect::holds::{self, HeldUnitView};
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts;
use crate::page::screen::Screen;
use crate::page::site::Site;

const SHOWN_MAX: i64 = 500;

#[derive(Serialize)]
pub struct Hold {
    id: i64,
    units: Vec<HeldUnitView>,
    /// These are not all.
    is_cut: bool,
}

impl Screen for Hold {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let id = ask.id("hold_id")?;
        let mut units = holds::units_of(conn, id, SHOWN_MAX + 1).await?;
        if units.is_empty() {
            return Err(Failure::unknown(format!(
                "hold {id} keeps nothing: it was decided, its units are back, or others joined it and it has another number"
            ))
            .into());
        }
        let is_cut = units.len() as i64 > SHOWN_MAX;
        units.truncate(SHOWN_MAX as usize);
        Ok(Self { id, units, is_cut })
    }

    fn title(&self) -> String {
        format!("Hold {}", self.id)
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let row = |unit: &HeldUnitView| {
            let mut cells = frame.unit_cells(unit.unit_id, unit.unit_code.as_ref(), unit.property_id, &unit.receiver);
            cells.push(parts::when(unit.since));
            cells
        };
        let rows = self.units.iter().map(row).collect();
        html! {
            @if let Some(unit) = self.units.first() { p { (decide(self.id, &unit.receiver, &unit.state, frame)) } }
            (parts::table("Units that would be removed", &["unit", "code", "property", "receiver", "gone since"], rows, ""))
            @if self.is_cut { p { "And more; `holds list --units --json` has all." } }
        }
    }
}
