//! Who signed in: a cookie that says so by itself, signed by a key that follows from the token. Pure.
//!
//! No table has sessions: a cookie counts until it ends, twelve hours after it was given, or until the token is another. So signing out
//! takes a cookie from its browser and from nowhere else.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// How long one counts, in seconds: a working day.
pub(super) const LASTS: i64 = 12 * 60 * 60;

/// The form of the cookie, and what separates its key from any other use of the token.
const VERSION: &str = "1";
const PURPOSE: &[u8] = b"rentsync-relay session 1";
/// What both sides of a comparison are hashed under, so that it takes as long wherever they differ.
const COMPARISON: &[u8] = b"rentsync-relay token";

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Which, for the audit: it is worth nothing by itself.
    pub id: String,
}

/// A cookie for somebody who has the token, from `now` on (in seconds since 1970).
pub(super) fn issue(token: &SecretString, id: &str, now: i64) -> String {
    let until = now.saturating_add(LASTS);
    let said = format!("{VERSION}.{until}.{id}");
    let signature = hex::encode(signer(token, &said).finalize().into_bytes());
    format!("{said}.{signature}")
}

/// Whose cookie this is; none: nobody's, or not any more.
pub(super) fn read(token: &SecretString, cookie: &str, now: i64) -> Option<Session> {
    let (said, signature) = cookie.rsplit_once('.')?;
    signer(token, said).verify_slice(&hex::decode(signature).ok()?).ok()?;
    let mut parts = said.split('.');
    let (version, until, id) = (parts.next()?, parts.next()?, parts.next()?);
    let counts = version == VERSION && now < until.parse::<i64>().ok()?;
    counts.then(|| Session { id: id.to_owned() })
}

/// Whether this is the token, in a time that says nothing of how much of it is right.
pub(super) fn is_token(token: &SecretString, given: &str) -> bool {
    let expected = keyed(COMPARISON, token.expose_secret().as_bytes())
        .finalize()
        .into_bytes();
    keyed(COMPARISON, given.as_bytes()).verify_slice(&expected).is_ok()
}

fn signer(token: &SecretString, said: &str) -> Hmac<Sha256> {
    let key = keyed(token.expose_secret().as_bytes(), PURPOSE).finalize().into_bytes();
    keyed(&key, said.as_bytes())
}

fn keyed(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(text);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> SecretString {
        SecretString::from("a token of twenty or so")
    }

    #[test]
    fn a_cookie_counts_for_its_time_and_under_its_token() {
        let cookie = issue(&token(), "ab12", 1_000);
        assert_eq!(read(&token(), &cookie, 1_000), Some(Session { id: "ab12".to_owned() }));
        assert!(read(&token(), &cookie, 1_000 + LASTS - 1).is_some());
        assert_eq!(read(&token(), &cookie, 1_000 + LASTS), None, "it is over");
        assert_eq!(read(&SecretString::from("another token"), &cookie, 1_000), None);
    }

    #[test]
    fn whatever_of_a_cookie_is_changed_it_counts_no_more() {
        let cookie = issue(&token(), "ab12", 1_000);
        for (place, _) in cookie.char_indices() {
            let mut changed = cookie.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(read(&token(), &changed, 1_000), None, "{changed}");
        }
        for nonsense in ["", ".", "1.2.3", "1.99999999999.a.", "1.99999999999.a.00"] {
            assert_eq!(read(&token(), nonsense, 1_000), None, "{nonsense}");
        }
    }

    #[test]
    fn only_the_token_is_the_token() {
        assert!(is_token(&token(), "a token of twenty or so"));
        for wrong in [
            "",
            "a token of twenty or s",
            "a token of twenty or so ",
            "a token of twenty or so\0",
        ] {
            assert!(!is_token(&token(), wrong), "{wrong:?}");
        }
    }
}
