//! One sync: its attempts, how each was answered, and its bytes, with the names of leads hidden.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::inspect::syncs::{self, AttemptView, Body, SyncView, Wanted};
use crate::page::ask::Ask;
use crate::page::chart::seconds;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::payload::hide_leads;

/// A larger body is for the command line.
const BODY_BYTES_MAX: usize = 512 * 1024;

#[derive(Serialize)]
pub struct Sync {
    #[serde(flatten)]
    sync: SyncView,
    tries: Vec<AttemptView>,
    /// As it was or will be sent, names of leads as `[hidden]`; none: see `body_is`.
    body: Option<Value>,
    /// `kept`, `erased`, `pruned`, `too large` or `unreadable`.
    body_is: &'static str,
}

impl Screen for Sync {
    async fn read(_: &Site, conn: &mut PgConnection, ask: &Ask) -> Result<Self> {
        let sync_id = ask.text("sync_id").unwrap_or_default();
        let wanted = Wanted {
            sync_id: Some(sync_id),
            ..Wanted::default()
        };
        let Some(sync) = syncs::syncs(conn, wanted, 1).await?.pop() else {
            let sentence = format!("no sync {}: never sealed here, or pruned", parts::words(sync_id));
            return Err(Failure::unknown(sentence).into());
        };
        let tries = syncs::attempts(conn, &sync).await?;
        let (body, body_is) = body(conn, &sync).await?;
        Ok(Self {
            sync,
            tries,
            body,
            body_is,
        })
    }

    fn title(&self) -> String {
        format!("Sync {}", self.sync.id)
    }

    fn hide(&mut self) {
        for attempt in &mut self.tries {
            parts::hide(&mut attempt.answer);
        }
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        let sync = &self.sync;
        html! {
            (parts::facts(vec![
                ("receiver", cell(&sync.receiver)),
                ("property", match sync.property_id {
                    Some(id) => way(frame.link(&format!("/properties/{id}")), id),
                    None => cell(format!("{} properties", sync.properties)),
                }),
                ("sequence", cell(sync.sequence)),
                ("type", cell(&sync.sync_type)),
                ("state", cell(&sync.state)),
                ("units", cell(sync.units)),
                ("removed units", cell(sync.removed_units)),
                ("bytes", cell(sync.body_bytes)),
                ("sealed", parts::when(Some(sync.sealed_at))),
                ("due", parts::when(sync.due_at)),
                ("settled", parts::when(sync.settled_at)),
            ]))
            h2 { "Attempts" }
            @for attempt in &self.tries { (tried(attempt)) }
            @if self.tries.is_empty() { p { "Not tried yet." } }
            h2 { "Body" }
            @match (&self.body, self.body_is) {
                (Some(body), _) => { (parts::block(&format!("{body:#}"))) }
                (None, "too large") => { p { "It is too large for a page: `syncs show " (sync.id) " --body` prints it." } }
                (None, why) => { p { "There is none to show: it is " (why) "." } }
            }
        }
    }
}

fn tried(attempt: &AttemptView) -> Markup {
    html! {
        h3 { "Attempt " (attempt.attempt) ": " (attempt.outcome) }
        (parts::facts(vec![
            ("by", cell(&attempt.relay)),
            ("began", parts::when(Some(attempt.started_at))),
            ("took", cell(seconds(attempt.seconds))),
            ("status", cell(parts::maybe(attempt.status))),
            ("error", cell(parts::maybe(attempt.error.as_ref()))),
        ]))
        @if let Some(answer) = &attempt.answer { p { "The answer, as it is kept:" } (parts::block(answer)) }
    }
}

async fn body(conn: &mut PgConnection, sync: &SyncView) -> Result<(Option<Value>, &'static str)> {
    let text = match syncs::body(conn, sync).await? {
        Body::Kept(text) => text,
        Body::Erased => return Ok((None, "erased")),
        Body::Pruned => return Ok((None, "pruned")),
    };
    if text.len() > BODY_BYTES_MAX {
        return Ok((None, "too large"));
    }
    Ok(match serde_json::from_slice(&text) {
        Ok(mut body) => {
            hide_leads(&mut body);
            (Some(body), "kept")
        }
        // What can't be read may hold a name anywhere.
        Err(_) => (None, "unreadable"),
    })
}
