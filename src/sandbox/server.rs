//! The sandbox's HTTP side.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::faults::{Fault, Faults};
use super::state::Answer;
use super::{Inner, SandboxAuth, SyncLogEntry, check};

/// The endpoint's path, as the guide proposes it (section 6).
pub(super) const PATH: &str = "/v1/rent-roll/sync";
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route(PATH, post(sync))
        .route("/v1/rent-roll/properties", get(properties))
        .route("/v1/rent-roll/properties/{project_id}", get(property))
        .route("/v1/rent-roll/syncs", get(syncs))
        .route("/faults", get(faults).put(put_faults))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(inner)
}

async fn sync(Shared(inner): Shared<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut entry = SyncLogEntry {
        sync_id: header_text(&headers, "x-aigent-sync-id").to_owned(),
        bytes: body.len() as u64,
        received_at: Utc::now(),
        ..SyncLogEntry::default()
    };
    let checked = check_headers(&inner, &headers)
        .and_then(|()| decoded(&headers, &body))
        .and_then(|body| {
            let told = check::check(&body, &entry.sync_id).map_err(Answer::refusal)?;
            Ok((told, body))
        });
    let (told, body) = match checked {
        Ok(checked) => checked,
        Err(answer) => return finish(&inner, entry, answer, &Fault::default()).await,
    };
    entry.sequence = told.sequence;
    entry.project_id = told.project_id;
    entry.sync_type.clone_from(&told.sync_type);
    entry.units = told.units.len();
    entry.removed = told.removed.len();
    let fault = inner.faults.lock().expect("faults").take(told.project_id);
    if fault.drop_before_apply {
        entry.fault = Some("dropped before it was applied".into());
        return hang_up(&inner, entry);
    }
    if let Some(status) = fault.status {
        entry.fault = Some(format!("told to answer {status}"));
        let text = fault
            .body
            .clone()
            .unwrap_or_else(|| json!({ "error": "told to fail" }).to_string());
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        return finish(&inner, entry, Answer::new(status, body), &fault).await;
    }
    let answer = inner
        .state
        .lock()
        .expect("state")
        .receive(&told, &body, &fault.reject_units);
    if fault.drop_after_apply {
        entry.fault = Some("dropped after it was applied".into());
        return hang_up(&inner, entry);
    }
    finish(&inner, entry, answer, &fault).await
}

fn check_headers(inner: &Inner, headers: &HeaderMap) -> Result<(), Answer> {
    if let SandboxAuth::Header { name, value } = &inner.auth
        && header_text(headers, name) != value
    {
        return Err(Answer::new(
            401,
            json!({ "error": format!("header {name} is missing or wrong") }),
        ));
    }
    for (name, expected) in [("content-type", "application/json"), ("user-agent", "AiGent/1.0")] {
        let found = header_text(headers, name);
        if found != expected {
            return Err(Answer::refusal(format!(
                "header {name}: expected {expected:?}, found {found:?}"
            )));
        }
    }
    Ok(())
}

fn decoded(headers: &HeaderMap, body: &Bytes) -> Result<Vec<u8>, Answer> {
    match header_text(headers, "content-encoding") {
        "" | "identity" => Ok(body.to_vec()),
        "gzip" => {
            let mut bytes = Vec::new();
            GzDecoder::new(&body[..])
                .take(BODY_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| Answer::refusal(format!("the body is not gzip: {error}")))?;
            if bytes.len() > BODY_BYTES_MAX {
                return Err(Answer::new(413, json!({ "error": "more than 64 MiB" })));
            }
            Ok(bytes)
        }
        other => Err(Answer::new(
            415,
            json!({ "error": format!("content-encoding {other:?}: expected gzip") }),
        )),
    }
}

async fn finish(inner: &Inner, mut entry: SyncLogEntry, answer: Answer, fault: &Fault) -> Response {
    entry.status = answer.status;
    entry.repeat = answer.repeat;
    entry.stale = answer.stale;
    entry.digest_mismatch = answer.digest_mismatch;
    if answer.status == 400 && entry.fault.is_none() {
        entry.refusal = answer.body["error"].as_str().map(str::to_owned);
    }
    inner.note(entry);
    if fault.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match answer.body {
        Value::String(text) => (status, text).into_response(),
        body => (status, Json(body)).into_response(),
    };
    for (name, value) in [
        (header::RETRY_AFTER, &fault.retry_after),
        (header::LOCATION, &fault.location),
    ] {
        if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Ends the connection's task, and with it the connection, before a single byte is answered.
fn hang_up(inner: &Inner, entry: SyncLogEntry) -> Response {
    inner.note(entry);
    std::panic::resume_unwind(Box::new("the sandbox was told to hang up"))
}

async fn properties(Shared(inner): Shared<Arc<Inner>>) -> Json<Value> {
    let state = inner.state.lock().expect("state");
    let list = state.properties().iter().map(|(project_id, property)| {
        json!({
            "project_id": project_id, "units": property.units.len(),
            "property_digest": hex::encode(property.digest), "sequence": property.sequence,
        })
    });
    Json(list.collect())
}

async fn property(Shared(inner): Shared<Arc<Inner>>, Path(project_id): Path<i64>) -> Response {
    match inner.property(project_id) {
        Some(state) => Json(json!({
            "project_id": project_id, "property": state.property, "units": state.units,
            "property_digest": state.digest, "sequence": state.sequence,
        }))
        .into_response(),
        None => {
            let error = format!("property {project_id} was never told");
            (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
        }
    }
}

async fn syncs(Shared(inner): Shared<Arc<Inner>>) -> Json<Value> {
    Json(json!(*inner.log.lock().expect("log")))
}

async fn faults(Shared(inner): Shared<Arc<Inner>>) -> Json<Value> {
    Json(json!(*inner.faults.lock().expect("faults")))
}

async fn put_faults(Shared(inner): Shared<Arc<Inner>>, Json(value): Json<Value>) -> Response {
    match Faults::parse(value) {
        Ok(faults) => {
            *inner.faults.lock().expect("faults") = faults;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": format!("{error:#}") }))).into_response(),
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}
