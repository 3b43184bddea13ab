//! What is kept of a receiver's answer: its beginning, as far as that can be read, without our secrets and without the names of the
//! leads in the body that it answers.
//!
//! Escapes that servers put into a text are looked through, so that what is hidden is found behind them. What can't be read is not
//! kept: bytes that are no text, escapes of unknown meaning, base64 and hex. What it costs grows with the answer's length and with
//! nothing else. What is encrypted, abbreviated, transliterated, reversed or split is not found; such an answer is the receiver's
//! own work.

use std::collections::BTreeSet;

use crate::words::is_unprintable;
use base64::Engine;
use encoded::LENIENT;
use reading::{Glyph, Readings, UNREADABLE};
use secrecy::{ExposeSecret, SecretString};
use words::{Kind, Words};

mod cost;
mod encoded;
mod reading;
mod words;

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

impl From<Kind> for Mark {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Name => Self::Name,
            Kind::Secret => Self::Secret,
        }
    }
}

/// What is to be hidden in one answer.
pub(crate) struct Mask {
    /// None where there is too much of it to look for.
    words: Option<Words>,
}

/// Where which mark begins and ends.
struct Marks {
    edges: [Vec<i32>; Mark::ALL.len()],
}

impl Mask {
    /// These secrets, in every form that a header may have carried them in, and these names.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>, names: &BTreeSet<String>) -> Self {
        let secrets = secrets.into_iter().flat_map(|secret| forms(secret.expose_secret()));
        Self {
            words: Words::new(secrets, names.iter()),
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

    /// What stands instead of each character.
    fn marks(&self, text: &[char]) -> Option<Vec<Option<Mark>>> {
        let words = self.words.as_ref()?;
        let readings = Readings::of(text);
        let mut marks = Marks::of(text.len());
        for reading in readings.all() {
            marks.words_with_unreadable(reading);
            words.find(reading, |kind, from, to| marks.hide(reading, kind.into(), from, to));
        }
        // A run may go on behind an escape, but not behind the letters that an escape is made of.
        let of_runs = match readings.without_escapes.as_slice() {
            [] => std::slice::from_ref(&readings.as_it_stands),
            layers => layers,
        };
        for reading in of_runs {
            let look = |held: &str| words.in_text(held);
            encoded::find(reading, look, |kind, run| {
                let mark = kind.map_or(Mark::Encoded, Mark::from);
                marks.hide(reading, mark, run.start, run.end);
            });
        }
        let mut marks = marks.by_character();
        // Half an escape would spoil the JSON that it stands in.
        for glyph in readings.without_escapes.iter().flatten() {
            let whole = &mut marks[glyph.from..glyph.to];
            if whole.len() > 1
                && let Some(mark) = whole.iter().copied().flatten().last()
            {
                whole.fill(Some(mark));
            }
        }
        Some(marks)
    }
}

impl Marks {
    fn of(length: usize) -> Self {
        Self {
            edges: [(); Mark::ALL.len()].map(|()| vec![0; length + 1]),
        }
    }

    /// From one glyph to another.
    fn hide(&mut self, reading: &[Glyph], mark: Mark, from: usize, to: usize) {
        let edges = &mut self.edges[mark as usize];
        edges[reading[from].from] += 1;
        edges[reading[to - 1].to] -= 1;
    }

    /// A word is left out as a whole: nobody knows which letter is missing.
    fn words_with_unreadable(&mut self, reading: &[Glyph]) {
        let mut at = 0;
        for word in reading.chunk_by(|one, next| is_edge(one.c) == is_edge(next.c)) {
            if word.iter().any(|glyph| glyph.c == UNREADABLE) {
                self.hide(reading, Mark::Unreadable, at, at + word.len());
            }
            at += word.len();
        }
    }

