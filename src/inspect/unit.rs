//! Why a unit is at a receiver as it is: the planner's verdict, sorted by what there is to say of it. `verify` counts it, `explain`
//! puts it into words. Pure.

use crate::delta::{ChangeRules, Present, Verdict, Withholding, objection, verdict};
use crate::plan::{ChosenFeed, Scope, UnitSides};
use crate::states::Owed;

/// How a unit of a feed stands.
pub(super) enum UnitStanding<'a> {
    /// Nothing is to be sealed.
    Settled,
    /// Nothing is to be sealed, and the ledger still has an objection that is over.
    Released(&'a Withholding),
    /// Something objects to sealing it.
    Withheld(&'a Withholding),
    /// It can't be sealed as it is, for a reason that is not noted yet.
    Invalid(&'a str),
    /// It is to be sealed.
    Differs(Announced),
}

/// What makes the next plan look at a unit; where nothing does it is drift.
pub(super) struct Announced {
    pub owed: Option<Owed>,
    /// Its feed is yet to be compared as a whole.
    pub whole: bool,
    /// A change names it.
    pub touched: bool,
}

pub(super) fn standing<'a>(scope: &Scope, feed: &ChosenFeed, sides: &'a UnitSides) -> UnitStanding<'a> {
    let rules = ChangeRules {
        resend_all: false,
        removals: scope.shape.removals_are_sent(),
    };
    let ledger = sides.ledger.as_ref();
    let noted = ledger.and_then(|row| row.withheld.as_ref());
    let verdict = verdict(&sides.source, ledger, rules);
    if let Some(kept) = ledger.and_then(|row| objection(&verdict, row)) {
        return UnitStanding::Withheld(kept);
    }
    match (verdict, noted, &sides.source) {
        (Verdict::Same, Some(kept), _) => UnitStanding::Withheld(kept),
        (Verdict::Release | Verdict::Forget, Some(kept), _) => UnitStanding::Released(kept),
        (Verdict::Withhold, _, Present::Invalid(because)) => UnitStanding::Invalid(because),
        (Verdict::Same | Verdict::Release | Verdict::Forget | Verdict::Withhold, _, _) => UnitStanding::Settled,
        (Verdict::Upsert | Verdict::Remove(_), _, _) => UnitStanding::Differs(Announced {
            // What is withheld is not sealed for being owed.
            owed: ledger.filter(|row| row.is_owed()).and_then(|row| row.owed),
            whole: feed.whole,
            touched: feed.touched.contains(&sides.unit_id),
        }),
    }
}
