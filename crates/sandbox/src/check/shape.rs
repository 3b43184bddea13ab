//! What was agreed with the sender, worked out.

use super::super::options::{Batch, Format, Removed, SandboxOptions, UnitStyle};
use super::unit::{
    CONTENT_HASH, Frame, PROJECT_ID, PROJECT_NAME, PROPERTY_ADDRESS, PROPERTY_ID, UNIT_ID, UnitShape, field_names,
};

/// What was agreed, ready to be checked against.
pub struct Shape {
    pub format: Format,
    pub batch: Batch,
    pub extensions: bool,
    pub removed: Removed,
    pub unit: UnitShape,
    pub lenient: bool,
}

impl Shape {
    /// Works out what bodies look like; the error says which options don't go together.
    pub fn agreed(options: &SandboxOptions) -> Result<Self, String> {
        check_fields(&options.fields)?;
        check_together(options)?;
        let style = match options.format {
            Format::Property => options.unit_style,
            Format::Flat => UnitStyle::Flat,
            Format::Unit => UnitStyle::Nested,
        };
        let frame = frame(options.format, options.extensions);
        Ok(Self {
            format: options.format,
            batch: options.batch,
            extensions: options.extensions,
            removed: options.removed,
            unit: UnitShape::new(frame, style, &options.fields),
            lenient: options.lenient,
        })
    }
}

fn check_fields(fields: &[String]) -> Result<(), String> {
    for (index, name) in fields.iter().enumerate() {
        if !field_names().any(|known| known == name) {
            let known: Vec<_> = field_names().collect();
            return Err(format!(
                "fields: {name:?} is none that can be left out; expected {}",
                known.join(", ")
            ));
        }
        if fields[..index].contains(name) {
            return Err(format!("fields: {name:?} is there twice"));
        }
    }
    Ok(())
}

fn check_together(options: &SandboxOptions) -> Result<(), String> {
    if !options.extensions && options.removed == Removed::List {
        return Err("removed: a list of removals is an extension; expected unavailable".into());
    }
    if options.format == Format::Unit && options.batch == Batch::AllProperties {
        return Err("batch: all_properties doesn't go with format unit, which is one unit a request".into());
    }
    if options.format == Format::Flat && options.unit_style == UnitStyle::Nested {
        return Err("unit_style: nested doesn't go with format flat".into());
    }
    Ok(())
}

/// What is around a unit's fields.
fn frame(format: Format, extensions: bool) -> Frame {
    let after: &[&str] = match (format, extensions) {
        (Format::Unit, _) => &["sync_timestamp"],
        (_, true) => &[CONTENT_HASH],
        (_, false) => &[],
    };
    match format {
        Format::Property => Frame {
            before: &[],
            head: &[UNIT_ID],
            after,
        },
        Format::Flat => Frame {
            before: &[],
            head: &[PROPERTY_ID, UNIT_ID],
            after,
        },
        Format::Unit => Frame {
            before: if extensions { &["sync_metadata"] } else { &[] },
            head: &[UNIT_ID, PROJECT_ID, PROJECT_NAME, PROPERTY_ADDRESS],
            after,
        },
    }
}
