//! Whether a server is the one that was noted. Pure, but for reading what was noted.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::server::Server;
use crate::witness::Witness;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityCheck {
    /// It is the database that the receiver was fed from.
    Same,
    /// It went back: everything is sent again.
    Anew,
    /// It is another one, and that was found just now: the receiver is stopped.
    Stopped,
    /// It was found to be another one before: the receiver waits for a person.
    Waits,
}

/// What was noted of one receiver.
#[derive(FromRow)]
pub(super) struct Noted {
    /// When the database was noted, or noted anew because it went back. None: not yet.
    noted_at: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    server: Server,
    waits: bool,
    /// A cursor lies ahead of the database.
    ahead: bool,
    /// It knows nothing of what this relay sent last, and nothing was sent anew since.
    lacks_sent: bool,
}

pub(super) async fn noted(conn: &mut PgConnection, receiver: &str, witness: &Witness) -> Result<Option<Noted>> {
    let sent = witness.newest(receiver);
    Ok(sqlx::query_as(include_str!("../../sql/source_identity/noted.sql"))
        .bind(receiver)
        .bind(sent.as_ref().map(|sent| sent.sequence))
        .bind(sent.as_ref().map(|sent| sent.sync_id.as_str()))
        .bind(sent.as_ref().map(|sent| sent.at))
        .fetch_optional(conn)
        .await?)
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Nothing to do.
    Same,
    /// To be noted: the first time, or the server says more than before.
    Note(Server),
    /// The database went back, and why that is believed.
    WentBack(String, Server),
    /// Another database, and why that is believed.
    Another(String),
    /// It was another one before.
    Waits,
}

impl Judgement {
    /// Where there is nothing to do.
    pub(super) fn standing(&self) -> Option<IdentityCheck> {
        match self {
            Self::Same => Some(IdentityCheck::Same),
            Self::Waits => Some(IdentityCheck::Waits),
            Self::Note(_) | Self::WentBack(..) | Self::Another(_) => None,
        }
    }
}

/// The judgement, and when what it goes by was noted. A receiver that nobody knows has no source identity.
pub(super) async fn judge_noted(
    conn: &mut PgConnection,
    receiver: &str,
    here: &Server,
    witness: &Witness,
) -> Result<(Judgement, Option<DateTime<Utc>>)> {
    let noted = noted(conn, receiver, witness).await?;
    Ok(noted.map_or((Judgement::Same, None), |noted| {
        (judge(&noted, here.clone()), noted.noted_at)
    }))
}

