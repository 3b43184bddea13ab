//! Erase: everything that the relay keeps of one unit's lead, and the proof that it is gone.
//!
//! Bodies and answers are read before, which takes as long as it takes; then one transaction behind the planning right, which reads
//! what came in meanwhile. Guarantees: nothing is lost by it, because what was sealed and not settled is given up in doubt and sealed
//! anew as it is then, under another sync ID; no body of the unit's properties is left, nor an answer to one, nor an answer to any other
//! request that has a name which was in such a body, whoever's: of who is erased next nobody else knows it. Nor one that can't be read. Not its business: the source's own copy, from which the unit
//! is sent again, and the receiver's.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{Connection, FromRow, PgConnection};

use crate::deliver;
use crate::fault::Fault;
use crate::payload::{decompressed, leads};
use crate::plan;
use crate::receiver::Mask;

/// Answers that are read at a time, and the most that are read in the transaction.
const PAGE: usize = 200;
/// How often all is searched anew because the lead got another name meanwhile.
const SEARCHES_MAX: usize = 5;

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
    /// Hashes over its names.
    pub hashes: i64,
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
    /// Hashes over its names, but for what is sealed now.
    pub hashes: i64,
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
        self.bodies + self.answers + self.texts + self.hashes + self.samples + self.naming
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
    erase_and(conn, receiver, unit_id, now, async |_, _| Ok(())).await
}

/// The same, and in its transaction whatever follows from it.
pub(crate) async fn erase_and(
    conn: &mut PgConnection,
    receiver: &str,
    unit_id: i64,
    now: Option<DateTime<Utc>>,
    then: impl AsyncFn(&mut PgConnection, &Erased) -> Result<()>,
) -> Result<Erased> {
    // A source that fails stops no erasure; what it says is repeated nowhere.
    let mut names = BTreeSet::from_iter(names_of_source(conn, unit_id).await.unwrap_or_default());
    let mut feeds = feeds_of(conn, receiver, unit_id).await?;
    let mut newest = i64::MIN;
    add_names(conn, &feeds, &mut newest, &mut names).await?;
    for _ in 0..SEARCHES_MAX {
        let mut search = Search::new(&names);
        search.look(conn, receiver, usize::MAX).await?;
        let mut tx = conn.begin().await?;
        plan::mark(&mut tx, receiver).await?;
        // Before its syncs, as whoever settles them does.
        sqlx::query(include_str!("../sql/deliver/lock_receiver.sql"))
            .bind(receiver)
            .bind(now)
            .execute(&mut *tx)
            .await?;
        // From here on nobody seals, and nobody writes down an answer.
        let present = feeds_of(&mut tx, receiver, unit_id).await?;
        if present != feeds {
            (feeds, newest) = (present, i64::MIN);
        }
        if add_names(&mut tx, &feeds, &mut newest, &mut names).await? {
            tx.rollback().await?;
            continue;
        }
        let erased = erase_found(&mut tx, receiver, unit_id, now, &feeds, search).await?;
        then(&mut tx, &erased).await?;
        tx.commit().await?;
        return Ok(erased);
    }
    Err(Fault::finding(format!(
        "while answers were searched for the names of unit {unit_id}'s lead it got another one, {SEARCHES_MAX} times; nothing was changed, \
         try again"
    ))
    .into())
}

