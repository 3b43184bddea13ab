//! What a value may be: one function for each kind of setting, which says in
//! words what is allowed when it refuses.
//!
//! Not its business: which key takes which kind.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::node::Node;

/// Why a value is refused, to be read after the key's name.
pub struct Refusal {
    /// What it must be.
    pub must: String,
    /// The value is not to be shown.
    pub hides_value: bool,
    /// What is shown instead of the value as it was written.
    pub shown: Option<String>,
}

/// A value, or why not.
pub type Validated<T> = Result<T, Refusal>;

impl Refusal {
    /// The value is shown.
    pub fn new(must: impl Into<String>) -> Self {
        Self {
            must: must.into(),
            hides_value: false,
            shown: None,
        }
    }

    /// For values that are secrets or may hold one.
    pub fn hiding_value(must: impl Into<String>) -> Self {
        Self {
            must: must.into(),
            hides_value: true,
            shown: None,
        }
    }

    /// For values of which a part may be a secret.
    pub fn showing(must: impl Into<String>, shown: String) -> Self {
        Self {
            shown: Some(shown),
            ..Self::new(must)
        }
    }
}

/// `true` or `false`.
pub fn boolean(node: &Node) -> Validated<bool> {
    let value = node.to_value().and_then(|value| value.as_bool());
    value.ok_or_else(|| Refusal::new("must be true or false"))
}

/// Any whole number.
pub fn any_integer(node: &Node) -> Validated<i64> {
    let value = node.to_value().and_then(|value| value.as_integer());
    value.ok_or_else(|| Refusal::new("must be a whole number"))
}

/// A whole number within a range.
pub fn integer<T: TryFrom<i64>>(range: RangeInclusive<i64>) -> impl Fn(&Node) -> Validated<T> {
    move |node| {
        let value = node.to_value().and_then(|value| value.as_integer());
        value
            .filter(|value| range.contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| {
                let (low, high) = (range.start(), range.end());
                Refusal::new(format!("must be a whole number from {low} to {high}"))
            })
    }
}

/// Any finite number, with or without a point.
pub fn any_number(node: &Node) -> Validated<f64> {
    let value = as_number(node).filter(|value| value.is_finite());
    value.ok_or_else(|| Refusal::new("must be a number"))
}

/// A number within a range, with or without a point.
pub fn number(range: RangeInclusive<f64>) -> impl Fn(&Node) -> Validated<f64> {
    move |node| {
        as_number(node).filter(|value| range.contains(value)).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            Refusal::new(format!("must be a number from {low} to {high}"))
        })
    }
}

fn as_number(node: &Node) -> Option<f64> {
    match node.to_value()? {
        toml::Value::Float(value) => Some(value),
        // Precise to 2^53, which no range reaches.
        toml::Value::Integer(value) => Some(value as f64),
        _ => None,
    }
}

/// A duration within a range.
///
/// A number without its unit is refused, since seconds and milliseconds are
/// guessed with equal right.
pub fn duration(range: RangeInclusive<Duration>) -> impl Fn(&Node) -> Validated<Duration> {
    move |node| {
        node.as_str()
            .filter(|text| !is_bare_number(text))
            .and_then(|text| humantime::parse_duration(text).ok())
            .filter(|duration| range.contains(duration))
            .ok_or_else(|| {
                let low = humantime::format_duration(*range.start());
                let high = humantime::format_duration(*range.end());
                Refusal::new(format!(
                    "must be a duration from {low} to {high}, \
                     written with its unit, like \"250ms\", \"1m\" or \"14d\""
                ))
            })
    }
}

fn is_bare_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// One of a few words.
pub fn one_of<T: Clone>(choices: &[(&str, T)]) -> impl Fn(&Node) -> Validated<T> {
    move |node| {
        let chosen = choices.iter().find(|(word, _)| node.as_str() == Some(word));
        chosen.map(|(_, value)| value.clone()).ok_or_else(|| {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            Refusal::new(format!("must be {}", words.join(" or ")))
        })
    }
}

