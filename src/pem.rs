//! Certificates and private keys in PEM: what a text holds of them, or in a few words why it is of no use.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Every certificate in it, at least one.
///
/// # Errors
/// In words that follow "it".
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err("holds no certificate (-----BEGIN CERTIFICATE-----)"),
        Ok(found) => Ok(found),
        Err(_) => Err("holds something that looks like PEM and can't be read"),
    }
}

/// The first private key in it.
///
/// # Errors
/// In words that follow "it".
pub(crate) fn key(text: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => Ok(key),
        Err(_) if text.contains("ENCRYPTED") => Err(
            "holds a key that is encrypted, and nobody is there to type its password: decrypt it with `openssl pkey`",
        ),
        Err(_) => Err("holds no private key (-----BEGIN PRIVATE KEY-----)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_no_use_says_why() {
        assert!(certificates("").unwrap_err().contains("no certificate"));
        let cut_off = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert!(certificates(cut_off).is_err());
        assert!(key("ssh-rsa AAAA").unwrap_err().contains("no private key"));
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(key(encrypted).unwrap_err().contains("is encrypted"));
    }
}
