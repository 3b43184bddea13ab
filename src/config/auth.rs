//! How the relay shows a receiver who it is: the method, and where its secrets are kept.
//!
//! Guarantees that no secret stands in the settings. Not its business: the proof itself, which is made for every request.

use reqwest::Url;

use super::headers::auth_header;
use super::url::public_endpoint;
use settings::SecretRef;
use settings::{Found, Section};
use settings::{one_of, text};

/// The headers of a signature as Standard Webhooks has it.
const SIGNATURE_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

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
    /// A token as `Authorization: Bearer`.
    Bearer {
        /// The token.
        token: SecretRef,
    },
    /// A header that holds exactly what the secret says.
    Static {
        /// The header's name.
        header: String,
        /// What it holds.
        value: SecretRef,
    },
    /// A signature over the bytes on the wire (Standard Webhooks).
    Hmac {
        /// Every secret that is alive, at least one; the first signs first.
        secrets: Vec<SecretRef>,
    },
    /// A token from a token endpoint (RFC 6749, section 4.4).
    OAuth2(OAuth2),
}

/// OAuth2 client credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// Where tokens are given out.
    pub token_url: Url,
    /// Who the relay is there.
    pub client_id: String,
    /// What proves it.
    pub client_secret: SecretRef,
    /// What the token shall allow.
    pub scope: Option<String>,
    /// For whom the token shall be good.
    pub audience: Option<String>,
}

/// Every key, and the methods that have it.
const KEYS: [(&str, &[&str]); 10] = [
    ("key", &["api_key"]),
    ("header", &["api_key", "static"]),
    ("token", &["bearer"]),
    ("value", &["static"]),
    ("secrets", &["hmac"]),
    ("token_url", &["oauth2"]),
    ("client_id", &["oauth2"]),
    ("client_secret", &["oauth2"]),
    ("scope", &["oauth2"]),
    ("audience", &["oauth2"]),
];

#[derive(Clone, Copy)]
enum Method {
    None,
    ApiKey,
    Bearer,
    Static,
    Hmac,
    OAuth2,
}

impl Method {
    const CHOICES: [(&str, Self); 6] = [
        ("none", Self::None),
        ("api_key", Self::ApiKey),
        ("bearer", Self::Bearer),
        ("static", Self::Static),
        ("hmac", Self::Hmac),
        ("oauth2", Self::OAuth2),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
            Self::Bearer => "bearer",
            Self::Static => "static",
            Self::Hmac => "hmac",
            Self::OAuth2 => "oauth2",
        }
    }
}

impl Auth {
    /// Everything secret that it needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKey { key: secret, .. } | Self::Bearer { token: secret } | Self::Static { value: secret, .. } => {
                vec![secret]
            }
            Self::Hmac { secrets } => secrets.iter().collect(),
            Self::OAuth2(oauth2) => vec![&oauth2.client_secret],
        }
    }

    /// The headers that carry the proof.
    #[must_use]
    pub fn headers(&self) -> Vec<&str> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKey { header, .. } | Self::Static { header, .. } => vec![header],
            Self::Bearer { .. } | Self::OAuth2(_) => vec!["Authorization"],
            Self::Hmac { .. } => SIGNATURE_HEADERS.to_vec(),
        }
    }

    /// `allow_plain_http` is the receiver's own setting: it holds for its token endpoint too.
    pub(super) fn read(allow_plain_http: bool, section: &mut Section) -> Self {
        let method = match section.find("method", one_of(&Method::CHOICES)) {
            Found::Value(method) => method,
            Found::Absent => Method::None,
            Found::Refused => {
                section.ignore_rest();
                return Self::None;
            }
        };
        section.keys_depend_on(format!("method = {:?}", method.word()));
        for (key, of) in KEYS {
            if of.iter().all(|of| *of != method.word()) {
                section.keys_set_by(key, "method", of[0]);
            }
        }
        match method {
            Method::None => Some(Self::None),
            Method::ApiKey => Self::read_api_key(section),
            Method::Bearer => section.secret("token").map(|token| Self::Bearer { token }),
            Method::Static => Self::read_static(section),
            Method::Hmac => section.secrets("secrets").map(|secrets| Self::Hmac { secrets }),
            Method::OAuth2 => OAuth2::read(allow_plain_http, section).map(Self::OAuth2),
        }
        .unwrap_or(Self::None)
    }

    fn read_api_key(section: &mut Section) -> Option<Self> {
        let key = section.secret("key");
        let header = section.take("header", "X-API-Key".to_owned(), auth_header);
        Some(Self::ApiKey { key: key?, header })
    }

    fn read_static(section: &mut Section) -> Option<Self> {
        let header = section.required("header", auth_header);
        let value = section.secret("value");
        Some(Self::Static {
            header: header?,
            value: value?,
        })
    }
}

impl OAuth2 {
    fn read(allow_plain_http: bool, section: &mut Section) -> Option<Self> {
        let word = || text("must be a string that is not empty", |text| !text.is_empty());
        let token_url = section.required("token_url", public_endpoint(allow_plain_http));
        let client_id = section.required("client_id", word());
        let client_secret = section.secret("client_secret");
        let scope = section.optional("scope", word());
        let audience = section.optional("audience", word());
        Some(Self {
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?,
            scope,
            audience,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choices_and_words_of_methods_agree() {
        for (word, method) in Method::CHOICES {
            assert_eq!(method.word(), word);
        }
    }
}