    fn by_character(&self) -> Vec<Option<Mark>> {
        let mut depths = [0; Mark::ALL.len()];
        let length = self.edges[0].len() - 1;
        let marks = (0..length).map(|at| {
            for (depth, edges) in depths.iter_mut().zip(&self.edges) {
                *depth += edges[at];
            }
            Mark::ALL.into_iter().rfind(|mark| depths[*mark as usize] > 0)
        });
        marks.collect()
    }
}

/// The beginning of an answer as text. What is no UTF-8 and what controls a terminal is [`UNREADABLE`]; what nobody sees is gone.
fn plain(answer: &[u8], bytes_max: usize) -> Vec<char> {
    let beginning = &answer[..answer.len().min(bytes_max)];
    let text = String::from_utf8_lossy(beginning);
    let readable = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(c),
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => Some(UNREADABLE),
        c => (!is_unprintable(c)).then_some(c),
    });
    let mut text: Vec<char> = readable.collect();
    if beginning.len() < answer.len() {
        // The last character may be cut as well.
        text.pop();
        let end = end_of_words(&text, CUT_CHARS_MAX);
        text.truncate(end.unwrap_or(text.len().saturating_sub(CUT_CHARS_MAX)));
    }
    text
}

fn is_text(text: &[char]) -> bool {
    let unreadable = text.iter().filter(|c| **c == UNREADABLE).count();
    unreadable <= UNREADABLE_FEW || unreadable * 100 <= text.len() * UNREADABLE_PERCENT_MAX
}

/// What sets words apart, in texts, JSON, HTML and URLs.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || "\"<>(){}[],:;|=&?/#".contains(c)
}

/// Where the last word ends that is sure to be whole, if that is so near.
fn end_of_words(text: &[char], near: usize) -> Option<usize> {
    let cut = text.iter().rev().take(near).position(|c| is_edge(*c))?;
    Some(text.len() - cut)
}

fn shown(text: &[char], marks: &[Option<Mark>], chars_max: usize) -> String {
    let mut shown: Vec<char> = Vec::new();
    let mut before = None;
    for (c, mark) in text.iter().zip(marks) {
        let next = match mark {
            None => &[*c][..],
            Some(mark) if before == Some(*mark) => &[],
            Some(mark) => &mark.text().chars().collect::<Vec<_>>(),
        };
        if shown.len() + next.len() > chars_max {
            shown.truncate(end_of_words(&shown, KEPT_CUT_CHARS_MAX).unwrap_or(chars_max));
            break;
        }
        shown.extend(next);
        before = *mark;
    }
    shown.into_iter().collect()
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
                    && (text.contains(SECRET) || text.contains("[encoded]")),
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
        let groups: Vec<String> = body.as_bytes().chunks(2).map(hex::encode).collect();
        let utf16: Vec<u8> = "Wilma Müller".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bytes: Vec<String> = body.bytes().map(|byte| byte.to_string()).collect();
        let mask = mask("unused-secret", &["Lästname1-Müller", "Wilma Zoé", "Emma"]);
        for text in [
            lines.join("\n"),
            lines.join("\r\n"),
            serde_json::to_string(&lines.join("\n")).unwrap(),
            format!("{{\"data\":\"{}\"}}", base64.replace('/', "\\/")),
            form_urlencoded::byte_serialize(base64.as_bytes()).collect(),
            groups.join(" "),
            format!("[{}]", bytes.join(",")),
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
                "ller", "stname", "emma", "wilma", "wyw1l", "rw1t", "v2ls", "77,195", "4dc3", "izux", "456d",
            ];
            let left = left.iter().find(|part| shown.to_lowercase().contains(**part));
            assert_eq!(left, None, "{text}: {shown}");
        }
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
        ] {
            assert_eq!(hidden(&mask, text), text);
            assert!(!mask.finds(text), "{text}");
        }
        let page = "<p>Visit <a href=\"https://www.example.com/5xx-landing?utm_source=errorcode_502&amp;path=%2Fv1%2Fsync%3Fa%3Db\">\
                    </a>&hellip; <script>document.getElementById(\"error-feedback\").XMLHttpRequest</script> 8f1d2c3b4a596871</p>";
        assert_eq!(hidden(&mask, page), page.replace("8f1d2c3b4a596871", "[encoded]"));
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
