//! The sandbox as a sender meets it: over sockets, with bodies written by hand.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use rentsync_relay::sandbox::{Sandbox, SandboxAuth, SandboxOptions, SyncLogEntry};
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

    /// What the receiver should hold afterwards, if not just the units told.
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
        Self::with(SandboxAuth::None).await
    }

    async fn with(auth: SandboxAuth) -> Self {
        // Only the first test of the process installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let anywhere: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        Self {
            sandbox: Sandbox::start(anywhere, SandboxOptions { auth }).await.unwrap(),
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

    async fn tell(&self, sync: &Sync) -> (u16, Value) {
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

// What a body must look like

#[tokio::test]
async fn a_body_by_the_contract_is_taken_and_can_be_looked_at() {
    let bench = Bench::new().await;
    let units = [unit(12345, "101", 1500.0), unit(12346, "102", 2100.0)];
    let (status, answer) = bench.tell(&Sync::delta(4711, &units)).await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"property_digest": digest_of(&units), "errors": []}));
    let (status, state) = bench.get("/v1/rent-roll/properties/101").await;
    assert_eq!(status, 200);
    assert_eq!(state["project_id"], 101);
    assert_eq!(state["property"]["project_name"], "Sunset Apartments");
    let told: Value = serde_json::from_str(&units[0].text).unwrap();
    assert_eq!(state["units"]["12345"], told);
    assert_eq!(state["property_digest"], digest_of(&units));
    assert_eq!(state["sequence"], 4711);
    let (_, list) = bench.get("/v1/rent-roll/properties").await;
    let line = json!({"project_id": 101, "units": 2, "property_digest": digest_of(&units), "sequence": 4711});
    assert_eq!(list, json!([line]));
    assert_eq!(bench.get("/v1/rent-roll/properties/102").await.0, 404);
    assert_eq!(bench.sandbox.properties(), [101]);
}

/// Sends `sync` once for each case, with `from` replaced by `to`, and asserts the refusal.
async fn each_is_refused(bench: &Bench, sync: &Sync, cases: &[(&str, &str, &str, &str)]) {
    let body = sync.body();
    for (place, what, from, to) in cases {
        let broken = body.replacen(from, to, 1);
        assert_ne!(broken, body, "{from} is not in the body");
        let answer = answered(bench.post(&sync.id(), broken)).await;
        assert_refused(&answer, place, what);
        assert_eq!(bench.last().status, Some(400));
    }
    assert!(bench.sandbox.properties().is_empty(), "nothing was applied");
    assert_eq!(bench.tell(sync).await.0, 200);
}

