//! `certify` knows a right endpoint from each wrong one, says what it can't see, and leaves nothing behind.

mod bad;
mod naive;
mod report;

use rentsync_relay::certify::{Report, Rule, Verdict, certify};
use rentsync_relay::config::{self, Accept, Auth, Certify, Compression, Config, Receiver, RemovedAs};
use rentsync_relay::relay::Stop;
use rentsync_sandbox::{Sandbox, SandboxAuth, SandboxOptions};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::agreed;

pub const FIRST: i64 = 1_000_000;
/// Of the probe for unit errors: a unit of which nothing is known but its id.
const BARE: i64 = FIRST + Rule::UnitErrors as i64 * 10 + 3;
const BURST: i64 = FIRST + 24;

pub fn receiver(url: &str) -> Receiver {
    rustls::crypto::ring::default_provider().install_default().ok();
    Receiver::new("staging", url.parse().unwrap())
}

pub fn settings(read_back: Option<&str>) -> Certify {
    Certify {
        property_id: FIRST,
        read_back: read_back.map(str::to_owned),
    }
}

pub const READ_BACK: Option<&str> = Some("/v1/rent-roll/properties/{project_id}");

/// Against a sandbox that passes over what it doesn't know, with these faults.
async fn against(faults: Value, read_back: Option<&str>, change: impl FnOnce(&mut Receiver)) -> (Report, Sandbox) {
    let mut receiver = receiver("http://127.0.0.1:9/");
    change(&mut receiver);
    let options = SandboxOptions {
        lenient: true,
        ..agreed::options(&receiver)
    };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    sandbox.set_faults(faults).unwrap();
    receiver.url = sandbox.url().parse().unwrap();
    (run(receiver, read_back).await, sandbox)
}

pub async fn run(receiver: Receiver, read_back: Option<&str>) -> Report {
    let (_stop, stopped) = watch::channel(Stop::No);
    certify(receiver, &settings(read_back), None, stopped).await.unwrap()
}

pub fn of(report: &Report, verdict: Verdict) -> Vec<Rule> {
    let rules = report.rules.iter().filter(|rule| rule.finding.verdict == verdict);
    rules.map(|rule| rule.finding.rule).collect()
}

fn proven(receiver: &mut Receiver) {
    let text = "[receivers.staging]\nurl = 'https://receiver.invalid/'\nauth = { method = 'bearer', token = { env = 'PATH' } }";
    let config = Config::parse(Some(text), "relay.toml".as_ref(), &[]).unwrap();
    receiver.auth = config.receivers["staging"].auth.clone();
}

fn leaves_nothing(report: &Report, sandbox: &Sandbox) {
    assert_eq!(report.remains, [""; 0]);
    for property in sandbox.properties() {
        assert_eq!(sandbox.property(property).unwrap().units.len(), 0, "{property}");
        assert!((FIRST..FIRST + 32).contains(&property));
    }
}

#[tokio::test]
async fn a_right_endpoint_keeps_every_rule() {
    let (report, sandbox) = against(json!({ "reject_units": [BARE] }), READ_BACK, proven).await;
    assert_eq!(of(&report, Verdict::NotKept), []);
    assert_eq!(
        of(&report, Verdict::NotVisible),
        [Rule::RateLimit],
        "{:#?}",
        report.rules
    );
    leaves_nothing(&report, &sandbox);
    // Its digests alone show all but the property's own fields.
    let (report, sandbox) = against(json!({ "reject_units": [BARE] }), None, proven).await;
    assert_eq!(of(&report, Verdict::NotKept), []);
    assert_eq!(
        of(&report, Verdict::NotVisible),
        [Rule::PropertyChange, Rule::RateLimit],
        "{:#?}",
        report.rules
    );
    leaves_nothing(&report, &sandbox);
    let advice = Config::parse(Some(&report.settings), "relay.toml".as_ref(), &[]).unwrap();
    let advice = &advice.receivers["staging"];
    assert_eq!((advice.accept, advice.compression), (Accept::Digest, Compression::Gzip));
}

