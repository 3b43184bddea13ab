//! What stands under deploy/: held to the figures that there are, to the runbook, and to the tools that will read it.
//!
//! A tool that this machine lacks is said in one line, and what it would check is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of figures in a text, as a scrape has them.
fn figures(text: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_of_name(c));
    words
        .filter(|word| word.starts_with("rentsync_"))
        .map(str::to_owned)
        .collect()
}

/// Those that a relay has: the names in its source, with what the format adds to them.
fn known() -> BTreeSet<String> {
    let source = read("src/metrics.rs");
    let (_, names) = source.split_once("mod name {").expect("the names");
    let (names, _) = names.split_once("\n}").expect("their end");
    let with_end = |name: &str| match name {
        "rentsync_build" => "rentsync_build_info".to_owned(),
        "rentsync_syncs_delivered" | "rentsync_attempts_failed" | "rentsync_alerts" => format!("{name}_total"),
        name => name.to_owned(),
    };
    figures(names).iter().map(|name| with_end(name)).collect()
}

/// Runs a tool; false where it is not there.
fn ran(tool: &str, arguments: &[&str], at: &Path) -> bool {
    match Command::new(tool).args(arguments).current_dir(at).output() {
        Err(_) => {
            eprintln!("{tool} is not on this machine: what it would check of deploy/ is left out");
            false
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{tool} {arguments:?}: {said}");
            true
        }
    }
}

#[test]
fn every_figure_in_rules_and_dashboard_exists_and_every_one_that_exists_is_shown() {
    let known = known();
    let rules = figures(&read("deploy/prometheus/rules.yml"));
    let dashboard = figures(&read("deploy/grafana/rentsync-relay.json"));
    for named in rules.union(&dashboard) {
        assert!(known.contains(named), "{named} is no figure of the relay's");
    }
    let hidden: Vec<&String> = known.difference(&dashboard).collect();
    assert!(hidden.is_empty(), "not in the dashboard: {hidden:?}");
    let documented = read("docs/metrics.md");
    for name in &known {
        let short = name.strip_prefix("rentsync_feeds").unwrap_or(name);
        assert!(documented.contains(short), "docs/metrics.md lacks {name}");
    }
}

#[test]
fn every_rule_fires_nearly_fires_and_ends() {
    let at = root().join("deploy/prometheus");
    let rules = read("deploy/prometheus/rules.yml");
    let tests = read("deploy/prometheus/tests.yml");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let named = format!("alertname=\"{alert}\"");
        assert!(tests.matches(&named).count() >= 3, "{alert} needs three cases");
    }
    if ran("promtool", &["check", "rules", "rules.yml"], &at) {
        ran("promtool", &["test", "rules", "tests.yml"], &at);
    }
}

#[test]
fn every_rule_says_what_to_do() {
    let rules = read("deploy/prometheus/rules.yml");
    let runbook = read("docs/runbook.md");
    let mut alerts = 0;
    for rule in rules.split("- alert: ").skip(1) {
        let alert = rule.lines().next().expect("a name").trim();
        alerts += 1;
        assert!(
            runbook.contains(&format!("\n### {alert}\n")),
            "the runbook lacks {alert}"
        );
        let link = format!("runbook_url: docs/runbook.md#{}", alert.to_lowercase());
        for part in [&link, "severity: ", "summary: ", "description: "] {
            assert!(rule.contains(part), "{alert} lacks {part}");
        }
    }
    let sections = runbook.matches("\n### Rentsync").count();
    assert_eq!(sections, alerts, "a section for each alert and no other");
}

#[test]
fn the_dashboard_keeps_to_the_rules_of_its_linter() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/rentsync-relay.json")).expect("JSON");
    assert_eq!(dashboard["editable"], false);
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    for name in ["datasource", "job", "instance"] {
        assert!(variables.iter().any(|variable| variable["name"] == name), "{name}");
    }
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        assert!(!title.is_empty());
        assert!(
            panel["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{title}"
        );
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        for target in panel["targets"].as_array().expect("targets") {
            let query = target["expr"].as_str().expect("a query");
            assert!(
                query.contains("job=~\"$job\"") && query.contains("instance=~\"$instance\""),
                "{query}"
            );
            let is_over_time = query.contains("rate(") || query.contains("increase(");
            assert_eq!(is_over_time, query.contains("[$__rate_interval]"), "{query}");
        }
    }
}

#[test]
fn units_of_systemd_are_sound_and_locked_up() {
    let at = root().join("deploy/systemd");
    for unit in ["rentsync-relay.service", "rentsync-relay-once.service"] {
        let path = at.join(unit);
        let path = path.to_str().expect("a path");
        // In tenths: 2.0 of 10.
        ran(
            "systemd-analyze",
            &["security", "--offline=true", "--threshold=20", path],
            &at,
        );
        for setting in ["DynamicUser=yes", "LoadCredential=", "NoNewPrivileges=yes"] {
            assert!(
                read(&format!("deploy/systemd/{unit}")).contains(setting),
                "{unit}: {setting}"
            );
        }
    }
}

#[test]
fn the_function_for_lambda_is_given_settings_that_are_valid_and_time_enough() {
    let template = read("deploy/lambda/template.yaml");
    let (_, variables) = template.split_once("        Variables:\n").expect("variables");
    let mut check = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"));
    check.arg("check").env_clear().current_dir(std::env::temp_dir());
    for line in variables.lines().take_while(|line| line.starts_with("          ")) {
        let Some((name, value)) = line.trim().split_once(": ").filter(|(name, _)| !name.starts_with('#')) else {
            continue;
        };
        let value = match value {
            "!Ref DatabaseUrl" => "postgres://relay:password@db.invalid/aigent",
            "!Ref AvailableStatusIds" => "[1]",
            "!Ref ReceiverUrl" => "https://receiver.invalid/v1/rent-roll/sync",
            "!Ref ApiKey" => "key",
            value => value.trim_matches(['\'', '"']),
        };
        check.env(name, value);
    }
    let said = check.output().expect("it starts");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let timeout = template.lines().find_map(|line| line.trim().strip_prefix("Timeout: "));
    // A request may take 30 s by default, its lease 10 s more, the answer 2 s.
    assert!(
        timeout
            .and_then(|seconds| seconds.parse::<u32>().ok())
            .is_some_and(|seconds| seconds > 42)
    );
    assert!(template.contains(r#"Input: '{"command":"snapshot"}'"#) && template.contains("Input: \"{}\""));
}
