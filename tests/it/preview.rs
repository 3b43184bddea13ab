//! Preview, by the real command: what it says of each unit, what it says is not sent, and that a pass then sends just that.

use rentsync_relay::config::{Batch, Format, Receiver, UnitIdentity, UnitStyle};
use rentsync_relay::deliver::breaker;
use rentsync_relay::hold::{self, Decision};
use rentsync_relay::inspect::preview::{self, PreviewRequest};
use serde_json::{Value, json};

use crate::process::{output, refused, relay, said};
use crate::support::rig::Rig;

async fn json_of(rig: &Rig, arguments: &[&str]) -> Vec<Value> {
    let output = output(relay(rig, &[&["preview", "--json"], arguments].concat())).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

async fn text_of(rig: &Rig) -> String {
    let output = output(relay(rig, &["preview"])).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output)
}

fn of<'a>(said: &'a [Value], what: &'a str) -> Vec<&'a Value> {
    said.iter().filter(|said| said["what"] == what).collect()
}

#[tokio::test]
async fn every_unit_is_shown_as_it_was_sent_and_as_it_would_be_but_no_leads_name() {
    let rig = Rig::delivered().await;
    assert_eq!(text_of(&rig).await, "receiver main: nothing would be sent now\n");
    rig.edit(
        "update project_rent_roll_units set price = 1111, lead_first_name = 'Somebody' where id = 11;
         update project_rent_roll_units set id = 19 where id = 12;
         update projects set name = 'Dos' where id = 2",
    )
    .await;
    let text = text_of(&rig).await;
    for line in [
        "main: request 1: delta, 2 units, 1 removal, ",
        "  property 1\n",
        "    + unit 19 (12)\n",
        "    ~ unit 11: base_rent 1100.0 -> 1111.0, lead_first_name differs, lead_last_name differs\n",
        "    - unit 12 (12): deleted, its code is unit 19's now\n",
        "    ~ project_name \"Two\" -> \"Dos\"\n",
        "receiver main: 2 requests, 2 units, 1 removal, ",
    ] {
        assert!(text.contains(line), "{line:?} in: {text}");
    }
    assert!(!text.contains("Somebody"), "{text}");
    assert_eq!(rig.requests(), [], "nothing is sent");

    // And that is what is sent then.
    let said = json_of(&rig, &[]).await;
    assert!(!serde_json::to_string(&said).unwrap().contains("Somebody"));
    let once = output(relay(&rig, &["once"])).await;
    assert_eq!(once.status.code(), Some(0), "{}", crate::process::said(&once));
    let mut forecast: Vec<_> = of(&said, "request")
        .iter()
        .map(|request| {
            let number = |name: &str| usize::try_from(request[name].as_u64().expect("a number")).expect("a number");
            (
                request["properties"][0]["property_id"].as_i64().unwrap(),
                number("units"),
                number("removed_units"),
                200,
            )
        })
        .collect();
    forecast.sort_unstable();
    assert_eq!(rig.requests(), forecast);
    let mut bytes: Vec<_> = of(&said, "request")
        .iter()
        .map(|request| request["body_bytes"].as_i64().unwrap())
        .collect();
    bytes.sort_unstable();
    let mut sealed =
        sqlx::query_scalar::<_, i32>("select body_bytes from rentsync.sync order by sequence desc limit 2")
            .fetch_all(&mut rig.source.connect().await)
            .await
            .unwrap();
    sealed.sort_unstable();
    assert_eq!(bytes, sealed.into_iter().map(i64::from).collect::<Vec<_>>());
    assert_eq!(
        json_of(&rig, &["--property", "1"]).await.len(),
        1,
        "only the total is left"
    );
}

