//! Why there was no answer, in words: what failed, with whom, after how long. Names the host and nothing else of the URL.
//!
//! Our own table of what the HTTP and TLS libraries say; what it doesn't know it passes on as they have it.

use std::error::Error;
use std::io;
use std::time::Duration;

use humantime::format_duration;
use reqwest::Url;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::way::{Way, chain, is_about_ours, tls_error};
use crate::fault::io_in_words;

/// What a request to `url` ran into, of which all may take `timeout` and connecting `connect_timeout`.
pub(super) fn in_words(
    error: &reqwest::Error,
    url: &Url,
    way: Way,
    timeout: Duration,
    connect_timeout: Duration,
) -> String {
    let place = place(url);
    let (timeout, connect_timeout) = (format_duration(timeout), format_duration(connect_timeout));
    if way.is_to_blame(error) {
        return format!("the proxy on the way to {place} could not be used: {}", root(error));
    }
    if let Some(tls) = chain(error).find_map(tls_error) {
        return tls_in_words(tls, &place);
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("no connection to {place} within {connect_timeout}"),
        (true, false) => format!("no whole answer from {place} within {timeout}"),
        (false, true) => format!("no connection to {place}: {}", root(error)),
        (false, false) => format!(
            "the connection to {place} broke off before the answer was whole: {}",
            root(error)
        ),
    }
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the receiver");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The last cause says what happened, those before it only who noticed.
fn root(error: &reqwest::Error) -> String {
    let causes: Vec<_> = chain(error).collect();
    if let Some(dns) = causes.iter().find(|cause| cause.to_string().contains("dns error")) {
        let why = dns.source().map(ToString::to_string).unwrap_or_default();
        let why = why
            .strip_prefix("failed to lookup address information: ")
            .unwrap_or(&why);
        return format!("its name can't be looked up ({why})");
    }
    match causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => io_in_words(error),
        None => causes
            .last()
            .map_or_else(|| "it gave no reason".to_owned(), ToString::to_string),
    }
}

/// TLS, where most of what goes wrong is the certificate.
fn tls_in_words(error: &TlsError, place: &str) -> String {
    match error {
        TlsError::InvalidCertificate(why) => {
            format!("the certificate of {place} is not accepted: {}", certificate(why))
        }
        TlsError::NoCertificatesPresented => format!("{place} presents no certificate"),
        TlsError::InvalidMessage(_) => {
            format!("{place} does not speak TLS there: look at the port, and whether the url has to begin with http://")
        }
        TlsError::AlertReceived(AlertDescription::CertificateExpired) => {
            format!("{place} does not take the relay's client certificate: it has expired")
        }
        TlsError::AlertReceived(alert) if is_about_ours(*alert) => format!(
            "{place} asks for a client certificate, and takes none that the relay has ({alert:?}): set client_cert and client_key \
             in [receivers.NAME.tls] to what it issued"
        ),
        TlsError::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            format!(
                "{place} and the relay have no version or cipher of TLS in common; it has to support TLS 1.2 or 1.3"
            )
        }
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("{place} knows no certificate for that name; look at the host in the url")
        }
        other => format!("no encrypted connection to {place}: {other}"),
    }
}

fn certificate(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; whoever runs that server has to renew it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; look at the clock of this host, then at the certificate"
        }
        CertificateError::UnknownIssuer => {
            "it was issued by an authority that is not trusted; name that authority's certificate in the receiver's tls.ca_file (or, \
             without one, install it on this host), or have the server send the whole chain"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name; look at the host in the url"
        }
        CertificateError::Revoked => "it was revoked; whoever runs that server has to get another",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::BadEncoding => "it can't be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not meant for a server"
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is an authority's own certificate (CA:TRUE), which no server may present; the server needs one that the \
             authority issued to it"
        }
        other => return other.to_string(),
    };
    words.to_owned()
}

/// Where a redirect goes, in our own words: whatever else stands in a Location is the receiver's, and may quote what it was sent.
pub(super) fn redirect(location: Option<&str>, from: &Url) -> String {
    let to = location.and_then(|location| from.join(location).ok());
    let place = match to.filter(Url::has_host) {
        None => return "a redirect without a Location that could be read".to_owned(),
        Some(to) if to.host() != from.host() => "another host",
        Some(to) if to.scheme() != from.scheme() => match to.scheme() {
            "https" => "https on the same host",
            _ => "another scheme on the same host",
        },
        Some(to) if to.port_or_known_default() != from.port_or_known_default() => "another port of the same host",
        Some(_) => "another path of the same host",
    };
    format!(
        "a redirect to {place}, and none is followed: set the receiver's url to where it goes (`syncs show` has its Location)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_refused_in_words() {
        let table = [
            (CertificateError::Expired, "has expired"),
            (CertificateError::NotValidYet, "clock of this host"),
            (CertificateError::UnknownIssuer, "authority that is not trusted"),
            (CertificateError::NotValidForName, "for another name"),
            (CertificateError::Revoked, "revoked"),
            (
                CertificateError::Other(rustls::OtherError(std::sync::Arc::new(CaUsedAsEndEntity))),
                "authority's own certificate",
            ),
        ];
        for (error, words) in table {
            let said = tls_in_words(&TlsError::InvalidCertificate(error), "host:443");
            assert!(said.contains(words) && said.contains("host:443"), "{said}");
            assert!(
                !said.contains("CaUsedAsEndEntity") && !said.contains("Other("),
                "{said}"
            );
        }
    }

    #[test]
    fn tls_that_does_not_come_about_says_what_to_look_at() {
        let table = [
            (
                TlsError::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "http://",
            ),
            (TlsError::AlertReceived(AlertDescription::HandshakeFailure), "TLS 1.2"),
            (
                TlsError::AlertReceived(AlertDescription::UnrecognisedName),
                "host in the url",
            ),
            (TlsError::NoCertificatesPresented, "no certificate"),
        ];
        for (error, words) in table {
            assert!(tls_in_words(&error, "host").contains(words), "{error:?}");
        }
    }

    #[test]
    fn a_redirect_says_where_to_and_none_of_the_receivers_words() {
        let from: Url = "https://user:pw@here.example/v1/sync?key=1".parse().unwrap();
        for (location, place) in [
            ("/login?next=secret#x", "another path of the same host"),
            ("https://here.example:8443/v1/sync", "another port of the same host"),
            ("http://here.example/v1/sync", "another scheme on the same host"),
            ("https://u:p@other.example/a\u{1b}[31mb?token=1", "another host"),
        ] {
            let said = redirect(Some(location), &from);
            assert!(said.starts_with(&format!("a redirect to {place}, ")), "{said}");
            assert!(!said.contains("example") && !said.contains("token"), "{said}");
        }
        let plain: Url = "http://here.example/sync".parse().unwrap();
        assert!(redirect(Some("https://here.example/sync"), &plain).contains("https on the same host"));
        for none in [None, Some("mailto:x@example.com"), Some("https://")] {
            assert!(redirect(none, &from).contains("without a Location"), "{none:?}");
        }
    }

    #[derive(Debug)]
    struct CaUsedAsEndEntity;

    impl std::fmt::Display for CaUsedAsEndEntity {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("CaUsedAsEndEntity")
        }
    }

    impl Error for CaUsedAsEndEntity {}
}
