//! Whose trouble an answer is: one property's, where the receiver acknowledges others all the while.

use anyhow::Result;
use sqlx::PgConnection;

use super::verdict::Verdict;
use crate::config::Receiver;
use crate::policy::{Answer, Decision};

/// Decides anew about answers that would stop or slow everything, where others are acknowledged.
pub(super) async fn look(conn: &mut PgConnection, receiver: &Receiver, verdicts: &mut [Verdict]) -> Result<()> {
    let acknowledged = verdicts.iter().any(|verdict| verdict.decision == Decision::Delivered);
    for verdict in verdicts.iter_mut().filter(|verdict| may_be_alone(verdict, receiver)) {
        if acknowledged || acknowledges_others(conn, receiver, verdict).await? {
            verdict.beside_others(receiver);
        }
    }
    Ok(())
}

/// It is about one property, and would be decided otherwise. Credentials are everybody's.
fn may_be_alone(verdict: &Verdict, receiver: &Receiver) -> bool {
    let leased = &verdict.outcome.leased;
    leased.feeds.len() == 1
        && match (&verdict.decision, &verdict.outcome.tried.answer) {
            (Decision::Pause, Answer::Status { status, .. }) => *status != 401 && !leased.probe,
            (Decision::Wait { .. }, _) => leased.limited() as usize >= receiver.retry.schedule.len(),
            _ => false,
        }
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
