//! Source against ledger: from chosen feeds to the delta of each.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::value::RawValue;
use sqlx::PgConnection;

use super::Scope;
use super::feeds::{ChosenFeed, owed_per_feed_max};
use crate::config::Receiver;
use crate::delta::{LedgerRow, Present, Told, Verdict, verdict};
use crate::payload::{self, Digest, Hash, Reason, Removal, TellableUnit};
use crate::unit::{Columns, Unit};

/// Room in a body for all that is not units: envelope, metadata, property.
const ENVELOPE_BYTES: usize = 4096;
/// A removal's JSON beside its code.
const REMOVAL_BYTES: usize = 96;

/// What one feed's next sync says, and what the ledger says once it is sealed.
pub(super) struct FeedDelta {
    pub feed_id: i64,
    pub property_id: i64,
    pub oldest_change: Option<DateTime<Utc>>,
    pub property_hash: Hash,
    pub property_json: Box<RawValue>,
    /// The property's own fields must be told.
    pub property_differs: bool,
    /// What the receiver should hold afterwards.
    pub digest: Digest,
    pub tell: Vec<(TellableUnit, Option<String>)>,
    pub remove: Vec<Removal>,
    /// Rows to write beside those of the told: beyond the limit, kept back, released.
    pub noted: Vec<LedgerRow>,
    pub forget: Vec<i64>,
    uncovered: Option<Reason>,
    body_bytes: usize,
    /// What is gone, until everything living is told.
    leaving: Vec<(Reason, LedgerRow)>,
    /// Something living didn't fit.
    crowded: bool,
    /// Owed units that were read; there may be more.
    owed_read: i64,
}

impl FeedDelta {
    /// Whether there is anything to tell.
    pub fn is_sealed(&self) -> bool {
        self.property_differs || !self.tell.is_empty() || !self.remove.is_empty()
    }

    fn of(feed: &ChosenFeed) -> Result<Self> {
        let (property_hash, property_json) = payload::tellable_property(&feed.property)?;
        Ok(Self {
            feed_id: feed.feed_id,
            property_id: feed.property_id,
            oldest_change: feed.oldest_change,
            // A property that left the feed tells its removals, not its new name.
            property_differs: feed.property_owed
                || (feed.uncovered.is_none() && feed.property_hash != Some(property_hash)),
            property_hash,
            body_bytes: ENVELOPE_BYTES + property_json.get().len(),
            property_json,
            digest: feed.digest,
            tell: Vec::new(),
            remove: Vec::new(),
            noted: Vec::new(),
            forget: Vec::new(),
            uncovered: feed.uncovered,
            leaving: Vec::new(),
            crowded: false,
            owed_read: 0,
        })
    }

    fn take(&mut self, pair: Pair, receiver: &Receiver) {
        let Pair {
            unit_id,
            source,
            unit_code,
            ledger,
        } = pair;
        self.owed_read += i64::from(
            ledger
                .as_ref()
                .is_some_and(|row| row.owed.is_some() && row.kept_back.is_none()),
        );
        match (verdict(&source, ledger.as_ref()), source) {
            (Verdict::Same, _) => {}
            (Verdict::Tell, Present::Content(unit)) => self.tell(unit, unit_code, ledger, receiver),
            (Verdict::Remove(reason), _) => self.leaving.extend(ledger.map(|row| (reason, row))),
            (Verdict::Forget, _) => self.forget.push(unit_id),
            (Verdict::Release, _) => self.note(unit_id, ledger, |row| row.kept_back = None),
            (Verdict::KeepBack, Present::Invalid(why)) => self.note(unit_id, ledger, |row| row.kept_back = Some(why)),
            (Verdict::Tell | Verdict::KeepBack, _) => unreachable!("the verdict follows from the source's side"),
        }
    }

    fn tell(&mut self, unit: TellableUnit, unit_code: Option<String>, ledger: Option<LedgerRow>, receiver: &Receiver) {
        if !self.fits(unit.json.get().len() + 1, receiver) {
            self.crowded = true;
            return self.owe(unit.unit_id, ledger, "over_limit");
        }
        if let Some(LedgerRow {
            told: Told::Content(before, _),
            ..
        }) = &ledger
        {
            self.digest.toggle(unit.unit_id, before);
        }
        self.digest.toggle(unit.unit_id, &unit.hash);
        self.tell.push((unit, unit_code));
    }

