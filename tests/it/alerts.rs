//! What a person is warned of and can do about it: refused units, alerts, posts to a webhook.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rentsync_relay::alert::{self, Alert, Kind, Poster};
use rentsync_relay::config::SecretUrl;
use rentsync_relay::relay::Stop;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::watch;

use crate::process::{LIMIT, ended, output, refused, relay, said, signal};
use crate::receiver::stub::{Stub, answer, deserted, raw};
use crate::support::execute;
use crate::support::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);

async fn ok(command: Command) -> String {
    let output = output(command).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output)
}

async fn listed(rig: &Rig, arguments: &[&str]) -> Vec<Value> {
    let output = output(relay(rig, &[arguments, &["--json"]].concat())).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

/// The receiver refuses units 11 and 22; the second's reason is long and would break a table.
async fn with_refused_units() -> Rig {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "reject_units": [11, 22] }));
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.deliver().await;
    rig.no_faults();
    rig.sandbox.clear_log();
    rig
}

#[tokio::test]
async fn refused_units_are_listed_and_sent_again_by_command() {
    let rig = with_refused_units().await;
    let units = listed(&rig, &["refused", "list"]).await;
    let ids: Vec<_> = units
        .iter()
        .map(|unit| (&unit["property_id"], &unit["unit_id"]))
        .collect();
    assert_eq!(ids, [(&json!(1), &json!(11)), (&json!(2), &json!(22))]);
    assert_eq!(
        (&units[0]["unit_code"], &units[0]["what"]),
        (&json!("11"), &json!("content"))
    );
    assert!(
        units[0]["since"].is_string() && units[0]["because"].is_string(),
        "{units:?}"
    );
    assert_eq!(
        ok(relay(&rig, &["refused", "list"])).await.lines().count(),
        3,
        "one line each"
    );

    rig.plan().await;
    assert_eq!(rig.deliver().await.delivered, 0, "left out until they change");
    ok(relay(&rig, &["refused", "retry", "11"])).await;
    ok(relay(&rig, &["once"])).await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200)], "that unit alone");
    assert_eq!(listed(&rig, &["refused", "list"]).await.len(), 1);
    let all = ok(relay(&rig, &["refused", "retry", "--all"])).await;
    assert!(all.contains("unit 22 of property 2"), "{all}");
    ok(relay(&rig, &["once"])).await;
    rig.assert_equal().await;
    assert!(
        ok(relay(&rig, &["refused", "list"]))
            .await
            .contains("nothing is refused")
    );
    ok(relay(&rig, &["refused", "retry", "--all"])).await;
}

#[tokio::test]
async fn a_running_relay_sends_a_retried_unit_without_waiting_for_its_sweep() {
    let rig = with_refused_units().await;
    let mut conn = rig.source.connect().await;
    let mut hands = rig.hands().await;
    hands.work(&rig).await;
    ok(relay(&rig, &["refused", "retry", "22"])).await;
    let step = hands.planner.step(&mut conn, &rig.scope(), LIMIT).await.expect("plan");
    assert_eq!((step.planned.syncs, step.planned.units), (1, 1), "noticed, not swept");
}

#[tokio::test]
async fn a_refused_removal_is_listed_as_one() {
    let rig = Rig::delivered().await;
    rig.faults(json!({ "refuse_units": [12] }));
    rig.edit("delete from project_rent_roll_units where id = 12").await;
    rig.plan().await;
    rig.deliver().await;
    rig.no_faults();
    let units = listed(&rig, &["refused", "list"]).await;
    assert_eq!(
        (&units[0]["unit_id"], &units[0]["what"]),
        (&json!(12), &json!("removal"))
    );
    ok(relay(&rig, &["refused", "retry", "12"])).await;
    ok(relay(&rig, &["once"])).await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn what_is_invalid_is_listed_apart_and_cannot_be_retried() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 13")
        .await;
    rig.settle().await;
    assert_eq!(listed(&rig, &["refused", "list"]).await, [] as [Value; 0]);
    let people = ok(relay(&rig, &["refused", "list"])).await;
    assert!(
        people.contains("1 unit can't be sealed") && people.contains("--invalid"),
        "{people}"
    );
    let invalid = listed(&rig, &["refused", "list", "--invalid"]).await;
    assert_eq!((invalid.len(), &invalid[0]["unit_id"]), (1, &json!(13)));
    refused(
        relay(&rig, &["refused", "retry", "13"]),
        2,
        &["13", "put right in the source"],
    )
    .await;
}

