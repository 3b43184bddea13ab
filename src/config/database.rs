//! Where the database is, and what it has to prove before anything is sent to it.
//!
//! Not its business: connecting.

use super::hosts::url_of_each;
use reqwest::Url;
use secrecy::SecretString;
use settings::{Node, Refusal, Section, SettingsError, Validated, integer, one_of};

/// The database that holds the source and the relay's own schema.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is, and as whom to connect; see [`Database::url`].
    pub url: Option<SecretString>,
    /// The most connections at once.
    pub max_connections: u32,
    /// What the server has to prove before anything is sent to it; not set: by where it is.
    pub tls: Option<Tls>,
    /// Who is trusted with schema rentsync, beside whoever owns the source tables.
    pub schema_owner: Vec<String>,
}

/// What a server has to prove before anything is sent to it, a password above all. The words are PostgreSQL's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// A certificate that somebody trusted signed, for the very host that was asked for.
    VerifyFull,
    /// A certificate that somebody trusted signed.
    VerifyCa,
    /// Nothing, but that it speaks TLS.
    Require,
    /// Nothing; TLS where it speaks it.
    Prefer,
    /// Nothing, and no TLS.
    Disable,
}

impl Tls {
    /// Each with its name.
    pub const ALL: [(&str, Self); 5] = [
        ("verify-full", Self::VerifyFull),
        ("verify-ca", Self::VerifyCa),
        ("require", Self::Require),
        ("prefer", Self::Prefer),
        ("disable", Self::Disable),
    ];
}

impl Database {
    /// Where the database is.
    ///
    /// # Errors
    /// When that is not set.
    pub fn url(&self) -> Result<&SecretString, SettingsError> {
        self.url.as_ref().ok_or_else(|| {
            SettingsError::new(
                "database.url is not set; set DATABASE_URL=postgres://user@host/database, \
                 or url under [database] in relay.toml.",
            )
        })
    }

    pub(super) fn read(section: &mut Section) -> Self {
        Self {
            url: section.optional("url", database_url),
            max_connections: section.take("max_connections", 8, integer(3..=1000)),
            tls: section.optional("tls", one_of(&Tls::ALL)),
            schema_owner: section.optional("schema_owner", roles).unwrap_or_default(),
        }
    }
}

/// One, or several while the source changes hands.
fn roles(node: &Node) -> Validated<Vec<String>> {
    let items = node.to_items().unwrap_or_else(|| vec![node.clone()]);
    let name = |item: &Node| item.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    names
        .filter(|names| !names.is_empty())
        .ok_or_else(|| Refusal::new("must be the name of a role, or a list of names"))
}

fn database_url(node: &Node) -> Validated<SecretString> {
    let is_one = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    // Of several hosts each has a URL; how many ports they may have is said where they are used.
    let is_postgres = |text: &&str| url_of_each(text, |_| None).map_or(true, |urls| urls.iter().all(|url| is_one(url)));
    match node.as_str().filter(is_postgres) {
        Some(text) => Ok(SecretString::from(text)),
        None => Err(Refusal::hiding_value(
            "must be a URL like postgres://user@host/database, or with several hosts postgres://user@one,two/database",
        )),
    }
}
