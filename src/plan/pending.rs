//! Properties that a walk has yet to plan, in the order in which they were noticed.
//!
//! Half of a turn is theirs that have waited longest, half is theirs that were noticed last: so an edit is told at once while
//! ten thousand other properties wait, and none of these waits for ever.

use std::collections::{BTreeMap, HashMap};

/// Each property once.
#[derive(Default)]
pub(super) struct Pending {
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

    /// The next so many, which stay until they are removed.
    pub fn next(&self, room: usize) -> Vec<i64> {
        if self.queue.len() <= room {
            return self.queue.values().copied().collect();
        }
        let newest = room / 2;
        let oldest = self.queue.values().take(room - newest);
        oldest.chain(self.queue.values().rev().take(newest)).copied().collect()
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
        let turn = pending.next(4);
        assert_eq!(turn, [1, 2, 1_000, 100]);
        pending.remove(&turn);
        assert_eq!(pending.next(4), [3, 4, 99, 98]);
        assert_eq!(pending.next(1), [3], "with room for one it is the oldest");
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
