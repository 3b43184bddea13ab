//! A screen: what it reads, and how that is shown. The same answer is a page and JSON.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::time::timeout;

use super::ask::Ask;
use super::failure::Failure;
use super::frame::Frame;
use super::site::Site;
use super::viewer::{Caller, Viewer};
use crate::audit::Through;

/// Before the server itself gives up on a request.
const LONGEST: Duration = Duration::from_secs(20);

/// What one address answers.
pub(super) trait Screen: Serialize + Sized + Send + 'static {
    /// Asks the database.
    fn read(site: &Site, conn: &mut PgConnection, ask: &Ask) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// What it is about, in a few words.
    fn title(&self) -> String;

    fn show(&self, frame: &Frame<'_>) -> Markup;

    /// Hides what a lead's name may be found in, from whoever has not signed in: a receiver's own words, which may be about a unit that the
    /// body did not carry, and hashes over names, which whoever has a list of names can try.
    fn hide(&mut self) {}
}

/// The screen as a page.
pub(super) async fn html<S: Screen>(
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
) -> Response {
    let viewer = match caller.viewer(&site, Through::Page) {
        Ok(viewer) => viewer,
        Err(failure) => return Frame::outside(&site).failure(&failure),
    };
    if let Viewer::Stranger { was_signed_in } = viewer {
        return to_sign_in(&site, &caller.path, was_signed_in);
    }
    let ask = match ask {
        Ok(ask) => ask,
        Err(failure) => return Frame::new(&site, &viewer, &caller.path, None).failure(&failure),
    };
    let frame = Frame::new(&site, &viewer, &caller.path, Some(&ask));
    match read::<S>(&site, &ask, &viewer).await {
        Ok(screen) => Html(frame.page(&screen.title(), screen.show(&frame)).into_string()).into_response(),
        Err(failure) => frame.failure(&failure),
    }
}

/// The same as JSON.
pub(super) async fn json<S: Screen>(
    State(site): State<Arc<Site>>,
    caller: Caller,
    ask: Result<Ask, Failure>,
) -> Response {
    let viewer = match caller.viewer(&site, Through::Api) {
        Err(failure) => return failure.json(),
        Ok(Viewer::Stranger { .. }) => {
            return Failure::signed_out("this needs the token: Authorization: Bearer TOKEN").json();
        }
        Ok(viewer) => viewer,
    };
    let read = async { read::<S>(&site, &ask?, &viewer).await };
    match read.await {
        Ok(screen) => Json(screen).into_response(),
        Err(failure) => failure.json(),
    }
}

async fn read<S: Screen>(site: &Site, ask: &Ask, viewer: &Viewer) -> Result<S, Failure> {
    let _place = site.place().await?;
    let reading = async {
        let mut conn = site.connect_to_read().await?;
        S::read(site, &mut conn, ask).await
    };
    let late = |_| {
        Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "reading this took too long and was given up; the command line has no such bound",
        )
    };
    let mut screen: S = timeout(LONGEST, reading).await.map_err(late)??;
    if !matches!(viewer, Viewer::Person(_)) {
        screen.hide();
    }
    Ok(screen)
}

/// To where the token is asked for, and back.
fn to_sign_in(site: &Site, path: &str, was_signed_in: bool) -> Response {
    let inside = path.strip_prefix(site.config.http.path_prefix.as_str()).unwrap_or(path);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("to", inside);
    if was_signed_in {
        query.append_pair("over", "1");
    }
    Redirect::to(&site.link(&format!("/sign-in?{}", query.finish()))).into_response()
}
