//! Units that go.

use super::super::portfolio::{A, B, BARE, C, TestProperty, WITH_CODE_OF_A};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Session, Step};
use super::start::{NOT_BEGUN, begin, judged, send};
use crate::payload::Removal;

pub async fn removal(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rules = [Rule::Removal, Rule::UnknownRemoval];
    if begin(session, property).await?.is_none() {
        return Ok(rules.map(|rule| Finding::not_visible(rule, NOT_BEGUN)).to_vec());
    }
    let left = || vec![property.unit(B, 0), property.unit(C, 0)];
    let mut step = Step::delta("a delta that removes one unit", Vec::new()).leaving(left());
    step.removed = vec![property.removal(A)];
    let removed = match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(Rule::Removal, answer),
        Ok(then) => judged(
            Rule::Removal,
            "the removed unit is gone, the others are there",
            &[
                (
                    then.has(property, A).map(|has| !has),
                    "a removal was acknowledged and the unit is still held",
                ),
                (then.has(property, B), "a removal took another unit along"),
                (then.has(property, C), "a removal took another unit along"),
            ],
        ),
    };
    let mut step = Step::delta("a delta that removes a unit which was never sent", Vec::new()).leaving(left());
    step.removed = vec![property.removal(BARE)];
    let posted = session.send(property, &step).await?;
    let exchange = &session.exchanges[posted];
    let unknown = match exchange.is_acknowledged() {
        true => Finding::kept(Rule::UnknownRemoval, "the removal of an unknown unit was acknowledged"),
        false => Finding::not_kept(
            Rule::UnknownRemoval,
            format!("the removal of an unknown unit was {}", exchange.in_words()),
        ),
    };
    Ok(vec![removed, unknown])
}

pub async fn replaced_by(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::ReplacedBy;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let living = property.unit(B, WITH_CODE_OF_A);
    let mut step = Step::delta(
        "a delta that removes a unit whose code another one carries now",
        vec![living],
    )
    .leaving(vec![living, property.unit(C, 0)]);
    step.removed = vec![Removal {
        replaced_by: Some(living.unit_id),
        ..property.removal(A)
    }];
    Ok(vec![match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(rule, answer),
        Ok(then) => judged(
            rule,
            "the unit that carries the code now is held",
            &[
                (
                    then.has(property, B),
                    "the removal took the living unit along that carries the code now",
                ),
                (
                    then.has(property, C),
                    "the removal took a unit along that has another code",
                ),
            ],
        ),
    }])
}
