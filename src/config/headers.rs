//! Headers that the settings may add to a request, and those they may not.
//!
//! Not its business: what the relay's own headers hold.

use std::path::Path;

use reqwest::header::{HeaderName, HeaderValue};

use super::looks_secret::is_secret;
use settings::{Entries, Node};
use settings::{Refusal, Validated};
use settings::{SecretRef, secret};

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

/// The header that a proof of identity may be put into.
pub(super) fn auth_header(node: &Node) -> Validated<String> {
    let name = node.as_str().filter(|name| is_header_name(name));
    let name = name.ok_or_else(|| Refusal::new("must be the name of an HTTP header"))?;
    match same_header(RELAY_HEADERS, name) {
        Some(_) => Err(Refusal::new("must be a header that the relay doesn't set")),
        None => Ok(name.to_owned()),
    }
}

/// What a receiver's settings add to every request.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// Sent as they are written.
    pub plain: Vec<(String, String)>,
    /// Sent with what is kept elsewhere.
    pub secret: Vec<(String, SecretRef)>,
}

/// Headers at `key`. Values are not shown, as some will be secrets for all the advice against it; what is known for one is
/// refused. A file's path is relative to `directory`.
pub(super) fn static_headers(
    auth_headers: &[&str],
    key: &str,
    directory: &Path,
) -> impl Fn(&Node) -> Validated<Headers> + use<> {
    let (key, directory) = (key.to_owned(), directory.to_path_buf());
    let reserved: Vec<String> = RELAY_HEADERS
        .into_iter()
        .chain(auth_headers.iter().copied())
        .map(str::to_owned)
        .collect();
    move |node| {
        let mut headers = Headers::default();
        for (name, node) in header_entries(node)? {
            check_name(&name, &node)?;
            if same_header(reserved.iter(), &name).is_some() {
                let must = format!("must not set {name:?}, which the relay itself sets");
                return Err(Refusal::hiding_value(must));
            }
            if let Some(twin) = same_header(headers.names(), &name) {
                let must = format!("must not name one header twice, as {twin:?} and {name:?}");
                return Err(Refusal::hiding_value(must));
            }
            if node.is_table() {
                let reference = secret(&format!("{key}.{name}"), &directory)(&node)?;
                headers.secret.push((name, reference));
            } else {
                let value = header_value(&name, &node)?;
                headers.plain.push((name, value));
            }
        }
        Ok(headers)
    }
}

impl Headers {
    fn names(&self) -> impl Iterator<Item = &str> {
        let plain = self.plain.iter().map(|(name, _)| name);
        plain
            .chain(self.secret.iter().map(|(name, _)| name))
            .map(String::as_str)
    }
}

fn header_entries(node: &Node) -> Validated<Entries> {
    let entries = node.clone().into_entries();
    entries.ok_or_else(|| Refusal::hiding_value("must be a table of header names and values, both strings"))
}

fn check_name(name: &str, node: &Node) -> Validated<()> {
    if node.is_variable() {
        // A variable's name has no hyphen, so it can't spell a header's.
        return Err(Refusal::hiding_value(
            "must be set as a whole in a variable, like '{ \"X-Partner\" = \"aigent\" }'",
        ));
    }
    if !is_header_name(name) {
        let must = format!("must have names of HTTP headers as its keys, which {name:?} is not");
        return Err(Refusal::hiding_value(must));
    }
    Ok(())
}

fn header_value(name: &str, node: &Node) -> Validated<String> {
    let value = node.as_str();
    let valid = value.filter(|value| HeaderValue::from_str(value).is_ok());
    let value = valid.ok_or_else(|| {
        let must = format!("must have a string of visible characters as the value of {name:?}");
        Refusal::hiding_value(must)
    })?;
    if is_secret(name, value) {
        return Err(Refusal::hiding_value(format!(
            "must have a reference as the value of {name:?}, {{ env = \"NAME\" }} or {{ file = \"path\" }}: a secret itself is \
             not written into the settings (what proves who the relay is may also be set as auth.method)"
        )));
    }
    Ok(value.to_owned())
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

    #[test]
    fn headers_of_the_relay_are_not_for_the_settings() {
        let kind = static_headers(&["X-API-Key"], "headers", Path::new(""));
        for name in ["content-type", "USER-AGENT", "x-aigent-sync-id", "Host", "x-api-key"] {
            let refusal = kind(&written(&format!("{{ {name} = 'v' }}"))).unwrap_err();
            assert!(refusal.must.contains(name), "{}", refusal.must);
            assert!(refusal.hides_value);
        }
        let headers = kind(&written("{ X-Partner = 'aigent' }")).unwrap_or_default();
        let plain = "{ X-Tenant = '6f1c0f0e-3b1f-4d57-9c1e-1f2a3b4c5d6e', X-Author = 'me', X-Keyboard = 'fr', X-Request-Source = 'a/b' }";
        assert!(kind(&written(plain)).is_ok());
        assert_eq!(headers.plain, [("X-Partner".to_owned(), "aigent".to_owned())]);
    }

    #[test]
    fn a_secret_is_a_reference() {
        let kind = static_headers(&[], "headers", Path::new("conf"));
        for secret in [
            "Authorization = 'Bearer hunter2'",
            "authorization = 'hunter2'",
            "Proxy-Authorization = 'hunter2'",
            "Cookie = 'session=hunter2'",
            "X-API-Key = 'hunter2'",
            "Ocp-Apim-Subscription-Key = 'hunter2'",
            "X-Auth-Token = 'hunter2'",
            "X-Partner = 'bearer hunter2'",
            "Api-Key = 'hunter2'",
            "X-Key = 'hunter2'",
            "X-Auth = 'hunter2'",
            "X-Session-Id = 'hunter2'",
            "X-Signature = 'hunter2'",
            "X-Partner = 'sk_live_hunter2hunter2'",
            "X-Partner = 'eyJhbGciOiJIUzI1NiJ9.hunter2'",
            "X-Partner = '0123456789hunter2abcdef0123456789ab'",
        ] {
            let refusal = kind(&written(&format!("{{ {secret} }}"))).unwrap_err();
            assert!(refusal.must.contains("{ env = \"NAME\" }"), "{}", refusal.must);
            assert!(refusal.hides_value && !refusal.must.contains("hunter2"));
        }
        let headers =
            kind(&written("{ X-Auth-Token = { env = 'K' }, X-Gateway = { file = 'k' } }")).unwrap_or_default();
        let expected = [
            ("X-Auth-Token".to_owned(), SecretRef::env("headers.X-Auth-Token", "K")),
            ("X-Gateway".to_owned(), SecretRef::file("headers.X-Gateway", "conf/k")),
        ];
        assert_eq!(headers.secret, expected);
    }

    #[test]
    fn headers_are_valid_and_named_once() {
        let kind = static_headers(&[], "headers", Path::new(""));
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
}
