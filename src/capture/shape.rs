//! What this release makes of schema rentsync, against what stands there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

/// As `sql/capture/shape.sql` finds it in a database where this release was installed and nothing was changed; a line each.
const MADE: &str = include_str!("../../migrations/shape.txt");

/// A number that nothing needs any more; it goes when no writer is in the way.
const LEFT_OVER: [(&str, &str, &str); 3] = [
    ("column", "outbox.id", "bigint not null identity"),
    ("relation", "outbox_id_seq", "S"),
    (
        "sequence",
        "outbox_id_seq",
        "bigint 1 by 1 from 1 to 9223372036854775807",
    ),
];

/// A DBA's own are nobody else's business.
const PLAIN_INDEX: &str = "plain index";

/// One thing in the schema.
#[derive(FromRow)]
struct Part {
    kind: String,
    name: String,
    detail: String,
}

/// Of one name there may be several: a dot is part of some.
type Parts = BTreeMap<(String, String), BTreeSet<String>>;

impl Part {
    /// No name ends its field, and none a line.
    fn escaped(self) -> Self {
        let escaped = |field: String| {
            let escapes = [('\\', "\\\\"), ('\t', "\\t"), ('\n', "\\n"), ('\r', "\\r")];
            escapes.iter().fold(field, |text, (from, to)| text.replace(*from, to))
        };
        Self {
            kind: self.kind,
            name: escaped(self.name),
            detail: escaped(self.detail),
        }
    }

    fn line(&self) -> String {
        [self.kind.as_str(), &self.name, &self.detail].join("\t")
    }

    fn of(line: &str) -> Self {
        let mut fields = line.splitn(3, '\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        Self {
            kind: next(),
            name: next(),
            detail: next(),
        }
    }

    fn is_left_over(&self) -> bool {
        LEFT_OVER.contains(&(&self.kind, &self.name, &self.detail))
    }
}

/// Something that is not as this release makes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    kind: String,
    /// Its name in schema rentsync.
    name: String,
    how: &'static str,
}

const MISSING: &str = "is missing";
const CHANGED: &str = "differs from this release's";
const ADDED: &str = "is none of the relay's";

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.name, self.how)
    }
}

impl Difference {
    pub fn is_function(&self) -> bool {
        self.kind == "function"
    }
}

/// The names of this release's tables, views and sequences.
pub(super) fn relations() -> Vec<String> {
    let parts = MADE.lines().map(Part::of);
    parts
        .filter(|part| part.kind == "relation")
        .map(|part| part.name)
        .collect()
}

async fn parts(conn: &mut PgConnection) -> Result<Vec<Part>> {
    let parts: Vec<Part> = sqlx::query_as(include_str!("../../sql/capture/shape.sql"))
        .fetch_all(conn)
        .await?;
    Ok(parts.into_iter().map(Part::escaped).collect())
}

/// What stands in the schema, a line each.
pub async fn standing(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(parts(conn).await?.iter().map(Part::line).collect())
}

/// In what the schema differs from what this release makes.
pub(crate) async fn differences(conn: &mut PgConnection) -> Result<Vec<Difference>> {
    Ok(between(MADE.lines().map(Part::of), parts(conn).await?.into_iter()))
}

fn between(made: impl Iterator<Item = Part>, standing: impl Iterator<Item = Part>) -> Vec<Difference> {
    let gathered = |parts: &mut dyn Iterator<Item = Part>| {
        let mut all = Parts::new();
        for Part { kind, name, detail } in parts {
            all.entry((kind, name)).or_default().insert(detail);
        }
        all
    };
    let made = gathered(&mut { made });
    let standing = gathered(&mut standing.filter(|part| !part.is_left_over()));
    let all: BTreeSet<&(String, String)> = made.keys().chain(standing.keys()).collect();
    let how = |what: &(String, String)| match (made.get(what), standing.get(what)) {
        (Some(_), None) => Some(MISSING),
        (None, Some(_)) => (what.0 != PLAIN_INDEX).then_some(ADDED),
        (made, standing) => (made != standing).then_some(CHANGED),
    };
    let difference = |what: &(String, String)| {
        how(what).map(|how| Difference {
            kind: what.0.clone(),
            name: what.1.clone(),
            how,
        })
    };
    all.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = Part> + use<'a> {
        lines.iter().map(|line| Part::of(line))
    }

    #[test]
    fn a_difference_is_what_is_missing_changed_or_added_but_for_plain_indexes() {
        let made = [
            "column\ta.b\tbigint",
            "function\tf()\tsql 1",
            "index\ti\ta btree (b) unique",
        ];
        let standing = [
            "column\ta.b\ttext",
            "plain index\tj\ta btree (b)",
            "index\tk\ta btree (lower(b))",
            "column\toutbox.id\tbigint not null identity",
        ];
        let found: Vec<String> = between(parts(&made), parts(&standing))
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
        assert_eq!(between(parts(&made), parts(&made)), []);
    }

    #[test]
    fn no_name_is_mistaken_for_another_and_its_detail() {
        let made = ["function\tf(a text)\tsql 1"];
        let disguised = Part {
            kind: "function".to_owned(),
            name: "f(a text)\tsql 1\nx\\".to_owned(),
            detail: "2".to_owned(),
        };
        let disguised = disguised.escaped();
        assert_eq!(disguised.line(), "function\tf(a text)\\tsql 1\\nx\\\\\t2");
        let found = between(parts(&made), parts(&made).chain([disguised]));
        assert_eq!(found.len(), 1);
    }
}
