//! `certify`: which rules of the contract an endpoint keeps, found out by requests alone.
//!
//! What is sent is what production would send, by the receiver's own settings, but of made-up properties under reserved ids; what
//! can't be seen from outside is said so and not guessed. Needs no database. In reading order:
//!
//! | module | its business |
//! | --- | --- |
//! | `rules` | the rules, and what may be found of one |
//! | `portfolio` | the properties and units that are sent |
//! | `exchange`, `session` | requests with their answers, and the bounds of all of them |
//! | `held` | what the endpoint holds, by its digest or by what it shows |
//! | `preflight`, `probes` | what is asked |
//! | `cleanup` | taking it back |
//! | `advice`, `measured` | which settings follow; what was measured |
//! | `report`, `markdown` | what there is to read in the end |
//! | `reserved` | whether the ids are really nobody's |

mod advice;
mod cleanup;
mod exchange;
mod held;
mod markdown;
mod measured;
mod portfolio;
mod preflight;
mod probes;
mod report;
mod reserved;
mod rules;
mod session;

use anyhow::Result;
use chrono::Utc;
use tokio::sync::watch;

use crate::config::{Certify, Receiver, RemovedAs};
use crate::payload::Shape;
use crate::relay::Stop;

use portfolio::{A, Portfolio};
use probes::{PROBES, has_no_place, probe};
use session::{Asked, Halt, Session, Step};

pub use markdown::markdown;
pub use report::{Report, RuleReport};
pub use reserved::check as check_reserved;
pub use rules::{Finding, RULES, Rule, Verdict};
pub use session::{REQUESTS_MAX, TIME_MAX};

/// Where the second is not kept there is nothing to see of the first.
const NEEDS: [(Rule, Rule); 7] = [
    (Rule::ReplacedBy, Rule::Removal),
    (Rule::Keep, Rule::Snapshot),
    (Rule::Replay, Rule::Delta),
    (Rule::UnitErrors, Rule::Delta),
    (Rule::Gzip, Rule::Delta),
    (Rule::Dates, Rule::Delta),
    (Rule::UnknownFields, Rule::Delta),
];

/// Asks everything, takes back what it sent, and says what it found. `unchecked`: why nobody looked whether the ids are real ones.
///
/// # Errors
/// Where there is no endpoint, or something on this side keeps requests from being sent; what was sent is taken back even so.
pub async fn certify(
    receiver: Receiver,
    settings: &Certify,
    unchecked: Option<String>,
    stop: watch::Receiver<Stop>,
) -> Result<Report> {
    let begun_at = Utc::now();
    let shape = Shape::new(&receiver, &[]);
    let (units_max, bytes_max) = (receiver.units_per_request_max, receiver.body_bytes_max);
    let portfolio = Portfolio::new(&shape, settings.property_id, units_max, bytes_max)?;
    let mut session = Session::new(receiver, shape, settings.read_back.clone(), stop);
    let mut findings = vec![preflight::preflight(&mut session).await?];
    let halt = ask(&mut session, &portfolio, &mut findings).await.err();
    let bare_accepted = match halt {
        None if is_refused(&session, &findings) => bare_is_accepted(&mut session, settings.property_id)
            .await
            .unwrap_or(false),
        _ => false,
    };
    let remains = cleanup::clean_up(&mut session, &portfolio).await;
    let why = match &halt {
        Some(Halt::Interrupted) => "it was not asked: certifying was interrupted".to_owned(),
        Some(Halt::GivenUp(why)) => format!("it was not asked: {why}"),
        _ => "it was not asked: the endpoint acknowledges no delta".to_owned(),
    };
    let (interrupted, given_up) = match &halt {
        Some(Halt::GivenUp(why)) => (false, Some(why.clone())),
        halt => (matches!(halt, Some(Halt::Interrupted)), None),
    };
    if let Some(Halt::Ours(error)) = halt {
        return Err(preflight::coded(error).context(match remains.is_empty() {
            true => "certifying ended early; what was sent is taken back".to_owned(),
            false => format!("certifying ended early; {}", remains.join("; ")),
        }));
    }
    findings.push(digest(&session));
    for about in &RULES {
        if findings.iter().all(|finding| finding.rule != about.rule) {
            findings.push(Finding::not_visible(about.rule, why.as_str()));
        }
    }
    findings.sort_by_key(|finding| finding.rule);
    Ok(Report::new(
        session,
        &portfolio,
        findings,
        report::Circumstances {
            begun_at,
            unchecked,
            remains,
            interrupted,
            given_up,
            bare_accepted,
        },
    ))
}

