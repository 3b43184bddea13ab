//! Signatures as Standard Webhooks has them: HMAC-SHA-256 over id, time and the bytes on the wire.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// Secrets are copied by hand, and their padding is what gets lost.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value of `webhook-signature`: one signature for each secret, in their order.
///
/// None where a secret is not `whsec_` and base64; which one is said by its index.
pub(super) fn sign(secrets: &[SecretString], id: &str, timestamp: i64, body: &[u8]) -> Result<String, usize> {
    let signatures = secrets.iter().enumerate().map(|(index, secret)| {
        let key = key(secret.expose_secret()).ok_or(index)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| index)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    Ok(signatures.collect::<Result<Vec<_>, usize>>()?.join(" "))
}

pub(super) fn key(secret: &str) -> Option<Vec<u8>> {
    let key = LENIENT.decode(secret.trim().strip_prefix(PREFIX)?).ok()?;
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const TIMESTAMP: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn signed(secrets: &[&str]) -> Result<String, usize> {
        let secrets: Vec<_> = secrets.iter().copied().map(SecretString::from).collect();
        sign(&secrets, ID, TIMESTAMP, BODY)
    }

    #[test]
    fn the_published_vector_is_met() {
        assert_eq!(signed(&[SECRET]).as_deref(), Ok(SIGNATURE));
    }

    #[test]
    fn every_secret_signs_and_the_first_signs_first() {
        let other = signed(&["whsec_AAAA"]).unwrap();
        assert_eq!(signed(&[SECRET, "whsec_AAAA"]), Ok(format!("{SIGNATURE} {other}")));
        assert_eq!(signed(&["whsec_AAAA", SECRET]), Ok(format!("{other} {SIGNATURE}")));
    }

    #[test]
    fn padding_makes_no_difference_and_anything_else_does() {
        assert_eq!(signed(&["whsec_AAA"]), signed(&["whsec_AAA="]));
        for wrong in ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_***", "whsec_A"] {
            assert_eq!(signed(&[SECRET, wrong]), Err(1), "{wrong}");
        }
    }
}
