//! The settings of one receiver: where it is, what it may be sent at once, how
//! the relay shows who it is, and how long it tries.
//!
//! Not its business: HTTP. What would make a request invalid or give a secret
//! away is refused here, before anything is sent.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::node::{Content, Entries, Node};
use super::secret::SecretRef;
use super::section::{Found, Section, read_nothing};
use super::shape::{Batch, Compression, Fields, Format, RemovedAs, UnitCodes, UnitIdentity, UnitStyle};
use super::values::{Refusal, Taken, any_integer, boolean, duration, integer, list_of, one_of};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Headers that say what the relay sends and how; setting them would lie.
const RELAY_HEADERS: [&str; 7] = [
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Host",
    "Transfer-Encoding",
    "User-Agent",
    "X-Aigent-Sync-ID",
];

/// A partner's endpoint and how to treat it.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// `NAME` of `[receivers.NAME]`.
    pub name: String,
    /// Where requests are posted.
    pub url: Url,
    /// Which properties become feeds by themselves.
    pub enroll: Enroll,
    /// The property groups it is told about; all when not set.
    pub property_groups: Option<Vec<i64>>,
    /// Which of the guide's payloads it takes.
    pub format: Format,
    /// How a unit looks within format "property".
    pub unit_style: UnitStyle,
    /// How much one request is about.
    pub batch: Batch,
    /// The fields of a unit that it is told.
    pub fields: Fields,
    /// Whether bodies have what the guide's examples don't.
    pub extensions: bool,
    /// How a unit that went is told.
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
    /// The deadline of one request, its answer's body included.
    pub timeout: Duration,
    /// The most requests at once.
    pub concurrency_max: usize,
    /// The most requests begun in a second; no limit when not set.
    pub requests_per_second_max: Option<f64>,
    /// Sent with every request: names and values.
    pub headers: Vec<(String, String)>,
    /// How the relay shows who it is.
    pub auth: Auth,
    /// When a failed sync is tried again.
    pub retry: Retry,
    /// What happens while the receiver is down.
    pub breaker: Breaker,
}

/// Which properties a receiver is told about without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enroll {
    /// Every active property.
    Active,
    /// Only properties that were enabled one by one.
    Listed,
}

/// How the relay shows a receiver who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It doesn't.
    None,
    /// A key in a header.
    ApiKey {
        /// The key.
        key: SecretRef,
        /// The header's name.
        header: String,
    },
}

/// When a failed sync is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The wait before each further attempt; attempts are one more than these.
    pub schedule: Vec<Duration>,
    /// By how much at most a wait is lengthened at random.
    pub jitter_percent: u32,
}

/// What happens while a receiver is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Failed deliveries in a row after which nothing is sent but probes.
    pub failures: u32,
    /// How often one request is let through to see whether it is back.
    pub probe_every: Duration,
}

#[derive(Clone, Copy)]
enum Method {
    None,
    ApiKey,
}

impl Receiver {
    /// A receiver with every setting at its default.
    #[must_use]
    pub fn new(name: &str, url: Url) -> Self {
        read_nothing(|section| Self::read_beside_url(name, url, section))
    }

    pub(super) fn read(name: &str, section: &mut Section) -> Option<Self> {
        let allow_plain_http = section.take("allow_plain_http", false, boolean);
        let url = section.required("url", endpoint(allow_plain_http));
        let url_or_any = url.clone().unwrap_or_else(unreachable_url);
        let receiver = Self::read_beside_url(name, url_or_any, section);
        url.map(|_| receiver)
    }

    fn read_beside_url(name: &str, url: Url, section: &mut Section) -> Self {
        let auth = section.section("auth", Auth::read);
        let headers = static_headers(auth.header());
        Self {
            name: name.to_owned(),
            url,
            enroll: section.take("enroll", Enroll::Active, one_of(&Enroll::CHOICES)),
            property_groups: section.optional("property_groups", list_of(any_integer)),
            format: Format::Property,
            unit_style: UnitStyle::Flat,
            batch: Batch::PerProperty,
            fields: Fields::ALL,
            extensions: true,
            removed: RemovedAs::List,
            unit_identity: UnitIdentity::Property,
            unit_codes: UnitCodes::default(),
            units_per_request_max: section.take("units_per_request_max", 500, integer(1..=100_000)),
            body_bytes_max: section.take("body_bytes_max", 5_000_000, integer(10_000..=1_000_000_000)),
            compression: Compression::None,
            timeout: section.take("timeout", 30 * SECOND, duration(SECOND / 10..=10 * MINUTE)),
            concurrency_max: section.take("concurrency_max", 8, integer(1..=256)),
            requests_per_second_max: None,
            headers: section.take("headers", Vec::new(), headers),
            auth,
            retry: section.section("retry", Retry::read),
            breaker: section.section("breaker", Breaker::read),
        }
    }
}

