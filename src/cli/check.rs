//! `check`: whether the settings would do for `run`, without asking anybody.

use anyhow::Result;

use super::context::database;
use super::print;
use crate::alert::Poster;
use crate::clock::Clock;
use crate::config::{Config, SettingsError};
use crate::fault::sentence;
use crate::receiver::Endpoint;
use crate::words::count;

/// Each of what `run` stops at before it connects anywhere.
pub(super) fn check(config: &Config) -> Result<()> {
    let mut problems = of_a_pass(config);
    problems.extend(config.http.check().err().map(|error| error.to_string()));
    SettingsError::unless_none(problems)?;
    let names: Vec<_> = config.receivers.keys().cloned().collect();
    print::line(&format!(
        "the settings are valid, for {}: {}; nothing was contacted",
        count(names.len(), "receiver", "receivers"),
        names.join(", ")
    ))
}

/// What keeps a pass from being made.
pub(super) fn of_a_pass(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |checked: Result<()>| problems.extend(checked.err().map(|error| sentence(&error)));
    note(database(config).map(drop));
    note(config.source.available_status_ids().map(drop).map_err(Into::into));
    if config.receivers.is_empty() {
        note(config.receiver(None).map(drop).map_err(Into::into));
    }
    for receiver in config.receivers.values() {
        note(Endpoint::new(receiver).map(drop));
    }
    if let Some(url) = &config.alerts.webhook_url {
        note(Poster::new(url, Clock::Database).map(drop));
    }
    problems
}
