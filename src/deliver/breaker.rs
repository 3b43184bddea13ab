//! What answers mean for a receiver as a whole: pause, probe, resume, and how much it bears.
//!
//! All of it is kept on the receiver's row, so that every relay goes by it. Opening the breaker gives up everything
//! that is sealed and not under way: what is sent when the receiver is back is what holds then. What failed rests, so that other
//! feeds find out whether it is back; the first acknowledgement says so, a probe's or another's.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::decided_try::DecidedTry;
use super::doubt::doubt;
use super::given_up::GivenUp;
use super::notices::{about, say_how_long, say_what_is_no_acknowledgement};
use super::settling::Settling;
use crate::alert::{self, Kind};
use crate::policy::{self, Answer, Decision};

/// Pauses a receiver; nothing is sealed or sent until a probe gets through, or (`probe_after` none) a person resumes it.
/// Says whether it was open before; none where there is no such receiver, or a person paused it.
pub async fn open(
    conn: &mut PgConnection,
    receiver: &str,
    because: &str,
    probe_after: Option<f64>,
    now: Option<DateTime<Utc>>,
) -> Result<Option<bool>> {
    let was_open = sqlx::query_scalar(include_str!("../../sql/deliver/pause_receiver.sql"))
        .bind(receiver)
        .bind(now)
        .bind(because)
        .bind(probe_after)
        .fetch_optional(&mut *conn)
        .await?;
    if was_open.is_some() {
        let cancelled = cancel(conn, receiver, (false, "its request was given up"), now).await?;
        let tried = cancelled.iter().filter(|(.., tried)| *tried);
        cool_down_until_probe(conn, receiver, tried.map(|(_, feed_id, ..)| *feed_id).collect()).await?;
    }
    Ok(was_open)
}

/// Resumes a receiver. Says whether it was paused; none where there is no such receiver, or a person paused it and this is
/// not a person (`by_command`).
pub async fn close(conn: &mut PgConnection, receiver: &str, by_command: bool, ramp_up: bool) -> Result<Option<bool>> {
    let was_paused = sqlx::query_scalar(include_str!("../../sql/deliver/resume_receiver.sql"))
        .bind(receiver)
        .bind(by_command)
        .bind(ramp_up)
        .fetch_optional(&mut *conn)
        .await?;
    if was_paused.is_some() {
        wake(conn, receiver).await?;
    }
    if by_command && was_paused.is_some() {
        // Whatever wait was asked for, a person says now.
        sqlx::query(include_str!("../../sql/deliver/hurry.sql"))
            .bind(receiver)
            .execute(&mut *conn)
            .await?;
        // If it still fails, that is said anew.
        alert::resolve(conn, receiver, &[Kind::Paused, Kind::BreakerOpen], None).await?;
    }
    Ok(was_paused)
}

/// The receiver accepts something, or a person says that it does: feeds that rest because it accepted nothing are planned again.
pub(super) async fn wake(conn: &mut PgConnection, receiver: &str) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/end_cooldowns.sql"))
        .bind(receiver)
        .execute(conn)
        .await?;
    Ok(())
}

/// What failed rests until the next probe, which is another's as long as there is another.
async fn cool_down_until_probe(conn: &mut PgConnection, receiver: &str, feeds: Vec<i64>) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/cool_down_until_probe.sql"))
        .bind(receiver)
        .bind(feeds)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a receiver is paused.
