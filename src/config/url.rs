//! Where requests may go: https, or plain http where nobody is on the way.
//!
//! Not its business: whether anybody answers there.

use std::net::IpAddr;

use reqwest::Url;

use super::looks_secret::is_secret;
use settings::Node;
use settings::{Refusal, Validated};

/// Where requests may be posted.
pub(super) fn endpoint(allow_plain_http: bool) -> impl Fn(&Node) -> Validated<Url> {
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
            return Err(Refusal::showing("must be an http or https URL", shown(node)));
        };
        if url.scheme() == "http" && !allow_plain_http && !is_loopback(&url) {
            return Err(Refusal::showing(
                "must be https, since plain http lets anyone on the way read and change it \
                 (allowed for this machine itself, elsewhere with allow_plain_http = true)",
                shown(node),
            ));
        }
        Ok(url)
    }
}

/// The same for settings that are shown: what proves who asks stands elsewhere.
pub(super) fn public_endpoint(allow_plain_http: bool) -> impl Fn(&Node) -> Validated<Url> {
    let endpoint = endpoint(allow_plain_http);
    move |node| {
        let url = endpoint(node)?;
        match url.query_pairs().find(|(name, value)| is_secret(name, value)) {
            None => Ok(url),
            Some((name, _)) => Err(Refusal::hiding_value(format!(
                "must not have {name:?} in its query, which looks like a secret: URLs are kept in logs all the way. Ask the partner \
                 to take it as a header, and set auth with method = \"api_key\" (key) or \"static\" (header, value), or headers = \
                 {{ NAME = {{ env = \"NAME\" }} }}"
            ))),
        }
    }
}

/// The same for a URL that stands on the command line.
///
/// # Errors
/// What it must be instead, in words that quote nothing secret.
pub(crate) fn parse_endpoint(given: &str, allow_plain_http: bool) -> Result<Url, String> {
    public_endpoint(allow_plain_http)(&Node::text("--url".into(), given)).map_err(|refusal| refusal.must)
}

/// A URL for a message: without its query, which may be a key.
fn shown(node: &Node) -> String {
    match node.as_str() {
        Some(text) => format!("{:?}", text.split(['?', '#']).next().unwrap_or_default()),
        None => "no text".to_owned(),
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether the host is this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(url: &str, allow_plain_http: bool) -> Result<String, String> {
        let node = Node::text("RELAY_X".into(), url);
        let accepted = endpoint(allow_plain_http)(&node);
        accepted.map(String::from).map_err(|refusal| refusal.must)
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
            assert_eq!(accepted(url, false), Ok(url.to_owned()));
        }
        for url in [
            "http://partner.example/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://128.0.0.1/",
        ] {
            let must = accepted(url, false).unwrap_err();
            assert!(must.contains("allow_plain_http = true"), "{must}");
            assert_eq!(accepted(url, true), Ok(url.to_owned()));
        }
    }

    #[test]
    fn promise_23_a_query_may_say_anything_but_a_secret() {
        let accepted = |url: &str| public_endpoint(false)(&Node::text("RELAY_X".into(), url));
        for secret in [
            "api_key=hunter2",
            "a=b&apiKey=hunter2",
            "key=hunter2",
            "code=1&sig=hunter2",
            "access_token=hunter2",
            "Client-Secret=hunter2",
            "auth=hunter2",
            "%61pi_key=hunter2",
            "partner=sk_live_hunter2hunter2",
            "p=0123456789abcdef0123456789abcdef01",
        ] {
            let refusal = accepted(&format!("https://partner.example/sync?{secret}")).unwrap_err();
            assert!(
                refusal.hides_value && !refusal.must.contains("hunter2"),
                "{}",
                refusal.must
            );
            assert!(refusal.must.contains("method = \"api_key\""), "{}", refusal.must);
        }
        for plain in [
            "",
            "?",
            "?version=2&partner=aigent",
            "?code=7",
            "?monkey=1&author=me&keyboard=x",
            "?tenant=6f1c0f0e-3b1f-4d57-9c1e-1f2a3b4c5d6e",
        ] {
            assert!(
                accepted(&format!("https://partner.example/sync{plain}")).is_ok(),
                "{plain}"
            );
        }
    }

    #[test]
    fn a_url_is_http_and_holds_no_password() {
        for url in ["", "partner.example", "ftp://partner.example/", "https://"] {
            assert_eq!(accepted(url, true), Err("must be an http or https URL".to_owned()));
        }
        for url in ["https://me:pass@partner.example/", "https://me:pass@part ner/"] {
            let refusal = endpoint(true)(&Node::text("RELAY_X".into(), url)).unwrap_err();
            assert!(refusal.hides_value);
        }
        assert!(accepted("https://partner.example/@aigent", false).is_ok());
    }
}
