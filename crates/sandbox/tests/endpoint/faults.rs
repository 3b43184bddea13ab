//! What goes wrong on purpose.

use rentsync_sandbox::{Batch, Format, Removed};

use super::*;

#[tokio::test]
async fn a_status_is_answered_for_its_times_and_then_the_same_sync_is_applied() {
    let bench = Bench::new().await;
    let (status, set) = bench.put_faults(r#"{"status": 503, "times": 2}"#).await;
    assert_eq!((status, set), (200, json!({"status": 503, "times": 2})));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    assert_eq!(bench.send(&sync).await.0, 503);
    assert_eq!(bench.get("/faults").await.1["times"], 1);
    assert_eq!(bench.send(&sync).await.0, 503);
    assert!(bench.held().is_empty());
    assert_eq!(bench.send(&sync).await.0, 200);
    let log = bench.sandbox.syncs();
    assert_eq!(log[0].reason.as_deref(), Some("fault: status 503"));
    assert!(log[2].applied && !log[2].repeat && log[2].reason.is_none());
}

#[tokio::test]
async fn an_attempt_that_met_a_fault_binds_the_sync_to_its_body() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"status": 503, "times": 2}));
    bench.send(&Sync::delta(1, &[])).await;
    let other = Sync::delta(1, &[unit(1, "A", 1.0)]);
    assert_eq!(bench.send(&other).await.0, 503);
    assert!(bench.last().reason.unwrap().contains("another body"));
    assert_refused(&bench.send(&other).await, "$", "another body");
}

#[tokio::test]
#[rustfmt::skip] // a table: one case, one line
async fn a_fault_answers_with_the_headers_and_body_it_was_given() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    for (faults, header, value) in [
        (json!({"status": 429, "retry_after": 7}), "retry-after", "7"),
        (json!({"status": 429, "retry_after": "soon"}), "retry-after", "soon"),
        (json!({"status": 302, "location": "http://127.0.0.1:9/x"}), "location", "http://127.0.0.1:9/x"),
    ] {
        bench.set_faults(faults.clone());
        let request = bench.post(&sync.id(), sync.body());
        let response = request.send().await.unwrap();
        assert_eq!(faults["status"], response.status().as_u16());
        assert_eq!(response.headers()[header], value);
    }
    bench.set_faults(json!({"status": 200, "body": "<html>"}));
    assert_eq!(bench.send(&sync).await, (200, json!("<html>")));
    assert!(bench.sandbox.properties().is_empty());
}

#[tokio::test]
async fn a_dropped_connection_has_no_answer_and_what_was_applied_before_it_is_a_repeat() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    bench.set_faults(json!({"drop_before_apply": 1, "drop_after_apply": 1}));
    let send = || bench.post(&sync.id(), sync.body()).send();
    assert!(send().await.is_err());
    assert!(bench.held().is_empty());
    assert!(send().await.is_err());
    assert_eq!(bench.held(), [1]);
    assert_eq!(bench.send(&sync).await.0, 200);
    let log = bench.sandbox.syncs();
    let seen: Vec<_> = log
        .iter()
        .map(|entry| (entry.status, entry.applied, entry.repeat))
        .collect();
    let expected = [(None, false, false), (None, true, false), (Some(200), false, true)];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn not_a_byte_is_written_to_a_dropped_connection() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"drop_after_apply": 1}));
    let (address, sync) = (bench.sandbox.address(), Sync::delta(1, &[]));
    let request = format!(
        "POST /v1/rent-roll/sync HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         User-Agent: AiGent/1.0\r\nX-Aigent-Sync-ID: {}\r\nContent-Length: {}\r\n\r\n{}",
        sync.id(),
        sync.body().len(),
        sync.body(),
    );
    let received = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).map(|_| received)
    });
    assert_eq!(received.await.unwrap().unwrap(), b"");
    assert_eq!(bench.sandbox.properties(), [101]);
}

#[tokio::test]
async fn a_delayed_sync_is_applied_late_even_if_its_sender_has_gone() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"delay_ms": 300, "times": 1}));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let started = Instant::now();
    let impatient = bench.post(&sync.id(), sync.body()).timeout(Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert!(bench.held().is_empty());
    let applied = bench
        .sandbox
        .wait_until(|sandbox| !sandbox.properties().is_empty(), Duration::from_secs(10));
    assert!(applied.await);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn rejected_units_are_named_in_the_answer_and_not_held() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"reject_units": [2]}));
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    let (status, answer) = bench.send(&Sync::delta(1, &units)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["errors"][0]["unit_id"], 2);
    assert!(answer["errors"][0]["message"].is_string());
    assert_eq!(answer["property_digest"], digest_of(&units[..1]));
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn every_answer_can_have_other_headers() {
    let bench = Bench::new().await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    bench.set_faults(json!({"headers": {"Date": date, "Content-Type": "text/html"}}));
    let sync = Sync::delta(1, &[]);
    let response = bench.post(&sync.id(), sync.body()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    for (name, value) in [("date", date), ("content-type", "text/html")] {
        let values: Vec<_> = response.headers().get_all(name).iter().collect();
        assert_eq!(values, [value]);
    }
    assert!(bench.last().applied);
}

#[tokio::test]
async fn refused_units_are_named_and_nothing_is_applied() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"refuse_units": [2, 3, 7]}));
    let mut sync = Sync::delta(1, &[unit(1, "A", 1.0), unit(2, "B", 1.0)]);
    sync.removed = vec![removal(3, r#""unit_code":"C""#)];
    let (status, answer) = bench.send(&sync).await;
    assert_eq!(status, 400);
    let named: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["unit_id"])
        .collect();
    assert_eq!(named, [2, 3]);
    assert!(bench.sandbox.properties().is_empty());
    assert_eq!(bench.last().reason.as_deref(), Some("fault: status 400"));
    assert_eq!(bench.send(&Sync::delta(2, &[unit(1, "A", 1.0)])).await.0, 200);
}

