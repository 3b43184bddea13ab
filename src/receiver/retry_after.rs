//! `Retry-After`: seconds, or one of HTTP's three date forms (RFC 9110, sections 10.2.3 and 5.6.7).

use std::time::{Duration, SystemTime};

use crate::policy::WAIT_MAX;

/// How long to wait; none where the header says nothing sensible. A date is compared with the answer's own `Date`, so
/// that a clock that is wrong, here or there, makes no difference. Clamped to a day.
pub(super) fn parse(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean "very long".
        return Some(value.parse().map_or(WAIT_MAX, Duration::from_secs).min(WAIT_MAX));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = date
        .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
        .unwrap_or(now);
    Some(until.duration_since(from).unwrap_or_default().min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:00 GMT";

    fn seconds(value: &str) -> Option<u64> {
        parse(value, Some(DATE), SystemTime::now()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_the_three_date_forms_are_understood() {
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(seconds("Sunday, 06-Nov-94 08:49:37 GMT"), Some(37));
        assert_eq!(seconds("Sun Nov  6 08:49:37 1994"), Some(37));
    }

    #[test]
    fn the_past_is_no_wait_the_absurd_is_a_day_and_garbage_is_nothing() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:48:00 GMT"), Some(0));
        assert_eq!(seconds("Sat, 06 Nov 2094 08:48:00 GMT"), Some(24 * 3600));
        assert_eq!(seconds("99999999999999999999999999"), Some(24 * 3600));
        for garbage in ["", "soon", "-5", "1.5", "7 seconds"] {
            assert_eq!(seconds(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_answers_own_clock_else_with_ours() {
        let ours = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:30 GMT").unwrap();
        let until = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse(until, None, ours), Some(Duration::from_secs(7)));
        assert_eq!(parse(until, Some("nonsense"), ours), Some(Duration::from_secs(7)));
    }
}
