//! The last 24 hours as bars, drawn here: an image that needs no script, and the same as a table.

use maud::{Markup, html};

use super::parts::{self, cell};
use crate::inspect::hours::Hour;

/// Of a drawing, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;
/// Between bars.
const GAP: f64 = 4.0;

/// How long something is that is drawn, and how long that of it which is set apart.
struct Bar {
    whole: f64,
    part: f64,
    said: String,
}

/// Requests and lag, beneath each other; a table of both behind a heading that opens.
pub(super) fn day(hours: &[Hour]) -> Markup {
    let requests = hours.iter().map(|hour| Bar {
        whole: hour.requests as f64,
        part: hour.failed as f64,
        said: format!(
            "{}: {} requests, {} not acknowledged",
            clock(hour),
            hour.requests,
            hour.failed
        ),
    });
    let lag = hours.iter().map(|hour| Bar {
        whole: hour.lag_p99.unwrap_or(0.0),
        part: hour.lag_p50.unwrap_or(0.0),
        said: format!(
            "{}: half {}, 99 of 100 {}",
            clock(hour),
            seconds(hour.lag_p50),
            seconds(hour.lag_p99)
        ),
    });
    let most = hours.iter().map(|hour| hour.requests).max().unwrap_or(0);
    let longest = hours.iter().filter_map(|hour| hour.lag_p99).fold(0.0, f64::max);
    html! {
        div.charts {
            (bars("requests", "Requests of the last 24 hours, by the hour", "hatched: not acknowledged", &format!("at most {most}"), requests.collect()))
            (bars("lag", "From change to acknowledgement, by the hour", "hatched: half took no longer; whole: 99 of 100", &format!("at most {}", seconds(Some(longest))), lag.collect()))
        }
        details {
            summary { "The same as a table" }
            (table(hours))
        }
    }
}

fn bars(name: &str, title: &str, legend: &str, scale: &str, bars: Vec<Bar>) -> Markup {
    let most = bars.iter().map(|bar| bar.whole).fold(0.0, f64::max);
    let step = WIDTH / bars.len().max(1) as f64;
    let height = |value: f64| if most > 0.0 { value / most * HEIGHT } else { 0.0 };
    html! {
        figure {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(format!("{name}-title {name}-scale")) preserveAspectRatio="none" {
                title id=(format!("{name}-title")) { (title) }
                defs {
                    pattern id=(format!("{name}-hatch")) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect.ground width="6" height="6" {}
                        line.stroke x1="0" y1="0" x2="0" y2="6" {}
                    }
                }
                line.base x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
                @for (place, bar) in bars.iter().enumerate() {
                    g {
                        title { (bar.said) }
                        (rect(place as f64 * step, step, height(bar.whole), "bar", None))
                        (rect(place as f64 * step, step, height(bar.part), "part", Some(format!("url(#{name}-hatch)"))))
                    }
                }
            }
            figcaption { (title) " (" span id=(format!("{name}-scale")) { (scale) } "; " (legend) ")" }
        }
    }
}

fn rect(x: f64, step: f64, height: f64, class: &str, fill: Option<String>) -> Markup {
    html! {
        @if height > 0.0 {
            rect class=(class) x=(round(x + GAP / 2.0)) y=(round(HEIGHT - height)) width=(round(step - GAP)) height=(round(height)) fill=[fill] {}
        }
    }
}

fn round(value: f64) -> String {
    format!("{value:.1}")
}

fn table(hours: &[Hour]) -> Markup {
    let row = |hour: &Hour| {
        vec![
            parts::time(hour.at),
            cell(hour.requests),
            cell(hour.failed),
            cell(seconds(hour.lag_p50)),
            cell(seconds(hour.lag_p99)),
        ]
    };
    let head = [
        "hour",
        "requests",
        "not acknowledged",
        "half within",
        "99 of 100 within",
    ];
    parts::table(
        "The last 24 hours, by the hour",
        &head,
        hours.iter().map(row).collect(),
        "no hours",
    )
}

fn clock(hour: &Hour) -> String {
    hour.at.format("%H:%MZ").to_string()
}

/// Short ones with their fractions.
pub(super) fn seconds(seconds: Option<f64>) -> String {
    match seconds {
        None => "–".to_owned(),
        Some(seconds) if seconds < 10.0 => format!("{seconds:.2} s"),
        Some(seconds) => parts::lasting(seconds.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(requests: i64, failed: i64) -> Hour {
        Hour {
            at: "2026-11-30T15:00:00Z".parse().unwrap(),
            requests,
            failed,
            lag_p50: (requests > 0).then_some(0.25),
            lag_p99: (requests > 0).then_some(75.0),
        }
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_highest() {
        let drawn = day(&[hour(0, 0), hour(50, 0), hour(100, 25)]).into_string();
        assert!(drawn.contains(r#"y="60.0" width="236.0" height="60.0""#), "{drawn}");
        assert!(drawn.contains(r#"y="0.0" width="236.0" height="120.0""#), "{drawn}");
        assert!(
            drawn.contains(r#"height="30.0" fill="url(#requests-hatch)""#),
            "{drawn}"
        );
        assert!(drawn.contains("15:00Z: half 0.25 s, 99 of 100 1 min 15 s"), "{drawn}");
    }

    #[test]
    fn a_day_without_requests_has_no_bars_and_no_division_by_nothing() {
        let drawn = day(&[hour(0, 0)]).into_string();
        assert!(!drawn.contains("NaN") && !drawn.contains("class=\"bar\""), "{drawn}");
    }
}
