//! What is kept of a receiver's answer: without our secrets and without the names of the leads in the body that it answers.
//!
//! A receiver quotes what it doesn't like, and seldom as it came: a token without the word before it, a body as JSON within
//! JSON, a header in base64. So what is hidden is looked for in the text as it stands and in everything that the text reads
//! as. What is encrypted, abbreviated, transliterated, reversed or split is not found; such an answer is the receiver's own work.

use std::collections::{BTreeSet, HashMap};

use crate::words::is_unprintable;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reading::{Glyph, as_it_stands, base_letters, folded, is_unseparated, readings};
use secrecy::{ExposeSecret, SecretString};

mod reading;

const SECRET: &str = "[hidden]";
const NAME: &str = "[name]";
/// A name of fewer characters is hidden only where it stands by itself or beside another one: else half of every answer would be.
const WITHIN_WORDS_MIN: usize = 4;
/// In a script that sets no words apart so many characters are a name, wherever they stand.
const UNSEPARATED_MIN: usize = 2;
/// First, middle and last name may be written as one word.
const JOINED_MAX: usize = 3;
/// What may stand between them: a comma and a blank.
const BETWEEN_MAX: usize = 2;
/// Parts of a secret that are worth hiding by themselves, as in `key=abc, id=def`.
const PART_CHARS_MIN: usize = 6;
/// How much longer a character may be in an answer than by itself: `\\u00e9`, or `%26amp%3B%23252%3B`.
const LONGER_AT_MOST: usize = 24;
/// Of an answer this many times what is kept is looked at: hiding makes it shorter.
const LOOKED_AT: usize = 4;
/// A shorter run of letters and digits decodes to nothing worth hiding.
const RUN_CHARS_MIN: usize = 8;
/// What a run decodes to is read like the text itself, with the runs in it, so many times over.
const DEPTH: u8 = 2;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is to be hidden in one answer.
#[derive(Default)]
pub(crate) struct Mask {
    /// By their first character, as [`folded`] has it.
    words: HashMap<char, Vec<Word>>,
    longest: usize,
}

struct Word {
    chars: Vec<char>,
    instead: &'static str,
    stands_alone: bool,
    /// Its script sets no words apart.
    is_unseparated: bool,
    /// A byte of it that is no UTF-8 leaves enough to be sure of.
    outlives_garbling: bool,
}

impl Word {
    /// Whether it is one there without its neighbours.
    fn counts(&self, reading: &[Glyph], at: usize) -> bool {
        !self.stands_alone || (begins_word(reading, at) && ends_word(reading, at + self.chars.len()))
    }
}

