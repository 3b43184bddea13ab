//! Signing in with the token, and out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use chrono::Utc;
use maud::{Markup, html};

use super::ask::Ask;
use super::failure::Failure;
use super::frame::Frame;
use super::origin;
use super::session::{self, LASTS};
use super::site::Site;
use super::viewer::{COOKIE, Caller};

const NO_TOKEN: &str = "nobody can sign in, because http.token is not set: this page is for reading";

/// Where the token is asked for.
pub(super) async fn form(State(site): State<Arc<Site>>, ask: Result<Ask, Failure>) -> Response {
    let frame = Frame::outside(&site);
    if site.config.http.token.is_none() {
        return frame.failure(&Failure::forbidden(NO_TOKEN));
    }
    match ask {
        Ok(ask) => Html(
            frame
                .page("Sign in", fields(&frame, &inside(&ask), ask.is_set("over")))
                .into_string(),
        )
        .into_response(),
        Err(failure) => frame.failure(&failure),
    }
}

/// A cookie for whoever has the token.
pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
    body: Bytes,
) -> Response {
    match cookie(&site, &caller, &body) {
        Ok(cookie) => {
            let to = ask.map_or_else(|_| "/".to_owned(), |ask| inside(&ask));
            with_cookie(Redirect::to(&site.link(&to)).into_response(), &cookie)
        }
        Err(failure) => Frame::outside(&site).failure(&failure),
    }
}

/// The cookie goes from this browser.
pub(super) async fn sign_out(State(site): State<Arc<Site>>, caller: Caller) -> Response {
    if !origin::is_our_own_page(&caller.headers) {
        return Frame::outside(&site).failure(&Failure::forbidden("another site's page can sign nobody out"));
    }
    let gone = format!(
        "{COOKIE}=; Path={}/; Max-Age=0; HttpOnly; SameSite=Strict",
        site.config.http.path_prefix
    );
    with_cookie(Redirect::to(&site.link("/sign-in")).into_response(), &gone)
}

fn cookie(site: &Site, caller: &Caller, body: &[u8]) -> Result<String, Failure> {
    let token = site.token()?.ok_or_else(|| Failure::forbidden(NO_TOKEN))?;
    if !origin::is_our_own_page(&caller.headers) {
        return Err(Failure::forbidden("this was sent by another site's page: sign in here"));
    }
    let mut fields = form_urlencoded::parse(body);
    let given = fields
        .find_map(|(name, value)| (name == "token").then_some(value))
        .unwrap_or_default();
    caller.check_token(site, &token, given.trim())?;
    let id = format!("{:08x}", rand::random::<u32>());
    tracing::info!("session {id} signed in from {}", caller.client);
    let cookie = session::issue(&token, &id, Utc::now().timestamp());
    let secure = if origin::is_https(&caller.headers) {
        "; Secure"
    } else {
        ""
    };
    let path = &site.config.http.path_prefix;
    Ok(format!(
        "{COOKIE}={cookie}; Path={path}/; Max-Age={LASTS}; HttpOnly; SameSite=Strict{secure}"
    ))
}

fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

/// A place of ours, whatever the address says: nobody is led elsewhere by signing in.
fn inside(ask: &Ask) -> String {
    let to = ask.text("to").unwrap_or("/");
    let is_inside =
        to.starts_with('/') && !to.starts_with("//") && !to.contains(|sign: char| sign == '\\' || sign.is_control());
    if is_inside { to.to_owned() } else { "/".to_owned() }
}

fn fields(frame: &Frame<'_>, to: &str, is_over: bool) -> Markup {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("to", to)
        .finish();
    html! {
        @if is_over { p role="status" { "The session is over: sign in again." } }
        form.sign-in method="post" action=(frame.link(&format!("/sign-in?{query}"))) {
            // What browsers keep passwords by.
            input type="text" name="username" value="rentsync-relay" autocomplete="username" hidden;
            label for="token" { "Token" }
            input type="password" id="token" name="token" required autocomplete="current-password" autofocus;
            button type="submit" { "Sign in" }
        }
        p { "It is what " code { "http.token" } " refers to. A session lasts twelve hours." }
        p { "Came here from another site, and signed in already? " a href=(frame.link(to)) { "Go on" } }
    }
}
