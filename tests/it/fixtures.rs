//! `fixtures`: what is written is what a receiver gets, and what it says of answers and states is so.

use std::path::Path;

use rentsync_relay::config::{self, Receiver, RemovedAs};
use rentsync_relay::fixtures::{Cast, story, write};
use rentsync_sandbox::Sandbox;
use serde_json::Value;

use crate::process::{bare, refused};
use crate::support::{TestDatabase, agreed};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Posts every body in its order, by the manifest alone, to a strict sandbox.
async fn posted(receiver: &Receiver, directory: &Path) -> usize {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), agreed::options(receiver))
        .await
        .unwrap();
    let manifest = json(&directory.join("manifest.json"));
    for entry in manifest.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let body = std::fs::read(directory.join(file)).unwrap();
        let mut request = reqwest::Client::new().post(sandbox.url()).body(body);
        for (name, value) in entry["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        assert_eq!(status, 200, "{file}: {text}");
        let beside = |kind: &str| json(&directory.join(file.replace(".json", kind)));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            beside(".answer.json"),
            "{file}"
        );
        let (held, expected) = (
            serde_json::to_value(sandbox.property(101).unwrap()).unwrap(),
            beside(".state.json"),
        );
        for (key, value) in expected
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
        {
            // Where every unit is a body of its own the sandbox holds what that says.
            let is_otherwise = receiver.format == config::Format::Unit && key == "units";
            match is_otherwise {
                true => assert_eq!(keys(&held[key]), keys(value), "{file}"),
                false => assert_eq!(&held[key], value, "{file}: {key}"),
            }
        }
    }
    manifest.as_array().unwrap().len()
}

fn keys(units: &Value) -> Vec<&String> {
    units.as_object().unwrap().keys().collect()
}

type Change = fn(&mut Receiver);

#[tokio::test]
async fn every_kind_of_body_is_answered_and_applied_as_its_files_say() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let kinds: [(usize, Change); 8] = [
        (12, |_| {}),
        (12, |it| it.unit_style = config::UnitStyle::Nested),
        (11, |it| it.batch = config::Batch::AllProperties),
        (11, |it| it.format = config::Format::Flat),
        (12, |it| {
            (it.format, it.units_per_request_max) = (config::Format::Unit, 1)
        }),
        (11, |it| it.removed = RemovedAs::Unavailable),
        (4, |it| (it.extensions, it.removed) = (false, RemovedAs::Unavailable)),
        (4, |it| {
            (it.format, it.extensions, it.removed) = (config::Format::Flat, false, RemovedAs::Unavailable);
        }),
    ];
    for (bodies, change) in kinds {
        let mut receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
        change(&mut receiver);
        let directory = tempfile::tempdir().unwrap();
        let payloads = story(&receiver, 7, &Cast::drawn(7)).unwrap();
        assert_eq!(
            write(directory.path(), &receiver, &payloads).unwrap(),
            bodies,
            "{:?}",
            receiver.format
        );
        assert_eq!(posted(&receiver, directory.path()).await, bodies);
        let again = story(&receiver, 7, &Cast::drawn(7)).unwrap();
        assert!(
            payloads.iter().zip(&again).all(|(one, other)| one.body == other.body),
            "the same seed, the same bytes"
        );
    }
}

#[tokio::test]
async fn the_command_writes_into_an_empty_directory_alone_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("payloads");
    let with_key = || {
        let mut command = bare(&["fixtures", to.to_str().unwrap()]);
        command
            .env("RELAY_RECEIVERS__MAIN__URL", "https://partner.example/sync")
            .env(
                "RELAY_RECEIVERS__MAIN__AUTH",
                "{ method = 'api_key', key = { env = 'KEY' } }",
            );
        command
    };
    refused(
        with_key(),
        0,
        &["12 bodies in", "by the settings of receiver main; nothing was sent"],
    )
    .await;
    let requests = std::fs::read_to_string(to.join("requests.http")).unwrap();
    for part in [
        "@url = https://partner.example/sync",
        "X-API-Key: {{credential}}",
        "< ./01-delta.json",
    ] {
        assert!(requests.contains(part), "{requests}");
    }
    let postman = json(&to.join("postman_collection.json"));
    assert_eq!(postman["item"].as_array().unwrap().len(), 12);
    let first: Value = serde_json::from_str(postman["item"][0]["request"]["body"]["raw"].as_str().unwrap()).unwrap();
    assert_eq!(first, json(&to.join("01-delta.json")));
    refused(with_key(), 2, &["is not empty"]).await;
}

#[tokio::test]
async fn a_property_of_the_source_is_as_it_is_but_for_the_names_of_leads() {
    let database = TestDatabase::installed().await;
    database
        .execute(
            "insert into projects (id, name, full_address, is_actived) values (101, 'Real Gardens', 'Road 1', true), (102, 'Few', null, true);
             insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price, lead_first_name, lead_last_name)
             select n, 101, 'U' || n, 1, 1000 + n, 'Wilhelmina', 'Mustermann' from generate_series(1, 5) n;
             insert into project_rent_roll_units (id, project_id) values (9, 102)",
        )
        .await;
    let directory = tempfile::tempdir().unwrap();
    let of = |property: &str, to: &str| {
        let mut command = bare(&[
            "fixtures",
            directory.path().join(to).to_str().unwrap(),
            "--property",
            property,
        ]);
        command
            .env("DATABASE_URL", database.url())
            .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]");
        command
    };
    refused(of("101", "real"), 0, &["12 bodies"]).await;
    let real = directory.path().join("real");
    let first = json(&real.join("01-delta.json"));
    assert_eq!(first["property"]["project_name"], "Real Gardens");
    assert_eq!(
        (&first["units"][1]["unit_code"], &first["units"][1]["base_rent"]),
        (&Value::from("U2"), &Value::from(1002.0))
    );
    assert_eq!(first["units"][0]["lead_first_name"], "Test");
    for file in std::fs::read_dir(&real).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("Wilhelmina") && !text.contains("Mustermann"));
    }
    rustls::crypto::ring::default_provider().install_default().ok();
    let receiver = Receiver::new("main", "https://receiver.invalid/".parse().unwrap());
    assert_eq!(posted(&receiver, &real).await, 12);
    refused(
        of("102", "few"),
        2,
        &["property 102 has 1 unit; the payloads need three"],
    )
    .await;
    refused(of("103", "none"), 2, &["the source has no property 103"]).await;
}
