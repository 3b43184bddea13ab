//! What a check found, and what to do about it.

use serde::Serialize;

use crate::words::in_a_line;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should know or do something.
    Warning,
    /// Something is not sent, or is about to be lost.
    Wrong,
}

/// One line of a diagnosis. Names keys, tables and hosts; no secret and no field's value.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// About which receiver; none: about all of it.
    pub receiver: Option<String>,
    /// How bad it is.
    pub finding: Grade,
    /// What was found.
    pub what: String,
    /// What to do; none where it is as it should be.
    pub todo: Option<String>,
}

impl Grade {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Grade::Ok, what, None)
    }

    pub(super) fn warning(check: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(check, Grade::Warning, what, Some(todo.into()))
    }

    pub(super) fn wrong(check: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(check, Grade::Wrong, what, Some(todo.into()))
    }

    fn new(check: &'static str, finding: Grade, what: impl Into<String>, todo: Option<String>) -> Self {
        // A name may hold a line break, and with it what looks like another finding.
        Self {
            check,
            receiver: None,
            finding,
            what: in_a_line(&what.into()),
            todo: todo.map(|todo| in_a_line(&todo)),
        }
    }

    pub(super) fn about(self, receiver: &str) -> Self {
        Self {
            receiver: Some(receiver.to_owned()),
            ..self
        }
    }
}

/// A length of time as people say it: no part smaller than matters.
pub(super) fn ago(seconds: f64) -> String {
    let whole = std::time::Duration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .as_secs();
    let coarse = match whole {
        0..3_600 => whole,
        3_600..86_400 => whole / 60 * 60,
        _ => whole / 3_600 * 3_600,
    };
    humantime::format_duration(std::time::Duration::from_secs(coarse)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_one_line_whatever_a_name_holds() {
        let found = Finding::wrong("slots", "transaction x\n\nok  fake", "rollback prepared 'x\r\nok'");
        assert_eq!(found.what, "transaction x ok fake");
        assert_eq!(found.todo.as_deref(), Some("rollback prepared 'x ok'"));
    }
}
