//! Reading what a receiver's bodies look like, and which of these settings go together.
//!
//! A combination that can't be kept is refused here, before a body is built. Not its business: the bodies.

use std::collections::BTreeMap;

use super::require::Requirements;
use super::shape::{Accept, Batch, Compression, Field, Fields, Format, RemovedAs, UnitCodes, UnitIdentity, UnitStyle};
use settings::Node;
use settings::{Refusal, Validated, boolean, integer, one_of, text};
use settings::{Section, nearest};

const UNITS_PER_REQUEST_MAX: usize = 500;
/// More than any code that a person reads.
const CODE_CHARS_MAX: usize = 100;
/// What distinguishes one unit from another. No set of fields is without it.
const IDENTITY: [&str; 3] = ["unit_id", "property_id", "project_id"];

/// The settings that shape a body.
pub(super) struct BodySettings {
    pub format: Format,
    pub unit_style: UnitStyle,
    pub batch: Batch,
    pub fields: Fields,
    pub require: Requirements,
    pub extensions: bool,
    pub removed: RemovedAs,
    pub unit_identity: UnitIdentity,
    pub unit_codes: UnitCodes,
    pub units_per_request_max: usize,
    pub compression: Compression,
    pub accept: Accept,
}

impl BodySettings {
    pub fn read(section: &mut Section) -> Self {
        let format = section.take("format", Format::Property, one_of(&Format::CHOICES));
        let unit_style = section.optional("unit_style", one_of(&UnitStyle::CHOICES));
        let batch = section.optional("batch", one_of(&Batch::CHOICES));
        let units_max = section.optional("units_per_request_max", integer(1..=100_000));
        match format {
            Format::Unit => refuse_beside_unit(section, unit_style, batch, units_max),
            Format::Flat => refuse_beside_flat(section, unit_style),
            Format::Property => {}
        }
        let limits = match format {
            Format::Unit => (UnitStyle::Nested, Batch::PerProperty, 1),
            Format::Property | Format::Flat => (
                unit_style.unwrap_or(UnitStyle::Flat),
                batch.unwrap_or(Batch::PerProperty),
                units_max.unwrap_or(UNITS_PER_REQUEST_MAX),
            ),
        };
        let (unit_style, batch, units_per_request_max) = limits;
        let fields = section.section("fields", Fields::read);
        let settings = Self {
            format,
            unit_style,
            batch,
            fields,
            require: section.section("require", |section| Requirements::read(fields, section)),
            extensions: section.take("extensions", true, boolean),
            removed: section.take("removed", RemovedAs::List, one_of(&RemovedAs::CHOICES)),
            unit_identity: section.take("unit_identity", UnitIdentity::Property, one_of(&UnitIdentity::CHOICES)),
            unit_codes: section.section("unit_codes", UnitCodes::read),
            units_per_request_max,
            compression: section.take("compression", Compression::None, one_of(&Compression::CHOICES)),
            accept: section.take("accept", Accept::NotHtml, one_of(&Accept::CHOICES)),
        };
        settings.refuse_removals_that_nobody_can_read(section);
        settings.refuse_digests_that_nobody_can_repeat(section);
        settings
    }

    fn refuse_removals_that_nobody_can_read(&self, section: &mut Section) {
        if !self.extensions && self.removed == RemovedAs::List {
            section.refuse(
                "extensions",
                "= false needs removed = \"unavailable\" beside it: \
                 a body without extensions has no list of removed units",
            );
        }
        if self.removed == RemovedAs::Unavailable && !self.fields.has(Field::IsAvailable) {
            section.refuse(
                "removed",
                "= \"unavailable\" needs is_available among the fields: \
                 nothing else would say that the unit is gone",
            );
        }
    }

    fn refuse_digests_that_nobody_can_repeat(&self, section: &mut Section) {
        if self.accept == Accept::Digest && (!self.extensions || self.format == Format::Unit) {
            section.refuse(
                "accept",
                "can't be \"digest\" beside extensions = false or format = \"unit\": no body has a digest that an answer could \
                 repeat; \"json\" is the strictest there",
            );
        }
    }
}

