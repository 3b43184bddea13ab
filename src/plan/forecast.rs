//! Forecast: every request that a batch leads to, as if the receiver acknowledged each. For a preview; nothing is written.

use std::collections::HashSet;
use std::mem;

use anyhow::Result;
use sqlx::PgConnection;

use super::choose::owed_per_feed_max;
use super::compare::{again, name_carriers};
use super::feed_delta::FeedDelta;
use super::scope::{Mode, Scope};
use crate::delta::LedgerRow;

/// The requests of each feed, one after another, as if the receiver acknowledged each: what is left of a delta for want of room is
/// compared again without limits, and sealed in later ones. First those that go out first.
pub(crate) async fn forecast_batches(
    conn: &mut PgConnection,
    scope: &Scope,
    deltas: Vec<FeedDelta>,
) -> Result<Vec<Vec<FeedDelta>>> {
    let unlimited = scope.unlimited();
    let (several, mut first): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|delta| delta.needs_several(scope));
    let mut all = again(conn, &unlimited, several.iter().map(|delta| (delta, delta.mode))).await?;
    name_carriers(conn, &unlimited, &mut all).await?;
    let mut turns = Vec::new();
    for (mut delta, whole) in several.into_iter().zip(all) {
        let later = delta.forecast_rest(whole, scope)?;
        first.push(delta);
        for (turn, delta) in later.into_iter().enumerate() {
            if turns.len() == turn {
                turns.push(Vec::new());
            }
            turns[turn].push(delta);
        }
    }
    turns.insert(0, first);
    Ok(turns)
}

impl FeedDelta {
    /// Whether something is left for later requests, as far as room is what it waits for.
    pub fn needs_several(&self, scope: &Scope) -> bool {
        let may =
            matches!(self.mode, Mode::Delta | Mode::ResendAll) && !self.feed.bisection_waited && self.entries() > 0;
        may && (self.room.left_over || self.unsettled.owed_read >= owed_per_feed_max(&scope.receiver))
    }

    /// The requests that carry, after this one, what is left of `whole`: the same without limits.
    pub fn forecast_rest(&mut self, mut whole: Self, scope: &Scope) -> Result<Vec<Self>> {
        let carried: HashSet<i64> = self.unit_ids().collect();
        whole.upserts.retain(|upsert| !carried.contains(&upsert.unit.unit_id));
        whole.remove.retain(|removal| !carried.contains(&removal.unit_id));
        whole
            .upserts
            .sort_unstable_by_key(|upsert| (upsert.removed.is_some(), upsert.unit.unit_id));
        let (owed, noted): (Vec<_>, Vec<_>) = mem::take(&mut whole.noted).into_iter().partition(LedgerRow::is_owed);
        let mut settled: Vec<i64> = carried.into_iter().chain(whole.forget.iter().copied()).collect();
        settled.extend(noted.iter().map(|row| row.unit_id));
        let mut requests: Vec<Self> = Vec::new();
        while whole.entries() > 0 {
            let mut next = whole.next_request(scope)?;
            next.goes_on = whole.entries() > 0;
            next.unsettled = whole.unsettled;
            next.settled_before.clone_from(&settled);
            settled.extend(next.unit_ids());
            requests.push(next);
        }
        if let Some(last) = requests.last_mut() {
            last.noted = owed;
            self.goes_on = true;
        }
        Ok(requests)
    }

    fn unit_ids(&self) -> impl Iterator<Item = i64> {
        let upserts = self.upserts.iter().map(|upsert| upsert.unit.unit_id);
        upserts.chain(self.remove.iter().map(|removal| removal.unit_id))
    }

    /// Takes what the next request carries out of what is left, by the rules above: what lives first, of as many as a plan reads.
    fn next_request(&mut self, scope: &Scope) -> Result<Self> {
        let mut feed = self.feed.clone();
        (feed.snapshot_due, feed.whole) = (None, false);
        let mut next = Self::of(feed, Mode::Delta, scope)?;
        (next.property_differs, next.property_changed) = (false, false);
        (next.digest, next.replay) = (self.digest, self.replay);
        let mut unread = owed_per_feed_max(&scope.receiver);
        let all_are_read = i64::try_from(self.entries())? < unread;
        for upsert in mem::take(&mut self.upserts) {
            unread -= 1;
            match unread >= 0 && next.fits(scope.shape.entry_bytes(&upsert.unit), scope) {
                true => next.upserts.push(upsert),
                false => self.upserts.push(upsert),
            }
        }
        for removal in mem::take(&mut self.remove) {
            unread -= 1;
            let bytes = scope.shape.removal_bytes(removal.unit_code.as_deref(), &next.property);
            let may = unread >= 0 && self.upserts.is_empty() && (all_are_read || next.upserts.is_empty());
            match may && next.fits(bytes, scope) {
                true => next.remove.push(removal),
                false => self.remove.push(removal),
            }
        }
        next.upserts.sort_unstable_by_key(|upsert| upsert.unit.unit_id);
        Ok(next)
    }
}
