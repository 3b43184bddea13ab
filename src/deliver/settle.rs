//! Settling: what a group of answers means for syncs, ledger, feeds and receiver. One transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use super::alerts::Found;
use super::borrowed::Borrowed;
use super::{Deliverer, Outcome, acknowledged, alerts, breaker, given_up, seconds, taken};
use crate::config::UnitIdentity;
use crate::policy::{Answer, Decision};
use crate::words;

/// What settling a group did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The properties whose feeds may be planned again.
    pub properties: Vec<i64>,
    /// Syncs that the receiver took.
    pub delivered: usize,
    /// Units and removals in them, without those that it refused.
    pub acknowledged: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
}

/// A try with what is to be done about it.
pub(super) struct Verdict {
    pub outcome: Outcome,
    pub decision: Decision,
}

impl Verdict {
    /// The sync's state from now on.
    pub fn state(&self) -> &'static str {
        match self.decision {
            Decision::Delivered => "delivered",
            Decision::Rejected | Decision::Renumber { .. } => "rejected",
            Decision::Exhausted => "exhausted",
            Decision::Pause | Decision::ProbeFailed { .. } => "cancelled",
            Decision::Retry { .. } | Decision::Wait { .. } | Decision::Ours { .. } => "open",
        }
    }

    /// How its attempt ended.
    pub fn outcome(&self) -> &'static str {
        match self.decision {
            Decision::Delivered => "delivered",
            Decision::Renumber { .. } => "stale",
            Decision::Rejected => "rejected",
            Decision::Exhausted => "exhausted",
            Decision::Retry { .. } => "retry",
            Decision::Wait { .. } => "wait",
            Decision::Pause => "paused",
            Decision::ProbeFailed { .. } => "probe failed",
            Decision::Ours { .. } => "not sent",
        }
    }

    /// The receiver's answer, or why there was none.
    pub fn answer(&self) -> String {
        if let Answer::Stale { sequence } = self.outcome.tried.answer {
            return format!("the receiver calls it stale, it has sequence {sequence}");
        }
        match (self.outcome.tried.status, &self.outcome.tried.error) {
            (Some(status), Some(what)) => format!("the receiver answered {status} with {what}"),
            (Some(status), None) => format!("the receiver answered {status}"),
            // A certificate may name anything.
            (None, Some(error)) => words::in_a_line(error),
            (None, None) => "no answer".to_owned(),
        }
    }

    /// Why units of it are refused, in our words: the receiver's own are kept with the attempt.
    pub fn refusal(&self) -> String {
        let status = self.outcome.tried.status.map(|status| format!(" ({status})"));
        format!("the receiver refused it{}", status.unwrap_or_default())
    }

    /// Seconds until the sync is due again, while it is open.
    fn after(&self) -> f64 {
        match &self.decision {
            Decision::Retry { after } | Decision::Wait { after } | Decision::Ours { after } => seconds(*after),
            _ => 0.0,
        }
    }

    fn counts(&self) -> i32 {
        let sent = !matches!(
            self.outcome.tried.answer,
            Answer::Proxy | Answer::NoToken | Answer::NotSent
        );
        i32::from(sent && !matches!(self.decision, Decision::Wait { .. }))
    }

    /// It waited for the receiver's limits for as long as anything may.
    pub fn is_waited_out(&self) -> bool {
        let limited = matches!(self.outcome.tried.answer, Answer::Status { status: 429, .. });
        limited && self.decision == Decision::Exhausted
    }

    /// The receiver failed; one that asks to be left alone does not.
    pub fn is_failure(&self) -> bool {
        matches!(self.decision, Decision::Retry { .. } | Decision::Exhausted) && !self.is_waited_out()
    }

    fn entries(&self) -> usize {
        usize::try_from(self.outcome.leased.entries).unwrap_or_default()
    }

    fn is_over(&self) -> bool {
        self.state() != "open"
    }
}

