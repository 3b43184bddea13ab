//! What a text reads as: as it stands, and decoded in each of the ways in which receivers quote. Pure; each way is one pass.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

use crate::words::is_unprintable;

/// A character that a text reads as, and the characters of the text that it is made of.
#[derive(Clone, Copy)]
pub(super) struct Glyph {
    pub c: char,
    pub from: usize,
    pub to: usize,
}

/// A letter without its accents, and `ß` as two: what it comes to where somebody decomposes it or writes in capitals.
pub(super) fn base_letters(c: char) -> String {
    let bare = c.nfkd().filter(|c| !is_combining_mark(*c));
    bare.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

pub(super) fn folded(c: char) -> char {
    match c.is_whitespace() {
        true => ' ',
        false => c.to_lowercase().next().unwrap_or(c),
    }
}

/// Whether it is of a script that sets no words apart, or none that a particle doesn't join: Thai to Tibetan, Burmese, Hangul,
/// Khmer, Kana, Han.
pub(super) fn is_unseparated(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}

/// A way in which receivers quote: the marks without which there is none of it, and how it reads.
type Way = (fn(&[Glyph]) -> bool, fn(&[Glyph]) -> Option<(String, usize)>);

const WAYS: [Way; 5] = [
    (|reading| has(reading, &['\\']), json),
    (|reading| has(reading, &['%', '+']), percent),
    (|reading| has(reading, &['=']), quoted_printable),
    (|reading| has(reading, &['&']), html),
    (has_pairs, pairs),
];
/// What was quoted may have been quoted before, in the same way or another one.
const WITHIN: usize = 4;
/// A text that has every mark comes to no more than so many readings, those with the fewest steps first.
const READINGS_MAX: usize = 64;

fn has(reading: &[Glyph], marks: &[char]) -> bool {
    reading.iter().any(|glyph| marks.contains(&glyph.c))
}

/// Everything that the text reads as, as it stands first.
pub(super) fn readings(text: &[char]) -> Vec<Vec<Glyph>> {
    let mut readings = vec![as_it_stands(text)];
    let text_of = |reading: &[Glyph]| reading.iter().map(|glyph| glyph.c).collect::<String>();
    let mut seen = HashSet::from([text_of(&readings[0])]);
    let mut of_last_step = 0..1;
    for _ in 0..WITHIN {
        for at in of_last_step.clone() {
            for (is_there, decode) in WAYS {
                if readings.len() < READINGS_MAX && is_there(&readings[at]) {
                    let inner = decoded(&readings[at], decode);
                    if seen.insert(text_of(&inner)) {
                        readings.push(inner);
                    }
                }
            }
        }
        of_last_step = of_last_step.end..readings.len();
    }
    for at in 0..readings.len() {
        if !readings[at].iter().all(|glyph| glyph.c.is_ascii()) {
            let inner = decoded(&readings[at], bare);
            readings.push(inner);
        }
    }
    readings
}

fn bare(rest: &[Glyph]) -> Option<(String, usize)> {
    let c = rest.first()?.c;
    (!c.is_ascii() && c != char::REPLACEMENT_CHARACTER).then(|| (base_letters(c), 1))
}

/// Characters that nobody sees may stand within a word.
pub(super) fn as_it_stands(text: &[char]) -> Vec<Glyph> {
    let glyphs = text.iter().enumerate().map(|(at, c)| Glyph {
        c: *c,
        from: at,
        to: at + 1,
    });
    glyphs
        .filter(|glyph| glyph.c.is_whitespace() || !is_unprintable(glyph.c))
        .collect()
}

/// `decode`: what stands at the beginning, and how many characters that takes; none where it stands for itself.
fn decoded(reading: &[Glyph], decode: impl Fn(&[Glyph]) -> Option<(String, usize)>) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(reading.len());
    let mut at = 0;
    while at < reading.len() {
        let (text, length) = decode(&reading[at..]).unwrap_or_else(|| (reading[at].c.to_string(), 1));
        let (from, to) = (reading[at].from, reading[at + length - 1].to);
        let seen = text.chars().filter(|c| c.is_whitespace() || !is_unprintable(*c));
        glyphs.extend(seen.map(|c| Glyph { c, from, to }));
        at += length;
    }
    glyphs
}

fn json(rest: &[Glyph]) -> Option<(String, usize)> {
    if rest.first()?.c != '\\' {
        return None;
    }
    match rest.get(1)?.c {
        'u' => {
            let unit = |at: usize| -> Option<u16> { u16::try_from(digits(rest.get(at..at + 4)?, 16)?).ok() };
            let first = unit(2)?;
            let pair = || match (rest.get(6)?.c, rest.get(7)?.c) {
                ('\\', 'u') => Some([first, unit(8)?]),
                _ => None,
            };
            match pair()
                .and_then(|pair| String::from_utf16(&pair).ok())
                .filter(|text| text.chars().count() == 1)
            {
                Some(text) => Some((text, 12)),
                None => Some((String::from_utf16_lossy(&[first]), 6)),
            }
        }
        'x' => escaped(rest, &['\\', 'x']),
        'n' | 'r' | 't' | 'f' | 'b' => Some((" ".to_owned(), 2)),
        other => Some((other.to_string(), 2)),
    }
}

/// Forms write a blank as `+`.
fn percent(rest: &[Glyph]) -> Option<(String, usize)> {
    match rest.first()?.c {
        '+' => Some((" ".to_owned(), 1)),
        _ => escaped(rest, &['%']),
    }
}

