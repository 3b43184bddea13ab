//! What a person should know of a receiver as a whole: how long it wants to be left alone, that nothing reaches it, that a page
//! answers in its place.

use std::time::Duration;

use anyhow::Result;

use super::decided_try::DecidedTry;
use super::settling::Settling;
use crate::alert::{self, Alert, Kind};
use crate::config::Receiver;
use crate::policy::{Answer, Decision};

/// Nothing is sent for longer than any retry would wait: somebody should know.
pub(super) async fn say_how_long(settling: &mut Settling<'_>, decided: &DecidedTry, waited: Duration) -> Result<()> {
    let (Decision::Wait { after }, Answer::Status { retry_after, .. }) =
        (&decided.decision, &decided.outcome.tried.answer)
    else {
        return Ok(());
    };
    let longest = settling.receiver.retry.longest();
    if retry_after.unwrap_or_default() <= longest && waited <= longest {
        return Ok(());
    }
    let before = match waited.as_secs() {
        0 => String::new(),
        seconds => format!(
            ", as it has for {},",
            humantime::format_duration(Duration::from_secs(seconds))
        ),
    };
    let message = format!(
        "{}{before} and is left alone for {}: nothing is sent to it until then, changes keep gathering. Ask the receiver about \
         its limits; `receivers resume {}` sends to it at once",
        decided.answer(),
        humantime::format_duration(Duration::from_secs(after.as_secs())),
        settling.receiver.name
    );
    alert::raise(
        settling.conn,
        &about(settling.receiver, Kind::Waiting, message),
        settling.now,
    )
    .await
}

/// What one relay lacks, until that one sends again. `resolve_not_sent.sql` knows by the first words whose alert it is.
pub(super) async fn say_what_is_ours(
    settling: &mut Settling<'_>,
    relay: &str,
    decided_tries: &[&DecidedTry],
) -> Result<()> {
    let ours = decided_tries
        .iter()
        .find(|decided| decided.outcome.tried.answer.is_ours());
    if let Some(decided) = ours {
        let message = format!(
            "relay {relay} could not send, and not because of the receiver: {}. It tries again by itself; what it can't send \
             other relays do",
            decided.answer()
        );
        alert::raise(
            settling.conn,
            &about(settling.receiver, Kind::NotSent, message),
            settling.now,
        )
        .await?;
    } else if decided_tries
        .iter()
        .any(|decided| decided.outcome.tried.status.is_some())
    {
        sqlx::query(include_str!("../../sql/deliver/resolve_not_sent.sql"))
            .bind(&settling.receiver.name)
            .bind(relay)
            .bind(settling.now)
            .execute(&mut *settling.conn)
            .await?;
    }
    Ok(())
}

/// A page that stands in for the receiver accepts nothing and loses nothing. What is acknowledged ends that, and a wait that
/// is over.
pub(super) async fn say_what_is_no_acknowledgement(
    settling: &mut Settling<'_>,
    decided_tries: &[&DecidedTry],
) -> Result<()> {
    let no = |decided: &&&DecidedTry| matches!(decided.outcome.tried.answer, Answer::NotAcknowledged { .. });
    // One property's, where others are acknowledged: that is over with what is acknowledged of that property.
    for decided in decided_tries
        .iter()
        .filter(no)
        .filter(|decided| decided.others_acknowledged())
    {
        let property_id = decided.outcome.leased.property_id();
        let message = no_acknowledgement(settling.receiver, decided);
        alert::raise(
            settling.conn,
            &Alert {
                property_id,
                ..about(settling.receiver, Kind::NotAcknowledged, message)
            },
            settling.now,
        )
        .await?;
    }
    let of_all = |decided: &&&DecidedTry| no(decided) && !decided.others_acknowledged();
    let Some(decided) = decided_tries.iter().find(of_all) else {
        if decided_tries
            .iter()
            .any(|decided| decided.decision == Decision::Delivered)
        {
            sqlx::query(include_str!("../../sql/deliver/resolve_acknowledged.sql"))
                .bind(&settling.receiver.name)
                .bind(settling.now)
                .execute(&mut *settling.conn)
                .await?;
        }
        return Ok(());
    };
    let message = no_acknowledgement(settling.receiver, decided);
    alert::raise(
        settling.conn,
        &about(settling.receiver, Kind::NotAcknowledged, message),
        settling.now,
    )
    .await
}

fn no_acknowledgement(receiver: &Receiver, decided: &DecidedTry) -> String {
    format!(
        "{}, which is no acknowledgement (accept = \"{}\"): what was sent counts as not applied and is sent again as after an outage. \
         Look at {} for a maintenance or login page; if the receiver does answer so, set accept in [receivers.{}]",
        decided.answer(),
        receiver.accept.as_str(),
        receiver.url.origin().ascii_serialization(),
        receiver.name
    )
}

/// Of the receiver as a whole.
pub(super) fn about(receiver: &Receiver, kind: Kind, message: String) -> Alert {
    Alert {
        kind,
        receiver: receiver.name.clone(),
        property_id: None,
        message,
    }
}
