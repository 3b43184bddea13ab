//! What differs between the source and what a receiver was told: one exhaustive match.
//!
//! Pure. Which units are looked at, and what is done about the answer, is [`crate::plan`]'s business.

use crate::payload::{Hash, Reason, TellableUnit};

/// What the ledger says of a unit: what the receiver was told last.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    /// The unit.
    pub unit_id: i64,
    /// Its code, as told last.
    pub unit_code: Option<String>,
    /// What was told last.
    pub told: Told,
    /// Why it must be told again, whatever its hash.
    pub owed: Option<String>,
    /// Why the source's present content isn't told.
    pub kept_back: Option<String>,
}

/// What a receiver was told last of a unit, and in which sync.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// Nothing yet.
    Nothing,
    /// This content.
    Content(Hash, i64),
    /// Its removal.
    Removal(Reason, i64),
}

/// What the source has of a unit, as one feed is concerned.
pub enum Present {
    /// This, to be told.
    Content(TellableUnit),
    /// Something that nobody can be told, and why.
    Invalid(String),
    /// Nothing.
    Absent(Reason),
}

/// What a plan has to do about one unit.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Same,
    /// Nothing to tell, but it is no longer kept back.
    Release,
    /// Tell the present content.
    Tell,
    /// Tell that it is gone.
    Remove(Reason),
    /// Note why the present content isn't told.
    KeepBack,
    /// Drop the ledger's row: the receiver holds nothing of it.
    Forget,
}

/// Compares one unit's two sides.
pub fn verdict(source: &Present, ledger: Option<&LedgerRow>) -> Verdict {
    use Told::{Content as Content_, Nothing, Removal};
    match (source, ledger) {
        (Present::Content(_), None) => Verdict::Tell,
        (Present::Content(unit), Some(row)) => match (row.told, &row.owed, &row.kept_back) {
            (Content_(hash, _), None, None) if hash == unit.hash => Verdict::Same,
            (Content_(hash, _), None, Some(_)) if hash == unit.hash => Verdict::Release,
            _ => Verdict::Tell,
        },
        (Present::Invalid(why), Some(row)) if row.kept_back.as_ref() == Some(why) => Verdict::Same,
        (Present::Invalid(_), _) => Verdict::KeepBack,
        (Present::Absent(_), None) => Verdict::Same,
        (Present::Absent(reason), Some(row)) => match (row.told, &row.owed) {
            (Content_(..), _) | (Removal(..), Some(_)) => Verdict::Remove(*reason),
            // An acknowledged removal, or a unit that went before it was ever told.
            (Removal(..), None) | (Nothing, _) => Verdict::Forget,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn content(of: &[u8]) -> Present {
        Present::Content(TellableUnit {
            unit_id: 1,
            hash: Hash::of_unit(of),
            json: RawValue::from_string("{}".into()).unwrap(),
        })
    }

    fn row(told: Told) -> LedgerRow {
        LedgerRow {
            unit_id: 1,
            unit_code: None,
            told,
            owed: None,
            kept_back: None,
        }
    }

    fn owed(told: Told) -> LedgerRow {
        LedgerRow {
            owed: Some("in_doubt".into()),
            ..row(told)
        }
    }

    fn told(of: &[u8]) -> Told {
        Told::Content(Hash::of_unit(of), 7)
    }

    #[test]
    fn equal_content_is_told_only_when_it_is_owed() {
        assert_eq!(verdict(&content(b"a"), Some(&row(told(b"a")))), Verdict::Same);
        assert_eq!(verdict(&content(b"a"), Some(&owed(told(b"a")))), Verdict::Tell);
        assert_eq!(verdict(&content(b"b"), Some(&row(told(b"a")))), Verdict::Tell);
    }

    #[test]
    fn a_unit_that_comes_back_is_told_again() {
        let tombstone = Told::Removal(Reason::Deleted, 7);
        assert_eq!(verdict(&content(b"a"), Some(&row(tombstone))), Verdict::Tell);
        assert_eq!(verdict(&content(b"a"), None), Verdict::Tell);
    }

    #[test]
    fn a_removal_is_told_until_it_is_acknowledged() {
        let gone = Present::Absent(Reason::Moved);
        let tombstone = Told::Removal(Reason::Deleted, 7);
        assert_eq!(verdict(&gone, Some(&row(told(b"a")))), Verdict::Remove(Reason::Moved));
        assert_eq!(verdict(&gone, Some(&owed(tombstone))), Verdict::Remove(Reason::Moved));
        assert_eq!(verdict(&gone, Some(&row(tombstone))), Verdict::Forget);
        assert_eq!(verdict(&gone, Some(&owed(Told::Nothing))), Verdict::Forget);
        assert_eq!(verdict(&gone, None), Verdict::Same);
    }

    #[test]
    fn what_is_kept_back_is_noted_once_and_released_when_it_is_well_again() {
        let invalid = Present::Invalid("base_rent is not a finite number".into());
        let mut kept = row(told(b"a"));
        assert_eq!(verdict(&invalid, None), Verdict::KeepBack);
        assert_eq!(verdict(&invalid, Some(&kept)), Verdict::KeepBack);
        kept.kept_back = Some("base_rent is not a finite number".into());
        assert_eq!(verdict(&invalid, Some(&kept)), Verdict::Same);
        assert_eq!(verdict(&content(b"a"), Some(&kept)), Verdict::Release);
        assert_eq!(verdict(&content(b"b"), Some(&kept)), Verdict::Tell);
    }
}
