//! `refused list --duplicates`.

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::context::Listing;
use super::print;
use crate::config::Config;
use crate::inspect::duplicates::{self, DuplicateView, FieldView};

/// A unit for people.
#[derive(Serialize)]
struct Line<'a> {
    unit_code: &'a str,
    unit_id: i64,
    receiver: &'a str,
    property_id: i64,
    since: DateTime<Utc>,
    differs_in: String,
}

pub(super) async fn list(conn: &mut PgConnection, config: &Config, listing: &Listing) -> Result<()> {
    let sharing = duplicates::duplicates(conn, config, listing.receiver.as_deref()).await?;
    let when_empty = "no two units of a property have the same code";
    if listing.json {
        return print::rows(&sharing, true, when_empty);
    }
    print::rows(&sharing.iter().map(in_a_line).collect::<Vec<_>>(), false, when_empty)
}

fn in_a_line(unit: &DuplicateView) -> Line<'_> {
    let said = |version: &FieldView| match &version.value {
        Some(value) => format!("{} {value}", version.field),
        None => version.field.to_owned(),
    };
    let differs_in: Vec<String> = unit.fields.iter().map(said).collect();
    Line {
        unit_code: &unit.unit_code,
        unit_id: unit.unit_id,
        receiver: &unit.receiver,
        property_id: unit.property_id,
        since: unit.since,
        differs_in: differs_in.join(", "),
    }
}
