//! When the nightly snapshot is.

use chrono::NaiveTime;
use chrono_tz::Tz;

use settings::Node;
use settings::Section;
use settings::{Refusal, Validated, boolean};

/// When everything is compared and sent whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The time of day.
    pub at: NaiveTime,
    /// Where it is that time of day.
    pub time_zone: Tz,
    /// Whether there is one by itself.
    pub enabled: bool,
}

impl Snapshot {
    pub(super) fn read(section: &mut Section) -> Self {
        let two = NaiveTime::from_hms_opt(2, 0, 0).unwrap_or_default();
        Self {
            at: section.take("at", two, time_of_day),
            time_zone: section.take("time_zone", Tz::UTC, time_zone),
            enabled: section.take("enabled", true, boolean),
        }
    }
}

fn time_of_day(node: &Node) -> Validated<NaiveTime> {
    let time = node
        .as_str()
        .and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
    time.ok_or_else(|| Refusal::new("must be a time of day like \"02:00\""))
}

fn time_zone(node: &Node) -> Validated<Tz> {
    let zone = node.as_str().and_then(|name| name.parse().ok());
    zone.ok_or_else(|| Refusal::new("must be the name of a time zone like \"America/Edmonton\" or \"UTC\""))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(toml: &str) -> Result<Snapshot, String> {
        let config = Config::parse(Some(toml), Path::new("relay.toml"), &[]);
        config.map(|config| config.snapshot).map_err(|error| error.to_string())
    }

    #[test]
    fn a_night_has_a_time_of_day_and_a_place() {
        let snapshot = parse("[snapshot]\nat = '03:30'\ntime_zone = 'America/Edmonton'").unwrap();
        assert_eq!(
            (snapshot.at.to_string().as_str(), snapshot.time_zone),
            ("03:30:00", Tz::America__Edmonton)
        );
        assert!(parse("").unwrap().enabled);
        for (wrong, must) in [
            ("at = '25:00'", "a time of day"),
            ("at = 2", "a time of day"),
            ("time_zone = 'Calgary'", "a time zone"),
            ("enabled = 'yes'", "true or false"),
        ] {
            let problem = parse(&format!("[snapshot]\n{wrong}")).unwrap_err();
            assert!(problem.contains(must), "{problem}");
        }
    }
}
