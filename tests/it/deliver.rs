//! Sending: the same bytes until somebody answers, and the right thing done about every answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rentsync_relay::config::{Auth, SecretRef};
use rentsync_sandbox::{Sandbox, SandboxAuth, SandboxOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::support::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// One change, sealed and not yet sent.
async fn sealed() -> Rig {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    assert_eq!(rig.plan().await.syncs, 1);
    rig
}

#[tokio::test]
async fn every_try_sends_the_same_bytes_under_the_same_sync_id() {
    let rig = sealed().await;
    rig.faults(json!({ "drop_before_apply": 1, "drop_after_apply": 1 }));
    rig.settle().await;
    let syncs = rig.sandbox.syncs();
    assert!(syncs.len() >= 3, "{syncs:?}");
    assert!(
        syncs
            .iter()
            .all(|sync| sync.sync_id == syncs[0].sync_id && sync.bytes == syncs[0].bytes)
    );
    // The sandbox refuses a known sync ID with other bytes.
    assert!(syncs.last().unwrap().repeat);
    rig.assert_equal().await;
}

#[tokio::test]
async fn failures_are_tried_again_on_the_guides_schedule_and_then_given_up() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 503 }));
    for (tries, wait) in [(1, 1), (2, 2), (3, 5), (4, 10)] {
        assert_eq!(rig.deliver().await.failed, 1);
        assert_eq!(rig.requests().len(), tries);
        rig.pass(wait * MINUTE - SECOND);
        assert_eq!(rig.deliver().await.failed, 0, "not before its time");
        rig.pass(SECOND);
    }
    rig.deliver().await;
    assert_eq!(rig.states().await.last().unwrap(), "exhausted");
    assert_eq!(rig.alerts().await, ["exhausted"]);
    let owed = "select count(*) from rentsync.ledger where owed = 'in_doubt'";
    assert_eq!(rig.source.number(owed).await, 1);

    // Giving up is not the start of an endless row of new syncs.
    assert_eq!(rig.plan().await.syncs, 0);
    rig.pass(10 * MINUTE - SECOND);
    assert_eq!(rig.plan().await.syncs, 0);
    rig.pass(SECOND);
    assert_eq!(rig.plan().await.units, 1);
    rig.no_faults();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_exhausted_feed_is_planned_again_as_soon_as_the_receiver_takes_anything() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 503, "property_id": 1 }));
    for wait in [1, 2, 5, 10, 0] {
        rig.deliver().await;
        rig.pass(wait * MINUTE);
    }
    assert_eq!(rig.states().await.last().unwrap(), "exhausted");
    rig.no_faults();
    rig.edit("update project_rent_roll_units set price = 2 where id = 21")
        .await;
    assert_eq!(rig.plan().await.units, 1, "only the other property's");
    rig.deliver().await;
    assert_eq!(rig.plan().await.units, 1, "and now what is in doubt");
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn doubt_outlives_a_source_that_went_back_to_what_was_acknowledged() {
    let rig = sealed().await;
    // The receiver applies it, and we never hear of it.
    rig.faults(json!({ "drop_after_apply": 100 }));
    for wait in [1, 2, 5, 10, 0] {
        rig.deliver().await;
        rig.pass(wait * MINUTE);
    }
    rig.no_faults();
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], json!(1.0));
    rig.edit("update project_rent_roll_units set price = 1100 where id = 11")
        .await;
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_removal_in_doubt_is_sent_again_until_it_is_acknowledged() {
    let rig = Rig::delivered().await;
    rig.edit("delete from project_rent_roll_units where id = 11").await;
    rig.plan().await;
    rig.faults(json!({ "status": 500 }));
    for wait in [1, 2, 5, 10, 10] {
        rig.deliver().await;
        rig.pass(wait * MINUTE);
    }
    rig.no_faults();
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where removed = 'deleted'")
            .await,
        1
    );
    rig.settle().await;
    rig.assert_equal().await;
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.ledger where removed is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_rejected_sync_is_never_sent_again_and_other_feeds_go_on() {
    for status in [400, 413, 422, 451] {
        let rig = sealed().await;
        rig.edit("update project_rent_roll_units set price = 1 where id = 21")
            .await;
        rig.plan().await;
        // The later of the two: what is acknowledged after it would have it sent once more.
        rig.faults(json!({ "status": status, "times": 1, "property_id": 1, "delay_ms": 100 }));
        rig.deliver().await;
        assert_eq!(rig.requests(), [(1, 1, 0, status), (2, 1, 0, 200)]);
        assert_eq!(
            rig.alerts().await,
            ["rejected", "refused"],
            "its only unit stands alone"
        );
        assert_eq!(rig.plan().await.syncs, 0, "and is left out");
        rig.edit("update project_rent_roll_units set price = 2 where id = 11")
            .await;
        rig.settle().await;
        let syncs = rig.sandbox.syncs();
        let first = syncs.iter().find(|sync| sync.status == Some(status)).unwrap();
        let again = syncs.iter().filter(|sync| sync.sync_id == first.sync_id).count();
        assert_eq!(again, 1, "{status}");
        rig.assert_equal().await;
    }
}

