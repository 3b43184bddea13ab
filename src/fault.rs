//! Failures that a person can do something about, and the exit code each ends in.

mod database;

use std::fmt;

pub(crate) use database::{io_in_words, is_denied, is_locked_out, may_quote};

/// What kind of failure, and one clear sentence: what failed, on what, what to do.
#[derive(Debug)]
pub struct Fault {
    code: u8,
    message: String,
    /// Whoever waits may see it pass.
    passes: bool,
}

impl Fault {
    /// The command's own finding is bad: drift, something undelivered. Exit code 1.
    pub fn finding(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
            passes: false,
        }
    }

    /// Usage or configuration. Exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
            passes: false,
        }
    }

    /// The database or the receiver couldn't be reached. Exit code 3.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
            passes: false,
        }
    }

    /// The database is not there at present. Exit code 3.
    pub fn down(message: impl Into<String>) -> Self {
        Self {
            passes: true,
            ..Self::unreachable(message)
        }
    }
}

/// Whether the database is not there at present, and nothing else is wrong.
pub fn is_down(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|fault| fault.passes)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// An error and its causes in one line, nothing said twice: many libraries quote their cause and also name it as one. What the
/// database has to do with it is said in our own words. It may quote what somebody else wrote: nothing is left of that which would
/// break the line or which a terminal obeys.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        // Its words are those of the failure within it, and more.
        if is_envelope(cause) {
            continue;
        }
        let failure = cause.downcast_ref::<sqlx::Error>().map(database::explain);
        let is_last = failure.is_some();
        let words = failure.map_or_else(|| cause.to_string(), |failure| failure.sentence);
        if !text.contains(&words) {
            let colon = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{colon}{words}");
        }
        // What is beneath is the same in a library's words.
        if is_last {
            break;
        }
    }
    crate::words::in_a_line(&text)
}

/// The failure of the database within, if there is one.
pub(crate) fn database_error(error: &anyhow::Error) -> Option<&sqlx::Error> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

fn is_envelope(cause: &(dyn std::error::Error + 'static)) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    matches!(cause.downcast_ref(), Some(Execute(_) | ExecuteMigration(..)))
}

/// What the database says, without the line of its own source where it was noticed.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(refusal) => database::said_by(refusal),
        None => error.to_string(),
    }
}

/// The exit code for an error, however deep in its chain the cause lies.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(fault) = cause.downcast_ref::<Fault>() {
        return Some(fault.code);
    }
    if cause.is::<crate::config::SettingsError>() {
        return Some(2);
    }
    database::explain(cause.downcast_ref::<sqlx::Error>()?).code
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn promise_25_an_error_is_one_line_whatever_it_quotes() {
        let theirs = Fault::finding("no\r\n\tsuch \u{1b}[31mrow\u{2028}\nerror: all is well");
        let error = anyhow::Error::from(theirs).context("reading\nit");
        assert_eq!(sentence(&error), "reading it: no such [31mrow error: all is well");
    }

    #[test]
    fn a_cause_that_is_quoted_already_is_not_said_again() {
        let io = std::io::Error::other("broken pipe");
        let error = Err::<(), _>(sqlx::Error::Io(io)).context("looking").unwrap_err();
        assert_eq!(
            sentence(&error),
            "looking: the connection to the database was lost (broken pipe); look at the server and at the network between"
        );
        assert_eq!(exit_code(&error), 3);
    }
}
