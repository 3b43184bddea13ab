//! Where a request comes from, by what browsers say of it and no page can forge. Pure.

use axum::http::{HeaderMap, Uri, header};

/// Whether a browser sends this because our own page had it do so. Newer ones say so themselves (`Sec-Fetch-Site`); of an older one
/// the page's origin has to be the host that it asks. A request that says neither was sent by no page of ours.
pub(super) fn is_our_own_page(headers: &HeaderMap) -> bool {
    match text(headers, "sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => origin_is_host(headers),
    }
}

/// Whether the page was asked for by https, as the browser or the proxy before us says.
pub(super) fn is_https(headers: &HeaderMap) -> bool {
    let forwarded = text(headers, "x-forwarded-proto");
    let origin = text(headers, header::ORIGIN.as_str());
    forwarded == Some("https") || origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// Whether this machine was meant: another name may be anybody's that leads here (DNS rebinding), and its pages would read ours.
pub(super) fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST.as_str()) else {
        // No browser leaves it out.
        return true;
    };
    let Ok(host) = host.parse::<Uri>() else { return false };
    let name = host.host().unwrap_or_default().trim_matches(['[', ']']);
    name == "localhost"
        || name
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn origin_is_host(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (
        text(headers, header::ORIGIN.as_str()),
        text(headers, header::HOST.as_str()),
    ) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(said: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        said.iter().map(pair).collect()
    }

    #[test]
    fn what_another_page_sends_is_not_ours() {
        for ours in [
            &[("sec-fetch-site", "same-origin"), ("host", "relay")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null"), ("host", "relay")],
            &[("origin", "https://relay:8443"), ("host", "relay:8443")],
        ] {
            assert!(is_our_own_page(&headers(ours)), "{ours:?}");
        }
        for theirs in [
            &[("host", "relay")][..],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "http://relay"),
                ("host", "relay"),
            ],
            &[("sec-fetch-site", "same-site"), ("host", "relay")],
            &[("sec-fetch-site", "none"), ("host", "relay")],
            &[("origin", "null"), ("host", "relay")],
            &[("origin", "http://relay.evil"), ("host", "relay")],
            &[("origin", "http://relay:1"), ("host", "relay")],
        ] {
            assert!(!is_our_own_page(&headers(theirs)), "{theirs:?}");
        }
    }

    #[test]
    fn a_name_that_leads_here_is_not_this_machine() {
        for this in [
            "localhost",
            "localhost:9464",
            "127.0.0.1:9464",
            "127.0.0.2",
            "[::1]:9464",
        ] {
            assert!(names_this_machine(&headers(&[("host", this)])), "{this}");
        }
        for other in [
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "10.0.0.1",
            "",
            "a b",
        ] {
            assert!(!names_this_machine(&headers(&[("host", other)])), "{other}");
        }
    }
}
