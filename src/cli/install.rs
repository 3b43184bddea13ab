//! `install` and `uninstall`.

use anyhow::Result;

use super::{database, print};
use crate::capture;
use crate::config::Config;

pub(super) async fn install(config: &Config) -> Result<()> {
    let installed = capture::install(&database(config)?, &config.source).await?;
    let [properties, units] = &installed.tables;
    print::line(&format!(
        "installed: schema rentsync, source functions, triggers on {properties} and {units}"
    ))?;
    if config.source.available_status_ids.is_some() {
        return Ok(());
    }
    print::line("\nNext: say which of these statuses mean available, in source.available_status_ids")?;
    for status in installed.statuses {
        let id = status.status_id.map_or("null".to_owned(), |id| id.to_string());
        let name = status.status_name.unwrap_or_default();
        print::line(&format!("  {id:>6}  {name}  ({} units)", status.units))?;
    }
    Ok(())
}

pub(super) async fn uninstall(config: &Config, purge: bool) -> Result<()> {
    let done = capture::uninstall(&database(config)?, purge).await?;
    print::line(match (done, purge) {
        (false, _) => "nothing to take away: the relay is not installed in this database",
        (true, false) => "triggers taken off; schema rentsync is kept (--purge drops it)",
        (true, true) => "triggers taken off, schema rentsync dropped",
    })
}
