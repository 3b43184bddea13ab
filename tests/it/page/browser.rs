//! The page in a real browser, Debian's chromium: what a person does there, and what another site's page can't have it do.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::Stdio;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::{TOKEN, audited, with_token};
use crate::audit::with_work_for_a_person;
use crate::process::LIMIT;
use crate::support::rig::Rig;

const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
];
/// What every screen has to be readable at.
const NARROW: u32 = 360;
/// A phone's, and a desk's.
const HEIGHT: u32 = 900;

/// A browser of the test's own, with nothing in it.
struct Browser(WebDriver);

/// Runs a test in a browser, where this machine has one, and ends that whatever comes of the test.
async fn in_a_browser(width: u32, test: impl AsyncFnOnce(Browser)) {
    let Some((web, driver, profile)) = Browser::start(width).await else {
        return;
    };
    let tested = AssertUnwindSafe(test(Browser(web.clone()))).catch_unwind().await;
    web.quit().await.expect("quit");
    drop((driver, profile));
    if let Err(failed) = tested {
        resume_unwind(failed);
    }
}

impl Browser {
    /// None where this machine has no browser.
    async fn start(width: u32) -> Option<(WebDriver, Child, TempDir)> {
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut driver) = started else {
            println!(
                "skipped: no chromedriver here (Debian: chromium and chromium-driver), so the page was tried in no browser"
            );
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().expect("stdout")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("a line").expect("it says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // The client that talks to the driver is made with it, and fails only where one is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let profile = TempDir::new().expect("a directory");
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag).expect("a flag");
        }
        let own = format!("--user-data-dir={}", profile.path().display());
        wanted.add_arg(&own).expect("a flag");
        let size = json!({ "deviceMetrics": { "width": width, "height": HEIGHT, "pixelRatio": 1.0, "mobile": width == NARROW } });
        wanted.add_experimental_option("mobileEmulation", size).expect("a size");
        wanted
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .expect("a level");
        let web = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted);
        Some((web.await.expect("a browser"), driver, profile))
    }

    async fn open(&self, address: &str) {
        self.0.goto(address).await.expect("a page");
    }

    async fn click(&self, by: By) {
        let there = self.0.find(by).await.expect("it is there");
        there.click().await.expect("a click");
    }

    async fn fill_in(&self, field: &str, text: &str) {
        let field = self.0.find(By::Id(field)).await.expect("a field");
        field.send_keys(text).await.expect("keys");
        field.send_keys(Key::Enter + "").await.expect("keys");
    }

    /// What a person reads there; none while one page gives way to another.
    async fn seen(&self) -> Option<String> {
        self.0.find(By::Css("body")).await.ok()?.text().await.ok()
    }

    /// Waits until this is to be read; gives all that is.
    async fn shows(&self, part: &str) -> String {
        let reading = async {
            loop {
                if let Some(text) = self.seen().await.filter(|text| text.contains(part)) {
                    return text;
                }
            }
        };
        match tokio::time::timeout(LIMIT, reading).await {
            Ok(text) => text,
            Err(_) => panic!("{part} is not there: {:?}", self.seen().await),
        }
    }

    /// What the browser complained of since it was asked last: what the policy forbids, scripts, what is missing.
    async fn complaints(&self) -> Vec<String> {
        let log = self.0.get_log("browser").await.expect("the log");
        log.into_iter()
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    /// For the documentation: where `SCREENSHOTS` names a directory, what is to be seen now stands there afterwards.
    async fn keep_as(&self, name: &str) {
        let Some(directory) = std::env::var_os("SCREENSHOTS") else {
            return;
        };
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(directory)
            .join(name);
        self.0.screenshot(&file).await.expect("a screenshot");
    }

    async fn number(&self, script: &str) -> i64 {
        let found = self
            .0
            .execute(script, Vec::new())
            .await
            .expect("a script of the test's");
        found.json().as_i64().expect("a number")
    }
}

/// A page of another origin that sends a form to ours as soon as it is opened.
async fn foreign_page(target: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let address = listener.local_addr().expect("an address");
    let page = format!(
        "<!DOCTYPE html><title>elsewhere</title><link rel=icon href=data:,><form method=post action={target}></form><script>document.forms[0].submit()</script>"
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // A form's head fits one segment; what it says makes no difference.
            stream.readable().await.ok();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                page.len()
            );
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    format!("http://{address}/")
}

/// Opens a page again and again until this is to be read there.
async fn until(browser: &Browser, address: &str, part: &str) {
    let reading = async {
        loop {
            browser.open(address).await;
            if browser.seen().await.is_some_and(|text| text.contains(part)) {
                break;
            }
        }
    };
    let in_time = tokio::time::timeout(LIMIT, reading).await;
    in_time.unwrap_or_else(|_| panic!("{part} is never at {address}"));
}

#[tokio::test]
async fn a_person_signs_in_and_decides_in_a_browser_and_another_sites_page_does_not() {
    in_a_browser(1200, decide).await;
}

