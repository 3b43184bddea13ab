//! `docs/partner-guide.md`: what it works out, names and shows is so.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rentsync_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Schemas, in_repository, json_of, names_in, text_of};

const GUIDE: &str = "docs/partner-guide.md";

#[track_caller]
fn guide_says(text: &str) {
    assert!(text_of(GUIDE).contains(text), "the guide lacks: {text}");
}

#[test]
fn the_examples_are_by_their_schema_and_their_digests_are_right() {
    let schemas = Schemas::published();
    let first = json_of("docs/schemas/examples/1-delta.json");
    for name in names_in("docs/schemas/examples") {
        let body = json_of(&format!("docs/schemas/examples/{name}.json"));
        assert_eq!(schemas.complaints("property-flat", &body), [] as [String; 0], "{name}");
    }
    let mut digest = [0; 32];
    for unit in first["units"].as_array().unwrap() {
        let entry = format!("{}:{}", unit["unit_id"], unit["content_hash"].as_str().unwrap());
        let hash: [u8; 32] = Sha256::digest(&entry).into();
        guide_says(&format!("SHA-256(\"{entry}\")\n      = {}\n", hex::encode(hash)));
        for (byte, with) in digest.iter_mut().zip(hash) {
            *byte ^= with;
        }
    }
    guide_says(&format!("XOR   = {}\n", hex::encode(digest)));
    assert_eq!(first["property_digest"], hex::encode(digest));
}

#[test]
fn the_signature_it_shows_is_that_of_the_published_vector() {
    let (id, timestamp) = ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553");
    let (body, key) = (
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(key).unwrap()).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes());
    guide_says(&format!("whsec_{key}"));
    guide_says(&format!("$ printf '%s.%s.%s' {id} {timestamp} '{body}' \\\n"));
    guide_says(&format!("| base64\n{signature}\n"));
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_that_answers_a_question_is_one() {
    let guide = text_of(GUIDE);
    let rows: Vec<_> = guide
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .collect();
    assert_eq!(rows.len(), 8, "one row a question");
    let example = text_of("relay.example.toml");
    let section_of = |line: &str| line.strip_prefix("#[")?.strip_suffix(']').map(str::to_owned);
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("| {number}. ")), "{row}");
        let settings = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(quoted(settings).count() > 0, "{row}");
        for setting in quoted(settings) {
            let (table, key) = setting.rsplit_once('.').unwrap_or(("", setting));
            let tables = [
                table.to_owned(),
                format!("receivers.main.{table}").trim_end_matches('.').to_owned(),
            ];
            let mut section = String::new();
            let is_key = example.lines().any(|line| {
                section = section_of(line).unwrap_or_else(|| section.clone());
                tables.contains(&section) && is_assigned(line, key)
            });
            assert!(is_key, "question {number}: there is no {setting}");
        }
    }
}

/// Whether a line of relay.example.toml sets a key, or says how it would be set.
fn is_assigned(line: &str, key: &str) -> bool {
    let said = line.rsplit_once(": ").map_or(line, |(_, said)| said);
    said.trim_start_matches('#')
        .strip_prefix(key)
        .is_some_and(|rest| rest.starts_with(" = "))
}

#[test]
fn every_file_that_it_links_to_is_there() {
    let guide = text_of(GUIDE);
    let links = guide.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    let files: Vec<_> = links
        .filter(|link| !link.starts_with('#') && !link.starts_with("https:"))
        .collect();
    assert!(files.len() > 15);
    for file in files {
        assert!(in_repository("docs").join(file).exists(), "{file}");
    }
}

/// A command line of the guide, and what it says that comes of it.
struct Shown {
    command: String,
    output: String,
}

/// All that stands in blocks of the kind `console`, in order.
fn shown() -> Vec<Shown> {
    let guide = text_of(GUIDE).replace("\\\n", " ");
    let blocks = guide
        .split("```console\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0);
    let commands = blocks
        .flat_map(|block| block.split("$ ").skip(1).collect::<Vec<_>>())
        .map(str::to_owned);
    commands
        .map(|text| {
            let (command, output) = text.split_once('\n').unwrap();
            Shown {
                command: command.to_owned(),
                output: output.trim_end().to_owned(),
            }
        })
        .collect()
}

/// A command line's words; the guide quotes with ' alone.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![];
    for (position, piece) in command.split('\'').enumerate() {
        if position % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Does what curl does with these arguments, at the sandbox's address in the place of the guide's.
async fn curl(address: SocketAddr, command: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut words = words(command).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"));
    let (mut method, mut url, mut body, mut headers) = (None, None, None, vec![]);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap();
        match word.as_str() {
            "-s" => {}
            "-X" => method = Some(value()),
            "-A" => headers.push(("User-Agent".to_owned(), value())),
            "-H" => {
                let header = value();
                let (name, value) = header.split_once(": ").unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
            "-d" => body = Some(value()),
            "--data-binary" => body = Some(text_of(&format!("docs/{}", value().strip_prefix('@').unwrap()))),
            _ => url = Some(word.replace("127.0.0.1:8080", &address.to_string())),
        }
    }
    let usual = if body.is_some() { "POST" } else { "GET" };
    let method = method.as_deref().unwrap_or(usual).parse().unwrap();
    let mut request = client.request(method, url.unwrap()).body(body.unwrap_or_default());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn what_its_commands_print_is_what_it_shows() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .unwrap();
    let shown = shown();
    assert_eq!(shown.len(), 8);
    for Shown { command, output } in shown {
        assert_eq!(curl(sandbox.address(), &command).await, output, "{command}");
    }
}

#[tokio::test]
async fn every_fault_that_it_lists_can_be_set() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .unwrap();
    let guide = text_of(GUIDE);
    let rows = guide.lines().filter(|line| line.starts_with("| `{"));
    let faults: Vec<_> = rows.flat_map(quoted).filter(|quoted| quoted.starts_with('{')).collect();
    assert!(faults.len() > 10);
    for fault in faults {
        let value: Value = serde_json::from_str(fault).unwrap_or_else(|error| panic!("{fault}: {error}"));
        sandbox
            .set_faults(value)
            .unwrap_or_else(|error| panic!("{fault}: {error}"));
    }
    sandbox.set_faults(json!({})).unwrap();
}
