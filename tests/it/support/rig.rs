//! A source, a relay whose stages are called one by one, and a sandbox receiver.

use crate::process::LIMIT;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rentsync_relay::clock::Clock;
use rentsync_relay::config::{Auth, Config, Format, Guard, Limit, Receiver};
use rentsync_relay::deliver::{Deliverer, Settled};
use rentsync_relay::demo::proof::{self, Agreement};
use rentsync_relay::heartbeat::Registration;
use rentsync_relay::inspect::receivers;
use rentsync_relay::plan::{self, Batch, PlanTarget, Planned, Planner, Scope};
use rentsync_relay::relay::{Pass, Relay, Stop};
use rentsync_sandbox::{PropertyId, Sandbox, SyncLogEntry};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;

use super::{TestDatabase, agreed, kept};

/// The status that means available in tests.
pub const AVAILABLE: &[i64] = &[1];
/// No removal waits for a person.
pub const UNGUARDED: Guard = Guard {
    feed: OFF,
    receiver: OFF,
};
const OFF: Limit = Limit {
    units_min: 1,
    percent_max: 100,
};
/// More rounds than any test needs to come to rest.
const ROUNDS_MAX: usize = 500;

pub struct Rig {
    pub source: TestDatabase,
    pub sandbox: Sandbox,
    pub receiver: Receiver,
    /// Properties that the receiver knows by another id.
    pub external_ids: BTreeMap<i64, PropertyId>,
    pub clock: Clock,
    pub ahead: Arc<AtomicI64>,
    /// The relay that the stages called one by one are of; it never dies by itself.
    pub relay: Arc<Registration>,
}

/// One relay's two hands.
pub struct Hands {
    pub conn: PgConnection,
    pub planner: Planner,
    pub deliverer: Deliverer,
}

impl Rig {
    /// Two properties with three units each, nothing sent yet.
    pub async fn new() -> Self {
        let rig = Self::empty().await;
        rig.fill().await;
        rig
    }

    /// The same on a database of the test's own, which has the relay installed.
    pub async fn on(source: TestDatabase) -> Self {
        let rig = Self::agreeing(source, Self::receiver()).await;
        rig.fill().await;
        rig
    }

