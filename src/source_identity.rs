//! Source identity: is this still the database that the receivers were fed from?
//!
//! A restored backup or a promoted standby may have lost what was sealed already, and its numbering with it. Asked on every
//! connection, before anything is planned or sent over it. It guarantees: where the database went back, everything is
//! sent again, whole, under numbers above any that were sent; where it is another database altogether, nothing is sent
//! until a person says so, receiver by receiver.
//!
//! A disk that was set back below the server can't be noticed from within: only a relay that runs meanwhile notices it, by what it
//! remembers. Where none ran a person says `receivers resync`.

mod judge;
mod server;

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};

use crate::alert::{self, Alert, Kind};
use crate::clock::Clock;
use crate::database::{Database, check_server, notice_lost_client};
use crate::deliver::breaker;
use crate::plan;
use crate::witness::Witness;
use crate::words::count;
use judge::{Judgement, judge_noted, noted};

pub use judge::IdentityCheck;
pub(crate) use server::Server;

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
pub async fn check(
    conn: &mut PgConnection,
    receiver: &str,
    witness: &Witness,
    now: Option<DateTime<Utc>>,
) -> Result<IdentityCheck> {
    let here = Server::ask(conn).await?;
    let (judgement, noted_at) = judge_noted(conn, receiver, &here, witness).await?;
    if let Some(standing) = judgement.standing() {
        if standing == IdentityCheck::Same && witness.noted_at(receiver) != noted_at {
            // Another relay saw to a database that went back, and does not know what this one sent.
            enroll_sent(conn, receiver, witness).await?;
            witness.is_noted_at(receiver, noted_at);
        }
        return Ok(standing);
    }
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, receiver).await?;
    // Another relay may have seen to it meanwhile.
    let (judgement, _) = judge_noted(&mut tx, receiver, &here, witness).await?;
    let standing = match judgement {
        Judgement::Same => IdentityCheck::Same,
        Judgement::Waits => IdentityCheck::Waits,
        Judgement::Note(server) => {
            note(&mut tx, receiver, &server, now).await?;
            IdentityCheck::Same
        }
        Judgement::WentBack(why, server) => {
            went_back(&mut tx, receiver, (&why, &server), witness, now).await?;
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
    if noted(&mut tx, receiver, &Witness::default()).await?.is_none() {
        return Ok(None);
    }
    let accepted = waits(&mut tx, receiver).await?;
    let mut done = start_anew(&mut tx, receiver, &Witness::default(), now).await?;
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
    let (judgement, _) = judge_noted(conn, receiver, &here, &Witness::default()).await?;
    Ok(match judgement {
        Judgement::Same | Judgement::Note(_) => None,
        Judgement::WentBack(why, _) => Some((IdentityCheck::Anew, why)),
        Judgement::Another(why) => Some((IdentityCheck::Stopped, why)),
        Judgement::Waits => Some((IdentityCheck::Waits, "a relay found that before".to_owned())),
    })
}

/// Every connection of the pool is checked for these receivers before it is used.
pub fn checked(
    options: PgPoolOptions,
    database: &Database,
    receivers: Vec<String>,
    witness: Arc<Witness>,
    clock: Clock,
) -> PgPoolOptions {
    let database = database.clone();
    options.after_connect(move |conn, _| {
        let (database, receivers, now) = (database.clone(), receivers.clone(), clock.now());
        let witness = witness.clone();
        Box::pin(async move {
            check_all(&database, conn, &receivers, &witness, now)
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
    witness: &Witness,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    database.check_schema_owner(conn).await?;
    notice_lost_client(conn).await?;
    check_server(conn).await?;
    for receiver in receivers {
        check(conn, receiver, witness, now).await?;
    }
    Ok(())
}

async fn went_back(
    conn: &mut PgConnection,
    receiver: &str,
    (why, server): (&str, &Server),
    witness: &Witness,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let done = start_anew(conn, receiver, witness, now).await?;
    note(conn, receiver, server, now).await?;
    let message = format!(
        "the database was restored or failed over: {why}. What was sent since may be lost to it, so {} sent \
         again, whole, and {} given up; numbering goes on above anything that was sent. Properties that \
         were new since, and that no relay that still runs has sent, are unknown to it: the receiver may still have them",
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
async fn start_anew(
    conn: &mut PgConnection,
    receiver: &str,
    witness: &Witness,
    now: Option<DateTime<Utc>>,
) -> Result<Resynced> {
    let syncs = breaker::cancel_open(conn, receiver, "source_identity", now).await?;
    sqlx::query(include_str!("../sql/source_identity/raise_sequence.sql"))
        .bind(witness.newest(receiver).map_or(0, |sent| sent.sequence))
        .execute(&mut *conn)
        .await?;
    enroll_sent(conn, receiver, witness).await?;
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

/// What this relay sent, and the database never heard of, is sent anew as well.
async fn enroll_sent(conn: &mut PgConnection, receiver: &str, witness: &Witness) -> Result<()> {
    sqlx::query(include_str!("../sql/source_identity/enroll_sent.sql"))
        .bind(receiver)
        .bind(witness.properties(receiver))
        .execute(conn)
        .await?;
    Ok(())
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
