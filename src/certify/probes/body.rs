//! What a body may look like, who may send it, and what of it may be refused.

use serde_json::{Value, json};

use super::super::held::{held, shown_name};
use super::super::portfolio::{A, B, BARE, C, CHANGED, TestProperty};
use super::super::rules::{Finding, Rule};
use super::super::session::{Asked, Halt, Sealed, Session, Step, Way};
use super::start::{NOT_BEGUN, UNSEEN, begin, judged, send};
use crate::payload::SealableUnit;

pub async fn credentials(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Credentials;
    let units = vec![property.unit(A, 0)];
    let step = Step::delta("a delta", units.clone()).leaving(units);
    let sealed = session.seal(property, &step)?;
    let posted = session.post(&sealed[0], Way::WithoutCredentials).await?;
    let exchange = &session.exchanges[posted];
    Ok(vec![match exchange.status {
        Some(401 | 403) => Finding::kept(
            rule,
            format!("a request without credentials was {}", exchange.in_words()),
        ),
        Some(200..300) => Finding::not_kept(
            rule,
            "a request without credentials was acknowledged: anybody may change what is held",
        ),
        Some(_) => Finding::harmless(
            rule,
            format!(
                "a request without credentials was {}: the relay takes that for another failure",
                exchange.in_words()
            ),
        ),
        None => Finding::not_visible(rule, exchange.in_words()),
    }])
}

pub async fn property_change(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::PropertyChange;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let left: Vec<_> = [A, B, C].map(|slot| property.unit(slot, 0)).to_vec();
    let mut step = Step::delta("a delta without units: the property has another name", Vec::new()).leaving(left);
    step.renamed = true;
    let then = match send(session, property, &step).await? {
        Err(answer) => return Ok(vec![Finding::not_kept(rule, answer)]),
        Ok(then) => then,
    };
    if [A, B, C].iter().any(|slot| then.has(property, *slot) == Some(false)) {
        return Ok(vec![Finding::not_kept(rule, "a delta without units dropped units")]);
    }
    let shown = session
        .ask_back(property.id)
        .await?
        .and_then(|shown| shown_name(&shown));
    Ok(vec![match shown {
        Some(name) if name.ends_with("renamed") => {
            Finding::kept(rule, "the property has its new name, and the units it had")
        }
        Some(_) => Finding::not_kept(
            rule,
            "a delta without units was acknowledged, and the property has its old name",
        ),
        None => Finding::not_visible(
            rule,
            "it was acknowledged; nothing that is read back shows the property's own fields",
        ),
    }])
}

pub async fn unit_errors(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::UnitErrors;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let says = "a delta with one unit of which nothing is known but its id, and one that changes";
    let step = Step::delta(says, vec![property.unit(A, CHANGED), property.unit(BARE, 0)]);
    let posted = session.send(property, &step).await?;
    let bare = property.id_of(BARE);
    let exchange = &session.exchanges[posted];
    let is_named = exchange
        .tried
        .as_ref()
        .is_some_and(|tried| tried.said.errors.iter().any(|error| error.unit_id == bare));
    let (is_acknowledged, answer) = (exchange.is_acknowledged(), exchange.in_words());
    let then = held(session, property, posted).await?;
    Ok(vec![match (is_acknowledged, is_named) {
        (true, true) if then.is(property, A, CHANGED) == Some(false) => Finding::harmful(
            rule,
            "the unit was named, but another one of the same body was acknowledged and not applied",
        ),
        (true, true) => Finding::kept(rule, "the unit was named, and the body acknowledged"),
        (true, false) if then.has(property, BARE) == Some(false) => Finding::harmful(
            rule,
            "a unit was acknowledged, is not held, and is not named: nobody learns that it was refused",
        ),
        (true, false) => Finding::not_visible(
            rule,
            "it accepted a unit of which nothing is known but its id; none is known that it refuses",
        ),
        (false, true) => Finding::kept(rule, format!("the body was {answer}, with the unit named")),
        (false, false) => Finding::not_kept(
            rule,
            format!("the body was {answer}, and no unit is named: the relay finds it by sending halves"),
        ),
    }])
}

pub async fn gzip(session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    let rule = Rule::Gzip;
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let sealed = session.seal(property, &changed("a delta that changes one unit", property))?;
    let posted = session.post(&sealed[0], Way::Gzip).await?;
    read(rule, session, property, posted).await
}

/// A body that has more than was agreed.
pub async fn tolerance(rule: Rule, session: &mut Session, property: &TestProperty) -> Asked<Vec<Finding>> {
    if begin(session, property).await?.is_none() {
        return Ok(vec![Finding::not_visible(rule, NOT_BEGUN)]);
    }
    let says = match rule {
        Rule::Dates => "a delta whose time has a fraction of a second",
        _ => "a delta with fields that nobody agreed on, in the body, its objects and a unit",
    };
    let mut sealed: Sealed = session.seal(property, &changed(says, property))?.swap_remove(0);
    let mut body: Value = serde_json::from_slice(&sealed.body).map_err(|error| Halt::Ours(error.into()))?;
    match rule {
        Rule::Dates => add_fraction(&mut body),
        _ => add_fields(&mut body),
    }
    sealed.body = body.to_string().into_bytes();
    let posted = session.post(&sealed, Way::Usual).await?;
    read(rule, session, property, posted).await
}

fn changed<'a>(says: &'static str, property: &'a TestProperty) -> Step<'a> {
    let left: Vec<&SealableUnit> = vec![property.unit(A, CHANGED), property.unit(B, 0), property.unit(C, 0)];
    Step::delta(says, vec![property.unit(A, CHANGED)]).leaving(left)
}

/// Whether what was sent in another form than usual was read.
async fn read(rule: Rule, session: &mut Session, property: &TestProperty, posted: usize) -> Asked<Vec<Finding>> {
    let exchange = &session.exchanges[posted];
    if !exchange.is_acknowledged() {
        return Ok(vec![Finding::not_kept(rule, format!("it was {}", exchange.in_words()))]);
    }
    let then = held(session, property, posted).await?;
    let mut finding = judged(
        rule,
        "it was acknowledged and applied",
        &[(
            then.is(property, A, CHANGED),
            "it was acknowledged, and is not held as it was sent",
        )],
    );
    finding.costs_truth = finding.verdict == super::super::rules::Verdict::NotKept;
    if finding.why == UNSEEN {
        finding.why = "it was acknowledged; whether it was applied can't be seen".to_owned();
    }
    Ok(vec![finding])
}

fn add_fraction(body: &mut Value) {
    if let Value::Object(entries) = body {
        for (key, value) in entries {
            match value {
                Value::String(time) if key == "sync_timestamp" => *time = time.replace('Z', ".123Z"),
                other => add_fraction(other),
            }
        }
    }
}

fn add_fields(body: &mut Value) {
    match body {
        Value::Object(entries) => {
            entries.values_mut().for_each(add_fields);
            entries.insert("x_unknown".to_owned(), json!({ "added": "later" }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_fields),
        _ => {}
    }
}
