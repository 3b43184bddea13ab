//! Erase: everything that the relay keeps of one unit's lead, and the proof that it is gone.
//!
//! One transaction behind the planning right. Guarantees: nothing is lost by it, because what was sealed and not settled is
//! given up in doubt and sealed anew as it is then, under another sync ID; no body that carried the unit is left, nor an answer to
//! one, nor an answer to any other request that has a name which was in such a body. Not its business: the source's own copy, from which the unit is sent again, and the receiver's.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{Connection, FromRow, PgConnection};

use crate::deliver;
use crate::payload::{decompressed, leads_of};
use crate::plan;
use crate::receiver::Mask;

/// What was erased for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The receiver.
    pub receiver: String,
    /// Bodies that carried the unit.
    pub bodies: i64,
    /// Of these, of syncs that were not settled and are given up.
    pub given_up: usize,
    /// Answers to them.
    pub answers: i64,
    /// Texts in the ledger.
    pub texts: i64,
    /// Whether a name was known that answers to other requests could be searched for.
    pub searched: bool,
    /// What was looked at afterwards.
    pub proof: Proof,
}

/// What there is of the unit, and in how much of it its lead may still be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Proof {
    /// Syncs that carry it.
    pub syncs: i64,
    /// Of these, with a body.
    pub bodies: i64,
    /// Tries of them.
    pub tries: i64,
    /// Of these, with an answer.
    pub answers: i64,
    /// Rows of the ledger.
    pub rows: i64,
    /// Of these, with a lead.
    pub texts: i64,
    /// Columns of bodies, answers and errors of which the server's statistics keep samples.
    pub samples: i64,
    /// Answers and errors of any request, where the erased bodies held a name to look for.
    #[sqlx(default)]
    pub words: i64,
    /// Of these, with such a name.
    #[sqlx(default)]
    pub naming: i64,
}

impl Proof {
    /// Where its lead may still be.
    pub fn left(&self) -> i64 {
        self.bodies + self.answers + self.texts + self.samples + self.naming
    }
}

/// Every receiver that may have been sent a unit.
pub async fn receivers(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(include_str!("../sql/erase/receivers.sql"))
        .fetch_all(conn)
        .await?)
}

/// Erases what is kept for one receiver. `now` none: by the database's clock.
pub async fn erase(
    conn: &mut PgConnection,
    receiver: &str,
    unit_id: i64,
    now: Option<DateTime<Utc>>,
) -> Result<Erased> {
    // Before the transaction, because a source that fails stops no erasure; what it says is repeated nowhere.
    let of_source = names_of_source(conn, unit_id).await.unwrap_or_default();
    let mut tx = conn.begin().await?;
    plan::mark(&mut tx, receiver).await?;
    // Before its syncs, as whoever settles them does.
    sqlx::query(include_str!("../sql/deliver/lock_receiver.sql"))
        .bind(receiver)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let given_up: Vec<(i64, i64, bool)> = sqlx::query_as(include_str!("../sql/erase/give_up.sql"))
        .bind(receiver)
        .bind(unit_id)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
    deliver::doubt(&mut tx, &given_up, Some("its request was given up")).await?;
    let mut names = names_in_bodies(&mut tx, receiver, unit_id).await?;
    names.extend(of_source);
    let (bodies, answers): (i64, i64) = sqlx::query_as(include_str!("../sql/erase/bodies.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_one(&mut *tx)
        .await?;
    let mask = (!names.is_empty()).then(|| Mask::new([], &names));
    let (_, naming) = words_that_name(&mut tx, receiver, mask.as_ref()).await?;
    silence(&mut tx, &naming).await?;
    let texts = sqlx::query_scalar(include_str!("../sql/erase/content.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_one(&mut *tx)
        .await?;
    let mut proof: Proof = sqlx::query_as(include_str!("../sql/erase/left.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_one(&mut *tx)
        .await?;
    let (words, still_naming) = words_that_name(&mut tx, receiver, mask.as_ref()).await?;
    (proof.words, proof.naming) = (words, still_naming.len() as i64);
    tx.commit().await?;
    let given_up: BTreeSet<i64> = given_up.iter().map(|(sequence, ..)| *sequence).collect();
    Ok(Erased {
        receiver: receiver.to_owned(),
        bodies,
        given_up: given_up.len(),
        answers: answers + naming.len() as i64,
        texts,
        searched: mask.is_some(),
        proof,
    })
}

/// The names that the unit's lead has in the source, which outlive its bodies.
async fn names_of_source(conn: &mut PgConnection, unit_id: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(include_str!("../sql/erase/names.sql"))
        .bind(unit_id)
        .fetch_all(conn)
        .await?)
}

/// The names of the unit's lead that its bodies hold.
async fn names_in_bodies(conn: &mut PgConnection, receiver: &str, unit_id: i64) -> Result<BTreeSet<String>> {
    let mut bodies = sqlx::query_scalar::<_, Vec<u8>>(include_str!("../sql/erase/named_bodies.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch(conn);
    let mut names = BTreeSet::new();
    while let Some(body) = bodies.try_next().await? {
        names.extend(leads_of(&decompressed(&body)?, unit_id));
    }
    Ok(names)
}

/// How many tries have words of the receiver's, and which of these hold a name.
async fn words_that_name(
    conn: &mut PgConnection,
    receiver: &str,
    mask: Option<&Mask>,
) -> Result<(i64, Vec<(i64, i32)>)> {
    let (mut looked_at, mut naming, mut behind) = (0, Vec::new(), (i64::MIN, i32::MIN));
    let Some(mask) = mask else {
        return Ok((looked_at, naming));
    };
    loop {
        let page: Vec<(i64, i32, String)> = sqlx::query_as(include_str!("../sql/erase/words.sql"))
            .bind(receiver)
            .bind(behind.0)
            .bind(behind.1)
            .fetch_all(&mut *conn)
            .await?;
        let Some((sequence, lease, _)) = page.last() else {
            return Ok((looked_at, naming));
        };
        behind = (*sequence, *lease);
        looked_at += page.len() as i64;
        let found = page.iter().filter(|(_, _, words)| mask.finds(words));
        naming.extend(found.map(|(sequence, lease, _)| (*sequence, *lease)));
    }
}

async fn silence(conn: &mut PgConnection, tries: &[(i64, i32)]) -> Result<()> {
    let (sequences, leases): (Vec<i64>, Vec<i32>) = tries.iter().copied().unzip();
    sqlx::query(include_str!("../sql/erase/silence.sql"))
        .bind(sequences)
        .bind(leases)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether the source has a lead for the unit, which is sent and kept again then.
pub async fn source_has_lead(conn: &mut PgConnection, unit_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../sql/erase/source.sql"))
        .bind(unit_id)
        .fetch_one(conn)
        .await?)
}
