//! Codes that several units of one property carry: all of them are sealed, and a person is warned of them.
//!
//! A plan sees by itself whether that can be: where it compares everything, whether a code came twice; else, whether a unit
//! that it looked at has another code than the ledger says. Only then the source is asked, and it has the last word. So an
//! edit that moves no code costs nothing, and neither does a night in which no code comes twice.

use std::collections::HashSet;

use anyhow::{Context, Result};
use sqlx::FromRow;

use super::feed_delta::FeedDelta;
use super::scope::PlanTx;
use crate::alert::{self, Alert, Kind};
use crate::config::Field;
use crate::payload::UNIT_CODE_BYTES_MAX;

/// More of the units that carry a code than these are not named in an alert.
const UNITS_NAMED_MAX: usize = 5;

/// A feed of which other codes may be carried by several units than before.
#[derive(Clone, Copy)]
pub(super) struct Recoded {
    feed_id: i64,
    property_id: i64,
    /// Otherwise none is.
    may_repeat: bool,
}

impl Recoded {
    /// Those of a batch.
    pub fn of(deltas: &[FeedDelta]) -> Vec<Self> {
        let of = |delta: &FeedDelta| Self {
            feed_id: delta.feed.feed_id,
            property_id: delta.feed.property_id,
            may_repeat: delta.observed.codes.may_repeat() && delta.feed.uncovered.is_none(),
        };
        let recoded = deltas
            .iter()
            .filter(|delta| delta.observed.codes.may_repeat() || delta.is_compared_whole());
        recoded.map(of).collect()
    }
}

/// What several units of a feed carry.
#[derive(FromRow)]
struct Repeated {
    feed_id: i64,
    /// How many codes.
    codes: i64,
    /// One of them is new, or was joined by a unit.
    is_new: bool,
    /// The units that carry that one.
    unit_ids: Vec<i64>,
}

/// Notes which codes of these feeds several units carry; an alert for each property where there are more than before.
pub(super) async fn note(tx: &mut PlanTx<'_>, recoded: &[Recoded]) -> Result<()> {
    if recoded.is_empty() {
        return Ok(());
    }
    let found = find(tx, recoded)
        .await
        .context("looking for codes that several units carry")?;
    let carrying: HashSet<i64> = found.iter().map(|repeated| repeated.feed_id).collect();
    let over: Vec<i64> = recoded
        .iter()
        .filter(|feed| !carrying.contains(&feed.feed_id))
        .map(|feed| feed.property_id)
        .collect();
    alert::resolve_of(tx.conn, &tx.scope.receiver.name, Kind::Duplicate, &over, tx.now).await?;
    for repeated in found.iter().filter(|repeated| repeated.is_new) {
        if let Some(feed) = recoded.iter().find(|feed| feed.feed_id == repeated.feed_id) {
            let alert = Alert {
                kind: Kind::Duplicate,
                receiver: tx.scope.receiver.name.clone(),
                property_id: Some(feed.property_id),
                message: message(repeated.codes, &repeated.unit_ids),
            };
            alert::raise(tx.conn, &alert, tx.now).await?;
        }
    }
    Ok(())
}

async fn find(tx: &mut PlanTx<'_>, recoded: &[Recoded]) -> sqlx::Result<Vec<Repeated>> {
    let sends_codes = tx.scope.receiver.fields.has(Field::UnitCode);
    let codes = &tx.scope.receiver.unit_codes;
    let asked = |feed: &Recoded| (feed.may_repeat && sends_codes).then_some(feed.property_id);
    sqlx::query_as(include_str!("../../sql/plan/duplicates.sql"))
        .bind(recoded.iter().map(|feed| feed.feed_id).collect::<Vec<_>>())
        .bind(recoded.iter().map(asked).collect::<Vec<_>>())
        .bind(&codes.prefix)
        .bind(codes.map.keys().copied().collect::<Vec<_>>())
        .bind(codes.map.values().map(String::as_str).collect::<Vec<_>>())
        .bind(tx.now)
        .bind(UNIT_CODE_BYTES_MAX)
        .bind(&tx.scope.receiver.name)
        .fetch_all(&mut *tx.conn)
        .await
}

fn message(codes: i64, units: &[i64]) -> String {
    let named: Vec<String> = units.iter().take(UNITS_NAMED_MAX).map(i64::to_string).collect();
    let named = named.join(", ");
    let others = match units.len().saturating_sub(UNITS_NAMED_MAX) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let carried = match codes {
        1 => format!("units {named}{others} have the same unit code"),
        _ => format!("{codes} unit codes are carried by several units each, one of them by units {named}{others}"),
    };
    format!(
        "{carried}. That keeps none of them back; a receiver that goes by codes takes them for one. See `refused list --duplicates`, \
         then give each unit its own code in the source"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_names_a_few_units_and_no_code() {
        assert!(message(1, &[11, 12]).starts_with("units 11, 12 have the same unit code. "));
        let many = message(3, &[1, 2, 3, 4, 5, 6, 7]);
        assert!(many.starts_with(
            "3 unit codes are carried by several units each, one of them by units 1, 2, 3, 4, 5 and 2 more. "
        ));
    }
}
