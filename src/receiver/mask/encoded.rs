//! Runs of an answer that can't be read, because they are base64, hex or the like: left out, not decoded.
//!
//! What is short may be a word, a code or a number as well as something encoded. Of these one decoding each is looked at, and they
//! stay where it holds nothing that is to be hidden. Ids and digests of ours stay.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::{Match, Regex};

use super::cost;

/// A shorter run encodes nothing worth hiding.
const RUN_CHARS_MIN: usize = 4;
/// A shorter piece of a run may be any word.
const PIECE_CHARS_MIN: usize = 8;
/// A run whose short pieces look encoded is one if it has so many characters: a date and a time have less of them.
const PIECES_CHARS_MIN: usize = 12;
/// A whole number has at most 19.
const NUMBER_CHARS_MAX: usize = 20;
/// Longer codes of digits up to `F`, and longer words in capitals, are none.
const CODE_CHARS_MAX: usize = 15;
/// Between the lines of what is wrapped, with JSON's escapes of `\r\n`, escaped again.
const LINE_BREAK_MAX: usize = 6;

pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Sync IDs, digests, UUIDs.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = "sync-[0-9]{4}(?:-[0-9]{2}){5}-[0-9a-f]{32}|[0-9A-Fa-f]{64}\
                   |[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
    Regex::new(pattern).expect("a regular expression")
});

/// Hands over what is encoded: where `look` knows what it holds, with what that is.
pub(super) fn find<K>(reading: &str, look: impl Fn(&str) -> Option<K>, mut hide: impl FnMut(Option<K>, Range<usize>)) {
    cost::visited(reading.len());
    let text = without_own(reading);
    let mut encoded_to = None;
    for run in runs(&text) {
        let padding = text[run.end..].iter().take(2).take_while(|c| **c == b'=').count();
        let whole = run.start..run.end + padding;
        // What is wrapped ends with a line that may be short.
        let is_next_line = encoded_to.is_some_and(|to| is_line_break(&text[to..run.start]))
            && text.get(whole.end).is_none_or(|c| b"\n\r\"'<)".contains(c));
        if is_next_line || is_encoded(&text[run.clone()]) {
            encoded_to = Some(whole.end);
            hide(None, whole);
        } else if whole.len() >= RUN_CHARS_MIN
            && let Some(kind) = held(&text[run]).find_map(|text| look(&text))
        {
            hide(Some(kind), whole);
        }
    }
}

/// Where letters and digits follow each other, and what base64 has beside them.
fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_of_one = |c: &u8| c.is_ascii_alphanumeric() || b"+/-_".contains(c);
    let mut end = 0;
    text.chunk_by(move |one, next| is_of_one(one) == is_of_one(next))
        .filter_map(move |run| {
            end += run.len();
            is_of_one(&run[0]).then_some(end - run.len()..end)
        })
}

fn is_line_break(between: &[u8]) -> bool {
    between.len() <= LINE_BREAK_MAX && between.contains(&b'\n') && between.iter().all(u8::is_ascii_whitespace)
}

/// Takes out what is ours: whoever quotes it says what it means.
fn without_own(reading: &str) -> Vec<u8> {
    let mut text = reading.as_bytes().to_vec();
    for own in OWN.find_iter(reading).filter(|found| is_own(reading, found)) {
        text[own.range()].fill(0);
    }
    text
}

/// Whether it stands by itself and is no text in hex.
fn is_own(reading: &str, found: &Match) -> bool {
    let is_within = reading[..found.start()].ends_with(char::is_alphanumeric)
        || reading[found.end()..].starts_with(char::is_alphanumeric);
    // Without the time of a sync ID.
    let id = found.as_str();
    let id = id
        .get("sync-0000-00-00-00-00-00-".len()..)
        .filter(|_| id.starts_with("sync-"))
        .unwrap_or(id);
    let bytes = hex::decode(id.replace('-', "")).unwrap_or_default();
    let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains(char::is_control));
    let is_random = match uuid::Uuid::from_slice(&bytes) {
        Ok(id) => id.get_version().is_some(),
        // What is encoded is mostly ASCII.
        Err(_) => bytes.iter().filter(|byte| !byte.is_ascii()).count() * 4 >= bytes.len(),
    };
    !is_within && !is_text && is_random
}

