//! The page: what the relay knows, and what a person may have it do, for a browser and (under `/api`) for a program.
//!
//! Rendered on the server by templates that escape what they show; no script, one stylesheet of our own. Each screen reads what
//! `inspect` answers, on a connection of its own that only reads and whose statements are bounded; each deed is one of
//! [`crate::actions`]. Guarantees: nothing is changed without the token, nor by another site's page; no lead's name is shown but by an
//! action that is audited. Not its business: listening, see [`crate::http`].
//!
//! | file | its business |
//! | --- | --- |
//! | `viewer`, `session`, `origin`, `tries`, `sign_in` | who asks, and what that one may have done |
//! | `screen`, `frame`, `parts`, `chart` | how an answer becomes a page or JSON |
//! | `screens/` | what is read, and how it looks, a screen a file |
//! | `action`, `act`, `question` | what a person has the relay do |

mod act;
mod action;
mod ask;
mod chart;
mod failure;
mod frame;
mod origin;
mod parts;
mod question;
mod screen;
mod screens;
mod session;
mod sign_in;
mod site;
mod tries;
mod viewer;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use act::{ask_first, by_api, by_page};
use action::ACTIONS;
use failure::Failure;
use frame::Frame;
use site::{Site, busy};

use crate::config::Config;
use crate::database::Database;

pub use viewer::Client;

/// What a browser may do with an answer of ours: show it, with our stylesheet, and send forms back to us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// And what else.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Screens by their addresses: each is a page there, and JSON behind `/api`.
macro_rules! screens {
    ($($path:literal => $screen:ty,)+) => {
        const SCREENS: &[&str] = &[$($path,)+];

        fn with_screens(router: Router<Arc<Site>>, prefix: &str) -> Router<Arc<Site>> {
            router$(
                .route(&format!("{prefix}{}", $path), get(screen::html::<$screen>))
                .route(&format!("{prefix}{}", of_api($path)), get(screen::json::<$screen>))
            )+
        }
    };
}

screens! {
    "/" => screens::overview::Overview,
    "/properties" => screens::properties::Properties,
    "/properties/{property_id}" => screens::property::Property,
    "/units/{unit_id}" => screens::unit::Unit,
    "/syncs" => screens::syncs::Syncs,
    "/syncs/{sync_id}" => screens::sync::Sync,
    "/holds" => screens::holds::Holds,
    "/holds/{hold_id}" => screens::hold::Hold,
    "/refused" => screens::withheld::Refused,
    "/invalid" => screens::withheld::Invalid,
    "/alerts" => screens::alerts::Alerts,
    "/snapshots" => screens::snapshots::Snapshots,
    "/receivers" => screens::receivers::Receivers,
    "/preview" => screens::preview::Preview,
    "/doctor" => screens::doctor::Doctor,
    "/audit" => screens::audit::Audit,
    "/search" => screens::search::Search,
}

/// Where a program finds what the page shows at `path`.
fn of_api(path: &str) -> String {
    match path {
        "/" => "/api/overview".to_owned(),
        path => format!("/api{path}"),
    }
}

/// Every address behind `/api`, with its method.
pub fn api() -> Vec<(&'static str, String)> {
    let screens = SCREENS.iter().map(|path| ("get", of_api(path)));
    let actions = ACTIONS.iter().map(|(path, _)| ("post", of_api(path)));
    screens.chain(actions).collect()
}

/// The page's addresses, all under `http.path_prefix`, and the sentence for any other; so many requests at once.
pub fn router(database: Database, config: &Config, requests_max: usize) -> Router {
    let prefix = config.http.path_prefix.clone();
    let site = Arc::new(Site::new(database, config.clone(), requests_max));
    let mut router = with_screens(Router::new(), &prefix)
        .route(&format!("{prefix}/page.css"), get(stylesheet))
        .route(&format!("{prefix}/sign-in"), get(sign_in::form).post(sign_in::sign_in))
        .route(&format!("{prefix}/sign-out"), post(sign_in::sign_out));
    for (path, action) in ACTIONS {
        let page = get(move |site, caller, ask| ask_first(action, site, caller, ask))
            .post(move |site, caller, ask| by_page(action, site, caller, ask));
        let api = post(move |site, caller, ask| by_api(action, site, caller, ask));
        router = router
            .route(&format!("{prefix}{path}"), page)
            .route(&format!("{prefix}{}", of_api(path)), api);
    }
    if !prefix.is_empty() {
        let inside = format!("{prefix}/");
        router = router.route(&prefix, get(async move || Redirect::to(&inside)));
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(site.clone(), in_turn))
        .with_state(site)
}

/// However many ask for pages, health checks and scrapes find a place. What was begun is brought to its end, whoever hangs up: the
/// database would go on with it all the same, and the next page would be one too many.
async fn in_turn(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let Ok(turn) = site.requests.clone().try_acquire_owned() else {
        return say(&site, &request, &busy());
    };
    let answer = async move {
        let _turn = turn;
        next.run(request).await
    };
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR.into_response();
    tokio::spawn(answer).await.unwrap_or_else(failed)
}

/// To every answer, whoever gives it.
pub fn add_headers(answer: &mut Response) {
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

async fn stylesheet() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("page.css")).into_response()
}

async fn unknown(State(site): State<Arc<Site>>, request: Request) -> Response {
    say(&site, &request, &Failure::unknown("there is nothing at this address"))
}

async fn wrong_method(State(site): State<Arc<Site>>, request: Request) -> Response {
    let sentence = format!("{} is not what this address is for; nothing was done", request.method());
    say(&site, &request, &Failure::new(StatusCode::METHOD_NOT_ALLOWED, sentence))
}

fn say(site: &Site, request: &Request, failure: &Failure) -> Response {
    let api = site.link("/api/");
    match request.uri().path().starts_with(&api) {
        true => Failure::new(failure.status, failure.sentence.clone()).json(),
        false => Frame::outside(site).failure(failure),
    }
}
