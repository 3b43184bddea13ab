//! AWS Lambda: one invocation is one pass, or the beginning of a snapshot, within the time that the invocation has.
//!
//! Stops leasing in time for what is under way to end and to be written down, so that an answer comes before the deadline; what is left is
//! the next invocation's. Guarantees nothing beyond a pass: invocations may be repeated, run at once, or be killed anywhere. Not its
//! business: the runtime's protocol, which is a library's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use chrono::{DateTime, Utc};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::actions::again;
use crate::audit::Actor;
use crate::config::Config;
use crate::database::Database;
use crate::fault::{Fault, exit_code, sentence};
use crate::inspect::receivers;
use crate::relay::{Pass, Relay, Stop, stopped};
use crate::snapshot;

/// What the runtime has to be told, and what is unset everywhere but there.
const RUNTIME: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];
/// A lease outlives its request's deadline by as much: until then an answer can be written down.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// For counting what is left, closing connections, and the answer itself.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);
/// Beside what each planner and the heartbeat have: two requests are written down at once, and many functions may run.
const POOL: usize = 2;

/// What an invocation is answered.
#[derive(Debug, Serialize)]
struct Answer {
    /// Syncs that the receivers acknowledged meanwhile.
    delivered: usize,
    /// Syncs that are sealed and not acknowledged.
    waiting: i64,
    /// Properties of which something is not acknowledged: the next invocation goes on with them.
    left: i64,
    /// When the next try is due; none: nothing waits, or it is due at once.
    next: Option<DateTime<Utc>>,
}

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    /// One pass.
    Once,
    /// Every property is due a snapshot first.
    Snapshot,
}

impl Command {
    /// Whatever a scheduler sends on its own asks for a pass.
    fn of(event: &Value) -> Result<Self> {
        match event.get("command") {
            None | Some(Value::Null) => Ok(Self::Once),
            Some(Value::String(command)) if command == "once" => Ok(Self::Once),
            Some(Value::String(command)) if command == "snapshot" => Ok(Self::Snapshot),
            Some(other) => Err(Fault::usage(format!(
                "the event's command is {other}; it has to be \"once\" or \"snapshot\", or none at all, which is \"once\""
            ))
            .into()),
        }
    }
}

/// How long an invocation may lease: until its deadline there has to be time for a request and for what follows from it. None: as long
/// as there is anything. A deadline that is past is none: emulators send 1970.
fn budget(deadline: SystemTime, now: SystemTime, request: Duration) -> Result<Option<Duration>> {
    let Ok(left) = deadline.duration_since(now) else {
        tracing::warn!("the invocation's deadline is past, so it is taken for none: the pass ends when nothing is due");
        return Ok(None);
    };
    let needed = request + LEASE_MARGIN + ANSWER_MARGIN;
    match left.checked_sub(needed).filter(|budget| !budget.is_zero()) {
        Some(budget) => Ok(Some(budget)),
        None => Err(Fault::usage(format!(
            "the invocation has {left:.0?}, and a request may take {request:?}: give the function a timeout of more than {needed:?}, or \
             the receiver a shorter `timeout`"
        ))
        .into()),
    }
}

/// Answers invocations until the environment is shut down, or `stop` says so.
///
/// # Errors
/// Where it does not run in Lambda, and where the runtime can't be reached.
pub async fn serve(database: Database, mut config: Config, mut stop: watch::Receiver<Stop>) -> Result<()> {
    let missing: Vec<&str> = RUNTIME
        .into_iter()
        .filter(|name| std::env::var_os(name).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(Fault::usage(format!(
            "AWS Lambda starts this, and sets {}: elsewhere make a pass with `rentsync-relay once`",
            missing.join(", ")
        ))
        .into());
    }
    let others = config.receivers.len() + 1;
    let connections_max = u32::try_from(others + POOL).unwrap_or(u32::MAX);
    config.database.max_connections = config.database.max_connections.min(connections_max);
    let function = Arc::new(Function {
        relay: Relay::new(database, config),
        stop: stop.clone(),
        busy: tokio::sync::Mutex::default(),
    });
    let handler = function.clone();
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let function = handler.clone();
        async move { function.invoked(event).await.map_err(|error| diagnostic(&error)) }
    });
    let ended = async {
        stopped(&mut stop, Stop::Finish).await;
        // An invocation under way gives back what it has leased.
        drop(function.busy.lock().await);
    };
    tokio::select! {
        served = lambda_runtime::run(handler) => {
            served.map_err(|error| Fault::unreachable(format!("the Lambda runtime could not be reached: {error}")).into())
        }
        () = ended => Ok(()),
    }
}

