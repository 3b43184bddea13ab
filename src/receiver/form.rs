//! What an answer looks like, whatever it says: a page that stands in for the receiver is distinguished from it.
//!
//! By its content type and by how it begins, as browsers do (WHATWG MIME Sniffing, section 7.1): proxies and gateways put pages
//! under any type. What can't be read is no answer: it may say that nothing was applied.

use std::borrow::Cow;

use super::answer;

/// How a page begins, and then a space or `>`: elements of HTML, but for those whose names stand at the beginning of XML as well.
const PAGE_TAGS: &str = " !doctype a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big \
    blink blockquote body br button canvas caption center col colgroup dd dfn dialog dir div dl dt em embed fieldset figcaption \
    figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li \
    link main marquee menu meta nav nobr noframes noscript ol optgroup option p picture pre q s samp script search section select \
    slot small span strike strong style sub sup svg table tbody td template textarea tfoot th thead title tr tt u ul video wbr ";

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// There is nothing, or nothing but space.
    Nothing,
    /// A page for people.
    Html,
    /// A JSON object.
    Json,
    /// What was not read to its end, is packed in a way that isn't known, or begins as a JSON object and is none.
    Unread,
    /// Anything else.
    Other,
}

impl Form {
    /// Of a body as [`answer::unpacked`] gives it; `whole`: it is all there.
    pub(super) fn of(content_type: Option<&str>, body: &[u8], whole: bool) -> Self {
        let text = plain(body);
        // Templates begin with any number of blank lines: what comes after them counts.
        let text = text.trim();
        if text.is_empty() && whole {
            return Self::Nothing;
        }
        let is_braced = text.starts_with('{');
        if whole && is_braced && answer::is_object(body) {
            return Self::Json;
        }
        // Many a server says text/html of whatever nobody gave it a type for.
        if is_page(text) || content_type.is_some_and(is_html) && !is_ok(text) {
            return Self::Html;
        }
        match !whole || is_braced || text.contains(is_binary) {
            true => Self::Unread,
            false => Self::Other,
        }
    }

    /// Of a body that its header calls packed, in a way that was not undone: what it says in plain text all the same counts.
    pub(super) fn of_packed(self, body: &[u8]) -> Self {
        match self {
            Self::Other if !is_ok(&plain(body)) => Self::Unread,
            other => other,
        }
    }
}

fn is_ok(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("ok")
}

/// In no text (WHATWG MIME Sniffing, section 3, "binary data byte").
fn is_binary(character: char) -> bool {
    matches!(character, '\0'..='\x08' | '\x0b' | '\x0e'..='\x1a' | '\x1c'..='\x1f')
}

/// Without byte order marks and the zero bytes of UTF-16.
fn plain(body: &[u8]) -> Cow<'_, str> {
    let start = &body[..body.len().min(2)];
    let is_wide = start == b"\xff\xfe" || start == b"\xfe\xff";
    let body = if is_wide {
        &body[2..]
    } else {
        answer::without_marks(body)
    };
    if !body.contains(&0) {
        return String::from_utf8_lossy(body);
    }
    let narrow: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0).collect();
    Cow::Owned(String::from_utf8_lossy(answer::without_marks(&narrow)).into_owned())
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|html| kind.eq_ignore_ascii_case(html))
}

fn is_page(text: &str) -> bool {
    let mut rest = text;
    // What may stand before a page: comments, and the XML declaration.
    while let Some((_, close)) = [("<?", "?>"), ("<!--", "-->")]
        .iter()
        .find(|(open, _)| rest.starts_with(open))
    {
        let Some(at) = rest.find(close) else {
            // One without an end is no answer of a program either.
            return true;
        };
        rest = rest[at + close.len()..].trim_start();
    }
    let Some(tag) = rest.strip_prefix('<') else {
        return false;
    };
    let Some(end) = tag.find([' ', '>', '\t', '\n', '\r', '\x0c', '/']) else {
        return false;
    };
    PAGE_TAGS.contains(&format!(" {} ", tag[..end].to_ascii_lowercase()))
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
            "<!-- 1 --><!-- 2 --><!-- 3 -->\n<?php ?><!-- 4 --><html>",
            "<meta http-equiv=\"refresh\" content=\"0; url=/login\">",
            "<center>502 Bad Gateway</center>",
            "<Main class=x>",
            "\u{feff}\u{feff}<html>",
            "\0\0\0<html>",
            "<!-- that never ends",
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
        assert_eq!(form("text/plain", wide), Form::Html, "without a mark");
        for content_type in ["text/html", "Text/HTML; charset=UTF-8", "application/xhtml+xml"] {
            assert_eq!(form(content_type, "Down for maintenance"), Form::Html, "{content_type}");
        }
    }

    #[test]
    fn promise_14_what_a_program_answers_is_no_page() {
        for (content_type, body, expected) in [
            ("application/json", r#"{"property_digest":null}"#, Form::Json),
            ("text/html", "\u{feff} {\"errors\": []}\n", Form::Json),
            ("application/json", "{\"cut\": ", Form::Unread),
            ("application/json", "[]", Form::Other),
            ("text/plain", "{<html>}", Form::Unread),
            ("text/plain", "\u{1b}[0mok \u{6}\u{1}", Form::Unread),
            ("application/xml", "<data><x/></data>", Form::Other),
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
        for body in ["{}", "OK", "", "   "] {
            assert_eq!(
                Form::of(None, body.as_bytes(), false),
                Form::Unread,
                "the rest may be anything"
            );
        }
        for (body, expected) in [
            ("OK", Form::Other),
            ("{}", Form::Json),
            ("", Form::Nothing),
            ("x", Form::Unread),
        ] {
            assert_eq!(form("text/plain", body).of_packed(body.as_bytes()), expected, "{body}");
        }
    }
}
