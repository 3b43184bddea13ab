//! `preview`.

use anyhow::Result;
use clap::Args;

use super::context::{Listing, connect};
use super::print;
use super::verify::{field, scopes};
use crate::config::Config;
use crate::inspect::preview::{self, PreviewItem, PreviewRequest, Property, RemovedUnit, Request, Total, Unit};
use crate::words::{self, count};

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    listing: Listing,
    /// Of this property only
    #[arg(long, value_name = "ID")]
    property: Option<i64>,
}

pub(super) async fn preview(config: &Config, options: &Options) -> Result<()> {
    let scopes = scopes(config, options.listing.receiver.as_deref())?;
    let mut conn = connect(config).await?;
    let mut list = print::List::begin(options.listing.json);
    let asked = PreviewRequest {
        property_id: options.property,
        now: None,
    };
    for scope in &scopes {
        let mut report = |said: PreviewItem| match list.is_json() {
            true => list.item(&said),
            false => print_item(&said),
        };
        preview::preview(&mut conn, scope, asked, &mut report).await?;
    }
    list.end()
}

fn print_item(said: &PreviewItem) -> Result<()> {
    match said {
        PreviewItem::Receiver(about) => print::line(&format!("receiver {}: {}", about.receiver, about.because)),
        PreviewItem::NotPlanned(about) => print::line(&format!(
            "{}: property {} is not planned now: {}",
            about.receiver,
            about.property_id.unwrap_or_default(),
            about.because
        )),
        PreviewItem::Hold(hold) => {
            let of = match hold.property_id {
                Some(property_id) => format!("of property {property_id}"),
                None => "over the receiver as a whole".to_owned(),
            };
            print::line(&format!(
                "{}: {} {of} would wait for a person ({} more within 24 hours, of {}): too many at once",
                hold.receiver,
                count(hold.units, "removal", "removals"),
                hold.gone,
                count(hold.of_units, "unit", "units")
            ))
        }
        PreviewItem::Cleared(hold) => print::line(&format!(
            "{}: hold {} waits no longer, by [guard] as it is set: {} would be sent as well",
            hold.receiver,
            hold.hold_id,
            count(hold.units, "removal", "removals")
        )),
        PreviewItem::Request(request) => print_request(request),
        PreviewItem::Property(property) => {
            print::line(&format!(
                "{}: property {}: nothing to send",
                property.receiver, property.property_id
            ))?;
            print_property(property)
        }
        PreviewItem::Total(total) => print::line(&sum(total)),
    }
}

fn print_request(request: &Request) -> Result<()> {
    let part = match (request.turn, request.parts) {
        (1, 1) => String::new(),
        (1, parts) => format!(" part {} of {parts}", request.part),
        (turn, _) => format!(" in turn {turn}"),
    };
    print::line(&format!(
        "{}: request {}: {}{part}, {}, {}, {} bytes",
        request.receiver,
        request.number,
        request.sync_type,
        count(request.units, "unit", "units"),
        count(request.removed_units, "removal", "removals"),
        request.body_bytes
    ))?;
    for property in &request.properties {
        let because = property
            .because
            .as_ref()
            .map_or(String::new(), |because| format!(", {because}"));
        print::line(&format!("  property {}{because}", property.property_id))?;
        print_property(property)?;
    }
    Ok(())
}

fn print_property(property: &Property) -> Result<()> {
    if property.is_news {
        let fields: Vec<_> = property.differs.iter().map(field).collect();
        let fields = match fields.as_slice() {
            [] => "its own fields".to_owned(),
            fields => fields.join(", "),
        };
        print::line(&format!("    ~ {fields}"))?;
    }
    for unit in &property.units {
        print::line(&upsert(unit))?;
    }
    if property.again > 0 {
        print::line(&format!(
            "    = {} sent again as before",
            count(property.again, "unit", "units")
        ))?;
    }
    for gone in &property.removed {
        print::line(&removed(gone))?;
    }
    for kept in &property.withheld {
        print::line(&format!(
            "    ! unit {} withheld, {}: {}",
            kept.unit_id, kept.kind, kept.because
        ))?;
    }
    for later in &property.later {
        print::line(&format!(
            "    … {} for later requests: {}",
            count(later.units, "unit waits", "units wait"),
            later.owed
        ))?;
    }
    Ok(())
}

fn upsert(unit: &Unit) -> String {
    let fields = unit.differs.iter().map(field);
    let said: Vec<_> = unit.because.iter().cloned().chain(fields).collect();
    match unit.is_new {
        true => format!("    + unit {}{}", unit.unit_id, code(unit.unit_code.as_deref())),
        false => format!("    ~ unit {}: {}", unit.unit_id, said.join(", ")),
    }
}

fn removed(gone: &RemovedUnit) -> String {
    let sent_as = match gone.sent_as {
        "absent" => ", by its absence",
        "unavailable" => ", as not available",
        _ => "",
    };
    let replaced = gone
        .replaced_by
        .map_or(String::new(), |unit_id| format!(", its code is unit {unit_id}'s now"));
    let code = code(gone.unit_code.as_deref());
    format!("    - unit {}{code}: {}{sent_as}{replaced}", gone.unit_id, gone.reason)
}

fn code(code: Option<&str>) -> String {
    code.map_or(String::new(), |code| format!(" ({})", words::in_a_line(code)))
}

fn sum(total: &Total) -> String {
    let (receiver, requests) = (&total.receiver, total.requests);
    let beside = [
        (total.cleared > 0).then(|| {
            format!(
                "{} that waited would follow",
                count(total.cleared, "removal", "removals")
            )
        }),
        (total.later > 0).then(|| format!("{} for later requests", count(total.later, "unit waits", "units wait"))),
        (total.new_properties > 0).then(|| {
            format!(
                "{} would be enrolled",
                count(total.new_properties, "property", "properties")
            )
        }),
        (!total.withheld.is_empty()).then(|| {
            let kinds: Vec<_> = total
                .withheld
                .iter()
                .map(|(kind, units)| format!("{units} {kind}"))
                .collect();
            format!("withheld already: {}", kinds.join(", "))
        }),
    ];
    let beside: String = beside.into_iter().flatten().map(|part| format!("; {part}")).collect();
    match requests {
        0 if total.cleared == 0 => format!("receiver {receiver}: nothing would be sent now{beside}"),
        _ => format!(
            "receiver {receiver}: {}, {}, {}, {} bytes{beside}",
            count(requests, "request", "requests"),
            count(total.units, "unit", "units"),
            count(total.removed_units, "removal", "removals"),
            total.body_bytes
        ),
    }
}