fn refuse_beside_unit(
    section: &mut Section,
    unit_style: Option<UnitStyle>,
    batch: Option<Batch>,
    units_max: Option<usize>,
) {
    let beside = |word: &str| format!("can't be set so beside format = \"unit\", which is always {word}; leave it out");
    if unit_style == Some(UnitStyle::Flat) {
        section.refuse("unit_style", &beside("nested"));
    }
    if batch == Some(Batch::AllProperties) {
        section.refuse("batch", &beside("one request a unit"));
    }
    if units_max.is_some_and(|units| units != 1) {
        section.refuse("units_per_request_max", &beside("one request a unit"));
    }
}

fn refuse_beside_flat(section: &mut Section, unit_style: Option<UnitStyle>) {
    if unit_style == Some(UnitStyle::Nested) {
        section.refuse(
            "unit_style",
            "can't be \"nested\" beside format = \"flat\"; leave it out, or take format = \"property\"",
        );
    }
}

impl Format {
    const CHOICES: [(&str, Self); 3] = [("property", Self::Property), ("flat", Self::Flat), ("unit", Self::Unit)];
}

impl UnitStyle {
    const CHOICES: [(&str, Self); 2] = [("flat", Self::Flat), ("nested", Self::Nested)];
}

impl Batch {
    const CHOICES: [(&str, Self); 2] = [
        ("per_property", Self::PerProperty),
        ("all_properties", Self::AllProperties),
    ];
}

impl RemovedAs {
    const CHOICES: [(&str, Self); 2] = [("list", Self::List), ("unavailable", Self::Unavailable)];
}

impl UnitIdentity {
    const CHOICES: [(&str, Self); 2] = [("property", Self::Property), ("global", Self::Global)];
}

impl Compression {
    const CHOICES: [(&str, Self); 2] = [("none", Self::None), ("gzip", Self::Gzip)];
}

impl Accept {
    const CHOICES: [(&str, Self); 4] = [
        ("any", Self::Any),
        ("not_html", Self::NotHtml),
        ("json", Self::Json),
        ("digest", Self::Digest),
    ];

    /// As the settings have it.
    pub fn as_str(self) -> &'static str {
        let named = Self::CHOICES.iter().find(|(_, accept)| *accept == self);
        named.map_or("", |(name, _)| name)
    }
}

impl Fields {
    fn read(section: &mut Section) -> Self {
        let include = section.optional("include", included);
        let exclude = section.take("exclude", Vec::new(), excluded);
        if include.is_some() && !exclude.is_empty() {
            section.refuse(
                "exclude",
                "can't be set beside include: either name the fields that are sent, or those that are not",
            );
        }
        let included = include.map(|fields| fields.into_iter().fold(Self::NONE, Self::with));
        exclude.into_iter().fold(included.unwrap_or(Self::ALL), Self::without)
    }
}

impl UnitCodes {
    fn read(section: &mut Section) -> Self {
        let must = format!("must be at most {CODE_CHARS_MAX} visible characters");
        Self {
            prefix: section.take("prefix", String::new(), text(must, is_code)),
            map: section.take("map", BTreeMap::new(), codes),
        }
    }
}

/// Fields by name; what is sent anyway may be named and means nothing.
fn included(node: &Node) -> Validated<Vec<Field>> {
    let names = names(node)?;
    if names.is_empty() {
        return Err(Refusal::new("must name at least one field"));
    }
    let optional = names.iter().filter(|name| !IDENTITY.contains(&name.as_str()));
    optional.map(|name| field(name)).collect()
}

fn excluded(node: &Node) -> Validated<Vec<Field>> {
    names(node)?.iter().map(|name| optional_field(name)).collect()
}

fn optional_field(name: &str) -> Validated<Field> {
    if IDENTITY.contains(&name) {
        let must = format!("must not name {name:?}: without it nobody knows which unit is meant");
        return Err(Refusal::new(must));
    }
    field(name)
}

fn field(name: &str) -> Validated<Field> {
    Field::named(name).ok_or_else(|| {
        let known = Field::ALL.map(|(_, known)| known);
        let near = match nearest(known, name) {
            Some(near) => format!("did you mean {near:?}? "),
            None => String::new(),
        };
        let known = known.join(", ");
        Refusal::new(format!(
            "must name fields of a unit, which {name:?} is not; {near}Fields: {known}"
        ))
    })
}

