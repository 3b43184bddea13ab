//! What there is under a unit id, a unit code, a property's id or name, or a sync ID.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use super::syncs;
use crate::inspect::search::{self, FOUND_MAX, Found, FoundProperty, FoundUnit};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;

#[derive(Serialize)]
pub struct Search {
    q: String,
    #[serde(flatten)]
    found: Found,
}

impl Screen for Search {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let q = ask.text("q").unwrap_or_default().to_owned();
        let found = match q.is_empty() {
            true => Found::default(),
            false => search::search(conn, &q).await?,
        };
        Ok(Self { q, found })
    }

    fn title(&self) -> String {
        format!("Search for {}", parts::words(&self.q))
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let Found {
            units,
            units_by_code,
            properties,
            syncs,
        } = &self.found;
        html! {
            @if !units.is_empty() { (table("Units with this id", units, frame)) }
            @if !units_by_code.is_empty() { (table("Units with this code", units_by_code, frame)) }
            @if !properties.is_empty() {
                (parts::table("Properties", &["property", "name"], properties.iter().map(|found| property(found, frame)).collect(), ""))
            }
            @if !syncs.is_empty() { (syncs::table(syncs, frame)) }
            @if units.is_empty() && units_by_code.is_empty() && properties.is_empty() && syncs.is_empty() {
                p { "Nothing that was ever sealed here has this id, code or sync ID, and no property has it in its name." }
                @if self.q.parse::<i64>().is_ok() {
                    p { a href=(frame.link(&format!("/units/{}", parts::encoded(&self.q)))) { "Ask the source for unit " (self.q) } }
                }
            }
            p { "At most " (FOUND_MAX) " of each kind are shown." }
        }
    }
}

fn table(caption: &str, units: &[FoundUnit], frame: &Frame<'_>) -> Markup {
    let row =
        |unit: &FoundUnit| frame.unit_cells(unit.unit_id, unit.unit_code.as_ref(), unit.property_id, &unit.receiver);
    parts::table(
        caption,
        &["unit", "code", "property", "receiver"],
        units.iter().map(row).collect(),
        "",
    )
}

fn property(found: &FoundProperty, frame: &Frame<'_>) -> Vec<Markup> {
    vec![
        way(
            frame.link(&format!("/properties/{}", found.property_id)),
            found.property_id,
        ),
        cell(parts::maybe(found.name.as_ref())),
    ]
}
