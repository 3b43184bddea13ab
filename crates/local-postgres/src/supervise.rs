//! A server and its directory, tied to this process by a pipe.
//!
//! A small shell script makes the cluster, runs the server, and takes both away when the
//! other end of its standard input closes. This process holds that end, and no child of it
//! inherits it.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::account::Account;

/// Of the socket; nothing listens on a network.
pub(super) const PORT: u16 = 5432;
const SCRIPT: &str = include_str!("supervise.sh");
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
const LOG_TAIL_LINES: usize = 20;

/// A ready server.
#[derive(Debug)]
pub(super) struct Supervised {
    supervisor: Child,
    directory: PathBuf,
}

impl Supervised {
    /// In a new directory of `parent`.
    pub(super) fn start(bin: &Path, account: &Account, parent: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let directory = unused_directory(parent);
        let supervisor = account
            .command("/bin/sh")
            .args(["-c", SCRIPT, "supervise"])
            .args([bin, &directory])
            .args(server_arguments(settings))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the owner; it still needs its database to end in order.
            .process_group(0)
            .spawn()
            .context("can't run /bin/sh as the account that is to run PostgreSQL")?;
        let mut supervised = Self { supervisor, directory };
        supervised.wait_until_ready()?;
        Ok(supervised)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while !self.is_ready() {
            if self.supervisor.try_wait()?.is_some() {
                bail!("can't make the directory {}", self.directory.display());
            }
            if self.directory.join("ended").exists() {
                return Err(self.failure("PostgreSQL didn't start"));
            }
            if started.elapsed() > START_LIMIT {
                return Err(self.failure("PostgreSQL wasn't ready within a minute"));
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let pid_file = fs::read_to_string(self.directory.join("data/postmaster.pid"));
        let says_ready = pid_file.is_ok_and(|text| status(&text) == Some("ready"));
        let socket = self.directory.join(format!(".s.PGSQL.{PORT}"));
        says_ready && fs::metadata(socket).is_ok_and(|found| found.file_type().is_socket())
    }

    fn failure(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        anyhow!("{what}; its log ends:\n{}{}", tail(&log), hint(&log))
    }
}

impl Drop for Supervised {
    /// Waits, so that after it nothing is left; bounded, because it must not hang its caller.
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let asked = Instant::now();
        while matches!(self.supervisor.try_wait(), Ok(None)) && asked.elapsed() < STOP_LIMIT {
            thread::sleep(POLL_INTERVAL);
        }
    }
}

fn unused_directory(parent: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("rentsync-{}-{number}", process::id()));
        if fs::symlink_metadata(&directory).is_err() {
            return directory;
        }
    }
}

fn server_arguments(settings: &[(&str, &str)]) -> Vec<String> {
    let mut arguments = vec!["-p".to_owned(), PORT.to_string()];
    for (name, value) in settings {
        arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    arguments
}

/// The eighth line of `postmaster.pid`.
fn status(pid_file: &str) -> Option<&str> {
    pid_file.lines().nth(7).map(str::trim)
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

fn hint(log: &str) -> &'static str {
    if log.contains("could not look up effective user ID") {
        "\nThis process runs under a user ID without an account, which PostgreSQL refuses: \
         add one to /etc/passwd, run as another user, or set DATABASE_URL to a server that may be used"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_without_an_account_is_explained() {
        let log = "initdb: error: could not look up effective user ID 54321: user does not exist\n";

        assert!(hint(log).contains("/etc/passwd"));
        assert_eq!(hint("initdb: error: disk full\n"), "");
    }

    #[test]
    fn the_tail_is_the_last_twenty_lines() {
        let log: String = (1..=30).map(|number| format!("{number}\n")).collect();

        assert!(tail(&log).starts_with("11\n") && tail(&log).ends_with("\n30"));
        assert_eq!(tail("only\n"), "only");
    }
}
