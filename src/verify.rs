//! Verify: source against ledger, and the receiver's own word where it gives one. Writes nothing, sends nothing.
//!
//! The comparison is the planner's, in batches of feeds, each in a read-only REPEATABLE READ transaction of its own: what a
//! batch says held at one moment, and none of them keeps the database from cleaning up. What differs is sorted: what a
//! plan is yet to tell waits, what somebody objects to is kept back, and the rest is drift, which nobody announced.
//! Memory holds the ids of one batch and the contents of a handful of units.
//!
//! It sees what the relay noted, not what the receiver holds: that takes the receiver's digest.

use std::collections::HashMap;

use anyhow::Result;
use serde::Serialize;
use sqlx::{Connection, PgConnection};

use crate::delta::{Kept, KeptBack, LedgerRow, Manner, Present, Verdict, verdict};
use crate::difference::{differences, property_told};
use crate::fault::Fault;
use crate::payload::Hash;
use crate::plan::{
    ChosenFeed, Differing, FeedDelta, Mode, Pair, Scope, compare_pairs, differing, every_feed, read_briefly,
    without_values,
};
use crate::words::count;

pub use crate::difference::Difference;

/// Units whose contents are looked at together.
const DETAILED_AT_ONCE: usize = 100;

/// Something that is not simply equal and acknowledged.
#[derive(Serialize)]
pub struct Finding {
    /// The receiver.
    pub receiver: String,
    /// The property.
    pub property_id: i64,
    /// The unit; none: the property itself.
    pub unit_id: Option<i64>,
    /// drift, digest, waiting, or why it is kept back: held, guarded, rejected, refused, invalid, elsewhere.
    pub finding: &'static str,
    /// In words.
    pub because: Option<String>,
    /// SHA-256 of what the receiver was told last.
    pub ledger_hash: Option<String>,
    /// SHA-256 of what the source has.
    pub source_hash: Option<String>,
    /// Which fields differ, where what was told last is still kept.
    pub fields: Vec<Difference>,
}

/// How many of what there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Feeds looked at.
    pub feeds: usize,
    /// Units on either side.
    pub units: usize,
    /// Equal, and acknowledged.
    pub equal: usize,
    /// Acknowledged as removed, or never told: deleted, or of a property that is inactive, disabled or not covered.
    pub removed: usize,
    /// Yet to be told, or told and not yet acknowledged.
    pub waiting: usize,
    /// Held, refused, invalid, or still at the receiver under another property.
    pub kept_back: usize,
    /// Units and properties that differ though nothing announced it.
    pub drift: usize,
    /// Properties whose digest the receiver told.
    pub digests: usize,
    /// Of these, how many are not ours.
    pub digests_differing: usize,
}

/// Where findings go, one after another.
pub type Tell<'a> = &'a mut (dyn FnMut(Finding) -> Result<()> + Send);

/// Compares every feed of a receiver, or the one of `property_id`.
pub async fn verify(
    conn: &mut PgConnection,
    scope: &Scope,
    property_id: Option<i64>,
    tell: Tell<'_>,
) -> Result<Counts> {
    check_settings(conn, scope).await?;
    let mut counts = Counts::default();
    let mut after = Some(0);
    while let Some(from) = after {
        let mut tx = conn
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        read_briefly(&mut tx).await?;
        after = verify_batch(&mut tx, scope, property_id, from, &mut counts, tell)
            .await
            .map_err(without_values)?;
        tx.rollback().await?;
    }
    if let (Some(property_id), 0) = (property_id, counts.feeds) {
        let receiver = &scope.receiver.name;
        return Err(Fault::usage(format!(
            "property {property_id} has no feed to receiver {receiver}; see `feeds list`"
        ))
        .into());
    }
    Ok(counts)
}

