//! Where a secret is kept, and reading it there when it is needed.
//!
//! The settings hold the reference only, so that printing them can't reveal the
//! secret and a rotated file is read anew. Not its business: what it is for.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::error::SettingsError;
use crate::node::Node;
use crate::values::{Refusal, Validated};

const HOW: &str = "must be a reference, { env = \"NAME\" } or { file = \"path\" }: \
                   a secret itself is not written into the settings";

const HOW_MANY: &str = "must be a list of references, [{ env = \"NAME\" }] or [{ file = \"path\" }]: \
                        a secret itself is not written into the settings";

/// The place a secret is read from, and the key that needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    /// The full path of the key, for messages.
    pub key: String,
    /// Where the secret is.
    pub place: SecretPlace,
}

/// An environment variable or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// The variable of this name.
    Env(String),
    /// The file at this path.
    File(PathBuf),
}

impl SecretRef {
    /// A secret in an environment variable.
    #[must_use]
    pub fn env(key: &str, name: &str) -> Self {
        let key = key.to_owned();
        let place = SecretPlace::Env(name.to_owned());
        Self { key, place }
    }

    /// A secret in a file.
    #[must_use]
    pub fn file(key: &str, path: impl Into<PathBuf>) -> Self {
        let key = key.to_owned();
        let place = SecretPlace::File(path.into());
        Self { key, place }
    }

    /// The secret as it is there now, without the newline that ends it.
    ///
    /// # Errors
    /// When it is not there, is not UTF-8, or is empty.
    pub fn read(&self) -> Result<SecretString, SettingsError> {
        let (source, text) = match &self.place {
            SecretPlace::Env(name) => (format!("environment variable{}", shown(name)), read_env(name)),
            SecretPlace::File(path) => (format!("file {}", path.display()), read_file(path)),
        };
        let text = text.map_err(|why| self.unreadable(&source, &why))?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(self.unreadable(&source, "is empty"));
        }
        Ok(SecretString::from(secret))
    }

    fn unreadable(&self, source: &str, why: &str) -> SettingsError {
        SettingsError::new(format!("{}: its secret's {source} {why}", self.key))
    }
}

/// Whoever writes the secret itself where its variable's name belongs should not find it in a log. Names are written in capitals.
fn shown(name: &str) -> String {
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    match is_name {
        true => format!(" {name}"),
        false => ", whose name is not in capitals and may be a secret that was written there instead,".to_owned(),
    }
}

fn read_env(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => "is not set".to_owned(),
        std::env::VarError::NotUnicode(_) => "is not UTF-8".to_owned(),
    })
}

fn read_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("can't be read: {error}"))
}

/// The reference at `key`; a file's path is relative to `directory`.
pub fn secret<'a>(key: &'a str, directory: &'a Path) -> impl FnOnce(&Node) -> Validated<SecretRef> + 'a {
    move |node| {
        let refusal = || Refusal::hiding_value(HOW);
        let entries = node.clone().into_entries().ok_or_else(refusal)?;
        let given: Vec<(&str, &str)> = entries
            .iter()
            .filter_map(|(place, node)| Some((place.as_str(), node.as_str()?)))
            .filter(|(_, at)| !at.is_empty())
            .collect();
        // Two places at once, or an unknown one, are as wrong as none.
        match (entries.len(), given.as_slice()) {
            (1, [("env", name)]) => Ok(SecretRef::env(key, name)),
            (1, [("file", path)]) => Ok(SecretRef::file(key, directory.join(path))),
            _ => Err(refusal()),
        }
    }
}

/// The references at `key`, at least one.
pub fn secrets<'a>(key: &'a str, directory: &'a Path) -> impl FnOnce(&Node) -> Validated<Vec<SecretRef>> + 'a {
    move |node| {
        let items = node.to_items().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| Refusal::hiding_value(HOW_MANY))?;
        let reference = |(index, node)| secret(&format!("{key}[{index}]"), directory)(node);
        let references: Validated<Vec<_>> = items.iter().enumerate().map(reference).collect();
        references.map_err(|_| Refusal::hiding_value(HOW_MANY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_file_is_read_without_its_newline_and_anew_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let secret = SecretRef::file("receivers.main.auth.key", &path);
        std::fs::write(&path, "first\r\n").unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "first");
        std::fs::write(&path, "second").unwrap();
        assert_eq!(secret.read().unwrap().expose_secret(), "second");
    }

    #[test]
    fn an_empty_or_missing_secret_is_an_error_that_names_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let secret = SecretRef::file("receivers.main.auth.key", &path);
        let missing = secret.read().unwrap_err().to_string();
        assert!(missing.starts_with("receivers.main.auth.key: "), "{missing}");
        std::fs::write(&path, "\n").unwrap();
        let empty = secret.read().unwrap_err().to_string();
        assert!(empty.ends_with("is empty"), "{empty}");
        let unset = SecretRef::env("receivers.main.auth.key", "NO_SUCH_VARIABLE_HERE");
        let unset = unset.read().unwrap_err().to_string();
        assert_eq!(
            unset,
            "receivers.main.auth.key: its secret's environment variable \
             NO_SUCH_VARIABLE_HERE is not set"
        );
        let literal = SecretRef::env("receivers.main.auth.key", "sk_live_hunter2").read();
        let literal = literal.unwrap_err().to_string();
        assert!(
            !literal.contains("hunter2") && literal.contains("is not set"),
            "{literal}"
        );
    }
}
