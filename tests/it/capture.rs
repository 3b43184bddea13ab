//! Every way to change a row leaves a change, and costs AiGent nothing but the row.

use sqlx::{Connection, PgConnection};

use crate::support::{TestDatabase, execute};

const SOURCE: &str = "
    insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true), (3, 'Three', true);
    insert into project_rent_roll_units (id, project_id, unit_code) values (11, 1, '11'), (12, 1, '12'), (21, 2, '21');
    truncate rentsync.outbox;";

type Change = (Option<i64>, String, Option<Vec<i64>>);

/// The changes since the last call, units sorted.
async fn changes(conn: &mut PgConnection) -> Vec<Change> {
    sqlx::query_as(
        "with read as (delete from rentsync.outbox returning *)
         select property_id, op, (select array_agg(u order by u) from unnest(unit_ids) u)
           from read order by property_id nulls first, op, unit_ids",
    )
    .fetch_all(conn)
    .await
    .expect("read the outbox")
}

fn change(property_id: i64, op: &str, units: &[i64]) -> Change {
    (Some(property_id), op.to_owned(), Some(units.to_vec()))
}

fn whole(property_id: i64, op: &str) -> Change {
    (Some(property_id), op.to_owned(), None)
}

fn everything(op: &str) -> Change {
    (None, op.to_owned(), None)
}

async fn source() -> (TestDatabase, PgConnection) {
    let database = TestDatabase::installed().await;
    database.execute(SOURCE).await;
    let conn = database.connect().await;
    (database, conn)
}

#[tokio::test]
async fn every_way_to_change_a_row_leaves_a_change() {
    let (_database, mut conn) = source().await;
    let unit = "project_rent_roll_units";
    let ways: Vec<(String, Vec<Change>)> = vec![
        (
            format!("insert into {unit} (id, project_id) values (13, 1), (22, 2)"),
            vec![change(1, "insert", &[13]), change(2, "insert", &[22])],
        ),
        (
            format!("update {unit} set price = 1 where id = 11"),
            vec![change(1, "update", &[11])],
        ),
        (
            format!("update {unit} set price = price"),
            vec![change(1, "update", &[11, 12, 13]), change(2, "update", &[21, 22])],
        ),
        (
            format!("delete from {unit} where id = 13"),
            vec![change(1, "delete", &[13])],
        ),
        (
            format!("update {unit} set project_id = 2 where id = 12"),
            vec![change(1, "move", &[12]), change(2, "update", &[12])],
        ),
        (
            format!("update {unit} set id = 14 where id = 11"),
            vec![change(1, "move", &[11]), change(1, "update", &[14])],
        ),
        (
            format!("update {unit} set project_id = null where id = 14"),
            vec![change(1, "move", &[14])],
        ),
        (
            format!("update {unit} set project_id = 1 where id = 14"),
            vec![change(1, "update", &[14])],
        ),
        (
            format!(
                "insert into {unit} (id, project_id) values (14, 1), (15, 1) on conflict (id) do update set price = 2"
            ),
            vec![change(1, "insert", &[15]), change(1, "update", &[14])],
        ),
        (
            format!("insert into {unit} (id, project_id) values (14, 1) on conflict do nothing"),
            vec![],
        ),
        (
            "update projects set name = 'Uno' where id = 1".into(),
            vec![whole(1, "update")],
        ),
        (
            "update projects set is_actived = false where id = 3".into(),
            vec![whole(3, "update")],
        ),
        (
            "insert into projects (id, name) values (4, 'Four')".into(),
            vec![whole(4, "insert")],
        ),
        // With `on update cascade` the units follow.
        (
            "update projects set id = 5 where id = 2".into(),
            vec![
                change(2, "move", &[12]),
                change(2, "move", &[21]),
                change(2, "move", &[22]),
                whole(2, "move"),
                change(5, "update", &[12, 21, 22]),
                whole(5, "update"),
            ],
        ),
        (
            "delete from projects where id = 5".into(),
            vec![change(5, "delete", &[12, 21, 22]), whole(5, "delete")],
        ),
        (format!("truncate {unit}"), vec![everything("truncate")]),
        (
            "truncate projects cascade".into(),
            vec![everything("truncate"), everything("truncate")],
        ),
        (format!("delete from {unit} where false"), vec![]),
    ];
    for (statement, expected) in ways {
        execute(&mut conn, &statement).await;
        let mut expected = expected;
        expected.sort();
        let mut found = changes(&mut conn).await;
        found.sort();
        assert_eq!(found, expected, "{statement}");
    }
}

