//! Properties that a planner has yet to plan, in the orders in which they get their turn.
//!
//! One turn is theirs that were touched last, and is short; one is theirs whose sync was settled, most of which have no more
//! news; one is theirs that have waited longest. So an edit is sealed soon while ten thousand other properties wait, also one
//! that was waiting already, or whose last sync was still under way; and none waits for ever.

use std::collections::{BTreeMap, HashMap};

/// A turn of the newest is over soon, whatever their size: a batch that is cut short goes by feeds, and might never reach them.
const NEWEST_MAX: usize = 32;
/// Nearly all of the settled are found without news, which costs little.
const SETTLED_MAX: usize = 256;

/// Each property once in each order.
#[derive(Default)]
pub(super) struct Pending {
    turn: Turn,
    /// Touched ones, by when they were first noticed.
    waiting: Order,
    /// The same, by when they were noticed last.
    touched: Order,
    /// Not touched since they were planned, as far as is known.
    settled: Order,
}

#[derive(Clone, Copy, Default)]
enum Turn {
    Newest,
    Settled,
    #[default]
    Oldest,
}

impl Turn {
    fn next(self) -> Self {
        match self {
            Self::Newest => Self::Settled,
            Self::Settled => Self::Oldest,
            Self::Oldest => Self::Newest,
        }
    }
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.waiting.queue.is_empty() && self.settled.queue.is_empty()
    }

    /// Changes name them.
    pub fn touch(&mut self, properties: impl IntoIterator<Item = i64>) {
        for property_id in properties {
            self.waiting.keep(property_id);
            self.touched.renew(property_id);
        }
    }

    /// Their sync is over, and what was touched meanwhile may be planned.
    pub fn settle(&mut self, properties: impl IntoIterator<Item = i64>) {
        for property_id in properties {
            self.settled.keep(property_id);
        }
    }

    /// The next of them, which stay until they are removed; where there are more than `room`, those whose turn it is.
    pub fn next(&mut self, room: usize) -> Vec<i64> {
        if self.waiting.queue.len() + self.settled.queue.len() <= room {
            let mut all: Vec<i64> = self.waiting.oldest(room).collect();
            all.extend(self.settled.oldest(room).filter(|one| !self.waiting.has(*one)));
            return all;
        }
        loop {
            self.turn = self.turn.next();
            let chosen: Vec<i64> = match self.turn {
                Turn::Newest => self.touched.newest(room.min(NEWEST_MAX)).collect(),
                Turn::Settled => self.settled.oldest(SETTLED_MAX).collect(),
                Turn::Oldest => self.waiting.oldest(room).collect(),
            };
            if !chosen.is_empty() || room == 0 {
                return chosen;
            }
        }
    }

    /// Changes name one of them; the others were settled, and nothing else.
    pub fn is_any_touched(&self, properties: &[i64]) -> bool {
        properties.iter().any(|property_id| self.waiting.has(*property_id))
    }

    pub fn remove(&mut self, properties: &[i64]) {
        for property_id in properties {
            for order in [&mut self.waiting, &mut self.touched, &mut self.settled] {
                order.remove(*property_id);
            }
        }
    }
}

/// Properties in a row, each once.
#[derive(Default)]
struct Order {
    places: HashMap<i64, u64>,
    queue: BTreeMap<u64, i64>,
    next: u64,
}

impl Order {
    /// At the end, or where it is.
    fn keep(&mut self, property_id: i64) {
        if !self.has(property_id) {
            self.next += 1;
            self.places.insert(property_id, self.next);
            self.queue.insert(self.next, property_id);
        }
    }

    /// At the end, wherever it was.
    fn renew(&mut self, property_id: i64) {
        self.remove(property_id);
        self.keep(property_id);
    }

    fn remove(&mut self, property_id: i64) {
        if let Some(place) = self.places.remove(&property_id) {
            self.queue.remove(&place);
        }
    }

    fn has(&self, property_id: i64) -> bool {
        self.places.contains_key(&property_id)
    }

    fn oldest(&self, count: usize) -> impl Iterator<Item = i64> {
        self.queue.values().take(count).copied()
    }

    fn newest(&self, count: usize) -> impl Iterator<Item = i64> {
        self.queue.values().rev().take(count).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_has_its_turn_at_once_and_the_oldest_too() {
        let mut pending = Pending::default();
        pending.touch(1..=100);
        pending.touch([1_000]);
        assert_eq!(pending.next(4), [1_000, 100, 99, 98]);
        let turn = pending.next(4);
        assert_eq!(turn, [1, 2, 3, 4], "nothing is settled");
        pending.remove(&turn);
        assert_eq!(pending.next(1), [1_000]);
        assert_eq!(pending.next(1), [5], "also with room for one");
        assert_eq!(pending.next(90).len(), NEWEST_MAX);
    }

    #[test]
    fn promise_17_an_edit_of_a_property_that_waits_among_ten_thousand_is_sealed_soon() {
        let mut pending = Pending::default();
        pending.touch([1]);
        pending.touch(2..=10_000);
        pending.touch([1]);
        assert!(pending.next(64).contains(&1), "it is the newest again");
        assert_eq!(pending.next(64)[0], 1, "and keeps its place among the oldest");
    }

    #[test]
    fn promise_17_an_edit_while_its_propertys_sync_is_under_way_is_sealed_soon_after_it() {
        let mut pending = Pending::default();
        pending.touch([1]);
        pending.touch(2..=10_000);
        // It was planned, touched again, and looked at while its sync was under way.
        pending.remove(&[1]);
        pending.settle([1]);
        pending.settle(20_000..20_100);
        let turns: Vec<Vec<i64>> = (0..3).map(|_| pending.next(64)).collect();
        assert!(turns.iter().any(|turn| turn.contains(&1)));
        assert!(!turns[0].contains(&20_099), "the settled take no turn of the touched");
    }

    #[test]
    fn what_fits_comes_whole() {
        let mut pending = Pending::default();
        pending.touch([3, 1, 3, 2]);
        pending.settle([2, 4]);
        assert_eq!(pending.next(5), [3, 1, 2, 4]);
        pending.remove(&[3, 1, 2, 4]);
        assert!(pending.is_empty());
        assert_eq!(pending.next(0), [] as [i64; 0]);
    }
}
