//! `erase`.

use anyhow::Result;
use clap::Args;
use sqlx::PgConnection;

use super::context::connect;
use super::print;
use crate::actions::{leads, unknown_receiver};
use crate::audit::Actor;
use crate::config::Config;
use crate::erase::{self, Erased};
use crate::fault::{Fault, sentence};
use crate::words::count;

#[derive(Args)]
#[command(after_long_help = "\
Empties the body of every request that carried the unit, the receiver's answers to them, and its answers to any other request \
in which a name of the unit's lead stands or that can't be read. A request that is under way is \
given up, and what it carried is sent anew as it is then. The source is not touched: while it has a lead for the unit, that is \
sent again, and kept again for retention.syncs. Remove it there first; the receiver then learns it with the unit's next \
request.")]
pub(super) struct Options {
    /// The unit's id, as the source has it
    #[arg(long, value_name = "ID")]
    unit: i64,
    /// Which receiver, where several are configured
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
}

/// What empties the server's statistics.
const SAMPLED: &str = "as the owner of schema rentsync, and once no view reads these columns, run `alter table rentsync.sync alter body \
    set statistics 0, alter body type bytea; alter table rentsync.attempt alter answer set statistics 0, alter answer type text, alter \
    error set statistics 0, alter error type text`, then erase once more";

pub(super) async fn erase(config: &Config, options: &Options) -> Result<()> {
    let mut conn = connect(config).await?;
    let unit_id = options.unit;
    let (mut left, mut samples) = (0, 0);
    for receiver in receivers(&mut conn, config, options.receiver.as_deref()).await? {
        let erased = leads::erase(&mut conn, &Actor::of_command(), &receiver, unit_id).await?;
        left += erased.proof.left();
        samples = erased.proof.samples;
        print::line(&said(unit_id, &erased))?;
    }
    match erase::source_has_lead(&mut conn, unit_id).await {
        Ok(false) => {}
        Ok(true) => print::line(&format!(
            "the source still has a lead for unit {unit_id}: it is sent again with the unit's next request, and kept again; remove \
             it there, then erase once more"
        ))?,
        Err(error) => print::line(&format!(
            "whether the source still has a lead for unit {unit_id} is not known: {}",
            sentence(&error)
        ))?,
    }
    match left {
        0 => Ok(()),
        _ if samples > 0 => Err(Fault::finding(format!("what the server's statistics keep is left: {SAMPLED}")).into()),
        _ => Err(Fault::finding(format!("something of unit {unit_id} is left; run it again")).into()),
    }
}

/// The one that is named, configured or not; else all that this database knows, unless several are configured.
async fn receivers(conn: &mut PgConnection, config: &Config, chosen: Option<&str>) -> Result<Vec<String>> {
    let known = erase::receivers(conn).await?;
    match chosen {
        Some(name) if known.iter().any(|known| known == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(unknown_receiver(name)),
        None if config.receivers.len() > 1 => {
            config.receiver(None)?;
            Ok(known)
        }
        None => Ok(known),
    }
}

fn said(unit_id: i64, erased: &Erased) -> String {
    let given_up = match erased.given_up {
        0 => String::new(),
        syncs => format!(
            " ({} under way given up, what {} carried is sent anew)",
            count(syncs, "request", "requests"),
            if syncs == 1 { "it" } else { "they" }
        ),
    };
    let proof = &erased.proof;
    let left = match proof.left() {
        0 if !erased.searched => {
            "no name of its lead is known any more, so answers were not searched for one; nothing else is left"
                .to_owned()
        }
        0 => "nothing is left".to_owned(),
        left => format!("{left} of these may still have its lead"),
    };
    format!(
        "unit {unit_id}, receiver {}: erased {}{given_up}, {}, {}, {}; looked at {}, {}, {}, {} and the server's statistics afterwards: \
         {left}",
        erased.receiver,
        count(erased.bodies, "body", "bodies"),
        count(erased.answers, "answer", "answers"),
        count(erased.texts, "text of the ledger", "texts of the ledger"),
        count(erased.hashes, "hash", "hashes"),
        count(proof.syncs, "request that carried it", "requests that carried it"),
        count(proof.tries, "try", "tries"),
        count(proof.rows, "row of the ledger", "rows of the ledger"),
        count(proof.words, "answer to any request", "answers to any request"),
    )
}
