//! What one feed's next sync says: gathered unit by unit, in the order of unit ids.
//!
//! Holds what fits one request. What doesn't fit a delta is owed; a snapshot that doesn't fit only notes which units go
//! into which part, to be read again part by part. So memory is bounded by one request.

use std::collections::HashMap;

use anyhow::Result;

use super::chosen::ChosenFeed;
use super::observed::{Look, Observed};
use super::room::Room;
use super::scope::{Mode, Scope};
use super::sides::{Frame, UnitSides};
use super::unsettled::{UnitState, Unsettled};
use super::upsert::{Bisected, BisectedUnit, Upsert};
use crate::delta::{ChangeRules, LastSealed, LedgerRow, Present, Verdict, Withholding, verdict};
use crate::payload::{Digest, ENVELOPE_BYTES, KEEP_BYTES, Removal, RemovalReason, SealableProperty, SealableUnit};
use crate::states::{Owed, Withheld};

/// What one feed's next sync says, and what the ledger says once it is sealed.
pub(crate) struct FeedDelta {
    pub feed: ChosenFeed,
    pub mode: Mode,
    pub property: SealableProperty,
    /// Why nothing that names the property can be sealed: neither its units nor, where it heads every request, anything.
    pub objection: Option<String>,
    /// No request can be made about this property.
    pub is_unspeakable: bool,
    /// The property's own fields must be sealed.
    pub property_differs: bool,
    /// They are others than those sealed last.
    pub property_changed: bool,
    /// What the receiver should hold afterwards.
    pub(super) digest: Digest,
    /// Whether that is the source.
    pub(super) unsettled: Unsettled,
    pub upserts: Vec<Upsert>,
    pub remove: Vec<Removal>,
    /// Gone, and removed by being absent from a snapshot.
    pub absent: Vec<(RemovalReason, LedgerRow)>,
    /// Absent from a snapshot, and not gone.
    pub keep: Vec<i64>,
    /// Rows to write beside those of what is sealed: beyond the limit, withheld, released.
    pub noted: Vec<LedgerRow>,
    pub forget: Vec<i64>,
    pub observed: Observed,
    /// Removals that wait for a person, and why.
    pub held: HashMap<i64, Withholding>,
    /// How many units the receiver should hold afterwards.
    pub units: i64,
    /// Units that the receiver has from another feed, where it knows them by their ids alone, and whether they live there.
    pub elsewhere: HashMap<i64, bool>,
    /// Of a snapshot: the units of each part.
    pub parts: Vec<Vec<i64>>,
    /// Everything sealed was asked for by a replay.
    pub replay: bool,
    pub room: Room,
    /// What is gone, until everything living is sealed.
    pub(super) leaving: Vec<(RemovalReason, LedgerRow)>,
    pub(super) bisected: Bisected,
    /// Bisected wait while news is sealed: the next sync is theirs.
    pub bisection_waits: bool,
    /// Foreseen only: what earlier requests settle of the feed.
    pub settled_before: Vec<i64>,
    /// Foreseen only: another request of the feed follows.
    pub goes_on: bool,
}

impl FeedDelta {
    pub fn of(feed: ChosenFeed, mode: Mode, scope: &Scope) -> Result<Self> {
        let property = scope.shape.property(&feed.property, feed.external_id.as_deref())?;
        // Of a property that left the feed its removals are sealed, whatever its fields.
        let objection = match feed.uncovered {
            None => {
                let is_mapped = feed.external_id.is_some();
                scope.shape.property_objection(&feed.property, &property, is_mapped)
            }
            Some(_) => None,
        };
        let is_unspeakable = scope.shape.properties_are_sent() && objection.is_some();
        let is_sendable = scope.shape.properties_are_sent() && objection.is_none();
        let mode = match mode {
            Mode::Snapshot if objection.is_some() => Mode::ResendAll,
            mode => mode,
        };
        let feed_waits = mode == Mode::Delta && feed.bisection_waited;
        let changed = is_sendable && feed.property_hash != Some(property.hash);
        let again = is_sendable && mode != Mode::Delta;
        Ok(Self {
            mode,
            objection,
            is_unspeakable,
            // Of a property that left the feed its removals are sealed, not its new name.
            property_differs: (feed.property_owed && is_sendable) || (feed.uncovered.is_none() && (changed || again)),
            property_changed: changed,
            // Where a bisection has its turn, removals wait as all news does.
            room: Room::beside(scope.shape.property_bytes(&property), feed_waits),
            property,
            digest: feed.digest,
            unsettled: Unsettled::of(&feed),
            upserts: Vec::new(),
            remove: Vec::new(),
            absent: Vec::new(),
            keep: Vec::new(),
            noted: Vec::new(),
            forget: Vec::new(),
            observed: Observed::default(),
            held: HashMap::new(),
            units: feed.units,
            elsewhere: HashMap::new(),
            parts: Vec::new(),
            replay: true,
            leaving: Vec::new(),
            bisected: Bisected::default(),
            bisection_waits: false,
            settled_before: Vec::new(),
            goes_on: false,
            feed,
        })
    }

