//! Who may send the sandbox anything. Only the endpoint itself is guarded; the state is open.
//!
//! Secrets are compared in constant time and never shown.

mod header;
mod signature;
mod token;

use axum::http::{HeaderMap, HeaderName};

use super::refusal::Refusal;

use header::{same, single};
use signature::Signature;
pub use token::TokenDesk;

/// How the sender has to prove itself.
#[derive(Clone, Default)]
pub enum SandboxAuth {
    /// Anyone may send.
    #[default]
    None,
    /// One header with one value: an API key, a static token, or `Authorization: Bearer …`.
    Header {
        /// The header's name, in any case.
        name: String,
        /// The only value that is right.
        value: String,
    },
    /// A payload signed by Standard Webhooks.
    Hmac {
        /// `whsec_` and the key in base64.
        secret: String,
    },
    /// A bearer token from the sandbox's own token endpoint, by client credentials.
    OAuth2 {
        /// Who asks for tokens.
        client_id: String,
        /// Its proof.
        client_secret: String,
        /// The scope to be asked for; none is to be asked for without it.
        scope: Option<String>,
        /// The audience to be asked for; none is to be asked for without it.
        audience: Option<String>,
    },
}

/// The agreed proof, ready to be checked.
pub enum Gate {
    /// Anyone may send.
    Open,
    /// See [`SandboxAuth::Header`].
    Header {
        /// The header's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// See [`SandboxAuth::Hmac`].
    Signed(Signature),
    /// See [`SandboxAuth::OAuth2`].
    Token(TokenDesk),
}

impl Gate {
    /// Reads what was agreed; the error says what is wrong with it.
    pub fn agreed(auth: SandboxAuth) -> Result<Self, String> {
        Ok(match auth {
            SandboxAuth::None => Self::Open,
            SandboxAuth::Header { name, value } => {
                HeaderName::try_from(&name).map_err(|_| format!("auth: {name:?} is no header's name"))?;
                Self::Header { name, value }
            }
            SandboxAuth::Hmac { secret } => Self::Signed(Signature::with(&secret)?),
            SandboxAuth::OAuth2 {
                client_id,
                client_secret,
                scope,
                audience,
            } => Self::Token(TokenDesk::new(client_id, client_secret, scope, audience)),
        })
    }

    /// Whether the request proves its sender; `wire` is its body as it came.
    pub fn check(&self, headers: &HeaderMap, wire: &Result<Vec<u8>, Refusal>) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Header { name, value } => {
                let given = single(headers, name)?;
                if same(given, value) {
                    return Ok(());
                }
                Err(Refusal::unauthorized(format!(
                    "header {name}: is wrong; expected the agreed value"
                )))
            }
            Self::Signed(signature) => match wire {
                Ok(wire) => signature.check(headers, wire),
                // What could not be read can't be proven either.
                Err(refusal) => Err(refusal.clone()),
            },
            Self::Token(desk) => desk.check(headers),
        }
    }

    /// The token endpoint, where there is one.
    pub fn token_desk(&self) -> Option<&TokenDesk> {
        match self {
            Self::Token(desk) => Some(desk),
            Self::Open | Self::Header { .. } | Self::Signed(_) => None,
        }
    }
}
