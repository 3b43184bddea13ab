//! One unit, in every shape: which keys it has, of which kinds, and what they say together.
//!
//! A [`UnitShape`] is worked out once from what was agreed: what stands before the fields, the fields flat or in objects,
//! what stands after them. Reading gives every value under its flat name, whatever the style.

use super::super::json::{Entries, Entry, Node, Place};
use super::super::options::UnitStyle;
use super::super::received::{Digest, PropertyId, Upsert};
use super::object::{
    Checked, Kind, Object, digest, entries, has, integer, keys_are, optional_string, property_id, wrong,
};

/// The key of the sender's hash.
pub const CONTENT_HASH: &str = "content_hash";

/// One value of a unit.
pub struct Field {
    /// Its name in a flat unit.
    name: &'static str,
    kind: Kind,
    /// The object that it stands in, and its key there, in a nested unit.
    nested: Option<(&'static str, &'static str)>,
}

const fn plain(name: &'static str, kind: Kind) -> Field {
    let nested = None;
    Field { name, kind, nested }
}

const fn within(object: &'static str, key: &'static str, name: &'static str, kind: Kind) -> Field {
    let nested = Some((object, key));
    Field { name, kind, nested }
}

/// Every unit's own id.
pub const UNIT_ID: Field = plain("unit_id", Kind::Id);
/// Whose unit it is, in a row of format "flat".
pub const PROPERTY_ID: Field = plain("property_id", Kind::Property);
/// Whose unit it is, in format "unit".
pub const PROJECT_ID: Field = plain("project_id", Kind::Property);
/// The property's name, in format "unit".
pub const PROJECT_NAME: Field = plain("project_name", Kind::Text);
/// The property's address, in format "unit".
pub const PROPERTY_ADDRESS: Field = plain("property_address", Kind::Text);

const FIELDS: [Field; 22] = [
    plain("unit_code", Kind::Text),
    plain("building", Kind::Text),
    plain("floor", Kind::Integer),
    plain("floorplan", Kind::Text),
    plain("type", Kind::Text),
    plain("dwelling_type", Kind::Text),
    within("status", "id", "status_id", Kind::Integer),
    within("status", "name", "status_name", Kind::Text),
    within("availability", "is_available", "is_available", Kind::Decided),
    within("availability", "when_available", "when_available", Kind::Text),
    within("pricing", "base_rent", "base_rent", Kind::Float),
    within("pricing", "price_amortized", "price_amortized", Kind::Float),
    within("specifications", "size_sqft", "size_sqft", Kind::Integer),
    within("specifications", "bedrooms", "bedrooms", Kind::Float),
    within("specifications", "bathrooms", "bathrooms", Kind::Float),
    within("specifications", "dens", "dens", Kind::Integer),
    within("attributes", "exposure", "exposure", Kind::Text),
    within("attributes", "view", "view", Kind::Text),
    within("attributes", "has_garage", "has_garage", Kind::Bool),
    within("attributes", "pets_allowed", "pets_allowed", Kind::Integer),
    within("attributes", "parking_stalls", "parking_stalls", Kind::Integer),
    within("attributes", "storage_boxes", "storage_boxes", Kind::Integer),
];

const LEAD: [Field; 2] = [
    within("lead_assignment", "lead_first_name", "lead_first_name", Kind::Text),
    within("lead_assignment", "lead_last_name", "lead_last_name", Kind::Text),
];

/// The flat names of all fields that can be left out.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().chain(&LEAD).map(|field| field.name)
}

/// What stands at one key.
enum Item {
    Value(&'static Field),
    Object(&'static str, Vec<&'static Field>),
}

impl Item {
    fn key(&self) -> &'static str {
        match self {
            Self::Value(field) => field.name,
            Self::Object(name, _) => name,
        }
    }
}

/// What is around a unit's fields.
pub struct Frame {
    /// Keys of the envelope that stand before the unit's own.
    pub before: &'static [&'static str],
    /// The unit's own first values.
    pub head: &'static [Field],
    /// Keys that stand after its fields.
    pub after: &'static [&'static str],
}

/// How a unit looks.
pub struct UnitShape {
    items: Vec<Item>,
    lead: Vec<Item>,
    /// All keys, of a unit without a lead and of one with a lead.
    keys: [Vec<&'static str>; 2],
    frame: Frame,
}

impl UnitShape {
    /// Works out the keys; `fields` are the flat names that are sent.
    pub fn new(frame: Frame, style: UnitStyle, fields: &[String]) -> Self {
        let chosen = |field: &&Field| fields.iter().any(|name| name == field.name);
        let head = frame.head.iter().map(Item::Value);
        let items: Vec<_> = head.chain(arranged(FIELDS.iter().filter(chosen), style)).collect();
        let lead = arranged(LEAD.iter().filter(chosen), style);
        let keys = |lead: &[Item]| {
            let own = items.iter().chain(lead).map(Item::key);
            let before = frame.before.iter().copied();
            before.chain(own).chain(frame.after.iter().copied()).collect()
        };
        Self {
            keys: [keys(&[]), keys(&lead)],
            items,
            lead,
            frame,
        }
    }