    /// What its units are read against.
    pub(super) fn frame<'a>(&'a self, scope: &'a Scope) -> Frame<'a> {
        Frame {
            scope,
            feed: &self.feed,
            property: &self.property,
            objection: self.objection.as_deref(),
        }
    }

    /// Whether there is anything to seal.
    pub fn is_sealed(&self, scope: &Scope) -> bool {
        self.mode == Mode::Snapshot
            || (self.property_differs && scope.shape.properties_are_sent())
            || self.entries() > 0
    }

    /// What the receiver should hold afterwards.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The same where it is true: another request of the property, or a person's decision, may have to come first.
    pub fn digest_sent(&self) -> Option<Digest> {
        (!self.goes_on && !self.unsettled.is_any()).then_some(self.digest)
    }

    /// A part of a snapshot: what is true after the last part is said with each.
    pub fn take_digest_of(&mut self, snapshot: &Self) {
        (self.digest, self.unsettled) = (snapshot.digest, snapshot.unsettled);
    }

    /// How many bytes of the source it holds, about.
    pub fn bytes_held(&self) -> usize {
        self.room.body_bytes + self.room.noted_bytes
    }

    /// Units and removals.
    pub fn entries(&self) -> usize {
        self.upserts.len() + self.remove.len()
    }

    /// Takes one unit's two sides.
    pub fn take(&mut self, pair: UnitSides, scope: &Scope) -> Result<()> {
        let UnitSides {
            unit_id,
            source,
            ledger,
        } = pair;
        self.unsettled.read(ledger.as_ref());
        let rules = ChangeRules {
            resend_all: self.mode != Mode::Delta,
            removals: scope.shape.removals_are_sent(),
        };
        let look = Look {
            feed: &self.feed,
            mode: self.mode,
            rules,
        };
        self.observed.unit(unit_id, &source, ledger.as_ref(), &look);
        match (verdict(&source, ledger.as_ref(), rules), source) {
            (Verdict::Same, source) => self.same(unit_id, source, ledger, scope),
            (Verdict::Upsert, Present::Content(_)) if self.is_elsewhere(unit_id, ledger.as_ref()) => {
                let because = "the receiver still has it under another property".to_owned();
                self.withhold(unit_id, ledger, Withheld::Elsewhere, because);
            }
            (Verdict::Upsert, Present::Content(unit)) => self.content(unit, ledger, scope),
            (Verdict::Remove(_), _) if self.has_moved_on(unit_id, ledger.as_ref()) => self.forget(unit_id, ledger),
            (Verdict::Remove(reason), _) => self.gone(reason, ledger),
            (Verdict::Forget, _) => self.forget(unit_id, ledger),
            (Verdict::Release, _) => self.note(unit_id, ledger, LedgerRow::release),
            (Verdict::Withhold, Present::Invalid(because)) => {
                self.withhold(unit_id, ledger, Withheld::Invalid, because)
            }
            (Verdict::Upsert | Verdict::Withhold, _) => unreachable!("the verdict follows from the source's side"),
        }
        Ok(())
    }

    /// Every unit on either side is looked at.
    pub fn is_compared_whole(&self) -> bool {
        self.mode.is_whole(self.feed.whole)
    }

    /// What is gone and would be sealed as such.
    pub fn leaving(&self) -> impl Iterator<Item = &(RemovalReason, LedgerRow)> {
        self.leaving.iter()
    }

