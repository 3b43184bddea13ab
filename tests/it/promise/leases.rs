//! Relays that must not send any more, and relays that can't: what they had leased is others', and nothing old is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rentsync_relay::config::{Auth, Receiver, RemovedAs, SecretRef};
use rentsync_relay::deliver::breaker;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::planning::{Network, Running, SECOND, many, server_of, until};
use crate::http::logged;
use crate::process::{LIMIT, at_rest, ended, relay, signal};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

/// Before the receiver: holds what is sent until it opens. What was broken off by then never arrives.
struct Gate {
    url: reqwest::Url,
    opens: watch::Sender<bool>,
    held: Arc<AtomicUsize>,
    broken_off: Arc<AtomicUsize>,
}

impl Gate {
    async fn before(rig: &Rig) -> Self {
        let receiver = rig.receiver.url.socket_addrs(|| None).expect("an address")[0];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut url = rig.receiver.url.clone();
        let port = listener.local_addr().expect("an address").port();
        url.set_port(Some(port)).expect("a port");
        let (opens, open) = watch::channel(false);
        let (held, broken_off) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (holds, breaks) = (held.clone(), broken_off.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut open, holds, breaks) = (open.clone(), holds.clone(), breaks.clone());
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    loop {
                        tokio::select! {
                            read = client.read_buf(&mut request) => {
                                if !matches!(read, Ok(1..)) {
                                    breaks.fetch_add(1, Ordering::Relaxed);
                                    return;
                                }
                                holds.fetch_add(1, Ordering::Relaxed);
                            }
                            _ = open.wait_for(|open| *open) => break,
                        }
                    }
                    let mut server = TcpStream::connect(receiver).await.expect("the receiver");
                    server.write_all(&request).await.expect("the request");
                    copy_bidirectional(&mut client, &mut server).await.ok();
                });
            }
        });
        Self {
            url,
            opens,
            held,
            broken_off,
        }
    }

    async fn holds_something(&self) {
        let holds = async || self.held.load(Ordering::Relaxed) > 0;
        until("a request under way", LIMIT, holds).await;
    }
}

#[tokio::test]
async fn promise_18_a_heartbeat_that_comes_too_late_is_said() {
    let rig = Rig::delivered().await;
    // Each beat is answered, and the next comes when the last counts no longer.
    rig.edit(
        "create function public.busy() returns trigger language plpgsql as 'begin perform pg_sleep(2.5); return new; end';
         create trigger busy before update on rentsync.relay for each row execute function public.busy()",
    )
    .await;
    let mut slow = relay(&rig, &["run"]).spawn().expect("run");
    let line = logged(&mut slow, "heartbeat").await;
    assert!(
        line.contains("comes too late, the database took 2.5") && line.contains("is broken off each time"),
        "{line}"
    );
    signal(&slow, Signal::TERM);
    ended(slow).await;
}

#[tokio::test]
async fn promise_18_old_bytes_that_arrive_after_newer_ones_are_made_good_by_one_request() {
    for is_given_up in [true, false] {
        // Nothing in a body by which a receiver could see it.
        let receiver = Receiver {
            extensions: false,
            removed: RemovedAs::Unavailable,
            ..Rig::receiver()
        };
        let mut rig = Rig::agreeing(TestDatabase::installed().await, receiver).await;
        rig.fill().await;
        rig.settle().await;
        rig.edit("update project_rent_roll_units set price = 9 where id = 11")
            .await;
        rig.plan().await;
        let gate = Gate::before(&rig).await;
        let near = std::mem::replace(&mut rig.receiver.url, gate.url.clone());
        let mut slow = rig.deliverer("slow:1").await;
        rig.receiver.url = near;
        assert_eq!(slow.start_due().await.unwrap(), 1);
        gate.holds_something().await;
        if is_given_up {
            let mut conn = rig.source.connect().await;
            let now = rig.clock.now();
            breaker::cancel_open(&mut conn, "main", "test", now).await.unwrap();
        } else {
            rig.edit("update rentsync.relay set beat_at = '-infinity' where name = 'slow:1'")
                .await;
        }
        rig.edit("update project_rent_roll_units set rentroll_status_id = 2 where id = 11")
            .await;
        rig.settle().await;
        rig.assert_equal().await;
        gate.opens.send_replace(true);
        let ended = slow.ended().await.unwrap();
        let settled = slow.settle(ended).await.unwrap();
        assert_eq!(settled.properties, [1], "given up: {is_given_up}");
        rig.sandbox.clear_log();
        rig.settle().await;
        rig.assert_equal().await;
        rig.settle().await;
        assert_eq!(rig.requests(), [(1, 1, 0, 200)], "given up: {is_given_up}");
    }
}

