//! What is gone from the source, or from this property: how it is sealed, or what it waits for.

use std::mem;

use anyhow::Result;

use super::choose::owed_per_feed_max;
use super::feed_delta::FeedDelta;
use super::scope::{Mode, Scope};
use super::upsert::Upsert;
use crate::delta::{LastSealed, LedgerRow, Withholding};
use crate::payload::{Removal, RemovalReason};
use crate::states::{Owed, Withheld};

impl FeedDelta {
    /// What waits for a person stays as it was sealed.
    pub(super) fn hold_back(&mut self) {
        let (held, leaving): (Vec<_>, Vec<_>) = mem::take(&mut self.leaving)
            .into_iter()
            .partition(|(_, row)| self.held.contains_key(&row.unit_id));
        self.leaving = leaving;
        for (_, row) in held {
            let why = &self.held[&row.unit_id];
            match row.is_withheld(why.kind) {
                true => self.keep.push(row.unit_id),
                false => self.withhold(row.unit_id, Some(row), why.kind, why.because.clone()),
            }
        }
    }

    pub(super) fn add_removals(&mut self, scope: &Scope) -> Result<()> {
        if self.is_unspeakable {
            for (_, row) in mem::take(&mut self.leaving) {
                let because = self.objection.clone().unwrap_or_default();
                self.keep_removal_back(row, because);
            }
        } else if !scope.shape.removals_are_sent() {
            for (reason, row) in mem::take(&mut self.leaving) {
                self.unavailable(reason, row, scope)?;
            }
        } else if self.mode == Mode::Snapshot {
            for (reason, row) in mem::take(&mut self.leaving) {
                self.note_gone(reason, &row);
                self.absent.push((reason, row));
            }
        }
        self.remove_leaving(scope);
        Ok(())
    }

    /// The receiver no longer holds it, once it has this.
    fn note_gone(&mut self, reason: RemovalReason, row: &LedgerRow) {
        self.unsettled.settles(Some(row));
        if let Some(before) = row.last_sealed.hash() {
            self.digest.toggle(row.unit_id, before);
        }
        self.units -= i64::from(matches!(row.last_sealed, LastSealed::Content(..)));
        self.note_first_removal(reason, row);
    }

    pub(super) fn note_first_removal(&mut self, reason: RemovalReason, row: &LedgerRow) {
        if row.is_removed_unasked() {
            match reason {
                RemovalReason::Deleted | RemovalReason::Moved => self.observed.first_removals.units += 1,
                RemovalReason::PropertyInactive | RemovalReason::FeedDisabled => {
                    self.observed.first_removals.uncovered += 1
                }
            }
        }
    }

    /// Whether it would be news to the receiver that this property has it, while another still has it there.
    pub(super) fn is_elsewhere(&self, unit_id: i64, ledger: Option<&LedgerRow>) -> bool {
        let lives_here = ledger.is_some_and(|row| matches!(row.last_sealed, LastSealed::Content(..)));
        !lives_here && self.elsewhere.contains_key(&unit_id)
    }

    /// It was sealed here as unavailable, and lives under another property by now: said again, that would overwrite it there.
    pub(super) fn has_moved_on(&self, unit_id: i64, ledger: Option<&LedgerRow>) -> bool {
        let is_gone = ledger.is_some_and(|row| matches!(row.last_sealed, LastSealed::Unavailable(..)));
        is_gone && self.elsewhere.get(&unit_id) == Some(&true)
    }

    pub(super) fn unavailable(&mut self, reason: RemovalReason, row: LedgerRow, scope: &Scope) -> Result<()> {
        let (code, content) = (row.unit_code.as_deref(), row.content.as_deref());
        let unit = scope.shape.unavailable(row.unit_id, code, content, &self.property)?;
        if let Some(because) = scope.shape.too_large(&unit, &self.property) {
            self.keep_removal_back(row, because);
            return Ok(());
        }
        let upsert = Upsert {
            is_repeat: false,
            is_new: false,
            before: row.last_sealed.hash().copied(),
            unit,
            removed: Some(reason),
        };
        self.upsert(upsert, Some(row), scope);
        Ok(())
    }

    /// Removals go last, and only once everything living is sealed: then no living unit has a removed one's code at the
    /// receiver any more, except one that is named as its replacement. Those in doubt come first, because the code that
    /// the receiver has for them is in doubt as well.
    fn remove_leaving(&mut self, scope: &Scope) {
        let mut leaving = mem::take(&mut self.leaving);
        // Of the owed that were not read some may be living; but where all that were read are gone, they have to go.
        self.room.crowded |= self.unsettled.owed_read >= owed_per_feed_max(&scope.receiver) && !self.upserts.is_empty();
        // A bisected that lives may still have a removed one's code at the receiver.
        self.room.crowded |= self.bisected.any_lives();
        leaving.sort_unstable_by_key(|(_, row)| (row.owed.is_none(), row.unit_id));
        for (reason, row) in leaving {
            self.remove(reason, row, scope);
        }
    }

    pub(super) fn remove(&mut self, reason: RemovalReason, row: LedgerRow, scope: &Scope) {
        let bytes = scope.shape.removal_bytes(row.unit_code.as_deref(), &self.property);
        if self.room.crowded || !self.fits(bytes, scope) {
            self.room.left_over = true;
            return self.owe(row.unit_id, Some(row), Owed::Removal);
        }
        self.note_gone(reason, &row);
        self.replay &= row.owed == Some(Owed::Replay);
        self.remove.push(Removal {
            unit_id: row.unit_id,
            unit_code: row.unit_code,
            replaced_by: None,
            reason,
        });
    }

    /// It is gone, and nothing can say so.
    fn keep_removal_back(&mut self, row: LedgerRow, because: String) {
        let is_noted = |kept: &Withholding| kept.kind == Withheld::Invalid && kept.because == because;
        if row.withheld.as_ref().is_some_and(is_noted) {
            return self.keep.push(row.unit_id);
        }
        self.observed.validity.invalid += i64::from(!row.is_withheld(Withheld::Invalid));
        self.withhold(row.unit_id, Some(row), Withheld::Invalid, because);
    }
}
