//! Whether a feed's digest will be true once its next sync is applied.
//!
//! It is while nothing of the property is owed, in doubt or withheld: then the receiver equals the source. What the plan does
//! not read counts as it stands.

use super::chosen::ChosenFeed;
use crate::delta::LedgerRow;

/// What of a feed is owed or withheld: so far, and with what the plan does about it, afterwards.
#[derive(Clone, Copy)]
pub(super) struct Unsettled {
    /// Owed units of the feed, counted no further than one beyond those that a plan reads.
    owed_before: i64,
    /// Owed units that were read; there may be more.
    pub owed_read: i64,
    /// Units that were read and are owed afterwards.
    owed: i64,
    /// Units of the feed that are withheld afterwards.
    withheld: i64,
}

/// How one unit stands in the ledger.
#[derive(Clone, Copy)]
pub(super) struct UnitState {
    owed: bool,
    withheld: bool,
}

impl UnitState {
    pub fn of(row: Option<&LedgerRow>) -> Self {
        Self {
            owed: row.is_some_and(LedgerRow::is_owed),
            withheld: row.is_some_and(|row| row.withheld.is_some()),
        }
    }
}

impl Unsettled {
    pub fn of(feed: &ChosenFeed) -> Self {
        Self {
            owed_before: feed.owed,
            owed_read: 0,
            owed: 0,
            withheld: feed.withheld,
        }
    }

    /// A unit is looked at.
    pub fn read(&mut self, row: Option<&LedgerRow>) {
        let owed = i64::from(UnitState::of(row).owed);
        self.owed_read += owed;
        self.owed += owed;
    }

    /// The ledger's row of a unit that was read stands otherwise.
    pub fn becomes(&mut self, before: UnitState, after: UnitState) {
        self.owed += i64::from(after.owed) - i64::from(before.owed);
        self.withheld += i64::from(after.withheld) - i64::from(before.withheld);
    }

    /// It is sealed, or forgotten.
    pub fn settles(&mut self, before: Option<&LedgerRow>) {
        self.becomes(UnitState::of(before), UnitState::of(None));
    }

    /// Something is left.
    pub fn is_any(self) -> bool {
        self.withheld != 0 || self.owed != 0 || self.owed_before > self.owed_read
    }
}
