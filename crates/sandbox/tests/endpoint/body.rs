//! What a body of the default shape must look like.

use super::*;

#[tokio::test]
async fn a_body_by_the_contract_is_applied_and_can_be_looked_at() {
    let bench = Bench::new().await;
    let units = [unit(12345, "101", 1500.0), unit(12346, "102", 2100.0)];
    let (status, answer) = bench.send(&Sync::delta(4711, &units)).await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"property_digest": digest_of(&units), "errors": []}));
    let (status, state) = bench.get("/v1/rent-roll/properties/101").await;
    assert_eq!(status, 200);
    assert_eq!(state["project_id"], 101);
    assert_eq!(state["property"]["project_name"], "Sunset Apartments");
    let sent: Value = serde_json::from_str(&units[0].text).unwrap();
    assert_eq!(state["units"]["12345"], sent);
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
    assert_eq!(bench.send(sync).await.0, 200);
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
        ("$.units[1].unit_id", "1 is in this body already", r#""unit_id":2"#, r#""unit_id":1"#),
        ("$.removed_units[0].unit_id", "2 is in this body already", r#""unit_id":8"#, r#""unit_id":2"#),
        ("$.removed_units[1].unit_id", "8 is in this body already", r#""unit_id":9"#, r#""unit_id":8"#),
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
async fn nulls_are_accepted_where_the_source_may_have_them() {
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
        assert_refused(&bench.send(&with_lead(lead)).await, place, what);
    }
    let lead = with_lead(r#""lead_first_name":null,"lead_last_name":"Doe""#);
    assert_eq!(bench.send(&lead).await.0, 200);
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
