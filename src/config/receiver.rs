//! The settings of one receiver: where it is, what it may be sent at once, and
//! how long the relay tries.
//!
//! Not its business: HTTP. What would make a request invalid or give a secret
//! away is refused here, before anything is sent.

use std::time::Duration;

use reqwest::Url;

use super::auth::Auth;
use super::body::BodySettings;
use super::guard::Guard;
use super::headers::{Headers, static_headers};
use super::require::Requirements;
use super::shape::{Accept, Batch, Compression, Fields, Format, RemovedAs, UnitCodes, UnitIdentity, UnitStyle};
use super::tls::ClientTls;
use super::url::public_endpoint;
use settings::SecretRef;
use settings::{Section, read_nothing};
use settings::{any_integer, boolean, duration, integer, list_of, number, one_of};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A partner's endpoint and how to treat it.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// `NAME` of `[receivers.NAME]`.
    pub name: String,
    /// Where requests are posted.
    pub url: Url,
    /// Which properties become feeds by themselves.
    pub enroll: Enroll,
    /// The property groups that are sent to it; all when not set.
    pub property_groups: Option<Vec<i64>>,
    /// Which of the guide's payloads it accepts.
    pub format: Format,
    /// How a unit looks within format "property".
    pub unit_style: UnitStyle,
    /// How much one request is about.
    pub batch: Batch,
    /// The fields of a unit that are sent to it.
    pub fields: Fields,
    /// What it requires of them.
    pub require: Requirements,
    /// Whether bodies have what the guide's examples don't.
    pub extensions: bool,
    /// How a removed unit is sent.
    pub removed: RemovedAs,
    /// What it knows a unit by.
    pub unit_identity: UnitIdentity,
    /// How its unit codes come of the source's.
    pub unit_codes: UnitCodes,
    /// The most units in one request.
    pub units_per_request_max: usize,
    /// The most bytes in one request's body.
    pub body_bytes_max: usize,
    /// How bodies are packed on the wire.
    pub compression: Compression,
    /// What a 2xx must look like to count as an acknowledgement.
    pub accept: Accept,
    /// The deadline of one request, its answer's body included.
    pub timeout: Duration,
    /// The most requests at once.
    pub concurrency_max: usize,
    /// The most requests begun in a second; no limit when not set.
    pub requests_per_second_max: Option<f64>,
    /// Sent with every request: names and values.
    pub headers: Vec<(String, String)>,
    /// Those whose values are secrets, which are read with every request.
    pub secret_headers: Vec<(String, SecretRef)>,
    /// How the relay shows who it is.
    pub auth: Auth,
    /// What TLS with it goes by beyond what this host knows.
    pub tls: ClientTls,
    /// When a failed sync is tried again.
    pub retry: Retry,
    /// What happens while the receiver is down.
    pub breaker: Breaker,
    /// When removals wait for a person; set for all receivers at once.
    pub guard: Guard,
}

/// Which properties become feeds of a receiver without anybody asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enroll {
    /// Every active property.
    Active,
    /// Only properties that were enabled one by one.
    Listed,
}

/// When a failed sync is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The wait before each further attempt; attempts are one more than these.
    pub schedule: Vec<Duration>,
    /// By how much at most a wait is lengthened at random.
    pub jitter_percent: u32,
    /// The longest that a refused unit or property is left out before it is tried again.
    pub refused_max: Duration,
}

impl Retry {
    /// Its longest step.
    pub fn longest(&self) -> Duration {
        self.schedule.iter().copied().max().unwrap_or_default()
    }
}

/// What happens while a receiver is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Failed deliveries in a row after which nothing is sent but probes.
    pub failures: u32,
    /// How often one request is let through to see whether it is back.
    pub probe_every: Duration,
}

impl Receiver {
    /// A receiver with every setting at its default.
    #[must_use]
    pub fn new(name: &str, url: Url) -> Self {
        read_nothing(|section| Self::read_beside_url(name, url, false, section))
    }

    /// Everything that shows it who the relay is, and is read anew for every request.
    pub fn credentials(&self) -> Vec<&SecretRef> {
        let in_headers = self.secret_headers.iter().map(|(_, reference)| reference);
        self.auth
            .secrets()
            .into_iter()
            .chain(in_headers)
            .chain(self.tls.files())
            .collect()
    }

