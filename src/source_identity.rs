//! Source identity: is this still the database that the receivers were fed from?
//!
//! A restored backup or a promoted standby may have lost what was sealed already, and its numbering with it. Asked on every
//! connection, before anything is planned or sent over it. It guarantees: where the database went back, everything is
//! sent again, whole, under numbers above any that were sent; where it is another database altogether, nothing is sent
//! until a person says so, receiver by receiver.
//!
//! A disk that was set back below the server can't be noticed from within: then too a person says `receivers resync`.

use std::sync::Once;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, FromRow, PgConnection};

use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::database::{Database, check_server, notice_lost_client};
use crate::deliver::breaker;
use crate::plan;
use crate::words::count;

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

/// What a person's `receivers resync` did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resynced {
    /// Syncs given up, in doubt.
    pub syncs: usize,
    /// Feeds that are due a snapshot.
    pub feeds: u64,
    /// Changes removed that this server's transactions can't have made.
    pub changes: u64,
    /// Numbers go on above this one.
    pub sequence: i64,
    /// It was stopped until now, because this is another database.
    pub accepted: bool,
    /// Why nothing is sent to it all the same.
    pub paused_because: Option<String>,
}

/// Checks one receiver's source identity and does what follows from it, in one transaction.
pub async fn check(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<IdentityCheck> {
    let here = Server::ask(conn).await?;
    if let Some(standing) = judge_noted(conn, receiver, &here).await?.standing() {
        return Ok(standing);
    }
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, receiver).await?;
    // Another relay may have seen to it meanwhile.
    let judgement = judge_noted(&mut tx, receiver, &here).await?;
    let standing = match judgement {
        Judgement::Same => IdentityCheck::Same,
        Judgement::Waits => IdentityCheck::Waits,
        Judgement::Note(server) => {
            note(&mut tx, receiver, &server, now).await?;
            IdentityCheck::Same
        }
        Judgement::WentBack(why, server) => {
            went_back(&mut tx, receiver, &why, &server, now).await?;
            IdentityCheck::Anew
        }
        Judgement::Another(why) => {
            stop(&mut tx, receiver, &why, now).await?;
            IdentityCheck::Stopped
        }
    };
    tx.commit().await?;
    Ok(standing)
}

/// Accepts this database as the one that the receiver is fed from, and has everything sent to it again. None where there is no
/// such receiver.
pub async fn resync(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<Option<Resynced>> {
    let here = Server::ask(conn).await?;
    resync_with(conn, receiver, &here, now).await
}

/// The same with a server that was asked before: a question that it refuses would end the transaction that asks it.
pub(crate) async fn resync_with(
    conn: &mut PgConnection,
    receiver: &str,
    here: &Server,
    now: Option<DateTime<Utc>>,
) -> Result<Option<Resynced>> {
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, receiver).await?;
    if noted(&mut tx, receiver).await?.is_none() {
        return Ok(None);
    }
    let accepted = waits(&mut tx, receiver).await?;
    let mut done = start_anew(&mut tx, receiver, now).await?;
    note(&mut tx, receiver, here, now).await?;
    if accepted {
        breaker::close(&mut tx, receiver, true, true).await?;
    }
    alert::resolve(&mut tx, receiver, &[Kind::SourceIdentity, Kind::Address], now).await?;
    (done.paused_because, done.sequence) = sqlx::query_as(include_str!("../sql/source_identity/standing.sql"))
        .bind(receiver)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(Some(Resynced { accepted, ..done }))
}

/// Whether a receiver waits for a person to accept this database.
pub async fn waits(conn: &mut PgConnection, receiver: &str) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../sql/source_identity/waits.sql"))
        .bind(receiver)
        .fetch_one(conn)
        .await?)
}

/// What a check would come to, and why it is believed; none where it would do nothing. Does nothing about it.
pub async fn forecast(conn: &mut PgConnection, receiver: &str) -> Result<Option<(IdentityCheck, String)>> {
    let here = Server::ask(conn).await?;
    Ok(match judge_noted(conn, receiver, &here).await? {
        Judgement::Same | Judgement::Note(_) => None,
        Judgement::WentBack(why, _) => Some((IdentityCheck::Anew, why)),
        Judgement::Another(why) => Some((IdentityCheck::Stopped, why)),
        Judgement::Waits => Some((IdentityCheck::Waits, "a relay found that before".to_owned())),
    })
}

