//! The bytes of one sync, in every format.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::json::Text;
use super::{Digest, ENVELOPE_BYTES, KEEP_BYTES, Removal, SealableProperty, SealableUnit, Shape};
use crate::config::{Batch, Format};
use crate::sync::{self, SyncId, SyncType};

/// Everything that one body says.
pub struct Body<'a> {
    /// Its sync ID.
    pub sync_id: &'a SyncId,
    /// When it was sealed.
    pub sealed_at: DateTime<Utc>,
    /// Why it was sealed.
    pub sync_type: SyncType,
    /// Its number.
    pub sequence: i64,
    /// Common to the parts of one snapshot.
    pub snapshot_id: Option<Uuid>,
    /// Which of the parts this is, from one.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// What it is about; one property, unless the receiver takes several in a request.
    pub properties: &'a [PropertyPart<'a>],
}

/// What one body says of one property.
pub struct PropertyPart<'a> {
    /// The property itself.
    pub property: &'a SealableProperty,
    /// Units to put in or replace.
    pub units: &'a [&'a SealableUnit],
    /// Units to drop.
    pub removed_units: &'a [Removal],
    /// Units that are absent from a snapshot and must not be dropped.
    pub keep: &'a [i64],
    /// What the receiver will hold afterwards, where that equals the source; none while something is owed or withheld.
    pub property_digest: Option<Digest>,
}

impl Shape {
    /// The bytes, as they are sent on every attempt.
    ///
    /// What this shape has no place for is an error: left out in silence, it would count as sent.
    pub fn body(&self, body: &Body<'_>) -> Result<Vec<u8>> {
        self.check(body)
            .with_context(|| format!("sync {} can't be sealed", body.sync_id))?;
        let mut out = Text::with_capacity(self.bytes_max(body));
        match self.format {
            Format::Property => self.property_body(&mut out, body),
            Format::Flat => self.flat_body(&mut out, body),
            Format::Unit => self.unit_body(&mut out, body),
        }
        .with_context(|| format!("sync {} as JSON", body.sync_id))?;
        Ok(out.into_bytes())
    }

    fn check(&self, body: &Body<'_>) -> Result<()> {
        let alone = self.batch == Batch::PerProperty || self.format == Format::Unit;
        ensure!(
            !alone || body.properties.len() == 1,
            "a request of this receiver is about one property"
        );
        ensure!(
            self.removals_are_sent() || body.properties.iter().all(|part| part.removed_units.is_empty()),
            "this receiver is sent no removals"
        );
        ensure!(
            self.keep_can_be_sent() || body.properties.iter().all(|part| part.keep.is_empty()),
            "this receiver can't be sent what to keep"
        );
        ensure!(
            self.format != Format::Unit || body.properties[0].entries() == 1,
            "a request of this receiver is about one unit"
        );
        Ok(())
    }

    fn bytes_max(&self, body: &Body<'_>) -> usize {
        body.properties.iter().fold(ENVELOPE_BYTES, |bytes, part| {
            let units = part.units.iter().map(|unit| self.entry_bytes(unit));
            let removals = part.removed_units.iter();
            let removals = removals.map(|gone| self.removal_bytes(gone.unit_code.as_deref(), part.property));
            let keep = part.keep.len() * KEEP_BYTES;
            bytes + self.property_bytes(part.property) + units.chain(removals).sum::<usize>() + keep
        })
    }

    /// Guide 4.2.
    fn property_body(&self, out: &mut Text, body: &Body<'_>) -> serde_json::Result<()> {
        out.raw("{\"sync_metadata\":");
        self.metadata(out, body)?;
        match self.batch {
            Batch::PerProperty => {
                out.raw(",");
                self.property_keys(out, &body.properties[0])?;
            }
            Batch::AllProperties => {
                out.raw(",\"properties\":");
                out.array(body.properties, |out, part| {
                    out.raw("{");
                    self.property_keys(out, part)?;
                    out.raw("}");
                    Ok(())
                })?;
            }
        }
        out.raw("}");
        Ok(())
    }

    fn property_keys(&self, out: &mut Text, part: &PropertyPart<'_>) -> serde_json::Result<()> {
        out.raw("\"property\":");
        out.raw(&part.property.json);
        out.raw(",\"units\":");
        out.array(part.units, write_unit)?;
        if self.extensions {
            out.raw(",\"removed_units\":");
            out.array(part.removed_units, |out, removal| {
                out.raw("{");
                write_removal(out, removal)
            })?;
            if self.keep_can_be_sent() {
                write_keep(out, part)?;
            }
            write_digest(out, part);
        }
        Ok(())
    }

