//! Runs of an answer that can't be read, because they are base64, hex or the like: left out, not decoded.
//!
//! What is short may be a word, a code or a number as well as something encoded. Of these one decoding each is looked at, and they
//! stay where it holds nothing that is to be hidden. Ids and digests of ours stay.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::cost;
use super::reading::Glyph;

/// A shorter run encodes nothing worth hiding.
const RUN_CHARS_MIN: usize = 6;
/// A shorter piece of a run may be any word.
const PIECE_CHARS_MIN: usize = 8;
/// A run whose short pieces look encoded is one if it has so many characters: a date and a time have less of them.
const PIECES_CHARS_MIN: usize = 12;
/// A whole number has at most 19.
const NUMBER_CHARS_MAX: usize = 20;
/// Longer codes of digits up to `F`, and longer words in capitals, are none.
const CODE_CHARS_MAX: usize = 15;
/// So many bytes set apart by so many characters may be a text.
const GROUPS_MIN: usize = 3;
const BETWEEN_MAX: usize = 3;
/// So many in hex are no list of anything else.
const GROUPS_LONG: usize = 8;
/// What stands for an id of ours while the rest is looked at: of no run, no word, no blank.
const OWN: char = '\0';
/// Digits of SHA-256.
const DIGEST: usize = 64;

pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Hands over what is encoded, as glyphs: where `look` knows what it holds, with what that is.
pub(super) fn find<K>(
    reading: &[Glyph],
    look: impl Fn(&str) -> Option<K>,
    mut hide: impl FnMut(Option<K>, Range<usize>),
) {
    cost::visited(reading.len());
    let mut chars: Vec<char> = reading.iter().map(|glyph| glyph.c).collect();
    without_own(&mut chars);
    let mut encoded_to = None;
    for run in runs(&chars, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
    }) {
        let text = &chars[run.clone()];
        let padding = chars[run.end..].iter().take(2).take_while(|c| **c == '=').count();
        let whole = run.start..run.end + padding;
        let is_next_line = encoded_to.is_some_and(|to| is_line_break(&chars[to..run.start]));
        // What is wrapped ends with a line that may be short.
        if (is_next_line && ends_line(&chars[whole.end..])) || is_encoded(text) {
            encoded_to = Some(whole.end);
            hide(None, whole);
        } else if whole.len() >= RUN_CHARS_MIN
            && let Some(kind) = held(text).find_map(|text| look(&text))
        {
            hide(Some(kind), whole);
        }
    }
    for group in [hex_group, number_group] {
        for (groups, bytes, range) in series(&chars, group) {
            let text = as_text(&bytes);
            let found = text.as_ref().and_then(|text| look(text));
            let is_long = groups > GROUPS_LONG || (groups > GROUPS_MIN && text.is_some());
            let has_letters = chars[range.clone()].iter().any(|c| matches!(c, 'a'..='f' | 'A'..='F'));
            if found.is_some() || (is_long && has_letters) {
                hide(found, range);
            }
        }
    }
}

