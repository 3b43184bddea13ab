//! Requests to the endpoint, one after the other, each kept with its answer; and the bounds of all of them.
//!
//! Bodies are sealed and sent as production would: by the receiver's own shape, credentials, headers, TLS and pace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use chrono::Utc;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::exchange::{Exchange, KEPT_CHARS, cut};
use super::measured::Measured;
use super::portfolio::TestProperty;
use crate::config::{Auth, Compression, Format, Receiver};
use crate::payload::{Body, Digest, PropertyPart, Removal, SealableUnit, Shape};
use crate::policy::Answer;
use crate::receiver::{Endpoint, Try};
use crate::relay::{Stop, stopped};
use crate::sync::{SyncId, SyncType};

/// More requests are not sent, reading back included.
pub const REQUESTS_MAX: usize = 400;
/// After so long no further rule is looked at.
pub const TIME_MAX: Duration = Duration::from_secs(600);
/// So many requests in a row without an answer, and nothing more is asked.
const SILENCES_MAX: u32 = 3;
/// How often a request is repeated that is answered 429, and how long is waited at most before that.
const REPEATS_MAX: u32 = 3;
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Why nothing more is asked.
#[derive(Debug)]
pub enum Halt {
    /// Somebody said so.
    Interrupted,
    /// By the bounds above, or because nobody answers.
    GivenUp(String),
    /// By something on this side.
    Ours(anyhow::Error),
}

pub type Asked<T> = Result<T, Halt>;

/// How a request differs from what production would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Usual,
    Gzip,
    WithoutCredentials,
}

/// What one body says.
pub struct Step<'a> {
    pub says: &'static str,
    pub sync_type: SyncType,
    pub units: Vec<&'a SealableUnit>,
    pub removed: Vec<Removal>,
    pub keep: Vec<i64>,
    /// What the endpoint should hold afterwards; none: the body says nothing of it.
    pub leaves: Option<Vec<&'a SealableUnit>>,
    pub part: (Option<Uuid>, u32, u32),
    /// In the place of the next one.
    pub sequence: Option<i64>,
    pub renamed: bool,
}

impl<'a> Step<'a> {
    pub fn delta(says: &'static str, units: Vec<&'a SealableUnit>) -> Self {
        Self {
            says,
            sync_type: SyncType::Delta,
            units,
            removed: Vec::new(),
            keep: Vec::new(),
            leaves: None,
            part: (None, 1, 1),
            sequence: None,
            renamed: false,
        }
    }

    pub fn leaving(self, units: Vec<&'a SealableUnit>) -> Self {
        Self {
            leaves: Some(units),
            ..self
        }
    }
}

/// A body as it is sent, however often.
#[derive(Clone)]
pub struct Sealed {
    pub says: &'static str,
    pub property: i64,
    pub sync_id: String,
    pub body: Vec<u8>,
    /// It has a place for a digest, and so has its answer.
    pub asks_digest: bool,
}

pub struct Session {
    pub receiver: Receiver,
    pub shape: Shape,
    pub read_back: Option<String>,
    pub exchanges: Vec<Exchange>,
    /// The ids of properties that something was sent of.
    pub touched: BTreeSet<i64>,
    pub measured: Measured,
    endpoints: BTreeMap<Way, Endpoint>,
    sequence: i64,
    silences: u32,
    until: Instant,
    next_at: Instant,
    stop: watch::Receiver<Stop>,
}

impl Session {
    pub fn new(receiver: Receiver, shape: Shape, read_back: Option<String>, stop: watch::Receiver<Stop>) -> Self {
        Self {
            receiver,
            shape,
            read_back,
            exchanges: Vec::new(),
            touched: BTreeSet::new(),
            measured: Measured::default(),
            endpoints: BTreeMap::new(),
            // Above whatever an earlier run sent, and within 53 bits.
            sequence: Utc::now().timestamp_micros(),
            silences: 0,
            until: Instant::now() + TIME_MAX,
            next_at: Instant::now(),
            stop,
        }
    }

    /// From now on what was sent is taken back: an interruption is over, and there is time for it.
    pub fn begin_cleanup(&mut self) {
        self.stop = watch::channel(Stop::No).1;
        self.until = Instant::now() + TIME_MAX / 5;
        self.silences = 0;
    }

