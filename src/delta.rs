//! What differs between the source and what was sealed for a receiver last: one exhaustive match.
//!
//! Pure. Which units are looked at, and what is done about the answer, is [`crate::plan`]'s business.

use crate::payload::{Hash, RemovalReason, SealableUnit};
use crate::states::{Owed, Withheld};

/// What the ledger says of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    /// The unit.
    pub unit_id: i64,
    /// Its code, as sealed last.
    pub unit_code: Option<String>,
    /// What was sealed last.
    pub last_sealed: LastSealed,
    /// Why it must be sealed again, whatever its hash.
    pub owed: Option<Owed>,
    /// Sent only together with units of the same number.
    pub bisection: Option<i64>,
    /// Why the source's present state isn't sealed.
    pub withheld: Option<Withholding>,
    /// The unit as sealed last, for a receiver that gets it once more as unavailable when it went.
    pub content: Option<String>,
    /// The ledger has no row of it yet.
    pub is_new: bool,
}

impl LedgerRow {
    /// Of a unit that no sync has carried.
    pub fn never_sealed(unit_id: i64) -> Self {
        Self {
            unit_id,
            unit_code: None,
            last_sealed: LastSealed::Nothing,
            owed: None,
            bisection: None,
            withheld: None,
            content: None,
            is_new: true,
        }
    }

    /// Whether the next plan is to seal it.
    pub fn is_owed(&self) -> bool {
        self.owed.is_some() && self.withheld.is_none()
    }

    /// Whether it is withheld because of this.
    pub fn is_withheld(&self, kind: Withheld) -> bool {
        self.withheld.as_ref().is_some_and(|kept| kept.kind == kind)
    }

    /// The receiver acknowledged this content: a feed is planned while none of its syncs is open, and what was not acknowledged is owed.
    pub fn is_acknowledged(&self, code: Option<&str>, hash: &Hash) -> bool {
        let is_sealed = matches!(&self.last_sealed, LastSealed::Content(sealed, _) if sealed == hash);
        is_sealed && self.unit_code.as_deref() == code && self.owed.is_none() && self.withheld.is_none()
    }

    /// The receiver refuses this content.
    fn refuses(&self, hash: &Hash) -> bool {
        let refused = self.withheld.as_ref().filter(|kept| kept.kind == Withheld::Refused);
        refused.is_some_and(|kept| kept.hash.as_ref() == Some(hash))
    }

    /// The receiver refuses its removal, or a person rejected it.
    fn keeps_its_removal_back(&self) -> bool {
        let gone = matches!(self.last_sealed, LastSealed::Removal(..) | LastSealed::Unavailable(..));
        (gone && self.is_withheld(Withheld::Refused)) || self.is_withheld(Withheld::Rejected)
    }

    /// It was gone, and its removal was left to a later sync.
    pub fn is_removal_put_off(&self) -> bool {
        self.owed == Some(Owed::Removal)
    }

    /// It is again as it was sealed.
    pub fn release(&mut self) {
        self.withheld = None;
        if self.is_removal_put_off() {
            (self.owed, self.bisection) = (None, None);
        }
    }

    /// It was sealed with the code that it has now, and nothing of it is left to be sealed or settled: so it had that code
    /// when a plan looked at it last.
    pub fn has_settled_on(&self, unit: &SealableUnit) -> bool {
        let is_settled =
            matches!(self.last_sealed, LastSealed::Content(..)) && self.owed.is_none() && self.withheld.is_none();
        is_settled && self.unit_code == unit.code
    }

    /// Its removal waits for a person.
    pub fn is_on_hold(&self) -> bool {
        self.is_withheld(Withheld::Held) || self.is_withheld(Withheld::Guarded)
    }

    /// Its removal, sealed now, is one that nobody knows of yet: neither the receiver nor a person who approved it.
    pub fn is_removed_unasked(&self) -> bool {
        matches!(self.last_sealed, LastSealed::Content(..)) && self.owed != Some(Owed::Approved)
    }
}

/// What was sealed last of a unit, and in which sync.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LastSealed {
    /// Nothing yet.
    Nothing,
    /// This content.
    Content(Hash, i64),
    /// Its removal.
    Removal(RemovalReason, i64),
    /// That it went, as this content, which says that it isn't available.
    Unavailable(RemovalReason, Hash, i64),
}

