//! What is wrong with the settings, as sentences for the person who wrote them.
//!
//! Not its business: finding the problems. Whoever adds one has already left
//! out what must not be printed.

use std::fmt;

/// Everything that was found wrong, one sentence or two for each problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<String>,
}

impl SettingsError {
    /// Of one problem.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
        }
    }

    /// The error if anything was found, so that all of it is reported at once.
    ///
    /// # Errors
    /// When there are any problems.
    pub fn unless_none(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(Self { problems })
    }

    /// The problems, in the order in which the settings are read.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for SettingsError {}
