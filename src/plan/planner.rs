//! Finding feeds with news: notices for speed, the sweep for truth.
//!
//! A planner remembers in memory up to which snapshot it has looked and which properties it has yet to plan. Losing that
//! memory loses nothing: the sweep asks every feed by its own cursor.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::{FromRow, PgConnection};

use super::batch::plan_batch;
use super::choose::{enroll, has_news};
use super::pending::Pending;
use super::right::{Ended, Right};
use super::scope::{Batch, FEEDS_PER_BATCH_MAX, PlanTarget, Planned, Scope};
use super::sealed_ahead::SealedAhead;
use super::tidy;
use crate::clock::Clock;
use crate::config::{self, Enroll, UnitIdentity};
use crate::heartbeat::Registration;
use crate::policy;

/// What is due because time passes is found no later than so, though nothing else happens.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Plans that were made for less are good for no table of that size.
const TABLES_BYTES_MIN: i64 = 1 << 20;
/// As long as batches seal nothing, the next are larger, up to this many times.
const WIDENED_MAX: usize = 8;

/// One receiver's planner between two ticks.
pub struct Planner {
    /// The snapshot up to which changes have been looked for.
    seen: Option<String>,
    /// None while something is due: how soon it can be sent is not the database's to say.
    last_look: Option<Instant>,
    /// Properties with news that are yet to be planned.
    pending: Pending,
    /// How far the sweep under way has come, by feed.
    sweep: Option<i64>,
    /// Whose turn it was last, where both notices and a sweep have something to plan.
    swept_last: bool,
    last_sweep: Option<Instant>,
    /// What holds go by was counted since it began.
    counted: bool,
    /// How much more than the room is planned: a batch that sealed nothing took none of it.
    widened: usize,
    ahead: SealedAhead,
    /// Properties whose syncs were settled: they have a feed.
    enrolled: HashSet<i64>,
    /// How large the tables were when the connection's statements were planned, at least.
    planned_for: i64,
    clock: Clock,
    relay: Arc<Registration>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Syncs that are due and that nobody has leased; while the receiver is paused, probes.
    pub free: usize,
    /// A snapshot run is under way.
    pub snapshot_runs: bool,
    /// How many syncs are due, leased or not.
    due: usize,
    /// How many more feeds may be planned.
    room: usize,
    /// The receiver is paused, and due a probe; the next is due after this.
    probe: Option<Duration>,
}

/// What `sql/plan/look.sql` says.
#[derive(FromRow)]
struct Seen {
    snapshot: String,
    /// None: every property.
    touched: Vec<Option<i64>>,
    /// Syncs that are due.
    due: i64,
    /// Of these, those that nobody has leased.
    free: i64,
    is_paused: bool,
    probe_is_due: bool,
    /// That failed so far.
    probes: i32,
    snapshot_runs: bool,
}

/// What one step of a planner found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What the look found.
    pub look: Look,
    /// What was planned.
    pub planned: Planned,
    /// There is more to plan at once.
    pub more: bool,
}

impl Planner {
    /// Has looked at nothing yet, so that its first step begins a sweep.
    pub fn new(clock: Clock, relay: Arc<Registration>) -> Self {
        Self {
            seen: None,
            last_look: None,
            pending: Pending::default(),
            sweep: None,
            swept_last: false,
            last_sweep: None,
            counted: false,
            widened: 1,
            ahead: SealedAhead::default(),
            enrolled: HashSet::new(),
            planned_for: TABLES_BYTES_MIN,
            clock,
            relay,
        }
    }

    /// These properties' feeds may have news: their syncs were settled.
    pub fn notice(&mut self, properties: impl IntoIterator<Item = i64>) {
        let properties: Vec<i64> = properties.into_iter().collect();
        self.enrolled.extend(&properties);
        self.pending.settle(properties);
    }

    /// Up to where it has looked says nothing on another connection: the server may have been set back. A sweep finds what
    /// there is.
    pub fn look_anew(&mut self) {
        self.seen = None;
        self.last_sweep = None;
        self.enrolled.clear();
        self.planned_for = TABLES_BYTES_MIN;
    }

    /// Some feeds are yet to be looked at: what failed among them may fail again.
    pub fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// Another look would see what the last one saw: there is nothing to plan, and by the server's present snapshot no transaction has
    /// ended since. Of a server where none does, that is nearly every look.
    pub fn is_at_rest(&self, snapshot: &str, sweep_every: Duration) -> bool {
        let is_recent = |last: Option<Instant>, every| last.is_some_and(|last| last.elapsed() < every);
        self.seen.as_deref() == Some(snapshot)
            && self.pending.is_empty()
            && self.sweep.is_none()
            && is_recent(self.last_look, LOOK_EVERY)
            && is_recent(self.last_sweep, sweep_every)
    }

