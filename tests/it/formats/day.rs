//! One eventful day, sent to a receiver of any shape. Time is the rig's; nothing here waits.

use std::time::Duration;

use rentsync_relay::config::{Batch, Compression, Format, RemovedAs};
use rentsync_sandbox::PropertyId;
use serde_json::{Value, json};

use super::settings::Case;
use crate::support::rig::{Hands, Rig, UNGUARDED};
use crate::support::{TestDatabase, execute};

/// Fewer than the largest property has, so that requests are full and snapshots have parts.
pub const UNITS_PER_REQUEST_MAX: usize = 3;

const MINUTE: Duration = Duration::from_secs(60);

/// A relay, its receiver, and where the day has got to.
struct Day {
    rig: Rig,
    hands: Hands,
}

/// Sends the day, on a database that has seen another day or on a new one. Panics where the copy differs from the source
/// or the receiver had to complain.
pub async fn send(used: Option<TestDatabase>, case: &Case) -> TestDatabase {
    let database = TestDatabase::installed_again(used).await;
    let mut rig = Rig::agreeing(database, case.receiver.clone()).await;
    rig.receiver.guard = UNGUARDED;
    rig.edit(BEGINNING).await;
    rig.name_properties(&[(2, "PROP-2".into()), (3, 7003.into())]).await;
    let hands = rig.hands().await;
    let mut day = Day { rig, hands };
    day.stop().await;
    day.edits().await;
    day.ways_out_and_back().await;
    day.night().await;
    day.receiver_that_lost_what_it_had().await;
    day.outage().await;
    day.rest().await;
    day.showed_what_it_should();
    day.rig.source
}

pub const BEGINNING: &str = r#"
    insert into projects (id, name, project_group_id, full_address, is_actived, is_lease_up) values
        (1, 'One', 7, '1 First Street', true, false), (2, 'The "Second" \ é', 8, null, true, true),
        (3, null, null, '3 Third Street', true, null), (4, 'Four', 7, '4 Fourth Street', true, false),
        (5, 'Five', 7, '5 Fifth Street', true, false);
    insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, rentroll_status, price, bathrooms,
        view, has_garage, lead_first_name, lead_last_name)
    values (11, 1, '11', 1, 'Available', 1100, 1, 'Park', true, null, null),
           (12, 1, '12', 1, 'Available', 1200.5, 1.5, null, false, 'Ada', null),
           (13, 1, '13', 2, 'Rented', null, null, 'City', null, 'Ada', 'L.'),
           (14, 1, '14', null, null, 1e300, 0.1, '"', null, ' ', null),
           (15, 1, '15', 3, 'On Notice', 1500, 2, 'Park', true, null, 'M.'),
           (21, 2, '11', 1, 'Available', 2100, 1, null, null, null, null),
           (22, 2, '22', 2, 'Rented', 2200, 1, null, null, null, null),
           (31, 3, null, 1, 'Available', 3100, 1, null, null, null, null),
           (41, 4, '41', 1, 'Available', 4100, 1, null, null, null, null)"#;

impl Day {
    async fn edit(&mut self, statements: &str) {
        execute(&mut self.hands.conn, statements).await;
    }

    /// Comes to rest: both sides must be equal now.
    async fn stop(&mut self) {
        self.hands.settle(&self.rig).await;
        self.rig.assert_equal_by(&mut self.hands.conn).await;
    }

    async fn edit_and_stop(&mut self, statements: &str) {
        self.edit(statements).await;
        self.stop().await;
    }

    /// What the receiver holds of a unit.
    fn held(&self, property_id: i64, unit_id: i64) -> Option<Value> {
        let id = self.rig.agreement().id_of(property_id);
        self.rig.sandbox.property_by(&id)?.units.remove(&unit_id)
    }

    async fn edits(&mut self) {
        self.edit_and_stop(
            "update project_rent_roll_units set price = price + 1, view = 'Lake' where id in (11, 12, 13, 14, 21);
             update project_rent_roll_units set rentroll_status_id = 2, rentroll_status = 'Rented' where id = 15;
             update project_rent_roll_units set lead_first_name = null, lead_last_name = null where id = 13;
             update project_rent_roll_units set lead_last_name = 'N.' where id = 22;
             update project_rent_roll_units set price = price;
             insert into project_rent_roll_units (id, project_id, unit_code) values (16, 1, '16'), (42, 4, '42')",
        )
        .await;
        self.edit_and_stop(
            "update projects set name = 'Uno', full_address = null, is_lease_up = null where id = 1;
             update projects set name = 'Dos' where id = 2",
        )
        .await;
    }

    async fn ways_out_and_back(&mut self) {
        let before = self.held(1, 13).expect("it was sent");
        self.edit_and_stop(
            "update project_rent_roll_units set project_id = 2 where id = 12;
             delete from project_rent_roll_units where id = 13;
             update project_rent_roll_units set id = 114 where id = 14",
        )
        .await;
        assert_eq!(self.held(1, 13), self.what_is_left(before), "of a unit that went");
        // They come back; and a code goes to another unit, as the one that had it went.
        self.edit_and_stop(
            "insert into project_rent_roll_units (id, project_id, unit_code, price) values (13, 1, '13b', 1);
             update project_rent_roll_units set project_id = 1 where id = 12;
             delete from project_rent_roll_units where id = 21;
             update project_rent_roll_units set unit_code = '11' where id = 22",
        )
        .await;
        self.edit_and_stop("update projects set is_actived = false where id in (2, 4, 5)")
            .await;
        self.edit_and_stop(
            "update project_rent_roll_units set price = 2222 where id = 22;
             delete from project_rent_roll_units where project_id = 4;
             update projects set is_actived = true where id in (2, 4, 5)",
        )
        .await;
    }