pub(super) async fn settle(deliverer: &Deliverer, outcomes: Vec<Outcome>) -> Result<Settled> {
    let verdicts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| acknowledged::judged(outcome, deliverer.receiver.accept))
        .map(|outcome| Verdict {
            decision: deliverer.decide(&outcome),
            outcome,
        })
        .collect();
    let now = deliverer.clock.now();
    let mut borrowed = Borrowed::of(&deliverer.pool).await?;
    let mut tx = borrowed.begin().await?;
    lock_receiver(&mut tx, deliverer).await?;
    finish_attempts(&mut tx, &verdicts, now).await?;
    let changed = settle_syncs(&mut tx, &verdicts, now).await?;
    let counted: Vec<_> = verdicts
        .iter()
        .filter(|verdict| changed.contains(&verdict.outcome.leased.sequence))
        .collect();
    let (delivered, others): (Vec<_>, Vec<_>) = counted
        .iter()
        .copied()
        .partition(|verdict| verdict.decision == Decision::Delivered);
    let given_up: Vec<_> = others.into_iter().filter(|verdict| verdict.is_over()).collect();
    let mut found = taken::take(&mut tx, deliverer, &delivered, now).await?;
    let entries: usize = delivered.iter().map(|verdict| verdict.entries()).sum();
    let units = entries.saturating_sub(found.iter().map(Found::refused).sum());
    let given = given_up::give_up(&mut tx, deliverer, &given_up, &mut found, now).await?;
    breaker::affect(&mut tx, deliverer, &counted, &given, now).await?;
    alerts::raise_all(&mut tx, deliverer, found, now).await?;
    let mut properties = release_elsewhere(&mut tx, deliverer).await?;
    tx.commit().await.context("settling")?;
    borrowed.give_back();
    log(deliverer, &verdicts);
    let over = counted.iter().filter(|verdict| verdict.is_over());
    properties.extend(over.flat_map(|verdict| verdict.outcome.leased.feeds.iter().map(|feed| feed.property_id)));
    Ok(Settled {
        properties,
        delivered: delivered.len(),
        acknowledged: units,
        failed: verdicts.len() - delivered.len(),
    })
}

/// First of all: whoever opens the breaker locks the receiver and then its syncs, and nobody may go the other way.
async fn lock_receiver(conn: &mut PgConnection, deliverer: &Deliverer) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/lock_receiver.sql"))
        .bind(&deliverer.receiver.name)
        .bind(deliverer.clock.now())
        .execute(conn)
        .await
        .context("settling")?;
    Ok(())
}

async fn finish_attempts(conn: &mut PgConnection, verdicts: &[Verdict], now: Option<DateTime<Utc>>) -> Result<()> {
    let tried = || verdicts.iter().map(|verdict| &verdict.outcome.tried);
    let (sequences, leases) = leases(verdicts);
    let errors: Vec<Option<String>> = tried()
        .map(|tried| tried.error.as_deref().map(words::in_a_line))
        .collect();
    let answers: Vec<Option<&str>> = tried().map(|tried| tried.text.as_deref()).collect();
    sqlx::query(include_str!("../../sql/deliver/finish_attempts.sql"))
        .bind(now)
        .bind(sequences)
        .bind(leases)
        .bind(verdicts.iter().map(Verdict::outcome).collect::<Vec<_>>())
        .bind(tried().map(|tried| tried.status.map(i32::from)).collect::<Vec<_>>())
        .bind(
            errors
                .iter()
                .map(|said| said.as_deref().map(str::as_bytes))
                .collect::<Vec<_>>(),
        )
        .bind(answers.iter().map(|said| said.map(str::as_bytes)).collect::<Vec<_>>())
        .bind(
            errors
                .iter()
                .map(|said| said.as_deref().map(words::in_ascii))
                .collect::<Vec<_>>(),
        )
        .bind(answers.iter().map(|said| said.map(words::in_ascii)).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}

async fn settle_syncs(conn: &mut PgConnection, verdicts: &[Verdict], now: Option<DateTime<Utc>>) -> Result<Vec<i64>> {
    let (sequences, leases) = leases(verdicts);
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/settle_syncs.sql"))
        .bind(now)
        .bind(sequences)
        .bind(leases)
        .bind(verdicts.iter().map(Verdict::state).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::after).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::counts).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?)
}

fn leases(verdicts: &[Verdict]) -> (Vec<i64>, Vec<i32>) {
    let leased = verdicts.iter().map(|verdict| &verdict.outcome.leased);
    leased.map(|leased| (leased.sequence, leased.lease)).unzip()
}

/// A receiver that knows units by their ids alone may be told now what another feed had there. Says of which properties.
async fn release_elsewhere(conn: &mut PgConnection, deliverer: &Deliverer) -> Result<Vec<i64>> {
    if deliverer.receiver.unit_identity != UnitIdentity::Global {
        return Ok(Vec::new());
    }
    Ok(
        sqlx::query_scalar(include_str!("../../sql/deliver/release_elsewhere.sql"))
            .bind(&deliverer.receiver.name)
            .fetch_all(conn)
            .await?,
    )
}

fn log(deliverer: &Deliverer, verdicts: &[Verdict]) {
    let receiver = &deliverer.receiver.name;
    for verdict in verdicts {
        let (leased, outcome) = (&verdict.outcome.leased, verdict.outcome());
        let (sync_id, property_id) = (&leased.sync_id, leased.property_id());
        if verdict.decision == Decision::Delivered {
            tracing::debug!(receiver, sync_id, property_id, "delivered");
        } else {
            let (attempt, answer) = (leased.attempts + 1, verdict.answer());
            tracing::warn!(
                receiver,
                sync_id,
                property_id,
                attempt,
                outcome,
                "{sync_id} was not taken: {answer}"
            );
        }
    }
}
