//! Settling: what a group of answers means for syncs, ledger, feeds and receiver. One transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool};

use super::alerts::Found;
use super::borrowed::Borrowed;
use super::decided_try::{DecidedTry, Outcome};
use super::locked::lock_receiver;
use super::settling::Settling;
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
    let mut decided_tries: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| acknowledged::judged(outcome, receiver.accept))
        .map(|outcome| DecidedTry::of(outcome, receiver, paused))
        .collect();
    blame::look(&mut tx, receiver, &mut decided_tries).await?;
    let changed = settle_syncs(&mut tx, &decided_tries, now).await?;
    // Behind that: an erasure that locked these syncs has emptied their bodies by now.
    finish_attempts(&mut tx, receiver, &decided_tries, now).await?;
    let (counted, overtaken): (Vec<_>, Vec<_>) = decided_tries
        .iter()
        .partition(|decided| changed.contains(&decided.outcome.leased.sequence));
    let late = overtaken
        .iter()
        .filter(|decided| decided.outcome.tried.answer.is_sent());
    let late: Vec<i64> = late.map(|decided| decided.outcome.leased.sequence).collect();
    let (delivered, others): (Vec<_>, Vec<_>) = counted
        .iter()
        .copied()
        .partition(|decided| decided.decision == Decision::Delivered);
    let given_up: Vec<_> = others.into_iter().filter(|decided| decided.is_over()).collect();
    let mut settling = Settling {
        conn: &mut tx,
        receiver,
        now,
        found: Vec::new(),
    };
    delivered::accept(&mut settling, &delivered, has_failed).await?;
    let entries: usize = delivered.iter().map(|decided| decided.entries()).sum();
    let units = entries.saturating_sub(settling.found.iter().map(Found::refused).sum());
    let given = given_up::give_up(&mut settling, &given_up).await?;
    let alone = counted.iter().filter_map(|decided| Found::waits_alone(decided));
    settling.found.extend(alone);
    breaker::affect(&mut settling, paused, &counted, &given).await?;
    notices::say_what_is_ours(&mut settling, relay, &counted).await?;
    settling.raise_found().await?;
    let mut properties = release_elsewhere(&mut tx, receiver).await?;
    tx.commit().await.context("settling")?;
    borrowed.give_back();
    log(receiver, &decided_tries);
    let over = counted.iter().filter(|decided| decided.is_over());
    properties.extend(over.flat_map(|decided| decided.outcome.leased.feeds.iter().map(|feed| feed.property_id)));
    let settled = Settled {
        properties,
        delivered: delivered.len(),
        acknowledged: units,
        failed: decided_tries.len() - delivered.len(),
    };
    Ok((settled, late))
}

async fn finish_attempts(
    conn: &mut PgConnection,
    receiver: &Receiver,
    decided_tries: &[DecidedTry],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let tried = || decided_tries.iter().map(|decided| &decided.outcome.tried);
    let (sequences, leases) = leases(decided_tries);
    let errors: Vec<Option<String>> = tried()
        .map(|tried| tried.error.as_deref().map(words::in_a_line))
        .collect();
    let answers: Vec<Option<&str>> = tried().map(|tried| tried.text.as_deref()).collect();
    sqlx::query(include_str!("../../sql/deliver/finish_attempts.sql"))
        .bind(now)
        .bind(sequences)
        .bind(leases)
        .bind(
            decided_tries
                .iter()
                .map(|decided| decided.outcome().as_str())
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

async fn settle_syncs(
    conn: &mut PgConnection,
    decided_tries: &[DecidedTry],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<i64>> {
    let (sequences, leases) = leases(decided_tries);
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/settle_syncs.sql"))
        .bind(now)
        .bind(sequences)
        .bind(leases)
        .bind(
            decided_tries
                .iter()
                .map(|decided| decided.state().as_str())
                .collect::<Vec<_>>(),
        )
        .bind(decided_tries.iter().map(DecidedTry::after).collect::<Vec<_>>())
        .bind(decided_tries.iter().map(DecidedTry::counts).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?)
}

fn leases(decided_tries: &[DecidedTry]) -> (Vec<i64>, Vec<i32>) {
    let leased = decided_tries.iter().map(|decided| &decided.outcome.leased);
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

fn log(receiver: &Receiver, decided_tries: &[DecidedTry]) {
    let name = &receiver.name;
    for decided in decided_tries {
        let (leased, outcome) = (&decided.outcome.leased, decided.outcome().as_str());
        let (sync_id, property_id) = (&leased.sync_id, leased.property_id());
        if decided.decision == Decision::Delivered {
            tracing::debug!(receiver = name, sync_id, property_id, "delivered");
        } else {
            let (attempt, answer) = (leased.attempts + 1, decided.answer());
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
