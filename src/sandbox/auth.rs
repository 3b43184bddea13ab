//! Who may tell the sandbox anything. Only the endpoint itself is guarded; the state is open.

use axum::http::HeaderMap;

use super::refusal::Refusal;

/// How the sender has to prove itself.
#[derive(Clone, Default)]
pub enum SandboxAuth {
    /// Anyone may send.
    #[default]
    None,
    /// One header with one value, such as `X-API-Key`.
    Header {
        /// The header's name, in any case.
        name: String,
        /// The only value that is right.
        value: String,
    },
}

impl SandboxAuth {
    /// Whether the request carries the expected credential, exactly once.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Self::None => Ok(()),
            Self::Header { name, value } => {
                let mut found = headers.get_all(name.as_str()).iter();
                match (found.next(), found.next()) {
                    (None, _) => Err(Refusal::unauthorized(format!(
                        "header {name}: is missing; expected the agreed key"
                    ))),
                    (Some(only), None) if only.as_bytes() == value.as_bytes() => Ok(()),
                    _ => Err(Refusal::unauthorized(format!(
                        "header {name}: is wrong; expected the agreed key, once"
                    ))),
                }
            }
        }
    }
}
