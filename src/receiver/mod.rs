//! One receiver's HTTP endpoint: a body in, an [`Answer`](crate::policy::Answer) out.
//!
//! Sends exactly once; whether and when to send again is [`crate::policy`]'s business. No redirect is followed: the
//! body holds personal data and goes where the settings say.

mod retry_after;

use std::error::Error;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::config::{Auth, Receiver};
use crate::policy::Answer;

/// How much of an answer is read; more is not needed to know what it says.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How much of it is kept with the attempt.
const ANSWER_KEPT_CHARS: usize = 2000;
const SEQUENCE_MAX: i64 = (1 << 53) - 1;
const USER_AGENT: &str = "AiGent/1.0";
const SYNC_ID: HeaderName = HeaderName::from_static("x-aigent-sync-id");

/// A connection pool to one receiver, and what every request to it carries.
pub struct Endpoint {
    client: Client,
    url: Url,
    headers: HeaderMap,
    auth: Auth,
}

/// One try: what it means, and what to keep for whoever looks into it.
#[derive(Debug)]
pub struct Try {
    /// What it means.
    pub answer: Answer,
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer; names no secret and nothing of the body.
    pub error: Option<String>,
    /// The beginning of what the receiver said.
    pub text: Option<String>,
}

impl Endpoint {
    /// Prepares the client; connects nowhere yet.
    pub fn new(receiver: &Receiver) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &receiver.headers {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        Ok(Self {
            client: client(receiver)?,
            url: receiver.url.clone(),
            headers,
            auth: receiver.auth.clone(),
        })
    }

    /// Posts one body under its sync ID.
    ///
    /// Fails only where nothing was sent because of ourselves (a secret that can't be read).
    pub async fn post(&self, sync_id: &str, body: Vec<u8>) -> Result<Try> {
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(SYNC_ID, sync_id)
            .body(body);
        match &self.auth {
            Auth::None => {}
            Auth::ApiKey { key, header } => {
                let mut value = HeaderValue::try_from(key.read()?.expose_secret())
                    .map_err(|_| anyhow::anyhow!("{}: the secret has characters that no header can carry", key.key))?;
                value.set_sensitive(true);
                request = request.header(header, value);
            }
        }
        Ok(match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => failed(error),
        })
    }
}

fn client(receiver: &Receiver) -> Result<Client> {
    let builder = || {
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(receiver.timeout)
            .connect_timeout(receiver.timeout.min(Duration::from_secs(10)))
            .pool_max_idle_per_host(receiver.concurrency_max);
        // A proxy for the outside world has no business with this machine's own ports.
        if is_loopback(&receiver.url) {
            builder.no_proxy()
        } else {
            builder
        }
    };
    let context = || format!("preparing requests to receiver {}", receiver.name);
    match builder().build() {
        Ok(client) => Ok(client),
        // A slim container has no CA certificates; Mozilla's are compiled in.
        Err(error) if error.is_builder() => builder()
            .tls_certs_only(compiled_in_certificates()?)
            .build()
            .with_context(context),
        Err(error) => Err(error).with_context(context),
    }
}

fn compiled_in_certificates() -> Result<Vec<reqwest::Certificate>> {
    Ok(webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| reqwest::Certificate::from_der(der))
        .collect::<reqwest::Result<_>>()?)
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

async fn answered(mut response: Response) -> Try {
    let status = response.status().as_u16();
    let retry_after = retry_after_of(response.headers());
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // A success whose text broke off may be a lie; any other status has said what matters.
            Err(error) if (200..300).contains(&status) => return failed(error),
            Err(_) => break,
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    let text = String::from_utf8_lossy(&body);
    let answer = match stale(status, &body) {
        Some(sequence) => Answer::Stale { sequence },
        None => Answer::Status { status, retry_after },
    };
    Try {
        answer,
        status: Some(status),
        error: None,
        text: (!text.is_empty()).then(|| kept(&text)),
    }
}

/// PostgreSQL's text can't hold a NUL.
fn kept(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(ANSWER_KEPT_CHARS).collect()
}

fn retry_after_of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after::parse(text(RETRY_AFTER)?, text(DATE), Utc::now().into())
}

/// `{"status":"stale","sequence":N}`, with N held to what JSON carries everywhere (RFC 8259, section 6): our numbering goes on
/// above it, and must never be driven to its end. Any other text of a success says nothing that the relay acts on.
fn stale(status: u16, body: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Said {
        status: String,
        sequence: i64,
    }
    if !(200..300).contains(&status) {
        return None;
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    (said.status == "stale").then_some(said.sequence.clamp(0, SEQUENCE_MAX))
}

fn failed(error: reqwest::Error) -> Try {
    let answer = if error.is_timeout() {
        Answer::Timeout
    } else if is_certificate(&error) {
        Answer::BadCertificate
    } else if error.is_connect() {
        Answer::NotConnected
    } else {
        Answer::ConnectionLost
    };
    let status = error.status().map(|status| status.as_u16());
    Try {
        answer,
        status,
        error: Some(causes(&error.without_url())),
        text: None,
    }
}

fn is_certificate(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let tls = error.downcast_ref::<rustls::Error>().or_else(|| {
            let io = error.downcast_ref::<std::io::Error>()?;
            io.get_ref()?.downcast_ref::<rustls::Error>()
        });
        if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