#[tokio::test]
async fn a_receiver_that_shuts_its_door_is_paused_until_a_probe_gets_through() {
    for status in [401, 403, 404, 410, 302] {
        let rig = sealed().await;
        rig.faults(json!({ "status": status, "location": "http://127.0.0.1:9/" }));
        rig.deliver().await;
        assert_eq!(rig.requests(), [(1, 1, 0, status)], "and no redirect is followed");
        assert_eq!(rig.alerts().await, ["paused"]);

        rig.edit("update project_rent_roll_units set price = 3").await;
        let mut hands = rig.hands().await;
        for _ in 0..3 {
            hands.round(&rig).await;
        }
        assert_eq!(rig.requests().len(), 1, "nothing is sealed or sent");
        rig.pass(15 * MINUTE - 20 * SECOND);
        hands.round(&rig).await;
        assert_eq!(rig.requests().len(), 1);
        rig.pass(20 * SECOND);
        hands.round(&rig).await;
        assert_eq!(rig.requests().len(), 2, "one probe");
        hands.round(&rig).await;
        assert_eq!(rig.requests().len(), 2, "and only one");
        rig.no_faults();
        rig.settle().await;
        rig.assert_equal().await;
        assert_eq!(
            rig.source
                .number("select count(*) from rentsync.receiver where paused_at is not null")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn a_rate_limit_silences_the_whole_receiver_and_burns_no_attempt() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 429, "retry_after": 90, "times": 1 }));
    rig.deliver().await;
    rig.edit("update project_rent_roll_units set price = 2 where id = 21")
        .await;
    rig.plan().await;
    rig.pass(89 * SECOND);
    rig.deliver().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 429)], "the other feed is silent too");
    assert_eq!(
        rig.source
            .number("select max(attempts)::bigint from rentsync.sync where state = 'open'")
            .await,
        0
    );
    rig.pass(SECOND);
    rig.deliver().await;
    assert_eq!(rig.requests(), [(1, 1, 0, 200), (1, 1, 0, 429), (2, 1, 0, 200)]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn retry_after_puts_a_retry_off_further_than_the_schedule() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 503, "retry_after": 600, "times": 1 }));
    rig.deliver().await;
    rig.pass(599 * SECOND);
    rig.deliver().await;
    assert_eq!(rig.requests().len(), 1);
    rig.pass(SECOND);
    rig.deliver().await;
    assert_eq!(rig.requests().len(), 2);
}

#[tokio::test]
async fn a_dead_relays_lease_is_taken_over_and_its_late_failure_counts_for_nothing() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 500, "times": 1 }));
    let mut first = rig.deliverer("first:1").await;
    assert_eq!(first.start_due().await.unwrap(), 1);
    let late = first.ended().await.unwrap();

    assert_eq!(rig.deliver().await.delivered, 0, "leased");
    rig.pass(rig.receiver.timeout + 10 * SECOND);
    let mut second = rig.deliverer("second:1").await;
    assert_eq!(second.start_due().await.unwrap(), 1, "taken over");
    assert_eq!(first.settle(late).await.unwrap().failed, 1);
    let attempts = "select attempts::bigint from rentsync.sync where state = 'open'";
    assert_eq!(rig.source.number(attempts).await, 0, "not under the newest lease");
    let ended = second.ended().await.unwrap();
    assert_eq!(second.settle(ended).await.unwrap().delivered, 1);
    rig.assert_equal().await;
    let tries = "select count(*) from rentsync.attempt a join rentsync.sync s using (sequence) where s.lease = 2";
    assert_eq!(rig.source.number(tries).await, 2, "one row a try");
}

