//! Preview: the requests that would be sent now, unit by unit. Writes nothing, sends nothing.
//!
//! Chosen, compared and put into bodies by the planner's own functions, in batches of feeds, each in a read-only REPEATABLE READ
//! transaction of its own; only what follows from an answer is left out. So it is what a pass would seal first, and then what
//! it would seal for what doesn't fit a feed's first request, as if the receiver took each; what is bisected is only counted.
//! Guards are asked for the first requests, batch by batch, as if the batches before had sealed nothing. Memory holds one
//! batch, and all that is sealed of those of its feeds that need several requests.

mod request;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Connection, FromRow, PgConnection};

use crate::fault::Fault;
use crate::inspect::receivers::{self, Sending};
use crate::inspect::withheld;
use crate::plan::{
    Batch, ChosenFeed, FEEDS_PER_BATCH_MAX, FeedDelta, Grown, PlanTarget, Rehearsal, Scope, compare, forecast_batches,
    forecast_feeds, read_briefly, without_values,
};
use crate::source_identity;
use crate::words::moment;

pub use request::{PostponedUnit, Property, RemovedUnit, Request, Unit, WithheldUnit};

/// Something that a preview has to say.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PreviewItem {
    /// Of the receiver as a whole.
    Receiver(About),
    /// It would be sent.
    Request(Request),
    /// Nothing of it is sent, and there is something to say of it.
    Property(Property),
    /// Not planned, whatever differs.
    NotPlanned(About),
    /// Removals would wait for a person.
    Hold(Hold),
    /// Removals that wait no longer.
    Cleared(Cleared),
    /// How much it is.
    Total(Total),
}

/// A sentence about a property, or the receiver as a whole.
#[derive(Serialize)]
#[allow(missing_docs)]
pub struct About {
    pub receiver: String,
    pub property_id: Option<i64>,
    pub because: String,
}

/// A hold that would be opened, or that units would join.
#[derive(Serialize)]
pub struct Hold {
    /// Whose.
    pub receiver: String,
    /// None: over the receiver as a whole.
    pub property_id: Option<i64>,
    /// Removals that would wait.
    pub units: i64,
    /// Removals sealed within 24 hours.
    pub gone: i64,
    /// Units when those began.
    pub of_units: i64,
}

/// A hold that the settings no longer ask for: its removals are sent as well, once the next sweep has let them go.
#[derive(Serialize, FromRow)]
pub struct Cleared {
    /// Whose.
    #[sqlx(skip)]
    pub receiver: String,
    /// As `holds list` names it.
    pub hold_id: i64,
    /// None: over the receiver as a whole.
    pub property_id: Option<i64>,
    /// Removals.
    pub units: i64,
}

/// Everything, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Whose.
    pub receiver: String,
    /// Requests that would be sent.
    pub requests: usize,
    /// Units in them.
    pub units: usize,
    /// Removals in them.
    pub removed_units: usize,
    /// Bytes of their bodies, before any compression.
    pub body_bytes: usize,
    /// Units that wait for later requests.
    pub later: i64,
    /// Removals that waited for a person and would be sent as well.
    pub cleared: i64,
    /// Properties that would be enrolled.
    pub new_properties: usize,
    /// Units that are withheld already, by whose objection it is.
    pub withheld: Vec<(String, i64)>,
}

/// Where things go, one after another.
pub type Sink<'a> = &'a mut (dyn FnMut(PreviewItem) -> Result<()> + Send + Sync);

/// What is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreviewRequest {
    /// Of this property only.
    pub property_id: Option<i64>,
    /// None: by the database's clock.
    pub now: Option<DateTime<Utc>>,
}

/// What the bodies would be numbered and dated by.
#[derive(FromRow)]
struct Numbering {
    newest: i64,
    now: DateTime<Utc>,
}

/// Previews one receiver.
pub async fn preview(conn: &mut PgConnection, scope: &Scope, asked: PreviewRequest, report: Sink<'_>) -> Result<Total> {
    let name = &scope.receiver.name;
    let standing = receivers::standing(conn, name, asked.now).await?;
    let numbering: Numbering = sqlx::query_as(include_str!("../../sql/preview/numbering.sql"))
        .bind(asked.now)
        .fetch_one(&mut *conn)
        .await?;
    let mut preview = Preview {
        scope,
        asked,
        whole: standing
            .as_ref()
            .is_some_and(|receiver| receiver.settings_differ(&scope.shape)),
        sequence: numbering.newest + 1,
        sealed_at: numbering.now,
        total: Total {
            receiver: name.clone(),
            ..Total::default()
        },
        over_all: None,
        report,
    };
    if let Some(property_id) = asked.property_id {
        preview.check_known(conn, property_id).await?;
    }
    let another = source_identity::forecast(conn, name).await?;
    let another = another.filter(|(standing, _)| {
        matches!(
            standing,
            source_identity::IdentityCheck::Stopped | source_identity::IdentityCheck::Waits
        )
    });
    preview.receiver(standing.map(|receiver| receiver.sending), another.map(|(_, why)| why))?;
    preview.kept_from(conn).await?;
    preview.cleared(conn).await?;
    sqlx::query(include_str!("../../sql/preview/be_patient.sql"))
        .execute(&mut *conn)
        .await?;
    let mut after = Some(0);
    while let Some(from) = after {
        let mut tx = conn
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        read_briefly(&mut tx).await?;
        after = preview.batch(&mut tx, from).await.map_err(without_values)?;
        tx.rollback().await?;
    }
    preview.end(conn).await
}

