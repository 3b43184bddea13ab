//! What everything that settles a group of answers shares: its transaction, whom it is about, and what a person should know of it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::alerts::{Finding, Found};
use super::lease::{Leased, LeasedFeed};
use crate::alert;
use crate::config::Receiver;

/// A group of answers on its way into the database.
pub(super) struct Settling<'a> {
    pub conn: &'a mut PgConnection,
    pub receiver: &'a Receiver,
    /// None: by the database's clock.
    pub now: Option<DateTime<Utc>>,
    pub found: Vec<Found>,
}

impl Settling<'_> {
    /// Something about the property of one feed.
    pub fn find(&mut self, feed: &LeasedFeed, finding: Finding) {
        self.found.push(Found::of(feed.property_id, finding));
    }

    /// Something about what a sync is about.
    pub fn find_about(&mut self, leased: &Leased, finding: Finding) {
        self.found.push(Found::about(leased, finding));
    }

    /// Raises an alert for each of what was found.
    pub async fn raise_found(self) -> Result<()> {
        for found in self.found {
            alert::raise(&mut *self.conn, &found.alert(self.receiver), self.now).await?;
        }
        Ok(())
    }
}
