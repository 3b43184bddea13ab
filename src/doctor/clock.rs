//! Clocks: this host's beside the database's and the receiver's.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::finding::{Finding, ago};
use super::limits::Limits;
use crate::clock::Clock;
use crate::config::{Auth, Receiver};
use crate::receiver::Reached;

const CLOCK: &str = "clock";
/// The quickest of so many questions says most.
const QUESTIONS: usize = 3;
/// `Date` leaves out fractions of a second.
const DATE_RESOLUTION: TimeDelta = TimeDelta::seconds(1);

pub(super) async fn database(conn: &mut PgConnection, limits: &Limits) -> Result<Vec<Finding>> {
    let mut least: Option<TimeDelta> = None;
    for _ in 0..QUESTIONS {
        let before = Utc::now();
        let theirs = Clock::Database.moment(conn).await?;
        let ahead = ahead_by(before, Utc::now(), theirs);
        least = least.filter(|least| least.abs() < ahead.abs()).or(Some(ahead));
    }
    Ok(vec![judge_database(least.unwrap_or_default(), limits)])
}

fn judge_database(ahead: TimeDelta, limits: &Limits) -> Finding {
    let what = format!("the database's clock is {} this host's", beside(ahead));
    let todo = "have both keep time by NTP";
    let off = ahead.abs().to_std().unwrap_or_default();
    if off > limits.clock_wrong {
        Finding::wrong(CLOCK, what, todo)
    } else if off > limits.clock_warning {
        Finding::warning(CLOCK, what, todo)
    } else {
        Finding::ok(CLOCK, "the database's clock agrees with this host's")
    }
}

/// Signatures carry this host's time, and who checks them allows some minutes; nothing else goes by the receiver's clock.
pub(super) fn receiver(receiver: &Receiver, reached: &Reached, limits: &Limits) -> Option<Finding> {
    let ahead = ahead_by(reached.asked_at - DATE_RESOLUTION, reached.answered_at, reached.date?);
    let what = format!("the receiver's clock is {} this host's", beside(ahead));
    let finding = if ahead.abs().to_std().unwrap_or_default() <= limits.clock_wrong {
        Finding::ok(CLOCK, "the receiver's clock agrees with this host's")
    } else if matches!(receiver.auth, Auth::Hmac { .. }) {
        Finding::wrong(
            CLOCK,
            format!("{what}: it may refuse signatures as too old or too new"),
            "have this host keep time by NTP; if it does, report it to the receiver",
        )
    } else {
        Finding::warning(
            CLOCK,
            what,
            "have this host keep time by NTP; if it does, it is the receiver's",
        )
    };
    Some(finding.about(&receiver.name))
}

/// How far another clock is ahead, at the least: between question and answer it may have said anything in between.
fn ahead_by(asked_at: DateTime<Utc>, answered_at: DateTime<Utc>, theirs: DateTime<Utc>) -> TimeDelta {
    if theirs > answered_at {
        theirs - answered_at
    } else if theirs < asked_at {
        theirs - asked_at
    } else {
        TimeDelta::zero()
    }
}

fn beside(ahead: TimeDelta) -> String {
    let by = ago(ahead.abs().as_seconds_f64());
    let side = if ahead > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    format!("{by} {side}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    fn at(seconds: f64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_000_000_000_000 + (seconds * 1000.0) as i64).unwrap()
    }

    #[test]
    fn a_slow_answer_is_no_skew() {
        assert_eq!(ahead_by(at(0.0), at(9.0), at(8.5)), TimeDelta::zero());
        assert_eq!(ahead_by(at(0.0), at(9.0), at(12.0)), TimeDelta::seconds(3));
        assert_eq!(ahead_by(at(0.0), at(9.0), at(-3.0)), TimeDelta::seconds(-3));
    }

    #[test]
    fn some_seconds_are_worth_a_word_and_a_minute_is_wrong_either_way() {
        let limits = Limits::default();
        for (seconds, grade) in [
            (0, Grade::Ok),
            (2, Grade::Ok),
            (3, Grade::Warning),
            (-3, Grade::Warning),
            (60, Grade::Warning),
            (61, Grade::Wrong),
            (-61, Grade::Wrong),
        ] {
            let finding = judge_database(TimeDelta::seconds(seconds), &limits);
            assert_eq!(finding.finding, grade, "{seconds}");
        }
        let behind = judge_database(TimeDelta::seconds(-90), &limits).what;
        assert_eq!(behind, "the database's clock is 1m 30s behind this host's");
    }
}
