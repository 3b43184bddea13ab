//! What a person may have the relay do here, and where each is asked for.

use crate::hold::Decision;

/// One kind of deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Decide(Decision),
    Retry,
    PauseFeed,
    ResumeFeed,
    PauseReceiver,
    ResumeReceiver,
    Resync,
    Acknowledge,
    ShowLeads,
}

/// Where each is asked for, on the page and behind `/api`.
pub(super) const ACTIONS: [(&str, Action); 10] = [
    ("/holds/{hold_id}/approve", Action::Decide(Decision::Approve)),
    ("/holds/{hold_id}/reject", Action::Decide(Decision::Reject)),
    ("/refused/{unit_id}/retry", Action::Retry),
    ("/properties/{property_id}/pause", Action::PauseFeed),
    ("/properties/{property_id}/resume", Action::ResumeFeed),
    ("/receivers/{receiver}/pause", Action::PauseReceiver),
    ("/receivers/{receiver}/resume", Action::ResumeReceiver),
    ("/receivers/{receiver}/resync", Action::Resync),
    ("/alerts/{alert_id}/ack", Action::Acknowledge),
    ("/units/{unit_id}/leads", Action::ShowLeads),
];
