//! Sending: one try of a leased sync, outside of any transaction.

use std::pin::pin;
use std::sync::Arc;

use anyhow::Result;
use tokio::time::sleep;

use super::acknowledged;
use super::decided_try::Outcome;
use super::lease::Leased;
use crate::config::Accept;
use crate::heartbeat::Registration;
use crate::payload::decompressed;
use crate::policy::Answer;
use crate::receiver::{Endpoint, Form, ResponseBody, Try, Unsent};

/// Leases in a row that ended without any outcome: then the sync itself is what kills its relays.
const LOST_MAX: i32 = 5;

/// Sends nothing once the lease or the relay's own sign of life may be over, and breaks off what is under way: others send by then.
/// The relay had lapsed `lapses` times when it leased the sync; if it has since, others send as well.
pub(super) async fn send(
    endpoint: Arc<Endpoint>,
    accept: Accept,
    relay: Arc<Registration>,
    mut leased: Leased,
    lapses: u64,
) -> Outcome {
    let body = std::mem::take(&mut leased.body);
    let mut digests_sent = 0;
    let tried = if leased.lost >= LOST_MAX {
        let why = format!(
            "{} leases in a row ended without any outcome; not sent again",
            leased.lost
        );
        no_answer(Answer::RelayLost, why)
    } else {
        let mut lapse = pin!(relay.lapse(lapses));
        // First, whenever anything goes on: a relay that was stopped looks at its clocks before it sends.
        let may_begin = tokio::select! {
            biased;
            () = &mut lapse => false,
            () = sleep(leased.begin_after) => leased.may_begin(),
        };
        if may_begin {
            tokio::select! {
                biased;
                () = &mut lapse => lapsed(true),
                tried = try_once(&endpoint, &leased.sync_id, &body, accept, &mut digests_sent) => tried
                    .unwrap_or_else(|error| no_answer(not_sent(&error), format!("{error:#}"))),
            }
        } else {
            lapsed(false)
        }
    };
    Outcome {
        leased,
        tried,
        digests_sent,
    }
}

async fn try_once(
    endpoint: &Endpoint,
    sync_id: &str,
    body: &[u8],
    accept: Accept,
    digests_sent: &mut usize,
) -> Result<Try> {
    let body = decompressed(body)?;
    if accept == Accept::Digest {
        *digests_sent = acknowledged::digests_in(&body);
    }
    endpoint.post(sync_id, body).await
}

fn lapsed(begun: bool) -> Try {
    let why = match begun {
        true => "it was broken off",
        false => "it was not sent",
    };
    no_answer(
        Answer::Lapsed { begun },
        format!("this relay's lease or its heartbeat ended: {why}, whoever has the sync now sends it"),
    )
}

fn not_sent(error: &anyhow::Error) -> Answer {
    match error.downcast_ref::<Unsent>() {
        Some(unsent) if unsent.needs_a_person() => Answer::NoToken,
        _ => Answer::NotSent,
    }
}

fn no_answer(answer: Answer, why: String) -> Try {
    Try {
        answer,
        status: None,
        error: Some(why),
        text: None,
        said: ResponseBody::default(),
        form: Form::Nothing,
    }
}
