//! What a request must look like around its body.

use super::*;

#[tokio::test]
async fn headers_are_as_agreed() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[]);
    let id = sync.id();
    let right = [
        ("Content-Type", "application/json"),
        ("User-Agent", "AiGent/1.0"),
        ("X-Aigent-Sync-ID", id.as_str()),
    ];
    let send = |headers: Vec<(&str, &str)>| {
        let mut request = bench.bare(sync.body());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answered(request)
    };
    for (name, value) in right {
        let place = format!("header {name}");
        let mut others = right.to_vec();
        others.retain(|(other, _)| *other != name);
        assert_refused(&send(others.clone()).await, &place, "missing");
        let twice = [others.clone(), vec![(name, value), (name, value)]].concat();
        assert_refused(&send(twice).await, &place, "twice");
        if name != "X-Aigent-Sync-ID" {
            let wrong = [others, vec![(name, "text/plain")]].concat();
            assert_refused(&send(wrong).await, &place, "expected");
        }
    }
    let encoded = [right.to_vec(), vec![("Content-Encoding", "br")]].concat();
    let place = "header Content-Encoding";
    assert_refused(&send(encoded).await, place, "expected gzip");
    assert_eq!(send(right.to_vec()).await.0, 200);
}

#[tokio::test]
async fn a_gzip_body_is_the_same_body() {
    let bench = Bench::new().await;
    let sync = Sync::delta(1, &[unit(1, "A", 1.0)]);
    let packed = bench
        .post(&sync.id(), gzip(sync.body().as_bytes()))
        .header("content-encoding", "gzip");
    assert_eq!(answered(packed).await.0, 200);
    assert_eq!(bench.last().bytes, sync.body().len());
    assert_eq!(bench.send(&sync).await.0, 200);
    assert!(bench.last().repeat);
    let not_packed = bench.post(&sync.id(), sync.body()).header("content-encoding", "gzip");
    assert_refused(&answered(not_packed).await, "$", "not gzip");
}

#[tokio::test]
async fn a_body_that_unpacks_beyond_the_limit_is_too_large() {
    let bench = Bench::new().await;
    let packed = gzip(&vec![b' '; 64 * 1024 * 1024 + 1]);
    let request = bench
        .post(&Sync::delta(1, &[]).id(), packed)
        .header("content-encoding", "gzip");
    let (status, answer) = answered(request).await;
    assert_eq!(status, 413);
    let message = answer["error"].as_str().unwrap();
    assert!(message.starts_with("$: is larger than"));
    assert_eq!(bench.last().status, Some(413));
}
