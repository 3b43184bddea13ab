//! The time that a replay is about.

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};

use crate::fault::Fault;

/// From one moment until another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The beginning, part of it.
    pub since: DateTime<Utc>,
    /// The end, not part of it; none: still open.
    pub until: Option<DateTime<Utc>>,
}

impl Window {
    /// Of `--since` and `--until`: times (RFC 3339), or ages before `now`.
    ///
    /// # Errors
    /// When one is neither, when one lies in the future, or when nothing lies between them.
    pub fn parse(since: &str, until: Option<&str>, now: DateTime<Utc>) -> Result<Self> {
        let since = moment("--since", since, now)?;
        let until = until.map(|text| moment("--until", text, now)).transpose()?;
        match until {
            Some(until) if until <= since => Err(Fault::usage(format!(
                "--until {} is not after --since {}; give the earlier time as --since",
                shown(until),
                shown(since)
            ))
            .into()),
            until => Ok(Self { since, until }),
        }
    }
}

/// As messages say a moment; up to the next second, so that it can be given back as it is said.
pub(super) fn shown(moment: DateTime<Utc>) -> String {
    let whole = moment.trunc_subsecs(0);
    let whole = if whole < moment {
        whole + TimeDelta::seconds(1)
    } else {
        whole
    };
    whole.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn moment(option: &str, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let Some(moment) = time.or_else(|| before(now, text)) else {
        return Err(Fault::usage(format!(
            "{option} {text:?} is neither a time like 2025-01-15T02:00:00Z nor an age like 1h or 2d"
        ))
        .into());
    };
    if moment > now {
        return Err(Fault::usage(format!(
            "{option} {text} lies in the future: by the database's clock it is {}",
            shown(now)
        ))
        .into());
    }
    Ok(moment)
}

/// Longer ago there was nothing to be sent; and PostgreSQL's own time ends somewhere.
const AGE_MAX: std::time::Duration = std::time::Duration::from_secs(100 * 366 * 24 * 60 * 60);

fn before(now: DateTime<Utc>, age: &str) -> Option<DateTime<Utc>> {
    let age = humantime::parse_duration(age).ok().filter(|age| *age <= AGE_MAX)?;
    now.checked_sub_signed(TimeDelta::from_std(age).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::exit_code;

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00.25Z".parse().unwrap()
    }

    #[test]
    fn a_time_or_an_age_is_a_moment() {
        let window = Window::parse("2h", Some("2026-03-01T13:30:00+02:00"), now()).unwrap();
        assert_eq!(window.since, now() - TimeDelta::hours(2));
        assert_eq!(window.until, Some("2026-03-01T11:30:00Z".parse().unwrap()));
        assert_eq!(Window::parse("2d", None, now()).unwrap().until, None);
    }

    #[test]
    fn what_is_no_window_is_refused_in_one_sentence() {
        let refused = |since, until| {
            let error = Window::parse(since, until, now()).unwrap_err();
            assert_eq!(exit_code(&error), 2);
            error.to_string()
        };
        for bad in ["yesterday", "5", "-1h", "2026-03-01", "", "99999999999 years"] {
            assert!(refused(bad, None).contains("--since"), "{bad}");
        }
        assert!(refused("2026-03-01T12:00:01Z", None).contains("future"));
        assert!(refused("1h", Some("2027-01-01T00:00:00Z")).contains("--until"));
        assert!(refused("1h", Some("1h")).contains("not after"));
        assert!(refused("1h", Some("2h")).contains("not after"));
    }

    #[test]
    fn a_moment_is_shown_so_that_it_can_be_given_back() {
        assert_eq!(shown(now()), "2026-03-01T12:00:01Z");
        assert_eq!(shown("2026-03-01T12:00:00Z".parse().unwrap()), "2026-03-01T12:00:00Z");
    }
}
