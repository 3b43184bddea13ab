//! The sandbox as a sender meets it: over sockets, with bodies written by hand.

mod auth;
mod body;
mod faults;
mod order;
mod request;
mod server;
mod shapes;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use rentsync_sandbox::{Sandbox, SandboxAuth, SandboxOptions, SyncLogEntry};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One request about property 101.
#[derive(Clone)]
struct Sync {
    sequence: i64,
    sync_type: &'static str,
    snapshot_id: &'static str,
    part: i64,
    parts: i64,
    units: Vec<Unit>,
    removed: Vec<String>,
    keep: &'static str,
    digest: String,
}

#[derive(Clone)]
struct Unit {
    id: i64,
    text: String,
    hash: String,
}

/// A flat unit as the contract writes it, without a lead.
fn unit(id: i64, code: &str, rent: f64) -> Unit {
    let fields = format!(
        r#""unit_id":{id},"unit_code":"{code}","building":"A","floor":1,"floorplan":"1BR-OPEN","type":"1 Bed + Den","dwelling_type":"Apartment","status_id":1,"status_name":"Available","is_available":true,"when_available":"Immediate","base_rent":{rent:?},"price_amortized":null,"size_sqft":750,"bedrooms":1.0,"bathrooms":1.0,"dens":1,"exposure":"SW","view":"City View","has_garage":true,"pets_allowed":1,"parking_stalls":0,"storage_boxes":null"#
    );
    let hash = hex::encode(Sha256::digest(&fields));
    let text = format!(r#"{{{fields},"content_hash":"{hash}"}}"#);
    Unit { id, text, hash }
}

/// The digest of a property that holds exactly these units.
fn digest_of(units: &[Unit]) -> String {
    let mut digest = [0u8; 32];
    for unit in units {
        let mark = Sha256::digest(format!("{}:{}", unit.id, unit.hash));
        for (byte, mark) in digest.iter_mut().zip(mark) {
            *byte ^= mark;
        }
    }
    hex::encode(digest)
}

fn removal(id: i64, code: &str) -> String {
    format!(r#"{{"unit_id":{id},{code},"reason":"deleted"}}"#)
}

impl Sync {
    fn delta(sequence: i64, units: &[Unit]) -> Self {
        Self {
            sequence,
            sync_type: "delta",
            snapshot_id: "null",
            part: 1,
            parts: 1,
            units: units.to_vec(),
            removed: vec![],
            keep: "[]",
            digest: digest_of(units),
        }
    }

    fn snapshot(sequence: i64, part: i64, parts: i64, units: &[Unit]) -> Self {
        Self {
            sync_type: "snapshot",
            snapshot_id: r#""0194676e-a880-7c31-b2d9-4c5e6f708192""#,
            part,
            parts,
            ..Self::delta(sequence, units)
        }
    }

    /// What the receiver should hold afterwards, if not just the units sent.
    fn leaving(self, units: &[Unit]) -> Self {
        let digest = digest_of(units);
        Self { digest, ..self }
    }

    fn id(&self) -> String {
        format!("sync-2025-01-15-02-00-00-{:032x}", self.sequence)
    }

    fn body(&self) -> String {
        let units: Vec<_> = self.units.iter().map(|unit| unit.text.as_str()).collect();
        format!(
            r#"{{"sync_metadata":{{"sync_id":"{}","sync_timestamp":"2025-01-15T02:00:00Z","source":"aigent","sync_type":"{}","sequence":{},"snapshot_id":{},"part":{},"parts":{}}},"property":{{"project_id":101,"project_name":"Sunset Apartments","address":"123 Main Street, Calgary, AB","project_group_id":7,"is_active":true,"is_lease_up":false}},"units":[{}],"removed_units":[{}],"keep":{},"property_digest":"{}"}}"#,
            self.id(),
            self.sync_type,
            self.sequence,
            self.snapshot_id,
            self.part,
            self.parts,
            units.join(","),
            self.removed.join(","),
            self.keep,
            self.digest,
        )
    }
}

/// A sandbox and a client that talks to it.
struct Bench {
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Bench {
    async fn new() -> Self {
        Self::agreed(SandboxOptions::default()).await
    }

    async fn with(auth: SandboxAuth) -> Self {
        Self::agreed(SandboxOptions {
            auth,
            ..SandboxOptions::default()
        })
        .await
    }

    async fn agreed(options: SandboxOptions) -> Self {
        // Only the first test of the process installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let anywhere: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        Self {
            sandbox: Sandbox::start(anywhere, options).await.unwrap(),
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    fn post(&self, sync_id: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.bare(body)
            .header("content-type", "application/json")
            .header("user-agent", "AiGent/1.0")
            .header("x-aigent-sync-id", sync_id)
    }

    fn bare(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(self.sandbox.url()).body(body)
    }

    async fn send(&self, sync: &Sync) -> (u16, Value) {
        answered(self.post(&sync.id(), sync.body())).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.sandbox.address());
        answered(self.client.get(url)).await
    }

    async fn put_faults(&self, faults: &str) -> (u16, Value) {
        let url = format!("http://{}/faults", self.sandbox.address());
        answered(self.client.put(url).body(faults.to_owned())).await
    }

    fn set_faults(&self, faults: Value) {
        self.sandbox.set_faults(faults).unwrap();
    }

    fn last(&self) -> SyncLogEntry {
        self.sandbox.syncs().pop().unwrap()
    }

    fn held(&self) -> Vec<i64> {
        let property = self.sandbox.property(101);
        property.map_or(vec![], |property| property.units.into_keys().collect())
    }
}

async fn answered(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Asserts that the answer is a 400 whose message starts with the place and says `what`.
#[track_caller]
fn assert_refused((status, answer): &(u16, Value), place: &str, what: &str) {
    let message = answer["error"].as_str().unwrap_or_default();
    assert_eq!(*status, 400, "{place} should be refused: {answer}");
    assert!(
        message.starts_with(&format!("{place}: ")) && message.contains(what),
        "expected {place:?} and {what:?} in {message:?}"
    );
}

/// Two units and two removals: something to break everywhere.
fn full_sync() -> Sync {
    let mut sync = Sync::delta(1, &[unit(1, "A", 1500.0), unit(2, "B", 1500.0)]);
    sync.removed = vec![removal(8, r#""unit_code":"C""#), removal(9, r#""replaced_by":1"#)];
    sync
}
