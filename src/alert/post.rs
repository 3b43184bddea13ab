//! Posting alerts to a webhook: one JSON body with a `text`, as Slack and many others take it.
//!
//! Of each kind and receiver the newest, at most hourly, whichever relay it is. The URL is a secret: it stands in no log
//! and in no error.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, StatusCode};
use serde_json::json;
use sqlx::PgConnection;

use crate::clock::Clock;
use crate::config::SecretUrl;
use crate::receiver::client_to;

/// Long enough for any webhook; a slow one must not keep the next alert back for ever.
const TIMEOUT: Duration = Duration::from_secs(10);
/// After a post that failed.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Posts what is due.
pub struct Poster {
    client: Client,
    url: SecretUrl,
    clock: Clock,
}

impl Poster {
    /// Connects nowhere yet.
    pub fn new(url: &SecretUrl, clock: Clock) -> Result<Self> {
        Ok(Self {
            client: client_to(&url.read()?, TIMEOUT).context("preparing posts to alerts.webhook_url")?,
            url: url.clone(),
            clock,
        })
    }

    /// Posts what is due; what could not be posted is due again in a minute. Says how many were posted.
    pub async fn post_due(&self, conn: &mut PgConnection) -> Result<usize> {
        type Row = (String, String, Option<i64>, String);
        let due: Vec<Row> = sqlx::query_as(include_str!("../../sql/alert/due_posts.sql"))
            .bind(self.clock.now())
            .fetch_all(&mut *conn)
            .await
            .context("looking for alerts to post")?;
        let mut posted = 0;
        for (kind, receiver, property_id, message) in due {
            match self.post(&kind, &receiver, property_id, &message).await {
                Ok(()) => posted += 1,
                Err(why) => {
                    tracing::warn!(
                        receiver,
                        alert = kind,
                        "an alert could not be posted, again in a minute: {why}"
                    );
                    sqlx::query(include_str!("../../sql/alert/unpost.sql"))
                        .bind(&kind)
                        .bind(&receiver)
                        .bind(self.clock.now())
                        .bind(AGAIN_AFTER.as_secs_f64())
                        .execute(&mut *conn)
                        .await?;
                }
            }
        }
        Ok(posted)
    }

    async fn post(&self, kind: &str, receiver: &str, property_id: Option<i64>, message: &str) -> Result<()> {
        let property = property_id.map_or_else(String::new, |id| format!(", property {id}"));
        let text = format!("rentsync-relay: {kind}, receiver {receiver}{property}: {message}");
        let body = json!({ "text": text, "kind": kind, "receiver": receiver, "property_id": property_id });
        let answer = self
            .client
            .post(self.url.read()?)
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

fn refused(status: StatusCode) -> anyhow::Error {
    anyhow::anyhow!("alerts.webhook_url answered {}", status.as_u16())
}