pub async fn is_open(conn: &mut PgConnection, receiver: &str) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/deliver/is_open.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// Something changed that may be the repair: a paused receiver is probed at once, unless a person paused it.
pub async fn probe_now(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/probe_now.sql"))
        .bind(receiver)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives up everything sealed for a receiver and not settled, what is under way as well: in doubt, and a snapshot is due again because of `because`.
/// Says how many syncs.
pub async fn cancel_open(
    conn: &mut PgConnection,
    receiver: &str,
    because: &str,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let cancelled = cancel(conn, receiver, (true, because), now).await?;
    let syncs: BTreeSet<i64> = cancelled.iter().map(|(sequence, ..)| *sequence).collect();
    Ok(syncs.len())
}

/// A sync, a feed that it is about, whether it is a snapshot, and whether it was tried.
type Cancelled = (i64, i64, bool, bool);

async fn cancel(
    conn: &mut PgConnection,
    receiver: &str,
    (under_way, because): (bool, &str),
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Cancelled>> {
    let cancelled: Vec<Cancelled> = sqlx::query_as(include_str!("../../sql/deliver/cancel_open.sql"))
        .bind(receiver)
        .bind(now)
        .bind(under_way)
        .fetch_all(&mut *conn)
        .await?;
    let given_up: Vec<_> = cancelled
        .iter()
        .map(|(sequence, feed_id, snapshot, _)| (*sequence, *feed_id, *snapshot))
        .collect();
    doubt(conn, &given_up, Some(because)).await?;
    Ok(cancelled)
}

/// What a group of answers says about the receiver.
pub(super) async fn affect(
    settling: &mut Settling<'_>,
    paused: bool,
    decided_tries: &[&DecidedTry],
    given: &GivenUp,
) -> Result<()> {
    if paused {
        resume_where_it_answers(settling, decided_tries, given).await?;
    }
    wait_where_asked(settling, decided_tries).await?;
    say_what_is_no_acknowledgement(settling, decided_tries).await?;
    let failures = tune(settling, decided_tries, given).await?;
    if let Some(decided) = decided_tries.iter().find(|decided| decided.decision == Decision::Pause) {
        pause(settling, decided).await?;
    } else if !paused && failures >= i64::from(settling.receiver.breaker.failures) {
        open_after_failures(settling, decided_tries, failures).await?;
    }
    let is_failed = |decided: &&&DecidedTry| matches!(decided.decision, Decision::Pause | Decision::ProbeFailed { .. });
    let failed: Vec<i64> = decided_tries
        .iter()
        .filter(is_failed)
        .flat_map(|decided| decided.outcome.leased.feed_ids())
        .collect();
    if !failed.is_empty() {
        cool_down_until_probe(settling.conn, &settling.receiver.name, failed).await?;
    }
    Ok(())
}

/// An acknowledgement ends the pause, whatever was sent; so does a probe that was rejected, because that is an answer, unless
/// rejections are what led to the pause. One that is called stale over and over is none.
async fn resume_where_it_answers(
    settling: &mut Settling<'_>,
    decided_tries: &[&DecidedTry],
    given: &GivenUp,
) -> Result<()> {
    for decided in decided_tries {
        let is_probe = decided.outcome.leased.probe;
        let goes_round = given.stale_again.contains(&decided.outcome.leased.sequence);
        match &decided.decision {
            Decision::Delivered => answers(settling).await?,
            // Sent before the pause, it says nothing that was not known then.
            _ if !is_probe => {}
            Decision::Renumber { .. } if goes_round => probe_failed(settling, Duration::ZERO).await?,
            Decision::Rejected if rejected_before(settling).await? => probe_failed(settling, Duration::ZERO).await?,
            Decision::Rejected | Decision::Renumber { .. } => answers(settling).await?,
            Decision::ProbeFailed { after } => probe_failed(settling, *after).await?,
            _ => {}
        }
    }
    Ok(())
}

/// It rejected something of what led to the pause.
async fn rejected_before(settling: &mut Settling<'_>) -> Result<bool> {
    Ok(
        sqlx::query_scalar(include_str!("../../sql/deliver/rejected_before.sql"))
            .bind(&settling.receiver.name)
            .bind(i64::from(settling.receiver.breaker.failures))
            .fetch_one(&mut *settling.conn)
            .await?,
    )
}

/// Whatever silence its answer asks for: the next probe comes in time.
async fn probe_failed(settling: &mut Settling<'_>, after: Duration) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/probe_failed.sql"))
        .bind(&settling.receiver.name)
        .bind(settling.now)
        .bind(after.min(settling.receiver.breaker.probe_every).as_secs_f64())
        .execute(&mut *settling.conn)
        .await?;
    Ok(())
}

async fn answers(settling: &mut Settling<'_>) -> Result<()> {
    let name = &settling.receiver.name;
    if close(settling.conn, name, false, true).await? == Some(true) {
        alert::resolve(settling.conn, name, &[Kind::Paused, Kind::BreakerOpen], settling.now).await?;
        let message = "it answers again: everything owed is sent".to_owned();
        alert::note(
            settling.conn,
            &about(settling.receiver, Kind::BreakerClosed, message),
            settling.now,
        )
        .await?;
    }
    Ok(())
}

async fn wait_where_asked(settling: &mut Settling<'_>, decided_tries: &[&DecidedTry]) -> Result<()> {
    let longest = decided_tries.iter().filter_map(|decided| match &decided.decision {
        Decision::Wait { after } => Some((*after, decided)),
        _ => None,
    });
    if let Some((after, decided)) = longest.max_by_key(|(after, _)| *after) {
        let waited: Option<f64> = sqlx::query_scalar(include_str!("../../sql/deliver/wait_receiver.sql"))
            .bind(&settling.receiver.name)
            .bind(settling.now)
            .bind(after.as_secs_f64())
            .fetch_optional(&mut *settling.conn)
            .await?;
        let waited = Duration::try_from_secs_f64(waited.unwrap_or_default()).unwrap_or_default();
        say_how_long(settling, decided, waited).await?;
    }
    Ok(())
}

/// Counts failures in a row, and lets concurrency shrink and grow back. Says how many there are.
async fn tune(settling: &mut Settling<'_>, decided_tries: &[&DecidedTry], given: &GivenUp) -> Result<i64> {
    // Whose relays died says nothing of the receiver, nor does a property that fails while others are acknowledged.
    let its_own = || {
        let decided_tries = decided_tries.iter();
        decided_tries.filter(|decided| decided.outcome.tried.answer != Answer::RelayLost && !decided.is_its_propertys())
    };
    let count = |which: fn(&Decision) -> bool| its_own().filter(|decided| which(&decided.decision)).count();
    let failed =
        its_own().filter(|decided| decided.is_failure()).count() + given.searches_begun + given.stale_again.len();
    let overburdened = count(|decision| {
        matches!(
            decision,
            Decision::Retry { .. } | Decision::Exhausted | Decision::Wait { .. }
        )
    });
    let delivered = count(|decision| *decision == Decision::Delivered);
    let failures: Option<i32> = sqlx::query_scalar(include_str!("../../sql/deliver/tune_receiver.sql"))
        .bind(&settling.receiver.name)
        .bind(i32::try_from(failed)?)
        .bind(delivered > 0)
        .bind(overburdened > 0)
        .bind(i32::try_from(settling.receiver.concurrency_max)?)
        .fetch_optional(&mut *settling.conn)
        .await?;
    Ok(failures.map_or(0, i64::from))
}

/// 401 and its like: nothing that is sent would be acknowledged.
async fn pause(settling: &mut Settling<'_>, decided: &DecidedTry) -> Result<()> {
    if decided.is_about_the_property() {
        sqlx::query(include_str!("../../sql/deliver/doubt_receiver.sql"))
            .bind(&settling.receiver.name)
            .bind(settling.now)
            .execute(&mut *settling.conn)
            .await?;
    }
    let answer = decided.answer();
    let every = settling.receiver.breaker.probe_every;
    if open(
        settling.conn,
        &settling.receiver.name,
        &answer,
        Some(every.as_secs_f64()),
        settling.now,
    )
    .await?
    .is_some()
    {
        let message = format!(
            "{answer}: nothing more is sent to it; changes keep gathering. Put credentials or URL right; one request \
             in {} tries again, `receivers resume {}` does so now",
            humantime::format_duration(every),
            settling.receiver.name
        );
        alert::raise(
            settling.conn,
            &about(settling.receiver, Kind::Paused, message),
            settling.now,
        )
        .await?;
    }
    Ok(())
}

/// An outage: nothing is gained by asking again and again for every property.
async fn open_after_failures(settling: &mut Settling<'_>, decided_tries: &[&DecidedTry], failures: i64) -> Result<()> {
    let last = decided_tries.last().map(|decided| decided.answer()).unwrap_or_default();
    let because = format!("{failures} deliveries in a row failed, the last: {last}");
    let first = policy::rest_after(0, &settling.receiver.retry, settling.receiver.breaker.probe_every);
    if open(
        settling.conn,
        &settling.receiver.name,
        &because,
        Some(first.as_secs_f64()),
        settling.now,
    )
    .await?
        == Some(true)
    {
        let message = format!(
            "{because}. Nothing more is sent to it but one request now and then, until one is acknowledged; changes keep \
             gathering, and what holds then is sent then"
        );
        alert::raise(
            settling.conn,
            &about(settling.receiver, Kind::BreakerOpen, message),
            settling.now,
        )
        .await?;
    }
    Ok(())
}
