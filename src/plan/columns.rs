//! Rows of the tables that a plan writes, a column each: one statement writes a batch.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::feed_delta::FeedDelta;
use super::observed::FirstRemovals;
use crate::delta::{LastSealed, LedgerRow};
use crate::payload::{Digest, Hash, without_lead};
use crate::states::Owed;

/// A sync to be written.
pub(super) struct SyncRow {
    pub sequence: i64,
    pub sync_id: String,
    pub sync_type: &'static str,
    pub snapshot_id: Option<Uuid>,
    pub part: i32,
    pub parts: i32,
    pub units: i32,
    pub removed_units: i32,
    pub body_bytes: i32,
    pub body: Vec<u8>,
    pub oldest_change: Option<DateTime<Utc>>,
    pub run_id: Option<i64>,
    pub sequence_offset: i64,
}

/// What a sync says of one feed.
pub(super) struct About {
    pub feed_id: i64,
    /// None: none is sent.
    pub digest: Option<Digest>,
    pub units: Vec<i64>,
    pub gone: Vec<i64>,
}

/// `rentsync.sync` and `rentsync.sync_feed`.
#[derive(Default)]
pub(super) struct SyncColumns {
    rows: Vec<SyncRow>,
    about: AboutColumns,
}

#[derive(Default)]
struct AboutColumns {
    sequences: Vec<i64>,
    feeds: Vec<i64>,
    open: Vec<bool>,
    digests: Vec<Option<Vec<u8>>>,
    units: SealedUnitColumns,
}

#[derive(Default)]
struct SealedUnitColumns {
    sequences: Vec<i64>,
    feeds: Vec<i64>,
    units: Vec<i64>,
    gone: Vec<bool>,
}

impl SyncColumns {
    /// A sync about these feeds.
    pub fn push(&mut self, row: SyncRow, about: impl IntoIterator<Item = About>) {
        for about in about {
            self.about.push(&row, about);
        }
        self.rows.push(row);
    }

    pub async fn insert(
        self,
        conn: &mut PgConnection,
        receiver: &str,
        probe: bool,
        sealed_at: DateTime<Utc>,
    ) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        fn column<T>(rows: &[SyncRow], value: impl Fn(&SyncRow) -> T) -> Vec<T> {
            rows.iter().map(value).collect()
        }
        let rows = &self.rows;
        sqlx::query(include_str!("../../sql/plan/seal_syncs.sql"))
            .bind(receiver)
            .bind(sealed_at)
            .bind(probe)
            .bind(column(rows, |row| row.sequence))
            .bind(column(rows, |row| row.sync_id.clone()))
            .bind(column(rows, |row| row.sync_type))
            .bind(column(rows, |row| row.snapshot_id))
            .bind(column(rows, |row| row.part))
            .bind(column(rows, |row| row.parts))
            .bind(column(rows, |row| row.units))
            .bind(column(rows, |row| row.removed_units))
            .bind(column(rows, |row| row.body_bytes))
            .bind(rows.iter().map(|row| row.body.as_slice()).collect::<Vec<_>>())
            .bind(column(rows, |row| row.oldest_change))
            .bind(column(rows, |row| row.run_id))
            .bind(column(rows, |row| row.sequence_offset))
            .execute(&mut *conn)
            .await
            .context("sealing syncs")?;
        self.about.insert(conn).await
    }
}

impl AboutColumns {
    fn push(&mut self, row: &SyncRow, about: About) {
        self.sequences.push(row.sequence);
        self.feeds.push(about.feed_id);
        self.open.push(row.part == 1);
        self.digests.push(about.digest.map(|digest| digest.as_bytes().to_vec()));
        for (units, gone) in [(about.units, false), (about.gone, true)] {
            self.units
                .sequences
                .extend(std::iter::repeat_n(row.sequence, units.len()));
            self.units.feeds.extend(std::iter::repeat_n(about.feed_id, units.len()));
            self.units.gone.extend(std::iter::repeat_n(gone, units.len()));
            self.units.units.extend(units);
        }
    }

    async fn insert(self, conn: &mut PgConnection) -> Result<()> {
        sqlx::query(include_str!("../../sql/plan/note_feeds.sql"))
            .bind(self.sequences)
            .bind(self.feeds)
            .bind(self.open)
            .bind(self.digests)
            .bind(self.units.sequences)
            .bind(self.units.feeds)
            .bind(self.units.units)
            .bind(self.units.gone)
            .execute(conn)
            .await
            .context("sealing syncs")?;
        Ok(())
    }
}

/// What changes of `rentsync.ledger`.
#[derive(Default)]
pub(super) struct LedgerWrites {
    new: LedgerColumns,
    known: LedgerColumns,
}

impl LedgerWrites {
    pub fn push(&mut self, feed_id: i64, row: LedgerRow) {
        let columns = if row.is_new { &mut self.new } else { &mut self.known };
        columns.push(feed_id, row);
    }

    /// In two statements: writing over a row that is known to be there costs a third of finding out whether it is.
    pub async fn write(self, conn: &mut PgConnection, now: Option<DateTime<Utc>>) -> Result<()> {
        self.new
            .write(conn, include_str!("../../sql/plan/insert_ledger.sql"), now)
            .await?;
        self.known
            .write(conn, include_str!("../../sql/plan/update_ledger.sql"), now)
            .await
    }
}

/// `rentsync.ledger`.
#[derive(Default)]
struct LedgerColumns {
    feeds: Vec<i64>,
    units: Vec<i64>,
    codes: Vec<Option<String>>,
    hashes: Vec<Option<Vec<u8>>>,
    removed: Vec<Option<&'static str>>,
    sequences: Vec<Option<i64>>,
    owed: Vec<Option<&'static str>>,
    bisections: Vec<Option<i64>>,
    withheld: Vec<Option<&'static str>>,
    withheld_because: Vec<Option<String>>,
    refused_hashes: Vec<Option<Vec<u8>>>,
    contents: Vec<Option<String>>,
}

