//! What a running relay answers over HTTP, asked from outside; and what a scrape costs nobody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rentsync_relay::database::Database;
use rentsync_relay::metrics::Scraper;
use rentsync_relay::relay::Progress;
use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::process::{LIMIT, at_rest, ended, output, relay, signal};
use crate::support::execute;
use crate::support::rig::Rig;

/// A relay that runs, and where it is asked.
pub struct Running {
    pub child: Child,
    pub base: String,
}

fn listening(rig: &Rig, listen: &str) -> Command {
    let mut command = relay(rig, &["run"]);
    command.env("RELAY_HTTP__LISTEN", listen);
    command
}

/// Reads the log until this is in a line, and goes on reading so that nobody waits for it.
pub async fn logged(child: &mut Child, part: &'static str) -> String {
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let reading = async {
        loop {
            let line = lines.next_line().await.expect("a line").expect("it is said");
            if line.contains(part) {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(LIMIT, reading).await.expect("it is said");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    line
}

impl Running {
    pub async fn of(rig: &Rig) -> Self {
        Self::with(rig, &[("RELAY_RECEIVERS__MAIN__TIMEOUT", "60s")]).await
    }

    /// With these settings.
    pub async fn with(rig: &Rig, settings: &[(&str, &str)]) -> Self {
        let mut child = listening(rig, "127.0.0.1:0")
            .envs(settings.iter().copied())
            .spawn()
            .expect("run");
        let line = logged(&mut child, "/metrics").await;
        let base = line[line.find("http://").expect("where")..]
            .split("/ ")
            .next()
            .expect("where");
        Self {
            base: base.to_owned(),
            child,
        }
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("{}{path}", self.base)).await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("text"))
    }

    pub async fn until_ready_is(&self, status: u16) -> String {
        let waiting = async {
            loop {
                let (found, text) = self.get("/readyz").await;
                if found == status {
                    return text;
                }
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.expect("it turns")
    }

    async fn figures(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200);
        figures(&text)
    }

    pub async fn stop(self) {
        signal(&self.child, Signal::TERM);
        assert_eq!(ended(self.child).await, Some(0));
    }
}

/// Every sample, after checking that the text is what the format wants: each described before it is given, and once.
fn figures(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let mut described = "";
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(["gauge", "counter", "info"].contains(&kind), "{line}");
            assert!(name.starts_with("rentsync_"), "{line}");
            described = name;
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').expect("a sample");
            assert_eq!(sample.split('{').next(), Some(described), "{line}");
            let before = samples.insert(sample.to_owned(), value.parse().expect("a number"));
            assert_eq!(before, None, "given twice: {line}");
        }
    }
    samples
}

