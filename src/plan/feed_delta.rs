//! What one feed's next sync says: gathered unit by unit, in the order of unit ids.
//!
//! Holds what fits one request. What doesn't fit a delta is owed; a snapshot that doesn't fit only notes which units go
//! into which part, to be read again part by part. So memory is bounded by one request.

use std::collections::{HashMap, HashSet};
use std::mem;

use anyhow::Result;

use super::Scope;
use super::duplicate::Codes;
use super::feeds::{ChosenFeed, owed_per_feed_max};
use super::invalid::Turned;
use super::pair::Pair;
use super::unsettled::{Standing, Unsettled};
use crate::delta::{Kept, KeptBack, LedgerRow, Manner, Present, REMOVAL, Told, Verdict, verdict};
use crate::payload::{Digest, ENVELOPE_BYTES, Hash, KEEP_BYTES, Reason, Removal, TellableProperty, TellableUnit};

/// What kind of comparison it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What differs or is owed.
    Delta,
    /// Everything, told again as deltas: absence can't be read, or something absent must not be dropped.
    Retell,
    /// Everything; what is absent is gone.
    Snapshot,
    /// One part of a snapshot whose parts are known.
    Part,
}

/// A unit that is told.
pub(crate) struct Telling {
    pub unit: TellableUnit,
    /// It went, and is told as unavailable.
    pub removed: Option<Reason>,
    /// What the receiver held before.
    before: Option<Hash>,
}

impl Telling {
    /// Beside what was told last.
    pub fn news(&self) -> News {
        match self.before {
            None => News::New,
            Some(before) if before == self.unit.hash => News::Again,
            Some(_) => News::Changed,
        }
    }

    /// What the ledger says once it is sealed.
    pub fn told(&self, sequence: i64) -> Told {
        match self.removed {
            Some(reason) => Told::Unavailable(reason, self.unit.hash, sequence),
            None => Told::Content(self.unit.hash, sequence),
        }
    }
}

/// What a unit that is told is to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It has nothing of it.
    New,
    /// It was told another content.
    Changed,
    /// It was told the same.
    Again,
}

/// A difference that no change announced: a bypassed trigger, a joined table.
pub(crate) struct Drift {
    /// None: the property's own fields.
    pub unit_id: Option<i64>,
    pub ledger_hash: Option<Hash>,
    pub source_hash: Option<Hash>,
}

/// Something of the smallest group that is told by itself.
enum Suspect {
    Tell(Telling, LedgerRow),
    Remove(Reason, LedgerRow),
}

