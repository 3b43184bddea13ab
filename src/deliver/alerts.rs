//! What a person should know of a group of answers, in words.

use std::time::Duration;

use super::decided_try::DecidedTry;
use super::lease::Leased;
use crate::alert::{Alert, Kind};
use crate::config::Receiver;
use crate::policy::Decision;

/// Unit ids that a message names.
const NAMED_MAX: usize = 10;

/// Something about a property, or about several.
pub(super) struct Found {
    pub property_id: Option<i64>,
    pub finding: Finding,
}

/// What was found.
pub(super) enum Finding {
    Rejected {
        sync_id: String,
        answer: String,
    },
    Exhausted {
        sync_id: String,
        answer: String,
        tries: u32,
    },
    PropertyFails {
        sync_id: String,
        answer: String,
        rests: Duration,
    },
    PropertyWaits {
        answer: String,
        rests: Duration,
    },
    Refused(Vec<i64>),
    Stale {
        sync_id: String,
        newest: i64,
    },
    StaleAgain {
        sync_id: String,
        newest: i64,
    },
    BeyondNumbering {
        sync_id: String,
        newest: i64,
    },
    DigestMismatch,
}

impl Found {
    /// How many units it says are refused.
    pub fn refused(&self) -> usize {
        match &self.finding {
            Finding::Refused(units) => units.len(),
            _ => 0,
        }
    }

    /// About one property.
    pub fn of(property_id: i64, finding: Finding) -> Self {
        Self {
            property_id: Some(property_id),
            finding,
        }
    }

    /// About what a sync is about.
    pub fn about(leased: &Leased, finding: Finding) -> Self {
        Self {
            property_id: leased.property_id(),
            finding,
        }
    }

    /// As it is raised.
    pub fn alert(&self, receiver: &Receiver) -> Alert {
        Alert {
            kind: self.finding.kind(),
            receiver: receiver.name.clone(),
            message: self.finding.message(self.property_id),
            property_id: self.property_id,
        }
    }

    /// About a property whose limits are none of the others'.
    pub fn waits_alone(decided: &DecidedTry) -> Option<Self> {
        match decided.decision {
            Decision::WaitAlone { after } => Some(Self::about(
                &decided.outcome.leased,
                Finding::PropertyWaits {
                    answer: decided.answer(),
                    rests: after,
                },
            )),
            _ => None,
        }
    }
}

impl Finding {
    pub fn rejected(decided: &DecidedTry) -> Self {
        Self::Rejected {
            sync_id: decided.outcome.leased.sync_id.clone(),
            answer: decided.answer(),
        }
    }

    pub fn exhausted(decided: &DecidedTry) -> Self {
        Self::Exhausted {
            sync_id: decided.outcome.leased.sync_id.clone(),
            answer: decided.answer(),
            tries: decided.outcome.leased.attempts + 1,
        }
    }

    pub fn property_fails(decided: &DecidedTry, rests: Duration) -> Self {
        Self::PropertyFails {
            sync_id: decided.outcome.leased.sync_id.clone(),
            answer: decided.answer(),
            rests,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Rejected { .. } => Kind::Rejected,
            Self::Exhausted { .. } | Self::PropertyFails { .. } => Kind::Exhausted,
            Self::PropertyWaits { .. } => Kind::Waiting,
            Self::Refused(_) => Kind::Refused,
            Self::Stale { .. } | Self::StaleAgain { .. } | Self::BeyondNumbering { .. } => Kind::Stale,
            Self::DigestMismatch => Kind::DigestMismatch,
        }
    }

    /// What happened and what to do about it. What the receiver said of a unit is not in it: it may quote a name.
    fn message(&self, property_id: Option<i64>) -> String {
        let property = property_id.map_or_else(|| "ID".to_owned(), |id| id.to_string());
        match self {
            Self::Rejected { sync_id, answer } => format!(
                "{answer} to {sync_id}: it is not sent again, the bad units in it are looked for; see `syncs show {sync_id}`"
            ),
            Self::Exhausted { sync_id, answer, tries } => format!(
                "{answer}: {sync_id} is given up after {tries} tries; what it carried is sent anew when the receiver accepts \
                 anything again"
            ),
            Self::PropertyFails { sync_id, answer, rests } => format!(
                "{answer} to {sync_id}, and accepts other properties: it is this property. Nothing is sent for it for {}, then it \
                 is tried again, less and less often; others go on. Ask the receiver whether it knows the property, and by which \
                 id; `feeds resume {property}` tries it at once",
                humantime::format_duration(Duration::from_secs(rests.as_secs().max(1)))
            ),
            Self::PropertyWaits { answer, rests } => format!(
                "{answer} to this property again and again, and accepts others: it alone is left alone for {}. Ask the receiver \
                 about its limits",
                humantime::format_duration(Duration::from_secs(rests.as_secs()))
            ),
            Self::Refused(units) => format!(
                "the receiver refuses {}: what it refuses is left out until it changes, and tried again by itself, less and less \
                 often; see `refused list`, and `refused retry UNIT_ID` once it is put right",
                named(units)
            ),
            Self::Stale { sync_id, newest } => format!(
                "the receiver calls {sync_id} stale, it has sequence {newest} of this property: its numbers go on above that, it is \
                 sent anew"
            ),
            Self::StaleAgain { sync_id, newest } => format!(
                "the receiver calls {sync_id} stale as well, it says that it has sequence {newest} of this property: it is sent anew \
                 once an hour and not sooner. Ask the receiver which sequence it has, and of what"
            ),
            Self::BeyondNumbering { sync_id, newest } => format!(
                "the receiver calls {sync_id} stale, it says that it has sequence {newest} of this property (or more), and no number \
                 can go on above that: the property is sent again once an hour. Have the receiver forget that sequence"
            ),
            Self::DigestMismatch => {
                "the receiver holds something else than it was sent: the property is sent anew, at most hourly"
                    .to_owned()
            }
        }
    }
}

fn named(units: &[i64]) -> String {
    let ids: Vec<_> = units.iter().take(NAMED_MAX).map(i64::to_string).collect();
    let (ids, beyond) = (ids.join(", "), units.len().saturating_sub(NAMED_MAX));
    match (units.len(), beyond) {
        (1, _) => format!("unit {ids}"),
        (_, 0) => format!("units {ids}"),
        _ => format!("units {ids} and {beyond} more"),
    }
}
