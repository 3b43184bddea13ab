//! An answer as it goes out, by the contract or by a fault, and what may be wrong with its way out.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;

/// How much is sent at a time of a body that is filled up.
const CHUNK: u64 = 64 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers, beside those that every answer has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: String,
    /// What comes after the body.
    pub tail: Tail,
}

/// What follows an answer's body: nothing, spaces, or spaces without end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The body is filled up with spaces to this size.
    pub bytes: Option<u64>,
    /// And then one more space each time so long has passed, for ever.
    pub trickle: Option<Duration>,
}

impl HttpAnswer {
    /// With nothing wrong about it.
    pub fn plain(status: u16, body: String) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            tail: Tail::default(),
        }
    }

    /// One of the sandbox's own types as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value).expect("the sandbox's own types are JSON");
        Self::plain(status, body)
    }

    /// As axum sends it.
    pub fn response(self) -> Response {
        let mut response = Response::new(self.tail.after(self.body));
        // Only what was checked when the fault was set can get here.
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

impl Tail {
    fn after(self, body: String) -> Body {
        if self == Self::default() {
            return Body::from(body);
        }
        let spaces = self.bytes.unwrap_or(0).saturating_sub(body.len() as u64);
        let rest = Rest {
            body: Some(body),
            spaces,
            trickle: self.trickle,
        };
        Body::from_stream(stream::unfold(rest, |mut rest| async move {
            let chunk = rest.next().await?;
            Some((Ok::<_, Infallible>(chunk), rest))
        }))
    }
}

/// What is still to be sent.
struct Rest {
    body: Option<String>,
    spaces: u64,
    trickle: Option<Duration>,
}

impl Rest {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(body) = self.body.take() {
            return Some(body.into());
        }
        if self.spaces > 0 {
            let chunk = self.spaces.min(CHUNK);
            self.spaces -= chunk;
            return Some(" ".repeat(chunk as usize).into());
        }
        tokio::time::sleep(self.trickle?).await;
        Some(Bytes::from_static(b" "))
    }
}
