//! Names, addresses and codes without what people write differently.

/// What is written out in one list and shortened in the other.
const SHORTENED: [(&str, &str); 22] = [
    ("street", "st"),
    ("avenue", "ave"),
    ("av", "ave"),
    ("road", "rd"),
    ("drive", "dr"),
    ("boulevard", "blvd"),
    ("crescent", "cres"),
    ("court", "ct"),
    ("place", "pl"),
    ("lane", "ln"),
    ("square", "sq"),
    ("terrace", "terr"),
    ("highway", "hwy"),
    ("parkway", "pkwy"),
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("northwest", "nw"),
    ("northeast", "ne"),
    ("southwest", "sw"),
    ("southeast", "se"),
];
/// What stands before a unit's code and is not part of it.
const BEFORE_CODES: [&str; 6] = ["unit", "apartment", "apt", "suite", "ste", "no"];

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

/// A name or an address: its words, however they are written and parted. None where nothing is left.
pub(super) fn plain(text: Option<&str>) -> Option<String> {
    let short = |word: String| {
        let found = SHORTENED.iter().find(|(long, _)| *long == word);
        found.map_or(word, |(_, short)| (*short).to_owned())
    };
    let words: Vec<String> = words(text?).map(short).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A unit's code: letters and digits, without zeros in front.
pub(super) fn plain_code(code: &str) -> Option<String> {
    let code: String = words(code)
        .filter(|word| !BEFORE_CODES.contains(&word.as_str()))
        .collect();
    let significant = code.trim_start_matches('0');
    match (significant, code.as_str()) {
        ("", "") => None,
        ("", zero) => Some(zero.to_owned()),
        (code, _) => Some(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_and_the_same_door_are_written_in_many_ways() {
        for (one, other) in [
            ("123 Main Street, Calgary, AB", "123 MAIN ST. Calgary AB"),
            ("9 Pine Avenue North-West", "9 pine av. north west"),
        ] {
            assert_eq!(plain(Some(one)), plain(Some(other)), "{one}");
        }
        assert_eq!(plain(Some("123 Main Street")), Some("123 main st".to_owned()));
        assert_eq!(plain(Some(" , ")), None);
        for (one, other) in [
            ("0102", "Unit #102"),
            ("PH-1", "ph 1"),
            ("A-12", "apt a12"),
            ("000", "000"),
        ] {
            assert_eq!(plain_code(one), plain_code(other), "{one}");
        }
        assert_ne!(plain_code("102"), plain_code("120"));
        assert_eq!(plain_code("Unit"), None);
    }
}