#[tokio::test]
async fn a_running_relay_answers_its_health_and_its_figures() {
    let rig = Rig::new().await;
    rig.edit("update project_rent_roll_units set lead_first_name = 'Hunter', lead_last_name = 'Two' where id = 11")
        .await;
    let running = Running::of(&rig).await;
    assert_eq!(running.get("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(running.until_ready_is(200).await, "ready\n");
    at_rest(&rig).await;
    let counted = async {
        while running
            .figures()
            .await
            .get(r#"rentsync_syncs_delivered_total{receiver="main"}"#)
            != Some(&2.0)
        {}
    };
    tokio::time::timeout(LIMIT, counted)
        .await
        .expect("two syncs are counted");

    rig.faults(json!({ "reject_units": [22] }));
    rig.edit("update project_rent_roll_units set price = 'NaN' where id = 13; update project_rent_roll_units set price = 5, unit_code = '21' where id = 22")
        .await;
    at_rest(&rig).await;
    output(relay(&rig, &["receivers", "pause", "main"])).await;
    rig.edit("update project_rent_roll_units set price = 6 where id = 11")
        .await;
    let behind = r#"rentsync_feeds_behind{receiver="main"}"#;
    let read_anew = async {
        loop {
            let (status, text) = running.get("/metrics").await;
            assert_eq!(status, 200);
            if figures(&text)[behind] > 0.0 {
                return text;
            }
        }
    };
    let text = tokio::time::timeout(LIMIT, read_anew).await.expect("the edit waits");
    let figures = figures(&text);
    let value = |name: &str| figures.get(name).copied();
    for (name, expected) in [
        ("rentsync_database_up", 1.0),
        (
            concat!("rentsync_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
            1.0,
        ),
        (r#"rentsync_feeds{receiver="main"}"#, 2.0),
        (behind, 1.0),
        (r#"rentsync_receiver_paused{receiver="main"}"#, 1.0),
        (r#"rentsync_units_owed{receiver="main"}"#, 0.0),
        (r#"rentsync_syncs_open{receiver="main"}"#, 0.0),
        (r#"rentsync_units_withheld{receiver="main",kind="refused"}"#, 1.0),
        (r#"rentsync_units_withheld{receiver="main",kind="invalid"}"#, 1.0),
        (r#"rentsync_units_withheld{receiver="main",kind="held"}"#, 0.0),
        (r#"rentsync_duplicate_unit_codes{receiver="main"}"#, 1.0),
        (r#"rentsync_alerts_total{receiver="main",kind="refused"}"#, 1.0),
        (r#"rentsync_alerts_open{receiver="main",kind="refused"}"#, 1.0),
        (
            r#"rentsync_attempts_last_hour{receiver="main",outcome="delivered"}"#,
            3.0,
        ),
        (r#"rentsync_attempts_failed_total{receiver="main"}"#, 0.0),
    ] {
        assert_eq!(value(name), Some(expected), "{name} in {text}");
    }
    assert!(
        value(r#"rentsync_oldest_change_age_seconds{receiver="main"}"#) > Some(0.0),
        "{text}"
    );
    assert!(
        value(r#"rentsync_planned_age_seconds{receiver="main"}"#) < Some(30.0),
        "{text}"
    );
    assert!(
        value(r#"rentsync_last_delivered_timestamp_seconds{receiver="main"}"#) > Some(1.7e9),
        "{text}"
    );
    for personal in ["Hunter", "Two", "First Street"] {
        assert!(!text.contains(personal), "{text}");
    }
    running.stop().await;
}

#[tokio::test]
async fn it_is_alive_but_not_ready_while_nothing_can_be_planned() {
    let rig = Rig::new().await;
    rig.edit("alter table projects rename to elsewhere").await;
    let running = Running::of(&rig).await;
    let lacking = running.until_ready_is(503).await;
    assert_eq!(lacking, "receiver main: nothing was planned yet\n");
    let alerted = async { while rig.alerts().await.is_empty() {} };
    tokio::time::timeout(LIMIT, alerted).await.expect("planning fails");
    assert_eq!(running.get("/readyz").await.0, 503, "still");
    assert_eq!(running.get("/healthz").await.0, 200);
    rig.edit("alter table elsewhere rename to projects").await;
    running.until_ready_is(200).await;
    running.stop().await;
}

#[tokio::test]
async fn a_relay_that_stops_is_not_ready_any_more() {
    let rig = Rig::new().await;
    rig.faults(json!({ "delay_ms": 60000 }));
    let running = Running::of(&rig).await;
    running.until_ready_is(200).await;
    rig.until_leased().await;
    signal(&running.child, Signal::TERM);
    assert!(running.until_ready_is(503).await.contains("the relay stops"));
    running.stop().await;
}

#[tokio::test]
async fn a_port_in_use_stops_nothing_and_is_used_once_it_is_free() {
    let rig = Rig::new().await;
    let holder = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = holder.local_addr().expect("address").to_string();
    let mut child = listening(&rig, &address).spawn().expect("run");
    let said = logged(&mut child, "http.listen").await;
    assert!(
        said.contains(&address) && said.contains("the relay runs without"),
        "{said}"
    );
    at_rest(&rig).await;
    rig.assert_equal().await;
    drop(holder);
    let asked = async { while reqwest::get(format!("http://{address}/healthz")).await.is_err() {} };
    tokio::time::timeout(LIMIT, asked).await.expect("it listens");
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
}

fn reading_each_time(rig: &Rig) -> Scraper {
    let mut scraper = Scraper::new(rig.source.database.clone());
    scraper.kept = Duration::ZERO;
    scraper
}

#[tokio::test]
async fn a_thousand_scrapes_at_once_read_the_database_once() {
    let rig = Rig::delivered().await;
    let mut scraper = Scraper::new(rig.source.database.clone());
    scraper.kept = LIMIT;
    let progress = Progress::new(&["main".to_owned()]);
    rig.edit("insert into rentsync.receiver (receiver) values ('second')")
        .await;
    let mut first = scraper.scrape(&progress).await.expect("text");
    rig.edit("insert into rentsync.receiver (receiver) values ('third')")
        .await;
    let all = futures_util::future::join_all((0..1_000).map(|_| scraper.scrape(&progress))).await;
    for text in all {
        assert_eq!(figures(&text.expect("text")), figures(&first));
    }
    scraper.kept = Duration::ZERO;
    first = scraper.scrape(&progress).await.expect("text");
    assert!(first.contains("third"), "{first}");
    // That it failed is kept as well: nobody waits for a silent database after another.
    let mut lock = rig.source.connect().await;
    execute(&mut lock, "begin; lock table rentsync.alert in access exclusive mode").await;
    scraper.limit = Duration::from_millis(200);
    let down = figures(&scraper.scrape(&progress).await.expect("text"));
    execute(&mut lock, "commit").await;
    scraper.kept = LIMIT;
    assert_eq!(down["rentsync_database_up"], 0.0);
    assert_eq!(figures(&scraper.scrape(&progress).await.expect("text")), down);
}

/// From an address of this machine, so that several clients can be distinguished.
async fn connected_from(running: &Running, client: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((client, 0))).expect("an address");
    let server = running.base.strip_prefix("http://").expect("where").parse();
    socket.connect(server.expect("an address")).await.expect("connect")
}

#[tokio::test]
async fn promise_09_half_sent_requests_of_one_client_end_no_connection_of_another() {
    let rig = Rig::empty().await;
    let running = Running::of(&rig).await;
    for half in [
        "GET /healthz HTTP/1.1\r\n",
        "POST /sign-in HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n",
    ] {
        let mut patient = connected_from(&running, [127, 0, 0, 2]).await;
        patient.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("half");
        let mut greedy = Vec::new();
        for _ in 0..200 {
            let mut stream = connected_from(&running, [127, 0, 0, 1]).await;
            stream.write_all(half.as_bytes()).await.ok();
            greedy.push(stream);
        }
        patient
            .write_all(b"Host: relay\r\nConnection: close\r\n\r\n")
            .await
            .expect("the rest");
        let mut answer = String::new();
        patient.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.ends_with("alive\n"), "{half}: {answer}");
        assert_eq!(running.get("/healthz").await.0, 200, "{half}: while they are there");
    }
    running.stop().await;
}

/// Pages wait for a table that somebody has to themselves.
#[tokio::test]
async fn promise_09_however_many_ask_for_pages_health_checks_are_answered() {
    let rig = Rig::delivered().await;
    let running = Running::of(&rig).await;
    let mut lock = rig.source.connect().await;
    execute(&mut lock, "begin; lock table rentsync.alert in access exclusive mode").await;
    let (begin, mut refused) = (Instant::now(), 0);
    let mut asking = JoinSet::new();
    for _ in 0..200 {
        let address = format!("{}/api/alerts", running.base);
        asking.spawn(async move { reqwest::get(address).await.map(|answer| answer.status().as_u16()) });
    }
    while refused < 100 {
        assert!(begin.elapsed() < LIMIT, "{refused} of 200 were told to come again");
        let answer = asking.join_next().await.expect("200 of them").expect("no panic");
        refused += usize::from(matches!(answer, Ok(503) | Err(_)));
        assert_eq!(running.get("/healthz").await, (200, "alive\n".to_owned()));
    }
    execute(&mut lock, "rollback").await;
    running.stop().await;
}

#[tokio::test]
async fn a_scrape_that_can_not_read_ends_in_time_and_is_in_no_planners_way() {
    let rig = Rig::delivered().await;
    let mut scraper = reading_each_time(&rig);
    let progress = Progress::new(&["main".to_owned()]);
    let up = async |scraper: &Scraper| {
        let scraping = tokio::time::timeout(LIMIT, scraper.scrape(&progress)).await;
        figures(&scraping.expect("it ends").expect("text"))["rentsync_database_up"]
    };
    assert_eq!(up(&scraper).await, 1.0);
    scraper = reading_each_time(&rig);
    scraper.limit = Duration::from_millis(200);
    let mut lock = rig.source.connect().await;
    execute(&mut lock, "begin; lock table rentsync.alert in access exclusive mode").await;
    let meanwhile = async {
        rig.edit("update project_rent_roll_units set price = 5 where id = 11")
            .await;
        rig.plan().await.syncs
    };
    assert_eq!(tokio::join!(up(&scraper), meanwhile), (0.0, 1));
    let ending = async { while rig.source.waiting().await > 0 {} };
    tokio::time::timeout(LIMIT, ending)
        .await
        .expect("it waits in the server no more");
    execute(&mut lock, "commit").await;
    scraper.limit = LIMIT;
    assert_eq!(up(&scraper).await, 1.0, "with a new connection");
}

#[tokio::test]
async fn without_a_database_a_scrape_answers_what_the_process_knows() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let database = Database::from_url(&"postgres://nobody@127.0.0.1:1/none".into()).expect("a URL");
    let progress = Progress::new(&["main".to_owned()]);
    progress.of("main").planned();
    let text = Scraper::new(database).scrape(&progress).await.expect("text");
    let figures = figures(&text);
    assert_eq!(figures["rentsync_database_up"], 0.0);
    assert!(
        figures.contains_key(r#"rentsync_planned_age_seconds{receiver="main"}"#),
        "{text}"
    );
    assert!(!text.contains("rentsync_feeds"), "{text}");
}

#[tokio::test]
async fn in_an_outage_the_oldest_change_grows_old_though_all_is_planned() {
    let mut rig = Rig::delivered().await;
    rig.receiver.breaker.failures = 1;
    let scraper = reading_each_time(&rig);
    let progress = Progress::new(&["main".to_owned()]);
    let scraped = async || figures(&scraper.scrape(&progress).await.expect("text"));
    let age = r#"rentsync_oldest_change_age_seconds{receiver="main"}"#;
    let behind = r#"rentsync_feeds_behind{receiver="main"}"#;
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    let mut hands = rig.hands().await;
    let mut before = 0.0;
    for _ in 0..3 {
        hands.round(&rig).await;
        rig.pass(Duration::from_secs(3600));
        let now = scraped().await;
        assert_eq!(now[behind], 1.0, "planned, given up, owed");
        assert!(now[age] > before, "{now:?}");
        before = now[age];
    }
    rig.no_faults();
    rig.settle().await;
    let now = scraped().await;
    assert_eq!((now[age], now[behind]), (0.0, 0.0));
}
