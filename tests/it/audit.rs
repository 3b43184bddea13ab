//! The audit: what a person had the relay change leaves a row, with the change or not at all, and nobody takes it back.

use rentsync_relay::actions;
use rentsync_relay::audit::{Actor, Through};
use rentsync_relay::prune;
use serde_json::{Value, json};

use crate::process::{output, refused, relay, said};
use crate::promise::rights::{connect_as, drop_role, refusal, role};
use crate::support::rig::Rig;

const ROWS: &str = "select count(*) from rentsync.audit";

async fn done(rig: &Rig, arguments: &[&str]) -> String {
    let done = output(relay(rig, arguments)).await;
    assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", said(&done));
    String::from_utf8(done.stdout).expect("text")
}

async fn listed(rig: &Rig, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["audit", "list", "--json"], arguments].concat();
    serde_json::from_str(&done(rig, &arguments).await).expect("JSON")
}

/// Two properties, delivered; unit 22 is refused, and the removal of half of property 1 waits for a person.
pub async fn with_work_for_a_person() -> Rig {
    let mut rig = Rig::delivered().await;
    rig.receiver.guard.feed.units_min = 1;
    rig.faults(json!({ "reject_units": [22] }));
    rig.edit(
        "update project_rent_roll_units set price = 5, lead_first_name = 'Hunter', lead_last_name = 'Quill' where id = 22;
         delete from project_rent_roll_units where id in (11, 12)",
    )
    .await;
    rig.settle().await;
    rig
}

#[tokio::test]
async fn every_command_that_changes_something_leaves_one_row_and_no_other_command_does() {
    let rig = with_work_for_a_person().await;
    let installed = rig.source.number(ROWS).await;
    let hold = rig.source.number("select hold_id from rentsync.hold").await.to_string();
    let sync: Vec<String> = rig
        .source
        .texts("select sync_id from rentsync.sync order by sequence desc limit 1")
        .await;
    for nothing in [
        &["status"][..],
        &["holds", "list"],
        &["replay", "--since", "1h", "--dry-run"],
        &["feeds", "resume", "--all"],
        &["prune"],
        &["audit", "list"],
    ] {
        done(&rig, nothing).await;
    }
    refused(relay(&rig, &["refused", "retry", "13"]), 2, &["unit 13 is not refused"]).await;
    assert_eq!(rig.source.number(ROWS).await, installed);
    let commands: [&[&str]; 15] = [
        &["holds", "reject", &hold],
        &["holds", "approve", &hold],
        &["refused", "retry", "22"],
        &["alerts", "ack", "--all"],
        &["feeds", "pause", "2"],
        &["feeds", "resume", "2"],
        &["feeds", "disable", "2"],
        &["feeds", "enable", "2"],
        &["receivers", "pause", "main"],
        &["receivers", "resume", "main"],
        &["snapshot", "--property", "1", "--no-wait"],
        &["replay", "--since", "1h", "--no-wait"],
        &["redeliver", &sync[0], "--no-wait", "--force"],
        &["receivers", "resync", "main"],
        &["erase", "--unit", "22"],
    ];
    for command in commands {
        done(&rig, command).await;
    }
    done(&rig, &["install"]).await;
    done(&rig, &["uninstall"]).await;
    let mut rows = listed(&rig, &[]).await;
    rows.reverse();
    let actions: Vec<&str> = rows[usize::try_from(installed).unwrap()..]
        .iter()
        .map(|row| row["action"].as_str().expect("an action"))
        .collect();
    let mut expected: Vec<String> = commands.iter().map(|command| command[..2].join(" ")).collect();
    for name in ["snapshot", "replay", "redeliver", "erase"] {
        let place = expected.iter().position(|command| command.starts_with(name)).unwrap();
        expected[place] = name.to_owned();
    }
    expected.extend(["install".to_owned(), "uninstall".to_owned()]);
    assert_eq!(actions, expected);
    let rows = &rows[usize::try_from(installed).unwrap()..];
    assert_eq!(rows[1]["subject"], format!("hold {hold}"));
    assert_eq!(rows[1]["before"], json!({ "state": "rejected" }));
    assert_eq!(
        (&rows[1]["after"]["units"], &rows[1]["after"]["state"]),
        (&json!(2), &json!("approved"))
    );
    assert_eq!(rows[2]["after"]["unit_ids"], json!([22]));
    assert_eq!(
        rows[4]["before"],
        json!({ "enabled": true, "paused_because": null, "external_id": null })
    );
    assert_eq!(rows[4]["after"]["paused_because"], "paused by command");
    assert_eq!(
        (&rows[9]["before"]["state"], &rows[9]["after"]["state"]),
        (&json!("paused"), &json!("sending"))
    );
    let text = Value::from(rows.to_vec()).to_string();
    assert!(!text.contains("Hunter") && !text.contains("Quill"), "{text}");
    let who = rows[0]["who"].as_str().expect("somebody");
    assert!(who.contains(" on ") && rows.iter().all(|row| row["who"] == who && row["through"] == "command"));
    // What is listed is bounded, and nothing is older than what is asked for.
    assert_eq!(listed(&rig, &["--limit", "2"]).await[0]["action"], "uninstall");
    assert_eq!(listed(&rig, &["--limit", "2"]).await.len(), 2);
    // Alerts were acknowledged whichever receiver they were about.
    assert_eq!(listed(&rig, &["--since", "2h", "--receiver", "main"]).await.len(), 14);
    assert_eq!(listed(&rig, &["--receiver", "another"]).await.len(), 0);
}

