//! Whether the receivers have what they should, in a sentence, and what needs a person.

use anyhow::Result;
use maud::{Markup, html};
use serde::Serialize;
use sqlx::PgConnection;

use crate::inspect::alerts::{self, AlertView};
use crate::inspect::hours::Hour;
use crate::inspect::receivers::{self, ReceiverStatus};
use crate::page::ask::Ask;
use crate::page::chart;
use crate::page::frame::Frame;
use crate::page::parts::{self, cell, way};
use crate::page::screen::Screen;
use crate::page::site::Site;
use crate::states::Withheld;
use crate::words::{self, count};

const ALERTS_MAX: i64 = 10;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    /// Everything was acknowledged.
    Right,
    /// Something is on its way.
    Sending,
    /// Something waits for a person.
    Waiting,
    /// Nothing is sent.
    Stopped,
}

/// The answer to the question that everybody has.
#[derive(Serialize)]
struct Verdict {
    grade: Grade,
    sentence: String,
}

/// What a person has to look at, of one receiver.
#[derive(Serialize)]
struct Needs {
    receiver: String,
    holds: i64,
    refused: i64,
    invalid: i64,
    alerts: i64,
    paused_because: Option<String>,
}

#[derive(Serialize)]
pub struct Overview {
    verdict: Verdict,
    needs: Vec<Needs>,
    receivers: Vec<ReceiverStatus>,
    alerts: Vec<AlertView>,
    /// At most 30 s old. None: counting them took too long.
    hours: Option<Vec<Hour>>,
}

impl Screen for Overview {
    async fn read(site: &Site, conn: &mut PgConnection, _: &Ask) -> Result<Self> {
        let receivers = receivers::statuses(conn, None).await?;
        let alerts = alerts::alerts(conn, None, false, ALERTS_MAX).await?;
        // What stands here is of use without them.
        let hours = site.day(conn).await.ok();
        Ok(Self {
            verdict: verdict(&receivers),
            needs: receivers.iter().map(needs).collect(),
            receivers,
            alerts,
            hours,
        })
    }

    fn title(&self) -> String {
        "Overview".to_owned()
    }

    fn show(&self, frame: &Frame<'_>) -> Markup {
        html! {
            p class=(format!("verdict {}", mark(self.verdict.grade).0)) {
                strong { (mark(self.verdict.grade).1) } " " (self.verdict.sentence)
            }
            @for needs in &self.needs { (needed(needs, frame)) }
            (self.alerts(frame))
            (self.receivers(frame))
            h2 { "The last 24 hours" }
            @match &self.hours {
                Some(hours) => { (chart::day(hours)) }
                None => { p { "Counting them took too long; Prometheus has them (docs/metrics.md)." } }
            }
            p { a href=(frame.link("/?watch=1")) { "Watch this page" } " · " a href=(frame.link("/")) { "Stop watching" } }
        }
    }
}

impl Overview {
    fn receivers(&self, frame: &Frame<'_>) -> Markup {
        let row = |status: &ReceiverStatus| {
            let (standing, work) = (&status.standing, &status.work);
            vec![
                way(frame.link("/receivers"), &standing.receiver),
                cell(&standing.sending.state),
                parts::when(work.oldest_change),
                cell(words::lag(work.lag_p50, work.lag_p99)),
                cell(format!("{} ({} behind)", work.feeds, work.feeds_behind)),
                cell(format!(
                    "{} ({} owed, {} withheld)",
                    work.units_sealed, work.units_owed, work.units_withheld
                )),
                parts::when(work.last_delivered),
            ]
        };
        let head = [
            "receiver",
            "state",
            "oldest change not acknowledged",
            "last hour's changes took",
            "properties",
            "units",
            "last acknowledged",
        ];
        let rows = self.receivers.iter().map(row).collect();
        html! {
            h2 { "Receivers" }
            (parts::table("How each receiver stands", &head, rows, "No receiver has been run against this database yet."))
        }
    }

    fn alerts(&self, frame: &Frame<'_>) -> Markup {
        html! {
            @if !self.alerts.is_empty() {
                h2 { "Open alerts" }
                ul {
                    @for alert in &self.alerts {
                        li { a href=(frame.link("/alerts")) { (alert.kind) } " " (parts::when(Some(alert.last_at))) ": " (parts::words(&alert.message)) }
                    }
                }
            }
        }
    }
}