/// What one feed's next sync says, and what the ledger says once it is sealed.
pub(crate) struct FeedDelta {
    pub feed: ChosenFeed,
    pub mode: Mode,
    pub property: TellableProperty,
    /// Why nothing that names the property can be told: neither its units nor, where it heads every request, anything.
    pub objection: Option<String>,
    /// No request can be made about this property.
    pub is_unspeakable: bool,
    /// The property's own fields must be told.
    pub property_differs: bool,
    /// They are others than those told last.
    pub property_changed: bool,
    /// Of what the receiver should hold afterwards.
    digest: Digest,
    /// Whether that is the source.
    unsettled: Unsettled,
    pub tell: Vec<Telling>,
    pub remove: Vec<Removal>,
    /// Gone, and told so by being absent from a snapshot.
    pub absent: Vec<(Reason, LedgerRow)>,
    /// Absent from a snapshot, and not gone.
    pub keep: Vec<i64>,
    /// Rows to write beside those of the told: beyond the limit, kept back, released.
    pub noted: Vec<LedgerRow>,
    pub forget: Vec<i64>,
    pub drift: Vec<Drift>,
    /// Removals that wait for a person, and why.
    pub held: HashMap<i64, KeptBack>,
    /// Units that waited for that and are back.
    pub back: Back,
    /// Units that can't be told any more, or can again.
    pub turned: Turned,
    /// A unit that is looked at was refused so far: it may be so no longer.
    pub was_refused: bool,
    /// What was seen of the units' codes.
    pub codes: Codes,
    /// Removals that are told for the first time.
    pub first_told: FirstTold,
    /// How many units the receiver should hold afterwards.
    pub units: i64,
    /// Units that the receiver has from another feed, where it knows them by their ids alone.
    pub elsewhere: HashSet<i64>,
    /// Of a snapshot: the units of each part.
    pub parts: Vec<Vec<i64>>,
    /// Everything told was asked for by a replay.
    pub replay: bool,
    pub body_bytes: usize,
    /// What else it holds in memory.
    noted_bytes: usize,
    entries: usize,
    /// What is gone, until everything living is told.
    leaving: Vec<(Reason, LedgerRow)>,
    suspects: Option<(i64, Vec<Suspect>)>,
    /// Suspects wait while news is told: the next sync is theirs.
    pub suspects_wait: bool,
    /// Something living didn't fit.
    crowded: bool,
    /// Something was left for want of room.
    left_over: bool,
    /// Foreseen only: what earlier requests settle of the feed.
    pub settled_before: Vec<i64>,
    /// Foreseen only: another request of the feed follows.
    pub goes_on: bool,
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

impl FeedDelta {
    pub fn of(feed: ChosenFeed, mode: Mode, scope: &Scope) -> Result<Self> {
        let property = scope.shape.property(&feed.property, feed.external_id.as_deref())?;
        // What is told of a property that left the feed is its removals, whatever its fields.
        let objection = match feed.uncovered {
            None => scope.shape.property_objection(&feed.property, &property),
            Some(_) => None,
        };
        let is_unspeakable = scope.shape.properties_are_told() && objection.is_some();
        let is_told = scope.shape.properties_are_told() && objection.is_none();
        let mode = match mode {
            Mode::Snapshot if objection.is_some() => Mode::Retell,
            mode => mode,
        };
        let feed_waits = mode == Mode::Delta && feed.suspects_waited;
        let changed = is_told && feed.property_hash != Some(property.hash);
        let again = is_told && mode != Mode::Delta;
        Ok(Self {
            mode,
            objection,
            is_unspeakable,
            // A property that left the feed tells its removals, not its new name.
            property_differs: (feed.property_owed && is_told) || (feed.uncovered.is_none() && (changed || again)),
            property_changed: changed,
            body_bytes: ENVELOPE_BYTES + scope.shape.property_bytes(&property),
            property,
            digest: feed.digest,
            unsettled: Unsettled::of(&feed),
            tell: Vec::new(),
            remove: Vec::new(),
            absent: Vec::new(),
            keep: Vec::new(),
            noted: Vec::new(),
            forget: Vec::new(),
            drift: Vec::new(),
            held: HashMap::new(),
            back: Back::default(),
            turned: Turned::default(),
            was_refused: false,
            codes: Codes::default(),
            first_told: FirstTold::default(),
            units: feed.units,
            elsewhere: HashSet::new(),
            parts: Vec::new(),
            replay: true,
            noted_bytes: 0,
            entries: 0,
            leaving: Vec::new(),
            suspects: None,
            suspects_wait: false,
            // Where suspects have their turn, removals wait as all news does.
            crowded: feed_waits,
            left_over: false,
            settled_before: Vec::new(),
            goes_on: false,
            feed,
        })
    }

    /// Whether there is anything to tell.
    pub fn is_sealed(&self, scope: &Scope) -> bool {
        self.mode == Mode::Snapshot
            || (self.property_differs && scope.shape.properties_are_told())
            || self.entries() > 0
    }

    /// What the receiver should hold afterwards.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The same where it is true: another request of the property, or a person's decision, may have to come first.
    pub fn digest_told(&self) -> Option<Digest> {
        (!self.goes_on && !self.unsettled.is_any()).then_some(self.digest)
    }

    /// A part of a snapshot: what is true after the last part is said with each.
    pub fn take_digest_of(&mut self, snapshot: &Self) {
        (self.digest, self.unsettled) = (snapshot.digest, snapshot.unsettled);
    }

    /// How many bytes of the source it holds, about.
    pub fn bytes_held(&self) -> usize {
        self.body_bytes + self.noted_bytes
    }

    /// Units and removals.
    pub fn entries(&self) -> usize {
        self.tell.len() + self.remove.len()
    }

