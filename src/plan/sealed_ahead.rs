//! How many syncs are sealed ahead of what is under way. Few, because what is sealed late says what holds now; more, up to a whole
//! batch, while the receiver acknowledges them faster than they are sealed, because a statement costs much the same for few feeds and for many.

/// As a multiple of the requests at once, and at least so many.
const REQUESTS: usize = 4;
const MIN: usize = 32;

#[derive(Default)]
pub(super) struct SealedAhead {
    syncs: usize,
    /// There was more to seal than there was room.
    was_full: bool,
}

impl SealedAhead {
    /// How many more may be sealed where so many are. None until there is room for a quarter: a batch of a few feeds costs nearly as
    /// much as one of all.
    pub fn room(&mut self, sealed: usize, requests_max: usize, batch_max: usize) -> usize {
        let least = (REQUESTS * requests_max).max(MIN);
        self.syncs = self.syncs.clamp(least, least.max(batch_max));
        if self.was_full && sealed * 2 <= self.syncs {
            self.syncs = (self.syncs * 2).min(least.max(batch_max));
        } else if sealed * 4 >= self.syncs * 3 {
            self.syncs = (self.syncs / 2).max(least);
        }
        let room = self.syncs.saturating_sub(sealed);
        if room * 4 < self.syncs { 0 } else { room }
    }

    /// So many were sealed in a room for so many.
    pub fn sealed(&mut self, syncs: usize, room: usize) {
        if room > 0 {
            self.was_full = syncs * 2 >= room;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_ahead_grows_while_it_is_leased_at_once_and_shrinks_where_it_waits() {
        let mut ahead = SealedAhead::default();
        let mut rooms = Vec::new();
        for _ in 0..5 {
            let room = ahead.room(0, 8, 256);
            ahead.sealed(room, room);
            rooms.push(room);
        }
        assert_eq!(rooms, [32, 64, 128, 256, 256]);
        assert_eq!(ahead.room(256, 8, 256), 0);
        assert_eq!(ahead.room(120, 8, 256), 0);
        assert_eq!(ahead.room(60, 8, 256), 0, "32 by now");
        assert_eq!(ahead.room(25, 8, 256), 0);
        assert_eq!(ahead.room(24, 8, 256), 8);
    }

    #[test]
    fn a_single_edit_makes_nothing_larger() {
        let mut ahead = SealedAhead::default();
        for _ in 0..5 {
            assert_eq!(ahead.room(0, 8, 256), 32);
            ahead.sealed(1, 32);
        }
        assert_eq!(ahead.room(0, 100, 256), 400, "never fewer than requests go out at once");
    }
}