    /// Reads a unit, with its lead's keys or without.
    pub fn read<'n>(&self, node: &'n Node, place: &Place) -> Checked<Unit<'n>> {
        let entries = entries(node, place)?;
        let has_lead = self.has_lead(entries, place)?;
        keys_are(entries, place, &self.keys[usize::from(has_lead)])?;
        let own = &entries[self.frame.before.len()..entries.len() - self.frame.after.len()];
        let mut unit = Unit {
            place: place.to_string(),
            values: Vec::with_capacity(own.len()),
            own,
            after: &entries[entries.len() - self.frame.after.len()..],
        };
        for (item, (_, node)) in self.items.iter().chain(&self.lead).zip(own) {
            unit.take(item, node, place)?;
        }
        unit.available_has_status()?;
        if has_lead {
            unit.lead_is_assigned(self.lead[0].key())?;
        }
        Ok(unit)
    }

    /// Whether the lead's keys are there; some alone are wrong.
    fn has_lead(&self, entries: &[Entry], place: &Place) -> Checked<bool> {
        let found = self.lead.iter().filter(|item| has(entries, item.key())).count();
        if found == 0 || found == self.lead.len() {
            return Ok(found > 0);
        }
        wrong(
            place,
            "has one of lead_first_name and lead_last_name; expected both or neither",
        )
    }
}

/// Fields in their style; those of one object stand beside each other.
fn arranged(fields: impl Iterator<Item = &'static Field>, style: UnitStyle) -> Vec<Item> {
    let mut items = Vec::new();
    for field in fields {
        match (style, field.nested, items.last_mut()) {
            (UnitStyle::Nested, Some((object, _)), Some(Item::Object(name, fields))) if *name == object => {
                fields.push(field);
            }
            (UnitStyle::Nested, Some((object, _)), _) => items.push(Item::Object(object, vec![field])),
            _ => items.push(Item::Value(field)),
        }
    }
    items
}

/// A unit as it was read.
pub struct Unit<'n> {
    place: String,
    /// By flat name.
    values: Vec<(&'static str, &'n Node<'n>)>,
    /// Without what is around it.
    own: &'n [Entry<'n>],
    after: &'n [Entry<'n>],
}

impl<'n> Unit<'n> {
    fn take(&mut self, item: &Item, node: &'n Node, place: &Place) -> Checked<()> {
        match item {
            Item::Value(field) => {
                field.kind.check(node, &place.key(field.name))?;
                self.values.push((field.name, node));
                Ok(())
            }
            Item::Object(name, fields) => self.take_object(fields, node, &place.key(name)),
        }
    }

    fn take_object(&mut self, fields: &[&'static Field], node: &'n Node, place: &Place) -> Checked<()> {
        let keys: Vec<_> = fields
            .iter()
            .map(|field| field.nested.map_or(field.name, |(_, key)| key))
            .collect();
        let object = Object::with(node, place, &keys)?;
        for ((field, key), (_, node)) in fields.iter().zip(keys).zip(object.entries()) {
            field.kind.check(node, &place.key(key))?;
            self.values.push((field.name, node));
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&'n Node<'n>> {
        let found = self.values.iter().find(|(found, _)| *found == name);
        found.map(|(_, node)| *node)
    }

    /// A unit without a status is not available, where both are sent.
    fn available_has_status(&self) -> Checked<()> {
        match (self.value("status_id"), self.value("is_available")) {
            (Some(Node::Null), Some(Node::Bool(true))) => wrong(
                &self.place_of("is_available"),
                "is true; expected false, as status_id is null",
            ),
            _ => Ok(()),
        }
    }

    /// Where a field stands, by its flat name.
    fn place_of(&self, name: &str) -> String {
        let nested = FIELDS
            .iter()
            .find(|field| field.name == name)
            .and_then(|field| field.nested);
        match nested {
            Some((object, key)) if has(self.own, object) => format!("{}.{object}.{key}", self.place),
            _ => format!("{}.{name}", self.place),
        }
    }

    /// The lead's keys are there only when a lead is assigned: one of the names says something. From one name alone
    /// that can't be seen.
    fn lead_is_assigned(&self, key: &str) -> Checked<()> {
        let names = LEAD.each_ref().map(|field| self.value(field.name));
        let says_nothing = |name: &Option<&Node>| match name {
            Some(Node::Text(name)) => name.trim().is_empty(),
            other => other.is_some(),
        };
        if names.iter().all(says_nothing) {
            return wrong(
                &format_args!("{}.{key}", self.place),
                "has names that are null or blank; expected no lead's keys, as no lead is assigned",
            );
        }
        Ok(())
    }

    /// Whose unit it is, where `key` says so.
    pub fn property(&self, key: &str, place: &Place) -> Checked<PropertyId> {
        property_id(self.value(key).unwrap_or(&Node::Null), &place.key(key))
    }

    /// What it says.
    pub fn upsert(self, place: &Place) -> Checked<Upsert> {
        let value = |name| self.value(name).unwrap_or(&Node::Null);
        Ok(Upsert {
            unit_id: integer(value("unit_id"), &place.key("unit_id"))?,
            unit_code: optional_string(value("unit_code"), &place.key("unit_code"))?,
            content: Entries(self.own).text(),
            content_hash: self.content_hash(place)?,
            place: self.place,
        })
    }

    fn content_hash(&self, place: &Place) -> Checked<Option<Digest>> {
        let hash = self.after.iter().find(|(key, _)| key == CONTENT_HASH);
        hash.map(|(key, node)| digest(node, &place.key(key))).transpose()
    }
}
