//! The one place that turns what sqlx and the server say into a sentence: what failed, on what, what to do.
//!
//! Pure. Every command and every log line of the relay goes through it, by way of [`super::sentence`].

use std::io;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// `lock_not_available`.
const LOCKED_OUT: &str = "55P03";
/// `insufficient_privilege`.
const DENIED: &str = "42501";

/// What a failure of the database comes to.
pub(super) struct Explained {
    /// Without a full stop; whoever says it puts it into context.
    pub sentence: String,
    /// The exit code, where the failure decides it.
    pub code: Option<u8>,
}

impl Explained {
    fn setup(sentence: impl Into<String>) -> Self {
        Self::of(Some(2), sentence)
    }

    fn unreachable(sentence: impl Into<String>) -> Self {
        Self::of(Some(3), sentence)
    }

    fn of(code: Option<u8>, sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            code,
        }
    }
}

/// Any error of sqlx.
pub(super) fn explain(error: &sqlx::Error) -> Explained {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            match is_from_function(&**refusal) {
                true => explain_refusal(&code, &withheld(&code)),
                false => explain_refusal(&code, refusal.message()),
            }
        }
        sqlx::Error::Io(error) => Explained::unreachable(format!(
            "the connection to the database was lost ({}); look at the server and at the network between",
            io_in_words(error)
        )),
        sqlx::Error::Tls(error) => {
            Explained::unreachable(format!("no encrypted connection to the database came about: {error}"))
        }
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Explained::unreachable(
            "no connection to the database was free in time: it is slow or down, or database.max_connections is too low",
        ),
        sqlx::Error::ColumnDecode { index, source } if source.is::<sqlx::error::UnexpectedNullError>() => {
            Explained::of(
                None,
                format!(
                    "the database gave null as {index} of a row where the relay needs a value; `rentsync-relay doctor` looks at \
                 the schema and the source functions"
                ),
            )
        }
        other => Explained::of(None, other.to_string()),
    }
}

/// Somebody else held a lock for longer than this was to wait for it.
pub(crate) fn is_locked_out(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error();
    refusal.is_some_and(|refusal| refusal.code().as_deref() == Some(LOCKED_OUT))
}

/// A right is lacking.
pub(crate) fn is_denied(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error();
    refusal.is_some_and(|refusal| refusal.code().as_deref() == Some(DENIED))
}

/// What the server refused, by its SQLSTATE (PostgreSQL's appendix A).
fn explain_refusal(sqlstate: &str, message: &str) -> Explained {
    match sqlstate {
        "25006" => Explained::setup(
            "the database takes no writes: it is a standby, or `default_transaction_read_only` is on for it or this role; \
             point DATABASE_URL (database.url) at the primary, or have that setting turned off",
        ),
        "55000" if message.contains("recovery is in progress") => {
            Explained::setup("the server is a standby; point DATABASE_URL (database.url) at the primary")
        }
        DENIED => Explained::setup(lacking_right(message)),
        "3F000" | "42P01" | "42883" | "42703" if message.contains("rentsync") => Explained::setup(format!(
            "schema rentsync lacks what this release needs ({message}): it was never installed here, was purged, or is \
             another release's; run `rentsync-relay install` as the owner of the source tables"
        )),
        "3F000" | "42P01" | "42883" | "42703" => Explained::setup(format!(
            "the source is not as it was at installation ({message}); put it or [source] right, then run `rentsync-relay \
             install` again; `rentsync-relay doctor` shows what is read"
        )),
        "53300" => Explained::unreachable(format!(
            "the database has no connection left for this role ({message}); lower database.max_connections, or raise \
             max_connections of the server"
        )),
        "53100" => Explained::unreachable(format!(
            "the disk of the database server is full ({message}); make room"
        )),
        LOCKED_OUT => Explained::of(
            None,
            format!(
                "somebody else has locked what it needs ({message}); try again when they are done (pg_stat_activity shows who)"
            ),
        ),
        "57P01" | "57P02" | "57P05" => Explained::unreachable(format!(
            "the database ended the connection ({message}): it is stopped or restarted, or somebody ended this session"
        )),
        "57P03" => Explained::unreachable(format!(
            "the database takes no connections yet ({message}); wait for it"
        )),
        state if state.starts_with("08") => Explained::unreachable(format!(
            "the connection to the database was lost ({message}); look at the server and at the network between"
        )),
        _ => Explained::of(None, format!("the database says: {}", words_of(sqlstate, message))),
    }
}

/// SQLSTATE classes whose messages are PostgreSQL's own and name objects, roles and settings, never a value.
const WORDED: [&str; 23] = [
    "03", "08", "09", "0A", "0B", "21", "24", "25", "26", "28", "2B", "2D", "34", "3B", "3D", "3F", "40", "42", "53",
    "54", "55", "57", "58",
];

/// Its message may quote a value of the source, which may be somebody's name.
pub(crate) fn may_quote(refusal: &dyn DatabaseError) -> bool {
    is_from_function(refusal) || !is_worded(&refusal.code().unwrap_or_default())
}

