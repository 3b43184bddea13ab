//! Where words end in a text, and which of them can't be read. Pure; one pass.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::cost;
use crate::words::is_unprintable;

/// What can't be read: bytes that are no UTF-8, a control character.
pub(super) const UNREADABLE: char = char::REPLACEMENT_CHARACTER;
/// What stands for an escape in a reading: no edge, no letter, and in no text that is looked at.
const ESCAPED: char = '\u{1a}';

/// Escapes in HTML that no letter is behind, by their names; nothing is left of `&amp;`.
const SIGNS: [&str; 21] = [
    "", "#34", "#x22", "bull", "copy", "gt", "hellip", "laquo", "larr", "ldquo", "lt", "mdash", "middot", "nbsp",
    "ndash", "quot", "raquo", "rarr", "rdquo", "reg", "times",
];

/// Whatever may be an escape.
static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r##"(?x)
          # CSS: small digits with a zero in front or a blank behind, which is a part of it; large ones where a small letter goes on.
          \\+ (?: 0[0-9a-f]{3,5} [\ \t\r\n]? | [0-9a-f]{2,5} [\ \t\r\n] | [0-9A-F]{2,5} [\ \t\r\n] [a-z] )
          # JSON and languages that are like it: \u00fc, \u{fc}, \xfc, \U000000fc, \N{...}, \374. Half of one as well.
        | \\+ (?: [uxN]\{ (?: [\ 0-9A-Za-z-]{1,80} \} )? | u+[0-9A-Fa-f]{4} | u+[0-9] | U[0-9A-Fa-f]{8} | x[0-9A-Fa-f]{2}
          | [0-3][0-7]{2} )
          # What JSON escapes that sets words apart.
        | \\+ ["/nrt] | \\\\+
        | % (?: [0-9A-Fa-f]{2} | u[0-9A-Fa-f]{4} )
          # HTML, escaped again or not. Letters of Latin-1 need no semicolon. By itself `&amp;` is a sign.
        | & (?: amp; | \#0*38; | \#[xX]0*26; )*
          (?: \#[0-9]{1,12};? | \#[xX][0-9A-Fa-f]{1,6};? | [A-Za-z][0-9A-Za-z]{3,31}; | [A-Za-z]{2}[A-OQ-Za-oq-z]; | [A-Za-z]{2};
          | (?i-u: [aeinouy](?: grave | acute | circ | tilde | uml ) | aring | ccedil | oslash | szlig | aelig | eth | thorn ) )
        | & (?: amp; )+
          # Mails (RFC 2045, section 6.7). One by itself may be a value as well, unless a small letter follows.
        | (?: = (?:25)? [0-9A-F]{2} (?: =\r?\n )? ){2,} | = (?:25)? [4-7C-F][0-9A-F][a-z]
        | [^\ \t\r\n=] (?: =\r?\n [^\ \t\r\n=] )+"##;
    Regex::new(pattern).expect("a regular expression")
});

/// The text with something else instead of its escapes, byte by byte: edges for those that set words apart, [`ESCAPED`] for those
/// that a letter may be behind.
pub(super) fn of(text: &str) -> String {
    cost::visited(text.len());
    let mut reading = String::with_capacity(text.len());
    for found in ESCAPES.find_iter(text) {
        let escape = found.as_str();
        let name = escape
            .trim_start_matches('&')
            .trim_start_matches("amp;")
            .trim_end_matches(';');
        let instead = match (escape.starts_with('\\'), escape.chars().last()) {
            (true, Some('n' | 'r')) => '\n',
            (true, Some('/')) => '/',
            (true, Some('"' | 't' | '\\')) => ' ',
            _ if SIGNS.contains(&name) => ' ',
            _ => ESCAPED,
        };
        reading.push_str(&text[reading.len()..found.start()]);
        reading.extend(std::iter::repeat_n(instead, escape.len()));
    }
    reading.push_str(&text[reading.len()..]);
    reading
}

