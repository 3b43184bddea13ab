//! Why a receiver shows a unit as the source has it, or why not and what to do: in words.
//!
//! Pure. What differs is the planner's verdict; the rest only says what stands between that and the receiver.

use super::case::Case;
use super::standing::{Fed, Home, UnitQuestion};
use crate::config::Enroll;
use crate::delta::{LastSealed, Present, Withholding};
use crate::inspect::unit::{Announced, UnitStanding, standing};
use crate::states::{Owed, SyncState, Withheld};
use crate::words::{in_a_line, moment};

/// In a word, and in a sentence.
pub(super) struct Reason {
    pub standing: &'static str,
    pub sentence: String,
}

impl Reason {
    fn new(standing: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            standing,
            sentence: sentence.into(),
        }
    }
}

/// Of a unit in a feed.
pub(super) fn of(asked: &UnitQuestion<'_>, fed: &Fed) -> Reason {
    Case {
        asked,
        fed,
        receiver: &asked.scope.receiver.name,
        ledger: fed.pair.ledger.as_ref(),
    }
    .reason()
}

/// Of a unit whose property has no feed; `property_id` none: the source has it without a property.
pub(super) fn without_feed(asked: &UnitQuestion<'_>, property_id: Option<i64>) -> Reason {
    let receiver = &asked.scope.receiver;
    let name = &receiver.name;
    let Some(property_id) = property_id else {
        return Reason::new(
            "no_property",
            format!("{name} is not sent it, because the source has it without a property: units are sent with theirs"),
        );
    };
    let is_here = |home: &&Home| home.property_id == Some(property_id);
    let Some(home) = asked.home.filter(is_here) else {
        return Reason::new(
            "no_feed",
            format!(
                "{name} was never sent it here: the source no longer has it in property {property_id}, which has no feed"
            ),
        );
    };
    let never = format!("{name} was never sent it, because property {property_id}");
    let in_portfolio = receiver
        .property_groups
        .as_ref()
        .is_none_or(|groups| home.project_group_id.is_some_and(|group| groups.contains(&group)));
    if !home.property_exists {
        return Reason::new(
            "no_feed",
            format!("{never} is not in the source: rentsync.source_property() has no such row"),
        );
    }
    if !home.is_active {
        return Reason::new(
            "property_inactive",
            format!("{never} is inactive in the source and has no feed"),
        );
    }
    if !in_portfolio {
        return Reason::new(
            "outside_portfolio",
            format!("{never} is outside receivers.{name}.property_groups and has no feed"),
        );
    }
    if receiver.enroll == Enroll::Listed {
        return Reason::new(
            "no_feed",
            format!("{never} has no feed: `feeds enable {property_id}` gives it one"),
        );
    }
    let run = match asked.receiver.is_some() {
        true => asked.relays(),
        false => format!("{name} was never run here: `rentsync-relay run` or `once` sends it everything"),
    };
    Reason::new(
        "no_feed",
        format!("{never} has no feed yet, it is enrolled at the next sweep; {run}"),
    )
}

/// Whether what the ledger has as sealed last is acknowledged.
pub(super) fn is_acknowledged(fed: &Fed) -> bool {
    let Some(row) = fed.pair.ledger.as_ref() else {
        return false;
    };
    // Syncs that were pruned were delivered, or what they carried is owed.
    let delivered = fed
        .standing
        .last_state
        .is_none_or(|state| state == SyncState::Delivered);
    let refused = row.withheld.as_ref().filter(|kept| kept.kind == Withheld::Refused);
    let is_refused = refused.is_some_and(|kept| kept.hash.as_ref() == row.last_sealed.hash());
    row.last_sealed != LastSealed::Nothing && delivered && !is_refused && row.owed != Some(Owed::InDoubt)
}

