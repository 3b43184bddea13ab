//! What absence does.

use uuid::Uuid;

use super::super::portfolio::{A, B, C, TestProperty};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Session, Step};
use super::start::{NOT_BEGUN, UNSEEN, begin, judged, send};
use crate::payload::SealableUnit;
use crate::sync::SyncType;

fn part<'a>(says: &'static str, units: Vec<&'a SealableUnit>, of: (Uuid, u32, u32)) -> Step<'a> {
    let mut step = Step::delta(says, units);
    step.sync_type = SyncType::Snapshot;
    step.part = (Some(of.0), of.1, of.2);
    step
}

pub async fn absence(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Snapshot;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let left = vec![property.unit(A, 0), property.unit(B, 0)];
    let step = part(
        "a snapshot of two of the three units",
        left.clone(),
        (Uuid::now_v7(), 1, 1),
    )
    .leaving(left);
    Ok(vec![match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(rule, answer),
        Ok(then) => judged(
            rule,
            "the unit that is absent from the snapshot is gone, the others are there",
            &[
                (
                    then.has(property, C).map(|has| !has),
                    "a unit that is absent from a snapshot is still held",
                ),
                (then.has(property, A), "a unit of the snapshot is not held"),
                (then.has(property, B), "a unit of the snapshot is not held"),
            ],
        ),
    }])
}

pub async fn parts(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::SnapshotParts;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let snapshot = Uuid::now_v7();
    let (first, second) = (property.unit(A, 0), property.unit(B, 0));
    let step = part("the first of two parts of a snapshot", vec![first], (snapshot, 1, 2)).leaving(vec![first, second]);
    let between = match send(session, property, &step).await? {
        Err(answer) => return Ok(vec![Finding::not_kept(rule, answer)]),
        Ok(between) => between,
    };
    let early = [B, C].iter().any(|slot| between.has(property, *slot) == Some(false));
    let step = part("the second part", vec![second], (snapshot, 2, 2)).leaving(vec![first, second]);
    Ok(vec![match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(rule, answer),
        Ok(_) if early => Finding::not_kept(rule, "units were dropped after the first of two parts"),
        Ok(then) => judged(
            rule,
            "after the last part what was in none of them is gone, and the rest is there",
            &[
                (
                    then.has(property, A),
                    "the last part of a snapshot dropped a unit that was in its first part",
                ),
                (then.has(property, B), "a unit of the last part is not held"),
                (
                    then.has(property, C).map(|has| !has),
                    "a unit that is in no part of a snapshot is still held",
                ),
            ],
        ),
    }])
}

pub async fn keep(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Keep;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let left = vec![property.unit(A, 0), property.unit(B, 0)];
    let mut step = part(
        "a snapshot of two units that keeps the third",
        left,
        (Uuid::now_v7(), 1, 1),
    );
    step.keep = vec![property.id_of(C)];
    Ok(vec![match send(session, property, &step).await? {
        Err(answer) => Finding::not_kept(rule, answer),
        Ok(then) => match then.has(property, C) {
            Some(true) => Finding::kept(rule, "the unit that keep names is held, absent as it was"),
            Some(false) => Finding::not_kept(rule, "a snapshot dropped a unit that its keep names"),
            None => Finding::not_visible(rule, UNSEEN),
        },
    }])
}
