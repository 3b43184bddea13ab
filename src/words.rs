//! How numbers, times, and what somebody else said are put into words.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

/// So many of a thing: `1 unit`, `2 units`.
pub(crate) fn count(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// `1, 2 and 3`.
pub(crate) fn listed(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// A number that is easily read: `65,536`.
pub(crate) fn thousands(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// How long something took, to two digits or three: `24 ms`, `1.5 s`, `3 min`, `2 h`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        ..0.9995 => format!("{:.0} ms", seconds * 1000.0),
        ..9.95 => format!("{seconds:.1} s"),
        ..99.5 => format!("{seconds:.0} s"),
        ..5970.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

/// How long the last hour's changes took, in half of all cases and in 99 of 100.
pub(crate) fn lag(half: Option<f64>, most: Option<f64>) -> String {
    match (half, most) {
        (Some(half), Some(most)) => format!("p50 {}, p99 {}", seconds(half), seconds(most)),
        _ => "-".to_owned(),
    }
}

/// A time in a sentence, to the second.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Somebody else's words, without what would break a line or a terminal.
pub(crate) fn in_a_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || is_unprintable(c));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A character that a terminal obeys instead of showing it, or that shows the others in another order or not at all: control
/// characters (ESC, CSI and OSC among them), directions, what has no width, tags.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text without what a terminal would obey; lines and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let goes = |c: char| is_unprintable(c) && !matches!(c, '\n' | '\t');
    match text.contains(goes) {
        true => Cow::Owned(text.chars().filter(|c| !goes(*c)).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The text in ASCII, anything else as JSON escapes it: of JSON it says the same.
pub(crate) fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c.is_ascii() {
            true => plain.push(c),
            false => plain.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    Cow::Owned(plain)
}

/// JSON that says the same and holds nothing that a terminal would obey: JSON's own escapes end at U+001F.
pub(crate) fn printable_json(text: &str) -> Cow<'_, str> {
    let goes = |c: char| is_unprintable(c) && !matches!(c, '\n' | '\t' | '\r');
    if !text.contains(goes) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match goes(c) {
            // Only strings hold such a character.
            true => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| safe.push_str(&format!("\\u{unit:04x}"))),
            false => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ascii_is_escaped_as_json_does() {
        assert_eq!(in_ascii("plain"), "plain");
        assert_eq!(
            in_ascii("{\"é\": \"→ 🏠\"}"),
            "{\"\\u00e9\": \"\\u2192 \\ud83c\\udfe0\"}"
        );
    }

    #[test]
    fn how_long_it_took_is_said_in_the_unit_that_one_would_use() {
        let said = [0.0, 0.0245, 0.9994, 0.9996, 9.94, 42.0, 150.0, 7200.0].map(seconds);
        assert_eq!(
            said,
            ["0 ms", "24 ms", "999 ms", "1.0 s", "9.9 s", "42 s", "2 min", "2 h"]
        );
        assert_eq!(lag(None, None), "-");
    }

    #[test]
    fn thousands_are_set_apart() {
        let read = [0, 999, 1_000, 65_536, 209_715_200].map(|number: i32| thousands(number));
        assert_eq!(read, ["0", "999", "1,000", "65,536", "209,715,200"]);
    }

    const HOSTILE: &str = "a\u{1b}]0;title\u{7}b\u{9b}31mc\u{202e}d\u{200b}e\u{0}f\u{7f}g";

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        assert_eq!(printable(HOSTILE), "a]0;titleb31mcdefg");
        assert_eq!(in_a_line("a\r\n\u{1b}[2Jb\u{85}c\u{2028}d"), "a [2Jb c d");
        assert_eq!(printable("Zoë\n\tÅsa 王"), "Zoë\n\tÅsa 王");
    }

    #[test]
    fn json_says_the_same_without_it() {
        let json = serde_json::to_string(&[HOSTILE, "\u{e0041}"]).unwrap();
        let safe = printable_json(&json);
        assert!(!safe.contains(is_unprintable), "{safe}");
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&safe).unwrap(),
            [HOSTILE, "\u{e0041}"]
        );
    }
}
