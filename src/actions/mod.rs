//! Actions: what a person has the relay change, from wherever it is asked.
//!
//! Command line, page and API call these and nothing beneath them, so none of them can do more, or leave less behind, than another.
//! Each is one transaction: what the stage does, in a savepoint of it, and its row in the audit, which also says
//! where all was so already. What fails leaves none. What is wrong with what was asked is a [`Fault`](crate::fault::Fault) in one sentence. Not its business: what an action does, see the stages; who may
//! ask, see whoever asks; what is printed or shown of it.
//!
//! | of | actions |
//! | --- | --- |
//! | what waits for a person | `holds`, `refused`, `alerts` |
//! | what is sent at all | `feeds`, `receivers` |
//! | what is sent again | `again`: snapshot, replay, redeliver |
//! | personal data | `leads`: erase, show |

pub mod again;
pub mod alerts;
pub mod feeds;
pub mod holds;
pub mod leads;
pub mod receivers;
pub mod refused;

use crate::fault::Fault;

/// A name that was never run is a typing error.
pub(crate) fn unknown_receiver(name: &str) -> anyhow::Error {
    Fault::usage(format!(
        "no receiver {name} has been run against this database; see `receivers list`"
    ))
    .into()
}
