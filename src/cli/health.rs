//! `health`: whether the relay that runs with these settings is ready, for a container's own check.

use anyhow::Result;

use super::print;
use crate::config::Config;
use crate::fault::Fault;
use crate::http;

pub(super) async fn health(config: &Config) -> Result<()> {
    let Some(listen) = config.http.listen else {
        return Err(Fault::usage(
            "http.listen is none, so the relay answers nobody whether it is ready: set it to an address and a port",
        )
        .into());
    };
    http::ask(listen).await?;
    print::line("ready")
}
