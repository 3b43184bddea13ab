//! From where on something is worth a word.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// From where on something is worth a word.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A transaction that is open for longer.
    pub transaction: Duration,
    /// One that has been prepared for longer.
    pub prepared: Duration,
    /// Clocks that are further apart.
    pub clock_warning: Duration,
    /// Clocks that are so far apart that something fails.
    pub clock_wrong: Duration,
    /// A change that was not delivered for longer.
    pub undelivered: Duration,
    /// More WAL, kept for nobody.
    pub slot_bytes: u64,
    /// More dead rows in a table.
    pub dead_rows: u64,
    /// More disk used.
    pub schema_bytes: u64,
    /// How long a receiver or a token endpoint has to answer.
    pub answer: Duration,
    /// How long a statement may take.
    pub statement: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transaction: 15 * MINUTE,
            prepared: 5 * MINUTE,
            clock_warning: Duration::from_secs(2),
            clock_wrong: MINUTE,
            undelivered: 60 * MINUTE,
            slot_bytes: 1 << 30,
            dead_rows: 100_000,
            schema_bytes: 20 << 30,
            answer: Duration::from_secs(10),
            statement: MINUTE,
        }
    }
}