#[tokio::test]
async fn what_is_not_sent_says_why() {
    let mut rig = Rig::new().await;
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(101, 107) n")
        .await;
    rig.settle().await;
    rig.receiver.units_per_request_max = 2;
    rig.edit("delete from project_rent_roll_units where id between 101 and 106; update project_rent_roll_units set price = 'NaN' where id = 11;
              update project_rent_roll_units set price = 3 where id in (21, 22, 23); update project_rent_roll_units set price = 3 where id = 107")
        .await;
    let said = json_of(&rig, &[]).await;
    let holds = of(&said, "hold");
    assert_eq!(
        (holds.len(), &holds[0]["property_id"], &holds[0]["units"]),
        (1, &json!(1), &json!(6))
    );
    let requests = of(&said, "request");
    let [one, two, three] = requests.as_slice() else {
        panic!("{said:?}")
    };
    let kept: Vec<_> = one["properties"][0]["withheld"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| (kept["unit_id"].as_i64().unwrap(), kept["kind"].as_str().unwrap()))
        .collect();
    let mut expected: Vec<_> = (101..=106).map(|unit_id| (unit_id, "held")).collect();
    expected.insert(0, (11, "invalid"));
    let mut sorted = kept.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let turns = [two, three].map(|request| (request["turn"].clone(), request["units"].clone()));
    assert_eq!(turns, [(json!(1), json!(2)), (json!(2), json!(1))]);
    assert_eq!(of(&said, "total")[0]["later"], 0);
    let text = text_of(&rig).await;
    for line in [
        "main: 6 removals of property 1 would wait for a person (0 more within 24 hours, of 10 units): too many at once",
        "    ! unit 11 withheld, invalid: base_rent is not a finite number",
        "receiver main: 3 requests, 4 units, 0 removals, ",
    ] {
        assert!(text.contains(line), "{line:?} in: {text}");
    }
    rig.settle().await;
    let text = text_of(&rig).await;
    assert_eq!(
        text,
        "receiver main: nothing would be sent now; withheld already: 6 held, 1 invalid\n"
    );

    rig.edit("update rentsync.feed set paused_because = 'test' where property_id = 1; update project_rent_roll_units set price = 4 where id in (107, 21)")
        .await;
    rig.plan().await;
    let said = json_of(&rig, &[]).await;
    let not_planned: Vec<_> = of(&said, "not_planned")
        .iter()
        .map(|said| (said["property_id"].as_i64().unwrap(), said["because"].as_str().unwrap()))
        .collect();
    assert_eq!(not_planned[0], (1, "its feed is paused (test): `feeds resume 1`"));
    assert!(
        not_planned[1].0 == 2 && not_planned[1].1.ends_with(" is under way"),
        "{not_planned:?}"
    );
    assert_eq!(of(&said, "request").len(), 0);
}

#[tokio::test]
async fn a_paused_receiver_and_other_settings_are_said_and_what_would_be_sent_all_the_same() {
    let rig = Rig::delivered().await;
    rig.edit("update project_rent_roll_units set price = 4 where id = 11")
        .await;
    let mut conn = rig.source.connect().await;
    breaker::open(&mut conn, "main", "paused by command", None, None)
        .await
        .unwrap();
    let text = text_of(&rig).await;
    assert!(text.starts_with("receiver main: it is paused (paused by command), and nothing is sent until `receivers resume main`; then this\n"), "{text}");
    assert!(text.contains("~ unit 11: base_rent 1100.0 -> 4.0"), "{text}");

    let mut others = relay(&rig, &["preview"]);
    others.env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[2]");
    let text = said(&output(others).await);
    assert!(
        text.contains("it was last run with other settings than these: everything is compared"),
        "{text}"
    );
    // Every unit but those of a third status is available or not otherwise than before.
    for unit in [11, 12, 13, 21, 22, 23] {
        assert!(text.contains(&format!("~ unit {unit}: ")), "{unit} in: {text}");
    }
    assert!(text.contains("is_available true -> false"), "{text}");
}

#[tokio::test]
async fn a_receiver_that_was_never_run_would_be_sent_everything_and_a_property_that_is_unknown_is_an_error() {
    let mut rig = Rig::new().await;
    let text = text_of(&rig).await;
    assert!(text.contains("  property 1, new, it is enrolled first\n"), "{text}");
    assert!(
        text.contains("receiver main: 2 requests, 6 units, 0 removals, ")
            && text.ends_with("; 2 properties would be enrolled\n"),
        "{text}"
    );
    assert_eq!(rig.source.number("select count(*) from rentsync.receiver").await, 0);
    assert_eq!(of(&json_of(&rig, &["--property", "2"]).await, "request").len(), 1);
    refused(
        relay(&rig, &["preview", "--property", "9"]),
        2,
        &["property 9 has no feed to receiver main and would get none"],
    )
    .await;
    refused(relay(&rig, &["preview", "--receiver", "nope"]), 2, &["nope"]).await;
    rig.receiver.enroll = rentsync_relay::config::Enroll::Listed;
    let mut conn = rig.source.connect().await;
    let total = preview::preview(&mut conn, &rig.scope(), PreviewRequest::default(), &mut |_| Ok(()))
        .await
        .unwrap();
    assert_eq!((total.requests, total.new_properties), (0, 0));
}

#[tokio::test]
async fn a_receiver_that_knows_units_by_their_ids_is_sent_a_move_in_two_turns() {
    let mut rig = Rig::new().await;
    rig.receiver.unit_identity = UnitIdentity::Global;
    rig.settle().await;
    rig.edit("update project_rent_roll_units set project_id = 2 where id = 11")
        .await;
    let mut said = Vec::new();
    let mut report = |one| {
        said.push(serde_json::to_value(&one).unwrap());
        Ok(())
    };
    let mut conn = rig.source.connect().await;
    let total = preview::preview(&mut conn, &rig.scope(), PreviewRequest::default(), &mut report)
        .await
        .unwrap();
    assert_eq!((total.requests, total.units, total.removed_units), (1, 0, 1));
    assert_eq!(of(&said, "property")[0]["withheld"][0]["kind"], "elsewhere");
    let planned = rig.plan().await;
    assert_eq!((planned.syncs, planned.units, planned.removed_units), (1, 0, 1));
}

/// Property, units, removals, bytes.
type Brief = (i64, i64, i64, i64);
/// What a receiver's settings are made to say.
type Shaping = (&'static str, fn(&mut Receiver));

/// What is forecast for a receiver is what it gets until nothing is left.
async fn all_is_forecast(rig: &Rig, what: &str) {
    rig.sandbox.clear_log();
    let mut said = Vec::new();
    let mut report = |one| {
        if let preview::PreviewItem::Request(request) = one {
            said.push(request);
        }
        Ok(())
    };
    let asked = PreviewRequest {
        property_id: None,
        now: rig.clock.now(),
    };
    let total = preview::preview(&mut rig.source.connect().await, &rig.scope(), asked, &mut report)
        .await
        .expect("preview");
    let number = |number: usize| i64::try_from(number).expect("a number");
    let mut forecast: Vec<Brief> = said
        .iter()
        .map(|one| {
            (
                one.properties[0].property_id,
                number(one.units),
                number(one.removed_units),
                number(one.body_bytes),
            )
        })
        .collect();
    rig.settle().await;
    let mut came: Vec<Brief> = rig
        .sandbox
        .syncs()
        .iter()
        .map(|sync| {
            (
                sync.project_id.unwrap_or(0),
                number(sync.units),
                number(sync.removed),
                number(sync.bytes),
            )
        })
        .collect();
    forecast.sort_unstable();
    came.sort_unstable();
    assert_eq!((forecast, total.later), (came, 0), "{what}");
    rig.assert_equal().await;
}

#[tokio::test]
async fn every_request_of_a_feed_that_needs_several_is_forecast() {
    let shapes: [Shaping; 4] = [
        ("few units", |receiver| receiver.units_per_request_max = 6),
        ("few bytes", |receiver| receiver.body_bytes_max = 4_000),
        ("all properties", |receiver| {
            receiver.units_per_request_max = 6;
            receiver.batch = Batch::AllProperties;
        }),
        ("single units", |receiver| {
            receiver.format = Format::Unit;
            receiver.unit_style = UnitStyle::Nested;
            receiver.units_per_request_max = 1;
        }),
    ];
    for (what, shape) in shapes {
        let mut rig = Rig::empty().await;
        rig.agree_anew(shape).await;
        rig.edit(
            "insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true);
             insert into project_rent_roll_units (id, project_id, unit_code, price)
             select n, 1 + n % 2, n, 1 from generate_series(1, 80) n",
        )
        .await;
        rig.settle().await;
        rig.edit("update project_rent_roll_units set price = 2 where id <= 40; delete from project_rent_roll_units where id > 66")
            .await;
        all_is_forecast(&rig, what).await;
        rig.edit("delete from project_rent_roll_units where id > 20").await;
        rig.settle().await;
        let mut conn = rig.source.connect().await;
        let approved = hold::decide(&mut conn, "main", None, Decision::Approve, None)
            .await
            .unwrap();
        assert_eq!(approved.iter().map(|hold| hold.units).sum::<i64>(), 46, "{what}");
        all_is_forecast(&rig, what).await;
        rig.edit("update projects set name = 'Uno' where id = 1").await;
        all_is_forecast(&rig, what).await;
    }
}

#[tokio::test]
async fn a_hold_that_the_settings_no_longer_ask_for_is_said_before_its_removals_are_sent() {
    let rig = Rig::new().await;
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) select n, 1, n from generate_series(101, 107) n")
        .await;
    rig.settle().await;
    rig.edit("delete from project_rent_roll_units where id between 101 and 106")
        .await;
    rig.settle().await;
    assert!(text_of(&rig).await.contains("nothing would be sent now"));
    let mut preview = relay(&rig, &["preview"]);
    preview.env("RELAY_GUARD__REMOVED_PERCENT_MAX", "60");
    let text = said(&output(preview).await);
    assert!(
        text.contains("waits no longer, by [guard] as it is set: 6 removals would be sent as well")
            && text.contains("6 removals that waited would follow")
            && !text.contains("nothing would be sent"),
        "{text}"
    );
}

#[tokio::test]
async fn another_database_is_said_first_and_what_ends_that() {
    let rig = Rig::delivered().await;
    output(relay(&rig, &["once"])).await;
    rig.edit("update rentsync.source_identity set system_identifier = system_identifier + 1")
        .await;
    for found in [false, true] {
        let text = text_of(&rig).await;
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("receiver main: this is another database than it was fed from ("),
            "{found}: {text}"
        );
        assert!(
            first.contains("until `receivers resync main`") && !text.contains("receivers resume"),
            "{text}"
        );
        refused(relay(&rig, &["once"]), 1, &["another database"]).await;
    }
}