/// Two units and two removals: something to break everywhere.
fn full_sync() -> Sync {
    let mut sync = Sync::delta(1, &[unit(1, "A", 1500.0), unit(2, "B", 1500.0)]);
    sync.removed = vec![removal(8, r#""unit_code":"C""#), removal(9, r#""replaced_by":1"#)];
    sync
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn keys_are_those_of_the_contract_once_and_in_its_order() {
    let sync = full_sync();
    let hash = format!(r#","content_hash":"{}""#, sync.units[0].hash);
    each_is_refused(&Bench::new().await, &sync, &[
        ("$.more", "unknown key", r#""keep":[],"#, r#""keep":[],"more":1,"#),
        ("$.keep", "missing", r#""keep":[],"#, ""),
        ("$.keep", "twice", r#""keep":[],"#, r#""keep":[],"keep":[],"#),
        ("$.sync_metadata.source", "missing", r#""source":"aigent","#, ""),
        ("$.sync_metadata.x", "unknown key", r#""part":1,"#, r#""x":1,"part":1,"#),
        ("$.sync_metadata.part", "twice", r#""part":1,"#, r#""part":1,"part":1,"#),
        ("$.sync_metadata.parts", "order", r#""part":1,"parts":1"#, r#""parts":1,"part":1"#),
        ("$.property.address", "missing", r#""address":"123 Main Street, Calgary, AB","#, ""),
        ("$.property.is_active", "twice", r#""is_active":true"#, r#""is_active":true,"is_active":true"#),
        ("$.property.is_lease_up", "order", r#""is_active":true,"is_lease_up":false"#, r#""is_lease_up":false,"is_active":true"#),
        ("$.property.x", "unknown key", r#""is_active":true"#, r#""x":1,"is_active":true"#),
        ("$.units[0].floor", "missing", r#""floor":1,"#, ""),
        ("$.units[0].floor", "twice", r#""floor":1,"#, r#""floor":1,"floor":1,"#),
        ("$.units[0].Floor", "unknown key", r#""floor":1,"#, r#""Floor":1,"#),
        ("$.units[0].unit_code", "order", r#""unit_id":1,"unit_code":"A""#, r#""unit_code":"A","unit_id":1"#),
        ("$.units[0].content_hash", "missing", &hash, ""),
        ("$.removed_units[0].unit_code", "missing", r#""unit_code":"C","#, ""),
        ("$.removed_units[0].reason", "missing", r#""C","reason":"deleted""#, r#""C""#),
        ("$.removed_units[0].reason", "order", r#""unit_code":"C","reason":"deleted""#, r#""reason":"deleted","unit_code":"C""#),
        ("$.removed_units[0].reason", "twice", r#""C","reason":"deleted""#, r#""C","reason":"deleted","reason":"moved""#),
        ("$.removed_units[1].x", "unknown key", r#""replaced_by":1"#, r#""replaced_by":1,"x":1"#),
        ("$.removed_units[1]", "exactly one", r#""replaced_by":1"#, r#""unit_code":null,"replaced_by":1"#),
    ]).await;
}

#[tokio::test]
async fn the_envelope_has_its_order_too() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    let lists = r#""units":[],"removed_units":[]"#;
    let body = sync.body().replace(lists, r#""removed_units":[],"units":[]"#);
    let answer = answered(bench.post(&sync.id(), body)).await;
    assert_refused(&answer, "$.removed_units", "stands where units should");
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn values_are_of_the_contracts_types() {
    each_is_refused(&Bench::new().await, &full_sync(), &[
        ("$", "not JSON", r#""units":["#, r#""units":[,"#),
        ("$", "not JSON", r#""property_digest""#, "property_digest"),
        ("$.removed_units[0]", "an integer; expected an object", r#""removed_units":["#, r#""removed_units":[4,"#),
        ("$.keep", "null; expected an array", r#""keep":[]"#, r#""keep":null"#),
        ("$.units[0].unit_id", "a string; expected an integer", r#""unit_id":1,"#, r#""unit_id":"1","#),
        ("$.units[0].unit_id", "null; expected an integer", r#""unit_id":1,"#, r#""unit_id":null,"#),
        ("$.units[0].unit_code", "an integer", r#""unit_code":"A""#, r#""unit_code":101"#),
        ("$.units[0].floor", "a float; expected an integer", r#""floor":1,"#, r#""floor":1.0,"#),
        ("$.units[0].base_rent", "an integer; expected a number with a point", r#""base_rent":1500.0"#, r#""base_rent":1500"#),
        ("$.units[0].price_amortized", "an integer", r#""price_amortized":null"#, r#""price_amortized":1"#),
        ("$.units[0].bedrooms", "an integer", r#""bedrooms":1.0"#, r#""bedrooms":1"#),
        ("$.units[0].bathrooms", "a string", r#""bathrooms":1.0"#, r#""bathrooms":"1.0""#),
        ("$.units[0].is_available", "null; expected true or false", r#""is_available":true"#, r#""is_available":null"#),
        ("$.units[0].is_available", "status_id is null", r#""status_id":1"#, r#""status_id":null"#),
        ("$.units[0].has_garage", "an integer", r#""has_garage":true"#, r#""has_garage":1"#),
        ("$.property.project_id", "null; expected an integer", r#""project_id":101"#, r#""project_id":null"#),
        ("$.property.is_active", "a string", r#""is_active":true"#, r#""is_active":"yes""#),
        ("$.removed_units[0].unit_id", "null", r#""unit_id":8"#, r#""unit_id":null"#),
        ("$.removed_units[1].replaced_by", "null; expected an integer", r#""replaced_by":1"#, r#""replaced_by":null"#),
        ("$.removed_units[0].unit_code", "an integer", r#""unit_code":"C""#, r#""unit_code":3"#),
        ("$.sync_metadata.sequence", "a float", r#""sequence":1"#, r#""sequence":1.0"#),
    ]).await;
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn values_are_among_those_of_the_contract() {
    each_is_refused(&Bench::new().await, &full_sync(), &[
        ("$.sync_metadata.source", "aigent", r#""source":"aigent""#, r#""source":"AiGent""#),
        ("$.sync_metadata.sync_type", "delta or snapshot or replay", r#""delta""#, r#""full""#),
        ("$.sync_metadata.sequence", "positive", r#""sequence":1"#, r#""sequence":0"#),
        ("$.sync_metadata.part", "positive", r#""part":1"#, r#""part":0"#),
        ("$.sync_metadata.part", "2 of 1", r#""part":1"#, r#""part":2"#),
        ("$.sync_metadata.parts", "only a snapshot", r#""parts":1"#, r#""parts":2"#),
        ("$.sync_metadata.snapshot_id", "expected null", r#""snapshot_id":null"#, r#""snapshot_id":"0194676e-a880-7c31-b2d9-4c5e6f708192""#),
        ("$.sync_metadata.snapshot_id", "expected a string", r#""delta""#, r#""snapshot""#),
        ("$.sync_metadata.sync_timestamp", "second", "02:00:00Z", "02:00:01Z"),
        ("$.sync_metadata.sync_timestamp", "UTC time", "02:00:00Z", "02:00:00+00:00"),
        ("$.sync_metadata.sync_timestamp", "UTC time", "02:00:00Z", "02:00:00.5Z"),
        ("$.sync_metadata.sync_timestamp", "UTC time", "-01-15T", "-1-15T"),
        ("$.units[0].content_hash", "64 lowercase hex", r#"content_hash":""#, r#"content_hash":"0"#),
        ("$.property_digest", "64 lowercase hex", r#""property_digest":""#, r#""property_digest":"F"#),
        ("$.removed_units[0].reason", "moved", r#""C","reason":"deleted""#, r#""C","reason":"rented""#),
        ("$.keep", "this is a delta", r#""keep":[]"#, r#""keep":[7]"#),
        ("$.units[1].unit_id", "1 was told before", r#""unit_id":2"#, r#""unit_id":1"#),
        ("$.removed_units[0].unit_id", "2 was told before", r#""unit_id":8"#, r#""unit_id":2"#),
        ("$.removed_units[1].unit_id", "8 was told before", r#""unit_id":9"#, r#""unit_id":8"#),
    ]).await;
}

#[tokio::test]
async fn hashes_and_digests_are_lowercase() {
    let bench = Bench::new().await;
    let sync = full_sync();
    let (hash, digest) = (&sync.units[0].hash, &sync.digest);
    for (place, text) in [("$.units[0].content_hash", hash), ("$.property_digest", digest)] {
        let body = sync.body().replace(text, &text.to_uppercase());
        let answer = answered(bench.post(&sync.id(), body)).await;
        assert_refused(&answer, place, "64 lowercase hex");
    }
}

#[tokio::test]
async fn nothing_follows_the_body() {
    let bench = Bench::new().await;
    let sync = full_sync();
    let body = format!("{}{{}}", sync.body());
    let answer = answered(bench.post(&sync.id(), body)).await;
    assert_refused(&answer, "$", "not JSON");
}

#[tokio::test]
async fn nulls_are_taken_where_the_source_may_have_them() {
    let bench = Bench::new().await;
    let mut empty = unit(1, "A", 1.0);
    let keys = "unit_code building floor floorplan type dwelling_type status_id status_name \
        is_available when_available base_rent price_amortized size_sqft bedrooms bathrooms dens \
        exposure view has_garage pets_allowed parking_stalls storage_boxes";
    let nulls: String = keys
        .split_whitespace()
        .map(|key| match key {
            "is_available" => r#""is_available":false,"#.to_owned(),
            key => format!(r#""{key}":null,"#),
        })
        .collect();
    empty.text = format!(r#"{{"unit_id":1,{nulls}"content_hash":"{}"}}"#, empty.hash);
    let sync = Sync::delta(1, &[empty]);
    let body = sync
        .body()
        .replace(r#""Sunset Apartments""#, "null")
        .replace(r#""123 Main Street, Calgary, AB""#, "null")
        .replace(r#""project_group_id":7"#, r#""project_group_id":null"#)
        .replace(r#""is_lease_up":false"#, r#""is_lease_up":null"#);
    let (status, answer) = answered(bench.post(&sync.id(), body)).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_lead_has_both_names_as_keys_and_at_least_one_as_text() {
    let bench = Bench::new().await;
    let with_lead = |lead: &str| {
        let mut unit = unit(1, "A", 1.0);
        unit.text = unit.text.replace(r#","content_hash""#, &format!(r#",{lead},"content_hash""#));
        Sync::delta(1, &[unit])
    };
    for (place, what, lead) in [
        ("$.units[0]", "both or neither", r#""lead_first_name":"J""#),
        ("$.units[0]", "both or neither", r#""lead_last_name":"D""#),
        ("$.units[0].lead_last_name", "order", r#""lead_last_name":"D","lead_first_name":"J""#),
        ("$.units[0].lead_last_name", "an integer", r#""lead_first_name":"J","lead_last_name":4"#),
        ("$.units[0].lead_first_name", "no lead is assigned", r#""lead_first_name":null,"lead_last_name":" ""#),
    ] {
        assert_refused(&bench.tell(&with_lead(lead)).await, place, what);
    }
    let lead = with_lead(r#""lead_first_name":null,"lead_last_name":"Doe""#);
    assert_eq!(bench.tell(&lead).await.0, 200);
}

#[tokio::test]
async fn a_sync_id_has_the_agreed_form_and_a_real_date() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    let (tail, place) = (format!("{:032x}", 1), "$.sync_metadata.sync_id");
    for wrong in [
        "sync-2025-01-15-02-00-00".to_owned(),
        format!("sync-2025-02-30-02-00-00-{tail}"),
        format!("sync-2025-1-15-02-00-000-{tail}"),
        format!("sync-+2025-1-15-02-00-00-{tail}"),
        format!("sync-2025-01-15-24-00-00-{tail}"),
        format!("sync-2025-01-15T02-00-00-{tail}"),
        format!("sync-2025-01-15-02-00-00-{}", "A".repeat(32)),
        format!("sync-2025-01-15-02-00-00-{}", &tail[1..]),
        format!("sync-2025-01-15-02-00-00-{tail}0"),
        format!("SYNC-2025-01-15-02-00-00-{tail}"),
    ] {
        let body = sync.body().replace(&sync.id(), &wrong);
        let answer = answered(bench.post(&wrong, body)).await;
        assert_refused(&answer, place, "expected sync-YYYY-MM-DD-HH-MM-SS-<32");
    }
    let other = Sync::delta(2, &[]).id();
    let answer = answered(bench.post(&other, sync.body())).await;
    assert_refused(&answer, place, "X-Aigent-Sync-ID");
}

#[tokio::test]
async fn headers_are_as_agreed() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    let id = sync.id();
    let right = [
        ("Content-Type", "application/json"),
        ("User-Agent", "AiGent/1.0"),
        ("X-Aigent-Sync-ID", id.as_str()),
    ];
    let send = |headers: Vec<(&str, &str)>| {
        let mut request = bench.bare(sync.body());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answered(request)
    };
    for (name, value) in right {
        let place = format!("header {name}");
        let mut others = right.to_vec();
        others.retain(|(other, _)| *other != name);
        assert_refused(&send(others.clone()).await, &place, "missing");
        let twice = [others.clone(), vec![(name, value), (name, value)]].concat();
        assert_refused(&send(twice).await, &place, "twice");
        if name != "X-Aigent-Sync-ID" {
            let wrong = [others, vec![(name, "text/plain")]].concat();
            assert_refused(&send(wrong).await, &place, "expected");
        }
    }
    let encoded = [right.to_vec(), vec![("Content-Encoding", "br")]].concat();
    let place = "header Content-Encoding";
    assert_refused(&send(encoded).await, place, "expected gzip");
    assert_eq!(send(right.to_vec()).await.0, 200);
}

#[tokio::test]
async fn a_gzip_body_is_the_same_body() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let packed = bench
        .post(&sync.id(), gzip(sync.body().as_bytes()))
        .header("content-encoding", "gzip");
    assert_eq!(answered(packed).await.0, 200);
    assert_eq!(bench.last().bytes, sync.body().len());
    assert_eq!(bench.tell(&sync).await.0, 200);
    assert!(bench.last().repeat);
    let not_packed = bench.post(&sync.id(), sync.body()).header("content-encoding", "gzip");
    assert_refused(&answered(not_packed).await, "$", "not gzip");
}

#[tokio::test]
async fn a_body_that_unpacks_beyond_the_limit_is_too_large() {
    let bench = Bench::new().await;
    let packed = gzip(&vec![b' '; 64 * 1024 * 1024 + 1]);
    let request = bench
        .post(&Sync::delta(1, &[]).id(), packed)
        .header("content-encoding", "gzip");
    let (status, answer) = answered(request).await;
    assert_eq!(status, 413);
    let message = answer["error"].as_str().unwrap();
    assert!(message.starts_with("$: is larger than"));
    assert_eq!(bench.last().status, Some(413));
}

#[tokio::test]
async fn the_key_is_asked_for_where_one_was_agreed() {
    let (name, value) = ("X-API-Key".to_owned(), "right".to_owned());
    let bench = Bench::with(SandboxAuth::Header { name, value }).await;
    let sync = Sync::delta(1, &[]);
    let send = |keys: Vec<&str>| {
        let mut request = bench.post(&sync.id(), sync.body());
        for key in keys {
            request = request.header("x-api-key", key);
        }
        answered(request)
    };
    for (keys, what) in [
        (vec![], "missing"),
        (vec!["wrong"], "wrong"),
        (vec!["right", "right"], "once"),
    ] {
        let (status, answer) = send(keys).await;
        let message = answer["error"].as_str().unwrap();
        assert_eq!(status, 401);
        assert!(message.starts_with("header X-API-Key: ") && message.contains(what));
        assert_eq!(bench.last().status, Some(401));
    }
    assert_eq!(send(vec!["right"]).await.0, 200);
}

// How it fits what was told before

#[tokio::test]
async fn a_known_sync_id_is_answered_again_byte_by_byte_and_has_one_body() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = bench.post(&sync.id(), sync.body());
        let response = request.send().await.unwrap();
        answers.push((response.status(), response.text().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    let log = bench.sandbox.syncs();
    assert_eq!((log[0].repeat, log[1].repeat), (false, true));
    let other = Sync::delta(1, &[]);
    let what = "was sent before with another body";
    assert_refused(&bench.tell(&other).await, "$", what);
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn an_older_sequence_is_stale_and_the_newest_belongs_to_one_sync() {
    let bench = Bench::new().await;
    bench.tell(&Sync::delta(5, &[])).await;
    let (status, answer) = bench.tell(&Sync::delta(4, &[unit(1, "A", 1.0)])).await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"status": "stale", "sequence": 5}));
    assert!(bench.last().stale && !bench.last().applied);
    let twin = Sync::delta(6, &[]);
    let body = twin.body().replace(r#""sequence":6"#, r#""sequence":5"#);
    let answer = answered(bench.post(&twin.id(), body)).await;
    assert_refused(&answer, "$.sync_metadata.sequence", "under another sync ID");
    assert!(bench.held().is_empty());
}

#[tokio::test]
async fn a_wrong_digest_is_answered_with_the_right_one_and_logged() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0)];
    let (status, answer) = bench.tell(&Sync::delta(1, &units).leaving(&[])).await;
    assert_eq!(status, 200);
    assert_eq!(answer["property_digest"], digest_of(&units));
    assert!(bench.last().digest_mismatch);
    let (_, log) = bench.get("/v1/rent-roll/syncs").await;
    assert_eq!(log[0]["digest_mismatch"], true);
}

#[tokio::test]
async fn an_empty_property_has_a_digest_of_zeros() {
    let bench = Bench::new().await;
    let (_, answer) = bench.tell(&Sync::delta(1, &[])).await;
    assert_eq!(answer["property_digest"], "0".repeat(64));
}

#[tokio::test]
async fn content_and_hash_change_together() {
    let bench = Bench::new().await;
    let (old, new) = (unit(1, "A", 1.0), unit(1, "A", 2.0));
    let place = "$.units[0].content_hash";
    let first = Sync::delta(1, std::slice::from_ref(&old));
    assert_eq!(bench.tell(&first).await.0, 200);
    let mut rehashed = old.clone();
    rehashed.text = old.text.replace(&old.hash, &new.hash);
    let answer = bench.tell(&Sync::delta(2, &[rehashed])).await;
    assert_refused(&answer, place, "same content");
    let mut unhashed = new.clone();
    unhashed.text = new.text.replace(&new.hash, &old.hash);
    let answer = bench.tell(&Sync::delta(3, &[unhashed])).await;
    assert_refused(&answer, place, "another content");
    assert_eq!(bench.tell(&Sync::delta(4, &[new])).await.0, 200);
}

#[tokio::test]
async fn a_removal_spares_the_living() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    bench.tell(&Sync::delta(1, &units)).await;
    let heir = unit(3, "A", 1.0);
    let left = [units[1].clone(), heir.clone()];
    let removing = |sequence, code: &str| {
        let mut sync = Sync::delta(sequence, std::slice::from_ref(&heir)).leaving(&left);
        sync.removed = vec![removal(1, code)];
        sync
    };
    let answer = bench.tell(&removing(2, r#""unit_code":"A""#)).await;
    let place = "$.removed_units[0].unit_code";
    assert_refused(&answer, place, "carried by unit 3");
    let answer = bench.tell(&removing(3, r#""replaced_by":1"#)).await;
    let place = "$.removed_units[0].replaced_by";
    assert_refused(&answer, place, "expected one that is present");
    let (status, _) = bench.tell(&removing(4, r#""replaced_by":3"#)).await;
    assert_eq!(status, 200);
    assert!(!bench.last().digest_mismatch);
    assert_eq!((bench.held(), bench.last().removed), (vec![2, 3], 1));
}

#[tokio::test]
async fn a_snapshot_in_parts_replaces_the_property_after_its_last_part() {
    let bench = Bench::new().await;
    let held: Vec<_> = (1..=4).map(|id| unit(id, &id.to_string(), 1.0)).collect();
    bench.tell(&Sync::delta(1, &held)).await;
    let left = [held[0].clone(), held[2].clone(), unit(5, "5", 1.0)];
    let mut first = Sync::snapshot(2, 1, 2, &[unit(5, "5", 1.0)]).leaving(&left);
    first.keep = "[3]";
    assert_eq!(bench.tell(&first).await, (200, json!({"errors": []})));
    assert_eq!(bench.held(), [1, 2, 3, 4, 5]);
    let last = Sync::snapshot(3, 2, 2, &left[..1]).leaving(&left);
    let (status, answer) = bench.tell(&last).await;
    assert_eq!(status, 200);
    assert_eq!(answer["property_digest"], digest_of(&left));
    assert_eq!(bench.held(), [1, 3, 5]);
    let log = bench.sandbox.syncs();
    assert!(log.iter().all(|entry| !entry.digest_mismatch));
}

#[tokio::test]
async fn a_snapshot_keeps_only_what_is_absent_and_removes_by_absence() {
    let bench = Bench::new().await;
    let mut sync = Sync::snapshot(1, 1, 1, &[unit(1, "A", 1.0)]);
    for (keep, place) in [("[1]", "$.keep[0]"), ("[7,7]", "$.keep[1]")] {
        sync.keep = keep;
        assert_refused(&bench.tell(&sync).await, place, "was told before");
    }
    sync.keep = r#"["7"]"#;
    assert_refused(&bench.tell(&sync).await, "$.keep[0]", "expected an integer");
    sync.keep = "[]";
    sync.removed = vec![removal(2, r#""unit_code":null"#)];
    assert_refused(&bench.tell(&sync).await, "$.removed_units", "by absence");
    sync.removed.clear();
    sync.snapshot_id = r#""0194676EA8807C31B2D94C5E6F708192""#;
    let answer = bench.tell(&sync).await;
    assert_refused(&answer, "$.sync_metadata.snapshot_id", "UUID");
}

#[tokio::test]
async fn a_replay_is_applied_like_a_delta() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    bench.tell(&Sync::delta(1, &units)).await;
    let mut replay = Sync::delta(2, &[]).leaving(&units[..1]);
    replay.sync_type = "replay";
    replay.removed = vec![removal(2, r#""unit_code":"B""#)];
    assert_eq!(bench.tell(&replay).await.0, 200);
    assert_eq!(bench.held(), [1]);
    assert_eq!(bench.last().sync_type, Some("replay"));
}

// What goes wrong on purpose

#[tokio::test]
async fn a_status_is_answered_for_its_times_and_then_the_same_sync_is_applied() {
    let bench = Bench::new().await;
    let (status, set) = bench.put_faults(r#"{"status": 503, "times": 2}"#).await;
    assert_eq!((status, set), (200, json!({"status": 503, "times": 2})));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    assert_eq!(bench.tell(&sync).await.0, 503);
    assert_eq!(bench.get("/faults").await.1["times"], 1);
    assert_eq!(bench.tell(&sync).await.0, 503);
    assert!(bench.held().is_empty());
    assert_eq!(bench.tell(&sync).await.0, 200);
    let log = bench.sandbox.syncs();
    assert_eq!(log[0].reason.as_deref(), Some("fault: status 503"));
    assert!(log[2].applied && !log[2].repeat && log[2].reason.is_none());
}

#[tokio::test]
async fn an_attempt_that_met_a_fault_binds_the_sync_to_its_body() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"status": 503, "times": 2}));
    bench.tell(&Sync::delta(1, &[])).await;
    let other = Sync::delta(1, &[unit(1, "A", 1.0)]);
    assert_eq!(bench.tell(&other).await.0, 503);
    assert!(bench.last().reason.unwrap().contains("another body"));
    assert_refused(&bench.tell(&other).await, "$", "another body");
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_fault_answers_with_the_headers_and_body_it_was_given() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    for (faults, header, value) in [
        (json!({"status": 429, "retry_after": 7}), "retry-after", "7"),
        (json!({"status": 429, "retry_after": "soon"}), "retry-after", "soon"),
        (json!({"status": 302, "location": "http://127.0.0.1:9/x"}), "location", "http://127.0.0.1:9/x"),
    ] {
        bench.set_faults(faults.clone());
        let request = bench.post(&sync.id(), sync.body());
        let response = request.send().await.unwrap();
        assert_eq!(faults["status"], response.status().as_u16());
        assert_eq!(response.headers()[header], value);
    }
    bench.set_faults(json!({"status": 200, "body": "<html>"}));
    assert_eq!(bench.tell(&sync).await, (200, json!("<html>")));
    assert!(bench.sandbox.properties().is_empty());
}

#[tokio::test]
async fn a_dropped_connection_has_no_answer_and_what_was_applied_before_it_is_a_repeat() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    bench.set_faults(json!({"drop_before_apply": 1, "drop_after_apply": 1}));
    let send = || bench.post(&sync.id(), sync.body()).send();
    assert!(send().await.is_err());
    assert!(bench.held().is_empty());
    assert!(send().await.is_err());
    assert_eq!(bench.held(), [1]);
    assert_eq!(bench.tell(&sync).await.0, 200);
    let log = bench.sandbox.syncs();
    let seen: Vec<_> = log
        .iter()
        .map(|entry| (entry.status, entry.applied, entry.repeat))
        .collect();
    let expected = [(None, false, false), (None, true, false), (Some(200), false, true)];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn not_a_byte_is_written_to_a_dropped_connection() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"drop_after_apply": 1}));
    let (address, sync) = (bench.sandbox.address(), Sync::delta(1, &[]));
    let request = format!(
        "POST /v1/rent-roll/sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         User-Agent: AiGent/1.0\r\nX-Aigent-Sync-ID: {}\r\nContent-Length: {}\r\n\r\n{}",
        sync.id(),
        sync.body().len(),
        sync.body(),
    );
    let received = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).map(|_| received)
    });
    assert_eq!(received.await.unwrap().unwrap(), b"");
    assert_eq!(bench.sandbox.properties(), [101]);
}

#[tokio::test]
async fn a_delayed_sync_is_applied_late_even_if_its_sender_has_gone() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"delay_ms": 300, "times": 1}));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let started = Instant::now();
    let impatient = bench.post(&sync.id(), sync.body()).timeout(Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert!(bench.held().is_empty());
    let applied = bench
        .sandbox
        .wait_until(|sandbox| !sandbox.properties().is_empty(), Duration::from_secs(10));
    assert!(applied.await);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn rejected_units_are_named_in_the_answer_and_not_held() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"reject_units": [2]}));
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    let (status, answer) = bench.tell(&Sync::delta(1, &units)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["errors"][0]["unit_id"], 2);
    assert!(answer["errors"][0]["message"].is_string());
    assert_eq!(answer["property_digest"], digest_of(&units[..1]));
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn a_fault_can_be_for_one_property() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"status": 500, "property_id": 102}));
    assert_eq!(bench.tell(&Sync::delta(1, &[])).await.0, 200);
    let other = Sync::delta(2, &[]);
    let body = other.body().replace(r#""project_id":101"#, r#""project_id":102"#);
    let (status, _) = answered(bench.post(&other.id(), body)).await;
    assert_eq!(status, 500);
}

#[tokio::test]
async fn unknown_faults_are_named_and_leave_the_current_ones() {
    let bench = Bench::new().await;
    bench.put_faults(r#"{"status": 500}"#).await;
    for (faults, named) in [(r#"{"stauts": 1, "tmies": 2}"#, "stauts, tmies"), ("{", "not JSON")] {
        let (status, answer) = bench.put_faults(faults).await;
        assert_eq!(status, 400);
        assert!(answer["error"].as_str().unwrap().contains(named));
    }
    assert!(bench.sandbox.set_faults(json!({"no": 1})).is_err());
    assert_eq!(bench.get("/faults").await.1, json!({"status": 500}));
    bench.put_faults("{}").await;
    assert_eq!(bench.get("/faults").await.1, json!({}));
    assert_eq!(bench.tell(&Sync::delta(1, &[])).await.0, 200);
}

// The log and the server itself

#[tokio::test]
async fn the_log_says_what_came_in_until_it_is_cleared() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    bench.tell(&sync).await;
    bench.post(&sync.id(), "{").send().await.unwrap();
    let (_, log) = bench.get("/v1/rent-roll/syncs").await;
    let mut first = log[0].clone();
    assert!(first["received_at"].take().is_string());
    assert_eq!(
        first,
        json!({
            "sync_id": sync.id(), "sequence": 1, "project_id": 101, "sync_type": "delta",
            "units": 1, "removed": 0, "bytes": sync.body().len(), "status": 200,
            "applied": true, "repeat": false, "stale": false, "digest_mismatch": false,
            "received_at": null, "reason": null,
        })
    );
    assert_eq!(log[1]["status"], 400);
    assert_eq!(log[1]["project_id"], Value::Null);
    let reason = log[1]["reason"].as_str().unwrap();
    assert!(reason.starts_with("$: is not JSON"));
    bench.sandbox.clear_log();
    assert!(bench.sandbox.syncs().is_empty());
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn waiting_ends_in_time_when_nothing_comes() {
    let bench = Bench::new().await;
    let soon = Duration::from_millis(20);
    assert!(!bench.sandbox.wait_until(|_| false, soon).await);
    assert!(bench.sandbox.wait_until(|_| true, Duration::ZERO).await);
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_address_and_its_connections() {
    let bench = Bench::new().await;
    assert_eq!(bench.tell(&Sync::delta(1, &[])).await.0, 200);
    let address = bench.sandbox.address();
    bench.sandbox.stop().await;
    let url = format!("http://{address}/v1/rent-roll/syncs");
    assert!(bench.client.get(&url).send().await.is_err());
    let again = Sandbox::start(address, SandboxOptions::default()).await.unwrap();
    assert_eq!(again.address(), address);
    assert!(again.properties().is_empty());
    assert!(bench.client.get(&url).send().await.is_ok());
}
