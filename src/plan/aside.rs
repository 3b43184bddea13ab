//! Properties that the source can't read out: set aside, so that the others are planned.
//!
//! A site's own source function may fail on one row, and a text may hold a byte that means nothing in its database's encoding. The
//! server then refuses the whole answer and does not say which row it was. So the feeds of a batch that failed are read in halves, their
//! properties' own rows included.

use anyhow::{Error, Result};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use super::chosen::{UnreadFeed, read_properties};
use super::compare::compare;
use super::failure::{is_about_a_value, without_values};
use super::scope::Scope;
use crate::alert::{self, Alert, Kind};

const UNREADABLE: &str = "unreadable";
/// So many that can't be read are each set aside, whatever else there is to plan: at rest a batch is no more than what has news.
const FEW: usize = 8;

/// The feeds that can be compared; those that can't are in cooldown for the retry schedule's longest step, each with an alert. An error
/// where most of many can't: then it is no row's doing.
pub(super) async fn set_aside(
    conn: &mut PgConnection,
    scope: &Scope,
    feeds: Vec<UnreadFeed>,
    now: Option<DateTime<Utc>>,
) -> Result<Vec<UnreadFeed>> {
    let of = feeds.len();
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    let mut parts = vec![feeds];
    while let Some(mut part) = parts.pop() {
        match try_to_compare(conn, scope, part.clone(), now).await? {
            None => readable.append(&mut part),
            Some(error) if part.len() == 1 => unreadable.push((part.remove(0), error)),
            Some(_) => {
                let rest = part.split_off(part.len() / 2);
                parts.extend([rest, part]);
            }
        }
        if unreadable.len() > FEW
            && unreadable.len() > of / 2
            && let Some((_, error)) = unreadable.pop()
        {
            return Err(error);
        }
    }
    for (feed, error) in unreadable {
        cool_down(conn, scope, &feed, error, now).await?;
    }
    Ok(readable)
}

/// The source's objection, if it has one. Writes nothing.
async fn try_to_compare(
    conn: &mut PgConnection,
    scope: &Scope,
    feeds: Vec<UnreadFeed>,
    now: Option<DateTime<Utc>>,
) -> Result<Option<Error>> {
    let mut savepoint = conn.begin().await?;
    let compared = match read_properties(&mut savepoint, &scope.receiver, feeds).await {
        Ok(feeds) => compare(&mut scope.plan_in(&mut savepoint, now), feeds).await,
        Err(error) => Err(error),
    };
    match compared {
        Ok(_) => savepoint.commit().await?,
        Err(error) if is_about_a_value(&error) => {
            savepoint.rollback().await?;
            return Ok(Some(error));
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}

async fn cool_down(
    conn: &mut PgConnection,
    scope: &Scope,
    feed: &UnreadFeed,
    error: Error,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let receiver = &scope.receiver;
    let longest = receiver.retry.longest();
    sqlx::query(include_str!("../../sql/deliver/cool_down_feeds.sql"))
        .bind(now)
        .bind(&[feed.feed_id()][..])
        .bind(UNREADABLE)
        .bind(longest.as_secs_f64())
        .execute(&mut *conn)
        .await?;
    let alert = Alert {
        kind: Kind::Unreadable,
        receiver: receiver.name.clone(),
        property_id: Some(feed.property_id()),
        message: format!(
            "nothing of this property is sealed, because it can't be read: {:#}. Others go on; it is tried again every {}",
            without_values(error),
            humantime::format_duration(longest)
        ),
    };
    alert::raise(conn, &alert, now).await
}

/// Alerts of properties that are read again are over.
pub(super) async fn resolve(conn: &mut PgConnection, scope: &Scope, now: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/resolve_readable.sql"))
        .bind(&scope.receiver.name)
        .bind(Kind::Unreadable.as_str())
        .bind(UNREADABLE)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
