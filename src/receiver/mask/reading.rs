//! What a text reads as: as it stands, and with one layer of escapes taken off, and another. Pure; each is one pass.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

use super::cost;
use crate::words::is_unprintable;

/// What can't be read: bytes that are no UTF-8, a control character, an escape of which nobody here knows what it stands for.
pub(super) const UNREADABLE: char = char::REPLACEMENT_CHARACTER;
/// Names of HTML's entities are shorter.
const ENTITY_CHARS_MAX: usize = 32;

/// A character that a text reads as, and the characters of the text that it is made of.
#[derive(Clone, Copy)]
pub(super) struct Glyph {
    pub c: char,
    pub from: usize,
    pub to: usize,
}

impl Glyph {
    /// That stands for itself.
    pub fn at(place: usize, c: char) -> Self {
        Self {
            c,
            from: place,
            to: place + 1,
        }
    }
}

/// What an escape stands for, if for anything that is seen, and how many characters it takes.
type Escape = Option<(Option<char>, usize)>;

/// Everything that a text reads as.
pub(super) struct Readings {
    pub as_it_stands: Vec<Glyph>,
    /// With escapes taken off, a layer each.
    pub without_escapes: Vec<Vec<Glyph>>,
    /// The same of what may be quoted-printable: `=` begins an escape in mails, and a value everywhere else.
    pub of_mails: Vec<Vec<Glyph>>,
}

