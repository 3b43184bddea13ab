//! The log on stderr, for people or for programs that collect it, and the error that a command ends with.

use chrono::{SecondsFormat, Utc};
use clap::ValueEnum;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::print::Clean;
use crate::fault;
use crate::words::printable_json;

/// What a line of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A sentence, for people
    #[default]
    Text,
    /// An object with timestamp, level and message, for programs
    Json,
}

impl LogFormat {
    /// `RELAY_LOG` as tracing's filters have it, for example `debug` or `rentsync_relay::deliver=debug`.
    pub(super) fn begin(self, default: &str) {
        let filter = std::env::var("RELAY_LOG").unwrap_or_else(|_| default.to_owned());
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(|| Clean(std::io::stderr()))
            // Colours and what somebody else wrote look the same to a terminal: no event has any.
            .with_ansi(false)
            .with_target(false);
        match self {
            Self::Text => log.init(),
            Self::Json => log.json().flatten_event(true).with_current_span(false).init(),
        }
    }

    /// The error that a command ends with, whatever `RELAY_LOG` leaves out.
    pub fn report(self, error: &anyhow::Error) {
        let sentence = fault::sentence(error);
        match self {
            Self::Text => eprintln!("error: {sentence}"),
            Self::Json => {
                let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
                let event = json!({ "timestamp": timestamp, "level": "ERROR", "message": sentence });
                eprintln!("{}", printable_json(&event.to_string()));
            }
        }
    }
}
