//! Sealing: from deltas to rows. All of it is part of the plan's transaction.

use std::io::Write;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;
use sqlx::PgConnection;

use super::Planned;
use super::compare::FeedDelta;
use crate::config::Receiver;
use crate::delta::{LedgerRow, Told};
use crate::payload::Body;
use crate::sync::{SyncId, SyncType};

/// Writes the batch: syncs, ledger, cursors.
pub(super) async fn seal(
    conn: &mut PgConnection,
    receiver: &Receiver,
    deltas: &[FeedDelta],
    now: Option<DateTime<Utc>>,
) -> Result<Planned> {
    let sealed: Vec<_> = deltas.iter().filter(|delta| delta.is_sealed()).collect();
    let (sequences, sealed_at) = next_sequences(conn, sealed.len(), now).await?;
    let mut syncs = SyncColumns::default();
    let mut ledger = LedgerColumns::default();
    let mut feeds = FeedColumns::default();
    for (delta, sequence) in sealed.iter().zip(sequences) {
        syncs.push(delta, sequence, sealed_at)?;
        ledger.push_told(delta, sequence);
        feeds.push(delta, Some(sequence));
    }
    for delta in deltas {
        ledger.push_noted(delta);
        if !delta.is_sealed() {
            feeds.push(delta, None);
        }
    }
    syncs.insert(conn, &receiver.name, sealed_at).await?;
    ledger.write(conn).await?;
    forget(conn, deltas).await?;
    feeds.advance(conn).await?;
    Ok(Planned {
        feeds: deltas.len(),
        syncs: sealed.len(),
        units: sealed.iter().map(|delta| delta.tell.len()).sum(),
        removed_units: sealed.iter().map(|delta| delta.remove.len()).sum(),
        ..Planned::default()
    })
}

async fn next_sequences(
    conn: &mut PgConnection,
    count: usize,
    now: Option<DateTime<Utc>>,
) -> Result<(Vec<i64>, DateTime<Utc>)> {
    let (sequences, sealed_at): (Vec<i64>, DateTime<Utc>) =
        sqlx::query_as(include_str!("../../sql/plan/next_sequences.sql"))
            .bind(i64::try_from(count)?)
            .bind(now)
            .fetch_one(conn)
            .await?;
    Ok((sequences, sealed_at))
}

