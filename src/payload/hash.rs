//! Content hashes and the digest over them.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Stands before a unit's canonical bytes when they are hashed; changes when the canonical form must.
pub(super) const UNIT_VERSION: &str = "unit/1\n";
/// The same of a property's.
pub(super) const PROPERTY_VERSION: &str = "property/1\n";

/// SHA-256 of something as a receiver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Of a unit's canonical bytes.
    pub fn of_unit(canonical: &[u8]) -> Self {
        Self::tagged(UNIT_VERSION, canonical, b"")
    }

    /// Of a unit's canonical bytes while they are still being written: their end isn't there yet.
    pub(super) fn of_unfinished_unit(canonical: &[u8], end: &[u8]) -> Self {
        Self::tagged(UNIT_VERSION, canonical, end)
    }

    /// Of a property's own fields.
    pub fn of_property(canonical: &[u8]) -> Self {
        Self::tagged(PROPERTY_VERSION, canonical, b"")
    }

    fn tagged(version: &str, canonical: &[u8], end: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix(version).chain_update(canonical);
        Self(hash.chain_update(end).finalize().into())
    }

    /// As the database keeps it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for Hash {
    type Error = anyhow::Error;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        <[u8; 32]>::try_from(bytes)
            .map(Self)
            .map_err(|bytes| anyhow::anyhow!("a stored hash has {} bytes, not 32", bytes.len()))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// XOR over a property's units of SHA-256("`unit_id`:`content_hash`"): kept up by one step for each unit that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of no unit at all.
    pub const EMPTY: Self = Self([0; 32]);

    /// Puts a unit in, or takes it out again: XOR is its own inverse.
    pub fn toggle(&mut self, unit_id: i64, hash: &Hash) {
        let entry = Sha256::digest(format!("{unit_id}:{hash}"));
        for (byte, with) in self.0.iter_mut().zip(entry) {
            *byte ^= with;
        }
    }

    /// As the database keeps it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for Digest {
    type Error = anyhow::Error;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        Hash::try_from(bytes).map(|hash| Self(hash.0))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_independent_of_order_and_forgets_what_was_taken_out() {
        let (a, b) = (Hash::of_unit(b"a"), Hash::of_unit(b"b"));
        let mut one = Digest::EMPTY;
        one.toggle(1, &a);
        one.toggle(2, &b);
        let mut other = Digest::EMPTY;
        other.toggle(2, &b);
        other.toggle(1, &a);
        assert_eq!(one, other);
        other.toggle(1, &a);
        other.toggle(2, &b);
        assert_eq!(other, Digest::EMPTY);
    }
}
