//! How often a wrong token was given lately, by whom: after ten within a minute nobody there is listened to until that is over.
//!
//! Kept by this process alone. A token is long enough to need no more; this keeps the log and the processor quiet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const FAILED_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Of more clients those that failed longest ago are forgotten.
const CLIENTS_MAX: usize = 1_000;

/// Failures by client.
#[derive(Default)]
pub(super) struct Tries(Mutex<HashMap<IpAddr, Failures>>);

struct Failures {
    since: Instant,
    times: u32,
}

impl Tries {
    /// How long this client is not listened to; none: it is.
    pub fn wait(&self, client: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failures.get(&client)?;
        let over = failed.since + WINDOW;
        (failed.times >= FAILED_MAX && now < over).then(|| over - now)
    }

    /// Another wrong one.
    pub fn failed(&self, client: IpAddr, now: Instant) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= CLIENTS_MAX && !failures.contains_key(&client) {
            let oldest = failures.iter().min_by_key(|(_, failed)| failed.since);
            let oldest = oldest.map(|(client, _)| *client);
            oldest.and_then(|oldest| failures.remove(&oldest));
        }
        let failed = failures.entry(client).or_insert(Failures { since: now, times: 0 });
        if now >= failed.since + WINDOW {
            *failed = Failures { since: now, times: 0 };
        }
        failed.times += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_wrong_tokens_a_client_waits_and_nobody_else() {
        let (tries, start) = (Tries::default(), Instant::now());
        let [one, other] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        for _ in 0..FAILED_MAX {
            assert_eq!(tries.wait(one, start), None);
            tries.failed(one, start);
        }
        assert_eq!(
            tries.wait(one, start + Duration::from_secs(20)),
            Some(WINDOW - Duration::from_secs(20))
        );
        assert_eq!(tries.wait(other, start), None);
        assert_eq!(tries.wait(one, start + WINDOW), None);
        tries.failed(one, start + WINDOW);
        assert_eq!(tries.wait(one, start + WINDOW), None, "it counts anew");
    }

    #[test]
    fn however_many_addresses_fail_memory_is_bounded_and_nobody_else_waits() {
        let (tries, start) = (Tries::default(), Instant::now());
        for number in 1..=2 * CLIENTS_MAX {
            tries.failed(IpAddr::from((number as u128).to_be_bytes()), start);
        }
        assert_eq!(tries.0.lock().unwrap().len(), CLIENTS_MAX);
        assert_eq!(tries.wait(IpAddr::from([10, 0, 0, 1]), start), None);
    }
}
