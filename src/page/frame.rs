//! What is around every page: title, ways to everything else, who is signed in. And how a failure looks.

use axum::response::{Html, IntoResponse, Response};
use chrono::Utc;
use maud::{DOCTYPE, Markup, html};

use super::ask::Ask;
use super::failure::Failure;
use super::parts;
use super::site::Site;
use super::viewer::{Person, Viewer};

/// What the ways are called, in the order of need.
const WAYS: [(&str, &str); 12] = [
    ("/", "Overview"),
    ("/properties", "Properties"),
    ("/syncs", "Syncs"),
    ("/holds", "Holds"),
    ("/refused", "Refused"),
    ("/invalid", "Invalid"),
    ("/alerts", "Alerts"),
    ("/snapshots", "Snapshots"),
    ("/receivers", "Receivers"),
    ("/preview", "Preview"),
    ("/doctor", "Doctor"),
    ("/audit", "Audit"),
];

/// Seconds after which a page that is watched is read again.
const WATCHED_EVERY: u32 = 5;

/// One page's surroundings.
pub(super) struct Frame<'a> {
    site: &'a Site,
    viewer: Option<&'a Viewer>,
    /// Within the page, without the prefix.
    path: &'a str,
    is_watched: bool,
    /// What was done just now.
    done: Option<&'a str>,
}

impl<'a> Frame<'a> {
    pub fn new(site: &'a Site, viewer: &'a Viewer, path: &'a str, ask: Option<&'a Ask>) -> Self {
        Self {
            site,
            viewer: Some(viewer),
            path: path.strip_prefix(site.config.http.path_prefix.as_str()).unwrap_or(path),
            is_watched: ask.is_some_and(|ask| ask.is_set("watch")),
            done: ask.and_then(|ask| ask.text("done")),
        }
    }

    /// For who has not signed in: without any way inside.
    pub fn outside(site: &'a Site) -> Self {
        Self {
            site,
            viewer: None,
            path: "/sign-in",
            is_watched: false,
            done: None,
        }
    }

    pub fn link(&self, path: &str) -> String {
        self.site.link(path)
    }

    /// The first columns of a table of units: unit, code, property, receiver.
    pub fn unit_cells(
        &self,
        unit_id: i64,
        unit_code: Option<&String>,
        property_id: i64,
        receiver: &str,
    ) -> Vec<Markup> {
        vec![
            parts::way(self.link(&format!("/units/{unit_id}")), unit_id),
            parts::cell(parts::maybe(unit_code)),
            parts::way(self.link(&format!("/properties/{property_id}")), property_id),
            parts::cell(receiver),
        ]
    }

    /// Whether whoever looks may have something done.
    pub fn may_act(&self) -> bool {
        matches!(self.viewer, Some(Viewer::Person(_)))
    }

    /// To the question whether it is meant; nothing for whoever may not have it done.
    pub fn action(&self, path: &str, words: &str) -> Markup {
        html! { @if self.may_act() { a.button href=(self.link(path)) { (words) } } }
    }

    pub fn page(&self, title: &str, content: Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head(title))
                body {
                    a.skip href="#content" { "To the content" }
                    @if self.viewer.is_some() { (self.header()) }
                    main id="content" tabindex="-1" {
                        h1 { (title) }
                        @if let Some(sentence) = self.done.and_then(parts::done) {
                            p.done role="status" { (sentence) }
                        }
                        (content)
                    }
                    footer {
                        p { "rentsync-relay " (env!("CARGO_PKG_VERSION")) ", read at " (parts::time(Utc::now())) "."
                            @if self.is_watched { " Read again every " (WATCHED_EVERY) " seconds." } }
                    }
                }
            }
        }
    }

    fn head(&self, title: &str) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if self.is_watched { meta http-equiv="refresh" content=(WATCHED_EVERY); }
                title { (title) " · rentsync-relay" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(self.link("/page.css"));
            }
        }
    }

    fn header(&self) -> Markup {
        let (here, _) = self.path.split_once('?').unwrap_or((self.path, ""));
        html! {
            header {
                nav aria-label="Screens" {
                    ul {
                        @for (path, name) in WAYS {
                            li { a href=(self.link(path)) aria-current=[is_here(here, path).then_some("page")] { (name) } }
                        }
                    }
                }
                form.search role="search" action=(self.link("/search")) {
                    label for="q" { "Unit, code, property or sync ID" }
                    input type="search" id="q" name="q" maxlength="200";
                    button type="submit" { "Search" }
                }
                (self.who())
            }
        }
    }

    fn who(&self) -> Markup {
        html! {
            @match self.viewer {
                Some(Viewer::Person(Person { actor, by_cookie: true })) => {
                    form.who method="post" action=(self.link("/sign-out")) {
                        span { "Signed in: " (actor.who) }
                        button type="submit" { "Sign out" }
                    }
                }
                Some(Viewer::Reader) if self.site.config.http.token.is_some() => {
                    p.who { a href=(self.link("/sign-in")) { "Sign in" } " to change anything." }
                }
                _ => { p.who { "Read only: no http.token is set." } }
            }
        }
    }

    pub fn failure(&self, failure: &Failure) -> Response {
        let title = match failure.status.as_u16() {
            401 | 403 => "Not allowed",
            404 => "Not found",
            503 | 429 => "Not now",
            _ => "That did not work",
        };
        let content = html! {
            p.failure role="alert" { (failure.sentence) }
            p { a href=(self.link("/")) { "To the overview" } }
        };
        let page = Html(self.page(title, content).into_string());
        failure.with(page.into_response())
    }
}

fn is_here(here: &str, path: &str) -> bool {
    match path {
        "/" => here == "/",
        "/properties" => here.starts_with("/properties") || here.starts_with("/units"),
        path => here == path || here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')),
    }
}
