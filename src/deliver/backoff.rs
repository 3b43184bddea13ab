//! A relay that can't send backs off, and nobody else does: what it lacks (a secret, a descriptor, its way out) others may have.
//!
//! Kept in memory: a relay that starts anew may have been put right.

use tokio::time::Instant;

use super::decided_try::Outcome;
use crate::config::Receiver;
use crate::policy;

/// How one relay stands with one receiver.
#[derive(Default)]
pub(super) struct Backoff {
    /// Failures of our own in a row.
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// By what came of some tries. What fails together is one failure.
    pub fn learn(&mut self, outcomes: &[Outcome], receiver: &Receiver) {
        let is_ours = |outcome: &&Outcome| outcome.tried.answer.is_ours();
        if let Some(outcome) = outcomes.iter().find(is_ours) {
            if !self.is_on() {
                let after = policy::backoff_after(
                    &outcome.tried.answer,
                    self.failures,
                    &receiver.retry,
                    receiver.breaker.probe_every,
                );
                self.until = Some(Instant::now() + after);
                self.failures = self.failures.saturating_add(1);
            }
        } else if outcomes.iter().any(|outcome| outcome.tried.answer.is_sent()) {
            self.end();
        }
    }

    /// What it lacked it may have now.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Nothing is leased.
    pub fn is_on(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }

    /// How many of so many places it takes: after that one request finds out whether it is over.
    pub fn places(&self, places_max: usize) -> usize {
        match (self.is_on(), self.failures) {
            (true, _) => 0,
            (false, 0) => places_max,
            (false, _) => places_max.min(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_request_finds_out_whether_a_backoff_is_over() {
        let now = Instant::now();
        let after = |failures, until| Backoff {
            failures,
            until: Some(until),
        };
        assert_eq!(Backoff::default().places(8), 8);
        assert_eq!(after(1, now + Duration::from_secs(600)).places(8), 0);
        assert_eq!(after(1, now).places(8), 1);
    }
}