    /// Takes one unit's two sides.
    pub fn take(&mut self, pair: Pair, scope: &Scope) -> Result<()> {
        let Pair {
            unit_id,
            source,
            ledger,
        } = pair;
        self.unsettled.read(ledger.as_ref());
        let manner = Manner {
            retell: self.mode != Mode::Delta,
            removals: scope.shape.removals_are_told(),
        };
        self.notice_drift(&source, ledger.as_ref(), manner);
        self.notice_back(&source, ledger.as_ref());
        self.notice_turned(&source, ledger.as_ref());
        match self.is_compared_whole() {
            true => self.codes.see_one_of_all(&source),
            false => self
                .codes
                .see_one_of_some(&source, ledger.as_ref(), || self.feed.touched.contains(&unit_id)),
        }
        match (verdict(&source, ledger.as_ref(), manner), source) {
            (Verdict::Same, source) => self.same(unit_id, source, ledger, scope),
            (Verdict::Tell, Present::Content(_)) if self.is_elsewhere(unit_id, ledger.as_ref()) => {
                let because = "the receiver still has it under another property".to_owned();
                self.keep_back(unit_id, ledger, Kept::Elsewhere, because);
            }
            (Verdict::Tell, Present::Content(unit)) => self.content(unit, ledger, scope),
            (Verdict::Remove(reason), _) => self.gone(reason, ledger),
            (Verdict::Forget, _) => self.forget(unit_id, ledger),
            (Verdict::Release, _) => self.note(unit_id, ledger, LedgerRow::release),
            (Verdict::KeepBack, Present::Invalid(because)) => self.keep_back(unit_id, ledger, Kept::Invalid, because),
            (Verdict::Tell | Verdict::KeepBack, _) => unreachable!("the verdict follows from the source's side"),
        }
        Ok(())
    }

    /// Every unit on either side is looked at.
    pub fn is_compared_whole(&self) -> bool {
        self.mode != Mode::Delta || self.feed.whole
    }

    /// What is gone and would be told so.
    pub fn leaving(&self) -> impl Iterator<Item = &(Reason, LedgerRow)> {
        self.leaving.iter()
    }

    /// After the last unit: suspects if there is nothing else, removals once everything living is told.
    pub fn finish(&mut self, scope: &Scope) -> Result<()> {
        self.notice_property_drift();
        self.hold_back();
        self.tell_gone(scope)?;
        self.suspects_wait = self.entries() > 0 && self.suspects.is_some();
        if self.entries() == 0 {
            self.tell_suspects(scope)?;
        }
        self.remove.sort_unstable_by_key(|removal| removal.unit_id);
        self.tell.sort_unstable_by_key(|telling| telling.unit.unit_id);
        if self.mode == Mode::Snapshot && !self.fits_bytes(self.keep.len() * KEEP_BYTES, scope) {
            self.parts.push(Vec::new());
        }
        Ok(())
    }

    /// A snapshot that has to name units it doesn't tell, for a receiver that can't be told so, or more of them than one
    /// request has room for.
    pub fn can_only_be_retold(&self, scope: &Scope) -> bool {
        let keep = ENVELOPE_BYTES + scope.shape.property_bytes(&self.property) + self.keep.len() * KEEP_BYTES;
        let can_be_told = scope.shape.keep_can_be_told() && keep <= scope.receiver.body_bytes_max;
        self.mode == Mode::Snapshot && !self.keep.is_empty() && !can_be_told
    }

    /// Whether it would be news to the receiver that this property has it, while another still has it there.
    fn is_elsewhere(&self, unit_id: i64, ledger: Option<&LedgerRow>) -> bool {
        let lives_here = ledger.is_some_and(|row| matches!(row.told, Told::Content(..)));
        !lives_here && self.elsewhere.contains(&unit_id)
    }

    fn same(&mut self, unit_id: i64, source: Present, ledger: Option<LedgerRow>, scope: &Scope) {
        let Some(row) = ledger else { return };
        if row.kept_back.is_some() {
            self.keep.push(unit_id);
        } else if let (Present::Content(unit), None, false) = (source, &row.content, scope.shape.removals_are_told()) {
            // Told before this receiver needed it.
            self.note(unit_id, Some(row), |row| row.content = Some(unit.json));
        }
    }