impl Mask {
    /// These secrets, in every form that a header may have carried them in, and these names.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>, names: &BTreeSet<String>) -> Self {
        let mut mask = Self::default();
        for secret in secrets {
            for form in forms(secret.expose_secret()) {
                mask.add(&form, SECRET, false);
            }
        }
        for name in names {
            let parts = name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '\'' | '’'));
            let parts = parts.filter(|part| part.chars().count() > 1);
            for part in [name.trim()].into_iter().chain(parts) {
                let within_words_min = match part.chars().all(is_unseparated) {
                    true => UNSEPARATED_MIN,
                    false => WITHIN_WORDS_MIN,
                };
                mask.add(part, NAME, part.chars().count() < within_words_min);
            }
        }
        mask
    }

    fn add(&mut self, text: &str, instead: &'static str, stands_alone: bool) {
        let as_it_is: Vec<char> = text.chars().filter(|c| !is_unprintable(*c)).map(folded).collect();
        let in_base_letters: Vec<char> = as_it_is
            .iter()
            .flat_map(|c| base_letters(*c).chars().collect::<Vec<_>>())
            .collect();
        if in_base_letters != as_it_is {
            self.add_chars(in_base_letters, instead, stands_alone);
        }
        self.add_chars(as_it_is, instead, stands_alone);
    }

    fn add_chars(&mut self, chars: Vec<char>, instead: &'static str, stands_alone: bool) {
        let Some(first) = chars.first() else { return };
        self.longest = self.longest.max(chars.len());
        self.words.entry(*first).or_default().push(Word {
            is_unseparated: chars.iter().all(|c| is_unseparated(*c)),
            outlives_garbling: chars.iter().filter(|c| c.is_ascii_alphanumeric()).count() > 1,
            chars,
            instead,
            stands_alone,
        });
    }

    /// The beginning of the text, at most so many characters, with everything hidden that is to be.
    pub fn beginning(&self, text: &str, chars_max: usize) -> String {
        let looked_at = chars_max * LOOKED_AT;
        let text: Vec<char> = text.chars().take(looked_at + self.longest * LONGER_AT_MOST).collect();
        let mut hidden: Vec<Option<&'static str>> = vec![None; text.len()];
        let mut seen = Seen::default();
        for reading in readings(&text) {
            self.hide(&reading, &mut hidden);
            for run in runs(&reading) {
                if let Some(instead) = self.in_run(run, DEPTH, &mut seen) {
                    hidden[run[0].from..run[run.len() - 1].to].fill(Some(instead));
                }
            }
        }
        let mut shown = String::new();
        let mut before = None;
        for (c, instead) in text.into_iter().zip(hidden).take(looked_at) {
            match instead {
                // PostgreSQL's text can't hold a NUL.
                None if c != '\0' => shown.push(c),
                Some(instead) if before != Some(instead) => shown.push_str(instead),
                _ => {}
            }
            before = instead;
        }
        shown.chars().take(chars_max).collect()
    }

    /// Whether any of it is in a text that is kept, in whatever form.
    pub fn finds(&self, text: &str) -> bool {
        self.beginning(text, text.chars().count() + 1) != text
    }

    fn hide(&self, reading: &[Glyph], hidden: &mut [Option<&'static str>]) {
        for at in 0..reading.len() {
            for (instead, end) in self.at(reading, at) {
                hidden[reading[at].from..reading[end - 1].to].fill(Some(instead));
            }
        }
    }

    /// What is to be hidden that begins there, and where it ends: a word, or names that are joined.
    fn at<'a>(&'a self, reading: &'a [Glyph], at: usize) -> impl Iterator<Item = (&'static str, usize)> {
        self.reads(reading, at).filter_map(move |word| {
            let end = at + word.chars.len();
            let begins = word.is_unseparated || begins_word(reading, at);
            let joined = (begins && word.instead == NAME)
                .then(|| self.joined(reading, end, word.counts(reading, at), JOINED_MAX - 1))
                .flatten();
            let end = joined.or_else(|| word.counts(reading, at).then_some(end))?;
            Some((word.instead, end))
        })
    }

    /// Where the names end that follow names, if they are a word only together. `counts`: those before are one without them.
    fn joined(&self, reading: &[Glyph], end: usize, counts: bool, more: usize) -> Option<usize> {
        let between = reading[end..].iter().take(BETWEEN_MAX);
        let between = between.take_while(|glyph| !glyph.c.is_alphanumeric()).count();
        let starts = (end..=end + between).rev().filter(|_| more > 0);
        let next = starts.flat_map(|at| self.reads(reading, at).map(move |word| (word, at)));
        let mut next = next.filter(|(word, at)| word.instead == NAME && !(counts && word.counts(reading, *at)));
        next.find_map(|(word, at)| {
            let end = at + word.chars.len();
            let ends = word.is_unseparated || ends_word(reading, end);
            self.joined(reading, end, false, more - 1).or(ends.then_some(end))
        })
    }

    /// The words that the reading has there, within another one or not.
    fn reads<'a>(&'a self, reading: &'a [Glyph], at: usize) -> impl Iterator<Item = &'a Word> {
        let candidates: Box<dyn Iterator<Item = &Word>> = match reading.get(at).map(|glyph| folded(glyph.c)) {
            None => Box::new(std::iter::empty()),
            // A byte that is no UTF-8 may be any letter beyond ASCII.
            Some(char::REPLACEMENT_CHARACTER) => Box::new(self.words.values().flatten()),
            Some(first) => Box::new(self.words.get(&first).into_iter().flatten()),
        };
        candidates.filter(move |word| {
            let rest = &reading[at..];
            let is_same = |(c, glyph): (&char, &Glyph)| {
                let garbled = glyph.c == char::REPLACEMENT_CHARACTER && !c.is_ascii() && word.outlives_garbling;
                *c == folded(glyph.c) || garbled
            };
            rest.len() >= word.chars.len() && word.chars.iter().zip(rest).all(is_same)
        })
    }

    /// What a run of letters and digits holds, as base64 or hex; each is decoded once, in however many readings it stands.
    fn in_run(&self, run: &[Glyph], depth: u8, seen: &mut Seen) -> Option<&'static str> {
        let run: String = run.iter().map(|glyph| glyph.c).collect();
        let key = (run, depth);
        if let Some(found) = seen.get(&key) {
            return *found;
        }
        let found = decodings(&key.0).find_map(|bytes| {
            let text: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
            self.in_text(&text, depth, seen)
        });
        seen.insert(key, found);
        found
    }

    /// What bytes that are no text come to by chance is looked at as it stands alone.
    fn in_text(&self, text: &[char], depth: u8, seen: &mut Seen) -> Option<&'static str> {
        let is_text = depth > 0 && is_text(text);
        let readings = if is_text {
            readings(text)
        } else {
            vec![as_it_stands(text)]
        };
        readings.iter().find_map(|reading| {
            let word = (0..reading.len()).find_map(|at| self.at(reading, at).next().map(|(instead, _)| instead));
            let within = || runs(reading).find_map(|run| self.in_run(run, depth - 1, seen));
            word.or_else(|| is_text.then(within).flatten())
        })
    }
}

