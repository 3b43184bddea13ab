//! Tokens by OAuth2 client credentials (RFC 6749, section 4.4): one for all requests, asked for once however many wait.
//!
//! A token is renewed before it ends, by one request while the others go on with the old one; where that fails the old
//! one serves until its end. Not its business: the receiver's answer to a token.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Ended};
use super::client::Client;
use super::unsent::Unsent;
use crate::config::OAuth2;

/// More of an answer is never a token.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// A token is renewed at least this long before it ends.
const RENEWAL_LEAD: Duration = Duration::from_secs(10);
/// And a failed renewal is left for so long, while the old one is good.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);
/// Longer than any token lives; what an endpoint says beyond is a mistake.
const LIFE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// What a token endpoint may say is wrong (RFC 6749, section 5.2). Nothing else of its answer is ever shown.
const ERROR_CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// The token of one receiver, and how to get the next.
pub(super) struct Tokens {
    client: Client,
    settings: OAuth2,
    /// Held by whoever asks for a token.
    asking: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    token: Option<Token>,
    /// How often the endpoint was asked, to distinguish who came while it was.
    rounds: u64,
    /// What came of it the last time, if no token.
    failure: Option<Unsent>,
}

#[derive(Clone)]
struct Token {
    /// Which round it comes from.
    number: u64,
    text: SecretString,
    /// When to renew it and when it ends; known to its endpoint alone where it doesn't say.
    life: Option<Life>,
}

#[derive(Clone, Copy)]
struct Life {
    renew_at: Instant,
    ends_at: Instant,
}

/// What there is to go on with.
enum TokenState {
    Good(Token),
    /// Good still, but not for long.
    Ending(Token),
    None,
}

