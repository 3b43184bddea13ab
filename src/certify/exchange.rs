//! One request and how it was answered, as a report shows it and as a verdict reads it.

use std::time::Duration;

use serde::Serialize;

use crate::policy::Answer;
use crate::receiver::{Form, Try};

/// Of a body so much is kept; an answer is cut where it is read.
pub const KEPT_CHARS: usize = 2_000;

/// A request and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    pub says: String,
    pub request: String,
    pub sync_id: Option<String>,
    /// Of the body, before it is packed.
    pub bytes: usize,
    pub body: Option<String>,
    pub status: Option<u16>,
    pub answer: Option<String>,
    pub error: Option<String>,
    pub milliseconds: f64,
    #[serde(skip)]
    pub tried: Option<Try>,
    #[serde(skip)]
    pub asks_digest: bool,
    /// What it answered as its digest is that of something it may hold.
    #[serde(skip)]
    pub digest_fits: Option<bool>,
}

impl Exchange {
    /// Whether the relay would go on as if it were applied.
    pub fn is_acknowledged(&self) -> bool {
        let Some(tried) = &self.tried else { return false };
        let is_success = matches!(tried.answer, Answer::Status { status: 200..300, .. });
        is_success && self.stale().is_none() && !matches!(tried.form, Form::Html | Form::Unread)
    }

    /// The newest sequence that it says it has, where it says so.
    pub fn stale(&self) -> Option<i64> {
        let tried = self.tried.as_ref()?;
        match tried.answer {
            Answer::Stale { sequence } => Some(sequence),
            _ => tried.said.stale.first().map(|(_, sequence)| *sequence),
        }
    }

    /// The digest that it answered.
    pub fn digest(&self) -> Option<&str> {
        let said = &self.tried.as_ref()?.said;
        let of_batch = said.properties.first().map(|(_, digest)| digest.as_str());
        said.property_digest.as_deref().or(of_batch)
    }

    /// For how long it asks to be left alone, where it was answered 429.
    pub fn limit(&self) -> Option<Option<Duration>> {
        match self.tried.as_ref()?.answer {
            Answer::Status {
                status: 429,
                retry_after,
            } => Some(retry_after),
            _ => None,
        }
    }

    /// How it was answered, in words.
    pub fn in_words(&self) -> String {
        match (self.stale(), self.status, &self.error) {
            (Some(sequence), ..) => format!("answered as stale, with sequence {sequence}"),
            (None, Some(status), _) if self.tried.as_ref().is_some_and(|tried| tried.form == Form::Html) => {
                format!("answered {status} with an HTML page")
            }
            (None, Some(status), _) => format!("answered {status}"),
            (None, None, Some(error)) => format!("not answered: {error}"),
            (None, None, None) => "not answered".to_owned(),
        }
    }
}

/// The beginning and the end, which is what a report has room for.
pub fn cut(text: &str, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text.to_owned();
    }
    let end = chars_max / 3;
    let head: String = text.chars().take(chars_max - end).collect();
    let tail: String = text.chars().skip(chars - end).collect();
    format!("{head} … {tail}")
}
