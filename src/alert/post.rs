//! Posting alerts to a webhook: one JSON body with a `text`, as Slack and many others take it.
//!
//! Of each kind and receiver the newest, at most hourly, whichever relay it is. A relay claims what it posts for a minute:
//! what could not be posted, for whatever reason, is due again when its claim ends. So nothing is lost, and the same may
//! come twice where a relay dies between post and note. The URL is a secret: it stands in no log and in no error.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use reqwest::{Client, StatusCode};
use serde_json::json;
use sqlx::{FromRow, PgConnection};

use crate::clock::Clock;
use crate::config::SecretUrl;
use crate::fault::sentence;
use crate::receiver::client_to;

/// Long enough for any webhook.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many are claimed at once: each may take the whole timeout before the claim ends.
const CLAIMED_MAX: i64 = 5;
/// A claim's end.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Between two posts of a kind.
const REPEATED_AFTER: Duration = Duration::from_secs(60 * 60);

/// Posts what is due.
pub struct Poster {
    /// How long one post may take.
    pub timeout: Duration,
    client: Client,
    url: SecretUrl,
    clock: Clock,
}

/// What is to be posted about a receiver.
#[derive(FromRow)]
struct Due {
    kind: String,
    receiver: String,
    property_id: Option<i64>,
    message: String,
    /// How often it was raised.
    times: i32,
    /// Of that kind, which this one post reports.
    alerts: i64,
    last_at: DateTime<Utc>,
}

impl Poster {
    /// Connects nowhere yet.
    pub fn new(url: &SecretUrl, clock: Clock) -> Result<Self> {
        Ok(Self {
            timeout: TIMEOUT,
            client: client_to(&url.read()?, TIMEOUT).context("preparing posts to alerts.webhook_url")?,
            url: url.clone(),
            clock,
        })
    }

    /// Posts what is due, until a post fails. Says how many were posted.
    pub async fn post_due(&self, conn: &mut PgConnection) -> Result<usize> {
        let mut posted = 0;
        for due in self.claim(conn).await? {
            if let Err(error) = self.post(&due).await {
                tracing::warn!(
                    receiver = due.receiver,
                    alert = due.kind,
                    "an alert could not be posted, again in a minute: {}",
                    sentence(&error)
                );
                // The others would wait for the same deadline.
                break;
            }
            self.note(conn, &due).await?;
            posted += 1;
        }
        Ok(posted)
    }

    async fn claim(&self, conn: &mut PgConnection) -> Result<Vec<Due>> {
        sqlx::query_as(include_str!("../../sql/alert/due_posts.sql"))
            .bind(self.clock.now())
            .bind(AGAIN_AFTER.as_secs_f64())
            .bind(CLAIMED_MAX)
            .fetch_all(conn)
            .await
            .context("looking for alerts to post")
    }

    async fn note(&self, conn: &mut PgConnection, due: &Due) -> Result<()> {
        sqlx::query(include_str!("../../sql/alert/posted.sql"))
            .bind(&due.kind)
            .bind(&due.receiver)
            .bind(due.last_at)
            .bind(self.clock.now())
            .bind(REPEATED_AFTER.as_secs_f64())
            .execute(conn)
            .await
            .context("noting that an alert was posted")?;
        Ok(())
    }

    async fn post(&self, due: &Due) -> Result<()> {
        let body = json!({
            "text": due.text(),
            "kind": due.kind,
            "receiver": due.receiver,
            "property_id": due.property_id,
            "times": due.times,
        });
        let answer = self
            .client
            .post(self.url.read()?)
            .timeout(self.timeout)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(refused(status)),
        }
    }
}

impl Due {
    fn text(&self) -> String {
        let property = self
            .property_id
            .map_or_else(String::new, |id| format!(", property {id}"));
        let times = match self.times {
            1 => String::new(),
            times => format!(", {times} times"),
        };
        let more = match self.alerts {
            1 => String::new(),
            alerts => format!(" (and {} more of this kind, see `alerts list`)", alerts - 1),
        };
        format!(
            "rentsync-relay: {}, receiver {}{property}{times}: {}{more}",
            self.kind, self.receiver, self.message
        )
    }
}

fn refused(status: StatusCode) -> anyhow::Error {
    anyhow::anyhow!("alerts.webhook_url answered {}", status.as_u16())
}
