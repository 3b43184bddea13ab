//! What keeps a receiver from being told everything, and whether anybody tells it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::finding::{Finding, ago};
use super::limits::Limits;
use crate::source_identity;
use crate::words::count;
use crate::words::moment;

const SENDING: &str = "sending";
const SOURCE_IDENTITY: &str = "source_identity";
const FEEDS: &str = "feeds";
const HOLDS: &str = "holds";
const WITHHELD: &str = "withheld";
const ALERTS: &str = "alerts";
const RELAY: &str = "relay";

#[derive(FromRow)]
struct ReceiverState {
    paused_at: Option<DateTime<Utc>>,
    paused_because: Option<String>,
    next_probe: Option<DateTime<Utc>>,
    wait_until: Option<DateTime<Utc>>,
    waits: bool,
    feeds: i64,
    paused: i64,
    rejected: i64,
    holds: i64,
    held: i64,
    refused: i64,
    invalid: i64,
    alerts: i64,
    kinds: Option<String>,
}

/// Of what a scrape is told of each receiver, what matters here.
#[derive(FromRow)]
struct Work {
    receiver: String,
    paused: f64,
    feeds_behind: f64,
    oldest_change_age: f64,
}

pub(super) async fn examine(conn: &mut PgConnection, receiver: &str) -> Result<Vec<Finding>> {
    let standing: Option<ReceiverState> = sqlx::query_as(include_str!("../../sql/doctor/receiver.sql"))
        .bind(receiver)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(standing) = standing else {
        let never = Finding::warning(
            SENDING,
            "nothing was ever told: no relay has run for it on this database",
            "start `rentsync-relay run`",
        );
        return Ok(vec![never.about(receiver)]);
    };
    let mut findings = vec![source_identity(conn, receiver, standing.waits).await?];
    findings.extend([
        standing.sending(receiver),
        standing.feeds(),
        standing.holds(),
        standing.withheld(),
        standing.alerts(),
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
        "if it is the right database: `receivers resync {receiver}`, which tells everything again; if it is a copy: stop the relay on it"
    );
    Ok(match (waits, foreseen) {
        (true, _) => Finding::wrong(
            SOURCE_IDENTITY,
            "this is another database than the one that it was told from: nothing is planned or sent until a person says so",
            resync,
        ),
        (false, None) => Finding::ok(SOURCE_IDENTITY, "this is the database that it was told from"),
        (false, Some((source_identity::IdentityCheck::Anew, why))) => Finding::warning(
            SOURCE_IDENTITY,
            format!("the database was restored or failed over: {why}"),
            "nothing: the next `run` notices, and tells everything again by itself",
        ),
        (false, Some((_, why))) => Finding::wrong(
            SOURCE_IDENTITY,
            format!(
                "this is another database than the one that it was told from ({why}): a relay on it will send nothing"
            ),
            resync,
        ),
    })
}

impl ReceiverState {
    fn sending(&self, receiver: &str) -> Finding {
        if let (Some(since), Some(because)) = (self.paused_at, &self.paused_because) {
            let next = self
                .next_probe
                .map_or("no probe is due".to_owned(), |at| format!("next probe {}", moment(at)));
            return Finding::wrong(
                SENDING,
                format!("paused since {}, nothing is sent: {because}; {next}", moment(since)),
                format!("put right what it says, then `receivers resume {receiver}`"),
            );
        }
        if let Some(until) = self.wait_until {
            return Finding::warning(
                SENDING,
                format!("it asked for silence, or could not be sent to, until {}", moment(until)),
                "nothing: it is sent to by itself then; if it happens often, set requests_per_second_max",
            );
        }
        Finding::ok(SENDING, "not paused")
    }

    fn feeds(&self) -> Finding {
        let feeds = count(self.feeds, "property", "properties");
        if self.rejected > 0 {
            return Finding::wrong(
                FEEDS,
                format!(
                    "{} of {feeds} paused: all that is told of them is rejected",
                    self.rejected
                ),
                "see `feeds list` and `alerts list`; put it right, then `feeds resume ID`",
            );
        }
        if self.paused > 0 {
            return Finding::warning(
                FEEDS,
                format!("{} of {feeds} paused by command", self.paused),
                "see `feeds list`; `feeds resume ID`",
            );
        }
        Finding::ok(FEEDS, format!("{feeds}, none paused"))
    }

    fn holds(&self) -> Finding {
        if self.holds == 0 {
            return Finding::ok(HOLDS, "no removal waits for a person");
        }
        let (holds, held) = (
            count(self.holds, "hold", "holds"),
            count(self.held, "removal waits", "removals wait"),
        );
        Finding::warning(
            HOLDS,
            format!("{held} for a person, {holds}: too many at once"),
            "see `holds list`; then `holds approve ID` or `holds reject ID`",
        )
    }

    fn withheld(&self) -> Finding {
        let kinds = [
            (self.refused, "refused by the receiver", "`refused list`"),
            (self.invalid, "invalid", "`refused list --invalid`"),
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
            format!("{}: the rest is told", what.join(", ")),
            format!("see {}; put them right in the source", see.join(" and ")),
        )
    }

    fn alerts(&self) -> Finding {
        match &self.kinds {
            None => Finding::ok(ALERTS, "none open"),
            Some(kinds) => Finding::warning(
                ALERTS,
                format!("{} open: {kinds}", self.alerts),
                "see `alerts list`; `alerts ack ID` once it is known",
            ),
        }
    }
}

/// Whether anybody does the work. A relay leaves no other sign of life than its connections and what it delivers.
pub(super) async fn relay(conn: &mut PgConnection, names: &[&str], limits: &Limits) -> Result<Vec<Finding>> {
    let relays: i64 = sqlx::query_scalar(include_str!("../../sql/doctor/relays.sql"))
        .fetch_one(&mut *conn)
        .await?;
    let work: Vec<Work> = sqlx::query_as(include_str!("../../sql/metrics/receivers.sql"))
        .fetch_all(conn)
        .await?;
    let work = work.iter().filter(|work| names.contains(&work.receiver.as_str()));
    Ok(work.map(|work| work.finding(relays, limits)).collect())
}

impl Work {
    fn finding(&self, relays: i64, limits: &Limits) -> Finding {
        let connected = match relays {
            0 => "no relay is connected to this database".to_owned(),
            _ => format!(
                "{} connected",
                count(relays, "session of a relay is", "sessions of relays are")
            ),
        };
        let oldest = format!("the oldest change not delivered is {} old", ago(self.oldest_change_age));
        let finding = if self.oldest_change_age > limits.undelivered.as_secs_f64() {
            if relays == 0 {
                Finding::wrong(
                    RELAY,
                    format!("{connected}, and {oldest}"),
                    "start `rentsync-relay run`",
                )
            } else if self.paused > 0.0 {
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
        } else if self.oldest_change_age > 0.0 {
            Finding::ok(RELAY, format!("{connected}; {oldest}"))
        } else if self.feeds_behind > 0.0 {
            Finding::ok(
                RELAY,
                format!(
                    "{connected}; {} behind",
                    count(self.feeds_behind as u64, "property is", "properties are")
                ),
            )
        } else {
            Finding::ok(RELAY, format!("{connected}; every change is delivered"))
        };
        finding.about(&self.receiver)
    }
}
