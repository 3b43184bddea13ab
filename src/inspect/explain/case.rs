//! A unit in a feed, and what is known of it in words: when it was sent, how its sync stands, why it is gone.

use super::standing::{Fed, UnitQuestion};
use crate::delta::LedgerRow;
use crate::payload::RemovalReason as Gone;
use crate::states::SyncState;
use crate::words::moment;

/// What is asked of one feed.
pub(super) struct Case<'a> {
    pub asked: &'a UnitQuestion<'a>,
    pub fed: &'a Fed,
    pub receiver: &'a str,
    pub ledger: Option<&'a LedgerRow>,
}

impl Case<'_> {
    /// Why the source's side counts as gone.
    pub fn gone(&self, reason: Gone) -> String {
        let (feed, receiver) = (&self.fed.feed, self.receiver);
        let property_id = feed.property_id;
        match reason {
            Gone::Deleted if feed.uncovered == Some(Gone::Deleted) => {
                format!("the source no longer has property {property_id}")
            }
            Gone::Deleted => "the source no longer has it".to_owned(),
            Gone::Moved => match self.asked.home.and_then(|home| home.property_id) {
                Some(other) => format!("it belongs to property {other} now"),
                None => "it belongs to another property now".to_owned(),
            },
            Gone::PropertyInactive if feed.property.is_active => {
                format!("property {property_id} is outside receivers.{receiver}.property_groups")
            }
            Gone::PropertyInactive => format!("property {property_id} is inactive in the source"),
            Gone::FeedDisabled => {
                format!("the feed of property {property_id} is disabled (`feeds enable {property_id}` sends it again)")
            }
        }
    }

    /// When it was sent last, and in which sync.
    pub fn sent_when(&self) -> String {
        let standing = &self.fed.standing;
        let sequence = standing.last_sequence.unwrap_or_default();
        match (&standing.last_sync_id, standing.last_sealed_at) {
            (Some(sync_id), Some(sealed_at)) => {
                let at = standing.last_settled_at.unwrap_or(sealed_at);
                let given_up = match standing.last_state {
                    Some(SyncState::Rejected | SyncState::Exhausted | SyncState::Cancelled) => ", which was given up",
                    Some(SyncState::Waiting | SyncState::Open | SyncState::Delivered) | None => "",
                };
                format!("at {} in sync {sync_id} (sequence {sequence}){given_up}", moment(at))
            }
            _ => format!("in sequence {sequence}, which is pruned"),
        }
    }

    /// The sync that carries it now.
    pub fn under_way(&self) -> String {
        let sync_id = self.fed.standing.last_sync_id.as_deref().unwrap_or_default();
        match self.fed.standing.last_state {
            Some(SyncState::Waiting) => format!("sync {sync_id}, which follows the parts before it"),
            _ => format!("sync {sync_id}: {}", self.progress()),
        }
    }

    /// How the open sync stands.
    pub fn progress(&self) -> String {
        let standing = &self.fed.standing;
        if standing.open_is_leased {
            return "a relay has it in hand".to_owned();
        }
        if let Some(until) = self.asked.receiver.and_then(|standing| standing.sending.wait_until) {
            return format!("{} asked to be left alone until {}", self.receiver, moment(until));
        }
        match (standing.open_attempts, standing.open_due_at) {
            (0, _) | (_, None) => format!("it was not tried yet; {}", self.asked.relays()),
            (tries, Some(at)) => format!("tried {}, the next try is at {}", times(tries), moment(at)),
        }
    }
}

impl UnitQuestion<'_> {
    /// Who sends it.
    pub fn relays(&self) -> String {
        match self.relays {
            0 => "no relay is connected to this database: `rentsync-relay run` or `once` sends it".to_owned(),
            _ => "a relay is connected and sends it in a moment; if it doesn't, its log says why".to_owned(),
        }
    }
}

fn times(tries: i32) -> String {
    match tries {
        1 => "once".to_owned(),
        tries => format!("{tries} times"),
    }
}
