//! Settling: what a group of answers means for syncs, ledger, feeds and receiver. One transaction.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Deliverer, Outcome};
use crate::alert::{self, Alert, Kind};
use crate::policy::Decision;

/// What settling a group did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The properties whose feeds may be planned again.
    pub properties: Vec<i64>,
    /// Syncs that the receiver took.
    pub delivered: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
}

/// A try with what is to be done about it; nothing, where it failed because of ourselves.
struct Verdict {
    outcome: Outcome,
    decision: Option<Decision>,
}

impl Verdict {
    fn state(&self) -> &'static str {
        match self.decision {
            Some(Decision::Delivered) => "delivered",
            Some(Decision::Rejected | Decision::Renumber { .. }) => "rejected",
            Some(Decision::Exhausted) => "exhausted",
            Some(Decision::Retry { .. } | Decision::Wait { .. } | Decision::Pause) | None => "open",
        }
    }

    fn outcome(&self) -> &'static str {
        match self.decision {
            Some(Decision::Delivered) => "delivered",
            Some(Decision::Renumber { .. }) => "stale",
            Some(Decision::Rejected) => "rejected",
            Some(Decision::Exhausted) => "exhausted",
            Some(Decision::Retry { .. }) => "retry",
            Some(Decision::Wait { .. }) => "wait",
            Some(Decision::Pause) => "paused",
            None => "failed",
        }
    }

    /// Seconds until the sync is due again, while it is open.
    fn after(&self) -> f64 {
        match &self.decision {
            Some(Decision::Retry { after } | Decision::Wait { after }) => after.as_secs_f64(),
            // Our own failure: soon, but not at once and again at once.
            None => 5.0,
            _ => 0.0,
        }
    }

    fn counts(&self) -> i32 {
        i32::from(!matches!(
            self.decision,
            None | Some(Decision::Wait { .. } | Decision::Pause)
        ))
    }

    fn is(&self, decision: &Decision) -> bool {
        self.decision.as_ref() == Some(decision)
    }

    /// Given up: what it told is in doubt.
    fn is_given_up(&self) -> bool {
        !matches!(self.state(), "open" | "delivered")
    }
}

pub(super) async fn settle(deliverer: &Deliverer, outcomes: Vec<Outcome>) -> Result<Settled> {
    let verdicts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| Verdict {
            decision: deliverer.decide(&outcome),
            outcome,
        })
        .collect();
    let now = deliverer.clock.now();
    let mut tx = deliverer.pool.begin().await?;
    finish_attempts(&mut tx, &verdicts, now).await?;
    let changed = settle_syncs(&mut tx, &verdicts, now).await?;
    let counted: Vec<_> = verdicts
        .iter()
        .filter(|verdict| changed.contains(&verdict.outcome.leased.sequence))
        .collect();
    bury(&mut tx, &counted).await?;
    give_up(&mut tx, deliverer, &counted, now).await?;
    affect_receiver(&mut tx, deliverer, &counted, now).await?;
    for alert in counted.iter().filter_map(|verdict| alert_for(deliverer, verdict)) {
        alert::raise(&mut tx, &alert, now).await?;
    }
    tx.commit().await.context("settling")?;
    log(deliverer, &verdicts);
    let delivered = counted
        .iter()
        .filter(|verdict| verdict.is(&Decision::Delivered))
        .count();
    Ok(Settled {
        properties: counted
            .iter()
            .filter(|verdict| verdict.state() != "open")
            .map(|verdict| verdict.outcome.leased.property_id)
            .collect(),
        delivered,
        failed: verdicts.len() - delivered,
    })
}

