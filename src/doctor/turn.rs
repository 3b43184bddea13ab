//! Whose turn it is to plan.

use anyhow::Result;
use sqlx::PgConnection;

use super::finding::{Finding, ago};
use crate::plan::{self, Turn};

const TURN: &str = "turn";
/// A batch takes seconds.
const LONG: f64 = 60.0;

pub(super) async fn examine(conn: &mut PgConnection, receiver: &str) -> Result<Vec<Finding>> {
    let turn = plan::turn(conn, receiver, None).await?;
    Ok(turn.map(|turn| finding(&turn).about(receiver)).into_iter().collect())
}

fn finding(turn: &Turn) -> Finding {
    let last = turn
        .planned_at
        .map_or("no plan has come to its end yet".to_owned(), |at| {
            let seconds = (turn.now - at).to_std().unwrap_or_default().as_secs_f64();
            format!("the last plan ended {} ago", ago(seconds))
        });
    let (Some(holder), Some(seconds)) = (&turn.holder, turn.held_seconds) else {
        return Finding::ok(TURN, format!("nobody plans at this moment; {last}"));
    };
    let what = format!("{holder} has had the right to plan for {}; {last}", ago(seconds));
    match (turn.holder_lives, seconds > LONG) {
        (true, false) => Finding::ok(TURN, what),
        (true, true) => Finding::warning(
            TURN,
            what,
            "a batch takes seconds: see that relay's log, and pg_stat_activity for what its session waits for",
        ),
        (false, _) => Finding::warning(
            TURN,
            format!("{what}; its heartbeat has stopped"),
            "nothing: another relay takes it over as soon as the server has ended its session",
        ),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_right_that_somebody_sits_on_is_found_and_named() {
        let now = Utc::now();
        let turn = |holder: Option<&str>, held: f64, lives: bool| Turn {
            fence: 1,
            holder: holder.map(str::to_owned),
            held_seconds: holder.map(|_| held),
            holder_lives: lives,
            planned_at: Some(now - TimeDelta::seconds(90)),
            now,
        };
        let nobody = finding(&turn(None, 0.0, false));
        assert_eq!(
            (nobody.finding, nobody.what.as_str()),
            (Grade::Ok, "nobody plans at this moment; the last plan ended 1m 30s ago")
        );
        assert_eq!(finding(&turn(Some("a:1"), 2.0, true)).finding, Grade::Ok);
        let sits = finding(&turn(Some("a:1"), 61.0, true));
        assert_eq!(sits.finding, Grade::Warning);
        assert!(
            sits.what.starts_with("a:1 has had the right to plan for 1m 1s"),
            "{}",
            sits.what
        );
        let dead = finding(&turn(Some("a:1"), 2.0, false));
        assert_eq!(dead.finding, Grade::Warning);
        assert!(dead.what.ends_with("its heartbeat has stopped"), "{}", dead.what);
    }
}
