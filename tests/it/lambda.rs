//! AWS Lambda: invocations by a runtime API of the test's own, which is some lines of HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};

use crate::process::{LIMIT, bare, ended, refused, relay, signal};
use crate::support::rig::Rig;

const HOUR: Duration = Duration::from_secs(3600);

/// What the runtime asks and is answered.
struct Api {
    events: Mutex<VecDeque<(Value, u128)>>,
    more: Notify,
    answers: mpsc::UnboundedSender<(bool, Value)>,
}

/// A function that runs, and the API that it asks.
struct Function {
    child: Child,
    api: Arc<Api>,
    answers: mpsc::UnboundedReceiver<(bool, Value)>,
}

async fn next(State(api): State<Arc<Api>>) -> impl IntoResponse {
    loop {
        let more = api.more.notified();
        if let Some((event, deadline)) = api.events.lock().unwrap().pop_front() {
            let mut headers = HeaderMap::new();
            let request = format!("{:032x}", rand::random::<u128>());
            for (name, value) in [
                ("lambda-runtime-aws-request-id", request),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                (
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:::function:relay".to_owned(),
                ),
                (
                    "lambda-runtime-trace-id",
                    "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".to_owned(),
                ),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
            return (headers, event.to_string());
        }
        more.await;
    }
}

async fn answered(State(api): State<Arc<Api>>, Path((_, how)): Path<(String, String)>, body: String) -> &'static str {
    let answer = serde_json::from_str(&body).unwrap_or(Value::String(body));
    api.answers.send((how == "response", answer)).ok();
    ""
}

impl Function {
    async fn of(rig: &Rig, settings: &[(&str, &str)]) -> Self {
        let (answers, answered_with) = mpsc::unbounded_channel();
        let api = Arc::new(Api {
            events: Mutex::default(),
            more: Notify::new(),
            answers,
        });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(answered))
            .with_state(api.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        // As Lambda does: no argument, and all else by the environment.
        let mut command = in_lambda(relay(rig, &[]), &address);
        command.envs(settings.iter().copied());
        let child = command.spawn().expect("it starts");
        Self {
            child,
            api,
            answers: answered_with,
        }
    }

    fn invoke(&self, event: Value, left: Duration) {
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + left;
        self.invoke_by(event, deadline.as_millis());
    }

    fn invoke_by(&self, event: Value, deadline_ms: u128) {
        self.api.events.lock().unwrap().push_back((event, deadline_ms));
        self.api.more.notify_one();
    }

    /// What an invocation is answered, and whether as one that went well.
    async fn answer(&mut self) -> (bool, Value) {
        let answer = tokio::time::timeout(2 * LIMIT, self.answers.recv()).await;
        answer.expect("an answer").expect("an answer")
    }
}

fn in_lambda(mut command: Command, api: &str) -> Command {
    command
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "relay")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1");
    command
}

#[tokio::test]
async fn an_event_is_a_pass_and_the_next_one_another() {
    let rig = Rig::new().await;
    let mut function = Function::of(&rig, &[]).await;
    function.invoke(json!({}), HOUR);
    let (well, answer) = function.answer().await;
    assert!(well, "{answer}");
    assert_eq!(answer, json!({ "delivered": 2, "waiting": 0, "left": 0, "next": null }));
    rig.assert_equal().await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    // As EventBridge has it.
    function.invoke(
        json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} }),
        HOUR,
    );
    assert_eq!(function.answer().await.1["delivered"], 1);
    rig.assert_equal().await;
    // Nothing stays open between invocations: all of it may be frozen.
    let connected = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'rentsync-relay'
                        and pid <> pg_backend_pid()";
    let resting = async { while rig.source.number(connected).await > 0 {} };
    tokio::time::timeout(LIMIT, resting)
        .await
        .expect("no connection is left");
    signal(&function.child, Signal::TERM);
    assert_eq!(ended(function.child).await, Some(0));
}

#[tokio::test]
async fn a_snapshot_is_asked_for_by_name_and_a_repeated_event_begins_no_other() {
    let rig = Rig::delivered().await;
    let mut function = Function::of(&rig, &[]).await;
    function.invoke(json!({ "command": "snapshot" }), HOUR);
    assert_eq!(function.answer().await.1["delivered"], 2);
    let runs = "select count(*) from rentsync.snapshot_run";
    assert_eq!(rig.source.number(runs).await, 1);
    // While one is under way: the receiver takes nothing, so it can't end.
    rig.faults(json!({ "status": 503 }));
    for _ in 0..2 {
        function.invoke(json!({ "command": "snapshot" }), HOUR);
        let (well, answer) = function.answer().await;
        assert!(well && answer["left"] == 2 && answer["next"].is_string(), "{answer}");
    }
    assert_eq!(rig.source.number(runs).await, 2);
    function.invoke(json!({ "command": "purge" }), HOUR);
    let (well, answer) = function.answer().await;
    assert!(!well && answer["errorType"] == "Configuration", "{answer}");
    assert!(
        answer["errorMessage"].as_str().expect("a text").contains("\"purge\""),
        "{answer}"
    );
}

