//! Whether a receiver could be sent anything: asked without sending it anything.

use chrono::{DateTime, Utc};
use reqwest::header::{AGE, DATE};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{Endpoint, Unsent, proof, signature};
use crate::policy::Answer;

/// What came back, whatever it was.
#[derive(Debug)]
pub struct Reached {
    /// HTTP status.
    pub status: u16,
    /// The receiver's own clock, in whole seconds, where it says what it is.
    pub date: Option<DateTime<Utc>>,
    /// When it was asked, by this host's clock.
    pub asked_at: DateTime<Utc>,
    /// When it had answered, by this host's clock.
    pub answered_at: DateTime<Utc>,
}

/// Why nothing came back; names nothing secret.
#[derive(Debug)]
pub struct Unreached {
    /// What it means.
    pub answer: Answer,
    /// The error and its causes.
    pub error: String,
}

impl Endpoint {
    /// One `HEAD`, which nobody takes for a sync: no body, no sync ID, no credentials.
    ///
    /// # Errors
    /// Where nothing comes back, or only a proxy's refusal.
    pub async fn reach(&self) -> Result<Reached, Unreached> {
        let mut request = Request::new(Method::HEAD, self.url.clone());
        *request.timeout_mut() = Some(self.timeout);
        let asked_at = Utc::now();
        let http = self.client.http().map_err(|unsent| Unreached {
            answer: Answer::NotSent,
            error: unsent.to_string(),
        })?;
        let response = http.execute(request).await.map_err(|error| Unreached {
            answer: self.client.way.meaning(&error),
            error: self.client.why(&error, self.timeout),
        })?;
        let status = response.status().as_u16();
        if self.client.is_proxys(status) {
            return Err(Unreached {
                answer: Answer::Proxy,
                error: format!("it answered {status}"),
            });
        }
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        // What a cache kept says when it was kept.
        let date = header(DATE).filter(|_| header(AGE).is_none());
        Ok(Reached {
            status,
            date: date
                .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
                .map(Into::into),
            asked_at,
            answered_at: Utc::now(),
        })
    }

    /// Whether there is everything that proves who we are; with OAuth2 a token is asked for. Sends the receiver nothing.
    ///
    /// # Errors
    /// What would keep a request from being sent.
    pub async fn try_credentials(&self) -> Result<(), Unsent> {
        let deadline = Instant::now() + self.timeout;
        self.client.http()?;
        proof::secret_headers(&self.secret_headers)?;
        self.identity.prove("none", b"", deadline).await.map(drop)
    }
}

/// How many bytes a signing secret has; none where it is not `whsec_` and base64.
pub fn signing_key_bytes(secret: &SecretString) -> Option<usize> {
    signature::key(secret.expose_secret()).map(|key| key.len())
}
