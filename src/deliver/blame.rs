//! Whose trouble an answer is: what its sync carries, where the receiver acknowledges others all the while.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::decided_try::{Before, DecidedTry};
use crate::config::Receiver;
use crate::policy::{Answer, Decision};

/// Decides anew about the answers whose meaning goes by whether others are acknowledged.
pub(super) async fn look(conn: &mut PgConnection, receiver: &Receiver, decided_tries: &mut [DecidedTry]) -> Result<()> {
    let acknowledged = decided_tries
        .iter()
        .any(|decided| decided.decision == Decision::Delivered);
    for decided in decided_tries.iter_mut().filter(|decided| is_ambiguous(decided)) {
        let (others, before) = ask(conn, receiver, decided).await?;
        decided.weigh(acknowledged || others, before, receiver);
    }
    Ok(())
}

fn is_ambiguous(decided: &DecidedTry) -> bool {
    let answer = &decided.outcome.tried.answer;
    match answer {
        Answer::NotAcknowledged { .. } => true,
        _ => answer.is_limit() || answer.may_be_about_one_property() || decided.is_failure(),
    }
}

/// Whether others are acknowledged, and what is known of the property.
async fn ask(conn: &mut PgConnection, receiver: &Receiver, decided: &DecidedTry) -> Result<(bool, Before)> {
    let (leased, answer) = (&decided.outcome.leased, &decided.outcome.tried.answer);
    // Between two failures nobody was down who acknowledged something; limits go on for longer.
    let tries = match answer.is_limit() {
        true => receiver.retry.schedule.len() + 2,
        false => 2,
    };
    let whose: Whose = sqlx::query_as(include_str!("../../sql/deliver/blame.sql"))
        .bind(&receiver.name)
        .bind(leased.sequence)
        .bind(leased.feeds.first().map(|feed| feed.feed_id))
        .bind(answer.may_be_about_one_property())
        .bind(i64::try_from(tries)?)
        .fetch_one(conn)
        .await?;
    let is_one = leased.feeds.len() == 1;
    let before = Before {
        limited: u32::try_from(whose.limited)?,
        fails: is_one && (whose.feed_fails || whose.was_refused && leased.entries == 1),
        is_searched: if is_one { whose.is_searched } else { whose.was_exhausted },
    };
    Ok((whose.others_acknowledged, before))
}

/// A row of `sql/deliver/blame.sql`.
#[derive(FromRow)]
struct Whose {
    others_acknowledged: bool,
    limited: i64,
    feed_fails: bool,
    was_refused: bool,
    is_searched: bool,
    was_exhausted: bool,
}
