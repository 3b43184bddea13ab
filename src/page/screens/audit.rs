//! What persons had the relay change.

use anyhow::Result;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::audit::{self, AuditView};
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell};
use crate::page::screen::Screen;
use crate::page::site::Site;

const SHOWN_MAX: i64 = 100;

#[derive(Serialize)]
pub struct Audit {
    /// The newest 100.
    rows: Vec<AuditView>,
}

impl Screen for Audit {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let wrong = |_| Failure::unreadable("since has to be a time like 2025-01-15T02:00:00Z");
        let since: Option<DateTime<Utc>> = ask.text("since").map(str::parse).transpose().map_err(wrong)?;
        let rows = audit::audit(conn, ask.text("receiver"), since, SHOWN_MAX).await?;
        Ok(Self { rows })
    }

    fn title(&self) -> String {
        "Audit".to_owned()
    }

    fn show(&self, _: &Frame<'_>) -> Markup {
        let row = |row: &AuditView| {
            vec![
                parts::time(row.at),
                cell(parts::words(&row.who)),
                cell(&row.through),
                cell(&row.action),
                cell(parts::maybe(row.receiver.as_ref())),
                cell(parts::words(&row.subject)),
                cell(parts::value(row.before.as_ref())),
                cell(parts::value(row.after.as_ref())),
            ]
        };
        let head = [
            "when", "who", "through", "action", "receiver", "to what", "before", "since",
        ];
        html! {
            (parts::table("Actions, the newest first", &head, self.rows.iter().map(row).collect(), "Nothing was done by a person."))
            p { "The newest " (SHOWN_MAX) "; `audit list --since T --limit N` has more." }
        }
    }
}
