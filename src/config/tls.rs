//! TLS with a receiver beyond what every host knows: a CA of one's own, and a certificate that shows who the relay is.
//!
//! Not its business: what the files hold, which is read whenever a connection is made.

use std::path::Path;

use settings::{Node, Refusal, SecretRef, Section, Validated, secret};

/// Whom a receiver's certificate has to come from, and what the relay shows of its own. All of it is PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// The authorities that count, in place of those that this host knows.
    pub ca: Option<SecretRef>,
    /// The relay's certificate, and its key.
    pub client: Option<[SecretRef; 2]>,
}

impl ClientTls {
    /// All that has to be read.
    pub fn files(&self) -> impl Iterator<Item = &SecretRef> {
        self.ca.iter().chain(self.client.iter().flatten())
    }

    pub(super) fn read(section: &mut Section) -> Self {
        let ca = file(section, "ca_file");
        let (cert, key) = (file(section, "client_cert"), file(section, "client_key"));
        let client = match (cert, key) {
            (Some(cert), Some(key)) => Some([cert, key]),
            (None, None) => None,
            (Some(_), None) => lacks(section, "client_key", "client_cert"),
            (None, Some(_)) => lacks(section, "client_cert", "client_key"),
        };
        Self { ca, client }
    }
}

fn lacks(section: &mut Section, missing: &str, given: &str) -> Option<[SecretRef; 2]> {
    section.refuse(missing, &format!("has to be set as well, because {given} is"));
    None
}

fn file(section: &mut Section, key: &str) -> Option<SecretRef> {
    let (path, directory) = (section.path_of(key), section.directory().to_owned());
    let reference = section.optional(key, pem(&path, &directory))?;
    section.keep_secret(&reference);
    Some(reference)
}

/// A file's path, or a reference as for any secret.
fn pem<'a>(key: &'a str, directory: &'a Path) -> impl FnOnce(&Node) -> Validated<SecretRef> + 'a {
    const MUST: &str =
        "must be the path of a file in PEM and not what is in it, or { env = \"NAME\" } or { file = \"path\" }";
    move |node| {
        if node.clone().into_entries().is_some() {
            return secret(key, directory)(node).map_err(|_| Refusal::hiding_value(MUST));
        }
        match node.as_str() {
            Some(path) if !path.is_empty() && !path.contains("-----BEGIN") => {
                Ok(SecretRef::file(key, directory.join(path)))
            }
            _ => Err(Refusal::hiding_value(MUST)),
        }
    }
}
