//! What is kept of a receiver's answer: its beginning, as far as that can be read, without our secrets and without the names of the
//! leads in the body that it answers.
//!
//! What can't be read is not kept: bytes that are no text, words with an escape in them, base64 and hex. No escape is decoded, so
//! what this costs grows with the answer's length and with nothing else. What is encrypted, abbreviated, transliterated, reversed or
//! split is not found; such an answer is the receiver's own work.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::words::is_unprintable;
use base64::Engine;
use encoded::LENIENT;
use names::Names;
use reading::{UNREADABLE, is_edge_of_any};
use secrecy::{ExposeSecret, SecretString};

mod cost;
mod encoded;
mod names;
mod reading;

/// Of an answer so many bytes are looked at: much more than is kept, because hiding makes it shorter.
pub(super) const LOOKED_AT_BYTES: usize = 16 * 1024;
/// What is left off at the end of that, at most, so that it ends with a word: else half a name would stay.
const CUT_CHARS_MAX: usize = 2048;
/// The same of what is kept, which has no half a name any more.
const KEPT_CUT_CHARS_MAX: usize = 64;
/// More characters that can't be read, in a hundred and altogether, and it is no text.
const UNREADABLE_PERCENT_MAX: usize = 5;
const UNREADABLE_FEW: usize = 8;
/// Parts of a secret that are worth hiding by themselves, as in `key=abc, id=def`.
const PART_CHARS_MIN: usize = 6;
/// What stands instead of an answer that is no text, or that can't be searched.
const NOT_KEPT: &str = "[not kept: this answer is no text]";
const NOT_SEARCHED: &str = "[not kept: it can't be searched for names]";

/// What stands instead of a part of an answer. Where several would, the last of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unreadable,
    Encoded,
    Name,
    Secret,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Unreadable, Self::Encoded, Self::Name, Self::Secret];

    fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "[unreadable]",
            Self::Encoded => "[encoded]",
            Self::Name => "[name]",
            Self::Secret => "[hidden]",
        }
    }
}

/// What is to be hidden in one answer.
pub(crate) struct Mask {
    /// None where there are too many to look for.
    names: Option<Names>,
    /// As they are, and their letters and digits.
    secrets: Vec<(String, String)>,
}

