//! Whether there is an endpoint at all, asked before anything is sent of any property.

use anyhow::Result;
use chrono::Utc;

use super::exchange::Exchange;
use super::rules::{Finding, Rule};
use super::session::{Halt, Sealed, Session, Way};
use crate::fault::Fault;
use crate::receiver::{Form, Unsent};
use crate::sync::SyncId;

/// One `HEAD`, then a body that says nothing; what the answer to that shows.
pub async fn preflight(session: &mut Session) -> Result<Finding> {
    let place = session.receiver.address();
    let reached = session.endpoint(Way::Usual).map_err(ours)?.reach().await;
    let reached = reached.map_err(|unreached| {
        let why = unreached.error;
        Fault::unreachable(format!("{place} can't be reached: {why}; nothing was sent"))
    })?;
    if (300..400).contains(&reached.status) {
        return Err(Fault::unreachable(format!(
            "{place} answers with a redirect ({}), and none is followed: name by --url what it leads to; nothing was sent",
            reached.status
        ))
        .into());
    }
    let empty = Sealed {
        says: "a body that says nothing: {}",
        property: 0,
        sync_id: SyncId::new(Utc::now()).as_str().to_owned(),
        body: b"{}".to_vec(),
        asks_digest: false,
    };
    let posted = session.post(&empty, Way::Usual).await.map_err(ours)?;
    // It was about none.
    session.touched.clear();
    let finding = judged(&session.exchanges[posted], &place)?;
    Ok(Finding {
        exchanges: vec![posted],
        ..finding
    })
}

/// What no endpoint answers is an error, everything else says something of a rule.
fn judged(exchange: &Exchange, place: &str) -> Result<Finding> {
    let rule = Rule::Unreadable;
    let is_page = exchange.tried.as_ref().is_some_and(|tried| tried.form == Form::Html);
    let said = exchange.in_words();
    let wrong = match exchange.status {
        None => format!("did not answer a POST: it was {said}"),
        Some(300..400) => {
            "answers a POST with a redirect, and none is followed: name by --url what it leads to".to_owned()
        }
        Some(status @ (404 | 405 | 410)) => {
            format!("is no endpoint that one can post to: it answers {status}; look at the path of --url")
        }
        Some(200..300) if is_page => "answers with an HTML page: it is for people, and no endpoint".to_owned(),
        Some(status @ (401 | 403)) => {
            return Err(Fault::usage(format!(
                "{place} does not accept the credentials: it answers {status}; look at the receiver's auth. {NOTHING}"
            ))
            .into());
        }
        Some(200..300) => {
            let why = "a body that says nothing was acknowledged: what can't be read would count as applied";
            return Ok(Finding::not_kept(rule, why));
        }
        Some(400..500) => return Ok(Finding::kept(rule, format!("a body that says nothing was {said}"))),
        Some(status) => {
            let why = format!("a body that says nothing was answered {status}, which the relay takes for an outage");
            return Ok(Finding::harmless(rule, why));
        }
    };
    Err(Fault::unreachable(format!("{place} {wrong}. {NOTHING}")).into())
}

const NOTHING: &str = "Nothing was sent but a body that says nothing";

/// What keeps a request from being sent has an exit code of its own kind.
pub fn coded(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Unsent>() {
        Some(unsent) if unsent.needs_a_person() => Fault::usage(unsent.to_string()).into(),
        Some(unsent) => Fault::unreachable(unsent.to_string()).into(),
        None => error,
    }
}

fn ours(halt: Halt) -> anyhow::Error {
    match halt {
        Halt::Ours(error) => coded(error),
        Halt::Interrupted => Fault::finding("interrupted: nothing was sent but a body that says nothing").into(),
        Halt::GivenUp(why) => Fault::unreachable(why).into(),
    }
}