    /// The two properties.
    pub async fn fill(&self) {
        self.edit(
            "insert into projects (id, name, project_group_id, full_address, is_actived)
             values (1, 'One', 7, '1 First Street', true), (2, 'Two', 8, '2 Second Street', true);
             insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price)
             values (11, 1, '11', 1, 1100), (12, 1, '12', 1, 1200), (13, 1, '13', 2, 1300),
                    (21, 2, '21', 1, 2100), (22, 2, '22', 1, 2200), (23, 2, '23', 2, 2300)",
        )
        .await;
    }

    /// Everything delivered, and the request log empty.
    pub async fn delivered() -> Self {
        let rig = Self::new().await;
        rig.settle().await;
        rig.sandbox.clear_log();
        rig
    }

    pub async fn empty() -> Self {
        Self::agreeing(TestDatabase::installed().await, Self::receiver()).await
    }

    /// Settings without a place to send to.
    pub fn receiver() -> Receiver {
        Receiver::new("main", "http://127.0.0.1:9/".parse().expect("URL"))
    }

    /// A sandbox that was set to the same as the relay: these settings, but for where it is.
    pub async fn agreeing(source: TestDatabase, mut receiver: Receiver) -> Self {
        let sandbox = Self::sandbox(&mut receiver).await;
        receiver.timeout = Duration::from_secs(5);
        receiver.retry.jitter_percent = 0;
        let ahead = Arc::new(AtomicI64::new(0));
        let relay = immortal(&source, "test:1").await;
        Self {
            relay,
            source,
            sandbox,
            receiver,
            external_ids: BTreeMap::new(),
            clock: Clock::Ahead(ahead.clone()),
            ahead,
        }
    }

    async fn sandbox(receiver: &mut Receiver) -> Sandbox {
        let options = agreed::options(receiver);
        let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options)
            .await
            .expect("sandbox");
        receiver.url = sandbox.url().parse().expect("URL");
        if let Auth::OAuth2(oauth2) = &mut receiver.auth {
            oauth2.token_url = sandbox.token_url().parse().expect("URL");
        }
        sandbox
    }

    /// Both sides agree on something else from now on; what the receiver holds stays.
    pub async fn agree_anew(&mut self, change: impl FnOnce(&mut Receiver)) {
        change(&mut self.receiver);
        let sandbox = Self::sandbox(&mut self.receiver).await;
        sandbox.restore(self.sandbox.save());
        self.sandbox = sandbox;
        // It is the same one elsewhere.
        self.source.execute("update rentsync.receiver set address = null").await;
    }

    /// Has the receiver know properties by other ids. Before anything is sent.
    pub async fn name_properties(&mut self, ids: &[(i64, PropertyId)]) {
        let mut conn = self.source.take().await;
        plan::register(&mut conn, &self.scope()).await.expect("register");
        plan::enroll(&mut conn, &self.receiver, None).await.expect("enroll");
        for (property_id, id) in ids {
            sqlx::query("update rentsync.feed set external_id = $2 where property_id = $1")
                .bind(property_id)
                .bind(id.to_string())
                .execute(&mut conn)
                .await
                .expect("external id");
        }
        self.source.put(conn);
        self.external_ids.extend(ids.iter().cloned());
    }

    /// What both sides agreed on, for the proof.
    pub fn agreement(&self) -> Agreement {
        Agreement {
            available: AVAILABLE.to_vec(),
            shape: agreed::options(&self.receiver),
            external_ids: self.external_ids.clone(),
            unit_codes: self.receiver.unit_codes.clone(),
        }
    }

    pub fn scope(&self) -> Scope {
        Scope::new(&self.receiver, AVAILABLE)
    }

    /// Everything beyond a feed.
    pub fn batch(&self, after: i64) -> Batch<'static> {
        Batch {
            place: PlanTarget::Everywhere,
            after,
            feeds_max: 100,
            probe: None,
            relay: self.relay.id(),
            now: self.clock.now(),
        }
    }

    pub async fn edit(&self, statements: &str) {
        self.source.execute(statements).await;
    }

    pub fn pass(&self, time: Duration) {
        self.ahead.fetch_add(
            i64::try_from(time.as_millis()).expect("milliseconds"),
            Ordering::Relaxed,
        );
    }

    pub async fn hands(&self) -> Hands {
        self.hands_on(self.source.connect().await, self.source.new_pool()).await
    }

    async fn hands_on(&self, mut conn: PgConnection, pool: PgPool) -> Hands {
        plan::register(&mut conn, &self.scope()).await.expect("register");
        Hands {
            conn,
            planner: Planner::new(self.clock.clone(), self.relay.clone()),
            deliverer: self.deliverer_on(pool, &self.relay),
        }
    }

    /// Another relay's.
    pub async fn deliverer(&self, name: &str) -> Deliverer {
        self.deliverer_of(&immortal(&self.source, name).await)
    }

    pub fn deliverer_of(&self, relay: &Arc<Registration>) -> Deliverer {
        self.deliverer_on(self.source.new_pool(), relay)
    }

    fn deliverer_on(&self, pool: PgPool, relay: &Arc<Registration>) -> Deliverer {
        Deliverer::new(pool, &self.receiver, self.clock.clone(), relay).expect("deliverer")
    }

    /// A relay with its real loops, on this rig's database and clock.
    pub fn relay(&self) -> Relay {
        let mut config = Config::default();
        config.source.available_status_ids = Some(AVAILABLE.to_vec());
        config.relay.poll_every = Duration::from_millis(5);
        config.relay.sweep_every = Duration::from_millis(100);
        config
            .receivers
            .insert(self.receiver.name.clone(), self.receiver.clone());
        let mut relay = Relay::new(self.source.database.clone(), config);
        relay.clock = self.clock.clone();
        relay
    }

    /// One pass, as `once` does it between two nights.
    pub async fn once(&self) -> Pass {
        self.pass_with(self.relay(), false).await
    }

    /// The same, which begins the night's snapshot if it is due.
    pub async fn once_by_night(&self) -> Pass {
        self.pass_with(self.relay(), true).await
    }

    async fn pass_with(&self, mut relay: Relay, snapshots: bool) -> Pass {
        relay.config.snapshot.enabled = snapshots;
        let (_stop, unstopped) = watch::channel(Stop::No);
        let pass = relay.once(&unstopped, &mut |_| {}).await;
        pass.expect("once")
    }

    /// Plans everything there is to plan.
    pub async fn plan(&self) -> Planned {
        let mut conn = self.source.take().await;
        plan::register(&mut conn, &self.scope()).await.expect("register");
        plan::enroll(&mut conn, &self.receiver, None).await.expect("enroll");
        let mut total = Planned::default();
        let mut after = Some(0);
        while let Some(from) = after {
            let planned = plan::plan_batch(&mut conn, &self.scope(), &self.batch(from))
                .await
                .expect("plan");
            total.feeds += planned.feeds;
            total.syncs += planned.syncs;
            total.units += planned.units;
            total.removed_units += planned.removed_units;
            after = planned.more_after;
        }
        self.source.put(conn);
        total
    }

    /// Delivers everything that is due now.
    pub async fn deliver(&self) -> Settled {
        let mut deliverer = self.deliverer_on(self.source.pool(), &self.relay);
        let mut total = Settled::default();
        while deliverer.start_due().await.expect("lease") > 0 {
            while !deliverer.is_idle() {
                let ended = deliverer.ended().await.expect("ended");
                let settled = deliverer.settle(ended).await.expect("settle");
                total.delivered += settled.delivered;
                total.failed += settled.failed;
                total.properties.extend(settled.properties);
            }
        }
        total
    }

    /// Lets the relay come to rest, passing time where it waits.
    pub async fn settle(&self) {
        let mut hands = self.hands_on(self.source.take().await, self.source.pool()).await;
        hands.settle(self).await;
        self.source.put(hands.conn);
    }

    /// Source and receiver are equal, unit by unit; the receiver never had to complain; both know the same digests; what is kept of
    /// the ledger is what it has.
    pub async fn assert_equal(&self) {
        let mut conn = self.source.take().await;
        self.assert_equal_by(&mut conn).await;
        self.source.put(conn);
    }

    /// The same on a connection that is there already.
    pub async fn assert_equal_by(&self, conn: &mut PgConnection) {
        let agreement = self.agreement();
        let proof = proof::compare(conn, &self.sandbox, &agreement).await.expect("compare");
        assert_eq!(proof.differences, [] as [String; 0]);
        self.assert_no_complaint();
        kept::assert_withheld_is_counted(conn).await;
        if !self.receiver.extensions || self.receiver.format == Format::Unit {
            return;
        }
        let digests: Vec<(i64, String)> =
            sqlx::query_as("select property_id, encode(digest, 'hex') from rentsync.feed")
                .fetch_all(conn)
                .await
                .expect("digests");
        for (property_id, digest) in digests {
            if let Some(held) = self.sandbox.property_by(&agreement.id_of(property_id)) {
                assert_eq!(held.digest, digest, "property {property_id}");
            }
        }
    }

    /// Equal, though requests were refused with this status on purpose.
    pub async fn assert_equal_but(&self, status: &str) {
        let mut conn = self.source.take().await;
        let proof = proof::compare(&mut conn, &self.sandbox, &self.agreement())
            .await
            .expect("compare");
        self.source.put(conn);
        assert_eq!(proof.differences, [] as [String; 0]);
        self.assert_no_complaint_but(status);
    }

    /// No body broke the contract; those that a fault refused with this status are not looked at.
    pub fn assert_no_complaint_but(&self, status: &str) {
        for sync in self.sandbox.syncs() {
            let by_fault = sync.reason.as_deref().is_some_and(|reason| reason.contains("fault"));
            let refused = sync.status.is_some_and(|status| status >= 400) && !by_fault;
            assert!(!refused, "{sync:?}, only {status} was expected");
        }
    }

    /// No body broke the contract.
    pub fn assert_no_complaint(&self) {
        for sync in self.sandbox.syncs() {
            let reason = sync.reason.as_deref().unwrap_or("");
            // A fault that it was set to have is no complaint; one that comes with a breach names both.
            let complains = sync.status == Some(400) && !reason.starts_with("fault:") || reason.contains("; ");
            assert!(!complains, "{sync:?}");
        }
    }

    pub fn faults(&self, faults: Value) {
        self.sandbox.set_faults(faults).expect("faults");
    }

    pub fn no_faults(&self) {
        self.faults(json!({}));
    }

    /// What came in, in a form that reads well in an assertion: property, units, removed, status.
    pub fn requests(&self) -> Vec<(i64, usize, usize, u16)> {
        let brief = |sync: &SyncLogEntry| {
            (
                sync.project_id.unwrap_or(0),
                sync.units,
                sync.removed,
                sync.status.unwrap_or(0),
            )
        };
        let mut requests: Vec<_> = self.sandbox.syncs().iter().map(brief).collect();
        requests.sort_unstable();
        requests
    }

    /// The JSON bodies of all syncs of a property, the oldest first.
    pub async fn bodies(&self, property_id: i64) -> Vec<Value> {
        let mut conn = self.source.take().await;
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(
            "select s.body from rentsync.sync s join rentsync.sync_feed using (sequence) join rentsync.feed f using (feed_id)
              where f.property_id = $1 order by s.sequence",
        )
        .bind(property_id)
        .fetch_all(&mut conn)
        .await
        .expect("bodies");
        self.source.put(conn);
        bodies
            .iter()
            .map(|body| {
                serde_json::from_slice(&rentsync_relay::payload::decompressed(body).expect("gzip")).expect("JSON")
            })
            .collect()
    }

    /// Until a request is under way.
    pub async fn until_leased(&self) {
        let leased = "select count(*) from rentsync.sync where leased_until is not null";
        let waiting = async { while self.source.number(leased).await == 0 {} };
        tokio::time::timeout(LIMIT, waiting).await.expect("a request under way");
    }

    pub async fn alerts(&self) -> Vec<String> {
        self.source
            .texts("select kind from rentsync.alert order by alert_id")
            .await
    }

    pub async fn states(&self) -> Vec<String> {
        self.source
            .texts("select state from rentsync.sync order by sequence")
            .await
    }
}