impl Readings {
    pub fn of(text: &[char]) -> Self {
        let glyphs = text.iter().enumerate().map(|(at, c)| Glyph::at(at, *c));
        let as_it_stands: Vec<Glyph> = glyphs.collect();
        let of_mails = |rest: &[Glyph]| quoted_printable(rest).or_else(|| escape(rest));
        let without_escapes = layers(&as_it_stands, escape);
        let is_quoted = |reading: &Vec<Glyph>| {
            let mut places = (0..reading.len()).filter(|place| reading[*place].c == '=');
            places.any(|place| quoted_printable(&reading[place..]).is_some())
        };
        let is_of_mails = is_quoted(&as_it_stands) || without_escapes.iter().any(is_quoted);
        Self {
            without_escapes,
            of_mails: if is_of_mails {
                layers(&as_it_stands, of_mails)
            } else {
                Vec::new()
            },
            as_it_stands,
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &[Glyph]> {
        let layers = self.without_escapes.iter().chain(&self.of_mails);
        std::iter::once(&self.as_it_stands).chain(layers).map(Vec::as_slice)
    }
}

/// Two at most. What is escaped once more than that is not read.
fn layers(text: &[Glyph], way: impl Fn(&[Glyph]) -> Escape) -> Vec<Vec<Glyph>> {
    let Some(first) = without_a_layer(text, &way) else {
        return Vec::new();
    };
    let Some(second) = without_a_layer(&first, &way) else {
        return vec![first];
    };
    let rest = without_a_layer(&second, |rest| hides(rest, &way));
    vec![first, rest.unwrap_or(second)]
}

/// None where there is no escape.
fn without_a_layer(reading: &[Glyph], way: impl Fn(&[Glyph]) -> Escape) -> Option<Vec<Glyph>> {
    cost::visited(reading.len());
    let mut glyphs = Vec::with_capacity(reading.len());
    let (mut at, mut has_any) = (0, false);
    while at < reading.len() {
        let escape = way(&reading[at..]);
        has_any |= escape.is_some();
        let (c, length) = escape.unwrap_or((Some(reading[at].c), 1));
        let (from, to) = (reading[at].from, reading[at + length - 1].to);
        // What nobody sees may stand within a word.
        let c = c.filter(|c| c.is_whitespace() || !is_unprintable(*c));
        glyphs.extend(c.map(|c| Glyph { c, from, to }));
        at += length;
    }
    has_any.then_some(glyphs)
}

/// An escape that a letter may be behind.
fn hides(rest: &[Glyph], way: impl Fn(&[Glyph]) -> Escape) -> Escape {
    let (c, length) = way(rest)?;
    (length > 2 && c.is_some()).then_some((Some(UNREADABLE), length))
}

fn escape(rest: &[Glyph]) -> Escape {
    match at(rest, 0)? {
        '\\' => backslash(rest),
        '%' if at(rest, 1) == Some('u') => utf16(rest),
        '%' => bytes(rest, |rest| byte(rest, &['%'])),
        '&' => entity(rest),
        _ => None,
    }
}

/// As JSON has it, and languages that are like it; CSS (`\fc `); octal.
fn backslash(rest: &[Glyph]) -> Escape {
    let next = at(rest, 1)?;
    if let Some(css) = css(rest) {
        return Some(css);
    }
    match next {
        'u' | 'x' if at(rest, 2) == Some('{') => braced(rest),
        'u' => utf16(rest),
        'x' => bytes(rest, |rest| byte(rest, &['\\', 'x'])),
        // By its name, as Python has it, or by eight digits.
        'N' if at(rest, 2) == Some('{') => Some((Some(UNREADABLE), until(rest, '}').unwrap_or(2))),
        'U' if number(rest, 2, 8, 16).is_some() => Some((Some(UNREADABLE), 10)),
        'n' | 'r' => Some((Some('\n'), 2)),
        't' | 'f' | 'b' => Some((Some(' '), 2)),
        '0'..='9' => bytes(rest, octal),
        '\n' | '\r' => Some((None, 2)),
        other => (!other.is_alphanumeric()).then_some((Some(other), 2)),
    }
}

/// Six digits, or fewer with a blank behind them or a zero in front.
fn css(rest: &[Glyph]) -> Escape {
    let length = digits(rest, 1, 6);
    let ends = at(rest, 1 + length).is_some_and(char::is_whitespace);
    let is_padded = length >= 4 && at(rest, 1) == Some('0');
    if length < 2 || !(length == 6 || ends || is_padded) {
        return None;
    }
    Some((of_number(number(rest, 1, length, 16)), 1 + length + usize::from(ends)))
}

fn braced(rest: &[Glyph]) -> Escape {
    let length = until(rest, '}')?;
    let of_digits = digits(rest, 3, 6);
    let is_number = of_digits > 0 && 3 + of_digits + 1 == length;
    let c = of_number(number(rest, 3, of_digits, 16).filter(|_| is_number));
    Some((c, length))
}

/// Four digits behind `\u` or `%u`, twice for what UTF-16 needs two units for.
fn utf16(rest: &[Glyph]) -> Escape {
    let Some(first) = number(rest, 2, 4, 16) else {
        let is_like_one = at(rest, 2).is_some_and(|c| c == 'u' || c.is_ascii_digit());
        return is_like_one.then_some((Some(UNREADABLE), 2));
    };
    let is_followed = at(rest, 6) == at(rest, 0) && at(rest, 7) == Some('u');
    let second = number(rest, 8, 4, 16).filter(|_| is_followed);
    let unit = |number| u16::try_from(number).unwrap_or_default();
    let pair = second.and_then(|second| char::decode_utf16([unit(first), unit(second)]).next()?.ok());
    match pair.filter(|c| c.len_utf16() == 2) {
        Some(c) => Some((Some(c), 12)),
        None => Some((of_number(Some(first)), 6)),
    }
}

/// As in mails, where `=` ends a line that goes on (RFC 2045, section 6.7). One byte by itself that is no UTF-8 may be a value as well.
fn quoted_printable(rest: &[Glyph]) -> Escape {
    match (at(rest, 0)?, at(rest, 1)?, at(rest, 2)) {
        ('=', '\r', Some('\n')) => Some((None, 3)),
        ('=', '\n', _) => Some((None, 2)),
        ('=', ..) => match bytes(rest, |rest| byte(rest, &['=']))? {
            (Some(UNREADABLE), _) if byte(rest.get(3..)?, &['=']).is_none() => {
                Some((of_number(number(rest, 1, 2, 16)), 3))
            }
            other => Some(other),
        },
        _ => None,
    }
}

/// With or without its semicolon, as browsers take it.
fn entity(rest: &[Glyph]) -> Escape {
    let ended = |length: usize| length + usize::from(at(rest, length) == Some(';'));
    if at(rest, 1)? == '#' {
        let (from, radix, most) = match at(rest, 2)? {
            'x' | 'X' => (3, 16, 6),
            _ => (2, 10, 7),
        };
        let digit = |glyph: &&Glyph| glyph.c.is_digit(radix);
        let length = rest.get(from..)?.iter().take(most).take_while(digit).count();
        let c = of_number(number(rest, from, length, radix));
        return (length > 0).then_some((c, ended(from + length)));
    }
    let name = rest[1..].iter().map(|glyph| glyph.c).take(ENTITY_CHARS_MAX);
    let name: String = name.take_while(char::is_ascii_alphanumeric).collect();
    if at(rest, 1 + name.len()) == Some(';') && !name.is_empty() {
        return Some((named(&name).or(Some(UNREADABLE)), ended(1 + name.len())));
    }
    let beginnings = (3..=name.len().min(6)).rev();
    let mut known =
        beginnings.filter_map(|length| Some((named(&name[..length]), 1 + length)).filter(|(c, _)| c.is_some()));
    known.next()
}

/// A Latin letter by its name, which is the letter and its accent; capitals don't matter, because what is looked for is folded. And
/// the signs that stand in every page.
fn named(name: &str) -> Option<char> {
    let name = name.to_ascii_lowercase();
    Some(match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" | "ldquo" | "rdquo" | "bdquo" | "laquo" | "raquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" | "zwj" | "zwnj" => '\u{ad}',
        "ndash" | "mdash" | "hellip" | "middot" | "bull" | "times" | "copy" | "reg" | "trade" | "rarr" => '-',
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
        _ => return compose(name.chars().next()?, accent(name.get(1..)?)?),
    })
}

fn accent(name: &str) -> Option<char> {
    Some(match name {
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
    })
}

/// A run of bytes at a time, as `byte` reads one: one character may need several.
fn bytes(rest: &[Glyph], byte: impl Fn(&[Glyph]) -> Option<(u8, usize)>) -> Escape {
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
    match std::str::from_utf8(&bytes) {
        Ok(text) => Some((text.chars().next(), length)),
        Err(_) => Some((Some(UNREADABLE), width)),
    }
}

fn byte(rest: &[Glyph], mark: &[char]) -> Option<(u8, usize)> {
    let is_one = mark.iter().enumerate().all(|(place, c)| at(rest, place) == Some(*c));
    let byte = number(rest, mark.len(), 2, 16).filter(|_| is_one)?;
    Some((u8::try_from(byte).ok()?, mark.len() + 2))
}

fn octal(rest: &[Glyph]) -> Option<(u8, usize)> {
    let byte = number(rest, 1, 3, 8).filter(|_| at(rest, 0) == Some('\\'))?;
    Some((u8::try_from(byte).ok()?, 4))
}

fn at(rest: &[Glyph], place: usize) -> Option<char> {
    rest.get(place).map(|glyph| glyph.c)
}

/// How many characters there are up to this one, and with it, if it is near.
fn until(rest: &[Glyph], end: char) -> Option<usize> {
    const NEAR: usize = 80;
    let place = rest.iter().take(NEAR).position(|glyph| glyph.c == end)?;
    Some(place + 1)
}

/// How many hexadecimal digits stand there, so many at most.
fn digits(rest: &[Glyph], from: usize, most: usize) -> usize {
    let rest = rest.get(from..).unwrap_or_default();
    let digits = rest.iter().take(most).take_while(|glyph| glyph.c.is_ascii_hexdigit());
    digits.count()
}

/// So many digits.
fn number(rest: &[Glyph], from: usize, length: usize, radix: u32) -> Option<u32> {
    let digits = rest.get(from..from + length)?;
    digits
        .iter()
        .try_fold(0, |number, glyph| Some(number * radix + glyph.c.to_digit(radix)?))
}

fn of_number(number: Option<u32>) -> Option<char> {
    Some(number.and_then(char::from_u32).unwrap_or(UNREADABLE))
}

/// A letter in lower case and without its accents, `ß` as two, any blank as one: what it comes to where somebody decomposes it or
/// writes in capitals.
pub(super) fn folded(c: char) -> impl Iterator<Item = char> {
    let c = if c.is_whitespace() { ' ' } else { c };
    let bare = c.nfkd().filter(|c| !is_combining_mark(*c) && !is_unprintable(*c));
    bare.flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Whether it is of a script that sets no words apart, or none that a particle doesn't join: Thai to Tibetan, Burmese, Hangul,
/// Khmer, Kana, Han.
pub(super) fn is_unseparated(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
}