/// The server's message where that can't quote the source.
pub(super) fn said_by(refusal: &dyn DatabaseError) -> String {
    let code = refusal.code().unwrap_or_default();
    match is_from_function(refusal) {
        true => withheld(&code),
        false => words_of(&code, refusal.message()),
    }
}

/// A function of a site's may say what it likes under any code. Its context says where a message came from; in one of ours, and in
/// plain SQL, it is PostgreSQL's own or ours.
fn is_from_function(refusal: &dyn DatabaseError) -> bool {
    let context = refusal
        .try_downcast_ref::<PgDatabaseError>()
        .and_then(PgDatabaseError::r#where);
    names_a_function(context.unwrap_or_default())
}

/// A context names what ran, innermost first, a line each. A statement stands above the function that ran it: one of ours may say
/// `execute function`. Of a server that says all this in another language than English nothing counts as ours.
fn names_a_function(context: &str) -> bool {
    let lines: Vec<&str> = context.lines().collect();
    let names_one = |(at, line): (usize, &&str)| {
        let is_statement = STATEMENTS.iter().any(|begin| line.starts_with(begin));
        let may_name = match is_statement {
            true => line.contains("function ") && !lines.get(at + 1).is_some_and(|by| is_own_procedure(by)),
            false => ["function ", "PL/", "SQL"].iter().any(|word| line.contains(word)),
        };
        may_name && !is_own_procedure(line) && !line.starts_with("SQL function \"source_")
    };
    lines.iter().enumerate().any(names_one)
}

/// How a line begins that quotes what a function ran.
const STATEMENTS: [&str; 3] = ["SQL statement \"", "SQL expression \"", "PL/pgSQL assignment \""];

fn is_own_procedure(line: &str) -> bool {
    let name = line.strip_prefix("PL/pgSQL function rentsync.");
    name.is_some_and(|name| !name.starts_with("source_"))
}

fn is_worded(sqlstate: &str) -> bool {
    WORDED.iter().any(|class| sqlstate.starts_with(class))
}

/// Our own functions begin theirs with the schema's name.
fn words_of(sqlstate: &str, message: &str) -> String {
    match is_worded(sqlstate) || message.starts_with("rentsync: ") {
        true => message.to_owned(),
        false => withheld(sqlstate),
    }
}

fn withheld(sqlstate: &str) -> String {
    format!(
        "SQLSTATE {sqlstate}, from a function of the source or on a value of it; its words may quote that value and stand in \
         the server's log alone"
    )
}

/// What this role may not do, and who gives it the right with which statement.
fn lacking_right(message: &str) -> String {
    if message.contains("row-level security") {
        return format!(
            "policies would hide rows of the source from this role ({message}); as a superuser: alter role … bypassrls; \
             `rentsync-relay doctor` prints the statement"
        );
    }
    if message.starts_with("must be owner") || message.starts_with("permission denied for database") {
        return format!(
            "this role may not do that ({message}); run the command as the owner of the source tables, with `create` on the \
             database"
        );
    }
    let grant = match message
        .strip_prefix("permission denied for ")
        .and_then(|on| on.split_once(' '))
    {
        Some(("schema", name)) => format!("`grant usage on schema {name} to …`"),
        Some(("function", name)) => format!("`grant execute on function {name}() to …`"),
        Some(("sequence", name)) => format!("`grant usage on sequence {name} to …`"),
        Some((kind @ ("table" | "view"), name)) => format!("`grant …` on {kind} {name}"),
        _ => "the grant".to_owned(),
    };
    format!(
        "this role lacks a right ({message}): the owner of the source tables gives the relay's role all of them with \
         `rentsync-relay install --grant-to ROLE`, and a role that only reads this one with {grant}; `rentsync-relay doctor` lists \
         what is missing"
    )
}

/// An I/O error without its number.
pub(crate) fn io_in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
        io::ErrorKind::NotFound => "no such socket: no server runs there".to_owned(),
        io::ErrorKind::UnexpectedEof => "the other side closed it".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "the other side broke it off".to_owned()
        }
        io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no way to that host".to_owned(),
        _ => without_number(&error.to_string()),
    }
}