async fn forget(conn: &mut PgConnection, deltas: &[FeedDelta]) -> Result<()> {
    let (feeds, units): (Vec<i64>, Vec<i64>) = deltas
        .iter()
        .flat_map(|delta| delta.forget.iter().map(|unit_id| (delta.feed_id, *unit_id)))
        .unzip();
    if !units.is_empty() {
        sqlx::query(include_str!("../../sql/plan/forget_ledger.sql"))
            .bind(feeds)
            .bind(units)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// `rentsync.sync`, a column each.
#[derive(Default)]
struct SyncColumns {
    sequences: Vec<i64>,
    sync_ids: Vec<String>,
    feeds: Vec<i64>,
    types: Vec<&'static str>,
    units: Vec<i32>,
    removed_units: Vec<i32>,
    body_bytes: Vec<i32>,
    bodies: Vec<Vec<u8>>,
    oldest_changes: Vec<Option<DateTime<Utc>>>,
}

impl SyncColumns {
    fn push(&mut self, delta: &FeedDelta, sequence: i64, sealed_at: DateTime<Utc>) -> Result<()> {
        let sync_id = SyncId::new(sealed_at);
        let units: Vec<&RawValue> = delta.tell.iter().map(|(unit, _)| &*unit.json).collect();
        let body = Body {
            sync_id: &sync_id,
            sealed_at,
            sync_type: SyncType::Delta,
            sequence,
            property: &delta.property_json,
            units: &units,
            removed_units: &delta.remove,
            property_digest: delta.digest,
        }
        .to_bytes()?;
        self.sequences.push(sequence);
        self.sync_ids.push(sync_id.to_string());
        self.feeds.push(delta.feed_id);
        self.types.push(SyncType::Delta.as_str());
        self.units.push(i32::try_from(delta.tell.len())?);
        self.removed_units.push(i32::try_from(delta.remove.len())?);
        self.body_bytes
            .push(i32::try_from(body.len()).context("a body over 2 GiB")?);
        self.bodies.push(compressed(&body)?);
        self.oldest_changes.push(delta.oldest_change);
        Ok(())
    }

    async fn insert(self, conn: &mut PgConnection, receiver: &str, sealed_at: DateTime<Utc>) -> Result<()> {
        if self.sequences.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("../../sql/plan/seal_syncs.sql"))
            .bind(receiver)
            .bind(sealed_at)
            .bind(self.sequences)
            .bind(self.sync_ids)
            .bind(self.feeds)
            .bind(self.types)
            .bind(self.units)
            .bind(self.removed_units)
            .bind(self.body_bytes)
            .bind(self.bodies)
            .bind(self.oldest_changes)
            .execute(conn)
            .await
            .context("sealing syncs")?;
        Ok(())
    }
}

/// The fastest level: rent rolls repeat themselves, nine tenths go even so.
fn compressed(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

/// `rentsync.ledger`, a column each.
#[derive(Default)]
struct LedgerColumns {
    feeds: Vec<i64>,
    units: Vec<i64>,
    codes: Vec<Option<String>>,
    hashes: Vec<Option<Vec<u8>>>,
    removed: Vec<Option<&'static str>>,
    sequences: Vec<Option<i64>>,
    owed: Vec<Option<String>>,
    kept_back: Vec<Option<String>>,
}

impl LedgerColumns {
    fn push_told(&mut self, delta: &FeedDelta, sequence: i64) {
        for (unit, code) in &delta.tell {
            let told = Told::Content(unit.hash, sequence);
            self.push(delta.feed_id, unit.unit_id, code.clone(), told, None, None);
        }
        for removal in &delta.remove {
            let told = Told::Removal(removal.reason, sequence);
            self.push(
                delta.feed_id,
                removal.unit_id,
                removal.unit_code.clone(),
                told,
                None,
                None,
            );
        }
    }

    fn push_noted(&mut self, delta: &FeedDelta) {
        for row in &delta.noted {
            let LedgerRow {
                unit_id,
                unit_code,
                told,
                owed,
                kept_back,
            } = row.clone();
            self.push(delta.feed_id, unit_id, unit_code, told, owed, kept_back);
        }
    }

    fn push(
        &mut self,
        feed_id: i64,
        unit_id: i64,
        code: Option<String>,
        told: Told,
        owed: Option<String>,
        kept_back: Option<String>,
    ) {
        let (hash, removed, sequence) = match told {
            Told::Nothing => (None, None, None),
            Told::Content(hash, sequence) => (Some(hash.as_bytes().to_vec()), None, Some(sequence)),
            Told::Removal(reason, sequence) => (None, Some(reason.as_str()), Some(sequence)),
        };
        self.feeds.push(feed_id);
        self.units.push(unit_id);
        self.codes.push(code);
        self.hashes.push(hash);
        self.removed.push(removed);
        self.sequences.push(sequence);
        self.owed.push(owed);
        self.kept_back.push(kept_back);
    }

    async fn write(self, conn: &mut PgConnection) -> Result<()> {
        if self.feeds.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("../../sql/plan/write_ledger.sql"))
            .bind(self.feeds)
            .bind(self.units)
            .bind(self.codes)
            .bind(self.hashes)
            .bind(self.removed)
            .bind(self.sequences)
            .bind(self.owed)
            .bind(self.kept_back)
            .execute(conn)
            .await
            .context("writing the ledger")?;
        Ok(())
    }
}

/// What changes of `rentsync.feed`, a column each.
#[derive(Default)]
struct FeedColumns {
    feeds: Vec<i64>,
    told: Vec<bool>,
    property_hashes: Vec<Vec<u8>>,
    sequences: Vec<Option<i64>>,
    digests: Vec<Vec<u8>>,
}

impl FeedColumns {
    fn push(&mut self, delta: &FeedDelta, sequence: Option<i64>) {
        self.feeds.push(delta.feed_id);
        self.told.push(sequence.is_some());
        self.property_hashes.push(delta.property_hash.as_bytes().to_vec());
        self.sequences.push(sequence);
        self.digests.push(delta.digest.as_bytes().to_vec());
    }

    async fn advance(self, conn: &mut PgConnection) -> Result<()> {
        sqlx::query(include_str!("../../sql/plan/advance_feeds.sql"))
            .bind(self.feeds)
            .bind(self.told)
            .bind(self.property_hashes)
            .bind(self.sequences)
            .bind(self.digests)
            .execute(conn)
            .await
            .context("moving cursors")?;
        Ok(())
    }
}
