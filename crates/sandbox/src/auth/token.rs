//! The token endpoint, by OAuth 2.0 client credentials (RFC 6749, section 4.4), and the tokens it issued.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::received::{Digest, sha256};
use super::super::refusal::Refusal;
use super::super::request;
use super::header::{same, single};

/// How long a token lasts unless a fault says otherwise.
const EXPIRES_IN: u64 = 3600;
/// Tokens that are remembered; the oldest go first.
const TOKENS_MAX: usize = 10_000;

/// Who may ask for tokens, and which were issued.
pub struct TokenDesk {
    client_id: String,
    client_secret: String,
    scope: Option<String>,
    audience: Option<String>,
    state: Mutex<DeskState>,
}

#[derive(Default)]
struct DeskState {
    requests: u64,
    tokens: VecDeque<Token>,
}

struct Token {
    /// Not the token itself: looking a digest up reveals nothing about the token.
    digest: Digest,
    expires_at: Instant,
    revoked: bool,
}

/// How the desk stands.
#[derive(Serialize)]
pub struct Issued {
    /// Requests to the token endpoint, refused ones too.
    pub requests: u64,
    /// Tokens that are good now.
    pub live: usize,
}

/// Why there is no token (RFC 6749, section 5.2).
#[derive(Debug)]
pub struct TokenRefusal {
    /// 400, or 401 where the client is not known.
    pub status: u16,
    error: &'static str,
    description: String,
}

impl TokenRefusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        let status = if error == "invalid_client" { 401 } else { 400 };
        Self {
            status,
            error,
            description: description.into(),
        }
    }

    /// The answer's body.
    pub fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

impl TokenDesk {
    /// A desk that has issued nothing.
    pub fn new(client_id: String, client_secret: String, scope: Option<String>, audience: Option<String>) -> Self {
        Self {
            client_id,
            client_secret,
            scope,
            audience,
            state: Mutex::default(),
        }
    }

    /// Notes that somebody asked, whatever comes of it.
    pub fn asked(&self) {
        self.state().requests += 1;
    }

    /// Answers a request for a token; `lifetime` in seconds.
    pub fn issue(&self, headers: &HeaderMap, body: &[u8], lifetime: Option<u64>) -> Result<Value, TokenRefusal> {
        let form = form(headers, body)?;
        match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => {}
            Some(_) => {
                let description = "grant_type: expected client_credentials";
                return Err(TokenRefusal::new("unsupported_grant_type", description));
            }
            None => return Err(TokenRefusal::new("invalid_request", "grant_type: is missing")),
        }
        self.know_the_client(headers, &form)?;
        as_agreed("invalid_scope", "scope", form.get("scope"), self.scope.as_ref())?;
        as_agreed(
            "invalid_request",
            "audience",
            form.get("audience"),
            self.audience.as_ref(),
        )?;
        let lifetime = lifetime.unwrap_or(EXPIRES_IN);
        let token = self.new_token(lifetime);
        Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime }))
    }

    /// By HTTP Basic or in the body, never by both.
    fn know_the_client(&self, headers: &HeaderMap, form: &HashMap<String, String>) -> Result<(), TokenRefusal> {
        let in_body = form.contains_key("client_secret");
        let (id, secret) = match (headers.contains_key("authorization"), in_body) {
            (true, true) => {
                let description = "the client proves itself twice; expected HTTP Basic or the body";
                return Err(TokenRefusal::new("invalid_request", description));
            }
            (true, false) => basic(headers)?,
            (false, _) => (
                form.get("client_id").cloned().unwrap_or_default(),
                form.get("client_secret").cloned().unwrap_or_default(),
            ),
        };
        // Both are compared, whatever comes of the first.
        if same(&id, &self.client_id) & same(&secret, &self.client_secret) {
            return Ok(());
        }
        Err(TokenRefusal::new(
            "invalid_client",
            "client id or secret: is missing or wrong",
        ))
    }

    fn new_token(&self, lifetime: u64) -> String {
        let token = hex::encode(rand::random::<[u8; 32]>());
        let mut state = self.state();
        if state.tokens.len() == TOKENS_MAX {
            state.tokens.pop_front();
        }
        state.tokens.push_back(Token {
            digest: sha256(token.as_bytes()),
            expires_at: Instant::now() + Duration::from_secs(lifetime),
            revoked: false,
        });
        token
    }

    /// Whether the request carries a token that is good now.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let wrong = |what: &str| Refusal::unauthorized(format!("header Authorization: {what}"));
        let given = single(headers, "Authorization")?
            .strip_prefix("Bearer ")
            .ok_or_else(|| wrong("is no Bearer token; expected one of this server's"))?;
        let digest = sha256(given.as_bytes());
        let state = self.state();
        match state.tokens.iter().rev().find(|token| token.digest == digest) {
            None => Err(wrong("has a token that was not issued here")),
            Some(token) if token.revoked => Err(wrong("has a token that was revoked")),
            Some(token) if token.expires_at <= Instant::now() => Err(wrong("has a token that has expired")),
            Some(_) => Ok(()),
        }
    }

    /// No token issued until now is good any more.
    pub fn revoke(&self) {
        for token in &mut self.state().tokens {
            token.revoked = true;
        }
    }

    /// How it stands.
    pub fn issued(&self) -> Issued {
        let (state, now) = (self.state(), Instant::now());
        let live = |token: &&Token| !token.revoked && token.expires_at > now;
        Issued {
            requests: state.requests,
            live: state.tokens.iter().filter(live).count(),
        }
    }

    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body's parameters, each once.
fn form(headers: &HeaderMap, body: &[u8]) -> Result<HashMap<String, String>, TokenRefusal> {
    let invalid = |description: String| TokenRefusal::new("invalid_request", description);
    let media = request::single(headers, "Content-Type").map_err(|refusal| invalid(refusal.message))?;
    let media = media.split(';').next().unwrap_or_default().trim();
    if media != "application/x-www-form-urlencoded" {
        return Err(invalid(
            "header Content-Type: expected application/x-www-form-urlencoded".into(),
        ));
    }
    let mut form = HashMap::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        if form.contains_key(&name) {
            return Err(invalid(format!("{name}: appears twice; expected each parameter once")));
        }
        form.insert(name, value);
    }
    Ok(form)
}

/// Id and secret of HTTP Basic, each form-encoded (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<(String, String), TokenRefusal> {
    let read = || {
        let given = request::single(headers, "Authorization").ok()?;
        let decoded = BASE64.decode(given.strip_prefix("Basic ")?).ok()?;
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((form_decoded(id), form_decoded(secret)))
    };
    read().ok_or_else(|| TokenRefusal::new("invalid_client", "header Authorization: is no HTTP Basic"))
}

fn form_decoded(text: &str) -> String {
    // As the value of a nameless parameter; neither of the two has a bare & or =.
    let parameter = format!("={text}");
    form_urlencoded::parse(parameter.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn as_agreed(
    error: &'static str,
    name: &str,
    given: Option<&String>,
    agreed: Option<&String>,
) -> Result<(), TokenRefusal> {
    if given == agreed {
        return Ok(());
    }
    let expected = agreed.map_or("none", String::as_str);
    Err(TokenRefusal::new(
        error,
        format!("{name}: is not as agreed; expected {expected}"),
    ))
}
