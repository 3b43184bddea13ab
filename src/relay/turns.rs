//! Whose turn it is to plan, while it is another relay's: whether that one gets anywhere.
//!
//! One relay at a time plans for a receiver, and the others have nothing to do. That is well only as long as plans come to
//! their end: a right that somebody sits on starves the receiver, and nobody's own failure would show it.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::plan::{self, Planned, Turn};

/// How long another relay's batch may take before it counts as stuck.
const BATCH_TAKES_MAX: f64 = 30.0;
/// Nothing was planned for so long, though this relay wanted to.
const STARVED_AFTER: TimeDelta = TimeDelta::seconds(60);
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What is known of the others.
pub(super) struct Turns {
    clock: Clock,
    asked: Option<Instant>,
    /// When a plan of anybody's last came to its end.
    planned_at: Option<DateTime<Utc>>,
    progress: bool,
    /// Since when nobody gets anywhere.
    since: Option<DateTime<Utc>>,
    alerted: bool,
}

impl Turns {
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            asked: None,
            planned_at: None,
            progress: false,
            since: None,
            alerted: false,
        }
    }

    /// Whether somebody gets anywhere: this relay, whose step this was, or else the one whose turn it is.
    pub async fn progress(&mut self, conn: &mut PgConnection, receiver: &str, planned: &Planned) -> Result<bool> {
        if !planned.without_right {
            self.over(conn, receiver).await?;
            return Ok(true);
        }
        if self.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY) {
            self.asked = Some(Instant::now());
            if let Some(turn) = plan::turn(conn, receiver, self.clock.now()).await? {
                self.judge(conn, receiver, &turn).await?;
            }
        }
        Ok(self.progress)
    }

    async fn judge(&mut self, conn: &mut PgConnection, receiver: &str, turn: &Turn) -> Result<()> {
        let is_at_work = turn.holder_lives && turn.held_seconds.is_some_and(|seconds| seconds < BATCH_TAKES_MAX);
        let has_planned = self.planned_at != turn.planned_at;
        self.planned_at = turn.planned_at;
        self.progress = is_at_work || has_planned;
        if self.progress {
            return self.over(conn, receiver).await;
        }
        let since = *self.since.get_or_insert(turn.now);
        if turn.now - since >= STARVED_AFTER && !std::mem::replace(&mut self.alerted, true) {
            let alert = Alert {
                kind: Kind::Starved,
                receiver: receiver.to_owned(),
                property_id: None,
                message: starved(turn),
            };
            alert::raise(conn, &alert, self.clock.now()).await?;
        }
        Ok(())
    }

    async fn over(&mut self, conn: &mut PgConnection, receiver: &str) -> Result<()> {
        self.since = None;
        if std::mem::take(&mut self.alerted) {
            alert::resolve(conn, receiver, &[Kind::Starved], self.clock.now()).await?;
        }
        Ok(())
    }
}

fn starved(turn: &Turn) -> String {
    let who = match (&turn.holder, turn.held_seconds) {
        (Some(holder), Some(seconds)) => format!("{holder} has had the right to plan for {seconds:.0} s"),
        _ => "some session has locked its row in rentsync.planner (pg_stat_activity shows which transactions are open)"
            .to_owned(),
    };
    format!(
        "nothing has been planned for more than {} s although a relay runs, changes keep gathering: {who}; end that one, and \
         planning goes on by itself",
        STARVED_AFTER.num_seconds()
    )
}