impl LedgerColumns {
    fn push(&mut self, feed_id: i64, row: LedgerRow) {
        let bytes = |hash: Hash| hash.as_bytes().to_vec();
        let (hash, removed, sequence) = match row.last_sealed {
            LastSealed::Nothing => (None, None, None),
            LastSealed::Content(hash, sequence) => (Some(bytes(hash)), None, Some(sequence)),
            LastSealed::Removal(reason, sequence) => (None, Some(reason.as_str()), Some(sequence)),
            LastSealed::Unavailable(reason, hash, sequence) => {
                (Some(bytes(hash)), Some(reason.as_str()), Some(sequence))
            }
        };
        self.feeds.push(feed_id);
        self.units.push(row.unit_id);
        self.codes.push(row.unit_code);
        self.hashes.push(hash);
        self.removed.push(removed);
        self.sequences.push(sequence);
        self.owed.push(row.owed.map(Owed::as_str));
        self.bisections.push(row.bisection);
        self.withheld.push(row.withheld.as_ref().map(|kept| kept.kind.as_str()));
        self.refused_hashes
            .push(row.withheld.as_ref().and_then(|kept| kept.hash).map(bytes));
        self.withheld_because.push(row.withheld.map(|kept| kept.because));
        // Whatever it was made from: nobody's name is kept in the ledger.
        self.contents.push(row.content.as_deref().and_then(without_lead));
    }

    async fn write(self, conn: &mut PgConnection, statement: &'static str, now: Option<DateTime<Utc>>) -> Result<()> {
        if self.feeds.is_empty() {
            return Ok(());
        }
        let rows = self.feeds.len() as u64;
        let written = sqlx::query(statement)
            .bind(self.feeds)
            .bind(self.units)
            .bind(self.codes)
            .bind(self.hashes)
            .bind(self.removed)
            .bind(self.sequences)
            .bind(self.owed)
            .bind(self.bisections)
            .bind(self.withheld)
            .bind(self.withheld_because)
            .bind(self.refused_hashes)
            .bind(self.contents)
            .bind(now)
            .execute(conn)
            .await
            .context("writing the ledger")?
            .rows_affected();
        ensure!(
            written == rows,
            "the ledger took {written} of {rows} rows: somebody else changes it; nothing of this batch is kept"
        );
        Ok(())
    }
}

/// What changes of `rentsync.feed`.
#[derive(Default)]
pub(super) struct FeedColumns {
    feeds: Vec<i64>,
    sealed: Vec<bool>,
    property_hashes: Vec<Vec<u8>>,
    sequences: Vec<Option<i64>>,
    digests: Vec<Vec<u8>>,
    bisection_waits: Vec<bool>,
    oldest_changes: Vec<Option<DateTime<Utc>>>,
    units: Vec<i64>,
}

impl FeedColumns {
    /// `sequence`: of the sync that carries the property's own fields, if one does.
    pub fn push(&mut self, delta: &FeedDelta, sequence: Option<i64>) {
        // What of a property is in doubt and can't be sealed is not owed: as it is sealed next it differs from this.
        let is_forgotten = delta.is_unspeakable && delta.feed.property_owed;
        self.feeds.push(delta.feed.feed_id);
        self.sealed.push(sequence.is_some() || is_forgotten);
        self.property_hashes.push(delta.property.hash.as_bytes().to_vec());
        self.sequences.push(sequence);
        self.digests.push(delta.digest().as_bytes().to_vec());
        self.bisection_waits.push(delta.bisection_waits);
        self.oldest_changes.push(delta.feed.oldest_change);
        self.units.push(delta.units);
    }

    /// `properties_are_sent`: otherwise nothing of a property is ever owed.
    pub async fn advance(self, conn: &mut PgConnection, receiver: &str, properties_are_sent: bool) -> Result<()> {
        sqlx::query(include_str!("../../sql/plan/advance_feeds.sql"))
            .bind(self.feeds)
            .bind(self.sealed)
            .bind(self.property_hashes)
            .bind(self.sequences)
            .bind(self.digests)
            .bind(properties_are_sent)
            .bind(self.bisection_waits)
            .bind(self.oldest_changes)
            .bind(self.units)
            .bind(receiver)
            .execute(conn)
            .await
            .context("moving cursors")?;
        Ok(())
    }
}

/// `rentsync.removed`.
#[derive(Default)]
pub(super) struct RemovedColumns {
    feeds: Vec<i64>,
    sequences: Vec<i64>,
    units: Vec<i64>,
    uncovered: Vec<i64>,
    units_before: Vec<i64>,
}

impl RemovedColumns {
    /// What this sync removes of a feed for the first time, if it does.
    pub fn push(&mut self, delta: &FeedDelta, sequence: i64) {
        let FirstRemovals { units, uncovered } = delta.observed.first_removals;
        if units + uncovered > 0 {
            self.feeds.push(delta.feed.feed_id);
            self.sequences.push(sequence);
            self.units.push(units);
            self.uncovered.push(uncovered);
            self.units_before.push(delta.feed.units);
        }
    }

    pub async fn write(self, conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<()> {
        if self.feeds.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("../../sql/hold/note_removed.sql"))
            .bind(receiver)
            .bind(now)
            .bind(self.feeds)
            .bind(self.sequences)
            .bind(self.units)
            .bind(self.uncovered)
            .bind(self.units_before)
            .execute(conn)
            .await
            .context("noting removals")?;
        Ok(())
    }
}
