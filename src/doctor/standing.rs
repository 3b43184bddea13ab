//! What keeps a receiver from being sent everything, and whether anybody sends it.

use anyhow::Result;
use sqlx::PgConnection;

use super::finding::{Finding, ago};
use super::limits::Limits;
use crate::inspect::receivers::{self, ReceiverStanding, ReceiverStatus, ReceiverWork};
use crate::source_identity;
use crate::states::Withheld;
use crate::words::count;
use crate::words::moment;

const SENDING: &str = "sending";
const SOURCE_IDENTITY: &str = "source_identity";
const FEEDS: &str = "feeds";
const HOLDS: &str = "holds";
const WITHHELD: &str = "withheld";
const ALERTS: &str = "alerts";
const RELAY: &str = "relay";

pub(super) async fn examine(conn: &mut PgConnection, receiver: &str) -> Result<Vec<Finding>> {
    let Some(ReceiverStatus { standing, work }) = receivers::status(conn, receiver).await? else {
        let never = Finding::warning(
            SENDING,
            "nothing was ever sent: no relay has run for it on this database",
            "start `rentsync-relay run`",
        );
        return Ok(vec![never.about(receiver)]);
    };
    let mut findings = vec![source_identity(conn, receiver, standing.waits_for_resync).await?];
    findings.extend([
        sending(&standing),
        feeds(&work),
        holds(&work),
        withheld(&work),
        alerts(&work),
    ]);
    Ok(findings.into_iter().map(|finding| finding.about(receiver)).collect())
}

async fn source_identity(conn: &mut PgConnection, receiver: &str, waits: bool) -> Result<Finding> {
    let foreseen = if waits {
        None
    } else {
        source_identity::forecast(conn, receiver).await?
    };
    let resync = format!(
        "if it is the right database: `receivers resync {receiver}`, which sends everything again; if it is a copy: stop the relay on it"
    );
    Ok(match (waits, foreseen) {
        (true, _) => Finding::wrong(
            SOURCE_IDENTITY,
            "this is another database than the one that it was fed from: nothing is planned or sent until a person says so",
            resync,
        ),
        (false, None) => Finding::ok(SOURCE_IDENTITY, "this is the database that it was fed from"),
        (false, Some((source_identity::IdentityCheck::Anew, why))) => Finding::warning(
            SOURCE_IDENTITY,
            format!("the database was restored or failed over: {why}"),
            "nothing: the next `run` notices, and sends everything again by itself",
        ),
        (false, Some((_, why))) => Finding::wrong(
            SOURCE_IDENTITY,
            format!(
                "this is another database than the one that it was fed from ({why}): a relay on it will send nothing"
            ),
            resync,
        ),
    })
}

fn sending(standing: &ReceiverStanding) -> Finding {
    let (receiver, sending) = (&standing.receiver, &standing.sending);
    if let (Some(since), Some(because)) = (sending.since, &sending.because) {
        let next = sending
            .next_probe
            .map_or("no probe is due".to_owned(), |at| format!("next probe {}", moment(at)));
        return Finding::wrong(
            SENDING,
            format!("paused since {}, nothing is sent: {because}; {next}", moment(since)),
            format!("put right what it says, then `receivers resume {receiver}`"),
        );
    }
    if let Some(until) = sending.wait_until {
        return Finding::warning(
            SENDING,
            format!("it asked for silence, or could not be sent to, until {}", moment(until)),
            "nothing: it is sent to by itself then; if it happens often, set requests_per_second_max",
        );
    }
    Finding::ok(SENDING, "not paused")
}

fn feeds(work: &ReceiverWork) -> Finding {
    let feeds = count(work.feeds, "property", "properties");
    let paused = work.feeds_paused;
    if paused > 0 {
        return Finding::warning(
            FEEDS,
            format!("{paused} of {feeds} paused by command"),
            "see `feeds list`; `feeds resume ID`",
        );
    }
    Finding::ok(FEEDS, format!("{feeds}, none paused"))
}