/// As Lambda shows it; the kind decides which alarms count it.
fn diagnostic(error: &anyhow::Error) -> Diagnostic {
    let kind = match exit_code(error) {
        2 => "Configuration",
        3 => "Unreachable",
        _ => "Undelivered",
    };
    let message = sentence(error);
    tracing::error!("{message}");
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: message,
    }
}

/// What stays between invocations: settings, and no connection, because all of it may be frozen.
struct Function {
    relay: Relay,
    stop: watch::Receiver<Stop>,
    /// Held by the invocation under way.
    busy: tokio::sync::Mutex<()>,
}

impl Function {
    async fn invoked(&self, event: LambdaEvent<Value>) -> Result<Answer> {
        let _busy = self.busy.lock().await;
        let command = Command::of(&event.payload)?;
        let receivers = self.relay.config.receivers.values();
        let request = receivers.map(|receiver| receiver.timeout).max().unwrap_or_default();
        let begin = Instant::now();
        let budget = budget(event.context.deadline(), SystemTime::now(), request)?;
        if command == Command::Snapshot {
            self.begin_snapshots().await?;
        }
        let pass = self
            .pass(budget.map(|budget| budget.saturating_sub(begin.elapsed())))
            .await?;
        self.answer(&pass).await
    }

    /// One that is under way goes on: a scheduler sends the same event more than once.
    async fn begin_snapshots(&self) -> Result<()> {
        let mut conn = self.relay.database.connect().await?;
        let by = Actor::of_command();
        for receiver in self.relay.config.receivers.keys() {
            match snapshot::under_way(&mut conn, receiver).await? {
                Some(run_id) => tracing::info!(receiver, run_id, "a snapshot is under way, and goes on"),
                None => {
                    again::snapshot(&mut conn, &by, receiver, None, self.relay.clock.now()).await?;
                }
            }
        }
        Ok(())
    }

    /// Until nothing is due, or the budget is used up, or it is to stop.
    async fn pass(&self, budget: Option<Duration>) -> Result<Pass> {
        let (stopping, stop) = watch::channel(Stop::No);
        let so_far = Mutex::new(Pass::default());
        let keep = |pass: &Pass| *so_far.lock().unwrap_or_else(PoisonError::into_inner) = *pass;
        let mut keep = |pass: &Pass| keep(pass);
        let mut asked = self.stop.clone();
        let in_time = async {
            let used_up = async {
                match budget {
                    Some(budget) => sleep(budget).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = used_up => tracing::info!("the time of this invocation is used up: the next goes on"),
                () = stopped(&mut asked, Stop::Finish) => {}
            }
            stopping.send_replace(Stop::Finish);
            std::future::pending::<()>().await;
        };
        let passed = tokio::select! {
            passed = self.relay.once(&stop, &mut keep) => passed,
            () = in_time => unreachable!("it waits for ever"),
        };
        match passed {
            // What was stopped has done what it has.
            Err(_) if *stop.borrow() != Stop::No => Ok(*so_far.lock().unwrap_or_else(PoisonError::into_inner)),
            passed => passed,
        }
    }

    async fn answer(&self, pass: &Pass) -> Result<Answer> {
        let mut conn = self.relay.database.connect().await?;
        let (mut waiting, mut left, mut next) = (0, 0, None);
        for receiver in self.relay.config.receivers.keys() {
            left += receivers::unsettled(&mut conn, receiver).await?;
            if let Some(status) = receivers::status(&mut conn, receiver).await? {
                waiting += status.work.open_syncs;
                next = [next, status.work.next_try].into_iter().flatten().min();
            }
        }
        let next = next.filter(|next| *next > Utc::now());
        Ok(Answer {
            delivered: pass.delivered,
            waiting,
            left,
            next,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_asks_for_a_pass_unless_it_says_otherwise() {
        let scheduled = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
        for event in [
            json!({}),
            json!(null),
            json!({ "command": null }),
            json!({ "command": "once" }),
            scheduled,
        ] {
            assert_eq!(Command::of(&event).unwrap(), Command::Once, "{event}");
        }
        assert_eq!(
            Command::of(&json!({ "command": "snapshot" })).unwrap(),
            Command::Snapshot
        );
        let error = Command::of(&json!({ "command": "purge" })).unwrap_err();
        assert!(error.to_string().contains("\"purge\""), "{error}");
        assert_eq!(exit_code(&error), 2);
    }

    #[test]
    fn leasing_ends_so_long_before_the_deadline_that_a_request_can_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let of = |left: u64| budget(now + Duration::from_secs(left), now, Duration::from_secs(30));
        assert_eq!(of(60).unwrap(), Some(Duration::from_secs(18)));
        let error = of(42).unwrap_err().to_string();
        assert!(error.contains("a timeout of more than 42s"), "{error}");
        let past = budget(SystemTime::UNIX_EPOCH, now, Duration::from_secs(30));
        assert_eq!(past.unwrap(), None);
    }
}
