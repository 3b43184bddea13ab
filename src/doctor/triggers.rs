//! The triggers: on the tables that the settings name, each as this release makes it, and enabled; and nobody else's on ours.

use anyhow::Result;
use sqlx::PgConnection;

use super::finding::Finding;
use crate::capture::{self, Captured, Hung, Release};

const TRIGGERS: &str = "triggers";
/// What others hung there that is named one by one.
const NAMED_MAX: usize = 6;

pub(super) async fn examine(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Vec<Finding>> {
    let captured = match capture::captured(conn, tables).await? {
        Captured::All(triggers) => {
            let all = format!("{triggers}, all present, enabled and as this release makes them");
            vec![Finding::ok(TRIGGERS, all)]
        }
        Captured::Not { problems, todo } => {
            let problems = problems.into_iter();
            problems
                .map(|problem| Finding::wrong(TRIGGERS, problem, todo))
                .collect()
        }
    };
    Ok(captured.into_iter().chain(strangers(conn).await?).collect())
}

/// What was put there before there is anything of ours.
pub(super) async fn before_install(conn: &mut PgConnection) -> Result<Vec<Finding>> {
    match capture::release(conn).await? {
        Release::Absent => strangers(conn).await,
        _ => Ok(Vec::new()),
    }
}

/// What others hung on our own tables acts in every write of the source, and may be in the way of an install.
async fn strangers(conn: &mut PgConnection) -> Result<Vec<Finding>> {
    let hung = capture::hung(conn).await?;
    Ok(name(&hung).into_iter().collect())
}

fn name(hung: &[Hung]) -> Option<Finding> {
    let named: Vec<&str> = hung.iter().take(NAMED_MAX).map(|hung| hung.what.as_str()).collect();
    let more = hung.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!hung.is_empty()).then(|| {
        Finding::wrong(
            TRIGGERS,
            format!("somebody else hung {}{more} there", named.join(", ")),
            "run `rentsync-relay install` as the owner of the source tables: it takes them off; and look who did it",
        )
    })
}