#[tokio::test]
async fn what_can_not_be_noted_is_not_done_and_nobody_takes_back_what_is_noted() {
    let rig = Rig::delivered().await;
    let by = Actor {
        who: "somebody".to_owned(),
        through: Through::Page,
    };
    let mut conn = rig.source.connect().await;
    rig.edit("alter table rentsync.audit add constraint full_now check (who <> 'somebody')")
        .await;
    let failed = actions::receivers::pause(&mut conn, &by, "main")
        .await
        .expect_err("it can't be noted");
    assert!(failed.to_string().contains("noting in the audit"), "{failed:?}");
    let paused = "select count(*) from rentsync.receiver where paused_at is not null";
    assert_eq!(rig.source.number(paused).await, 0);
    rig.edit("alter table rentsync.audit drop constraint full_now").await;
    actions::receivers::pause(&mut conn, &by, "main").await.expect("pause");

    let relays = role(&rig.source).await;
    done(&rig, &["install", "--grant-to", &relays]).await;
    rig.edit(
        "insert into rentsync.audit (at, who, through, action, subject) values
         (now() - interval '400 days', 'x', 'page', 'x', 'x'), (now() - interval '40 days', 'x', 'page', 'x', 'x'),
         (now() - interval '20 days', 'x', 'page', 'x', 'x')",
    )
    .await;
    let before = rig.source.number(ROWS).await;
    let mut as_relay = connect_as(&rig.source, &relays).await;
    for denied in [
        "update rentsync.audit set who = 'another'",
        "delete from rentsync.audit",
        "truncate rentsync.audit",
    ] {
        assert_eq!(
            refusal(&mut as_relay, denied).await.as_deref(),
            Some("42501"),
            "{denied}"
        );
    }
    let added = "insert into rentsync.audit (who, through, action, subject) values ('x', 'api', 'x', 'x')";
    assert_eq!(refusal(&mut as_relay, added).await, None);
    // By retention a year goes; whatever is asked for, the last 30 days stay.
    let retention = rentsync_relay::config::Config::default().retention;
    prune::step(&mut as_relay, &retention, None).await.expect("prune");
    assert_eq!(rig.source.number(ROWS).await, before);
    let greedy = "select rentsync.forget_audit('infinity', 1000)";
    assert_eq!(refusal(&mut as_relay, greedy).await, None);
    assert_eq!(rig.source.number(ROWS).await, before - 1);
    // Numbers taken in advance stop nobody, and rows of the future hide none.
    let advance = "insert into rentsync.audit (audit_id, at, who, through, action, subject) overriding system value
                   select n, now() + interval '1 year', 'x', 'page', 'x', 'x' from generate_series(1, 300) n";
    assert_eq!(refusal(&mut as_relay, advance).await, None);
    done(&rig, &["receivers", "resume", "main"]).await;
    assert_eq!(listed(&rig, &["--limit", "1"]).await[0]["action"], "receivers resume");
    drop(as_relay);
    drop_role(&rig.source, &relays).await;
}
