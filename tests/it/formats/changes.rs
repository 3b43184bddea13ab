//! Settings that change while the receiver keeps what it holds: exactly what looks different now is sent again.

use rentsync_relay::config::{Batch, Compression, Field, Fields, Format, Receiver, RemovedAs, UnitStyle};

use crate::support::rig::Rig;

type Change = fn(&mut Receiver);

/// What each property is sent: units, and in how many requests.
struct Sent {
    units: [usize; 2],
    requests: usize,
}

const NOTHING: Sent = Sent {
    units: [0, 0],
    requests: 0,
};
const EVERYTHING: Sent = Sent {
    units: [3, 3],
    requests: 2,
};

fn by_rows(receiver: &mut Receiver) {
    receiver.format = Format::Flat;
}

fn by_unit(receiver: &mut Receiver) {
    receiver.format = Format::Unit;
    receiver.unit_style = UnitStyle::Nested;
    receiver.units_per_request_max = 1;
}

fn without_extensions(receiver: &mut Receiver) {
    receiver.extensions = false;
    receiver.removed = RemovedAs::Unavailable;
}

const CHANGES: [(&str, Change, Change, Sent); 14] = [
    (
        "a field goes",
        |_| {},
        |r| r.fields = Fields::ALL.without(Field::View),
        EVERYTHING,
    ),
    // One unit has a lead.
    (
        "a lead's names go",
        |_| {},
        |r| r.fields = Fields::ALL.without(Field::LeadFirstName).without(Field::LeadLastName),
        Sent {
            units: [1, 0],
            requests: 1,
        },
    ),
    (
        "a field comes",
        |r| r.fields = Fields::ALL.without(Field::View),
        |r| r.fields = Fields::ALL,
        EVERYTHING,
    ),
    ("a prefix", |_| {}, |r| r.unit_codes.prefix = "A-".into(), EVERYTHING),
    (
        "a code",
        |_| {},
        |r| r.unit_codes.map = [(21, "PH".into())].into(),
        Sent {
            units: [0, 1],
            requests: 1,
        },
    ),
    ("objects", |_| {}, |r| r.unit_style = UnitStyle::Nested, EVERYTHING),
    ("rows", |_| {}, by_rows, EVERYTHING),
    (
        "one by one",
        |_| {},
        by_unit,
        Sent {
            units: [3, 3],
            requests: 6,
        },
    ),
    (
        "properties instead of rows",
        by_rows,
        |r| r.format = Format::Property,
        EVERYTHING,
    ),
    // The properties' own fields are fewer; their units are what they were.
    (
        "no extensions",
        |_| {},
        without_extensions,
        Sent {
            units: [0, 0],
            requests: 2,
        },
    ),
    ("no extensions, in rows", by_rows, without_extensions, NOTHING),
    (
        "what a removal looks like",
        |_| {},
        |r| r.removed = RemovedAs::Unavailable,
        NOTHING,
    ),
    (
        "several in a request",
        |_| {},
        |r| r.batch = Batch::AllProperties,
        NOTHING,
    ),
    ("how it is sent", |_| {}, |r| r.compression = Compression::Gzip, NOTHING),
];

#[tokio::test]
async fn a_changed_setting_sends_again_exactly_what_looks_different() {
    for (what, before, change, sent) in CHANGES {
        let mut rig = Rig::new().await;
        rig.agree_anew(before).await;
        rig.edit("update project_rent_roll_units set lead_first_name = 'Ada' where id = 11")
            .await;
        rig.settle().await;
        rig.agree_anew(change).await;
        rig.settle().await;
        let requests = rig.requests();
        let units = [1, 2].map(|property| {
            let about = requests.iter().filter(|(about, ..)| *about == property);
            about.map(|(_, units, ..)| units).sum::<usize>()
        });
        assert_eq!(
            (units, requests.len()),
            (sent.units, sent.requests),
            "{what}: {requests:?}"
        );
        rig.assert_equal().await;
        // And the day goes on.
        rig.edit("update project_rent_roll_units set price = 1 where id = 21; delete from project_rent_roll_units where id = 12")
            .await;
        rig.settle().await;
        rig.assert_equal().await;
    }
}