/// Every connection of the pool is checked for these receivers before it is used.
pub fn checked(options: PgPoolOptions, database: &Database, receivers: Vec<String>, clock: Clock) -> PgPoolOptions {
    let database = database.clone();
    options.after_connect(move |conn, _| {
        let (database, receivers, now) = (database.clone(), receivers.clone(), clock.now());
        Box::pin(async move {
            check_all(&database, conn, &receivers, now)
                .await
                .map_err(|error| match error.downcast::<sqlx::Error>() {
                    Ok(error) => error,
                    Err(error) => sqlx::Error::Configuration(error.into()),
                })
        })
    })
}

async fn check_all(
    database: &Database,
    conn: &mut PgConnection,
    receivers: &[String],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    database.check_schema_owner(conn).await?;
    notice_lost_client(conn).await?;
    check_server(conn).await?;
    for receiver in receivers {
        check(conn, receiver, now).await?;
    }
    Ok(())
}

/// What distinguishes one database from another. None where the server doesn't say.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub(crate) struct Server {
    system_identifier: Option<i64>,
    database: Option<i64>,
    /// A table of ours, by its oid.
    own_table: Option<i64>,
    timeline: Option<String>,
}

impl Server {
    /// Each by itself and outside a transaction: some services withhold one of them.
    pub async fn ask(conn: &mut PgConnection) -> Result<Self> {
        static IDENTIFIER_SAID: Once = Once::new();
        static TIMELINE_SAID: Once = Once::new();
        let system_identifier = sqlx::query_scalar(include_str!("../sql/source_identity/system_identifier.sql"))
            .fetch_one(&mut *conn)
            .await;
        let (database, own_table) = sqlx::query_as(include_str!("../sql/source_identity/database.sql"))
            .fetch_one(&mut *conn)
            .await?;
        let timeline = sqlx::query_scalar(include_str!("../sql/source_identity/timeline.sql"))
            .fetch_one(conn)
            .await;
        Ok(Self {
            database,
            own_table,
            system_identifier: unless_withheld(
                system_identifier,
                &IDENTIFIER_SAID,
                "its system identifier: a copy of this database in the wrong place would not be noticed; grant execute on \
                 function pg_control_system()",
            )?,
            timeline: unless_withheld(
                timeline,
                &TIMELINE_SAID,
                "its timeline: a restored backup is noticed only where a feed has come further than it; grant execute on \
                 functions pg_current_wal_lsn() and pg_walfile_name(pg_lsn), or say `receivers resync` after a restore",
            )?,
        })
    }

    /// What is known of it now, with what was known before where the server has fallen silent.
    fn or(self, before: &Self) -> Self {
        Self {
            system_identifier: self.system_identifier.or(before.system_identifier),
            database: self.database.or(before.database),
            own_table: self.own_table.or(before.own_table),
            timeline: self.timeline.or_else(|| before.timeline.clone()),
        }
    }
}