impl Mask {
    /// These secrets, in every form that a header may have carried them in, and these names.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>, names: &BTreeSet<String>) -> Self {
        let secrets = secrets.into_iter().flat_map(|secret| forms(secret.expose_secret()));
        let secrets = secrets.map(|form| {
            let (letters, _) = letters(&reading::of(&form));
            (form, letters)
        });
        Self {
            names: Names::new(names),
            secrets: secrets.collect(),
        }
    }

    /// The beginning of an answer, at most so many characters, as far as it can be read, with everything hidden that is to be.
    pub fn beginning(&self, answer: &[u8], chars_max: usize) -> String {
        let text = plain(answer, LOOKED_AT_BYTES);
        let shown = match is_text(&text).then(|| self.marks(&text)) {
            Some(Some(marks)) => return shown(&text, &marks, chars_max),
            Some(None) => NOT_SEARCHED,
            None => NOT_KEPT,
        };
        shown.chars().take(chars_max).collect()
    }

    /// Whether a text that is kept has any of it, or anything that can't be read: nobody knows what that is.
    pub fn finds(&self, kept: &str) -> bool {
        let text = plain(kept.as_bytes(), kept.len());
        self.marks(&text).is_none_or(|marks| marks.iter().any(Option::is_some))
    }

    /// What stands instead of each byte.
    fn marks(&self, text: &str) -> Option<Vec<Option<Mark>>> {
        let names = self.names.as_ref()?;
        let reading = reading::of(text);
        // Up to where each stands that begins at a byte: whatever overlaps, it is gone through once.
        let mut ends = vec![[0; Mark::ALL.len()]; text.len()];
        let mut hide = |mark, place: Range<usize>| {
            let end: &mut usize = &mut ends[place.start][mark as usize];
            *end = place.end.max(*end);
        };
        reading::unreadable(&reading).for_each(|word| hide(Mark::Unreadable, word));
        encoded::find(
            &reading,
            |held| self.held(names, held),
            |held, run| hide(held.unwrap_or(Mark::Encoded), run),
        );
        names.find(text, &reading, |name| hide(Mark::Name, name));
        self.secrets(text, &reading, |secret| hide(Mark::Secret, secret));
        let mut reached = [0; Mark::ALL.len()];
        let marks = ends.iter().enumerate().map(|(at, ends)| {
            reached = std::array::from_fn(|mark| reached[mark].max(ends[mark]));
            Mark::ALL.into_iter().rfind(|mark| reached[*mark as usize] > at)
        });
        Some(marks.collect())
    }

    /// What a text holds that was encoded.
    fn held(&self, names: &Names, text: &str) -> Option<Mark> {
        let mut mark = None;
        names.find(text, text, |_| mark = Some(Mark::Name));
        self.secrets(text, text, |_| mark = Some(Mark::Secret));
        mark
    }

    /// However they are escaped: by their letters and digits, whatever stands between. Too few of these stand everywhere.
    fn secrets(&self, text: &str, reading: &str, mut hide: impl FnMut(Range<usize>)) {
        // Also as it stands: the end of a line before it may look like the beginning of an escape.
        let all = [reading, text].map(letters);
        for (secret, letters) in &self.secrets {
            if letters.len() < PART_CHARS_MIN {
                let found = text.match_indices(secret);
                found.for_each(|(at, _)| hide(at..at + secret.len()));
                continue;
            }
            for (all, places) in &all {
                let found = all.match_indices(letters.as_str());
                found.for_each(|(at, _)| hide(places[at]..places[at + letters.len() - 1] + 1));
            }
        }
    }
}

/// Letters and digits alone, small, and where they stand.
fn letters(reading: &str) -> (String, Vec<usize>) {
    cost::visited(reading.len());
    let letters = reading.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric());
    letters.map(|(at, c)| (c.to_ascii_lowercase(), at)).unzip()
}

/// The beginning of an answer as text. What is no UTF-8 and what controls a terminal is [`UNREADABLE`]; what nobody sees is gone.
fn plain(answer: &[u8], bytes_max: usize) -> String {
    let beginning = &answer[..answer.len().min(bytes_max)];
    let text = String::from_utf8_lossy(beginning);
    let readable = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(c),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => Some(UNREADABLE),
        c => (!is_unprintable(c)).then_some(c),
    });
    let mut text: String = readable.collect();
    if beginning.len() < answer.len() {
        // The last character may be cut as well.
        text.pop();
        text.truncate(end_of_words(&text, CUT_CHARS_MAX));
    }
    text
}

fn is_text(text: &str) -> bool {
    let unreadable = text.chars().filter(|c| *c == UNREADABLE).count();
    unreadable <= UNREADABLE_FEW || unreadable * 100 <= text.chars().count() * UNREADABLE_PERCENT_MAX
}

/// Where the last word ends that is sure to be whole, if that is so near; else so much is left off.
fn end_of_words(text: &str, near: usize) -> usize {
    let last = text.char_indices().rev().take(near);
    let end = last.clone().find(|(_, c)| is_edge_of_any(*c));
    end.map_or_else(|| last.last().map_or(0, |(at, _)| at), |(at, c)| at + c.len_utf8())
}

