//! What planning is asked and what it says: who is planned for, which batch, how it compares, and what came of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::config::Receiver;
use crate::payload::Shape;

/// How many feeds one transaction plans at most.
pub(crate) const FEEDS_PER_BATCH_MAX: i64 = 256;
/// How many units one transaction looks at, unless a single feed has more: what bounds the relay's memory.
pub(super) const UNITS_PER_BATCH_MAX: i64 = 10_000;

/// Where to look for news.
#[derive(Clone, Copy, Debug)]
pub enum PlanTarget<'a> {
    /// Every feed, by its own cursor.
    Everywhere,
    /// The feeds of these properties.
    Properties(&'a [i64]),
}

impl<'a> PlanTarget<'a> {
    /// None: all.
    pub(super) fn properties(self) -> Option<&'a [i64]> {
        match self {
            Self::Everywhere => None,
            Self::Properties(properties) => Some(properties),
        }
    }
}

/// Who is planned for, and how that receiver wants its bodies.
pub struct Scope {
    /// The receiver.
    pub receiver: Receiver,
    /// What its bodies look like.
    pub shape: Shape,
}

impl Scope {
    /// Of a receiver's settings and the statuses that mean available.
    pub fn new(receiver: &Receiver, available_status_ids: &[i64]) -> Self {
        Self {
            receiver: receiver.clone(),
            shape: Shape::new(receiver, available_status_ids),
        }
    }

    /// A plan for it in this transaction.
    pub(crate) fn plan_in<'a>(&'a self, conn: &'a mut PgConnection, now: Option<DateTime<Utc>>) -> PlanTx<'a> {
        PlanTx { conn, scope: self, now }
    }

    /// The same, were one request to hold everything.
    pub(super) fn unlimited(&self) -> Self {
        Self {
            receiver: Receiver {
                units_per_request_max: u32::MAX as usize,
                body_bytes_max: usize::MAX / 2,
                ..self.receiver.clone()
            },
            shape: self.shape.clone(),
        }
    }
}

/// What the steps of one plan share: its transaction, who is planned for, and the time it goes by.
pub(crate) struct PlanTx<'a> {
    pub conn: &'a mut PgConnection,
    pub scope: &'a Scope,
    /// None: by the database's clock.
    pub now: Option<DateTime<Utc>>,
}

/// What one batch is to plan.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Where to look for news.
    pub place: PlanTarget<'a>,
    /// Only feeds beyond this one.
    pub after: i64,
    /// At most so many feeds.
    pub feeds_max: usize,
    /// The receiver is paused, this is to find out whether it answers again; the next probe is this much later.
    pub probe: Option<Duration>,
    /// The relay that plans, by its row.
    pub relay: i64,
    /// None: by the database's clock.
    pub now: Option<DateTime<Utc>>,
}

/// What one batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Feeds looked at.
    pub feeds: usize,
    /// Syncs sealed.
    pub syncs: usize,
    /// Units upserted in them.
    pub units: usize,
    /// Units removed in them.
    pub removed_units: usize,
    /// There may be more feeds beyond this one.
    pub more_after: Option<i64>,
    /// Another relay plans for this receiver, or a command marks; nothing was done.
    pub without_right: bool,
}

impl Planned {
    pub(super) fn without_right() -> Self {
        Self {
            without_right: true,
            ..Self::default()
        }
    }
}

/// What kind of comparison it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What differs or is owed.
    Delta,
    /// Everything, sealed again as deltas: absence can't be read, or something absent must not be dropped.
    ResendAll,
    /// Everything; what is absent is gone.
    Snapshot,
    /// One part of a snapshot whose parts are known.
    Part,
}

impl Mode {
    /// Every unit on either side is looked at.
    pub fn is_whole(self, feed_is_whole: bool) -> bool {
        self != Self::Delta || feed_is_whole
    }

    /// A full comparison that no change asked for.
    pub fn finds_drift(self, feed_is_whole: bool) -> bool {
        matches!(self, Self::Snapshot | Self::ResendAll) && !feed_is_whole
    }
}
