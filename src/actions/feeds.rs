//! Which properties a receiver is to have, and whether they are planned.

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{Connection, FromRow, PgConnection};

use crate::audit::{self, Actor, Entry, LISTED_MAX};
use crate::fault::Fault;
use crate::plan::{self, FeedChange};

/// What is done to a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The receiver is to have it, under this id where one is given.
    Enable(Option<&'a str>),
    /// The receiver is to drop every unit of it.
    Disable,
    /// Nothing is planned.
    Pause,
    /// It is planned again.
    Resume,
}

impl Change<'_> {
    fn action(self) -> &'static str {
        match self {
            Self::Enable(_) => "feeds enable",
            Self::Disable => "feeds disable",
            Self::Pause => "feeds pause",
            Self::Resume => "feeds resume",
        }
    }

    fn asked(&self) -> FeedChange<'_> {
        let nothing = FeedChange::default();
        match *self {
            Self::Enable(external_id) => FeedChange {
                enabled: Some(true),
                external_id,
                ..nothing
            },
            Self::Disable => FeedChange {
                enabled: Some(false),
                ..nothing
            },
            Self::Pause => FeedChange {
                paused: Some(true),
                ..nothing
            },
            Self::Resume => FeedChange {
                paused: Some(false),
                ..nothing
            },
        }
    }
}

/// How a feed is set.
#[derive(Serialize, FromRow)]
struct Standing {
    enabled: bool,
    paused_because: Option<String>,
    external_id: Option<String>,
}

/// Does it to the feed of one property.
///
/// # Errors
/// When there is no such feed, no such property, or units at the receiver under another id.
pub async fn set(
    conn: &mut PgConnection,
    by: &Actor,
    receiver: &str,
    property_id: i64,
    change: Change<'_>,
) -> Result<()> {
    let mut tx = conn.begin().await?;
    if let Change::Enable(Some(external_id)) = change {
        check_nothing_sent(&mut tx, receiver, property_id, external_id).await?;
    }
    let before = standing(&mut tx, receiver, property_id).await?;
    let known = plan::set_feed(&mut tx, receiver, property_id, change.asked()).await?;
    if !known {
        let lacking = match change {
            Change::Enable(_) => "the source has no such property",
            _ => "it has no feed; see `feeds list`",
        };
        return Err(Fault::usage(format!("property {property_id} for receiver {receiver}: {lacking}")).into());
    }
    let entry = Entry {
        action: change.action(),
        receiver: Some(receiver),
        subject: format!("property {property_id}"),
        before,
        after: standing(&mut tx, receiver, property_id).await?,
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Plans every paused property of a receiver again. Says which.
pub async fn resume_all(conn: &mut PgConnection, by: &Actor, receiver: &str) -> Result<Vec<i64>> {
    let mut tx = conn.begin().await?;
    let properties = plan::resume_feeds(&mut tx, receiver).await?;
    if properties.is_empty() {
        return Ok(properties);
    }
    let listed = &properties[..properties.len().min(LISTED_MAX)];
    let entry = Entry {
        action: Change::Resume.action(),
        receiver: Some(receiver),
        subject: "every paused property".to_owned(),
        before: Some(json!({ "paused": true })),
        after: Some(json!({ "paused": false, "properties": properties.len(), "property_ids": listed })),
    };
    audit::write(&mut tx, by, &entry).await?;
    tx.commit().await?;
    Ok(properties)
}

async fn standing(conn: &mut PgConnection, receiver: &str, property_id: i64) -> Result<Option<Value>> {
    let standing: Option<Standing> = sqlx::query_as(include_str!("../../sql/audit/feed.sql"))
        .bind(receiver)
        .bind(property_id)
        .fetch_optional(conn)
        .await?;
    Ok(standing.map(serde_json::to_value).transpose()?)
}

/// Whoever holds units under one name would keep them beside those under another.
async fn check_nothing_sent(
    conn: &mut PgConnection,
    receiver: &str,
    property_id: i64,
    external_id: &str,
) -> Result<()> {
    let sent = plan::has_another_name(conn, receiver, property_id, external_id).await?;
    if sent {
        return Err(Fault::usage(format!(
            "property {property_id}: receiver {receiver} holds units of it under another id; `feeds disable {property_id}`, \
             wait until their removal is acknowledged (`feeds list` shows 0 units), then enable it with the new id"
        ))
        .into());
    }
    Ok(())
}
