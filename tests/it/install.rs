//! Installing: all or nothing, again and again, and away without a trace.

use rentsync_relay::capture;
use rentsync_relay::config::{Config, Source};
use rentsync_relay::fault;

use crate::support::TestDatabase;
use crate::support::rig::Rig;

fn source() -> Source {
    Config::default().source
}

async fn refused(database: &TestDatabase, source: &Source) -> String {
    let error = capture::install(&database.database, source)
        .await
        .err()
        .expect("refused");
    assert_eq!(fault::exit_code(&error), 2, "{error:#}");
    let left = database
        .number("select count(*) from pg_namespace where nspname = 'rentsync'")
        .await;
    assert_eq!(left, 0, "nothing half done");
    format!("{error:#}")
}

#[tokio::test]
async fn installing_twice_is_installing_once() {
    let database = TestDatabase::bare().await;
    for _ in 0..2 {
        capture::install(&database.database, &source()).await.expect("install");
    }
    let triggers = "select count(*) from pg_trigger where tgname like 'rentsync%'";
    assert_eq!(database.number(triggers).await, 12);
    let wrongly_enabled = "select count(*) from pg_trigger t
         where t.tgname like 'rentsync%' and t.tgenabled <> case t.tgname when 'rentsync_replica' then 'R' else 'A' end";
    assert_eq!(database.number(wrongly_enabled).await, 0);
    let elsewhere = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relname like '%migration%'";
    assert_eq!(
        database.number(elsewhere).await,
        0,
        "our bookkeeping stays in our schema"
    );
}

const SHAPE: &str = "migrations/shape.txt";

#[tokio::test]
async fn what_is_installed_is_what_this_release_says_it_makes() {
    let database = TestDatabase::installed().await;
    let standing = capture::shape(&mut database.database.connect().await.expect("connect"))
        .await
        .expect("a look");
    let said = std::fs::read_to_string(SHAPE).expect(SHAPE);
    let said: Vec<&str> = said.lines().collect();
    let added: Vec<_> = standing.iter().filter(|line| !said.contains(&line.as_str())).collect();
    let gone: Vec<_> = said
        .iter()
        .filter(|line| !standing.iter().any(|standing| standing == *line))
        .collect();
    assert!(
        added.is_empty() && gone.is_empty(),
        "not in {SHAPE}: {added:#?}; in it and not made: {gone:#?}; `cargo test --test it -- --ignored shape` writes it"
    );
}

#[tokio::test]
#[ignore = "writes what this release makes, after a change of it"]
async fn the_shape_of_this_release() {
    let database = TestDatabase::installed().await;
    let standing = capture::shape(&mut database.database.connect().await.expect("connect"))
        .await
        .expect("a look");
    std::fs::write(SHAPE, standing.join("\n") + "\n").expect(SHAPE);
}

#[tokio::test]
async fn installing_again_leaves_the_triggers_of_partitions_alone_unless_something_is_wrong_with_one() {
    let database = TestDatabase::bare().await;
    database
        .execute(
            "alter table project_rent_roll_units rename to shape;
             create table project_rent_roll_units (like shape) partition by list (project_id);
             create table units_1 partition of project_rent_roll_units for values in (1);
             create table units_2 partition of project_rent_roll_units default",
        )
        .await;
    let install = async || capture::install(&database.database, &source()).await.expect("install");
    let made = async || -> Vec<(String, i64)> {
        sqlx::query_as(
            "select tgrelid::regclass || ' ' || tgname, xmin::text::bigint from pg_trigger
              where tgrelid in ('units_1'::regclass, 'units_2'::regclass, 'project_rent_roll_units'::regclass) order by 1",
        )
        .fetch_all(&mut database.connect().await)
        .await
        .expect("triggers")
    };
    install().await;
    let before = made().await;
    assert_eq!(before.len(), 3 * 5);
    install().await;
    assert_eq!(made().await, before, "nothing was made anew");
    for defect in [
        "alter table units_1 disable trigger rentsync_insert",
        "drop trigger rentsync_truncate on units_2",
        "create table units_3 partition of project_rent_roll_units for values in (3)",
    ] {
        database.execute(defect).await;
        install().await;
        let wrong = "select count(*) from rentsync.standing_trigger where problem is not null";
        assert_eq!(database.number(wrong).await, 0, "{defect}");
    }
    assert_ne!(made().await, before);
}

#[tokio::test]
async fn uninstalling_takes_the_triggers_and_with_purge_everything() {
    let database = TestDatabase::installed().await;
    assert!(
        capture::uninstall(&database.database, &Config::default().source, false)
            .await
            .expect("uninstall")
    );
    let triggers = "select count(*) from pg_trigger where tgname like 'rentsync%'";
    assert_eq!(database.number(triggers).await, 0);
    assert_eq!(
        database
            .number("select count(*) from pg_namespace where nspname = 'rentsync'")
            .await,
        1
    );
    assert!(
        capture::uninstall(&database.database, &Config::default().source, true)
            .await
            .expect("purge")
    );
    assert_eq!(
        database
            .number("select count(*) from pg_namespace where nspname = 'rentsync'")
            .await,
        0
    );
    assert!(
        !capture::uninstall(&database.database, &Config::default().source, true)
            .await
            .expect("nothing there")
    );
    database.execute("insert into projects (id) values (1)").await;
}

#[tokio::test]
async fn what_was_written_while_no_trigger_stood_is_compared_after_the_next_install() {
    let database = TestDatabase::installed().await;
    capture::uninstall(&database.database, &Config::default().source, false)
        .await
        .expect("uninstall");
    database.execute("truncate rentsync.outbox").await;
    capture::install(&database.database, &source()).await.expect("install");
    let whole = "select count(*) from rentsync.outbox where property_id is null and op = 'attach'";
    assert_eq!(database.number(whole).await, 1);
}

