//! Taking back what was sent, as far as the endpoint lets it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::held::{Held, held};
use super::portfolio::{Portfolio, TestProperty};
use super::session::{Asked, Session, Step};
use crate::sync::SyncType;

const UNSEEN: &str = "whether the units are gone can't be seen; they were never sent as available";
const NO_ANSWER: &str = "units may remain: there was no answer";

/// Removes everything that was sent; what may remain, in sentences.
pub async fn clean_up(session: &mut Session, portfolio: &Portfolio) -> Vec<String> {
    session.begin_cleanup();
    let mut remains: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for id in session.touched.clone() {
        let property = portfolio.numbered(id - portfolio.first_id);
        let from = session.exchanges.len();
        let left = match remove(session, property).await {
            Ok(left) => left,
            Err(_) => Some(NO_ANSWER.to_owned()),
        };
        session.exchanges[from..]
            .iter_mut()
            .for_each(|exchange| exchange.says.insert_str(0, "clean-up: "));
        if let Some(left) = left {
            remains.entry(left).or_default().push(id);
        }
    }
    let mut remains: Vec<(String, Vec<i64>)> = remains.into_iter().collect();
    remains.sort_by_key(|(_, ids)| ids[0]);
    remains
        .iter()
        .map(|(left, ids)| {
            format!(
                "{} {}: {left}",
                if ids.len() == 1 { "property" } else { "properties" },
                spans(ids)
            )
        })
        .collect()
}

/// Numbers in a row as one: `4 to 9, 12`.
pub fn spans(numbers: &[i64]) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let span = |(first, last): &(i64, i64)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        }
    };
    spans.iter().map(span).collect::<Vec<_>>().join(", ")
}

/// By a removal, then by absence; what is known to remain after that, or is not known to be gone.
async fn remove(session: &mut Session, property: &TestProperty) -> Asked<Option<String>> {
    let mut step = Step::delta("a delta that removes all units", Vec::new()).leaving(Vec::new());
    if session.shape.removals_are_sent() {
        // The last first: where each goes alone, a living unit may carry the code of one before it.
        step.removed = (0..property.slots()).rev().map(|slot| property.removal(slot)).collect();
        let is_empty = look(session, property, &step).await?.is_empty();
        if is_empty == Some(true) {
            return Ok(None);
        }
    }
    if session.shape.absence_can_be_read() {
        let mut step = Step::delta("a snapshot without units", Vec::new()).leaving(Vec::new());
        (step.sync_type, step.part) = (SyncType::Snapshot, (Some(Uuid::now_v7()), 1, 1));
        let held = look(session, property, &step).await?;
        let last = session.exchanges.iter().rev().find(|exchange| exchange.tried.is_some());
        let refused = last.filter(|exchange| !exchange.is_acknowledged());
        return Ok(match (held, refused) {
            (Held::Units(units), _) if units.is_empty() => None,
            (Held::Units(units), _) => {
                let number = units.len();
                Some(format!(
                    "units remain ({number} of them in each), never sent as available"
                ))
            }
            (Held::Unseen, None) => Some(UNSEEN.to_owned()),
            (Held::Unseen, Some(refused)) => Some(match refused.status {
                Some(_) => format!("units may remain: their removal was {}", refused.in_words()),
                None => NO_ANSWER.to_owned(),
            }),
        });
    }
    Ok(match session.ask_back(property.id).await? {
        None if session.shape.removals_are_sent() => Some(UNSEEN.to_owned()),
        _ => Some(
            "units may remain: bodies by these settings have no removal; they were never sent as available".to_owned(),
        ),
    })
}

async fn look(session: &mut Session, property: &TestProperty, step: &Step<'_>) -> Asked<Held> {
    let posted = session.send(property, step).await?;
    held(session, property, posted).await
}