impl Case<'_> {
    fn reason(&self) -> Reason {
        match standing(self.asked.scope, &self.fed.feed, &self.fed.pair) {
            UnitStanding::Settled | UnitStanding::Released(_) => self.settled(),
            UnitStanding::Withheld(kept) => self.withheld(kept),
            UnitStanding::Invalid(because) => self.invalid(because),
            UnitStanding::Differs(announced) => self.differs(&announced),
        }
    }

    /// Nothing is to be sealed: the same was sealed last, or the receiver has nothing of it.
    fn settled(&self) -> Reason {
        let (receiver, standing) = (self.receiver, &self.fed.standing);
        let sealed = self.ledger.map_or(LastSealed::Nothing, |row| row.last_sealed);
        let is_open = matches!(standing.last_state, Some(SyncState::Open | SyncState::Waiting));
        let gone = match self.fed.pair.source {
            Present::Absent(reason) => self.gone(reason),
            Present::Content(_) | Present::Invalid(_) => String::new(),
        };
        match sealed {
            LastSealed::Content(..) if is_open => {
                let sentence = format!(
                    "{receiver} is being sent it as the source has it, in {}",
                    self.under_way()
                );
                Reason::new("under_way", sentence)
            }
            LastSealed::Content(..) => {
                let sentence = format!("{receiver} shows it as the source has it, sent {}", self.sent_when());
                Reason::new("equal", sentence)
            }
            LastSealed::Removal(..) | LastSealed::Unavailable(..) if is_open => {
                let sentence = format!(
                    "{receiver} is being sent its removal, because {gone}, in {}",
                    self.under_way()
                );
                Reason::new("under_way", sentence)
            }
            LastSealed::Removal(..) => {
                let sentence = format!(
                    "{receiver} no longer has it, because {gone}; its removal was sent {}",
                    self.sent_when()
                );
                Reason::new("gone", sentence)
            }
            LastSealed::Unavailable(..) => {
                let sentence = format!(
                    "{receiver} has it as not available, because {gone} and this receiver is sent no removals; sent {}",
                    self.sent_when()
                );
                Reason::new("gone", sentence)
            }
            LastSealed::Nothing => match (standing.purged_at, standing.purged_sequence) {
                (Some(at), Some(sequence)) => {
                    let sentence = format!(
                        "{receiver} no longer has it, because {gone}; it acknowledged the removal at {} (sequence {sequence})",
                        moment(at)
                    );
                    Reason::new("gone", sentence)
                }
                _ => Reason::new("gone", format!("{receiver} has nothing of it here, because {gone}")),
            },
        }
    }

    /// Something is to be sealed, and was not yet.
    fn differs(&self, announced: &Announced) -> Reason {
        let (standing, blocker) = self.blocker(announced);
        Reason::new(standing, format!("{}: {blocker}", self.difference()))
    }

    fn difference(&self) -> String {
        let receiver = self.receiver;
        let sealed = self.ledger.map_or(LastSealed::Nothing, |row| row.last_sealed);
        let in_doubt = self.ledger.is_some_and(|row| row.owed == Some(Owed::InDoubt));
        let gone = match self.fed.pair.source {
            Present::Absent(reason) => Some(self.gone(reason)),
            Present::Content(_) | Present::Invalid(_) => None,
        };
        match (gone, sealed) {
            (_, LastSealed::Content(..) | LastSealed::Removal(..) | LastSealed::Unavailable(..)) if in_doubt => {
                format!(
                    "whether {receiver} applied what was sent {} is not known",
                    self.sent_when()
                )
            }
            (None, LastSealed::Content(hash, _)) if Some(hash) == self.fed.pair.source_hash() => {
                format!(
                    "{receiver} was sent it as the source has it {}, and is sent it again",
                    self.sent_when()
                )
            }
            (None, LastSealed::Content(..)) => {
                format!(
                    "{receiver} has it as sent {}, and the source has it otherwise",
                    self.sent_when()
                )
            }
            (None, LastSealed::Removal(..) | LastSealed::Unavailable(..)) => {
                format!("{receiver} was sent its removal {}, and it is back", self.sent_when())
            }
            (None, LastSealed::Nothing) => format!("{receiver} was never sent it"),
            (Some(gone), LastSealed::Content(..) | LastSealed::Nothing) => {
                format!("{receiver} still has it as sent {}, though {gone}", self.sent_when())
            }
            (Some(gone), LastSealed::Removal(..) | LastSealed::Unavailable(..)) => {
                format!("{receiver} is sent its removal again, because {gone}")
            }
        }
    }

    fn withheld(&self, kept: &Withholding) -> Reason {
        let (receiver, unit_id) = (self.receiver, self.asked.unit_id);
        let hold = || match self.fed.standing.hold_id {
            Some(hold_id) => format!(
                "hold {hold_id}: `holds list`, then `holds approve {hold_id}` to remove it at {receiver} or `holds reject {hold_id}` to \
                 keep it there"
            ),
            None => "see `holds list`".to_owned(),
        };
        let sentence = match kept.kind {
            Withheld::Invalid => return self.invalid(&kept.because),
            Withheld::Refused => {
                let what = match kept.hash {
                    Some(_) => "it as it is",
                    None => "its removal",
                };
                format!(
                    "{receiver} does not take {what}: {}; it is sent again when it changes, by itself after a while (see \
                     `refused list`), or by `refused retry {unit_id}`",
                    in_a_line(&kept.because)
                )
            }
            Withheld::Held => format!(
                "{receiver} still has it, because too many units of its property went at once and its removal waits for a person; {}",
                hold()
            ),
            Withheld::Guarded => format!(
                "{receiver} still has it, because too many units went at once from all it has and its removal waits for a person; {}",
                hold()
            ),
            Withheld::Rejected => format!(
                "{receiver} still has it, because a person rejected its removal: it is kept there until the source has it again"
            ),
            Withheld::Elsewhere => {
                let of = match self.fed.standing.elsewhere {
                    Some(property_id) => format!("property {property_id}"),
                    None => "another property".to_owned(),
                };
                format!(
                    "{receiver} knows units by their ids alone and still has it from {of}: it is sent from here once that let go of it"
                )
            }
        };
        Reason::new(kept.kind.as_str(), sentence)
    }

    fn invalid(&self, because: &str) -> Reason {
        let stays = match self.ledger.map_or(LastSealed::Nothing, |row| row.last_sealed) {
            LastSealed::Content(..) => format!("keeps what was sent {}", self.sent_when()),
            LastSealed::Nothing | LastSealed::Removal(..) | LastSealed::Unavailable(..) => {
                "does not have it".to_owned()
            }
        };
        let sentence = format!(
            "{receiver} {stays}, because it can't be sealed as it is: {because}; it is sent once that is put right in the source, or \
             the settings of receivers.{receiver} let it through (require, body_bytes_max)",
            receiver = self.receiver
        );
        Reason::new("invalid", sentence)
    }
}