#[tokio::test]
async fn a_late_success_counts_though_the_lease_was_lost() {
    let rig = sealed().await;
    let mut first = rig.deliverer("first:1").await;
    first.start_due().await.unwrap();
    let late = first.ended().await.unwrap();
    rig.pass(rig.receiver.timeout + 10 * SECOND);
    rig.faults(json!({ "status": 500 }));
    let mut second = rig.deliverer("second:1").await;
    second.start_due().await.unwrap();
    let failure = second.ended().await.unwrap();
    assert_eq!(first.settle(late).await.unwrap().delivered, 1);
    second.settle(failure).await.unwrap();
    assert_eq!(rig.states().await.last().unwrap(), "delivered");
}

#[tokio::test]
async fn a_sync_that_kills_its_relays_is_given_up_after_a_bound() {
    let rig = sealed().await;
    for _ in 0..5 {
        let mut dying = rig.deliverer("dying:1").await;
        assert_eq!(dying.start_due().await.unwrap(), 1);
        dying.ended().await.unwrap();
        drop(dying);
        rig.pass(rig.receiver.timeout + 10 * SECOND);
    }
    let sent = rig.requests().len();
    rig.deliver().await;
    assert_eq!(rig.requests().len(), sent, "not sent again");
    assert_eq!(rig.states().await.last().unwrap(), "exhausted");
    assert_eq!(rig.alerts().await, ["exhausted"]);
}

#[tokio::test]
async fn what_a_stop_cuts_off_is_no_failed_try_and_is_due_at_once() {
    let rig = sealed().await;
    rig.faults(json!({ "delay_ms": 60_000 }));
    let mut stopping = rig.deliverer("stopping:1").await;
    stopping.start_due().await.unwrap();
    stopping.cut_off().await.unwrap();
    rig.no_faults();
    assert_eq!(
        rig.source
            .number("select attempts::bigint from rentsync.sync where state = 'open'")
            .await,
        0
    );
    assert_eq!(rig.deliver().await.delivered, 1);
    assert_eq!(
        rig.source.number("select max(lost)::bigint from rentsync.sync").await,
        0
    );
}

#[tokio::test]
async fn a_receiver_that_is_ahead_of_our_numbering_is_numbered_past() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 2").await;
    rig.settle().await;
    rig.sandbox.clear_log();
    // As after a restore: the sequence starts over.
    rig.edit("delete from rentsync.sync").await;
    rig.edit(
        "alter sequence rentsync.sync_sequence restart; update project_rent_roll_units set price = 1 where id = 11",
    )
    .await;
    rig.settle().await;
    assert_eq!(rig.alerts().await, ["stale"]);
    assert!(rig.sandbox.syncs()[0].stale);
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], json!(1.0));
    rig.assert_equal().await;
}

