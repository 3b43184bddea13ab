//! One private cluster: how it is set, and how to connect to it.

use std::path::Path;

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::account::Account;
use super::find;
use super::place;
use super::supervise::{PORT, Supervised};

const SUPERUSER: &str = "postgres";

/// Overridden by what the caller asks for.
const SETTINGS: [(&str, &str); 4] = [
    ("listen_addresses", ""),
    ("max_connections", "200"),
    ("max_prepared_transactions", "20"),
    ("shared_buffers", "128MB"),
];

const SETTINGS_WITHOUT_DURABILITY: [(&str, &str); 3] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
];

/// Whether commits survive a power cut. Tests trade that for speed; a demo doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's own defaults.
    Full,
    /// Nothing waits for the disk.
    Off,
    /// As `Off`, and the files are memory where the machine has a place for that: for many small databases, whose hundreds of
    /// files each cost a file system more than the server has to do for them.
    InMemory,
}

impl Durability {
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Durability::Full => &[],
            Durability::Off | Durability::InMemory => &SETTINGS_WITHOUT_DURABILITY,
        }
    }

    fn parent(self) -> Result<&'static Path> {
        match self {
            Durability::Full | Durability::Off => place::on_disk(),
            Durability::InMemory => place::in_memory(),
        }
    }
}

/// A running private cluster; dropping it stops the server and removes the directory.
#[derive(Debug)]
pub struct LocalPostgres {
    supervised: Supervised,
}

impl LocalPostgres {
    /// Makes a cluster and waits until its server is ready. Blocks for about half a second.
    pub fn start(durability: Durability) -> Result<Self> {
        Self::start_with(durability, &[])
    }

    /// As [`start`](Self::start), with more server settings; they override this module's.
    pub fn start_with(durability: Durability, settings: &[(&str, &str)]) -> Result<Self> {
        let account = Account::that_may_run_a_server()?;
        let bin = find::bin_dir(&account)?;
        Self::start_from(&bin, &account, durability, settings)
    }

    pub(super) fn start_from(
        bin: &Path,
        account: &Account,
        durability: Durability,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let settings = [&SETTINGS, durability.settings(), settings].concat();
        let supervised = Supervised::start(bin, account, durability.parent()?, &settings)?;
        Ok(Self { supervised })
    }

    /// How to connect to a database of this server, as its superuser.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.directory())
            .port(PORT)
            .username(SUPERUSER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// The same as a URL.
    pub fn url(&self, database: &str) -> String {
        let socket = percent_encoded(&self.directory().to_string_lossy());
        let database = percent_encoded(database);
        format!("postgres://{SUPERUSER}@{socket}:{PORT}/{database}")
    }

    /// Where socket, log and data are.
    pub fn directory(&self) -> &Path {
        self.supervised.directory()
    }
}

pub(super) fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_fails_says_why() {
        let account = Account::that_may_run_a_server().unwrap();

        let started = LocalPostgres::start_from(Path::new("/nonexistent"), &account, Durability::Off, &[]);

        let message = format!("{:#}", started.unwrap_err());
        assert!(message.contains("/nonexistent/initdb"), "{message}");
    }
}
