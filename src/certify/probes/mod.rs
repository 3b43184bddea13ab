//! The probes: each asks the endpoint something whose answer shows whether it keeps a rule.
//!
//! A probe begins with a delta of three units. What it finds is about its own rule alone: where its beginning was not applied, or
//! where nothing can be seen, it says so.

mod body;
mod order;
mod pace;
mod removal;
mod snapshot;
mod start;

use super::portfolio::Portfolio;
use super::rules::{Finding, Rule};
use super::session::{Asked, Session};
use crate::config::{Auth, Format, Receiver, RemovedAs};
use crate::payload::Shape;

/// In the order of requests; each with the rules that it finds something of.
pub const PROBES: [&[Rule]; 17] = [
    &[Rule::Delta],
    &[Rule::Credentials],
    &[Rule::SameAnswer, Rule::AppliedOnce],
    &[Rule::OlderSequence],
    &[Rule::Removal, Rule::UnknownRemoval],
    &[Rule::ReplacedBy],
    &[Rule::Snapshot],
    &[Rule::SnapshotParts],
    &[Rule::Keep],
    &[Rule::PropertyChange],
    &[Rule::Replay],
    &[Rule::UnitErrors],
    &[Rule::Gzip],
    &[Rule::Dates],
    &[Rule::UnknownFields],
    &[Rule::LargestBody],
    &[Rule::RateLimit],
];

/// Asks, and says what was found. The first of a probe's rules stands for it.
pub async fn probe(rule: Rule, session: &mut Session, portfolio: &Portfolio) -> Asked<Vec<Finding>> {
    let property = portfolio.of(rule);
    match rule {
        Rule::Delta => order::delta(session, property).await,
        Rule::Credentials => body::credentials(session, property).await,
        Rule::SameAnswer | Rule::AppliedOnce => order::once(session, property).await,
        Rule::OlderSequence => order::older(session, property).await,
        Rule::Removal | Rule::UnknownRemoval => removal::removal(session, property).await,
        Rule::ReplacedBy => removal::replaced_by(session, property).await,
        Rule::Snapshot => snapshot::absence(session, property).await,
        Rule::SnapshotParts => snapshot::parts(session, property).await,
        Rule::Keep => snapshot::keep(session, property).await,
        Rule::PropertyChange => body::property_change(session, property).await,
        Rule::Replay => order::replay(session, property).await,
        Rule::UnitErrors => body::unit_errors(session, property).await,
        Rule::Gzip => body::gzip(session, property).await,
        Rule::Dates | Rule::UnknownFields => body::tolerance(rule, session, property).await,
        Rule::LargestBody => pace::largest(session, property).await,
        Rule::RateLimit => pace::burst(session, portfolio).await,
        // Seen in the answers to all the others.
        Rule::Unreadable | Rule::Digest => Ok(Vec::new()),
    }
}

/// Why the settings leave no place for a rule, if they do.
pub fn has_no_place(rule: Rule, receiver: &Receiver, shape: &Shape) -> Option<&'static str> {
    let extensions = "without extensions a body has nothing that would show it";
    let a_unit = "with format = \"unit\" absence and properties say nothing";
    match rule {
        Rule::Credentials if receiver.auth == Auth::None => {
            Some("the settings name no credentials (auth.method is none)")
        }
        Rule::OlderSequence | Rule::Replay if !receiver.extensions => Some(extensions),
        Rule::Removal | Rule::UnknownRemoval | Rule::ReplacedBy if receiver.removed == RemovedAs::Unavailable => {
            Some("with removed = \"unavailable\" a removal is an ordinary delta")
        }
        Rule::Snapshot | Rule::SnapshotParts | Rule::Digest if !shape.absence_can_be_read() => {
            Some(if receiver.extensions { a_unit } else { extensions })
        }
        Rule::Keep if !shape.keep_can_be_sent() => Some("bodies by these settings have no keep"),
        Rule::PropertyChange if !shape.properties_are_sent() => {
            Some("bodies by these settings have no property of their own")
        }
        Rule::LargestBody if receiver.format == Format::Unit => Some(a_unit),
        _ => None,
    }
}
