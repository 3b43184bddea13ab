//! How one receiver wants its bodies, worked out once from its settings.

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::content::{AsSealed, Present};
use super::hash::{Hash, PROPERTY_VERSION, UNIT_VERSION};
use super::json::{self, Text};
use super::layout::Content;
use super::layout::Layout;
use super::objection::objections;
use super::{SealableProperty, SealableUnit};
use crate::config::{Batch, Field, Fields, Format, Receiver, RemovedAs, Requirements, UnitCodes, UnitStyle};
use crate::unit::{Property, Unit, Unreadable};

/// Room for a unit's text, so that it seldom has to be moved while it grows.
const UNIT_BYTES: usize = 896;

/// How one receiver wants its bodies. Made once, then cheap for any number of units.
#[derive(Clone)]
pub struct Shape {
    pub(super) format: Format,
    pub(super) batch: Batch,
    pub(super) extensions: bool,
    removed: RemovedAs,
    layout: Layout,
    fields: Fields,
    unit_codes: UnitCodes,
    pub(super) require: Requirements,
    pub(super) body_bytes_max: usize,
    available_status_ids: Vec<i64>,
    fingerprint: String,
}

impl Shape {
    /// Of a receiver's settings and the statuses that mean available.
    pub fn new(receiver: &Receiver, available_status_ids: &[i64]) -> Self {
        let nested = match receiver.format {
            Format::Property => receiver.unit_style == UnitStyle::Nested,
            Format::Flat => false,
            Format::Unit => true,
        };
        let layout = if nested { Layout::nested } else { Layout::flat };
        let available_status_ids = as_set(available_status_ids);
        Self {
            format: receiver.format,
            batch: receiver.batch,
            extensions: receiver.extensions,
            removed: receiver.removed,
            layout: layout(receiver.fields),
            fields: receiver.fields,
            unit_codes: receiver.unit_codes.clone(),
            require: receiver.require.clone(),
            body_bytes_max: receiver.body_bytes_max,
            fingerprint: fingerprint(receiver, &available_status_ids),
            available_status_ids,
        }
    }

    /// Changes whenever something would look different to the receiver, or other things would be sent.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether a property's own fields are sent as such, so that a change of them is news.
    pub fn properties_are_sent(&self) -> bool {
        self.format == Format::Property
    }

    /// Whether a receiver can see from a snapshot what is no longer there.
    pub fn absence_can_be_read(&self) -> bool {
        self.extensions && self.format != Format::Unit
    }

    /// Whether a snapshot can name units that are absent from it and must not be dropped.
    pub fn keep_can_be_sent(&self) -> bool {
        self.extensions
            && match self.format {
                Format::Property => self.batch == Batch::PerProperty,
                Format::Flat => true,
                Format::Unit => false,
            }
    }

    /// Whether a unit that went is sent as a [`super::Removal`]; otherwise it is sent as unavailable.
    pub fn removals_are_sent(&self) -> bool {
        self.extensions && self.removed == RemovedAs::List
    }

    /// Whether a unit's own text has its content hash.
    pub(super) fn hashes_are_sent(&self) -> bool {
        self.extensions && self.format != Format::Unit
    }

    /// A unit's code as this receiver is sent it; none where it isn't sent any.
    pub fn code(&self, unit: &Unit) -> Option<String> {
        if !self.fields.has(Field::UnitCode) {
            return None;
        }
        let source = unit.unit_code.as_deref();
        let mapped = self.mapped_code(unit).map(str::to_owned);
        mapped.or_else(|| source.map(|code| [&self.unit_codes.prefix, code].concat()))
    }

    /// What the settings call it goes before what a person imported.
    fn mapped_code<'a>(&'a self, unit: &'a Unit) -> Option<&'a str> {
        let of_settings = self.unit_codes.map.get(&unit.unit_id);
        of_settings.or(unit.mapped_code.as_ref()).map(String::as_str)
    }

