//! A check that the server refuses.

use super::finding::Finding;
use crate::fault::said;

/// The server is there, and says no.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    !matches!(
        error,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed
    ) && !code(error).is_some_and(|code| code.starts_with("57P"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

pub(super) fn not_checked(check: &'static str, receiver: Option<&str>, error: &sqlx::Error) -> Finding {
    let what = format!("could not be looked at: {}", said(error));
    let finding = match code(error).as_deref() {
        Some("42501") => Finding::wrong(check, what, "see check rights; then `doctor` again"),
        Some("57014") => Finding::warning(check, what, "try again when the server has less to do"),
        _ => Finding::wrong(check, what, "see what the server says, and its log"),
    };
    match receiver {
        Some(receiver) => finding.about(receiver),
        None => finding,
    }
}