    /// Looks, then plans at most one batch.
    pub async fn step(&mut self, conn: &mut PgConnection, scope: &Scope, sweep_every: Duration) -> Result<Step> {
        let look = self.look(conn, scope).await?;
        self.plan(conn, scope, look, sweep_every).await
    }

    /// Finds out which properties have news and how the receiver stands.
    pub async fn look(&mut self, conn: &mut PgConnection, scope: &Scope) -> Result<Look> {
        let seen: Seen = sqlx::query_as(include_str!("../../sql/plan/look.sql"))
            .bind(&scope.receiver.name)
            .bind(&self.seen)
            .bind(self.clock.now())
            .fetch_one(conn)
            .await
            .context("looking for changes")?;
        self.seen = Some(seen.snapshot);
        self.last_look = (seen.due == 0).then(Instant::now);
        if seen.touched.contains(&None) {
            self.last_sweep = None;
        }
        self.pending.touch(seen.touched.into_iter().flatten());
        let (receiver, due) = (&scope.receiver, usize::try_from(seen.due)?);
        let batch_max = usize::try_from(FEEDS_PER_BATCH_MAX)?;
        let room = self.ahead.room(due, receiver.concurrency_max, batch_max);
        let probes = seen.probes.unsigned_abs() + 1;
        Ok(Look {
            free: usize::try_from(seen.free)?,
            snapshot_runs: seen.snapshot_runs,
            due,
            room: match (seen.is_paused, seen.probe_is_due && due == 0) {
                (true, probe) => usize::from(probe),
                // One request carries many properties.
                (false, _) if receiver.batch == config::Batch::AllProperties && room > 0 => batch_max,
                (false, _) => room,
            },
            probe: seen
                .is_paused
                .then(|| policy::rest_after(probes, &receiver.retry, receiver.breaker.probe_every)),
        })
    }

    /// Plans at most one batch, within the room that the look left.
    pub async fn plan(
        &mut self,
        conn: &mut PgConnection,
        scope: &Scope,
        look: Look,
        sweep_every: Duration,
    ) -> Result<Step> {
        // A probe is the sweep's, which finds one that did not fail: what was noticed may be none but those that did.
        let is_probe = look.room > 0 && look.probe.is_some();
        let is_due = self.last_sweep.is_none_or(|last| last.elapsed() >= sweep_every);
        if self.sweep.is_none() && (is_due || is_probe && !self.pending.is_empty()) {
            self.begin_sweep(conn, scope).await?;
        }
        let look = self.widen(look);
        let planned = match (look.room, self.pending.is_empty(), self.sweep) {
            (0, ..) | (_, true, None) => Planned::default(),
            (_, _, Some(after)) if is_probe => self.plan_sweep(conn, scope, after, look).await?,
            (_, false, None) => self.plan_noticed(conn, scope, look).await?,
            (_, false, Some(_)) if self.swept_last => self.plan_noticed(conn, scope, look).await?,
            (_, _, Some(after)) => self.plan_sweep(conn, scope, after, look).await?,
        };
        self.ahead.sealed(planned.syncs, look.room);
        let is_full = planned.feeds >= look.room && planned.syncs == 0;
        self.widened = if is_full {
            (self.widened * 2).min(WIDENED_MAX)
        } else {
            1
        };
        Ok(Step {
            look,
            planned,
            more: look.room > 0 && !planned.without_right && (self.sweep.is_some() || !self.pending.is_empty()),
        })
    }

    /// A backlog of which nothing is sealed, such as a source that went empty or came back, is looked at in larger batches.
    fn widen(&self, look: Look) -> Look {
        match look.probe {
            // What is sealed waits already.
            None if look.due == 0 => Look {
                room: look.room * self.widened,
                ..look
            },
            _ => look,
        }
    }

    async fn begin_sweep(&mut self, conn: &mut PgConnection, scope: &Scope) -> Result<()> {
        if scope.receiver.enroll == Enroll::Active {
            enroll(conn, &scope.receiver, None).await?;
        }
        if scope.receiver.unit_identity == UnitIdentity::Global {
            release_elsewhere(conn, scope).await?;
        }
        self.tidy(conn, scope).await?;
        self.sweep = Some(0);
        self.last_sweep = Some(Instant::now());
        Ok(())
    }

