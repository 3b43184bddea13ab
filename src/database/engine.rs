//! Engines that speak PostgreSQL's protocol and can't carry the relay, by what they say of themselves.
//!
//! It needs statement triggers with transition tables, transaction numbers and snapshots that can be compared, and REPEATABLE READ. It
//! goes by `version()`, and by catalogs of an engine's own where that says nothing; what their documentation has, not what was tried.

use sqlx::FromRow;

/// What an engine says of itself.
#[derive(Clone, Debug, Default, FromRow)]
pub(crate) struct Engine {
    /// `version()`
    pub engine: String,
    /// The view `rds_aurora.limitless_tables` is there.
    pub has_limitless_tables: bool,
    /// The views `sys.jobs` and `sys.iam_pg_role_mappings` are there.
    pub has_dsql_views: bool,
}

impl Engine {
    /// What it is and why it can't carry the relay; none: nothing is known against it.
    pub fn objection(&self) -> Option<&'static str> {
        let version = self.engine.as_str();
        let is_fork_of = |mark: &str| version.starts_with("PostgreSQL ") && version.contains(mark);
        if version.starts_with("CockroachDB") {
            return Some(
                "the server is CockroachDB, which has no statement triggers with transition tables and no transaction snapshots",
            );
        }
        if is_fork_of("-YB-") {
            return Some(
                "the server is YugabyteDB, which has no transition tables and no transaction snapshots that can be compared",
            );
        }
        if is_fork_of("-limitless") || self.has_limitless_tables {
            return Some("the server is Aurora PostgreSQL Limitless Database, which has no triggers");
        }
        if self.has_dsql_views {
            return Some("the server is Aurora DSQL, which has no triggers and no sequences");
        }
        None
    }
}

/// The sentence that says so.
pub(super) fn refusal(objection: &str) -> String {
    format!(
        "{objection}: the relay can't work there, and nothing was changed; docs/scale.md says which engines carry it and what \
         to do instead"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_that_cant_carry_it_are_known_by_what_they_say_of_themselves() {
        let named = |version: &str| {
            let engine = Engine {
                engine: version.to_owned(),
                ..Engine::default()
            };
            engine.objection().unwrap_or("").to_owned()
        };
        for (version, name) in [
            (
                "CockroachDB CCL v24.3.5 (x86_64-pc-linux-gnu, built 2025/02/03 17:28:15, go1.22.8)",
                "CockroachDB",
            ),
            (
                "CockroachDB CCL v20.1.15 (x86_64-unknown-linux-gnu, built 2021/04/26 16:11:58, go1.13.9)",
                "CockroachDB",
            ),
            (
                "PostgreSQL 11.2-YB-2.6.1.0-b0 on x86_64-pc-linux-gnu, compiled by gcc (Homebrew gcc 5.5.0_4) 5.5.0, 64-bit",
                "YugabyteDB",
            ),
            (
                "PostgreSQL 15.12-YB-2.25.2.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit",
                "YugabyteDB",
            ),
            (
                "PostgreSQL 16.9-limitless on aarch64-unknown-linux-gnu, compiled by aarch64-unknown-linux-gnu-gcc (GCC) 9.5.0, 64-bit",
                "Limitless",
            ),
        ] {
            assert!(named(version).contains(name), "{version}");
        }
        for version in [
            "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit",
            "PostgreSQL 16.8 on x86_64-pc-linux-gnu, compiled by x86_64-pc-linux-gnu-gcc (GCC) 9.5.0, 64-bit",
        ] {
            assert_eq!(named(version), "", "{version}");
        }
        let dsql = Engine {
            engine: "PostgreSQL 16".to_owned(),
            has_dsql_views: true,
            ..Engine::default()
        };
        let limitless = Engine {
            has_limitless_tables: true,
            has_dsql_views: false,
            ..dsql.clone()
        };
        assert!(dsql.objection().is_some_and(|why| why.contains("DSQL")));
        assert!(limitless.objection().is_some_and(|why| why.contains("Limitless")));
    }
}