/// Words are left out as a whole: nobody knows which letter is missing.
pub(super) fn unreadable(reading: &str) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    let words = reading.split_inclusive(is_edge).map(move |word| {
        end += word.len();
        (end - word.len(), word.trim_end_matches(is_edge))
    });
    let unreadable = words.filter(|(_, word)| word.contains([UNREADABLE, ESCAPED]));
    unreadable.map(|(from, word)| from..from + word.len())
}

/// What sets words apart, in texts, JSON, HTML and URLs.
pub(super) fn is_edge(c: char) -> bool {
    is_edge_of_any(c) || "&#;=".contains(c)
}

/// The same, without what escapes begin and end with.
pub(super) fn is_edge_of_any(c: char) -> bool {
    c.is_whitespace() || "\"<>(){}[],:|?/".contains(c)
}

/// A letter in lower case and without its accents, `ß` and its capital as two, any blank as one: what it comes to where somebody decomposes it or
/// writes in capitals.
pub(super) fn folded(c: char) -> impl Iterator<Item = char> {
    let c = if c.is_whitespace() { ' ' } else { c };
    // Of thousands of names most letters are plain, and for those nothing is looked up.
    let is_plain = matches!(c, ' '..='~');
    let plain = is_plain.then(|| c.to_ascii_lowercase());
    let bare = (!is_plain).then(|| c.nfkd()).into_iter().flatten();
    let bare = bare.filter(|c| !is_combining_mark(*c) && !is_unprintable(*c));
    plain.into_iter().chain(
        bare.flat_map(char::to_lowercase)
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase),
    )
}

/// Whether it is of a script that sets no words apart, or none that a particle doesn't join: Thai to Tibetan, Burmese, Hangul,
/// Khmer, Kana, Han.
pub(super) fn is_unseparated(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with `*` for each escape that a letter may be behind and `_` for each that sets words apart.
    fn read(text: &str) -> String {
        let reading = of(text);
        assert_eq!(reading.len(), text.len());
        let mut shown = String::new();
        for (read, as_it_is) in reading.chars().zip(text.chars()) {
            let c = match read {
                ESCAPED => '*',
                read if read != as_it_is => '_',
                read => read,
            };
            if !shown.ends_with(c) || !"*_".contains(c) {
                shown.push(c);
            }
        }
        shown
    }

    #[test]
    fn an_escape_that_a_letter_may_be_behind_is_known() {
        for (text, shown) in [
            (
                "M\\u00fcl M\\\\u00fcl M\\u{fc}l M\\xfcl M\\U000000fcl M\\374l",
                "M*l M*l M*l M*l M*l M*l",
            ),
            ("M\\N{LATIN SMALL LETTER U WITH DIAERESIS}l M\\u00", "M*l M*0"),
            ("M\\fc l M\\0000fcl M\\00fcl", "M*l M*l M*l"),
            ("M%C3%BCl M%FCl M%u00fcl M%25C3%25BCl", "M*l M*l M*l M*C3*BCl"),
            (
                "M&uuml;l M&#252;l M&#252l M&#xFC;l M&uumll M&amp;uuml;l M&#38;#252;l &Ncy;",
                "M*l M*l M*l M*l M*l M*l M*l *",
            ),
            ("M=C3=BCl M=FCl M=25FCl Mü=\r\nll=\ner", "M*l M* M* M*"),
        ] {
            assert_eq!(read(text), shown);
        }
    }

    #[test]
    fn what_sets_words_apart_is_an_edge_and_the_rest_is_no_escape() {
        for (text, shown) in [
            ("\\\"a\\nb\\\\nc\\td\\/e\\\\f", "_a_b_c_d_/e_f"),
            ("{&quot;a&quot;:&amp;lt;b&nbsp;&hellip;c&amp;d", "{_a_:_b_c_d"),
        ] {
            assert_eq!(read(text), shown);
        }
        for text in [
            "C:\\Users\\data Illuminate\\Support\\Facades\\DB \\ 100% 5%d %s a&b &copy=2 AT&T;",
            "state=CA&unit=12&code=ECONNREFUSED&q== limit=2500\nUnité introuvable",
        ] {
            assert_eq!(read(text), text);
        }
    }
}
