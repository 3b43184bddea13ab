//! Where the relay itself can be asked over HTTP, and who may.
//!
//! Not its business: what it answers.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use settings::Node;
use settings::Section;
use settings::{Refusal, SettingsError, Validated, boolean, text};
use settings::{SecretRef, secret};

/// What exporters of this format often take.
const PORT: u16 = 9464;

/// Where the relay itself can be asked.
#[derive(Clone, Debug)]
pub struct Http {
    /// Address and port; nowhere when not set.
    pub listen: Option<SocketAddr>,
    /// What signs in to the page and the API; without it nobody changes anything there.
    pub token: Option<SecretRef>,
    /// Whoever reaches the listener may read.
    pub anonymous_read: bool,
    /// What the page's addresses begin with; empty, or `/` and more without a `/` at its end.
    pub path_prefix: String,
    /// In which header the proxy before the page says who somebody is, for the audit.
    pub user_header: Option<String>,
}

/// A shorter one can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

impl Http {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        Self {
            listen: section.take("listen", default, address),
            token: token(section),
            anonymous_read: section.take("anonymous_read", false, boolean),
            path_prefix: section.take("path_prefix", String::new(), prefix()),
            user_header: section.optional("user_header", header_name()),
        }
    }

    /// Whether a relay may listen so: nobody else's machine is to read the rent roll because nobody thought of it, and a token is to
    /// be one.
    ///
    /// # Errors
    /// When it may not, with what to set.
    pub fn check(&self) -> Result<(), SettingsError> {
        let is_open = self.listen.is_some_and(|address| !address.ip().is_loopback());
        if is_open && self.token.is_none() && !self.anonymous_read {
            return Err(SettingsError::new(
                "http.listen is reached from other machines, and without http.token whoever reaches it would read the rent roll: set \
                 http.token, or http.anonymous_read = true where that is meant, or listen on 127.0.0.1.",
            ));
        }
        self.token_now().map(drop)
    }

    /// The token as it is now, which may be another file's by then.
    ///
    /// # Errors
    /// When it can't be read, or is too short to be one: a file that is just being written may be read in part.
    pub fn token_now(&self) -> Result<Option<SecretString>, SettingsError> {
        let token = self.token.as_ref().map(SecretRef::read).transpose()?;
        match token.as_ref().map(|token| token.expose_secret().chars().count()) {
            Some(..TOKEN_CHARS_MIN) => Err(SettingsError::new(format!(
                "http.token is shorter than {TOKEN_CHARS_MIN} characters and can be guessed: use a long random one, for example what \
                 `openssl rand -hex 32` prints."
            ))),
            _ => Ok(token),
        }
    }
}

fn token(section: &mut Section) -> Option<SecretRef> {
    let (path, directory) = (section.path_of("token"), section.directory().to_owned());
    let token = section.optional("token", secret(&path, &directory));
    if let Some(token) = &token {
        section.keep_secret(token);
    }
    token
}

fn prefix() -> impl Fn(&Node) -> Validated<String> {
    /// These stay where every probe and scrape looks for them.
    const RESERVED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
    let is_path = |text: &str| text.starts_with('/') && text.split('/').skip(1).all(is_segment);
    text(
        "must begin with / and not end with one, of letters, digits and -._~ between, like \"/rentsync\", and not be /healthz, /readyz \
         or /metrics",
        move |text| text.is_empty() || is_path(text) && !RESERVED.contains(&text),
    )
}

fn is_segment(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    !text.is_empty() && !matches!(text, "." | "..") && text.chars().all(is_allowed)
}

fn header_name() -> impl Fn(&Node) -> Validated<String> {
    text(
        "must be the name of an HTTP header, like \"X-Forwarded-User\"",
        |text| HeaderName::from_bytes(text.as_bytes()).is_ok(),
    )
}

fn address(node: &Node) -> Validated<Option<SocketAddr>> {
    match node.as_str() {
        Some("none") => Ok(None),
        text => match text.and_then(|text| text.parse().ok()) {
            Some(address) => Ok(Some(address)),
            None => Err(Refusal::new(
                "must be an IP address and a port, like \"127.0.0.1:9464\" or \"[::1]:9464\", or \"none\"",
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_address_with_its_port_or_none() {
        let accepted = |text: &str| address(&Node::text("RELAY_HTTP__LISTEN".into(), text)).ok();
        assert_eq!(accepted("none"), Some(None));
        assert_eq!(accepted("[::]:80"), Some("[::]:80".parse().ok()));
        for wrong in ["", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:70000"] {
            assert_eq!(accepted(wrong), None, "{wrong}");
        }
    }

    fn http(settings: &str) -> Http {
        let text = format!("[http]\n{settings}");
        let config = super::super::Config::parse(Some(&text), std::path::Path::new("relay.toml"), &[]);
        config.expect("settings").http
    }

    #[test]
    fn what_other_machines_reach_needs_a_token_or_somebody_who_says_that_it_needs_none() {
        let checked = |settings: &str| http(settings).check().map_err(|error| error.to_string());
        for fine in [
            "",
            "listen = \"none\"",
            "listen = \"[::1]:1\"",
            "listen = \"0.0.0.0:1\"\nanonymous_read = true",
        ] {
            assert_eq!(checked(fine), Ok(()), "{fine}");
        }
        let error = checked("listen = \"0.0.0.0:1\"").unwrap_err();
        assert!(error.contains("http.anonymous_read = true"), "{error}");
        let file = tempfile::NamedTempFile::new().unwrap();
        let with_token = format!("listen = \"0.0.0.0:1\"\ntoken = {{ file = {:?} }}", file.path());
        std::fs::write(file.path(), "fifteen letters").unwrap();
        assert!(checked(&with_token).unwrap_err().contains("shorter than 16"));
        std::fs::write(file.path(), "sixteen letters!").unwrap();
        assert_eq!(checked(&with_token), Ok(()));
    }

    #[test]
    fn a_prefix_is_a_path_of_our_own() {
        for fine in ["", "/rentsync", "/a/b-c"] {
            assert_eq!(http(&format!("path_prefix = {fine:?}")).path_prefix, fine);
        }
        for wrong in ["/", "a", "/a/", "//a", "/a b", "/..", "/metrics", "/{a}"] {
            assert!(
                prefix()(&Node::text("RELAY_HTTP__PATH_PREFIX".into(), wrong)).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn by_default_nobody_from_outside_can_ask() {
        let listen = super::super::Config::default().http.listen;
        assert!(listen.is_some_and(|address| address.ip().is_loopback()), "{listen:?}");
    }
}
