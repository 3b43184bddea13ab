//! How requests get to the other side, and whose fault it is that one did not.

use std::error::Error;
use std::io;

use hyper_util::client::legacy;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use rustix::io::Errno;
use rustls::{AlertDescription, Error as TlsError};

use crate::config::is_loopback;
use crate::policy::Answer;

/// What the system says when it is this host that lacks something.
const OURS: [i32; 5] = [
    Errno::MFILE.raw_os_error(),
    Errno::NFILE.raw_os_error(),
    Errno::NOMEM.raw_os_error(),
    Errno::NOBUFS.raw_os_error(),
    Errno::ADDRNOTAVAIL.raw_os_error(),
];

/// How requests get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By themselves.
    Direct,
    /// Plain http, handed to a proxy.
    Forwarded,
    /// https, through a tunnel that a proxy opens (`CONNECT`).
    Tunnelled,
}

impl Way {
    pub fn to(url: &Url) -> Self {
        let intercepted = || {
            let uri = url.as_str().parse().ok()?;
            Matcher::from_system().intercept(&uri)
        };
        if is_loopback(url) || intercepted().is_none() {
            Self::Direct
        } else if url.scheme() == "https" {
            Self::Tunnelled
        } else {
            Self::Forwarded
        }
    }

    /// What a failed request means.
    pub fn meaning(self, error: &reqwest::Error) -> Answer {
        if is_ours(error) || error.is_connect() && nothing_can_be_opened() {
            Answer::NotSent
        } else if self.is_to_blame(error) {
            Answer::Proxy
        } else if error.is_timeout() {
            Answer::Timeout
        } else if is_certificate(error) {
            Answer::BadCertificate
        } else if error.is_connect() {
            Answer::NotConnected
        } else {
            Answer::ConnectionLost
        }
    }

    /// Whether it was the proxy that couldn't be reached, or that wouldn't open a tunnel.
    pub(super) fn is_to_blame(self, error: &reqwest::Error) -> bool {
        match self {
            Self::Direct => false,
            // The proxy is all that was connected to.
            Self::Forwarded => error.is_connect(),
            Self::Tunnelled => connecting(error).is_some_and(|cause| !is_beyond_the_tunnel(error, cause)),
        }
    }
}

/// What went wrong while connecting.
fn connecting(error: &reqwest::Error) -> Option<&(dyn Error + 'static)> {
    let client = chain(error).find_map(|cause| cause.downcast_ref::<legacy::Error>())?;
    client.source().filter(|_| client.is_connect())
}

/// A tunnel's own error can't be named, but all else is: TLS with the receiver fails as an I/O error, and the deadline
/// for all of it has no cause. (That deadline may be either's fault; it is not held against the proxy.)
fn is_beyond_the_tunnel(error: &reqwest::Error, cause: &(dyn Error + 'static)) -> bool {
    cause.is::<io::Error>() || error.is_timeout() && cause.source().is_none()
}

/// This host lacks what a connection takes: file descriptors, memory, ports. Nobody else is to blame.
fn is_ours(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| io_error(cause).is_some_and(|cause| OURS.contains(&cause)))
}

/// The system's number for an I/O error. One that holds another error doesn't name it as its source.
fn io_error(cause: &(dyn Error + 'static)) -> Option<i32> {
    let cause = cause.downcast_ref::<io::Error>()?;
    cause.raw_os_error().or_else(|| io_error(cause.get_ref()?))
}

/// A look-up of a name that fails for want of descriptors says that there is no such name.
fn nothing_can_be_opened() -> bool {
    let opened = std::fs::File::open("/dev/null");
    opened.is_err_and(|error| error.raw_os_error().is_some_and(|error| OURS.contains(&error)))
}

/// The other side's is not accepted here, or ours is not accepted there.
fn is_certificate(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| match tls_error(cause) {
        Some(TlsError::InvalidCertificate(_)) => true,
        Some(TlsError::AlertReceived(alert)) => is_about_ours(*alert),
        _ => false,
    })
}

/// What a server has to say of a client's certificate, or of its absence.
pub(super) fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

/// An I/O error that holds another error doesn't name it as its source, and TLS connectors wrap theirs more than once.
pub(super) fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    match cause.downcast_ref::<TlsError>() {
        Some(tls) => Some(tls),
        None => tls_error(cause.downcast_ref::<io::Error>()?.get_ref()?),
    }
}

pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error with a cause, as HTTP clients wrap them.
    #[derive(Debug)]
    struct Wrapped(Box<dyn Error + 'static>);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn promise_09_what_this_host_lacks_is_nobody_elses_failure() {
        let in_a_chain = |error: io::Error| Wrapped(Box::new(Wrapped(Box::new(error))));
        for ours in [24, 23, 12, 105, 99] {
            let error = io::Error::from_raw_os_error(ours);
            assert!(is_ours(&in_a_chain(error)), "{ours}");
            let held = io::Error::other(io::Error::from_raw_os_error(ours));
            assert!(is_ours(&in_a_chain(held)), "{ours}");
        }
        for theirs in [
            Errno::CONNREFUSED,
            Errno::CONNRESET,
            Errno::HOSTUNREACH,
            Errno::TIMEDOUT,
        ] {
            assert!(!is_ours(&in_a_chain(theirs.into())), "{theirs}");
        }
        assert!(!nothing_can_be_opened());
    }
}
