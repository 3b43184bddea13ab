//! The disk: how much schema rentsync takes, and whether what should make room does.

use anyhow::Result;
use chrono::TimeDelta;
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use super::limits::Limits;
use crate::clock::Clock;
use crate::config::Retention;

const DISK: &str = "disk";
const RETENTION: &str = "retention";
const VACUUM: &str = "vacuum";
/// `run` prunes every hour, and what is under way at the time stays until the next.
const GRACE: TimeDelta = TimeDelta::days(1);

#[derive(FromRow)]
struct Uncleaned {
    name: String,
    dead: i64,
    is_automatic: bool,
}

/// What schema rentsync takes of the disk, in words for people beside the number.
#[derive(FromRow)]
struct Size {
    bytes: i64,
    pretty: String,
    most: Option<String>,
    outbox_a_day: Option<String>,
    tablespace: String,
}

pub(super) async fn size(conn: &mut PgConnection, limits: &Limits) -> Result<Vec<Finding>> {
    let size: Size = sqlx::query_as(include_str!("../../sql/doctor/size.sql"))
        .fetch_one(conn)
        .await?;
    let takes = size
        .outbox_a_day
        .map_or("lies".to_owned(), |a_day| format!("takes some {a_day} a day"));
    let what = format!(
        "schema rentsync takes {}: {}; the outbox {takes} in tablespace {}, and how much is free there only the host knows",
        size.pretty,
        size.most.unwrap_or_default(),
        size.tablespace
    );
    Ok(vec![if size.bytes.unsigned_abs() > limits.schema_bytes {
        Finding::warning(
            DISK,
            what,
            "look at checks retention and vacuum; if both are right, shorten retention.syncs (bodies) or retention.outbox",
        )
    } else {
        Finding::ok(DISK, what)
    }])
}

pub(super) async fn retention(conn: &mut PgConnection, retention: &Retention) -> Result<Vec<Finding>> {
    let now = Clock::Database.moment(conn).await?;
    let before = |kept: std::time::Duration| now - GRACE - TimeDelta::from_std(kept).unwrap_or_default();
    let (outbox, syncs): (bool, bool) = sqlx::query_as(include_str!("../../sql/doctor/overdue.sql"))
        .bind(before(retention.outbox))
        .bind(before(retention.syncs))
        .fetch_one(conn)
        .await?;
    let overdue: Vec<_> = [
        (outbox, "changes (retention.outbox)"),
        (syncs, "syncs (retention.syncs)"),
    ]
    .into_iter()
    .filter(|(is_overdue, _)| *is_overdue)
    .map(|(_, what)| what)
    .collect();
    Ok(vec![match overdue.len() {
        0 => Finding::ok(RETENTION, "nothing is kept for longer than it should be"),
        _ => Finding::warning(
            RETENTION,
            format!("{} should have been pruned days ago", overdue.join(" and ")),
            "start `rentsync-relay run`, which prunes every hour, or say `prune`; if both do, look at check transactions",
        ),
    }])
}

pub(super) async fn vacuum(conn: &mut PgConnection, limits: &Limits) -> Result<Vec<Finding>> {
    let uncleaned: Vec<Uncleaned> = sqlx::query_as(include_str!("../../sql/doctor/vacuum.sql"))
        .bind(i64::try_from(limits.dead_rows)?)
        .fetch_all(conn)
        .await?;
    if uncleaned.is_empty() {
        return Ok(vec![Finding::ok(VACUUM, "dead rows are cleaned up")]);
    }
    Ok(uncleaned.iter().map(Uncleaned::finding).collect())
}

impl Uncleaned {
    fn finding(&self) -> Finding {
        let Self { name, dead, .. } = self;
        if self.is_automatic {
            return Finding::warning(
                VACUUM,
                format!("rentsync.{name} has {dead} dead rows, more than living ones"),
                format!("look at check transactions; then, as its owner: vacuum (analyze) rentsync.{name};"),
            );
        }
        Finding::warning(
            VACUUM,
            format!("autovacuum is off for rentsync.{name}, which has {dead} dead rows"),
            format!("set autovacuum = on; as its owner: alter table rentsync.{name} reset (autovacuum_enabled);"),
        )
    }
}