fn shown(text: &str, marks: &[Option<Mark>], chars_max: usize) -> String {
    let (mut shown, mut length, mut before) = (String::new(), 0, None);
    for (at, c) in text.char_indices() {
        let next = match marks[at] {
            None => String::from(c),
            mark if mark == before => continue,
            Some(mark) => mark.text().to_owned(),
        };
        length += next.chars().count();
        if length > chars_max {
            shown.truncate(end_of_words(&shown, KEPT_CUT_CHARS_MAX));
            break;
        }
        shown.push_str(&next);
        before = marks[at];
    }
    shown
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

    const NAME: &str = "[name]";
    const SECRET: &str = "[hidden]";

    fn mask(secret: &str, names: &[&str]) -> Mask {
        let secrets = [SecretString::from(secret)];
        Mask::new(&secrets, &names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn hidden(mask: &Mask, text: &str) -> String {
        mask.beginning(text.as_bytes(), 2000)
    }

    /// With a mark of any kind, and so that what is kept of it is clean.
    fn is_left_out(mask: &Mask, text: &str) -> bool {
        let shown = hidden(mask, text);
        assert!(!mask.finds(&shown), "kept of {text}: {shown}");
        assert_eq!(mask.finds(text), shown != text, "{text}: {shown}");
        Mark::ALL.iter().any(|mark| shown.contains(mark.text()))
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
                text.starts_with("no: <")
                    && text.ends_with('>')
                    && [SECRET, "[encoded]", "[unreadable]"]
                        .iter()
                        .any(|mark| text.contains(mark)),
                "{quoted}: {text}"
            );
            for part in ["et/", "et\\/", "et%2F", "s3", "S3", &quoted[quoted.len() - 4..]] {
                assert!(!text.contains(part), "{part} of {quoted} in {text}");
            }
        }
    }

    #[test]
    fn no_part_of_a_secret_stays_beside_an_escape() {
        let mask = mask("Bearer abcd/efgh\"ijkl&mnop<qrst:u\\nwxyz", &[]);
        for quoted in [
            "abcd/efgh\\\"ijkl&mnop<qrst:u\\\\nwxyz",
            "abcd\\/efgh\\\\\\\"ijkl\\u0026mnop\\u003cqrst:u\\\\\\\\nwxyz",
            "abcd/efgh&quot;ijkl&amp;mnop&lt;qrst:u\\nwxyz",
            "abcd/efgh&#34;ijkl&amp;amp;mnop&#60;qrst:u\\nwxyz",
            "abcd/efgh%22ijkl&mnop%3Cqrst:u%5Cnwxyz",
            "ABCD%2Fefgh%22ijkl%26mnop%3Cqrst%3Au%5Cnwxyz",
        ] {
            let shown = hidden(&mask, &format!("no: {quoted} of unit 12"));
            assert!(shown.starts_with("no: [") && shown.ends_with("] of unit 12"), "{shown}");
            let parts = ["abcd", "efgh", "ijkl", "mnop", "qrst", "wxyz"];
            let left = parts.iter().find(|part| shown.to_lowercase().contains(**part));
            assert_eq!(left, None, "{quoted}: {shown}");
        }
        assert_eq!(hidden(&mask, "abc: unit 12"), "abc: unit 12");
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
            ("Zo\\u00eb O'Brien", "[unreadable] [name]"),
            ("ZOË O&#39;Bri&euml;n", "[name] [unreadable]"),
            ("Zo%C3%AB+O%27Bri%C3%ABn", "[unreadable]"),
            (
                "lead:\\nAl\\tZoë\\\\nMary, &quot;Al&quot;",
                "lead:\\n[name]\\t[name]\\\\n[name], &quot;[name]&quot;",
            ),
            ("C:\\mary\\zoë", "C:\\[name]\\[name]"),
            ("Unit&eacute; 12 of Mary", "[unreadable] 12 of [name]"),
            ("Zo\u{fffd} o'brien", "[unreadable] [name]"),
            ("mary_jane@example.com", "[name]_[name]@example.com"),
            ("Mary  Jane", "[name]  [name]"),
            (
                "{\"status\":\"also all\",\"al\":1}",
                "{\"status\":\"also all\",\"[name]\":1}",
            ),
            ("O\u{200b}'Br\u{200b}ien", "[name]"),
            ("O'Bri\u{1b}en of Rome", "[unreadable] of Rome"),
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
    fn promise_06_a_name_of_any_length_is_found() {
        for length in [63, 64, 65, 100, 128, 129, 300] {
            let name: String = ('a'..='z').cycle().take(length).collect();
            let mask = mask("unused-secret", &[&name, "Wu"]);
            assert_eq!(hidden(&mask, &format!("of {name}-Wu")), "of [name]-[name]", "{length}");
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
    fn promise_06_no_name_is_kept_of_what_is_encoded_once_or_more() {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
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
            ];
            for quoted in quoted {
                let text = format!("no: <{quoted}>");
                let shown = hidden(&mask, &text);
                let end = &quoted[quoted.len() - 5..];
                assert!(
                    is_left_out(&mask, &text) && !shown.contains(end),
                    "{name}, {quoted}: {shown}"
                );
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
                is_left_out(&mask, text) && !shown.contains("ller") && !shown.contains("uka"),
                "{text}: {shown}"
            );
        }
    }

    #[test]
    fn promise_06_no_name_is_kept_of_what_servers_make_of_an_echo() {
        let body = "{\"pad\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\",\"lead_last_name\":\"Lästname1-Müller\",\"lead_first_name\":\"Wilma Zoé\"}";
        let base64 = base64::engine::general_purpose::STANDARD.encode(body);
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let utf16: Vec<u8> = "Wilma Müller".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mask = mask("unused-secret", &["Lästname1-Müller", "Wilma Zoé", "Emma"]);
        for text in [
            lines.join("\n"),
            lines.join("\r\n"),
            serde_json::to_string(&lines.join("\n")).unwrap(),
            format!("{{\"data\":\"{}\"}}", base64.replace('/', "\\/")),
            form_urlencoded::byte_serialize(base64.as_bytes()).collect(),
            "L%u00e4stname1 M%u00fcller".to_owned(),
            "L\\u{e4}stname1 M\\u{fc}ller M\\x{fc}ller".to_owned(),
            "M\\N{LATIN SMALL LETTER U WITH DIAERESIS}ller".to_owned(),
            "M&#252ller L&#228stname1 M&uumlller M&#xfc;ller M&UUML;ller".to_owned(),
            "M\\fc ller M\\0000fcller M\\00fcller".to_owned(),
            "M\\303\\274ller M%FCller M\\xfcller M=FCller".to_owned(),
            "lead=Emma&name=M%FCller, lead=M=C3=BCller".to_owned(),
            "IZUXE43UNZQW2ZJREBNG7Q5J".to_owned(),
            hex::encode(&utf16),
            base64::engine::general_purpose::STANDARD.encode(&utf16),
            "RW1tYQ== 456d6d61 x-RW1tYQ V2lsbWE=".to_owned(),
        ] {
            let shown = hidden(&mask, &text);
            assert!(is_left_out(&mask, &text), "{text}: {shown}");
            let left = [
                "ller", "stname", "emma", "wilma", "wyw1l", "rw1t", "v2ls", "izux", "456d",
            ];
            let left = left.iter().find(|part| shown.to_lowercase().contains(**part));
            assert_eq!(left, None, "{text}: {shown}");
        }
    }

    #[test]
    fn promise_06_the_parts_of_a_name_are_hidden_whatever_sets_them_apart() {
        let names = [
            "Anna/Tom",
            "Tim&Eve",
            "Robert \"Bobby\"",
            "Gal·la",
            "Katherine (Katie)",
            "Emma, Lukas",
            "Dr.Wolfgang",
            "Kessler, Jr.",
            "WEIß",
            "Emily_Lou 12",
        ];
        let mask = mask("correct/horse/battery&staple", &names);
        for text in [
            "{\"input\":\"Anna\\/Tom\"}",
            "<p>Tim&amp;Eve Tim&amp;amp;Eve</p>",
            "\"Robert \\\"Bobby\\\"\"",
            "Gal&middot;la",
            "tenant Katie, tenant Lukas and Emma",
            "Wolfgang Kessler",
            "WEIẞ weiss",
            "M&#0000000105;ly emily lou",
            "Q2FsbGEgVGlt TG91 0x4c6f75",
            "sig: abc=\ncorrect/horse/battery&staple",
        ] {
            let shown = hidden(&mask, text).to_lowercase();
            for part in [
                "anna", "tom", "tim", "eve", "bob", "gal", "kat", "emma", "lukas", "wolf", "kess", "wei", "lou", "vgl",
                "tg9", "4c6f", "horse", "battery",
            ] {
                assert!(!shown.contains(part), "{part}: {shown}");
            }
        }
        assert_eq!(hidden(&mask, "unit 12"), "unit 12", "a number is no name");
        let much = mask_of_much();
        assert_eq!(hidden(&much, "anything"), NOT_SEARCHED);
    }

    fn mask_of_much() -> Mask {
        let names = (0..9).map(|n| format!("{n}{}", "a".repeat(30_000)));
        Mask::new([], &names.collect())
    }

    #[test]
    fn what_a_server_says_in_plain_words_stays() {
        let mask = mask("unused-secret", &["Müller", "Li", "Ed", "Anna Maria"]);
        for text in [
            "{\"errors\":[{\"unit_id\":12345,\"code\":\"ERR_4012\",\"message\":\"base_rent: expected number, got \\\"n/a\\\"\"}]}",
            "sync-2025-01-15-02-00-00-0194676ea8807c31b2d94c5e6f708192 of 2025-01-15T02:00:00.123456Z is known",
            "GET /v1/syncs/sync-2025-01-15-02-00-00-0194676ea8807c31b2d94c5e6f708192?full=true",
            "snapshot 0194676e-a880-7c31-b2d9-4c5e6f708192, digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "unit_code 1204-B, PH-12A, 1A, 2B; units 11, 12, 13, 14, 1204 at 09:27:11, 20261130T092711Z, 1764495231000",
            "com.fasterxml.jackson.databind.exc.InvalidFormatException at UnitService.getRentRollUnitById(UnitService.java:120)",
            "ORA-00001 SQLSTATE[23505] 0x80070005 HTTP/1.1 502 nginx/1.25.3 utf-8 x86_64 IPv4 SHA256",
            "E11000 duplicate key error collection: rentroll.units index: unit_id_1 dup key",
            "C:\\Users\\data\\app.log App\\Http\\Controllers\\UnitController 100% of a&b, x=1&y=2&copy=3 state=CA code=ECONNREFUSED",
            "Größe fehlt für Einheit 12 — 客户不存在 🏠",
            "{&quot;message&quot;:&quot;Unité introuvable&quot;} &lt;b&gt;« lot&nbsp;12 »&lt;/b&gt;",
            "{\"file\":\"C:\\\\Users\\\\data\\\\app.log\",\"trace\":\"Illuminate\\\\Support\\\\Facades\\\\DB\\nat line 3\"}",
        ] {
            assert_eq!(hidden(&mask, text), text);
            assert!(!mask.finds(text), "{text}");
        }
        let page = "<p>Visit <a href=\"https://www.example.com/5xx-landing?utm_source=errorcode_502&amp;path=%2Fv1%2Fsync%3Fa%3Db\">\
                    </a>&hellip; <script>document.getElementById(\"error-feedback\").XMLHttpRequest</script> 8f1d2c3b4a596871</p>";
        let shown = page.replace("8f1d2c3b4a596871", "[encoded]");
        assert_eq!(
            hidden(&mask, page),
            shown.replace("%2Fv1%2Fsync%3Fa%3Db", "[unreadable]")
        );
    }

    #[test]
    fn what_is_no_text_is_not_kept() {
        let mask = mask("unused-secret", &["Müller"]);
        let random: Vec<u8> = (0..9000_u64)
            .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
            .collect();
        for answer in [vec![0xff; 7000], random, b"\0M\0u\0l\0l\0e\0r\0 \0i\0s".to_vec()] {
            assert_eq!(mask.beginning(&answer, 2000), NOT_KEPT);
        }
        assert!(!mask.finds(NOT_KEPT) && !mask.finds(NOT_SEARCHED));
        assert_eq!(
            mask.beginning(b"Gr\xf6\xdfe of M\xfcller\x07 is 12", 2000),
            "[unreadable] of [unreadable] is 12"
        );
    }

    /// What the most hostile answer costs is a multiple of its length.
    #[test]
    fn promise_13_no_answer_costs_more_than_its_length() {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let of = |part: &str| part.repeat(65_536 / part.len() + 1);
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()
        };
        let noise: Vec<u8> = (0..8192).flat_map(|_| next()).collect();
        let answers: Vec<Vec<u8>> = vec![
            (0..9)
                .fold(
                    of("{\"x\": \"A%25252541\\\\x41=3D41\"} ")[..4096].to_owned(),
                    |text, _| base64(&text),
                )
                .into(),
            base64(&base64(&of("Müller "))).into(),
            vec![0xff; 65_536],
            of("%25").into(),
            of("&amp;").into(),
            of("&amp;amp;#65;=3D").into(),
            of("\\").into(),
            of("\\u00").into(),
            of("\\u{").into(),
            of("\\N{").into(),
            of("=\n").into(),
            of("\\%25&amp;=3D+61 62 63 ").into(),
            of("a").into(),
            of("aB3").into(),
            of("aaaa/").into(),
            of("41 ").into(),
            of("65,").into(),
            of("li wu ").into(),
            of("王").into(),
            of("e\u{301}").into(),
            of("\u{200b}").into(),
            of("sync-2025-01-15-02-00-00-").into(),
            of("aaaaaaaa\n").into(),
            String::from_utf8_lossy(&noise).into_owned().into(),
            noise,
        ];
        let mut names: Vec<String> = (1..=1000).map(|length| "a".repeat(length)).collect();
        names.extend((0..1000).map(|n| format!("Anna{n} Li Wu")));
        names.extend(["王", "明", "e", "Müller"].map(str::to_owned));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let many = mask("unused-secret", &names);
        let few = mask("unused-secret", &["Müller", "Li"]);
        let of_few = answers.iter().map(|answer| (&few, answer, 40));
        let costly = answers
            .iter()
            .filter(|answer| answer.starts_with(b"aaa") || answer.starts_with(b"li wu"));
        for (mask, answer, each) in of_few.chain(costly.map(|answer| (&many, answer, 1000))) {
            cost::since_last();
            let kept = mask.beginning(answer, 2000);
            let cost = cost::since_last();
            let start = String::from_utf8_lossy(&answer[..20]);
            assert!(cost <= LOOKED_AT_BYTES * each, "{start}: {cost}");
            assert!(kept.chars().count() <= 2000, "{start}");
        }
    }

    #[test]
    fn what_is_hidden_is_hidden_before_the_text_is_cut() {
        let mask = mask("hunter2hunter2", &[]);
        for before in [0, 1, 9, 10, 19, 40, 41, 79, 80] {
            let text = format!("{}{}", "x".repeat(before), "hunter2hunter2".repeat(9));
            let text = mask.beginning(text.as_bytes(), 20);
            assert!(
                text.chars().count() <= 20 && !text.contains("hunter"),
                "{before}: {text}"
            );
        }
        // PostgreSQL's text can't hold a NUL.
        assert_eq!(mask.beginning("é\0é a".as_bytes(), 20), "[unreadable] a");
        let name = super::tests::mask("unused-secret", &["Wilhelmina"]);
        for before in LOOKED_AT_BYTES - 20..LOOKED_AT_BYTES + 5 {
            // All of it is one mark, so that the end of what is looked at is kept.
            let text = format!(
                "\"{}\" {}Wilhelmina",
                "aB3dE5".repeat(2000),
                " ".repeat(before - 12_003)
            );
            let kept = name.beginning(text.as_bytes(), 5000);
            assert!(!kept.contains('W'), "{before}: {kept}");
        }
    }
}