    /// Serialises a property's own fields and hashes them. The receiver knows it by its external id, if it has one.
    pub fn property(&self, property: &Property, external_id: Option<&str>) -> Result<SealableProperty> {
        let property_id = property.property_id;
        self.try_property(property, external_id)
            .with_context(|| format!("property {property_id} as JSON"))
    }

    fn try_property(&self, property: &Property, external_id: Option<&str>) -> serde_json::Result<SealableProperty> {
        let id = id_of(property.property_id, external_id)?;
        let (name, address) = (json::text(&property.name)?, json::text(&property.address)?);
        let mut json = format!("{{\"project_id\":{id},\"project_name\":{name},\"address\":{address}");
        if self.extensions {
            let group = json::text(&property.project_group_id)?;
            let (active, lease_up) = (property.is_active, json::text(&property.is_lease_up)?);
            json += &format!(",\"project_group_id\":{group},\"is_active\":{active},\"is_lease_up\":{lease_up}");
        }
        json.push('}');
        Ok(SealableProperty {
            property_id: property.property_id,
            hash: Hash::of_property(if self.properties_are_sent() {
                json.as_bytes()
            } else {
                b""
            }),
            id,
            json,
            name,
            address,
        })
    }

    /// Why this receiver can't be sent a unit as it is: every reason, in words, without any value.
    pub fn objection(&self, unit: &Unit) -> Option<String> {
        let code = self.code(unit);
        let unreadable: Vec<_> = self.unreadable(unit).collect();
        let mut objections = objections(&self.present(unit, code.as_deref()), &unreadable, &self.require);
        if self.require.unit_mapping && self.mapped_code(unit).is_none() {
            objections.push("it has no mapping".to_owned());
        }
        (!objections.is_empty()).then(|| objections.join("; "))
    }