    /// Plans are kept, and chosen by how large the tables are, which are empty in the beginning. Whenever they have doubled the
    /// statements are planned anew.
    async fn renew_plans(&mut self, conn: &mut PgConnection) -> Result<()> {
        let bytes: i64 = sqlx::query_scalar(include_str!("../../sql/plan/table_bytes.sql"))
            .fetch_one(&mut *conn)
            .await?;
        if bytes > 2 * self.planned_for {
            sqlx::raw_sql(include_str!("../../sql/plan/discard_plans.sql"))
                .execute(conn)
                .await?;
            self.planned_for = bytes;
        }
        Ok(())
    }

    /// Whoever plans just now does it as well.
    async fn tidy(&mut self, conn: &mut PgConnection, scope: &Scope) -> Result<()> {
        let Some(right) = Right::take(conn, &scope.receiver.name, self.relay.id()).await? else {
            return Ok(());
        };
        let tidied = tidy::tidy(conn, scope, &right, !self.counted, self.clock.now()).await;
        // It is no plan: those are what progress is seen by.
        right.give_back(conn, Ended::Failed).await?;
        self.counted |= tidied?;
        Ok(())
    }

    async fn plan_noticed(&mut self, conn: &mut PgConnection, scope: &Scope, look: Look) -> Result<Planned> {
        self.swept_last = false;
        let noticed = self.next_noticed(conn, scope, look).await?;
        if noticed.is_empty() {
            return Ok(Planned::default());
        }
        let unknown: Vec<i64> = noticed
            .iter()
            .copied()
            .filter(|id| !self.enrolled.contains(id))
            .collect();
        if scope.receiver.enroll == Enroll::Active && !unknown.is_empty() {
            enroll(conn, &scope.receiver, Some(&unknown)).await?;
        }
        let batch = self.batch(PlanTarget::Properties(&noticed), 0, look);
        let planned = plan_batch(conn, scope, &batch).await?;
        // A batch cut short leaves its feeds for the next step; done ones are found without news then.
        if planned.more_after.is_none() && !planned.without_right {
            self.pending.remove(&noticed);
        }
        Ok(planned)
    }

    /// Most of what was settled, and not touched since, has no more news: one statement says so, where a plan takes many.
    async fn next_noticed(&mut self, conn: &mut PgConnection, scope: &Scope, look: Look) -> Result<Vec<i64>> {
        loop {
            let noticed = self.pending.next(look.room);
            let batch = self.batch(PlanTarget::Properties(&noticed), 0, look);
            if noticed.is_empty()
                || self.pending.is_any_touched(&noticed)
                || has_news(conn, &scope.receiver, &batch).await?
            {
                return Ok(noticed);
            }
            self.pending.remove(&noticed);
        }
    }

    async fn plan_sweep(&mut self, conn: &mut PgConnection, scope: &Scope, after: i64, look: Look) -> Result<Planned> {
        // Also where it fails: what was noticed has its turn all the same.
        self.swept_last = true;
        self.renew_plans(conn).await?;
        let planned = plan_batch(conn, scope, &self.batch(PlanTarget::Everywhere, after, look)).await?;
        if !planned.without_right {
            self.sweep = planned.more_after;
            // Nobody had anything to be probed with, whoever was noticed.
            if look.probe.is_some() && self.sweep.is_none() && planned.syncs == 0 {
                self.pending = Pending::default();
            }
        }
        Ok(planned)
    }

    fn batch<'a>(&self, place: PlanTarget<'a>, after: i64, look: Look) -> Batch<'a> {
        Batch {
            place,
            after,
            feeds_max: look.room,
            probe: look.probe,
            relay: self.relay.id(),
            now: self.clock.now(),
        }
    }
}

/// Which transactions of the server have ended.
pub async fn current_snapshot(conn: &mut PgConnection) -> Result<String> {
    sqlx::query_scalar(include_str!("../../sql/plan/current_snapshot.sql"))
        .fetch_one(conn)
        .await
        .context("looking for changes")
}

/// What was withheld by a plan that could not see yet that the other feed had let go: delivering, which looks at every
/// acknowledgement, could not see that plan either.
async fn release_elsewhere(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    sqlx::query(include_str!("../../sql/deliver/release_elsewhere.sql"))
        .bind(&scope.receiver.name)
        .execute(conn)
        .await
        .context("releasing units that were withheld")?;
    Ok(())
}
