//! What the receiver has agreed with its sender: the shape of bodies, and how the sender proves itself.
//!
//! Plain data. Whether a combination makes sense is decided where it becomes a [`Shape`](super::check::Shape) and a [`Gate`](super::auth::Gate).

use super::auth::SandboxAuth;

/// How a sandbox is set up.
#[derive(Clone)]
pub struct SandboxOptions {
    /// What one body is: a property, rows, or a unit.
    pub format: Format,
    /// How many properties one body is about.
    pub batch: Batch,
    /// How a unit looks in format "property".
    pub unit_style: UnitStyle,
    /// Whether bodies have what goes beyond the guide's own examples.
    pub extensions: bool,
    /// The unit fields that are sent, by their flat names and in any order; `unit_id` always is.
    pub fields: Vec<String>,
    /// How a removed unit is sent.
    pub removed: Removed,
    /// How the sender has to prove itself.
    pub auth: SandboxAuth,
    /// Whether unknown keys and fractions of a second are passed over, as a partner's endpoint should. The judge of the relay is strict.
    pub lenient: bool,
}

/// What one body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum), value(rename_all = "snake_case"))]
pub enum Format {
    /// A property with its units (guide 4.2)
    Property,
    /// One row a unit (guide 4.3)
    Flat,
    /// One unit (guide 4.1)
    Unit,
}

/// How many properties one body is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum), value(rename_all = "snake_case"))]
pub enum Batch {
    /// One
    PerProperty,
    /// All that have news
    AllProperties,
}

/// How a unit looks in format "property".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum), value(rename_all = "snake_case"))]
pub enum UnitStyle {
    /// Every field beside the others
    Flat,
    /// Fields in the objects of the guide's 4.1
    Nested,
}

/// How a removed unit is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum), value(rename_all = "snake_case"))]
pub enum Removed {
    /// As removed, with a reason
    List,
    /// As the unit sent last, but not available
    Unavailable,
}