/// "Too many open files (os error 24)" says the same without the brackets.
fn without_number(text: &str) -> String {
    let words = text.split(" (os error ").next().unwrap_or(text);
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_and_what_to_do_with_the_right_exit_code() {
        let table = [
            (
                "25006",
                "cannot execute INSERT in a read-only transaction",
                2,
                ["takes no writes", "primary"],
            ),
            ("55000", "recovery is in progress", 2, ["standby", "primary"]),
            (
                "42501",
                "permission denied for schema rentsync",
                2,
                ["lacks a right", "grant usage on schema rentsync"],
            ),
            (
                "42501",
                "permission denied for table sync",
                2,
                ["on table sync", "doctor"],
            ),
            (
                "42501",
                "permission denied for function source_unit",
                2,
                ["execute on function source_unit()", "doctor"],
            ),
            (
                "42501",
                "permission denied for database aigent",
                2,
                ["owner of the source tables", "database aigent"],
            ),
            (
                "42501",
                "query would be affected by row-level security policy for table \"projects\"",
                2,
                ["bypassrls", "doctor"],
            ),
            (
                "42P01",
                "relation \"rentsync.feed\" does not exist",
                2,
                ["purged", "rentsync-relay install"],
            ),
            (
                "3F000",
                "schema \"rentsync\" does not exist",
                2,
                ["purged", "rentsync-relay install"],
            ),
            (
                "42703",
                "column \"price\" does not exist",
                2,
                ["column \"price\"", "install"],
            ),
            (
                "53300",
                "too many connections for role \"relay\"",
                3,
                ["no connection left", "max_connections"],
            ),
            ("53100", "could not extend file", 3, ["disk", "make room"]),
            (
                "57P01",
                "terminating connection due to administrator command",
                3,
                ["ended the connection", "restarted"],
            ),
            (
                "57P01",
                "terminating connection due to immediate shutdown command",
                3,
                ["the database ended", "restarted"],
            ),
            (
                "57P03",
                "the database system is starting up",
                3,
                ["takes no connections yet", "wait"],
            ),
            ("08006", "connection failure", 3, ["was lost", "network"]),
        ];
        for (sqlstate, message, code, parts) in table {
            let explained = explain_refusal(sqlstate, message);
            assert_eq!(explained.code, Some(code), "{message}");
            for part in parts {
                assert!(explained.sentence.contains(part), "{part:?} in: {}", explained.sentence);
            }
        }
        let own = explain_refusal("P0001", "rentsync: the triggers are on that already").sentence;
        assert_eq!(own, "the database says: rentsync: the triggers are on that already");
    }

    #[test]
    fn promise_05_what_may_quote_a_value_of_the_source_is_not_repeated() {
        for sqlstate in ["22P02", "23505", "P0001", "38000", "39000", "XX000", "99999", ""] {
            let explained = explain_refusal(sqlstate, "no such lead: Ada Byron");
            assert!(!explained.sentence.contains("Ada"), "{}", explained.sentence);
            assert!(explained.sentence.contains(sqlstate), "{}", explained.sentence);
        }
        assert_eq!(
            explain_refusal("42601", "syntax error").sentence,
            "the database says: syntax error"
        );
    }

    #[test]
    fn promise_05_a_message_is_ours_only_where_nothing_but_ours_ran() {
        let attach_one = "PL/pgSQL function rentsync.attach_one(text,regclass,boolean) line 11 at EXECUTE";
        let create = "SQL statement \"create or replace trigger t after insert on u for each statement execute function rentsync.f()\"";
        let ours = [
            String::new(),
            format!(
                "{create}\n{attach_one}\nSQL statement \"select\n  more\"\nPL/pgSQL function rentsync.attach() line 2 at PERFORM"
            ),
            "while updating tuple (0,1) in relation \"feed\"\nSQL statement \"SELECT 1 FROM ONLY x\"".to_owned(),
            "SQL function \"source_unit\" statement 1".to_owned(),
        ];
        for context in ours {
            assert!(!names_a_function(&context), "{context}");
        }
        let others = [
            format!("PL/pgSQL function public.lead() line 3 at RAISE\n{create}\n{attach_one}"),
            format!("{create}\nPL/pgSQL function public.lead() line 3 at EXECUTE\n{attach_one}"),
            format!("{create}\nPL/pgSQL function rentsync.source_unit() line 3 at EXECUTE"),
            "PL/Python function \"lead\"".to_owned(),
            "PL/pgSQL-Funktion lead(text) Zeile 3 bei RAISE".to_owned(),
            "fonction SQL « lead », instruction 1".to_owned(),
            "PL/pgSQL関数lead()の3行目 - RAISE".to_owned(),
        ];
        for context in others {
            assert!(names_a_function(&context), "{context}");
        }
    }

    #[test]
    fn a_connection_that_fails_is_said_without_numbers_and_library_words() {
        let errors = [
            sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into()),
            sqlx::Error::Io(io::ErrorKind::UnexpectedEof.into()),
            sqlx::Error::Io(io::Error::from_raw_os_error(24)),
            sqlx::Error::PoolTimedOut,
        ];
        for error in errors {
            let explained = explain(&error);
            assert_eq!(explained.code, Some(3));
            for strange in ["os error", "pool timed out", "communicating"] {
                assert!(!explained.sentence.contains(strange), "{}", explained.sentence);
            }
        }
    }

    #[test]
    fn a_null_is_no_advice_to_use_an_option() {
        let error = sqlx::Error::ColumnDecode {
            index: "1".to_owned(),
            source: Box::new(sqlx::error::UnexpectedNullError),
        };
        let sentence = explain(&error).sentence;
        assert!(
            sentence.contains("gave null") && !sentence.contains("Option"),
            "{sentence}"
        );
    }
}