fn names(node: &Node) -> Validated<Vec<String>> {
    let items = node.to_items().ok_or(());
    let names = items.and_then(|items| {
        let name = |item: &Node| item.as_str().map(str::to_owned).ok_or(());
        items.iter().map(name).collect()
    });
    names.map_err(|()| Refusal::new("must be a list of field names, like [\"building\", \"floor\"]"))
}

/// Unit ids and the codes that stand for them.
fn codes(node: &Node) -> Validated<BTreeMap<i64, String>> {
    let entries = node.clone().into_entries();
    let entries =
        entries.ok_or_else(|| Refusal::new("must be a table of unit ids and codes, like { 12345 = \"A-101\" }"))?;
    let entry = |(id, node): (String, Node)| Some((id.parse().ok()?, code(&node)?));
    entries
        .into_iter()
        .map(|(id, node)| {
            let refusal =
                format!("must have unit ids as its keys and visible characters as its values, which {id:?} has not");
            entry((id, node)).ok_or_else(|| Refusal::new(refusal))
        })
        .collect()
}

fn code(node: &Node) -> Option<String> {
    let code = node.as_str().filter(|code| !code.is_empty() && is_code(code));
    code.map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    text.chars().count() <= CODE_CHARS_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, Receiver};
    use super::*;

    fn parse(settings: &str) -> Result<Receiver, Vec<String>> {
        let text = format!("[receivers.main]\nurl = 'https://partner.example/'\n{settings}");
        let parsed = Config::parse(Some(&text), Path::new("relay.toml"), &[]);
        let config = parsed.map_err(|error| error.problems().to_vec())?;
        Ok(config.receivers["main"].clone())
    }

    fn receiver(settings: &str) -> Receiver {
        parse(settings).unwrap_or_else(|problems| panic!("{settings}: {problems:?}"))
    }

    fn the_problem(settings: &str) -> String {
        let problems = parse(settings).expect_err(settings);
        assert_eq!(problems.len(), 1, "{settings}: {problems:#?}");
        problems[0].clone()
    }

    #[test]
    fn every_choice_is_read() {
        let receiver = receiver(
            "format = 'property'
             unit_style = 'nested'
             batch = 'all_properties'
             extensions = false
             removed = 'unavailable'
             unit_identity = 'global'
             compression = 'gzip'
             unit_codes = { prefix = 'A-', map = { 12345 = 'PH 1', '-7' = 'x' } }",
        );
        assert_eq!(receiver.format, Format::Property);
        assert_eq!(receiver.unit_style, UnitStyle::Nested);
        assert_eq!(receiver.batch, Batch::AllProperties);
        assert!(!receiver.extensions);
        assert_eq!(receiver.removed, RemovedAs::Unavailable);
        assert_eq!(receiver.unit_identity, UnitIdentity::Global);
        assert_eq!(receiver.compression, Compression::Gzip);
        assert_eq!(receiver.unit_codes.prefix, "A-");
        let map = [(-7, "x".to_owned()), (12345, "PH 1".to_owned())];
        assert_eq!(receiver.unit_codes.map, map.into());
    }

    #[test]
    fn fields_are_those_named_or_those_not_named() {
        let has = |settings: &str, field| receiver(settings).fields.has(field);
        let include = "fields.include = ['unit_id', 'project_id', 'base_rent']";
        assert!(has(include, Field::BaseRent) && !has(include, Field::Building));
        let exclude = "fields.exclude = ['lead_first_name', 'lead_last_name']";
        assert!(has(exclude, Field::BaseRent) && !has(exclude, Field::LeadFirstName));
        assert_eq!(receiver("fields.exclude = []").fields, Fields::ALL);
        let only_the_id = receiver("fields.include = ['unit_id']\nunit_codes.prefix = ''");
        assert_eq!(only_the_id.fields, Fields::NONE);
    }

    #[test]
    fn an_unknown_field_is_reported_with_its_neighbour() {
        for key in ["include", "exclude"] {
            let problem = the_problem(&format!("fields.{key} = ['building', 'bas_rent']"));
            let start = format!(
                "relay.toml: receivers.main.fields.{key} is [\"building\", \"bas_rent\"], but must name \
                 fields of a unit, which \"bas_rent\" is not; did you mean \"base_rent\"? Fields: unit_code, "
            );
            assert!(problem.starts_with(&start), "{problem}");
        }
        assert!(the_problem("fields.include = []").contains("at least one field"));
        assert!(the_problem("fields.exclude = 'floor'").contains("a list of field names"));
        assert!(the_problem("fields.exclude = [1]").contains("a list of field names"));
    }

    #[test]
    fn fields_are_not_included_and_excluded_at_once() {
        let problem = the_problem("fields = { include = ['floor'], exclude = ['building'] }");
        assert!(
            problem.starts_with("receivers.main.fields.exclude can't be set beside include"),
            "{problem}"
        );
    }

    #[test]
    fn what_distinguishes_one_unit_from_another_is_never_left_out() {
        for name in IDENTITY {
            let problem = the_problem(&format!("fields.exclude = ['{name}']"));
            let must = format!("must not name {name:?}: without it nobody knows which unit is meant");
            assert!(problem.contains(&must), "{problem}");
        }
    }

    #[test]
    fn format_unit_is_nested_and_one_request_a_unit() {
        for settings in [
            "",
            "unit_style = 'nested'\nbatch = 'per_property'\nunits_per_request_max = 1",
        ] {
            let receiver = receiver(&format!("format = 'unit'\n{settings}"));
            assert_eq!(receiver.unit_style, UnitStyle::Nested);
            assert_eq!(receiver.batch, Batch::PerProperty);
            assert_eq!(receiver.units_per_request_max, 1);
        }
        for (key, value) in [
            ("unit_style", "'flat'"),
            ("batch", "'all_properties'"),
            ("units_per_request_max", "2"),
        ] {
            let problem = the_problem(&format!("format = 'unit'\n{key} = {value}"));
            let start = format!("receivers.main.{key} can't be set so beside format = \"unit\"");
            assert!(problem.starts_with(&start), "{problem}");
        }
    }

    #[test]
    fn format_flat_has_no_nested_units() {
        assert_eq!(receiver("format = 'flat'").unit_style, UnitStyle::Flat);
        assert_eq!(
            receiver("format = 'flat'\nbatch = 'all_properties'").units_per_request_max,
            500
        );
        let problem = the_problem("format = 'flat'\nunit_style = 'nested'");
        assert!(
            problem.starts_with("receivers.main.unit_style can't be \"nested\""),
            "{problem}"
        );
    }

    #[test]
    fn removals_are_sent_in_a_way_that_the_body_has() {
        let problem = the_problem("extensions = false");
        assert!(problem.contains("needs removed = \"unavailable\""), "{problem}");
        for fields in ["exclude = ['is_available']", "include = ['base_rent']"] {
            let problem = the_problem(&format!("removed = 'unavailable'\nfields.{fields}"));
            assert!(problem.contains("needs is_available among the fields"), "{problem}");
        }
        receiver("extensions = false\nremoved = 'unavailable'\nfields.include = ['is_available']");
        receiver("fields.exclude = ['is_available']");
    }

    #[test]
    fn a_digest_is_asked_for_where_one_is_sent() {
        for settings in ["format = 'unit'", "extensions = false\nremoved = 'unavailable'"] {
            let problem = the_problem(&format!("{settings}\naccept = 'digest'"));
            assert!(problem.starts_with("receivers.main.accept can't be"), "{problem}");
            receiver(&format!("{settings}\naccept = 'json'"));
        }
        assert_eq!(receiver("").accept, Accept::NotHtml);
        assert_eq!(receiver("accept = 'digest'").accept, Accept::Digest);
    }

    #[test]
    fn unit_codes_are_by_unit_id_and_can_be_read() {
        for map in ["{ abc = '1' }", "{ 1 = 2 }", "{ 1 = '' }", "{ 1 = \"a\\nb\" }"] {
            let problem = the_problem(&format!("unit_codes.map = {map}"));
            assert!(problem.contains("unit ids as its keys"), "{problem}");
        }
        assert!(the_problem("unit_codes.map = ['1']").contains("a table of unit ids"));
        assert!(the_problem("unit_codes.prefix = \"\\u0000\"").contains("visible characters"));
    }
}
