//! What a scrape is answered: figures about the service from the database, at most a second old, and few about this process.
//!
//! However many relays run, each answers the same about the service. A scrape reads on a connection of its own, takes no
//! lock, one at a time, and is bounded in time: it is never in a planner's way. Whoever else asks within a second gets what it
//! found, also that it failed. No field's value, no address, no secret is in it. What may be pruned is no counter: its figure is
//! of the last hour.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use prometheus_client::encoding::prometheus_text::{self, encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::database::Database;
use crate::fault::sentence;
use crate::inspect::alerts::{self, AlertCount};
use crate::inspect::receivers::{self, ReceiverStatus, ReceiverWork, Sending};
use crate::inspect::syncs::{self, AttemptCount};
use crate::relay::Progress;
use crate::states::Withheld;

/// What the text is, as a header says it.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Prometheus itself gives up after ten seconds.
const LIMIT: Duration = Duration::from_secs(5);
/// Far less than between two scrapes of one Prometheus.
const KEPT: Duration = Duration::from_secs(1);

/// The names. The format adds `_total` to a counter's and `_info` to the build's.
mod name {
    pub const BUILD: &str = "rentsync_build";
    pub const DATABASE_UP: &str = "rentsync_database_up";
    pub const PLANNED_AGE: &str = "rentsync_planned_age_seconds";
    pub const SYNCS_DELIVERED: &str = "rentsync_syncs_delivered";
    pub const ATTEMPTS_FAILED: &str = "rentsync_attempts_failed";
    pub const PAUSED: &str = "rentsync_receiver_paused";
    pub const FAILURES: &str = "rentsync_receiver_failures_in_a_row";
    pub const FEEDS: &str = "rentsync_feeds";
    pub const FEEDS_BEHIND: &str = "rentsync_feeds_behind";
    pub const FEEDS_COOLING_DOWN: &str = "rentsync_feeds_cooling_down";
    pub const FEEDS_PAUSED: &str = "rentsync_feeds_paused";
    pub const UNITS_OWED: &str = "rentsync_units_owed";
    pub const UNITS_WITHHELD: &str = "rentsync_units_withheld";
    pub const DUPLICATE_CODES: &str = "rentsync_duplicate_unit_codes";
    pub const SYNCS_OPEN: &str = "rentsync_syncs_open";
    pub const OLDEST_CHANGE_AGE: &str = "rentsync_oldest_change_age_seconds";
    pub const LAST_DELIVERED: &str = "rentsync_last_delivered_timestamp_seconds";
    pub const ATTEMPTS: &str = "rentsync_attempts_last_hour";
    pub const ALERTS: &str = "rentsync_alerts";
    pub const ALERTS_OPEN: &str = "rentsync_alerts_open";
}

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter>;

/// Answers scrapes.
pub struct Scraper {
    /// How long a scrape may take; a statement of it ends then in the server as well.
    pub limit: Duration,
    /// How long others get what it found.
    pub kept: Duration,
    database: Database,
    /// Whoever reads has it; the others wait.
    last: Mutex<LastRead>,
}

/// What the last scrape left for the next.
#[derive(Default)]
struct LastRead {
    /// Taken out while in use, so that one cut short is not used again.
    conn: Option<PgConnection>,
    at: Option<Instant>,
    /// None: it failed.
    figures: Option<Arc<Figures>>,
}

/// What the database says.
struct Figures {
    receivers: Vec<ReceiverStatus>,
    attempts: Vec<AttemptCount>,
    alerts: Vec<AlertCount>,
}

impl Scraper {
    /// Connects nowhere yet.
    pub fn new(database: Database) -> Self {
        Self {
            limit: LIMIT,
            kept: KEPT,
            database,
            last: Mutex::default(),
        }
    }

    /// The text of one scrape. Where the database can't be read it says so, and what this process knows by itself.
    ///
    /// # Errors
    /// Never by what it finds: only where the text can't be written.
    pub async fn scrape(&self, progress: &Progress) -> Result<String, fmt::Error> {
        let figures = self.figures().await;
        let mut page = Page::default();
        page.process(progress);
        page.database_up(figures.is_some());
        if let Some(figures) = figures {
            page.service(&figures);
        }
        page.text()
    }

    async fn figures(&self) -> Option<Arc<Figures>> {
        let mut last = self.last.lock().await;
        if last.at.is_none_or(|at| at.elapsed() >= self.kept) {
            let read = timeout(self.limit, self.read(&mut last.conn)).await;
            let read = read.unwrap_or_else(|_| Err(anyhow::anyhow!("it took longer than {:?}", self.limit)));
            // One line when it begins to fail, not one a scrape.
            if let Err(error) = &read
                && (last.figures.is_some() || last.at.is_none())
            {
                tracing::warn!("figures for /metrics could not be read: {}", sentence(error));
            }
            last.figures = read.ok().map(Arc::new);
            last.at = Some(Instant::now());
        }
        last.figures.clone()
    }

    async fn read(&self, kept: &mut Option<PgConnection>) -> Result<Figures> {
        let mut conn = match kept.take() {
            Some(conn) => conn,
            None => self.database.connect_to_read(self.limit).await?,
        };
        self.database.check_schema_owner(&mut conn).await?;
        let figures = Figures::read(&mut conn).await?;
        *kept = Some(conn);
        Ok(figures)
    }
}

impl Figures {
    async fn read(conn: &mut PgConnection) -> Result<Self> {
        let read = async {
            anyhow::Ok(Self {
                receivers: receivers::statuses(conn, None).await?,
                attempts: syncs::attempts_last_hour(conn).await?,
                alerts: alerts::by_kind(conn).await?,
            })
        };
        read.await.context("reading figures")
    }
}