/// A relay that counts as alive until its row is deleted, and that takes no share of anybody's places.
pub async fn immortal(source: &TestDatabase, name: &str) -> Arc<Registration> {
    let mut conn = source.take().await;
    let relay = Registration::write(&mut conn, name, Vec::new(), Arc::default())
        .await
        .expect("register");
    sqlx::query("update rentsync.relay set beat_at = 'infinity' where relay_id = $1")
        .bind(relay.id())
        .execute(&mut conn)
        .await
        .expect("immortal");
    source.put(conn);
    relay
}

/// What came of a round.
struct Round {
    /// Something was planned or sent.
    done: bool,
    /// The sweep goes on, or something is noticed.
    more: bool,
}

impl Hands {
    /// Rounds until nothing is left to do, passing time where something waits.
    pub async fn settle(&mut self, rig: &Rig) {
        self.settle_watched(rig, || {}).await;
    }

    /// The same, with a look at the receiver after every round.
    pub async fn settle_watched(&mut self, rig: &Rig, look: impl Fn()) {
        for _ in 0..ROUNDS_MAX {
            self.work_watched(rig, &look).await;
            let unsettled = receivers::unsettled(&mut self.conn, &rig.receiver.name).await;
            if unsettled.expect("status") == 0 {
                return;
            }
            rig.pass(Duration::from_secs(60));
        }
        panic!("no rest: {:?}", rig.sandbox.syncs().last());
    }