    /// After the last unit: the bisected if there is nothing else, removals once everything living is sealed.
    pub fn finish(&mut self, scope: &Scope) -> Result<()> {
        if self.property_changed && self.mode.finds_drift(self.feed.whole) {
            self.observed.property(&self.feed, self.property.hash);
        }
        self.hold_back();
        self.add_removals(scope)?;
        self.bisection_waits = self.entries() > 0 && self.bisected.is_any();
        if self.entries() == 0 {
            self.add_bisected(scope)?;
        }
        self.remove.sort_unstable_by_key(|removal| removal.unit_id);
        self.upserts.sort_unstable_by_key(|upsert| upsert.unit.unit_id);
        if self.mode == Mode::Snapshot && !self.room.has_bytes(self.keep.len() * KEEP_BYTES, scope) {
            self.parts.push(Vec::new());
        }
        Ok(())
    }

    /// A snapshot that has to name units it doesn't carry, for a receiver whose bodies can't name them, or more of them than
    /// one request has room for.
    pub fn can_only_be_resent(&self, scope: &Scope) -> bool {
        let keep = ENVELOPE_BYTES + scope.shape.property_bytes(&self.property) + self.keep.len() * KEEP_BYTES;
        let keep_fits = scope.shape.keep_can_be_sent() && keep <= scope.receiver.body_bytes_max;
        self.mode == Mode::Snapshot && !self.keep.is_empty() && !keep_fits
    }

    fn same(&mut self, unit_id: i64, source: Present, ledger: Option<LedgerRow>, scope: &Scope) {
        let Some(row) = ledger else { return };
        if row.withheld.is_some() {
            self.keep.push(unit_id);
        } else if let (Present::Content(unit), None, false) = (source, &row.content, scope.shape.removals_are_sent()) {
            // Sealed before this receiver needed it.
            self.note(unit_id, Some(row), |row| row.content = Some(unit.json));
        }
    }

    fn content(&mut self, unit: SealableUnit, ledger: Option<LedgerRow>, scope: &Scope) {
        let upsert = Upsert {
            before: ledger.as_ref().and_then(|row| row.last_sealed.hash().copied()),
            is_repeat: self.is_repeat(&unit, ledger.as_ref(), scope),
            is_new: ledger.is_none(),
            unit,
            removed: None,
        };
        match ledger {
            // Changed since the request that was rejected, it is nobody's bisected.
            Some(row) if upsert.before == Some(upsert.unit.hash) && self.is_bisected(&row) => {
                self.bisected.set_aside(BisectedUnit::Upsert(upsert, row));
            }
            ledger if self.is_bisections_turn() => self.owe(upsert.unit.unit_id, ledger, Owed::OverLimit),
            ledger => self.upsert(upsert, ledger, scope),
        }
    }

    fn is_repeat(&self, unit: &SealableUnit, ledger: Option<&LedgerRow>, scope: &Scope) -> bool {
        let is_snapshot = matches!(self.mode, Mode::Snapshot | Mode::Part);
        let has_content = |row: &LedgerRow| scope.shape.removals_are_sent() || row.content.is_some();
        is_snapshot
            && ledger.is_some_and(|row| row.is_acknowledged(unit.code.as_deref(), &unit.hash) && has_content(row))
    }

    /// They have waited while news was sealed; else a steady stream of it would keep them back for ever.
    fn is_bisections_turn(&self) -> bool {
        self.mode == Mode::Delta && self.feed.bisection_waited
    }

    /// Its removal waits until every unit was seen: whether it is sealed at all depends on how many are gone.
    fn gone(&mut self, reason: RemovalReason, ledger: Option<LedgerRow>) {
        let Some(row) = ledger else { return };
        match row.last_sealed {
            LastSealed::Removal(..) | LastSealed::Unavailable(..) if self.is_bisected(&row) => {
                self.bisected.set_aside(BisectedUnit::Remove(reason, row));
            }
            _ => self.leaving.push((reason, row)),
        }
    }

    fn is_bisected(&self, row: &LedgerRow) -> bool {
        !self.is_unspeakable && row.bisection.is_some() && row.is_owed() && self.mode == Mode::Delta
    }