#[tokio::test]
async fn a_retry_of_a_paused_property_says_when_it_will_be_sent() {
    let rig = with_refused_units().await;
    ok(relay(&rig, &["feeds", "pause", "1"])).await;
    let done = ok(relay(&rig, &["refused", "retry", "--all"])).await;
    assert!(done.contains("2 units") && done.contains("feeds resume 1"), "{done}");
    assert!(!done.contains("feeds resume 2"), "{done}");
}

#[tokio::test]
async fn a_retry_needs_a_refused_unit_and_where_there_is_a_choice_a_receiver() {
    let rig = with_refused_units().await;
    refused(
        relay(&rig, &["refused", "retry", "999"]),
        2,
        &["999", "not refused", "refused list"],
    )
    .await;
    refused(relay(&rig, &["refused", "retry", "12"]), 2, &["12", "not refused"]).await;
    refused(relay(&rig, &["refused", "retry"]), 2, &["UNIT_ID"]).await;
    refused(relay(&rig, &["refused", "retry", "11", "--all"]), 2, &["--all"]).await;
    refused(relay(&rig, &["refused", "list", "--receiver", "nope"]), 2, &["nope"]).await;
    let of_two = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:1/");
        command
    };
    refused(of_two(&["refused", "retry", "11"]), 2, &["main, other", "--receiver"]).await;
    refused(
        of_two(&["refused", "retry", "11", "--receiver", "other"]),
        2,
        &["other"],
    )
    .await;
    ok(of_two(&["refused", "retry", "11", "--receiver", "main"])).await;
}

#[tokio::test]
async fn alerts_are_listed_until_they_are_acknowledged() {
    let rig = Rig::delivered().await;
    for _ in 0..2 {
        rig.faults(json!({ "status": 400, "property_id": 1, "times": 1 }));
        rig.edit("update project_rent_roll_units set price = price + 1 where id = 11")
            .await;
        rig.settle().await;
    }
    let open = listed(&rig, &["alerts", "list"]).await;
    let rejected = open.iter().find(|alert| alert["kind"] == "rejected").expect("rejected");
    assert_eq!(
        (&rejected["receiver"], &rejected["property_id"], &rejected["times"]),
        (&json!("main"), &json!(1), &json!(2))
    );
    assert!(rejected.get("acked_at").is_none(), "{rejected}");
    let id = rejected["id"].to_string();
    ok(relay(&rig, &["alerts", "ack", &id])).await;
    assert_eq!(listed(&rig, &["alerts", "list"]).await.len(), open.len() - 1);
    let all = listed(&rig, &["alerts", "list", "--all"]).await;
    assert_eq!(all.len(), open.len());
    assert_eq!(all.iter().filter(|alert| alert["acked_at"].is_string()).count(), 1);

    refused(relay(&rig, &["alerts", "ack", &id]), 2, &[&id, "not open"]).await;
    refused(relay(&rig, &["alerts", "ack", "999"]), 2, &["no alert 999"]).await;
    refused(relay(&rig, &["alerts", "ack"]), 2, &["ID"]).await;
    refused(relay(&rig, &["alerts", "list", "--receiver", "nope"]), 2, &["nope"]).await;
}

#[tokio::test]
async fn all_alerts_are_acknowledged_at_once_of_the_receiver_that_is_meant() {
    let rig = Rig::delivered().await;
    rig.edit(
        "insert into rentsync.receiver (receiver) values ('other');
         insert into rentsync.alert (kind, receiver, property_id, message, raised_at, last_at)
         values ('rejected', 'main', 1, 'one', now(), now()), ('rejected', 'main', 2, 'two', now(), now()),
                ('plan', 'other', null, 'three', now(), now())",
    )
    .await;
    let of_two = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_RECEIVERS__OTHER__URL", "http://127.0.0.1:1/");
        command
    };
    refused(of_two(&["alerts", "ack", "--all"]), 2, &["main, other", "--receiver"]).await;
    let done = ok(of_two(&["alerts", "ack", "--all", "--receiver", "main"])).await;
    assert!(done.contains("2 alerts acknowledged"), "{done}");
    let left = listed(&rig, &["alerts", "list"]).await;
    assert_eq!((left.len(), &left[0]["receiver"]), (1, &json!("other")));
    ok(relay(&rig, &["alerts", "ack", "--all"])).await;
    let none = ok(relay(&rig, &["alerts", "list"])).await;
    assert!(none.contains("no open alerts"), "{none}");
}

