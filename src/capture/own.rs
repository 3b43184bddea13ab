//! A site's own source functions: created within `install`'s transaction, and checked before anything relies on them.

use anyhow::{Context, Result};
use sqlx::{FromRow, PgConnection};

use super::source::{Generated, Source};
use crate::fault::{Fault, said};

/// A line that begins with one of these would end the transaction that the rest is part of.
const TRANSACTION_WORDS: [&str; 9] = [
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "prepare",
];

/// Runs the site's SQL, and checks that it created both functions as a plan needs them.
pub(super) async fn write(conn: &mut PgConnection, sources: &[&Source; 2], sql: &str) -> Result<()> {
    if let Some(word) = transaction_word(sql) {
        return Err(refused(&format!(
            "a line begins with {word}: the functions are created in install's own transaction"
        )));
    }
    let drop = "drop function if exists rentsync.source_property(); drop function if exists rentsync.source_unit();";
    sqlx::raw_sql(drop)
        .execute(&mut *conn)
        .await
        .context("replacing the source functions")?;
    let created = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut *conn)
        .await;
    created.map_err(|error| refused(&format!("the database says: {}", said(&error))))?;
    let mut problems = Vec::new();
    for source in sources {
        let problem = problem_of(conn, source).await?;
        problems.extend(problem.map(|problem| format!("rentsync.{}() {problem}", source.function)));
    }
    match problems.as_slice() {
        [] => Ok(()),
        problems => Err(refused(&problems.join("; "))),
    }
}

fn refused(why: &str) -> anyhow::Error {
    Fault::usage(format!(
        "the file of --source-functions can't be used: {why}; put it right and run install again; nothing was changed"
    ))
    .into()
}

fn transaction_word(sql: &str) -> Option<&'static str> {
    let first_word = |line: &str| {
        let line = line.trim_start();
        let end = line.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(line.len());
        line[..end].to_ascii_lowercase()
    };
    let is_first = |word: &&&str| sql.lines().any(|line| first_word(line) == **word);
    TRANSACTION_WORDS.iter().find(is_first).copied()
}

/// A function as the catalogs have it.
#[derive(FromRow)]
struct Created {
    body: String,
    names: Vec<String>,
    types: Vec<String>,
    obstacle: Option<String>,
}

/// What a plan could not do with it.
async fn problem_of(conn: &mut PgConnection, source: &Source) -> Result<Option<String>> {
    let created: Option<Created> = sqlx::query_as(include_str!("../../sql/doctor/source_function.sql"))
        .bind(source.function)
        .fetch_optional(conn)
        .await?;
    let Some(created) = created else {
        return Ok(Some("is not created by it".to_owned()));
    };
    // PostgreSQL would keep its body in pieces, and the columns it reads from being altered.
    if created.body.trim().is_empty() {
        return Ok(Some("has no body in quotes".to_owned()));
    }
    if Generated::is(&created.body) {
        return Ok(Some(
            "has the line that marks what install writes; leave it out".to_owned(),
        ));
    }
    if let Some(obstacle) = created.obstacle {
        return Ok(Some(format!(
            "{obstacle}, so that every look-up would read all of it; it has to be one plain query, language sql, stable"
        )));
    }
    let lacking: Vec<String> = source
        .results()
        .filter_map(|(name, allowed)| {
            let at = created.names.iter().position(|found| found == name);
            match at.and_then(|at| created.types.get(at)) {
                None => Some(format!("lacks column {name}")),
                Some(found) if !allowed.contains(&found.as_str()) => {
                    Some(format!("has {name} as {found}, not {}", allowed.join(" or ")))
                }
                Some(_) => None,
            }
        })
        .collect();
    Ok((!lacking.is_empty()).then(|| lacking.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_transaction_is_found_at_the_beginning_of_a_line() {
        assert_eq!(transaction_word("create function f();\n  COMMIT;"), Some("commit"));
        assert_eq!(transaction_word("begin atomic"), Some("begin"));
        assert_eq!(transaction_word("select ending, begins from t -- commit\n"), None);
    }
}