/// Each rule with how the sandbox is made to break it.
fn breaches() -> Vec<(Rule, Value)> {
    let by_name = |rule: Rule, name: &str| (rule, json!({ "break": [name] }));
    vec![
        by_name(Rule::Unreadable, "unreadable"),
        by_name(Rule::Credentials, "credentials"),
        by_name(Rule::Delta, "delta"),
        by_name(Rule::SameAnswer, "same_answer"),
        by_name(Rule::AppliedOnce, "applied_once"),
        by_name(Rule::OlderSequence, "older_sequence"),
        by_name(Rule::OlderSequence, "stale_answer"),
        by_name(Rule::Removal, "removal"),
        by_name(Rule::UnknownRemoval, "unknown_removal"),
        by_name(Rule::ReplacedBy, "replaced_by"),
        by_name(Rule::Snapshot, "snapshot"),
        by_name(Rule::SnapshotParts, "snapshot_parts"),
        by_name(Rule::Keep, "keep"),
        by_name(Rule::PropertyChange, "property_change"),
        by_name(Rule::Replay, "replay"),
        by_name(Rule::Digest, "digest"),
        by_name(Rule::Gzip, "gzip"),
        (Rule::UnitErrors, json!({ "poison_units": [BARE] })),
        (
            Rule::UnitErrors,
            json!({ "poison_units": [BARE], "poison_status": 500 }),
        ),
        (Rule::Digest, json!({ "digest": "ab".repeat(32) })),
        (Rule::LargestBody, json!({ "units_max": 100 })),
        (
            Rule::RateLimit,
            json!({ "status": 429, "property_id": BURST, "times": 2 }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_broken_rule_is_found_and_no_other() {
    let found = breaches().into_iter().map(async |(rule, faults)| {
        let (report, sandbox) = against(faults.clone(), READ_BACK, proven).await;
        assert_eq!(of(&report, Verdict::NotKept), [rule], "{faults}: {:#?}", report.rules);
        let costs = rule.about().costs_truth.then_some(rule.about().name);
        assert_eq!(report.costly(), Vec::from_iter(costs), "{faults}");
        if !matches!(rule, Rule::UnknownRemoval) {
            leaves_nothing(&report, &sandbox);
        }
        assert!(
            Config::parse(Some(&report.settings), "relay.toml".as_ref(), &[]).is_ok(),
            "{}",
            report.settings
        );
    });
    futures_util::future::join_all(found).await;
}

#[tokio::test]
async fn a_digest_alone_shows_each_broken_rule_or_that_it_can_not_be_seen() {
    for (rule, faults) in breaches() {
        let (report, _sandbox) = against(faults.clone(), None, proven).await;
        let not_kept = of(&report, Verdict::NotKept);
        match rule {
            // Only what is read back shows a property's own fields.
            Rule::PropertyChange => assert_eq!(not_kept, [], "{faults}"),
            _ => assert_eq!(not_kept, [rule], "{faults}: {:#?}", report.rules),
        }
    }
}

#[tokio::test]
async fn what_the_relay_sends_later_or_otherwise_is_asked_of_a_strict_endpoint_too() {
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), SandboxOptions::default())
        .await
        .unwrap();
    let report = run(receiver(&sandbox.url()), READ_BACK).await;
    assert_eq!(of(&report, Verdict::NotKept), [Rule::Dates, Rule::UnknownFields]);
    assert_eq!(report.costly(), [""; 0]);
    leaves_nothing(&report, &sandbox);
}

#[tokio::test]
async fn a_limit_that_says_when_to_come_again_is_kept_to() {
    let faults = json!({ "status": 429, "retry_after": 0, "property_id": BURST, "times": 2 });
    let (report, sandbox) = against(faults, READ_BACK, |_| {}).await;
    assert_eq!(of(&report, Verdict::NotKept), []);
    assert!(of(&report, Verdict::Kept).contains(&Rule::RateLimit));
    assert_eq!(report.measured.answered_429, 2);
    assert!(
        report.settings.contains("requests_per_second_max = "),
        "{}",
        report.settings
    );
    leaves_nothing(&report, &sandbox);
}

type Change = fn(&mut Receiver);

#[tokio::test]
async fn every_kind_of_body_is_certified_as_far_as_it_goes() {
    let kinds: [(&str, Change); 7] = [
        ("all properties", |it| it.batch = config::Batch::AllProperties),
        ("nested", |it| it.unit_style = config::UnitStyle::Nested),
        ("flat", |it| it.format = config::Format::Flat),
        ("unit", |it| {
            (it.format, it.units_per_request_max) = (config::Format::Unit, 1)
        }),
        ("unavailable", |it| it.removed = RemovedAs::Unavailable),
        ("guide 4.2", |it| {
            (it.extensions, it.removed) = (false, RemovedAs::Unavailable)
        }),
        ("guide 4.3", |it| {
            (it.format, it.extensions, it.removed) = (config::Format::Flat, false, RemovedAs::Unavailable);
        }),
    ];
    for (kind, change) in kinds {
        let (report, sandbox) = against(json!({}), READ_BACK, change).await;
        assert_eq!(of(&report, Verdict::NotKept), [], "{kind}: {:#?}", report.rules);
        for rule in [Rule::Delta, Rule::Gzip, Rule::UnknownFields, Rule::SameAnswer] {
            assert!(
                of(&report, Verdict::Kept).contains(&rule),
                "{kind}: {rule:?}: {:#?}",
                report.rules
            );
        }
        assert!(report.rules.iter().all(|rule| !rule.finding.why.is_empty()), "{kind}");
        match kind {
            "guide 4.2" | "guide 4.3" => assert!(report.remains[0].contains("may remain"), "{kind}"),
            _ => leaves_nothing(&report, &sandbox),
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_takes_the_guides_own_body_alone_is_found_out() {
    let options = SandboxOptions {
        extensions: false,
        removed: rentsync_sandbox::Removed::Unavailable,
        auth: SandboxAuth::None,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let report = run(receiver(&sandbox.url()), None).await;
    assert_eq!(of(&report, Verdict::NotKept), [Rule::Delta]);
    assert!(report.settings.contains("extensions = false") && report.settings.contains("removed = \"unavailable\""));
    let advice = Config::parse(Some(&report.settings), "relay.toml".as_ref(), &[]).unwrap();
    assert_eq!(advice.receivers["staging"].auth, Auth::None);
}
