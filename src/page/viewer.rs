//! Who asks, and what that one may have done.
//!
//! Without a token everybody who reaches the listener reads and nobody changes anything. With one, reading takes it as well, unless the
//! settings let anybody read (`http.anonymous_read`).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use chrono::Utc;
use secrecy::SecretString;

use super::failure::Failure;
use super::origin;
use super::session::{self, Session};
use super::site::Site;
use crate::audit::{Actor, Through};
use crate::words::in_a_line;

/// The cookie's name.
pub(super) const COOKIE: &str = "rentsync_session";
/// A longer name of a person is nobody's.
const WHO_CHARS_MAX: usize = 200;

/// Whose connection a request came over; all of one network count as one.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Viewer {
    /// Has to sign in first; `true`: did so once, and that is over.
    Stranger { was_signed_in: bool },
    /// Reads.
    Reader,
    /// Reads, and may have things done.
    Person(Person),
}

/// Who has the token.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub actor: Actor,
    /// A browser sends it, whoever has it do so.
    pub by_cookie: bool,
}

/// Headers and address, for whoever looks at them later.
pub(super) struct Caller {
    pub headers: HeaderMap,
    pub client: IpAddr,
    /// As it was asked, without our prefix.
    pub path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let client = parts.extensions.get::<Client>().map(|Client(address)| *address);
        Ok(Self {
            headers: parts.headers.clone(),
            client: client.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            path: parts
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

impl Caller {
    /// Who this is. An error: somebody who is not listened to, with or without a token.
    pub fn viewer(&self, site: &Site, through: Through) -> Result<Viewer, Failure> {
        let Some(token) = site.token()? else {
            return match site.config.http.anonymous_read || origin::names_this_machine(&self.headers) {
                true => Ok(Viewer::Reader),
                false => Err(Failure::forbidden(
                    "this is asked for by a name that is not this machine's, which a stranger's page may have done: use \
                     127.0.0.1 or localhost, or set http.token or http.anonymous_read",
                )),
            };
        };
        if let Some(bearer) = self.bearer() {
            self.check_token(site, &token, bearer)?;
            let actor = self.actor(site, through, "the token");
            return Ok(Viewer::Person(Person {
                actor,
                by_cookie: false,
            }));
        }
        let cookie = self.cookie();
        let session = cookie.and_then(|cookie| session::read(&token, cookie, Utc::now().timestamp()));
        match session {
            Some(Session { id }) => {
                let actor = self.actor(site, through, &format!("session {id}"));
                Ok(Viewer::Person(Person { actor, by_cookie: true }))
            }
            None if site.config.http.anonymous_read => Ok(Viewer::Reader),
            None => Ok(Viewer::Stranger {
                was_signed_in: cookie.is_some(),
            }),
        }
    }

    /// Whether what was given is the token; whoever guesses is not listened to for a while.
    pub fn check_token(&self, site: &Site, token: &SecretString, given: &str) -> Result<(), Failure> {
        let now = Instant::now();
        if let Some(wait) = site.tries.wait(self.client, now) {
            let sentence = "too many wrong tokens came from your address; try again in a minute";
            return Err(Failure::busy(StatusCode::TOO_MANY_REQUESTS, sentence, wait));
        }
        if session::is_token(token, given) {
            return Ok(());
        }
        site.tries.failed(self.client, now);
        tracing::warn!("a wrong http.token was given from {}", self.client);
        Err(Failure::signed_out("that is not the token that http.token refers to"))
    }

    /// Whoever the proxy before us names, where the settings say that it does.
    fn actor(&self, site: &Site, through: Through, by: &str) -> Actor {
        let header = site.config.http.user_header.as_deref();
        let named = header.and_then(|name| self.headers.get(name));
        let named = named.map(|name| String::from_utf8_lossy(name.as_bytes()));
        let named: Option<String> = named.map(|name| in_a_line(&name).chars().take(WHO_CHARS_MAX).collect());
        let from = format!("{by} from {}", self.client);
        Actor {
            who: match named.filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}, {from}"),
                None => from,
            },
            through,
        }
    }

    fn bearer(&self) -> Option<&str> {
        let text = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    fn cookie(&self) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
        named.find_map(|(name, value)| (name == COOKIE).then_some(value))
    }
}