impl Enroll {
    const CHOICES: [(&str, Self); 2] = [("active", Self::Active), ("listed", Self::Listed)];
}

impl Method {
    const CHOICES: [(&str, Self); 2] = [("none", Self::None), ("api_key", Self::ApiKey)];

    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
        }
    }
}

impl Auth {
    /// The header that carries the proof.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::ApiKey { header, .. } => Some(header),
        }
    }

    fn read(section: &mut Section) -> Self {
        let method = match section.find("method", one_of(&Method::CHOICES)) {
            Found::Value(method) => method,
            Found::Absent => Method::None,
            Found::Refused => {
                section.ignore_rest();
                return Self::None;
            }
        };
        section.keys_depend_on(format!("method = {:?}", method.word()));
        match method {
            Method::None => Some(Self::None),
            Method::ApiKey => Self::read_api_key(section),
        }
        .unwrap_or(Self::None)
    }

    fn read_api_key(section: &mut Section) -> Option<Self> {
        let key = section.secret("key");
        let header = section.take("header", "X-API-Key".to_owned(), auth_header);
        Some(Self::ApiKey { key: key?, header })
    }
}

impl Retry {
    fn read(section: &mut Section) -> Self {
        let waits = [1, 2, 5, 10].map(|minutes| minutes * MINUTE).to_vec();
        let wait = duration(Duration::from_millis(1)..=DAY);
        Self {
            schedule: section.take("schedule", waits, list_of(wait)),
            jitter_percent: section.take("jitter_percent", 10, integer(0..=100)),
        }
    }
}

impl Breaker {
    fn read(section: &mut Section) -> Self {
        Self {
            failures: 10,
            probe_every: section.take("probe_every", 15 * MINUTE, duration(SECOND..=DAY)),
        }
    }
}

/// Stands in while the rest of a receiver without a valid URL is read; the
/// problem is noted, so it is thrown away.
fn unreachable_url() -> Url {
    Url::parse("https://receiver.invalid/").expect("it is a URL")
}

