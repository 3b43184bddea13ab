//! The names that are to be hidden in an answer, and where they stand in a text.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use unicode_normalization::char::is_combining_mark;

use super::cost;
use super::reading::{folded, is_edge, is_unseparated};

/// A name of fewer characters is hidden only where it stands by itself or beside another one: else half of every answer would be.
const WITHIN_WORDS_MIN: usize = 4;
/// In a script that sets no words apart so many characters are a name, wherever they stand.
const UNSEPARATED_MIN: usize = 2;
/// What may stand between names that are joined: a comma and a blank.
const BETWEEN_MAX: usize = 2;
/// A longer name is looked for in pieces: names that are each other's ends cost no more than this for each character of an answer.
const NAME_CHARS_MAX: usize = 64;

/// Looking for more costs more than any answer is worth: ten times what the leads of the largest body are called.
const NAMES_CHARS_MAX: usize = 200_000;

/// All of them, looked for at once.
pub(super) struct Names {
    automaton: AhoCorasick,
}

/// Where names that follow each other begin, by where they end: one name that is a word by itself, one that is none, or more.
type Chain = [usize; 3];
const NONE: usize = usize::MAX;

/// A text in small letters without accents.
struct Folded<'a> {
    text: String,
    reading: &'a str,
    /// The byte of the text for each of its own, and how many there are.
    places: Vec<usize>,
}

impl Names {
    /// None where there are too many to look for.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        // Each once, however many leads are called so: what is found is handed over for each.
        let mut pieces: Vec<String> = Vec::new();
        let mut chars = 0;
        for name in names {
            chars += name.chars().count();
            if chars > NAMES_CHARS_MAX {
                return None;
            }
            // Whatever sign sets them apart may be escaped, or be another one, where it is repeated.
            let parts = name.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)));
            let parts = parts.filter(|part| part.chars().count() > 1 && part.contains(char::is_alphabetic));
            for part in std::iter::once(name.trim()).chain(parts) {
                let letters: Vec<char> = part.chars().flat_map(folded).collect();
                let length = letters.len().min(NAME_CHARS_MAX);
                let starts = (0..letters.len()).step_by(NAME_CHARS_MAX);
                let starts = starts.map(|at| at.min(letters.len() - length));
                pieces.extend(starts.map(|at| letters[at..at + length].iter().collect::<String>()));
            }
        }
        pieces.sort_unstable();
        pieces.dedup();
        // Made for one answer, so making it is what it costs.
        let mut automaton = AhoCorasick::builder();
        automaton.kind(Some(AhoCorasickKind::NoncontiguousNFA));
        let automaton = automaton.build(&pieces).ok()?;
        Some(Self { automaton })
    }

    /// Hands over where each stands in a text, whose words end where they do in its reading.
    pub fn find(&self, text: &str, reading: &str, mut hide: impl FnMut(Range<usize>)) {
        let folded = Folded::new(text, reading);
        let mut chains = vec![[NONE; 3]; folded.text.len() + 1];
        // In the order of their ends, so that every chain is known that one of them goes on.
        for found in self.automaton.find_overlapping_iter(&folded.text) {
            cost::visited(1);
            let (from, to) = (found.start(), found.end());
            let name = text[folded.range(from, to)].chars();
            let is_unseparated = name.clone().all(is_unseparated);
            let within_words_min = [WITHIN_WORDS_MIN, UNSEPARATED_MIN][usize::from(is_unseparated)];
            let is_short = name.take(within_words_min).count() < within_words_min;
            let begins = folded.begins_word(from);
            let ends = !folded.text[to..].starts_with(char::is_alphanumeric);
            let counts = !is_short || (begins && ends);
            if counts {
                hide(folded.range(from, to));
            }
            let before = folded.ends_before(from);
            let begin = before.map(|end| longest(chains[end], end < from, counts));
            let begin = begin.min().unwrap_or(NONE);
            let [word, none, more] = &mut chains[to];
            *more = begin.min(*more);
            if begin != NONE && (ends || is_unseparated) {
                hide(folded.range(begin, to));
            }
            if begins || is_unseparated {
                let one = if counts { word } else { none };
                *one = from.min(*one);
            }
        }
    }
}

/// Where the longest begins that a name goes on. Where something stands between, what is hidden by itself is so.
fn longest([word, none, more]: Chain, is_apart: bool, counts: bool) -> usize {
    match (is_apart, counts) {
        (true, true) => none,
        (true, false) => none.min(word),
        (false, _) => none.min(word).min(more),
    }
}

impl<'a> Folded<'a> {
    fn new(text: &str, reading: &'a str) -> Self {
        cost::visited(text.len());
        let (mut letters, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
        for (at, c) in text.char_indices() {
            letters.extend(folded(c));
            places.resize(letters.len(), at);
        }
        places.push(text.len());
        let text = letters;
        Self { text, reading, places }
    }

    /// With the accents that follow by themselves.
    fn range(&self, from: usize, to: usize) -> Range<usize> {
        let last = self.places[to - 1];
        let end = self.places[to..].iter().find(|place| **place > last);
        self.places[from]..end.map_or(last, |end| *end)
    }

    /// A letter before it may be of an escape that is an edge.
    fn begins_word(&self, at: usize) -> bool {
        let before = self.text[..at].char_indices().next_back();
        before.is_none_or(|(at, c)| !c.is_alphanumeric() || self.reading[self.places[at]..].starts_with(is_edge))
    }

    /// Where a name may have ended that is joined with one from there on.
    fn ends_before(&self, from: usize) -> impl Iterator<Item = usize> {
        let between = self.text[..from].char_indices().rev().take(BETWEEN_MAX);
        let between = between.take_while(|(_, c)| !c.is_alphanumeric()).map(|(at, _)| at);
        std::iter::once(from).chain(between)
    }
}
