//! When removals wait for a person.

use settings::Section;
use settings::integer;

/// When removals wait for a person: a source that lost its rows looks like one whose units are all gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Of one property: units that were deleted or moved away.
    pub feed: Limit,
    /// Of all a receiver's properties together: units that are gone for whatever reason.
    pub receiver: Limit,
}

/// How much may go within 24 hours before it is doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Fewer units than this never wait.
    pub units_min: i64,
    /// More than this part of the units waits; 100: nothing ever does.
    pub percent_max: i64,
}

impl Limit {
    /// Whether so many of so many are too many.
    #[must_use]
    pub fn is_exceeded_by(&self, removed: i64, of_units: i64) -> bool {
        !self.is_off() && removed >= self.units_min && removed * 100 > of_units * self.percent_max
    }

    /// The fewest removals that are too many of so many units.
    #[must_use]
    pub fn exceeded_from(&self, of_units: i64) -> i64 {
        self.units_min.max(of_units * self.percent_max / 100 + 1)
    }

    /// Nothing ever waits.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.percent_max == 100
    }
}

impl Guard {
    pub(super) fn read(section: &mut Section) -> Self {
        let units = || integer(1..=1_000_000);
        let percent = || integer(0..=100);
        Self {
            feed: Limit {
                units_min: section.take("removed_units_min", 5, units()),
                percent_max: section.take("removed_percent_max", 40, percent()),
            },
            receiver: Limit {
                units_min: section.take("receiver_removed_units_min", 50, units()),
                percent_max: section.take("receiver_removed_percent_max", 20, percent()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    const FEED: Limit = Limit {
        units_min: 5,
        percent_max: 40,
    };

    #[test]
    fn both_a_number_and_a_part_have_to_be_exceeded() {
        assert!(!FEED.is_exceeded_by(4, 4), "a small property may empty");
        assert!(FEED.is_exceeded_by(5, 5));
        assert!(!FEED.is_exceeded_by(40, 100), "40 % is not more than 40 %");
        assert!(FEED.is_exceeded_by(41, 100));
        assert!(FEED.is_exceeded_by(5, 0));
    }

    #[test]
    fn where_it_begins_to_be_exceeded_is_known() {
        for of_units in [0, 1, 9, 10, 11, 12, 13, 99, 100, 101, 12_345] {
            let from = FEED.exceeded_from(of_units);
            assert!(FEED.is_exceeded_by(from, of_units) && !FEED.is_exceeded_by(from - 1, of_units));
        }
    }

    #[test]
    fn a_hundred_percent_switches_it_off() {
        let off = Limit {
            percent_max: 100,
            ..FEED
        };
        assert!(!off.is_exceeded_by(1_000, 10));
    }

    #[test]
    fn it_holds_for_every_receiver() {
        let text = "[guard]\nremoved_units_min = 7\nreceiver_removed_percent_max = 30\n\
                    [receivers.main]\nurl = 'https://one.invalid/'\n[receivers.staging]\nurl = 'https://two.invalid/'";
        let config = Config::parse(Some(text), Path::new("relay.toml"), &[]).unwrap();
        for receiver in config.receivers.values() {
            assert_eq!(receiver.guard.feed.units_min, 7);
            assert_eq!(receiver.guard.feed.percent_max, 40);
            assert_eq!(receiver.guard.receiver.percent_max, 30);
        }
        let wrong = Config::parse(Some("[guard]\nremoved_percent_max = 101"), Path::new("relay.toml"), &[]);
        assert!(wrong.unwrap_err().to_string().contains("guard.removed_percent_max"));
    }
}
