//! What is to be hidden in an answer, and where it stands in one reading of it.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::cost;
use super::reading::{Glyph, folded, is_unseparated};

/// A name of fewer characters is hidden only where it stands by itself or beside another one: else half of every answer would be.
const WITHIN_WORDS_MIN: usize = 4;
/// In a script that sets no words apart so many characters are a name, wherever they stand.
const UNSEPARATED_MIN: usize = 2;
/// First, middle and last name may be written as one word.
const JOINED_MAX: usize = 3;
/// What may stand between them: a comma and a blank.
const BETWEEN_MAX: usize = 2;
/// A longer name is looked for by its beginning, and hidden to the end of its word: names that are each other's ends cost no more
/// than this for each character of an answer.
const NAME_CHARS_MAX: usize = 64;

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Secret,
}

/// Everything that is looked for, at once.
pub(super) struct Words {
    automaton: AhoCorasick,
    words: Vec<Word>,
}

struct Word {
    kind: Kind,
    stands_alone: bool,
    /// Its script sets no words apart.
    is_unseparated: bool,
    is_beginning: bool,
}

impl Word {
    /// With another one that is written the same.
    fn merge(&mut self, other: &Self) {
        if other.kind == Kind::Secret {
            self.kind = Kind::Secret;
        }
        self.stands_alone &= other.stands_alone;
        self.is_beginning |= other.is_beginning;
    }
}

/// A word in a reading: bytes of the folded text.
#[derive(Clone, Copy)]
struct Found {
    from: usize,
    to: usize,
    /// Whether it is one there without its neighbours.
    counts: bool,
    begins: bool,
    ends: bool,
}

/// Where names that follow each other without being a word by themselves begin, by where they end.
#[derive(Clone, Copy, Default)]
struct Chain {
    /// One name that is a word there, and one that is none.
    of_one: [Option<usize>; 2],
    of_more: [Option<usize>; JOINED_MAX - 2],
}

/// A reading in small letters without accents.
struct Folded {
    text: String,
    /// The glyph of each byte, and how many there are.
    glyphs: Vec<usize>,
}

impl Words {
    /// None where there are too many to look for.
    pub fn new<'a>(secrets: impl Iterator<Item = String>, names: impl Iterator<Item = &'a String>) -> Option<Self> {
        let mut words: BTreeMap<String, Word> = BTreeMap::new();
        let mut add = |text: &str, kind, stands_alone| {
            let whole: String = text.chars().flat_map(folded).collect();
            let beginning: String = match kind {
                Kind::Name => whole.chars().take(NAME_CHARS_MAX).collect(),
                Kind::Secret => whole.clone(),
            };
            if beginning.is_empty() {
                return;
            }
            let word = Word {
                kind,
                stands_alone,
                is_unseparated: beginning.chars().all(is_unseparated),
                is_beginning: beginning != whole,
            };
            // Each once, however many leads are called so: what is found is handed over for each.
            words
                .entry(beginning)
                .and_modify(|other| other.merge(&word))
                .or_insert(word);
        };
        secrets.for_each(|secret| add(&secret, Kind::Secret, false));
        for name in names {
            let parts = name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '\'' | '’'));
            let parts = parts.filter(|part| part.chars().count() > 1);
            for part in std::iter::once(name.trim()).chain(parts) {
                let within_words_min = match part.chars().all(is_unseparated) {
                    true => UNSEPARATED_MIN,
                    false => WITHIN_WORDS_MIN,
                };
                add(part, Kind::Name, part.chars().count() < within_words_min);
            }
        }
        // Made for one answer, so making it is what it costs.
        let mut automaton = AhoCorasick::builder();
        automaton.kind(Some(AhoCorasickKind::NoncontiguousNFA));
        let automaton = automaton.build(words.keys()).ok()?;
        Some(Self {
            automaton,
            words: words.into_values().collect(),
        })
    }

    /// Hands over where each stands, as glyphs.
    pub fn find(&self, reading: &[Glyph], mut hide: impl FnMut(Kind, usize, usize)) {
        let folded = Folded::new(reading);
        let mut hide_bytes = |kind, from: usize, to: usize| {
            let (from, to) = folded.glyphs_of(from, to);
            hide(kind, from, to);
        };
        let word_ends = folded.word_ends();
        let mut names = Vec::new();
        for found in self.automaton.find_overlapping_iter(&folded.text) {
            cost::visited(1);
            let word = &self.words[found.pattern().as_usize()];
            let to = if word.is_beginning {
                word_ends[found.end()]
            } else {
                found.end()
            };
            let begins = folded.begins_word(found.start());
            let ends = folded.ends_word(to);
            let counts = !word.stands_alone || (begins && ends);
            if counts {
                hide_bytes(word.kind, found.start(), to);
            }
            if word.kind == Kind::Name {
                names.push(Found {
                    from: found.start(),
                    to,
                    counts,
                    begins: begins || word.is_unseparated,
                    ends: ends || word.is_unseparated,
                });
            }
        }
        if names.len() > 1 {
            names.sort_by_key(|name| name.from);
            folded.joined(&names, |from, to| hide_bytes(Kind::Name, from, to));
        }
    }

    /// What stands there, if anything does.
    pub fn in_text(&self, text: &str) -> Option<Kind> {
        let reading: Vec<Glyph> = text.chars().enumerate().map(|(at, c)| Glyph::at(at, c)).collect();
        let mut kind = None;
        self.find(&reading, |found, _, _| kind = Some(found));
        kind
    }
}