async fn decide(browser: Browser) {
    let rig = with_work_for_a_person().await;
    let soon = r#"["1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s"]"#;
    let (running, token) = with_token(&rig, &[("RELAY_RECEIVERS__MAIN__RETRY__SCHEDULE", soon)]).await;
    let base = &running.base;
    browser.open(&format!("{base}/units/22")).await;
    browser.shows("Sign in").await;
    assert_eq!(browser.complaints().await, [] as [String; 0]);
    browser.fill_in("token", "a token of somebody else's").await;
    browser.shows("that is not the token").await;
    // A browser notes an answer of 401 by itself.
    browser.complaints().await;
    browser.open(&format!("{base}/units/22")).await;
    browser.fill_in("token", TOKEN).await;
    browser.shows("At receiver main").await;

    browser.fill_in("q", "22").await;
    browser.shows("Units with this id").await;
    browser.click(By::Css("main tbody th a")).await;
    browser.shows("Both versions").await;
    browser.keep_as("page-unit.png").await;
    browser.click(By::LinkText("Overview")).await;
    browser.shows("A person is needed.").await;
    browser.keep_as("page-overview.png").await;

    browser.click(By::LinkText("Holds")).await;
    browser.click(By::LinkText("Approve")).await;
    browser.shows("unit 11 (11) of property 1").await;
    assert_eq!(audited(&rig).await.len(), 0, "it was only asked");
    browser.keep_as("page-hold.png").await;
    browser.click(By::Css("main button")).await;
    let done = browser.shows("Approved: the removals are sent now.").await;
    assert!(done.contains("No removals wait"), "{done}");

    rig.no_faults();
    browser.click(By::LinkText("Refused")).await;
    browser.click(By::LinkText("Send once more")).await;
    browser.shows("Send unit 22 to main once more?").await;
    browser.click(By::Css("main button")).await;
    browser.shows("The unit is sent again.").await;

    browser.click(By::LinkText("Receivers")).await;
    browser.click(By::LinkText("Pause")).await;
    browser.click(By::Css("main button")).await;
    browser.shows("main: paused").await;
    rig.edit("update project_rent_roll_units set price = 1 where id = 13")
        .await;
    until(
        &browser,
        base,
        "Receiver main is paused and nothing is sent to it; the oldest change",
    )
    .await;
    browser.click(By::LinkText("Receivers")).await;
    browser.click(By::LinkText("Resume")).await;
    browser.click(By::Css("main button")).await;
    browser.shows("main: sending").await;
    watch_an_outage(&browser, &rig, base).await;
    assert_eq!(browser.complaints().await, [] as [String; 0]);

    let noted = audited(&rig).await;
    assert_eq!(noted.len(), 4, "{noted:?}");
    let foreign = foreign_page(&format!("{base}/receivers/main/pause")).await;
    for site in [foreign.clone(), foreign.replace("127.0.0.1", "localhost")] {
        browser.open(&site).await;
        browser.shows("nothing was done").await;
    }
    assert_eq!(audited(&rig).await, noted, "whoever is signed in, from whatever site");

    std::fs::write(token.path(), "another token, also long").expect("write");
    browser.open(&format!("{base}/holds")).await;
    browser.shows("The session is over: sign in again.").await;
    running.stop().await;
}

/// What changed is not acknowledged, and then it is.
async fn watch_an_outage(browser: &Browser, rig: &Rig, base: &str) {
    let right = "Receiver main has acknowledged everything that the source has.";
    until(browser, base, right).await;
    rig.faults(json!({ "status": 503 }));
    rig.edit("update project_rent_roll_units set price = 2 where id = 13")
        .await;
    until(browser, base, "the oldest change that it has not acknowledged is").await;
    browser.click(By::LinkText("Watch this page")).await;
    browser.shows("Read again every 5 seconds.").await;
    rig.no_faults();
    // Nobody reads it again but the page itself.
    browser.shows(right).await;
    browser.click(By::LinkText("Stop watching")).await;
}

#[tokio::test]
async fn every_screen_is_as_wide_as_a_phone_and_nothing_in_it_is_forbidden_by_its_policy() {
    in_a_browser(NARROW, look).await;
}

async fn look(browser: Browser) {
    let rig = with_work_for_a_person().await;
    let (running, _token) = with_token(&rig, &[("RELAY_HTTP__PATH_PREFIX", "/relay")]).await;
    let base = format!("{}/relay", running.base);
    browser.open(&base).await;
    browser.fill_in("token", TOKEN).await;
    let ways = browser
        .0
        .execute(
            "return [...document.querySelectorAll('header nav a')].map(a => a.href)",
            Vec::new(),
        )
        .await
        .expect("ways");
    let mut ways: Vec<String> = serde_json::from_value::<Vec<Value>>(ways.json().clone())
        .expect("a list")
        .iter()
        .map(|way| way.as_str().expect("text").to_owned())
        .collect();
    assert_eq!(ways.len(), 12);
    let hold = rig.source.number("select hold_id from rentsync.hold").await;
    ways.extend(
        [
            "/units/22",
            "/properties/1",
            "/search?q=22",
            "/receivers/main/resync",
            "/nowhere",
        ]
        .map(|way| format!("{base}{way}")),
    );
    ways.push(format!("{base}/holds/{hold}"));
    for way in ways {
        browser.open(&way).await;
        let beyond = browser
            .number("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            .await;
        assert_eq!(beyond, 0, "{way} is wider than the screen");
        assert_eq!(
            browser.number("return document.querySelectorAll('h1').length").await,
            1,
            "{way}"
        );
        // What has no name is nothing to whoever does not see it.
        let nameless = "return [...document.querySelectorAll('input, button, svg, th, [role=region]')].filter(e => \
                        !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label')).length";
        assert_eq!(browser.number(nameless).await, 0, "{way}");
        let complaints = browser.complaints().await;
        assert!(
            complaints.iter().all(|said| said.contains("404")),
            "{way}: {complaints:?}"
        );
    }
    running.stop().await;
}
