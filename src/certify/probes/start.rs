//! How every probe begins, and what it makes of what it sees.

use super::super::held::{Held, held};
use super::super::portfolio::{A, B, C, TestProperty};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Session, Step};

/// Why a probe has nothing to go by.
pub const NOT_BEGUN: &str = "the delta that it begins with was not acknowledged";
/// What keeps most from being seen.
pub const UNSEEN: &str = "it was acknowledged; what is held can't be seen: no answer has a digest that says so, and nothing that is read back shows it";

/// A delta of three units; none where it was not acknowledged.
pub async fn begin(session: &mut Session, property: &TestProperty) -> Asked<Option<usize>> {
    let units: Vec<_> = [A, B, C].map(|slot| property.unit(slot, 0)).to_vec();
    let step = Step::delta("a delta of three units", units.clone()).leaving(units);
    let posted = session.send(property, &step).await?;
    Ok(session.exchanges[posted].is_acknowledged().then_some(posted))
}

/// Sends a step and looks at what is held then; `Err` is what there is to say where it was not acknowledged.
pub async fn send(session: &mut Session, property: &TestProperty, step: &Step<'_>) -> Asked<Result<Held, String>> {
    let posted = session.send(property, step).await?;
    if !session.exchanges[posted].is_acknowledged() {
        return Ok(Err(format!("{}: {}", step.says, session.exchanges[posted].in_words())));
    }
    Ok(Ok(held(session, property, posted).await?))
}

/// Of what is held by a rule: the first thing that is wrong; unseen where it can't be said.
pub fn judged(rule: Rule, good: &str, checks: &[(Option<bool>, &str)]) -> Finding {
    if let Some((_, wrong)) = checks.iter().find(|(right, _)| *right == Some(false)) {
        return Finding::not_kept(rule, *wrong);
    }
    match checks.iter().all(|(right, _)| right.is_some()) {
        true => Finding::kept(rule, good),
        false => Finding::not_visible(rule, UNSEEN),
    }
}
