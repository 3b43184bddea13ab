//! What a running relay remembers of what it sent, against a database that was set back under it.
//!
//! A disk image that is put back, or a second server that was promoted to a timeline of the same number, looks like the server that
//! was left: nothing in it says what it lacks. But whoever sent a sync knows its number and its ID, which is random and was sealed
//! with it; a database without that sync lost what was sent. It guarantees nothing beyond the life of the process.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// What this process sent to each receiver.
#[derive(Debug, Default)]
pub struct Witness(Mutex<BTreeMap<String, Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    newest: Option<Sent>,
    /// Some bytes for each: those that the database never heard of are sent anew as well.
    properties: HashSet<i64>,
    /// When the database was noted that is known to have a feed for each of them.
    noted_at: Option<DateTime<Utc>>,
}

/// A sync that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub sequence: i64,
    /// Its ID.
    pub sync_id: String,
    /// When it was leased, by the database's clock.
    pub at: DateTime<Utc>,
}

impl Witness {
    /// This one, about these properties, is about to be sent to a receiver. The highest number is remembered: a receiver's syncs are sealed in their
    /// order.
    pub fn note(&self, receiver: &str, sent: Sent, properties: impl IntoIterator<Item = i64>) {
        let mut all = self.all();
        let remembered = all.entry(receiver.to_owned()).or_default();
        remembered.properties.extend(properties);
        let newest = remembered.newest.as_ref();
        if newest.is_none_or(|newest| newest.sequence < sent.sequence) {
            remembered.newest = Some(sent);
        }
    }

    /// The newest that was sent to a receiver.
    pub fn newest(&self, receiver: &str) -> Option<Sent> {
        self.all().get(receiver)?.newest.clone()
    }

    /// The properties that it was sent.
    pub fn properties(&self, receiver: &str) -> Vec<i64> {
        let all = self.all();
        let of = |remembered: &Remembered| remembered.properties.iter().copied().collect();
        all.get(receiver).map(of).unwrap_or_default()
    }

    /// When the database was noted that has a feed for whatever was sent before.
    pub fn noted_at(&self, receiver: &str) -> Option<DateTime<Utc>> {
        self.all().get(receiver)?.noted_at
    }

    /// The database that was noted then has a feed for whatever was sent.
    pub fn is_noted_at(&self, receiver: &str, noted_at: Option<DateTime<Utc>>) {
        self.all().entry(receiver.to_owned()).or_default().noted_at = noted_at;
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_number_is_remembered_for_each_receiver() {
        let witness = Witness::default();
        let sent = |sequence| Sent {
            sequence,
            sync_id: format!("sync-{sequence}"),
            at: Utc::now(),
        };
        let (newer, older) = (sent(8), sent(7));
        witness.note("main", newer.clone(), [1]);
        witness.note("main", older, [1, 2]);
        assert_eq!((witness.newest("main"), witness.newest("other")), (Some(newer), None));
        assert_eq!(
            (witness.properties("main").len(), witness.properties("other")),
            (2, vec![])
        );
    }
}