#[tokio::test]
async fn merge_and_copy_leave_changes() {
    let (_database, mut conn) = source().await;
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    if version >= 150_000 {
        execute(
            &mut conn,
            "merge into project_rent_roll_units u using (values (11, 1), (16, 1), (21, 2)) as v (id, project_id) on u.id = v.id
             when matched and u.id = 21 then delete
             when matched then update set price = 7
             when not matched then insert (id, project_id) values (v.id, v.project_id)",
        )
        .await;
        let expected = [
            change(1, "insert", &[16]),
            change(1, "update", &[11]),
            change(2, "delete", &[21]),
        ];
        assert_eq!(changes(&mut conn).await, expected);
    } else {
        println!("skipped: MERGE came with PostgreSQL 15");
    }
    let mut copy = conn
        .copy_in_raw("copy project_rent_roll_units (id, project_id) from stdin")
        .await
        .unwrap();
    copy.send(b"31\t3\n32\t3\n".as_slice()).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(changes(&mut conn).await, [change(3, "insert", &[31, 32])]);
}

#[tokio::test]
async fn a_change_lives_and_dies_with_its_transaction() {
    let (database, mut conn) = source().await;
    execute(
        &mut conn,
        "begin; update project_rent_roll_units set price = 1; rollback",
    )
    .await;
    assert_eq!(changes(&mut conn).await, []);

    execute(
        &mut conn,
        "begin;
         savepoint a; update project_rent_roll_units set price = 2 where id = 11; rollback to a;
         savepoint b; update project_rent_roll_units set price = 3 where id = 12; release b;
         commit",
    )
    .await;
    assert_eq!(changes(&mut conn).await, [change(1, "update", &[12])]);

    execute(
        &mut conn,
        "begin; update project_rent_roll_units set price = 4 where id = 21; prepare transaction 'two-phase'",
    )
    .await;
    assert_eq!(changes(&mut conn).await, []);
    database.execute("commit prepared 'two-phase'").await;
    assert_eq!(changes(&mut conn).await, [change(2, "update", &[21])]);
}

#[tokio::test]
async fn a_savepoint_carries_the_transactions_own_id() {
    let (_database, mut conn) = source().await;
    let mut tx = conn.begin().await.unwrap();
    execute(&mut tx, "savepoint a; update project_rent_roll_units set price = 2").await;
    let same: bool = sqlx::query_scalar("select bool_and(xid = pg_current_xact_id()) from rentsync.outbox")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert!(same);
}