fn begins_word(reading: &[Glyph], at: usize) -> bool {
    at == 0 || !reading[at - 1].c.is_alphanumeric()
}

fn ends_word(reading: &[Glyph], end: usize) -> bool {
    reading.get(end).is_none_or(|glyph| !glyph.c.is_alphanumeric())
}

/// What runs were found to hold, and how deep it was looked.
type Seen = HashMap<(String, u8), Option<&'static str>>;

/// Runs that may be base64 or hex of something.
fn runs(reading: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    let is_of_a_run = |glyph: &Glyph| glyph.c.is_ascii_alphanumeric() || matches!(glyph.c, '+' | '/' | '-' | '_');
    let runs = reading.split(move |glyph| !is_of_a_run(glyph));
    runs.filter(|run| run.len() >= RUN_CHARS_MIN)
}

/// What a run is of, if it is base64 or hex. Something may stand before it that only looks like a part of it.
fn decodings(run: &str) -> impl Iterator<Item = Vec<u8>> {
    let standard = run.replace('-', "+").replace('_', "/");
    let from_base64 = (0..4).filter_map(move |skip| {
        let rest = standard.get(skip..)?;
        // One character of four holds less than a byte.
        let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
        LENIENT.decode(rest).ok()
    });
    let in_hex = run.split(|c: char| !c.is_ascii_hexdigit());
    let from_hex = in_hex
        .filter(|digits| digits.len() >= RUN_CHARS_MIN)
        .flat_map(|digits| {
            (0..2).filter_map(|skip| {
                let rest = &digits[skip..];
                hex::decode(&rest[..rest.len() / 2 * 2]).ok()
            })
        });
    from_base64.chain(from_hex)
}

/// Of bytes that are something else hardly more than a third are characters.
fn is_text(text: &[char]) -> bool {
    let of_text = text
        .iter()
        .filter(|c| **c != char::REPLACEMENT_CHARACTER && !c.is_control());
    of_text.count() * 4 >= text.len() * 3
}

/// A secret, and what of it somebody may quote without the rest: behind the word that says what it is (`Token abc`), within
/// Basic credentials, the value of a parameter, the key of a signing secret.
fn forms(secret: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([secret.trim().to_owned()]);
    if let Some((_, rest)) = secret.trim().split_once(char::is_whitespace) {
        let rest = rest.trim();
        forms.insert(rest.to_owned());
        let pair = LENIENT.decode(rest).ok().and_then(|pair| String::from_utf8(pair).ok());
        if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
            forms.insert(password.to_owned());
            forms.extend(pair.clone());
        }
    }
    if let Some(key) = secret.trim().strip_prefix("whsec_") {
        forms.insert(key.to_owned());
    }
    let parts = secret.split(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | ';' | '"' | ':'));
    let parts = parts.filter(|part| part.chars().count() >= PART_CHARS_MIN);
    // The scheme itself is nobody's secret.
    forms.extend(parts.filter(|part| !is_scheme(part)).map(str::to_owned));
    forms.retain(|form| !form.is_empty());
    forms
}