impl Tokens {
    pub fn new(settings: OAuth2, client: Client) -> Self {
        Self {
            client,
            settings,
            asking: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// A token and its number.
    pub async fn get(&self, deadline: Instant) -> Result<(u64, SecretString), Unsent> {
        let token = match self.standing(None) {
            TokenState::Good(token) => token,
            TokenState::Ending(token) => self.renewed(token, deadline).await,
            TokenState::None => self.awaited(None, deadline).await?,
        };
        Ok((token.number, token.text))
    }

    /// A token other than this one, which the receiver rejects.
    pub async fn get_other_than(&self, refused: u64, deadline: Instant) -> Result<(u64, SecretString), Unsent> {
        let token = match self.standing(Some(refused)) {
            TokenState::Good(token) | TokenState::Ending(token) => token,
            TokenState::None => self.awaited(Some(refused), deadline).await?,
        };
        Ok((token.number, token.text))
    }

    fn standing(&self, refused: Option<u64>) -> TokenState {
        let now = Instant::now();
        let token = self.known().token.clone();
        match token.filter(|token| Some(token.number) != refused) {
            Some(token) => match token.life {
                Some(life) if life.ends_at <= now => TokenState::None,
                Some(life) if life.renew_at <= now => TokenState::Ending(token),
                _ => TokenState::Good(token),
            },
            None => TokenState::None,
        }
    }

    /// The next token, or this one where another request sees to it or it can't be had.
    async fn renewed(&self, token: Token, deadline: Instant) -> Token {
        let Ok(_asking) = self.asking.try_lock() else {
            return token;
        };
        match self.ask(deadline).await {
            Ok(next) => next,
            Err(why) => {
                let host = self.host();
                tracing::warn!(%host, %why, "the token can't be renewed; the old one is still good");
                self.leave_renewal();
                token
            }
        }
    }

    /// The token that is asked for now: by this request, or by one that this one waits for.
    async fn awaited(&self, refused: Option<u64>, deadline: Instant) -> Result<Token, Unsent> {
        let came_in = self.known().rounds;
        let Ok(_asking) = timeout_at(deadline, self.asking.lock()).await else {
            return Err(self.no_token("gave no answer in time"));
        };
        if let TokenState::Good(token) | TokenState::Ending(token) = self.standing(refused) {
            return Ok(token);
        }
        let shared = self.failure_since(came_in);
        match shared {
            Some(failure) => Err(failure),
            None => self.ask(deadline).await,
        }
    }

    fn failure_since(&self, round: u64) -> Option<Unsent> {
        let known = self.known();
        known.failure.clone().filter(|_| known.rounds > round)
    }

    async fn ask(&self, deadline: Instant) -> Result<Token, Unsent> {
        let answer = self.fetch(deadline).await;
        let mut known = self.known();
        known.rounds += 1;
        let token = answer.map(|granted| granted.into_token(known.rounds, Instant::now()));
        known.failure = token.as_ref().err().cloned();
        if let Ok(token) = &token {
            known.token = Some(token.clone());
        }
        token
    }

    fn leave_renewal(&self) {
        if let Some(life) = self.known().token.as_mut().and_then(|token| token.life.as_mut()) {
            life.renew_at = Instant::now() + RENEWAL_PAUSE;
        }
    }

    async fn fetch(&self, deadline: Instant) -> Result<Granted, Unsent> {
        let request = self.request(deadline)?;
        let left = deadline.saturating_duration_since(Instant::now());
        // What people set are seconds.
        let left = Duration::from_secs_f64((left.as_secs_f64() * 10.0).round() / 10.0);
        let response = self.client.http()?.execute(request).await;
        let response = response.map_err(|error| self.failed(&error, left))?;
        let status = response.status().as_u16();
        let (body, ended) = answer::read(response, ANSWER_BYTES_MAX).await;
        if let Ended::Broken(error) = ended {
            return Err(self.failed(&error, left));
        }
        match status {
            200..=299 => Granted::parse(&body)
                .ok_or_else(|| self.no_token("answered, but with no bearer token that a header can carry")),
            400 | 401 | 403 => Err(Unsent::TokenRefused(self.refusal(status, &body))),
            _ => Err(self.no_token(&format!("answered {status}"))),
        }
    }

    fn request(&self, deadline: Instant) -> Result<Request, Unsent> {
        let settings = &self.settings;
        let secret = settings.client_secret.read()?;
        let mut request = Request::new(reqwest::Method::POST, settings.token_url.clone());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, basic(&settings.client_id, &secret));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        *request.body_mut() = Some(form(settings).into());
        *request.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
        Ok(request)
    }

    /// What proves to the endpoint who we are, while it can be read.
    pub fn client_secret(&self) -> Option<SecretString> {
        self.settings.client_secret.read().ok()
    }

    fn refusal(&self, status: u16, body: &[u8]) -> String {
        let host = self.host();
        let code = error_code(body).map_or(String::new(), |code| format!(" ({code})"));
        format!(
            "the token endpoint at {host} answered {status}{code}: nothing was sent; \
             look at client_id, client_secret, scope and audience"
        )
    }

    fn failed(&self, error: &reqwest::Error, timeout: Duration) -> Unsent {
        self.no_token(&format!("gave no answer ({})", self.client.why(error, timeout)))
    }

    fn no_token(&self, what: &str) -> Unsent {
        let host = self.host();
        Unsent::NoToken(format!("the token endpoint at {host} {what}: nothing was sent"))
    }

    fn host(&self) -> String {
        origin(&self.settings.token_url)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // No code can panic while it is held.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a token endpoint grants (RFC 6749, section 5.1).
struct Granted {
    token: SecretString,
    life: Option<Duration>,
}

impl Granted {
    fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct TokenAnswer {
            access_token: String,
            token_type: Option<String>,
            #[serde(default)]
            expires_in: serde_json::Value,
        }
        let said: TokenAnswer = serde_json::from_slice(body).ok()?;
        let is_bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
        let usable = said.token_type.as_ref().is_none_or(is_bearer) && is_usable(&said.access_token);
        usable.then_some(Self {
            token: said.access_token.into(),
            life: life(&said.expires_in),
        })
    }

    fn into_token(self, number: u64, now: Instant) -> Token {
        let life = self.life.map(|life| Life {
            renew_at: now + renew_after(life),
            ends_at: now + life,
        });
        Token {
            number,
            text: self.token,
            life,
        }
    }
}

/// What a header can carry (RFC 6750, section 2.1, and a little more).
fn is_usable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Seconds, as a number or as a string of one. Nothing sensible means: until the receiver says no.
fn life(expires_in: &serde_json::Value) -> Option<Duration> {
    let seconds = match expires_in {
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    let life = Duration::try_from_secs_f64(seconds).ok()?;
    (life >= Duration::from_secs(1)).then_some(life.min(LIFE_MAX))
}

/// At four fifths of its life, and never in its last seconds.
fn renew_after(life: Duration) -> Duration {
    (life / 5 * 4).min(life.saturating_sub(RENEWAL_LEAD))
}

/// Client credentials in the header (RFC 6749, section 2.3.1): each form-encoded before they are joined.
fn basic(client_id: &str, client_secret: &SecretString) -> HeaderValue {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(client_secret.expose_secret()));
    let mut value =
        HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).expect("base64 is fit for a header");
    value.set_sensitive(true);
    value
}

fn form(settings: &OAuth2) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    for (name, value) in [("scope", &settings.scope), ("audience", &settings.audience)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

fn error_code(body: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct TokenAnswer {
        error: String,
    }
    let said: TokenAnswer = serde_json::from_slice(body).ok()?;
    ERROR_CODES.into_iter().find(|code| *code == said.error)
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_token_is_renewed_at_four_fifths_and_never_in_its_last_seconds() {
        assert_eq!(renew_after(3600 * SECOND), 2880 * SECOND);
        assert_eq!(renew_after(50 * SECOND), 40 * SECOND);
        assert_eq!(renew_after(30 * SECOND), 20 * SECOND);
        assert_eq!(renew_after(10 * SECOND), Duration::ZERO);
        assert_eq!(renew_after(SECOND), Duration::ZERO);
    }

    #[test]
    fn what_is_no_life_means_until_it_is_refused() {
        assert_eq!(life(&json!(3600)), Some(3600 * SECOND));
        assert_eq!(life(&json!("3600")), Some(3600 * SECOND));
        assert_eq!(life(&json!(1e300)), None);
        assert_eq!(life(&json!(1e12)), Some(LIFE_MAX));
        for nothing in [json!(null), json!(0), json!(-5), json!("soon"), json!("NaN"), json!([])] {
            assert_eq!(life(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_grant_is_a_bearer_token() {
        let granted = |body: serde_json::Value| Granted::parse(body.to_string().as_bytes()).is_some();
        assert!(granted(
            json!({ "access_token": "t", "token_type": "bearer", "expires_in": 60 })
        ));
        assert!(granted(json!({ "access_token": "t" })));
        assert!(!granted(json!({ "access_token": "t", "token_type": "DPoP" })));
        for unusable in ["", "two words", "line\nbreak", "gr\u{fc}n"] {
            assert!(!granted(json!({ "access_token": unusable })), "{unusable:?}");
        }
        assert!(!granted(json!({ "token": "t" })));
        assert!(Granted::parse(b"<html>").is_none());
    }

    #[test]
    fn credentials_are_form_encoded_before_they_are_joined() {
        let value = basic("a:b c", &SecretString::from("p%ü+/"));
        let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(pair, "a%3Ab+c:p%25%C3%BC%2B%2F");
        assert!(value.is_sensitive());
    }

    #[test]
    fn only_known_error_codes_are_shown() {
        assert_eq!(error_code(br#"{"error":"invalid_client"}"#), Some("invalid_client"));
        assert_eq!(error_code(br#"{"error":"hunter2 is wrong"}"#), None);
        assert_eq!(error_code(b"hunter2"), None);
    }
}