struct Preview<'a, 'b> {
    scope: &'a Scope,
    asked: PreviewRequest,
    /// These settings are not those of the last run: everything is compared.
    whole: bool,
    sequence: i64,
    sealed_at: DateTime<Utc>,
    total: Total,
    /// The hold over the receiver as a whole, as far as the batches so far would have it.
    over_all: Option<Hold>,
    report: Sink<'b>,
}

impl Preview<'_, '_> {
    /// What holds for everything that follows.
    fn receiver(&mut self, sending: Option<Sending>, another: Option<String>) -> Result<()> {
        let name = self.scope.receiver.name.clone();
        let sending = sending.as_ref();
        // What a resync ends as well.
        let paused = sending.filter(|_| another.is_none()).and_then(|sending| {
            let because = sending.because.as_ref()?;
            let probe = sending
                .next_probe
                .map_or(String::new(), |next| format!(" but a probe at {}", moment(next)));
            Some(format!(
                "it is paused ({because}), and nothing is sent{probe} until `receivers resume {name}`; then this"
            ))
        });
        let waits = another.map(|why| {
            format!(
                "this is another database than it was fed from ({why}), and nothing is sent until `receivers resync {name}`; \
                 then everything is sent again"
            )
        });
        let silence = sending
            .and_then(|sending| sending.wait_until)
            .map(|until| format!("it asked to be left alone until {}; then this", moment(until)));
        let settings = self.whole.then(|| {
            "it was last run with other settings than these: everything is compared, and sent as these settings have it".to_owned()
        });
        for because in [waits, paused, silence, settings].into_iter().flatten() {
            (self.report)(PreviewItem::Receiver(about(&name, None, because)))?;
        }
        Ok(())
    }

    async fn kept_from(&mut self, conn: &mut PgConnection) -> Result<()> {
        let name = &self.scope.receiver.name;
        let feeds: Vec<(i64, String)> = sqlx::query_as(include_str!("../../sql/preview/withheld_from.sql"))
            .bind(name)
            .bind(self.asked.property_id)
            .bind(self.asked.now)
            .fetch_all(conn)
            .await?;
        for (property_id, because) in feeds {
            (self.report)(PreviewItem::NotPlanned(about(name, Some(property_id), because)))?;
        }
        Ok(())
    }

    async fn cleared(&mut self, conn: &mut PgConnection) -> Result<()> {
        let guard = &self.scope.receiver.guard;
        let cleared: Vec<Cleared> = sqlx::query_as(include_str!("../../sql/preview/cleared.sql"))
            .bind(&self.scope.receiver.name)
            .bind(guard.feed.units_min)
            .bind(guard.feed.percent_max)
            .bind(guard.receiver.units_min)
            .bind(guard.receiver.percent_max)
            .bind(self.asked.property_id)
            .fetch_all(conn)
            .await?;
        for mut hold in cleared {
            hold.receiver.clone_from(&self.scope.receiver.name);
            self.total.cleared += hold.units;
            (self.report)(PreviewItem::Cleared(hold))?;
        }
        Ok(())
    }

    async fn batch(&mut self, conn: &mut PgConnection, after: i64) -> Result<Option<i64>> {
        let (feeds, more_after) = self.forecast_feeds(conn, after).await?;
        if feeds.is_empty() {
            return Ok(None);
        }
        let properties: Vec<_> = feeds.iter().map(|feed| (feed.feed_id, feed.property_id)).collect();
        let compared = compare(&mut self.scope.plan_in(conn, self.asked.now), feeds).await?;
        let more_after = compared.more_after.or(more_after);
        let feeds = compared.deltas.iter().map(|delta| &delta.feed);
        self.total.new_properties += feeds.filter(|feed| feed.is_not_enrolled()).count();
        for grown in &compared.grown {
            self.hold(grown, &properties)?;
        }
        for (turn, deltas) in (1..).zip(forecast_batches(conn, self.scope, compared.deltas).await?) {
            self.rehearse(conn, deltas, turn).await?;
        }
        Ok(more_after)
    }

