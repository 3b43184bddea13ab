//! One receiver's HTTP endpoint: a body in, an [`Answer`](crate::policy::Answer) out.
//!
//! Sends once (a token that was rejected is renewed, once, and the same bytes go again); whether and when to send again is
//! [`crate::policy`]'s business. The deadline is for all of it, the answer's body included. No redirect is followed: the
//! body holds personal data and goes where the settings say. No secret is in anything that is returned, and of what the
//! receiver said in words nothing but `Try::text`, where the names of the leads in that body are hidden too.

mod answer;
mod client;
mod failure;
mod form;
mod mask;
mod proof;
mod reach;
mod read_back;
mod retry_after;
mod signature;
mod tls;
mod token;
mod unsent;
mod way;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::Utc;
use flate2::write::GzEncoder;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Body, Method, Request, Response, Url};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::config::{ClientTls, Compression, Receiver, SecretRef};
use crate::payload::leads;
use crate::policy::Answer;

use answer::Ended;
use client::Client;
pub(crate) use mask::Mask;
use proof::{Identity, Proof};
use tls::Ca;

pub(crate) use answer::message_about;
pub use answer::{ResponseBody, UnitError};
pub use form::Form;
pub use reach::{Reached, Unreached, signing_key_bytes};
pub use read_back::ReadBack;
pub use unsent::Unsent;

/// How much of an answer is read, unpacked: an error of 8 KB for each of 500 units. A longer one is no acknowledgement.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How much of it is kept with the attempt.
const ANSWER_KEPT_CHARS: usize = 2000;
/// How much of it is searched for what is to be hidden, and one byte that says whether there is more.
const ANSWER_SEARCHED_BYTES: usize = mask::LOOKED_AT_BYTES + 1;
const GZIP_LEVEL: u32 = 6;
const SYNC_ID: HeaderName = HeaderName::from_static("x-aigent-sync-id");

/// A connection pool to one receiver, and what every request to it carries.
pub struct Endpoint {
    client: Client,
    url: Url,
    headers: HeaderMap,
    secret_headers: Vec<(HeaderName, SecretRef)>,
    compression: Compression,
    identity: Identity,
    timeout: Duration,
}

/// One try: what it means, and what to keep for whoever looks into it.
#[derive(Clone, Debug)]
pub struct Try {
    /// What it means.
    pub answer: Answer,
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer; names no secret and nothing of the body.
    pub error: Option<String>,
    /// The beginning of what the receiver said, without secrets and without the names of the body's leads.
    pub text: Option<String>,
    /// What it said that the relay acts on.
    pub said: ResponseBody,
    /// What it looks like.
    pub form: Form,
}

impl Endpoint {
    /// Prepares the client; connects nowhere yet.
    pub fn new(receiver: &Receiver) -> Result<Self> {
        let context = || format!("preparing requests to receiver {}", receiver.name);
        let (timeout, idle_max) = (receiver.timeout, receiver.concurrency_max);
        let client = |url: &Url, ca| Client::new(url, timeout, idle_max, &receiver.tls, ca).with_context(context);
        Ok(Self {
            client: client(&receiver.url, Ca::Alone)?,
            url: receiver.url.clone(),
            headers: headers(receiver)?,
            secret_headers: secret_headers(receiver)?,
            compression: receiver.compression,
            // Tokens may come from a place that anybody's CA vouches for.
            identity: Identity::new(&receiver.auth, |url| client(url, Ca::Beside))?,
            timeout: receiver.timeout,
        })
    }

    /// Posts one body under its sync ID.
    ///
    /// # Errors
    /// Only where there is no answer because of ourselves: with an [`Unsent`] for what the settings or a token endpoint
    /// have to do with it.
    pub async fn post(&self, sync_id: &str, body: Vec<u8>) -> Result<Try> {
        let deadline = Instant::now() + self.timeout;
        let names = Arc::new(leads(&body));
        let mut request = self.request(sync_id, self.packed(body).await?)?;
        let beside = proof::secret_headers(&self.secret_headers)?;
        request.headers_mut().extend(beside.headers);
        let hidden = (beside.secrets.as_slice(), &names);
        let proof = self
            .identity
            .prove(sync_id, bytes(&request), self.for_a_token(deadline))
            .await?;
        let tried = self.send(&request, &proof, hidden, deadline).await?;
        if tried.status != Some(401) {
            return Ok(tried);
        }
        match self.identity.prove_anew(&proof, self.for_a_token(deadline)).await? {
            Some(proof) => self.send(&request, &proof, hidden, deadline).await,
            None => Ok(tried),
        }
    }

