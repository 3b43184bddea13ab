//! `prune`.

use anyhow::Result;

use super::{connect, print};
use crate::config::Config;
use crate::prune::{Pruned, horizon, step};
use crate::words;

pub(super) async fn prune(config: &Config) -> Result<()> {
    let mut conn = connect(config).await?;
    let mut pruned = Pruned::default();
    loop {
        pruned += step(&mut conn, &config.retention, None).await?;
        if !pruned.more {
            break;
        }
    }
    print::line(&format!(
        "pruned: {} changes, {} syncs, {} bodies of others, {} notes; {} feeds moved up, {} of them due a snapshot",
        pruned.outbox, pruned.syncs, pruned.bodies, pruned.notes, pruned.cursors, pruned.snapshots
    ))?;
    match horizon(&mut conn).await? {
        Some(horizon) => print::line(&format!("a replay can go back to {}", words::moment(horizon))),
        None => print::line("a replay can go back to the beginning"),
    }
}
