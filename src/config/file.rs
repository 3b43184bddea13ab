//! The settings file: where it is, and its text.

use std::path::{Path, PathBuf};

use settings::{SettingsError, value_of};

/// Where the settings file is.
pub(super) const CONFIG_VARIABLE: &str = "RELAY_CONFIG";
/// Read when it is there and nothing else is asked for.
const DEFAULT_FILE: &str = "relay.toml";

/// The text of the file at `path`, or where the environment says, or of the usual one where there is one; and where that is.
pub(super) fn read(path: Option<&Path>, env: &[(String, String)]) -> Result<(Option<String>, PathBuf), SettingsError> {
    let path = match settings_path(path, env) {
        Some(path) => Some(path),
        None => default_path()?,
    };
    let text = path.as_deref().map(read_settings).transpose()?;
    Ok((text, path.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE))))
}

fn settings_path(path: Option<&Path>, env: &[(String, String)]) -> Option<PathBuf> {
    let asked_for = || value_of(env, CONFIG_VARIABLE).map(PathBuf::from);
    path.map(Path::to_owned).or_else(asked_for)
}

fn default_path() -> Result<Option<PathBuf>, SettingsError> {
    let path = Path::new(DEFAULT_FILE);
    match path.try_exists() {
        Ok(exists) => Ok(exists.then(|| path.to_owned())),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn read_settings(path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> SettingsError {
    let path = path.display();
    SettingsError::new(format!("the settings file {path} can't be read: {error}"))
}
