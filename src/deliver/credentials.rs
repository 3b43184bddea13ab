//! Whether the credentials are still those of a while ago: new ones may be the repair that a paused receiver waits for.
//!
//! What is remembered is a hash, in memory only.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::{Receiver, SecretRef};

/// One receiver's credentials, looked at now and then.
pub(super) struct Credentials {
    secrets: Vec<SecretRef>,
    seen: [u8; 32],
}

impl Credentials {
    /// As they are now.
    pub fn of(receiver: &Receiver) -> Self {
        let secrets: Vec<_> = receiver.credentials().into_iter().cloned().collect();
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
    use crate::config::Auth;

    #[test]
    fn a_changed_file_is_noticed_once() {
        let [key, cert] = [0, 1].map(|_| tempfile::NamedTempFile::new().unwrap());
        let mut receiver = Receiver::new("main", "https://receiver.example/".parse().unwrap());
        receiver.auth = Auth::Bearer {
            token: SecretRef::file("receivers.main.auth.token", key.path()),
        };
        receiver.tls.client = Some([&cert, &cert].map(|file| SecretRef::file("receivers.main.tls", file.path())));
        let mut credentials = Credentials::of(&receiver);
        assert!(!credentials.changed());
        for file in [key, cert] {
            std::fs::write(file.path(), "new").unwrap();
            assert!(credentials.changed());
            assert!(!credentials.changed());
        }
    }
}