    fn content(&mut self, unit: TellableUnit, ledger: Option<LedgerRow>, scope: &Scope) {
        let telling = Telling {
            before: ledger.as_ref().and_then(|row| row.told.hash().copied()),
            unit,
            removed: None,
        };
        match ledger {
            // Changed since the request that was rejected, it is nobody's suspect.
            Some(row) if telling.before == Some(telling.unit.hash) && self.suspects(&row) => {
                self.set_aside(Suspect::Tell(telling, row));
            }
            ledger if self.is_the_suspects_turn() => self.owe(telling.unit.unit_id, ledger, "over_limit"),
            ledger => self.tell(telling, ledger, scope),
        }
    }

    /// They have waited while news was told; else a steady stream of it would keep them back for ever.
    fn is_the_suspects_turn(&self) -> bool {
        self.mode == Mode::Delta && self.feed.suspects_waited
    }

    /// What is told of it waits until every unit was seen: whether it is told at all depends on how many are gone.
    fn gone(&mut self, reason: Reason, ledger: Option<LedgerRow>) {
        let Some(row) = ledger else { return };
        match row.told {
            Told::Removal(..) | Told::Unavailable(..) if self.suspects(&row) => {
                self.set_aside(Suspect::Remove(reason, row));
            }
            _ => self.leaving.push((reason, row)),
        }
    }

    /// What waits for a person stays as it was told.
    fn hold_back(&mut self) {
        let (held, leaving): (Vec<_>, Vec<_>) = mem::take(&mut self.leaving)
            .into_iter()
            .partition(|(_, row)| self.held.contains_key(&row.unit_id));
        self.leaving = leaving;
        for (_, row) in held {
            let why = &self.held[&row.unit_id];
            match row.is_kept_back(why.kind) {
                true => self.keep.push(row.unit_id),
                false => self.keep_back(row.unit_id, Some(row), why.kind, why.because.clone()),
            }
        }
    }

