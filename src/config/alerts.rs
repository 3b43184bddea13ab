//! Where alerts go. The webhook's URL is a secret itself: with most services whoever knows it may post.
//!
//! Not its business: posting.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::url::{endpoint, has_credentials};
use settings::Node;
use settings::Section;
use settings::SettingsError;
use settings::{Refusal, Validated};
use settings::{SecretRef, secret};

const MUST: &str = "must be an https URL, or http to this machine itself, without user name and password; \
                    or a reference to one, { env = \"NAME\" } or { file = \"path\" }";

/// Where alerts go.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// Where they are posted; nowhere when not set.
    pub webhook_url: Option<SecretUrl>,
}

/// A URL that nobody is shown.
#[derive(Clone)]
pub enum SecretUrl {
    /// As it stands in the settings.
    Given(SecretString),
    /// In a variable or a file.
    Kept(SecretRef),
}

impl Alerts {
    pub(super) fn read(section: &mut Section) -> Self {
        let path = section.path_of("webhook_url");
        let directory = section.directory().to_owned();
        let kind = |node: &Node| match node.clone().into_entries() {
            Some(_) => secret(&path, &directory)(node).map(SecretUrl::Kept),
            None => given(node).map(SecretUrl::Given),
        };
        let webhook_url = section.optional("webhook_url", kind);
        if let Some(SecretUrl::Kept(reference)) = &webhook_url {
            section.keep_secret(reference);
        }
        Self { webhook_url }
    }
}

impl SecretUrl {
    /// The URL as it is there now; only its host may be shown to anyone.
    ///
    /// # Errors
    /// When it can't be read, or is no URL that alerts may go to.
    pub fn read(&self) -> Result<Url, SettingsError> {
        match self {
            Self::Given(url) => allowed(url.expose_secret()).ok_or_else(|| refused("alerts.webhook_url")),
            Self::Kept(reference) => {
                let url = reference.read()?;
                allowed(url.expose_secret()).ok_or_else(|| refused(&reference.key))
            }
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given([hidden])"),
            Self::Kept(reference) => f.debug_tuple("Kept").field(reference).finish(),
        }
    }
}

fn given(node: &Node) -> Validated<SecretString> {
    let url = node.as_str().filter(|url| allowed(url).is_some());
    url.map(SecretString::from).ok_or_else(|| Refusal::hiding_value(MUST))
}

fn allowed(url: &str) -> Option<Url> {
    let url = endpoint(false)(&Node::text("".into(), url)).ok()?;
    (!has_credentials(&url)).then_some(url)
}

fn refused(key: &str) -> SettingsError {
    SettingsError::new(format!("{key} {MUST}."))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(webhook_url: &str) -> Result<SecretUrl, String> {
        let text = format!("alerts.webhook_url = {webhook_url}");
        let config = Config::parse(Some(&text), Path::new("relay.toml"), &[]);
        let config = config.map_err(|error| error.to_string())?;
        Ok(config.alerts.webhook_url.expect("it is set"))
    }

    #[test]
    fn the_url_stands_in_the_settings_or_is_read_where_it_is_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let kept = format!("{{ file = '{}' }}", file.path().display());
        for url in ["https://hooks.example/T0/hunter2", "http://127.0.0.1:9/hunter2"] {
            std::fs::write(file.path(), format!("{url}\n")).unwrap();
            for written in [format!("'{url}'"), kept.clone()] {
                let parsed = parse(&written).unwrap();
                assert_eq!(parsed.read().unwrap().as_str(), url);
                assert!(!format!("{parsed:?}").contains("hunter2"), "{parsed:?}");
            }
        }
    }

    #[test]
    fn a_variable_holds_the_url_or_a_reference() {
        let read = |value: &str| {
            let variable = ("RELAY_ALERTS__WEBHOOK_URL".to_owned(), value.to_owned());
            Config::parse(None, Path::new("relay.toml"), &[variable]).map(|config| config.alerts.webhook_url)
        };
        assert!(matches!(read("https://hooks.example/x"), Ok(Some(SecretUrl::Given(_)))));
        assert!(matches!(read("{ env = 'HOOK' }"), Ok(Some(SecretUrl::Kept(_)))));
        assert!(read("hooks.example").is_err());
    }

    #[test]
    fn what_is_no_url_for_alerts_is_refused_unseen_wherever_it_is_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for url in [
            "hunter2",
            "http://hooks.example/hunter2",
            "https://me:hunter2@hooks.example/",
            "ftp://hooks.example/hunter2",
        ] {
            std::fs::write(file.path(), url).unwrap();
            let kept = parse(&format!("{{ file = '{}' }}", file.path().display())).unwrap();
            for refused in [
                parse(&format!("'{url}'")).unwrap_err(),
                kept.read().unwrap_err().to_string(),
            ] {
                assert!(refused.contains("alerts.webhook_url must be an https URL"), "{refused}");
                assert!(!refused.contains("hunter2"), "{refused}");
            }
        }
        for wrong in ["12", "['hunter2']", "{ url = 'hunter2' }"] {
            let refused = parse(wrong).unwrap_err();
            assert!(refused.contains("webhook_url must be"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