    /// Where it is, without what may be secret: user, password, query.
    pub fn address(&self) -> String {
        format!("{}{}", self.url.origin().ascii_serialization(), self.url.path())
    }

    pub(super) fn read(name: &str, section: &mut Section) -> Option<Self> {
        let allow_plain_http = section.take("allow_plain_http", false, boolean);
        let url = section.required("url", public_endpoint(allow_plain_http));
        let url_or_any = url.clone().unwrap_or_else(unreachable_url);
        let receiver = Self::read_beside_url(name, url_or_any, allow_plain_http, section);
        url.map(|_| receiver)
    }

    fn read_beside_url(name: &str, url: Url, allow_plain_http: bool, section: &mut Section) -> Self {
        let auth = section.section("auth", |auth| Auth::read(allow_plain_http, auth));
        let (key, directory) = (section.path_of("headers"), section.directory().to_path_buf());
        let headers = static_headers(&auth.headers(), &key, &directory);
        let headers = section.take("headers", Headers::default(), headers);
        headers
            .secret
            .iter()
            .for_each(|(_, reference)| section.keep_secret(reference));
        let tls = section.section("tls", ClientTls::read);
        if url.scheme() == "http" && tls != ClientTls::default() {
            section.refuse("tls", "is for https, and the receiver's url begins with http://");
        }
        let body = BodySettings::read(section);
        Self {
            name: name.to_owned(),
            url,
            enroll: section.take("enroll", Enroll::Active, one_of(&Enroll::CHOICES)),
            property_groups: section.optional("property_groups", list_of(any_integer)),
            format: body.format,
            unit_style: body.unit_style,
            batch: body.batch,
            fields: body.fields,
            require: body.require,
            extensions: body.extensions,
            removed: body.removed,
            unit_identity: body.unit_identity,
            unit_codes: body.unit_codes,
            units_per_request_max: body.units_per_request_max,
            body_bytes_max: section.take("body_bytes_max", 5_000_000, integer(10_000..=1_000_000_000)),
            compression: body.compression,
            accept: body.accept,
            timeout: section.take("timeout", 30 * SECOND, duration(SECOND / 10..=10 * MINUTE)),
            concurrency_max: section.take("concurrency_max", 8, integer(1..=256)),
            requests_per_second_max: section.optional("requests_per_second_max", number(0.001..=100_000.0)),
            headers: headers.plain,
            secret_headers: headers.secret,
            auth,
            tls,
            retry: section.section("retry", Retry::read),
            breaker: section.section("breaker", Breaker::read),
            guard: read_nothing(Guard::read),
        }
    }
}

impl Enroll {
    const CHOICES: [(&str, Self); 2] = [("active", Self::Active), ("listed", Self::Listed)];
}

impl Retry {
    fn read(section: &mut Section) -> Self {
        let waits = [1, 2, 5, 10].map(|minutes| minutes * MINUTE).to_vec();
        let wait = duration(Duration::from_millis(1)..=DAY);
        Self {
            schedule: section.take("schedule", waits, list_of(wait)),
            jitter_percent: section.take("jitter_percent", 10, integer(0..=100)),
            refused_max: section.take("refused_max", 30 * MINUTE, duration(SECOND..=DAY)),
        }
    }
}

impl Breaker {
    fn read(section: &mut Section) -> Self {
        Self {
            failures: section.take("failures", 10, integer(1..=1000)),
            probe_every: section.take("probe_every", 15 * MINUTE, duration(SECOND..=DAY)),
        }
    }
}

/// Stands in while the rest of a receiver without a valid URL is read; the
/// problem is noted, so it is thrown away.
fn unreachable_url() -> Url {
    Url::parse("https://receiver.invalid/").expect("it is a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_receiver_has_the_defaults() {
        let url = Url::parse("http://127.0.0.1:9/").unwrap();
        let receiver = Receiver::new("main", url);
        assert_eq!(receiver.name, "main");
        assert_eq!(receiver.timeout, Duration::from_secs(30));
        assert_eq!(receiver.retry.schedule.len(), 4);
        assert_eq!(receiver.auth, Auth::None);
    }
}