impl Folded {
    fn new(reading: &[Glyph]) -> Self {
        cost::visited(reading.len());
        let (mut text, mut glyphs) = (String::with_capacity(reading.len()), Vec::with_capacity(reading.len()));
        for (at, glyph) in reading.iter().enumerate() {
            text.extend(folded(glyph.c));
            glyphs.resize(text.len(), at);
        }
        glyphs.push(reading.len());
        Self { text, glyphs }
    }

    /// With the accents that follow by themselves.
    fn glyphs_of(&self, from: usize, to: usize) -> (usize, usize) {
        let last = self.glyphs[to - 1];
        (self.glyphs[from], self.glyphs[to].max(last + 1))
    }

    fn begins_word(&self, at: usize) -> bool {
        !self.text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
    }

    fn ends_word(&self, at: usize) -> bool {
        !self.text[at..].chars().next().is_some_and(char::is_alphanumeric)
    }

    /// Where the word ends that goes on at each byte.
    fn word_ends(&self) -> Vec<usize> {
        let mut ends: Vec<usize> = (0..=self.text.len()).collect();
        let mut end = None;
        for (at, c) in self.text.char_indices().rev() {
            end = c.is_alphanumeric().then(|| end.unwrap_or(at + c.len_utf8()));
            ends[at] = end.unwrap_or(at);
        }
        ends
    }

    /// Names that are a word only together; `names` by where they begin.
    fn joined(&self, names: &[Found], mut hide: impl FnMut(usize, usize)) {
        let mut chains = vec![Chain::default(); self.text.len() + 1];
        for name in names {
            cost::visited(1);
            if name.begins {
                chains[name.to].of_one[usize::from(!name.counts)].get_or_insert(name.from);
            }
            for before in self.ends_before(name.from) {
                let Chain { of_one, of_more } = chains[before];
                let is_apart = before < name.from;
                // Two that are words by themselves are hidden each by itself.
                let one = of_one[0].filter(|_| !(is_apart && name.counts)).or(of_one[1]);
                let lengths = [one].into_iter().chain(of_more);
                for (parts, begin) in lengths.enumerate() {
                    let Some(begin) = begin else { continue };
                    if name.ends {
                        hide(begin, name.to);
                    }
                    if let Some(longer) = chains[name.to].of_more.get_mut(parts) {
                        *longer = Some(longer.map_or(begin, |other| other.min(begin)));
                    }
                }
            }
        }
    }

    /// Where a name may have ended that is joined with one from there on.
    fn ends_before(&self, from: usize) -> impl Iterator<Item = usize> {
        let between = self.text[..from].char_indices().rev().take(BETWEEN_MAX);
        let between = between.take_while(|(_, c)| !c.is_alphanumeric()).map(|(at, _)| at);
        std::iter::once(from).chain(between)
    }
}