#[tokio::test]
async fn leasing_ends_before_the_deadline_and_the_next_invocation_goes_on() {
    let rig = Rig::empty().await;
    rig.edit(
        "insert into projects (id, name, project_group_id, is_actived) select p, 'P', 1, true from generate_series(1, 200) as p;
         insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id) select p, p, 'A', 1 from generate_series(1, 200) as p",
    )
    .await;
    // 200 requests of a tenth of a second, one after the other, and a second to begin them in.
    rig.faults(json!({ "delay_ms": 100 }));
    let mut function = Function::of(&rig, &[("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "1")]).await;
    function.invoke(json!({}), Duration::from_secs(15));
    let (well, first) = function.answer().await;
    assert!(well, "{first}");
    let delivered = first["delivered"].as_u64().expect("a number");
    assert!((1..200).contains(&delivered), "{first}");
    assert!(first["left"].as_u64().is_some_and(|left| left > 0), "{first}");
    // Nothing is leased, and what was answered is what was delivered.
    assert_eq!(
        rig.source
            .number("select count(*) from rentsync.sync where leased_until is not null")
            .await,
        0
    );
    assert_eq!(
        rig.states().await.iter().filter(|state| *state == "delivered").count() as u64,
        delivered
    );
    rig.no_faults();
    function.invoke(json!({}), HOUR);
    assert_eq!(function.answer().await.1["delivered"], 200 - delivered);
    rig.assert_equal_but("any").await;
}

#[tokio::test]
async fn a_deadline_that_is_past_is_none_and_one_too_near_is_said() {
    let rig = Rig::new().await;
    let mut function = Function::of(&rig, &[]).await;
    // Emulators send the beginning of time.
    function.invoke_by(json!({}), 0);
    assert_eq!(function.answer().await.1["delivered"], 2);
    // A request may take 2 s, and its lease 10 s more.
    function.invoke(json!({}), Duration::from_secs(9));
    let (well, answer) = function.answer().await;
    assert!(!well && answer["errorType"] == "Configuration", "{answer}");
    let said = answer["errorMessage"].as_str().expect("a text");
    assert!(said.contains("give the function a timeout of more than 14s"), "{said}");
}

#[tokio::test]
async fn one_that_is_killed_in_the_middle_loses_nothing_and_two_at_once_send_nothing_twice() {
    let rig = Rig::new().await;
    rig.faults(json!({ "delay_ms": 60000, "times": 1 }));
    let killed = Function::of(&rig, &[]).await;
    killed.invoke(json!({}), HOUR);
    rig.until_leased().await;
    signal(&killed.child, Signal::KILL);
    ended(killed.child).await;
    rig.no_faults();
    // As long as a lease lasts.
    rig.source
        .execute("update rentsync.sync set leased_until = now() where leased_until is not null")
        .await;
    let mut functions = [Function::of(&rig, &[]).await, Function::of(&rig, &[]).await];
    for function in &functions {
        function.invoke(json!({}), HOUR);
    }
    let mut delivered = 0;
    for function in &mut functions {
        let (well, answer) = function.answer().await;
        assert!(well, "{answer}");
        delivered += answer["delivered"].as_u64().expect("a number");
    }
    // What one left to the other at its end.
    functions[0].invoke(json!({}), HOUR);
    delivered += functions[0].answer().await.1["delivered"].as_u64().expect("a number");
    assert_eq!(delivered, 2);
    rig.assert_equal().await;
}

#[tokio::test]
async fn it_says_where_it_belongs_and_what_is_wrong_before_the_first_event() {
    refused(bare(&["lambda"]), 2, &["database.url is not set"]).await;
    let rig = Rig::new().await;
    refused(
        relay(&rig, &["lambda"]),
        2,
        &["AWS_LAMBDA_RUNTIME_API", "rentsync-relay once"],
    )
    .await;
    let mut unset = in_lambda(relay(&rig, &[]), "127.0.0.1:9");
    unset.env(
        "RELAY_RECEIVERS__MAIN__AUTH",
        "{ method = 'bearer', token = { file = '/no/such/token' } }",
    );
    refused(unset, 2, &["/no/such/token can't be read"]).await;
}