fn is_scheme(part: &str) -> bool {
    ["bearer", "basic", "digest", "apikey", "api-key", "api_key", "token"].contains(&part.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secret: &str, names: &[&str]) -> Mask {
        let secrets = [SecretString::from(secret)];
        Mask::new(&secrets, &names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn hidden(mask: &Mask, text: &str) -> String {
        mask.beginning(text, 2000)
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_quoted() {
        let secret = "Token s3\"cr\\et/é+x";
        let token = "s3\"cr\\et/é+x";
        let mask = mask(secret, &[]);
        let json = serde_json::to_string(token).unwrap();
        let twice = serde_json::to_string(&json).unwrap();
        let percent: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let base64 = base64::engine::general_purpose::STANDARD.encode(format!("me:{token}"));
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token);
        for quoted in [
            secret.to_owned(),
            token.to_owned(),
            token.to_uppercase(),
            json.trim_matches('"').to_owned(),
            json.replace('/', "\\/").replace('é', "\\u00E9"),
            twice.clone(),
            percent.clone(),
            percent.replace('%', "%25"),
            token.replace('"', "&quot;").replace('é', "&#xE9;"),
            base64,
            url_safe,
            hex::encode(token),
            token.replace("cr", "c\u{200b}r"),
        ] {
            let text = hidden(&mask, &format!("no: <{quoted}>"));
            assert!(
                text.starts_with("no: <") && text.ends_with('>') && text.contains(SECRET),
                "{quoted}: {text}"
            );
            for part in ["et/", "et\\/", "et%2F", "s3", "S3", &quoted[quoted.len() - 4..]] {
                assert!(!text.contains(part), "{part} of {quoted} in {text}");
            }
        }
    }

    #[test]
    fn what_a_secret_holds_is_hidden_as_well() {
        let pair = base64::engine::general_purpose::STANDARD.encode("me:hunter2");
        let basic = mask(&format!("Basic {pair}"), &[]);
        assert_eq!(hidden(&basic, "wrong password hunter2"), "wrong password [hidden]");
        let parameters = mask("ApiKey id=abcdefgh, key=\"12345678\"", &[]);
        assert_eq!(
            hidden(&parameters, "key 12345678 of abcdefgh"),
            "key [hidden] of [hidden]"
        );
        assert_eq!(
            hidden(&mask("Token abc", &[]), "Token abc, abc; token"),
            "[hidden], [hidden]; token"
        );
    }

    #[test]
    fn a_leads_names_are_hidden_and_little_else() {
        let mask = mask("unused-secret", &["Zoë", "O'Brien", "Mary Jane", "Al"]);
        for (text, shown) in [
            ("Zo\\u00eb O'Brien", "[name] [name]"),
            ("ZOË O&#39;Brien", "[name] [name]"),
            ("Zo%C3%AB+O%27Brien", "[name]+[name]"),
            ("Zo\u{fffd} o'brien", "[name] [name]"),
            ("mary_jane@example.com", "[name]_[name]@example.com"),
            ("Mary  Jane", "[name]  [name]"),
            (
                "{\"status\":\"also all\",\"al\":1}",
                "{\"status\":\"also all\",\"[name]\":1}",
            ),
            ("O\u{200b}'Bri\u{1b}en", "[name]"),
        ] {
            assert_eq!(hidden(&mask, text), shown);
        }
    }

    #[test]
    fn promise_06_a_name_is_found_without_its_accents_in_capitals_and_quoted_as_sql_does() {
        let mask = mask("unused-secret", &["Zoë", "O'Brien", "Mary-Jane Strauß", "Müller"]);
        for text in [
            "Zoe\u{308} Mu\u{308}ller",
            "MULLER",
            "STRAUSS, MARY JANE",
            "invalid value 'O''Brien'",
            "Ｍüｌｌｅｒ",
            "stra%C3%9F-strau\\u00df",
        ] {
            let shown = hidden(&mask, text).to_lowercase();
            for name in ["zoe", "ller", "strau", "mary", "jane", "brien", "ｍ"] {
                assert!(!shown.contains(name), "{shown}");
            }
        }
    }

    #[test]
    fn promise_06_names_are_found_joined_and_in_scripts_without_blanks() {
        let parted = |names: &[&str], text: &str| {
            let mask = mask("unused-secret", names);
            assert_eq!(mask.finds(text), hidden(&mask, text).contains(NAME), "{text}");
            hidden(&mask, text)
        };
        for (names, text, shown) in [
            (["小明", "王"], "客户王小明不存在", "客户[name]不存在"),
            (["小明", "王"], "客户王 小明不存在, 小明王", "客户[name]不存在, [name]"),
            (["明", "王"], "客户王明不存在", "客户[name]不存在"),
            (["明", "王"], "明天国王", "明天国王"),
            (["민수", "김"], "고객 김민수님, 민수님", "고객 [name]님, [name]님"),
            (["あい", "林"], "お客様林あい様", "お客様[name]様"),
            (["ชัย", "นา"], "คุณชัยนาไม่มี", "คุณ[name]ไม่มี"),
            (["Li", "Wu"], "LiWu, wuli@example.com", "[name], [name]@example.com"),
            (
                ["Li", "Wu"],
                "Li.Wu Li_Wu WU, LI",
                "[name].[name] [name]_[name] [name], [name]",
            ),
            (["Li", "Wu"], "a line of wurst, liwurst", "a line of wurst, liwurst"),
            (["Jo Al", "Ng"], "JoAlNg, jong", "[name], [name]"),
            (["Li", "Smith"], "lismith smithli", "[name] [name]"),
        ] {
            assert_eq!(parted(&names, text), shown);
        }
        let decomposed = parted(&["민수", "김"], "김민수님");
        assert!(decomposed.starts_with(NAME), "{decomposed}");
    }

    #[test]
    fn promise_06_a_name_is_found_in_what_was_encoded_more_than_once() {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let apart = |text: &str, by: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(by);
        for name in ["Zoë Müller", "Łukasz", "Ng Strauß", "Brienne"] {
            let mask = mask("unused-secret", &[name]);
            let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let json = format!("{{\"unit\": 7, \"lead\": \"{escaped}\"}}");
            let percent: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            let quoted = [
                format!("0x{}", hex::encode(name)),
                format!("x{}", hex::encode_upper(name)),
                format!("\\x{}", hex::encode(name)),
                format!("id-{}", hex::encode(name)),
                base64(&json),
                base64(&format!("lead={percent}&unit=7")),
                base64(&format!("lead: {}", base64(name))),
                base64(&base64(&json)),
                base64(&hex::encode(name)),
                hex::encode(base64(&json)),
                base64(&format!("dump {}", apart(name, " "))),
                apart(name, " "),
                apart(name, ":"),
                apart(name, "-").to_uppercase(),
                format!("0x{}", apart(name, ", 0x")),
            ];
            for quoted in quoted {
                let text = format!("no: <{quoted}>");
                let shown = hidden(&mask, &text);
                let end = &quoted[quoted.len() - 5..];
                assert!(
                    shown.contains(NAME) && !shown.contains(end),
                    "{name}, {quoted}: {shown}"
                );
                assert!(mask.finds(&text), "{text}");
                let other = text.replace(quoted.as_str(), "nothing of it");
                assert!(!mask.finds(&other), "{other}");
            }
        }
    }

    #[test]
    fn promise_06_a_name_is_found_however_encodings_follow_each_other() {
        let mask = mask("unused-secret", &["Müllerström", "Łukaš"]);
        for text in [
            "M&uuml;llerstr&ouml;m",
            "M&UUML;LLERSTR&Ouml;M",
            "&Lstrok;uka&scaron;",
            "M&amp;#252;llerstr&amp;#246;m",
            "M&amp;uuml;llerstr&amp;ouml;m",
            "M%5Cu00fcllerstr%5Cu00f6m",
            "%7B%22n%22%3A%22M%5Cu00fcllerstr%5Cu00f6m%22%7D",
            "M%26%23252%3Bllerstr%26%23246%3Bm",
            "M&#37;C3&#37;BCllerstr&#37;C3&#37;B6m",
            "M%3DC3%3DBCllerstr%3DC3%3DB6m",
            "M=25C3=25BCllerstr=25C3=25B6m",
            "M\\\\u0025C3\\\\u0025BCllerstr\\\\u0025C3\\\\u0025B6m",
        ] {
            let shown = hidden(&mask, text);
            assert!(
                shown.contains(NAME) && !shown.contains("ller") && !shown.contains("uka"),
                "{text}: {shown}"
            );
        }
        let every_mark = "\\%25&amp;=3D+61 62 63 ".repeat(400);
        let every_mark: Vec<char> = every_mark.chars().collect();
        assert!(readings(&every_mark).len() <= 128, "bounded");
    }

    #[test]
    fn what_is_hidden_is_hidden_before_the_text_is_cut() {
        let mask = mask("hunter2hunter2", &[]);
        for before in [0, 1, 9, 10, 19, 40, 41, 79, 80] {
            let text = mask.beginning(&format!("{}{}", "x".repeat(before), "hunter2hunter2".repeat(9)), 20);
            assert!(
                text.chars().count() <= 20 && !text.contains("hunter"),
                "{before}: {text}"
            );
        }
        assert_eq!(mask.beginning("é\0é", 20), "éé");
    }
}
