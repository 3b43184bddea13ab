//! Rehearsing a seal: the same requests from the same deltas, to the byte, and nothing written.
//!
//! What no body can know before it is sealed, its numbers and its moment, has the length that it will have.

use std::vec;

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::compare::read_part;
use super::feed_delta::FeedDelta;
use super::request::{Header, body, in_bodies, sync_type};
use super::scope::{Mode, Scope};
use crate::sync::{SyncId, SyncType};

/// One batch's requests, one after another.
pub(crate) struct Rehearsal<'a> {
    scope: &'a Scope,
    /// The number that the next sync gets.
    sequence: i64,
    sealed_at: DateTime<Utc>,
    /// Of which nothing is sealed.
    pub quiet: Vec<FeedDelta>,
    bodies: vec::IntoIter<Vec<FeedDelta>>,
    in_parts: vec::IntoIter<FeedDelta>,
    /// A snapshot whose parts are under way, and how many there are.
    parts: Option<(FeedDelta, usize, vec::IntoIter<Vec<i64>>)>,
}

/// One request as it would be sealed.
pub(crate) struct Rehearsed {
    pub sync_type: SyncType,
    pub part: usize,
    pub parts: usize,
    pub body_bytes: usize,
    /// What it says of each property; what a snapshot leaves out is with its last part.
    pub deltas: Vec<FeedDelta>,
}

impl<'a> Rehearsal<'a> {
    /// In the order in which they would be sealed, from this number on.
    pub fn of(scope: &'a Scope, deltas: Vec<FeedDelta>, sequence: i64, sealed_at: DateTime<Utc>) -> Self {
        let (in_parts, whole): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|delta| delta.parts.len() > 1);
        let (sealed, quiet): (Vec<_>, Vec<_>) = whole.into_iter().partition(|delta| delta.is_sealed(scope));
        Self {
            scope,
            sequence,
            sealed_at,
            quiet,
            bodies: in_bodies(sealed, scope).into_iter(),
            in_parts: in_parts.into_iter(),
            parts: None,
        }
    }

    /// The number that the sync after the last one gets.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    pub async fn next(&mut self, conn: &mut PgConnection) -> Result<Option<Rehearsed>> {
        if let Some(deltas) = self.bodies.next() {
            return self.request(deltas, 1, 1).map(Some);
        }
        loop {
            if let Some((snapshot, count, parts)) = &mut self.parts
                && let Some(units) = parts.next()
            {
                let (count, left) = (*count, parts.len());
                let mut part = read_part(conn, self.scope, snapshot, &units, left == 0).await?;
                if left == 0 {
                    part.absent = std::mem::take(&mut snapshot.absent);
                    part.noted = std::mem::take(&mut snapshot.noted);
                }
                return self.request(vec![part], count - left, count).map(Some);
            }
            let Some(mut snapshot) = self.in_parts.next() else {
                return Ok(None);
            };
            let parts = std::mem::take(&mut snapshot.parts);
            self.parts = Some((snapshot, parts.len(), parts.into_iter()));
        }
    }

    fn request(&mut self, deltas: Vec<FeedDelta>, part: usize, parts: usize) -> Result<Rehearsed> {
        let is_snapshot = matches!(deltas[0].mode, Mode::Snapshot | Mode::Part);
        let header = Header {
            sequence: self.sequence,
            sealed_at: self.sealed_at,
            snapshot_id: is_snapshot.then(Uuid::now_v7),
            part: u32::try_from(part)?,
            parts: u32::try_from(parts)?,
        };
        self.sequence += 1;
        Ok(Rehearsed {
            sync_type: sync_type(&deltas[0]),
            part,
            parts,
            body_bytes: body(self.scope, &header, &SyncId::new(self.sealed_at), &deltas)?.len(),
            deltas,
        })
    }
}
