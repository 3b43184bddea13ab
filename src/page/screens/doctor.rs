//! What is wrong with database, triggers, settings and receivers, and what to do about it.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::doctor::{self, Finding, Grade, Limits};
use crate::fault::sentence;
use crate::page::ask::Ask;
use crate::page::failure::Failure;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell};
use crate::page::screen::Screen;
use crate::page::site::Site;

#[derive(Serialize)]
pub struct Doctor {
    findings: Vec<Finding>,
    /// Why the database could not be asked.
    unreachable: Option<String>,
}

impl Screen for Doctor {
    async fn read(site: &Site, _: &mut PgConnection, _: &Ask) -> Result<Self> {
        // It asks receivers as well, so two at once would ask them twice.
        let _alone = site.examinations.try_acquire().map_err(|_| {
            let sentence = "an examination is under way already; try again when it is done";
            Failure::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, sentence)
        })?;
        let receivers: Vec<_> = site.config.receivers.values().collect();
        let diagnosis = doctor::examine(&site.database, &site.config, &receivers, &Limits::default()).await;
        Ok(Self {
            findings: diagnosis.findings,
            unreachable: diagnosis.unreachable.as_ref().map(sentence),
        })
    }

    fn title(&self) -> String {
        "Doctor".to_owned()
    }

    fn show(&self, _: &Frame<'_>) -> Markup {
        let count = |grade| self.findings.iter().filter(|found| found.finding == grade).count();
        let row = |found: &Finding| {
            vec![
                cell(mark(found.finding)),
                cell(found.check.replace('_', " ")),
                cell(parts::maybe(found.receiver.as_ref())),
                cell(&found.what),
                cell(found.todo.as_deref().unwrap_or("–")),
            ]
        };
        let rows = self.findings.iter().map(row).collect();
        html! {
            @if let Some(unreachable) = &self.unreachable { p.failure role="alert" { (unreachable) } }
            p { (count(Grade::Wrong)) " wrong, " (count(Grade::Warning)) " to be looked at, " (count(Grade::Ok)) " as they should be." }
            (parts::table("What was looked at", &["how", "what", "receiver", "found", "what to do"], rows, "Nothing was looked at."))
        }
    }
}

fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Ok => "✓ ok",
        Grade::Warning => "! warning",
        Grade::Wrong => "✗ wrong",
    }
}
