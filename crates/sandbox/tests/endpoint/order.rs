//! How a sync fits what was received before.

use super::*;

#[tokio::test]
async fn a_known_sync_id_is_answered_again_byte_by_byte_and_has_one_body() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = bench.post(&sync.id(), sync.body());
        let response = request.send().await.unwrap();
        answers.push((response.status(), response.text().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    let log = bench.sandbox.syncs();
    assert_eq!((log[0].repeat, log[1].repeat), (false, true));
    let other = Sync::delta(1, &[]);
    let what = "was sent before with another body";
    assert_refused(&bench.send(&other).await, "$", what);
    assert_eq!(bench.held(), [1]);
}

#[tokio::test]
async fn an_older_sequence_is_stale_and_the_newest_belongs_to_one_sync() {
    let bench = Bench::new().await;
    bench.send(&Sync::delta(5, &[])).await;
    let (status, answer) = bench.send(&Sync::delta(4, &[unit(1, "A", 1.0)])).await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"status": "stale", "sequence": 5}));
    assert!(bench.last().stale && !bench.last().applied);
    let twin = Sync::delta(6, &[]);
    let body = twin.body().replace(r#""sequence":6"#, r#""sequence":5"#);
    let answer = answered(bench.post(&twin.id(), body)).await;
    assert_refused(&answer, "$.sync_metadata.sequence", "under another sync ID");
    assert!(bench.held().is_empty());
}

#[tokio::test]
async fn a_wrong_digest_is_answered_with_the_right_one_and_logged() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0)];
    let (status, answer) = bench.send(&Sync::delta(1, &units).leaving(&[])).await;
    assert_eq!(status, 200);
    assert_eq!(answer["property_digest"], digest_of(&units));
    assert!(bench.last().digest_mismatch);
    let (_, log) = bench.get("/v1/rent-roll/syncs").await;
    assert_eq!(log[0]["digest_mismatch"], true);
}

#[tokio::test]
async fn an_empty_property_has_a_digest_of_zeros() {
    let bench = Bench::new().await;
    let (_, answer) = bench.send(&Sync::delta(1, &[])).await;
    assert_eq!(answer["property_digest"], "0".repeat(64));
}

#[tokio::test]
async fn content_and_hash_change_together() {
    let bench = Bench::new().await;
    let (old, new) = (unit(1, "A", 1.0), unit(1, "A", 2.0));
    let place = "$.units[0].content_hash";
    let first = Sync::delta(1, std::slice::from_ref(&old));
    assert_eq!(bench.send(&first).await.0, 200);
    let mut rehashed = old.clone();
    rehashed.text = old.text.replace(&old.hash, &new.hash);
    let answer = bench.send(&Sync::delta(2, &[rehashed])).await;
    assert_refused(&answer, place, "same content");
    let mut unhashed = new.clone();
    unhashed.text = new.text.replace(&new.hash, &old.hash);
    let answer = bench.send(&Sync::delta(3, &[unhashed])).await;
    assert_refused(&answer, place, "another content");
    assert_eq!(bench.send(&Sync::delta(4, &[new])).await.0, 200);
}

#[tokio::test]
async fn a_removal_spares_the_living() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    bench.send(&Sync::delta(1, &units)).await;
    let heir = unit(3, "A", 1.0);
    let left = [units[1].clone(), heir.clone()];
    let removing = |sequence, code: &str| {
        let mut sync = Sync::delta(sequence, std::slice::from_ref(&heir)).leaving(&left);
        sync.removed = vec![removal(1, code)];
        sync
    };
    let answer = bench.send(&removing(2, r#""unit_code":"A""#)).await;
    let place = "$.removed_units[0].unit_code";
    assert_refused(&answer, place, "carried by unit 3");
    let answer = bench.send(&removing(3, r#""replaced_by":1"#)).await;
    let place = "$.removed_units[0].replaced_by";
    assert_refused(&answer, place, "expected one that is present");
    let (status, _) = bench.send(&removing(4, r#""replaced_by":3"#)).await;
    assert_eq!(status, 200);
    assert!(!bench.last().digest_mismatch);
    assert_eq!((bench.held(), bench.last().removed), (vec![2, 3], 1));
}

#[tokio::test]
async fn a_snapshot_in_parts_replaces_the_property_after_its_last_part() {
    let bench = Bench::new().await;
    let held: Vec<_> = (1..=4).map(|id| unit(id, &id.to_string(), 1.0)).collect();
    bench.send(&Sync::delta(1, &held)).await;
    let left = [held[0].clone(), held[2].clone(), unit(5, "5", 1.0)];
    let mut first = Sync::snapshot(2, 1, 2, &[unit(5, "5", 1.0)]).leaving(&left);
    first.keep = "[3]";
    assert_eq!(bench.send(&first).await, (200, json!({"errors": []})));
    assert_eq!(bench.held(), [1, 2, 3, 4, 5]);
    let last = Sync::snapshot(3, 2, 2, &left[..1]).leaving(&left);
    let (status, answer) = bench.send(&last).await;
    assert_eq!(status, 200);
    assert_eq!(answer["property_digest"], digest_of(&left));
    assert_eq!(bench.held(), [1, 3, 5]);
    let log = bench.sandbox.syncs();
    assert!(log.iter().all(|entry| !entry.digest_mismatch));
}

#[tokio::test]
async fn a_snapshot_keeps_only_what_is_absent_and_removes_by_absence() {
    let bench = Bench::new().await;
    let mut sync = Sync::snapshot(1, 1, 1, &[unit(1, "A", 1.0)]);
    for (keep, place) in [("[1]", "$.keep[0]"), ("[7,7]", "$.keep[1]")] {
        sync.keep = keep;
        assert_refused(&bench.send(&sync).await, place, "is in this body already");
    }
    sync.keep = r#"["7"]"#;
    assert_refused(&bench.send(&sync).await, "$.keep[0]", "expected an integer");
    sync.keep = "[]";
    sync.removed = vec![removal(2, r#""unit_code":null"#)];
    assert_refused(&bench.send(&sync).await, "$.removed_units", "by absence");
    sync.removed.clear();
    sync.snapshot_id = r#""0194676EA8807C31B2D94C5E6F708192""#;
    let answer = bench.send(&sync).await;
    assert_refused(&answer, "$.sync_metadata.snapshot_id", "UUID");
}

#[tokio::test]
async fn a_replay_is_applied_like_a_delta() {
    let bench = Bench::new().await;
    let units = [unit(1, "A", 1.0), unit(2, "B", 1.0)];
    bench.send(&Sync::delta(1, &units)).await;
    let mut replay = Sync::delta(2, &[]).leaving(&units[..1]);
    replay.sync_type = "replay";
    replay.removed = vec![removal(2, r#""unit_code":"B""#)];
    assert_eq!(bench.send(&replay).await.0, 200);
    assert_eq!(bench.held(), [1]);
    assert_eq!(bench.last().sync_type, Some("replay"));
}
