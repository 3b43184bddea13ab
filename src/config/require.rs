//! What a receiver requires of single fields of a unit. A unit that fails is not sent.
//!
//! Plain data, and which limits a field can have. Not its business: the checks, [`crate::payload`]'s.

use std::collections::BTreeSet;

use super::shape::{Field, FieldKind, Fields};
use settings::Section;
use settings::{any_number, boolean, integer, list_of, one_of, text};

/// More characters than any field that a person reads.
const LENGTH_MAX: i64 = 100_000;

/// What a unit, and its property, have to be for this receiver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirements {
    /// The fields that something is required of, in the order in which a flat unit has them.
    fields: Vec<(Field, Requirement)>,
    /// The property must have an address, where that is sent.
    pub address: bool,
    /// The property has to have an external id.
    pub property_mapping: bool,
    /// The unit has to have a mapped code.
    pub unit_mapping: bool,
}

/// What networks of listings usually require, by one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preset {
    /// Internet listing services: a rent above zero, beds, baths, an address.
    Ils,
}

/// What is required of one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirement {
    /// It must say something: neither null nor blank.
    pub required: bool,
    /// Characters, at least.
    pub length_min: Option<usize>,
    /// Characters, at most.
    pub length_max: Option<usize>,
    /// The only texts that are let through.
    pub one_of: Option<BTreeSet<String>>,
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
}

impl Requirements {
    /// Field by field.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Requirement)> {
        self.fields.iter().map(|(field, requirement)| (*field, requirement))
    }

    /// `sent`: the fields that are sent to the receiver.
    pub(super) fn read(sent: Fields, section: &mut Section) -> Self {
        let preset = section.optional("preset", one_of(&Preset::CHOICES));
        let mut fields = Vec::new();
        for (field, name) in Field::ALL {
            let read = |section: &mut Section| Requirement::read(field.kind(), section);
            let own = section.section_if_set(name, read);
            let usual = preset.and_then(|preset| preset.of(field));
            if usual.is_some() && !sent.has(field) {
                let why = format!(
                    "can't be kept: {name}, of which it requires something, is never sent by fields.include or fields.exclude"
                );
                section.refuse("preset", &why);
            }
            let requirement = match (own, usual) {
                (Some(own), usual) => own.over(usual.unwrap_or_default()),
                (None, Some(usual)) => {
                    fields.push((field, usual));
                    continue;
                }
                (None, None) => continue,
            };
            if !sent.has(field) {
                section.refuse(
                    name,
                    "can't be kept: fields.include or fields.exclude leaves the field out, so that it is never sent; send \
                     it, or require nothing of it",
                );
            }
            if requirement != Requirement::default() {
                fields.push((field, requirement));
            }
        }
        Self {
            fields,
            address: preset == Some(Preset::Ils),
            property_mapping: section.take("property_mapping", false, boolean),
            unit_mapping: section.take("unit_mapping", false, boolean),
        }
    }
}

impl Preset {
    const CHOICES: [(&str, Self); 1] = [("ils", Self::Ils)];

    /// What it requires of a field.
    fn of(self, field: Field) -> Option<Requirement> {
        let required = Requirement {
            required: true,
            ..Requirement::default()
        };
        match (self, field) {
            // Above zero: a cent is the least that there is.
            (Self::Ils, Field::BaseRent) => Some(Requirement {
                min: Some(0.01),
                ..required
            }),
            (Self::Ils, Field::Bedrooms | Field::Bathrooms) => Some(required),
            (Self::Ils, _) => None,
        }
    }
}

impl Requirement {
    /// With what is usual where nothing else is said.
    fn over(self, usual: Self) -> Self {
        Self {
            required: self.required || usual.required,
            length_min: self.length_min.or(usual.length_min),
            length_max: self.length_max.or(usual.length_max),
            one_of: self.one_of.or(usual.one_of),
            min: self.min.or(usual.min),
            max: self.max.or(usual.max),
        }
    }

    fn read(kind: FieldKind, section: &mut Section) -> Self {
        section.keys_depend_on(format!("a field that is {}", kind.in_words()));
        let required = section.take("required", false, boolean);
        let limits = match kind {
            FieldKind::Text => Self::read_text(section),
            FieldKind::Integer | FieldKind::Float => Self::read_number(section),
            FieldKind::Boolean => Self::default(),
        };
        Self { required, ..limits }
    }

