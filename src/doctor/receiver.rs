//! The receiver's end: whether it can be reached over TLS, and whether there is what proves who we are. Sends it no sync.

use anyhow::Result;

use super::clock;
use super::finding::Finding;
use super::limits::Limits;
use crate::config::{Alerts, Auth, Receiver, SecretRef};
use crate::fault::sentence;
use crate::policy::Answer;
use crate::receiver::{Endpoint, Reached, Unreached, Unsent, signing_key_bytes};
use crate::words::count;

const RECEIVER: &str = "receiver";
const CREDENTIALS: &str = "credentials";
const WEBHOOK: &str = "alerts_webhook";
/// Standard Webhooks asks for 24 to 64 bytes.
const KEY_BYTES_MIN: usize = 24;

pub(super) async fn examine(receiver: &Receiver, limits: &Limits) -> Result<Vec<Finding>> {
    let mut receiver = receiver.clone();
    receiver.timeout = receiver.timeout.min(limits.answer);
    let endpoint = Endpoint::new(&receiver)?;
    let mut findings = vec![credentials(&receiver, &endpoint).await.about(&receiver.name)];
    let reached = endpoint.reach().await;
    findings.push(reachable(&receiver, &reached).about(&receiver.name));
    if let Ok(reached) = &reached {
        findings.extend(clock::receiver(&receiver, reached, limits));
    }
    Ok(findings)
}

/// Whether the webhook that alerts are posted to is known; nothing is posted.
pub(super) fn webhook(alerts: &Alerts) -> Option<Finding> {
    let url = alerts.webhook_url.as_ref()?;
    Some(match url.read() {
        Ok(url) => Finding::ok(WEBHOOK, format!("alerts go to {}", url.host_str().unwrap_or_default())),
        Err(error) => Finding::wrong(
            WEBHOOK,
            format!("alerts reach nobody: {error}"),
            "set the variable, or write the file, that alerts.webhook_url names",
        ),
    })
}

async fn credentials(receiver: &Receiver, endpoint: &Endpoint) -> Finding {
    match endpoint.try_credentials().await {
        Ok(()) => present(&receiver.auth),
        Err(Unsent::Secret(why)) => Finding::wrong(
            CREDENTIALS,
            why,
            "set the variable, or write the file, that the settings name; for `run` as well",
        ),
        Err(Unsent::TokenRefused(why)) => Finding::wrong(
            CREDENTIALS,
            why,
            "put client_id, client_secret, scope or audience right in [receivers.NAME.auth]",
        ),
        Err(Unsent::NoToken(why)) => Finding::wrong(
            CREDENTIALS,
            why,
            "look at token_url, its DNS, this host's firewall and proxy; `run` tries again by itself",
        ),
    }
}

/// They can be read; whether a receiver accepts them only a sync can show.
fn present(auth: &Auth) -> Finding {
    let method = match auth {
        Auth::None => return Finding::ok(CREDENTIALS, "none are configured (method none)"),
        Auth::OAuth2(_) => return Finding::ok(CREDENTIALS, "the token endpoint gives a token for them"),
        Auth::Hmac { secrets } => return signing(secrets),
        Auth::ApiKey { header, .. } => format!("a key for header {header}"),
        Auth::Static { header, .. } => format!("a value for header {header}"),
        Auth::Bearer { .. } => "a bearer token".to_owned(),
    };
    Finding::ok(
        CREDENTIALS,
        format!("{method} is there; the first sync shows whether it is accepted"),
    )
}

fn signing(secrets: &[SecretRef]) -> Finding {
    let bytes = |secret: &SecretRef| secret.read().ok().and_then(|secret| signing_key_bytes(&secret));
    let short: Vec<String> = secrets
        .iter()
        .filter_map(|secret| Some((secret, bytes(secret)?)))
        .filter(|(_, bytes)| *bytes < KEY_BYTES_MIN)
        .map(|(secret, bytes)| format!("{} has {bytes} bytes", secret.key))
        .collect();
    if short.is_empty() {
        return Finding::ok(
            CREDENTIALS,
            format!(
                "{} to sign with, whsec_ and base64, long enough",
                count(secrets.len() as i64, "secret", "secrets")
            ),
        );
    }
    Finding::warning(
        CREDENTIALS,
        format!("a signing secret is easy to guess: {}", short.join(", ")),
        "agree on one with 24 to 64 random bytes",
    )
}

fn reachable(receiver: &Receiver, reached: &Result<Reached, Unreached>) -> Finding {
    let (name, url) = (&receiver.name, &receiver.url);
    let place = url.origin().ascii_serialization();
    let key = format!("receivers.{name}.url");
    let Unreached { answer, error } = match reached {
        Ok(Reached { status, .. }) => {
            let tls = if url.scheme() == "https" {
                ", its certificate is good"
            } else {
                ""
            };
            let answers = format!("{place} answers{tls} (HEAD: {status})");
            return match *status {
                404 | 410 => Finding::warning(
                    RECEIVER,
                    answers,
                    format!("look at the path of {key}: a request that is answered so pauses the receiver"),
                ),
                _ => Finding::ok(RECEIVER, answers),
            };
        }
        Err(unreached) => unreached,
    };
    let (what, todo) = match answer {
        Answer::BadCertificate => (
            "a certificate is not good",
            format!(
                "the receiver's: have it renewed, or if a CA of your own issued it name that in receivers.{name}.tls.ca_file; the \
                 relay's: client_cert and client_key there"
            ),
        ),
        Answer::Proxy => (
            "the proxy on the way fails",
            "look at HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY".to_owned(),
        ),
        Answer::Timeout => (
            "no answer in time",
            format!("look at {key}, this host's firewall and proxy, and whether the receiver is up"),
        ),
        _ => (
            "no connection",
            format!("look at {key}, its DNS, this host's firewall and proxy, and whether the receiver is up"),
        ),
    };
    Finding::wrong(RECEIVER, format!("{place}: {what}: {error}"), todo)
}

/// The client itself could not be made.
pub(super) fn unusable(receiver: &Receiver, error: &anyhow::Error) -> Finding {
    Finding::wrong(
        RECEIVER,
        sentence(error),
        "look at this host's CA certificates and proxy variables",
    )
    .about(&receiver.name)
}
