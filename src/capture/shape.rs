//! What this release makes of schema rentsync, against what stands there: whoever owned the schema before may have left something in
//! it that runs as whoever owns it now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

/// As `sql/capture/shape.sql` finds it in a database where this release was installed and nothing was changed; a line each.
const MADE: &str = include_str!("../../migrations/shape.txt");

/// A number that nothing needs any more; it goes when no writer is in the way.
const LEFT_OVER: [&str; 2] = ["column outbox.id: bigint not null", "relation outbox_id_seq: S"];

/// One thing in the schema.
#[derive(FromRow)]
struct Part {
    kind: String,
    name: String,
    detail: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.detail)
    }
}

/// Something that is not as this release makes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What kind of thing it is, and its name in schema rentsync.
    pub what: String,
    how: &'static str,
}

const MISSING: &str = "is missing";
const CHANGED: &str = "differs from this release's";
const ADDED: &str = "is none of the relay's";

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.how)
    }
}

impl Difference {
    pub fn is_function(&self) -> bool {
        self.what.starts_with("function ")
    }

    /// `install` writes it anew.
    pub fn is_mended_by_install(&self) -> bool {
        self.is_function() && self.how != ADDED
    }
}

/// What stands in the schema, a line each; the index of a DBA's own that computes nothing is nobody's business.
pub async fn standing(conn: &mut PgConnection) -> Result<Vec<String>> {
    let parts: Vec<Part> = sqlx::query_as(include_str!("../../sql/capture/shape.sql"))
        .fetch_all(conn)
        .await?;
    Ok(parts.iter().map(Part::to_string).collect())
}

/// In what the schema differs from what this release makes.
pub(crate) async fn differences(conn: &mut PgConnection) -> Result<Vec<Difference>> {
    Ok(between(MADE.lines(), standing(conn).await?.iter().map(String::as_str)))
}

fn between<'a>(made: impl Iterator<Item = &'a str>, standing: impl Iterator<Item = &'a str>) -> Vec<Difference> {
    let named = |line: &'a str| line.split_once(": ").unwrap_or((line, ""));
    let made: BTreeMap<&str, &str> = made.map(named).collect();
    let standing: BTreeMap<&str, &str> = standing.filter(|line| !LEFT_OVER.contains(line)).map(named).collect();
    let all: BTreeSet<&str> = made.keys().chain(standing.keys()).copied().collect();
    let how = |what: &str| match (made.get(what), standing.get(what)) {
        (Some(_), None) => Some(MISSING),
        (None, Some(detail)) if what.starts_with("index ") && is_plain(detail) => None,
        (None, Some(_)) => Some(ADDED),
        (made, standing) => (made != standing).then_some(CHANGED),
    };
    let difference = |what: &str| {
        how(what).map(|how| Difference {
            what: what.to_owned(),
            how,
        })
    };
    all.into_iter().filter_map(difference).collect()
}

/// Columns and nothing computed: an expression runs in every write.
fn is_plain(index: &str) -> bool {
    index.matches('(').count() == 1 && !index.contains(" WHERE ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_what_is_missing_changed_or_added_but_for_plain_indexes() {
        let made = [
            "column a.b: bigint",
            "function f(): sql 1",
            "index i: rentsync.a USING btree (b)",
        ];
        let standing = [
            "column a.b: text",
            "index j: rentsync.a USING btree (b)",
            "index k: rentsync.a USING btree (lower(b))",
            "column outbox.id: bigint not null",
        ];
        let found: Vec<String> = between(made.into_iter(), standing.into_iter())
            .iter()
            .map(Difference::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "column a.b differs from this release's",
                "function f() is missing",
                "index i is missing",
                "index k is none of the relay's",
            ]
        );
        assert_eq!(between(made.into_iter(), made.into_iter()), []);
    }
}
