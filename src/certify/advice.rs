//! Which settings of the relay follow from what was found: a piece of relay.toml, ready to be copied.

use super::exchange::Exchange;
use super::measured::Measured;
use super::rules::{Finding, Rule, Verdict};
use crate::config::{Accept, Compression, Receiver};
use crate::receiver::Form;

/// A timeout is so many times the slowest answer, at least.
const TIMEOUT_TIMES: f64 = 4.0;

/// The piece, each line with its reason.
pub fn settings(
    receiver: &Receiver,
    findings: &[Finding],
    exchanges: &[Exchange],
    measured: &Measured,
    bare_accepted: bool,
) -> String {
    let of = |rule: Rule| findings.iter().find(|finding| finding.rule == rule);
    let is = |rule: Rule, verdict: Verdict| of(rule).is_some_and(|finding| finding.verdict == verdict);
    let mut lines = vec![
        format!("[receivers.{}]", receiver.name),
        format!("url = {:?}", receiver.url.as_str()),
    ];
    let mut set = |line: String, because: &str| lines.push(format!("{line}  # {because}"));
    if bare_accepted {
        set(
            "extensions = false".to_owned(),
            "what goes beyond the guide's own examples is refused",
        );
        set(
            "removed = \"unavailable\"".to_owned(),
            "there is no list of removals without extensions",
        );
    } else if is(Rule::Removal, Verdict::NotKept) {
        set(
            "removed = \"unavailable\"".to_owned(),
            "removals are not applied: units are sent once more, as not available",
        );
    }
    let (accept, because) = accept(is(Rule::Digest, Verdict::Kept) && !bare_accepted, exchanges);
    set(format!("accept = \"{}\"", accept.as_str()), because);
    if is(Rule::Gzip, Verdict::Kept) {
        set("compression = \"gzip\"".to_owned(), "packed bodies are read");
    } else if receiver.compression == Compression::Gzip || is(Rule::Gzip, Verdict::NotKept) {
        set(
            "compression = \"none\"".to_owned(),
            "packed bodies were not seen to be read",
        );
    }
    if let (true, Some(units)) = (is(Rule::LargestBody, Verdict::NotKept), measured.largest_units) {
        set(
            format!("units_per_request_max = {units}"),
            "the largest body of several that was acknowledged",
        );
    }
    if let (true, Some(rate)) = (measured.answered_429 > 0, measured.burst_acknowledged_per_second) {
        set(
            format!("requests_per_second_max = {}", rate.floor().max(1.0)),
            "more was answered 429",
        );
    }
    if let Some(seconds) = timeout(receiver, measured) {
        set(format!("timeout = \"{seconds}s\""), "the slowest answer took long");
    }
    lines.extend(no_remedy(findings));
    lines.join("\n") + "\n"
}

/// What has to be put right at the endpoint itself.
fn no_remedy(findings: &[Finding]) -> Option<String> {
    let beyond = findings
        .iter()
        .filter(|finding| finding.costs_truth && finding.rule != Rule::Removal);
    let beyond: Vec<_> = beyond.map(|finding| finding.rule.about().name).collect();
    (!beyond.is_empty()).then(|| format!("# No setting makes up for what is not kept: {}", beyond.join(", ")))
}

/// The strictest that all answers keep to.
fn accept(has_digests: bool, exchanges: &[Exchange]) -> (Accept, &'static str) {
    let acknowledged = exchanges.iter().filter(|exchange| exchange.is_acknowledged());
    let forms: Vec<Form> = acknowledged
        .filter_map(|exchange| Some(exchange.tried.as_ref()?.form))
        .collect();
    match (
        has_digests,
        !forms.is_empty() && forms.iter().all(|form| *form == Form::Json),
    ) {
        (true, _) => (Accept::Digest, "every acknowledgement has a digest"),
        (false, true) => (Accept::Json, "every acknowledgement is a JSON object"),
        (false, false) => (Accept::NotHtml, "acknowledgements are not always a JSON object"),
    }
}

fn timeout(receiver: &Receiver, measured: &Measured) -> Option<u64> {
    let slowest = measured.milliseconds_max? / 1000.0;
    let needed = (slowest * TIMEOUT_TIMES).ceil();
    (needed > receiver.timeout.as_secs_f64()).then_some((needed as u64).min(600))
}
