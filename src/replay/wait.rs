//! Waiting until what was asked for is delivered, driving the stages meanwhile.
//!
//! Where a relay runs anyway the two share the work: the right to plan and leases make that safe. A feed is done once
//! nothing of it is owed and every sync sealed until then is settled; later edits don't keep anybody waiting.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};
use tokio::sync::watch;

use crate::config::Receiver;
use crate::relay::{Relay, Stop};
use crate::words::moment;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Properties that are done, one way or the other.
    pub done: usize,
    /// Of so many.
    pub properties: usize,
    /// Units that are yet to be sealed.
    pub owed: i64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Not delivered, and why.
    pub undelivered: Vec<Undelivered>,
    /// Units of these properties that are withheld: no failure, they are sent once they can be.
    pub withheld: Vec<Withholding>,
}

impl Outcome {
    /// The units of a property that are withheld.
    pub fn withheld_of(&self, property_id: i64) -> Vec<i64> {
        let of_it = self.withheld.iter().filter(|unit| unit.property_id == property_id);
        of_it.map(|unit| unit.unit_id).collect()
    }
}

/// A property of which something was not delivered.
#[derive(Debug, Serialize)]
pub struct Undelivered {
    /// The property.
    pub property_id: i64,
    /// Why not.
    pub because: String,
}

/// A unit that is withheld.
#[derive(Debug, Serialize, FromRow)]
pub struct Withholding {
    /// Its property.
    pub property_id: i64,
    /// The unit.
    pub unit_id: i64,
    /// invalid, refused, held or elsewhere.
    pub withheld: String,
}

