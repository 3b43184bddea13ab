//! The routes of the token endpoint; 404 where tokens were not agreed.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shares;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::json;

use super::super::answer::HttpAnswer;
use super::super::auth::TokenDesk;
use super::shared::Shared;

/// RFC 6749, section 4.4.
pub async fn issue(Shares(shared): Shares<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(desk) = shared.token_desk() else {
        return not_agreed();
    };
    let effect = shared.held().faults.next_token();
    if !effect.delay.is_zero() {
        tokio::time::sleep(effect.delay).await;
    }
    let mut answer = effect
        .answer
        .unwrap_or_else(|| answer(desk, &headers, &body, effect.lifetime));
    // Section 5.1: whoever stands between must not keep a token.
    let no_store = HeaderValue::from_static("no-store");
    answer.headers.push((header::CACHE_CONTROL, no_store));
    desk.asked();
    shared.has_settled();
    answer.response()
}

fn answer(desk: &TokenDesk, headers: &HeaderMap, body: &[u8], lifetime: Option<u64>) -> HttpAnswer {
    match desk.issue(headers, body, lifetime) {
        Ok(token) => HttpAnswer::json(200, &token),
        Err(refusal) => {
            let mut answer = HttpAnswer::json(refusal.status, &refusal.body());
            if refusal.status == 401 {
                let basic = HeaderValue::from_static("Basic");
                answer.headers.push((header::WWW_AUTHENTICATE, basic));
            }
            answer
        }
    }
}

/// How many asked, how many tokens are good.
pub async fn issued(Shares(shared): Shares<Arc<Shared>>) -> Response {
    match shared.token_desk() {
        Some(desk) => HttpAnswer::json(200, &desk.issued()).response(),
        None => not_agreed(),
    }
}

/// Revokes all tokens.
pub async fn revoke(Shares(shared): Shares<Arc<Shared>>) -> Response {
    match shared.token_desk() {
        Some(desk) => {
            desk.revoke();
            HttpAnswer::json(200, &desk.issued()).response()
        }
        None => not_agreed(),
    }
}

fn not_agreed() -> Response {
    HttpAnswer::json(404, &json!({ "error": "no tokens were agreed with this receiver" })).response()
}