    /// Removals go last, and only once everything living is told: then no living unit has a removed one's code at the
    /// receiver any more, except one that is named in [`name_carriers`]. Those in doubt come first, because the code that
    /// the receiver has for them is in doubt as well.
    fn remove_leaving(&mut self, receiver: &Receiver) {
        let mut leaving = std::mem::take(&mut self.leaving);
        // Of the owed that were not read some may be living; but where all that were read are gone, they have to go.
        self.crowded |= self.owed_read >= owed_per_feed_max(receiver) && !self.tell.is_empty();
        leaving.sort_unstable_by_key(|(_, row)| (row.owed.is_none(), row.unit_id));
        for (reason, row) in leaving {
            self.remove(reason, row, receiver);
        }
    }

    fn remove(&mut self, reason: Reason, row: LedgerRow, receiver: &Receiver) {
        let code_bytes = row.unit_code.as_ref().map_or(0, |code| 6 * code.len());
        if self.crowded || !self.fits(REMOVAL_BYTES + code_bytes, receiver) {
            return self.owe(row.unit_id, Some(row), "removal");
        }
        if let Told::Content(before, _) = &row.told {
            self.digest.toggle(row.unit_id, before);
        }
        self.remove.push(Removal {
            unit_id: row.unit_id,
            unit_code: row.unit_code,
            replaced_by: None,
            reason,
        });
    }

    /// Takes the room for one more entry, if there is any; the first always fits, or it would wait for ever.
    fn fits(&mut self, bytes: usize, receiver: &Receiver) -> bool {
        let entries = self.tell.len() + self.remove.len();
        let fits = entries == 0
            || (entries < receiver.units_per_request_max && self.body_bytes + bytes <= receiver.body_bytes_max);
        if fits {
            self.body_bytes += bytes;
        }
        fits
    }

    /// What doesn't fit is told next time.
    fn owe(&mut self, unit_id: i64, ledger: Option<LedgerRow>, because: &str) {
        if ledger
            .as_ref()
            .is_none_or(|row| row.owed.is_none() || row.kept_back.is_some())
        {
            self.note(unit_id, ledger, |row| {
                row.owed.get_or_insert_with(|| because.to_owned());
                row.kept_back = None;
            });
        }
    }

    fn note(&mut self, unit_id: i64, ledger: Option<LedgerRow>, change: impl FnOnce(&mut LedgerRow)) {
        let mut row = ledger.unwrap_or(LedgerRow {
            unit_id,
            unit_code: None,
            told: Told::Nothing,
            owed: None,
            kept_back: None,
        });
        change(&mut row);
        self.noted.push(row);
    }

    /// The order of a body is that of its unit ids, whatever order the database answered in.
    fn sort(&mut self) {
        self.tell.sort_unstable_by_key(|(unit, _)| unit.unit_id);
        self.remove.sort_unstable_by_key(|removal| removal.unit_id);
    }
}

/// Compares the feeds' units, reading both sides as one stream.
pub(super) async fn compare(
    conn: &mut PgConnection,
    scope: Scope<'_>,
    feeds: Vec<ChosenFeed>,
) -> Result<Vec<FeedDelta>> {
    let mut deltas: HashMap<i64, FeedDelta> = feeds
        .iter()
        .map(|feed| Ok((feed.feed_id, FeedDelta::of(feed)?)))
        .collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    {
        let keys = Keys::of(&feeds);
        let mut rows = sqlx::query(include_str!("../../sql/plan/compare_units.sql"))
            .bind(&keys.touched_feeds)
            .bind(&keys.touched_units)
            .bind(&keys.feeds)
            .bind(&keys.whole_feeds)
            .bind(&keys.whole_properties)
            .bind(owed_per_feed_max(scope.receiver))
            .fetch(&mut *conn);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::of(&row);
            let (feed_id, unit_id): (i64, i64) = (columns.next()?, columns.next()?);
            if !seen.insert((feed_id, unit_id)) {
                bail!(
                    "rentsync.source_unit() gives unit {unit_id} more than once; a joined table has several rows for it"
                );
            }
            let delta = deltas.get_mut(&feed_id).expect("only chosen feeds were asked for");
            let pair = Pair::read(unit_id, columns, delta, scope)?;
            delta.take(pair, scope.receiver);
        }
    }
    let mut deltas: Vec<_> = deltas.into_values().collect();
    deltas.sort_unstable_by_key(|delta| delta.feed_id);
    for delta in &mut deltas {
        delta.remove_leaving(scope.receiver);
        delta.sort();
    }
    name_carriers(conn, &mut deltas).await?;
    Ok(deltas)
}

/// The unit ids to look at, as the statement wants them.
#[derive(Default)]
struct Keys {
    touched_feeds: Vec<i64>,
    touched_units: Vec<i64>,
    feeds: Vec<i64>,
    whole_feeds: Vec<i64>,
    whole_properties: Vec<i64>,
}

