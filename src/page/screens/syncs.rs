//! The newest syncs, fifty at a time.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::syncs::{self, SyncView, Wanted};
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::states::SyncState;

const SHOWN_MAX: usize = 50;

#[derive(Serialize)]
pub struct Syncs {
    syncs: Vec<SyncView>,
    /// Older ones have numbers below this; none: there are none.
    next: Option<i64>,
    #[serde(skip)]
    asked: String,
}

impl Screen for Syncs {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let (receiver, state, property_id) = (ask.text("receiver"), ask.text("state"), ask.number("property")?);
        site.check_receiver(conn, receiver).await?;
        if state.is_some_and(|state| state.parse::<SyncState>().is_err()) {
            let states: Vec<&str> = SyncState::ALL.iter().map(|state| state.as_str()).collect();
            return Err(Failure::unreadable(format!("state has to be one of {}", states.join(", "))).into());
        }
        let wanted = Wanted {
            receiver,
            property_id,
            state,
            before: ask.number("before")?,
            ..Wanted::default()
        };
        let mut syncs = syncs::syncs(conn, wanted, SHOWN_MAX as i64 + 1).await?;
        let has_more = syncs.len() > SHOWN_MAX;
        syncs.truncate(SHOWN_MAX);
        let next = syncs.last().filter(|_| has_more).map(|sync| sync.number);
        let pairs = [
            ("receiver", receiver.map(str::to_owned)),
            ("state", state.map(str::to_owned)),
            ("property", property_id.map(|id| id.to_string())),
        ];
        let asked = pairs
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}&", parts::encoded(&value?))));
        Ok(Self {
            syncs,
            next,
            asked: asked.collect(),
        })
    }

    fn title(&self) -> String {
        "Syncs".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            nav aria-label="States" {
                p {
                    a href=(frame.link("/syncs")) { "all" }
                    @for state in SyncState::ALL { " · " a href=(frame.link(&format!("/syncs?state={state}"))) { (state) } }
                }
            }
            (table(&self.syncs, frame))
            @if let Some(next) = self.next {
                p { a href=(frame.link(&format!("/syncs?{}before={next}", self.asked))) { "Older ones" } }
            }
        }
    }
}

/// The same on other screens.
pub(super) fn table(syncs: &[SyncView], frame: &Frame<'_>) -> Markup {
    let row = |sync: &SyncView| {
        vec![
            way(frame.link(&format!("/syncs/{}", sync.id)), &sync.id),
            cell(&sync.receiver),
            match sync.property_id {
                Some(id) => way(frame.link(&format!("/properties/{id}")), id),
                None => cell(format!("{} properties", sync.properties)),
            },
            cell(&sync.sync_type),
            cell(&sync.state),
            cell(format!("{} + {} removed", sync.units, sync.removed_units)),
            cell(sync.attempts),
            parts::time(sync.sealed_at),
            parts::when(sync.settled_at),
        ]
    };
    let head = [
        "sync", "receiver", "property", "type", "state", "units", "attempts", "sealed", "settled",
    ];
    parts::table(
        "Syncs, the newest first",
        &head,
        syncs.iter().map(row).collect(),
        "No such syncs.",
    )
}