    fn read_text(section: &mut Section) -> Self {
        let length = || integer(0..=LENGTH_MAX);
        let one_of = section.optional("one_of", list_of(text("must be a text", |_| true)));
        let limits = Self {
            length_min: section.optional("length_min", length()),
            length_max: section.optional("length_max", length()),
            one_of: one_of.map(|texts| texts.into_iter().collect()),
            ..Self::default()
        };
        if let (Some(min), Some(max)) = (limits.length_min, limits.length_max)
            && min > max
        {
            section.refuse(
                "length_min",
                &format!("is {min}, but must not be more than length_max, {max}"),
            );
        }
        limits
    }

    fn read_number(section: &mut Section) -> Self {
        let limits = Self {
            min: section.optional("min", any_number),
            max: section.optional("max", any_number),
            ..Self::default()
        };
        if let (Some(min), Some(max)) = (limits.min, limits.max)
            && min > max
        {
            section.refuse("min", &format!("is {min}, but must not be more than max, {max}"));
        }
        limits
    }
}

impl FieldKind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer | Self::Float => "a number",
            Self::Boolean => "true or false",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(settings: &str, variables: &[(&str, &str)]) -> Result<Requirements, Vec<String>> {
        let text = format!("[receivers.main]\nurl = 'https://partner.example/'\n{settings}");
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let parsed = Config::parse(Some(&text), Path::new("relay.toml"), &variables);
        let config = parsed.map_err(|error| error.problems().to_vec())?;
        Ok(config.receivers["main"].require.clone())
    }

    fn the_problem(settings: &str) -> String {
        let problems = parse(settings, &[]).expect_err(settings);
        assert_eq!(problems.len(), 1, "{settings}: {problems:#?}");
        problems[0].clone()
    }

    #[test]
    fn every_limit_is_read() {
        let read = parse(
            "require.base_rent = { min = 0, max = 5e4 }
             [receivers.main.require]
             unit_code = { required = true, length_min = 1, length_max = 20 }
             dwelling_type = { one_of = ['Condo', 'Apartment', 'Condo'] }
             floor = { min = -2 }
             has_garage = { required = true }
             view = {}",
            &[],
        );
        assert!(read.is_err(), "a table is not written in two ways at once");
        let read = parse(
            "[receivers.main.require]
             base_rent = { min = 0, max = 5e4 }
             unit_code = { required = true, length_min = 1, length_max = 20 }
             dwelling_type = { one_of = ['Condo', 'Apartment', 'Condo'] }
             floor = { min = -2 }
             has_garage = { required = true }
             view = {}",
            &[],
        );
        let expected = vec![
            (
                Field::UnitCode,
                Requirement {
                    required: true,
                    length_min: Some(1),
                    length_max: Some(20),
                    ..Requirement::default()
                },
            ),
            (
                Field::Floor,
                Requirement {
                    min: Some(-2.0),
                    ..Requirement::default()
                },
            ),
            (
                Field::DwellingType,
                Requirement {
                    one_of: Some(["Apartment".to_owned(), "Condo".to_owned()].into()),
                    ..Requirement::default()
                },
            ),
            (
                Field::BaseRent,
                Requirement {
                    min: Some(0.0),
                    max: Some(50_000.0),
                    ..Requirement::default()
                },
            ),
            (
                Field::HasGarage,
                Requirement {
                    required: true,
                    ..Requirement::default()
                },
            ),
        ];
        let expected = Requirements {
            fields: expected,
            ..Requirements::default()
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn variables_set_one_limit_or_all() {
        let one = [("RELAY_RECEIVERS__MAIN__REQUIRE__UNIT_CODE__LENGTH_MAX", "20")];
        let all = [("RELAY_RECEIVERS__MAIN__REQUIRE", "{ unit_code = { length_max = 20 } }")];
        let expected = parse("require.unit_code.length_max = 20", &[]);
        assert!(
            expected
                .as_ref()
                .is_ok_and(|requirements| *requirements != Requirements::default())
        );
        assert_eq!(parse("", &one), expected);
        assert_eq!(parse("", &all), expected);
    }

    #[test]
    fn an_unknown_field_is_reported_with_its_neighbour() {
        let problem = the_problem("require.bas_rent = { min = 0 }");
        let start = "relay.toml: unknown key receivers.main.require.bas_rent; did you mean \
                     receivers.main.require.base_rent? Known keys there: ";
        assert!(problem.starts_with(start), "{problem}");
    }

    #[test]
    fn a_limit_fits_its_fields_type() {
        for (field, limit, known) in [
            (
                "base_rent",
                "length_max = 9",
                "a field that is a number: max, min, required",
            ),
            (
                "floor",
                "one_of = ['1']",
                "a field that is a number: max, min, required",
            ),
            (
                "unit_code",
                "max = 9",
                "a field that is a text: length_max, length_min, one_of, required",
            ),
            ("has_garage", "max = 1", "a field that is true or false: required"),
        ] {
            let problem = the_problem(&format!("require.{field} = {{ {limit} }}"));
            let key = limit.split(' ').next().unwrap();
            let start = format!("relay.toml: unknown key receivers.main.require.{field}.{key}");
            let end = format!("Known keys there with {known}.");
            assert!(problem.starts_with(&start) && problem.ends_with(&end), "{problem}");
        }
    }

    #[test]
    fn a_bad_limit_is_reported_with_what_is_allowed() {
        for (limit, said) in [
            (
                "unit_code = { length_max = '20' }",
                "unit_code.length_max is \"20\", but must be a whole number from 0 to 100000.",
            ),
            (
                "base_rent = { min = '0' }",
                "base_rent.min is \"0\", but must be a number.",
            ),
            (
                "base_rent = { max = inf }",
                "base_rent.max is inf, but must be a number.",
            ),
            (
                "view = { required = 1 }",
                "view.required is 1, but must be true or false.",
            ),
            (
                "view = { one_of = [] }",
                "view.one_of is [], but must be a list of at least one item.",
            ),
            (
                "view = { one_of = [1] }",
                "view.one_of is [1], but each item must be a text.",
            ),
        ] {
            let problem = the_problem(&format!("require.{limit}"));
            assert_eq!(problem, format!("relay.toml: receivers.main.require.{said}"));
        }
        for (limit, said) in [
            (
                "unit_code = { length_min = 3, length_max = 2 }",
                "unit_code.length_min is 3, but must not be more than length_max, 2.",
            ),
            (
                "base_rent = { min = 1.5, max = 1 }",
                "base_rent.min is 1.5, but must not be more than max, 1.",
            ),
        ] {
            let problem = the_problem(&format!("require.{limit}"));
            assert_eq!(problem, format!("receivers.main.require.{said}"));
        }
        let problem = the_problem("require.unit_code = true");
        assert!(
            problem.contains("receivers.main.require.unit_code must be a table"),
            "{problem}"
        );
    }

    #[test]
    fn nothing_is_required_of_a_field_that_is_not_sent() {
        for fields in ["include = ['base_rent']", "exclude = ['view']"] {
            let problem = the_problem(&format!("fields.{fields}\nrequire.view = {{ required = true }}"));
            let start =
                "receivers.main.require.view can't be kept: fields.include or fields.exclude leaves the field out";
            assert!(problem.starts_with(start), "{problem}");
        }
        assert!(parse("fields.include = ['view']\nrequire.view = { required = true }", &[]).is_ok());
    }

    #[test]
    fn a_preset_requires_what_networks_usually_do_and_what_is_said_besides() {
        let required = |min, max| Requirement {
            required: true,
            min,
            max,
            ..Requirement::default()
        };
        let read = parse(
            "[receivers.main.require]\npreset = 'ils'\nbase_rent = { max = 9000 }\nbedrooms = { required = false }",
            &[],
        );
        let fields = vec![
            (Field::BaseRent, required(Some(0.01), Some(9000.0))),
            (Field::Bedrooms, required(None, None)),
            (Field::Bathrooms, required(None, None)),
        ];
        let expected = Requirements {
            fields,
            address: true,
            ..Requirements::default()
        };
        assert_eq!(read, Ok(expected));
        let by_variable = [("RELAY_RECEIVERS__MAIN__REQUIRE__PRESET", "ils")];
        assert!(parse("", &by_variable).unwrap().address);
        assert!(the_problem("require.preset = 'mls'").contains("must be \"ils\""));
        let problem = the_problem("fields.exclude = ['bathrooms']\nrequire.preset = 'ils'");
        assert!(problem.contains("require.preset can't be kept: bathrooms"), "{problem}");
    }
}
