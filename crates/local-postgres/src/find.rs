//! Finds the directory with PostgreSQL's server programs. Reads, and runs `postgres --version`;
//! changes nothing.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use super::fetch;
use super::programs::{check, leading_number};

/// `PG_BIN_DIR`, else the first usable of the usual places, else what can be fetched.
pub(super) fn bin_dir(account: &Account) -> Result<PathBuf> {
    let chosen = env::var_os("PG_BIN_DIR").filter(|value| !value.is_empty());
    match find(chosen.as_deref().map(Path::new), &usual_places(), account)? {
        Some(bin) => Ok(bin),
        None => fetch::bin_dir(account).context(
            "no PostgreSQL 14 or newer to run: install one (on Debian, the package postgresql), \
             or set PG_BIN_DIR to the directory that holds its initdb and postgres, \
             or set DATABASE_URL to a server that may be used",
        ),
    }
}

fn find(chosen: Option<&Path>, places: &[PathBuf], account: &Account) -> Result<Option<PathBuf>> {
    if let Some(chosen) = chosen {
        let context = || format!("PG_BIN_DIR is {}, which can't be used", chosen.display());
        check(chosen, account).with_context(context)?;
        return Ok(Some(chosen.to_owned()));
    }
    let usable = |place: &&PathBuf| check(place, account).is_ok();
    Ok(places.iter().find(usable).cloned())
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = newest_first("/usr/lib/postgresql", "");
    places.extend(newest_first("/usr", "pgsql-"));
    places.push("/usr/local/pgsql/bin".into());
    places.extend(newest_first("/opt/homebrew/opt", "postgresql@"));
    places.extend(newest_first("/usr/local/opt", "postgresql@"));
    places.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    places
}

/// `<parent>/<prefix><version>/bin` for every version there is.
fn newest_first(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = leading_number(name.to_str()?.strip_prefix(prefix)?)?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(*version));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    fn account() -> Account {
        Account::that_may_run_a_server().unwrap()
    }

    /// A directory whose postgres says `version`, open to the account root drops to.
    fn fake(version: &str) -> TempDir {
        let bin = tempfile::tempdir().unwrap();
        // Written by another process: while a program is open for writing it can't be run,
        // and what this process has open, one that another test starts holds for a moment.
        let script = r##"cd "$1" && printf '#!/bin/sh\necho "%s"\n' "postgres (PostgreSQL) $2" >postgres &&
            cp postgres initdb && chmod 755 . initdb postgres"##;
        let mut made = Command::new("sh");
        made.args(["-c", script, "fake"]).arg(bin.path()).arg(version);
        assert!(made.status().unwrap().success());
        bin
    }

    fn why_not(chosen: &Path) -> String {
        format!("{:#}", find(Some(chosen), &[], &account()).unwrap_err())
    }

    #[test]
    fn a_wrong_pg_bin_dir_is_an_error_even_where_another_would_do() {
        let usable = fake("16.1");
        let places = [usable.path().to_owned()];

        let found = find(Some(Path::new("/nonexistent")), &places, &account());

        let message = format!("{:#}", found.unwrap_err());
        assert_eq!(
            message,
            "PG_BIN_DIR is /nonexistent, which can't be used: it holds no initdb"
        );
    }

    #[test]
    fn thirteen_is_too_old_and_fourteen_is_not() {
        let (old, enough) = (fake("13.20"), fake("14.0"));

        assert!(why_not(old.path()).ends_with("it holds PostgreSQL 13, and 14 is needed"));
        let places = [old.path().to_owned(), enough.path().to_owned()];
        let found = find(None, &places, &account()).unwrap();
        assert_eq!(found.as_deref(), Some(enough.path()));
    }

    #[test]
    fn a_postgres_of_another_kind_is_refused() {
        let strange = fake("");

        assert!(why_not(strange.path()).contains("doesn't report its version"));
    }

    #[test]
    fn no_places_hold_no_server() {
        assert_eq!(find(None, &[], &account()).unwrap(), None);
    }

    #[test]
    fn versions_sort_as_numbers() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pg-9.6", "pg-18", "pg-15", "other-99", "pg-"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }

        let found = newest_first(parent.path().to_str().unwrap(), "pg-");

        let expected = ["pg-18/bin", "pg-15/bin", "pg-9.6/bin"].map(|bin| parent.path().join(bin));
        assert_eq!(found, expected);
    }
}