/// A list of at least one item.
pub fn list_of<T>(item: impl Fn(&Node) -> Validated<T>) -> impl Fn(&Node) -> Validated<Vec<T>> {
    move |node| {
        let items = node.to_items().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| Refusal::new("must be a list of at least one item"))?;
        items.iter().map(|node| checked_item(&item, node)).collect()
    }
}

fn checked_item<T>(item: impl Fn(&Node) -> Validated<T>, node: &Node) -> Validated<T> {
    item(node).map_err(|refusal| Refusal {
        must: format!("each item {}", refusal.must),
        ..refusal
    })
}

/// A string that a rule accepts; `must` says what the rule is.
pub fn text(must: impl Display, rule: impl Fn(&str) -> bool) -> impl Fn(&Node) -> Validated<String> {
    move |node| {
        let text = node.as_str().filter(|text| rule(text));
        text.map(str::to_owned).ok_or_else(|| Refusal::new(must.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(toml: &str) -> Node {
        Node::value("relay.toml".into(), toml.parse().unwrap())
    }

    fn refused<T>(validated: Validated<T>) -> String {
        match validated {
            Ok(_) => panic!("not refused"),
            Err(refusal) => refusal.must,
        }
    }

    #[test]
    fn durations_have_units_and_keep_to_their_range() {
        let kind = duration(Duration::from_millis(100)..=Duration::from_secs(600));
        let accepted = |toml| kind(&written(toml)).ok();
        assert_eq!(accepted("'250ms'"), Some(Duration::from_millis(250)));
        assert_eq!(accepted("'100ms'"), Some(Duration::from_millis(100)));
        assert_eq!(accepted("'99ms'"), None);
        assert_eq!(accepted("'10m'"), Some(Duration::from_secs(600)));
        assert_eq!(accepted("'10m 1ms'"), None);
        for bare in ["30", "'30'", "0.5", "'0'", "''"] {
            let must = refused(kind(&written(bare)));
            assert!(
                must.contains("from 100ms to 10m") && must.contains("\"250ms\""),
                "{must}"
            );
        }
    }

    #[test]
    fn numbers_keep_to_their_range_and_type() {
        let kind = integer::<usize>(1..=256);
        assert_eq!(kind(&written("1")).ok(), Some(1));
        assert_eq!(kind(&written("256")).ok(), Some(256));
        for wrong in ["0", "257", "-1", "1.0", "'1'"] {
            assert_eq!(refused(kind(&written(wrong))), "must be a whole number from 1 to 256");
        }
    }

    #[test]
    fn a_number_may_have_a_point_and_keeps_to_its_range() {
        let kind = number(0.5..=100.0);
        assert_eq!(kind(&written("100")).ok(), Some(100.0));
        assert_eq!(kind(&written("0.5")).ok(), Some(0.5));
        for wrong in ["0", "0.49", "101", "nan", "inf", "-1", "'1'"] {
            assert_eq!(refused(kind(&written(wrong))), "must be a number from 0.5 to 100");
        }
    }

    #[test]
    fn a_list_has_items_and_each_is_checked() {
        let kind = list_of(any_integer);
        assert_eq!(kind(&written("[1, 4]")).ok(), Some(vec![1, 4]));
        assert!(refused(kind(&written("[]"))).contains("at least one"));
        assert!(refused(kind(&written("1"))).contains("list"));
        assert_eq!(refused(kind(&written("[1, 'x']"))), "each item must be a whole number");
    }

    #[test]
    fn a_word_is_one_of_the_choices() {
        let kind = one_of(&[("active", 1), ("listed", 2)]);
        assert_eq!(kind(&written("'listed'")).ok(), Some(2));
        assert_eq!(refused(kind(&written("'all'"))), "must be \"active\" or \"listed\"");
    }
}