#[tokio::test]
async fn promise_18_a_relay_that_was_stopped_sends_nothing_that_others_took_over() {
    let rig = Rig::empty().await;
    let mut paced = relay(&rig, &["run"]);
    paced.env("RELAY_RECEIVERS__MAIN__REQUESTS_PER_SECOND_MAX", "20");
    paced.env("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "8");
    let stopped = paced.spawn().expect("run");
    many(&rig).await;
    let leased = "select count(*) from rentsync.attempt where outcome is null";
    // Leased, and waiting for their moment, which is never the same for two.
    until("it to be stopped with something to send", LIMIT, async || {
        signal(&stopped, Signal::STOP);
        let has_leased = rig.source.number(leased).await > 3;
        if !has_leased {
            signal(&stopped, Signal::CONT);
        }
        has_leased
    })
    .await;
    let had = rig.source.number(leased).await;
    let near = Running::start(rig.relay());
    at_rest(&rig).await;
    rig.edit("update project_rent_roll_units set price = 9").await;
    at_rest(&rig).await;
    let before = rig.sandbox.syncs().len();
    signal(&stopped, Signal::CONT);
    until("it to give its leases back", LIMIT, async || {
        rig.source.number(leased).await == 0
    })
    .await;
    at_rest(&rig).await;
    let since = &rig.sandbox.syncs()[before..];
    // At most the one that was just being handed to its connection.
    let sent = since.iter().filter(|sync| sync.repeat || sync.stale).count();
    assert!(sent <= 1 && had > 3, "{sent} of {had}: {since:?}");
    rig.assert_equal().await;
    near.end().await;
    signal(&stopped, Signal::TERM);
    assert_eq!(ended(stopped).await, Some(0));
}

#[tokio::test]
async fn promise_18_what_is_under_way_is_broken_off_before_others_take_it_over() {
    let rig = Rig::delivered().await;
    let options = server_of(&rig);
    let network = Network::to(&options).await;
    let gate = Gate::before(&rig).await;
    let mut far = network.relay(&rig, &options);
    for receiver in far.config.receivers.values_mut() {
        receiver.url = gate.url.clone();
        receiver.timeout = 60 * SECOND;
    }
    let far = Running::start(far);
    until("the far relay to work", LIMIT, async || far.is_ready()).await;
    rig.edit("update project_rent_roll_units set price = 9 where id = 11")
        .await;
    gate.holds_something().await;
    network.falls_silent();
    let broken_off = async || gate.broken_off.load(Ordering::Relaxed) == 1;
    until("its request to be broken off", 8 * SECOND, broken_off).await;
    let near = Running::start(rig.relay());
    rig.edit("update project_rent_roll_units set price = 10 where id = 11")
        .await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    gate.opens.send_replace(true);
    network.comes_back();
    until("the far relay to be back", LIMIT, async || far.is_ready()).await;
    at_rest(&rig).await;
    rig.assert_equal().await;
    assert!(!rig.sandbox.syncs().iter().any(|sync| sync.stale));
    near.end().await;
    far.end().await;
}

#[tokio::test]
async fn promise_09_what_one_relay_lacks_makes_that_relay_rest_and_nobody_wait() {
    let mut rig = Rig::new().await;
    let (good, lost) = (
        tempfile::NamedTempFile::new().unwrap(),
        tempfile::NamedTempFile::new().unwrap(),
    );
    std::fs::write(good.path(), "hunter2").unwrap();
    let key_in = |file: &tempfile::NamedTempFile| Auth::ApiKey {
        key: SecretRef::file("receivers.main.auth.key", file.path()),
        header: "X-API-Key".into(),
    };
    rig.agree_anew(|receiver| receiver.auth = key_in(&good)).await;
    rig.plan().await;
    let path = lost.path().to_owned();
    rig.receiver.auth = key_in(&lost);
    let mut lame = rig.deliverer("lame:1").await;
    rig.receiver.auth = key_in(&good);
    drop(lost);
    let open = "select message from rentsync.alert where kind = 'not_sent' and acked_at is null";
    let alert = async || -> Option<String> {
        let mut conn = rig.source.connect().await;
        sqlx::query_scalar(open).fetch_optional(&mut conn).await.unwrap()
    };

    assert_eq!(lame.start_due().await.unwrap(), 2);
    while !lame.is_idle() {
        let ended = lame.ended().await.unwrap();
        assert_eq!(lame.settle(ended).await.unwrap().delivered, 0);
    }
    assert_eq!(lame.start_due().await.unwrap(), 0, "it rests");
    let untouched = "select count(*) from rentsync.receiver
                      where paused_at is null and wait_until is null and failures = 0 and concurrency is null";
    assert_eq!(rig.source.number(untouched).await, 1);
    let free = "select count(*) from rentsync.sync where state = 'open' and leased_until is null and attempts = 0 and lost = 0";
    assert_eq!(rig.source.number(free).await, 2);
    let message = alert().await.expect("an alert");
    assert!(
        message.starts_with("relay lame:1 could not send") && message.contains("auth.key"),
        "{message}"
    );

    assert_eq!(rig.deliver().await.delivered, 2, "by another relay, at once");
    rig.assert_equal().await;
    assert!(alert().await.is_some(), "that one still can't");

    rig.edit("update project_rent_roll_units set price = 9").await;
    rig.plan().await;
    std::fs::write(&path, "hunter2").unwrap();
    lame.notice_credentials().await.unwrap();
    while lame.start_due().await.unwrap() > 0 {
        let ended = lame.ended().await.unwrap();
        lame.settle(ended).await.unwrap();
    }
    while !lame.is_idle() {
        let ended = lame.ended().await.unwrap();
        lame.settle(ended).await.unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    rig.assert_equal().await;
    assert_eq!(alert().await, None);
}

#[tokio::test]
async fn promise_09_a_relay_alone_that_can_not_send_loses_nothing_and_goes_on_by_itself() {
    let mut rig = Rig::new().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    std::fs::write(&path, "hunter2").unwrap();
    rig.agree_anew(|receiver| {
        receiver.auth = Auth::ApiKey {
            key: SecretRef::file("receivers.main.auth.key", &path),
            header: "X-API-Key".into(),
        };
    })
    .await;
    std::fs::remove_file(&path).unwrap();
    let pass = tokio::time::timeout(LIMIT, rig.once()).await.expect("one pass ends");
    assert_eq!((pass.delivered, pass.unacknowledged), (0, 6));
    let running = Running::start(rig.relay());
    let tried = "select count(*) from rentsync.attempt where outcome = 'not sent' and relay <> 'test:1'";
    until("a second try", LIMIT, async || rig.source.number(tried).await > 3).await;
    std::fs::write(&path, "hunter2").unwrap();
    at_rest(&rig).await;
    rig.assert_equal().await;
    let over = "select count(*) from rentsync.alert where kind = 'not_sent' and acked_at is not null";
    assert_eq!(rig.source.number(over).await, 1);
    running.end().await;
}
