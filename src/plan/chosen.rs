//! A chosen feed, and what the source says of its property. Which feeds have news is known without: so one property whose own row
//! can't be read is set aside like one whose units can't.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::config::Receiver;
use crate::payload::{Digest, Hash, RemovalReason};
use crate::states::Owed;
use crate::unit::{Columns, Property, TEXT_BYTES_MAX};

/// Feeds that are yet to be enrolled are numbered above this.
pub(super) const NOT_ENROLLED: i64 = 1 << 62;

/// A feed with news, and what is known of it before its units are compared.
#[derive(Clone)]
pub(crate) struct ChosenFeed {
    pub feed_id: i64,
    pub property_id: i64,
    /// What the receiver calls the property, where that is something else.
    pub external_id: Option<String>,
    /// Why its units count as removed although the source has them; none: they don't.
    pub uncovered: Option<RemovalReason>,
    pub property_hash: Option<Hash>,
    pub property_owed: bool,
    pub digest: Digest,
    /// How many units the receiver should hold.
    pub units: i64,
    /// How many it owes, counted no further than one beyond those that a plan reads.
    pub owed: i64,
    /// How many it withholds.
    pub withheld: i64,
    /// Why it is due a snapshot.
    pub snapshot_due: Option<String>,
    /// The run that asked for it.
    pub snapshot_run: Option<i64>,
    /// Sealed only together with feeds of the same number.
    pub bisection: Option<i64>,
    /// Bisected units of its own are sealed before its news: they have waited for news already.
    pub bisection_waited: bool,
    /// Added to the numbers of its syncs in their bodies.
    pub sequence_offset: i64,
    /// Changes ask for everything to be compared, rather than what was touched.
    pub whole: bool,
    pub touched: Vec<i64>,
    pub oldest_change: Option<DateTime<Utc>>,
    pub property: Property,
    /// Units to look at, about.
    weight: i64,
}

impl ChosenFeed {
    /// It is there only once its property is enrolled.
    pub fn is_not_enrolled(&self) -> bool {
        self.feed_id > NOT_ENROLLED
    }
}

/// A feed with news, and nothing read of its property yet: nobody compares it before that.
#[derive(Clone)]
pub(super) struct UnreadFeed(ChosenFeed);

impl UnreadFeed {
    /// Reads a row of `sql/plan/choose_feeds.sql`.
    pub fn read(row: &PgRow) -> Result<Self> {
        let mut columns = Columns::of(row);
        let (feed_id, property_id, external_id) = (columns.next()?, columns.next()?, columns.next()?);
        let enabled: bool = columns.next()?;
        let property_hash: Option<Vec<u8>> = columns.next()?;
        let property_owed: Option<Owed> = columns.next()?;
        let digest: Vec<u8> = columns.next()?;
        let (units, owed, withheld) = (columns.next()?, columns.next()?, columns.next()?);
        let (snapshot_due, snapshot_run) = (columns.next()?, columns.next()?);
        let (bisection, bisection_waited) = (columns.next()?, columns.next()?);
        let (sequence_offset, whole) = (columns.next()?, columns.next()?);
        let touched: Option<Vec<i64>> = columns.next()?;
        let (oldest_change, weight) = (columns.next()?, columns.next()?);
        Ok(Self(ChosenFeed {
            feed_id,
            property_id,
            external_id,
            uncovered: (!enabled).then_some(RemovalReason::FeedDisabled),
            property_hash: property_hash.map(Hash::try_from).transpose()?,
            property_owed: property_owed.is_some(),
            digest: Digest::try_from(digest)?,
            units,
            owed,
            withheld,
            snapshot_due,
            snapshot_run,
            bisection,
            bisection_waited,
            sequence_offset,
            whole,
            touched: touched.unwrap_or_default(),
            oldest_change,
            property: Property::gone(property_id),
            weight,
        }))
    }

    pub fn feed_id(&self) -> i64 {
        self.0.feed_id
    }

    pub fn property_id(&self) -> i64 {
        self.0.property_id
    }

    /// Units to look at, about.
    pub fn weight(&self) -> i64 {
        self.0.weight
    }

    fn with(mut self, property: Option<Property>, receiver: &Receiver) -> ChosenFeed {
        self.0.uncovered = uncovered(self.0.uncovered, property.as_ref(), receiver);
        if let Some(property) = property {
            self.0.property = property;
        }
        self.0
    }
}

/// The feeds with their properties, as the source has them at this moment.
pub(super) async fn read_properties(
    conn: &mut PgConnection,
    receiver: &Receiver,
    feeds: Vec<UnreadFeed>,
) -> Result<Vec<ChosenFeed>> {
    let rows = sqlx::query(include_str!("../../sql/plan/read_properties.sql"))
        .bind(feeds.iter().map(UnreadFeed::property_id).collect::<Vec<_>>())
        .bind(TEXT_BYTES_MAX)
        .fetch_all(conn)
        .await?;
    let properties = rows.iter().map(|row| Property::read(&mut Columns::of(row)));
    let properties = properties.map(|property| property.map(|property| (property.property_id, property)));
    let mut properties: HashMap<i64, Property> = properties.collect::<sqlx::Result<_>>()?;
    let with_its_own = |feed: UnreadFeed| {
        let property = properties.remove(&feed.property_id());
        feed.with(property, receiver)
    };
    Ok(feeds.into_iter().map(with_its_own).collect())
}

/// Why the receiver is to have nothing of it.
fn uncovered(
    disabled: Option<RemovalReason>,
    property: Option<&Property>,
    receiver: &Receiver,
) -> Option<RemovalReason> {
    let Some(property) = property else {
        return Some(RemovalReason::Deleted);
    };
    let in_portfolio = match (&receiver.property_groups, property.project_group_id) {
        (None, _) => true,
        (Some(groups), Some(group)) => groups.contains(&group),
        (Some(_), None) => false,
    };
    let inactive = (!property.is_active || !in_portfolio).then_some(RemovalReason::PropertyInactive);
    disabled.or(inactive)
}
