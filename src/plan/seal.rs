//! Sealing: from deltas to rows. All of it is part of the plan's transaction.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::columns::{About, FeedColumns, LedgerWrites, RemovedColumns, SyncColumns, SyncRow};
use super::compare::{Compared, read_part};
use super::feed_delta::FeedDelta;
use super::findings::Findings;
use super::request::{Header, body, in_bodies, sync_type};
use super::scope::{Mode, PlanTx, Planned, Scope};
use super::upsert::Upsert;
use super::{ahead, drift, guard};
use crate::delta::{LastSealed, LedgerRow};
use crate::payload::{RemovalReason, SealableUnit, compressed};
use crate::sync::SyncId;

/// Writes the batch: syncs, ledger, cursors. `probe`: they are to find out whether the receiver answers again.
pub(super) async fn seal(tx: &mut PlanTx<'_>, compared: Compared, probe: bool) -> Result<Planned> {
    let Compared {
        deltas, grown, ahead, ..
    } = compared;
    let (scope, now) = (tx.scope, tx.now);
    let mut batch = Sealing {
        scope,
        probe,
        now,
        planned: Planned {
            feeds: deltas.len(),
            ..Planned::default()
        },
        feeds: FeedColumns::default(),
        ledger: LedgerWrites::default(),
        removed: RemovedColumns::default(),
    };
    let findings = Findings::of(&deltas, scope);
    forget(tx.conn, &deltas).await?;
    drift::note(tx, &deltas).await?;
    let (in_parts, whole): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|delta| delta.parts.len() > 1);
    batch.seal_whole(tx.conn, whole).await?;
    for delta in in_parts {
        batch.seal_parts(tx.conn, delta).await?;
    }
    batch.ledger.write(tx.conn, now).await?;
    batch.removed.write(tx.conn, &scope.receiver.name, now).await?;
    batch
        .feeds
        .advance(tx.conn, &scope.receiver.name, scope.shape.properties_are_sent())
        .await?;
    guard::grow(tx, &grown).await?;
    ahead::note(tx, ahead).await?;
    findings.note(tx).await?;
    Ok(batch.planned)
}

/// What one batch writes.
struct Sealing<'a> {
    scope: &'a Scope,
    probe: bool,
    now: Option<DateTime<Utc>>,
    planned: Planned,
    feeds: FeedColumns,
    ledger: LedgerWrites,
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
                self.upsert(delta.feed.feed_id, std::mem::take(&mut delta.upserts), sequence);
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
            self.upsert(delta.feed.feed_id, part.upserts, sequence);
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

    /// A property whose fields the receiver has is in every sync, but none of them puts it in doubt. One that left the feed
    /// is sent with its removals as it is by then: the receiver has that from now on.
    fn advance(&mut self, delta: &FeedDelta, sequence: Option<i64>) {
        let upsert = sequence.filter(|_| delta.property_differs || delta.property_changed);
        self.feeds.push(delta, upsert);
    }

    fn upsert(&mut self, feed_id: i64, upserts: Vec<Upsert>, sequence: i64) {
        self.planned.units += upserts.len();
        let content_is_kept = !self.scope.shape.removals_are_sent();
        for upsert in upserts.into_iter().filter(|upsert| !upsert.is_repeat) {
            let last_sealed = upsert.last_sealed(sequence);
            let SealableUnit {
                unit_id, code, json, ..
            } = upsert.unit;
            let row = LedgerRow {
                unit_code: code,
                last_sealed,
                content: content_is_kept.then_some(json),
                is_new: upsert.is_new,
                ..LedgerRow::never_sealed(unit_id)
            };
            self.ledger.push(feed_id, row);
        }
    }

    /// What is removed, by name or by absence.
    fn remove(&mut self, delta: &mut FeedDelta, sequence: i64) {
        self.planned.removed_units += delta.remove.len() + delta.absent.len();
        let mut tombstone = |unit_id, unit_code, reason: RemovalReason| {
            let row = LedgerRow {
                unit_code,
                last_sealed: LastSealed::Removal(reason, sequence),
                is_new: false,
                ..LedgerRow::never_sealed(unit_id)
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

/// What a sync says of one feed.
fn about(delta: &FeedDelta) -> About {
    let removed = delta.remove.iter().map(|removal| removal.unit_id);
    let absent = delta.absent.iter().map(|(_, row)| row.unit_id);
    About {
        feed_id: delta.feed.feed_id,
        digest: delta.digest_sent(),
        units: delta.upserts.iter().map(|upsert| upsert.unit.unit_id).collect(),
        gone: removed.chain(absent).collect(),
    }
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
        units: count(|delta| delta.upserts.len())?,
        removed_units: count(|delta| delta.remove.len())?,
        body_bytes: i32::try_from(body.len()).context("a body over 2 GiB")?,
        body: compressed(&body)?,
        oldest_change: deltas.iter().filter_map(|delta| delta.feed.oldest_change).min(),
        run_id: deltas.iter().find_map(|delta| delta.feed.snapshot_run),
        sequence_offset: deltas[0].feed.sequence_offset,
    })
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