    /// Never all the time there is, else the receiver would be blamed for a slow token endpoint; never more than is left.
    fn for_a_token(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.timeout / 2)
    }

    /// The bytes that go over the wire: the same for the same body.
    async fn packed(&self, body: Vec<u8>) -> Result<Vec<u8>> {
        match self.compression {
            Compression::None => Ok(body),
            // Millions of bytes are no work for a thread that others wait for.
            Compression::Gzip => tokio::task::spawn_blocking(move || gzipped(&body))
                .await
                .context("packing a body panicked")?,
        }
    }

    fn request(&self, sync_id: &str, body: Vec<u8>) -> Result<Request> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(SYNC_ID, HeaderValue::try_from(sync_id)?);
        *request.body_mut() = Some(Body::from(body));
        Ok(request)
    }

    /// `secrets` and `names`: what is hidden beside the proof.
    async fn send(
        &self,
        request: &Request,
        proof: &Proof,
        (secrets, names): (&[SecretString], &Arc<BTreeSet<String>>),
        deadline: Instant,
    ) -> Result<Try> {
        let mut request = request.try_clone().context("a request that can't be repeated")?;
        request.headers_mut().extend(proof.headers.iter().cloned());
        *request.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
        Ok(match self.client.http()?.execute(request).await {
            Ok(response) => {
                let secrets = proof.secrets.iter().chain(secrets).cloned().collect();
                self.answered(response, secrets, names.clone()).await
            }
            Err(error) => self.failed(error),
        })
    }

    async fn answered(&self, response: Response, secrets: Vec<SecretString>, names: Arc<BTreeSet<String>>) -> Try {
        let status = response.status().as_u16();
        let retry_after = retry_after_of(response.headers());
        let is_success = response.status().is_success();
        let content_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok().map(str::to_owned));
        // What the HTTP client undoes is gone from the headers.
        let is_packed = response.headers().contains_key(CONTENT_ENCODING);
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let (redirect, location) = match response.status().is_redirection() {
            true => (
                Some(self.client.redirect(location)),
                location.map(|location| format!("Location: {location}\n")),
            ),
            false => (None, None),
        };
        let (body, ended) = answer::read(response, ANSWER_BYTES_MAX).await;
        let (body, is_unpacked) = answer::unpacked(&body, ANSWER_BYTES_MAX);
        let is_whole = is_unpacked && matches!(ended, Ended::Whole);
        // A success whose text broke off may be a lie; any other status has said what matters.
        if let (Ended::Broken(error), true) = (ended, is_success) {
            return self.failed(error);
        }
        let whole = if is_whole { &*body } else { b"" };
        let (said, newest) = answer::parse(status, whole);
        let answer = match newest {
            Some(sequence) => Answer::Stale { sequence },
            None if self.client.is_proxys(status) => Answer::Proxy,
            None => Answer::Status { status, retry_after },
        };
        let form = Form::of(content_type.as_deref(), &body, is_whole);
        let form = if is_packed { form.of_packed(&body) } else { form };
        let mut text = location.unwrap_or_default().into_bytes();
        text.extend_from_slice(&body[..body.len().min(ANSWER_SEARCHED_BYTES)]);
        Try {
            answer,
            status: Some(status),
            error: redirect,
            text: kept(text, secrets, names).await,
            said,
            form,
        }
    }

    fn failed(&self, error: reqwest::Error) -> Try {
        Try {
            answer: self.client.way.meaning(&error),
            status: error.status().map(|status| status.as_u16()),
            error: Some(self.client.why(&error, self.timeout)),
            text: None,
            said: ResponseBody::default(),
            form: Form::Nothing,
        }
    }
}

impl fmt::Debug for Endpoint {
    /// Where to, and nothing of what goes along.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.url.origin().ascii_serialization();
        f.debug_struct("Endpoint")
            .field("origin", &origin)
            .finish_non_exhaustive()
    }
}

/// What is kept of an answer, if it says anything. Names by the thousand are no work for a thread that others wait for.
async fn kept(answer: Vec<u8>, secrets: Vec<SecretString>, names: Arc<BTreeSet<String>>) -> Option<String> {
    if answer.is_empty() {
        return None;
    }
    let masked = move || Mask::new(&secrets, &names).beginning(&answer, ANSWER_KEPT_CHARS);
    let text = tokio::task::spawn_blocking(masked).await.ok()?;
    (!text.is_empty()).then_some(text)
}

fn headers(receiver: &Receiver) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if receiver.compression == Compression::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in &receiver.headers {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(headers)
}

fn secret_headers(receiver: &Receiver) -> Result<Vec<(HeaderName, SecretRef)>> {
    let named = |(name, reference): &(String, SecretRef)| Ok((HeaderName::try_from(name)?, reference.clone()));
    receiver.secret_headers.iter().map(named).collect()
}

fn bytes(request: &Request) -> &[u8] {
    request.body().and_then(Body::as_bytes).unwrap_or_default()
}

/// No time and no name in the header, so that the same body is the same bytes.
fn gzipped(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

fn retry_after_of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after::parse(text(RETRY_AFTER)?, text(DATE), Utc::now().into())
}

/// A client for one place, which goes the same way out as requests to a receiver do.
pub(crate) fn client_to(url: &Url, timeout: Duration) -> Result<reqwest::Client> {
    Ok(Client::new(url, timeout, 1, &ClientTls::default(), Ca::Beside)?.http()?)
}
