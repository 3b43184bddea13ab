//! What is gone from the source and no plan has looked at yet: so that a source that went empty is doubted before the first
//! removal is sealed, and not after a fifth of them.
//!
//! How many units that may be at most is kept (`rentsync.receiver_count`): changes name what was touched, whatever became of
//! it. Only where that many would be too many they are looked for in the source, and no longer than until there are enough.

use anyhow::{Context, Result};

use super::scope::PlanTx;

/// Where more changes are new than this they aren't read: then any unit may be gone.
const CHANGES_READ_MAX: i64 = 20_000;
/// So many feeds are looked at in one statement.
const FEEDS_PER_LOOK: i64 = 256;
/// How long what was found is believed without another look. That only withholds what would be sealed; it never seals more.
pub(super) const BELIEVED_SECONDS: f64 = 10.0;

/// What is known of it, to be noted with the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// At most so many.
    units: i64,
    /// Whether they were found to be too many; none: nobody looked.
    doubted: Option<bool>,
}

/// A batch that removes something, as far as it matters here.
pub(super) struct Losing<'a> {
    /// Its feeds.
    pub feeds: &'a [i64],
    /// What it would remove now.
    pub units: i64,
    /// From so many more units on nothing more may be sealed.
    pub enough: i64,
}

/// Whether enough is gone beside what this batch removes.
pub(super) async fn is_enough(tx: &mut PlanTx<'_>, losing: &Losing<'_>) -> Result<(bool, Ahead)> {
    let (at_most, believed) = at_most(tx).await?;
    let kept = Ahead {
        units: at_most,
        doubted: None,
    };
    if at_most < losing.enough {
        return Ok((false, kept));
    }
    if believed {
        return Ok((true, kept));
    }
    let found = look(tx, losing).await?;
    let enough = found >= losing.enough;
    let ahead = Ahead {
        // A look that was cut short has not seen all of them.
        units: if enough { at_most } else { found + losing.units },
        doubted: Some(enough),
    };
    Ok((enough, ahead))
}

/// Reads the changes that are new since the last time, so that a batch has few of them to read. Part of the caller's transaction.
pub(super) async fn keep_up(tx: &mut PlanTx<'_>) -> Result<()> {
    let (units, _) = at_most(tx).await?;
    let ahead = Ahead { units, doubted: None };
    note(tx, Some(ahead)).await
}

pub(super) async fn note(tx: &mut PlanTx<'_>, ahead: Option<Ahead>) -> Result<()> {
    let Some(ahead) = ahead else { return Ok(()) };
    sqlx::query(include_str!("../../sql/hold/note_ahead.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(ahead.units)
        .bind(ahead.doubted)
        .bind(tx.now)
        .execute(&mut *tx.conn)
        .await
        .context("noting what may be gone from the source")?;
    Ok(())
}

/// How many units may be gone, and whether it was found lately that too many are.
async fn at_most(tx: &mut PlanTx<'_>) -> Result<(i64, bool)> {
    let known: Option<(i64, bool)> = sqlx::query_as(include_str!("../../sql/hold/ahead.sql"))
        .bind(&tx.scope.receiver.name)
        .bind(tx.now)
        .bind(BELIEVED_SECONDS)
        .bind(CHANGES_READ_MAX)
        .fetch_optional(&mut *tx.conn)
        .await?;
    Ok(known.unwrap_or((i64::MAX >> 8, false)))
}

async fn look(tx: &mut PlanTx<'_>, losing: &Losing<'_>) -> Result<i64> {
    let (mut found, mut after) = (0, 0);
    while found < losing.enough {
        let (units, last): (i64, Option<i64>) = sqlx::query_as(include_str!("../../sql/hold/look_ahead.sql"))
            .bind(&tx.scope.receiver.name)
            .bind(&tx.scope.receiver.property_groups)
            .bind(losing.feeds)
            .bind(after)
            .bind(FEEDS_PER_LOOK)
            .fetch_one(&mut *tx.conn)
            .await?;
        found += units;
        let Some(last) = last else { break };
        after = last;
    }
    Ok(found)
}
