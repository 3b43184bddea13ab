//! Why nothing was sent: our own failure, which is no attempt.

use std::error::Error;
use std::fmt;

use crate::config::SettingsError;

/// Why nothing was sent. Names keys, hosts and statuses, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// A secret can't be read, or is of no use as what it is for.
    Secret(String),
    /// The token endpoint doesn't give a token to these credentials: asking again soon is of no use.
    TokenRefused(String),
    /// The token endpoint can't be reached, or fails: asking again may help.
    NoToken(String),
}

impl Unsent {
    /// Nothing will be sent until a person has changed something.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Secret(_) | Self::TokenRefused(_) => true,
            Self::NoToken(_) => false,
        }
    }
}

impl From<SettingsError> for Unsent {
    fn from(error: SettingsError) -> Self {
        Self::Secret(error.to_string())
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(why) | Self::TokenRefused(why) | Self::NoToken(why) => f.write_str(why),
        }
    }
}

impl Error for Unsent {}
