//! Plan: compare the source with the ledger, seal what differs as syncs.
//!
//! One batch is one REPEATABLE READ transaction over many feeds of one receiver, by the right to plan for it, which is taken
//! before the server's snapshot and locked until the commit (`right.rs`). It guarantees: a feed's cursor moves to the transaction's snapshot only together
//! with the sealed sync, the ledger rows and the `owed` marks that account for every touched unit; a feed has at most
//! one open sync; what doesn't fit a request is marked owed, not forgotten. Nothing is sent here.
//!
//! Correctness does not depend on anybody pointing the planner to what changed: notices name properties for speed, the
//! sweep asks every feed by its own cursor.
//!
//! | in this order | its business |
//! | --- | --- |
//! | `planner`, `pending`, `sealed_ahead`, `tidy` | when to plan what, and how much: notices, the sweep, upkeep between two batches |
//! | `batch`, `right` | one batch, one transaction, by the right to plan |
//! | `choose`, `chosen` | which feeds, and what is known of them |
//! | `compare`, `sides` | both sides, unit by unit |
//! | `aside` | which of them can't be read |
//! | `feed_delta`: `upsert`, `leaving`, `room`, `observed`, `unsettled` | what one feed's next sync says |
//! | `guard`, `ahead` | whether removals wait for a person |
//! | `seal`: `request`, `columns` | from deltas to rows |
//! | `findings`: `drift`, `duplicate`, `invalid` | what a batch found beside what it seals |
//! | `register` | what the database knows of a receiver's settings |
//! | `by_hand` | what a command changes of feeds, between two plans |
//! | `forecast`, `rehearse` | what the next plans would seal, for a preview; writes nothing |
//! | `scope`, `failure` | what all of these share: who is planned for, and which failures are tried again |

mod ahead;
mod aside;
mod batch;
mod by_hand;
mod choose;
mod chosen;
mod columns;
mod compare;
mod drift;
mod duplicate;
mod failure;
mod feed_delta;
mod findings;
mod forecast;
mod guard;
mod invalid;
mod leaving;
mod observed;
mod pending;
mod planner;
mod register;
mod rehearse;
mod request;
mod right;
mod room;
mod scope;
mod seal;
mod sealed_ahead;
mod sides;
mod tidy;
mod unsettled;
mod upsert;

pub use batch::plan_batch;
pub use by_hand::{FeedChange, Released, has_another_name, resume_feeds, retry_refused, set_feed};
pub use choose::enroll;
pub(crate) use choose::{every_feed, forecast_feeds};
pub(crate) use chosen::ChosenFeed;
pub(crate) use compare::{compare, compare_sides};
pub(crate) use drift::{Differing, differing};
pub(crate) use failure::{is_serialization_failure, without_values};
pub(crate) use feed_delta::FeedDelta;
pub(crate) use forecast::forecast_batches;
pub(crate) use guard::Grown;
pub use planner::{Look, Planner, Step, current_snapshot};
pub use register::{know_receiver, register};
pub(crate) use rehearse::{Rehearsal, Rehearsed};
pub use right::{Turn, turn};
pub(crate) use right::{mark, notice, read_briefly, try_mark};
pub use scope::{Batch, PlanTarget, Planned, Scope};
pub(crate) use scope::{FEEDS_PER_BATCH_MAX, Mode};
pub(crate) use sides::UnitSides;
pub(crate) use upsert::News;
