//! Finding feeds with news: notices for speed, the sweep for truth.
//!
//! A walk remembers in memory up to which snapshot it has looked and which properties it has yet to plan. Losing that
//! memory loses nothing: the sweep asks every feed by its own cursor.

use std::collections::BTreeSet;
use std::time::Instant;

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
    /// How far the sweep under way has come, by feed.
    sweep: Option<i64>,
    last_sweep: Option<Instant>,
    clock: Clock,
}

/// What one step of a walk found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What was planned.
    pub planned: Planned,
    /// Syncs that are due and that nobody has leased.
    pub due: usize,
    /// The receiver is paused, and due a probe.
    pub probe: bool,
    /// There is more to plan at once.
    pub more: bool,
}

/// What a look found.
struct Look {
    due: usize,
    free: usize,
    paused: bool,
    probe: bool,
}

impl Walk {
    /// Has looked at nothing yet, so that its first step begins a sweep.
    pub fn new(clock: Clock) -> Self {
        Self {
            seen: None,
            pending: BTreeSet::new(),
            sweep: None,
            last_sweep: None,
            clock,
        }
    }

    /// These properties' feeds may have news: their syncs were settled.
    pub fn notice(&mut self, properties: impl IntoIterator<Item = i64>) {
        self.pending.extend(properties);
    }

    /// Looks, then plans at most one batch.
    pub async fn step(
        &mut self,
        conn: &mut PgConnection,
        scope: Scope<'_>,
        sweep_every: std::time::Duration,
    ) -> Result<Step> {
        let look = self.look(conn, &scope.receiver.name).await?;
        if self.last_sweep.is_none_or(|last| last.elapsed() >= sweep_every) {
            self.begin_sweep(conn, scope).await?;
        }
        let ahead = (SEALED_AHEAD * scope.receiver.concurrency_max).max(SEALED_AHEAD_MIN);
        let room = match (look.paused, look.probe, look.due) {
            // A probe needs one sync to send.
            (true, true, 0) => 1,
            (true, ..) => 0,
            (false, ..) => ahead.saturating_sub(look.due),
        };
        let planned = self.plan(conn, scope, room).await?;
        Ok(Step {
            planned,
            due: if look.paused { 0 } else { look.free + planned.syncs },
            probe: look.probe && look.due + planned.syncs > 0,
            more: room > 0 && !planned.elsewhere && (self.sweep.is_some() || !self.pending.is_empty()),
        })
    }

    async fn look(&mut self, conn: &mut PgConnection, receiver: &str) -> Result<Look> {
        type Row = (String, Vec<Option<i64>>, i64, i64, bool, bool);
        let (seen, touched, due, free, paused, probe): Row = sqlx::query_as(include_str!("../../sql/plan/look.sql"))
            .bind(receiver)
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
        Ok(Look {
            due: usize::try_from(due)?,
            free: usize::try_from(free)?,
            paused,
            probe,
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

    /// One batch: of the properties with notices, else of the sweep.
    async fn plan(&mut self, conn: &mut PgConnection, scope: Scope<'_>, room: usize) -> Result<Planned> {
        if room == 0 {
            return Ok(Planned::default());
        }
        let now = self.clock.now();
        if !self.pending.is_empty() {
            let noticed: Vec<i64> = self.pending.iter().take(room).copied().collect();
            if scope.receiver.enroll == Enroll::Active {
                enroll(conn, scope.receiver, Some(&noticed)).await?;
            }
            let planned = plan_batch(conn, scope, &Where::Properties(&noticed), 0, room, now).await?;
            // A batch cut short leaves its feeds for the next step; done ones are found without news then.
            if planned.more_after.is_none() && !planned.elsewhere {
                noticed.iter().for_each(|property_id| {
                    self.pending.remove(property_id);
                });
            }
            return Ok(planned);
        }
        let Some(after) = self.sweep else {
            return Ok(Planned::default());
        };
        let planned = plan_batch(conn, scope, &Where::Everywhere, after, room, now).await?;
        if !planned.elsewhere {
            self.sweep = planned.more_after;
        }
        Ok(planned)
    }
}

/// Makes the receiver known to the database, and has every feed compared where the settings that shape a unit changed.
pub async fn register(conn: &mut PgConnection, scope: Scope<'_>) -> Result<()> {
    let receiver = scope.receiver;
    let shape = format!("{:?} {:?}", scope.available_status_ids, receiver.property_groups);
    sqlx::query(include_str!("../../sql/plan/register_receiver.sql"))
        .bind(&receiver.name)
        .bind(hex::encode(Sha256::digest(shape)))
        .execute(conn)
        .await
        .with_context(|| format!("registering receiver {}", receiver.name))?;
    Ok(())
}
