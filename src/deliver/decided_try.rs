//! How the try of a sync ended, and what is to be done about it.

use super::lease::Leased;
use crate::config::Receiver;
use crate::policy::{self, Answer, Decision, Tried};
use crate::receiver::Try;
use crate::states::{AttemptOutcome, SyncState};
use crate::words;

/// How the try of a leased sync ended.
#[derive(Clone)]
pub(super) struct Outcome {
    pub leased: Leased,
    pub tried: Try,
    /// How many properties' digests the body carries, where the answer has to repeat them.
    pub digests_sent: usize,
}

impl Outcome {
    /// The credentials were not taken.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self.tried.answer, Answer::Status { status: 401 | 403, .. })
    }
}

/// A try with what is to be done about it.
pub(super) struct DecidedTry {
    pub outcome: Outcome,
    pub decision: Decision,
    known: Tried,
    /// Nothing of its property was acknowledged last, or it carries one unit that was refused before.
    is_known_to_fail: bool,
}

/// What is known of a property from the tries before.
pub(super) struct Before {
    /// How often it was answered 429, one after another.
    pub limited: u32,
    /// Nothing of it was acknowledged last, or it is about one unit that was refused before.
    pub fails: bool,
    /// Units that it fails on are looked for.
    pub is_searched: bool,
}

impl DecidedTry {
    /// What this receiver's settings make of it, by what it answers alone. While it is paused every try is a probe.
    pub fn of(outcome: Outcome, receiver: &Receiver, paused: bool) -> Self {
        let leased = &outcome.leased;
        let known = Tried {
            attempts: leased.attempts,
            waits: leased.waits,
            age: leased.age,
            probe: leased.probe || paused,
            jitter: rand::random(),
            limited: 0,
            several: leased.feeds.len() > 1,
            others_acknowledged: false,
            failed_before: false,
        };
        Self {
            decision: policy::decide(&outcome.tried.answer, known, &receiver.retry),
            outcome,
            known,
            is_known_to_fail: false,
        }
    }

    /// Decides anew, by what is known of whose trouble it is.
    pub fn weigh(&mut self, others_acknowledged: bool, before: Before, receiver: &Receiver) {
        self.known = Tried {
            others_acknowledged,
            limited: before.limited,
            failed_before: before.fails || before.is_searched,
            ..self.known
        };
        self.is_known_to_fail = before.fails;
        self.decision = policy::decide(&self.outcome.tried.answer, self.known, &receiver.retry);
    }

    /// The receiver acknowledges others all the while; asked only where that matters.
    pub fn others_acknowledged(&self) -> bool {
        self.known.others_acknowledged
    }

    /// The sync's state from now on.
    pub fn state(&self) -> SyncState {
        match self.decision {
            Decision::Delivered => SyncState::Delivered,
            Decision::Rejected | Decision::Renumber { .. } => SyncState::Rejected,
            Decision::Exhausted => SyncState::Exhausted,
            Decision::Pause | Decision::ProbeFailed { .. } => SyncState::Cancelled,
            Decision::Retry { .. } | Decision::Wait { .. } | Decision::WaitAlone { .. } | Decision::GiveBack => {
                SyncState::Open
            }
        }
    }

    /// How its attempt ended.
    pub fn outcome(&self) -> AttemptOutcome {
        match self.decision {
            Decision::Delivered => AttemptOutcome::Delivered,
            Decision::Renumber { .. } => AttemptOutcome::Stale,
            Decision::Rejected => AttemptOutcome::Rejected,
            Decision::Exhausted => AttemptOutcome::Exhausted,
            Decision::Retry { .. } => AttemptOutcome::Retry,
            Decision::Wait { .. } | Decision::WaitAlone { .. } => AttemptOutcome::Wait,
            Decision::Pause => AttemptOutcome::Paused,
            Decision::ProbeFailed { .. } => AttemptOutcome::ProbeFailed,
            Decision::GiveBack if self.outcome.tried.answer.is_sent() => AttemptOutcome::CutOff,
            Decision::GiveBack => AttemptOutcome::NotSent,
        }
    }

    /// The receiver's answer, or why there was none.
    pub fn answer(&self) -> String {
        if let Answer::Stale { sequence } = self.outcome.tried.answer {
            return format!("the receiver calls it stale, it has sequence {sequence}");
        }
        match (self.outcome.tried.status, &self.outcome.tried.error) {
            (Some(status), Some(what)) => format!("the receiver answered {status} with {what}"),
            (Some(status), None) => format!("the receiver answered {status}"),
            // A certificate may name anything.
            (None, Some(error)) => words::in_a_line(error),
            (None, None) => "no answer".to_owned(),
        }
    }

    /// Why units of it are refused, in our words: the receiver's own are kept with the attempt.
    pub fn refusal(&self) -> String {
        let status = self.outcome.tried.status.map(|status| format!(" ({status})"));
        format!("the receiver refused it{}", status.unwrap_or_default())
    }

    /// It is answered as a property is that the receiver does not know.
    pub fn is_about_the_property(&self) -> bool {
        self.outcome.tried.answer.may_be_about_one_property()
    }

    /// Looking for bad units in a property that is answered so again and again is worth a request a rest: it is down, or not known.
    pub fn is_slow_to_search(&self) -> bool {
        self.is_about_the_property() || self.decision == Decision::Exhausted
    }

    /// Seconds until the sync is due again, while it is open.
    pub fn after(&self) -> f64 {
        match &self.decision {
            Decision::Retry { after } | Decision::Wait { after } | Decision::WaitAlone { after } => after.as_secs_f64(),
            _ => 0.0,
        }
    }

    /// Whether it counts as a try.
    pub fn counts(&self) -> i32 {
        i32::from(!matches!(
            self.decision,
            Decision::Wait { .. } | Decision::WaitAlone { .. } | Decision::GiveBack
        ))
    }

    /// It waited for the receiver's limits for as long as anything may.
    pub fn is_waited_out(&self) -> bool {
        self.outcome.tried.answer.is_limit() && self.decision == Decision::Exhausted
    }

    /// The receiver failed; one that asks to be left alone does not.
    pub fn is_failure(&self) -> bool {
        matches!(self.decision, Decision::Retry { .. } | Decision::Exhausted) && !self.is_waited_out()
    }

    /// The receiver acknowledged others between two failures of this property, or it is known to fail.
    pub fn is_its_propertys(&self) -> bool {
        self.is_failure() && (self.known.others_acknowledged || self.is_known_to_fail)
    }

    /// Units and removals in it.
    pub fn entries(&self) -> usize {
        usize::try_from(self.outcome.leased.entries).unwrap_or_default()
    }

    /// It is not sent again.
    pub fn is_over(&self) -> bool {
        self.state() != SyncState::Open
    }
}
