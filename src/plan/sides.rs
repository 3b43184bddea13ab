//! One unit's two sides, as a row of `sql/plan/compare_units.sql` has them.

use anyhow::Result;

use super::chosen::ChosenFeed;
use super::scope::Scope;
use crate::delta::{LastSealed, LedgerRow, Present, Withholding};
use crate::payload::{Hash, RemovalReason, SealableProperty};
use crate::states::Withheld;
use crate::unit::{Columns, Unit};

/// What the source has and what the ledger says.
pub(crate) struct UnitSides {
    pub unit_id: i64,
    pub source: Present,
    pub ledger: Option<LedgerRow>,
}

/// What a unit of a feed is read against.
pub(super) struct Frame<'a> {
    pub scope: &'a Scope,
    pub feed: &'a ChosenFeed,
    pub property: &'a SealableProperty,
    /// Why nothing that names the property can be sealed.
    pub objection: Option<&'a str>,
}

impl UnitSides {
    pub(super) fn read(unit_id: i64, mut columns: Columns<'_>, frame: &Frame<'_>) -> Result<Self> {
        let property_id: Option<i64> = columns.next()?;
        let unit = Unit::read(unit_id, &mut columns)?;
        let ledger = read_ledger(unit_id, &mut columns)?;
        let source = match (property_id, frame.feed.uncovered) {
            (None, _) => Present::Absent(RemovalReason::Deleted),
            (Some(property_id), _) if property_id != frame.feed.property_id => Present::Absent(RemovalReason::Moved),
            (Some(_), Some(reason)) => Present::Absent(reason),
            (Some(_), None) => present(&unit, frame)?,
        };
        Ok(Self {
            unit_id,
            source,
            ledger,
        })
    }

    /// Of what the source has.
    pub fn source_hash(&self) -> Option<Hash> {
        match &self.source {
            Present::Content(unit) => Some(unit.hash),
            Present::Invalid(_) | Present::Absent(_) => None,
        }
    }

    /// Of what was sealed last.
    pub fn ledger_hash(&self) -> Option<Hash> {
        self.ledger.as_ref().and_then(|row| row.last_sealed.hash().copied())
    }
}

fn present(unit: &Unit, frame: &Frame<'_>) -> Result<Present> {
    let shape = &frame.scope.shape;
    if let Some(because) = shape.objection(unit).or_else(|| frame.objection.map(str::to_owned)) {
        return Ok(Present::Invalid(because));
    }
    let unit = shape.unit(unit, frame.property)?;
    Ok(match shape.too_large(&unit, frame.property) {
        Some(because) => Present::Invalid(because),
        None => Present::Content(unit),
    })
}

fn read_ledger(unit_id: i64, columns: &mut Columns<'_>) -> Result<Option<LedgerRow>> {
    let present: bool = columns.next()?;
    let unit_code = columns.next()?;
    let hash = columns.next::<Option<Vec<u8>>>()?.map(Hash::try_from).transpose()?;
    let removed: Option<String> = columns.next()?;
    let sequence: Option<i64> = columns.next()?;
    let row = LedgerRow {
        unit_id,
        unit_code,
        last_sealed: last_sealed(hash, removed.as_deref().and_then(RemovalReason::parse), sequence),
        owed: columns.next()?,
        bisection: columns.next()?,
        withheld: read_withheld(columns)?,
        content: columns.next()?,
        is_new: false,
    };
    Ok(present.then_some(row))
}

fn last_sealed(hash: Option<Hash>, removed: Option<RemovalReason>, sequence: Option<i64>) -> LastSealed {
    match (hash, removed, sequence) {
        (Some(hash), None, Some(sequence)) => LastSealed::Content(hash, sequence),
        (Some(hash), Some(reason), Some(sequence)) => LastSealed::Unavailable(reason, hash, sequence),
        (None, Some(reason), Some(sequence)) => LastSealed::Removal(reason, sequence),
        (None, None, _) | (_, _, None) => LastSealed::Nothing,
    }
}

fn read_withheld(columns: &mut Columns<'_>) -> Result<Option<Withholding>> {
    let kind: Option<Withheld> = columns.next()?;
    let because: Option<String> = columns.next()?;
    let hash = columns.next::<Option<Vec<u8>>>()?.map(Hash::try_from).transpose()?;
    Ok(kind.map(|kind| Withholding {
        kind,
        because: because.unwrap_or_default(),
        hash,
    }))
}
