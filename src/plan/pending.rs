//! Properties that a walk has yet to plan, in the order in which they were noticed.
//!
//! Every other turn is theirs that were noticed last, and is short; the turns between are theirs that have waited longest. So an
//! edit is told soon while ten thousand other properties wait, and none of these waits for ever.

use std::collections::{BTreeMap, HashMap};

/// A turn of the newest is over soon, whatever their size: a batch that is cut short goes by feeds, and might never reach them.
const NEWEST_MAX: usize = 32;

/// Each property once.
#[derive(Default)]
pub(super) struct Pending {
    /// The last turn was theirs that were noticed last.
    newest: bool,
    places: HashMap<i64, u64>,
    queue: BTreeMap<u64, i64>,
    next: u64,
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// One that waits already keeps its place.
    pub fn extend(&mut self, properties: impl IntoIterator<Item = i64>) {
        for property_id in properties {
            self.places.entry(property_id).or_insert_with(|| {
                self.next += 1;
                self.queue.insert(self.next, property_id);
                self.next
            });
        }
    }

    /// The next of them, at most so many, which stay until they are removed.
    pub fn next(&mut self, room: usize) -> Vec<i64> {
        if self.queue.len() <= room {
            return self.queue.values().copied().collect();
        }
        self.newest = !self.newest;
        match self.newest {
            true => self.queue.values().rev().take(room.min(NEWEST_MAX)).copied().collect(),
            false => self.queue.values().take(room).copied().collect(),
        }
    }

    pub fn remove(&mut self, properties: &[i64]) {
        for property_id in properties {
            if let Some(place) = self.places.remove(property_id) {
                self.queue.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_has_its_turn_at_once_and_the_oldest_too() {
        let mut pending = Pending::default();
        pending.extend(1..=100);
        pending.extend([1_000, 50]);
        assert_eq!(pending.next(4), [1_000, 100, 99, 98]);
        let turn = pending.next(4);
        assert_eq!(turn, [1, 2, 3, 4]);
        pending.remove(&turn);
        assert_eq!(pending.next(1), [1_000]);
        assert_eq!(pending.next(1), [5], "also with room for one");
        assert_eq!(pending.next(90).len(), NEWEST_MAX);
    }

    #[test]
    fn what_fits_is_taken_whole() {
        let mut pending = Pending::default();
        pending.extend([3, 1, 3, 2]);
        assert_eq!(pending.next(3), [3, 1, 2]);
        pending.remove(&[3, 1, 2]);
        assert!(pending.is_empty());
    }
}
