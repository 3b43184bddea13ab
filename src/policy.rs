//! What to do about an answer: one exhaustive function, and nothing else decides.
//!
//! Pure: an answer, how often the sync was tried and the receiver's schedule go in, a decision comes out. The rows are
//! those of the guide's section 7, completed where it is silent.

use std::time::Duration;

use crate::config::Retry;

/// No silence asked for by a receiver is kept longer than this.
pub const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// What counts as no try is not done again sooner than this, whatever the schedule says: nothing else would end it.
const UNCOUNTED_MIN: Duration = Duration::from_secs(1);

/// How one try ended, as the world sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered.
    Status {
        /// HTTP status.
        status: u16,
        /// How long the receiver asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// 2xx, but the receiver has seen a newer sequence for this property.
    Stale {
        /// The newest it has.
        sequence: i64,
    },
    /// 2xx, but nothing that the settings take for an acknowledgement: a page that stands in for the receiver.
    NotAcknowledged {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// No whole answer within the deadline.
    Timeout,
    /// No connection: refused, unreachable, or the name isn't known.
    NotConnected,
    /// The connection broke before the answer was whole.
    ConnectionLost,
    /// The receiver isn't who it should be.
    BadCertificate,
    /// This relay's egress proxy failed; the receiver never heard of it.
    Proxy,
    /// Nothing was sent until a person puts something right: a secret can't be read, or the token endpoint refuses it.
    NoToken,
    /// Nothing was sent, for want of something: a token, a file descriptor, memory.
    NotSent,
    /// The relay's lease or its sign of life ended.
    Lapsed {
        /// The request had begun: whether and when it arrives nobody knows.
        begun: bool,
    },
    /// Relay after relay took the sync and was never heard of again.
    RelayLost,
}

impl Answer {
    /// What a receiver says of a property that it does not know, and of everything where its address changed.
    pub fn may_be_about_one_property(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 300..=399 | 403 | 404 | 410,
                ..
            }
        )
    }

    /// It is what this relay lacks: others may have it.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Proxy | Self::NoToken | Self::NotSent)
    }

    /// Something was sent, or may have been.
    pub fn is_sent(&self) -> bool {
        !self.is_ours() && !matches!(self, Self::Lapsed { begun: false } | Self::RelayLost)
    }

    /// The receiver is asked too much.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Status { status: 429, .. })
    }
}

/// What is known of a sync when its answer comes.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Tries that counted before this one.
    pub attempts: u32,
    /// How often the receiver asked to be left alone since it last acknowledged anything.
    pub waits: u32,
    /// How long ago it was sealed.
    pub age: Duration,
    /// The receiver is paused: this try finds out whether it answers again, and there is no other.
    pub probe: bool,
    /// Between 0 and 1: how much of the jitter to add.
    pub jitter: f64,
    /// How often, one after another, the receiver asked to wait with what this is about.
    pub limited: u32,
    /// It is about several properties.
    pub several: bool,
    /// The receiver acknowledges others all the while: an answer may be about what this one carries.
    pub others_acknowledged: bool,
    /// All its property, or what stands alone of it, was tried as often as the schedule allows before.
    pub failed_before: bool,
}

/// What becomes of the sync, its feed and its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The receiver has it.
    Delivered,
    /// The receiver is ahead of our numbering: raise it, and send the property anew.
    Renumber {
        /// What the receiver has.
        beyond: i64,
    },
    /// The same bytes again, after this long; the try counts.
    Retry {
        /// How long.
        after: Duration,
    },
    /// The same bytes again, and nothing else to this receiver, after this long; the try doesn't count.
    Wait {
        /// How long.
        after: Duration,
    },
    /// The same bytes again after this long; the try doesn't count, and others need not wait.
    WaitAlone {
        /// How long.
        after: Duration,
    },
    /// The same bytes again, by whichever relay can send them: this one could not or must not, and it was no try.
    GiveBack,
    /// Never again: what it carried is in doubt, and sent in halves until the bad units stand alone.
    Rejected,
    /// Tried often enough: what it carried is in doubt.
    Exhausted,
    /// Nothing more to this receiver until a person or a probe says otherwise.
    Pause,
    /// The receiver is still down: what the probe carried is in doubt, the next probe plans anew.
    ProbeFailed {
        /// Not before this long.
        after: Duration,
    },
}

