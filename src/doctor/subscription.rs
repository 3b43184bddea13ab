//! A source that comes by logical replication: whether anything arrives. The slot on the other side is asked for there.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::finding::{Finding, ago};

const SUBSCRIPTION: &str = "subscription";
/// The publisher says something every half of `wal_sender_timeout`, which is a minute unless somebody set it.
const SILENT_MAX: f64 = 60.0;
const SLOT_WAITS: &str = "meanwhile the slot keeps write-ahead log on the publisher's disk";

#[derive(FromRow)]
struct Subscription {
    name: String,
    is_enabled: bool,
    runs: bool,
    silent_seconds: Option<f64>,
    copying: String,
}

/// Nothing where the tables are written to here.
pub(super) async fn examine(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let subscriptions: Vec<Subscription> = sqlx::query_as(include_str!("../../sql/doctor/subscriptions.sql"))
        .bind(&tables[..])
        .fetch_all(conn)
        .await?;
    Ok(subscriptions.iter().map(Subscription::finding).collect())
}

impl Subscription {
    fn finding(&self) -> Finding {
        let Self { name, copying, .. } = self;
        if !self.is_enabled {
            return Finding::wrong(
                SUBSCRIPTION,
                format!("{name}, by which the source comes here, is disabled: nothing arrives, and {SLOT_WAITS}"),
                format!("alter subscription {name} enable; or drop it, which drops the slot"),
            );
        }
        if !self.runs {
            return Finding::wrong(
                SUBSCRIPTION,
                format!("{name}, by which the source comes here, has no worker: nothing arrives, and {SLOT_WAITS}"),
                "look into this server's log for what its worker fails on: a column that is missing here, a row that is there already, a \
                 publisher that can't be reached",
            );
        }
        if !copying.is_empty() {
            return Finding::warning(
                SUBSCRIPTION,
                format!("{name} still copies {copying}"),
                "nothing; begin `run` once all is here, or all else counts as removed",
            );
        }
        let silent = self.silent_seconds.unwrap_or(f64::MAX);
        if silent > SILENT_MAX {
            return Finding::warning(
                SUBSCRIPTION,
                format!(
                    "{name} has heard nothing of the publisher for {}: {SLOT_WAITS}",
                    ago(silent)
                ),
                "look at the publisher and the network between",
            );
        }
        Finding::ok(
            SUBSCRIPTION,
            format!(
                "{name} follows the publisher; how much its slot keeps is to be asked there (pg_replication_slots)"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_subscription_that_brings_nothing_is_said_with_what_its_slot_costs() {
        let well = || Subscription {
            name: "rentsync".to_owned(),
            is_enabled: true,
            runs: true,
            silent_seconds: Some(1.0),
            copying: String::new(),
        };
        assert_eq!(well().finding().finding, Grade::Ok);
        let is_enabled = false;
        let runs = false;
        for ill in [Subscription { is_enabled, ..well() }, Subscription { runs, ..well() }] {
            let found = ill.finding();
            assert_eq!(found.finding, Grade::Wrong);
            assert!(found.what.contains("write-ahead log"), "{}", found.what);
        }
        let silent = Subscription {
            silent_seconds: Some(SILENT_MAX + 1.0),
            ..well()
        };
        let copying = Subscription {
            copying: "projects".to_owned(),
            ..well()
        };
        for odd in [silent, copying] {
            assert_eq!(odd.finding().finding, Grade::Warning);
        }
    }
}
