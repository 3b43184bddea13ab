//! A report as Markdown, for somebody who runs the endpoint and never saw this project.

use std::fmt::Write as _;

use super::cleanup::spans;
use super::exchange::{Exchange, cut};
use super::report::{Report, RuleReport};
use super::rules::Verdict;
use crate::words::{in_a_line, moment, printable, thousands};

/// Of a body or an answer this much is shown; the JSON report has more.
const SHOWN_CHARS: usize = 700;

/// All of it.
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    begin(&mut out, report);
    table(&mut out, report);
    for (verdict, title) in [
        (Verdict::NotKept, "Not kept"),
        (Verdict::NotVisible, "Can't be seen from outside"),
    ] {
        let rules: Vec<_> = report
            .rules
            .iter()
            .filter(|rule| rule.finding.verdict == verdict)
            .collect();
        if !rules.is_empty() {
            line(&mut out, &format!("## {title}\n"));
            rules.iter().for_each(|rule| section(&mut out, rule));
        }
    }
    measured(&mut out, report);
    line(&mut out, "## Settings of the sender that follow\n");
    line(&mut out, &format!("```toml\n{}```\n", report.settings));
    remains(&mut out, report);
    exchanges(&mut out, report);
    out
}

fn line(out: &mut String, text: &str) {
    // Writing into a text can't fail.
    writeln!(out, "{text}").ok();
}

fn begin(out: &mut String, report: &Report) {
    let Report { endpoint, agreed, .. } = report;
    line(out, &format!("# What {endpoint} keeps of the rent-roll contract\n"));
    line(out, &format!("**{}**\n", report.verdict));
    if report.interrupted {
        line(out, "The test was interrupted before everything was asked.\n");
    }
    if let Some(why) = &report.given_up {
        line(
            out,
            &format!("The test ended before everything was asked: {}.\n", in_a_line(why)),
        );
    }
    line(
        out,
        "The contract is AiGent's *External API Integration Guide* and the partner guide that goes on where it stops \
         (`docs/partner-guide.md` of rentsync-relay, to be sent along with this report).\n",
    );
    line(
        out,
        &format!(
            "AiGent's rentsync-relay {} sent this endpoint made-up properties and looked at its answers, from {} to {}. Bodies were \
             those that it would send in production: format `{}`, batch `{}`, unit style `{}`, {} extensions, credentials by `{}`.\n",
            report.release,
            moment(report.begun_at),
            moment(report.ended_at),
            agreed.format,
            agreed.batch,
            agreed.unit_style,
            if agreed.extensions { "with" } else { "without" },
            agreed.auth
        ),
    );
    seen(out, report);
}

/// What was sent, and by what it is known what became of it.
fn seen(out: &mut String, report: &Report) {
    let Report { agreed, reserved, .. } = report;
    line(
        out,
        &format!(
            "Properties {} to {} and units {} to {} are reserved for this test and nobody's; none was ever sent as available.{}\n",
            reserved.properties[0],
            reserved.properties[1],
            reserved.units[0],
            reserved.units[1],
            match &reserved.unchecked {
                Some(why) => format!(" (That none is a real one was not looked up: {}.)", in_a_line(why)),
                None => " (That none is a real one was looked up.)".to_owned(),
            }
        ),
    );
    line(
        out,
        &match &agreed.read_back {
            Some(path) => {
                format!("What the endpoint holds was seen by the digests in its answers and by `GET {path}`.\n")
            }
            None => {
                "What the endpoint holds was seen by the digests in its answers alone, where it has any.\n".to_owned()
            }
        },
    );
}

fn table(out: &mut String, report: &Report) {
    line(out, "| rule | what it says | found |\n| --- | --- | --- |");
    for rule in &report.rules {
        let name = rule.finding.rule.about().name;
        line(out, &format!("| `{name}` | {} | {} |", rule.says, found(rule)));
    }
    line(out, "");
}

fn found(rule: &RuleReport) -> &'static str {
    match (rule.finding.verdict, rule.finding.costs_truth) {
        (Verdict::Kept, _) => "kept",
        (Verdict::NotKept, true) => "**not kept: the copy goes wrong**",
        (Verdict::NotKept, false) => "not kept",
        (Verdict::NotVisible, _) => "can't be seen",
    }
}