    /// Rounds until there is nothing to do for now.
    pub async fn work(&mut self, rig: &Rig) {
        self.work_watched(rig, || {}).await;
    }

    /// A minute after another, each worked through.
    pub async fn pass(&mut self, rig: &Rig, minutes: u32) {
        for _ in 0..minutes {
            rig.pass(Duration::from_secs(60));
            self.work(rig).await;
        }
    }

    /// Until another sweep finds nothing.
    async fn work_watched(&mut self, rig: &Rig, look: impl Fn()) {
        while self.sweep_watched(rig, &look).await {}
    }

    /// One sweep, and then what is noticed. Says whether anything was done.
    async fn sweep_watched(&mut self, rig: &Rig, look: &impl Fn()) -> bool {
        let mut round = self.round_with(rig, Duration::ZERO).await;
        let mut done = round.done;
        look();
        for _ in 0..ROUNDS_MAX {
            if !round.done && !round.more {
                return done;
            }
            round = self.round_with(rig, Duration::MAX).await;
            done |= round.done;
            look();
        }
        panic!("no rest: {:?}", rig.sandbox.syncs().last());
    }

    /// One look, one batch of a sweep, one delivery. Says whether there may be more to do.
    pub async fn round(&mut self, rig: &Rig) -> bool {
        let round = self.round_with(rig, Duration::ZERO).await;
        round.done || round.more
    }

    async fn round_with(&mut self, rig: &Rig, sweep_every: Duration) -> Round {
        let step = self
            .planner
            .step(&mut self.conn, &rig.scope(), sweep_every)
            .await
            .expect("plan");
        let started = self.deliverer.start_due().await.expect("lease");
        while !self.deliverer.is_idle() {
            let ended = self.deliverer.ended().await.expect("ended");
            let settled = self.deliverer.settle(ended).await.expect("settle");
            self.planner.notice(settled.properties);
        }
        Round {
            done: started > 0 || step.planned.feeds > 0,
            more: step.more,
        }
    }
}
