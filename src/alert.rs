//! Alerts: what a person should know. One row each, one line in the log when it is new, and where the settings say so one
//! post to a webhook.

mod post;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::words::in_a_line;

pub use crate::states::AlertKind as Kind;
pub use post::Poster;

/// An alert before it is raised.
#[derive(Clone, Debug)]
pub struct Alert {
    /// What there is to know.
    pub kind: Kind,
    /// About which receiver.
    pub receiver: String,
    /// About which property, where it is about one.
    pub property_id: Option<i64>,
    /// What happened and what to do about it; no field's value, no secret.
    pub message: String,
}

/// Writes the alert; the same one again only counts up until somebody acknowledges it.
pub async fn raise(conn: &mut PgConnection, alert: &Alert, now: Option<DateTime<Utc>>) -> Result<()> {
    let times: i32 = sqlx::query_scalar(include_str!("../sql/alert/raise.sql"))
        .bind(alert.kind.as_str())
        .bind(&alert.receiver)
        .bind(alert.property_id)
        .bind(in_a_line(&alert.message))
        .bind(now)
        .fetch_one(conn)
        .await?;
    if times == 1 {
        tracing::error!(
            alert = alert.kind.as_str(),
            receiver = alert.receiver,
            property_id = alert.property_id,
            "{}",
            alert.message
        );
    }
    Ok(())
}

/// Writes down good news, which nobody has to acknowledge.
pub async fn note(conn: &mut PgConnection, alert: &Alert, now: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query(include_str!("../sql/alert/note.sql"))
        .bind(alert.kind.as_str())
        .bind(&alert.receiver)
        .bind(alert.property_id)
        .bind(&alert.message)
        .bind(now)
        .execute(conn)
        .await?;
    tracing::info!(
        alert = alert.kind.as_str(),
        receiver = alert.receiver,
        property_id = alert.property_id,
        "{}",
        alert.message
    );
    Ok(())
}

/// What stood open of these kinds is over by itself.
pub async fn resolve(
    conn: &mut PgConnection,
    receiver: &str,
    kinds: &[Kind],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../sql/alert/resolve.sql"))
        .bind(receiver)
        .bind(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The same of these properties only.
pub async fn resolve_of(
    conn: &mut PgConnection,
    receiver: &str,
    kind: Kind,
    properties: &[i64],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    if properties.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/alert/resolve_properties.sql"))
        .bind(receiver)
        .bind(kind.as_str())
        .bind(properties)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The receiver acknowledged a sync of each of these properties: what it did not take of them before is over. Of the second ones it
/// holds what it should.
pub async fn resolve_acknowledged(
    conn: &mut PgConnection,
    receiver: &str,
    (properties, equal): (&[i64], &[i64]),
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query(include_str!("../sql/alert/resolve_acknowledged.sql"))
        .bind(receiver)
        .bind(properties)
        .bind(now)
        .bind(equal)
        .execute(conn)
        .await?;
    Ok(())
}

/// Refused units of these properties are no longer to be sent: the alert is over with the last of them.
pub async fn resolve_refused(
    conn: &mut PgConnection,
    receiver: &str,
    properties: &[i64],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    if !properties.is_empty() {
        sqlx::query(include_str!("../sql/alert/resolve_refused.sql"))
            .bind(receiver)
            .bind(properties)
            .bind(now)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// A person knows of an open alert, or of all that are open, of one receiver or any. Says how many these were.
pub async fn acknowledge(conn: &mut PgConnection, alert_id: Option<i64>, receiver: Option<&str>) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("../sql/alert/ack.sql"))
        .bind(alert_id)
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_says_of_each_kind_what_ends_it_and_what_to_do() {
        let runbook = include_str!("../docs/runbook.md");
        let (_, section) = runbook.split_once("\n## Alerts, by kind\n").expect("the section");
        let rows = section.lines().take_while(|line| !line.starts_with("## "));
        let rows = rows.filter(|line| line.starts_with("| `"));
        let kinds: Vec<&str> = rows
            .map(|row| {
                let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
                assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
                cells[0].trim_matches('`')
            })
            .collect();
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(kinds, known, "in the order of the enum");
    }
}
