//! What a replay asks for: worked out by reading, then marked as owed in bounded statements.

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::TryStreamExt;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::window::Window;
use crate::config::{Receiver, RemovedAs, UnitIdentity};
use crate::plan;
use crate::states::Owed;
use crate::unit::Columns;

/// Rows that one statement marks at most.
const ROWS_PER_STATEMENT_MAX: usize = 10_000;

/// What a replay is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who may have lost something.
    pub receiver: &'a Receiver,
    /// When it was sent that.
    pub window: Window,
    /// Of this property only.
    pub property: Option<i64>,
}

/// What is to be sent again, by feed.
#[derive(Debug, Default)]
pub struct Selection {
    /// In the order of feeds.
    pub feeds: Vec<SelectedFeed>,
}

/// What is to be sent again of one property.
#[derive(Debug, Default)]
pub struct SelectedFeed {
    /// The feed.
    pub feed_id: i64,
    /// Its property.
    pub property_id: i64,
    /// Units that are sent again; with a snapshot, all that the property has.
    pub units: usize,
    /// Removals that are sent again.
    pub removals: usize,
    /// Of these, units that are withheld: sent once they are not any more.
    pub withheld: Vec<i64>,
    /// Everything is sent again.
    pub snapshot: bool,
    /// Everything is sent again, and there is something to send: a property that is inactive, disabled or out of the receiver's
    /// groups has nothing but removals.
    pub sent_whole: bool,
    /// The property's own fields are sent again.
    pub property: bool,
    pub(super) owe: Vec<i64>,
    pub(super) tombstones: Vec<Tombstone>,
}

/// A removal that the ledger has forgotten.
#[derive(Debug)]
pub(super) struct Tombstone {
    pub unit_id: i64,
    pub unit_code: Option<String>,
    pub sequence: Option<i64>,
}

/// What decides whether a forgotten removal can be sent.
pub(super) fn rules(receiver: &Receiver) -> (bool, bool) {
    (
        receiver.extensions && receiver.removed == RemovedAs::List,
        receiver.unit_identity == UnitIdentity::Global,
    )
}

/// What the request is about, as things are now; of these feeds, or (none) of all.
pub(super) async fn read(conn: &mut PgConnection, request: &Request<'_>, among: Option<&[i64]>) -> Result<Selection> {
    let mut feeds: BTreeMap<i64, SelectedFeed> = BTreeMap::new();
    read_units(conn, request, among, &mut feeds).await?;
    for (feed_id, property_id, snapshot, property, units, is_covered) in read_feeds(conn, request, among).await? {
        let feed = feeds.entry(feed_id).or_default();
        (feed.feed_id, feed.property_id) = (feed_id, property_id);
        (feed.snapshot, feed.property) = (snapshot, property);
        feed.units = feed.units.max(usize::try_from(units)?);
        feed.sent_whole = snapshot && is_covered;
    }
    let is_about_something = |feed: &SelectedFeed| feed.units + feed.removals > 0 || feed.snapshot || feed.property;
    Ok(Selection {
        feeds: feeds.into_values().filter(is_about_something).collect(),
    })
}

/// As a stream: only their ids are kept, of however many there are.
async fn read_units(
    conn: &mut PgConnection,
    request: &Request<'_>,
    among: Option<&[i64]>,
    feeds: &mut BTreeMap<i64, SelectedFeed>,
) -> Result<()> {
    let (removals, global) = rules(request.receiver);
    let mut rows = sqlx::query(include_str!("../../sql/replay/units.sql"))
        .bind(&request.receiver.name)
        .bind(request.window.since)
        .bind(request.window.until)
        .bind(request.property)
        .bind(request.receiver.timeout.as_secs_f64())
        .bind(removals)
        .bind(global)
        .bind(&request.receiver.property_groups)
        .bind(among)
        .fetch(conn);
    while let Some(row) = rows.try_next().await? {
        let unit = SelectedUnit::read(&row)?;
        let feed = feeds.entry(unit.feed_id).or_default();
        (feed.feed_id, feed.property_id) = (unit.feed_id, unit.property_id);
        feed.add(unit);
    }
    Ok(())
}

async fn read_feeds(
    conn: &mut PgConnection,
    request: &Request<'_>,
    among: Option<&[i64]>,
) -> Result<Vec<(i64, i64, bool, bool, i64, bool)>> {
    Ok(sqlx::query_as(include_str!("../../sql/replay/feeds.sql"))
        .bind(&request.receiver.name)
        .bind(request.window.since)
        .bind(request.window.until)
        .bind(request.property)
        .bind(request.receiver.timeout.as_secs_f64())
        .bind(&request.receiver.property_groups)
        .bind(among)
        .fetch_all(conn)
        .await?)
}

