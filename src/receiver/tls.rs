//! The certificates and the key that a receiver's settings name, read and judged before any library sees them.

use anyhow::Result;
use reqwest::{Certificate, ClientBuilder, Identity};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::unsent::Unsent;
use crate::config::{ClientTls, SecretRef};
use crate::pem;

/// How a CA of one's own counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ca {
    /// In place of those that this host knows.
    Alone,
    /// Beside them.
    Beside,
}

/// What the files hold at present.
pub(super) struct Material {
    ca: Option<SecretString>,
    /// The certificate, then its key.
    client: Option<SecretString>,
}

impl Material {
    /// # Errors
    /// Where one can't be read, or is not what it should be.
    pub fn read(tls: &ClientTls) -> Result<Self, Unsent> {
        let ca = tls
            .ca
            .as_ref()
            .map(|ca| judged(ca, |text| pem::certificates(text).map(drop)));
        let client = tls.client.as_ref().map(|[cert, key]| {
            let cert = judged(cert, |text| pem::certificates(text).map(drop))?;
            let key = judged(key, |text| pem::key(text).map(drop))?;
            Ok::<_, Unsent>(SecretString::from(format!(
                "{}\n{}\n",
                cert.expose_secret(),
                key.expose_secret()
            )))
        });
        Ok(Self {
            ca: ca.transpose()?,
            client: client.transpose()?,
        })
    }

    /// By which it is seen that a file was exchanged.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&self.ca, &self.client] {
            let text = part.as_ref().map_or("", ExposeSecret::expose_secret);
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }

    /// `compiled_in`: certificates that stand in for this host's, where it has none.
    pub fn put_into(&self, builder: ClientBuilder, counts: Ca, compiled_in: &[Certificate]) -> Result<ClientBuilder> {
        let own = match &self.ca {
            Some(ca) => Certificate::from_pem_bundle(ca.expose_secret().as_bytes())?,
            None => Vec::new(),
        };
        let builder = match counts {
            Ca::Alone if !own.is_empty() => builder.tls_certs_only(own),
            _ if compiled_in.is_empty() => builder.tls_certs_merge(own),
            _ => builder.tls_certs_only(own.into_iter().chain(compiled_in.iter().cloned())),
        };
        Ok(match &self.client {
            Some(client) => builder.identity(Identity::from_pem(client.expose_secret().as_bytes())?),
            None => builder,
        })
    }
}

fn judged(reference: &SecretRef, judge: impl Fn(&str) -> Result<(), &'static str>) -> Result<SecretString, Unsent> {
    let text = reference.read()?;
    match judge(text.expose_secret()) {
        Ok(()) => Ok(text),
        Err(why) => Err(Unsent::Secret(format!("{}: it {why}", reference.key))),
    }
}