/// With other settings than it was told with, everything would look different.
async fn check_settings(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    let receiver = &scope.receiver.name;
    let registered: Option<Option<String>> = sqlx::query_scalar(include_str!("../sql/verify/registered.sql"))
        .bind(receiver)
        .fetch_optional(conn)
        .await?;
    match registered.flatten() {
        None => Err(Fault::usage(format!(
            "receiver {receiver} was never run against this database: there is nothing to verify yet"
        ))
        .into()),
        Some(settings) if settings != scope.shape.fingerprint() => Err(Fault::usage(format!(
            "receiver {receiver} was last run with other settings than these (source.available_status_ids, \
             receivers.{receiver}): verify with those, or run the relay with these first"
        ))
        .into()),
        Some(_) => Ok(()),
    }
}

/// What a feed's syncs say of it, as `sql/verify/deliveries.sql` has it.
struct Delivery {
    property_sequence: Option<i64>,
    /// What was told by this sync or a later one is not acknowledged.
    under_way: Option<i64>,
    /// The newest sync, our digest after it, and the receiver's.
    digests: Option<(i64, String, String)>,
}

async fn verify_batch(
    conn: &mut PgConnection,
    scope: &Scope,
    property_id: Option<i64>,
    after: i64,
    counts: &mut Counts,
    tell: Tell<'_>,
) -> Result<Option<i64>> {
    let (feeds, more_after) = every_feed(conn, &scope.receiver, property_id, after).await?;
    let deliveries = deliveries(conn, &feeds).await?;
    let mut sorting = Sorting {
        scope,
        deliveries: &deliveries,
        counts,
        tell,
        yet_to_compare: HashMap::new(),
        drifted: HashMap::new(),
    };
    let mut deltas = feeds
        .into_iter()
        .map(|feed| FeedDelta::of(feed, Mode::Retell, scope))
        .collect::<Result<Vec<_>>>()?;
    let nothing = |_: &FeedDelta| Vec::new();
    compare_pairs(conn, scope, &mut deltas, nothing, |delta, pair| {
        sorting.sort(delta, &pair)
    })
    .await?;
    let drifted = std::mem::take(&mut sorting.drifted);
    for delta in &deltas {
        sorting.feed(delta)?;
        if property_drifted(delta, scope) {
            sorting.counts.drift += 1;
            let finding = drifted_property(conn, scope, delta, &deliveries[&delta.feed.feed_id]).await?;
            (sorting.tell)(finding)?;
        }
        for units in drifted
            .get(&delta.feed.feed_id)
            .into_iter()
            .flat_map(|units| units.chunks(DETAILED_AT_ONCE))
        {
            for found in differing(conn, scope, &delta.feed, units).await? {
                (sorting.tell)(drifted_unit(scope, &delta.feed, found))?;
            }
        }
    }
    Ok(more_after)
}