/// Plans and delivers for the receiver until the feeds are done; an error where it was stopped before. Reports `progress` after
/// each look.
pub async fn wait(
    relay: &Relay,
    receiver: &Receiver,
    feeds: Vec<i64>,
    stop: &watch::Receiver<Stop>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome> {
    let mut waiting = Waiting::for_feeds(feeds.clone());
    let look = async |conn: &mut PgConnection| {
        let standing = waiting.look(conn, relay, receiver).await?;
        progress(standing);
        Ok(standing.done == standing.properties)
    };
    relay.work_until(&receiver.name, stop, look).await?;
    let mut conn = relay.database.connect().await?;
    Ok(Outcome {
        undelivered: waiting.undelivered,
        withheld: withheld(&mut conn, &feeds).await?,
    })
}

/// Why nothing more comes of these feeds by itself soon; none while anything may.
pub async fn stuck(
    conn: &mut PgConnection,
    relay: &Relay,
    receiver: &Receiver,
    feeds: Vec<i64>,
) -> Result<Option<Vec<Undelivered>>> {
    let mut waiting = Waiting::for_feeds(feeds);
    waiting.look(conn, relay, receiver).await?;
    let is_over = waiting.feeds.is_empty() && !waiting.undelivered.is_empty();
    Ok(is_over.then_some(waiting.undelivered))
}

async fn withheld(conn: &mut PgConnection, feeds: &[i64]) -> Result<Vec<Withholding>> {
    Ok(sqlx::query_as(include_str!("../../sql/replay/withheld.sql"))
        .bind(feeds)
        .fetch_all(conn)
        .await?)
}

/// Which feeds are not done yet.
struct Waiting {
    /// With the newest sync that was sealed when nothing of the feed was owed any more.
    feeds: HashMap<i64, Option<i64>>,
    properties: usize,
    undelivered: Vec<Undelivered>,
}

/// A row of `sql/replay/standing.sql`.
#[derive(FromRow)]
struct FeedProgress {
    feed_id: i64,
    property_id: i64,
    owed: i64,
    is_due: bool,
    newest: Option<i64>,
    unsettled: Option<i64>,
    stuck: Option<String>,
    receiver_paused: Option<String>,
    waits_until: Option<DateTime<Utc>>,
}

impl Waiting {
    fn for_feeds(feeds: Vec<i64>) -> Self {
        Self {
            properties: feeds.len(),
            feeds: feeds.into_iter().map(|feed_id| (feed_id, None)).collect(),
            undelivered: Vec::new(),
        }
    }

    async fn look(&mut self, conn: &mut PgConnection, relay: &Relay, receiver: &Receiver) -> Result<Progress> {
        let schedule = &receiver.retry.schedule;
        let rows: Vec<FeedProgress> = sqlx::query_as(include_str!("../../sql/replay/standing.sql"))
            .bind(&receiver.name)
            .bind(self.feeds.keys().copied().collect::<Vec<_>>())
            .bind(relay.clock.now())
            .bind(receiver.retry.longest().as_secs_f64())
            .bind(i32::try_from(schedule.len())?)
            .fetch_all(conn)
            .await?;
        let owed = rows.iter().map(|row| row.owed).sum();
        for row in rows {
            self.take(row);
        }
        self.undelivered
            .sort_unstable_by_key(|undelivered| undelivered.property_id);
        Ok(Progress {
            done: self.properties - self.feeds.len(),
            properties: self.properties,
            owed,
        })
    }

    fn take(&mut self, row: FeedProgress) {
        let sealed = self.feeds.entry(row.feed_id).or_default();
        let is_owing = row.owed > 0 || row.is_due;
        let until = match is_owing {
            true => None,
            false => Some(sealed.unwrap_or(row.newest.unwrap_or_default())),
        };
        *sealed = until;
        let is_done = until.is_some_and(|until| row.unsettled.is_none_or(|unsettled| unsettled > until));
        let stuck = row
            .receiver_paused
            .map(|because| format!("the receiver is paused: {because}"))
            .or(row
                .waits_until
                .map(|until| format!("the receiver asked to be left alone until {}", moment(until))))
            .or(row.stuck.filter(|_| is_owing && row.unsettled.is_none()));
        if is_done {
            self.feeds.remove(&row.feed_id);
        } else if let Some(because) = stuck {
            self.feeds.remove(&row.feed_id);
            self.undelivered.push(Undelivered {
                property_id: row.property_id,
                because,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(owed: i64, newest: i64, unsettled: Option<i64>) -> FeedProgress {
        FeedProgress {
            feed_id: 1,
            property_id: 101,
            owed,
            is_due: false,
            newest: Some(newest),
            unsettled,
            stuck: None,
            receiver_paused: None,
            waits_until: None,
        }
    }

    #[test]
    fn a_feed_is_done_once_what_was_owed_is_settled_whatever_is_sealed_later() {
        let mut waiting = Waiting::for_feeds(vec![1]);
        waiting.take(standing(2, 5, Some(5)));
        assert_eq!(waiting.feeds[&1], None);
        waiting.take(standing(0, 6, Some(6)));
        waiting.take(standing(0, 7, Some(6)));
        assert_eq!(waiting.feeds[&1], Some(6));
        waiting.take(standing(0, 7, Some(7)));
        assert!(waiting.feeds.is_empty() && waiting.undelivered.is_empty());
    }

    #[test]
    fn what_was_given_up_is_owed_again_and_waited_for_until_nothing_is_sent_any_more() {
        let mut waiting = Waiting::for_feeds(vec![1]);
        waiting.take(standing(0, 6, Some(6)));
        waiting.take(standing(1, 6, None));
        assert_eq!(waiting.feeds[&1], None);
        let resting = FeedProgress {
            stuck: Some("given up".into()),
            ..standing(1, 6, None)
        };
        waiting.take(resting);
        assert_eq!(waiting.undelivered.len(), 1);
    }

    #[test]
    fn a_paused_receiver_ends_the_waiting() {
        let mut waiting = Waiting::for_feeds(vec![1]);
        waiting.take(FeedProgress {
            receiver_paused: Some("401".into()),
            ..standing(0, 6, Some(6))
        });
        assert!(waiting.undelivered[0].because.contains("401"));
    }
}