/// The table.
pub fn decide(answer: &Answer, tried: Tried, retry: &Retry) -> Decision {
    match answer {
        Answer::Stale { sequence } => Decision::Renumber { beyond: *sequence },
        // Something in this one is what it answers so: that is looked for.
        answer if answer.may_be_about_one_property() && tried.others_acknowledged && !tried.probe => Decision::Rejected,
        Answer::Status { status, retry_after } => match status {
            200..=299 => Decision::Delivered,
            300..=399 | 401 | 403 | 404 | 410 => Decision::Pause,
            408 | 409 | 425 | 500..=599 => again(tried, retry, *retry_after),
            429 => wait(tried, retry, *retry_after),
            // 400, 413, 422 and every other 4xx; a status outside HTTP's ranges is no answer to this request either.
            _ => Decision::Rejected,
        },
        Answer::NotAcknowledged { retry_after } => again(tried, retry, *retry_after),
        Answer::Timeout | Answer::NotConnected | Answer::ConnectionLost => again(tried, retry, None),
        Answer::BadCertificate => Decision::Pause,
        Answer::Proxy | Answer::NoToken | Answer::NotSent | Answer::Lapsed { .. } => Decision::GiveBack,
        Answer::RelayLost => Decision::Exhausted,
    }
}

/// How long a receiver that failed so many probes in a row, or a property of which so often nothing was acknowledged, is left alone: the
/// schedule's steps, then `probe_every`.
pub fn rest_after(failures: u32, retry: &Retry, probe_every: Duration) -> Duration {
    let step = retry.schedule.get(failures as usize).copied();
    step.unwrap_or(probe_every).min(probe_every)
}

/// How long what is refused is left out before it is tried again: for the first refusal, the second in a row and so on, the last for
/// all beyond. The schedule's steps, then twice as long each time, up to `refused_max`.
pub fn pauses(retry: &Retry) -> Vec<Duration> {
    let mut pauses = retry.schedule.clone();
    while let Some(last) = pauses.last().filter(|last| **last < retry.refused_max) {
        pauses.push(*last * 2);
    }
    pauses.into_iter().map(|pause| pause.min(retry.refused_max)).collect()
}

/// How long a relay rests that could not send so many times in a row: twice as long each time, up to the schedule's first step, or
/// to `probe_every` where only a person can help.
pub fn backoff_after(answer: &Answer, failures: u32, retry: &Retry, probe_every: Duration) -> Duration {
    let longest = match answer {
        Answer::NoToken => probe_every,
        _ => retry.schedule[0],
    };
    let after = UNCOUNTED_MIN.saturating_mul(2_u32.saturating_pow(failures));
    after.min(longest).max(UNCOUNTED_MIN)
}

fn again(tried: Tried, retry: &Retry, retry_after: Option<Duration>) -> Decision {
    if tried.probe {
        return probe_failed(retry_after);
    }
    // What is known to fail keeps back what its property has to say for no longer than one try.
    if tried.attempts as usize >= retry.schedule.len() || tried.failed_before {
        return Decision::Exhausted;
    }
    Decision::Retry {
        after: later(step(tried, retry), retry_after.map(|asked| asked.min(retry.longest()))),
    }
}

fn wait(tried: Tried, retry: &Retry, retry_after: Option<Duration>) -> Decision {
    if tried.probe {
        return probe_failed(retry_after);
    }
    // What is about several is sent in halves once, whoever is limited, and again where others are acknowledged.
    let steps = retry.schedule.len();
    let is_halved = tried.several
        && (tried.limited as usize == steps || tried.limited as usize > steps && tried.others_acknowledged);
    if tried.age >= WAIT_MAX || is_halved {
        return Decision::Exhausted;
    }
    // Not at once: a receiver that limits all accepts some and not others.
    let limited_for_long = tried.limited as usize >= steps || tried.age >= retry.schedule.iter().sum::<Duration>();
    let is_alone = !tried.several && tried.others_acknowledged && tried.limited > 0 && limited_for_long;
    let attempts = tried.attempts.max(tried.waits).max(tried.limited);
    let after = later(step(Tried { attempts, ..tried }, retry), retry_after).max(UNCOUNTED_MIN);
    match is_alone {
        true => Decision::WaitAlone { after },
        false => Decision::Wait { after },
    }
}

fn probe_failed(retry_after: Option<Duration>) -> Decision {
    Decision::ProbeFailed {
        after: later(Duration::ZERO, retry_after),
    }
}

fn step(tried: Tried, retry: &Retry) -> Duration {
    let step = (tried.attempts as usize).min(retry.schedule.len() - 1);
    let jitter = f64::from(retry.jitter_percent) / 100.0 * tried.jitter;
    retry.schedule[step].mul_f64(1.0 + jitter)
}

