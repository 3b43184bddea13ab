//! Whether the credentials are still those of a while ago: new ones may be the repair that a paused receiver waits for.
//!
//! What is remembered is a hash, in memory only.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::{Auth, SecretRef};

/// One receiver's credentials, looked at now and then.
pub(super) struct Credentials {
    secrets: Vec<SecretRef>,
    seen: [u8; 32],
}

impl Credentials {
    /// As they are now.
    pub fn of(auth: &Auth, headers: &[(String, SecretRef)]) -> Self {
        let in_headers = headers.iter().map(|(_, reference)| reference);
        let secrets: Vec<_> = auth.secrets().into_iter().chain(in_headers).cloned().collect();
        let seen = hash(&secrets);
        Self { secrets, seen }
    }

    /// Whether they are others than at the last look.
    pub fn changed(&mut self) -> bool {
        let now = hash(&self.secrets);
        std::mem::replace(&mut self.seen, now) != now
    }
}

/// A secret that can't be read is as good as none, until it can be.
fn hash(secrets: &[SecretRef]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for secret in secrets {
        let text = secret
            .read()
            .map(|text| text.expose_secret().to_owned())
            .unwrap_or_default();
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_noticed_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let auth = Auth::ApiKey {
            key: SecretRef::file("receivers.main.auth.key", file.path()),
            header: "X-API-Key".into(),
        };
        let mut credentials = Credentials::of(&auth, &[]);
        assert!(!credentials.changed());
        std::fs::write(file.path(), "new").unwrap();
        assert!(credentials.changed());
        assert!(!credentials.changed());
    }
}