    async fn forecast_feeds(&self, conn: &mut PgConnection, after: i64) -> Result<(Vec<ChosenFeed>, Option<i64>)> {
        let batch = Batch {
            place: match self.asked.property_id.as_slice() {
                [] => PlanTarget::Everywhere,
                one => PlanTarget::Properties(one),
            },
            after,
            feeds_max: usize::try_from(FEEDS_PER_BATCH_MAX)?,
            probe: None,
            // Nothing is claimed.
            relay: 0,
            now: self.asked.now,
        };
        forecast_feeds(conn, &self.scope.receiver, &batch, self.whole).await
    }

    fn hold(&mut self, grown: &Grown, properties: &[(i64, i64)]) -> Result<()> {
        let of = |feed_id| {
            properties
                .iter()
                .find(|(feed, _)| *feed == feed_id)
                .map(|(_, property_id)| *property_id)
        };
        let hold = Hold {
            receiver: self.scope.receiver.name.clone(),
            property_id: grown.feed_id.and_then(of),
            units: grown.units,
            gone: grown.gone,
            of_units: grown.of_units,
        };
        match (grown.feed_id, &mut self.over_all) {
            (Some(_), _) => (self.report)(PreviewItem::Hold(hold))?,
            (None, Some(over_all)) => over_all.units += grown.joined,
            (None, none) => *none = Some(hold),
        }
        Ok(())
    }

    async fn rehearse(&mut self, conn: &mut PgConnection, deltas: Vec<FeedDelta>, turn: usize) -> Result<()> {
        let mut rehearsal = Rehearsal::of(self.scope, deltas, self.sequence, self.sealed_at);
        while let Some(rehearsed) = rehearsal.next(conn).await? {
            let number = self.total.requests + 1;
            let request = Request::of(conn, self.scope, (number, turn), &rehearsed).await?;
            self.total.requests = number;
            self.total.units += request.units;
            self.total.removed_units += request.removed_units;
            self.total.body_bytes += request.body_bytes;
            let later = |property: &Property| property.later.iter().map(|later| later.units).sum::<i64>();
            self.total.later += request.properties.iter().map(later).sum::<i64>();
            (self.report)(PreviewItem::Request(request))?;
        }
        for delta in &rehearsal.quiet {
            let property = Property::of(conn, self.scope, delta).await?;
            self.total.later += property.later.iter().map(|later| later.units).sum::<i64>();
            if !property.says_nothing() {
                (self.report)(PreviewItem::Property(property))?;
            }
        }
        self.sequence = rehearsal.sequence();
        Ok(())
    }

    async fn end(mut self, conn: &mut PgConnection) -> Result<Total> {
        self.total.withheld = withheld::counts(conn, &self.scope.receiver.name, self.asked.property_id).await?;
        if let Some(hold) = self.over_all.take() {
            (self.report)(PreviewItem::Hold(hold))?;
        }
        (self.report)(PreviewItem::Total(self.total.clone()))?;
        Ok(self.total)
    }

    /// A property that has no feed and would get none is a typing error, or somebody wonders why.
    async fn check_known(&self, conn: &mut PgConnection, property_id: i64) -> Result<()> {
        let name = &self.scope.receiver.name;
        let (_, known): (bool, bool) = sqlx::query_as(include_str!("../../sql/replay/known_feed.sql"))
            .bind(name)
            .bind(property_id)
            .fetch_one(&mut *conn)
            .await?;
        if known || !self.forecast_feeds(conn, 0).await?.0.is_empty() {
            return Ok(());
        }
        Err(Fault::usage(format!(
            "property {property_id} has no feed to receiver {name} and would get none: it is inactive, outside the portfolio or \
             unknown, or only listed properties are enrolled; see `feeds list`"
        ))
        .into())
    }
}

fn about(receiver: &str, property_id: Option<i64>, because: String) -> About {
    About {
        receiver: receiver.to_owned(),
        property_id,
        because,
    }
}

/// Why more than news is sent of a feed.
fn reason(feed: &ChosenFeed) -> Option<String> {
    match (&feed.snapshot_due, feed.uncovered) {
        (Some(due), _) => Some(format!("due a snapshot ({due})")),
        (None, Some(reason)) => Some(format!("no longer covered ({})", reason.as_str())),
        (None, None) if feed.is_not_enrolled() => Some("new, it is enrolled first".to_owned()),
        (None, None) if feed.whole => Some("compared as a whole".to_owned()),
        (None, None) => None,
    }
}
