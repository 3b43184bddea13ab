//! `sandbox`.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Args;

use super::print;
use crate::sandbox::{Sandbox, SandboxAuth, SandboxOptions};

#[derive(Args)]
pub(super) struct Options {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    listen: SocketAddr,
    /// Expect this in X-API-Key; without it everybody may post
    #[arg(long, value_name = "KEY", env = "SANDBOX_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
}

pub(super) async fn run(options: Options) -> Result<()> {
    let auth = options.api_key.map_or(SandboxAuth::None, |value| SandboxAuth::Header {
        name: "X-API-Key".to_owned(),
        value,
    });
    let sandbox = Sandbox::start(options.listen, SandboxOptions { auth }).await?;
    print::line(&format!("sandbox receiver at {}", sandbox.url()))?;
    print::line(
        "  state: GET /v1/rent-roll/properties/ID   what came in: GET /v1/rent-roll/syncs   faults: PUT /faults",
    )?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
