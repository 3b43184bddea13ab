//! The rules that an endpoint is held to: what each says, whether breaking it costs truth, where the partner guide has it.

use serde::{Serialize, Serializer};

/// One rule. The order is that of the report, and of the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the table says what each is
pub enum Rule {
    Unreadable,
    Credentials,
    Delta,
    SameAnswer,
    AppliedOnce,
    OlderSequence,
    Removal,
    UnknownRemoval,
    ReplacedBy,
    Snapshot,
    SnapshotParts,
    Keep,
    PropertyChange,
    Replay,
    UnitErrors,
    Digest,
    Gzip,
    Dates,
    UnknownFields,
    LargestBody,
    RateLimit,
}

/// What there is to say of a rule, whoever is held to it.
#[derive(Debug)]
pub struct About {
    /// The rule.
    pub rule: Rule,
    /// Its name in reports.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Breaking it makes the copy wrong, or lets it become so unnoticed.
    pub costs_truth: bool,
    /// Where docs/partner-guide.md has it.
    pub section: &'static str,
}

const BODY: &str = "what-to-do-with-a-body";
const ANSWER: &str = "what-to-answer-when";
const LIMITS: &str = "schedule-limits-gzip";

const fn about(rule: Rule, name: &'static str, costs_truth: bool, section: &'static str, says: &'static str) -> About {
    About {
        rule,
        name,
        says,
        costs_truth,
        section,
    }
}

/// Every rule.
#[rustfmt::skip]
pub const RULES: [About; 21] = [
    about(Rule::Unreadable, "unreadable", true, ANSWER, "A body that is not as agreed is refused with 400 or 422, never acknowledged."),
    about(Rule::Credentials, "credentials", true, ANSWER, "A request without credentials is refused with 401 or 403, and changes nothing."),
    about(Rule::Delta, "delta", true, BODY, "A delta puts units in and replaces those that are there, each one whole, and leaves all others alone."),
    about(Rule::SameAnswer, "same_answer", false, BODY, "A sync ID that was answered before gets the same answer again."),
    about(Rule::AppliedOnce, "applied_once", true, BODY, "A sync ID that was answered before is not applied again."),
    about(Rule::OlderSequence, "older_sequence", true, BODY, "A sequence below the newest applied is not applied, and is answered as stale, with the newest sequence."),
    about(Rule::Removal, "removal", true, BODY, "A unit among the removed units is deleted, and no other."),
    about(Rule::UnknownRemoval, "unknown_removal", false, BODY, "The removal of a unit that is not there is acknowledged."),
    about(Rule::ReplacedBy, "replaced_by", true, BODY, "A removal with `replaced_by` leaves the unit alone that carries the code now."),
    about(Rule::Snapshot, "snapshot", true, BODY, "A snapshot drops the units that are absent from it."),
    about(Rule::SnapshotParts, "snapshot_parts", true, BODY, "A snapshot in parts drops nothing before its last part, and then what is in none of them."),
    about(Rule::Keep, "keep", true, BODY, "A snapshot drops no unit that `keep` names."),
    about(Rule::PropertyChange, "property_change", true, BODY, "A delta without units changes the property's own fields, and no unit."),
    about(Rule::Replay, "replay", true, BODY, "A replay is applied as a delta is."),
    about(Rule::UnitErrors, "unit_errors", false, ANSWER, "A unit that can't be accepted is named in the answer, and the others of its body are applied."),
    about(Rule::Digest, "digest", false, "digests-and-hashes", "An answer has the digest of what is really held."),
    about(Rule::Gzip, "gzip", false, LIMITS, "A body that is packed with gzip is read."),
    about(Rule::Dates, "dates", false, "bodies", "A time is read with a fraction of a second as well as without."),
    about(Rule::UnknownFields, "unknown_fields", false, "bodies", "Fields that the endpoint does not know are passed over."),
    about(Rule::LargestBody, "largest_body", false, LIMITS, "The largest body that the settings allow is accepted."),
    about(Rule::RateLimit, "rate_limit", false, ANSWER, "An answer 429 says with Retry-After when to come again."),
];

impl Rule {
    /// What there is to say of it.
    pub fn about(self) -> &'static About {
        &RULES[self as usize]
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.about().name)
    }
}

/// What was found of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The endpoint keeps it, by what it answered or shows.
    Kept,
    /// It does not.
    NotKept,
    /// That can't be seen from outside.
    NotVisible,
}

/// A rule, what was found of it, and by what.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// What was found.
    pub verdict: Verdict,
    /// Not kept in a way that makes the copy wrong, or lets it become so unnoticed.
    pub costs_truth: bool,
    /// By what, in a sentence.
    pub why: String,
    /// The numbers of the exchanges that show it.
    pub exchanges: Vec<usize>,
}

impl Finding {
    /// It keeps it.
    pub fn kept(rule: Rule, why: impl Into<String>) -> Self {
        Self::of(rule, Verdict::Kept, why.into())
    }

    /// It does not, with what that costs by the table.
    pub fn not_kept(rule: Rule, why: impl Into<String>) -> Self {
        Self {
            costs_truth: rule.about().costs_truth,
            ..Self::of(rule, Verdict::NotKept, why.into())
        }
    }

    /// It does not, but in a way that costs time and alerts alone.
    pub fn harmless(rule: Rule, why: impl Into<String>) -> Self {
        Self::of(rule, Verdict::NotKept, why.into())
    }

    /// In a way that costs truth, whatever the table says of the rule.
    pub fn harmful(rule: Rule, why: impl Into<String>) -> Self {
        Self {
            costs_truth: true,
            ..Self::of(rule, Verdict::NotKept, why.into())
        }
    }

    /// That can't be seen.
    pub fn not_visible(rule: Rule, why: impl Into<String>) -> Self {
        Self::of(rule, Verdict::NotVisible, why.into())
    }

    fn of(rule: Rule, verdict: Verdict, why: String) -> Self {
        Self {
            rule,
            verdict,
            costs_truth: false,
            why,
            exchanges: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_stands_at_its_place_and_in_the_partner_guide() {
        let guide = include_str!("../../docs/partner-guide.md");
        for (place, about) in RULES.iter().enumerate() {
            assert_eq!(about.rule as usize, place, "{}", about.name);
            let heading = about.section.replace('-', " ");
            let has_heading = guide
                .lines()
                .filter_map(|line| line.strip_prefix("## "))
                .any(|line| line.to_lowercase().replace(',', "") == heading);
            assert!(has_heading, "{}: {heading}", about.name);
            assert!(
                guide.contains(&format!("| `{}` |", about.name)),
                "{} is not in the guide's table",
                about.name
            );
        }
    }
}
