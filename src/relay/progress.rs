//! Whether the loops get anywhere, for whoever asks from outside. Nothing in the relay goes by it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::deliver::Settled;
use crate::heartbeat::{DEAD_AFTER, Registration};

/// A planner that came to no end for so long is stuck, or fails again and again. Far above a long batch, or a database
/// that restarts.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// The stages of all receivers.
pub struct Progress {
    receivers: BTreeMap<String, Arc<Stages>>,
    /// Since it has a row in the database.
    relay: OnceLock<Arc<Registration>>,
}

/// The stages of one receiver.
pub struct Stages {
    began: Instant,
    /// Milliseconds after `began`; never: `u64::MAX`.
    planned: AtomicU64,
    delivering_fails: AtomicBool,
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl Progress {
    /// Nothing was done yet.
    pub fn new<'a>(receivers: impl IntoIterator<Item = &'a String>) -> Self {
        let stages = |name: &String| (name.clone(), Arc::new(Stages::new()));
        Self {
            receivers: receivers.into_iter().map(stages).collect(),
            relay: OnceLock::new(),
        }
    }

    /// The relay has a row in the database from now on.
    pub fn registered(&self, relay: Arc<Registration>) {
        self.relay.set(relay).ok();
    }

    /// Of one receiver; those of a receiver that nobody knows are shown to nobody.
    pub fn of(&self, receiver: &str) -> Arc<Stages> {
        let known = self.receivers.get(receiver).cloned();
        known.unwrap_or_else(|| Arc::new(Stages::new()))
    }

    /// All of them by the receiver's name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Stages)> {
        self.receivers.iter().map(|(name, stages)| (name.as_str(), &**stages))
    }

    /// What gets nowhere, a sentence each; nothing where all is well.
    pub fn lacking(&self) -> Vec<String> {
        let lacking = |(name, stages): (&str, &Stages)| Some(format!("receiver {name}: {}", stages.lacking()?));
        let beaten_ago = self.relay.get().map(|relay| relay.beaten_ago());
        let heart = beaten_ago.filter(|ago| *ago > DEAD_AFTER).map(|ago| {
            format!(
                "the database has not accepted this relay's heartbeat for {} s: another relay may have taken over what it leased",
                ago.as_secs()
            )
        });
        heart.into_iter().chain(self.all().filter_map(lacking)).collect()
    }
}

impl Stages {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            planned: AtomicU64::new(u64::MAX),
            delivering_fails: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// The planner looked, and planned what it found.
    pub fn planned(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.planned.store(millis, Ordering::Relaxed);
    }

    /// Leasing, sending and settling work, or fail for reasons of our own.
    pub fn delivering(&self, works: bool) {
        self.delivering_fails.store(!works, Ordering::Relaxed);
    }

    /// Answers were written down.
    pub fn settled(&self, settled: &Settled) {
        let count = |tries: usize| u64::try_from(tries).unwrap_or_default();
        self.delivered.fetch_add(count(settled.delivered), Ordering::Relaxed);
        self.failed.fetch_add(count(settled.failed), Ordering::Relaxed);
    }

    /// Since the planner last came to an end; none where it never did.
    pub fn planned_ago(&self) -> Option<Duration> {
        let planned = self.planned.load(Ordering::Relaxed);
        (planned != u64::MAX).then(|| self.began.elapsed().saturating_sub(Duration::from_millis(planned)))
    }

    /// Syncs of this process that the receiver acknowledged.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Tries of this process that ended in anything else.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn lacking(&self) -> Option<String> {
        match self.planned_ago() {
            None => Some("nothing was planned yet".to_owned()),
            Some(ago) if ago > STUCK_AFTER => Some(format!("nothing was planned for {} s", ago.as_secs())),
            Some(_) if self.delivering_fails.load(Ordering::Relaxed) => Some("delivering fails".to_owned()),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_gets_nowhere_is_named() {
        let names = ["main".to_owned(), "other".to_owned()];
        let mut progress = Progress::new(&names);
        assert_eq!(progress.lacking().len(), 2);
        progress.of("other").planned();
        assert_eq!(progress.lacking(), ["receiver main: nothing was planned yet"]);
        progress.of("main").planned();
        assert_eq!(progress.lacking(), [] as [String; 0]);
        progress.of("main").delivering(false);
        assert_eq!(progress.lacking(), ["receiver main: delivering fails"]);
        progress.of("main").delivering(true);
        assert_eq!(progress.lacking(), [] as [String; 0]);
        let long_ago = Instant::now() - STUCK_AFTER - Duration::from_secs(1);
        let stages = Stages {
            began: long_ago,
            planned: AtomicU64::new(0),
            ..Stages::new()
        };
        progress.receivers.insert("main".to_owned(), Arc::new(stages));
        assert_eq!(progress.lacking(), ["receiver main: nothing was planned for 31 s"]);
    }
}