    fn add_bisected(&mut self, scope: &Scope) -> Result<()> {
        for bisected in self.bisected.take() {
            match bisected {
                BisectedUnit::Upsert(upsert, row) => self.upsert(upsert, Some(row), scope),
                BisectedUnit::Remove(reason, row) if scope.shape.removals_are_sent() => self.remove(reason, row, scope),
                BisectedUnit::Remove(reason, row) => self.unavailable(reason, row, scope)?,
            }
        }
        Ok(())
    }

    pub(super) fn upsert(&mut self, upsert: Upsert, ledger: Option<LedgerRow>, scope: &Scope) {
        let bytes = scope.shape.entry_bytes(&upsert.unit);
        if !self.fits(bytes, scope) {
            if self.mode != Mode::Snapshot {
                (self.room.crowded, self.room.left_over) = (true, true);
                return self.owe(upsert.unit.unit_id, ledger, self.beyond_the_limit());
            }
            self.next_part(bytes, scope);
        }
        self.note_upsert(&upsert, ledger.as_ref());
        let unit_id = upsert.unit.unit_id;
        self.replay &= ledger.is_some_and(|row| row.owed == Some(Owed::Replay));
        if self.mode == Mode::Snapshot {
            if self.parts.is_empty() {
                self.parts.push(Vec::new());
            }
            self.parts.last_mut().expect("there is one").push(unit_id);
        }
        if self.parts.len() <= 1 {
            self.upserts.push(upsert);
        }
    }

    fn forget(&mut self, unit_id: i64, ledger: Option<LedgerRow>) {
        self.unsettled.settles(ledger.as_ref());
        if let Some(before) = ledger.as_ref().and_then(|row| row.last_sealed.hash()) {
            self.digest.toggle(unit_id, before);
        }
        self.forget.push(unit_id);
    }

    /// What the receiver holds of it, once it has this.
    fn note_upsert(&mut self, upsert: &Upsert, ledger: Option<&LedgerRow>) {
        self.unsettled.settles(ledger);
        if let Some(before) = &upsert.before {
            self.digest.toggle(upsert.unit.unit_id, before);
        }
        self.digest.toggle(upsert.unit.unit_id, &upsert.unit.hash);
        let was_there = ledger.is_some_and(|row| matches!(row.last_sealed, LastSealed::Content(..)));
        self.units += i64::from(upsert.removed.is_none()) - i64::from(was_there);
        if let (Some(reason), Some(row)) = (upsert.removed, ledger) {
            self.note_first_removal(reason, row);
        }
    }

    /// A snapshot of more than one part is read again, part by part.
    fn next_part(&mut self, bytes: usize, scope: &Scope) {
        self.upserts = Vec::new();
        self.parts.push(Vec::new());
        self.room.empty(scope.shape.property_bytes(&self.property));
        self.fits(bytes, scope);
    }

    /// Takes the room for one more entry, if there is any.
    pub(super) fn fits(&mut self, bytes: usize, scope: &Scope) -> bool {
        self.room.take(bytes, self.mode == Mode::Part, scope)
    }

    fn beyond_the_limit(&self) -> Owed {
        match self.mode {
            Mode::ResendAll => Owed::Resend,
            _ => Owed::OverLimit,
        }
    }

    /// What doesn't fit is sealed next time.
    pub(super) fn owe(&mut self, unit_id: i64, ledger: Option<LedgerRow>, because: Owed) {
        if ledger.as_ref().is_none_or(|row| !row.is_owed()) {
            self.note(unit_id, ledger, |row| {
                row.owed.get_or_insert(because);
                row.withheld = None;
            });
        }
    }

    pub(super) fn withhold(&mut self, unit_id: i64, ledger: Option<LedgerRow>, kind: Withheld, because: String) {
        self.keep.push(unit_id);
        self.note(unit_id, ledger, |row| {
            row.withheld = Some(Withholding {
                kind,
                because,
                hash: None,
            });
        });
    }

    fn note(&mut self, unit_id: i64, ledger: Option<LedgerRow>, change: impl FnOnce(&mut LedgerRow)) {
        let mut row = ledger.unwrap_or(LedgerRow::never_sealed(unit_id));
        let before = UnitState::of(Some(&row));
        change(&mut row);
        self.unsettled.becomes(before, UnitState::of(Some(&row)));
        self.room.noted_bytes += row.content.as_ref().map_or(0, String::len);
        self.noted.push(row);
    }
}
