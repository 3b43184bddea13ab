//! What comparing a feed finds beside what is sealed: drift, codes that may repeat, units that are back or can't be sealed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::chosen::ChosenFeed;
use super::scope::Mode;
use crate::delta::{ChangeRules, LedgerRow, Present, Verdict, verdict};
use crate::payload::Hash;
use crate::states::Withheld;

/// Of one feed.
#[derive(Default)]
pub(crate) struct Observed {
    pub drift: Vec<Drift>,
    /// Units that waited for a person and are back.
    pub back: ReturnedUnits,
    /// Units that can't be sealed any more, or can again.
    pub validity: ValidityChanges,
    /// A unit that is looked at was refused so far: it may be so no longer.
    pub was_refused: bool,
    /// What was seen of the units' codes.
    pub codes: Codes,
    /// Removals that are sealed for the first time.
    pub first_removals: FirstRemovals,
}

/// How a unit is looked at.
pub(super) struct Look<'a> {
    pub feed: &'a ChosenFeed,
    pub mode: Mode,
    pub rules: ChangeRules,
}

impl Observed {
    /// A unit's two sides.
    pub(super) fn unit(&mut self, unit_id: i64, source: &Present, ledger: Option<&LedgerRow>, look: &Look<'_>) {
        if look.mode.finds_drift(look.feed.whole) {
            self.notice_drift(source, ledger, look);
        }
        self.notice_back(source, ledger);
        self.notice_turned(source, ledger);
        match look.mode.is_whole(look.feed.whole) {
            true => self.codes.see_one_of_all(source),
            false => self
                .codes
                .see_one_of_some(source, ledger, || look.feed.touched.contains(&unit_id)),
        }
    }

    /// The property's own fields differ, and were looked at though no change had asked for it.
    pub(super) fn property(&mut self, feed: &ChosenFeed, source_hash: Hash) {
        if feed.uncovered.is_none() && feed.property_hash.is_some() && !feed.property_owed {
            self.drift.push(Drift {
                unit_id: None,
                ledger_hash: feed.property_hash,
                source_hash: Some(source_hash),
            });
        }
    }

    fn notice_back(&mut self, source: &Present, ledger: Option<&LedgerRow>) {
        let is_withheld = |kind| ledger.is_some_and(|row| row.is_withheld(kind));
        if !matches!(source, Present::Absent(_)) {
            self.back.held += i64::from(is_withheld(Withheld::Held));
            self.back.guarded += i64::from(is_withheld(Withheld::Guarded));
        }
    }

    fn notice_turned(&mut self, source: &Present, ledger: Option<&LedgerRow>) {
        let is_invalid = matches!(source, Present::Invalid(_));
        let was_invalid = ledger.is_some_and(|row| row.is_withheld(Withheld::Invalid));
        self.validity.invalid += i64::from(is_invalid && !was_invalid);
        self.validity.valid += i64::from(was_invalid && !is_invalid);
        self.was_refused |= ledger.is_some_and(|row| row.is_withheld(Withheld::Refused));
    }

    /// A full comparison that nothing asked for finds what no change announced.
    fn notice_drift(&mut self, source: &Present, ledger: Option<&LedgerRow>, look: &Look<'_>) {
        let unit_id = match (source, ledger) {
            (Present::Content(unit), _) => unit.unit_id,
            (_, Some(row)) => row.unit_id,
            (_, None) => return,
        };
        let usual = ChangeRules {
            resend_all: false,
            ..look.rules
        };
        let differs = matches!(verdict(source, ledger, usual), Verdict::Upsert | Verdict::Remove(_));
        let waits = |row: &LedgerRow| row.owed.is_some() || row.is_on_hold() || row.is_withheld(Withheld::Elsewhere);
        let announced = ledger.is_some_and(waits) || look.feed.touched.contains(&unit_id);
        if differs && !announced {
            self.drift.push(Drift {
                unit_id: Some(unit_id),
                ledger_hash: ledger.and_then(|row| row.last_sealed.hash().copied()),
                source_hash: match source {
                    Present::Content(unit) => Some(unit.hash),
                    Present::Invalid(_) | Present::Absent(_) => None,
                },
            });
        }
    }
}

/// A difference that no change announced: a bypassed trigger, a joined table.
pub(crate) struct Drift {
    /// None: the property's own fields.
    pub unit_id: Option<i64>,
    pub ledger_hash: Option<Hash>,
    pub source_hash: Option<Hash>,
}

/// Units that came to be invalid, and that no longer are.
#[derive(Clone, Copy, Default)]
pub(crate) struct ValidityChanges {
    pub invalid: i64,
    pub valid: i64,
}

/// Units that are back before anybody decided about their removal.
#[derive(Clone, Copy, Default)]
pub(crate) struct ReturnedUnits {
    pub held: i64,
    pub guarded: i64,
}

impl ReturnedUnits {
    pub fn is_any(self) -> bool {
        self.held + self.guarded > 0
    }
}

/// Removals that are sealed for the first time and that nobody approved, by what they count for.
#[derive(Clone, Copy, Default)]
pub(crate) struct FirstRemovals {
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
