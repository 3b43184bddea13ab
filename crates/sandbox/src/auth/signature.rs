//! Payloads signed by Standard Webhooks: HMAC-SHA-256 over `{id}.{timestamp}.{bytes on the wire}`.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::Utc;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::super::refusal::Refusal;
use super::header::single;

/// How far a timestamp may lie from now, in seconds.
const TOLERANCE: u64 = 300;

/// A secret to verify with.
pub struct Signature(Hmac<Sha256>);

impl Signature {
    /// Reads `whsec_<base64>`.
    pub fn with(secret: &str) -> Result<Self, String> {
        let key = secret
            .strip_prefix("whsec_")
            .and_then(|key| BASE64.decode(key).ok())
            .filter(|key| !key.is_empty());
        let Some(key) = key else {
            return Err("auth: the secret is no whsec_ with a key in base64 behind it".into());
        };
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes keys of any length");
        Ok(Self(mac))
    }

    /// Whether the request is signed with the secret, now, and for this sync.
    pub fn check(&self, headers: &HeaderMap, wire: &[u8]) -> Result<(), Refusal> {
        let id = single(headers, "webhook-id")?;
        let sync_id = single(headers, "X-Aigent-Sync-ID")?;
        if id != sync_id {
            return wrong("id", format!("is {id:?}; expected the sync ID {sync_id:?}"));
        }
        let timestamp = single(headers, "webhook-timestamp")?;
        is_fresh(timestamp)?;
        let mut signed = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", wire] {
            signed.update(part);
        }
        one_verifies(single(headers, "webhook-signature")?, &signed)
    }
}

fn is_fresh(timestamp: &str) -> Result<(), Refusal> {
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let Some(seconds) = digits.then(|| timestamp.parse::<i64>().ok()).flatten() else {
        return wrong(
            "timestamp",
            format!("is {timestamp:?}; expected seconds since 1970, digits only"),
        );
    };
    let now = Utc::now().timestamp();
    if now.abs_diff(seconds) > TOLERANCE {
        return wrong(
            "timestamp",
            format!("is {seconds}; expected at most {TOLERANCE} seconds from {now}"),
        );
    }
    Ok(())
}

/// All signatures are well-formed, and one is right; HMAC's own comparison takes constant time.
fn one_verifies(signatures: &str, signed: &Hmac<Sha256>) -> Result<(), Refusal> {
    let mut verified = false;
    for signature in signatures.split(' ') {
        let decoded = signature
            .strip_prefix("v1,")
            .and_then(|signature| BASE64.decode(signature).ok());
        let Some(decoded) = decoded else {
            return wrong(
                "signature",
                "has a part that is not v1,<base64>; expected such, a space between",
            );
        };
        verified |= signed.clone().verify_slice(&decoded).is_ok();
    }
    if verified {
        return Ok(());
    }
    wrong(
        "signature",
        "verifies with none of its parts; expected one by the agreed secret",
    )
}

fn wrong<T>(header: &str, what: impl std::fmt::Display) -> Result<T, Refusal> {
    Err(Refusal::unauthorized(format!("header webhook-{header}: {what}")))
}
