//! What a receiver calls properties and units: imported from a file, sent, and compared with the receiver's own list.

use std::path::Path;

use rentsync_relay::audit::Actor;
use rentsync_relay::mapping::{self, Imported};
use serde_json::Value;
use sqlx::Connection;
use tempfile::TempDir;

use crate::process::{output, refused, relay, said};
use crate::support::execute;
use crate::support::rig::Rig;

/// A directory of its own, with one file in it.
struct File {
    _directory: TempDir,
    path: std::path::PathBuf,
}

fn file(text: &[u8]) -> File {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mapping.csv");
    std::fs::write(&path, text).expect("written");
    File {
        _directory: directory,
        path,
    }
}

async fn import(rig: &Rig, text: &str) -> anyhow::Result<Imported> {
    import_as(rig, text, false).await
}

async fn import_as(rig: &Rig, text: &str, is_whole: bool) -> anyhow::Result<Imported> {
    let file = file(text.as_bytes());
    let mut conn = rig.source.connect().await;
    mapping::import(&mut conn, &Actor::of_command(), &rig.receiver, &file.path, is_whole).await
}

fn changed(rows: usize, properties: usize, units: usize) -> Imported {
    Imported {
        rows,
        properties,
        units,
    }
}

/// What was sealed since: the property's id in the body, units with their codes, and removals.
async fn sealed_after(rig: &Rig, property_id: i64, before: usize) -> Vec<(Value, Vec<(i64, String)>, usize)> {
    let bodies = rig.bodies(property_id).await.split_off(before);
    let unit = |unit: &Value| {
        (
            unit["unit_id"].as_i64().unwrap(),
            unit["unit_code"].as_str().unwrap().to_owned(),
        )
    };
    let brief = |body: Value| {
        let units = body["units"].as_array().unwrap().iter().map(unit).collect();
        let removed = body["removed_units"].as_array().unwrap().len();
        (body["property"]["project_id"].clone(), units, removed)
    };
    bodies.into_iter().map(brief).collect()
}

