//! Who runs the server: this process's account, or as root one without its rights, because
//! PostgreSQL refuses to run as root.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

/// In order of preference.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The account that owns a private cluster.
#[derive(Debug)]
pub(super) struct Account {
    dropped_to: Option<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    pub(super) fn that_may_run_a_server() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { dropped_to: None });
        }
        let entry = preferred(&entries())
            .context("PostgreSQL doesn't run as root, and /etc/passwd has neither postgres nor nobody to run it as")?;
        Ok(Self {
            dropped_to: Some(entry),
        })
    }

    /// A command run as this account, in `/` (the current directory may be closed to it),
    /// knowing nothing of the server its caller's environment points to.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if let Some(entry) = &self.dropped_to {
            command.gid(entry.gid).uid(entry.uid);
        }
        command
    }
}

/// The name of the account this process runs as.
pub(super) fn own_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    let own = entries().into_iter().find(|entry| entry.uid == uid)?;
    Some(own.name)
}

fn entries() -> Vec<Entry> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    passwd.lines().filter_map(entry).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Entry { name, uid, gid })
}

fn preferred(entries: &[Entry]) -> Option<Entry> {
    let named = |name: &&str| entries.iter().find(|entry| entry.name == **name);
    UNPRIVILEGED.iter().find_map(named).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: &str = "postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash";
    const NOBODY: &str = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";

    #[test]
    fn postgres_is_preferred_to_nobody() {
        let entries = [entry(NOBODY).unwrap(), entry(POSTGRES).unwrap()];

        let chosen = preferred(&entries).unwrap();

        assert_eq!((chosen.name.as_str(), chosen.uid, chosen.gid), ("postgres", 101, 104));
        assert_eq!(preferred(&entries[..1]).unwrap().gid, 65533);
        assert_eq!(preferred(&[]), None);
    }
}
