//! Settings from a TOML file and the environment, typed where they are read.
//!
//! [`read`] takes the text of a file and variables, which win over it, and has a function take its keys out of them. What is
//! asked for is known, what is left over is unknown; everything that is wrong is said at once, with the file or variable it
//! stands in. Secrets stay references until they are used.
//!
//! Not its business: reading the file, and what the keys mean.

#![forbid(unsafe_code)]

mod env;
mod error;
mod node;
mod secret;
mod section;
mod values;

use std::collections::BTreeSet;
use std::path::Path;

pub use env::{Environment, value_of};
pub use error::SettingsError;
pub use node::{Entries, Node};
pub use secret::{SecretPlace, SecretRef, secret, secrets};
pub use section::{Found, Section, nearest, read_nothing};
pub use values::{
    Refusal, Validated, any_integer, any_number, boolean, duration, integer, list_of, number, one_of, text,
};

use section::Reading;

/// What was read, and what was seen on the way.
#[derive(Debug)]
pub struct Settings<T> {
    /// What the reading function made of it.
    pub value: T,
    /// Every secret that is referred to.
    pub secrets: Vec<SecretRef>,
    /// The full path of every key that was asked for.
    pub keys: BTreeSet<String>,
}

/// Reads a file's text and the variables over it. `file_path` is for messages, and relative paths are relative to its
/// directory.
///
/// # Errors
/// When the text is not TOML, or a key is unknown, missing, or has a value that is not allowed.
pub fn read<T>(
    environment: Environment,
    file_text: Option<&str>,
    file_path: &Path,
    variables: &[(String, String)],
    read: impl FnOnce(&mut Section) -> T,
) -> Result<Settings<T>, SettingsError> {
    let mut entries = match file_text {
        Some(text) => node::parse_file(text, file_path)?,
        None => Entries::new(),
    };
    let mut reading = Reading {
        environment,
        directory: file_path.parent().unwrap_or(Path::new("")).to_owned(),
        problems: environment.overlay(&mut entries, variables),
        ..Reading::default()
    };
    let value = reading.read(entries, read);
    SettingsError::unless_none(reading.problems)?;
    Ok(Settings {
        value,
        secrets: reading.secrets,
        keys: reading.keys,
    })
}