fn needed(needs: &Needs, frame: &Frame<'_>) -> Markup {
    let of = parts::encoded(&needs.receiver);
    let ways = [
        (needs.holds, "hold waits", "holds wait", "/holds"),
        (needs.refused, "unit is refused", "units are refused", "/refused"),
        (
            needs.invalid,
            "unit can't be sent as it is",
            "units can't be sent as they are",
            "/invalid",
        ),
        (needs.alerts, "alert is open", "alerts are open", "/alerts"),
    ];
    let ways: Vec<_> = ways.into_iter().filter(|(number, ..)| *number > 0).collect();
    html! {
        @if !ways.is_empty() || needs.paused_because.is_some() {
            h2 { "What needs a person at " (needs.receiver) }
            ul {
                @if let Some(because) = &needs.paused_because {
                    li { a href=(frame.link("/receivers")) { "It is paused" } ": " (parts::words(because)) }
                }
                @for (number, one, many, path) in ways {
                    li { a href=(frame.link(&format!("{path}?receiver={of}"))) { (count(number, one, many)) } }
                }
            }
        }
    }
}

fn mark(grade: Grade) -> (&'static str, &'static str) {
    match grade {
        Grade::Right => ("right", "✓ Right."),
        Grade::Sending => ("sending", "→ On its way."),
        Grade::Waiting => ("waiting", "! A person is needed."),
        Grade::Stopped => ("stopped", "✗ Stopped."),
    }
}

fn needs(status: &ReceiverStatus) -> Needs {
    let (standing, work) = (&status.standing, &status.work);
    Needs {
        receiver: standing.receiver.clone(),
        holds: work.holds,
        refused: work.units_withheld_as(Withheld::Refused),
        invalid: work.units_withheld_as(Withheld::Invalid),
        alerts: work.alerts,
        paused_because: standing.sending.because.clone(),
    }
}

fn verdict(receivers: &[ReceiverStatus]) -> Verdict {
    let said: Vec<(Grade, String)> = receivers.iter().map(of_one).collect();
    let Some(grade) = said.iter().map(|(grade, _)| *grade).max() else {
        return Verdict {
            grade: Grade::Stopped,
            sentence: "No receiver has been run against this database yet: nothing is sent to anybody.".to_owned(),
        };
    };
    let worst = said
        .into_iter()
        .filter(|(of, _)| *of == grade)
        .map(|(_, sentence)| sentence);
    Verdict {
        grade,
        sentence: worst.collect::<Vec<_>>().join(" "),
    }
}

fn of_one(status: &ReceiverStatus) -> (Grade, String) {
    let (name, needs, work) = (&status.standing.receiver, needs(status), &status.work);
    let oldest = work.oldest_change.map(|oldest| {
        let age = parts::lasting((work.at - oldest).num_seconds().max(0).unsigned_abs());
        format!(
            "the oldest change that it has not acknowledged is {age} old ({})",
            words::moment(oldest)
        )
    });
    if status.standing.sending.state == "paused" {
        let oldest = oldest.unwrap_or_else(|| "it lacks nothing yet".to_owned());
        return (
            Grade::Stopped,
            format!("Receiver {name} is paused and nothing is sent to it; {oldest}."),
        );
    }
    let waits = [
        (needs.holds > 0).then(|| count(needs.holds, "hold", "holds")),
        (needs.refused > 0).then(|| count(needs.refused, "refused unit", "refused units")),
        (needs.invalid > 0).then(|| count(needs.invalid, "invalid unit", "invalid units")),
        (needs.alerts > 0).then(|| count(needs.alerts, "alert", "alerts")),
    ];
    let waits: Vec<String> = waits.into_iter().flatten().collect();
    if !waits.is_empty() {
        let oldest = oldest.map_or_else(
            || "has acknowledged everything else".to_owned(),
            |oldest| format!("waits; {oldest}"),
        );
        return (
            Grade::Waiting,
            format!("At receiver {name} {} for somebody: it {oldest}.", said_of(&waits)),
        );
    }
    match oldest {
        Some(oldest) => (
            Grade::Sending,
            format!("Receiver {name} is being sent what changed; {oldest}."),
        ),
        None => (
            Grade::Right,
            format!("Receiver {name} has acknowledged everything that the source has."),
        ),
    }
}

/// What waits, as the beginning of a sentence.
fn said_of(waits: &[String]) -> String {
    let verb = if waits.len() == 1 && waits[0].starts_with("1 ") {
        "waits"
    } else {
        "wait"
    };
    format!("{} {verb}", waits.join(", "))
}