/// A server that refuses to say is worth one warning; one that can't be reached is an error.
fn unless_withheld<T>(answer: sqlx::Result<T>, said: &Once, what: &str) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(sqlx::Error::Database(error)) => {
            said.call_once(|| tracing::warn!("the server does not say ({error}) {what}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What was noted of one receiver.
#[derive(FromRow)]
struct Noted {
    /// False: nothing yet.
    is_noted: bool,
    #[sqlx(flatten)]
    server: Server,
    waits: bool,
    /// A cursor lies ahead of the database.
    ahead: bool,
}

async fn noted(conn: &mut PgConnection, receiver: &str) -> Result<Option<Noted>> {
    Ok(sqlx::query_as(include_str!("../sql/source_identity/noted.sql"))
        .bind(receiver)
        .fetch_optional(conn)
        .await?)
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
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
    fn standing(&self) -> Option<IdentityCheck> {
        match self {
            Self::Same => Some(IdentityCheck::Same),
            Self::Waits => Some(IdentityCheck::Waits),
            Self::Note(_) | Self::WentBack(..) | Self::Another(_) => None,
        }
    }
}

/// A receiver that nobody knows has no source identity.
async fn judge_noted(conn: &mut PgConnection, receiver: &str, here: &Server) -> Result<Judgement> {
    let noted = noted(conn, receiver).await?;
    Ok(noted.map_or(Judgement::Same, |noted| judge(&noted, here.clone())))
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
        _ if noted.ahead => Some("it has yet to reach transactions that were planned already".to_owned()),
        _ => None,
    };
    let known = here.or(before);
    match why {
        Some(why) => Judgement::WentBack(why, known),
        None if noted.is_noted && *before == known => Judgement::Same,
        None => Judgement::Note(known),
    }
}

async fn went_back(
    conn: &mut PgConnection,
    receiver: &str,
    why: &str,
    server: &Server,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let done = start_anew(conn, receiver, now).await?;
    note(conn, receiver, server, now).await?;
    let message = format!(
        "the database was restored or failed over: {why}. What was sent since may be lost to it, so {} sent \
         again, whole, and {} given up; numbering goes on above anything that was sent. Properties that \
         were new since are unknown to it: the receiver may still have them",
        count(done.feeds, "property is", "properties are"),
        count(done.syncs, "open sync is", "open syncs are")
    );
    raise(conn, receiver, message, now).await
}

async fn stop(conn: &mut PgConnection, receiver: &str, why: &str, now: Option<DateTime<Utc>>) -> Result<()> {
    let because = format!("this is another database than the one that it was fed from ({why})");
    breaker::open(conn, receiver, &because, None, now).await?;
    sqlx::query(include_str!("../sql/source_identity/wait.sql"))
        .bind(receiver)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    let message = format!(
        "{because}: a copy in the wrong place, or a restored dump. Nothing is planned or sent for it. If this database is \
         the right one, `receivers resync {receiver}` sends the receiver everything again from here; if it is a copy, stop \
         this relay"
    );
    raise(conn, receiver, message, now).await
}

/// What is noted says nothing of what the receiver holds: all of it is sent again.
async fn start_anew(conn: &mut PgConnection, receiver: &str, now: Option<DateTime<Utc>>) -> Result<Resynced> {
    let syncs = breaker::cancel_open(conn, receiver, "source_identity", now).await?;
    sqlx::query(include_str!("../sql/source_identity/raise_sequence.sql"))
        .execute(&mut *conn)
        .await?;
    let feeds = sqlx::query(include_str!("../sql/source_identity/start_anew.sql"))
        .bind(receiver)
        .execute(&mut *conn)
        .await?;
    let changes: i64 = sqlx::query_scalar(include_str!("../sql/source_identity/forget_future.sql"))
        .fetch_one(conn)
        .await?;
    Ok(Resynced {
        syncs,
        feeds: feeds.rows_affected(),
        changes: changes.unsigned_abs(),
        ..Resynced::default()
    })
}

async fn note(conn: &mut PgConnection, receiver: &str, server: &Server, now: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query(include_str!("../sql/source_identity/note.sql"))
        .bind(receiver)
        .bind(server.system_identifier)
        .bind(&server.timeline)
        .bind(now)
        .bind(server.database)
        .bind(server.own_table)
        .execute(conn)
        .await?;
    Ok(())
}

/// An older one is over by this: it must not swallow the new one's line in the log.
async fn raise(conn: &mut PgConnection, receiver: &str, message: String, now: Option<DateTime<Utc>>) -> Result<()> {
    alert::resolve(conn, receiver, &[Kind::SourceIdentity], now).await?;
    let alert = Alert {
        kind: Kind::SourceIdentity,
        receiver: receiver.to_owned(),
        property_id: None,
        message,
    };
    alert::raise(conn, &alert, now).await
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
            is_noted: server.is_some(),
            server: server.unwrap_or_default(),
            waits: false,
            ahead: false,
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