/// Runs of such characters.
fn runs(chars: &[char], is_of_one: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = Range<usize>> {
    let runs = chars.chunk_by(move |one, next| is_of_one(*one) == is_of_one(*next));
    let runs = runs.scan(0, |end, run| {
        *end += run.len();
        Some((run[0], *end - run.len()..*end))
    });
    runs.filter(move |(first, _)| is_of_one(*first)).map(|(_, run)| run)
}

fn is_line_break(between: &[char]) -> bool {
    let is_short = between.len() <= 2 * BETWEEN_MAX;
    is_short && between.contains(&'\n') && between.iter().all(|c| c.is_whitespace())
}

fn ends_line(rest: &[char]) -> bool {
    rest.first()
        .is_none_or(|c| matches!(c, '\n' | '\r' | '"' | '\'' | '<' | ')'))
}

/// Takes out sync IDs, UUIDs and digests: whoever quotes them says what it means.
fn without_own(chars: &mut [char]) {
    let mut at = 0;
    while at < chars.len() {
        let begins = at == 0 || !chars[at - 1].is_alphanumeric();
        let length = [("sync-0000-00-00-00-00-00-", 32), ("", DIGEST), ("", 36)]
            .into_iter()
            .filter(|_| begins)
            .find_map(|(before, length)| own(&chars[at..], before, length));
        let length = length.unwrap_or(0);
        chars[at..at + length].fill(OWN);
        at += length.max(1);
    }
}

/// How long the id or digest is that stands there: `before`, whose zeros are digits, and so many of its own.
fn own(rest: &[char], before: &str, length: usize) -> Option<usize> {
    let (beginning, rest) = rest.split_at_checked(before.len())?;
    let is_so = |(c, pattern): (&char, char)| match pattern {
        '0' => c.is_ascii_digit(),
        pattern => *c == pattern,
    };
    let (id, behind) = rest.split_at_checked(length)?;
    if !beginning.iter().zip(before.chars()).all(is_so) || behind.first().is_some_and(|c| c.is_alphanumeric()) {
        return None;
    }
    let id: String = id.iter().collect();
    let is_uuid = uuid::Uuid::try_parse(&id).is_ok_and(|id| id.get_version().is_some());
    let bytes = hex::decode(id.replace('-', "")).ok()?;
    let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains(char::is_control));
    // What is encoded is mostly ASCII.
    let is_random = bytes.iter().filter(|byte| !byte.is_ascii()).count() * 4 >= bytes.len();
    let is_own = !is_text && (is_uuid || (length == DIGEST && is_random));
    is_own.then_some(before.len() + length)
}

/// Whether a run can't be a path, a name of a field, a time, a code.
fn is_encoded(run: &[char]) -> bool {
    let (mut of_short, mut of_all) = (0, 0);
    for piece in run.split(|c| !c.is_ascii_alphanumeric()) {
        if piece.len() >= PIECE_CHARS_MIN && !is_like_a_word(piece) {
            return true;
        }
        of_all += piece.len();
        if piece.len() < PIECE_CHARS_MIN && groups(piece).0 > 2 {
            of_short += piece.len();
        }
    }
    run.len() >= PIECES_CHARS_MIN && of_short * 2 > of_all
}

/// Words, also such as `unitNotFound`, change between small letters, capitals and digits less often than anything encoded does.
fn is_like_a_word(piece: &[char]) -> bool {
    let length = piece.len();
    let has_digits = piece.iter().any(char::is_ascii_digit);
    let has_small = piece.iter().any(char::is_ascii_lowercase);
    let is_hex = piece.iter().all(char::is_ascii_hexdigit);
    let is_base32 = piece.iter().all(|c| matches!(c, 'A'..='Z' | '2'..='7'));
    let has_digit_within = piece
        .windows(2)
        .any(|two| two[0].is_ascii_digit() && !two[1].is_ascii_digit());
    let (groups, short) = groups(piece);
    match (has_digits, piece) {
        (true, _) if piece.iter().all(char::is_ascii_digit) => length <= NUMBER_CHARS_MAX,
        (true, ['0', 'x', digits @ ..]) if digits.len() <= PIECE_CHARS_MIN => true,
        (true, _) if is_hex && length > CODE_CHARS_MAX => false,
        (true, _) if is_base32 && has_digit_within => false,
        (true, _) => groups * 3 <= length && short * 2 <= groups,
        (false, _) if !has_small => length <= CODE_CHARS_MAX,
        (false, _) if length <= CODE_CHARS_MAX => groups * 5 <= length * 2,
        (false, _) => groups * 3 <= length && short * 2 <= groups,
    }
}

