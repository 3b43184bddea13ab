//! What a relay really seals and a sandbox really answers, in every shape that can be agreed on.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use rentsync_relay::config::{Batch, Format, Receiver, RemovedAs, UnitStyle};
use rentsync_relay::payload::decompressed;
use rentsync_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

use super::Schemas;
use crate::support::rig::Rig;

/// What was agreed with a receiver, said to both sides.
struct Agreement {
    format: Format,
    batch: Batch,
    unit_style: UnitStyle,
    extensions: bool,
    removed: RemovedAs,
    /// The schemas that its bodies are by, each of them by at least one.
    schemas: &'static [&'static str],
}

impl Agreement {
    const fn new(format: Format, schemas: &'static [&'static str]) -> Self {
        Self {
            format,
            batch: Batch::PerProperty,
            unit_style: UnitStyle::Flat,
            extensions: true,
            removed: RemovedAs::List,
            schemas,
        }
    }

    const fn for_all(mut self) -> Self {
        self.batch = Batch::AllProperties;
        self
    }

    const fn nested(mut self) -> Self {
        self.unit_style = UnitStyle::Nested;
        self
    }

    const fn unavailable(mut self) -> Self {
        self.removed = RemovedAs::Unavailable;
        self
    }

    const fn without_extensions(mut self) -> Self {
        self.extensions = false;
        self.unavailable()
    }

    fn change(&self, receiver: &mut Receiver) {
        receiver.format = self.format;
        receiver.batch = self.batch;
        receiver.unit_style = self.unit_style;
        receiver.extensions = self.extensions;
        receiver.removed = self.removed;
        receiver.units_per_request_max = if self.format == Format::Unit { 1 } else { 8 };
    }

    fn options(&self) -> SandboxOptions {
        SandboxOptions {
            format: match self.format {
                Format::Property => rentsync_sandbox::Format::Property,
                Format::Flat => rentsync_sandbox::Format::Flat,
                Format::Unit => rentsync_sandbox::Format::Unit,
            },
            batch: match self.batch {
                Batch::PerProperty => rentsync_sandbox::Batch::PerProperty,
                Batch::AllProperties => rentsync_sandbox::Batch::AllProperties,
            },
            unit_style: match self.unit_style {
                UnitStyle::Flat => rentsync_sandbox::UnitStyle::Flat,
                UnitStyle::Nested => rentsync_sandbox::UnitStyle::Nested,
            },
            extensions: self.extensions,
            removed: match self.removed {
                RemovedAs::List => rentsync_sandbox::Removed::List,
                RemovedAs::Unavailable => rentsync_sandbox::Removed::Unavailable,
            },
            ..SandboxOptions::default()
        }
    }

    async fn rig(&self) -> Rig {
        let mut rig = Rig::new().await;
        rig.sandbox = Sandbox::start(([127, 0, 0, 1], 0).into(), self.options())
            .await
            .unwrap();
        rig.receiver.url = rig.sandbox.url().parse().unwrap();
        self.change(&mut rig.receiver);
        rig
    }

    /// Everything that can happen to a unit, and a snapshot, each sent.
    async fn story(&self) -> Received {
        let rig = self.rig().await;
        rig.edit(
            "update project_rent_roll_units set lead_first_name = 'Ada', bedrooms = 1.5, when_available = 'Immediate',
                    has_garage = true, size = 750, floor = 2, view = 'City \"View\"' where id = 11",
        )
        .await;
        rig.settle().await;
        rig.edit(
            "delete from project_rent_roll_units where id in (12, 13);
             insert into project_rent_roll_units (id, project_id, unit_code, price) values (14, 1, '12', 1400);
             update project_rent_roll_units set project_id = 1 where id = 23;
             update projects set name = 'Uno', full_address = null where id = 1",
        )
        .await;
        rig.settle().await;
        // Larger than one request holds.
        rig.edit(
            "insert into project_rent_roll_units (id, project_id, unit_code, price)
             select 200 + n, 2, n::text, n from generate_series(1, 10) n;
             update rentsync.feed set snapshot_due = 'by command'",
        )
        .await;
        rig.settle().await;
        rig.assert_no_complaint();
        Received::by(&rig).await
    }

    /// The same receiver at its worst.
    async fn refusals(&self) -> Received {
        let rig = self.rig().await;
        rig.settle().await;
        for (faults, price) in [
            (json!({"stale": 1, "times": 1}), 1),
            (json!({"stale": 1, "times": 1, "property_id": 1}), 2),
            (json!({"reject_units": [11], "times": 1}), 3),
            (json!({"refuse_units": [12], "times": 1}), 4),
            (json!({"units_max": 0, "times": 1}), 5),
        ] {
            rig.faults(faults);
            rig.edit(&format!("update project_rent_roll_units set price = {price}"))
                .await;
            rig.settle().await;
        }
        Received::by(&rig).await
    }
}

/// Bodies as they were sealed; answers with their status.
struct Received {
    bodies: Vec<Value>,
    answers: Vec<(i32, Value)>,
}