#[tokio::test]
async fn a_tool_that_sets_the_replica_role_is_captured_too() {
    let (_database, mut conn) = source().await;
    execute(
        &mut conn,
        "set session_replication_role = replica;
         insert into project_rent_roll_units (id, project_id) values (13, 1);
         update project_rent_roll_units set project_id = 2 where id = 13;
         delete from project_rent_roll_units where id = 13;
         update projects set name = 'Dos' where id = 2",
    )
    .await;
    let found = changes(&mut conn).await;
    for expected in [
        change(1, "insert", &[13]),
        change(1, "move", &[13]),
        change(2, "update", &[13]),
        change(2, "delete", &[13]),
        whole(2, "update"),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
}

#[tokio::test]
async fn a_role_without_any_right_on_our_schema_writes_as_before() {
    let (database, mut conn) = source().await;
    let role = format!("clerk_{}", database.number("select (random() * 1e9)::bigint").await);
    execute(
        &mut conn,
        &format!(
            "create role {role};
             grant select, insert, update, delete, truncate on projects, project_rent_roll_units to {role};
             set role {role};
             -- A temporary table of the same name must not swallow the change.
             create temporary table outbox (property_id bigint, op text, unit_ids bigint[]);
             update project_rent_roll_units set price = 9 where id = 11;
             update projects set name = 'Uno' where id = 1;
             reset role; drop table outbox"
        ),
    )
    .await;
    assert_eq!(
        changes(&mut conn).await,
        [change(1, "update", &[11]), whole(1, "update")]
    );
    execute(&mut conn, &format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn a_partitioned_table_is_captured_across_its_partitions_and_in_them() {
    let database = TestDatabase::bare().await;
    let mut conn = database.connect().await;
    execute(
        &mut conn,
        "drop table project_rent_roll_units;
         create table units (like project_rent_roll_units_shape) partition by list (project_id);"
            .replace("like project_rent_roll_units_shape", "id int not null, project_id int not null, unit_code text, building text, floor int, floorplan text, type text, rentroll_status_id int, rentroll_status text, when_available text, price float8, price_amortized float8, size int, bedrooms float8, bathrooms float8, dens int, dwelling_type text, exposure text, view text, has_garage boolean, pets int, parking_stalls int, storage_boxes int, lead_first_name text, lead_last_name text, primary key (id, project_id)")
            .as_str(),
    )
    .await;
    execute(
        &mut conn,
        "create table units_1 partition of units for values in (1);
         create table units_2 partition of units for values in (2);",
    )
    .await;
    let mut config = rentsync_relay::config::Config::default();
    config.source.units_table = "units".into();
    rentsync_relay::capture::install(&database.database, &config.source)
        .await
        .expect("install");
    changes(&mut conn).await;

    execute(&mut conn, "insert into units (id, project_id) values (11, 1), (21, 2)").await;
    assert_eq!(
        changes(&mut conn).await,
        [change(1, "insert", &[11]), change(2, "insert", &[21])]
    );
    execute(&mut conn, "update units set project_id = 2 where id = 11").await;
    let found = changes(&mut conn).await;
    assert!(
        found.contains(&change(1, "update", &[11])),
        "the partition it left: {found:?}"
    );
    assert!(
        found.contains(&change(2, "update", &[11])),
        "the partition it came to: {found:?}"
    );
    execute(&mut conn, "update units_2 set price = 1 where id = 21").await;
    assert_eq!(changes(&mut conn).await, [change(2, "update", &[21])]);
    execute(&mut conn, "truncate units").await;
    assert!(changes(&mut conn).await.contains(&everything("truncate")));
}

#[tokio::test]
async fn a_bulk_update_writes_as_many_rows_as_it_touches_properties() {
    let (_database, mut conn) = source().await;
    execute(
        &mut conn,
        "insert into project_rent_roll_units (id, project_id) select 1000 + n, 1 + n % 3 from generate_series(1, 3000) n;
         truncate rentsync.outbox;
         update project_rent_roll_units set price = 3 where id > 1000",
    )
    .await;
    let found = changes(&mut conn).await;
    let touched: Vec<_> = found
        .iter()
        .map(|(_, _, units)| units.as_ref().map_or(0, Vec::len))
        .collect();
    assert_eq!(touched, [1000, 1000, 1000]);
}

#[tokio::test]
async fn a_tolerant_attachment_never_fails_a_write() {
    let (_database, mut conn) = source().await;
    execute(
        &mut conn,
        "select rentsync.attach('projects', 'project_rent_roll_units', tolerant => true);
         truncate rentsync.outbox;
         alter table project_rent_roll_units rename column project_id to property_id;
         update project_rent_roll_units set price = 1 where id = 11",
    )
    .await;
    assert_eq!(changes(&mut conn).await, [everything("failed")]);
}

#[tokio::test]
async fn the_sources_own_schema_changes_go_through() {
    let (_database, mut conn) = source().await;
    execute(
        &mut conn,
        "alter table project_rent_roll_units add column balcony boolean;
         alter table project_rent_roll_units alter column price type numeric;
         alter table project_rent_roll_units drop column view;
         update project_rent_roll_units set price = 1 where id = 11",
    )
    .await;
    assert_eq!(changes(&mut conn).await, [change(1, "update", &[11])]);
}
