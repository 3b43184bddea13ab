//! Finding feeds with news: notices for speed, the sweep for truth.
//!
//! A walk remembers in memory up to which snapshot it has looked and which properties it has yet to plan. Losing that
//! memory loses nothing: the sweep asks every feed by its own cursor.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{Planned, Scope, Where, enroll, plan_batch};
use crate::clock::Clock;
use crate::config::Enroll;

/// Syncs sealed ahead of what is under way, as a multiple of it: sealed late, a body says what holds now.
const SEALED_AHEAD: usize = 4;
const SEALED_AHEAD_MIN: usize = 32;

/// One receiver's planner between two ticks.
pub struct Walk {
    /// The snapshot up to which changes have been looked for.
    seen: Option<String>,
    /// Properties with news that are yet to be planned.
    pending: BTreeSet<i64>,
    /// The property planned last on a notice: the next turn goes on behind it, so that none waits for ever.
    last_noticed: i64,
    /// How far the sweep under way has come, by feed.
    sweep: Option<i64>,
    /// Whose turn it was last, where both notices and a sweep have something to plan.
    swept_last: bool,
    last_sweep: Option<Instant>,
    clock: Clock,
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Syncs that are due and that nobody has leased; none while the receiver is paused.
    pub due: usize,
    /// The receiver is paused, and due a probe.
    pub probe: bool,
    /// How many more syncs may be sealed.
    room: usize,
}

/// What one step of a walk found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What the look found.
    pub look: Look,
    /// What was planned.
    pub planned: Planned,
    /// There is more to plan at once.
    pub more: bool,
}

impl Walk {
    /// Has looked at nothing yet, so that its first step begins a sweep.
    pub fn new(clock: Clock) -> Self {
        Self {
            seen: None,
            pending: BTreeSet::new(),
            last_noticed: i64::MIN,
            sweep: None,
            swept_last: false,
            last_sweep: None,
            clock,
        }
    }

    /// These properties' feeds may have news: their syncs were settled.
    pub fn notice(&mut self, properties: impl IntoIterator<Item = i64>) {
        self.pending.extend(properties);
    }

    /// Looks, then plans at most one batch.
    pub async fn step(&mut self, conn: &mut PgConnection, scope: Scope<'_>, sweep_every: Duration) -> Result<Step> {
        let look = self.look(conn, scope).await?;
        self.plan(conn, scope, look, sweep_every).await
    }

    /// Finds out which properties have news and how the receiver stands.
    pub async fn look(&mut self, conn: &mut PgConnection, scope: Scope<'_>) -> Result<Look> {
        type Row = (String, Vec<Option<i64>>, i64, i64, bool, bool);
        let (seen, touched, due, free, paused, probe): Row = sqlx::query_as(include_str!("../../sql/plan/look.sql"))
            .bind(&scope.receiver.name)
            .bind(&self.seen)
            .bind(self.clock.now())
            .fetch_one(conn)
            .await
            .context("looking for changes")?;
        self.seen = Some(seen);
        if touched.contains(&None) {
            self.last_sweep = None;
        }
        self.pending.extend(touched.into_iter().flatten());
        let due = usize::try_from(due)?;
        let ahead = (SEALED_AHEAD * scope.receiver.concurrency_max).max(SEALED_AHEAD_MIN);
        Ok(Look {
            due: if paused { 0 } else { usize::try_from(free)? },
            probe,
            room: match (paused, probe) {
                // A probe needs a sync to send, and the next one another: the fault may lie with one property.
                (true, true) => usize::from(due <= 1),
                (true, false) => 0,
                (false, _) => ahead.saturating_sub(due),
            },
        })
    }

    /// Plans at most one batch, within the room that the look left.
    pub async fn plan(
        &mut self,
        conn: &mut PgConnection,
        scope: Scope<'_>,
        look: Look,
        sweep_every: Duration,
    ) -> Result<Step> {
        if self.sweep.is_none() && self.last_sweep.is_none_or(|last| last.elapsed() >= sweep_every) {
            self.begin_sweep(conn, scope).await?;
        }
        let planned = match (look.room, self.pending.is_empty(), self.sweep) {
            (0, ..) | (_, true, None) => Planned::default(),
            (room, false, None) => self.plan_noticed(conn, scope, room).await?,
            (room, false, Some(_)) if self.swept_last => self.plan_noticed(conn, scope, room).await?,
            (room, _, Some(after)) => self.plan_sweep(conn, scope, after, room).await?,
        };
        Ok(Step {
            look,
            planned,
            more: look.room > 0 && !planned.elsewhere && (self.sweep.is_some() || !self.pending.is_empty()),
        })
    }

    async fn begin_sweep(&mut self, conn: &mut PgConnection, scope: Scope<'_>) -> Result<()> {
        if scope.receiver.enroll == Enroll::Active {
            enroll(conn, scope.receiver, None).await?;
        }
        self.sweep = Some(0);
        self.last_sweep = Some(Instant::now());
        Ok(())
    }

    async fn plan_noticed(&mut self, conn: &mut PgConnection, scope: Scope<'_>, room: usize) -> Result<Planned> {
        self.swept_last = false;
        let behind = (Bound::Excluded(self.last_noticed), Bound::Unbounded);
        let noticed: Vec<i64> = self
            .pending
            .range(behind)
            .chain(self.pending.range(..=self.last_noticed))
            .take(room)
            .copied()
            .collect();
        if scope.receiver.enroll == Enroll::Active {
            enroll(conn, scope.receiver, Some(&noticed)).await?;
        }
        let place = Where::Properties(&noticed);
        let planned = plan_batch(conn, scope, &place, 0, room, self.clock.now()).await?;
        // A batch cut short leaves its feeds for the next step; done ones are found without news then.
        if planned.more_after.is_none() && !planned.elsewhere {
            for property_id in &noticed {
                self.pending.remove(property_id);
            }
            self.last_noticed = noticed.last().copied().unwrap_or(i64::MIN);
        }
        Ok(planned)
    }

    async fn plan_sweep(
        &mut self,
        conn: &mut PgConnection,
        scope: Scope<'_>,
        after: i64,
        room: usize,
    ) -> Result<Planned> {
        self.swept_last = true;
        let planned = plan_batch(conn, scope, &Where::Everywhere, after, room, self.clock.now()).await?;
        if !planned.elsewhere {
            self.sweep = planned.more_after;
        }
        Ok(planned)
    }
}

/// Makes the receiver known to the database, and has every feed compared where the settings that shape a unit changed.
pub async fn register(conn: &mut PgConnection, scope: Scope<'_>) -> Result<()> {
    let receiver = scope.receiver;
    sqlx::query(include_str!("../../sql/plan/register_receiver.sql"))
        .bind(&receiver.name)
        .bind(fingerprint(scope))
        .execute(conn)
        .await
        .with_context(|| format!("registering receiver {}", receiver.name))?;
    Ok(())
}

/// Of the settings that decide what a unit looks like, and which are told.
pub(super) fn fingerprint(scope: Scope<'_>) -> String {
    let shape = format!("{:?} {:?}", scope.available_status_ids, scope.receiver.property_groups);
    hex::encode(Sha256::digest(shape))
}
