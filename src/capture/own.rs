//! A site's own source functions: created within `install`'s transaction, and checked before anything relies on them.

use anyhow::{Context, Result};
use sqlx::{FromRow, PgConnection};

use super::columns::Source;
use super::generated::Generated;
use super::owner;
use super::statement::{self, Statement, Unclosed};
use crate::fault::{Fault, said};

/// A statement that begins with one of these would end the transaction that the rest is part of, or wait for what nobody sends.
const NOT_ALLOWED: [&str; 10] = [
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "prepare",
    "copy",
];

/// A statement that begins with one of these would have what comes after the file run by another path or as another role.
const OUTLIVES: [&str; 3] = ["set", "reset", "discard"];

/// Runs the site's SQL, and checks that it created both functions as a plan needs them.
pub(super) async fn write(conn: &mut PgConnection, sources: &[&Source; 2], sql: &str) -> Result<()> {
    let statements = statement::split(sql).map_err(|open| refused(&open_end(&open)))?;
    if let Some(objection) = statements.iter().find_map(objection) {
        return Err(refused(&objection));
    }
    sqlx::query(include_str!("../../sql/capture/drop_source_functions.sql"))
        .execute(&mut *conn)
        .await
        .context("replacing the source functions")?;
    let role: String = sqlx::query_scalar(include_str!("../../sql/capture/current_role.sql"))
        .fetch_one(&mut *conn)
        .await?;
    run(conn, &statements).await?;
    forget_settings(conn, &role).await?;
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

fn open_end(open: &Unclosed) -> String {
    format!("line {}: {} that begins there has no end", open.line, open.what)
}

fn objection(statement: &Statement<'_>) -> Option<String> {
    let line = statement.line;
    if statement.text.starts_with('\\') {
        return Some(format!("line {line} is a command of psql's: write it as SQL"));
    }
    if let Some(word) = OUTLIVES.iter().find(|word| **word == statement.first_word) {
        return Some(format!(
            "the statement in line {line} is {word}, which the relay's own connections do not keep: name tables with their schema"
        ));
    }
    let word = NOT_ALLOWED.iter().find(|word| **word == statement.first_word)?;
    Some(format!(
        "the statement in line {line} is {word}: the functions are created in install's own transaction, by statements that \
         create them"
    ))
}

/// One by one, each as what can't be more than one statement: nothing that was mistaken for a part of another is run.
async fn run(conn: &mut PgConnection, statements: &[Statement<'_>]) -> Result<()> {
    let transaction = transaction(conn).await?;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement.text.to_owned()))
            .persistent(false)
            .execute(&mut *conn)
            .await
            .map_err(|error| refused(&format!("line {}: the database says: {}", statement.line, said(&error))))?;
    }
    if self::transaction(conn).await? != transaction {
        return Err(Fault::usage(
            "the file of --source-functions ended install's transaction, and what came before may stand: put it right and run \
             install again",
        )
        .into());
    }
    Ok(())
}

/// Functions set what statements set, and a path that stayed would have a stranger's names run as the owner. What comes after
/// the file has the path, the role and the bounds that came before it.
async fn forget_settings(conn: &mut PgConnection, role: &str) -> Result<()> {
    for statement in [
        include_str!("../../sql/connection/own_session.sql"),
        include_str!("../../sql/connection/own_role.sql"),
        include_str!("../../sql/connection/fence.sql"),
        include_str!("../../sql/capture/bound_install.sql"),
    ] {
        sqlx::query(statement).execute(&mut *conn).await?;
    }
    owner::act_as(conn, role).await
}

/// Which transaction this is.
async fn transaction(conn: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar(include_str!("../../sql/capture/transaction.sql"))
        .fetch_one(conn)
        .await?)
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
    fn what_would_end_the_transaction_is_found_wherever_it_stands() {
        let found = |sql: &str| statement::split(sql).expect("closed").iter().find_map(objection);
        let objection = found("create function f() as 'x';  COMMIT;").expect("an objection");
        assert!(
            objection.starts_with("the statement in line 1 is commit: "),
            "{objection}"
        );
        assert!(
            found("select 1;\n\\i x")
                .expect("an objection")
                .starts_with("line 2 is a command of psql")
        );
        for fine in [
            "select case\nwhen true then 1\nend",
            "select ending, begins from t -- commit\n",
            "select '\ncommit;'",
        ] {
            assert_eq!(found(fine), None, "{fine}");
        }
    }
}