    pub fn next_sequence(&mut self) -> i64 {
        self.sequence += 1;
        self.sequence
    }

    /// Seals a step; format "unit" has a body for each entry.
    pub fn seal(&mut self, property: &TestProperty, step: &Step<'_>) -> Asked<Vec<Sealed>> {
        let mut digest = Digest::EMPTY;
        step.leaves
            .iter()
            .flatten()
            .for_each(|unit| digest.toggle(unit.unit_id, &unit.hash));
        let digest = step.leaves.as_ref().map(|_| digest);
        if self.receiver.format != Format::Unit {
            let sealed = self.seal_one(property, step, &step.units, &step.removed, digest)?;
            return Ok(vec![sealed]);
        }
        let units = step.units.iter().map(|unit| (vec![*unit], Vec::new()));
        let removed = step.removed.iter().map(|removal| (Vec::new(), vec![removal.clone()]));
        let entries: Vec<_> = removed.chain(units).collect();
        entries
            .iter()
            .map(|(units, removed)| self.seal_one(property, step, units, removed, None))
            .collect()
    }

    fn seal_one(
        &mut self,
        property: &TestProperty,
        step: &Step<'_>,
        units: &[&SealableUnit],
        removed: &[Removal],
        property_digest: Option<Digest>,
    ) -> Asked<Sealed> {
        let sealed_at = Utc::now();
        let sync_id = SyncId::new(sealed_at);
        let sequence = step.sequence.unwrap_or_else(|| self.next_sequence());
        let (snapshot_id, part, parts) = step.part;
        let sealable = if step.renamed {
            &property.renamed
        } else {
            &property.sealable
        };
        let part_of = PropertyPart {
            property: sealable,
            units,
            removed_units: removed,
            keep: &step.keep,
            property_digest,
        };
        let body = self.shape.body(&Body {
            sync_id: &sync_id,
            sealed_at,
            sync_type: step.sync_type,
            sequence,
            snapshot_id,
            part,
            parts,
            properties: &[part_of],
        });
        Ok(Sealed {
            says: step.says,
            property: property.id,
            sync_id: sync_id.as_str().to_owned(),
            body: body.map_err(Halt::Ours)?,
            asks_digest: part == parts && self.shape.absence_can_be_read(),
        })
    }

    /// Seals and posts a step; the number of the last exchange, or of the first that was not acknowledged.
    pub async fn send(&mut self, property: &TestProperty, step: &Step<'_>) -> Asked<usize> {
        let mut last = None;
        for sealed in self.seal(property, step)? {
            let posted = self.post(&sealed, Way::Usual).await?;
            last = Some(posted);
            if !self.exchanges[posted].is_acknowledged() {
                break;
            }
        }
        last.ok_or_else(|| Halt::GivenUp("a step said nothing".to_owned()))
    }

    /// Posts a body, again where that is asked for by 429; the number of the exchange.
    pub async fn post(&mut self, sealed: &Sealed, way: Way) -> Asked<usize> {
        for repeat in 0.. {
            let number = self.post_once(sealed, way).await?;
            let tried = self.exchanges[number].tried.as_ref();
            let Some(Answer::Status {
                status: 429,
                retry_after,
            }) = tried.map(|tried| &tried.answer)
            else {
                return Ok(number);
            };
            let wait = retry_after.unwrap_or(Duration::from_secs(1));
            if repeat == REPEATS_MAX || wait > WAIT_MAX {
                return Ok(number);
            }
            let mut stop = self.stop.clone();
            // Woken early by an interruption, which the next request then finds.
            timeout(wait, stopped(&mut stop, Stop::Finish)).await.ok();
        }
        unreachable!("a loop without end returns from within")
    }

    async fn post_once(&mut self, sealed: &Sealed, way: Way) -> Asked<usize> {
        self.go_on().await?;
        self.touched.insert(sealed.property);
        let endpoint = self.endpoint(way)?;
        let began = Instant::now();
        let tried = endpoint
            .post(&sealed.sync_id, sealed.body.clone())
            .await
            .map_err(Halt::Ours)?;
        Ok(self.note(sealed, tried, began.elapsed(), way))
    }

