//! A unit that is upserted, and the bisected among them: units of a sync that the receiver rejected.

use std::cmp::Ordering;

use crate::delta::{LastSealed, LedgerRow};
use crate::payload::{Hash, RemovalReason, SealableUnit};

/// A unit that is upserted.
pub(crate) struct Upsert {
    pub unit: SealableUnit,
    /// It went, and is sealed as unavailable.
    pub removed: Option<RemovalReason>,
    /// What the receiver held before.
    pub before: Option<Hash>,
    /// A snapshot repeats what the receiver acknowledged: the ledger has it already, and a snapshot that is lost leaves no doubt
    /// about it.
    pub is_repeat: bool,
    /// The ledger has no row of it yet.
    pub is_new: bool,
}

impl Upsert {
    /// Beside what was sealed last.
    pub fn news(&self) -> News {
        match self.before {
            None => News::New,
            Some(before) if before == self.unit.hash => News::Again,
            Some(_) => News::Changed,
        }
    }

    /// What the ledger says once it is sealed.
    pub fn last_sealed(&self, sequence: i64) -> LastSealed {
        match self.removed {
            Some(reason) => LastSealed::Unavailable(reason, self.unit.hash, sequence),
            None => LastSealed::Content(self.unit.hash, sequence),
        }
    }
}

/// What an upsert is to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It has nothing of it.
    New,
    /// Another content was sealed last.
    Changed,
    /// The same was sealed last.
    Again,
}

/// Something of the group that is sealed by itself next: that which was halved last.
pub(super) enum BisectedUnit {
    Upsert(Upsert, LedgerRow),
    Remove(RemovalReason, LedgerRow),
}

/// Only that group is held: the others stay owed. So the smallest go first, and something of a property is acknowledged soon.
#[derive(Default)]
pub(super) struct Bisected {
    group: i64,
    held: Vec<BisectedUnit>,
}

impl Bisected {
    pub fn set_aside(&mut self, bisected: BisectedUnit) {
        let (BisectedUnit::Upsert(_, row) | BisectedUnit::Remove(_, row)) = &bisected;
        let group = row.bisection.unwrap_or_default();
        match group.cmp(&self.group) {
            _ if self.held.is_empty() => (self.group, self.held) = (group, vec![bisected]),
            Ordering::Less => {}
            Ordering::Equal => self.held.push(bisected),
            Ordering::Greater => (self.group, self.held) = (group, vec![bisected]),
        }
    }

    pub fn is_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// One of them is not gone.
    pub fn any_lives(&self) -> bool {
        self.held
            .iter()
            .any(|bisected| matches!(bisected, BisectedUnit::Upsert(..)))
    }

    pub fn take(&mut self) -> Vec<BisectedUnit> {
        std::mem::take(&mut self.held)
    }
}
