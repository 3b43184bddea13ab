//! An HTTP client for one place, and what its failures mean.
//!
//! No redirect is followed. A proxy is used where the environment names one (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
//! `NO_PROXY`), and its failures are distinguished from the receiver's as far as they can be.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Url;

use super::failure;
use super::tls::{Ca, Material};
use super::unsent::Unsent;
use super::way::Way;
use crate::config::{ClientTls, is_loopback};
use crate::fault::sentence;

const USER_AGENT: &str = "AiGent/1.0";
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// A connection pool, and how it gets to the other side.
pub(super) struct Client {
    pub way: Way,
    url: Url,
    connect_timeout: Duration,
    idle_max: usize,
    tls: ClientTls,
    ca: Ca,
    made: Mutex<Made>,
}

/// A pool, and the hash of the files that it was made with.
struct Made {
    of: [u8; 32],
    http: reqwest::Client,
}

impl Client {
    /// Connects nowhere yet. Every request brings its own deadline.
    pub fn new(url: &Url, timeout: Duration, idle_max: usize, tls: &ClientTls, ca: Ca) -> Result<Self> {
        let material = Material::read(tls)?;
        let connect_timeout = timeout.min(CONNECT_TIMEOUT_MAX);
        let http = make(url, connect_timeout, idle_max, &material, ca)
            .map_err(|error| unusable(tls, error))
            .context("preparing the HTTP client")?;
        let of = material.hash();
        Ok(Self {
            way: Way::to(url),
            url: url.clone(),
            connect_timeout,
            idle_max,
            tls: tls.clone(),
            ca,
            made: Mutex::new(Made { of, http }),
        })
    }

    /// The pool; where one of its files was exchanged, a new one, because a certificate belongs to its connection.
    pub fn http(&self) -> Result<reqwest::Client, Unsent> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tls.files().next().is_none() {
            return Ok(made.http.clone());
        }
        let material = Material::read(&self.tls)?;
        let of = material.hash();
        if made.of != of {
            let http = make(&self.url, self.connect_timeout, self.idle_max, &material, self.ca)
                .map_err(|error| unusable(&self.tls, error))
                .map_err(|error| Unsent::Secret(sentence(&error)))?;
            *made = Made { of, http };
        }
        Ok(made.http.clone())
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

fn make(url: &Url, connect_timeout: Duration, idle_max: usize, material: &Material, ca: Ca) -> Result<reqwest::Client> {
    let builder = |compiled_in: &[reqwest::Certificate]| {
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .pool_max_idle_per_host(idle_max);
        // A proxy for the outside world has no business with this machine's own ports.
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        material.put_into(builder, ca, compiled_in)
    };
    match builder(&[])?.build() {
        // A slim container has no CA certificates; Mozilla's are compiled in.
        Err(error) if error.is_builder() => Ok(builder(&compiled_in_certificates()?)?.build()?),
        built => Ok(built?),
    }
}

/// What is left to be wrong with files of the right kind: that certificate and key are no pair, above all.
fn unusable(tls: &ClientTls, error: anyhow::Error) -> anyhow::Error {
    match &tls.client {
        Some([cert, key]) => Unsent::Secret(format!(
            "{} and {} can't be used together ({}); they have to be a certificate, with what it was issued by, and its own key",
            cert.key,
            key.key,
            sentence(&error)
        ))
        .into(),
        None => error,
    }
}

fn compiled_in_certificates() -> Result<Vec<reqwest::Certificate>> {
    Ok(webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| reqwest::Certificate::from_der(der))
        .collect::<reqwest::Result<_>>()?)
}
