//! Drift: what differs though no change announced it, and in which fields.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::PgConnection;

use super::chosen::ChosenFeed;
use super::compare::compare_sides;
use super::feed_delta::FeedDelta;
use super::scope::{Mode, PlanTx, Scope};
use super::sides::UnitSides;
use crate::delta::Present;
use crate::difference::{Bodies, Difference, SentUnits};
use crate::payload::Hash;

/// Where more of a property drifted it is not this unit or that.
const DRIFT_EXPLAINED_MAX: usize = 500;

/// Each is a defect found: something changed a unit and no change was captured.
pub(super) async fn note(tx: &mut PlanTx<'_>, deltas: &[FeedDelta]) -> Result<()> {
    let bytes = |hash: Option<Hash>| hash.map(|hash| hash.as_bytes().to_vec());
    let mut drift = DriftColumns::default();
    for delta in deltas.iter().filter(|delta| !delta.observed.drift.is_empty()) {
        let differs = what_differs(tx.conn, tx.scope, delta).await?;
        for found in &delta.observed.drift {
            drift
                .differs
                .push(found.unit_id.and_then(|unit_id| differs.get(&unit_id).cloned()));
            drift.feeds.push(delta.feed.feed_id);
            drift.units.push(found.unit_id);
            drift.ledger.push(bytes(found.ledger_hash));
            drift.source.push(bytes(found.source_hash));
        }
        tracing::error!(
            receiver = tx.scope.receiver.name,
            property_id = delta.feed.property_id,
            units = delta.observed.drift.len(),
            "units differ from what was sealed last though no change was captured: triggers were bypassed, or a joined \
             table has none; they are sealed now"
        );
    }
    if drift.feeds.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/plan/note_drift.sql"))
        .bind(drift.feeds)
        .bind(drift.units)
        .bind(drift.ledger)
        .bind(drift.source)
        .bind(tx.now)
        .bind(drift.differs)
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}

/// The names of the fields of each drifted unit, of the first so many; read while the ledger still says what was sealed before.
async fn what_differs(conn: &mut PgConnection, scope: &Scope, delta: &FeedDelta) -> Result<HashMap<i64, String>> {
    let units: Vec<i64> = delta
        .observed
        .drift
        .iter()
        .filter_map(|found| found.unit_id)
        .take(DRIFT_EXPLAINED_MAX)
        .collect();
    let found = differing(conn, scope, &delta.feed, &units).await?;
    Ok(found.iter().map(|found| (found.unit_id, found.in_short())).collect())
}

/// `rentsync.drift`, a column each.
#[derive(Default)]
struct DriftColumns {
    feeds: Vec<i64>,
    units: Vec<Option<i64>>,
    ledger: Vec<Option<Vec<u8>>>,
    source: Vec<Option<Vec<u8>>>,
    differs: Vec<Option<String>>,
}

/// A unit whose two sides differ, and in what.
pub(crate) struct Differing {
    pub unit_id: i64,
    /// Why the fields can't be named.
    pub because: Option<&'static str>,
    pub ledger_hash: Option<Hash>,
    pub source_hash: Option<Hash>,
    /// Which fields differ, where what was sealed last is still kept.
    pub fields: Vec<Difference>,
}

impl Differing {
    fn of(pair: &UnitSides, sealed: &SentUnits) -> Result<Self> {
        let (because, fields) = match (&pair.source, pair.ledger_hash()) {
            (Present::Content(_), None) => (Some("it was never sealed"), Vec::new()),
            (Present::Content(unit), Some(_)) => match sealed.differences(pair.unit_id, &unit.json)? {
                Some(fields) => (None, fields),
                None => (Some("what was sealed last is no longer kept"), Vec::new()),
            },
            (Present::Absent(_) | Present::Invalid(_), _) => (Some("the source no longer has it here"), Vec::new()),
        };
        Ok(Self {
            unit_id: pair.unit_id,
            because,
            ledger_hash: pair.ledger_hash(),
            source_hash: pair.source_hash(),
            fields,
        })
    }

    /// The names of the fields that differ, or why they can't be named.
    fn in_short(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|difference| difference.field.as_str()).collect();
        self.because.map_or_else(|| names.join(", "), str::to_owned)
    }
}

/// Reads units that differ again, now for what they say.
pub(crate) async fn differing(
    conn: &mut PgConnection,
    scope: &Scope,
    feed: &ChosenFeed,
    units: &[i64],
) -> Result<Vec<Differing>> {
    let mut part = [FeedDelta::of(feed.clone(), Mode::Part, scope)?];
    let mut pairs = Vec::new();
    compare_sides(
        conn,
        scope,
        &mut part,
        |_| units.to_vec(),
        |_, pair| {
            pairs.push(pair);
            Ok(())
        },
    )
    .await?;
    let mut bodies = Bodies::default();
    for pair in &pairs {
        if let Some(row) = pair.ledger.as_ref().filter(|row| row.last_sealed.hash().is_some()) {
            bodies.want(row.last_sealed.sequence(), row.unit_id, row.content.as_deref())?;
        }
    }
    let sealed = bodies.read(conn).await?;
    pairs.iter().map(|pair| Differing::of(pair, &sealed)).collect()
}