/// Whether a run can't be a path, a name of a field, a time, a code.
fn is_encoded(run: &[u8]) -> bool {
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
fn is_like_a_word(piece: &[u8]) -> bool {
    let length = piece.len();
    let has_digits = piece.iter().any(u8::is_ascii_digit);
    let has_small = piece.iter().any(u8::is_ascii_lowercase);
    let is_hex = piece.iter().all(u8::is_ascii_hexdigit);
    let is_base32 = piece.iter().all(|c| matches!(c, b'A'..=b'Z' | b'2'..=b'7'));
    let has_digit_within = piece
        .windows(2)
        .any(|two| two[0].is_ascii_digit() && !two[1].is_ascii_digit());
    let (groups, short) = groups(piece);
    match (has_digits, piece) {
        (true, _) if piece.iter().all(u8::is_ascii_digit) => length <= NUMBER_CHARS_MAX,
        (true, [b'0', b'x', digits @ ..]) if digits.len() <= PIECE_CHARS_MIN => true,
        (true, _) if is_hex && length > CODE_CHARS_MAX => false,
        (true, _) if is_base32 && has_digit_within => false,
        (true, _) => groups * 3 <= length && short * 2 <= groups,
        (false, _) if !has_small => length <= CODE_CHARS_MAX,
        (false, _) if length <= CODE_CHARS_MAX => groups * 5 <= length * 2,
        (false, _) => groups * 3 <= length && short * 2 <= groups,
    }
}

/// How many groups a piece falls into, as `Http`, `JSON` and `502` are each one, and how many of them are short.
fn groups(piece: &[u8]) -> (usize, usize) {
    let kind = |c: &u8| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let begins = |at: &usize| match (&piece[at - 1], &piece[*at]) {
        (b'A'..=b'Z', b'A'..=b'Z') => piece.get(at + 1).is_some_and(u8::is_ascii_lowercase),
        (b'A'..=b'Z', c) => c.is_ascii_digit(),
        (before, c) => kind(before) != kind(c),
    };
    let begins = (1..piece.len()).filter(begins);
    let edges: Vec<usize> = std::iter::once(0).chain(begins).chain([piece.len()]).collect();
    let short = edges.windows(2).filter(|group| group[1] - group[0] < 3);
    (edges.len() - 1, short.count())
}

/// What a run holds, if it is base64 or hex of a text. Something may stand before it that only looks like a part of it.
fn held(run: &[u8]) -> impl Iterator<Item = String> {
    cost::visited(run.len());
    let whole = (0..4).filter_map(|skip| run.get(skip..));
    let pieces = run.split(|c| !c.is_ascii_alphanumeric());
    let pieces = pieces.filter(|piece| (RUN_CHARS_MIN..run.len()).contains(&piece.len()));
    let from_base64 = whole.chain(pieces).filter_map(|run| {
        // One character of four holds less than a byte.
        let run = &run[..run.len() - usize::from(run.len() % 4 == 1)];
        let standard = run.iter().map(|c| match c {
            b'-' => b'+',
            b'_' => b'/',
            c => *c,
        });
        LENIENT.decode(standard.collect::<Vec<u8>>()).ok()
    });
    let digits = run.split(|c| !c.is_ascii_hexdigit());
    let digits = digits.filter(|digits| digits.len() >= RUN_CHARS_MIN);
    let from_hex = digits.flat_map(|digits| [digits, &digits[1..]]);
    let from_hex = from_hex.filter_map(|digits| hex::decode(&digits[..digits.len() / 2 * 2]).ok());
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