    fn tell_gone(&mut self, scope: &Scope) -> Result<()> {
        if self.is_unspeakable {
            for (_, row) in mem::take(&mut self.leaving) {
                let because = self.objection.clone().unwrap_or_default();
                self.keep_removal_back(row, because);
            }
        } else if !scope.shape.removals_are_told() {
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

    fn forget(&mut self, unit_id: i64, ledger: Option<LedgerRow>) {
        self.unsettled.settles(ledger.as_ref());
        self.forget.push(unit_id);
    }

    /// The receiver no longer holds it, once it is told.
    fn note_gone(&mut self, reason: Reason, row: &LedgerRow) {
        self.unsettled.settles(Some(row));
        if let Some(before) = row.told.hash() {
            self.digest.toggle(row.unit_id, before);
        }
        self.units -= i64::from(matches!(row.told, Told::Content(..)));
        self.note_first_told(reason, row);
    }

    fn note_first_told(&mut self, reason: Reason, row: &LedgerRow) {
        if row.is_removed_unasked() {
            match reason {
                Reason::Deleted | Reason::Moved => self.first_told.units += 1,
                Reason::PropertyInactive | Reason::FeedDisabled => self.first_told.uncovered += 1,
            }
        }
    }

    fn suspects(&self, row: &LedgerRow) -> bool {
        !self.is_unspeakable && row.suspect.is_some() && row.is_owed() && self.mode == Mode::Delta
    }

    /// Only the smallest group is held: the others stay owed.
    fn set_aside(&mut self, suspect: Suspect) {
        let (Suspect::Tell(_, row) | Suspect::Remove(_, row)) = &suspect;
        let group = row.suspect.unwrap_or_default();
        match &mut self.suspects {
            Some((smallest, _)) if group > *smallest => {}
            Some((smallest, held)) if group == *smallest => held.push(suspect),
            _ => self.suspects = Some((group, vec![suspect])),
        }
    }

    fn tell_suspects(&mut self, scope: &Scope) -> Result<()> {
        let Some((_, held)) = self.suspects.take() else {
            return Ok(());
        };
        for suspect in held {
            match suspect {
                Suspect::Tell(telling, row) => self.tell(telling, Some(row), scope),
                Suspect::Remove(reason, row) if scope.shape.removals_are_told() => self.remove(reason, row, scope),
                Suspect::Remove(reason, row) => self.unavailable(reason, row, scope)?,
            }
        }
        Ok(())
    }

    fn tell(&mut self, telling: Telling, ledger: Option<LedgerRow>, scope: &Scope) {
        let bytes = scope.shape.entry_bytes(&telling.unit);
        if !self.fits(bytes, scope) {
            if self.mode != Mode::Snapshot {
                (self.crowded, self.left_over) = (true, true);
                return self.owe(telling.unit.unit_id, ledger, self.beyond_the_limit());
            }
            self.next_part(bytes, scope);
        }
        self.note_told(&telling, ledger.as_ref());
        let unit_id = telling.unit.unit_id;
        self.replay &= ledger.is_some_and(|row| row.owed.as_deref() == Some("replay"));
        if self.mode == Mode::Snapshot {
            if self.parts.is_empty() {
                self.parts.push(Vec::new());
            }
            self.parts.last_mut().expect("there is one").push(unit_id);
        }
        if self.parts.len() <= 1 {
            self.tell.push(telling);
        }
    }

    /// What the receiver holds of it, once it is told.
    fn note_told(&mut self, telling: &Telling, ledger: Option<&LedgerRow>) {
        self.unsettled.settles(ledger);
        if let Some(before) = &telling.before {
            self.digest.toggle(telling.unit.unit_id, before);
        }
        self.digest.toggle(telling.unit.unit_id, &telling.unit.hash);
        let was_there = ledger.is_some_and(|row| matches!(row.told, Told::Content(..)));
        self.units += i64::from(telling.removed.is_none()) - i64::from(was_there);
        if let (Some(reason), Some(row)) = (telling.removed, ledger) {
            self.note_first_told(reason, row);
        }
    }

    /// A snapshot of more than one part is read again, part by part.
    fn next_part(&mut self, bytes: usize, scope: &Scope) {
        self.tell = Vec::new();
        self.parts.push(Vec::new());
        self.entries = 0;
        self.body_bytes = ENVELOPE_BYTES + scope.shape.property_bytes(&self.property);
        self.fits(bytes, scope);
    }

    fn unavailable(&mut self, reason: Reason, row: LedgerRow, scope: &Scope) -> Result<()> {
        let (code, content) = (row.unit_code.as_deref(), row.content.as_deref());
        let unit = scope.shape.unavailable(row.unit_id, code, content, &self.property)?;
        if let Some(because) = scope.shape.too_large(&unit, &self.property) {
            self.keep_removal_back(row, because);
            return Ok(());
        }
        let telling = Telling {
            before: row.told.hash().copied(),
            unit,
            removed: Some(reason),
        };
        self.tell(telling, Some(row), scope);
        Ok(())
    }

    /// Removals go last, and only once everything living is told: then no living unit has a removed one's code at the
    /// receiver any more, except one that is named as its replacement. Those in doubt come first, because the code that
    /// the receiver has for them is in doubt as well.
    fn remove_leaving(&mut self, scope: &Scope) {
        let mut leaving = mem::take(&mut self.leaving);
        // Of the owed that were not read some may be living; but where all that were read are gone, they have to go.
        self.crowded |= self.unsettled.owed_read >= owed_per_feed_max(&scope.receiver) && !self.tell.is_empty();
        // A suspect that lives may still have a removed one's code at the receiver.
        let lives = |suspect: &Suspect| matches!(suspect, Suspect::Tell(..));
        self.crowded |= self.suspects.as_ref().is_some_and(|(_, held)| held.iter().any(lives));
        leaving.sort_unstable_by_key(|(_, row)| (row.owed.is_none(), row.unit_id));
        for (reason, row) in leaving {
            self.remove(reason, row, scope);
        }
    }

    fn remove(&mut self, reason: Reason, row: LedgerRow, scope: &Scope) {
        let bytes = scope.shape.removal_bytes(row.unit_code.as_deref(), &self.property);
        if self.crowded || !self.fits(bytes, scope) {
            self.left_over = true;
            return self.owe(row.unit_id, Some(row), REMOVAL);
        }
        self.note_gone(reason, &row);
        self.replay &= row.owed.as_deref() == Some("replay");
        self.remove.push(Removal {
            unit_id: row.unit_id,
            unit_code: row.unit_code,
            replaced_by: None,
            reason,
        });
    }

    /// Whether later requests have something to tell, as far as room is what it waits for.
    pub fn needs_several(&self, scope: &Scope) -> bool {
        let may = matches!(self.mode, Mode::Delta | Mode::Retell) && !self.feed.suspects_waited && self.entries() > 0;
        may && (self.left_over || self.unsettled.owed_read >= owed_per_feed_max(&scope.receiver))
    }

    /// The requests that tell, after this one, what is left of `whole`: the same without limits.
    pub fn followed_by(&mut self, mut whole: Self, scope: &Scope) -> Result<Vec<Self>> {
        let told: HashSet<i64> = self.told_ids().collect();
        whole.tell.retain(|telling| !told.contains(&telling.unit.unit_id));
        whole.remove.retain(|removal| !told.contains(&removal.unit_id));
        whole
            .tell
            .sort_unstable_by_key(|telling| (telling.removed.is_some(), telling.unit.unit_id));
        let (owed, noted): (Vec<_>, Vec<_>) = mem::take(&mut whole.noted).into_iter().partition(LedgerRow::is_owed);
        let mut settled: Vec<i64> = told.into_iter().chain(whole.forget.iter().copied()).collect();
        settled.extend(noted.iter().map(|row| row.unit_id));
        let mut requests: Vec<Self> = Vec::new();
        while whole.entries() > 0 {
            let mut next = whole.next_request(scope)?;
            next.goes_on = whole.entries() > 0;
            next.unsettled = whole.unsettled;
            next.settled_before.clone_from(&settled);
            settled.extend(next.told_ids());
            requests.push(next);
        }
        if let Some(last) = requests.last_mut() {
            last.noted = owed;
            self.goes_on = true;
        }
        Ok(requests)
    }

    fn told_ids(&self) -> impl Iterator<Item = i64> {
        let told = self.tell.iter().map(|telling| telling.unit.unit_id);
        told.chain(self.remove.iter().map(|removal| removal.unit_id))
    }

    /// Takes what the next request tells out of what is left, by the rules above: what lives first, of as many as a plan reads.
    fn next_request(&mut self, scope: &Scope) -> Result<Self> {
        let mut feed = self.feed.clone();
        (feed.snapshot_due, feed.whole) = (None, false);
        let mut next = Self::of(feed, Mode::Delta, scope)?;
        (next.property_differs, next.property_changed) = (false, false);
        (next.digest, next.replay) = (self.digest, self.replay);
        let mut unread = owed_per_feed_max(&scope.receiver);
        let all_are_read = i64::try_from(self.entries())? < unread;
        for telling in mem::take(&mut self.tell) {
            unread -= 1;
            match unread >= 0 && next.fits(scope.shape.entry_bytes(&telling.unit), scope) {
                true => next.tell.push(telling),
                false => self.tell.push(telling),
            }
        }
        for removal in mem::take(&mut self.remove) {
            unread -= 1;
            let bytes = scope.shape.removal_bytes(removal.unit_code.as_deref(), &next.property);
            let may = unread >= 0 && self.tell.is_empty() && (all_are_read || next.tell.is_empty());
            match may && next.fits(bytes, scope) {
                true => next.remove.push(removal),
                false => self.remove.push(removal),
            }
        }
        next.tell.sort_unstable_by_key(|telling| telling.unit.unit_id);
        Ok(next)
    }

    /// Takes the room for one more entry, if there is any; the first always fits, or it would wait for ever.
    fn fits(&mut self, bytes: usize, scope: &Scope) -> bool {
        let room = self.entries < scope.receiver.units_per_request_max && self.fits_bytes(bytes, scope);
        let fits = self.entries == 0 || self.mode == Mode::Part || room;
        if fits {
            self.entries += 1;
            self.body_bytes += bytes;
        }
        fits
    }

    fn fits_bytes(&self, bytes: usize, scope: &Scope) -> bool {
        self.body_bytes + bytes <= scope.receiver.body_bytes_max
    }

    fn beyond_the_limit(&self) -> &'static str {
        match self.mode {
            Mode::Retell => "retell",
            _ => "over_limit",
        }
    }

    /// What doesn't fit is told next time.
    fn owe(&mut self, unit_id: i64, ledger: Option<LedgerRow>, because: &str) {
        if ledger.as_ref().is_none_or(|row| !row.is_owed()) {
            self.note(unit_id, ledger, |row| {
                row.owed.get_or_insert_with(|| because.to_owned());
                row.kept_back = None;
            });
        }
    }

    /// It is gone, and nothing can say so.
    fn keep_removal_back(&mut self, row: LedgerRow, because: String) {
        let is_noted = |kept: &KeptBack| kept.kind == Kept::Invalid && kept.because == because;
        if row.kept_back.as_ref().is_some_and(is_noted) {
            return self.keep.push(row.unit_id);
        }
        self.turned.invalid += i64::from(!row.is_kept_back(Kept::Invalid));
        self.keep_back(row.unit_id, Some(row), Kept::Invalid, because);
    }

    fn keep_back(&mut self, unit_id: i64, ledger: Option<LedgerRow>, kind: Kept, because: String) {
        self.keep.push(unit_id);
        self.note(unit_id, ledger, |row| {
            row.kept_back = Some(KeptBack {
                kind,
                because,
                hash: None,
            });
        });
    }

    fn note(&mut self, unit_id: i64, ledger: Option<LedgerRow>, change: impl FnOnce(&mut LedgerRow)) {
        let mut row = ledger.unwrap_or(LedgerRow::untold(unit_id));
        let before = Standing::of(Some(&row));
        change(&mut row);
        self.unsettled.becomes(before, Standing::of(Some(&row)));
        self.noted_bytes += row.content.as_ref().map_or(0, String::len);
        self.noted.push(row);
    }

    fn notice_property_drift(&mut self) {
        let compared = matches!(self.mode, Mode::Snapshot | Mode::Retell) && !self.feed.whole;
        let covered = self.feed.uncovered.is_none() && self.feed.property_hash.is_some();
        if compared && covered && self.property_changed && !self.feed.property_owed {
            self.drift.push(Drift {
                unit_id: None,
                ledger_hash: self.feed.property_hash,
                source_hash: Some(self.property.hash),
            });
        }
    }

    fn notice_back(&mut self, source: &Present, ledger: Option<&LedgerRow>) {
        let is_kept_back = |kind| ledger.is_some_and(|row| row.is_kept_back(kind));
        if !matches!(source, Present::Absent(_)) {
            self.back.held += i64::from(is_kept_back(Kept::Held));
            self.back.guarded += i64::from(is_kept_back(Kept::Guarded));
        }
    }

    fn notice_turned(&mut self, source: &Present, ledger: Option<&LedgerRow>) {
        let is_invalid = matches!(source, Present::Invalid(_));
        let was_invalid = ledger.is_some_and(|row| row.is_kept_back(Kept::Invalid));
        self.turned.invalid += i64::from(is_invalid && !was_invalid);
        self.turned.well += i64::from(was_invalid && !is_invalid);
        self.was_refused |= ledger.is_some_and(|row| row.is_kept_back(Kept::Refused));
    }

    /// A full comparison that nothing asked for finds what no change announced.
    fn notice_drift(&mut self, source: &Present, ledger: Option<&LedgerRow>, manner: Manner) {
        if !matches!(self.mode, Mode::Snapshot | Mode::Retell) || self.feed.whole {
            return;
        }
        let unit_id = match (source, ledger) {
            (Present::Content(unit), _) => unit.unit_id,
            (_, Some(row)) => row.unit_id,
            (_, None) => return,
        };
        let usual = Manner {
            retell: false,
            ..manner
        };
        let differs = matches!(verdict(source, ledger, usual), Verdict::Tell | Verdict::Remove(_));
        let waits = |row: &LedgerRow| row.owed.is_some() || row.is_on_hold() || row.is_kept_back(Kept::Elsewhere);
        let announced = ledger.is_some_and(waits) || self.feed.touched.contains(&unit_id);
        if differs && !announced {
            self.drift.push(Drift {
                unit_id: Some(unit_id),
                ledger_hash: ledger.and_then(|row| row.told.hash().copied()),
                source_hash: match source {
                    Present::Content(unit) => Some(unit.hash),
                    Present::Invalid(_) | Present::Absent(_) => None,
                },
            });
        }
    }
}
