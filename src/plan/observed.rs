//! What comparing a feed finds beside what is told: drift, codes that may repeat, units that are back or can't be told.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::delta::{LedgerRow, Present};
use crate::payload::Hash;

/// A difference that no change announced: a bypassed trigger, a joined table.
pub(crate) struct Drift {
    /// None: the property's own fields.
    pub unit_id: Option<i64>,
    pub ledger_hash: Option<Hash>,
    pub source_hash: Option<Hash>,
}

/// Units that came to be invalid, and that no longer are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turned {
    pub invalid: i64,
    pub well: i64,
}

/// Units that are back before anybody decided about their removal.
#[derive(Clone, Copy, Default)]
pub(crate) struct Back {
    pub held: i64,
    pub guarded: i64,
}

impl Back {
    pub fn is_any(self) -> bool {
        self.held + self.guarded > 0
    }
}

/// Removals that are told for the first time and that nobody approved, by what they count for.
#[derive(Clone, Copy, Default)]
pub(crate) struct FirstTold {
    /// Deleted or moved.
    pub units: i64,
    /// Gone because the whole property is no longer covered.
    pub uncovered: i64,
}

/// What a comparison saw of one feed's codes.
#[derive(Default)]
pub(crate) struct Codes {
    /// Of all that came, where everything is compared: eight bytes each.
    seen: HashSet<u64>,
    /// Several units may carry one code.
    may_repeat: bool,
}

impl Codes {
    /// A unit of a feed that is compared whole.
    pub fn see_one_of_all(&mut self, source: &Present) {
        let code = match source {
            _ if self.may_repeat => return,
            Present::Absent(_) => return,
            Present::Content(unit) => unit.code.as_deref(),
            // Its code isn't known here.
            Present::Invalid(_) => return self.may_repeat = true,
        };
        if let Some(code) = code.filter(|code| !code.trim().is_empty()) {
            let mut hasher = DefaultHasher::new();
            code.hash(&mut hasher);
            self.may_repeat = !self.seen.insert(hasher.finish());
        }
    }

    /// A unit of a feed of which only some are looked at: touched ones, and ones that are owed. What is owed and was not
    /// touched was seen when it was.
    pub fn see_one_of_some(&mut self, source: &Present, ledger: Option<&LedgerRow>, is_touched: impl FnOnce() -> bool) {
        let stands = match (source, ledger) {
            (Present::Content(unit), Some(row)) => row.has_settled_on(unit),
            (Present::Absent(_), None) => true,
            _ => false,
        };
        self.may_repeat = self.may_repeat || (!stands && is_touched());
    }
    /// Several units may carry one code.
    pub fn may_repeat(&self) -> bool {
        self.may_repeat
    }
}