impl Keys {
    fn of(feeds: &[ChosenFeed]) -> Self {
        let mut keys = Self::default();
        for feed in feeds {
            if feed.whole {
                keys.whole_feeds.push(feed.feed_id);
                keys.whole_properties.push(feed.property_id);
            }
            // Also for a whole feed: a touched unit that neither side has now needs no look, but costs nothing.
            keys.feeds.push(feed.feed_id);
            keys.touched_feeds
                .extend(std::iter::repeat_n(feed.feed_id, feed.touched.len()));
            keys.touched_units.extend(&feed.touched);
        }
        keys
    }
}

/// One unit's two sides.
struct Pair {
    unit_id: i64,
    unit_code: Option<String>,
    source: Present,
    ledger: Option<LedgerRow>,
}

impl Pair {
    fn read(unit_id: i64, mut columns: Columns<'_>, feed: &FeedDelta, scope: Scope<'_>) -> Result<Self> {
        let property_id: Option<i64> = columns.next()?;
        let unit = Unit::read(unit_id, &mut columns)?;
        let ledger = read_ledger(unit_id, &mut columns)?;
        let source = match (property_id, feed.uncovered, unit.invalid()) {
            (None, ..) => Present::Absent(Reason::Deleted),
            (Some(property_id), ..) if property_id != feed.property_id => Present::Absent(Reason::Moved),
            (Some(_), Some(reason), _) => Present::Absent(reason),
            (Some(_), None, Some(why)) => Present::Invalid(format!("invalid: {why}")),
            (Some(_), None, None) => Present::Content(payload::tellable(&unit, scope.available_status_ids)?),
        };
        Ok(Self {
            unit_id,
            unit_code: unit.unit_code,
            source,
            ledger,
        })
    }
}

fn read_ledger(unit_id: i64, columns: &mut Columns<'_>) -> Result<Option<LedgerRow>> {
    let present: bool = columns.next()?;
    let unit_code = columns.next()?;
    let hash: Option<Vec<u8>> = columns.next()?;
    let removed: Option<String> = columns.next()?;
    let sequence: Option<i64> = columns.next()?;
    let told = match (hash, removed.as_deref().and_then(Reason::parse), sequence) {
        (Some(hash), _, Some(sequence)) => Told::Content(Hash::try_from(hash)?, sequence),
        (None, Some(reason), Some(sequence)) => Told::Removal(reason, sequence),
        _ => Told::Nothing,
    };
    let row = LedgerRow {
        unit_id,
        unit_code,
        told,
        owed: columns.next()?,
        kept_back: columns.next()?,
    };
    Ok(present.then_some(row))
}

/// Where another unit carries a removed one's code, the removal names that unit instead.
async fn name_carriers(conn: &mut PgConnection, deltas: &mut [FeedDelta]) -> Result<()> {
    let asked: Vec<_> = deltas
        .iter()
        .flat_map(|delta| delta.remove.iter().map(move |removal| (delta, removal)))
        .filter_map(|(delta, removal)| Some((delta.feed_id, delta.property_id, removal.unit_code.clone()?)))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(include_str!("../../sql/plan/carriers.sql"))
        .bind(asked.iter().map(|(feed_id, ..)| *feed_id).collect::<Vec<_>>())
        .bind(asked.iter().map(|(_, property_id, _)| *property_id).collect::<Vec<_>>())
        .bind(asked.iter().map(|(.., code)| code.as_str()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let mut carriers: HashMap<(i64, String), Vec<i64>> = HashMap::new();
    for (feed_id, code, unit_id) in rows {
        carriers.entry((feed_id, code)).or_default().push(unit_id);
    }
    for delta in deltas {
        let removed: HashSet<i64> = delta.remove.iter().map(|removal| removal.unit_id).collect();
        let recoded: HashMap<i64, Option<&str>> = delta
            .tell
            .iter()
            .map(|(unit, code)| (unit.unit_id, code.as_deref()))
            .collect();
        for removal in &mut delta.remove {
            let Some(code) = removal.unit_code.clone() else {
                continue;
            };
            let lives = |unit_id: &&i64| {
                !removed.contains(unit_id) && recoded.get(unit_id).is_none_or(|now| *now == Some(code.as_str()))
            };
            let carrying = carriers.get(&(delta.feed_id, code.clone()));
            removal.replaced_by = carrying.and_then(|units| units.iter().find(lives)).copied();
        }
    }
    Ok(())
}
