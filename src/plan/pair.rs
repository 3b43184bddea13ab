//! One unit's two sides, as a row of `sql/plan/compare_units.sql` has them.

use anyhow::Result;

use super::Scope;
use super::feed_delta::FeedDelta;
use crate::delta::{Kept, KeptBack, LedgerRow, Present, Told};
use crate::payload::{Hash, Reason};
use crate::unit::{Columns, Unit};

/// What the source has and what the ledger says.
pub(crate) struct Pair {
    pub unit_id: i64,
    pub source: Present,
    pub ledger: Option<LedgerRow>,
}

impl Pair {
    pub fn read(unit_id: i64, mut columns: Columns<'_>, delta: &FeedDelta, scope: &Scope) -> Result<Self> {
        let property_id: Option<i64> = columns.next()?;
        let unit = Unit::read(unit_id, &mut columns)?;
        let ledger = read_ledger(unit_id, &mut columns)?;
        let source = match (property_id, delta.feed.uncovered) {
            (None, _) => Present::Absent(Reason::Deleted),
            (Some(property_id), _) if property_id != delta.feed.property_id => Present::Absent(Reason::Moved),
            (Some(_), Some(reason)) => Present::Absent(reason),
            (Some(_), None) => present(&unit, delta, scope)?,
        };
        Ok(Self {
            unit_id,
            source,
            ledger,
        })
    }
}

fn present(unit: &Unit, delta: &FeedDelta, scope: &Scope) -> Result<Present> {
    if let Some(because) = scope.shape.objection(unit).or_else(|| delta.objection.clone()) {
        return Ok(Present::Invalid(because));
    }
    let unit = scope.shape.unit(unit, &delta.property)?;
    Ok(match scope.shape.too_large(&unit, &delta.property) {
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
        told: told(hash, removed.as_deref().and_then(Reason::parse), sequence),
        owed: columns.next()?,
        suspect: columns.next()?,
        kept_back: read_kept_back(columns)?,
        content: columns.next()?,
    };
    Ok(present.then_some(row))
}

fn told(hash: Option<Hash>, removed: Option<Reason>, sequence: Option<i64>) -> Told {
    match (hash, removed, sequence) {
        (Some(hash), None, Some(sequence)) => Told::Content(hash, sequence),
        (Some(hash), Some(reason), Some(sequence)) => Told::Unavailable(reason, hash, sequence),
        (None, Some(reason), Some(sequence)) => Told::Removal(reason, sequence),
        (None, None, _) | (_, _, None) => Told::Nothing,
    }
}

fn read_kept_back(columns: &mut Columns<'_>) -> Result<Option<KeptBack>> {
    let kind: Option<String> = columns.next()?;
    let because: Option<String> = columns.next()?;
    let hash = columns.next::<Option<Vec<u8>>>()?.map(Hash::try_from).transpose()?;
    Ok(kind.as_deref().and_then(Kept::parse).map(|kind| KeptBack {
        kind,
        because: because.unwrap_or_default(),
        hash,
    }))
}
