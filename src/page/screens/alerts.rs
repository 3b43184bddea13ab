//! What a person should know.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::alerts::{self, AlertView};
use crate::page::ask::Ask;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;

const SHOWN_MAX: usize = 100;

#[derive(Serialize)]
pub struct Alerts {
    alerts: Vec<AlertView>,
    /// These are not all.
    is_cut: bool,
}

impl Screen for Alerts {
    async fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let receiver = ask.text("receiver");
        site.check_receiver(conn, receiver).await?;
        let mut alerts = alerts::alerts(conn, receiver, ask.is_set("all"), SHOWN_MAX as i64 + 1).await?;
        let is_cut = alerts.len() > SHOWN_MAX;
        alerts.truncate(SHOWN_MAX);
        Ok(Self { alerts, is_cut })
    }

    fn title(&self) -> String {
        "Alerts".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let row = |alert: &AlertView| {
            vec![
                cell(format!("alert {}", alert.id)),
                cell(&alert.kind),
                cell(parts::maybe(alert.receiver.as_ref())),
                match alert.property_id {
                    Some(id) => way(frame.link(&format!("/properties/{id}")), id),
                    None => cell("–"),
                },
                cell(parts::words(&alert.message)),
                cell(alert.times),
                parts::when(Some(alert.last_at)),
                match alert.acked_at {
                    None => frame.action(&format!("/alerts/{}/ack", alert.id), "It is known"),
                    at => parts::when(at),
                },
            ]
        };
        let head = [
            "alert",
            "kind",
            "receiver",
            "property",
            "what, and what to do",
            "times",
            "last",
            "known or over",
        ];
        let rows = self.alerts.iter().map(row).collect();
        html! {
            (parts::table("Alerts, the newest first", &head, rows, "No open alerts."))
            @if self.is_cut { p { "And more; `alerts list --limit N` has them." } }
            p { a href=(frame.link("/alerts?all=1")) { "Also those that are known or over" } }
        }
    }
}