#[tokio::test]
async fn a_missing_table_or_column_or_a_wrong_type_is_named() {
    let database = TestDatabase::bare().await;
    let mut wrong = source();
    wrong.units_table = "rent_roll".into();
    let message = refused(&database, &wrong).await;
    assert!(
        message.contains("table rent_roll does not exist") && message.contains("source.units_table"),
        "{message}"
    );

    database
        .execute("alter table project_rent_roll_units drop column price, alter column floor type text")
        .await;
    let message = refused(&database, &source()).await;
    for part in [
        "column price is missing",
        "column floor is text, not smallint or integer or bigint",
        "rentsync.source_unit()",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    database
        .execute("create view rent_roll as select * from project_rent_roll_units")
        .await;
    let message = refused(&database, &wrong).await;
    assert!(message.contains("is not a table"), "{message}");
}

#[tokio::test]
async fn a_sites_own_source_function_is_left_alone() {
    let database = TestDatabase::installed().await;
    database
        .execute(
            "drop function rentsync.source_property();
             create function rentsync.source_property() returns table (property_id integer, name text,
                 address varchar, project_group_id smallint, is_active boolean, is_lease_up boolean)
             language sql stable as $$ select p.id, 'ours ' || p.name, ''::varchar, 1::smallint, true, false from public.projects p $$;
             alter table projects rename column full_address to street",
        )
        .await;
    capture::install(&database.database, &source()).await.expect("install");
    database
        .execute("insert into projects (id, name) values (1, 'One')")
        .await;
    let own = "select count(*) from rentsync.source_property() where name = 'ours One'";
    assert_eq!(database.number(own).await, 1);
    let mut rig = Rig::empty().await;
    rig.source = database;
    rig.settle().await;
    assert_eq!(
        rig.sandbox.property(1).unwrap().property.unwrap()["project_name"],
        "ours One"
    );
}

#[tokio::test]
async fn installing_again_keeps_what_was_chosen_and_replaces_what_an_older_release_wrote() {
    let database = TestDatabase::installed().await;
    database
        .execute(
            "select rentsync.attach('projects', 'project_rent_roll_units', tolerant => true);
             create or replace function rentsync.capture_units_tolerant() returns trigger language plpgsql as 'begin return null; end'",
        )
        .await;
    capture::install(&database.database, &source()).await.expect("install");
    let tolerant = "select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where t.tgname like 'rentsync%' and p.proname like '%\\_tolerant'";
    assert_eq!(database.number(tolerant).await, 12);
    database
        .execute(
            "insert into projects (id) values (1); insert into project_rent_roll_units (id, project_id) values (11, 1)",
        )
        .await;
    let captured = "select count(*) from rentsync.outbox where unit_ids = array[11::bigint]";
    assert_eq!(database.number(captured).await, 1);
}

#[tokio::test]
async fn a_look_up_through_the_source_functions_uses_the_sources_own_indexes() {
    let database = TestDatabase::installed().await;
    database
        .execute(
            "insert into projects (id, is_actived) select n, true from generate_series(1, 100) n;
             insert into project_rent_roll_units (id, project_id) select n, 1 + n % 100 from generate_series(1, 20000) n;
             analyze",
        )
        .await;
    for condition in ["unit_id = 77::bigint", "property_id = 7::bigint"] {
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "explain select * from rentsync.source_unit() where {condition}"
        )))
        .fetch_all(&mut database.connect().await)
        .await
        .unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains("Index") && !plan.contains("Seq Scan"),
            "{condition}: {plan}"
        );
    }
}

#[tokio::test]
async fn whoever_writes_for_long_makes_install_wait_and_nobody_else() {
    let database = TestDatabase::bare().await;
    let mut writer = database.connect().await;
    crate::support::execute(&mut writer, "begin; insert into projects (id) values (1)").await;
    let source = source();
    let installing = capture::install(&database.database, &source);
    let writing = async {
        // Writers that come after it are served while it waits.
        for id in 2..30 {
            database
                .execute(&format!("insert into projects (id) values ({id})"))
                .await;
        }
        let installed = "select count(*) from pg_trigger where tgname like 'rentsync%'";
        assert_eq!(database.number(installed).await, 0, "install waits");
        crate::support::execute(&mut writer, "commit").await;
    };
    let both = async { tokio::join!(installing, writing) };
    let limit = std::time::Duration::from_secs(60);
    let (installed, ()) = tokio::time::timeout(limit, both).await.expect("nobody stands in line");
    installed.expect("install");
}

#[tokio::test]
async fn whoever_reads_for_long_makes_uninstall_wait_and_no_writer() {
    let database = TestDatabase::installed().await;
    let mut reader = database.connect().await;
    crate::support::execute(&mut reader, "begin; select count(*) from project_rent_roll_units").await;
    let source = Config::default().source;
    let uninstalling = capture::uninstall(&database.database, &source, false);
    let writing = async {
        for id in 2..30 {
            database
                .execute(&format!("insert into projects (id) values ({id})"))
                .await;
            database
                .execute(&format!(
                    "insert into project_rent_roll_units (id, project_id) values ({id}, {id})"
                ))
                .await;
        }
        crate::support::execute(&mut reader, "commit").await;
    };
    let both = async { tokio::join!(uninstalling, writing) };
    let limit = std::time::Duration::from_secs(60);
    let (uninstalled, ()) = tokio::time::timeout(limit, both).await.expect("nobody stands in line");
    assert!(uninstalled.expect("uninstall"));
}