    /// Guide 4.3.
    fn flat_body(&self, out: &mut Text, body: &Body<'_>) -> serde_json::Result<()> {
        out.raw("{\"sync_timestamp\":");
        out.value(&sync::timestamp(body.sealed_at))?;
        if self.extensions {
            out.raw(",\"sync_metadata\":");
            self.metadata(out, body)?;
        }
        out.raw(",\"units\":");
        out.array(body.properties.iter().flat_map(|part| part.units), write_unit)?;
        if self.extensions {
            self.flat_extensions(out, body)?;
        }
        out.raw("}");
        Ok(())
    }

    fn flat_extensions(&self, out: &mut Text, body: &Body<'_>) -> serde_json::Result<()> {
        let removals = body.properties.iter().flat_map(|part| {
            let property = part.property;
            part.removed_units.iter().map(move |removal| (property, removal))
        });
        out.raw(",\"removed_units\":");
        out.array(removals, |out, (property, removal)| {
            out.raw("{\"property_id\":");
            out.raw(&property.id);
            out.raw(",");
            write_removal(out, removal)
        })?;
        out.raw(",\"properties\":");
        out.array(body.properties, |out, part| {
            out.raw("{\"property_id\":");
            out.raw(&part.property.id);
            write_digest(out, part);
            write_keep(out, part)?;
            out.raw("}");
            Ok(())
        })
    }

    /// Guide 4.1; a unit that went has no more than its names.
    fn unit_body(&self, out: &mut Text, body: &Body<'_>) -> serde_json::Result<()> {
        out.raw("{");
        if self.extensions {
            out.raw("\"sync_metadata\":");
            self.metadata(out, body)?;
            out.raw(",");
        }
        let part = &body.properties[0];
        if let Some(removal) = part.removed_units.first() {
            return write_removed_unit(out, part.property, removal);
        }
        let unit = part.units[0].json.as_str();
        out.raw(&unit["{".len()..unit.len() - "}".len()]);
        out.raw(",\"sync_timestamp\":");
        out.value(&sync::timestamp(body.sealed_at))?;
        out.raw("}");
        Ok(())
    }

    fn metadata(&self, out: &mut Text, body: &Body<'_>) -> serde_json::Result<()> {
        out.value(&Metadata {
            sync_id: body.sync_id.as_str(),
            sync_timestamp: sync::timestamp(body.sealed_at),
            source: "aigent",
            place: self.extensions.then_some(PlaceInFeed {
                sync_type: body.sync_type.as_str(),
                sequence: body.sequence,
                snapshot_id: body.snapshot_id,
                part: body.part,
                parts: body.parts,
            }),
        })
    }
}

impl PropertyPart<'_> {
    fn entries(&self) -> usize {
        self.units.len() + self.removed_units.len()
    }
}

fn write_unit(out: &mut Text, unit: &&SealableUnit) -> serde_json::Result<()> {
    out.raw(&unit.json);
    Ok(())
}

/// All of a removal behind its brace and, where the format has it, its property's id.
fn write_removal(out: &mut Text, removal: &Removal) -> serde_json::Result<()> {
    out.raw("\"unit_id\":");
    out.value(&removal.unit_id)?;
    removal.write_code(out)?;
    removal.write_reason(out);
    Ok(())
}

fn write_removed_unit(out: &mut Text, property: &SealableProperty, removal: &Removal) -> serde_json::Result<()> {
    out.raw("\"unit_id\":");
    out.value(&removal.unit_id)?;
    out.raw(",\"project_id\":");
    out.raw(&property.id);
    removal.write_code(out)?;
    out.raw(",\"removed\":true");
    removal.write_reason(out);
    Ok(())
}

fn write_keep(out: &mut Text, part: &PropertyPart<'_>) -> serde_json::Result<()> {
    out.raw(",\"keep\":");
    out.value(part.keep)
}

fn write_digest(out: &mut Text, part: &PropertyPart<'_>) {
    out.raw(",\"property_digest\":");
    match part.property_digest {
        Some(digest) => out.hex(digest.as_bytes()),
        None => out.raw("null"),
    }
}

/// The guide's three keys, and where the sync stands in its feed.
#[derive(Serialize)]
struct Metadata<'a> {
    sync_id: &'a str,
    sync_timestamp: String,
    source: &'static str,
    #[serde(flatten)]
    place: Option<PlaceInFeed>,
}

#[derive(Serialize)]
struct PlaceInFeed {
    sync_type: &'static str,
    sequence: i64,
    snapshot_id: Option<Uuid>,
    part: u32,
    parts: u32,
}
