//! Which settings there are, and a cover of them: every shape that is allowed, and within every format each way to
//! prove oneself with each compression.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use rentsync_relay::config::{Config, Receiver};
use rentsync_sandbox::SandboxOptions;

use super::day::UNITS_PER_REQUEST_MAX;

/// All, and a few of every kind: no code, one of a lead's names, objects with gaps.
const FIELDS: [&str; 2] = [
    "exclude = []",
    "include = ['is_available', 'status_name', 'base_rent', 'bathrooms', 'view', 'lead_last_name']",
];
const AUTHS: [&str; 6] = [
    "method = 'none'",
    "method = 'api_key', key = { file = 'key' }",
    "method = 'bearer', token = { file = 'token' }",
    "method = 'static', header = 'X-Static-Token', value = { file = 'value' }",
    "method = 'hmac', secrets = [{ file = 'whsec' }, { file = 'whsec_old' }]",
    "method = 'oauth2', token_url = 'http://127.0.0.1:9/', client_id = 'aigent', \
     client_secret = { file = 'client_secret' }, scope = 'rent-roll:write', audience = 'sandbox'",
];
const COMPRESSIONS: [&str; 2] = ["none", "gzip"];
const WAYS: usize = AUTHS.len() * COMPRESSIONS.len();

const SECRETS: [(&str, &str); 6] = [
    ("key", "the key"),
    ("token", "the-token"),
    ("value", "Token the value"),
    ("whsec", "whsec_bm90LWEtc2VjcmV0LW9mLWFueWJvZHk="),
    ("whsec_old", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ("client_secret", "the client's secret"),
];

/// What a body looks like, in the words of the settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    format: &'static str,
    batch: &'static str,
    unit_style: &'static str,
    extensions: bool,
    removed: &'static str,
    fields: &'static str,
}

/// One receiver's settings.
pub struct Case {
    /// As they stand in a file.
    pub text: String,
    /// As they were read there.
    pub receiver: Receiver,
    _secrets: tempfile::TempDir,
}

/// Days enough for every shape of a format and for every way to send it.
pub fn cases(format: &str) -> Vec<Case> {
    cover(format).map(|(number, shape)| Case::new(number, shape)).collect()
}

fn cover(format: &str) -> impl Iterator<Item = (usize, Shape)> {
    let is_allowed = |shape: &Shape| shape.format == format && read(&shape.to_string(), Path::new("")).is_ok();
    let shapes: Vec<_> = every_shape().into_iter().filter(is_allowed).collect();
    let count = shapes.len().max(WAYS);
    shapes.into_iter().cycle().take(count).enumerate()
}

/// How a format's body is sent; so turned that no method always meets the same fields.
fn way(number: usize) -> (&'static str, &'static str) {
    let way = number % WAYS;
    (
        AUTHS[way / COMPRESSIONS.len()],
        COMPRESSIONS[(way + number / WAYS) % COMPRESSIONS.len()],
    )
}

fn every_shape() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for format in ["property", "flat", "unit"] {
        for batch in ["per_property", "all_properties"] {
            for unit_style in ["flat", "nested"] {
                for (extensions, removed) in [
                    (true, "list"),
                    (true, "unavailable"),
                    (false, "list"),
                    (false, "unavailable"),
                ] {
                    shapes.extend(FIELDS.map(|fields| Shape {
                        format,
                        batch,
                        unit_style,
                        extensions,
                        removed,
                        fields,
                    }));
                }
            }
        }
    }
    shapes
}

impl Case {
    fn new(number: usize, shape: Shape) -> Self {
        let (auth, compression) = way(number);
        // In some, codes are changed on the way; in others the receiver counts as down before its requests are given up.
        let prefix = if number.is_multiple_of(4) { "A-" } else { "" };
        let failures = if number.is_multiple_of(3) { 3 } else { 100 };
        let text = format!(
            "{shape}auth = {{ {auth} }}\ncompression = '{compression}'\nunit_codes.prefix = '{prefix}'\n\
             breaker.failures = {failures}\n"
        );
        let secrets = tempfile::tempdir().expect("a directory");
        for (name, secret) in SECRETS {
            std::fs::write(secrets.path().join(name), secret).expect("a secret");
        }
        let receiver = read(&text, secrets.path()).unwrap_or_else(|problems| panic!("{text}{problems}"));
        Self {
            text,
            receiver,
            _secrets: secrets,
        }
    }
}

impl fmt::Display for Shape {
    /// As it stands in a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = if self.format == "unit" {
            1
        } else {
            UNITS_PER_REQUEST_MAX
        };
        writeln!(f, "format = '{}'\nbatch = '{}'", self.format, self.batch)?;
        writeln!(
            f,
            "unit_style = '{}'\nextensions = {}",
            self.unit_style, self.extensions
        )?;
        writeln!(f, "removed = '{}'\nfields = {{ {} }}", self.removed, self.fields)?;
        writeln!(f, "units_per_request_max = {limit}")
    }
}

fn read(text: &str, directory: &Path) -> Result<Receiver, String> {
    let text = format!("[receivers.main]\nurl = 'http://127.0.0.1:9/'\n{text}");
    match Config::parse(Some(&text), &directory.join("relay.toml"), &[]) {
        Ok(config) => Ok(config.receivers["main"].clone()),
        Err(error) => Err(error.problems().join("\n")),
    }
}

#[test]
fn the_cover_has_every_shape_that_is_allowed_and_every_format_in_every_way() {
    for (format, allowed) in [("property", 24), ("flat", 12), ("unit", 6)] {
        let shapes: BTreeSet<_> = cover(format).map(|(_, shape)| shape).collect();
        let ways: BTreeSet<_> = cover(format).map(|(number, _)| way(number)).collect();
        assert_eq!((shapes.len(), ways.len()), (allowed, WAYS), "{format}");
    }
}

#[test]
fn relay_and_sandbox_allow_the_same_shapes() {
    // A sandbox of format "unit" is given no style.
    let can_be_said = |shape: &Shape| (shape.format, shape.unit_style) != ("unit", "flat");
    for shape in every_shape().into_iter().filter(can_be_said) {
        let relay = read(&shape.to_string(), Path::new(""));
        let sandbox = SandboxOptions {
            format: word(shape.format),
            batch: word(shape.batch),
            unit_style: word(shape.unit_style),
            extensions: shape.extensions,
            removed: word(shape.removed),
            ..SandboxOptions::default()
        };
        let sandbox = sandbox.check();
        assert_eq!(relay.is_ok(), sandbox.is_ok(), "{shape}{relay:?}\n{sandbox:?}");
    }
}

fn word<T: ValueEnum>(word: &str) -> T {
    T::from_str(word, false).expect("a word that both sides have")
}
