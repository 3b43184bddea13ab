//! Sealing: from deltas to rows. All of it is part of the plan's transaction.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use sqlx::PgConnection;
use uuid::Uuid;

use super::columns::{About, FeedColumns, LedgerColumns, RemovedColumns, SyncColumns, SyncRow};
use super::compare::{Compared, read_part};
use super::duplicate::{self, Recoded};
use super::feed_delta::{FeedDelta, Mode, Telling};
use super::invalid::{self, Turned, Unspeakable};
use super::{Planned, Scope, ahead, hold};
use crate::alert;
use crate::config;
use crate::delta::{LedgerRow, Told};
use crate::payload::{Body, ENVELOPE_BYTES, Hash, PropertyPart, Reason, TellableUnit};
use crate::sync::{SyncId, SyncType};
use crate::verify;

/// Where more of a property drifted it is not this unit or that.
const DRIFT_EXPLAINED_MAX: usize = 500;

/// Writes the batch: syncs, ledger, cursors. `probe`: they are to find out whether the receiver answers again.
pub(super) async fn seal(
    conn: &mut PgConnection,
    scope: &Scope,
    Compared {
        deltas, grown, ahead, ..
    }: Compared,
    probe: bool,
    now: Option<DateTime<Utc>>,
) -> Result<Planned> {
    let mut batch = Sealing {
        scope,
        probe,
        now,
        planned: Planned {
            feeds: deltas.len(),
            ..Planned::default()
        },
        feeds: FeedColumns::default(),
        ledger: LedgerColumns::default(),
        removed: RemovedColumns::default(),
    };
    let back: Vec<i64> = deltas
        .iter()
        .filter(|delta| delta.back.is_any())
        .map(|delta| delta.feed.feed_id)
        .collect();
    let all: Vec<i64> = deltas.iter().map(|delta| delta.feed.feed_id).collect();
    let compared: Vec<i64> = deltas
        .iter()
        .filter(|delta| delta.feed.snapshot_due.is_some())
        .map(|delta| delta.feed.feed_id)
        .collect();
    let refused_before: Vec<i64> = deltas
        .iter()
        // What is told is over once it is acknowledged.
        .filter(|delta| delta.was_refused && delta.parts.len() <= 1 && !delta.is_sealed(scope))
        .map(|delta| delta.feed.property_id)
        .collect();
    let (turned, recoded) = (Turned::of(&deltas), Recoded::of(&deltas));
    let unspeakable = Unspeakable::of(&deltas);
    forget(conn, &deltas).await?;
    note_drift(conn, scope, &deltas, now).await?;
    let (in_parts, whole): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|delta| delta.parts.len() > 1);
    batch.seal_whole(conn, whole).await?;
    for delta in in_parts {
        batch.seal_parts(conn, delta).await?;
    }
    batch.ledger.write(conn, now).await?;
    batch.removed.write(conn, &scope.receiver.name, now).await?;
    batch
        .feeds
        .advance(conn, &scope.receiver.name, scope.shape.properties_are_told())
        .await?;
    hold::grow(conn, scope, &grown, now).await?;
    ahead::note(conn, scope, ahead, now).await?;
    if !back.is_empty() {
        hold::clear(conn, scope, &[back.as_slice(), &[hold::OVER_THE_WHOLE]].concat(), now).await?;
    }
    hold::gather(conn, scope, &all).await?;
    invalid::note(conn, scope, turned, now).await?;
    invalid::note_properties(conn, scope, unspeakable, now).await?;
    duplicate::note(conn, scope, &recoded, now).await?;
    alert::resolve_refused(conn, &scope.receiver.name, &refused_before, now).await?;
    retry_refused(conn, &compared).await?;
    Ok(batch.planned)
}

/// What one batch writes.
struct Sealing<'a> {
    scope: &'a Scope,
    probe: bool,
    now: Option<DateTime<Utc>>,
    planned: Planned,
    feeds: FeedColumns,
    ledger: LedgerColumns,
    removed: RemovedColumns,
}