impl Received {
    async fn by(rig: &Rig) -> Self {
        let mut conn = rig.source.connect().await;
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar("select body from rentsync.sync order by sequence")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let answers: Vec<(i32, String)> = sqlx::query_as(
            "select status, answer from rentsync.attempt where status is not null order by sequence, lease",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let body = |packed: Vec<u8>| serde_json::from_slice(&decompressed(&packed).unwrap()).unwrap();
        let answer = |(status, text): (i32, String)| (status, serde_json::from_str(&text).unwrap());
        Self {
            bodies: bodies.into_iter().map(body).collect(),
            answers: answers.into_iter().map(answer).collect(),
        }
    }

    /// All that is said anywhere of a kind.
    fn has(&self, what: &str) -> bool {
        self.bodies.iter().any(|body| body.to_string().contains(what))
    }
}

const AGREEMENTS: [Agreement; 15] = [
    Agreement::new(Format::Property, &["property-flat"]),
    Agreement::new(Format::Property, &["property-flat"]).unavailable(),
    Agreement::new(Format::Property, &["property-nested"]).nested(),
    Agreement::new(Format::Property, &["all-properties-flat"]).for_all(),
    Agreement::new(Format::Property, &["all-properties-nested"])
        .for_all()
        .nested(),
    Agreement::new(Format::Property, &["property-flat-without-extensions"]).without_extensions(),
    Agreement::new(Format::Property, &["property-nested-without-extensions"])
        .nested()
        .without_extensions(),
    Agreement::new(Format::Property, &["all-properties-flat-without-extensions"])
        .for_all()
        .without_extensions(),
    Agreement::new(Format::Property, &["all-properties-nested-without-extensions"])
        .for_all()
        .nested()
        .without_extensions(),
    Agreement::new(Format::Flat, &["flat"]),
    Agreement::new(Format::Flat, &["flat"]).for_all(),
    Agreement::new(Format::Flat, &["flat-without-extensions"]).without_extensions(),
    Agreement::new(Format::Unit, &["unit", "unit-removed"]),
    Agreement::new(Format::Unit, &["unit"]).unavailable(),
    Agreement::new(Format::Unit, &["unit-without-extensions"]).without_extensions(),
];

#[tokio::test]
async fn what_is_sealed_is_by_the_schema_of_its_shape() {
    let published = Schemas::published();
    // A few at a time: the database has only so many connections.
    let stories = stream::iter(&AGREEMENTS).map(Agreement::story).buffered(3);
    let stories: Vec<_> = stories.collect().await;
    for (agreement, received) in AGREEMENTS.iter().zip(stories) {
        let validators: Vec<_> = agreement
            .schemas
            .iter()
            .map(|name| (*name, published.validator(name)))
            .collect();
        let mut used = BTreeSet::new();
        for body in &received.bodies {
            match validators.iter().find(|(_, validator)| validator.is_valid(body)) {
                Some((name, _)) => used.insert(*name),
                None => panic!("{:?}: {body}", published.complaints(agreement.schemas[0], body)),
            };
        }
        assert_eq!(Vec::from_iter(used), agreement.schemas);
        assert!(received.has("lead_first_name"));
        let by_list = agreement.removed == RemovedAs::List;
        for what in [r#""reason":"deleted""#, r#""reason":"moved""#, r#""replaced_by":14"#] {
            assert_eq!(received.has(what), by_list, "{what} in {:?}", agreement.schemas);
        }
        let several = |body: &Value| {
            body["properties"]
                .as_array()
                .is_some_and(|properties| properties.len() > 1)
        };
        let for_all = agreement.batch == Batch::AllProperties;
        assert_eq!(received.bodies.iter().any(several), for_all, "{:?}", agreement.schemas);
        let in_parts = agreement.extensions && agreement.format != Format::Unit;
        for what in [r#""sync_type":"snapshot""#, r#""parts":2"#] {
            assert_eq!(received.has(what), in_parts, "{what} in {:?}", agreement.schemas);
        }
    }
}

#[tokio::test]
async fn what_the_sandbox_answers_is_by_the_schema_of_its_kind() {
    let published = Schemas::published();
    let by = |name: &str| published.validator(name);
    let (acknowledged, stale, several) = (by("answer"), by("answer-stale"), by("answer-all-properties"));
    let refused = by("answer-refused");
    let mut seen = BTreeSet::new();
    for agreement in [&AGREEMENTS[0], &AGREEMENTS[3], &AGREEMENTS[12]] {
        let received = agreement.refusals().await;
        for (status, answer) in &received.answers {
            let validators: &[_] = match (status, agreement.batch) {
                (200, Batch::PerProperty) => &[("acknowledged", &acknowledged), ("stale", &stale)],
                // A batch may be about one property; such a one is answered as any other.
                (200, Batch::AllProperties) => &[
                    ("acknowledged", &acknowledged),
                    ("stale", &stale),
                    ("several", &several),
                ],
                _ => &[("refused", &refused)],
            };
            let found = validators.iter().find(|(_, validator)| validator.is_valid(answer));
            let (kind, _) = found.unwrap_or_else(|| panic!("{status}: {answer} is by none"));
            let keys = answer
                .as_object()
                .unwrap()
                .iter()
                .filter(|(_, value)| **value != json!([]));
            seen.insert((*kind, keys.map(|(key, _)| key.clone()).collect::<Vec<_>>().join(" ")));
        }
    }
    for (kind, keys) in [
        ("acknowledged", "property_digest"),
        ("acknowledged", "property_digest errors"),
        ("stale", "status sequence"),
        ("several", "properties"),
        ("several", "properties errors"),
        ("several", "stale properties"),
        ("refused", "error"),
        ("refused", "error errors"),
    ] {
        assert!(
            seen.contains(&(kind, keys.to_owned())),
            "no answer {kind}: {keys} in {seen:?}"
        );
    }
}
