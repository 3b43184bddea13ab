//! What a delta does, what comes twice, what comes late, what comes again.

use super::super::held::held;
use super::super::portfolio::{A, B, C, CHANGED, CHANGED_AGAIN, TestProperty};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Session, Step, Way};
use super::start::{NOT_BEGUN, begin, judged, send};
use crate::sync::SyncType;

pub async fn delta(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Delta;
    let Some(begun) = begin(session, property).await? else {
        let answer = session
            .exchanges
            .last()
            .map(super::super::exchange::Exchange::in_words)
            .unwrap_or_default();
        return Ok(vec![Finding::not_kept(
            rule,
            format!("a delta of three units was {answer}"),
        )]);
    };
    let first = held(session, property, begun).await?;
    let step = Step::delta("a delta that changes one of them", vec![property.unit(A, CHANGED)]).leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, 0),
        property.unit(C, 0),
    ]);
    let then = match send(session, property, &step).await? {
        Ok(then) => then,
        Err(answer) => return Ok(vec![Finding::not_kept(rule, answer)]),
    };
    let checks = [
        (
            first.is(property, A, 0),
            "a unit that is new was acknowledged and is not held as it was sent",
        ),
        (
            then.is(property, A, CHANGED),
            "a unit that was sent again is not held as it was sent last",
        ),
        (
            then.is(property, B, 0),
            "a unit that the second delta does not have is no longer held as it was",
        ),
        (
            then.is(property, C, 0),
            "a unit that the second delta does not have is no longer held as it was",
        ),
    ];
    Ok(vec![judged(
        rule,
        "three units are held, the changed one as it was sent last",
        &checks,
    )])
}

pub async fn once(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rules = [Rule::SameAnswer, Rule::AppliedOnce];
    let units: Vec<_> = [A, B, C].map(|slot| property.unit(slot, 0)).to_vec();
    // Format "unit" has one unit in a body: the one that changes then.
    let first = Step::delta("a delta", units.clone()).leaving(units);
    let sealed = session.seal(property, &first)?;
    let mut firsts = Vec::new();
    for sealed in &sealed {
        firsts.push(session.post(sealed, Way::Usual).await?);
    }
    if firsts
        .iter()
        .any(|number| !session.exchanges[*number].is_acknowledged())
    {
        return Ok(rules.map(|rule| Finding::not_visible(rule, NOT_BEGUN)).to_vec());
    }
    let change = Step::delta("a delta that changes one unit", vec![property.unit(A, CHANGED)]).leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, 0),
        property.unit(C, 0),
    ]);
    let changed = send(session, property, &change).await?;
    let again = session.post(&sealed[0], Way::Usual).await?;
    session.exchanges[again].says = "the first delta again, the same bytes under the same sync ID".to_owned();
    let after = Step::delta("a delta that changes another unit", vec![property.unit(B, CHANGED)]).leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, CHANGED),
        property.unit(C, 0),
    ]);
    let after = send(session, property, &after).await?;
    let same = same_answer(session, firsts[0], again);
    let applied = match (changed, after) {
        (Ok(before), Ok(_)) if before.is(property, A, CHANGED) == Some(false) => {
            Finding::not_visible(Rule::AppliedOnce, "the delta between the two was not applied")
        }
        (Ok(_), Ok(after)) => {
            let checks = [(
                after.is(property, A, CHANGED),
                "a delta that was repeated under its sync ID undid what came after it",
            )];
            judged(
                Rule::AppliedOnce,
                "a repeated delta did not undo what came after it",
                &checks,
            )
        }
        (Err(answer), _) | (_, Err(answer)) => Finding::not_visible(Rule::AppliedOnce, answer),
    };
    Ok(vec![same, applied])
}

fn same_answer(session: &Session, first: usize, again: usize) -> Finding {
    let rule = Rule::SameAnswer;
    let (first, again) = (&session.exchanges[first], &session.exchanges[again]);
    let said = |exchange: &super::super::exchange::Exchange| exchange.tried.as_ref().map(|tried| tried.said.clone());
    if !again.is_acknowledged() {
        return Finding::not_kept(rule, format!("the repeated sync was {}", again.in_words()));
    }
    match said(first) == said(again) {
        true => Finding::kept(rule, "the repeated sync was answered as the first time"),
        false => Finding::not_kept(
            rule,
            "the repeated sync was acknowledged with another digest or other errors than the first time",
        ),
    }
}

pub async fn older(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::OlderSequence;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let late = session.next_sequence();
    let newest = session.next_sequence();
    let mut step = Step::delta("a delta that changes one unit", vec![property.unit(A, CHANGED)]).leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, 0),
        property.unit(C, 0),
    ]);
    step.sequence = Some(newest);
    if let Err(answer) = send(session, property, &step).await? {
        return Ok(vec![Finding::not_visible(rule, answer)]);
    }
    let mut step = Step::delta(
        "another that comes late: its sequence is lower",
        vec![property.unit(A, CHANGED_AGAIN)],
    );
    step.sequence = Some(late);
    let posted = session.send(property, &step).await?;
    let step = Step::delta("a delta that changes another unit", vec![property.unit(B, CHANGED)]).leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, CHANGED),
        property.unit(C, 0),
    ]);
    let after = send(session, property, &step).await?;
    if let Ok(after) = &after
        && after.is(property, A, CHANGED_AGAIN) == Some(true)
    {
        return Ok(vec![Finding::not_kept(
            rule,
            "what came late was applied over what is newer",
        )]);
    }
    let exchange = &session.exchanges[posted];
    Ok(vec![match exchange.stale() {
        Some(said) if said == newest => {
            Finding::kept(rule, "what came late was answered as stale, with the newest sequence")
        }
        Some(said) => Finding::harmless(
            rule,
            format!("what came late was answered as stale, with sequence {said}; the newest was {newest}"),
        ),
        None => Finding::not_kept(
            rule,
            format!(
                "what came late was {}, and not as stale: nobody learns that it was not applied, or was",
                exchange.in_words()
            ),
        ),
    }])
}

pub async fn replay(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Replay;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let mut step = Step::delta(
        "a replay with one unit in another state",
        vec![property.unit(A, CHANGED)],
    )
    .leaving(vec![
        property.unit(A, CHANGED),
        property.unit(B, 0),
        property.unit(C, 0),
    ]);
    step.sync_type = SyncType::Replay;
    Ok(vec![match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(rule, answer),
        Ok(then) => judged(
            rule,
            "the replayed unit is held as it was sent, the others as they were",
            &[
                (
                    then.is(property, A, CHANGED),
                    "a replayed unit was acknowledged and is not held as it was sent",
                ),
                (
                    then.has(property, B),
                    "a unit that the replay does not have is no longer held",
                ),
                (
                    then.has(property, C),
                    "a unit that the replay does not have is no longer held",
                ),
            ],
        ),
    }])
}
