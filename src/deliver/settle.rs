//! Settling: what a group of answers means for syncs, ledger, feeds and receiver. One transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool};

use super::alerts::Found;
use super::borrowed::Borrowed;
use super::locked::lock_receiver;
use super::settling::Settling;
use super::verdict::{Outcome, Verdict};
use super::{acknowledged, blame, breaker, delivered, given_up, notices};
use crate::config::{Receiver, UnitIdentity};
use crate::policy::Decision;
use crate::words;

/// What settling a group did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The properties whose feeds may be planned again.
    pub properties: Vec<i64>,
    /// Syncs that the receiver acknowledged.
    pub delivered: usize,
    /// Units and removals in them, without those that it refused.
    pub acknowledged: usize,
    /// Tries that ended in anything else.
    pub failed: usize,
}

/// Settles a group of this relay's tries. Gives also the syncs that were sent and count no longer: somebody else settled them, and may
/// have sent something newer before these arrived.
pub(super) async fn settle(
    pool: &PgPool,
    (receiver, relay): (&Receiver, &str),
    outcomes: Vec<Outcome>,
    now: Option<DateTime<Utc>>,
) -> Result<(Settled, Vec<i64>)> {
    let mut borrowed = Borrowed::of(pool).await?;
    let mut tx = borrowed.begin().await?;
    let locked = lock_receiver(&mut tx, receiver, now).await.context("settling")?;
    let (paused, has_failed) = locked.map_or((false, false), |row| (row.is_paused, row.has_failed));
    let mut verdicts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| acknowledged::judged(outcome, receiver.accept))
        .map(|outcome| Verdict::of(outcome, receiver, paused))
        .collect();
    blame::look(&mut tx, receiver, &mut verdicts).await?;
    let changed = settle_syncs(&mut tx, &verdicts, now).await?;
    // Behind that: an erasure that locked these syncs has emptied their bodies by now.
    finish_attempts(&mut tx, receiver, &verdicts, now).await?;
    let (counted, overtaken): (Vec<_>, Vec<_>) = verdicts
        .iter()
        .partition(|verdict| changed.contains(&verdict.outcome.leased.sequence));
    let late = overtaken
        .iter()
        .filter(|verdict| verdict.outcome.tried.answer.is_sent());
    let late: Vec<i64> = late.map(|verdict| verdict.outcome.leased.sequence).collect();
    let (delivered, others): (Vec<_>, Vec<_>) = counted
        .iter()
        .copied()
        .partition(|verdict| verdict.decision == Decision::Delivered);
    let given_up: Vec<_> = others.into_iter().filter(|verdict| verdict.is_over()).collect();
    let mut settling = Settling {
        conn: &mut tx,
        receiver,
        now,
        found: Vec::new(),
    };
    delivered::accept(&mut settling, &delivered, has_failed).await?;
    let entries: usize = delivered.iter().map(|verdict| verdict.entries()).sum();
    let units = entries.saturating_sub(settling.found.iter().map(Found::refused).sum());
    let given = given_up::give_up(&mut settling, &given_up).await?;
    let alone = counted.iter().filter_map(|verdict| Found::waits_alone(verdict));
    settling.found.extend(alone);
    breaker::affect(&mut settling, paused, &counted, &given).await?;
    notices::say_what_is_ours(&mut settling, relay, &counted).await?;
    settling.raise_found().await?;
    let mut properties = release_elsewhere(&mut tx, receiver).await?;
    tx.commit().await.context("settling")?;
    borrowed.give_back();
    log(receiver, &verdicts);
    let over = counted.iter().filter(|verdict| verdict.is_over());
    properties.extend(over.flat_map(|verdict| verdict.outcome.leased.feeds.iter().map(|feed| feed.property_id)));
    let settled = Settled {
        properties,
        delivered: delivered.len(),
        acknowledged: units,
        failed: verdicts.len() - delivered.len(),
    };
    Ok((settled, late))
}

async fn finish_attempts(
    conn: &mut PgConnection,
    receiver: &Receiver,
    verdicts: &[Verdict],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
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
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.outcome().as_str())
                .collect::<Vec<_>>(),
        )
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
        .bind(&receiver.name)
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
        .bind(
            verdicts
                .iter()
                .map(|verdict| verdict.state().as_str())
                .collect::<Vec<_>>(),
        )
        .bind(verdicts.iter().map(Verdict::after).collect::<Vec<_>>())
        .bind(verdicts.iter().map(Verdict::counts).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?)
}

fn leases(verdicts: &[Verdict]) -> (Vec<i64>, Vec<i32>) {
    let leased = verdicts.iter().map(|verdict| &verdict.outcome.leased);
    leased.map(|leased| (leased.sequence, leased.lease)).unzip()
}

/// A receiver that knows units by their ids alone may be sent now what another feed had there. Says of which properties.
async fn release_elsewhere(conn: &mut PgConnection, receiver: &Receiver) -> Result<Vec<i64>> {
    if receiver.unit_identity != UnitIdentity::Global {
        return Ok(Vec::new());
    }
    Ok(
        sqlx::query_scalar(include_str!("../../sql/deliver/release_elsewhere.sql"))
            .bind(&receiver.name)
            .fetch_all(conn)
            .await?,
    )
}

fn log(receiver: &Receiver, verdicts: &[Verdict]) {
    let name = &receiver.name;
    for verdict in verdicts {
        let (leased, outcome) = (&verdict.outcome.leased, verdict.outcome().as_str());
        let (sync_id, property_id) = (&leased.sync_id, leased.property_id());
        if verdict.decision == Decision::Delivered {
            tracing::debug!(receiver = name, sync_id, property_id, "delivered");
        } else {
            let (attempt, answer) = (leased.attempts + 1, verdict.answer());
            tracing::warn!(
                receiver = name,
                sync_id,
                property_id,
                attempt,
                outcome,
                "{sync_id} was not acknowledged: {answer}"
            );
        }
    }
}
