//! Settings: from `relay.toml` and the environment to typed values, or to an
//! error that says what to change.
//!
//! `Config::parse` is pure: text and variables in, settings or problems out.
//! `Config::load` does the reading around it. A key is declared where it is
//! read, with its default and its range, and nowhere else; what no reader takes
//! is an unknown key. Secrets stay references until they are used.
//!
//! Not its business: whether tables, statuses and receivers are there. That is
//! seen by looking, not by reading settings.

mod alerts;
mod auth;
mod body;
mod certify;
mod database;
mod default_file;
mod guard;
mod headers;
mod hosts;
mod http;
mod looks_secret;
mod receiver;
mod require;
mod shape;
mod snapshot;
mod tls;
mod url;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use alerts::{Alerts, SecretUrl};
pub use auth::{Auth, OAuth2};
pub use certify::Certify;
pub use database::{Database, Tls};
use default_file::Found;
pub use guard::{Guard, Limit};
pub(crate) use hosts::url_of_each;
pub use http::Http;
pub use receiver::{Breaker, Enroll, Receiver, Retry};
pub use require::{Requirement, Requirements};
pub use shape::{
    Accept, Batch, Compression, Field, FieldKind, Fields, Format, RemovedAs, UnitCodes, UnitIdentity, UnitStyle,
};
pub use snapshot::Snapshot;
pub use tls::ClientTls;
pub(crate) use url::{is_loopback, parse_endpoint};

pub use settings::{SecretPlace, SecretRef, SettingsError};

use settings::{Environment, Section, Settings, any_integer, duration, list_of, read_nothing, text, value_of};

/// Where the settings file is.
const CONFIG_VARIABLE: &str = "RELAY_CONFIG";

const ENVIRONMENT: Environment = Environment {
    prefix: "RELAY_",
    // The others are read by the log's own set-up.
    set_nothing: &[CONFIG_VARIABLE, "RELAY_LOG", "RELAY_LOG_FORMAT"],
    named: "receivers",
    // What every platform calls it.
    fallbacks: &[("DATABASE_URL", ["database", "url"])],
};

/// Read when it is there and nothing else is asked for.
const DEFAULT_FILE: &str = "relay.toml";

/// PostgreSQL cuts a longer identifier without a word.
const IDENTIFIER_BYTES_MAX: usize = 63;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database that holds the source and the relay's own schema.
    pub database: Database,
    /// The source tables.
    pub source: Source,
    /// The receivers by name.
    pub receivers: BTreeMap<String, Receiver>,
    /// When the nightly snapshot is.
    pub snapshot: Snapshot,
    /// How long what is over is kept.
    pub retention: Retention,
    /// The relay's own pace.
    pub relay: Relay,
    /// Where the relay itself can be asked.
    pub http: Http,
    /// Where alerts go.
    pub alerts: Alerts,
    /// What `certify` sends to a partner's endpoint, and where it looks.
    pub certify: Certify,
}

/// The source tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The table of properties: plain identifiers, perhaps with a schema.
    pub properties_table: String,
    /// The table of units: plain identifiers, perhaps with a schema.
    pub units_table: String,
    /// Which statuses mean available; see [`Source::available_status_ids`].
    pub available_status_ids: Option<Vec<i64>>,
}

/// How long what is over is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Changes that every feed has planned.
    pub outbox: Duration,
    /// Settled syncs with their attempts, and what was noted beside them.
    pub syncs: Duration,
    /// What persons had the relay change.
    pub audit: Duration,
}

/// The relay's own pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// How often to look for committed changes.
    pub poll_every: Duration,
    /// How often to look for what was left lying.
    pub sweep_every: Duration,
}

impl Config {
    /// The settings that hold here: of the file at `path`, or at `RELAY_CONFIG`,
    /// or of `relay.toml` in the current directory when there is one, and over
    /// them the environment's. Every secret has been read once.
    ///
    /// # Errors
    /// When the file can't be read, when a setting is unknown or not allowed, or
    /// when a secret can't be read.
    pub fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        Self::load_with(path, &ENVIRONMENT.of_process()?)
    }

    /// The same, but no secret has been read: for whoever looks at secrets one by one.
    ///
    /// # Errors
    /// When the file can't be read, or when a setting is unknown or not allowed.
    pub fn load_without_secrets(path: Option<&Path>) -> Result<Self, SettingsError> {
        load(path, &ENVIRONMENT.of_process()?).map(|settings| settings.value)
    }

    /// The settings of a file's text and of environment variables, which win
    /// over it. Reads nothing else; `file_path` is for messages, and relative
    /// paths are relative to its directory.
    ///
    /// # Errors
    /// When a setting is unknown or not allowed.
    pub fn parse(file_text: Option<&str>, file_path: &Path, env: &[(String, String)]) -> Result<Self, SettingsError> {
        read_all(file_text, file_path, env).map(|settings| settings.value)
    }

    /// The receiver that is named, or the only one.
    ///
    /// # Errors
    /// When there is none of that name, none at all, or a choice.
    pub fn receiver(&self, name: Option<&str>) -> Result<&Receiver, SettingsError> {
        let names: Vec<&str> = self.receivers.keys().map(String::as_str).collect();
        let names = names.join(", ");
        let problem = match (name, self.receivers.values().next()) {
            (_, None) => "no receiver is configured; add [receivers.main] with its url to \
                          relay.toml, or set RELAY_RECEIVERS__MAIN__URL."
                .to_owned(),
            (None, Some(only)) if self.receivers.len() == 1 => return Ok(only),
            (None, Some(_)) => {
                format!("several receivers are configured ({names}); choose one by --receiver NAME.")
            }
            (Some(name), Some(_)) => match self.receivers.get(name) {
                Some(receiver) => return Ok(receiver),
                None => format!("no receiver is named {name:?}; configured: {names}."),
            },
        };
        Err(SettingsError::new(problem))
    }

    fn load_with(path: Option<&Path>, env: &[(String, String)]) -> Result<Self, SettingsError> {
        let settings = load(path, env)?;
        check(&settings.secrets)?;
        if let Some(url) = &settings.value.alerts.webhook_url {
            url.read()?;
        }
        Ok(settings.value)
    }

    fn read(root: &mut Section) -> Self {
        Self {
            database: root.section("database", Database::read),
            source: root.section("source", Source::read),
            receivers: receivers(root),
            snapshot: root.section("snapshot", Snapshot::read),
            retention: root.section("retention", Retention::read),
            relay: root.section("relay", Relay::read),
            http: root.section("http", Http::read),
            alerts: root.section("alerts", Alerts::read),
            certify: root.section("certify", Certify::read),
        }
    }
}

