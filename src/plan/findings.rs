//! What a batch finds beside what it seals: noted, and a person warned, once the ledger says what was sealed.

use anyhow::Result;
use sqlx::PgConnection;

use super::duplicate::{self, Recoded};
use super::feed_delta::FeedDelta;
use super::guard::{self, OVER_THE_WHOLE};
use super::invalid::{self, Unspeakable};
use super::observed::ValidityChanges;
use super::scope::{PlanTx, Scope};
use crate::alert;

/// Of one batch.
pub(super) struct Findings {
    feeds: Vec<i64>,
    /// Feeds of which units are back before anybody decided about their removal.
    back: Vec<i64>,
    /// Feeds that were compared as a whole because a snapshot was due.
    compared: Vec<i64>,
    /// Properties of which a unit was refused so far, and none is sealed now.
    refused_before: Vec<i64>,
    validity: ValidityChanges,
    recoded: Vec<Recoded>,
    unspeakable: Unspeakable,
}

impl Findings {
    /// Before the deltas are sealed.
    pub fn of(deltas: &[FeedDelta], scope: &Scope) -> Self {
        let feeds_where = |which: &dyn Fn(&FeedDelta) -> bool| {
            let feeds = deltas.iter().filter(|delta| which(delta));
            feeds.map(|delta| delta.feed.feed_id).collect::<Vec<_>>()
        };
        // What is sealed is over once it is acknowledged.
        let was_refused =
            |delta: &&FeedDelta| delta.observed.was_refused && delta.parts.len() <= 1 && !delta.is_sealed(scope);
        Self {
            feeds: feeds_where(&|_| true),
            back: feeds_where(&|delta| delta.observed.back.is_any()),
            compared: feeds_where(&|delta| delta.feed.snapshot_due.is_some()),
            refused_before: deltas
                .iter()
                .filter(was_refused)
                .map(|delta| delta.feed.property_id)
                .collect(),
            validity: invalid::validity(deltas),
            recoded: Recoded::of(deltas),
            unspeakable: Unspeakable::of(deltas),
        }
    }

    /// After the ledger says what was sealed.
    pub async fn note(self, tx: &mut PlanTx<'_>) -> Result<()> {
        if !self.back.is_empty() {
            guard::clear(tx, &[self.back.as_slice(), &[OVER_THE_WHOLE]].concat()).await?;
        }
        guard::gather(tx, &self.feeds).await?;
        invalid::note(tx, self.validity).await?;
        invalid::note_properties(tx, self.unspeakable).await?;
        duplicate::note(tx, &self.recoded).await?;
        alert::resolve_refused(tx.conn, &tx.scope.receiver.name, &self.refused_before, tx.now).await?;
        retry_refused(tx.conn, &self.compared).await
    }
}

/// With every snapshot, so once a night.
async fn retry_refused(conn: &mut PgConnection, feeds: &[i64]) -> Result<()> {
    if !feeds.is_empty() {
        sqlx::query(include_str!("../../sql/plan/retry_with_snapshot.sql"))
            .bind(feeds)
            .execute(conn)
            .await?;
    }
    Ok(())
}