impl Sealing<'_> {
    async fn seal_whole(&mut self, conn: &mut PgConnection, deltas: Vec<FeedDelta>) -> Result<()> {
        let (sealed, rest): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|delta| delta.is_sealed(self.scope));
        for mut delta in rest {
            self.note(&mut delta);
            self.advance(&delta, None);
        }
        let bodies = in_bodies(sealed, self.scope);
        self.planned.syncs += bodies.len();
        let (sequences, sealed_at) = next_sequences(conn, bodies.len(), self.now).await?;
        let mut syncs = SyncColumns::default();
        for (mut deltas, sequence) in bodies.into_iter().zip(sequences) {
            let snapshot_id = (deltas[0].mode == Mode::Snapshot).then(Uuid::now_v7);
            let header = Header {
                sequence,
                sealed_at,
                snapshot_id,
                part: 1,
                parts: 1,
            };
            let row = sync_row(self.scope, &header, &deltas)?;
            syncs.push(row, deltas.iter().map(about));
            for delta in &mut deltas {
                self.tell(delta.feed.feed_id, std::mem::take(&mut delta.tell), sequence);
                self.remove(delta, sequence);
                self.note(delta);
                self.removed.push(delta, sequence);
                self.advance(delta, Some(sequence));
            }
        }
        syncs
            .insert(conn, &self.scope.receiver.name, self.probe, sealed_at)
            .await
    }

    /// A snapshot that needs several requests: its units are read again, part by part.
    async fn seal_parts(&mut self, conn: &mut PgConnection, mut delta: FeedDelta) -> Result<()> {
        let parts = std::mem::take(&mut delta.parts);
        let (sequences, sealed_at) = next_sequences(conn, parts.len(), self.now).await?;
        let snapshot_id = Some(Uuid::now_v7());
        self.planned.syncs += parts.len();
        for (number, (units, &sequence)) in (1..).zip(parts.iter().zip(&sequences)) {
            let is_last = number as usize == parts.len();
            let part = read_part(conn, self.scope, &mut delta, units, is_last).await?;
            let header = Header {
                sequence,
                sealed_at,
                snapshot_id,
                part: number,
                parts: u32::try_from(parts.len())?,
            };
            let mut syncs = SyncColumns::default();
            let row = sync_row(self.scope, &header, std::slice::from_ref(&part))?;
            let mut about = about(&part);
            if is_last {
                about.gone.extend(delta.absent.iter().map(|(_, row)| row.unit_id));
            }
            syncs.push(row, [about]);
            syncs
                .insert(conn, &self.scope.receiver.name, self.probe, sealed_at)
                .await?;
            self.tell(delta.feed.feed_id, part.tell, sequence);
            // Part by part, so that memory holds one of them.
            std::mem::take(&mut self.ledger).write(conn, self.now).await?;
        }
        let last = *sequences.last().context("a snapshot without parts")?;
        self.remove(&mut delta, last);
        self.note(&mut delta);
        self.removed.push(&delta, last);
        self.advance(&delta, sequences.first().copied());
        Ok(())
    }

    /// A property whose fields the receiver has is told with every sync, but none of them puts it in doubt. One that left
    /// the feed is told with its removals as it is by then: the receiver has that from now on.
    fn advance(&mut self, delta: &FeedDelta, sequence: Option<i64>) {
        let telling = sequence.filter(|_| delta.property_differs || delta.property_changed);
        self.feeds.push(delta, telling);
    }

    fn tell(&mut self, feed_id: i64, tell: Vec<Telling>, sequence: i64) {
        self.planned.units += tell.len();
        let content_is_kept = !self.scope.shape.removals_are_told();
        for telling in tell {
            let told = telling.told(sequence);
            let TellableUnit {
                unit_id, code, json, ..
            } = telling.unit;
            let row = LedgerRow {
                unit_code: code,
                told,
                content: content_is_kept.then_some(json),
                ..LedgerRow::untold(unit_id)
            };
            self.ledger.push(feed_id, row);
        }
    }

    /// What is told as gone, in words or by absence.
    fn remove(&mut self, delta: &mut FeedDelta, sequence: i64) {
        self.planned.removed_units += delta.remove.len() + delta.absent.len();
        let mut tombstone = |unit_id, unit_code, reason: Reason| {
            let row = LedgerRow {
                unit_code,
                told: Told::Removal(reason, sequence),
                ..LedgerRow::untold(unit_id)
            };
            self.ledger.push(delta.feed.feed_id, row);
        };
        for removal in delta.remove.drain(..) {
            tombstone(removal.unit_id, removal.unit_code, removal.reason);
        }
        for (reason, row) in delta.absent.drain(..) {
            tombstone(row.unit_id, row.unit_code, reason);
        }
    }

    fn note(&mut self, delta: &mut FeedDelta) {
        for row in delta.noted.drain(..) {
            self.ledger.push(delta.feed.feed_id, row);
        }
    }
}