/// Part of the caller's transaction, which has the planning right and the receiver's row.
async fn erase_found(
    conn: &mut PgConnection,
    receiver: &str,
    unit_id: i64,
    now: Option<DateTime<Utc>>,
    feeds: &[i64],
    mut search: Search,
) -> Result<Erased> {
    let given_up: Vec<(i64, i64, bool)> = sqlx::query_as(include_str!("../sql/erase/give_up.sql"))
        .bind(receiver)
        .bind(feeds)
        .bind(now)
        .fetch_all(&mut *conn)
        .await?;
    deliver::doubt(conn, &given_up, Some("its request was given up")).await?;
    let (bodies, answers): (i64, i64) = sqlx::query_as(include_str!("../sql/erase/bodies.sql"))
        .bind(feeds)
        .fetch_one(&mut *conn)
        .await?;
    search.look(conn, receiver, PAGE).await?;
    let silenced = silence(conn, &search.naming).await?;
    let texts = sqlx::query_scalar(include_str!("../sql/erase/content.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_one(&mut *conn)
        .await?;
    let hashes = sqlx::query_scalar(include_str!("../sql/erase/hashes.sql"))
        .bind(feeds)
        .bind(unit_id)
        .fetch_one(&mut *conn)
        .await?;
    let mut proof: Proof = sqlx::query_as(include_str!("../sql/erase/left.sql"))
        .bind(receiver)
        .bind(unit_id)
        .bind(feeds)
        .fetch_one(&mut *conn)
        .await?;
    if search.mask.is_some() {
        let left = tries_with_words(conn, receiver).await?;
        proof.words = left.len() as i64;
        proof.naming = left.iter().filter(|key| search.naming.contains(key)).count() as i64;
    }
    let given_up: BTreeSet<i64> = given_up.iter().map(|(sequence, ..)| *sequence).collect();
    Ok(Erased {
        receiver: receiver.to_owned(),
        bodies,
        given_up: given_up.len(),
        answers: answers + silenced,
        texts,
        hashes,
        searched: search.mask.is_some(),
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

/// The feeds that have or had the unit.
async fn feeds_of(conn: &mut PgConnection, receiver: &str, unit_id: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(include_str!("../sql/erase/feeds.sql"))
        .bind(receiver)
        .bind(unit_id)
        .fetch_all(conn)
        .await?)
}

/// Adds the names of leads that the feeds' bodies behind `newest` hold. Says whether any of them was not known.
async fn add_names(
    conn: &mut PgConnection,
    feeds: &[i64],
    newest: &mut i64,
    names: &mut BTreeSet<String>,
) -> Result<bool> {
    let known = names.len();
    let mut bodies = sqlx::query_as::<_, (i64, Vec<u8>)>(include_str!("../sql/erase/named_bodies.sql"))
        .bind(feeds)
        .bind(*newest)
        .fetch(conn);
    while let Some((sequence, body)) = bodies.try_next().await? {
        names.extend(leads(&decompressed(&body)?));
        *newest = sequence;
    }
    Ok(names.len() > known)
}

/// A try: its sync and its lease.
type Key = (i64, i32);

/// What was found of the names in what was said at tries.
struct Search {
    /// None where there is no name.
    mask: Option<Mask>,
    looked_at: BTreeSet<Key>,
    naming: BTreeSet<Key>,
}

impl Search {
    fn new(names: &BTreeSet<String>) -> Self {
        Self {
            mask: (!names.is_empty()).then(|| Mask::new([], names)),
            looked_at: BTreeSet::new(),
            naming: BTreeSet::new(),
        }
    }

    /// Looks at what came in since, at so much of it; what is more counts as naming.
    async fn look(&mut self, conn: &mut PgConnection, receiver: &str, most: usize) -> Result<()> {
        let Some(mask) = &self.mask else { return Ok(()) };
        let keys = tries_with_words(conn, receiver).await?;
        let new: Vec<Key> = keys.into_iter().filter(|key| !self.looked_at.contains(key)).collect();
        let (read, unread) = new.split_at(most.min(new.len()));
        for page in read.chunks(PAGE) {
            let said = words_at(conn, page).await?;
            let naming = said.into_iter().filter(|(.., words)| mask.finds(words));
            self.naming.extend(naming.map(|(sequence, lease, _)| (sequence, lease)));
        }
        self.naming.extend(unread);
        self.looked_at.extend(new);
        Ok(())
    }
}

/// The tries at which something was said.
async fn tries_with_words(conn: &mut PgConnection, receiver: &str) -> Result<Vec<Key>> {
    Ok(sqlx::query_as(include_str!("../sql/erase/words.sql"))
        .bind(receiver)
        .fetch_all(conn)
        .await?)
}

async fn words_at(conn: &mut PgConnection, tries: &[Key]) -> Result<Vec<(i64, i32, String)>> {
    let (sequences, leases): (Vec<i64>, Vec<i32>) = tries.iter().copied().unzip();
    Ok(sqlx::query_as(include_str!("../sql/erase/said.sql"))
        .bind(sequences)
        .bind(leases)
        .fetch_all(conn)
        .await?)
}

/// Says how many of them said anything still.
async fn silence(conn: &mut PgConnection, tries: &BTreeSet<Key>) -> Result<i64> {
    let (sequences, leases): (Vec<i64>, Vec<i32>) = tries.iter().copied().unzip();
    let silenced = sqlx::query(include_str!("../sql/erase/silence.sql"))
        .bind(sequences)
        .bind(leases)
        .execute(conn)
        .await?;
    Ok(i64::try_from(silenced.rows_affected())?)
}

/// Whether the source has a lead for the unit, which is sent and kept again then.
pub async fn source_has_lead(conn: &mut PgConnection, unit_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../sql/erase/source.sql"))
        .bind(unit_id)
        .fetch_one(conn)
        .await?)
}