    /// As sent last, but not available, where removals aren't sent.
    fn what_is_left(&self, mut unit: Value) -> Option<Value> {
        if self.rig.receiver.removed == RemovedAs::List {
            return None;
        }
        let now = self.held(1, 13)?;
        match unit.get_mut("availability") {
            Some(availability) => availability["is_available"] = json!(false),
            None => unit["is_available"] = json!(false),
        }
        // It is another content.
        if let Some(hash) = unit.get_mut("content_hash") {
            hash.clone_from(&now["content_hash"]);
        }
        Some(unit)
    }

    /// A nightly snapshot, with news and with defects that no trigger saw.
    async fn night(&mut self) {
        self.edit(
            "alter table project_rent_roll_units disable trigger rentsync_update;
             alter table project_rent_roll_units disable trigger rentsync_delete;
             update project_rent_roll_units set price = 77 where id = 11;
             delete from project_rent_roll_units where id = 16;
             alter table project_rent_roll_units enable always trigger rentsync_update;
             alter table project_rent_roll_units enable always trigger rentsync_delete;
             update project_rent_roll_units set price = 78 where id = 15;
             delete from project_rent_roll_units where id = 31;
             insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(171, 174) n",
        )
        .await;
        self.snapshot().await;
    }

    /// What every unit is sent again for.
    async fn receiver_that_lost_what_it_had(&mut self) {
        let backup = self.rig.sandbox.save();
        self.edit_and_stop(
            "update project_rent_roll_units set price = price + 1;
             insert into project_rent_roll_units (id, project_id, unit_code) values (32, 3, '32');
             update projects set name = name || '!'",
        )
        .await;
        self.rig.sandbox.restore(backup);
        self.snapshot().await;
    }

    async fn snapshot(&mut self) {
        self.edit("update rentsync.feed set snapshot_due = 'test'").await;
        self.stop().await;
    }

    /// Long enough for requests to be given up, while edits go on.
    async fn outage(&mut self) {
        self.rig.faults(json!({ "status": 503 }));
        for minutes in [1, 2, 5, 10, 10, 10] {
            self.edit(
                "update project_rent_roll_units set price = price + 1 where id in (11, 22, 41);
                 update projects set name = 'Three' where id = 3",
            )
            .await;
            self.hands.round(&self.rig).await;
            self.rig.pass(minutes * MINUTE);
        }
        self.edit(
            "delete from project_rent_roll_units where id = 171;
             update project_rent_roll_units set project_id = 3 where id = 172;
             update project_rent_roll_units set id = 175 where id = 173;
             update project_rent_roll_units set price = 1 where id = 22",
        )
        .await;
        self.hands.round(&self.rig).await;
        self.rig.no_faults();
        self.stop().await;
    }

    /// Nothing more is said, and nothing waits.
    async fn rest(&mut self) {
        let said = self.rig.sandbox.syncs().len();
        self.rig.pass(60 * MINUTE);
        self.edit("update project_rent_roll_units set price = price").await;
        self.stop().await;
        assert_eq!(self.rig.sandbox.syncs().len(), said, "nothing is said at rest");
    }

    /// The day had in it what its shape can have.
    fn showed_what_it_should(&self) {
        let (receiver, syncs) = (&self.rig.receiver, self.rig.sandbox.syncs());
        let most = |of: fn(&rentsync_sandbox::SyncLogEntry) -> usize| syncs.iter().map(of).max().unwrap_or(0);
        assert_eq!(most(|sync| sync.units + sync.removed), receiver.units_per_request_max);
        assert_eq!(
            most(|sync| sync.property_ids.len()) > 1,
            receiver.batch == Batch::AllProperties,
            "several properties in a request"
        );
        assert_eq!(
            most(|sync| sync.removed) > 0,
            receiver.removed == RemovedAs::List,
            "removals"
        );
        let parts = most(|sync| sync.parts.unwrap_or(1) as usize);
        assert_eq!(
            parts > 1,
            receiver.extensions && receiver.format != Format::Unit,
            "parts of a snapshot"
        );
        for (property_id, unit_id) in [(1, 14), (2, 21), (3, 31), (4, 41)] {
            let left = self.held(property_id, unit_id).is_some();
            assert_eq!(
                left,
                receiver.removed == RemovedAs::Unavailable,
                "unit {unit_id}, which went"
            );
        }
        let packed = if receiver.compression == Compression::Gzip {
            "gzip"
        } else {
            "none"
        };
        for sync in &syncs {
            assert_eq!(sync.encoding, Some(packed), "{sync:?}");
            assert!(matches!(sync.status, Some(200 | 503)), "{sync:?}");
            assert!(!sync.digest_mismatch && !sync.stale, "{sync:?}");
            assert!(!sync.property_ids.contains(&PropertyId::Integer(2)), "{sync:?}");
        }
    }
}
