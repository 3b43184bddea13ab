//! Headers that the settings may add to a request, and those they may not.
//!
//! Not its business: what the relay's own headers hold.

use reqwest::header::{HeaderName, HeaderValue};

use super::node::{Content, Entries, Node};
use super::values::{Refusal, Taken};

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
pub(super) fn auth_header(node: &Node) -> Taken<String> {
    let name = node.as_str().filter(|name| is_header_name(name));
    let name = name.ok_or_else(|| Refusal::new("must be the name of an HTTP header"))?;
    match same_header(RELAY_HEADERS, name) {
        Some(_) => Err(Refusal::new("must be a header that the relay doesn't set")),
        None => Ok(name.to_owned()),
    }
}

/// Headers that are sent as they are written. Their values are not shown, as
/// some will be keys for all the advice against it.
pub(super) fn static_headers(auth_headers: &[&str]) -> impl Fn(&Node) -> Taken<Vec<(String, String)>> + use<> {
    let reserved: Vec<String> = RELAY_HEADERS
        .into_iter()
        .chain(auth_headers.iter().copied())
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

    #[test]
    fn headers_of_the_relay_are_not_for_the_settings() {
        let kind = static_headers(&["X-API-Key"]);
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
        let kind = static_headers(&[]);
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