async fn finish_attempts(conn: &mut PgConnection, verdicts: &[Verdict], now: Option<DateTime<Utc>>) -> Result<()> {
    let column = |value: fn(&Verdict) -> Option<String>| verdicts.iter().map(value).collect::<Vec<_>>();
    sqlx::query(include_str!("../../sql/deliver/finish_attempts.sql"))
        .bind(now)
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.outcome.leased.sequence)
                .collect::<Vec<_>>(),
        )
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.outcome.leased.lease)
                .collect::<Vec<_>>(),
        )
        .bind(verdicts.iter().map(Verdict::outcome).collect::<Vec<_>>())
        .bind(
            verdicts
                .iter()
                .map(|verdict| Some(i32::from(verdict.outcome.tried.as_ref().ok()?.status?)))
                .collect::<Vec<_>>(),
        )
        .bind(column(|verdict| match &verdict.outcome.tried {
            Ok(tried) => tried.error.clone(),
            Err(error) => Some(format!("{error:#}")),
        }))
        .bind(column(|verdict| verdict.outcome.tried.as_ref().ok()?.text.clone()))
        .execute(conn)
        .await?;
    Ok(())
}

async fn settle_syncs(conn: &mut PgConnection, verdicts: &[Verdict], now: Option<DateTime<Utc>>) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/settle_syncs.sql"))
        .bind(now)
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.outcome.leased.sequence)
                .collect::<Vec<_>>(),
        )
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.outcome.leased.lease)
                .collect::<Vec<_>>(),
        )
        .bind(verdicts.iter().map(Verdict::state).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::after).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::counts).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?)
}

fn feeds_and_sequences(verdicts: &[&Verdict], which: impl Fn(&Verdict) -> bool) -> (Vec<i64>, Vec<i64>) {
    verdicts
        .iter()
        .filter(|verdict| which(verdict))
        .map(|verdict| (verdict.outcome.leased.feed_id, verdict.outcome.leased.sequence))
        .unzip()
}