/// Where requests may be posted.
fn endpoint(allow_plain_http: bool) -> impl Fn(&Node) -> Taken<Url> {
    move |node| {
        let text = node.as_str().unwrap_or_default();
        let url = Url::parse(text).ok().filter(is_http);
        // Something before an @ may be a password, in an invalid URL too.
        if text.contains('@') && url.as_ref().is_none_or(has_credentials) {
            return Err(Refusal::hiding_value(
                "must be an http or https URL without user name and password: \
                 secrets belong into the receiver's auth table, as references",
            ));
        }
        let Some(url) = url else {
            return Err(Refusal::new("must be an http or https URL"));
        };
        if url.scheme() == "http" && !allow_plain_http && !is_loopback(&url) {
            return Err(Refusal::new(
                "must be https, since plain http lets anyone on the way read and change it \
                 (allowed for this machine itself, elsewhere with allow_plain_http = true)",
            ));
        }
        Ok(url)
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn auth_header(node: &Node) -> Taken<String> {
    let name = node.as_str().filter(|name| is_header_name(name));
    let name = name.ok_or_else(|| Refusal::new("must be the name of an HTTP header"))?;
    match same_header(RELAY_HEADERS, name) {
        Some(_) => Err(Refusal::new("must be a header that the relay doesn't set")),
        None => Ok(name.to_owned()),
    }
}

/// Headers that are sent as they are written. Their values are not shown, as
/// some will be keys for all the advice against it.
fn static_headers(auth_header: Option<&str>) -> impl Fn(&Node) -> Taken<Vec<(String, String)>> {
    let reserved: Vec<String> = RELAY_HEADERS
        .into_iter()
        .chain(auth_header)
        .map(str::to_owned)
        .collect();
    move |node| {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, node) in header_entries(node)? {
            let value = header_value(&name, &node)?;
            if same_header(reserved.iter(), &name).is_some() {
                let must = format!("must not set {name:?}, which the relay itself sets");
                return Err(Refusal::hiding_value(must));
            }
            if let Some(twin) = same_header(headers.iter().map(|(name, _)| name), &name) {
                let must = format!("must not name one header twice, as {twin:?} and {name:?}");
                return Err(Refusal::hiding_value(must));
            }
            headers.push((name, value));
        }
        Ok(headers)
    }
}

fn header_entries(node: &Node) -> Taken<Entries> {
    let entries = node.clone().into_entries();
    entries.ok_or_else(|| Refusal::hiding_value("must be a table of header names and values, both strings"))
}

fn header_value(name: &str, node: &Node) -> Taken<String> {
    if let Content::Text(_) = node.content {
        // A variable's name has no hyphen, so it can't spell a header's.
        return Err(Refusal::hiding_value(
            "must be set as a whole in a variable, like '{ \"X-Partner\" = \"aigent\" }'",
        ));
    }
    if !is_header_name(name) {
        let must = format!("must have names of HTTP headers as its keys, which {name:?} is not");
        return Err(Refusal::hiding_value(must));
    }
    let value = node.as_str();
    let valid = value.filter(|value| HeaderValue::from_str(value).is_ok());
    valid.map(str::to_owned).ok_or_else(|| {
        let must = format!("must have a string of visible characters as the value of {name:?}");
        Refusal::hiding_value(must)
    })
}

fn is_header_name(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// The one among the names that is this header: case doesn't matter in them.
fn same_header<N: AsRef<str>>(names: impl IntoIterator<Item = N>, name: &str) -> Option<N> {
    let is_same = |known: &N| known.as_ref().eq_ignore_ascii_case(name);
    names.into_iter().find(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(toml: &str) -> Node {
        Node::value("relay.toml".into(), toml.parse().unwrap())
    }

    fn taken(url: &str, allow_plain_http: bool) -> Result<String, String> {
        let node = Node::text("RELAY_X".into(), url);
        let taken = endpoint(allow_plain_http)(&node);
        taken.map(String::from).map_err(|refusal| refusal.must)
    }

    #[test]
    fn plain_http_is_for_loopback_or_on_purpose() {
        for url in [
            "http://127.0.0.1:8080/v1",
            "http://127.8.8.8/",
            "http://[::1]:1/",
            "http://localhost/",
            "https://partner.example/",
        ] {
            assert_eq!(taken(url, false), Ok(url.to_owned()));
        }
        for url in [
            "http://partner.example/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://128.0.0.1/",
        ] {
            let must = taken(url, false).unwrap_err();
            assert!(must.contains("allow_plain_http = true"), "{must}");
            assert_eq!(taken(url, true), Ok(url.to_owned()));
        }
    }

    #[test]
    fn a_url_is_http_and_holds_no_password() {
        for url in ["", "partner.example", "ftp://partner.example/", "https://"] {
            assert_eq!(taken(url, true), Err("must be an http or https URL".to_owned()));
        }
        for url in ["https://me:pass@partner.example/", "https://me:pass@part ner/"] {
            let refusal = endpoint(true)(&Node::text("RELAY_X".into(), url)).unwrap_err();
            assert!(refusal.hides_value);
        }
        assert!(taken("https://partner.example/@aigent", false).is_ok());
    }

    #[test]
    fn headers_of_the_relay_are_not_for_the_settings() {
        let kind = static_headers(Some("X-API-Key"));
        for name in ["content-type", "USER-AGENT", "x-aigent-sync-id", "Host", "x-api-key"] {
            let refusal = kind(&written(&format!("{{ {name} = 'v' }}"))).unwrap_err();
            assert!(refusal.must.contains(name), "{}", refusal.must);
            assert!(refusal.hides_value);
        }
        let headers = kind(&written("{ X-Partner = 'aigent' }")).unwrap_or_default();
        assert_eq!(headers, [("X-Partner".to_owned(), "aigent".to_owned())]);
    }

    #[test]
    fn headers_are_valid_and_named_once() {
        let kind = static_headers(None);
        for wrong in [
            "{ 'X Y' = 'v' }",
            "{ '' = 'v' }",
            "{ X-Y = 1 }",
            "{ X-Y = \"a\\nb\" }",
            "{ X-Y = 'a', x-y = 'b' }",
            "'X-Y: v'",
        ] {
            assert!(kind(&written(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_choices_and_words_of_methods_agree() {
        for (word, method) in Method::CHOICES {
            assert_eq!(method.word(), word);
        }
    }

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