#[tokio::test]
async fn what_was_imported_is_sent_and_a_change_of_it_sends_what_it_changes() {
    let rig = Rig::new().await;
    let first = "kind,id,theirs\nproperty,1,P-1\nunit,11,A\nunit,12,B\n";
    assert_eq!(import(&rig, first).await.unwrap(), changed(3, 1, 2));
    rig.settle().await;
    let codes = |codes: &[(i64, &str)]| {
        codes
            .iter()
            .map(|(id, code)| (*id, (*code).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sealed_after(&rig, 1, 0).await,
        [("P-1".into(), codes(&[(11, "A"), (12, "B"), (13, "13")]), 0)]
    );
    assert_eq!(
        sealed_after(&rig, 2, 0).await,
        [(2.into(), codes(&[(21, "21"), (22, "22"), (23, "23")]), 0)]
    );

    assert_eq!(import(&rig, first).await.unwrap(), changed(3, 0, 0), "nothing is new");
    rig.settle().await;
    assert_eq!(rig.bodies(1).await.len(), 1);

    let second = "kind;id;theirs;remark\r\nunit;11;\"A;1\";changed\r\nunit;12;;as it was\r\n";
    assert_eq!(import(&rig, second).await.unwrap(), changed(2, 0, 2));
    rig.settle().await;
    assert_eq!(
        sealed_after(&rig, 1, 1).await,
        [("P-1".into(), codes(&[(11, "A;1"), (12, "12")]), 0)]
    );

    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    rig.settle().await;
    assert_eq!(
        sealed_after(&rig, 1, 2).await,
        [("P-1".into(), codes(&[(11, "A;1")]), 0)],
        "an edit is sent under the mapped code"
    );
}

#[tokio::test]
async fn a_file_that_replaces_takes_away_what_it_does_not_name() {
    let rig = Rig::new().await;
    import(
        &rig,
        "kind,id,theirs\nproperty,1,P-1\nproperty,2,P-2\nunit,11,A\nunit,21,B\n",
    )
    .await
    .unwrap();
    let whole = "kind,id,theirs\nproperty,1,P-1\nunit,21,C\n";
    assert_eq!(import_as(&rig, whole, true).await.unwrap(), changed(2, 1, 2));
    let left = rig
        .source
        .texts(
            "select unit_id || ' ' || unit_code from rentsync.unit_mapping
              union all
             select property_id || ' ' || external_id from rentsync.feed where external_id is not null order by 1",
        )
        .await;
    assert_eq!(left, ["1 P-1", "21 C"]);
}

#[tokio::test]
async fn a_file_with_bad_rows_changes_nothing_and_every_row_is_named() {
    let rig = Rig::delivered().await;
    let text = "kind,id,theirs\nproperty,1,P-1\nunit,11,A\nunit,99,B\nproperty,9,P-9\nhouse,1,C\nunit,x,D\nunit,11,E\nunit,12,A\nunit,13,a\u{202e}b\n";
    let failure = import(&rig, text).await.unwrap_err().to_string();
    for part in [
        "line 2: receiver main holds units of property 1 under another id",
        "line 4: the source has no unit 99",
        "line 5: the source has no property 9",
        "line 6: kind is \"house\", but must be property or unit",
        "line 7: id is \"x\", but must be the source's id of a unit",
        "line 8: unit 11 stands on line 3 already",
        "line 9: unit 11 of the same property has that code too",
        "line 10: theirs must be at most 200 visible characters",
        "; nothing was imported",
    ] {
        assert!(failure.contains(part), "{part:?} in: {failure}");
    }
    assert_eq!(rig.source.number("select count(*) from rentsync.unit_mapping").await, 0);
    let several = "kind,id,theirs\nproperty,1,2\n";
    let rig = Rig::new().await;
    rig.edit("insert into rentsync.receiver (receiver) values ('main'); insert into rentsync.feed (receiver, property_id) values ('main', 2)")
        .await;
    let failure = import(&rig, several).await.unwrap_err().to_string();
    assert!(
        failure.contains("line 2: properties 1 and 2 would all be called \"2\""),
        "{failure}"
    );
    let nothing = "select count(*) from rentsync.feed where external_id is not null or property_id = 1";
    assert_eq!(rig.source.number(nothing).await, 0);
}

#[tokio::test]
async fn files_that_are_none_are_refused_in_a_sentence() {
    let rig = Rig::new().await;
    for (text, parts) in [
        (&b""[..], &["its first line names no column kind"][..]),
        (b"\xff\xfek\0i\0", &["it is UTF-16; save it as UTF-8"]),
        (b"id,theirs\n", &["names no column kind; it must name kind, id, theirs"]),
        (
            b"kind,id,theirs\nunit,11,\xff\n",
            &["line 2: it is not UTF-8", "nothing was imported"],
        ),
    ] {
        let file = file(text);
        refused(relay(&rig, &["map", "import", file.path.to_str().unwrap()]), 2, parts).await;
    }
    refused(
        relay(&rig, &["map", "import", "/nowhere.csv"]),
        2,
        &["/nowhere.csv can't be read"],
    )
    .await;
    // Neither a pipe that nobody writes to nor a device is waited for.
    refused(
        relay(&rig, &["map", "import", "/dev/zero"]),
        2,
        &["/dev/zero can't be read: it is no regular file"],
    )
    .await;
}

#[tokio::test]
async fn an_import_sees_what_was_planned_while_it_looked() {
    let rig = Rig::delivered().await;
    rig.edit("insert into projects (id, name, is_actived) values (3, 'Three', true)")
        .await;
    rig.settle().await;
    let mut conn = rig.source.connect().await;
    let mut planning = conn.begin().await.expect("begin");
    execute(
        &mut planning,
        "select from rentsync.feed where property_id = 3 for update;
         insert into rentsync.ledger (feed_id, unit_id, hash, sequence)
         select feed_id, 31, decode(repeat('00', 32), 'hex'), 1 from rentsync.feed where property_id = 3",
    )
    .await;
    let sealing = async {
        while rig.source.waiting().await == 0 {}
        planning.commit().await.expect("commit");
    };
    let (imported, ()) = tokio::join!(import(&rig, "kind,id,theirs\nproperty,3,P-3\n"), sealing);
    let failure = imported.unwrap_err().to_string();
    assert!(
        failure.contains("line 2: receiver main holds units of property 3 under another id"),
        "{failure}"
    );
    let mapped = "select count(*) from rentsync.feed where external_id is not null";
    assert_eq!(rig.source.number(mapped).await, 0);
}

#[tokio::test]
async fn of_two_imports_at_once_one_waits_for_the_other() {
    let rig = Rig::new().await;
    rig.edit(
        "insert into rentsync.receiver (receiver) values ('main');
         insert into rentsync.feed (receiver, property_id) values ('main', 1), ('main', 2)",
    )
    .await;
    let mut conn = rig.source.connect().await;
    let mut first = conn.begin().await.expect("begin");
    execute(&mut first, include_str!("../../sql/mapping/lock.sql")).await;
    execute(
        &mut first,
        "update rentsync.feed set external_id = 'P' where property_id = 1",
    )
    .await;
    let ending = async {
        while rig.source.waiting().await == 0 {}
        first.commit().await.expect("commit");
    };
    let (imported, ()) = tokio::join!(import(&rig, "kind,id,theirs\nproperty,2,P\n"), ending);
    let failure = imported.unwrap_err().to_string();
    assert!(failure.contains("properties 1 and 2 would all be called"), "{failure}");
}

#[tokio::test]
async fn what_has_no_mapping_can_be_withheld() {
    let mut rig = Rig::new().await;
    let required = r#"
        [receivers.main]
        url = "http://127.0.0.1:9/"
        [receivers.main.require]
        property_mapping = true
        unit_mapping = true"#;
    let config = rentsync_relay::config::Config::parse(Some(required), Path::new("relay.toml"), &[]).expect("settings");
    rig.receiver.require = config.receivers["main"].require.clone();
    import(&rig, "kind,id,theirs\nproperty,1,P-1\nunit,11,A\nunit,21,B\n")
        .await
        .unwrap();
    rig.settle().await;
    let withheld = "select unit_id || ' ' || withheld || ': ' || withheld_because from rentsync.ledger where withheld is not null order by unit_id";
    assert_eq!(
        rig.source.texts(withheld).await,
        [
            "12 invalid: it has no mapping",
            "13 invalid: it has no mapping",
            "21 invalid: the property has no mapping",
            "22 invalid: it has no mapping",
            "23 invalid: it has no mapping",
        ]
    );
    import(&rig, "kind,id,theirs\nunit,12,C\nproperty,2,P-2\n")
        .await
        .unwrap();
    rig.settle().await;
    assert_eq!(
        rig.source
            .texts("select unit_id::text from rentsync.ledger where withheld is null order by unit_id")
            .await,
        ["11", "12", "21"]
    );
}

#[tokio::test]
async fn a_removal_does_not_name_a_mapped_code_that_another_unit_has_now() {
    let rig = Rig::new().await;
    import(&rig, "kind,id,theirs\nunit,11,A\n").await.unwrap();
    rig.settle().await;
    import(&rig, "kind,id,theirs\nunit,11,\nunit,12,A\n").await.unwrap();
    rig.edit("delete from project_rent_roll_units where id = 11").await;
    rig.settle().await;
    let last = rig.bodies(1).await.pop().unwrap();
    assert_eq!(last["removed_units"][0]["unit_id"], 11, "{last}");
    assert_eq!(last["removed_units"][0]["replaced_by"], 12, "{last}");
}

#[tokio::test]
async fn an_export_is_what_an_import_takes() {
    let rig = Rig::new().await;
    import(
        &rig,
        "kind,id,theirs\nproperty,1,P-1\nunit,11,\"A, upper\"\nunit,22,B\n",
    )
    .await
    .unwrap();
    rig.edit("delete from project_rent_roll_units where id = 22").await;
    let export = output(relay(&rig, &["map", "export"])).await;
    let text = String::from_utf8(export.stdout).unwrap();
    assert_eq!(
        text,
        "kind,id,theirs,property_id,name,address\nproperty,1,P-1,,One,1 First Street\nunit,11,\"A, upper\",1,11,\nunit,22,B,,,\n"
    );
    let all = output(relay(&rig, &["map", "export", "--all"])).await;
    let all = String::from_utf8(all.stdout).unwrap();
    assert_eq!(all.lines().count(), 1 + 2 + 5 + 1, "{all}");
    rig.edit("insert into project_rent_roll_units (id, project_id, unit_code) values (22, 2, '22')")
        .await;
    assert_eq!(import(&rig, &text).await.unwrap(), changed(3, 0, 0));
    assert_eq!(
        import(&rig, &all.replace("unit,22,B,,,", "")).await.unwrap(),
        changed(7, 0, 0)
    );
}

#[tokio::test]
async fn a_report_says_what_goes_with_what_and_proposes_a_mapping() {
    let rig = Rig::new().await;
    let theirs = file(
        b"kind,theirs,name,address,property\nproperty,X1,,\"1 First St.\",\nproperty,X9,Nine,,\nunit,11,,,X1\nunit,k7,Unit 012,,X1\n",
    );
    let directory = tempfile::tempdir().unwrap();
    let proposal = directory.path().join("proposal.csv");
    let arguments = [
        "map",
        "report",
        "--theirs",
        theirs.path.to_str().unwrap(),
        "--to",
        proposal.to_str().unwrap(),
    ];
    let report = output(relay(&rig, &arguments)).await;
    let text = said(&report);
    assert!(report.status.success(), "{text}");
    for part in [
        "properties: 0 exact, 1 likely, 0 twice, 2 without a counterpart",
        "units: 1 exact, 1 likely, 0 twice, 4 without a counterpart",
    ] {
        assert!(text.contains(part), "{part:?} in: {text}");
    }
    let proposed = std::fs::read_to_string(&proposal).unwrap();
    assert_eq!(
        proposed,
        "kind,id,theirs,match,ours\nproperty,1,X1,likely,One\nunit,11,11,exact,11\nunit,12,k7,likely,12\n"
    );
    assert_eq!(import(&rig, &proposed).await.unwrap(), changed(3, 1, 2));
    let stored = said(&output(relay(&rig, &["map", "report"])).await);
    assert!(
        stored.contains("properties: 1 mapped, 1 not, 0 share a name"),
        "{stored}"
    );
    assert!(stored.contains("units: 2 mapped, 4 not, 0 share a name"), "{stored}");
}
