//! The states that the database has as text: an enum each, with one text form, the same in columns, logs and listings.
//!
//! Pure. What leads from one state to the next is the business of [`crate::plan`] and [`crate::deliver`].

use serde::{Serialize, Serializer};
use sqlx::Postgres;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};

/// An enum of words, read from a column as text.
macro_rules! states {
    ($($(#[$about:meta])* $name:ident { $($(#[$means:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$means])* $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As the database has it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = Unknown;

            fn from_str(text: &str) -> Result<Self, Unknown> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Unknown { what: stringify!($name), text: text.to_owned() }),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl sqlx::Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <&str as sqlx::Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <&str as sqlx::Type<Postgres>>::compatible(ty)
            }
        }

        impl<'r> sqlx::Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as sqlx::Decode<Postgres>>::decode(value)?.parse()?)
            }
        }
    )+};
}

/// A word that this release does not know: a later one wrote it.
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown {
    what: &'static str,
    text: String,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is no {} of this release: a later one wrote it",
            self.text, self.what
        )
    }
}

impl std::error::Error for Unknown {}

states! {
    /// Why a unit must go out at the next plan, whatever its content (`rentsync.ledger.owed`).
    Owed {
        /// A person approved its removal.
        Approved = "approved",
        /// The sync that it was sealed in was given up: nobody knows what the receiver has.
        InDoubt = "in_doubt",
        /// It did not fit the request.
        OverLimit = "over_limit",
        /// Its removal waits until everything living is sealed: nothing about what was sealed last is in doubt.
        Removal = "removal",
        /// A person asked for a replay.
        Replay = "replay",
        /// The whole property is sealed again as deltas.
        Resend = "retell",
        /// It was refused, and is let go once more.
        Retry = "retry",
    }

    /// Whose objection withholds a unit (`rentsync.ledger.withheld`).
    Withheld {
        /// Ours: no receiver can take this, or this receiver's settings don't let it through.
        Invalid = "invalid",
        /// The receiver's: it refuses this.
        Refused = "refused",
        /// Another feed's: the receiver still has the unit from there, and knows units by their ids alone.
        Elsewhere = "elsewhere",
        /// A person's to decide: too much of its property went.
        Held = "held",
        /// A person's to decide: too much of everything that the receiver has went.
        Guarded = "guarded",
        /// A person's, who decided that it is not to be removed until it is back.
        Rejected = "rejected",
    }

    /// How far a sync is (`rentsync.sync.state`).
    SyncState {
        /// A part of a snapshot whose earlier parts are not acknowledged yet.
        Waiting = "waiting",
        /// To be sent, or under way.
        Open = "open",
        /// Acknowledged.
        Delivered = "delivered",
        /// Given up: the receiver will never accept these bytes.
        Rejected = "rejected",
        /// Given up: tried often enough.
        Exhausted = "exhausted",
        /// Given up for a reason outside it: a pause, an erasure, another source.
        Cancelled = "cancelled",
    }

    /// What a person should know (`rentsync.alert.kind`).
    AlertKind {
        /// The receiver is not to be sent to: 401, 403, 404, 410, a redirect, a bad certificate.
        Paused = "paused",
        /// Delivery after delivery failed: the receiver is down.
        BreakerOpen = "breaker_open",
        /// It answers again.
        BreakerClosed = "breaker_closed",
        /// A sync was rejected.
        Rejected = "rejected",
        /// Units were refused.
        Refused = "refused",
        /// A sync was tried as often as the schedule allows.
        Exhausted = "exhausted",
        /// The receiver's numbering is ahead of ours.
        Stale = "stale",
        /// The receiver holds something else than it was sent.
        DigestMismatch = "digest_mismatch",
        /// The receiver asked to be left alone for longer than any retry waits.
        Waiting = "waiting",
        /// It answers, with what is no acknowledgement: a maintenance or login page.
        NotAcknowledged = "not_acknowledged",
        /// Nothing can be sent because of ourselves: a token endpoint, an egress proxy, a damaged body.
        NotSent = "not_sent",
        /// The triggers are not on the source as they have to be: changes are missed.
        NotCaptured = "not_captured",
        /// Something of a property can't be read: a text, or a source function fails on it.
        Unreadable = "unreadable",
        /// Planning fails: a source function, a right, a table.
        Plan = "plan",
        /// Relays run, and none of them gets to plan.
        Starved = "starved",
        /// The database was restored, failed over, or is another one.
        SourceIdentity = "source_identity",
        /// The receiver's URL leads elsewhere than before, where perhaps nobody has anything.
        Address = "address",
        /// Too many removals at once: a person decides.
        Hold = "hold",
        /// Units can't be sealed as they are.
        Invalid = "invalid",
        /// Several units of a property have the same code.
        Duplicate = "duplicate",
    }

    /// How an attempt ended (`rentsync.attempt.outcome`).
    AttemptOutcome {
        /// Acknowledged.
        Delivered = "delivered",
        /// The receiver has seen a later sequence.
        Stale = "stale",
        /// It will never accept these bytes.
        Rejected = "rejected",
        /// It was the last attempt.
        Exhausted = "exhausted",
        /// The same bytes are sent again.
        Retry = "retry",
        /// The receiver asked to be left alone: no attempt that counts.
        Wait = "wait",
        /// Nothing could be sent because of ourselves: no attempt that counts.
        NotSent = "not sent",
        /// Its relay gave no sign of life for too long and broke it off: whether it arrives nobody knows, no attempt that counts.
        CutOff = "cut off",
        /// Nothing more is sent to the receiver.
        Paused = "paused",
        /// A probe: the receiver is still down.
        ProbeFailed = "probe failed",
    }

    /// Where a person asked for something (`rentsync.audit.through`).
    Through {
        /// A command of the command line.
        Command = "command",
        /// The page.
        Page = "page",
        /// The API.
        Api = "api",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_as_it_is_written_and_a_later_releases_is_named() {
        macro_rules! reads_as_written {
            ($($name:ident)+) => {$(
                for state in $name::ALL {
                    assert_eq!(state.to_string().parse(), Ok(*state));
                }
            )+};
        }
        reads_as_written!(Owed Withheld SyncState AlertKind AttemptOutcome Through);
        let unknown = "borrowed".parse::<Owed>().unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "\"borrowed\" is no Owed of this release: a later one wrote it"
        );
    }
}
