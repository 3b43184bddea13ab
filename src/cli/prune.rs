//! `prune`.

use anyhow::Result;

use super::context::connect_to_write;
use super::print;
use crate::config::Config;
use crate::prune::{Pruned, horizon, step};
use crate::words;

pub(super) async fn prune(config: &Config) -> Result<()> {
    let mut conn = connect_to_write(config).await?;
    let mut pruned = Pruned::default();
    loop {
        pruned += step(&mut conn, &config.retention, None).await?;
        if !pruned.more {
            break;
        }
    }
    print::line(&format!(
        "pruned: {}, {}, {} of others, {}; {} moved up, {} of them due a snapshot",
        words::count(pruned.outbox, "change", "changes"),
        words::count(pruned.syncs, "sync", "syncs"),
        words::count(pruned.bodies, "body", "bodies"),
        words::count(pruned.notes, "note", "notes"),
        words::count(pruned.cursors, "feed", "feeds"),
        pruned.snapshots
    ))?;
    match horizon(&mut conn).await? {
        Some(horizon) => print::line(&format!("a replay can go back to {}", words::moment(horizon))),
        None => print::line("a replay can go back to the beginning"),
    }
}
