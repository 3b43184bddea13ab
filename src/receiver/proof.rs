//! Showing the receiver who we are: the headers that prove it, made anew for every request.
//!
//! Secrets are read when they are used, so one that was exchanged is used at once. Not its business: what the receiver
//! thinks of them.

use chrono::Utc;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::client::Client;
use super::signature;
use super::token::Tokens;
use super::unsent::Unsent;
use crate::config::{Auth, SecretRef};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What proofs are made of.
pub(super) enum Identity {
    /// Nothing is shown.
    Nobody,
    /// A secret in a header, behind a word that says what it is.
    Header(HeaderName, &'static str, SecretRef),
    /// The request is signed.
    Signed(Vec<SecretRef>),
    /// A token that was asked for.
    Token(Box<Tokens>),
}

/// The proof for one request.
#[derive(Default)]
pub(super) struct Proof {
    /// What goes along with the request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the receiver knows or is shown and might quote.
    pub secrets: Vec<SecretString>,
    /// Which token it is, if it is one.
    pub token: Option<u64>,
}

/// What proves nothing by itself: other headers whose values are secrets.
pub(super) fn secret_headers(references: &[(HeaderName, SecretRef)]) -> Result<Proof, Unsent> {
    let mut proof = Proof::default();
    for (name, reference) in references {
        let secret = reference.read()?;
        proof.headers.push((name.clone(), in_a_header(reference, "", &secret)?));
        proof.secrets.push(secret);
    }
    Ok(proof)
}

impl Identity {
    /// `client` makes the client for a token endpoint.
    pub fn new(auth: &Auth, client: impl FnOnce(&reqwest::Url) -> anyhow::Result<Client>) -> anyhow::Result<Self> {
        Ok(match auth {
            Auth::None => Self::Nobody,
            Auth::ApiKey { key: secret, header } | Auth::Static { header, value: secret } => {
                Self::Header(HeaderName::try_from(header)?, "", secret.clone())
            }
            Auth::Bearer { token } => Self::Header(AUTHORIZATION, "Bearer ", token.clone()),
            Auth::Hmac { secrets } => Self::Signed(secrets.clone()),
            Auth::OAuth2(oauth2) => {
                let tokens = Tokens::new(oauth2.clone(), client(&oauth2.token_url)?);
                Self::Token(Box::new(tokens))
            }
        })
    }

    /// The proof for these bytes under this ID.
    pub async fn prove(&self, id: &str, body: &[u8], deadline: Instant) -> Result<Proof, Unsent> {
        match self {
            Self::Nobody => Ok(Proof::default()),
            Self::Header(name, word, reference) => in_header(name, word, reference),
            Self::Signed(references) => signed(references, id, body),
            Self::Token(tokens) => bearer(tokens, tokens.get(deadline).await?),
        }
    }

    /// Another proof in place of one that was rejected, where that may help.
    pub async fn prove_anew(&self, rejected: &Proof, deadline: Instant) -> Result<Option<Proof>, Unsent> {
        let (Self::Token(tokens), Some(number)) = (self, rejected.token) else {
            return Ok(None);
        };
        bearer(tokens, tokens.get_other_than(number, deadline).await?).map(Some)
    }
}

fn in_header(name: &HeaderName, word: &str, reference: &SecretRef) -> Result<Proof, Unsent> {
    let secret = reference.read()?;
    let value = in_a_header(reference, word, &secret)?;
    Ok(Proof {
        headers: vec![(name.clone(), value)],
        secrets: vec![secret],
        ..Proof::default()
    })
}

fn in_a_header(reference: &SecretRef, word: &str, secret: &SecretString) -> Result<HeaderValue, Unsent> {
    sensitive(&format!("{word}{}", secret.expose_secret())).ok_or_else(|| {
        let key = &reference.key;
        Unsent::Secret(format!("{key}: the secret has characters that no header can carry"))
    })
}

fn signed(references: &[SecretRef], id: &str, body: &[u8]) -> Result<Proof, Unsent> {
    let secrets = references.iter().map(SecretRef::read).collect::<Result<Vec<_>, _>>()?;
    let timestamp = Utc::now().timestamp();
    let signature = signature::sign(&secrets, id, timestamp, body).map_err(|index| {
        let key = &references[index].key;
        Unsent::Secret(format!("{key}: the secret must be whsec_ and then base64"))
    })?;
    let plain = |text: &str| HeaderValue::try_from(text).map_err(|_| Unsent::Secret(format!("{id:?} is no sync ID")));
    Ok(Proof {
        headers: vec![
            (ID, plain(id)?),
            (TIMESTAMP, timestamp.into()),
            (SIGNATURE, plain(&signature)?),
        ],
        secrets,
        ..Proof::default()
    })
}

fn bearer(tokens: &Tokens, (number, token): (u64, SecretString)) -> Result<Proof, Unsent> {
    let value = sensitive(&format!("Bearer {}", token.expose_secret()));
    let value = value.ok_or_else(|| Unsent::NoToken("the token has characters that no header can carry".to_owned()))?;
    Ok(Proof {
        headers: vec![(AUTHORIZATION, value)],
        secrets: [token].into_iter().chain(tokens.client_secret()).collect(),
        token: Some(number),
    })
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
