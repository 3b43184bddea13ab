//! Whether it is meant: what each action does, in words, and to what.

use anyhow::Result;
use maud::{Markup, html};

use super::action::Action;
use super::ask::Ask;
use super::parts;
use super::site::Site;
use crate::hold::Decision;
use crate::inspect::holds;

/// Units of a hold that the question names.
const NAMED_MAX: i64 = 20;

/// What a person is asked first.
pub(super) struct Question {
    pub title: String,
    /// What happens then.
    pub then: &'static str,
    /// What it is done to, where that is more than a number.
    pub about: Markup,
    /// What the button says.
    pub yes: &'static str,
    /// Where not to do it leads.
    pub back: String,
}

pub(super) async fn question(action: Action, site: &Site, ask: &Ask) -> Result<Question> {
    if let Action::Decide(decision) = action {
        return decide(decision, site, ask).await;
    }
    let receiver = ask.text("receiver").map(parts::words).unwrap_or_default();
    Ok(match action {
        Action::Decide(_) => unreachable!("asked above"),
        Action::Retry => plain(
            format!("Send unit {} to {receiver} once more?", ask.id("unit_id")?),
            "It goes out by itself in the next pass. Where the receiver rejects it, it is refused again.",
            "Send it once more",
            "/refused".to_owned(),
        ),
        Action::PauseFeed => plain(
            format!("Pause property {} for {receiver}?", ask.id("property_id")?),
            "Nothing is planned for it until it is resumed; its changes keep gathering.",
            "Pause",
            format!("/properties/{}", ask.id("property_id")?),
        ),
        Action::ResumeFeed => plain(
            format!("Resume property {} for {receiver}?", ask.id("property_id")?),
            "What changed meanwhile is sent in the next pass.",
            "Resume",
            format!("/properties/{}", ask.id("property_id")?),
        ),
        Action::PauseReceiver => plain(
            format!("Pause receiver {receiver}?"),
            "Nothing is sent to it until somebody resumes it; changes keep gathering.",
            "Pause",
            "/receivers".to_owned(),
        ),
        Action::ResumeReceiver => plain(
            format!("Resume receiver {receiver}?"),
            "It is sent to again at once.",
            "Resume",
            "/receivers".to_owned(),
        ),
        Action::Resync => plain(
            format!("Send receiver {receiver} everything again?"),
            "Open syncs are given up, every property is due a snapshot, and this database is the one that the receiver is fed from.",
            "Send everything again",
            "/receivers".to_owned(),
        ),
        Action::Acknowledge => plain(
            format!("Is alert {} known?", ask.id("alert_id")?),
            "It is no longer shown as open. Should it happen again, that is a new alert.",
            "It is known",
            "/alerts".to_owned(),
        ),
        Action::ShowLeads => plain(
            format!("Show the names of the lead of unit {}?", ask.id("unit_id")?),
            "They are personal data. That they were shown, to whom and when, is noted in the audit.",
            "Show them",
            format!("/units/{}", ask.id("unit_id")?),
        ),
    })
}

fn plain(title: String, then: &'static str, yes: &'static str, back: String) -> Question {
    Question {
        title,
        then,
        about: html! {},
        yes,
        back,
    }
}

async fn decide(decision: Decision, site: &Site, ask: &Ask) -> Result<Question> {
    let hold_id = ask.id("hold_id")?;
    let mut conn = site.connect_to_read().await?;
    let units = holds::units_of(&mut conn, hold_id, NAMED_MAX + 1).await?;
    let (title, then, yes) = match decision {
        Decision::Approve => (
            format!("Approve hold {hold_id}?"),
            "The units are gone indeed: the receiver is sent their removal now.",
            "Approve: remove them",
        ),
        Decision::Reject => (
            format!("Reject hold {hold_id}?"),
            "The units stay at the receiver until they are back in the source. Approving may follow later.",
            "Reject: keep them",
        ),
    };
    let about = html! {
        @if units.is_empty() { p { "Nothing waits in it any more." } }
        ul {
            @for unit in units.iter().take(NAMED_MAX as usize) {
                li { "unit " (unit.unit_id) " (" (parts::maybe(unit.unit_code.as_ref())) ") of property " (unit.property_id) }
            }
            @if units.len() as i64 > NAMED_MAX { li { "and more" } }
        }
    };
    Ok(Question {
        title,
        then,
        about,
        yes,
        back: format!("/holds/{hold_id}"),
    })
}
