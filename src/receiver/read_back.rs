//! What an endpoint shows of itself, where it does: read with the proof that a sync goes with. For `certify` alone.

use std::collections::BTreeSet;

use anyhow::Result;
use reqwest::{Method, Request, Url};
use tokio::time::Instant;

use super::answer::{self, Ended};
use super::{ANSWER_BYTES_MAX, ANSWER_KEPT_CHARS, Endpoint, Mask, proof};

/// What an endpoint shows.
pub struct ReadBack {
    /// HTTP status.
    pub status: u16,
    /// All of it.
    pub body: Vec<u8>,
    /// Its beginning, without secrets.
    pub text: String,
}

impl Endpoint {
    /// What stands at a path of the endpoint's own host, or why there is none.
    ///
    /// # Errors
    /// Where nothing was sent because of ourselves.
    pub async fn read_back(&self, path: &str) -> Result<Result<ReadBack, String>> {
        let deadline = Instant::now() + self.timeout;
        let mut url: Url = self.url.join(path)?;
        if url.origin() != self.url.origin() {
            url = self.url.clone();
        }
        let mut request = Request::new(Method::GET, url);
        for (name, value) in &self.headers {
            if name != reqwest::header::CONTENT_ENCODING && name != reqwest::header::CONTENT_TYPE {
                request.headers_mut().insert(name, value.clone());
            }
        }
        let beside = proof::secret_headers(&self.secret_headers)?;
        request.headers_mut().extend(beside.headers);
        let proof = self
            .identity
            .prove("read-back", b"", self.for_a_token(deadline))
            .await?;
        request.headers_mut().extend(proof.headers);
        *request.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
        let response = match self.client.http()?.execute(request).await {
            Ok(response) => response,
            Err(error) => return Ok(Err(self.client.why(&error, self.timeout))),
        };
        let status = response.status().as_u16();
        let (body, Ended::Whole) = answer::read(response, ANSWER_BYTES_MAX).await else {
            return Ok(Err("the answer was not whole".to_owned()));
        };
        let mask = Mask::new(proof.secrets.iter().chain(&beside.secrets), &BTreeSet::new());
        let text = mask.beginning(&body, ANSWER_KEPT_CHARS);
        Ok(Ok(ReadBack { status, body, text }))
    }
}