#[tokio::test]
async fn an_api_key_is_sent_and_a_missing_one_burns_nothing() {
    let mut rig = Rig::new().await;
    let auth = SandboxAuth::Header {
        name: "X-API-Key".into(),
        value: "s3cret".into(),
    };
    rig.sandbox = Sandbox::start(
        ([127, 0, 0, 1], 0).into(),
        SandboxOptions {
            auth,
            ..SandboxOptions::default()
        },
    )
    .await
    .unwrap();
    rig.receiver.url = rig.sandbox.url().parse().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    rig.receiver.auth = Auth::ApiKey {
        key: SecretRef::file("receivers.main.auth.key", file.path().with_extension("not-there")),
        header: "X-API-Key".into(),
    };
    let mut hands = rig.hands().await;
    hands.round(&rig).await;
    assert_eq!(rig.requests(), [], "nothing is sent without the key");
    assert_eq!(rig.alerts().await, ["not_sent"]);
    assert_eq!(
        rig.source
            .number("select max(attempts)::bigint from rentsync.sync")
            .await,
        0
    );
    let errors = "select count(*) from rentsync.attempt where error like '%s3cret%'";
    assert_eq!(rig.source.number(errors).await, 0);

    std::fs::write(file.path().with_extension("not-there"), "s3cret\n").unwrap();
    hands.deliverer.notice_credentials().await.unwrap();
    hands.round(&rig).await;
    assert_eq!(rig.requests().len(), 2, "sent as soon as it is there");
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_key_that_was_wrong_for_a_moment_stops_nothing_for_long() {
    let mut rig = Rig::new().await;
    let auth = SandboxAuth::Header {
        name: "X-API-Key".into(),
        value: "right".into(),
    };
    let options = SandboxOptions {
        auth,
        ..SandboxOptions::default()
    };
    rig.sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    rig.receiver.url = rig.sandbox.url().parse().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "right").unwrap();
    rig.receiver.auth = Auth::ApiKey {
        key: SecretRef::file("receivers.main.auth.key", file.path()),
        header: "X-API-Key".into(),
    };
    let mut hands = rig.hands().await;
    hands.round(&rig).await;
    hands.deliverer.notice_credentials().await.unwrap();
    // Rewritten in place, and read between the two steps.
    std::fs::write(file.path(), "").unwrap();
    std::fs::write(file.path(), "wrong").unwrap();
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    hands.round(&rig).await;
    assert_eq!(rig.alerts().await, ["paused"]);
    std::fs::write(file.path(), "right").unwrap();
    hands.deliverer.notice_credentials().await.unwrap();
    hands.round(&rig).await;
    assert_eq!(rig.sandbox.property(1).unwrap().units[&11]["base_rent"], json!(5.0));
}

#[tokio::test]
async fn an_unreachable_receiver_is_a_retry_and_no_address_or_body_is_quoted() {
    let mut rig = sealed().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    rig.receiver.url = format!("http://{}/private-path", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    rig.deliver().await;
    let error = "select count(*) from rentsync.attempt where outcome = 'retry' and error not like '%private-path%'";
    assert_eq!(rig.source.number(error).await, 1);
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_a_timeout() {
    let mut rig = sealed().await;
    rig.receiver.timeout = Duration::from_millis(200);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.receiver.url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let trickle = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut socket, _) = listener.accept().await.unwrap();
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            .await
            .unwrap();
        while socket.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(rig.deliver().await.failed, 1);
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where state = 'open' and attempts = 1")
            .await,
        1
    );
    trickle.abort();
}

#[tokio::test]
async fn a_receiver_that_claims_an_absurd_sequence_does_not_end_our_numbering() {
    for sequence in ["9223372036854775807", "-5", "9007199254740991"] {
        let rig = sealed().await;
        let body = format!("{{\"status\":\"stale\",\"sequence\":{sequence}}}");
        rig.faults(json!({ "status": 200, "times": 3, "body": body }));
        rig.settle().await;
        rig.assert_equal().await;
        assert_eq!(rig.alerts().await, ["stale"]);
    }
}

