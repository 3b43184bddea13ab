//! Every statement fits the schema: a column that was renamed, a table that is gone, is found without running what uses it.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::support::TestDatabase;

/// Asked only where Citus is installed, whose catalog it reads.
const OF_AN_EXTENSION: &str = "database/distributed.sql";

#[tokio::test]
async fn every_statement_is_one_that_the_schema_has_an_answer_for() {
    let database = TestDatabase::installed().await;
    let mut conn = database.database.connect().await.expect("connect");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let mut wrong = Vec::new();
    for path in files(&root) {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name == OF_AN_EXTENSION {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = conn.prepare(AssertSqlSafe(text).into_sql_str()).await {
            wrong.push(format!("sql/{name}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    files.sort();
    files
}