#[tokio::test]
async fn poisoned_units_spoil_their_body_and_nothing_is_named() {
    let bench = Bench::new().await;
    let bad = Sync::delta(1, &[unit(1, "A", 1.0), unit(2, "B", 1.0)]);
    for (faults, expected) in [
        (json!({"poison_units": [2]}), 400),
        (json!({"poison_units": [2], "poison_status": 500}), 500),
    ] {
        bench.set_faults(faults);
        let (status, answer) = bench.send(&bad).await;
        assert_eq!(status, expected);
        assert!(
            answer.get("errors").is_none() && !answer.to_string().contains('2'),
            "{answer}"
        );
    }
    assert!(bench.sandbox.properties().is_empty());
    assert_eq!(bench.send(&Sync::delta(2, &[unit(1, "A", 1.0)])).await.0, 200);
}

#[tokio::test]
async fn what_is_too_large_is_answered_413() {
    let bench = Bench::new().await;
    let mut sync = Sync::delta(1, &[unit(1, "A", 1.0), unit(2, "B", 1.0)]);
    sync.removed = vec![removal(3, r#""unit_code":"C""#)];
    let bytes = sync.body().len();
    for (faults, expected) in [
        (json!({"units_max": 2}), 413),
        (json!({"bytes_max": bytes - 1}), 413),
        (json!({"units_max": 3, "bytes_max": bytes}), 200),
    ] {
        bench.set_faults(faults);
        assert_eq!(bench.send(&sync).await.0, expected);
    }
}

#[tokio::test]
async fn a_false_digest_is_answered_and_answered_again() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"digest": "f".repeat(64), "times": 1}));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    for _ in 0..2 {
        let (_, answer) = bench.send(&sync).await;
        assert_eq!(answer["property_digest"], "f".repeat(64));
        assert!(!bench.last().digest_mismatch, "the sender is right");
    }
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn a_sync_can_be_called_stale() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"stale": 9000, "times": 1}));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let answer = bench.send(&sync).await;
    assert_eq!(answer, (200, json!({"status": "stale", "sequence": 9000})));
    assert!(bench.last().stale && !bench.last().applied);
    assert!(bench.sandbox.properties().is_empty());
}

#[tokio::test]
async fn an_answer_can_be_huge_and_is_still_the_answer() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"body_bytes": 3_000_000}));
    let sync = Sync::delta(1, &[]);
    let response = bench.post(&sync.id(), sync.body()).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(text.len(), 3_000_000);
    assert!(serde_json::from_str::<Value>(&text).unwrap()["property_digest"].is_string());
}

#[tokio::test]
async fn an_answer_can_have_no_end() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"trickle_ms": 1}));
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let mut response = bench.post(&sync.id(), sync.body()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut received = Vec::new();
    while received.len() < 1000 {
        received.extend_from_slice(&response.chunk().await.unwrap().expect("there is always more"));
    }
    assert!(received.ends_with(b"   "));
    drop(response);
    assert!(bench.last().applied);
    let deadline = Duration::from_millis(100);
    let request = bench.post(&sync.id(), sync.body()).timeout(deadline);
    let body = request.send().await.unwrap().text().await;
    assert!(body.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_fault_of_one_property_hits_a_batch_and_calls_only_that_one_stale() {
    let options = SandboxOptions {
        format: Format::Flat,
        batch: Batch::AllProperties,
        extensions: false,
        removed: Removed::Unavailable,
        fields: vec![],
        ..SandboxOptions::default()
    };
    let bench = Bench::agreed(options).await;
    let id = Sync::delta(1, &[]).id();
    let body = r#"{"sync_timestamp":"2025-01-15T02:00:00Z","units":[{"property_id":101,"unit_id":1},{"property_id":"B","unit_id":2}]}"#;
    bench.set_faults(json!({"stale": 9000, "property_id": "B"}));
    let (_, answer) = answered(bench.post(&id, body)).await;
    assert_eq!(
        answer,
        json!({"stale": [{"project_id": "B", "sequence": 9000}], "errors": []})
    );
    assert_eq!((bench.held(), bench.sandbox.property_ids().len()), (vec![1], 1));
}

#[tokio::test]
async fn a_fault_can_be_for_one_property() {
    let bench = Bench::new().await;
    bench.set_faults(json!({"status": 500, "property_id": 102}));
    assert_eq!(bench.send(&Sync::delta(1, &[])).await.0, 200);
    let other = Sync::delta(2, &[]);
    let body = other.body().replace(r#""project_id":101"#, r#""project_id":102"#);
    let (status, _) = answered(bench.post(&other.id(), body)).await;
    assert_eq!(status, 500);
}

#[tokio::test]
async fn unknown_faults_are_named_and_leave_the_current_ones() {
    let bench = Bench::new().await;
    bench.put_faults(r#"{"status": 500}"#).await;
    for (faults, named) in [(r#"{"stauts": 1, "tmies": 2}"#, "faults.stauts"), ("{", "not JSON")] {
        let (status, answer) = bench.put_faults(faults).await;
        assert_eq!(status, 400);
        assert!(answer["error"].as_str().unwrap().contains(named));
    }
    assert!(bench.sandbox.set_faults(json!({"no": 1})).is_err());
    assert_eq!(bench.get("/faults").await.1, json!({"status": 500}));
    bench.put_faults("{}").await;
    assert_eq!(bench.get("/faults").await.1, json!({}));
    assert_eq!(bench.send(&Sync::delta(1, &[])).await.0, 200);
}
