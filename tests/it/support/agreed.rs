//! The sandbox's side of an agreement, from the relay's settings: each word by its own name, so that neither side lends
//! the other its rules.

use rentsync_relay::config::{self, Auth, Field, Receiver, RemovedAs, SecretRef};
use rentsync_sandbox::{Batch, Format, Removed, SandboxAuth, SandboxOptions, UnitStyle};
use secrecy::ExposeSecret;

/// What a sandbox is set to that stands for this receiver.
pub fn options(receiver: &Receiver) -> SandboxOptions {
    let fields = Field::ALL.iter().filter(|(field, _)| receiver.fields.has(*field));
    SandboxOptions {
        format: match receiver.format {
            config::Format::Property => Format::Property,
            config::Format::Flat => Format::Flat,
            config::Format::Unit => Format::Unit,
        },
        batch: match receiver.batch {
            config::Batch::PerProperty => Batch::PerProperty,
            config::Batch::AllProperties => Batch::AllProperties,
        },
        unit_style: match receiver.unit_style {
            config::UnitStyle::Flat => UnitStyle::Flat,
            config::UnitStyle::Nested => UnitStyle::Nested,
        },
        extensions: receiver.extensions,
        fields: fields.map(|(_, name)| (*name).to_owned()).collect(),
        removed: match receiver.removed {
            RemovedAs::List => Removed::List,
            RemovedAs::Unavailable => Removed::Unavailable,
        },
        auth: auth(&receiver.auth),
        lenient: false,
    }
}

fn auth(auth: &Auth) -> SandboxAuth {
    let header = |name: &str, value: String| SandboxAuth::Header {
        name: name.to_owned(),
        value,
    };
    match auth {
        Auth::None => SandboxAuth::None,
        Auth::ApiKey { key, header: name } => header(name, text(key)),
        Auth::Bearer { token } => header("Authorization", format!("Bearer {}", text(token))),
        Auth::Static { header: name, value } => header(name, text(value)),
        // The receiver knows the newest alone.
        Auth::Hmac { secrets } => SandboxAuth::Hmac {
            secret: text(&secrets[0]),
        },
        Auth::OAuth2(oauth2) => SandboxAuth::OAuth2 {
            client_id: oauth2.client_id.clone(),
            client_secret: text(&oauth2.client_secret),
            scope: oauth2.scope.clone(),
            audience: oauth2.audience.clone(),
        },
    }
}

fn text(secret: &SecretRef) -> String {
    secret.read().expect("a secret").expose_secret().to_owned()
}
