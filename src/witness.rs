//! What a running relay remembers of what it sent, against a database that was set back under it.
//!
//! A disk image that is put back, or a second server that was promoted to a timeline of the same number, looks like the server that
//! was left: nothing in it says what it lacks. But whoever sent a sync knows its number and its ID, which is random and was sealed
//! with it; a database without that sync lost what was sent. It guarantees nothing beyond the life of the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

/// For each receiver the newest sync that this process sent.
#[derive(Debug, Default)]
pub struct Witness(Mutex<BTreeMap<String, Sent>>);

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
    /// This one is about to be sent to a receiver. Only the highest number is remembered: a receiver's syncs are sealed in their order.
    pub fn note(&self, receiver: &str, sent: Sent) {
        let mut newest = self.newest();
        match newest.get_mut(receiver) {
            Some(before) if before.sequence > sent.sequence => {}
            Some(before) => *before = sent,
            None => drop(newest.insert(receiver.to_owned(), sent)),
        }
    }

    /// The newest that was sent to a receiver.
    pub fn of(&self, receiver: &str) -> Option<Sent> {
        self.newest().get(receiver).cloned()
    }

    fn newest(&self) -> MutexGuard<'_, BTreeMap<String, Sent>> {
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
        witness.note("main", newer.clone());
        witness.note("main", older);
        assert_eq!((witness.of("main"), witness.of("other")), (Some(newer), None));
    }
}
