//! Whether a success is an acknowledgement: not every 2xx comes from the receiver, and not every one accepts what was sent.

use super::decided_try::Outcome;
use super::lease::LeasedFeed;
use crate::config::Accept;
use crate::policy::Answer;
use crate::receiver::Form;

/// A digest that a body carries. No text within it can look so: there a quote has a backslash before it.
const DIGEST_IN_BODY: &str = "\"property_digest\":\"";

/// The outcome, its answer another one where the success is none.
pub(super) fn judged(mut outcome: Outcome, accept: Accept) -> Outcome {
    let Answer::Status { status, retry_after } = outcome.tried.answer else {
        return outcome;
    };
    if !(200..300).contains(&status) {
        return outcome;
    }
    if let Some(sequence) = stale_as_a_whole(&outcome) {
        outcome.tried.answer = Answer::Stale { sequence };
    } else if let Some(what) = objection(&outcome, accept) {
        outcome.tried.error = Some(what.to_owned());
        outcome.tried.answer = Answer::NotAcknowledged { retry_after };
    }
    outcome
}

/// How many digests a body carries.
pub(super) fn digests_in(body: &[u8]) -> usize {
    std::str::from_utf8(body).map_or(0, |body| body.matches(DIGEST_IN_BODY).count())
}

/// The newest sequence of those that the receiver says it has, where it calls every property of a batch stale.
fn stale_as_a_whole(outcome: &Outcome) -> Option<i64> {
    let stale = &outcome.tried.said.stale;
    let is_stale = |feed: &LeasedFeed| stale.iter().any(|(property, _)| *property == feed.external_id);
    let newest = stale.iter().map(|(_, sequence)| *sequence).max()?;
    outcome.leased.feeds.iter().all(is_stale).then_some(newest)
}

/// What it is instead of an acknowledgement, if it is none.
fn objection(outcome: &Outcome, accept: Accept) -> Option<&'static str> {
    let (form, said) = (outcome.tried.form, &outcome.tried.said);
    let feeds = &outcome.leased.feeds;
    let stale = |feed: &LeasedFeed| said.stale.iter().any(|(property, _)| *property == feed.external_id);
    let digest = |feed: &LeasedFeed| {
        said.properties
            .iter()
            .any(|(property, _)| *property == feed.external_id)
            || feeds.len() == 1 && said.property_digest.is_some()
    };
    let digests = feeds.iter().filter(|feed| digest(feed) || stale(feed)).count();
    // Before a snapshot's last part a receiver has no digest to answer with.
    let lacks_digests = outcome.leased.is_last_part() && digests < outcome.digests_sent;
    match accept {
        Accept::Any => None,
        _ if form == Form::Html => Some("an HTML page"),
        _ if form == Form::Unread => Some("something that can't be read, or is longer than 4 MiB"),
        _ if !said.stale.is_empty() && !feeds.iter().any(stale) => {
            Some("what is stale of other properties than it was sent")
        }
        Accept::NotHtml => None,
        _ if form == Form::Nothing => Some("nothing"),
        _ if form != Form::Json => Some("something that is no JSON object"),
        Accept::Digest if lacks_digests => Some("no property_digest of what it was sent"),
        Accept::Json | Accept::Digest => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_counted_where_a_body_carries_them() {
        let body = br#"{"properties":[{"property_digest":"00"},{"property_digest":null},{"property_digest":"11"}],"a":"\"property_digest\":\""}"#;
        assert_eq!(digests_in(body), 2);
        assert_eq!(digests_in(b"{}"), 0);
    }
}
