//! Whose trouble an answer is: one property's, where the receiver acknowledges others all the while.

use anyhow::Result;
use sqlx::PgConnection;

use super::verdict::Verdict;
use crate::config::Receiver;
use crate::policy::Decision;

/// Decides anew about one property's answers where the policy goes by whether others are acknowledged.
pub(super) async fn look(conn: &mut PgConnection, receiver: &Receiver, verdicts: &mut [Verdict]) -> Result<()> {
    let acknowledged = verdicts.iter().any(|verdict| verdict.decision == Decision::Delivered);
    for verdict in verdicts
        .iter_mut()
        .filter(|verdict| verdict.outcome.leased.feeds.len() == 1)
    {
        let decision = verdict.beside_others(receiver);
        if decision != verdict.decision && (acknowledged || acknowledges_others(conn, receiver, verdict).await?) {
            verdict.decision = decision;
        }
    }
    Ok(())
}

async fn acknowledges_others(conn: &mut PgConnection, receiver: &Receiver, verdict: &Verdict) -> Result<bool> {
    let leased = &verdict.outcome.leased;
    Ok(
        sqlx::query_scalar(include_str!("../../sql/deliver/acknowledges_others.sql"))
            .bind(&receiver.name)
            .bind(leased.sequence)
            .bind(leased.feeds.first().map(|feed| feed.feed_id))
            .fetch_one(conn)
            .await?,
    )
}
