//! `sandbox`.

use std::net::SocketAddr;

use anyhow::Result;
use clap::{ArgAction, ArgGroup, Args};

use super::print;
use super::run::stop_on_signals;
use crate::fault::{Fault, sentence};
use crate::relay::{Stop, stopped};
use rentsync_sandbox::{Batch, Format, Removed, Sandbox, SandboxAuth, SandboxOptions, UnitStyle};

#[derive(Args)]
#[command(group = ArgGroup::new("auth").args(["api_key", "bearer", "static_header", "hmac_secret", "oauth2_client"]))]
pub(super) struct Options {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: SocketAddr,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    proof: Proof,
}

/// What bodies have to look like.
#[derive(Args)]
#[command(next_help_heading = "What bodies look like")]
struct Shape {
    /// What one body is
    #[arg(long, value_enum, default_value = "property")]
    format: Format,
    /// How many properties one body is about
    #[arg(long, value_enum, default_value = "per_property")]
    batch: Batch,
    /// How a unit looks in format property
    #[arg(long, value_enum, default_value = "flat")]
    unit_style: UnitStyle,
    /// Whether bodies have what goes beyond the guide's own examples
    #[arg(long, action = ArgAction::Set, default_value_t = true, value_name = "BOOL")]
    extensions: bool,
    /// The unit fields that bodies have, by their flat names [default: all]
    #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
    fields: Option<Vec<String>>,
    /// How the removal of a unit is sent
    #[arg(long, value_enum, default_value = "list")]
    removed: Removed,
    /// Pass over unknown fields and fractions of a second, as a partner's endpoint should
    #[arg(long)]
    lenient: bool,
}

/// How the sender proves itself; without any of these everybody may post.
#[derive(Args)]
#[command(next_help_heading = "How the sender proves itself (by default not at all)")]
struct Proof {
    /// Expect this in X-API-Key
    #[arg(long, value_name = "KEY", env = "SANDBOX_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Expect this as Authorization: Bearer
    #[arg(long, value_name = "TOKEN", env = "SANDBOX_BEARER", hide_env_values = true)]
    bearer: Option<String>,
    /// Expect this header with this value
    #[arg(
        long,
        value_name = "NAME: VALUE",
        env = "SANDBOX_STATIC_HEADER",
        hide_env_values = true
    )]
    static_header: Option<String>,
    /// Expect payloads signed with this secret by Standard Webhooks
    #[arg(long, value_name = "whsec_…", env = "SANDBOX_HMAC_SECRET", hide_env_values = true)]
    hmac_secret: Option<String>,
    /// Expect tokens from /oauth/token, for this client
    #[arg(
        long,
        value_name = "ID:SECRET",
        env = "SANDBOX_OAUTH2_CLIENT",
        hide_env_values = true
    )]
    oauth2_client: Option<String>,
    /// The scope to be asked for
    #[arg(long, value_name = "SCOPE", requires = "oauth2_client")]
    oauth2_scope: Option<String>,
    /// The audience to be asked for
    #[arg(long, value_name = "AUDIENCE", requires = "oauth2_client")]
    oauth2_audience: Option<String>,
}

pub(super) async fn run(options: Options) -> Result<()> {
    let listen = options.listen;
    let options = agreed(options)?;
    options.check().map_err(Fault::usage)?;
    let with_tokens = matches!(options.auth, SandboxAuth::OAuth2 { .. });
    let sandbox = Sandbox::start(listen, options)
        .await
        .map_err(|error| Fault::usage(format!("{}; choose another address with --listen", sentence(&error))))?;
    print::line(&format!("sandbox receiver at {}", sandbox.url()))?;
    if with_tokens {
        print::line(&format!("  tokens: {}", sandbox.token_url()))?;
    }
    print::line(
        "  state: GET /v1/rent-roll/properties/ID   what came in: GET /v1/rent-roll/syncs   faults: PUT /faults\n  \
         backups: PUT /state/NAME, POST /state/NAME/restore",
    )?;
    stopped(&mut stop_on_signals()?, Stop::Finish).await;
    Ok(())
}

fn agreed(options: Options) -> Result<SandboxOptions> {
    let shape = options.shape;
    let usual = SandboxOptions::default();
    Ok(SandboxOptions {
        format: shape.format,
        batch: shape.batch,
        unit_style: shape.unit_style,
        extensions: shape.extensions,
        fields: shape.fields.unwrap_or(usual.fields),
        removed: shape.removed,
        auth: options.proof.auth()?,
        lenient: shape.lenient,
    })
}

impl Proof {
    /// At most one of them is given.
    fn auth(self) -> Result<SandboxAuth> {
        let header = |name: &str, value: String| SandboxAuth::Header {
            name: name.to_owned(),
            value,
        };
        if let Some(key) = self.api_key {
            return Ok(header("X-API-Key", key));
        }
        if let Some(token) = self.bearer {
            return Ok(header("Authorization", format!("Bearer {token}")));
        }
        if let Some(given) = self.static_header {
            let (name, value) = halves(&given, "--static-header", "NAME: VALUE")?;
            return Ok(header(name, value.trim().to_owned()));
        }
        if let Some(secret) = self.hmac_secret {
            return Ok(SandboxAuth::Hmac { secret });
        }
        let Some(given) = self.oauth2_client else {
            return Ok(SandboxAuth::None);
        };
        let (client_id, client_secret) = halves(&given, "--oauth2-client", "ID:SECRET")?;
        Ok(SandboxAuth::OAuth2 {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            scope: self.oauth2_scope,
            audience: self.oauth2_audience,
        })
    }
}

fn halves<'g>(given: &'g str, option: &str, form: &str) -> Result<(&'g str, &'g str)> {
    let halves = given.split_once(':').filter(|(first, _)| !first.is_empty());
    halves.ok_or_else(|| Fault::usage(format!("{option}: expected {form}, with a colon between")).into())
}
