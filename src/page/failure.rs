//! What can't be answered: a status and one sentence, as a page or as JSON.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::fault::{self, sentence};

/// Why not.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: StatusCode,
    /// What failed, on what, what to do.
    pub sentence: String,
    retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
            retry_after: None,
        }
    }

    /// The request makes no sense.
    pub fn unreadable(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// There is nothing of that kind.
    pub fn unknown(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// Whoever asks may not have that done.
    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }

    /// Whoever asks has to say who it is.
    pub fn signed_out(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, sentence)
    }

    /// Others are in the way for a while.
    pub fn busy(status: StatusCode, sentence: impl Into<String>, after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::new(status, sentence)
        }
    }

    /// For a program.
    pub fn json(self) -> Response {
        let body = Json(json!({ "error": self.sentence }));
        self.with(body.into_response())
    }

    /// The headers of this failure on an answer that says it.
    pub fn with(&self, answer: Response) -> Response {
        let mut answer = answer;
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        answer
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.json()
    }
}

/// A failure of the stages beneath, by the exit code that a command would end in.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        if is_too_slow(&error) {
            return Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "reading this takes longer than a page may keep the database busy; the command line has no such bound",
            );
        }
        let status = match fault::exit_code(&error) {
            2 => StatusCode::UNPROCESSABLE_ENTITY,
            3 => StatusCode::SERVICE_UNAVAILABLE,
            _ if error.is::<fault::Fault>() => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, sentence(&error))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

fn is_too_slow(error: &anyhow::Error) -> bool {
    let code = fault::database_error(error).and_then(|error| error.as_database_error()?.code());
    // Cancelled by its timeout, or by the one for locks.
    matches!(code.as_deref(), Some("57014" | "55P03"))
}
