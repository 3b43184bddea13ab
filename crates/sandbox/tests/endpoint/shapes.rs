//! Every shape that a receiver may agree on: the right body is applied, another is refused with the place.

use rentsync_sandbox::{Batch, Format, PropertyId, Removed, Saved, UnitStyle};

use super::*;

const ID: &str = "sync-2025-01-15-02-00-00-0194676ea8807c31b2d94c5e6f708192";
const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// What is agreed, a right body, and where it is broken.
struct Agreement {
    options: SandboxOptions,
    body: String,
}

impl Agreement {
    async fn bench(&self) -> Bench {
        Bench::agreed(self.options.clone()).await
    }

    /// Sends the body once for each case, with `from` replaced by `to`, and asserts the refusal; then as it is.
    async fn takes_nothing_else(&self, cases: &[(&str, &str, &str, &str)]) -> Bench {
        let bench = self.bench().await;
        for (place, what, from, to) in cases {
            let broken = self.body.replacen(from, to, 1);
            assert_ne!(broken, self.body, "{from} is not in the body");
            assert_refused(&answered(bench.post(ID, broken)).await, place, what);
        }
        assert!(bench.sandbox.property_ids().is_empty(), "nothing was applied");
        let (status, answer) = answered(bench.post(ID, self.body.clone())).await;
        assert_eq!(status, 200, "{answer}");
        bench
    }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn metadata(sync_type: &str, sequence: i64) -> String {
    let snapshot_id = match sync_type {
        "snapshot" => r#""0194676e-a880-7c31-b2d9-4c5e6f708192""#,
        _ => "null",
    };
    format!(
        r#""sync_metadata":{{"sync_id":"{ID}","sync_timestamp":"2025-01-15T02:00:00Z","source":"aigent","sync_type":"{sync_type}","sequence":{sequence},"snapshot_id":{snapshot_id},"part":1,"parts":1}}"#
    )
}

fn guide_metadata() -> String {
    format!(r#""sync_metadata":{{"sync_id":"{ID}","sync_timestamp":"2025-01-15T02:00:00Z","source":"aigent"}}"#)
}

/// The guide's 4.1 from `status` on, with the two attributes that the guide's list of fields has.
const OBJECTS: &str = r#""status":{"id":1,"name":"Available"},"availability":{"is_available":true,"when_available":"Immediate"},"pricing":{"base_rent":1500.0,"price_amortized":1425.0},"specifications":{"size_sqft":750,"bedrooms":1.0,"bathrooms":1.0,"dens":1},"attributes":{"exposure":"SW","view":"City View","has_garage":true,"pets_allowed":1,"parking_stalls":0,"storage_boxes":null},"lead_assignment":{"lead_first_name":"J","lead_last_name":null}"#;
const IDENTITY: &str = r#""unit_code":"101","building":"A","floor":1,"floorplan":"1BR-OPEN","type":"1 Bed + Den","dwelling_type":"Apartment""#;

fn without_extensions(options: SandboxOptions) -> SandboxOptions {
    SandboxOptions {
        extensions: false,
        removed: Removed::Unavailable,
        ..options
    }
}

fn of_format(format: Format) -> SandboxOptions {
    SandboxOptions {
        format,
        ..SandboxOptions::default()
    }
}

fn for_all(format: Format) -> SandboxOptions {
    SandboxOptions {
        batch: Batch::AllProperties,
        ..of_format(format)
    }
}

fn default_shape() -> Agreement {
    Agreement {
        options: SandboxOptions::default(),
        body: full_sync().body().replace(&full_sync().id(), ID),
    }
}

fn nested() -> Agreement {
    let options = SandboxOptions {
        unit_style: UnitStyle::Nested,
        ..SandboxOptions::default()
    };
    let property = r#""property":{"project_id":101,"project_name":null,"address":null,"project_group_id":7,"is_active":true,"is_lease_up":false}"#;
    let unit = format!(r#"{{"unit_id":12345,{IDENTITY},{OBJECTS},"content_hash":"{HASH}"}}"#);
    let body = format!(
        r#"{{{},{property},"units":[{unit}],"removed_units":[],"keep":[],"property_digest":"{HASH}"}}"#,
        metadata("delta", 1)
    );
    Agreement { options, body }
}

/// One element about `project_id` with one unit.
fn element(project_id: i64, unit: &Unit) -> String {
    format!(
        r#"{{"property":{{"project_id":{project_id},"project_name":"P","address":null,"project_group_id":7,"is_active":true,"is_lease_up":null}},"units":[{}],"removed_units":[],"property_digest":"{}"}}"#,
        unit.text,
        digest_of(std::slice::from_ref(unit)),
    )
}

fn batch() -> Agreement {
    let elements = [element(101, &unit(1, "A", 1500.0)), element(102, &unit(2, "A", 1.0))];
    Agreement {
        options: for_all(Format::Property),
        body: format!(r#"{{{},"properties":[{}]}}"#, metadata("delta", 1), elements.join(",")),
    }
}

/// The guide's 4.2 with its own fields.
fn guide_property() -> Agreement {
    let options = SandboxOptions {
        fields: named(&["unit_code", "status_name", "is_available", "base_rent"]),
        ..without_extensions(SandboxOptions::default())
    };
    let body = format!(
        r#"{{
          {},
          "property": {{ "project_id": 101, "project_name": "Sunset Apartments", "address": "123 Main Street, Calgary, AB" }},
          "units": [
            {{ "unit_id": 12345, "unit_code": "101", "status_name": "Available", "is_available": true, "base_rent": 1500.0 }},
            {{ "unit_id": 12346, "unit_code": "102", "status_name": "Rented", "is_available": false, "base_rent": 2100.0 }}
          ]
        }}"#,
        guide_metadata()
    );
    Agreement { options, body }
}

fn guide_batch() -> Agreement {
    let options = SandboxOptions {
        fields: named(&["base_rent"]),
        ..without_extensions(for_all(Format::Property))
    };
    let element = |id| {
        format!(
            r#"{{"property":{{"project_id":{id},"project_name":null,"address":null}},"units":[{{"unit_id":{id}1,"base_rent":1.5}}]}}"#
        )
    };
    let body = format!(
        r#"{{{},"properties":[{},{}]}}"#,
        guide_metadata(),
        element(1),
        element(2)
    );
    Agreement { options, body }
}

fn row(property_id: i64, unit: &Unit) -> String {
    unit.text
        .replacen('{', &format!(r#"{{"property_id":{property_id},"#), 1)
}

fn flat() -> Agreement {
    let unit = unit(1, "A", 1500.0);
    let body = format!(
        r#"{{"sync_timestamp":"2025-01-15T02:00:00Z",{},"units":[{}],"removed_units":[{{"property_id":101,"unit_id":8,"unit_code":"C","reason":"deleted"}},{{"property_id":101,"unit_id":9,"replaced_by":1,"reason":"moved"}}],"properties":[{{"property_id":101,"property_digest":"{}","keep":[]}}]}}"#,
        metadata("delta", 1),
        row(101, &unit),
        digest_of(std::slice::from_ref(&unit)),
    );
    Agreement {
        options: of_format(Format::Flat),
        body,
    }
}

fn flat_batch() -> Agreement {
    let (one, two) = (unit(1, "A", 1500.0), unit(2, "A", 1.0));
    let about = |id, unit: &Unit| {
        let digest = digest_of(std::slice::from_ref(unit));
        format!(r#"{{"property_id":{id},"property_digest":"{digest}","keep":[]}}"#)
    };
    let body = format!(
        r#"{{"sync_timestamp":"2025-01-15T02:00:00Z",{},"units":[{},{}],"removed_units":[],"properties":[{},{}]}}"#,
        metadata("delta", 1),
        row(101, &one),
        row(102, &two),
        about(101, &one),
        about(102, &two),
    );
    Agreement {
        options: for_all(Format::Flat),
        body,
    }
}

/// The guide's 4.3 with its own fields.
fn guide_flat() -> Agreement {
    let fields = [
        "unit_code",
        "status_id",
        "status_name",
        "is_available",
        "base_rent",
        "bedrooms",
        "bathrooms",
    ];
    let options = SandboxOptions {
        fields: named(&fields),
        ..without_extensions(of_format(Format::Flat))
    };
    let body = r#"{
      "sync_timestamp": "2025-01-15T02:00:00Z",
      "units": [
        {
          "property_id": 101, "unit_id": 12345, "unit_code": "101", "status_id": 1, "status_name": "Available",
          "is_available": true, "base_rent": 1500.0, "bedrooms": 1.0, "bathrooms": 1.0
        }
      ]
    }"#;
    Agreement {
        options,
        body: body.to_owned(),
    }
}

const OF_PROPERTY: &str =
    r#""project_id":101,"project_name":"Sunset Apartments","property_address":"123 Main Street, Calgary, AB""#;

fn single() -> Agreement {
    let body = format!(
        r#"{{{},"unit_id":12345,{OF_PROPERTY},{IDENTITY},{OBJECTS},"sync_timestamp":"2025-01-15T02:00:00Z"}}"#,
        metadata("delta", 1)
    );
    Agreement {
        options: of_format(Format::Unit),
        body,
    }
}

fn single_removal() -> Agreement {
    let body = format!(
        r#"{{{},"unit_id":12345,"project_id":101,"unit_code":"101","removed":true,"reason":"deleted"}}"#,
        metadata("delta", 1)
    );
    Agreement {
        options: of_format(Format::Unit),
        body,
    }
}

/// The guide's 4.1 with its own fields.
fn guide_unit() -> Agreement {
    let mut options = without_extensions(of_format(Format::Unit));
    options
        .fields
        .retain(|name| name != "parking_stalls" && name != "storage_boxes");
    let objects = OBJECTS.replace(r#","parking_stalls":0,"storage_boxes":null"#, "");
    let body =
        format!(r#"{{"unit_id":12345,{OF_PROPERTY},{IDENTITY},{objects},"sync_timestamp":"2025-01-15T02:00:00Z"}}"#);
    Agreement { options, body }
}

#[tokio::test]
async fn a_body_of_another_shape_than_agreed_is_refused_with_its_place() {
    let all = [
        default_shape(),
        nested(),
        batch(),
        guide_property(),
        guide_batch(),
        flat(),
        flat_batch(),
        guide_flat(),
        single(),
        guide_unit(),
    ];
    for (agreed, agreement) in all.iter().enumerate() {
        let bench = agreement.bench().await;
        for (sent, other) in all.iter().enumerate() {
            // A batch may be about one property.
            let within = (agreed, sent) == (6, 5);
            let (status, answer) = answered(bench.post(ID, other.body.clone())).await;
            if agreed == sent || within {
                assert_eq!(status, 200, "{sent} to {agreed}: {answer}");
            } else {
                assert_eq!(status, 400, "{sent} to {agreed}: {answer}");
                let message = answer["error"].as_str().unwrap();
                assert!(
                    message.starts_with("$.") && message.contains("expected"),
                    "{sent} to {agreed}: {message}"
                );
            }
            // Each is judged by itself.
            bench.sandbox.restore(Saved::default());
        }
    }
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_nested_unit_has_the_guides_objects_and_its_hash() {
    let hash = format!(r#","content_hash":"{HASH}""#);
    let bench = nested().takes_nothing_else(&[
        ("$.units[0].status_id", "unknown key", r#""status":{"id":1,"#, r#""status_id":1,"status":{"#),
        ("$.units[0].status.id", "missing", r#""id":1,"#, ""),
        ("$.units[0].status.id", "a string; expected an integer or null", r#""id":1,"#, r#""id":"1","#),
        ("$.units[0].status.name", "order", r#""id":1,"name":"Available""#, r#""name":"Available","id":1"#),
        ("$.units[0].status", "an integer; expected an object", r#""status":{"id":1,"name":"Available"}"#, r#""status":1"#),
        ("$.units[0].availability.is_available", "status_id is null", r#""id":1,"#, r#""id":null,"#),
        ("$.units[0].availability.is_available", "null; expected true or false", r#""is_available":true"#, r#""is_available":null"#),
        ("$.units[0].pricing.base_rent", "an integer; expected a number with a point", "1500.0", "1500"),
        ("$.units[0].pricing", "missing", r#""pricing":{"base_rent":1500.0,"price_amortized":1425.0},"#, ""),
        ("$.units[0].specifications.dens", "twice", r#""dens":1"#, r#""dens":1,"dens":1"#),
        ("$.units[0].attributes.storage_boxes", "missing", r#","storage_boxes":null"#, ""),
        ("$.units[0].lead_assignment.lead_last_name", "missing", r#","lead_last_name":null"#, ""),
        ("$.units[0].lead_assignment", "no lead is assigned", r#""lead_first_name":"J""#, r#""lead_first_name":" ""#),
        ("$.units[0].lead_assignment", "an integer; expected an object", r#"{"lead_first_name":"J","lead_last_name":null}"#, "4"),
        ("$.units[0].content_hash", "missing", &hash, ""),
        ("$.units[0].project_id", "unknown key", r#""unit_id":12345"#, r#""unit_id":12345,"project_id":101"#),
    ]).await;
    let held = bench.sandbox.property(101).unwrap();
    assert_eq!(held.units[&12345]["pricing"]["base_rent"], 1500.0);
}

#[tokio::test]
async fn a_nested_unit_without_a_lead_has_no_such_object() {
    let agreement = nested();
    let lead = r#","lead_assignment":{"lead_first_name":"J","lead_last_name":null}"#;
    let body = agreement.body.replace(lead, "");
    let bench = agreement.bench().await;
    assert_eq!(answered(bench.post(ID, body)).await.0, 200);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn fields_left_out_are_absent_and_so_is_an_object_without_any() {
    let mut nested = nested();
    nested.options.fields = named(&["lead_last_name", "base_rent", "floor"]);
    let unit = |lead: &str| format!(r#""units":[{{"unit_id":1,"floor":2,"pricing":{{"base_rent":1.5}}{lead},"content_hash":"{HASH}"}}]"#);
    let (from, to) = (nested.body.find(r#""units""#).unwrap(), nested.body.find(r#","removed_units""#).unwrap());
    nested.body.replace_range(from..to, &unit(r#","lead_assignment":{"lead_last_name":null}"#));
    let bench = nested.takes_nothing_else(&[
        ("$.units[0].status", "unknown key", r#""pricing""#, r#""status":{},"pricing""#),
        ("$.units[0].pricing.price_amortized", "unknown key", r#""base_rent":1.5"#, r#""base_rent":1.5,"price_amortized":null"#),
        ("$.units[0].unit_code", "unknown key", r#""floor":2"#, r#""unit_code":"A","floor":2"#),
        ("$.units[0].floor", "missing", r#""floor":2,"#, ""),
        ("$.units[0].lead_assignment.lead_first_name", "unknown key", r#"{"lead_last_name""#, r#"{"lead_first_name":"J","lead_last_name""#),
    ]).await;
    assert_eq!(bench.held(), [1]);
    let mut flat = default_shape();
    flat.options.fields = named(&["unit_code", "lead_first_name"]);
    let bench = flat.bench().await;
    let sync = Sync { units: vec![], ..full_sync() };
    for (lead, status) in [("", 200), (r#","lead_first_name":null"#, 200), (r#","lead_last_name":"D""#, 400)] {
        let units = format!(r#""units":[{{"unit_id":1,"unit_code":"A"{lead},"content_hash":"{HASH}"}}]"#);
        let body = sync.body().replace(r#""units":[]"#, &units);
        assert_eq!(answered(bench.post(&sync.id(), body)).await.0, status, "{lead}");
        bench.sandbox.restore(Saved::default());
    }
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_batch_has_one_element_a_property() {
    let bench = batch().takes_nothing_else(&[
        ("$.Properties", "unknown key; expected only sync_metadata, properties", r#""properties":[{"#, r#""Properties":[{"#),
        ("$.properties[0].keep", "unknown key", r#","property_digest""#, r#","keep":[],"property_digest""#),
        ("$.properties[0].removed_units", "missing", r#""removed_units":[],"#, ""),
        ("$.properties[1].property.project_id", "is in this body already", r#""project_id":102"#, r#""project_id":101"#),
        ("$.properties[0].property.project_group_id", "missing", r#""project_group_id":7,"#, ""),
        ("$.properties[0].units[0].base_rent", "a number with a point", "1500.0", "1500"),
        ("$.properties[0].removed_units[0].unit_id", "1 is in this body already", r#""removed_units":[]"#, r#""removed_units":[{"unit_id":1,"unit_code":null,"reason":"moved"}]"#),
        ("$.properties[0].property_digest", "64 lowercase hex", r#""property_digest":""#, r#""property_digest":"0"#),
        ("$.sync_metadata.part", "2 of 1", r#""part":1"#, r#""part":2"#),
    ]).await;
    assert_eq!(bench.sandbox.properties(), [101, 102]);
    assert_eq!(bench.last().units, 2);
}

#[tokio::test]
async fn a_batch_says_something_and_a_snapshot_in_parts_travels_alone() {
    let bench = batch().bench().await;
    let empty = format!(r#"{{{},"properties":[]}}"#, metadata("delta", 1));
    assert_refused(&answered(bench.post(ID, empty)).await, "$.properties", "at least one");
    let snapshot = batch().body.replace(&metadata("delta", 1), &metadata("snapshot", 1));
    let in_parts = snapshot.replace(r#""parts":1"#, r#""parts":2"#);
    let answer = answered(bench.post(ID, in_parts)).await;
    assert_refused(&answer, "$.properties", "travels alone");
    assert_eq!(answered(bench.post(ID, snapshot)).await.0, 200);
}

#[tokio::test]
async fn a_batch_is_answered_property_by_property() {
    let bench = batch().bench().await;
    let (one, two) = (unit(1, "A", 1500.0), unit(2, "A", 1.0));
    let line =
        |id: i64, unit: &Unit| json!({"project_id": id, "property_digest": digest_of(std::slice::from_ref(unit))});
    let answer = answered(bench.post(ID, batch().body)).await;
    let digests = json!([line(101, &one), line(102, &two)]);
    assert_eq!(answer, (200, json!({"properties": digests, "errors": []})));
    assert!(!bench.last().digest_mismatch);
    // A newer one about 101 alone, then an older one about both.
    let send = |sequence: i64, unique: char, elements: &[String]| {
        let id = ID.replace('e', &unique.to_string());
        let meta = metadata("delta", sequence).replace(ID, &id);
        let body = format!(r#"{{{meta},"properties":[{}]}}"#, elements.join(","));
        answered(bench.post(&id, body))
    };
    let (status, answer) = send(4800, 'a', &[element(101, &one)]).await;
    assert_eq!(
        (status, answer),
        (
            200,
            json!({"property_digest": digest_of(std::slice::from_ref(&one)), "errors": []})
        )
    );
    let changed = unit(2, "A", 2.0);
    let both = [element(101, &unit(1, "A", 3.0)), element(102, &changed)];
    let (status, answer) = send(4000, 'b', &both).await;
    assert_eq!(status, 200);
    let stale = json!([{"project_id": 101, "sequence": 4800}]);
    assert_eq!(
        answer,
        json!({"stale": stale, "properties": [line(102, &changed)], "errors": []})
    );
    assert!(bench.last().applied && bench.last().stale);
    let rent = |id, unit_id| bench.sandbox.property(id).unwrap().units[&unit_id]["base_rent"].clone();
    assert_eq!((rent(101, 1), rent(102, 2)), (json!(1500.0), json!(2.0)));
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn without_extensions_a_property_is_the_guides_own_example() {
    let bench = guide_property().takes_nothing_else(&[
        ("$.sync_metadata.sync_type", "unknown key", r#""source":"aigent""#, r#""source":"aigent","sync_type":"delta""#),
        ("$.sync_metadata.source", "missing", r#","source":"aigent""#, ""),
        ("$.sync_metadata.sync_id", "X-Aigent-Sync-ID", "708192", "708193"),
        ("$.property.is_active", "unknown key", r#", AB""#, r#", AB","is_active":true"#),
        ("$.units[0].content_hash", "unknown key", r#""base_rent": 1500.0"#, r#""base_rent": 1500.0, "content_hash":"""#),
        ("$.units[0].status_id", "unknown key", r#""status_name""#, r#""status_id": 1, "status_name""#),
        ("$.units[0].base_rent", "an integer; expected a number with a point", "1500.0", "1500"),
        ("$.units[1].unit_id", "12345 is in this body already", "12346", "12345"),
        ("$.removed_units", "unknown key", r#""units""#, r#""removed_units": [], "units""#),
    ]).await;
    assert_eq!(bench.held(), [12345, 12346]);
    assert_eq!((bench.last().sequence, bench.last().sync_type), (None, None));
    let held = bench.sandbox.property(101).unwrap();
    assert_eq!(held.units[&12346], json!({"unit_id": 12346, "unit_code": "102", "status_name": "Rented", "is_available": false, "base_rent": 2100.0}));
}

#[tokio::test]
async fn without_extensions_the_later_request_wins_and_absence_says_nothing() {
    let agreement = guide_property();
    let bench = agreement.bench().await;
    let first = answered(bench.post(ID, agreement.body.clone())).await;
    assert_eq!(first, (200, json!({"errors": []})));
    let later = ID.replace("02-00-00", "01-00-00");
    let mut body = agreement.body.replace(ID, &later).replace("T02:", "T01:");
    let second_unit = body
        .find(
            r#",
            { "unit_id": 12346"#,
        )
        .unwrap();
    let end = body.rfind(']').unwrap();
    body.replace_range(second_unit..end, "");
    let body = body.replace("1500.0", "1.0");
    assert_eq!(answered(bench.post(&later, body)).await.0, 200);
    let held = bench.sandbox.property(101).unwrap();
    assert_eq!(held.units[&12345]["base_rent"], 1.0);
    assert_eq!(held.units.len(), 2);
    // The first, once more: known, so not applied.
    assert_eq!(answered(bench.post(ID, agreement.body)).await, first);
    assert!(bench.last().repeat);
    assert_eq!(bench.sandbox.property(101).unwrap().units[&12345]["base_rent"], 1.0);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn without_extensions_a_batch_has_properties_and_units_alone() {
    let bench = guide_batch().takes_nothing_else(&[
        ("$.properties[0].property_digest", "unknown key", r#"1.5}]}"#, r#"1.5}],"property_digest":""}"#),
        ("$.properties[1].units", "missing", r#","units":[{"unit_id":21,"base_rent":1.5}]"#, ""),
        ("$.sync_metadata.sequence", "unknown key", r#""source":"aigent""#, r#""source":"aigent","sequence":1"#),
    ]).await;
    assert_eq!(bench.sandbox.properties(), [1, 2]);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_flat_body_has_rows_and_says_which_properties_it_is_about() {
    let (time, meta) = (r#""sync_timestamp":"2025-01-15T02:00:00Z""#, metadata("delta", 1));
    let bench = flat().takes_nothing_else(&[
        ("$.sync_metadata", "stands where sync_timestamp should", &format!("{time},{meta}"), &format!("{meta},{time}")),
        ("$.sync_timestamp", "missing", r#""sync_timestamp":"2025-01-15T02:00:00Z","#, ""),
        ("$.sync_timestamp", "the second that the sync ID names", "02:00:00Z", "02:00:01Z"),
        ("$.units[0].property_id", "missing", r#"{"property_id":101,"unit_id":1,"#, r#"{"unit_id":1,"#),
        ("$.units[0].property_id", "expected one that $.properties lists", r#"{"property_id":101,"unit_id":1,"#, r#"{"property_id":102,"unit_id":1,"#),
        ("$.removed_units[0].property_id", "expected one that $.properties lists", r#"{"property_id":101,"unit_id":8"#, r#"{"property_id":102,"unit_id":8"#),
        ("$.removed_units[0].property_id", "missing", r#"{"property_id":101,"unit_id":8"#, r#"{"unit_id":8"#),
        ("$.removed_units[0].unit_code", "carried by unit 1", r#""unit_code":"C""#, r#""unit_code":"A""#),
        ("$.removed_units[1].replaced_by", "8 is removed too", r#""replaced_by":1"#, r#""replaced_by":8"#),
        ("$.removed_units[1].unit_id", "1 is in this body already", r#""unit_id":9"#, r#""unit_id":1"#),
        ("$.removed_units[0].reason", "expected deleted or moved", r#""reason":"deleted""#, r#""reason":"rented""#),
        ("$.properties[0].keep", "this is a delta", r#""keep":[]"#, r#""keep":[7]"#),
        ("$.properties[0].keep", "missing", r#","keep":[]"#, ""),
        ("$.properties", "one property a request", r#""properties":["#, r#""properties":[{"property_id":102,"property_digest":"0000000000000000000000000000000000000000000000000000000000000000","keep":[]},"#),
        ("$.property", "unknown key", r#""units":["#, r#""property":{},"units":["#),
        ("$.units[0].status", "unknown key", r#""status_id":1"#, r#""status":{"id":1}"#),
    ]).await;
    assert_eq!(bench.held(), [1]);
    assert!(!bench.last().digest_mismatch);
    assert_eq!((bench.last().removed, bench.last().project_id), (2, Some(101)));
    let held = bench.sandbox.property(101).unwrap();
    assert_eq!(held.units[&1]["property_id"], 101);
    assert_eq!(held.digest, digest_of(&[unit(1, "A", 1500.0)]));
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_flat_batch_is_about_several_properties() {
    let bench = flat_batch().takes_nothing_else(&[
        ("$.properties[1].property_id", "is in this body already", r#"{"property_id":102,"property_digest""#, r#"{"property_id":101,"property_digest""#),
        ("$.units[1].property_id", "expected one that", r#"{"property_id":102,"unit_id""#, r#"{"property_id":103,"unit_id""#),
    ]).await;
    assert_eq!(bench.sandbox.properties(), [101, 102]);
    assert!(!bench.last().digest_mismatch);
}

#[tokio::test]
async fn a_flat_snapshot_drops_what_is_absent_but_not_what_is_kept() {
    let bench = flat_batch().bench().await;
    answered(bench.post(ID, flat_batch().body)).await;
    let id = ID.replace('e', "a");
    let about = |id: i64, keep: &str, units: &[Unit]| {
        format!(
            r#"{{"property_id":{id},"property_digest":"{}","keep":[{keep}]}}"#,
            digest_of(units)
        )
    };
    let body = format!(
        r#"{{"sync_timestamp":"2025-01-15T02:00:00Z",{},"units":[],"removed_units":[],"properties":[{},{}]}}"#,
        metadata("snapshot", 2).replace(ID, &id),
        about(101, "1", &[unit(1, "A", 1500.0)]),
        about(102, "", &[]),
    );
    let with_removal = body.replace(
        r#""removed_units":[]"#,
        r#""removed_units":[{"property_id":101,"unit_id":3,"unit_code":null,"reason":"deleted"}]"#,
    );
    let answer = answered(bench.post(&id, with_removal)).await;
    assert_refused(&answer, "$.removed_units", "by absence");
    assert_eq!(answered(bench.post(&id, body)).await.0, 200);
    assert!(!bench.last().digest_mismatch);
    assert_eq!(bench.held(), [1]);
    assert_eq!(bench.sandbox.property(102).unwrap().units.len(), 0);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn without_extensions_a_flat_body_is_the_guides_own_example() {
    let bench = guide_flat().takes_nothing_else(&[
        ("$.sync_metadata", "unknown key", r#""units""#, r#""sync_metadata": {}, "units""#),
        ("$.properties", "unknown key", r#""units""#, r#""properties": [], "units""#),
        ("$.units[0].content_hash", "unknown key", r#""bathrooms": 1.0"#, r#""bathrooms": 1.0, "content_hash": """#),
        ("$.units[0].property_id", "null; expected an integer or a string", r#""property_id": 101"#, r#""property_id": null"#),
        ("$.units[0].bathrooms", "a number with a point", r#""bathrooms": 1.0"#, r#""bathrooms": 1"#),
        ("$.sync_timestamp", "UTC time", "02:00:00Z", "02:00"),
        ("$.units[1].property_id", "one property a request", r#""units": ["#, r#""units": [{"property_id": 102, "unit_id": 1, "unit_code": null, "status_id": null, "status_name": null, "is_available": false, "base_rent": null, "bedrooms": null, "bathrooms": null},"#),
    ]).await;
    assert_eq!(bench.held(), [12345]);
    let empty = r#"{"sync_timestamp": "2025-01-15T02:00:00Z", "units": []}"#;
    assert_refused(&answered(bench.post(&ID.replace('e', "a"), empty)).await, "$.units", "at least one");
    let answer = answered(bench.post("sync-2025-01-15", guide_flat().body)).await;
    assert_refused(&answer, "header X-Aigent-Sync-ID", "expected sync-YYYY");
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_single_unit_is_the_guides_object_with_metadata() {
    let bench = single().takes_nothing_else(&[
        ("$.sync_metadata", "missing", &format!("{},", metadata("delta", 1)), ""),
        ("$.sync_metadata.sync_type", "missing", r#""sync_type":"delta","#, ""),
        ("$.sync_metadata", "null; expected an object", &metadata("delta", 1), r#""sync_metadata":null"#),
        ("$.content_hash", "unknown key", r#","sync_timestamp":"2025-01-15T02:00:00Z"}"#, r#","content_hash":"","sync_timestamp":"2025-01-15T02:00:00Z"}"#),
        ("$.sync_timestamp", "missing", r#","sync_timestamp":"2025-01-15T02:00:00Z"}"#, "}"),
        ("$.sync_timestamp", "the second that the sync ID names", r#","sync_timestamp":"2025-01-15T02:00:00Z"}"#, r#","sync_timestamp":"2025-01-15T02:00:09Z"}"#),
        ("$.project_name", "an integer", r#""Sunset Apartments""#, "4"),
        ("$.project_id", "a float", r#""project_id":101"#, r#""project_id":101.0"#),
        ("$.project_id", "order", r#""unit_id":12345,"project_id":101"#, r#""project_id":101,"unit_id":12345"#),
        ("$.property_address", "missing", r#","property_address":"123 Main Street, Calgary, AB""#, ""),
        ("$.pricing.base_rent", "a number with a point", "1500.0", "1500"),
        ("$.availability.is_available", "status_id is null", r#""id":1,"#, r#""id":null,"#),
        ("$.reason", "unknown key", r#""unit_id":12345"#, r#""reason":"","unit_id":12345"#),
    ]).await;
    assert_eq!(bench.held(), [12345]);
    let held = bench.sandbox.property(101).unwrap();
    let unit = held.units[&12345].as_object().unwrap();
    assert!(!unit.contains_key("sync_metadata") && !unit.contains_key("sync_timestamp"));
    assert_eq!(unit["project_name"], "Sunset Apartments");
    assert_eq!(held.sequence, 1);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_single_unit_that_went_says_so() {
    single_removal().takes_nothing_else(&[
        ("$.removed", "expected true", r#""removed":true"#, r#""removed":false"#),
        ("$.reason", "missing", r#","reason":"deleted""#, ""),
        ("$.unit_code", "missing", r#""unit_code":"101","#, ""),
        ("$", "exactly one", r#""unit_code":"101","#, r#""unit_code":"101","replaced_by":4,"#),
        ("$.project_id", "an integer or a string that is not empty", r#""project_id":101"#, r#""project_id":"""#),
        ("$.sync_metadata.sequence", "positive", r#""sequence":1"#, r#""sequence":0"#),
    ]).await;
    let bench = single().bench().await;
    answered(bench.post(ID, single().body)).await;
    let id = ID.replace('e', "a");
    let removal = single_removal().body.replace(ID, &id).replace(r#""sequence":1"#, r#""sequence":2"#);
    let answer = answered(bench.post(&id, removal.clone())).await;
    assert_eq!(answer, (200, json!({"errors": []})));
    assert!(bench.held().is_empty());
    let late = removal.replace(&id, &ID.replace('e', "b")).replace(r#""sequence":2"#, r#""sequence":1"#);
    let answer = answered(bench.post(&ID.replace('e', "b"), late)).await;
    assert_eq!(answer.1, json!({"status": "stale", "sequence": 2}));
}

#[tokio::test]
async fn a_snapshot_of_single_units_drops_nothing() {
    let bench = single().bench().await;
    answered(bench.post(ID, single().body)).await;
    let id = ID.replace('e', "a");
    let in_snapshot = |text: &str| {
        text.replace(&metadata("delta", 1), &metadata("snapshot", 2))
            .replace(ID, &id)
            .replace("12345", "12346")
            .replace(r#""101""#, r#""102""#)
    };
    assert_eq!(answered(bench.post(&id, in_snapshot(&single().body))).await.0, 200);
    assert_eq!(bench.held(), [12345, 12346]);
    let gone = in_snapshot(&single_removal().body)
        .replace(&id, &ID.replace('e', "b"))
        .replace(r#""sequence":2"#, r#""sequence":3"#);
    assert_eq!(answered(bench.post(&ID.replace('e', "b"), gone)).await.0, 200);
    assert_eq!(bench.held(), [12345]);
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn without_extensions_a_single_unit_is_the_guides_own_example() {
    let bench = guide_unit().takes_nothing_else(&[
        ("$.sync_metadata", "unknown key", r#"{"unit_id""#, r#"{"sync_metadata":{},"unit_id""#),
        ("$.attributes.parking_stalls", "unknown key", r#""pets_allowed":1"#, r#""pets_allowed":1,"parking_stalls":0"#),
        ("$.removed", "unknown key", r#""unit_code":"101""#, r#""unit_code":"101","removed":true"#),
        ("$.sync_timestamp", "UTC time", "02:00:00Z", "2:00:00Z"),
    ]).await;
    assert_eq!(bench.held(), [12345]);
    let answer = answered(bench.post("sync-2025-01-15", guide_unit().body)).await;
    assert_refused(&answer, "header X-Aigent-Sync-ID", "expected sync-YYYY");
}

#[tokio::test]
async fn where_removed_units_are_sent_as_unavailable_no_removal_is_accepted() {
    let unavailable = |mut agreement: Agreement| {
        agreement.options.removed = Removed::Unavailable;
        agreement
    };
    for (agreement, place, what) in [
        (unavailable(default_shape()), "$.removed_units", "sent as unavailable"),
        (unavailable(flat()), "$.removed_units", "sent as unavailable"),
        (unavailable(single_removal()), "$.removed", "unknown key"),
    ] {
        let bench = agreement.bench().await;
        assert_refused(&answered(bench.post(ID, agreement.body)).await, place, what);
    }
    let bench = unavailable(default_shape()).bench().await;
    let mut gone = unit(1, "A", 1.0);
    gone.text = gone.text.replace(r#""is_available":true"#, r#""is_available":false"#);
    assert_eq!(bench.send(&Sync::delta(1, &[gone])).await.0, 200);
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn a_property_may_be_known_by_a_text() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let with_id = |id: &str| {
        sync.body()
            .replace(r#""project_id":101"#, &format!(r#""project_id":{id}"#))
    };
    let place = "$.property.project_id";
    for wrong in [r#""""#, "null", "1.5", "[]"] {
        assert_refused(
            &answered(bench.post(&sync.id(), with_id(wrong))).await,
            place,
            "expected an integer or a string",
        );
    }
    assert_eq!(answered(bench.post(&sync.id(), with_id(r#""SUN/1""#))).await.0, 200);
    let id = PropertyId::from("SUN/1");
    assert_eq!(bench.sandbox.property_ids(), std::slice::from_ref(&id));
    assert!(bench.sandbox.properties().is_empty());
    assert_eq!(bench.sandbox.property_by(&id).unwrap().units.len(), 1);
    let (status, state) = bench.get("/v1/rent-roll/properties/SUN%2F1").await;
    assert_eq!((status, &state["project_id"]), (200, &json!("SUN/1")));
    assert_eq!((bench.last().project_id, bench.last().property_ids), (None, vec![id]));
    let next = Sync::delta(2, &[]).body();
    let number = next.replace(r#""project_id":101"#, r#""project_id":"101""#);
    assert_eq!(answered(bench.post(&Sync::delta(2, &[]).id(), number)).await.0, 200);
    let (_, state) = bench.get("/v1/rent-roll/properties/101").await;
    assert_eq!(state["project_id"], "101");
    assert!(bench.sandbox.property(101).is_none(), "a text is no number");
}

#[tokio::test]
async fn options_that_dont_go_together_are_refused_by_name() {
    let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
    for (options, named) in [
        (
            SandboxOptions {
                extensions: false,
                ..SandboxOptions::default()
            },
            "removed: ",
        ),
        (for_all(Format::Unit), "batch: "),
        (
            SandboxOptions {
                unit_style: UnitStyle::Nested,
                ..of_format(Format::Flat)
            },
            "unit_style: ",
        ),
        (
            SandboxOptions {
                fields: named(&["rent"]),
                ..SandboxOptions::default()
            },
            "fields: \"rent\"",
        ),
        (
            SandboxOptions {
                fields: named(&["unit_id"]),
                ..SandboxOptions::default()
            },
            "fields: \"unit_id\"",
        ),
        (
            SandboxOptions {
                fields: named(&["view", "view"]),
                ..SandboxOptions::default()
            },
            "fields: \"view\" is there twice",
        ),
    ] {
        let error = Sandbox::start(anywhere, options).await.err().expect("refused");
        assert!(error.to_string().starts_with(named), "{error} should name {named}");
    }
}
