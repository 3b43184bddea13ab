//! What is said where no connection comes about, and whether that may pass.

use sqlx::postgres::PgConnectOptions;

use super::hosts::{Answer, Hosts, at, why_unreachable};
use crate::fault::Fault;

/// Of several hosts none takes writes.
pub(super) fn none_writable(hosts: &Hosts, answers: &[Answer]) -> Fault {
    let said = hosts
        .all
        .iter()
        .zip(answers)
        .map(|(host, answer)| format!("{}: {}", at(host), answer.said()));
    let (database, user) = named_in(&hosts.all[0]);
    let message = match answers.iter().all(|answer| matches!(answer, Answer::Standby)) {
        true => format!(
            "the database {database} takes writes at none of its hosts, all are standbys ({}): promote one, or name the primary as well",
            hosts.named()
        ),
        false => format!(
            "the database {database} could be reached as {user} at no host that takes writes ({}); check DATABASE_URL or database.url",
            said.collect::<Vec<_>>().join("; ")
        ),
    };
    let passes = answers.iter().all(|answer| match answer {
        Answer::Unreachable(error) => is_down(error),
        Answer::Standby | Answer::Writable(_) => true,
    });
    match passes {
        true => Fault::down(message),
        false => Fault::unreachable(message),
    }
}
/// Database and user.
fn named_in(host: &PgConnectOptions) -> (&str, &str) {
    (host.get_database().unwrap_or("(default)"), host.get_username())
}

pub(super) fn unreachable(host: &PgConnectOptions, error: &sqlx::Error) -> Fault {
    let (database, user) = named_in(host);
    let todo = match error {
        sqlx::Error::Tls(_) | sqlx::Error::Io(_) if !is_down(error) => {
            "check its certificate, sslrootcert in the URL, and database.tls"
        }
        _ => "check DATABASE_URL or database.url",
    };
    let message = format!(
        "the database {database} at {} could not be reached as {user}: {}; {todo}",
        at(host),
        why_unreachable(error)
    );
    if is_down(error) {
        Fault::down(message)
    } else {
        Fault::unreachable(message)
    }
}

/// The server is not there, or not yet: not that it refuses us.
fn is_down(error: &sqlx::Error) -> bool {
    match error {
        // A certificate that one of the two does not take stays as it is.
        sqlx::Error::Io(error) => !error.get_ref().is_some_and(|error| error.is::<rustls::Error>()),
        sqlx::Error::PoolTimedOut => true,
        // Starting, stopping, full.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("57P0") || code.starts_with("53")),
        _ => false,
    }
}
