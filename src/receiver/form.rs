//! What an answer looks like, whatever it says: a page that stands in for the receiver is told from the receiver.
//!
//! By its content type and by how it begins, as browsers do (WHATWG MIME Sniffing, section 7.1): proxies and gateways put pages
//! under any type.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde::de::IgnoredAny;

/// A page shows what it is by then.
const SNIFFED_BYTES: usize = 1024;
/// How a page begins, and then a space or `>`.
const PAGE_TAGS: [&str; 16] = [
    "!doctype html",
    "html",
    "head",
    "script",
    "iframe",
    "h1",
    "div",
    "font",
    "table",
    "a",
    "style",
    "title",
    "b",
    "body",
    "br",
    "p",
];

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// There is nothing, or nothing but space.
    Nothing,
    /// A page for people.
    Html,
    /// A JSON object.
    Json,
    /// Anything else.
    Other,
}

impl Form {
    /// Of a body; `whole`: it is all there.
    pub(super) fn of(content_type: Option<&str>, body: &[u8], whole: bool) -> Self {
        // Templates begin with any number of blank lines: what comes after them counts.
        let body = &*unpacked(body);
        let text = plain(body);
        let text = text.trim_start();
        if text.is_empty() && whole {
            return Self::Nothing;
        }
        let start = text.get(..text.ceil_char_boundary(SNIFFED_BYTES)).unwrap_or(text);
        if whole && start.starts_with('{') && is_object(body) {
            return Self::Json;
        }
        // Many a server says text/html of whatever nobody gave it a type for.
        let is_ok = start.trim_end().eq_ignore_ascii_case("ok");
        if is_page(start) || content_type.is_some_and(is_html) && !is_ok {
            return Self::Html;
        }
        Self::Other
    }
}

/// Of what came compressed though nobody asked for that, the beginning: a page is one in any wrapping.
fn unpacked(body: &[u8]) -> Cow<'_, [u8]> {
    let mut start = Vec::new();
    if body.starts_with(b"\x1f\x8b") {
        // What can be read before it breaks off is as good.
        let limit = SNIFFED_BYTES as u64;
        GzDecoder::new(body).take(limit).read_to_end(&mut start).ok();
    }
    match start.is_empty() {
        true => Cow::Borrowed(body),
        false => Cow::Owned(start),
    }
}

/// Without byte order marks and the zero bytes of UTF-16.
fn plain(start: &[u8]) -> Cow<'_, str> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let is_wide = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if !is_wide {
        return String::from_utf8_lossy(start);
    }
    let narrow: Vec<u8> = start[2..].iter().copied().filter(|byte| *byte != 0).collect();
    Cow::Owned(String::from_utf8_lossy(&narrow).into_owned())
}

fn is_object(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(body).is_ok()
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|html| kind.eq_ignore_ascii_case(html))
}

fn is_page(text: &str) -> bool {
    let mut rest = text.trim_start();
    // What may stand before a page: comments, and the XML declaration.
    for (open, close) in [("<?", "?>"), ("<!--", "-->"), ("<!--", "-->")] {
        if rest.starts_with(open) {
            // One that goes on for longer than was looked at is no answer of a program either.
            rest = rest
                .find(close)
                .map_or("<html>", |at| rest[at + close.len()..].trim_start());
        }
    }
    let Some(tag) = rest.strip_prefix('<') else {
        return false;
    };
    PAGE_TAGS.iter().any(|page| {
        let begins = tag
            .get(..page.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(page));
        begins && tag[page.len()..].starts_with([' ', '>', '\t', '\n', '\r', '/'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content_type: &str, body: impl AsRef<[u8]>) -> Form {
        Form::of(Some(content_type), body.as_ref(), true)
    }

    #[test]
    fn promise_14_a_page_is_known_by_its_type_and_by_how_it_begins() {
        for page in [
            "<!doctype html><p>Maintenance",
            "\u{feff} \r\n\t<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
            "<html>",
            "<HTML lang=en>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<!-- gateway 7 --><!-- x --> <html><body>",
            "<h1>502</h1>",
            "<head>\n<title>Sign in</title>",
        ] {
            for content_type in ["application/json", "text/plain; charset=utf-8", "", "text/html"] {
                assert_eq!(form(content_type, page), Form::Html, "{content_type} {page}");
            }
        }
        let late = format!("{}<!doctype html><p>Log in", "\n".repeat(5_000));
        for content_type in ["text/plain", "text/html"] {
            assert_eq!(form(content_type, &late), Form::Html, "{content_type}");
        }
        let wide: Vec<u8> = "<!doctype html>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(form("text/plain", [b"\xff\xfe".as_slice(), &wide].concat()), Form::Html);
        for content_type in ["text/html", "Text/HTML; charset=UTF-8", "application/xhtml+xml"] {
            assert_eq!(form(content_type, "Down for maintenance"), Form::Html, "{content_type}");
        }
    }

    #[test]
    fn promise_14_what_a_program_answers_is_no_page() {
        for (content_type, body, expected) in [
            ("application/json", r#"{"property_digest":null}"#, Form::Json),
            ("text/html", "\u{feff} {\"errors\": []}\n", Form::Json),
            ("application/json", "{\"cut\": ", Form::Other),
            ("application/json", "[]", Form::Other),
            ("text/plain", "{<html>}", Form::Other),
            ("text/html", "OK\n", Form::Other),
            ("text/plain", "ok", Form::Other),
            ("text/plain", "accepted", Form::Other),
            ("application/xml", "<ack><html/></ack>", Form::Other),
            ("application/xml", "<app>", Form::Other),
            ("text/html", "", Form::Nothing),
            ("text/html", " \r\n", Form::Nothing),
        ] {
            assert_eq!(form(content_type, body), expected, "{content_type} {body}");
        }
        assert_eq!(Form::of(None, b"{}", true), Form::Json);
        assert_eq!(Form::of(None, b"{}", false), Form::Other, "the rest may be anything");
    }
}
