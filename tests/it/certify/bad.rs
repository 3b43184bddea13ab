//! What is no endpoint: one clear sentence, and nothing is sent of any property.

use rentsync_relay::certify::certify;
use rentsync_relay::fault::{exit_code, sentence};
use rentsync_relay::relay::Stop;
use tokio::process::Command;
use tokio::sync::watch;

use super::{FIRST, receiver, settings};
use crate::process::{bare, refused};
use crate::receiver::stub::{Stub, answer, deserted};
use crate::support::TestDatabase;

async fn failed(url: &str) -> (u8, String) {
    let (_stop, stopped) = watch::channel(Stop::No);
    let error = certify(receiver(url), &settings(None), None, stopped)
        .await
        .expect_err("no report");
    (exit_code(&error), sentence(&error))
}

#[tokio::test]
async fn what_is_no_endpoint_is_said_in_a_sentence_and_sent_nothing() {
    for (status, headers, text, code, said) in [
        (
            200,
            vec![("content-type", "text/html")],
            "<!doctype html><p>Log in",
            3,
            "an HTML page",
        ),
        (
            302,
            vec![("location", "https://elsewhere.example/")],
            "",
            3,
            "redirect (302)",
        ),
        (404, vec![], "no", 3, "answers 404; look at the path"),
        (405, vec![], "", 3, "answers 405"),
        (401, vec![], "who?", 2, "does not accept the credentials"),
    ] {
        let stub = Stub::answering(move |_, _| answer(status, &headers, text)).await;
        let (exit, sentence) = failed(&stub.url).await;
        assert_eq!(exit, code, "{sentence}");
        assert!(
            sentence.contains(said) && sentence.to_lowercase().contains("nothing was sent"),
            "{sentence}"
        );
        for received in stub.received() {
            assert!(received.body.is_empty() || received.body == b"{}", "{status}");
        }
    }
    let (exit, sentence) = failed(&format!("http://{}/sync", deserted().await)).await;
    assert_eq!(exit, 3, "{sentence}");
    assert!(
        sentence.contains("can't be reached: no connection") && sentence.contains("nothing was sent"),
        "{sentence}"
    );
}

fn command(url: &str, yes: &str) -> Command {
    bare(&["certify", "--url", url, "--yes", yes])
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_nobody_confirmed() {
    let stub = Stub::answering(|_, _| answer(200, &[], "{}")).await;
    refused(
        command(&stub.url, "api.rentsync.com"),
        2,
        &["--yes api.rentsync.com is not the host of --url, which is 127.0.0.1"],
    )
    .await;
    refused(bare(&["certify", "--url", &stub.url]), 2, &["--yes <HOST>"]).await;
    refused(
        command("http://partner.example/sync", "partner.example"),
        2,
        &["--url must be https"],
    )
    .await;
    refused(
        command("https://a:b@partner.example/", "partner.example"),
        2,
        &["secrets belong into the receiver's auth table"],
    )
    .await;
    let mut named = command(&stub.url, "127.0.0.1");
    named.args(["--report", "report.txt"]);
    refused(named, 2, &["ends in .md or .json"]).await;
    assert_eq!(stub.received().len(), 0);
}

#[tokio::test]
async fn ids_that_the_source_has_are_refused() {
    let stub = Stub::answering(|_, _| answer(200, &[], "{}")).await;
    let database = TestDatabase::installed().await;
    database
        .execute("insert into projects (id, name, is_actived) values (1000007, 'real', true)")
        .await;
    let with = |first: i64| {
        let mut command = command(&stub.url, "127.0.0.1");
        command
            .env("DATABASE_URL", database.url())
            .env("RELAY_CERTIFY__PROPERTY_ID", first.to_string());
        command
    };
    refused(with(FIRST), 2, &["property 1000007 is a real one", "Nothing was sent"]).await;
    database
        .execute("insert into project_rent_roll_units (id, project_id) values (2001999, 1000007)")
        .await;
    refused(with(2_000_000), 2, &["unit 2001999 is a real one"]).await;
    assert_eq!(stub.received().len(), 0);
}

#[tokio::test]
async fn one_that_goes_away_is_given_up_and_what_may_remain_is_said() {
    let sandbox = rentsync_sandbox::Sandbox::start(([127, 0, 0, 1], 0).into(), Default::default())
        .await
        .unwrap();
    sandbox.set_faults(serde_json::json!({ "delay_ms": 10 })).unwrap();
    let url = sandbox.url();
    let going = async {
        let begun = sandbox.wait_until(|it| it.properties().len() > 3, crate::process::LIMIT);
        assert!(begun.await);
        sandbox.stop().await;
    };
    let (report, ()) = tokio::join!(super::run(receiver(&url), None), going);
    assert_eq!(report.given_up.as_deref(), Some("3 requests in a row had no answer"));
    assert!(
        report
            .rules
            .iter()
            .any(|rule| rule.finding.why.starts_with("it was not asked: 3 requests"))
    );
    assert!(
        report.remains[0].ends_with("units may remain: there was no answer"),
        "{:?}",
        report.remains
    );
    assert_eq!(report.costly(), [""; 0], "{:#?}", report.rules);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_an_error_of_the_settings() {
    let stub = Stub::answering(|_, _| answer(200, &[], "{}")).await;
    let mut command = command(&stub.url, "127.0.0.1");
    command.env("RELAY_RECEIVERS__MAIN__URL", &stub.url).env(
        "RELAY_RECEIVERS__MAIN__AUTH",
        "{ method = 'bearer', token = { env = 'UNSET' } }",
    );
    refused(command, 2, &["UNSET"]).await;
    assert!(stub.received().iter().all(|received| received.body.is_empty()));
}