    fn unreadable<'a>(&self, unit: &'a Unit) -> impl Iterator<Item = (Field, &'a str)> {
        let read = |(name, why): &'a Unreadable| Some((Field::named(name)?, why.as_str()));
        let fields = self.fields;
        let unreadable = unit.unreadable.iter().filter_map(read);
        unreadable.filter(move |(field, _)| fields.has(*field))
    }

    /// Every field that this receiver is sent, with what it holds; nothing where this unit is sent without it.
    pub fn fields(&self, unit: &Unit) -> Result<Vec<(Field, Option<Value>)>> {
        let code = self.code(unit);
        let content = self.present(unit, code.as_deref());
        let chosen = Field::ALL.into_iter().filter(|(field, _)| self.fields.has(*field));
        let value = |field: Field| {
            let mut out = Text::with_capacity(0);
            content.write(field, &mut out)?;
            serde_json::from_slice(out.as_bytes())
        };
        chosen
            .map(|(field, _)| {
                let is_sent = !field.is_lead() || content.has_lead();
                Ok((field, is_sent.then(|| value(field)).transpose()?))
            })
            .collect()
    }

    /// Serialises a unit and hashes what it serialised.
    pub fn unit(&self, unit: &Unit, property: &SealableProperty) -> Result<SealableUnit> {
        let code = self.code(unit);
        let content = self.present(unit, code.as_deref());
        let names = (&*property.name, &*property.address);
        let (hash, json) = self
            .serialise(unit.unit_id, property, names, &content)
            .with_context(|| format!("unit {} as JSON", unit.unit_id))?;
        Ok(SealableUnit {
            unit_id: unit.unit_id,
            code,
            hash,
            json,
        })
    }

    /// A unit that went, for a receiver that knows no removal: as it was sealed last, but not available.
    ///
    /// `unit_code` is its code as sealed last, and `last_sealed` its [`SealableUnit::json`] from then, with or without a hash,
    /// in whatever shape. Where no text was kept, the chosen fields are null. Nothing changes for a receiver whose
    /// choice of fields lacks `is_available`; the settings must not allow that.
    pub fn unavailable(
        &self,
        unit_id: i64,
        unit_code: Option<&str>,
        last_sealed: Option<&str>,
        property: &SealableProperty,
    ) -> Result<SealableUnit> {
        let last = last_sealed.map(|text| AsSealed::read(unit_id, text)).transpose()?;
        let mut last = last.unwrap_or_default();
        let code = unit_code.map(str::to_owned).or(last.code.take());
        last.code = code.filter(|_| self.fields.has(Field::UnitCode));
        // The source may have no property any more to take these from.
        let names = (
            last.project_name.map_or(&*property.name, |name| name.get()),
            last.property_address
                .map_or(&*property.address, |address| address.get()),
        );
        let (hash, json) = self
            .serialise(unit_id, property, names, &last)
            .with_context(|| format!("unit {unit_id} as JSON"))?;
        Ok(SealableUnit {
            unit_id,
            code: last.code,
            hash,
            json,
        })
    }

    fn present<'a>(&self, unit: &'a Unit, code: Option<&'a str>) -> Present<'a> {
        Present {
            unit,
            code,
            is_available: self.is_available(unit),
        }
    }

    fn is_available(&self, unit: &Unit) -> bool {
        unit.status_id
            .is_some_and(|status_id| self.available_status_ids.contains(&status_id))
    }

    fn serialise(
        &self,
        unit_id: i64,
        property: &SealableProperty,
        names: (&str, &str),
        content: &impl Content,
    ) -> serde_json::Result<(Hash, String)> {
        let mut out = Text::with_capacity(UNIT_BYTES);
        self.begin(&mut out, unit_id, property, names)?;
        self.layout.write(&mut out, content)?;
        let hash = Hash::of_unfinished_unit(out.as_bytes(), b"}");
        if self.hashes_are_sent() {
            out.raw(",\"content_hash\":");
            out.hex(hash.as_bytes());
        }
        out.raw("}");
        Ok((hash, out.into_string()))
    }

    /// What every unit begins with: its id, and of its property what the format puts beside it.
    fn begin(
        &self,
        out: &mut Text,
        unit_id: i64,
        property: &SealableProperty,
        (name, address): (&str, &str),
    ) -> serde_json::Result<()> {
        if self.format == Format::Flat {
            out.raw("{\"property_id\":");
            out.raw(&property.id);
            out.raw(",\"unit_id\":");
        } else {
            out.raw("{\"unit_id\":");
        }
        out.value(&unit_id)?;
        if self.format == Format::Unit {
            out.raw(",\"project_id\":");
            out.raw(&property.id);
            out.raw(",\"project_name\":");
            out.raw(name);
            out.raw(",\"property_address\":");
            out.raw(address);
        }
        Ok(())
    }
}

/// The id that the receiver knows a property by, as JSON: a number where it is written like one.
fn id_of(property_id: i64, external_id: Option<&str>) -> serde_json::Result<String> {
    let Some(external_id) = external_id else {
        return Ok(property_id.to_string());
    };
    let number = external_id.parse().map(|number: i64| number.to_string());
    match number {
        Ok(number) if number == external_id => Ok(number),
        _ => json::text(external_id),
    }
}

/// Of everything that decides what is sent and how. The order of a list that is a set decides nothing.
fn fingerprint(receiver: &Receiver, available_status_ids: &[i64]) -> String {
    let decisive = (
        (UNIT_VERSION, PROPERTY_VERSION),
        available_status_ids,
        receiver.property_groups.as_deref().map(as_set),
        receiver.format,
        receiver.unit_style,
        receiver.batch,
        receiver.fields,
        receiver.extensions,
        receiver.removed,
        receiver.unit_identity,
        (&receiver.unit_codes, &receiver.require, receiver.body_bytes_max),
    );
    hex::encode(Sha256::digest(format!("{decisive:?}")))
}

fn as_set(ids: &[i64]) -> Vec<i64> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests;
