//! The requests that would be sent now: all of one property's, or the first of a receiver's.

use anyhow::{Result, bail};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::inspect::preview::{self as inspect, PreviewItem, PreviewRequest};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts;
use crate::page::screen::Screen;
use crate::page::site::Site;

/// What is said for each receiver at most; a request is one.
const SAID_MAX: usize = 20;

#[derive(Serialize)]
pub struct Preview {
    property_id: Option<i64>,
    /// As `preview --json` has them.
    items: Vec<Value>,
    /// There is more than is shown.
    is_cut: bool,
}

/// Enough was said: the rest is not worked out.
#[derive(Debug)]
struct Enough;

impl std::fmt::Display for Enough {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("enough was said")
    }
}

impl std::error::Error for Enough {}

impl Screen for Preview {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let property_id = ask.number("property")?;
        let asked = PreviewRequest { property_id, now: None };
        let (mut items, mut is_cut) = (Vec::new(), false);
        for scope in &site.scopes(ask.text("receiver"))? {
            let most = items.len() + SAID_MAX;
            let mut report = |said: PreviewItem| {
                if items.len() == most {
                    bail!(Enough);
                }
                items.push(serde_json::to_value(said)?);
                Ok(())
            };
            match inspect::preview(conn, scope, asked, &mut report).await {
                Err(error) if error.is::<Enough>() => {
                    is_cut = true;
                    // It was in the middle of a transaction that only reads.
                    *conn = site.connect_to_read().await?;
                }
                done => {
                    done?;
                }
            }
        }
        Ok(Self {
            property_id,
            items,
            is_cut,
        })
    }

    fn title(&self) -> String {
        match self.property_id {
            Some(id) => format!("Preview of property {id}"),
            None => "Preview".to_owned(),
        }
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            p { "What the next pass would send if it began now. Nothing is written and nothing is sent." }
            form action=(frame.link("/preview")) {
                label for="property" { "Of this property only" }
                input type="number" id="property" name="property" value=[self.property_id];
                button type="submit" { "Preview" }
            }
            @if self.is_cut { p { "Only the first " (SAID_MAX) " are shown; `preview` has all, and a property's preview is whole." } }
            @for item in &self.items { (one(item)) }
        }
    }
}

fn one(item: &Value) -> Markup {
    let what = item["what"].as_str().unwrap_or_default().replace('_', " ");
    let title = match (item["number"].as_i64(), item["property_id"].as_i64()) {
        (Some(number), _) => format!("{what} {number}"),
        (None, Some(property_id)) => format!("{what}: {property_id}"),
        (None, None) => what,
    };
    html! {
        section {
            h2 { (title) }
            @if let Some(because) = item["because"].as_str() { p { (parts::words(because)) } }
            (parts::block(&format!("{item:#}")))
        }
    }
}
