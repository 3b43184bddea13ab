//! A directory with PostgreSQL's server programs: whether they can be used, and which version they are.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::account::Account;

const OLDEST_VERSION: u32 = 14;

/// Whether the account can run a new enough server from this directory, and if not, why.
pub(super) fn check(bin: &Path, account: &Account) -> Result<()> {
    ensure!(bin.is_absolute(), "it isn't an absolute path");
    for program in ["initdb", "postgres"] {
        ensure!(bin.join(program).is_file(), "it holds no {program}");
    }
    let said = version_said_by(&bin.join("postgres"), account)?;
    match major_version(&said) {
        Some(OLDEST_VERSION..) => Ok(()),
        Some(major) => bail!("it holds PostgreSQL {major}, and {OLDEST_VERSION} is needed"),
        None => bail!("its postgres doesn't report its version, but {said:?}"),
    }
}

fn version_said_by(postgres: &Path, account: &Account) -> Result<String> {
    let ran = account.command(postgres).arg("--version").output();
    let output = ran.context("its postgres can't be run")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
fn major_version(said: &str) -> Option<u32> {
    let version = said.strip_prefix("postgres (PostgreSQL) ")?;
    leading_number(version)
}

pub(super) fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}
