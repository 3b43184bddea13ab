//! Units that a receiver should drop.

use serde_json::Result;

use super::json::Text;

/// Why a unit is no longer part of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalReason {
    /// It, or its whole property, is gone.
    Deleted,
    /// It belongs to another property now.
    Moved,
    /// Its property is inactive, or outside the receiver's portfolio.
    PropertyInactive,
    /// The feed was disabled.
    FeedDisabled,
}

impl RemovalReason {
    /// As the contract and the database say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Moved => "moved",
            Self::PropertyInactive => "property_inactive",
            Self::FeedDisabled => "feed_disabled",
        }
    }

    /// The reverse of [`RemovalReason::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Deleted, Self::Moved, Self::PropertyInactive, Self::FeedDisabled]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }
}

/// A unit that the receiver should drop.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The unit that went.
    pub unit_id: i64,
    /// As it was sealed last: the receiver may know nothing else.
    pub unit_code: Option<String>,
    /// The present unit that carries its code now. Then the code isn't sent, lest the living be dropped by it.
    pub replaced_by: Option<i64>,
    /// Why it went.
    pub reason: RemovalReason,
}

impl Removal {
    /// The key that names it beside its id.
    pub(super) fn write_code(&self, out: &mut Text) -> Result<()> {
        match self.replaced_by {
            Some(replaced_by) => {
                out.raw(",\"replaced_by\":");
                out.value(&replaced_by)
            }
            None => {
                out.raw(",\"unit_code\":");
                out.value(&self.unit_code)
            }
        }
    }

    /// The reason, and the end of the object.
    pub(super) fn write_reason(&self, out: &mut Text) {
        out.raw(",\"reason\":\"");
        out.raw(self.reason.as_str());
        out.raw("\"}");
    }
}
