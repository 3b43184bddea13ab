//! What a request asks for: the parts of its path and its query, by name.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::failure::Failure;

/// Values by name. What is empty was not said.
#[derive(Debug, Default)]
pub(super) struct Ask(BTreeMap<String, String>);

/// A longer value is nobody's.
const CHARS_MAX: usize = 500;

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        values.extend(query);
        let path = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::unreadable("the address is no UTF-8"))?;
        // The path wins: it says what the request is about.
        values.extend(path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        if values.values().any(|value| value.chars().count() > CHARS_MAX) {
            return Err(Failure::unreadable(format!(
                "a value is longer than {CHARS_MAX} characters"
            )));
        }
        if values.values().any(|value| value.contains('\0')) {
            return Err(Failure::unreadable("a value has a NUL in it"));
        }
        Ok(Self(values))
    }
}

impl Ask {
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = |_| Failure::unreadable(format!("{name} has to be a number"));
        text.parse().map(Some).map_err(wrong)
    }

    /// What the path has, so that it is always said.
    pub fn id(&self, name: &str) -> Result<i64, Failure> {
        let missing = || Failure::unreadable(format!("{name} is missing"));
        self.number(name)?.ok_or_else(missing)
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.text(name).is_some()
    }
}
