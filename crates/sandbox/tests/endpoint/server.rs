//! The log, and the server itself.

use super::*;

#[tokio::test]
async fn the_log_says_what_came_in_until_it_is_cleared() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    bench.send(&sync).await;
    bench.post(&sync.id(), "{").send().await.unwrap();
    let (_, log) = bench.get("/v1/rent-roll/syncs").await;
    let mut first = log[0].clone();
    assert!(first["received_at"].take().is_string());
    assert_eq!(
        first,
        json!({
            "sync_id": sync.id(), "sequence": 1, "project_id": 101, "property_ids": [101],
            "sync_type": "delta", "snapshot_id": null, "part": 1, "parts": 1,
            "units": 1, "removed": 0, "bytes": sync.body().len(), "encoding": "none", "status": 200,
            "applied": true, "repeat": false, "stale": false, "digest_mismatch": false,
            "received_at": null, "reason": null,
        })
    );
    assert_eq!(log[1]["status"], 400);
    assert_eq!(log[1]["project_id"], Value::Null);
    let reason = log[1]["reason"].as_str().unwrap();
    assert!(reason.starts_with("$: is not JSON"));
    bench.sandbox.clear_log();
    assert!(bench.sandbox.syncs().is_empty());
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn the_log_names_parts_and_encoding_and_all_properties() {
    let bench = Bench::new().await;
    let sync = Sync::snapshot(1, 1, 2, &[]);
    let packed = bench.post(&sync.id(), gzip(sync.body().as_bytes()));
    answered(packed.header("content-encoding", "gzip")).await;
    let entry = bench.last();
    assert_eq!(
        (entry.part, entry.parts, entry.encoding),
        (Some(1), Some(2), Some("gzip"))
    );
    let snapshot_id = "0194676e-a880-7c31-b2d9-4c5e6f708192";
    assert_eq!(entry.snapshot_id.as_deref(), Some(snapshot_id));
    bench
        .post(&sync.id(), "{")
        .header("content-encoding", "br")
        .send()
        .await
        .unwrap();
    assert_eq!((bench.last().encoding, bench.last().part), (None, None));
}

#[tokio::test]
async fn a_restored_receiver_has_forgotten_what_came_later() {
    let bench = Bench::new().await;
    let early = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let late = Sync::delta(2, &[unit(1, "A", 2.0)]);
    bench.send(&early).await;
    let saved = bench.sandbox.save();
    bench.send(&late).await;
    bench.sandbox.restore(saved);
    let rent = || bench.sandbox.property(101).unwrap().units[&1]["base_rent"].clone();
    assert_eq!((rent(), bench.sandbox.property(101).unwrap().sequence), (json!(1.0), 1));
    bench.send(&late).await;
    assert!(bench.last().applied && !bench.last().repeat);
    assert_eq!(rent(), json!(2.0));
    bench.send(&early).await;
    assert!(bench.last().repeat, "what came before is still known");
}

#[tokio::test]
async fn backups_have_names_over_http() {
    let bench = Bench::new().await;
    let send = |method: reqwest::Method, path: &str| {
        let url = format!("http://{}/state/{path}", bench.sandbox.address());
        answered(bench.client.request(method, url))
    };
    let (put, post) = (reqwest::Method::PUT, reqwest::Method::POST);
    bench.send(&Sync::delta(1, &[])).await;
    assert_eq!(send(put.clone(), "one").await, (200, json!({"properties": 1})));
    bench.send(&Sync::delta(2, &[])).await;
    assert_eq!(send(post.clone(), "one/restore").await, (200, json!({"properties": 1})));
    assert_eq!(bench.sandbox.property(101).unwrap().sequence, 1);
    let (status, answer) = send(post, "two/restore").await;
    assert_eq!(
        (status, &answer["error"]),
        (404, &json!("nothing was saved as \"two\""))
    );
    for name in 2..=16 {
        assert_eq!(send(put.clone(), &name.to_string()).await.0, 200);
    }
    assert_eq!(send(put.clone(), "17").await.0, 409);
    assert_eq!(send(put, "one").await.0, 200);
}

#[tokio::test]
async fn waiting_ends_in_time_when_nothing_comes() {
    let bench = Bench::new().await;
    let soon = Duration::from_millis(20);
    assert!(!bench.sandbox.wait_until(|_| false, soon).await);
    assert!(bench.sandbox.wait_until(|_| true, Duration::ZERO).await);
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_address_and_its_connections() {
    let bench = Bench::new().await;
    assert_eq!(bench.send(&Sync::delta(1, &[])).await.0, 200);
    let address = bench.sandbox.address();
    bench.sandbox.stop().await;
    let url = format!("http://{address}/v1/rent-roll/syncs");
    assert!(bench.client.get(&url).send().await.is_err());
    let again = Sandbox::start(address, SandboxOptions::default()).await.unwrap();
    assert_eq!(again.address(), address);
    assert!(again.properties().is_empty());
    assert!(bench.client.get(&url).send().await.is_ok());
}
