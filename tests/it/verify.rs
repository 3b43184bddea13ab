//! Verify: what differs without anybody having announced it, apart from what waits or is withheld. By the real command.

use rentsync_relay::plan;
use serde_json::{Value, json};

use crate::process::{output, relay, said};
use crate::support::rig::Rig;

/// Findings and exit code.
async fn verify(rig: &Rig, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let arguments = [&["verify", "--json"], arguments].concat();
    let output = output(relay(rig, &arguments)).await;
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    (findings, output.status.code())
}

/// As if the triggers had been off for a moment.
async fn bypass(rig: &Rig, statements: &str) {
    rig.edit(&format!(
        "begin; alter table project_rent_roll_units disable trigger all; alter table projects disable trigger all;
         {statements};
         alter table project_rent_roll_units enable trigger all; alter table projects enable trigger all; commit"
    ))
    .await;
}

fn brief(findings: &[Value]) -> Vec<(i64, i64, &str)> {
    let brief = |finding: &'_ Value| {
        let id = |name: &str| finding[name].as_i64().unwrap_or(0);
        (id("property_id"), id("unit_id"))
    };
    let words = findings
        .iter()
        .map(|finding| finding["finding"].as_str().expect("a word"));
    findings
        .iter()
        .zip(words)
        .map(|(finding, word)| (brief(finding).0, brief(finding).1, word))
        .collect()
}

#[tokio::test]
async fn after_rest_there_is_nothing_to_find() {
    let rig = Rig::delivered().await;
    assert_eq!(verify(&rig, &[]).await, (vec![], Some(0)));
    let said = said(&output(relay(&rig, &["verify"])).await);
    assert_eq!(
        said,
        "receiver main: 6 units of 2 properties compared: 6 equal, 0 waiting, 0 withheld, 0 drifted; its digests of 2 \
         properties are ours\n"
    );
    assert_eq!(rig.requests(), [], "nothing is sent");
}

#[tokio::test]
async fn what_waits_altogether_is_no_drift_and_is_not_passed_off_as_verified() {
    let rig = Rig::new().await;
    rig.faults(json!({ "status": 503 }));
    rig.once().await;
    let output = output(relay(&rig, &["verify"])).await;
    assert_eq!(output.status.code(), Some(0));
    let said = said(&output);
    assert!(
        said.contains("0 equal, 6 waiting") && said.contains("so nothing is verified: see `status`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_bypassed_trigger_is_drift_with_the_fields_that_differ_but_no_leads_name() {
    let rig = Rig::delivered().await;
    bypass(
        &rig,
        "update project_rent_roll_units set price = 1111, view = 'Park', lead_first_name = 'Somebody' where id = 11;
         delete from project_rent_roll_units where id = 12;
         insert into project_rent_roll_units (id, project_id, unit_code) values (24, 2, '24');
         update project_rent_roll_units set project_id = 2 where id = 13;
         update projects set name = 'Uno' where id = 1",
    )
    .await;
    let (findings, code) = verify(&rig, &[]).await;
    assert_eq!(code, Some(1));
    let mut found = brief(&findings);
    found.sort_unstable();
    let expected = [(1, 0), (1, 11), (1, 12), (1, 13), (2, 13), (2, 24)];
    assert_eq!(
        found,
        expected.map(|(property_id, unit_id)| (property_id, unit_id, "drift"))
    );
    let fields = |unit_id: Value| {
        &findings
            .iter()
            .find(|found| found["unit_id"] == unit_id)
            .expect("found")["fields"]
    };
    assert_eq!(
        *fields(json!(11)),
        json!([
            { "field": "base_rent", "told": 1100.0, "present": 1111.0 },
            { "field": "lead_first_name" },
            { "field": "lead_last_name" },
            { "field": "view", "told": null, "present": "Park" },
        ])
    );
    assert_eq!(
        *fields(Value::Null),
        json!([{ "field": "project_name", "told": "One", "present": "Uno" }])
    );
    let (only, code) = verify(&rig, &["--property", "2"]).await;
    assert_eq!((only.len(), code), (2, Some(1)));

    let output = output(relay(&rig, &["verify"])).await;
    let text = said(&output);
    assert!(
        text.contains("main: property 1 unit 11: drift: base_rent 1100.0 -> 1111.0, lead_first_name differs"),
        "{text}"
    );
    assert!(text.contains("error: main may hold something else"), "{text}");
    assert!(!text.contains("Somebody"), "{text}");
    assert_eq!(output.status.code(), Some(1));

    // Once sent it is drift no more, and where a snapshot found it, it is listed.
    rig.edit("update rentsync.feed set snapshot_due = 'test'").await;
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(verify(&rig, &[]).await, (vec![], Some(0)));
    let (listed, code) = verify(&rig, &["--found"]).await;
    let mut listed: Vec<_> = listed
        .iter()
        .map(|found| (found["property_id"].as_i64(), found["unit_id"].as_i64()))
        .collect();
    listed.sort_unstable();
    // 0 stands for the property's own fields.
    let found = expected
        .iter()
        .map(|(property_id, unit_id)| (Some(*property_id), Some(*unit_id).filter(|unit_id| *unit_id != 0)));
    assert_eq!((listed, code), (found.collect(), Some(0)));
}

#[tokio::test]
async fn what_waits_is_no_drift_whatever_it_waits_for() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.plan().await;
    rig.edit("update project_rent_roll_units set price = 2 where id in (12, 21); update projects set name = 'Dos' where id = 2")
        .await;
    rig.edit("update rentsync.ledger set owed = 'replay' where unit_id = 13")
        .await;
    let (findings, code) = verify(&rig, &[]).await;
    let mut found = brief(&findings);
    found.sort_unstable();
    let waiting = [(1, 11), (1, 12), (1, 13), (2, 0)].map(|(property_id, unit_id)| (property_id, unit_id, "waiting"));
    assert_eq!((found, code), (waiting.to_vec(), Some(0)));
    let because = |unit_id: i64| {
        findings
            .iter()
            .find(|found| found["unit_id"] == unit_id)
            .expect("found")["because"]
            .clone()
    };
    assert_eq!(because(11), "sealed, not yet acknowledged");
    assert_eq!(because(12), "changed, not yet planned");
    assert_eq!(because(13), "owed: replay");
    rig.settle().await;
    assert_eq!(verify(&rig, &[]).await, (vec![], Some(0)));
}

#[tokio::test]
async fn what_is_refused_or_invalid_is_listed_apart_and_is_no_failure() {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "reject_units": [21] }));
    rig.edit(
        "update project_rent_roll_units set price = 'NaN' where id = 11;
         update project_rent_roll_units set price = 2 where id = 21",
    )
    .await;
    rig.settle().await;
    let (findings, code) = verify(&rig, &[]).await;
    assert_eq!(
        (brief(&findings), code),
        (vec![(1, 11, "invalid"), (2, 21, "refused")], Some(0))
    );
    assert_eq!(findings[0]["because"], "base_rent is not a finite number");
}

