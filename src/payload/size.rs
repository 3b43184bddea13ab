//! How large a body can become at most, before it is made.
//!
//! A body is never larger than [`ENVELOPE_BYTES`] and the bytes of everything that is in it.

use super::objection::UNIT_CODE_BYTES_MAX;
use super::{SealableProperty, SealableUnit, Shape};
use crate::config::Format;
use crate::unit::Property;
use crate::words;

/// Everything that stands once in a body, whatever it is about.
pub const ENVELOPE_BYTES: usize = 512;
/// One id in `keep`.
pub const KEEP_BYTES: usize = "-9223372036854775808,".len();

/// A property's keys and digest, without its own fields.
const PROPERTY_BYTES: usize = 160;
/// A removal without its code and its property's id.
const REMOVAL_BYTES: usize = 144;
/// A character below the space, as JSON writes it: `\u0000`.
const ESCAPED_BYTES: usize = 6;

impl Shape {
    /// What one property adds to a body, its entries aside.
    pub fn property_bytes(&self, property: &SealableProperty) -> usize {
        match self.format {
            Format::Property => PROPERTY_BYTES + property.json.len(),
            Format::Flat if self.extensions => PROPERTY_BYTES + property.id.len(),
            Format::Flat | Format::Unit => 0,
        }
    }

    /// What one unit adds to a body.
    pub fn entry_bytes(&self, unit: &SealableUnit) -> usize {
        unit.json.len() + ",".len()
    }

    /// What one removal adds to a body, whether it names this code or what replaced it.
    pub fn removal_bytes(&self, unit_code: Option<&str>, property: &SealableProperty) -> usize {
        REMOVAL_BYTES + property.id.len() + unit_code.map_or(0, |code| ESCAPED_BYTES * code.len())
    }
}

impl Shape {
    /// Why a receiver can't be sent a property as it is, its units included. What it isn't sent anyway is no reason.
    pub fn property_objection(
        &self,
        property: &Property,
        sealable: &SealableProperty,
        is_mapped: bool,
    ) -> Option<String> {
        if self.require.property_mapping && !is_mapped {
            return Some("the property has no mapping".to_owned());
        }
        let unreadable = property.unreadable.iter();
        let unreadable: Vec<_> = unreadable
            .map(|(field, why)| format!("the property's {field} {why}"))
            .collect();
        match self.format {
            Format::Flat => None,
            _ if !unreadable.is_empty() => Some(unreadable.join("; ")),
            _ if self.require.address && says_nothing(property.address.as_deref()) => {
                Some("the property's address is missing".to_owned())
            }
            // With room for a removal, whatever its code is, as long as little of that has to be escaped.
            Format::Property => {
                let removal = REMOVAL_BYTES + sealable.id.len() + UNIT_CODE_BYTES_MAX as usize;
                self.too_large_with(sealable, removal, "the property alone")
            }
            Format::Unit => None,
        }
    }

    /// Why no request has room for a unit.
    pub fn too_large(&self, unit: &SealableUnit, property: &SealableProperty) -> Option<String> {
        self.too_large_with(property, self.entry_bytes(unit), "the unit alone")
    }

    fn too_large_with(&self, property: &SealableProperty, bytes: usize, what: &str) -> Option<String> {
        let bytes = ENVELOPE_BYTES + self.property_bytes(property) + bytes;
        (bytes > self.body_bytes_max).then(|| {
            format!(
                "{what} takes a request of {} bytes, more than body_bytes_max ({})",
                words::thousands(bytes as u64),
                words::thousands(self.body_bytes_max as u64)
            )
        })
    }
}

