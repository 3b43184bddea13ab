//! How the relay shows who it is: every method on the wire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use rentsync_relay::config::{Auth, Compression};
use rentsync_relay::receiver::{Endpoint, Unsent};
use sha2::Sha256;

use super::stub::{Received, Stub, answer};
use super::{BODY, ID, Secret, posted, receiver};

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_bm90LWEtc2VjcmV0LW9mLWFueWJvZHk=";

/// The signature as a receiver works it out, from what came over the wire.
fn expected(secret: &str, request: &Received) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let timestamp = request.header("webhook-timestamp").unwrap();
    mac.update(format!("{ID}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn keys_and_tokens_are_in_their_headers() {
    let secret = Secret::new("secret", "s3cret-value");
    let reference = || secret.reference.clone();
    let header = |name: &str| name.to_owned();
    for (auth, name, value) in [
        (
            Auth::ApiKey {
                key: reference(),
                header: header("X-API-Key"),
            },
            "x-api-key",
            "s3cret-value",
        ),
        (
            Auth::Bearer { token: reference() },
            "authorization",
            "Bearer s3cret-value",
        ),
        (
            Auth::Static {
                header: header("Authorization"),
                value: reference(),
            },
            "authorization",
            "s3cret-value",
        ),
    ] {
        let stub = Stub::answering(|_, _| answer(200, &[], "")).await;
        let mut receiver = receiver(&stub.url);
        receiver.auth = auth;
        let tried = posted(&receiver).await;
        assert_eq!(stub.received()[0].header(name), Some(value));
        let shown = format!("{tried:?} {receiver:?}");
        assert!(!shown.contains("s3cret-value"), "{shown}");
    }
}

#[tokio::test]
async fn a_signature_is_over_the_bytes_on_the_wire_by_every_live_secret() {
    let stub = Stub::answering(|_, _| answer(200, &[], "")).await;
    let secrets = [Secret::new("secrets[0]", NEW), Secret::new("secrets[1]", OLD)];
    let mut receiver = receiver(&stub.url);
    receiver.auth = Auth::Hmac {
        secrets: secrets.iter().map(|secret| secret.reference.clone()).collect(),
    };
    for compression in [Compression::None, Compression::Gzip] {
        receiver.compression = compression;
        posted(&receiver).await;
        let request = stub.received().pop().unwrap();
        assert_eq!(request.body == BODY, compression == Compression::None);
        assert_eq!(request.header("webhook-id"), Some(ID));
        let signatures = format!("{} {}", expected(NEW, &request), expected(OLD, &request));
        assert_eq!(request.header("webhook-signature"), Some(&*signatures));
        let timestamp: i64 = request.header("webhook-timestamp").unwrap().parse().unwrap();
        assert!((0..60).contains(&(Utc::now().timestamp() - timestamp)), "{timestamp}");
    }
}

#[tokio::test]
async fn a_secret_that_was_exchanged_is_used_at_once() {
    let stub = Stub::answering(|_, _| answer(200, &[], "")).await;
    let secret = Secret::new("token", "first");
    let mut receiver = receiver(&stub.url);
    receiver.auth = Auth::Bearer {
        token: secret.reference.clone(),
    };
    let endpoint = Endpoint::new(&receiver).unwrap();
    for token in ["first", "second"] {
        secret.becomes(token);
        endpoint.post(ID, BODY.to_vec()).await.unwrap();
        let sent = stub.received().pop().unwrap();
        assert_eq!(sent.header("authorization"), Some(&*format!("Bearer {token}")));
    }
}

#[tokio::test]
async fn a_secret_of_no_use_sends_nothing_and_is_named_by_its_key() {
    let stub = Stub::answering(|_, _| answer(200, &[], "")).await;
    let mut receiver = receiver(&stub.url);
    let plain = Secret::new("secrets[1]", "hunter2");
    let good = Secret::new("secrets[0]", NEW);
    let broken = Secret::new("token", "hunter2\nhunter2");
    let missing = Secret::new("token", "");
    let signed = Auth::Hmac {
        secrets: vec![good.reference.clone(), plain.reference.clone()],
    };
    let token = |secret: &Secret| Auth::Bearer {
        token: secret.reference.clone(),
    };
    for (auth, start) in [
        (signed, "receivers.main.auth.secrets[1]: the secret must be whsec_"),
        (
            token(&broken),
            "receivers.main.auth.token: the secret has characters that no header can carry",
        ),
        (token(&missing), "receivers.main.auth.token: its secret's file "),
    ] {
        receiver.auth = auth;
        let endpoint = Endpoint::new(&receiver).unwrap();
        let error = endpoint.post(ID, BODY.to_vec()).await.unwrap_err();
        let unsent: &Unsent = error.downcast_ref().unwrap();
        assert!(
            matches!(unsent, Unsent::Secret(_)) && unsent.needs_a_person(),
            "{unsent:?}"
        );
        assert!(error.to_string().starts_with(start), "{error}");
        assert!(!format!("{error:?} {unsent:?}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(stub.connections(), 0);
}