fn holds(work: &ReceiverWork) -> Finding {
    if work.holds == 0 {
        return Finding::ok(HOLDS, "no removal waits for a person");
    }
    let (holds, held) = (
        count(work.holds, "hold", "holds"),
        count(work.removals_held, "removal waits", "removals wait"),
    );
    Finding::warning(
        HOLDS,
        format!("{held} for a person, {holds}: too many at once"),
        "see `holds list`; then `holds approve ID` or `holds reject ID`",
    )
}

fn withheld(work: &ReceiverWork) -> Finding {
    let kinds = [
        (
            work.units_withheld_as(Withheld::Refused),
            "refused by the receiver",
            "`refused list`",
        ),
        (
            work.units_withheld_as(Withheld::Invalid),
            "invalid",
            "`refused list --invalid`",
        ),
    ];
    let some: Vec<_> = kinds.iter().filter(|(units, ..)| *units > 0).collect();
    if some.is_empty() {
        return Finding::ok(WITHHELD, "no unit is refused or invalid");
    }
    let what: Vec<_> = some
        .iter()
        .map(|(units, why, _)| format!("{} {why}", count(*units, "unit is", "units are")))
        .collect();
    let see: Vec<_> = some.iter().map(|(_, _, see)| *see).collect();
    Finding::warning(
        WITHHELD,
        format!("{}: the rest is sent", what.join(", ")),
        format!("see {}; put them right in the source", see.join(" and ")),
    )
}

fn alerts(work: &ReceiverWork) -> Finding {
    match &work.alert_kinds {
        None => Finding::ok(ALERTS, "none open"),
        Some(kinds) => Finding::warning(
            ALERTS,
            format!("{} open: {kinds}", work.alerts),
            "see `alerts list`; `alerts ack ID` once it is known",
        ),
    }
}

/// Whether anybody does the work. A relay leaves no other sign of life than its connections and what it delivers.
pub(super) async fn relay(conn: &mut PgConnection, names: &[&str], limits: &Limits) -> Result<Vec<Finding>> {
    let relays = receivers::relays(conn).await?;
    let all = receivers::statuses(conn, None).await?;
    let asked = all
        .iter()
        .filter(|status| names.contains(&status.standing.receiver.as_str()));
    Ok(asked.map(|status| delivery(status, relays, limits)).collect())
}

fn delivery(status: &ReceiverStatus, relays: i64, limits: &Limits) -> Finding {
    let ReceiverStatus { standing, work } = status;
    let connected = match relays {
        0 => "no relay is connected to this database".to_owned(),
        _ => format!(
            "{} connected",
            count(relays, "session of a relay is", "sessions of relays are")
        ),
    };
    let age = work.oldest_change_age();
    let oldest = format!("the oldest change not delivered is {} old", ago(age));
    let finding = if age > limits.undelivered.as_secs_f64() {
        if relays == 0 {
            Finding::wrong(
                RELAY,
                format!("{connected}, and {oldest}"),
                "start `rentsync-relay run`",
            )
        } else if standing.sending.since.is_some() {
            Finding::warning(
                RELAY,
                format!("{connected}; {oldest}, because the receiver is paused"),
                "see check sending",
            )
        } else {
            Finding::warning(
                RELAY,
                format!("{connected}, and yet {oldest}"),
                "see `status`, `alerts list` and the relay's log",
            )
        }
    } else if age > 0.0 {
        Finding::ok(RELAY, format!("{connected}; {oldest}"))
    } else if work.feeds_behind > 0 {
        Finding::ok(
            RELAY,
            format!(
                "{connected}; {} behind",
                count(work.feeds_behind, "property is", "properties are")
            ),
        )
    } else {
        Finding::ok(RELAY, format!("{connected}; every change is delivered"))
    };
    finding.about(&standing.receiver)
}