async fn raise(rig: &Rig, kind: Kind, property_id: Option<i64>, message: &str) {
    let alert = Alert {
        kind,
        receiver: "main".to_owned(),
        property_id,
        message: message.to_owned(),
    };
    alert::raise(&mut rig.source.connect().await, &alert, rig.clock.now())
        .await
        .expect("raise");
}

fn poster(rig: &Rig, url: &str) -> Poster {
    Poster::new(&SecretUrl::Given(url.into()), rig.clock.clone()).expect("poster")
}

async fn post(rig: &Rig, poster: &Poster) -> usize {
    poster.post_due(&mut rig.source.connect().await).await.expect("post")
}

/// The `text` of everything that the webhook got.
fn texts(webhook: &Stub) -> Vec<String> {
    let text = |body: Value| body["text"].as_str().expect("text").to_owned();
    let bodies = webhook.received().into_iter().map(|request| {
        assert_eq!(request.header("content-type"), Some("application/json"));
        serde_json::from_slice(&request.body).expect("JSON")
    });
    bodies.map(text).collect()
}

async fn never_answer(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

async fn willing() -> Stub {
    Stub::answering(|_, _| answer(200, &[], "ok")).await
}

#[tokio::test]
async fn one_post_a_kind_and_receiver_says_what_is_newest() {
    let rig = Rig::delivered().await;
    let webhook = willing().await;
    let poster = poster(&rig, &webhook.url);
    assert_eq!(post(&rig, &poster).await, 0, "nothing to say");
    raise(&rig, Kind::Rejected, Some(1), "the first").await;
    rig.pass(MINUTE);
    raise(&rig, Kind::Plan, None, "planning stopped").await;
    rig.pass(MINUTE);
    raise(&rig, Kind::Rejected, Some(2), "the second").await;
    raise(&rig, Kind::Rejected, Some(2), "the third").await;
    assert_eq!(post(&rig, &poster).await, 2);
    assert_eq!(
        texts(&webhook),
        [
            "rentsync-relay: plan, receiver main: planning stopped",
            "rentsync-relay: rejected, receiver main, property 2, 2 times: the third \
             (and 1 more of this kind, see `alerts list`)",
        ]
    );
}

#[tokio::test]
async fn what_happens_again_is_posted_hourly_and_what_does_not_is_not() {
    let rig = Rig::delivered().await;
    let webhook = willing().await;
    let poster = poster(&rig, &webhook.url);
    raise(&rig, Kind::Rejected, Some(1), "at first").await;
    assert_eq!(post(&rig, &poster).await, 1);
    rig.pass(59 * MINUTE);
    raise(&rig, Kind::Rejected, Some(1), "again").await;
    raise(&rig, Kind::Stale, Some(1), "another kind").await;
    assert_eq!(post(&rig, &poster).await, 1, "the other kind alone");
    rig.pass(MINUTE);
    assert_eq!(post(&rig, &poster).await, 1, "an hour later");
    assert!(texts(&webhook)[2].contains("again"), "{:?}", texts(&webhook));
    rig.pass(5 * 60 * MINUTE);
    assert_eq!(post(&rig, &poster).await, 0, "it did not happen again");
}

#[tokio::test]
async fn what_is_acknowledged_or_over_is_not_posted_any_more() {
    let rig = Rig::delivered().await;
    let webhook = willing().await;
    let poster = poster(&rig, &webhook.url);
    raise(&rig, Kind::Rejected, Some(1), "a person knows").await;
    raise(&rig, Kind::BreakerOpen, None, "over by itself").await;
    ok(relay(&rig, &["alerts", "ack", "1"])).await;
    let mut conn = rig.source.connect().await;
    rig.pass(MINUTE);
    alert::resolve(&mut conn, "main", &[Kind::BreakerOpen], rig.clock.now())
        .await
        .expect("resolve");
    assert_eq!(post(&rig, &poster).await, 0);
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_every_minute_for_as_long_as_a_day() {
    let rig = Rig::delivered().await;
    let webhook = Stub::answering(|number, _| answer(if number < 200 { 503 } else { 200 }, &[], "")).await;
    let poster = poster(&rig, &webhook.url);
    raise(&rig, Kind::Rejected, Some(1), "bad").await;
    raise(&rig, Kind::Stale, Some(1), "worse").await;
    for tries in 1..=200 {
        assert_eq!(post(&rig, &poster).await, 0);
        assert_eq!(post(&rig, &poster).await, 0);
        assert_eq!(webhook.received().len(), tries, "one try a minute, of one of them");
        rig.pass(MINUTE);
    }
    assert_eq!(post(&rig, &poster).await, 2, "hours later");
}

#[tokio::test]
async fn of_several_relays_one_posts() {
    let rig = Rig::delivered().await;
    let webhook = willing().await;
    let poster = poster(&rig, &webhook.url);
    raise(&rig, Kind::Rejected, Some(1), "bad").await;
    rig.edit("insert into rentsync.alert_post (kind, receiver, due_at) values ('rejected', 'main', 'epoch')")
        .await;
    // All of them have looked, and wait behind this to claim the same.
    let mut gate = rig.source.connect().await;
    execute(&mut gate, "begin; select from rentsync.alert_post for update").await;
    let posts = futures_util::future::join_all((0..8).map(|_| post(&rig, &poster)));
    let opening = async {
        while rig.source.waiting().await < 8 {}
        execute(&mut gate, "commit").await;
    };
    let (posted, ()) = tokio::join!(posts, opening);
    assert_eq!((posted.iter().sum::<usize>(), webhook.received().len()), (1, 1));
}

#[tokio::test]
async fn an_outage_and_its_end_are_posted() {
    let mut rig = Rig::delivered().await;
    rig.receiver.breaker.failures = 2;
    let webhook = willing().await;
    let poster = poster(&rig, &webhook.url);
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.deliver().await;
    assert_eq!(post(&rig, &poster).await, 1);
    rig.no_faults();
    rig.settle().await;
    assert_eq!(post(&rig, &poster).await, 1);
    let texts = texts(&webhook);
    assert!(
        texts[0].contains("breaker_open") && texts[0].contains("503"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("breaker_closed") && texts[1].contains("answers again"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn a_webhook_that_never_answers_is_in_nobodys_way() {
    let rig = Rig::new().await;
    raise(&rig, Kind::Rejected, Some(1), "bad").await;
    let (address, heads) = raw(b"", never_answer).await;
    let mut working = rig.relay();
    working.config.alerts.webhook_url = Some(SecretUrl::Given(format!("http://{address}/").into()));
    let (stop, stopped) = watch::channel(Stop::No);
    let running = tokio::spawn(working.run(stopped));
    let delivered = rig.sandbox.wait_until(|sandbox| sandbox.syncs().len() == 2, LIMIT);
    assert!(delivered.await, "deliveries go on");
    let asked = async {
        while heads.lock().expect("heads").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, asked).await.expect("the webhook is asked");
    let before = Instant::now();
    stop.send_replace(Stop::Finish);
    tokio::time::timeout(LIMIT, running)
        .await
        .expect("it stops")
        .expect("join")
        .expect("run");
    assert!(before.elapsed() < Duration::from_secs(5), "a stop does not wait for it");
}

#[tokio::test]
async fn a_webhook_that_never_answers_is_given_up_and_tried_again() {
    let rig = Rig::delivered().await;
    raise(&rig, Kind::Rejected, Some(1), "bad").await;
    let (address, heads) = raw(b"", never_answer).await;
    let mut poster = poster(&rig, &format!("http://{address}/"));
    poster.timeout = Duration::from_millis(50);
    for tries in 1..=2 {
        let posted = tokio::time::timeout(LIMIT, post(&rig, &poster)).await;
        assert_eq!(posted.expect("it ends"), 0);
        assert_eq!(heads.lock().expect("heads").len(), tries);
        rig.pass(MINUTE);
    }
}

/// Lines of a running relay's log until one has this in it.
async fn log_until(rig: &Rig, webhook: &str, part: &str) -> String {
    let mut child = relay(rig, &["run"])
        .env("RELAY_LOG", "trace")
        .env("RELAY_ALERTS__WEBHOOK_URL", webhook)
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let reading = async {
        let mut log = String::new();
        while let Some(line) = lines.next_line().await.expect("a line") {
            log.push_str(&line);
            log.push('\n');
            if line.contains(part) {
                return log;
            }
        }
        panic!("{part:?} is not in: {log}");
    };
    let log = tokio::time::timeout(LIMIT, reading).await.expect("it is logged");
    signal(&child, rustix::process::Signal::TERM);
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    assert_eq!(ended(child).await, Some(0));
    log
}

#[tokio::test]
async fn the_webhooks_url_is_in_no_log_whatever_goes_wrong() {
    let rig = Rig::new().await;
    raise(&rig, Kind::Rejected, Some(1), "bad").await;
    let moved = Stub::answering(|_, _| answer(302, &[("location", "https://elsewhere.example/")], "")).await;
    for place in [deserted().await, moved.url[7..].replace("/sync", "")] {
        rig.edit("delete from rentsync.alert_post").await;
        let url = format!("http://{place}/T0/hunter2?token=hunter2");
        let log = log_until(&rig, &url, "could not be posted").await;
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn once_posts_what_it_found_and_is_not_failed_by_the_webhook() {
    let rig = Rig::new().await;
    let webhook = willing().await;
    rig.faults(json!({ "reject_units": [11] }));
    let with = |url: &str| {
        let mut command = relay(&rig, &["once"]);
        command.env("RELAY_ALERTS__WEBHOOK_URL", url);
        command
    };
    output(with(&webhook.url)).await;
    assert!(texts(&webhook)[0].contains("refuse"), "{:?}", texts(&webhook));
    rig.edit("delete from rentsync.alert_post").await;
    let done = ok(with(&format!("http://{}/hunter2", deserted().await))).await;
    assert!(
        done.contains("could not be posted") && done.contains("refused"),
        "{done}"
    );
    assert!(!done.contains("hunter2"), "{done}");
}

#[tokio::test]
async fn status_and_receivers_list_say_what_the_breaker_does_and_when_it_tries_again() {
    let mut rig = Rig::delivered().await;
    rig.receiver.breaker.failures = 2;
    let one = async |arguments: &[&str]| listed(&rig, arguments).await.remove(0);
    let well = one(&["status"]).await;
    assert_eq!(
        (&well["state"], &well["because"], &well["failures_in_a_row"]),
        (&json!("sending"), &Value::Null, &json!(0))
    );
    let text = ok(relay(&rig, &["status"])).await;
    assert!(
        text.starts_with("receiver main: sending\n") && !text.contains("probe"),
        "{text}"
    );

    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = price + 1").await;
    rig.plan().await;
    rig.deliver().await;
    let down = one(&["status"]).await;
    assert_eq!((&down["feeds_behind"], &down["open_syncs"]), (&json!(2), &json!(0)));
    assert!(down["oldest_change"].is_string(), "given up is not delivered: {down}");
    for listing in [&["status"][..], &["receivers", "list"]] {
        let down = one(listing).await;
        assert_eq!(
            (&down["state"], &down["failures_in_a_row"]),
            (&json!("paused"), &json!(2))
        );
        assert!(
            down["because"].as_str().is_some_and(|because| because.contains("503")),
            "{down}"
        );
        assert!(down["since"].is_string() && down["next_probe"].is_string(), "{down}");
        assert!(down["concurrency"].is_number(), "it was overburdened: {down}");
        let text = ok(relay(&rig, listing)).await;
        for part in ["paused", "503", "next probe", "Z"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }
    let text = ok(relay(&rig, &["status"])).await;
    assert!(
        text.contains("(in ") && text.contains(" ago)") && text.contains("it is overburdened"),
        "{text}"
    );
    assert!(text.contains("! alert 1: breaker_open"), "{text}");

    ok(relay(&rig, &["receivers", "pause", "main"])).await;
    let text = ok(relay(&rig, &["status"])).await;
    assert!(text.contains("receivers resume main"), "{text}");
    assert_eq!(one(&["receivers", "list"]).await["next_probe"], Value::Null);
    ok(relay(&rig, &["receivers", "resume", "main"])).await;
    rig.edit("update rentsync.receiver set wait_until = clock_timestamp() + interval '1 hour'")
        .await;
    assert_eq!(one(&["receivers", "list"]).await["state"], "waiting");
    let text = ok(relay(&rig, &["status"])).await;
    assert!(
        text.contains("asked to wait until") && text.contains("(in 59m"),
        "{text}"
    );
}