fn judge(noted: &Noted, here: Server) -> Judgement {
    let before = &noted.server;
    if noted.waits {
        return Judgement::Waits;
    }
    if let (Some(was), Some(is)) = (before.system_identifier, here.system_identifier)
        && was != is
    {
        return Judgement::Another(format!("its system identifier is {is}, that one's was {was}"));
    }
    if let (Some(was), Some(is)) = (before.database, here.database)
        && was != is
    {
        return Judgement::Another(format!(
            "it is database {is} of its cluster, that one was {was}: restored there, or a copy"
        ));
    }
    let timelines = (before.timeline.as_deref(), here.timeline.as_deref());
    let was_made_anew = before.own_table.is_some() && here.own_table.is_some() && before.own_table != here.own_table;
    let why = match timelines {
        (Some(was), Some(is)) if was != is => Some(format!("its timeline is {is}, and was {was}")),
        _ if was_made_anew => Some("a dump was restored in place of what was here".to_owned()),
        _ if noted.lacks_sent => Some(
            "it knows nothing of what this relay sent last: its disk was set back, or it is another server's copy"
                .to_owned(),
        ),
        _ if noted.ahead => Some("it has yet to reach transactions that were planned already".to_owned()),
        _ => None,
    };
    let known = here.or(before);
    match why {
        Some(why) => Judgement::WentBack(why, known),
        None if noted.noted_at.is_some() && *before == known => Judgement::Same,
        None => Judgement::Note(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(system_identifier: i64, timeline: &str) -> Server {
        Server {
            system_identifier: Some(system_identifier),
            database: Some(5),
            own_table: Some(7),
            timeline: Some(timeline.to_owned()),
        }
    }

    #[test]
    fn a_dump_restored_into_the_same_cluster_is_another_database() {
        let here = Server {
            database: Some(6),
            ..server(1, "00000001")
        };
        let judged = judge(&noted(Some(server(1, "00000001"))), here);
        assert!(matches!(judged, Judgement::Another(why) if why.contains("database 6")));
    }

    #[test]
    fn a_dump_restored_in_place_is_a_database_that_went_back() {
        let here = Server {
            own_table: Some(8),
            ..server(1, "A")
        };
        let judged = judge(&noted(Some(server(1, "A"))), here.clone());
        assert!(matches!(judged, Judgement::WentBack(why, _) if why.contains("dump")));
        // What an older release noted says nothing of it.
        let before = Server {
            own_table: None,
            ..server(1, "A")
        };
        assert_eq!(judge(&noted(Some(before)), here.clone()), Judgement::Note(here));
    }

    fn noted(server: Option<Server>) -> Noted {
        Noted {
            noted_at: server.as_ref().map(|_| DateTime::UNIX_EPOCH),
            server: server.unwrap_or_default(),
            waits: false,
            ahead: false,
            lacks_sent: false,
        }
    }

    #[test]
    fn the_first_database_is_noted_and_the_same_one_is_not_noted_again() {
        assert_eq!(judge(&noted(None), server(1, "A")), Judgement::Note(server(1, "A")));
        assert_eq!(judge(&noted(Some(server(1, "A"))), server(1, "A")), Judgement::Same);
    }

    #[test]
    fn another_timeline_or_a_cursor_ahead_is_a_database_that_went_back() {
        let judgement = judge(&noted(Some(server(1, "A"))), server(1, "B"));
        assert!(matches!(judgement, Judgement::WentBack(_, now) if now == server(1, "B")));
        for before in [None, Some(server(1, "A"))] {
            let ahead = Noted {
                ahead: true,
                ..noted(before)
            };
            let judgement = judge(&ahead, server(1, "A"));
            assert!(matches!(judgement, Judgement::WentBack(_, now) if now == server(1, "A")));
        }
    }

    #[test]
    fn a_database_without_what_was_sent_last_went_back_though_all_else_is_the_same() {
        let without = Noted {
            lacks_sent: true,
            ..noted(Some(server(1, "A")))
        };
        let judged = judge(&without, server(1, "A"));
        assert!(matches!(judged, Judgement::WentBack(why, _) if why.contains("sent last")));
    }

    #[test]
    fn another_system_identifier_is_another_database_whatever_else_differs_and_waits_until_it_is_accepted() {
        let ahead = Noted {
            ahead: true,
            ..noted(Some(server(1, "A")))
        };
        assert!(matches!(judge(&ahead, server(2, "B")), Judgement::Another(_)));
        let waiting = Noted {
            waits: true,
            ..noted(Some(server(1, "A")))
        };
        for here in [server(2, "A"), server(1, "A"), Server::default()] {
            assert_eq!(judge(&waiting, here), Judgement::Waits);
        }
    }

    #[test]
    fn a_server_that_does_not_say_is_no_other_one_and_what_was_known_stays_known() {
        let silent = Server::default();
        assert_eq!(judge(&noted(Some(server(1, "A"))), silent.clone()), Judgement::Same);
        assert_eq!(
            judge(&noted(Some(silent)), server(1, "A")),
            Judgement::Note(server(1, "A"))
        );
        let half = Server {
            timeline: None,
            ..server(2, "A")
        };
        assert!(matches!(
            judge(&noted(Some(server(1, "A"))), half),
            Judgement::Another(_)
        ));
    }
}
