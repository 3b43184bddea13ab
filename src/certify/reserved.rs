//! The ids that are reserved for certifying must be nobody's: where the source can be asked, it is.

use std::time::Duration;

use anyhow::Result;

use super::portfolio::{PROPERTIES, UNITS};
use crate::config::Config;
use crate::database::Database;
use crate::fault::{Fault, sentence};

const STATEMENT_MAX: Duration = Duration::from_secs(10);

/// Refuses ids that a property or a unit of the source has; answers why that was not looked at, where it was not.
pub async fn check(config: &Config) -> Result<Option<String>> {
    if config.database.url.is_none() {
        return Ok(Some("no database is configured".to_owned()));
    }
    let first = config.certify.property_id;
    let found = match look(config, first).await {
        Ok(found) => found,
        Err(error) => return Ok(Some(sentence(&error))),
    };
    match found {
        None => Ok(None),
        Some((kind, id)) => Err(Fault::usage(format!(
            "{kind} {id} is a real one: certify.property_id reserves properties {first} to {} and units {first} to {}; set it to where \
             nothing is. Nothing was sent",
            first + PROPERTIES - 1,
            first + UNITS - 1,
        ))
        .into()),
    }
}

async fn look(config: &Config, first: i64) -> Result<Option<(String, i64)>> {
    let mut conn = Database::from_config(&config.database)?
        .connect_to_read(STATEMENT_MAX)
        .await?;
    let found = sqlx::query_as(include_str!("../../sql/certify/real_ids.sql"))
        .bind(first)
        .bind(first + PROPERTIES - 1)
        .bind(first)
        .bind(first + UNITS - 1)
        .fetch_optional(&mut conn)
        .await?;
    Ok(found)
}