/// What the envelope of one sync says.
pub(super) struct Header {
    pub sequence: i64,
    pub sealed_at: DateTime<Utc>,
    pub snapshot_id: Option<Uuid>,
    pub part: u32,
    pub parts: u32,
}

/// What a sync says of one feed.
fn about(delta: &FeedDelta) -> About {
    let removed = delta.remove.iter().map(|removal| removal.unit_id);
    let absent = delta.absent.iter().map(|(_, row)| row.unit_id);
    About {
        feed_id: delta.feed.feed_id,
        digest: delta.digest_told(),
        units: delta.tell.iter().map(|telling| telling.unit.unit_id).collect(),
        gone: removed.chain(absent).collect(),
    }
}

/// Which deltas go together: each by itself, or as many as a request holds of those that may.
pub(super) fn in_bodies(deltas: Vec<FeedDelta>, scope: &Scope) -> Vec<Vec<FeedDelta>> {
    let alone = scope.receiver.batch == config::Batch::PerProperty;
    let mut bodies: Vec<Vec<FeedDelta>> = Vec::new();
    let mut deltas = deltas;
    // Of one kind, numbered alike, and suspected together or not at all.
    let place = |delta: &FeedDelta| {
        (
            delta.feed.suspect,
            delta.mode == Mode::Snapshot,
            delta.feed.sequence_offset,
        )
    };
    deltas.sort_by_key(|delta| (place(delta), delta.feed.feed_id));
    for delta in deltas {
        match bodies.last_mut() {
            Some(body) if !alone && goes_with(body, &delta, scope) => body.push(delta),
            _ => bodies.push(vec![delta]),
        }
    }
    bodies
}

fn goes_with(body: &[FeedDelta], delta: &FeedDelta, scope: &Scope) -> bool {
    let kind = |delta: &FeedDelta| (delta.feed.suspect, sync_type(delta), delta.feed.sequence_offset);
    let all = || body.iter().chain([delta]);
    let entries: usize = all().map(FeedDelta::entries).sum();
    let bytes: usize = all().map(|delta| delta.body_bytes - ENVELOPE_BYTES).sum();
    kind(&body[0]) == kind(delta)
        && entries <= scope.receiver.units_per_request_max
        && ENVELOPE_BYTES + bytes <= scope.receiver.body_bytes_max
}

pub(super) fn sync_type(delta: &FeedDelta) -> SyncType {
    match delta.mode {
        Mode::Snapshot | Mode::Part => SyncType::Snapshot,
        Mode::Delta if delta.replay && delta.entries() > 0 => SyncType::Replay,
        Mode::Delta | Mode::Retell => SyncType::Delta,
    }
}

/// The bytes that one sync says of these feeds.
pub(super) fn body(scope: &Scope, header: &Header, sync_id: &SyncId, deltas: &[FeedDelta]) -> Result<Vec<u8>> {
    let units: Vec<Vec<&TellableUnit>> = deltas
        .iter()
        .map(|delta| delta.tell.iter().map(|telling| &telling.unit).collect())
        .collect();
    let sync_type = sync_type(&deltas[0]);
    let properties: Vec<_> = deltas
        .iter()
        .zip(&units)
        .map(|(delta, units)| PropertyPart {
            property: &delta.property,
            units,
            removed_units: &delta.remove,
            keep: if sync_type == SyncType::Snapshot {
                &delta.keep
            } else {
                &[]
            },
            property_digest: delta.digest_told(),
        })
        .collect();
    scope.shape.body(&Body {
        sync_id,
        sealed_at: header.sealed_at,
        sync_type,
        sequence: header.sequence + deltas[0].feed.sequence_offset,
        snapshot_id: header.snapshot_id,
        part: header.part,
        parts: header.parts,
        properties: &properties,
    })
}

