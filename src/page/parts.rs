//! What screens are made of.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};
use serde_json::Value;

use crate::payload::HIDDEN;
use crate::words::{in_a_line, moment, printable};

/// Of a text that somebody else wrote, in a table.
const CELL_CHARS_MAX: usize = 300;

/// A moment, and how far away it is.
pub(super) fn time(at: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(at.to_rfc3339_opts(SecondsFormat::Secs, true)) { (moment(at)) }
    }
}

/// The same in a table or a list, where there may be none.
pub(super) fn when(at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            Some(at) => { (time(at)) " (" (away(Utc::now() - at)) ")" }
            None => { "–" }
        }
    }
}

/// How long ago, or in how long: the two largest parts of it.
pub(super) fn away(ago: TimeDelta) -> String {
    let seconds = ago.num_seconds().unsigned_abs();
    let text = lasting(seconds);
    match ago.num_seconds() {
        0 => "now".to_owned(),
        ..0 => format!("in {text}"),
        _ => format!("{text} ago"),
    }
}

/// How long: `2 h 5 min`.
pub(super) fn lasting(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let said = parts
        .iter()
        .skip_while(|(number, _)| *number == 0)
        .take(2)
        .filter(|(number, _)| *number > 0);
    let said: Vec<String> = said.map(|(number, unit)| format!("{number} {unit}")).collect();
    match said.is_empty() {
        true => "0 s".to_owned(),
        false => said.join(" "),
    }
}

/// Somebody else's words, in one line.
pub(super) fn words(text: &str) -> String {
    let line = in_a_line(text);
    match line.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The same with its lines.
pub(super) fn block(text: &str) -> Markup {
    html! { pre tabindex="0" { (printable(text)) } }
}

/// What may be absent.
pub(super) fn maybe(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| words(&value.to_string()))
}

/// A value of a field, as JSON has it; a dash where there is none.
pub(super) fn value(value: Option<&Value>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| words(&value.to_string()))
}

/// What is there is not for whoever looks.
pub(super) fn hide(text: &mut Option<String>) {
    if let Some(text) = text {
        HIDDEN.clone_into(text);
    }
}

/// The beginning of a hash says which it is.
pub(super) fn hash(hash: Option<&str>) -> Markup {
    html! {
        @match hash {
            Some(HIDDEN) => { (HIDDEN) }
            Some(hash) => { code title=(hash) { (hash.chars().take(12).collect::<String>()) "…" } }
            None => { "–" }
        }
    }
}

/// Names and what they are.
pub(super) fn facts(facts: Vec<(&str, Markup)>) -> Markup {
    html! {
        dl {
            @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } }
        }
    }
}

/// A table that can be scrolled by itself; a sentence where it has no rows. `head` begins with what names a row.
pub(super) fn table(caption: &str, head: &[&str], rows: Vec<Vec<Markup>>, when_empty: &str) -> Markup {
    html! {
        @if rows.is_empty() {
            p { (when_empty) }
        } @else {
            div.scroll role="region" aria-label=(caption) tabindex="0" {
                table {
                    caption { (caption) }
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (place, cell) in row.into_iter().enumerate() {
                                    @if place == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A cell.
pub(super) fn cell(text: impl ToString) -> Markup {
    html! { (text.to_string()) }
}

/// A cell that leads on.
pub(super) fn way(to: String, text: impl ToString) -> Markup {
    html! { a href=(to) { (text.to_string()) } }
}

/// Text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// What was done, by the name that the address has for it: the address itself is anybody's, and its words are not shown.
pub(super) fn done(name: &str) -> Option<&'static str> {
    Some(match name {
        "approved" => "Approved: the removals are sent now.",
        "rejected" => "Rejected: the units stay at the receiver until they are back in the source.",
        "retried" => "The unit is sent again.",
        "paused" => "Paused.",
        "resumed" => "Resumed.",
        "resynced" => "Everything is sent again.",
        "acknowledged" => "Acknowledged.",
        "signed-in" => "Signed in.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_by_its_two_largest_parts() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_661, "1 h 1 min"),
            (86_405, "1 d"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(lasting(seconds), said);
        }
        assert_eq!(away(TimeDelta::seconds(-90)), "in 1 min 30 s");
        assert_eq!(away(TimeDelta::seconds(90)), "1 min 30 s ago");
    }

    #[test]
    fn what_others_wrote_is_text_and_stays_in_its_line() {
        let hostile = "<script>alert(1)</script>\n\u{202e}&\"";
        let shown = html! { (words(hostile)) }.into_string();
        assert_eq!(shown, "&lt;script&gt;alert(1)&lt;/script&gt; &amp;&quot;");
        assert_eq!(words(&"x".repeat(1_000)).chars().count(), CELL_CHARS_MAX + 1);
        assert_eq!(encoded("a b/c?&"), "a%20b%2Fc%3F%26");
    }
}