/// Each with what is set for all of them.
fn receivers(root: &mut Section) -> BTreeMap<String, Receiver> {
    let guard = root.section("guard", Guard::read);
    let mut receivers = root.named(
        "receivers",
        "must be small letters, digits and underscores and begin with a letter",
        is_receiver_name,
        Receiver::read,
    );
    for receiver in receivers.values_mut() {
        receiver.guard = guard;
    }
    receivers
}

impl Default for Config {
    fn default() -> Self {
        read_nothing(Self::read)
    }
}

impl Source {
    /// Which statuses mean that a unit is available.
    ///
    /// # Errors
    /// When that is not set: it is never guessed.
    pub fn available_status_ids(&self) -> Result<&[i64], SettingsError> {
        self.available_status_ids.as_deref().ok_or_else(|| {
            SettingsError::new(
                "source.available_status_ids is not set, and guessing which status means \
                 available is dangerous: a wrong guess offers units that are let. \
                 Set it to the ids that the source uses, available_status_ids = [1, 4] under \
                 [source] in relay.toml or RELAY_SOURCE__AVAILABLE_STATUS_IDS='[1, 4]'.",
            )
        })
    }

    fn read(section: &mut Section) -> Self {
        let table = || {
            text(
                "must be a table's name, with its schema if need be: letters, digits and \
                 underscores, like \"projects\" or \"rent.projects\"",
                is_table_name,
            )
        };
        let units = "project_rent_roll_units".to_owned();
        Self {
            properties_table: section.take("properties_table", "projects".to_owned(), table()),
            units_table: section.take("units_table", units, table()),
            available_status_ids: section.optional("available_status_ids", list_of(any_integer)),
        }
    }
}

impl Retention {
    fn read(section: &mut Section) -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        let kept = || duration(Duration::from_secs(60 * 60)..=days(365));
        Self {
            outbox: section.take("outbox", days(14), kept()),
            syncs: section.take("syncs", days(14), kept()),
            // The last 30 days can't be deleted by the relay's role at all: see rentsync.forget_audit.
            audit: section.take("audit", days(365), duration(days(30)..=days(3650))),
        }
    }
}

impl Relay {
    fn read(section: &mut Section) -> Self {
        let millis = Duration::from_millis;
        let secs = Duration::from_secs;
        Self {
            poll_every: section.take("poll_every", millis(40), duration(millis(5)..=secs(10))),
            sweep_every: section.take("sweep_every", secs(10), duration(millis(100)..=secs(60 * 60))),
        }
    }
}

fn load(path: Option<&Path>, env: &[(String, String)]) -> Result<Settings<Config>, SettingsError> {
    let named = settings_path(path, env);
    let file_text = match &named {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?),
        None => read_default()?,
    };
    let file_path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    read_all(file_text.as_deref(), &file_path, env)
}

/// Anybody may have put it where this was started.
fn read_default() -> Result<Option<String>, SettingsError> {
    let path = Path::new(DEFAULT_FILE);
    match default_file::read(path).map_err(|error| unreadable(path, &error))? {
        Found::Nothing => Ok(None),
        Found::Text(text) => Ok(Some(text)),
        Found::Anothers(why) => Err(SettingsError::new(format!(
            "the settings file {DEFAULT_FILE} in the current directory {why}, so it is not obeyed: name it with --config if it is \
             meant, or start from another directory"
        ))),
    }
}

fn read_all(
    file_text: Option<&str>,
    file_path: &Path,
    env: &[(String, String)],
) -> Result<Settings<Config>, SettingsError> {
    settings::read(ENVIRONMENT, file_text, file_path, env, Config::read)
}

fn settings_path(path: Option<&Path>, env: &[(String, String)]) -> Option<PathBuf> {
    let asked_for = || value_of(env, CONFIG_VARIABLE).map(PathBuf::from);
    path.map(Path::to_owned).or_else(asked_for)
}

fn unreadable(path: &Path, error: &std::io::Error) -> SettingsError {
    let path = path.display();
    SettingsError::new(format!("the settings file {path} can't be read: {error}"))
}

/// Reads every secret once, so that a missing one is reported at the start and not
/// by the first request.
fn check(secrets: &[SecretRef]) -> Result<(), SettingsError> {
    let unreadable = secrets.iter().filter_map(|secret| secret.read().err());
    SettingsError::unless_none(unreadable.map(|error| error.to_string()).collect())
}

fn is_receiver_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'))
}

fn is_table_name(name: &str) -> bool {
    name.split('.').count() <= 2 && name.split('.').all(is_identifier)
}

/// An identifier that needs no quotes, so that it can stand in a statement.
fn is_identifier(name: &str) -> bool {
    name.len() <= IDENTIFIER_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests;