/// Probe after probe, as long as there is something to see.
async fn ask(session: &mut Session, portfolio: &Portfolio, findings: &mut Vec<Finding>) -> Asked<()> {
    for rules in PROBES {
        let no_place = |rule: &Rule| {
            let why = has_no_place(*rule, &session.receiver, &session.shape)?;
            Some(Finding::not_visible(*rule, why))
        };
        let nowhere: Vec<_> = rules.iter().filter_map(no_place).collect();
        if nowhere.len() == rules.len() {
            findings.extend(nowhere);
            continue;
        }
        let needed = NEEDS
            .iter()
            .find(|(rule, _)| *rule == rules[0])
            .map(|(_, needed)| *needed);
        if let Some(needed) = needed.filter(|needed| is_broken(findings, *needed)) {
            let why = format!("it can't be seen while {} is not kept", needed.about().name);
            findings.push(Finding::not_visible(rules[0], why));
            continue;
        }
        let from = session.exchanges.len();
        let found = probe(rules[0], session, portfolio).await?;
        let numbers: Vec<usize> = (from..session.exchanges.len()).collect();
        let silent = unanswered(session, from);
        findings.extend(found.into_iter().map(|finding| {
            let finding = match &silent {
                // That a body was too large may show in a connection that breaks off.
                Some(why) if finding.verdict == Verdict::NotKept && finding.rule != Rule::LargestBody => {
                    Finding::not_visible(finding.rule, why.as_str())
                }
                _ => finding,
            };
            Finding {
                exchanges: numbers.clone(),
                ..finding
            }
        }));
        if is_refused(session, findings) {
            return Ok(());
        }
    }
    Ok(())
}

/// Of a probe that began with this exchange: why it shows nothing, where a request of it had no answer.
fn unanswered(session: &Session, from: usize) -> Option<String> {
    let mut posted = session.exchanges[from..]
        .iter()
        .filter(|exchange| exchange.tried.is_some());
    let silent = posted.rfind(|exchange| exchange.status.is_none())?;
    Some(format!("{} was {}", silent.says, silent.in_words()))
}

fn is_broken(findings: &[Finding], rule: Rule) -> bool {
    findings
        .iter()
        .any(|finding| finding.rule == rule && finding.verdict == Verdict::NotKept)
}

/// No delta is acknowledged: there is nothing further to ask.
fn is_refused(session: &Session, findings: &[Finding]) -> bool {
    let delta = findings.iter().find(|finding| finding.rule == Rule::Delta);
    let shows = |finding: &Finding| {
        finding
            .exchanges
            .iter()
            .any(|number| session.exchanges[*number].is_acknowledged())
    };
    delta.is_some_and(|finding| finding.verdict == Verdict::NotKept && !shows(finding))
}

/// Whether the guide's own body is accepted, by an endpoint that refuses what goes beyond it.
async fn bare_is_accepted(session: &mut Session, first_id: i64) -> Asked<bool> {
    let mut bare = session.receiver.clone();
    if !bare.extensions {
        return Ok(false);
    }
    (bare.extensions, bare.removed) = (false, RemovedAs::Unavailable);
    let shape = Shape::new(&bare, &[]);
    let portfolio = Portfolio::new(&shape, first_id, 1, bare.body_bytes_max).map_err(Halt::Ours)?;
    let usual = std::mem::replace(&mut session.shape, shape);
    let property = portfolio.of(Rule::Delta);
    let step = Step::delta("the guide's own body, without extensions", vec![property.unit(A, 0)]);
    let posted = session.send(property, &step).await;
    session.shape = usual;
    Ok(session.exchanges[posted?].is_acknowledged())
}

/// By all answers of the run: how many had a digest that they could have, and whether it was of anything.
fn digest(session: &Session) -> Finding {
    let rule = Rule::Digest;
    if let Some(why) = has_no_place(rule, &session.receiver, &session.shape) {
        return Finding::not_visible(rule, why);
    }
    let asked = session.exchanges.iter().enumerate();
    let asked: Vec<_> = asked
        .filter(|(_, exchange)| exchange.asks_digest && exchange.is_acknowledged())
        .collect();
    let numbers = |which: &dyn Fn(&exchange::Exchange) -> bool| -> Vec<usize> {
        asked
            .iter()
            .filter(|(_, exchange)| which(exchange))
            .map(|(number, _)| *number)
            .collect()
    };
    let (absent, false_ones) = (
        numbers(&|it| it.digest().is_none()),
        numbers(&|it| it.digest_fits == Some(false)),
    );
    let all = asked.len();
    let (finding, shown) = if all == 0 {
        (Finding::not_visible(rule, "no answer could have had one"), Vec::new())
    } else if !false_ones.is_empty() {
        let why = format!(
            "{} of {all} answers had a digest of nothing that may be held",
            false_ones.len()
        );
        (Finding::not_kept(rule, why), false_ones)
    } else if !absent.is_empty() {
        let why = format!(
            "{} of {all} answers had none: it is optional, but without it the relay can't notice a difference",
            absent.len()
        );
        (Finding::not_kept(rule, why), absent)
    } else {
        (
            Finding::kept(rule, format!("all {all} answers had one")),
            asked.iter().map(|(number, _)| *number).collect(),
        )
    };
    Finding {
        exchanges: shown.into_iter().take(3).collect(),
        ..finding
    }
}