    /// Whether one more request may be sent, and when.
    async fn go_on(&mut self) -> Asked<()> {
        if *self.stop.borrow() != Stop::No {
            return Err(Halt::Interrupted);
        }
        if self.silences >= SILENCES_MAX {
            return Err(Halt::GivenUp(format!("{SILENCES_MAX} requests in a row had no answer")));
        }
        if self.exchanges.len() >= REQUESTS_MAX {
            return Err(Halt::GivenUp(format!(
                "{REQUESTS_MAX} requests were sent, which is the bound"
            )));
        }
        if Instant::now() > self.until {
            return Err(Halt::GivenUp("the time was up".to_owned()));
        }
        sleep_until(self.next_at).await;
        self.next_at = Instant::now() + self.pause();
        Ok(())
    }

    /// Between the beginnings of two requests, by the receiver's settings.
    pub fn pause(&self) -> Duration {
        self.receiver
            .requests_per_second_max
            .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate))
    }

    /// The endpoint, as production would speak with it or not quite so.
    pub fn endpoint(&mut self, way: Way) -> Asked<&Endpoint> {
        if !self.endpoints.contains_key(&way) {
            let mut receiver = self.receiver.clone();
            match way {
                Way::Usual => {}
                Way::Gzip => receiver.compression = Compression::Gzip,
                Way::WithoutCredentials => receiver.auth = Auth::None,
            }
            let endpoint = Endpoint::new(&receiver).map_err(Halt::Ours)?;
            self.endpoints.insert(way, endpoint);
        }
        Ok(&self.endpoints[&way])
    }

    /// Keeps an exchange.
    pub fn note(&mut self, sealed: &Sealed, tried: Try, took: Duration, way: Way) -> usize {
        self.silences = if tried.status.is_some() { 0 } else { self.silences + 1 };
        let beside = match way {
            Way::Usual => "",
            Way::Gzip => ", packed with gzip",
            Way::WithoutCredentials => ", without credentials",
        };
        let body = String::from_utf8_lossy(&sealed.body);
        self.exchanges.push(Exchange {
            says: format!("{}{beside}", sealed.says),
            request: format!("POST {}", self.receiver.url.path()),
            sync_id: Some(sealed.sync_id.clone()),
            bytes: sealed.body.len(),
            body: Some(cut(&body, KEPT_CHARS)),
            status: tried.status,
            answer: tried.text.clone(),
            error: tried.error.clone(),
            milliseconds: took.as_secs_f64() * 1000.0,
            asks_digest: sealed.asks_digest,
            tried: Some(tried),
            digest_fits: None,
        });
        self.exchanges.len() - 1
    }

    /// Asks the endpoint what it holds of a property, where it shows that.
    pub async fn ask_back(&mut self, property_id: i64) -> Asked<Option<Vec<u8>>> {
        let Some(path) = self
            .read_back
            .as_ref()
            .map(|path| path.replace("{project_id}", &property_id.to_string()))
        else {
            return Ok(None);
        };
        self.go_on().await?;
        let began = Instant::now();
        let read = self.endpoint(Way::Usual)?.read_back(&path).await.map_err(Halt::Ours)?;
        let (status, body, text, error) = match read {
            Ok(read) => (Some(read.status), Some(read.body), Some(read.text), None),
            Err(error) => (None, None, None, Some(error)),
        };
        self.exchanges.push(Exchange {
            says: "what it holds".to_owned(),
            request: format!("GET {path}"),
            sync_id: None,
            bytes: 0,
            body: None,
            status,
            answer: text,
            error,
            milliseconds: began.elapsed().as_secs_f64() * 1000.0,
            tried: None,
            asks_digest: false,
            digest_fits: None,
        });
        // What it doesn't know it holds nothing of.
        Ok(match status {
            Some(404) => Some(b"{\"units\":{}}".to_vec()),
            Some(200) => body,
            _ => None,
        })
    }

    /// Waits as the endpoint asked to be left alone for, within bounds.
    pub async fn rest(&self, asked: Option<Duration>) {
        sleep(asked.unwrap_or_default().min(WAIT_MAX)).await;
    }
}