impl LastSealed {
    /// The sync that it was sealed in.
    pub fn sequence(&self) -> Option<i64> {
        match self {
            Self::Content(_, sequence) | Self::Removal(_, sequence) | Self::Unavailable(_, _, sequence) => {
                Some(*sequence)
            }
            Self::Nothing => None,
        }
    }

    /// The hash of what the receiver holds of the unit, if it holds anything.
    pub fn hash(&self) -> Option<&Hash> {
        match self {
            Self::Content(hash, _) | Self::Unavailable(_, hash, _) => Some(hash),
            Self::Nothing | Self::Removal(..) => None,
        }
    }
}

/// Why the source's present state isn't sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Withholding {
    /// Whose objection it is.
    pub kind: Withheld,
    /// In words.
    pub because: String,
    /// Of the content that was refused; none where it was a removal.
    pub hash: Option<Hash>,
}

/// What the source has of a unit, as one feed is concerned.
pub enum Present {
    /// This, to be sealed.
    Content(SealableUnit),
    /// Something that can't be sealed as it is, and why.
    Invalid(String),
    /// Nothing.
    Absent(RemovalReason),
}

/// What of a receiver's settings and a plan's mode decides what is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeRules {
    /// Everything is sealed again, whatever its hash.
    pub resend_all: bool,
    /// A unit that went is sealed as a removal; otherwise as a unit that isn't available, which the receiver keeps.
    pub removals: bool,
}

/// What a plan has to do about one unit.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Same,
    /// Nothing to seal, but it is no longer withheld, nor gone.
    Release,
    /// Seal the present content.
    Upsert,
    /// Seal that it is gone.
    Remove(RemovalReason),
    /// Note why the present content isn't sealed.
    Withhold,
    /// Drop the ledger's row: the receiver holds nothing of it.
    Forget,
}

/// Compares one unit's two sides.
pub fn verdict(source: &Present, ledger: Option<&LedgerRow>, rules: ChangeRules) -> Verdict {
    let Some(row) = ledger else {
        return match source {
            Present::Content(_) => Verdict::Upsert,
            Present::Invalid(_) => Verdict::Withhold,
            Present::Absent(_) => Verdict::Same,
        };
    };
    let again = row.owed.is_some() || rules.resend_all;
    let is_in_doubt = row.owed.is_some() && !row.is_removal_put_off();
    match (source, row.last_sealed) {
        // A refusal is stronger than doubt: else it would be sent for ever.
        (Present::Content(unit), _) if row.refuses(&unit.hash) => Verdict::Same,
        (Present::Absent(_), _) if row.keeps_its_removal_back() => Verdict::Same,
        (Present::Content(unit), LastSealed::Content(hash, _))
            if hash == unit.hash && !is_in_doubt && !rules.resend_all =>
        {
            match row.withheld.is_some() || row.is_removal_put_off() {
                true => Verdict::Release,
                false => Verdict::Same,
            }
        }
        (Present::Content(_), _) => Verdict::Upsert,
        (Present::Invalid(why), _) => match &row.withheld {
            Some(kept) if kept.kind == Withheld::Invalid && kept.because == *why => Verdict::Same,
            _ => Verdict::Withhold,
        },
        (Present::Absent(reason), LastSealed::Content(..)) => Verdict::Remove(*reason),
        (Present::Absent(reason), LastSealed::Removal(..)) if again => Verdict::Remove(*reason),
        (Present::Absent(reason), LastSealed::Unavailable(..)) if again || rules.removals => Verdict::Remove(*reason),
        (Present::Absent(_), LastSealed::Unavailable(..)) => Verdict::Same,
        // An acknowledged removal, or a unit that went before it was ever sealed.
        (Present::Absent(_), LastSealed::Removal(..) | LastSealed::Nothing) => Verdict::Forget,
    }
}

