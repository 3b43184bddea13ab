//! Sorting what differs: what a plan is yet to seal waits, what somebody objects to is withheld, and the rest is drift.

use std::collections::HashMap;

use anyhow::Result;

use super::delivery::Delivery;
use super::finding::{Counts, Finding, Sink, about};
use crate::delta::Present;
use crate::inspect::unit::{Announced, UnitStanding, standing};
use crate::plan::{FeedDelta, Scope, UnitSides};
use crate::words::count;

const WAITING: &str = "waiting";

/// Sorts a batch's units, reports what is found, and remembers only which of them drifted.
pub(super) struct Sorting<'a, 'b> {
    pub scope: &'a Scope,
    pub deliveries: &'a HashMap<i64, Delivery>,
    pub counts: &'a mut Counts,
    pub report: Sink<'b>,
    pub yet_to_compare: HashMap<i64, usize>,
    pub drifted: HashMap<i64, Vec<i64>>,
}

impl Sorting<'_, '_> {
    /// One unit.
    pub fn sort(&mut self, delta: &FeedDelta, pair: &UnitSides) -> Result<()> {
        let feed_id = delta.feed.feed_id;
        self.counts.units += 1;
        let sealed = pair.ledger.as_ref().and_then(|row| row.last_sealed.sequence());
        let under_way = self.deliveries[&feed_id].under_way;
        let (finding, because) = match standing(self.scope, &delta.feed, pair) {
            UnitStanding::Withheld(kept) | UnitStanding::Released(kept) => (kept.kind.as_str(), kept.because.clone()),
            UnitStanding::Invalid(because) => ("invalid", because.to_owned()),
            UnitStanding::Settled if under_way.is_some_and(|first| sealed >= Some(first)) => {
                (WAITING, "sealed, not yet acknowledged".to_owned())
            }
            UnitStanding::Settled => {
                match pair.source {
                    Present::Absent(_) => self.counts.removed += 1,
                    Present::Content(_) | Present::Invalid(_) => self.counts.equal += 1,
                }
                return Ok(());
            }
            UnitStanding::Differs(Announced { owed: Some(owed), .. }) => (WAITING, format!("owed: {owed}")),
            UnitStanding::Differs(Announced { whole: true, .. }) => {
                self.counts.waiting += 1;
                *self.yet_to_compare.entry(feed_id).or_default() += 1;
                return Ok(());
            }
            UnitStanding::Differs(Announced { touched: true, .. }) => (WAITING, "changed, not yet planned".to_owned()),
            UnitStanding::Differs(_) => {
                self.counts.drift += 1;
                self.drifted.entry(feed_id).or_default().push(pair.unit_id);
                return Ok(());
            }
        };
        match finding {
            WAITING => self.counts.waiting += 1,
            _ => self.counts.withheld += 1,
        }
        (self.report)(Finding {
            because: Some(because),
            ledger_hash: pair.ledger_hash().map(|hash| hash.to_string()),
            source_hash: pair.source_hash().map(|hash| hash.to_string()),
            ..about(self.scope, &delta.feed, Some(pair.unit_id), finding)
        })
    }

    /// What there is to say of a feed as a whole.
    pub fn feed(&mut self, delta: &FeedDelta) -> Result<()> {
        let feed = &delta.feed;
        self.counts.feeds += 1;
        if let Some(because) = self.waits(delta) {
            (self.report)(Finding {
                because: Some(because),
                ..about(self.scope, feed, None, WAITING)
            })?;
        }
        let Some((sequence, ours, said)) = self.deliveries[&feed.feed_id].digests() else {
            return Ok(());
        };
        self.counts.digests += 1;
        if ours == said {
            return Ok(());
        }
        self.counts.digests_differing += 1;
        let because =
            format!("after sequence {sequence} the receiver should hold {ours}, and says that it holds {said}");
        (self.report)(Finding {
            because: Some(because),
            ..about(self.scope, feed, None, "digest")
        })
    }

    /// What waits of a feed beside single units.
    fn waits(&self, delta: &FeedDelta) -> Option<String> {
        let units = self.yet_to_compare.get(&delta.feed.feed_id);
        let units = units.map(|units| {
            format!(
                "{}: the property is yet to be compared as a whole",
                count(*units, "unit", "units")
            )
        });
        let own = (delta.feed.property_owed || (delta.property_changed && delta.feed.uncovered.is_none()))
            && self.scope.shape.properties_are_sent()
            && !property_drifted(delta, self.scope);
        let own = own.then(|| "the property's own fields are yet to be sealed".to_owned());
        let all: Vec<String> = units.into_iter().chain(own).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The property's own fields differ, and nothing says that they are to be sealed. Of one that left the feed none are.
pub(super) fn property_drifted(delta: &FeedDelta, scope: &Scope) -> bool {
    let feed = &delta.feed;
    let announced = feed.property_owed || feed.whole || feed.uncovered.is_some();
    delta.property_changed && scope.shape.properties_are_sent() && !announced
}
