//! What stands between a difference and the receiver, and what to do about it.

use super::case::Case;
use crate::inspect::receivers::ReceiverStanding;
use crate::inspect::unit::Announced;
use crate::states::Owed;
use crate::words::moment;

impl Case<'_> {
    /// What stands between a difference and the receiver, and what to do about it.
    pub fn blocker(&self, announced: &Announced) -> (&'static str, String) {
        let (receiver, property_id) = (self.receiver, self.fed.feed.property_id);
        let standing = &self.fed.standing;
        if let Some(what) = self.asked.receiver.and_then(pause) {
            return ("receiver_paused", what);
        }
        if let Some(because) = &standing.paused_because {
            let what = format!(
                "the feed of property {property_id} is paused ({because}); `feeds resume {property_id}` ends that"
            );
            return ("feed_paused", what);
        }
        if let Some(sync_id) = &standing.open_sync_id {
            let what = format!(
                "its property has {sync_id} under way, and it is sent after that; {}",
                self.progress()
            );
            return ("waiting", what);
        }
        if let Some(at) = standing.cooldown_until {
            let or = match standing.wakes_when_any_is_acknowledged {
                true => format!(", or until {receiver} acknowledges anything"),
                false => String::new(),
            };
            let why = match standing.is_unreadable {
                true => "something of its property can't be read (see `alerts list`)",
                false => "a sync of its property was given up",
            };
            let what = format!("{why}, and it rests until {}{or}", moment(at));
            return ("resting", what);
        }
        match self.announced(announced) {
            Some(what) => ("waiting", format!("{what}; {}", self.asked.relays())),
            None => {
                let what = format!(
                    "no change announced that, so a trigger was bypassed or a joined table has none; the night's snapshot carries \
                     it, or `snapshot --property {property_id}` now"
                );
                ("drift", what)
            }
        }
    }

    /// Why the next plan looks at it.
    fn announced(&self, announced: &Announced) -> Option<String> {
        let standing = &self.fed.standing;
        if let Some(owed) = announced.owed {
            let is_bisected = self.ledger.is_some_and(|row| row.bisection.is_some());
            let group = match is_bisected {
                true => ", in a group with others until the one that the receiver doesn't take is found",
                false => "",
            };
            return Some(format!("{}{group}", in_words(owed)));
        }
        let shape = &self.asked.scope.shape;
        if self.asked.receiver.is_some_and(|status| status.settings_differ(shape)) {
            let receiver = self.receiver;
            return Some(format!(
                "{receiver} was last run with other settings than these, and everything is compared once a relay starts with these"
            ));
        }
        if standing.is_new {
            return Some("its property was never planned yet".to_owned());
        }
        if announced.touched {
            return Some("it changed and is not planned yet".to_owned());
        }
        if announced.whole {
            return Some("its property is yet to be compared as a whole".to_owned());
        }
        let due = standing.snapshot_due.as_ref()?;
        Some(format!("its property is due a snapshot ({due})"))
    }
}

/// Why nothing is sent to the receiver but a probe.
fn pause(standing: &ReceiverStanding) -> Option<String> {
    let (receiver, sending) = (&standing.receiver, &standing.sending);
    if standing.waits_for_resync {
        return Some(format!(
            "this is another database than {receiver} was fed from: `receivers resync {receiver}` if it is the right one"
        ));
    }
    let because = sending.because.as_ref()?;
    let until = match sending.next_probe {
        Some(at) => format!("it is probed at {}, or `receivers resume {receiver}`", moment(at)),
        None => format!("`receivers resume {receiver}` ends that"),
    };
    let since = sending
        .since
        .map_or(String::new(), |at| format!(" since {}", moment(at)));
    Some(format!("{receiver} is paused{since} ({because}); {until}"))
}

fn in_words(owed: Owed) -> &'static str {
    match owed {
        Owed::OverLimit => "it did not fit the requests before",
        Owed::Removal => "its removal waits until everything living is sent",
        Owed::InDoubt => "it is sent again, because the sync that carried it was given up",
        Owed::Resend => "every unit of its property is sent again",
        Owed::Replay => "a replay asked for it",
        Owed::Retry => "it was let go to be sent once more",
        Owed::Approved => "a person approved its removal",
    }
}
