//! What a failed statement means to a plan.

use crate::fault::{self, Fault};

/// PostgreSQL quotes the value that it could not read (class 22), a function of the site's says whatever it likes, and either may be
/// somebody's name.
pub(crate) fn without_values(error: anyhow::Error) -> anyhow::Error {
    match database_code(&error) {
        Some(code) if code == "22021" || code == "22P05" => Fault::finding(format!(
            "a text of the source has no equivalent in UTF-8 (SQLSTATE {code}): it holds bytes that its database's encoding \
             gives no meaning; `select * from rentsync.source_unit()` and `rentsync.source_property()` with client_encoding UTF8 show \
             which"
        ))
        .into(),
        Some(code) if may_quote(&error) => Fault::finding(format!(
            "a source function failed, or failed on a value (SQLSTATE {code}); `select * from rentsync.source_unit()` and \
             `rentsync.source_property()` show which"
        ))
        .into(),
        Some(code) if code.starts_with("42") => error.context("nothing can be planned; `doctor` says what to do"),
        _ => error,
    }
}

/// The source holds something that can't be read, or its function says so of it: that may be one row's doing.
pub(super) fn is_about_a_value(error: &anyhow::Error) -> bool {
    may_quote(error) || database_code(error).is_some_and(|code| code.starts_with("22"))
}

fn may_quote(error: &anyhow::Error) -> bool {
    let refusal = fault::database_error(error).and_then(sqlx::Error::as_database_error);
    refusal.is_some_and(fault::may_quote)
}

/// Somebody has what was to be read to themselves.
pub(crate) fn is_locked_out(error: &anyhow::Error) -> bool {
    fault::database_error(error).is_some_and(fault::is_locked_out)
}

/// Another transaction came first.
pub(crate) fn is_serialization_failure(error: &anyhow::Error) -> bool {
    database_code(error).is_some_and(|code| code == "40001")
}

/// The SQLSTATE of whatever failed.
pub(crate) fn database_code(error: &anyhow::Error) -> Option<String> {
    let refusal = fault::database_error(error)?.as_database_error()?;
    refusal.code().map(|code| code.into_owned())
}