/// A row of `sql/replay/units.sql`.
struct SelectedUnit {
    feed_id: i64,
    property_id: i64,
    is_known: bool,
    is_present: bool,
    is_withheld: bool,
    is_purged: bool,
    tombstone: Tombstone,
}

impl SelectedUnit {
    fn read(row: &PgRow) -> sqlx::Result<Self> {
        let mut columns = Columns::of(row);
        let (feed_id, property_id, unit_id) = (columns.next()?, columns.next()?, columns.next()?);
        Ok(Self {
            feed_id,
            property_id,
            is_known: columns.next()?,
            is_present: columns.next()?,
            is_withheld: columns.next()?,
            is_purged: columns.next()?,
            tombstone: Tombstone {
                unit_id,
                unit_code: columns.next()?,
                sequence: columns.next()?,
            },
        })
    }
}

impl SelectedFeed {
    fn add(&mut self, unit: SelectedUnit) {
        self.withheld.extend(unit.is_withheld.then_some(unit.tombstone.unit_id));
        match (unit.is_present, unit.is_known || unit.is_purged) {
            // New and yet to be planned: sealed by that.
            (true, _) => self.units += 1,
            (false, true) => self.removals += 1,
            (false, false) => return,
        }
        if unit.is_known {
            self.owe.push(unit.tombstone.unit_id);
        } else if unit.is_purged {
            self.tombstones.push(unit.tombstone);
        }
    }
}

impl Selection {
    /// The feeds it is about.
    pub fn feed_ids(&self) -> Vec<i64> {
        self.feeds.iter().map(|feed| feed.feed_id).collect()
    }

    /// Marks it, because of `reason`. Part of the caller's transaction.
    pub(super) async fn owe(&self, conn: &mut PgConnection, reason: Owed) -> Result<()> {
        let units: Vec<(i64, i64)> = self
            .feeds
            .iter()
            .flat_map(|feed| feed.owe.iter().map(|unit_id| (feed.feed_id, *unit_id)))
            .collect();
        for units in units.chunks(ROWS_PER_STATEMENT_MAX) {
            let (feeds, units): (Vec<i64>, Vec<i64>) = units.iter().copied().unzip();
            sqlx::query(include_str!("../../sql/replay/owe.sql"))
                .bind(feeds)
                .bind(units)
                .bind(reason.as_str())
                .execute(&mut *conn)
                .await?;
        }
        self.restore_tombstones(conn, reason).await?;
        self.owe_feeds(conn, reason).await?;
        let properties: Vec<i64> = self.feeds.iter().map(|feed| feed.property_id).collect();
        plan::notice(conn, &properties, "replay").await
    }

    async fn restore_tombstones(&self, conn: &mut PgConnection, reason: Owed) -> Result<()> {
        let gone: Vec<(i64, &Tombstone)> = self
            .feeds
            .iter()
            .flat_map(|feed| feed.tombstones.iter().map(|gone| (feed.feed_id, gone)))
            .collect();
        for gone in gone.chunks(ROWS_PER_STATEMENT_MAX) {
            sqlx::query(include_str!("../../sql/replay/restore_tombstones.sql"))
                .bind(gone.iter().map(|(feed_id, _)| *feed_id).collect::<Vec<_>>())
                .bind(gone.iter().map(|(_, gone)| gone.unit_id).collect::<Vec<_>>())
                .bind(
                    gone.iter()
                        .map(|(_, gone)| gone.unit_code.as_deref())
                        .collect::<Vec<_>>(),
                )
                .bind(gone.iter().map(|(_, gone)| gone.sequence).collect::<Vec<_>>())
                .bind(reason.as_str())
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }

    async fn owe_feeds(&self, conn: &mut PgConnection, reason: Owed) -> Result<()> {
        let flags = |of: fn(&SelectedFeed) -> bool| self.feeds.iter().map(of).collect::<Vec<_>>();
        sqlx::query(include_str!("../../sql/replay/owe_feeds.sql"))
            .bind(self.feed_ids())
            .bind(flags(|feed| feed.snapshot))
            .bind(flags(|feed| feed.property))
            .bind(reason.as_str())
            .execute(conn)
            .await?;
        Ok(())
    }
}
