//! Everything that a run found, as one value: made to be sent to whoever runs the endpoint. No secret is in it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::advice;
use super::exchange::Exchange;
use super::measured::Measured;
use super::portfolio::{PROPERTIES, Portfolio, UNITS};
use super::rules::{Finding, Verdict};
use super::session::Session;
use crate::config::{Auth, Batch, Format, Receiver, UnitStyle};
use crate::words::count;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// In one sentence.
    pub verdict: String,
    /// Where it was found, without what may be secret.
    pub endpoint: String,
    /// The receiver's name in the settings.
    pub receiver: String,
    /// The release of the relay.
    pub release: &'static str,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// When it had ended.
    pub ended_at: DateTime<Utc>,
    /// It was ended before all was asked.
    pub interrupted: bool,
    /// Why not everything was asked, where it was not for that.
    pub given_up: Option<String>,
    /// What bodies look like by the settings.
    pub agreed: Agreed,
    /// The ids that were used.
    pub reserved: Reserved,
    /// Every rule.
    pub rules: Vec<RuleReport>,
    /// What was measured.
    pub measured: Measured,
    /// A piece of relay.toml.
    pub settings: String,
    /// What may still be there of what was sent.
    pub remains: Vec<String>,
    /// Every request with its answer; rules name them by their place.
    pub exchanges: Vec<Exchange>,
}

/// What bodies look like, as the settings have it.
#[derive(Debug, Serialize)]
#[allow(missing_docs)] // the settings' own names
pub struct Agreed {
    pub format: &'static str,
    pub batch: &'static str,
    pub unit_style: &'static str,
    pub extensions: bool,
    pub auth: &'static str,
    pub read_back: Option<String>,
}

/// First and last of the ids that were used.
#[derive(Debug, Serialize)]
pub struct Reserved {
    /// Of properties.
    pub properties: [i64; 2],
    /// Of units.
    pub units: [i64; 2],
    /// Why the source was not asked whether it has any of them.
    pub unchecked: Option<String>,
}

/// A rule with what was found of it.
#[derive(Debug, Serialize)]
pub struct RuleReport {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// What the rule says.
    pub says: &'static str,
    /// Where the partner guide has it.
    pub section: &'static str,
}

/// What a run knows beside its exchanges.
pub struct Circumstances {
    pub begun_at: DateTime<Utc>,
    pub unchecked: Option<String>,
    pub remains: Vec<String>,
    pub interrupted: bool,
    pub given_up: Option<String>,
    pub bare_accepted: bool,
}

impl Report {
    pub(super) fn new(session: Session, portfolio: &Portfolio, findings: Vec<Finding>, about: Circumstances) -> Self {
        let receiver = &session.receiver;
        let measured = session.measured.clone().with(&session.exchanges);
        let first = portfolio.first_id;
        Self {
            verdict: verdict(&findings),
            endpoint: receiver.address(),
            receiver: receiver.name.clone(),
            release: env!("CARGO_PKG_VERSION"),
            begun_at: about.begun_at,
            ended_at: Utc::now(),
            interrupted: about.interrupted,
            given_up: about.given_up,
            agreed: agreed(receiver, session.read_back.clone()),
            reserved: Reserved {
                properties: [first, first + PROPERTIES - 1],
                units: [first, first + UNITS - 1],
                unchecked: about.unchecked,
            },
            settings: advice::settings(receiver, &findings, &session.exchanges, &measured, about.bare_accepted),
            measured,
            remains: about.remains,
            rules: findings.into_iter().map(RuleReport::of).collect(),
            exchanges: session.exchanges,
        }
    }

    /// The names of the rules that are not kept in a way that costs truth.
    pub fn costly(&self) -> Vec<&'static str> {
        let costly = self.rules.iter().filter(|rule| rule.finding.costs_truth);
        costly.map(|rule| rule.finding.rule.about().name).collect()
    }
}

impl RuleReport {
    fn of(finding: Finding) -> Self {
        let about = finding.rule.about();
        Self {
            says: about.says,
            section: about.section,
            finding,
        }
    }
}

fn verdict(findings: &[Finding]) -> String {
    let number = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let costly = findings.iter().filter(|finding| finding.costs_truth).count();
    let (kept, not_kept, unseen) = (
        number(Verdict::Kept),
        number(Verdict::NotKept),
        number(Verdict::NotVisible),
    );
    let is_or_are = |number: usize| if number == 1 { "is" } else { "are" };
    let counted = format!(
        "of {} rules {kept} {} kept, {not_kept} {} not, and of {unseen} it can't be seen from outside",
        findings.len(),
        is_or_are(kept),
        is_or_are(not_kept),
    );
    match costly {
        0 => format!("No rule was found broken that keeps the copy right: {counted}."),
        _ => {
            let broken = count(
                costly as u64,
                "rule that the copy depends on is",
                "rules that the copy depends on are",
            );
            format!("Not ready: {broken} not kept; {counted}.")
        }
    }
}

fn agreed(receiver: &Receiver, read_back: Option<String>) -> Agreed {
    Agreed {
        format: match receiver.format {
            Format::Property => "property",
            Format::Flat => "flat",
            Format::Unit => "unit",
        },
        batch: match receiver.batch {
            Batch::PerProperty => "per_property",
            Batch::AllProperties => "all_properties",
        },
        unit_style: match receiver.unit_style {
            UnitStyle::Flat => "flat",
            UnitStyle::Nested => "nested",
        },
        extensions: receiver.extensions,
        auth: match receiver.auth {
            Auth::None => "none",
            Auth::ApiKey { .. } => "api_key",
            Auth::Bearer { .. } => "bearer",
            Auth::Static { .. } => "static",
            Auth::Hmac { .. } => "hmac",
            Auth::OAuth2(_) => "oauth2",
        },
        read_back,
    }
}