/// A scrape's text in the making.
#[derive(Default)]
struct Page {
    registry: Registry,
}

impl Page {
    fn process(&mut self, progress: &Progress) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        self.registry.register(name::BUILD, "Which release this is", version);
        let planned = self.gauge(
            name::PLANNED_AGE,
            "Seconds since this process last looked for changes and planned them",
        );
        let delivered = self.counter(name::SYNCS_DELIVERED, "Syncs that the receiver took from this process");
        let failed = self.counter(
            name::ATTEMPTS_FAILED,
            "Tries of this process that ended in anything else",
        );
        for (receiver, stages) in progress.all() {
            if let Some(ago) = stages.planned_ago() {
                set(&planned, of(receiver), ago.as_secs_f64());
            }
            delivered.get_or_create(&of(receiver)).inc_by(stages.delivered());
            failed.get_or_create(&of(receiver)).inc_by(stages.failed());
        }
    }

    fn database_up(&mut self, up: bool) {
        let gauge = self.gauge(
            name::DATABASE_UP,
            "Whether the database could be read; if not, what is read there is missing",
        );
        set(&gauge, Vec::new(), bit(up));
    }

    fn service(&mut self, figures: &Figures) {
        let mut figure = |name, help, value: fn(&Sending, &ReceiverWork) -> Option<f64>| {
            let gauge = self.gauge(name, help);
            for ReceiverStatus { standing, work } in &figures.receivers {
                if let Some(value) = value(&standing.sending, work) {
                    set(&gauge, of(&standing.receiver), value);
                }
            }
        };
        let paused = "Whether nothing is sent to the receiver but probes";
        figure(name::PAUSED, paused, |sending, _| Some(bit(sending.since.is_some())));
        let failures = "Deliveries in a row that failed in a way that is worth a retry";
        figure(name::FAILURES, failures, |sending, _| {
            Some(sending.failures_in_a_row.into())
        });
        let feeds = "Properties that have a feed to the receiver";
        figure(name::FEEDS, feeds, |_, work| Some(work.feeds as f64));
        let behind = "Feeds that have something to send and have not planned it";
        figure(name::FEEDS_BEHIND, behind, |_, work| Some(work.feeds_behind as f64));
        let resting = "Feeds that are left alone for a while after giving up";
        figure(name::FEEDS_COOLING_DOWN, resting, |_, work| {
            Some(work.feeds_cooling_down as f64)
        });
        let paused = "Feeds for which nothing is planned until somebody resumes them";
        figure(name::FEEDS_PAUSED, paused, |_, work| Some(work.feeds_paused as f64));
        let owed = "Units that must be sealed by the next plan whatever they look like";
        figure(name::UNITS_OWED, owed, |_, work| Some(work.units_owed as f64));
        let codes = "Codes that several units of one property have";
        figure(name::DUPLICATE_CODES, codes, |_, work| {
            Some(work.duplicate_codes as f64)
        });
        let open = "Syncs that are due, under way, or wait for their next try";
        figure(name::SYNCS_OPEN, open, |_, work| Some(work.open_syncs as f64));
        let oldest = "Age of the oldest change that is not delivered; 0 where all are";
        figure(name::OLDEST_CHANGE_AGE, oldest, |_, work| {
            Some(work.oldest_change_age())
        });
        let last = "When the receiver last took a sync, in Unix time; missing where it never did";
        figure(name::LAST_DELIVERED, last, |_, work| {
            Some(work.last_delivered?.timestamp_micros() as f64 / 1e6)
        });
        self.by_kind(figures);
    }

    fn by_kind(&mut self, figures: &Figures) {
        let withheld = self.gauge(name::UNITS_WITHHELD, "Units whose present state is not sent, by reason");
        for row in &figures.receivers {
            for kind in Withheld::ALL {
                let units = row.work.units_withheld_as(*kind);
                set(
                    &withheld,
                    with(&row.standing.receiver, "kind", kind.as_str()),
                    units as f64,
                );
            }
        }
        let attempts = self.gauge(
            name::ATTEMPTS,
            "Tries that began within the last hour, of every relay, by outcome",
        );
        for count in &figures.attempts {
            set(
                &attempts,
                with(&count.receiver, "outcome", &count.outcome),
                count.tries as f64,
            );
        }
        let raised = self.counter(name::ALERTS, "How often alerts were raised, by kind");
        let open = self.gauge(name::ALERTS_OPEN, "Alerts that nobody acknowledged yet, by kind");
        for count in &figures.alerts {
            let labels = with(&count.receiver, "kind", &count.kind);
            raised.get_or_create(&labels).inc_by(count.times.unsigned_abs());
            set(&open, labels, count.open as f64);
        }
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauges {
        let gauges = Gauges::default();
        self.registry.register(name, help, gauges.clone());
        gauges
    }

    fn counter(&mut self, name: &str, help: &str) -> Counters {
        let counters = Counters::default();
        self.registry.register(name, help, counters.clone());
        counters
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn set(gauges: &Gauges, labels: Labels, value: f64) {
    gauges.get_or_create(&labels).set(value);
}

fn bit(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn of(receiver: &str) -> Labels {
    vec![("receiver", receiver.to_owned())]
}

fn with(receiver: &str, key: &'static str, value: &str) -> Labels {
    vec![("receiver", receiver.to_owned()), (key, value.replace(' ', "_"))]
}