async fn deliveries(conn: &mut PgConnection, feeds: &[ChosenFeed]) -> Result<HashMap<i64, Delivery>> {
    type Row = (
        i64,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<String>,
        Option<String>,
    );
    let rows: Vec<Row> = sqlx::query_as(include_str!("../sql/verify/deliveries.sql"))
        .bind(feeds.iter().map(|feed| feed.feed_id).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let delivery = |(feed_id, property_sequence, under_way, newest, ours, said): Row| {
        let digests = newest
            .zip(ours.zip(said))
            .map(|(newest, (ours, said))| (newest, ours, said));
        (
            feed_id,
            Delivery {
                property_sequence,
                under_way,
                digests,
            },
        )
    };
    Ok(rows.into_iter().map(delivery).collect())
}

/// What is to be said of one unit.
enum Sorted {
    Equal,
    Waiting(String),
    KeptBack(&'static str, String),
    /// Its whole feed is yet to be compared.
    YetToCompare,
    Drift,
}

/// Sorts a batch's units, tells what is found, and remembers only which of them drifted.
struct Sorting<'a, 'b> {
    scope: &'a Scope,
    deliveries: &'a HashMap<i64, Delivery>,
    counts: &'a mut Counts,
    tell: Tell<'b>,
    yet_to_compare: HashMap<i64, usize>,
    drifted: HashMap<i64, Vec<i64>>,
}

impl Sorting<'_, '_> {
    fn sort(&mut self, delta: &FeedDelta, pair: &Pair) -> Result<()> {
        let feed_id = delta.feed.feed_id;
        self.counts.units += 1;
        let (finding, because) = match sorted(&delta.feed, pair, self.deliveries[&feed_id].under_way, self.scope) {
            Sorted::Equal if matches!(pair.source, Present::Absent(_)) => {
                self.counts.removed += 1;
                return Ok(());
            }
            Sorted::Equal => {
                self.counts.equal += 1;
                return Ok(());
            }
            Sorted::YetToCompare => {
                self.counts.waiting += 1;
                *self.yet_to_compare.entry(feed_id).or_default() += 1;
                return Ok(());
            }
            Sorted::Drift => {
                self.counts.drift += 1;
                self.drifted.entry(feed_id).or_default().push(pair.unit_id);
                return Ok(());
            }
            Sorted::Waiting(because) => {
                self.counts.waiting += 1;
                ("waiting", because)
            }
            Sorted::KeptBack(kind, because) => {
                self.counts.kept_back += 1;
                (kind, because)
            }
        };
        (self.tell)(Finding {
            because: Some(because),
            ledger_hash: pair.ledger_hash().map(|hash| hash.to_string()),
            source_hash: pair.source_hash().map(|hash| hash.to_string()),
            ..about(self.scope, &delta.feed, Some(pair.unit_id), finding)
        })
    }

    /// What there is to say of a feed as a whole.
    fn feed(&mut self, delta: &FeedDelta) -> Result<()> {
        let feed = &delta.feed;
        self.counts.feeds += 1;
        if let Some(because) = self.waits(delta) {
            (self.tell)(Finding {
                because: Some(because),
                ..about(self.scope, feed, None, "waiting")
            })?;
        }
        let Some((sequence, ours, said)) = &self.deliveries[&feed.feed_id].digests else {
            return Ok(());
        };
        self.counts.digests += 1;
        if ours == said {
            return Ok(());
        }
        self.counts.digests_differing += 1;
        let because =
            format!("after sequence {sequence} the receiver should hold {ours}, and says that it holds {said}");
        (self.tell)(Finding {
            because: Some(because),
            ..about(self.scope, feed, None, "digest")
        })
    }

    /// What waits of a feed beside single units.
    fn waits(&self, delta: &FeedDelta) -> Option<String> {
        let units = self.yet_to_compare.get(&delta.feed.feed_id);
        let units = units.map(|units| {
            format!(
                "{}: the property is yet to be compared as a whole",
                count(*units, "unit", "units")
            )
        });
        let own = (delta.feed.property_owed || (delta.property_changed && delta.feed.uncovered.is_none()))
            && self.scope.shape.properties_are_told()
            && !property_drifted(delta, self.scope);
        let own = own.then(|| "the property's own fields are yet to be told".to_owned());
        let all: Vec<String> = units.into_iter().chain(own).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn about(scope: &Scope, feed: &ChosenFeed, unit_id: Option<i64>, finding: &'static str) -> Finding {
    Finding {
        receiver: scope.receiver.name.clone(),
        property_id: feed.property_id,
        unit_id,
        finding,
        because: None,
        ledger_hash: None,
        source_hash: None,
        fields: Vec::new(),
    }
}

fn sorted(feed: &ChosenFeed, pair: &Pair, under_way: Option<i64>, scope: &Scope) -> Sorted {
    let manner = Manner {
        retell: false,
        removals: scope.shape.removals_are_told(),
    };
    let ledger = pair.ledger.as_ref();
    let told = ledger.and_then(|row| row.told.sequence());
    let verdict = verdict(&pair.source, ledger, manner);
    if let Some(kept) = ledger.and_then(|row| objection(&verdict, row)) {
        return Sorted::KeptBack(kept.kind.as_str(), kept.because.clone());
    }
    match verdict {
        Verdict::Same | Verdict::Release | Verdict::Forget => match ledger.and_then(|row| row.kept_back.as_ref()) {
            Some(kept) => Sorted::KeptBack(kept.kind.as_str(), kept.because.clone()),
            None if under_way.is_some_and(|first| told >= Some(first)) => {
                Sorted::Waiting("told, not yet acknowledged".to_owned())
            }
            None => Sorted::Equal,
        },
        Verdict::KeepBack => {
            let because = match &pair.source {
                Present::Invalid(why) => why.clone(),
                Present::Content(_) | Present::Absent(_) => String::new(),
            };
            Sorted::KeptBack("invalid", because)
        }
        Verdict::Tell | Verdict::Remove(_) => match ledger.and_then(|row| row.owed.as_deref()) {
            Some(owed) => Sorted::Waiting(format!("owed: {owed}")),
            None if feed.whole => Sorted::YetToCompare,
            None if feed.touched.contains(&pair.unit_id) => Sorted::Waiting("changed, not yet planned".to_owned()),
            None => Sorted::Drift,
        },
    }
}

/// What keeps back a difference that a plan would tell otherwise: the removal waits for a person, or the receiver still has
/// the unit from another feed. Whatever else the ledger notes is about something else than what the source has now.
pub(crate) fn objection<'a>(verdict: &Verdict, row: &'a LedgerRow) -> Option<&'a KeptBack> {
    let stands = match verdict {
        Verdict::Tell => row.is_kept_back(Kept::Elsewhere),
        Verdict::Remove(_) => row.is_on_hold(),
        Verdict::Same | Verdict::Release | Verdict::KeepBack | Verdict::Forget => false,
    };
    row.kept_back.as_ref().filter(|_| stands)
}

fn drifted_unit(scope: &Scope, feed: &ChosenFeed, found: Differing) -> Finding {
    Finding {
        because: found.because.map(str::to_owned),
        ledger_hash: found.ledger_hash.map(|hash| hash.to_string()),
        source_hash: found.source_hash.map(|hash| hash.to_string()),
        fields: found.fields,
        ..about(scope, feed, Some(found.unit_id), "drift")
    }
}

/// The property's own fields differ, and nothing says that they are to be told. One that left the feed tells none.
fn property_drifted(delta: &FeedDelta, scope: &Scope) -> bool {
    let feed = &delta.feed;
    let announced = feed.property_owed || feed.whole || feed.uncovered.is_some();
    delta.property_changed && scope.shape.properties_are_told() && !announced
}

async fn drifted_property(
    conn: &mut PgConnection,
    scope: &Scope,
    delta: &FeedDelta,
    delivery: &Delivery,
) -> Result<Finding> {
    let fields = property_fields(conn, delta, delivery).await?;
    Ok(Finding {
        because: fields
            .is_none()
            .then(|| "what was told last is no longer kept".to_owned()),
        ledger_hash: delta.feed.property_hash.as_ref().map(Hash::to_string),
        source_hash: Some(delta.property.hash.to_string()),
        fields: fields.unwrap_or_default(),
        ..about(scope, &delta.feed, None, "drift")
    })
}

/// Which of a property's own fields differ from those told last; none: what was told is no longer kept, or nothing was.
pub(crate) async fn property_differences(
    conn: &mut PgConnection,
    delta: &FeedDelta,
) -> Result<Option<Vec<Difference>>> {
    let deliveries = deliveries(conn, std::slice::from_ref(&delta.feed)).await?;
    match deliveries.get(&delta.feed.feed_id) {
        Some(delivery) => property_fields(conn, delta, delivery).await,
        None => Ok(None),
    }
}

async fn property_fields(
    conn: &mut PgConnection,
    delta: &FeedDelta,
    delivery: &Delivery,
) -> Result<Option<Vec<Difference>>> {
    let Some(sequence) = delivery.property_sequence else {
        return Ok(None);
    };
    let Some(told) = property_told(conn, sequence, &delta.property.id).await? else {
        return Ok(None);
    };
    let present = serde_json::from_str(&delta.property.json)?;
    Ok(Some(differences(&told, &present)))
}