/// What withholds a difference that a plan would seal otherwise: the removal waits for a person, or the receiver still has
/// the unit from another feed. Whatever else the ledger notes is about something else than what the source has now.
pub(crate) fn objection<'a>(verdict: &Verdict, row: &'a LedgerRow) -> Option<&'a Withholding> {
    let stands = match verdict {
        Verdict::Upsert => row.is_withheld(Withheld::Elsewhere),
        Verdict::Remove(_) => row.is_on_hold(),
        Verdict::Same | Verdict::Release | Verdict::Withhold | Verdict::Forget => false,
    };
    row.withheld.as_ref().filter(|_| stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(of: &[u8]) -> Present {
        Present::Content(SealableUnit {
            unit_id: 1,
            code: None,
            hash: Hash::of_unit(of),
            json: "{}".into(),
        })
    }

    fn row(last_sealed: LastSealed) -> LedgerRow {
        LedgerRow {
            last_sealed,
            ..LedgerRow::never_sealed(1)
        }
    }

    const USUAL: ChangeRules = ChangeRules {
        resend_all: false,
        removals: true,
    };

    fn verdict(source: &Present, ledger: Option<&LedgerRow>) -> Verdict {
        super::verdict(source, ledger, USUAL)
    }

    fn kept(row: LedgerRow, kind: Withheld, hash: Option<Hash>) -> LedgerRow {
        let because = "because".to_owned();
        LedgerRow {
            withheld: Some(Withholding { kind, because, hash }),
            ..row
        }
    }

    fn owed(last_sealed: LastSealed) -> LedgerRow {
        LedgerRow {
            owed: Some(Owed::InDoubt),
            ..row(last_sealed)
        }
    }

    fn sealed(of: &[u8]) -> LastSealed {
        LastSealed::Content(Hash::of_unit(of), 7)
    }

    #[test]
    fn equal_content_is_sealed_only_when_it_is_owed() {
        assert_eq!(verdict(&content(b"a"), Some(&row(sealed(b"a")))), Verdict::Same);
        assert_eq!(verdict(&content(b"a"), Some(&owed(sealed(b"a")))), Verdict::Upsert);
        assert_eq!(verdict(&content(b"b"), Some(&row(sealed(b"a")))), Verdict::Upsert);
    }

    #[test]
    fn a_unit_that_comes_back_is_sealed_again() {
        let tombstone = LastSealed::Removal(RemovalReason::Deleted, 7);
        assert_eq!(verdict(&content(b"a"), Some(&row(tombstone))), Verdict::Upsert);
        assert_eq!(verdict(&content(b"a"), None), Verdict::Upsert);
    }

    #[test]
    fn a_removal_is_sealed_until_it_is_acknowledged() {
        let gone = Present::Absent(RemovalReason::Moved);
        let tombstone = LastSealed::Removal(RemovalReason::Deleted, 7);
        assert_eq!(
            verdict(&gone, Some(&row(sealed(b"a")))),
            Verdict::Remove(RemovalReason::Moved)
        );
        assert_eq!(
            verdict(&gone, Some(&owed(tombstone))),
            Verdict::Remove(RemovalReason::Moved)
        );
        assert_eq!(verdict(&gone, Some(&row(tombstone))), Verdict::Forget);
        assert_eq!(verdict(&gone, Some(&owed(LastSealed::Nothing))), Verdict::Forget);
        assert_eq!(verdict(&gone, None), Verdict::Same);
    }

    #[test]
    fn what_is_withheld_is_noted_once_and_released_when_it_is_well_again() {
        let invalid = Present::Invalid("because".into());
        let row = row(sealed(b"a"));
        assert_eq!(verdict(&invalid, None), Verdict::Withhold);
        assert_eq!(verdict(&invalid, Some(&row)), Verdict::Withhold);
        let kept = kept(row, Withheld::Invalid, None);
        assert_eq!(verdict(&invalid, Some(&kept)), Verdict::Same);
        assert_eq!(
            verdict(&Present::Invalid("other".into()), Some(&kept)),
            Verdict::Withhold
        );
        assert_eq!(verdict(&content(b"a"), Some(&kept)), Verdict::Release);
        assert_eq!(verdict(&content(b"b"), Some(&kept)), Verdict::Upsert);
    }

    #[test]
    fn a_refusal_is_stronger_than_doubt_and_ends_when_the_unit_changes() {
        let again = ChangeRules {
            resend_all: true,
            ..USUAL
        };
        for row in [row(sealed(b"a")), owed(sealed(b"a"))] {
            let refused = kept(row, Withheld::Refused, Some(Hash::of_unit(b"a")));
            assert_eq!(super::verdict(&content(b"a"), Some(&refused), again), Verdict::Same);
            assert_eq!(verdict(&content(b"b"), Some(&refused)), Verdict::Upsert);
            let gone = Present::Absent(RemovalReason::Deleted);
            assert_eq!(verdict(&gone, Some(&refused)), Verdict::Remove(RemovalReason::Deleted));
        }
        let refused = kept(
            owed(LastSealed::Removal(RemovalReason::Deleted, 7)),
            Withheld::Refused,
            None,
        );
        assert_eq!(
            verdict(&Present::Absent(RemovalReason::Moved), Some(&refused)),
            Verdict::Same
        );
        assert_eq!(verdict(&content(b"a"), Some(&refused)), Verdict::Upsert);
    }

    #[test]
    fn everything_is_resent_but_what_the_receiver_has_nothing_of() {
        let again = ChangeRules {
            resend_all: true,
            ..USUAL
        };
        let gone = Present::Absent(RemovalReason::Deleted);
        assert_eq!(
            super::verdict(&content(b"a"), Some(&row(sealed(b"a"))), again),
            Verdict::Upsert
        );
        let tombstone = row(LastSealed::Removal(RemovalReason::Deleted, 7));
        assert_eq!(
            super::verdict(&gone, Some(&tombstone), again),
            Verdict::Remove(RemovalReason::Deleted)
        );
        assert_eq!(
            super::verdict(&gone, Some(&row(LastSealed::Nothing)), again),
            Verdict::Forget
        );
    }

    #[test]
    fn a_unit_sealed_as_unavailable_stays_so_until_removals_are_sent() {
        let gone = Present::Absent(RemovalReason::Deleted);
        let row = row(LastSealed::Unavailable(RemovalReason::Deleted, Hash::of_unit(b"u"), 7));
        let keeps = ChangeRules {
            removals: false,
            ..USUAL
        };
        assert_eq!(super::verdict(&gone, Some(&row), keeps), Verdict::Same);
        assert_eq!(verdict(&gone, Some(&row)), Verdict::Remove(RemovalReason::Deleted));
        assert_eq!(super::verdict(&content(b"a"), Some(&row), keeps), Verdict::Upsert);
    }

    #[test]
    fn a_unit_that_is_back_before_its_removal_was_sealed_is_not_sealed_again() {
        let put_off = |last_sealed| LedgerRow {
            owed: Some(Owed::Removal),
            bisection: Some(3),
            ..row(last_sealed)
        };
        let mut back = put_off(sealed(b"a"));
        assert_eq!(verdict(&content(b"a"), Some(&back)), Verdict::Release);
        assert_eq!(verdict(&content(b"b"), Some(&back)), Verdict::Upsert);
        back.release();
        assert_eq!(back, row(sealed(b"a")));
        let tombstone = put_off(LastSealed::Removal(RemovalReason::Deleted, 1));
        assert_eq!(verdict(&content(b"a"), Some(&tombstone)), Verdict::Upsert);
    }

    #[test]
    fn what_a_person_wants_kept_stays_sealed_until_it_is_back() {
        let again = ChangeRules {
            resend_all: true,
            ..USUAL
        };
        let rejected = kept(owed(sealed(b"a")), Withheld::Rejected, None);
        let gone = Present::Absent(RemovalReason::Deleted);
        assert_eq!(super::verdict(&gone, Some(&rejected), again), Verdict::Same);
        assert_eq!(verdict(&content(b"b"), Some(&rejected)), Verdict::Upsert);
        let back = kept(row(sealed(b"a")), Withheld::Rejected, None);
        assert_eq!(verdict(&content(b"a"), Some(&back)), Verdict::Release);
        let held = kept(row(sealed(b"a")), Withheld::Held, None);
        assert_eq!(verdict(&gone, Some(&held)), Verdict::Remove(RemovalReason::Deleted));
        assert_eq!(verdict(&content(b"a"), Some(&held)), Verdict::Release);
    }
}
