//! One property: its feeds, its newest syncs, what snapshots found, its units.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use super::properties::name;
use super::{snapshots, syncs};
use crate::inspect::drift::{self, DriftView};
use crate::inspect::feeds::{self, FeedView};
use crate::inspect::lag::{self, PropertyLag};
use crate::inspect::syncs::{self as inspect, SyncView, Wanted};
use crate::inspect::units::{self, UnitView};
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::words::{self, seconds};

const FEEDS_MAX: i64 = 100;
const SYNCS_MAX: i64 = 20;
const UNITS_MAX: i64 = 100;

/// A feed with the units that the ledger has of it.
#[derive(Serialize)]
struct Feed {
    #[serde(flatten)]
    feed: FeedView,
    units: Vec<UnitView>,
    /// Units beyond this id are another page's; none: these are all.
    next: Option<i64>,
}

#[derive(Serialize)]
pub struct Property {
    property_id: i64,
    feeds: Vec<Feed>,
    lag: Vec<PropertyLag>,
    syncs: Vec<SyncView>,
    drift: Vec<DriftView>,
}

impl Screen for Property {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let property_id = ask.id("property_id")?;
        let after = ask.number("after")?.unwrap_or(i64::MIN);
        let mut found = feeds::page(conn, ask.text("receiver"), Some(property_id), None, FEEDS_MAX).await?;
        if found.is_empty() {
            return Err(Failure::unknown(format!(
                "property {property_id} has no feed to any receiver: it is inactive, outside the portfolio or unknown, or only listed \
                 properties are enrolled; `preview --property {property_id}` says more"
            ))
            .into());
        }
        name(conn, &mut found).await?;
        let mut feeds = Vec::new();
        for feed in found {
            let mut units = units::units(conn, feed.id, after, UNITS_MAX + 1).await?;
            let has_more = units.len() > UNITS_MAX as usize;
            units.truncate(UNITS_MAX as usize);
            let next = units.last().filter(|_| has_more).map(|unit| unit.unit_id);
            feeds.push(Feed { feed, units, next });
        }
        let wanted = Wanted {
            property_id: Some(property_id),
            ..Wanted::default()
        };
        Ok(Self {
            property_id,
            feeds,
            lag: lag::of_property(conn, property_id, ask.text("receiver")).await?,
            syncs: inspect::syncs(conn, wanted, SYNCS_MAX).await?,
            drift: drift::found(conn, None, Some(property_id), SYNCS_MAX).await?,
        })
    }

    fn title(&self) -> String {
        let name = self.feeds.iter().find_map(|feed| feed.feed.name.as_deref());
        match name {
            Some(name) => format!("Property {}: {}", self.property_id, parts::words(name)),
            None => format!("Property {}", self.property_id),
        }
    }

    fn hide(&mut self) {
        snapshots::hide(&mut self.drift);
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            @for feed in &self.feeds { (self.feed(feed, frame)) }
            h2 { "Newest syncs" }
            (syncs::table(&self.syncs, frame))
            @if !self.drift.is_empty() {
                h2 { "What snapshots found" }
                (snapshots::drift(&self.drift, frame))
            }
        }
    }
}

impl Property {
    fn lag(&self, receiver: &str) -> Option<&PropertyLag> {
        self.lag.iter().find(|lag| lag.receiver == receiver)
    }

    fn waits(&self, receiver: &str) -> String {
        let age = self.lag(receiver).and_then(|lag| lag.oldest_change_age);
        age.map_or("-".to_owned(), |age| format!("{} old", seconds(age)))
    }

    fn took(&self, receiver: &str) -> String {
        self.lag(receiver)
            .map_or("-".to_owned(), |found| words::lag(found.lag_p50, found.lag_p99))
    }

    fn feed(&self, Feed { feed, units, next }: &Feed, frame: &Frame<'_>) -> Markup {
        let of = format!("receiver={}", parts::encoded(&feed.receiver));
        let change = match feed.state.starts_with("paused") {
            true => ("resume", "Resume"),
            false => ("pause", "Pause"),
        };
        html! {
            h2 { "To receiver " (feed.receiver) }
            (parts::facts(vec![
                ("state", cell(&feed.state)),
                ("units", cell(feed.units)),
                ("owed", cell(feed.owed)),
                ("withheld", cell(feed.withheld)),
                ("known there as", cell(parts::maybe(feed.external_id.as_ref()))),
                ("last acknowledged", parts::when(feed.last_delivered)),
                ("oldest change not acknowledged", cell(self.waits(&feed.receiver))),
                ("last hour's changes took", cell(self.took(&feed.receiver))),
            ]))
            p {
                (frame.action(&format!("/properties/{}/{}?{of}", self.property_id, change.0), change.1)) " "
                a href=(frame.link(&format!("/preview?property={}&{of}", self.property_id))) { "Preview" }
            }
            (parts::table("Units, as they were sealed last", &["unit", "code", "stands", "why"],
                units.iter().map(|unit| row(unit, frame)).collect(), "The ledger has no units of it."))
            @if let Some(next) = next {
                p { a href=(frame.link(&format!("/properties/{}?{of}&after={next}", self.property_id))) { "More units" } }
            }
        }
    }
}

fn row(unit: &UnitView, frame: &Frame<'_>) -> Vec<Markup> {
    let stands = match (&unit.withheld, &unit.owed, &unit.removed, unit.sequence) {
        (Some(withheld), ..) => format!("withheld: {withheld}"),
        (_, Some(owed), ..) => format!("owed: {owed}"),
        (_, _, Some(removed), _) => format!("removed: {removed}"),
        (.., None) => "not sealed yet".to_owned(),
        _ => "sealed".to_owned(),
    };
    vec![
        way(frame.link(&format!("/units/{}", unit.unit_id)), unit.unit_id),
        cell(parts::maybe(unit.unit_code.as_ref())),
        cell(stands),
        cell(parts::maybe(unit.withheld_because.as_ref())),
    ]
}
