//! What a person may have the relay do here: first the question whether it is meant, then the deed, by the same functions as the commands.

use std::sync::Arc;

use anyhow::Result;
use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Serialize;

use super::action::Action;
use super::ask::Ask;
use super::failure::Failure;
use super::frame::Frame;
use super::origin;
use super::parts;
use super::question::{Question, question};
use super::site::Site;
use super::viewer::{Caller, Person, Viewer};
use crate::actions::feeds::Change;
use crate::actions::{alerts, feeds, holds, leads, receivers, refused};
use crate::audit::{Actor, Through};

/// What came of it.
#[derive(Serialize)]
struct Done {
    /// In a word, as the page's address has it afterwards.
    done: &'static str,
    /// Where that is to be seen.
    #[serde(skip)]
    to: String,
    /// Shown here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<leads::Lead>,
}

/// The question whether it is meant.
pub(super) async fn ask_first(
    action: Action,
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
) -> Response {
    let viewer = match caller.viewer(&site, Through::Page) {
        Ok(viewer) => viewer,
        Err(failure) => return Frame::outside(&site).failure(&failure),
    };
    let frame = Frame::new(&site, &viewer, &caller.path, None);
    let question = match may_act(&viewer) {
        Ok(_) => asked(action, &site, ask).await,
        Err(failure) => Err(failure),
    };
    match question {
        Ok(question) => Html(
            frame
                .page(&question.title, form(&question, &caller.path, &frame))
                .into_string(),
        )
        .into_response(),
        Err(failure) => frame.failure(&failure),
    }
}

/// The deed, from a form of ours.
pub(super) async fn by_page(
    action: Action,
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
) -> Response {
    let viewer = match caller.viewer(&site, Through::Page) {
        Ok(viewer) => viewer,
        Err(failure) => return Frame::outside(&site).failure(&failure),
    };
    let frame = Frame::new(&site, &viewer, &caller.path, None);
    match act(action, &site, &caller, &viewer, ask).await {
        Ok(Done {
            lead: Some(lead), to, ..
        }) => Html(
            frame
                .page("The lead's names", names(&lead, &frame.link(&to)))
                .into_string(),
        )
        .into_response(),
        Ok(done) => Redirect::to(&site.link(&format!("{}done={}", done.to, done.done))).into_response(),
        Err(failure) => frame.failure(&failure),
    }
}

/// The deed, asked for by a program.
pub(super) async fn by_api(
    action: Action,
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
) -> Response {
    let acted = async {
        let viewer = caller.viewer(&site, Through::Api)?;
        act(action, &site, &caller, &viewer, ask).await
    };
    match acted.await {
        Ok(done) => Json(done).into_response(),
        Err(failure) => failure.json(),
    }
}

/// Only whoever has the token, and what a browser sends only where our own page had it do so.
fn may_act(viewer: &Viewer) -> Result<&Person, Failure> {
    match viewer {
        Viewer::Person(person) => Ok(person),
        Viewer::Stranger { was_signed_in: true } => Err(Failure::signed_out(
            "the session is over and nothing was done: sign in again",
        )),
        Viewer::Stranger { .. } => Err(Failure::signed_out(
            "this needs the token, and nothing was done: sign in first",
        )),
        Viewer::Reader => Err(Failure::forbidden(
            "nothing can be changed here without signing in, which takes http.token; nothing was done",
        )),
    }
}

async fn act(
    action: Action,
    site: &Site,
    caller: &Caller,
    viewer: &Viewer,
    ask: Result<Ask, Failure>,
) -> Result<Done, Failure> {
    let person = may_act(viewer)?;
    if person.by_cookie && !origin::is_our_own_page(&caller.headers) {
        return Err(Failure::forbidden(
            "this was sent by another site's page, or by something that does not say whose page it comes from; nothing was done",
        ));
    }
    let ask = ask?;
    let _place = site.place().await?;
    Ok(perform(action, site, &person.actor, &ask).await?)
}

async fn perform(action: Action, site: &Site, by: &Actor, ask: &Ask) -> Result<Done> {
    let named = || {
        site.config
            .receiver(ask.text("receiver"))
            .map(|receiver| receiver.name.as_str())
    };
    let known = ask.text("receiver").unwrap_or_default();
    let conn = &mut site.connect_to_write().await?;
    Ok(match action {
        Action::Decide(decision) => {
            holds::decide(conn, by, named()?, Some(ask.id("hold_id")?), decision).await?;
            done(decision.as_str(), "/holds?")
        }
        Action::Retry => {
            refused::retry(conn, by, named()?, Some(ask.id("unit_id")?)).await?;
            done("retried", "/refused?")
        }
        Action::PauseFeed | Action::ResumeFeed => {
            let property_id = ask.id("property_id")?;
            let (change, word) = match action {
                Action::PauseFeed => (Change::Pause, "paused"),
                _ => (Change::Resume, "resumed"),
            };
            feeds::set(conn, by, named()?, property_id, change).await?;
            done(word, &format!("/properties/{property_id}?"))
        }
        Action::PauseReceiver => {
            receivers::pause(conn, by, known).await?;
            done("paused", "/receivers?")
        }
        Action::ResumeReceiver => {
            receivers::resume(conn, by, known).await?;
            done("resumed", "/receivers?")
        }
        Action::Resync => {
            receivers::resync(conn, by, known).await?;
            done("resynced", "/receivers?")
        }
        Action::Acknowledge => {
            alerts::acknowledge(conn, by, ask.id("alert_id")?).await?;
            done("acknowledged", "/alerts?")
        }
        Action::ShowLeads => {
            let unit_id = ask.id("unit_id")?;
            let lead = leads::show(conn, by, unit_id).await?;
            Done {
                lead: Some(lead),
                ..done("shown", &format!("/units/{unit_id}?"))
            }
        }
    })
}

fn done(done: &'static str, to: &str) -> Done {
    Done {
        done,
        to: to.to_owned(),
        lead: None,
    }
}

async fn asked(action: Action, site: &Site, ask: Result<Ask, Failure>) -> Result<Question, Failure> {
    let ask = ask?;
    let _place = site.place().await?;
    Ok(question(action, site, &ask).await?)
}

fn form(question: &Question, path: &str, frame: &Frame<'_>) -> Markup {
    html! {
        p { (question.then) }
        (question.about)
        form.confirm method="post" action=(path) {
            button type="submit" { (question.yes) }
            " " a href=(frame.link(&question.back)) { "Cancel" }
        }
    }
}

fn names(lead: &leads::Lead, back: &str) -> Markup {
    html! {
        (parts::facts(vec![
            ("first name", parts::cell(parts::maybe(lead.lead_first_name.as_ref()))),
            ("last name", parts::cell(parts::maybe(lead.lead_last_name.as_ref()))),
        ]))
        p { "That they were shown stands in the audit, without them." }
        p { a href=(back) { "Back to the unit" } }
    }
}
