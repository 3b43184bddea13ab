//! An HTTP client for one place, and what its failures mean.
//!
//! No redirect is followed. A proxy is used where the environment names one (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
//! `NO_PROXY`), and its failures are distinguished from the receiver's as far as they can be.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Url;

use super::failure;
use super::way::Way;
use crate::config::is_loopback;

const USER_AGENT: &str = "AiGent/1.0";
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// A connection pool, and how it gets to the other side.
pub(super) struct Client {
    pub http: reqwest::Client,
    pub way: Way,
    url: Url,
    connect_timeout: Duration,
}

impl Client {
    /// Connects nowhere yet. Every request brings its own deadline.
    pub fn new(url: &Url, timeout: Duration, idle_max: usize) -> Result<Self> {
        let connect_timeout = timeout.min(CONNECT_TIMEOUT_MAX);
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(connect_timeout)
                .pool_max_idle_per_host(idle_max);
            // A proxy for the outside world has no business with this machine's own ports.
            if is_loopback(url) { builder.no_proxy() } else { builder }
        };
        let http = match builder().build() {
            // A slim container has no CA certificates; Mozilla's are compiled in.
            Err(error) if error.is_builder() => builder().tls_certs_only(compiled_in_certificates()?).build(),
            built => built,
        };
        Ok(Self {
            http: http.context("preparing the HTTP client")?,
            way: Way::to(url),
            url: url.clone(),
            connect_timeout,
        })
    }

    /// Why there was no answer, in words; `timeout` is how long all of it may take.
    pub fn why(&self, error: &reqwest::Error, timeout: Duration) -> String {
        failure::in_words(error, &self.url, self.way, timeout, self.connect_timeout)
    }

    /// Where a redirect that isn't followed would go, in words.
    pub fn redirect(&self, location: Option<&str>) -> String {
        failure::redirect(location, &self.url)
    }

    /// Whether an answer of this status is a proxy's and not the receiver's.
    pub fn is_proxys(&self, status: u16) -> bool {
        self.way == Way::Forwarded && status == 407
    }
}

fn compiled_in_certificates() -> Result<Vec<reqwest::Certificate>> {
    Ok(webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| reqwest::Certificate::from_der(der))
        .collect::<reqwest::Result<_>>()?)
}
