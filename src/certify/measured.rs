//! What was measured along the way: reported as it was, and judged by nothing.

use serde::Serialize;

use super::exchange::Exchange;

/// What was measured along the way.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measured {
    /// Syncs that were posted.
    pub requests: usize,
    /// From a request's first byte to its answer's last, of those that were answered 2xx.
    pub milliseconds_p50: Option<f64>,
    /// The longest of these.
    pub milliseconds_max: Option<f64>,
    /// Requests in a row of bursts, how many at once at most, and what was acknowledged of them in a second.
    pub burst_requests: usize,
    #[allow(missing_docs)]
    pub burst_at_once: usize,
    #[allow(missing_docs)]
    pub burst_acknowledged_per_second: Option<f64>,
    /// How many were answered 429.
    pub answered_429: usize,
    /// The largest body that was acknowledged.
    pub largest_bytes: Option<usize>,
    /// The units of the largest body of that probe that was acknowledged.
    pub largest_units: Option<usize>,
}

impl Measured {
    /// With what all exchanges say.
    pub fn with(self, exchanges: &[Exchange]) -> Self {
        let posted = || exchanges.iter().filter(|exchange| exchange.tried.is_some());
        let acknowledged = || posted().filter(|exchange| exchange.is_acknowledged());
        let mut times: Vec<f64> = acknowledged().map(|exchange| exchange.milliseconds).collect();
        times.sort_by(f64::total_cmp);
        Self {
            requests: posted().count(),
            milliseconds_p50: times.get(times.len() / 2).copied(),
            milliseconds_max: times.last().copied(),
            answered_429: posted().filter(|exchange| exchange.status == Some(429)).count(),
            largest_bytes: acknowledged().map(|exchange| exchange.bytes).max(),
            ..self
        }
    }
}