/// As in mails, where `=` ends a line that goes on (RFC 2045, section 6.7).
fn quoted_printable(rest: &[Glyph]) -> Option<(String, usize)> {
    match (rest.first()?.c, rest.get(1)?.c, rest.get(2).map(|glyph| glyph.c)) {
        ('=', '\r', Some('\n')) => Some((String::new(), 3)),
        ('=', '\n', _) => Some((String::new(), 2)),
        _ => escaped(rest, &['=']),
    }
}

/// Bytes, each as `mark` and two digits.
fn escaped(rest: &[Glyph], mark: &[char]) -> Option<(String, usize)> {
    let width = mark.len() + 2;
    bytes(rest, |rest| {
        let (begin, digits_of) = rest.get(..width)?.split_at(mark.len());
        let is_one = begin.iter().zip(mark).all(|(glyph, mark)| glyph.c == *mark);
        Some((is_one.then(|| u8::try_from(digits(digits_of, 16)?).ok())??, width))
    })
}

/// Hex as dumps have it: two digits a byte, set apart by a blank, a colon or the like.
fn pairs(rest: &[Glyph]) -> Option<(String, usize)> {
    bytes(rest, pair)
}

/// A byte of those, with what sets it apart from the next one.
fn pair(rest: &[Glyph]) -> Option<(u8, usize)> {
    let prefix = match rest {
        [zero, x, ..] if zero.c == '0' && matches!(x.c, 'x' | 'X') => 2,
        _ => 0,
    };
    let byte = u8::try_from(digits(rest.get(prefix..prefix + 2)?, 16)?).ok()?;
    let mut behind = rest[prefix + 2..].iter().map(|glyph| glyph.c).peekable();
    if behind.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let apart = behind
        .take_while(|c| matches!(c, ' ' | ':' | '-' | ',' | '\n' | '\r' | '\t'))
        .take(3)
        .count();
    let is_last = !rest
        .get(prefix + 2 + apart)
        .is_some_and(|glyph| glyph.c.is_ascii_hexdigit());
    Some((byte, prefix + 2 + if is_last { 0 } else { apart }))
}

/// Whether three such bytes follow each other somewhere.
fn has_pairs(reading: &[Glyph]) -> bool {
    let follows = |rest: &[Glyph]| pair(rest).map(|(_, width)| width).filter(|width| *width > 2);
    (0..reading.len()).any(|at| {
        let second = follows(&reading[at..]).map(|width| at + width);
        let third = second.and_then(|at| follows(&reading[at..]).map(|width| at + width));
        third.is_some_and(|at| pair(&reading[at..]).is_some())
    })
}

/// A run of bytes at a time, as `byte` reads one: one character may need several.
fn bytes(rest: &[Glyph], byte: impl Fn(&[Glyph]) -> Option<(u8, usize)>) -> Option<(String, usize)> {
    let (first, width) = byte(rest)?;
    let wanted = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    };
    let (mut bytes, mut length) = (vec![first], width);
    while bytes.len() < wanted
        && let Some((next, width)) = byte(&rest[length..])
    {
        bytes.push(next);
        length += width;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some((text, length)),
        Err(_) => Some((char::REPLACEMENT_CHARACTER.to_string(), width)),
    }
}

fn html(rest: &[Glyph]) -> Option<(String, usize)> {
    if rest.first()?.c != '&' {
        return None;
    }
    let end = rest.iter().take(12).position(|glyph| glyph.c == ';')?;
    let entity: String = rest[1..end].iter().map(|glyph| glyph.c).collect();
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let c = match (entity.to_lowercase().as_str(), entity.strip_prefix('#')) {
        ("amp", _) => '&',
        ("lt", _) => '<',
        ("gt", _) => '>',
        ("quot", _) => '"',
        ("apos", _) => '\'',
        ("nbsp", _) => ' ',
        (_, Some(digits)) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(digits, 10)?,
        },
        (name, None) => latin(name)?,
    };
    Some((c.to_string(), end + 1))
}

/// A Latin letter by its name, which is the letter and its accent; capitals don't matter, because what is hidden is folded.
fn latin(name: &str) -> Option<char> {
    let whole = match name {
        "szlig" => 'ß',
        "aelig" => 'æ',
        "oelig" => 'œ',
        "oslash" => 'ø',
        "lstrok" => 'ł',
        "dstrok" => 'đ',
        "hstrok" => 'ħ',
        "tstrok" => 'ŧ',
        "eth" => 'ð',
        "thorn" => 'þ',
        "imath" | "inodot" => 'ı',
        "rsquo" => '’',
        _ => '\0',
    };
    if whole != '\0' {
        return Some(whole);
    }
    let accent = match name.get(1..)? {
        "grave" => '\u{300}',
        "acute" => '\u{301}',
        "circ" => '\u{302}',
        "tilde" => '\u{303}',
        "macr" => '\u{304}',
        "breve" => '\u{306}',
        "dot" => '\u{307}',
        "uml" => '\u{308}',
        "ring" => '\u{30a}',
        "dblac" => '\u{30b}',
        "caron" => '\u{30c}',
        "cedil" => '\u{327}',
        "ogon" => '\u{328}',
        _ => return None,
    };
    compose(name.chars().next()?, accent)
}

fn digits(glyphs: &[Glyph], radix: u32) -> Option<u32> {
    glyphs
        .iter()
        .try_fold(0, |number, glyph| Some(number * radix + glyph.c.to_digit(radix)?))
}