fn section(out: &mut String, rule: &RuleReport) {
    let name = rule.finding.rule.about().name;
    line(out, &format!("### {name}\n"));
    line(
        out,
        &format!("{} ([partner guide](partner-guide.md#{}))\n", rule.says, rule.section),
    );
    line(out, &format!("Found: {}.\n", in_a_line(&rule.finding.why)));
    let numbers: Vec<i64> = rule.finding.exchanges.iter().map(|number| *number as i64 + 1).collect();
    if rule.finding.verdict == Verdict::NotKept && !numbers.is_empty() {
        line(
            out,
            &format!("Requests: {} (at the end, with their answers).\n", spans(&numbers)),
        );
    }
}

fn measured(out: &mut String, report: &Report) {
    let it = &report.measured;
    let milliseconds = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1} ms"));
    line(
        out,
        "## Measured\n\nFrom where the test ran, once; nothing above depends on it.\n\n| what | |\n| --- | --- |",
    );
    line(out, &format!("| syncs posted | {} |", it.requests));
    line(
        out,
        &format!(
            "| an acknowledgement took, in half of all cases | {} |",
            milliseconds(it.milliseconds_p50)
        ),
    );
    line(out, &format!("| and at most | {} |", milliseconds(it.milliseconds_max)));
    if let Some(bytes) = it.largest_bytes {
        line(
            out,
            &format!(
                "| the largest body that was acknowledged | {} bytes |",
                thousands(bytes as u64)
            ),
        );
    }
    if let Some(rate) = it.burst_acknowledged_per_second {
        line(
            out,
            &format!(
                "| acknowledged in a second, of {} requests, {} at once | {rate:.0} |",
                it.burst_requests, it.burst_at_once
            ),
        );
    }
    line(out, &format!("| answers 429 | {} |\n", it.answered_429));
}

fn remains(out: &mut String, report: &Report) {
    line(out, "## What remains\n");
    if report.remains.is_empty() {
        line(out, "Nothing: every unit that was sent was removed again.\n");
    } else {
        report
            .remains
            .iter()
            .for_each(|left| line(out, &format!("- {}", in_a_line(left))));
        line(out, "");
    }
}

fn exchanges(out: &mut String, report: &Report) {
    line(out, "## Requests and answers\n");
    line(
        out,
        "In their order; bodies and answers are cut, credentials are never shown.\n",
    );
    for (number, exchange) in report.exchanges.iter().enumerate() {
        if exchange.says.starts_with("one of a burst") || exchange.says.starts_with("clean-up") {
            continue;
        }
        let rules = report
            .rules
            .iter()
            .filter(|rule| rule.finding.exchanges.contains(&number));
        let rules: Vec<_> = rules
            .map(|rule| format!("`{}`", rule.finding.rule.about().name))
            .collect();
        line(
            out,
            &format!("### {}. {} ({})\n", number + 1, exchange.says, rules.join(", ")),
        );
        line(out, &request(exchange));
    }
    line(out, "The burst and the clean-up are in the JSON report.");
}

fn request(exchange: &Exchange) -> String {
    let mut text = format!("{}\n", exchange.request);
    if let Some(sync_id) = &exchange.sync_id {
        text += &format!("X-Aigent-Sync-ID: {sync_id}\n");
    }
    if let Some(body) = &exchange.body {
        text += &format!("\n{}\n", cut(body, SHOWN_CHARS));
    }
    text += "\n";
    text += &match (exchange.status, &exchange.error) {
        (Some(status), _) => format!("HTTP {status}, after {:.0} ms\n", exchange.milliseconds),
        (None, Some(error)) => format!("no answer: {}\n", in_a_line(error)),
        (None, None) => "no answer\n".to_owned(),
    };
    if let Some(answer) = &exchange.answer {
        text += &format!("{}\n", cut(answer, SHOWN_CHARS));
    }
    // A fence that stands in an answer must not end this one.
    format!("````http\n{}````\n", printable(&text).replace("````", "'```"))
}