/// How many groups a piece falls into, as `Http`, `JSON` and `502` are each one, and how many of them are short.
fn groups(piece: &[char]) -> (usize, usize) {
    let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let (mut groups, mut short, mut from) = (0, 0, 0);
    for at in 1..=piece.len() {
        let ends = match piece.get(at) {
            None => true,
            Some(next) if piece[at - 1].is_ascii_uppercase() && next.is_ascii_uppercase() => {
                piece.get(at + 1).is_some_and(char::is_ascii_lowercase)
            }
            Some(next) if piece[at - 1].is_ascii_uppercase() => next.is_ascii_digit(),
            Some(next) => kind(*next) != kind(piece[at - 1]),
        };
        if ends {
            groups += 1;
            short += usize::from(at - from < 3);
            from = at;
        }
    }
    (groups, short)
}

/// What a run holds, if it is base64 or hex of a text. Something may stand before it that only looks like a part of it.
fn held(run: &[char]) -> impl Iterator<Item = String> {
    cost::visited(run.len());
    let whole = (0..4).filter_map(|skip| run.get(skip..));
    let pieces = run.split(|c| !c.is_ascii_alphanumeric());
    let pieces = pieces.filter(|piece| (RUN_CHARS_MIN..run.len()).contains(&piece.len()));
    let from_base64 = whole.chain(pieces).filter_map(|run| {
        let standard = run.iter().map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => *c,
        });
        // One character of four holds less than a byte.
        let length = run.len() - usize::from(run.len() % 4 == 1);
        LENIENT.decode(standard.take(length).collect::<String>()).ok()
    });
    let digits = run
        .split(|c| !c.is_ascii_hexdigit())
        .filter(|digits| digits.len() >= RUN_CHARS_MIN);
    let from_hex = digits.flat_map(|digits| {
        (0..2).filter_map(|skip| {
            let rest = &digits[skip..];
            hex::decode(rest[..rest.len() / 2 * 2].iter().collect::<String>()).ok()
        })
    });
    from_base64.chain(from_hex).filter_map(|bytes| as_text(&bytes))
}

/// Of bytes that are something else hardly more than a third are characters.
fn as_text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let of_text = text
        .chars()
        .filter(|c| *c != char::REPLACEMENT_CHARACTER && !c.is_control());
    (of_text.count() * 4 >= text.chars().count() * 3).then(|| text.into_owned())
}

/// Bytes that are set apart, as dumps and lists have them: how many groups, what they are, and where.
fn series(chars: &[char], group: fn(&[char]) -> Option<Vec<u8>>) -> Vec<(usize, Vec<u8>, Range<usize>)> {
    let mut series: Vec<(usize, Vec<u8>, Range<usize>)> = Vec::new();
    for run in runs(chars, char::is_alphanumeric) {
        let Some(bytes) = group(&chars[run.clone()]) else {
            continue;
        };
        let follows = |range: &Range<usize>| {
            let between = &chars[range.end..run.start];
            between.len() <= BETWEEN_MAX
                && between
                    .iter()
                    .all(|c| c.is_whitespace() || matches!(c, ':' | '-' | ','))
        };
        match series.last_mut().filter(|(.., range)| follows(range)) {
            Some((groups, all, range)) => {
                *groups += 1;
                all.extend(bytes);
                range.end = run.end;
            }
            None => series.push((1, bytes, run)),
        }
    }
    series.retain(|(groups, ..)| *groups >= GROUPS_MIN);
    series
}

/// One to four bytes in hex, as dumps group them.
fn hex_group(word: &[char]) -> Option<Vec<u8>> {
    let digits = match word {
        ['0', 'x' | 'X', digits @ ..] => digits,
        digits => digits,
    };
    let is_one = matches!(digits.len(), 2 | 4 | 8);
    hex::decode(digits.iter().collect::<String>()).ok().filter(|_| is_one)
}

/// A byte in decimal.
fn number_group(word: &[char]) -> Option<Vec<u8>> {
    let byte = word.iter().take(4).collect::<String>().parse::<u8>().ok()?;
    Some(vec![byte])
}
