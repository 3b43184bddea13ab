//! Why a request is refused: a status and one sentence.
//!
//! The sentence names the place (a JSON path or a header), what is wrong there and what was
//! expected. It never repeats a unit's values: whoever logs it logs no personal data.

use serde_json::json;

/// A request that the sandbox doesn't take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status of the answer.
    pub status: u16,
    /// What is wrong, where, and what was expected.
    pub message: String,
}

impl Refusal {
    /// The body or a header breaks the contract at `place`.
    pub fn breach(place: impl std::fmt::Display, what: impl std::fmt::Display) -> Self {
        Self {
            status: 400,
            message: format!("{place}: {what}"),
        }
    }

    /// The credential is missing or wrong.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self {
            status: 401,
            message: message.into(),
        }
    }

    /// The body is larger than the sandbox reads.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self {
            status: 413,
            message: message.into(),
        }
    }

    /// The answer's body.
    pub fn body(&self) -> String {
        json!({ "error": self.message }).to_string()
    }
}