/// A property of ten units, delivered.
async fn ten_delivered() -> Rig {
    let rig = Rig::new().await;
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(101, 107) n")
        .await;
    rig.settle().await;
    rig
}

#[tokio::test]
async fn what_waits_for_a_person_is_withheld_and_no_drift() {
    for (receiver_min, kind) in [(50, "held"), (5, "guarded")] {
        let mut rig = ten_delivered().await;
        rig.receiver.guard.receiver.units_min = receiver_min;
        rig.receiver.guard.feed.units_min = 55 - receiver_min;
        rig.edit("delete from project_rent_roll_units where id between 101 and 106")
            .await;
        rig.settle().await;
        let (findings, code) = verify(&rig, &[]).await;
        let expected: Vec<_> = (101..=106).map(|unit_id| (1, unit_id, kind)).collect();
        assert_eq!((brief(&findings), code), (expected, Some(0)));
        let because = findings[0]["because"].as_str().expect("a reason");
        assert!(because.contains("see `holds list`"), "{because}");
    }
}

#[tokio::test]
async fn what_the_receiver_still_has_elsewhere_is_withheld_and_no_drift() {
    let mut rig = Rig::new().await;
    rig.receiver.unit_identity = rentsync_relay::config::UnitIdentity::Global;
    rig.settle().await;
    rig.edit("update rentsync.feed set paused_because = 'test' where property_id = 1; update project_rent_roll_units set project_id = 2 where id = 11")
        .await;
    rig.settle().await;
    let mut command = relay(&rig, &["verify", "--json"]);
    command.env("RELAY_RECEIVERS__MAIN__UNIT_IDENTITY", "global");
    let output = output(command).await;
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(brief(&findings), [(1, 11, "waiting"), (2, 11, "elsewhere")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[tokio::test]
async fn another_digest_than_ours_is_a_finding_and_exit_code_1() {
    let rig = Rig::delivered().await;
    rig.edit("update rentsync.sync_feed set digest_said = repeat('ab', 32) where feed_id = (select min(feed_id) from rentsync.feed)")
        .await;
    let (findings, code) = verify(&rig, &[]).await;
    assert_eq!((brief(&findings), code), (vec![(1, 0, "digest")], Some(1)));
    // What it said before the newest sync says nothing of now.
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    rig.plan().await;
    let (findings, code) = verify(&rig, &[]).await;
    assert_eq!((brief(&findings), code), (vec![(1, 11, "waiting")], Some(0)));
}

#[tokio::test]
async fn what_was_sealed_is_looked_up_in_every_shape_of_body_and_its_absence_is_said() {
    use rentsync_relay::config::{Batch, UnitStyle};
    for (batch, style, field) in [
        (Batch::AllProperties, UnitStyle::Flat, "base_rent"),
        (Batch::PerProperty, UnitStyle::Nested, "pricing.base_rent"),
    ] {
        let mut rig = Rig::new().await;
        rig.receiver.batch = batch;
        rig.receiver.unit_style = style;
        let options = rentsync_sandbox::SandboxOptions {
            batch: if batch == Batch::AllProperties {
                rentsync_sandbox::Batch::AllProperties
            } else {
                rentsync_sandbox::Batch::PerProperty
            },
            unit_style: if style == UnitStyle::Nested {
                rentsync_sandbox::UnitStyle::Nested
            } else {
                rentsync_sandbox::UnitStyle::Flat
            },
            ..Default::default()
        };
        rig.sandbox = rentsync_sandbox::Sandbox::start(([127, 0, 0, 1], 0).into(), options)
            .await
            .unwrap();
        rig.receiver.url = rig.sandbox.url().parse().unwrap();
        rig.settle().await;
        bypass(
            &rig,
            "update project_rent_roll_units set price = 7 where id = 22; update projects set name = 'Dos' where id = 2",
        )
        .await;
        for kept in [true, false] {
            let mut conn = rig.source.connect().await;
            let mut found = Vec::new();
            let mut report = |finding| {
                found.push(serde_json::to_value(finding).expect("JSON"));
                Ok(())
            };
            let counts = rentsync_relay::inspect::verify::verify(&mut conn, &rig.scope(), None, &mut report)
                .await
                .unwrap();
            assert_eq!((counts.drift, counts.equal), (2, 5));
            if kept {
                assert_eq!(
                    found[0]["fields"],
                    json!([{ "field": "project_name", "told": "Two", "present": "Dos" }])
                );
                assert_eq!(
                    found[1]["fields"],
                    json!([{ "field": field, "told": 2200.0, "present": 7.0 }])
                );
            } else {
                assert!(
                    found
                        .iter()
                        .all(|found| found["because"] == "what was sealed last is no longer kept"),
                    "{found:?}"
                );
            }
            rig.edit("delete from rentsync.sync").await;
        }
    }
}

#[tokio::test]
async fn verify_writes_nothing_and_says_what_keeps_it_from_comparing() {
    let rig = Rig::new().await;
    let cases: [(&[&str], &str); 3] = [
        (&[], "never run"),
        (&["--property", "9"], "never run"),
        (&["--receiver", "nope"], "nope"),
    ];
    for (arguments, part) in cases {
        let output = output(relay(&rig, &[&["verify"], arguments].concat())).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    let mut conn = rig.source.connect().await;
    plan::register(&mut conn, &rig.scope()).await.unwrap();
    plan::enroll(&mut conn, &rig.receiver, None).await.unwrap();
    let (findings, code) = verify(&rig, &[]).await;
    assert_eq!(
        (brief(&findings), code),
        (vec![(1, 0, "waiting"), (2, 0, "waiting")], Some(0))
    );
    let mut others = relay(&rig, &["verify"]);
    others.env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[2]");
    let output = output(others).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("other settings"), "{}", said(&output));

    let role = format!("reader_{}", rig.source.number("select (random() * 1e9)::bigint").await);
    rig.edit(&format!(
        "create role {role} login; grant usage on schema rentsync to {role};
         grant execute on function rentsync.source_property(), rentsync.source_unit(), rentsync.kept_because(bigint), rentsync.news(bigint, pg_snapshot) to {role};
         grant select on all tables in schema rentsync to {role}; grant select on projects, project_rent_roll_units to {role}"
    ))
    .await;
    let mut reader = relay(&rig, &["verify", "--json"]);
    reader.env(
        "DATABASE_URL",
        rig.source.url().replacen("postgres@", &format!("{role}@"), 1),
    );
    let output = crate::process::output(reader).await;
    assert_eq!(output.status.code(), Some(0), "it needs to write: {}", said(&output));
    rig.edit(&format!("drop owned by {role}; drop role {role}")).await;
}