async fn bury(conn: &mut PgConnection, verdicts: &[&Verdict]) -> Result<()> {
    let (feeds, sequences) = feeds_and_sequences(verdicts, |verdict| {
        verdict.is(&Decision::Delivered) && verdict.outcome.leased.has_removals
    });
    if !feeds.is_empty() {
        sqlx::query(include_str!("../../sql/deliver/bury.sql"))
            .bind(feeds)
            .bind(sequences)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn give_up(
    conn: &mut PgConnection,
    deliverer: &Deliverer,
    verdicts: &[&Verdict],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let (feeds, sequences) = feeds_and_sequences(verdicts, Verdict::is_given_up);
    if feeds.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/deliver/doubt_units.sql"))
        .bind(&feeds)
        .bind(&sequences)
        .execute(&mut *conn)
        .await?;
    let schedule = &deliverer.receiver.retry.schedule;
    let seconds = |step: Option<&Duration>| step.copied().unwrap_or_default().as_secs_f64();
    let (first_step, last_step) = (seconds(schedule.first()), seconds(schedule.last()));
    let (states, rests): (Vec<_>, Vec<_>) = verdicts
        .iter()
        .filter(|verdict| verdict.is_given_up())
        .map(|verdict| match verdict.decision {
            // The numbering is right from now on; but a receiver may say so again and again.
            Some(Decision::Renumber { .. }) => (verdict.state(), first_step),
            _ => (verdict.state(), last_step),
        })
        .unzip();
    sqlx::query(include_str!("../../sql/deliver/rest_feeds.sql"))
        .bind(now)
        .bind(feeds)
        .bind(sequences)
        .bind(states)
        .bind(rests)
        .execute(conn)
        .await?;
    Ok(())
}

/// What the answers say about the receiver as a whole.
async fn affect_receiver(
    conn: &mut PgConnection,
    deliverer: &Deliverer,
    verdicts: &[&Verdict],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let receiver = &deliverer.receiver;
    if verdicts.iter().any(|verdict| verdict.is(&Decision::Delivered)) {
        sqlx::query(include_str!("../../sql/deliver/wake_feeds.sql"))
            .bind(&receiver.name)
            .execute(&mut *conn)
            .await?;
    }
    for verdict in verdicts {
        match verdict.decision {
            Some(Decision::Delivered) if verdict.outcome.leased.probe => {
                sqlx::query(include_str!("../../sql/deliver/resume_receiver.sql"))
                    .bind(&receiver.name)
                    .bind(false)
                    .execute(&mut *conn)
                    .await?;
            }
            Some(Decision::Pause) => {
                sqlx::query(include_str!("../../sql/deliver/pause_receiver.sql"))
                    .bind(&receiver.name)
                    .bind(now)
                    .bind(answer_of(verdict))
                    .bind(receiver.breaker.probe_every.as_secs_f64())
                    .execute(&mut *conn)
                    .await?;
            }
            Some(Decision::Wait { after }) => {
                sqlx::query(include_str!("../../sql/deliver/wait_receiver.sql"))
                    .bind(&receiver.name)
                    .bind(now)
                    .bind(after.as_secs_f64())
                    .execute(&mut *conn)
                    .await?;
            }
            Some(Decision::Renumber { beyond }) => {
                sqlx::query(include_str!("../../sql/deliver/raise_sequence.sql"))
                    .bind(beyond.saturating_add(1))
                    .execute(&mut *conn)
                    .await?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn answer_of(verdict: &Verdict) -> String {
    match &verdict.outcome.tried {
        Ok(tried) => match (tried.status, &tried.error) {
            (Some(status), _) => format!("the receiver answered {status}"),
            (None, Some(error)) => error.clone(),
            (None, None) => "no answer".to_owned(),
        },
        Err(error) => format!("{error:#}"),
    }
}

fn alert_for(deliverer: &Deliverer, verdict: &Verdict) -> Option<Alert> {
    let leased = &verdict.outcome.leased;
    let (sync_id, answer) = (&leased.sync_id, answer_of(verdict));
    let (kind, message) = match verdict.decision.as_ref()? {
        Decision::Pause => (
            Kind::Paused,
            format!(
                "{answer}: nothing more is sent to it; changes keep gathering. Put credentials or URL right; one request \
                 in {} tries again, `receivers resume {}` does so now",
                humantime::format_duration(deliverer.receiver.breaker.probe_every),
                deliverer.receiver.name
            ),
        ),
        Decision::Rejected => (
            Kind::Rejected,
            format!(
                "{answer} to {sync_id}: it is not sent again, what it told is told anew; see `syncs show {sync_id}`"
            ),
        ),
        Decision::Exhausted => (
            Kind::Exhausted,
            format!(
                "{answer}: {sync_id} is given up after {} tries; what it told is told anew when the receiver takes \
                 anything again",
                leased.attempts + 1
            ),
        ),
        Decision::Renumber { beyond } => (
            Kind::Stale,
            format!(
                "the receiver has sequence {beyond}, {sync_id} is older: numbering goes on above it, its units are told again"
            ),
        ),
        Decision::Delivered | Decision::Retry { .. } | Decision::Wait { .. } => return None,
    };
    let about_receiver = kind == Kind::Paused;
    Some(Alert {
        kind,
        receiver: deliverer.receiver.name.clone(),
        property_id: (!about_receiver).then_some(leased.property_id),
        message,
    })
}

fn log(deliverer: &Deliverer, verdicts: &[Verdict]) {
    let receiver = &deliverer.receiver.name;
    for verdict in verdicts {
        let (leased, outcome) = (&verdict.outcome.leased, verdict.outcome());
        if verdict.is(&Decision::Delivered) {
            tracing::debug!(
                receiver,
                sync_id = leased.sync_id,
                property_id = leased.property_id,
                "delivered"
            );
        } else {
            tracing::warn!(
                receiver,
                sync_id = leased.sync_id,
                property_id = leased.property_id,
                attempt = leased.attempts + 1,
                outcome,
                "{} not delivered: {}",
                leased.sync_id,
                answer_of(verdict)
            );
        }
    }
}
