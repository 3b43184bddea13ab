//! What `certify` has reserved for it, and where an endpoint shows what it holds.

use settings::{Section, integer, text};

/// So near the end of 32-bit numbers that no property and no unit has them, and within them: an endpoint may know no larger ones.
const PROPERTY_ID: i64 = 2_147_480_000;

/// Beyond it JSON's numbers are not exact everywhere.
const ID_MAX: i64 = 9_007_199_254_000_000;

/// What `certify` sends, and where it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certify {
    /// The first of the ids that are reserved for it; see `certify::Portfolio`.
    pub property_id: i64,
    /// The path, on the receiver's own host, where it shows what it holds of a property.
    pub read_back: Option<String>,
}

impl Certify {
    pub(super) fn read(section: &mut Section) -> Self {
        let must = "must be a path on the receiver's host with {project_id} in it, like \
                    \"/v1/rent-roll/properties/{project_id}\"";
        Self {
            property_id: section.take("property_id", PROPERTY_ID, integer(1..=ID_MAX)),
            read_back: section.optional("read_back", text(must, is_template)),
        }
    }
}

fn is_template(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && path.contains("{project_id}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    #[test]
    fn what_is_read_back_is_on_the_receivers_own_host() {
        let parse = |path: &str| {
            let text = format!("[certify]\nread_back = '{path}'");
            Config::parse(Some(&text), Path::new("relay.toml"), &[])
        };
        let path = "/v1/rent-roll/properties/{project_id}";
        assert_eq!(parse(path).unwrap().certify.read_back.as_deref(), Some(path));
        for wrong in [
            "https://elsewhere.example/{project_id}",
            "//elsewhere.example/{project_id}",
            "/\\e/{project_id}",
            "/v1/properties",
        ] {
            let problem = parse(wrong).unwrap_err().to_string();
            assert!(
                problem.contains("certify.read_back") && problem.contains("{project_id} in it"),
                "{problem}"
            );
        }
    }
}
