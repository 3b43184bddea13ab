//! Whether the settings ask of an acknowledgement what the receiver's answers have: the more they ask, the less a page that stands
//! in for the receiver can take.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::finding::Finding;
use crate::config::{Accept, Format, Receiver};

const ACCEPT: &str = "accept";
/// The acknowledgements that are looked at.
const NEWEST: i64 = 50;
/// Fewer of them say little about the next.
const ENOUGH: i64 = 10;

/// Acknowledgements by what they look like.
#[derive(Clone, Copy, FromRow)]
struct Answers {
    all: i64,
    pages: i64,
    json: i64,
    digests: i64,
}

pub(super) async fn examine(conn: &mut PgConnection, receiver: &Receiver) -> Result<Vec<Finding>> {
    let answers: Answers = sqlx::query_as(include_str!("../../sql/doctor/answers.sql"))
        .bind(&receiver.name)
        .bind(NEWEST)
        .fetch_one(conn)
        .await?;
    Ok(vec![answers.judged(receiver).about(&receiver.name)])
}

impl Answers {
    /// The most that can be asked of answers like these.
    fn strictest(self, receiver: &Receiver) -> Accept {
        let can_repeat_digests = receiver.extensions && receiver.format != Format::Unit;
        if can_repeat_digests && self.digests == self.all {
            Accept::Digest
        } else if self.json == self.all {
            Accept::Json
        } else if self.pages == 0 {
            Accept::NotHtml
        } else {
            Accept::Any
        }
    }

    fn judged(self, receiver: &Receiver) -> Finding {
        let (asked, strictest) = (receiver.accept, self.strictest(receiver));
        let key = format!("receivers.{}.accept", receiver.name);
        let is = format!("accept = \"{}\"", asked.as_str());
        if asked == Accept::Any && self.pages > 0 {
            return Finding::warning(
                ACCEPT,
                format!(
                    "{} of the last {} acknowledgements were HTML pages, and {is} accepts them",
                    self.pages, self.all
                ),
                format!(
                    "find out who answers so; if it is not the receiver, set {key} = \"not_html\" and run `replay`"
                ),
            );
        }
        if self.all < ENOUGH || strictest <= asked {
            return Finding::ok(ACCEPT, format!("{is} fits the receiver's answers so far"));
        }
        Finding::warning(
            ACCEPT,
            format!(
                "each of the last {} acknowledgements would do for accept = \"{}\", and {is} accepts more than that",
                self.all,
                strictest.as_str()
            ),
            format!(
                "ask the partner whether all answers are so, then set {key} = \"{}\": a page or a proxy can't stand in for it then",
                strictest.as_str()
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    fn receiver(accept: Accept) -> Receiver {
        Receiver {
            accept,
            ..Receiver::new("main", "http://127.0.0.1:9/".parse().expect("URL"))
        }
    }

    fn judged(accept: Accept, all: i64, pages: i64, json: i64, digests: i64) -> (Grade, String) {
        let answers = Answers {
            all,
            pages,
            json,
            digests,
        };
        let finding = answers.judged(&receiver(accept));
        (finding.finding, finding.todo.unwrap_or_default())
    }

    #[test]
    fn promise_14_the_strictest_setting_that_the_answers_allow_is_recommended() {
        let recommended = |accept, counts: (i64, i64, i64, i64), strictest: &str| {
            let (grade, todo) = judged(accept, counts.0, counts.1, counts.2, counts.3);
            assert_eq!(grade, Grade::Warning, "{todo}");
            assert!(
                todo.contains(&format!("receivers.main.accept = \"{strictest}\"")),
                "{todo}"
            );
        };
        recommended(Accept::NotHtml, (20, 0, 20, 20), "digest");
        recommended(Accept::Json, (20, 0, 20, 20), "digest");
        recommended(Accept::NotHtml, (20, 0, 20, 19), "json");
        recommended(Accept::Any, (20, 0, 19, 19), "not_html");
        recommended(Accept::Any, (5, 1, 4, 4), "not_html");
        for (accept, all, json, digests) in [
            (Accept::NotHtml, 0, 0, 0),
            (Accept::NotHtml, 9, 9, 9),
            (Accept::NotHtml, 20, 19, 19),
            (Accept::Json, 20, 20, 19),
            (Accept::Digest, 20, 20, 20),
        ] {
            assert_eq!(judged(accept, all, 0, json, digests).0, Grade::Ok, "{accept:?}");
        }
    }
}
