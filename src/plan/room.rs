//! How much of a request is used, and what was left for want of room.

use super::scope::Scope;
use crate::payload::ENVELOPE_BYTES;

/// Of one request, about one property.
pub(crate) struct Room {
    pub body_bytes: usize,
    entries: usize,
    /// What else is held in memory.
    pub noted_bytes: usize,
    /// Something living didn't fit.
    pub crowded: bool,
    /// Something was left for want of room.
    pub left_over: bool,
}

impl Room {
    /// Beside the property's own fields.
    pub fn beside(property_bytes: usize, crowded: bool) -> Self {
        Self {
            body_bytes: ENVELOPE_BYTES + property_bytes,
            entries: 0,
            noted_bytes: 0,
            crowded,
            left_over: false,
        }
    }

    /// The next request begins.
    pub fn empty(&mut self, property_bytes: usize) {
        self.entries = 0;
        self.body_bytes = ENVELOPE_BYTES + property_bytes;
    }

    /// Takes the room for one more entry, if there is any, or whether or not (`is_given`); the first always fits, or it would
    /// wait for ever.
    pub fn take(&mut self, bytes: usize, is_given: bool, scope: &Scope) -> bool {
        let room = self.entries < scope.receiver.units_per_request_max && self.has_bytes(bytes, scope);
        let fits = self.entries == 0 || is_given || room;
        if fits {
            self.entries += 1;
            self.body_bytes += bytes;
        }
        fits
    }

    pub fn has_bytes(&self, bytes: usize, scope: &Scope) -> bool {
        self.body_bytes + bytes <= scope.receiver.body_bytes_max
    }
}