fn sync_row(scope: &Scope, header: &Header, deltas: &[FeedDelta]) -> Result<SyncRow> {
    let sync_id = SyncId::new(header.sealed_at);
    let body = body(scope, header, &sync_id, deltas)?;
    let count = |of: fn(&FeedDelta) -> usize| i32::try_from(deltas.iter().map(of).sum::<usize>());
    Ok(SyncRow {
        sequence: header.sequence,
        sync_id: sync_id.to_string(),
        sync_type: sync_type(&deltas[0]).as_str(),
        snapshot_id: header.snapshot_id,
        part: i32::try_from(header.part)?,
        parts: i32::try_from(header.parts)?,
        units: count(|delta| delta.tell.len())?,
        removed_units: count(|delta| delta.remove.len())?,
        body_bytes: i32::try_from(body.len()).context("a body over 2 GiB")?,
        body: compressed(&body)?,
        oldest_change: deltas.iter().filter_map(|delta| delta.feed.oldest_change).min(),
        run_id: deltas.iter().find_map(|delta| delta.feed.snapshot_run),
        sequence_offset: deltas[0].feed.sequence_offset,
    })
}

/// The fastest level: rent rolls repeat themselves, nine tenths go even so.
fn compressed(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

async fn next_sequences(
    conn: &mut PgConnection,
    count: usize,
    now: Option<DateTime<Utc>>,
) -> Result<(Vec<i64>, DateTime<Utc>)> {
    Ok(sqlx::query_as(include_str!("../../sql/plan/next_sequences.sql"))
        .bind(i64::try_from(count)?)
        .bind(now)
        .fetch_one(conn)
        .await?)
}

async fn forget(conn: &mut PgConnection, deltas: &[FeedDelta]) -> Result<()> {
    let (feeds, units): (Vec<i64>, Vec<i64>) = deltas
        .iter()
        .flat_map(|delta| delta.forget.iter().map(|unit_id| (delta.feed.feed_id, *unit_id)))
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

/// With every snapshot, so once a night.
async fn retry_refused(conn: &mut PgConnection, feeds: &[i64]) -> Result<()> {
    if !feeds.is_empty() {
        sqlx::query(include_str!("../../sql/plan/retry_with_snapshot.sql"))
            .bind(feeds)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Each is a defect found: something changed a unit and no change was captured.
async fn note_drift(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: &[FeedDelta],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let bytes = |hash: Option<Hash>| hash.map(|hash| hash.as_bytes().to_vec());
    let mut drift = DriftColumns::default();
    for delta in deltas.iter().filter(|delta| !delta.drift.is_empty()) {
        let differs = what_differs(conn, scope, delta).await?;
        for found in &delta.drift {
            drift
                .differs
                .push(found.unit_id.and_then(|unit_id| differs.get(&unit_id).cloned()));
            drift.feeds.push(delta.feed.feed_id);
            drift.units.push(found.unit_id);
            drift.ledger.push(bytes(found.ledger_hash));
            drift.source.push(bytes(found.source_hash));
        }
        tracing::error!(
            receiver = scope.receiver.name,
            property_id = delta.feed.property_id,
            units = delta.drift.len(),
            "units differ from what was told though no change was captured: triggers were bypassed, or a joined table \
             has none; they are told now"
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
        .bind(now)
        .bind(drift.differs)
        .execute(conn)
        .await?;
    Ok(())
}

/// The names of the fields of each drifted unit, of the first so many; read while the ledger still says what was told.
async fn what_differs(conn: &mut PgConnection, scope: &Scope, delta: &FeedDelta) -> Result<HashMap<i64, String>> {
    let units: Vec<i64> = delta
        .drift
        .iter()
        .filter_map(|found| found.unit_id)
        .take(DRIFT_EXPLAINED_MAX)
        .collect();
    let found = verify::drifted_units(conn, scope, &delta.feed, &units).await?;
    let named = found
        .into_iter()
        .filter_map(|found| Some((found.unit_id?, found.in_short())));
    Ok(named.collect())
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