fn says_nothing(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::config::{Batch, Fields, UnitStyle};
    use crate::payload::samples::shape;
    use crate::payload::{Body, Digest, PropertyPart, Removal, RemovalReason};
    use crate::sync::{SyncId, SyncType};
    use crate::unit::{Property, Unit};

    /// Draws what a source may hold, the worst of it rather often.
    struct Draw(StdRng);

    impl Draw {
        fn id(&mut self) -> i64 {
            *[0, 1, 12345, i64::MAX, i64::MIN].choose(&mut self.0).unwrap()
        }

        fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
            self.0.random_bool(0.8).then(|| draw(self))
        }

        fn text(&mut self) -> String {
            let length = self.0.random_range(0..24);
            let letters = ['a', ' ', '"', '\\', '\u{0}', '\u{1f}', '\n', '/', 'é', '界', '🏠'];
            (0..length).map(|_| *letters.choose(&mut self.0).unwrap()).collect()
        }

        fn float(&mut self) -> f64 {
            let floats = [0.0, -0.0, 1500.0, 0.1, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON];
            *floats.choose(&mut self.0).unwrap()
        }

        fn unit(&mut self) -> Unit {
            Unit {
                unit_id: self.id(),
                unit_code: self.maybe(Self::text),
                building: self.maybe(Self::text),
                floor: self.maybe(Self::id),
                floorplan: self.maybe(Self::text),
                status_id: self.maybe(Self::id),
                status_name: self.maybe(Self::text),
                base_rent: self.maybe(Self::float),
                price_amortized: self.maybe(Self::float),
                bedrooms: self.maybe(Self::float),
                view: self.maybe(Self::text),
                has_garage: Some(self.0.random()),
                lead_last_name: self.maybe(Self::text),
                ..Unit::default()
            }
        }

        fn property(&mut self) -> Property {
            Property {
                property_id: self.id(),
                name: self.maybe(Self::text),
                address: self.maybe(Self::text),
                project_group_id: self.maybe(Self::id),
                is_active: self.0.random(),
                is_lease_up: None,
                unreadable: Vec::new(),
            }
        }

        fn removal(&mut self) -> Removal {
            Removal {
                unit_id: self.id(),
                unit_code: self.maybe(Self::text),
                replaced_by: self.0.random_bool(0.3).then(|| self.id()),
                reason: RemovalReason::PropertyInactive,
            }
        }

        fn shape(&mut self) -> Shape {
            let formats = [Format::Property, Format::Flat, Format::Unit];
            let chosen = crate::config::Field::ALL.map(|(field, _)| self.0.random_bool(0.8).then_some(field));
            shape(|receiver| {
                receiver.format = *formats.choose(&mut self.0).unwrap();
                receiver.unit_style = *[UnitStyle::Flat, UnitStyle::Nested].choose(&mut self.0).unwrap();
                receiver.batch = *[Batch::PerProperty, Batch::AllProperties].choose(&mut self.0).unwrap();
                receiver.extensions = self.0.random_bool(0.8);
                receiver.fields = chosen.into_iter().flatten().fold(Fields::NONE, Fields::with);
            })
        }

        /// How many properties, and how many entries each of them has at most.
        fn counts(&mut self, shape: &Shape) -> (usize, usize) {
            match (shape.format, shape.batch) {
                (Format::Unit, _) => (1, 1),
                (_, Batch::PerProperty) => (1, self.0.random_range(0..6)),
                (_, Batch::AllProperties) => (self.0.random_range(0..4), self.0.random_range(0..6)),
            }
        }
    }

    /// What one property has to say, and what it was to cost.
    struct Part {
        property: SealableProperty,
        units: Vec<SealableUnit>,
        removed_units: Vec<Removal>,
        keep: Vec<i64>,
        bytes: usize,
    }

    fn said(draw: &mut Draw, shape: &Shape, entries: usize) -> Part {
        let external_id = draw.maybe(Draw::text);
        let property = shape.property(&draw.property(), external_id.as_deref()).unwrap();
        let removed = if shape.removals_are_sent() {
            draw.0.random_range(0..=entries)
        } else {
            0
        };
        let keep = if shape.keep_can_be_sent() {
            draw.0.random_range(0..6)
        } else {
            0
        };
        let units: Vec<_> = (removed..entries)
            .map(|_| shape.unit(&draw.unit(), &property).unwrap())
            .collect();
        let removed_units: Vec<_> = (0..removed).map(|_| draw.removal()).collect();
        let removal_bytes = |gone: &Removal| shape.removal_bytes(gone.unit_code.as_deref(), &property);
        Part {
            bytes: shape.property_bytes(&property)
                + units.iter().map(|unit| shape.entry_bytes(unit)).sum::<usize>()
                + removed_units.iter().map(removal_bytes).sum::<usize>()
                + keep * KEEP_BYTES,
            units,
            removed_units,
            keep: (0..keep).map(|_| draw.id()).collect(),
            property,
        }
    }

    /// The longest envelope there can be.
    fn body(shape: &Shape, said: &[Part]) -> Vec<u8> {
        let units: Vec<Vec<_>> = said.iter().map(|said| said.units.iter().collect()).collect();
        let part = |(said, units)| part(said, units);
        let properties: Vec<_> = said.iter().zip(&units).map(part).collect();
        let sealed_at = "2025-01-15T02:00:00Z".parse().unwrap();
        shape
            .body(&Body {
                sync_id: &SyncId::new(sealed_at),
                sealed_at,
                sync_type: SyncType::Snapshot,
                sequence: i64::MIN,
                snapshot_id: Some(uuid::Uuid::max()),
                part: u32::MAX,
                parts: u32::MAX,
                properties: &properties,
            })
            .unwrap()
    }

    fn part<'a>(said: &'a Part, units: &'a Vec<&'a SealableUnit>) -> PropertyPart<'a> {
        PropertyPart {
            property: &said.property,
            units,
            removed_units: &said.removed_units,
            keep: &said.keep,
            property_digest: Some(Digest::EMPTY),
        }
    }

    #[test]
    fn a_body_is_json_and_never_larger_than_what_is_in_it() {
        for seed in 0..5_000 {
            let mut draw = Draw(StdRng::seed_from_u64(seed));
            let shape = draw.shape();
            let (properties, entries) = draw.counts(&shape);
            let said: Vec<_> = (0..properties).map(|_| said(&mut draw, &shape, entries)).collect();
            let bytes_max = said.iter().map(|said| said.bytes).sum::<usize>() + ENVELOPE_BYTES;
            let body = body(&shape, &said);
            assert!(body.len() <= bytes_max, "seed {seed}: {} > {bytes_max}", body.len());
            let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&body);
            assert!(parsed.is_ok_and(|body| body.is_object()), "seed {seed}");
        }
    }

    /// Of receivers of several properties in a request.
    fn shapes() -> [Shape; 2] {
        [Format::Property, Format::Flat].map(|format| {
            shape(|receiver| {
                receiver.format = format;
                receiver.batch = Batch::AllProperties;
            })
        })
    }

    fn nothing_said(shape: &Shape) -> Part {
        Part {
            property: shape.property(&Property::gone(i64::MIN), None).unwrap(),
            units: Vec::new(),
            removed_units: Vec::new(),
            keep: Vec::new(),
            bytes: 0,
        }
    }

    #[test]
    fn a_property_is_never_larger_than_its_allowance() {
        for shape in shapes() {
            let said = [nothing_said(&shape), nothing_said(&shape)];
            let added = body(&shape, &said).len() - body(&shape, &said[..1]).len();
            assert!(added <= shape.property_bytes(&said[0].property));
        }
    }

    #[test]
    fn a_removal_is_never_larger_than_its_allowance() {
        let escaped = "\0".repeat(100);
        for shape in shapes() {
            for (unit_code, replaced_by) in [(Some(&escaped), None), (None, None), (None, Some(i64::MIN))] {
                let gone = Removal {
                    unit_id: i64::MIN,
                    unit_code: unit_code.cloned(),
                    replaced_by,
                    reason: RemovalReason::PropertyInactive,
                };
                let mut said = nothing_said(&shape);
                said.removed_units = vec![gone.clone()];
                let one = body(&shape, &[said]).len();
                let mut said = nothing_said(&shape);
                said.removed_units = vec![gone.clone(), gone];
                let allowed = shape.removal_bytes(unit_code.map(String::as_str), &said.property);
                assert!(body(&shape, &[said]).len() - one <= allowed);
            }
        }
    }

    #[test]
    fn an_id_to_keep_is_never_larger_than_its_allowance() {
        let shape = shape(|_| {});
        let [one, two] = [1, 2].map(|count| {
            let mut said = nothing_said(&shape);
            said.keep = vec![i64::MIN; count];
            body(&shape, &[said]).len()
        });
        assert_eq!(two - one, KEEP_BYTES);
    }
}
