//! The page and the API: what they show, to whom, and what a person may have done there.

mod browser;
mod described;

use std::process::Stdio;

use reqwest::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::audit::with_work_for_a_person;
use crate::http::Running;
use crate::process::{output, relay, said};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

pub const TOKEN: &str = "a token that nobody guesses";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A relay with this token, and what keeps its file.
pub async fn with_token(rig: &Rig, settings: &[(&str, &str)]) -> (Running, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), TOKEN).expect("write");
    let token = format!("{{ file = {:?} }}", file.path());
    let settings = [settings, &[("RELAY_HTTP__TOKEN", &token), KEPT_HELD]].concat();
    (Running::with(rig, &settings).await, file)
}

/// The rig's own guard, without which the relay would let go of what is held.
const KEPT_HELD: (&str, &str) = ("RELAY_GUARD__REMOVED_UNITS_MIN", "1");

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

async fn sent(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("an answer");
    checked(&answer);
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// What every answer says to a browser.
fn checked(answer: &Response) {
    let said = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(said("content-security-policy"), Some(POLICY));
    assert_eq!(said("x-content-type-options"), Some("nosniff"));
    assert_eq!(said("referrer-policy"), Some("same-origin"));
    assert_eq!(said("cache-control"), Some("no-store"));
}

fn ours(request: RequestBuilder) -> RequestBuilder {
    request.header("sec-fetch-site", "same-origin")
}

async fn signed_in(base: &str) -> String {
    let request = ours(client().post(format!("{base}/sign-in"))).body(format!("token={}", TOKEN.replace(' ', "+")));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn audited(rig: &Rig) -> Vec<String> {
    rig.source
        .texts("select through || ' ' || action || ' ' || subject from rentsync.audit where through <> 'command' order by audit_id")
        .await
}

#[tokio::test]
async fn every_screen_is_a_page_and_json_and_none_shows_a_lead_or_lets_a_stranger_change_anything() {
    let rig = with_work_for_a_person().await;
    rig.edit(
        "update projects set name = '<script>alert(1)</script>' where id = 2;
         update project_rent_roll_units set price = 'NaN', lead_first_name = 'Hunter', lead_last_name = 'Quill' where id = 21",
    )
    .await;
    rig.settle().await;
    output(relay(&rig, &["feeds", "pause", "1"])).await;
    rig.edit("update project_rent_roll_units set price = 1301 where id = 13")
        .await;
    let running = Running::with(&rig, &[KEPT_HELD]).await;
    let hold = rig.source.number("select hold_id from rentsync.hold").await;
    let sync: Vec<String> = rig
        .source
        .texts("select s.sync_id from rentsync.sync s join rentsync.sync_feed using (sequence) where 22 = any (sync_feed.units) order by sequence desc limit 1")
        .await;
    let (hold, sync) = (format!("/holds/{hold}"), format!("/syncs/{}", sync[0]));
    let screens: [(&str, &[&str]); 22] = [
        (
            "/",
            &[
                "A person is needed.",
                "1 hold, 1 refused unit, 1 invalid unit",
                "<svg",
                "The same as a table",
            ],
        ),
        (
            "/properties",
            &["&lt;script&gt;alert(1)&lt;/script&gt;", "/properties/2"],
        ),
        (
            "/properties?receiver=main&after_receiver=main&after=1",
            &["/properties/2"],
        ),
        ("/properties/1", &["/units/13", "held", "To receiver main"]),
        (
            "/units/22",
            &["refused", "Both versions", "base_rent", "[hidden]", "/syncs/sync-"],
        ),
        ("/units/13", &["1300.0", "1301.0", "≠ differs", "paused by command"]),
        ("/syncs", &["/syncs/sync-", "delta"]),
        ("/syncs?state=delivered&property=1&receiver=main", &["delivered"]),
        (
            &sync,
            &[
                "Attempt 1",
                "kept:</p><pre tabindex=\"0\">[hidden]</pre>",
                "sync_metadata",
            ],
        ),
        ("/holds", &["hold", "2 of 3"]),
        (&hold, &["/units/11", "/units/12"]),
        ("/refused", &["/units/22", "main"]),
        ("/invalid", &["/units/21"]),
        ("/alerts", &["refused", "hold"]),
        ("/snapshots", &["None was begun yet."]),
        ("/receivers", &["main: sending", "oldest change not acknowledged"]),
        ("/preview?property=2", &["Preview of property 2"]),
        ("/doctor", &["wrong", "fsync"]),
        ("/audit", &["Actions, the newest first", "install"]),
        ("/search?q=22", &["/units/22", "Units with this code"]),
        ("/search?q=ONE", &["/properties/1"]),
        (
            "/search?q=%3Cscript%3E",
            &["Search for &lt;script&gt;", "/properties/2"],
        ),
    ];
    let hashes = rig
        .source
        .texts(
            "select left(encode(hash, 'hex'), 12) from rentsync.ledger where unit_id in (21, 22) and hash is not null",
        )
        .await;
    assert!(!hashes.is_empty());
    for (path, parts) in screens {
        let (status, page) = sent(client().get(format!("{}{path}", running.base))).await;
        assert_eq!(status, 200, "{path}: {page}");
        for part in parts {
            assert!(page.contains(part), "{part:?} at {path}: {page}");
        }
        let api = if path == "/" { "/overview" } else { path };
        let (status, text) = sent(client().get(format!("{}/api{api}", running.base))).await;
        assert_eq!(status, 200, "{path}: {text}");
        let (address, _) = api.split_once('?').unwrap_or((api, ""));
        let answer = serde_json::from_str(&text).expect("JSON");
        let objections = described::objections("get", &format!("/api{address}"), &answer);
        assert_eq!(objections, [] as [String; 0], "{path}: {text}");
        assert!(!page.contains("<script"), "{path}: {page}");
        for text in [page, text] {
            assert!(!text.contains("Hunter") && !text.contains("Quill"), "{path}: {text}");
            let hash = hashes.iter().find(|hash| text.contains(*hash));
            assert_eq!(
                hash, None,
                "{path}: whoever has a list of names finds them by it: {text}"
            );
        }
    }
    for (path, status, part) in [
        ("/nowhere", 404, "nothing at this address"),
        ("/units/x", 400, "unit_id has to be a number"),
        ("/units/999", 404, "unit 999 is known nowhere"),
        ("/properties/999", 404, "property 999 has no feed"),
        ("/syncs/sync-x", 404, "no sync sync-x"),
        ("/syncs?state=x", 400, "state has to be one of"),
        ("/holds?receiver=x", 404, "no receiver x"),
        ("/holds/999", 404, "hold 999 keeps nothing"),
        ("/search?q=%00", 400, "a NUL"),
        ("/receivers/main/pause", 403, "http.token"),
        ("/sign-in", 403, "http.token is not set"),
    ] {
        let (found, text) = sent(client().get(format!("{}{path}", running.base))).await;
        assert!(found == status && text.contains(part), "{path}: {found} {text}");
    }
    // Nobody has a token: whatever is sent changes nothing.
    for path in ["/receivers/main/pause", "/api/receivers/main/pause"] {
        let request = ours(client().post(format!("{}{path}", running.base))).header(AUTHORIZATION, "Bearer x");
        let (status, text) = sent(request).await;
        assert!(
            status == 403 && text.contains("nothing was done"),
            "{path}: {status} {text}"
        );
    }
    assert_eq!(sent(client().put(format!("{}/holds", running.base))).await.0, 405);
    let rebound = client().get(&running.base).header(HOST, "rebound.example:9464");
    assert_eq!(sent(rebound).await.0, 403, "another's name leads here");
    assert_eq!(audited(&rig).await, [] as [String; 0]);
    // The database lets nobody in: one sentence.
    let database = rig.source.texts("select current_database()").await.remove(0);
    let elsewhere = TestDatabase::bare().await;
    let mut admin = elsewhere.connect().await;
    execute(
        &mut admin,
        &format!("alter database {database} with allow_connections false"),
    )
    .await;
    let (status, page) = sent(client().get(&running.base)).await;
    assert!(
        status == 503 && page.contains("could not be reached"),
        "{status} {page}"
    );
    execute(
        &mut admin,
        &format!("alter database {database} with allow_connections true"),
    )
    .await;
    running.stop().await;
}

#[tokio::test]
async fn whoever_has_the_token_may_have_things_done_and_nobody_elses_page_may() {
    let rig = with_work_for_a_person().await;
    rig.no_faults();
    let (running, token) = with_token(
        &rig,
        &[
            ("RELAY_HTTP__PATH_PREFIX", "/relay"),
            ("RELAY_HTTP__USER_HEADER", "X-User"),
        ],
    )
    .await;
    let base = format!("{}/relay", running.base);
    let hold = rig.source.number("select hold_id from rentsync.hold").await;
    // Without the token nothing is read either, and a browser is led to where it is asked for.
    for path in ["/", "/units/22", "/receivers/main/pause"] {
        let answer = client().get(format!("{base}{path}")).send().await.expect("an answer");
        assert!([303, 401].contains(&answer.status().as_u16()), "{path}");
        if let Some(place) = answer.headers().get(LOCATION) {
            let place = place.to_str().expect("text");
            assert!(place.starts_with("/relay/sign-in?to=%2F"), "{place}");
        }
    }
    assert_eq!(sent(client().get(format!("{base}/api/holds"))).await.0, 401);
    assert_eq!(running.get("/healthz").await.0, 200, "no prefix, no token");
    let cookie = signed_in(&base).await;
    let sync = format!(
        "/syncs/{}",
        rig.source
            .texts("select sync_id from rentsync.sync order by sequence")
            .await[0]
    );
    let post = |path: &str| client().post(format!("{base}{path}")).header(COOKIE, &cookie);
    let (_, shown) = sent(client().get(format!("{base}{sync}")).header(COOKIE, &cookie)).await;
    assert!(
        shown.contains("Attempt 1") && !shown.contains("<pre tabindex=\"0\">[hidden]</pre>"),
        "{shown}"
    );
    for outside in [
        "//another.example",
        "/%09/another.example",
        "/%0d/another.example",
        "https://another.example",
    ] {
        let (_, form) = sent(client().get(format!("{base}/sign-in?to={outside}"))).await;
        assert!(form.contains(r#"href="/relay/">Go on"#), "{outside}: {form}");
    }
    // Another site's page, an older browser's included, and a cookie that is none.
    let pause = "/receivers/main/pause";
    for foreign in [
        post(pause).header("sec-fetch-site", "cross-site"),
        post(pause).header("sec-fetch-site", "same-site"),
        post(pause).header(ORIGIN, "http://another.example"),
        post(pause),
        post(&format!("/api{pause}")),
    ] {
        let (status, text) = sent(foreign).await;
        assert!(status == 403 && text.contains("nothing was done"), "{status} {text}");
    }
    let mut parts: Vec<&str> = cookie.split('.').collect();
    let until = (parts[1].parse::<i64>().expect("a time") + 1).to_string();
    parts[1] = &until;
    let forged = client().post(format!("{base}{pause}")).header(COOKIE, parts.join("."));
    let (status, text) = sent(ours(forged)).await;
    assert!(status == 401 && text.contains("the session is over"), "{status} {text}");
    let (status, page) = sent(client().get(format!("{base}/holds")).header(COOKIE, parts.join("."))).await;
    assert!(status == 303, "{page}");
    assert_eq!(audited(&rig).await, [] as [String; 0]);
    // The question first, then the deed, once.
    let approve = format!("/holds/{hold}/approve?receiver=main");
    let (_, page) = sent(client().get(format!("{base}{approve}")).header(COOKIE, &cookie)).await;
    assert!(
        page.contains("Approve: remove them") && page.contains("unit 11 (11) of property 1"),
        "{page}"
    );
    let answer = ours(post(&approve))
        .header("x-user", "josé".as_bytes())
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[LOCATION]),
        (303, &"/relay/holds?done=approved".parse().unwrap())
    );
    let (status, page) = sent(ours(post(&approve))).await;
    assert!(
        status == 422 && page.contains("is not open: approved"),
        "{status} {page}"
    );
    let (status, page) = sent(ours(post("/units/22/leads"))).await;
    assert!(
        status == 200 && page.contains("Hunter") && page.contains("Quill"),
        "{status} {page}"
    );
    // A program needs no browser's headers, and gets JSON.
    let bearer = |path: &str| {
        client()
            .post(format!("{base}/api{path}"))
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
    };
    let (status, text) = sent(bearer("/refused/22/retry")).await;
    assert_eq!(
        (status, serde_json::from_str(&text).ok()),
        (200, Some(json!({ "done": "retried" })))
    );
    let (_, text) = sent(bearer("/units/22/leads")).await;
    let lead = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        described::objections("post", "/api/units/22/leads", &lead),
        [] as [String; 0],
        "{text}"
    );
    for path in [
        "/properties/1/pause",
        "/properties/1/resume",
        pause,
        "/receivers/main/resume",
        "/receivers/main/resync",
    ] {
        assert_eq!(sent(bearer(path)).await.0, 200, "{path}");
    }
    let (status, text) = sent(bearer("/refused/13/retry")).await;
    assert!(
        status == 422 && text.contains("unit 13 is not refused"),
        "{status} {text}"
    );
    assert_eq!(sent(bearer("/alerts/999/ack")).await.0, 422);
    assert_eq!(sent(bearer("/receivers/nobody/pause")).await.0, 422);
    let mut expected = vec![
        format!("page holds approve hold {hold}"),
        "page leads show unit 22".to_owned(),
        "api refused retry unit 22".to_owned(),
        "api leads show unit 22".to_owned(),
    ];
    expected.extend(["feeds pause property 1", "feeds resume property 1"].map(|action| format!("api {action}")));
    expected.extend(["pause", "resume", "resync"].map(|action| format!("api receivers {action} receiver main")));
    assert_eq!(audited(&rig).await, expected);
    let who = rig
        .source
        .texts("select who from rentsync.audit where through <> 'command' order by audit_id")
        .await;
    assert!(
        who[0].starts_with("josé, session ") && who[0].ends_with(" from 127.0.0.1"),
        "{who:?}"
    );
    assert_eq!(who[2], "the token from 127.0.0.1");
    let all: Value = serde_json::from_str(
        &sent(client().get(format!("{base}/api/audit")).header(COOKIE, &cookie))
            .await
            .1,
    )
    .expect("JSON");
    assert!(
        !all.to_string().contains("Hunter"),
        "that they were shown is noted, and not what was"
    );
    // Signed out, a form that is too large, and another token: the old cookie counts no more.
    let (status, text) = sent(ours(client().post(format!("{base}/sign-in"))).body("x".repeat(100_000))).await;
    assert!(status == 413 && text.contains("nothing was done"), "{status} {text}");
    let answer = ours(post("/sign-out")).send().await.expect("an answer");
    assert!(
        answer.headers()[SET_COOKIE]
            .to_str()
            .expect("text")
            .contains("Max-Age=0")
    );
    std::fs::write(token.path(), "another token, also long").expect("write");
    assert_eq!(
        sent(client().get(format!("{base}/")).header(COOKIE, &cookie)).await.0,
        303
    );
    std::fs::write(token.path(), "short").expect("write");
    let short = client()
        .get(format!("{base}/api/holds"))
        .header(AUTHORIZATION, "Bearer short");
    assert_eq!(
        sent(short).await.0,
        503,
        "a file that is just being written is no token"
    );
    std::fs::write(token.path(), "another token, also long").expect("write");
    // Whoever guesses is not listened to for a while, not even with the token.
    let guess = |token: &str| ours(client().post(format!("{base}/sign-in"))).body(format!("token={token}"));
    for _ in 0..10 {
        assert_eq!(sent(guess("wrong")).await.0, 401);
    }
    let (status, text) = sent(guess("another+token,+also+long")).await;
    assert!(
        status == 429 && text.contains("too many wrong tokens"),
        "{status} {text}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_listener_that_others_reach_is_refused_without_a_token() {
    let rig = Rig::new().await;
    let mut command = relay(&rig, &["run"]);
    command.env("RELAY_HTTP__LISTEN", "0.0.0.0:0").stdin(Stdio::null());
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(said(&done).contains("http.anonymous_read = true"), "{}", said(&done));
}