/// Never sooner than the receiver asks, never later than a day.
fn later(wait: Duration, retry_after: Option<Duration>) -> Duration {
    retry_after.map_or(wait, |asked| wait.max(asked)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn guide() -> Retry {
        Retry {
            schedule: [1, 2, 5, 10].map(|minutes| minutes * MINUTE).to_vec(),
            jitter_percent: 0,
            refused_max: 60 * MINUTE,
        }
    }

    fn tried(attempts: u32) -> Tried {
        Tried {
            attempts,
            waits: 0,
            age: Duration::ZERO,
            probe: false,
            jitter: 0.0,
            limited: 0,
            several: false,
            others_acknowledged: false,
            failed_before: false,
        }
    }

    fn status(status: u16) -> Answer {
        Answer::Status {
            status,
            retry_after: None,
        }
    }

    #[test]
    fn the_guides_schedule_is_kept_and_the_fifth_failure_is_the_last() {
        for answer in [
            Answer::NotAcknowledged { retry_after: None },
            status(500),
            status(504),
            status(408),
            status(409),
            status(425),
            Answer::Timeout,
            Answer::NotConnected,
            Answer::ConnectionLost,
        ] {
            let decisions: Vec<_> = (0..5)
                .map(|attempts| decide(&answer, tried(attempts), &guide()))
                .collect();
            let mut expected: Vec<_> = [1, 2, 5, 10]
                .map(|minutes| Decision::Retry {
                    after: minutes * MINUTE,
                })
                .to_vec();
            expected.push(Decision::Exhausted);
            assert_eq!(decisions, expected, "{answer:?}");
        }
    }

    #[test]
    fn each_status_has_its_row() {
        let rows: &[(&[u16], Decision)] = &[
            (&[200, 201, 202, 204, 299], Decision::Delivered),
            (&[301, 302, 304, 307, 308, 401, 403, 404, 410], Decision::Pause),
            (
                &[400, 402, 405, 406, 411, 413, 415, 422, 426, 451, 499, 100, 600],
                Decision::Rejected,
            ),
        ];
        for (statuses, expected) in rows {
            for &code in *statuses {
                assert_eq!(decide(&status(code), tried(0), &guide()), *expected, "{code}");
            }
        }
        assert_eq!(decide(&Answer::BadCertificate, tried(0), &guide()), Decision::Pause);
        let (begun, unsent) = (Answer::Lapsed { begun: true }, Answer::Lapsed { begun: false });
        for ours in [Answer::Proxy, Answer::NoToken, Answer::NotSent, begun, unsent] {
            assert_eq!(decide(&ours, tried(4), &guide()), Decision::GiveBack, "{ours:?}");
        }
        assert_eq!(decide(&Answer::RelayLost, tried(0), &guide()), Decision::Exhausted);
        let stale = Answer::Stale { sequence: 9 };
        assert_eq!(decide(&stale, tried(0), &guide()), Decision::Renumber { beyond: 9 });
    }

    #[test]
    fn promise_13_a_failure_silences_for_the_longest_step_at_most_and_a_rate_limit_for_a_day() {
        let asked = |status, seconds| Answer::Status {
            status,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let after = |seconds| Duration::from_secs(seconds);
        assert_eq!(
            decide(&asked(503, 7), tried(0), &guide()),
            Decision::Retry { after: MINUTE }
        );
        assert_eq!(
            decide(&asked(503, 90), tried(0), &guide()),
            Decision::Retry { after: after(90) }
        );
        for failing in [503, 500, 408, 409, 425] {
            assert_eq!(
                decide(&asked(failing, 999_999), tried(0), &guide()),
                Decision::Retry { after: 10 * MINUTE }
            );
        }
        assert_eq!(
            decide(&asked(429, 90), tried(0), &guide()),
            Decision::Wait { after: after(90) }
        );
        assert_eq!(
            decide(&asked(429, 999_999), tried(0), &guide()),
            Decision::Wait { after: WAIT_MAX }
        );
    }

    #[test]
    fn a_rate_limit_burns_no_attempt_but_ends_after_a_day() {
        for attempts in [0, 4, 99] {
            assert!(matches!(
                decide(&status(429), tried(attempts), &guide()),
                Decision::Wait { .. }
            ));
        }
        let aged = |age| Tried { age, ..tried(0) };
        let second = Duration::from_secs(1);
        assert!(matches!(
            decide(&status(429), aged(WAIT_MAX - second), &guide()),
            Decision::Wait { .. }
        ));
        assert_eq!(decide(&status(429), aged(WAIT_MAX), &guide()), Decision::Exhausted);
    }

    #[test]
    fn promise_13_a_rate_limit_that_goes_on_waits_for_longer_and_longer_whatever_it_asks_for() {
        for retry_after in [None, Some(Duration::from_secs(1))] {
            let limited = Answer::Status {
                status: 429,
                retry_after,
            };
            let after = |waits| decide(&limited, Tried { waits, ..tried(0) }, &guide());
            let waits: Vec<_> = (0..5).map(after).collect();
            let expected = [1, 2, 5, 10, 10].map(|minutes| Decision::Wait {
                after: minutes * MINUTE,
            });
            assert_eq!(waits, expected);
        }
    }

    #[test]
    fn promise_12_what_only_one_property_gets_is_about_that_property() {
        let others = Tried {
            others_acknowledged: true,
            ..tried(0)
        };
        for code in [301, 403, 404, 410] {
            assert_eq!(decide(&status(code), others, &guide()), Decision::Rejected, "{code}");
            let probe = Tried { probe: true, ..others };
            assert_eq!(decide(&status(code), probe, &guide()), Decision::Pause, "{code}");
        }
        assert_eq!(
            decide(&status(401), others, &guide()),
            Decision::Pause,
            "credentials are everybody's"
        );
    }

    #[test]
    fn promise_13_a_limit_that_only_one_property_meets_withholds_that_property_alone() {
        let after = |limited, others_acknowledged| {
            let tried = Tried {
                limited,
                others_acknowledged,
                ..tried(0)
            };
            decide(&status(429), tried, &guide())
        };
        assert_eq!(after(3, true), Decision::Wait { after: 10 * MINUTE });
        assert_eq!(after(4, true), Decision::WaitAlone { after: 10 * MINUTE });
        assert_eq!(after(4, false), Decision::Wait { after: 10 * MINUTE });
        // A wait of hours is long enough by itself.
        let after = |limited| {
            let tried = Tried {
                limited,
                others_acknowledged: true,
                age: 18 * MINUTE,
                ..tried(0)
            };
            decide(&status(429), tried, &guide())
        };
        assert_eq!(after(0), Decision::Wait { after: MINUTE });
        assert_eq!(after(1), Decision::WaitAlone { after: 2 * MINUTE });
    }

    #[test]
    fn promise_13_what_counts_as_no_try_is_not_repeated_at_the_pace_of_a_schedule_of_milliseconds() {
        let retry = Retry {
            schedule: vec![Duration::from_millis(1)],
            jitter_percent: 0,
            refused_max: 60 * MINUTE,
        };
        let after = Duration::from_secs(1);
        for failures in [0, 9] {
            assert_eq!(backoff_after(&Answer::NotSent, failures, &retry, after), after);
        }
        assert_eq!(decide(&status(429), tried(0), &retry), Decision::Wait { after });
    }

    #[test]
    fn promise_09_a_relay_that_can_not_send_rests_for_longer_and_longer_and_not_for_ever() {
        let seconds = |answer, failures| backoff_after(&answer, failures, &guide(), 15 * MINUTE).as_secs();
        let rests = [0, 1, 2, 5, 6, 99].map(|failures| seconds(Answer::NotSent, failures));
        assert_eq!(rests, [1, 2, 4, 32, 60, 60]);
        assert_eq!(seconds(Answer::Proxy, 99), 60);
        assert_eq!(
            [0, 7, 99].map(|failures| seconds(Answer::NoToken, failures)),
            [1, 128, 900]
        );
    }

    #[test]
    fn jitter_only_adds() {
        let retry = Retry {
            jitter_percent: 10,
            ..guide()
        };
        for (jitter, seconds) in [(0.0, 60), (0.5, 63), (1.0, 66)] {
            let tried = Tried { jitter, ..tried(0) };
            let after = Duration::from_secs(seconds);
            assert_eq!(decide(&Answer::Timeout, tried, &retry), Decision::Retry { after });
        }
    }

    #[test]
    fn a_probe_has_one_try_and_a_rejection_of_it_is_an_answer_like_any_other() {
        let probe = Tried {
            probe: true,
            ..tried(0)
        };
        let zero = Decision::ProbeFailed { after: Duration::ZERO };
        for answer in [
            status(503),
            status(408),
            status(429),
            Answer::Timeout,
            Answer::NotConnected,
        ] {
            assert_eq!(decide(&answer, probe, &guide()), zero, "{answer:?}");
        }
        let asked = Answer::Status {
            status: 429,
            retry_after: Some(MINUTE),
        };
        assert_eq!(decide(&asked, probe, &guide()), Decision::ProbeFailed { after: MINUTE });
        assert_eq!(decide(&status(400), probe, &guide()), Decision::Rejected);
        assert_eq!(decide(&status(401), probe, &guide()), Decision::Pause);
        assert_eq!(decide(&status(204), probe, &guide()), Decision::Delivered);
    }

    #[test]
    fn probes_keep_to_the_schedule_and_then_to_their_own_pace() {
        let after: Vec<_> = (0..6).map(|probes| rest_after(probes, &guide(), 15 * MINUTE)).collect();
        assert_eq!(after, [1, 2, 5, 10, 15, 15].map(|minutes| minutes * MINUTE));
        assert_eq!(rest_after(3, &guide(), 4 * MINUTE), 4 * MINUTE);
    }
}