#[tokio::test]
async fn a_probe_that_fails_for_one_property_gives_the_next_to_another() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 404, "property_id": 1 }));
    rig.deliver().await;
    rig.edit("update project_rent_roll_units set price = 3 where id = 21")
        .await;
    let mut hands = rig.hands().await;
    for _ in 0..3 {
        rig.pass(15 * MINUTE);
        hands.round(&rig).await;
    }
    assert_eq!(rig.sandbox.property(2).unwrap().units[&21]["base_rent"], json!(3.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_goes_out_while_planning_fails() {
    let mut rig = sealed().await;
    rig.receiver.retry.schedule = vec![SECOND / 10; 4];
    rig.edit(
        "alter table project_rent_roll_units rename column price to rent; update project_rent_roll_units set rent = 9",
    )
    .await;
    let (stop, stopped) = tokio::sync::watch::channel(rentsync_relay::relay::Stop::No);
    let relay = tokio::spawn(rig.relay().run(stopped));
    assert!(
        rig.sandbox
            .wait_until(|sandbox| !sandbox.syncs().is_empty(), MINUTE)
            .await
    );
    let alerted = async { while rig.alerts().await.is_empty() {} };
    tokio::time::timeout(MINUTE, alerted).await.expect("planning fails");
    rig.edit("alter table project_rent_roll_units rename column rent to price")
        .await;
    let caught_up = |sandbox: &Sandbox| {
        let rent =
            |property_id, unit_id| Some(sandbox.property(property_id)?.units.get(&unit_id)?["base_rent"].clone());
        rent(1, 11) == Some(json!(9.0)) && rent(2, 21) == Some(json!(9.0))
    };
    assert!(
        rig.sandbox.wait_until(caught_up, MINUTE).await,
        "{:?}",
        rig.sandbox.syncs()
    );
    stop.send_replace(rentsync_relay::relay::Stop::Finish);
    relay.await.unwrap().unwrap();
    assert_eq!(rig.alerts().await, ["plan"]);
    rig.assert_equal().await;
}

#[tokio::test]
async fn a_receiver_that_calls_everything_stale_is_no_endless_row_of_syncs() {
    let rig = sealed().await;
    rig.faults(json!({ "status": 200, "body": "{\"status\":\"stale\",\"sequence\":5}" }));
    rig.deliver().await;
    assert_eq!(rig.plan().await.syncs, 0);
    rig.pass(MINUTE);
    assert_eq!(rig.plan().await.syncs, 1);
    rig.no_faults();
    rig.settle().await;
    rig.assert_equal().await;
}

#[tokio::test]
async fn no_answer_ends_a_pause_by_command() {
    for (status, property) in [(401, 1), (200, 1)] {
        let rig = sealed().await;
        rig.faults(json!({ "status": status, "property_id": property, "body": "{}" }));
        let mut deliverer = rig.deliverer("test:1").await;
        deliverer.start_due().await.unwrap();
        let ended = deliverer.ended().await.unwrap();
        rig.edit("update rentsync.receiver set paused_at = now(), paused_because = 'paused by command', probe_at = 'infinity'").await;
        deliverer.settle(ended).await.unwrap();
        let by_command = "select count(*) from rentsync.receiver where probe_at = 'infinity' and paused_because = 'paused by command'";
        assert_eq!(rig.source.number(by_command).await, 1, "{status}");
    }
}

#[tokio::test]
async fn whatever_is_worth_a_retry_is_tried_again_after_the_schedules_first_step() {
    let statuses = [408, 409, 425, 500, 502, 503, 504, 599].map(|status| json!({ "status": status, "times": 1 }));
    for fault in statuses
        .into_iter()
        .chain([json!({ "drop_before_apply": 1 }), json!({ "drop_after_apply": 1 })])
    {
        let rig = sealed().await;
        rig.faults(fault.clone());
        rig.deliver().await;
        rig.pass(MINUTE / 2);
        rig.deliver().await;
        assert_eq!(rig.sandbox.syncs().len(), 1, "{fault}");
        let open = "select count(*) from rentsync.sync where state = 'open' and attempts = 1";
        assert_eq!(rig.source.number(open).await, 1, "{fault}");
        rig.pass(MINUTE / 2);
        assert_eq!(rig.deliver().await.delivered, 1, "{fault}");
        assert_eq!(rig.alerts().await, [] as [String; 0], "{fault}");
        rig.assert_equal_but("any").await;
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_who_it_should_be_is_paused() {
    let mut rig = sealed().await;
    let address = self_signed();
    rig.receiver.url = format!("https://localhost:{}/", address.port()).parse().unwrap();
    rig.deliver().await;
    assert_eq!(rig.alerts().await, ["paused"]);
    let why = "select count(*) from rentsync.attempt where outcome = 'paused' and status is null and error is not null";
    assert_eq!(rig.source.number(why).await, 1);
}

/// Speaks TLS with a certificate that nobody vouches for; its key is in the file beside it and good for nothing else.
pub fn self_signed() -> SocketAddr {
    const PEM: &[u8] = include_bytes!("support/self_signed.pem");
    let certificate = CertificateDer::from_pem_slice(PEM).unwrap();
    let key = PrivateKeyDer::from_pem_slice(PEM).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            connection.complete_io(&mut socket).ok();
        }
    });
    address
}
