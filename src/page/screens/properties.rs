//! Which properties the receivers are to have, a hundred at a time.

use std::collections::HashMap;

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::feeds::{self, FeedView, Place};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;

const SHOWN_MAX: usize = 100;

#[derive(Serialize)]
pub struct Properties {
    feeds: Vec<FeedView>,
    /// Where the next hundred begin; none: there are no more.
    next: Option<Place>,
}

impl Screen for Properties {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let receiver = ask.text("receiver");
        site.check_receiver(conn, receiver).await?;
        let after = match (ask.text("after_receiver"), ask.number("after")?) {
            (Some(receiver), Some(property_id)) => Some(Place {
                receiver: receiver.to_owned(),
                property_id,
            }),
            _ => None,
        };
        let mut feeds = feeds::page(conn, receiver, None, after.as_ref(), SHOWN_MAX as i64 + 1).await?;
        let has_more = feeds.len() > SHOWN_MAX;
        feeds.truncate(SHOWN_MAX);
        name(conn, &mut feeds).await?;
        let next = feeds.last().filter(|_| has_more).map(|feed| Place {
            receiver: feed.receiver.clone(),
            property_id: feed.property_id,
        });
        Ok(Self { feeds, next })
    }

    fn title(&self) -> String {
        "Properties".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let row = |feed: &FeedView| {
            vec![
                way(
                    frame.link(&format!("/properties/{}", feed.property_id)),
                    feed.property_id,
                ),
                cell(parts::maybe(feed.name.as_ref())),
                cell(&feed.receiver),
                cell(&feed.state),
                cell(feed.units),
                cell(feed.owed),
                cell(feed.withheld),
                parts::when(feed.last_delivered),
            ]
        };
        let head = [
            "property",
            "name",
            "receiver",
            "state",
            "units",
            "owed",
            "withheld",
            "last acknowledged",
        ];
        let rows = self.feeds.iter().map(row).collect();
        html! {
            (parts::table("Properties and how each stands", &head, rows, "None: they come with the first run, or by `feeds enable`."))
            @if let Some(next) = &self.next {
                p { a href=(frame.link(&format!("/properties?after_receiver={}&after={}", parts::encoded(&next.receiver), next.property_id))) { "More" } }
            }
        }
    }
}

/// Names are a help and no more: a source that can't be read leaves them out.
pub(super) async fn name(conn: &mut PgConnection, feeds: &mut [FeedView]) -> Result<()> {
    let ids: Vec<i64> = feeds.iter().map(|feed| feed.property_id).collect();
    let names: HashMap<i64, Option<String>> = feeds::names_of(conn, &ids).await.unwrap_or_default();
    for feed in feeds {
        feed.name = names.get(&feed.property_id).cloned().flatten();
    }
    Ok(())
}
