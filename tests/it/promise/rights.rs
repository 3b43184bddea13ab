//! Who may do what in the database and on the host.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rustix::process::Signal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::Command;

use crate::http::logged;
use crate::process::{LIMIT, at_rest, bare, ended, output, refused, relay, said, signal};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

/// A role of the server's; gone with what it owns.
pub(crate) async fn role(database: &TestDatabase) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("rentsync_role_{}_{number}", std::process::id());
    database.execute(&format!("create role {name} login")).await;
    name
}

pub(crate) async fn drop_role(database: &TestDatabase, role: &str) {
    database
        .execute(&format!("drop owned by {role} cascade; drop role {role}"))
        .await;
}

pub(super) fn url_as(database: &TestDatabase, role: &str) -> String {
    database.url().replacen("postgres@", &format!("{role}@"), 1)
}

/// As psql would, with the role's own search_path.
pub(crate) async fn connect_as(database: &TestDatabase, role: &str) -> PgConnection {
    let options: PgConnectOptions = url_as(database, role).parse().expect("a URL");
    options.connect().await.expect("connect")
}

/// The code that the server refuses a statement with.
pub(crate) async fn refusal(conn: &mut PgConnection, statement: &str) -> Option<String> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(conn).await;
    let error = done.err()?;
    Some(error.as_database_error()?.code()?.into_owned())
}

const DENIED: &str = "42501";
const OUTBOX: &str = "select count(*) from rentsync.outbox";

/// A table whose key has a cast that notes as whom it was run, and a trigger of the relay's on it.
fn trap(function: &str, when: &str) -> String {
    format!(
        "drop table if exists m; create temp table m (id pg_temp.evil, project_id bigint);
         create trigger t {when} execute function rentsync.{function}()"
    )
}

const EVIL: &str = "create type pg_temp.evil as (x text);
    create function pg_temp.c(pg_temp.evil) returns bigint language plpgsql as
        $$ begin perform set_config('evil.ran_as', current_user, false); return 1; end $$;
    create cast (pg_temp.evil as bigint) with function pg_temp.c(pg_temp.evil) as assignment;";

const TOUCH: &str = "insert into m values (row('x'), 1); update m set project_id = 2; delete from m;
    insert into m values (row('x'), 1); truncate m;";

const TRIGGERS: [(&str, &str); 9] = [
    (
        "capture_units",
        "after insert on m referencing new table as touched for each statement",
    ),
    (
        "capture_units_both_sides",
        "after update on m referencing new table as touched old table as untouched for each statement",
    ),
    ("capture_unit_moved", "after update on m for each row"),
    ("capture_unit_row", "after insert or update or delete on m for each row"),
    (
        "capture_properties",
        "after delete on m referencing old table as touched for each statement",
    ),
    (
        "capture_properties_both_sides",
        "after update on m referencing new table as touched old table as untouched for each statement",
    ),
    ("capture_property_renumbered", "after update on m for each row"),
    (
        "capture_property_row",
        "after insert or update or delete on m for each row",
    ),
    ("capture_truncate", "after truncate on m for each statement"),
];

#[tokio::test]
async fn promise_01_a_table_of_ones_own_gets_nothing_out_of_the_trigger_functions() {
    let database = TestDatabase::installed().await;
    let role = role(&database).await;
    database
        .execute(&format!("grant usage on schema rentsync to {role}"))
        .await;
    let before = database.number(OUTBOX).await;
    let mut hostile = connect_as(&database, &role).await;
    execute(&mut hostile, EVIL).await;
    for (function, when) in TRIGGERS {
        for function in [function.to_owned(), format!("{function}_tolerant")] {
            assert_eq!(
                refusal(&mut hostile, &trap(&function, when)).await.as_deref(),
                Some(DENIED),
                "{function}"
            );
        }
    }
    // Somebody grants it by mistake: the functions themselves do nothing for a table that is not attached.
    database
        .execute(&format!("grant execute on all functions in schema rentsync to {role}"))
        .await;
    for (function, when) in TRIGGERS {
        for function in [function.to_owned(), format!("{function}_tolerant")] {
            execute(&mut hostile, &trap(&function, when)).await;
            execute(&mut hostile, TOUCH).await;
            let ran_as: Option<String> = sqlx::query_scalar("select nullif(current_setting('evil.ran_as', true), '')")
                .fetch_one(&mut hostile)
                .await
                .unwrap();
            assert_eq!(ran_as, None, "{function}");
        }
    }
    assert_eq!(database.number(OUTBOX).await, before, "no change was forged");
    drop(hostile);
    drop_role(&database, &role).await;
}

#[tokio::test]
async fn promise_01_an_installation_that_granted_too_much_is_put_right_by_install() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let relay_role = role(database).await;
    // As the first release had it.
    database
        .execute(&format!(
            "grant execute on all functions in schema rentsync to public;
             grant execute on function rentsync.capture_units() to {relay_role};
             grant usage on schema rentsync to {relay_role};
             grant select, insert, update, delete on all tables in schema rentsync to {relay_role};
             grant usage, update on all sequences in schema rentsync to {relay_role};
             grant select on projects, project_rent_roll_units to {relay_role}"
        ))
        .await;
    let as_relay = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", url_as(database, &relay_role));
        command
    };
    let found = said(&output(as_relay(&["doctor"])).await);
    for part in [
        "rentsync.capture_units() may be executed by public",
        "may do more than `run` needs",
        "update, delete on rentsync.audit, rentsync.outbox",
    ] {
        assert!(found.contains(part), "{part} in {found}");
    }
    capture::install(&database.database, &Config::default().source)
        .await
        .expect("install");
    let open = "select count(*) from pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
        where pronamespace = 'rentsync'::regnamespace and (grantee = 0 or grantee <> proowner and prorettype = 'trigger'::regtype)";
    assert_eq!(database.number(open).await, 0);
    let done = output(as_relay(&["once"])).await;
    assert_eq!(done.status.code(), Some(0), "the relay goes on: {}", said(&done));
    let found = said(&output(as_relay(&["doctor"])).await);
    assert!(
        !found.contains("may be executed") && !found.contains("may do more"),
        "{found}"
    );
    drop_role(database, &relay_role).await;
}

#[tokio::test]
async fn promise_01_what_is_attached_is_captured_under_any_oid_and_what_was_detached_is_let_be() {
    let database = TestDatabase::bare().await;
    database
        .execute(
            "alter table project_rent_roll_units rename to shape;
             create table project_rent_roll_units (like shape) partition by list (project_id);
             create table units_1 partition of project_rent_roll_units for values in (1);
             create table units_2 partition of project_rent_roll_units for values in (2)",
        )
        .await;
    capture::install(&database.database, &Config::default().source)
        .await
        .expect("install");
    // Restored from a dump: the functions know the tables by numbers that mean nothing here.
    database
        .execute(
            "do $$ declare one record; begin
                 for one in select pg_get_functiondef(oid) as text from pg_proc
                             where pronamespace = 'rentsync'::regnamespace and prorettype = 'trigger'::regtype loop
                     execute regexp_replace(one.text, '\\d+::pg_catalog.oid', '1::pg_catalog.oid', 'g');
                 end loop;
             end $$; truncate rentsync.outbox",
        )
        .await;
    database
        .execute(
            "insert into projects (id) values (1), (2); insert into project_rent_roll_units (id, project_id) values (11, 1), (21, 2);
             insert into units_2 (id, project_id) values (22, 2); update project_rent_roll_units set project_id = 1 where id = 22",
        )
        .await;
    let captured = "select count(distinct (property_id, unit_ids)) from rentsync.outbox
        where (property_id, unit_ids) in ((1, null), (1, '{11}'), (2, '{21}'), (2, '{22}'), (1, '{22}')) or unit_ids is null";
    assert_eq!(database.number(captured).await, 6);
    database
        .execute(
            "alter table project_rent_roll_units detach partition units_2; truncate rentsync.outbox;
             insert into units_2 (id, project_id) values (23, 2)",
        )
        .await;
    assert_eq!(
        database.number(OUTBOX).await,
        0,
        "no longer the source, and not in the way"
    );
}

#[tokio::test]
async fn promise_02_nothing_that_lies_in_a_writable_schema_is_run() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let database = &rig.source;
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    let shadow = |signature: &str, result: &str| {
        format!(
            "create function public.{signature} returns {result} language plpgsql as
             $$ begin insert into public.ran values ('{signature}'); return null; end $$;"
        )
    };
    let mut statements = String::from(
        "create table ran (what text); grant all on ran to public; grant create on schema public to public;",
    );
    for (signature, result) in [
        ("hashtextextended(text, integer)", "bigint"),
        ("hashtextextended(text, bigint)", "bigint"),
        ("lower(text)", "text"),
        ("set_config(text, text, boolean)", "text"),
        ("pg_table_is_visible(oid)", "boolean"),
        ("to_regclass(text)", "regclass"),
        ("current_setting(text)", "text"),
        ("pg_is_in_recovery()", "boolean"),
        ("same_oid(oid, oid)", "boolean"),
        ("same_pid(integer, integer)", "boolean"),
        ("current_schemas(boolean)", "name[]"),
    ] {
        statements.push_str(&shadow(signature, result));
    }
    statements.push_str(
        "create operator public.= (leftarg = oid, rightarg = oid, function = public.same_oid);
         create operator public.= (leftarg = integer, rightarg = integer, function = public.same_pid);",
    );
    // The server's own names come last, which is as bad as it gets.
    statements.push_str(&format!("alter database {name} set search_path = public, pg_catalog"));
    database.execute(&statements).await;
    let role = role(database).await;
    let done = output(relay(&rig, &["install", "--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.fill().await;
    for command in [
        &["once"][..],
        &["snapshot"],
        &["status"],
        &["verify"],
        &["doctor"],
        &["prune"],
    ] {
        let mut command = relay(&rig, command);
        command.env("DATABASE_URL", url_as(database, &role));
        let done = output(command).await;
        let ran = database.number("select count(*) from public.ran").await;
        assert_eq!(ran, 0, "{}", said(&done));
        assert!(!said(&done).contains("function public."), "{}", said(&done));
    }
    rig.assert_equal().await;
    drop_role(database, &role).await;
}

#[tokio::test]
async fn promise_02_a_session_has_our_isolation_and_nobodys_path() {
    let database = TestDatabase::bare().await;
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    database
        .execute(&format!(
            "alter database {name} set default_transaction_isolation = 'serializable'"
        ))
        .await;
    let mut conn = database.database.connect().await.expect("connect");
    let settings: (String, String) =
        sqlx::query_as("select current_setting('search_path'), current_setting('transaction_isolation')")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!(
        settings,
        ("pg_catalog, pg_temp".to_owned(), "read committed".to_owned())
    );
}

#[tokio::test]
async fn promise_02_a_schema_that_somebody_else_made_is_refused() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let role = role(&rig.source).await;
    rig.edit(&format!("create schema rentsync authorization {role}")).await;
    refused(
        relay(&rig, &["install"]),
        2,
        &["schema rentsync", "belongs to", &role, "nothing was changed"],
    )
    .await;
    assert_eq!(
        rig.source
            .number("select count(*) from pg_class where relnamespace = 'rentsync'::regnamespace")
            .await,
        0
    );
    drop_role(&rig.source, &role).await;
}

#[tokio::test]
async fn promise_03_everything_runs_as_the_relays_role_and_that_role_breaks_no_write() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let role = role(database).await;
    let done = output(relay(&rig, &["install", "--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for command in [
        &["once"][..],
        &["once", "--snapshot"],
        &["snapshot"],
        &["replay", "--since", "1h"],
        &["prune"],
        &["verify"],
        &["status"],
        &["preview"],
        &["explain", "11"],
        &["feeds", "list"],
        &["feeds", "pause", "1"],
        &["feeds", "resume", "1"],
        &["receivers", "list"],
        &["receivers", "pause", "main"],
        &["receivers", "resume", "main"],
        &["receivers", "resync", "main"],
        &["once"],
        &["syncs", "list"],
        &["holds", "list"],
        &["refused", "list"],
        &["alerts", "list"],
        &["alerts", "ack", "--all"],
    ] {
        let mut as_relay = relay(&rig, command);
        as_relay.env("DATABASE_URL", url_as(database, &role));
        let done = output(as_relay).await;
        assert!(
            !said(&done).contains("permission denied"),
            "{command:?}: {}",
            said(&done)
        );
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", said(&done));
    }
    rig.assert_equal().await;

    let mut hostile = connect_as(database, &role).await;
    for statement in [
        "lock table rentsync.outbox in access exclusive mode",
        "lock table rentsync.outbox in share mode",
        "lock table rentsync.attachment in access exclusive mode",
        "lock table projects in row exclusive mode",
        "delete from rentsync.outbox",
        "update rentsync.outbox set op = 'x'",
        "truncate rentsync.outbox",
        "select from rentsync.outbox for update",
        "delete from rentsync.attachment",
        "update rentsync.attachment set tolerant = true",
        "insert into rentsync.migration select * from rentsync.migration",
        "truncate rentsync.ledger",
        "create table rentsync.mine ()",
        "create trigger t after insert on rentsync.outbox execute function rentsync.capture_truncate()",
        "create rule r as on insert to rentsync.outbox do instead nothing",
        "alter table rentsync.outbox add column mine int",
        "drop table rentsync.outbox",
        "drop function rentsync.capture_units()",
        "create or replace function rentsync.capture_units() returns trigger language plpgsql as 'begin return null; end'",
        "insert into projects (id) values (9)",
        "update project_rent_roll_units set price = 0",
        "delete from projects",
        "drop trigger rentsync_insert on projects",
        "alter table projects disable trigger all",
        "select rentsync.attach('projects', 'project_rent_roll_units')",
        "select rentsync.detach('projects', 'project_rent_roll_units')",
        "select rentsync.lock_source('projects', 'project_rent_roll_units', 'access exclusive')",
        "set role postgres",
        "alter role current_user superuser",
    ] {
        let code = refusal(&mut hostile, &format!("begin; {statement}; commit")).await;
        assert_eq!(code.as_deref(), Some(DENIED), "{statement}");
        execute(&mut hostile, "rollback").await;
    }
    // What it may break is its own: the numbering, and there is no other.
    let sequences =
        "select count(*) from pg_class where relnamespace = 'rentsync'::regnamespace and relname = 'outbox_id_seq'";
    assert_eq!(database.number(sequences).await, 0);
    execute(
        &mut hostile,
        "select setval('rentsync.sync_sequence', 9223372036854775807); insert into rentsync.outbox (property_id, op) values (-1, 'x')",
    )
    .await;
    let before = database.number(OUTBOX).await;
    rig.edit("update project_rent_roll_units set price = 7 where id = 11")
        .await;
    assert_eq!(database.number(OUTBOX).await, before + 1, "writes go on, and are noted");
    drop(hostile);
    drop_role(database, &role).await;
}

#[tokio::test]
async fn promise_03_the_outbox_loses_its_number_without_making_a_writer_wait() {
    let database = TestDatabase::installed().await;
    database
        .execute("alter table rentsync.outbox add column id bigint generated always as identity")
        .await;
    let mut writer = database.connect().await;
    execute(&mut writer, "begin; insert into projects (id) values (1)").await;
    let source = Config::default().source;
    let installing = capture::install(&database.database, &source);
    let writing = async {
        for id in 2..20 {
            database
                .execute(&format!("insert into projects (id) values ({id})"))
                .await;
        }
        execute(&mut writer, "commit").await;
    };
    let both = async { tokio::join!(installing, writing) };
    let (installed, ()) = tokio::time::timeout(2 * LIMIT, both)
        .await
        .expect("nobody stands in line");
    installed.expect("install");
    let id = "select count(*) from pg_attribute where attrelid = 'rentsync.outbox'::regclass and attname = 'id' and not attisdropped";
    assert_eq!(database.number(id).await, 0);
}

/// A server that refuses TLS, and what it is sent after that.
async fn a_server_without_tls(tls: &str) -> (Vec<u8>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let rig = Rig::new().await;
    let mut command = relay(&rig, &["status"]);
    command
        .env(
            "DATABASE_URL",
            format!("postgres://relay:open-sesame@127.0.0.1:{port}/aigent"),
        )
        .env("RELAY_DATABASE__TLS", tls);
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked[4..], 80_877_103_u32.to_be_bytes(), "it asks for TLS");
        stream.write_all(b"N").await.unwrap();
        // Whatever comes, a password is asked for in clear text.
        let mut received = vec![0; 1024];
        let length = stream.read(&mut received).await.unwrap_or(0);
        received.truncate(length);
        if length > 0 {
            stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await.unwrap();
            stream.read_to_end(&mut received).await.ok();
        }
        received
    };
    let (received, done) = tokio::join!(serving, output(command));
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    (received, said(&done))
}

#[tokio::test]
async fn promise_07_a_server_that_refuses_tls_is_sent_no_password() {
    let (received, message) = a_server_without_tls("verify-full").await;
    assert_eq!(received, b"", "{message}");
    assert!(message.contains("TLS") && message.contains("database.tls"), "{message}");
    assert!(!message.contains("open-sesame"), "{message}");
    // That this server would be sent it, were it asked for less.
    let (received, _) = a_server_without_tls("prefer").await;
    assert!(
        received.windows(11).any(|some| some == b"open-sesame"),
        "the test sees what is sent"
    );
}

#[tokio::test]
async fn promise_07_doctor_says_how_the_connection_is_encrypted() {
    let rig = Rig::new().await;
    let found = said(&output(relay(&rig, &["doctor"])).await);
    let tls = found.lines().find(|line| line.split_whitespace().nth(1) == Some("tls"));
    assert!(tls.is_some_and(|line| line.starts_with("ok")), "{found}");
}

#[tokio::test]
async fn promise_03_a_relay_that_may_write_everything_is_said() {
    let rig = Rig::new().await;
    let role = role(&rig.source).await;
    let done = output(relay(&rig, &["install", "--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let doctor = async || {
        let mut doctor = relay(&rig, &["doctor"]);
        doctor.env("DATABASE_URL", url_as(&rig.source, &role));
        said(&output(doctor).await)
    };
    let so = format!("{role} is a member of pg_write_all_data");
    assert!(!doctor().await.contains(&so));
    rig.edit(&format!("grant pg_write_all_data to {role}")).await;
    let found = doctor().await;
    assert!(
        found.contains(&so) && found.contains(&format!("revoke pg_write_all_data from {role}")),
        "{found}"
    );
    drop_role(&rig.source, &role).await;
}

#[tokio::test]
async fn promise_24_one_grant_covers_what_run_needs_and_what_a_later_release_adds() {
    let rig = Rig::new().await;
    let role = role(&rig.source).await;
    refused(
        relay(&rig, &["install", "--grant-to", "no_such_role"]),
        2,
        &["no role no_such_role", "nothing was changed"],
    )
    .await;
    rig.edit(&format!(
        "create role {role}_owner; create role {role}_member noinherit in role {role}_owner;
         alter table projects owner to {role}_owner; alter table project_rent_roll_units owner to {role}_owner"
    ))
    .await;
    let owned = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_DATABASE__SCHEMA_OWNER", format!("{role}_owner"));
        command
    };
    refused(
        owned(&["install", "--grant-to", &format!("{role}_member")]),
        2,
        &["it may act as the owner of schema rentsync", "nothing was changed"],
    )
    .await;
    rig.edit(&format!(
        "alter table projects owner to postgres; alter table project_rent_roll_units owner to postgres;
         alter schema rentsync owner to postgres; reassign owned by {role}_owner to postgres; drop owned by {role}_owner; drop role {role}_member, {role}_owner"
    ))
    .await;
    rig.edit(&format!(
        "create role {role}_mighty superuser; create role {role}_group in role pg_write_all_data;
         create role {role}_writer login in role {role}_group"
    ))
    .await;
    for (grantee, because) in [
        (format!("{role}_mighty"), "is a superuser"),
        (format!("{role}_writer"), "as a member of pg_write_all_data"),
        ("pg_read_all_data".to_owned(), "one of the server's own"),
    ] {
        let install = relay(&rig, &["install", "--grant-to", &grantee]);
        refused(install, 2, &[because, "make a role for it", "nothing was changed"]).await;
    }
    rig.edit(&format!("drop role {role}_mighty, {role}_writer, {role}_group"))
        .await;
    let install = |arguments: &[&str]| relay(&rig, &[&["install"], arguments].concat());
    let done = output(install(&["--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let mut once = relay(&rig, &["once"]);
    once.env("DATABASE_URL", url_as(&rig.source, &role));
    let done = output(once).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;

    // What is sent and can't be written down is sent again and again.
    rig.edit(&format!("revoke insert on rentsync.lag_count from {role}"))
        .await;
    let mut once = relay(&rig, &["once"]);
    once.env("DATABASE_URL", url_as(&rig.source, &role));
    refused(once, 2, &["lacks insert on rentsync.lag_count", "install --grant-to"]).await;

    rig.edit(
        "create table rentsync.added (n integer); create sequence rentsync.added_sequence;
         create function rentsync.added_function() returns integer language sql as 'select 1'; create view rentsync.added_view as select 1 as n",
    )
    .await;
    let done = output(install(&[])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let mut as_relay = connect_as(&rig.source, &role).await;
    execute(
        &mut as_relay,
        "insert into rentsync.added select n from rentsync.added_view; update rentsync.added set n = rentsync.added_function();
         delete from rentsync.added; select nextval('rentsync.added_sequence')",
    )
    .await;
    drop(as_relay);
    drop_role(&rig.source, &role).await;
}

#[tokio::test]
async fn promise_24_what_sends_nothing_asks_for_no_secret() {
    let rig = Rig::new().await;
    let with_key = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command
            .env("RELAY_RECEIVERS__MAIN__AUTH__METHOD", "api_key")
            .env("RELAY_RECEIVERS__MAIN__AUTH__KEY", "{ env = 'A_KEY_THAT_IS_NOT_SET' }");
        command
    };
    refused(with_key(&["once"]), 2, &["A_KEY_THAT_IS_NOT_SET"]).await;
    rig.settle().await;
    for command in [
        &["install"][..],
        &["status"],
        &["feeds", "list"],
        &["preview"],
        &["verify"],
        &["explain", "11"],
        &["prune"],
        &["snapshot", "--no-wait"],
        &["uninstall"],
    ] {
        let done = output(with_key(command)).await;
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", said(&done));
    }
}

#[tokio::test]
async fn promise_24_purging_asks_first() {
    let rig = Rig::new().await;
    refused(
        relay(&rig, &["uninstall", "--purge"]),
        2,
        &["--yes", "nothing was changed"],
    )
    .await;
    let standing = "select (select count(*) from pg_namespace where nspname = 'rentsync')
        + (select count(*) from pg_trigger where tgname like 'rentsync%')";
    assert_eq!(rig.source.number(standing).await, 13);
    let done = output(relay(&rig, &["uninstall", "--purge", "--yes"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(rig.source.number(standing).await, 0);
}

/// Has a port lead to the database from now on.
fn forward(listener: TcpListener, url: &str) {
    let authority = url
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .expect("a host");
    let place = authority.rsplit('@').next().expect("a host").replace("%2F", "/");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let place = place.clone();
            tokio::spawn(async move {
                if let Some((directory, port)) = place.split_once(':').filter(|_| place.starts_with('/')) {
                    let mut server = UnixStream::connect(format!("{directory}/.s.PGSQL.{port}")).await?;
                    copy_bidirectional(&mut client, &mut server).await
                } else {
                    let mut server = TcpStream::connect(&place).await?;
                    copy_bidirectional(&mut client, &mut server).await
                }
            });
        }
    });
}

#[tokio::test]
async fn promise_24_run_waits_for_a_database_that_is_down() {
    let rig = Rig::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let (user, rest) = rig
        .source
        .url()
        .split_once('@')
        .map(|(user, rest)| (user.to_owned(), rest.to_owned()))
        .expect("a user");
    let name = rest.split_once('/').expect("a database").1.to_owned();
    let through = |arguments: &[&str]| -> Command {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", format!("{user}@{address}/{name}"));
        command
    };
    refused(through(&["run", "--exit"]), 3, &["could not be reached"]).await;

    let mut child = through(&["run"]).spawn().expect("run");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let first = tokio::time::timeout(LIMIT, lines.next_line())
        .await
        .expect("it says so")
        .unwrap()
        .unwrap();
    assert!(first.contains("waiting until it is there"), "{first}");
    let rest = tokio::spawn(async move {
        let mut rest = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            rest.push(line);
        }
        rest
    });
    forward(
        TcpListener::bind(address).await.expect("the same port"),
        &rig.source.url(),
    );
    at_rest(&rig).await;
    rig.assert_equal().await;
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
    let rest = rest.await.unwrap();
    assert!(
        !rest.iter().any(|line| line.contains("waiting until")),
        "once: {rest:#?}"
    );
}

#[tokio::test]
async fn promise_24_whoever_waits_for_a_database_can_be_stopped() {
    let mut command = bare(&["run"]);
    command
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .env("RELAY_RECEIVERS__MAIN__URL", "http://127.0.0.1:9/")
        .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]");
    let mut child = command.spawn().expect("run");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let waits = tokio::time::timeout(LIMIT, lines.next_line())
        .await
        .expect("it says so")
        .unwrap()
        .unwrap();
    assert!(waits.contains("waiting until it is there"), "{waits}");
    signal(&child, Signal::TERM);
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), ended(child)).await,
        Ok(Some(0))
    );
}

#[tokio::test]
async fn promise_02_nothing_of_a_strangers_schema_is_used() {
    let rig = Rig::delivered().await;
    let stranger = format!("stranger_{}", std::process::id());
    rig.edit(&format!(
        "create role {stranger}; alter schema rentsync owner to {stranger};
         create table rentsync.loot as select 1 as one;
         create function rentsync.take_it() returns trigger language plpgsql as 'begin delete from rentsync.loot; return new; end';
         create trigger take_it before insert or update on rentsync.relay for each row execute function rentsync.take_it()"
    ))
    .await;
    for command in [
        &["once"][..],
        &["status"],
        &["feeds", "list"],
        &["snapshot"],
        &["holds", "list"],
    ] {
        let done = output(relay(&rig, command)).await;
        let said = said(&done);
        assert_eq!(done.status.code(), Some(2), "{command:?}: {said}");
        assert!(
            said.contains(&format!("schema rentsync belongs to {stranger}")),
            "{said}"
        );
    }
    assert_eq!(
        rig.source.number("select count(*) from rentsync.loot").await,
        1,
        "nothing ran"
    );
    rig.edit(&format!(
        "alter schema rentsync owner to current_user; drop role {stranger}"
    ))
    .await;
}

/// Whatever somebody has in the schema: objects and rights.
async fn rights_of(database: &TestDatabase, role: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s %s', a.privilege_type, c.relname) from pg_class c, aclexplode(c.relacl) a
          where c.relnamespace = 'rentsync'::regnamespace and a.grantee = $1::text::regrole
         union all
         select format('%s %s', a.privilege_type, p.proname) from pg_proc p, aclexplode(p.proacl) a
          where p.pronamespace = 'rentsync'::regnamespace and a.grantee = $1::text::regrole
         union all
         select format('%s rentsync', a.privilege_type) from pg_namespace n, aclexplode(n.nspacl) a
          where n.nspname = 'rentsync' and a.grantee = $1::text::regrole
         order by 1",
    )
    .bind(role)
    .fetch_all(&mut database.connect().await)
    .await
    .expect("rights")
}

const DEFAULTS: &str = "alter default privileges grant all on tables to ROLE; alter default privileges grant all on sequences to ROLE;
    alter default privileges grant usage, create on schemas to ROLE; alter default privileges grant execute on functions to ROLE;";

#[tokio::test]
async fn promise_01_default_privileges_give_nobody_anything() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let database = &rig.source;
    let (app, relay_role) = (role(database).await, role(database).await);
    database.execute(&DEFAULTS.replace("ROLE", &app)).await;
    let done = output(relay(&rig, &["install", "--grant-to", &relay_role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains(&format!(
            "role {app} had rights in schema rentsync that nobody decided on"
        )),
        "{}",
        said(&done)
    );
    assert_eq!(rights_of(database, &app).await, [""; 0]);

    // As an installation of before has it, with all of them given by default.
    database
        .execute(&format!(
            "grant all on all tables in schema rentsync to {app}; grant all on all sequences in schema rentsync to {app};
             grant usage, create on schema rentsync to {app}; grant execute on all functions in schema rentsync to {app}"
        ))
        .await;
    let mut doctor = relay(&rig, &["doctor"]);
    doctor.env("DATABASE_URL", url_as(database, &relay_role));
    let found = said(&output(doctor).await);
    for part in [
        "rights that nobody decided on, by default privileges",
        &format!(
            "revoke delete, insert, references, select, trigger, truncate, update on table rentsync.alert from {app} cascade"
        ),
        &format!("may be executed by {app}"),
    ] {
        assert!(found.contains(part), "{part} in {found}");
    }
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(
        rights_of(database, &app).await,
        [""; 0],
        "nor does it count as the relay's"
    );
    let mut once = relay(&rig, &["once"]);
    once.env("DATABASE_URL", url_as(database, &relay_role));
    let done = output(once).await;
    assert_eq!(
        done.status.code(),
        Some(0),
        "the relay's role keeps what it needs: {}",
        said(&done)
    );
    drop_role(database, &app).await;
    drop_role(database, &relay_role).await;
}

#[tokio::test]
async fn promise_01_what_was_granted_by_hand_stays_where_it_was_documented_and_no_further() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let (by_hand, reader, writer) = (role(database).await, role(database).await, role(database).await);
    database
        .execute(&format!(
            "grant usage on schema rentsync to {by_hand}, {reader}, {writer};
             grant select, insert, update, delete on all tables in schema rentsync to {by_hand};
             grant usage, update on all sequences in schema rentsync to {by_hand};
             grant select on projects, project_rent_roll_units to {by_hand}, {reader};
             grant select on all tables in schema rentsync to {reader};
             grant execute on function rentsync.source_property(), rentsync.source_unit(), rentsync.kept_because(bigint) to {reader};
             grant insert on rentsync.sync to {writer}; grant update (units) on rentsync.feed to {writer};
             grant execute on function rentsync.attach(regclass, regclass, boolean), rentsync.forget_future() to {writer};
             grant select on rentsync.sync to public"
        ))
        .await;
    let before = rights_of(database, &reader).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains(&format!("role {by_hand} was granted by hand")),
        "{}",
        said(&done)
    );
    let mut after = rights_of(database, &reader).await;
    let added = ["units_of_hold", "news", "first_news", "is_owed"];
    after.retain(|right| !added.iter().any(|function| *right == format!("EXECUTE {function}")));
    assert_eq!(after, before, "and no more than reading");
    assert_eq!(rights_of(database, &writer).await, ["USAGE rentsync"]);
    let columns = "select count(*) from pg_attribute where attacl is not null and attrelid = 'rentsync.feed'::regclass";
    assert_eq!(database.number(columns).await, 0);
    let public = "select count(*) from pg_class c, aclexplode(c.relacl) a where relnamespace = 'rentsync'::regnamespace and grantee = 0";
    assert_eq!(database.number(public).await, 0);
    for command in [&["once"][..], &["doctor"]] {
        let mut command = relay(&rig, command);
        command.env("DATABASE_URL", url_as(database, &by_hand));
        let done = output(command).await;
        assert!(!said(&done).contains("permission denied"), "{}", said(&done));
        assert!(!said(&done).contains("nobody decided"), "{}", said(&done));
    }
    let mut hostile = connect_as(database, &by_hand).await;
    let accomplice = format!("insert into rentsync.relay_role (role_name) values ('{writer}')");
    assert_eq!(refusal(&mut hostile, &accomplice).await.as_deref(), Some(DENIED));
    drop(hostile);
    for role in [by_hand, reader, writer] {
        drop_role(database, &role).await;
    }
}

#[tokio::test]
async fn promise_02_the_first_connection_and_any_other_find_the_tables_and_keep_no_path() {
    let database = TestDatabase::bare().await;
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    database
        .execute(&format!("alter database {name} set search_path = public, pg_catalog"))
        .await;
    for times in 0..2 {
        let mut conn = database.database.connect().await.expect("connect");
        let path: String = sqlx::query_scalar("select current_setting('search_path')")
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert_eq!(path, "pg_catalog, pg_temp", "{times}");
        let tables = database
            .database
            .tables(&mut conn, &Config::default().source)
            .await
            .expect("tables");
        assert_eq!(tables, ["public.projects", "public.project_rent_roll_units"], "{times}");
    }
}

/// A schema rentsync of a stranger's, whose functions note that they were run; the stranger may do nothing but create schemas.
pub(super) async fn strangers_schema(database: &TestDatabase) -> String {
    let stranger = role(database).await;
    database
        .execute(&format!(
            "create table public.ran (what text); grant all on public.ran to public; grant usage on schema public to public;
             do $$ begin execute format('grant create on database %I to {stranger}', current_database()); end $$;
             set role {stranger};
             create schema rentsync;
             create function rentsync.evil() returns bigint language plpgsql as $$ begin
                 perform pg_catalog.set_config('default_transaction_read_only', 'off', false);
                 begin insert into public.ran values ('evil'); exception when others then null; end;
                 return {version}; end $$;
             create view rentsync.migration as select rentsync.evil() as version, true as success;
             create view rentsync.relay_role as select rentsync.evil()::text as role_name;
             create view rentsync.attachment as
                 select source, table_name::regclass, false as tolerant
                   from (values ('property', 'public.projects'), ('unit', 'public.project_rent_roll_units'))
                        as a (source, table_name);
             create function rentsync.detach(regclass, regclass) returns void language plpgsql as
                 $$ begin insert into public.ran values ('detach'); end $$;
             grant usage on schema rentsync to public; grant all on all tables in schema rentsync to public;
             reset role",
            version = capture::newest_migration(),
        ))
        .await;
    stranger
}

#[tokio::test]
async fn promise_02_uninstall_runs_nothing_of_a_strangers_schema() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = strangers_schema(&rig.source).await;
    let belongs = format!("schema rentsync belongs to {stranger}");
    refused(relay(&rig, &["uninstall"]), 2, &[&belongs]).await;
    refused(relay(&rig, &["uninstall", "--purge", "--yes"]), 2, &[&belongs]).await;
    assert_eq!(rig.source.number("select count(*) from public.ran").await, 0);
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_02_doctor_reads_nothing_of_a_strangers_schema() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = strangers_schema(&rig.source).await;
    let done = output(relay(&rig, &["doctor"])).await;
    let said = said(&done);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("schema rentsync belongs to {stranger}")),
        "{said}"
    );
    assert!(!said.contains("of this release, migration"), "{said}");
    assert_eq!(rig.source.number("select count(*) from public.ran").await, 0, "{said}");
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_02_a_schema_called_like_the_role_makes_nobody_the_owner_of_the_source() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = strangers_schema(&rig.source).await;
    rig.edit(&format!(
        "create schema postgres authorization {stranger}; set role {stranger};
         create table postgres.projects (id bigint);
         create table postgres.project_rent_roll_units (id bigint); reset role"
    ))
    .await;
    let belongs = format!("schema rentsync belongs to {stranger}");
    refused(relay(&rig, &["status"]), 2, &[&belongs]).await;
    refused(relay(&rig, &["uninstall"]), 2, &[&belongs]).await;
    assert_eq!(rig.source.number("select count(*) from public.ran").await, 0);
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_02_a_schema_called_like_the_relays_role_stops_no_relay() {
    let rig = Rig::delivered().await;
    let (own, stranger, owner) = (
        role(&rig.source).await,
        role(&rig.source).await,
        role(&rig.source).await,
    );
    let done = output(relay(&rig, &["install", "--grant-to", &own])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!(
        "alter schema rentsync owner to {owner}; alter table public.projects owner to {owner};
         alter table public.project_rent_roll_units owner to {owner};
         create schema {own} authorization {stranger}; set role {stranger};
         create table {own}.project_rent_roll_units (id bigint);
         grant usage on schema {own} to public; reset role"
    ))
    .await;
    let mut command = relay(&rig, &["once"]);
    command.env("DATABASE_URL", url_as(&rig.source, &own));
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for role in [stranger, own, owner] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_the_name_of_a_table_is_not_run() {
    let rig = Rig::delivered().await;
    let (own, other) = (role(&rig.source).await, role(&rig.source).await);
    rig.edit(&format!(
        "create table rentsync.\"relay to {other}; create table public.ran (); --\" (id bigint)"
    ))
    .await;
    let done = output(relay(&rig, &["install", "--grant-to", &own])).await;
    let said = said(&done);
    let ran = rig
        .source
        .number("select count(*) from pg_class where relname = 'ran' and relnamespace = 'public'::regnamespace")
        .await;
    assert_eq!(ran, 0, "{said}");
    assert_eq!(done.status.code(), Some(0), "{said}");
    for role in [own, other] {
        drop_role(&rig.source, &role).await;
    }
}

/// The source functions as they stand, as a file that names the tables without their schema.
async fn functions_without_schema(database: &TestDatabase) -> String {
    let functions: Vec<String> = sqlx::query_scalar(
        "select replace(replace(pg_get_functiondef(p.oid), 'public.', ''), '-- written by rentsync-relay install', '-- our own')
           from pg_proc p
          where p.pronamespace = 'rentsync'::regnamespace and p.proname in ('source_property', 'source_unit')",
    )
    .fetch_all(&mut database.connect().await)
    .await
    .expect("functions");
    functions.join(";\n")
}

#[tokio::test]
async fn promise_02_what_a_file_of_source_functions_sets_does_not_outlive_it() {
    let rig = Rig::delivered().await;
    let functions = functions_without_schema(&rig.source).await;
    let database = &rig.source.database;
    let source = Config::default().source;
    for word in ["set search_path = public", "reset all", "discard all"] {
        let sql = format!("{word};\n{functions}");
        let error = capture::install_with(database, &source, Some(&sql)).await.err();
        let error = format!("{:#}", error.expect("refused"));
        let begins = word.split(' ').next().expect("a word");
        assert!(
            error.contains(&format!("the statement in line 1 is {begins}")) && error.contains("with their schema"),
            "{error}"
        );
    }
    // A schema of the path's own is not looked in: what it finds the relay would not.
    let sql = format!("select set_config('search_path', 'public', false);\n{functions}");
    let error = capture::install_with(database, &source, Some(&sql)).await.err();
    let error = format!("{:#}", error.expect("refused"));
    assert!(error.contains("has to name tables with their schema"), "{error}");
}

#[tokio::test]
async fn promise_02_a_schema_called_like_the_role_decides_nothing() {
    let rig = Rig::delivered().await;
    let database = &rig.source;
    let (stranger, relay_role) = (role(database).await, role(database).await);
    capture::install_for(&database.database, &Config::default().source, Some(&relay_role))
        .await
        .expect("install");
    database
        .execute(&format!(
            "create schema {relay_role} authorization {stranger};
             set role {stranger}; create table {relay_role}.projects (); create table {relay_role}.project_rent_roll_units ();
             grant usage on schema {relay_role} to public; grant all on all tables in schema {relay_role} to public"
        ))
        .await;
    let as_relay = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", url_as(database, &relay_role));
        command
    };
    for command in [&["once"][..], &["status"]] {
        let done = output(as_relay(command)).await;
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", said(&done));
    }
    // Nor is a schema rentsync trusted for tables that only the stranger's schema has.
    database
        .execute(&format!(
            "alter table projects rename to p; alter table project_rent_roll_units rename to u; alter schema rentsync owner to {stranger}"
        ))
        .await;
    let done = output(as_relay(&["status"])).await;
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(said(&done).contains("schema rentsync belongs to"), "{}", said(&done));
    for role in [relay_role, stranger] {
        drop_role(database, &role).await;
    }
}

#[tokio::test]
async fn promise_01_the_name_of_a_table_is_no_statement() {
    let database = TestDatabase::installed().await;
    let (relay_role, stranger) = (role(&database).await, role(&database).await);
    database
        .execute(&format!(
            "create table rentsync.t (); create table rentsync.\"t to {relay_role}; alter role {stranger} superuser; --\" ();
             grant create, usage on schema rentsync to {stranger}; set role {stranger}; create table rentsync.strangers ()"
        ))
        .await;
    for _ in 0..2 {
        capture::install_for(&database.database, &Config::default().source, Some(&relay_role))
            .await
            .expect("install");
    }
    let superusers = "select count(*) from pg_roles where rolsuper and rolname like 'rentsync_role_%'";
    assert_eq!(database.number(superusers).await, 0);
    let rights = rights_of(&database, &relay_role).await;
    assert!(!rights.iter().any(|right| right.ends_with("strangers")), "{rights:?}");
    assert!(rights.iter().any(|right| right == "SELECT t"), "{rights:?}");
    for role in [relay_role, stranger] {
        drop_role(&database, &role).await;
    }
}

#[tokio::test]
async fn promise_01_the_name_of_a_schema_ends_no_text_that_it_is_put_into() {
    let database = TestDatabase::bare().await;
    let schema = "\"it's '; create table public.ran (); -- $source$ \\\"";
    database
        .execute(&format!(
            "create schema {schema}; alter table projects set schema {schema}; alter table project_rent_roll_units set schema {schema}"
        ))
        .await;
    let mut source = Config::default().source;
    source.properties_table = format!("{schema}.projects");
    source.units_table = format!("{schema}.project_rent_roll_units");
    for _ in 0..2 {
        capture::install(&database.database, &source).await.expect("install");
    }
    assert_eq!(database.number("select count(*) from rentsync.source_unit()").await, 0);
    assert_eq!(
        database
            .number("select count(*) from pg_class where relname = 'ran' and relnamespace = 'public'::regnamespace")
            .await,
        0
    );
}

/// What in schema rentsync belongs to anybody but this role.
async fn not_of(database: &TestDatabase, owner: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_class c where c.relnamespace = 'rentsync'::regnamespace and pg_get_userbyid(c.relowner) <> $1
          union all
         select p.proname::text from pg_proc p where p.pronamespace = 'rentsync'::regnamespace and pg_get_userbyid(p.proowner) <> $1
          union all
         select n.nspname::text from pg_namespace n where n.nspname = 'rentsync' and pg_get_userbyid(n.nspowner) <> $1",
    )
    .bind(owner)
    .fetch_all(&mut database.connect().await)
    .await
    .expect("owners")
}

#[tokio::test]
async fn promise_01_what_a_superuser_installs_is_the_owners_of_the_tables_and_mightier_nowhere() {
    let source = Config::default().source;
    // Anew, and over an installation that a superuser left.
    for installed_before in [false, true] {
        let database = match installed_before {
            true => TestDatabase::installed().await,
            false => TestDatabase::bare().await,
        };
        let owner = role(&database).await;
        database
            .execute(&format!(
                "alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner}"
            ))
            .await;
        if !installed_before {
            let refused = capture::install(&database.database, &source).await.err();
            let refused = refused.expect("refused").to_string();
            assert!(refused.contains("name it in database.schema_owner"), "{refused}");
        }
        let trusting = database.database.clone().trusting(vec![owner.clone()]);
        capture::install(&trusting, &source).await.expect("install");
        assert_eq!(not_of(&database, &owner).await, [] as [String; 0], "{installed_before}");
        // The owner's own install goes on from there.
        let as_owner =
            rentsync_relay::database::Database::from_options(url_as(&database, &owner).parse().expect("a URL"));
        capture::install(&as_owner, &source).await.expect("as the owner");
        database
            .execute("insert into projects (id, name, is_actived) values (1, 'One', true)")
            .await;
        assert!(database.number("select count(*) from rentsync.outbox").await > 0);
        // What is the owner's runs with a superuser's rights only where a person named the owner.
        let refused = capture::uninstall(&database.database.clone().trusting(Vec::new()), &source, true).await;
        let refused = refused.expect_err("refused").to_string();
        assert!(refused.contains("name it in database.schema_owner"), "{refused}");
        capture::uninstall(&trusting, &source, true).await.expect("uninstall");
        drop_role(&database, &owner).await;
    }
}

#[tokio::test]
async fn promise_22_tables_of_two_owners_are_refused_in_one_sentence() {
    let database = TestDatabase::bare().await;
    let (one, other) = (role(&database).await, role(&database).await);
    database
        .execute(&format!(
            "alter table projects owner to {one}; alter table project_rent_roll_units owner to {other}"
        ))
        .await;
    let trusting = database.database.clone().trusting(vec![one.clone(), other.clone()]);
    let refused = capture::install(&trusting, &Config::default().source).await;
    let refused = refused.err().expect("refused").to_string();
    assert!(refused.contains("belong to two roles"), "{refused}");
    assert_eq!(
        database
            .number("select count(*) from pg_namespace where nspname = 'rentsync'")
            .await,
        0
    );
    database.execute(&format!("grant {one} to {other}")).await;
    capture::install(&trusting, &Config::default().source)
        .await
        .expect("the one may act as the other");
    assert_eq!(not_of(&database, &other).await, [] as [String; 0]);
    for role in [one, other] {
        drop_role(&database, &role).await;
    }
}

#[tokio::test]
async fn promise_01_what_a_role_hung_on_our_tables_does_not_outlive_an_install() {
    let rig = Rig::delivered().await;
    let stranger = role(&rig.source).await;
    rig.edit(&format!(
        "grant trigger on all tables in schema rentsync to {stranger}; grant usage on schema rentsync to {stranger};
         create schema hers authorization {stranger}; set role {stranger};
         create function hers.stop() returns trigger language plpgsql as $$ begin raise 'stopped'; end $$;
         create trigger stop before insert on rentsync.outbox for each row execute function hers.stop(); reset role;
         create trigger swallow before insert on rentsync.outbox for each row execute function rentsync.capture_truncate();
         create trigger fail before insert on rentsync.outbox for each row
            execute function tsvector_update_trigger('x', 'pg_catalog.english', 'y');
         create rule nothing as on insert to rentsync.alert do instead nothing"
    ))
    .await;
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains("trigger stop on rentsync.outbox"), "{doctor}");
    let installed = said(&output(relay(&rig, &["install"])).await);
    for what in [
        "trigger stop on rentsync.outbox",
        "trigger swallow on rentsync.outbox",
        "trigger fail on rentsync.outbox",
        "rule nothing on rentsync.alert",
    ] {
        assert!(
            installed.contains(&format!("{what} was none of the relay's")),
            "{installed}"
        );
    }
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    rig.sandbox.clear_log();
    rig.settle().await;
    assert_eq!(rig.sandbox.syncs().len(), 1, "the change was captured");
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(!doctor.contains("somebody else hung"), "{doctor}");
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_24_who_may_read_goes_on_reading_also_what_a_release_adds_and_through_whom_it_came() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let (reader, second) = (role(database).await, role(database).await);
    database
        .execute(&format!(
            "grant usage on schema rentsync to {reader}, {second};
             grant select on rentsync.receiver, rentsync.feed, rentsync.ledger, rentsync.sync, rentsync.attempt to {reader} with grant option;
             grant select (feed_id, sequence) on rentsync.sync_feed to {reader} with grant option;
             grant select on rentsync.sync_feed to {reader};
             set role {reader};
             grant select on rentsync.feed to {second};
             reset role;
             grant select on projects, project_rent_roll_units to {reader};
             grant select on all tables in schema rentsync to public"
        ))
        .await;
    let installed = output(relay(&rig, &["install"])).await;
    assert_eq!(installed.status.code(), Some(0), "{}", said(&installed));
    for part in [
        format!("role {reader} had rights in schema rentsync that nobody decided on"),
        "just anybody (public) had rights".to_owned(),
        format!("role {reader} may read schema rentsync: it is granted"),
    ] {
        assert!(said(&installed).contains(&part), "{part} in {}", said(&installed));
    }
    assert!(
        !said(&installed).contains(&second),
        "it may do what it could: {}",
        said(&installed)
    );
    let may = async |who: &str, function: &str, what: &str, right: &str| {
        let query = format!("select has_{function}_privilege($1, $2, $3)");
        let query = sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(query));
        let mut conn = database.connect().await;
        query
            .bind(who)
            .bind(what)
            .bind(right)
            .fetch_one(&mut conn)
            .await
            .unwrap()
    };
    assert!(may(&second, "table", "rentsync.feed", "select").await);
    assert!(!may(&second, "table", "rentsync.ledger", "select").await);
    assert!(!may(&reader, "table", "rentsync.feed", "select with grant option").await);
    assert!(!may(&reader, "any_column", "rentsync.sync_feed", "select with grant option").await);
    for arguments in [
        &["status"][..],
        &["holds", "list"],
        &["explain", "1001"],
        &["verify"],
        &["feeds", "list"],
    ] {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", url_as(database, &reader));
        let read = said(&output(command).await);
        assert!(
            !read.contains("lacks a right") || read.contains("project"),
            "{arguments:?}: {read}"
        );
    }
    let again = said(&output(relay(&rig, &["install"])).await);
    assert!(!again.contains(&reader), "{again}");
    drop_role(database, &second).await;
    drop_role(database, &reader).await;
}

#[tokio::test]
async fn promise_21_a_right_that_is_lost_while_it_runs_stops_sending_until_it_is_back() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let role = role(database).await;
    let done = output(relay(&rig, &["install", "--grant-to", &role])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let mut command = relay(&rig, &["run"]);
    command.env("DATABASE_URL", url_as(database, &role));
    let mut running = command.spawn().expect("run");
    at_rest(&rig).await;
    rig.sandbox.clear_log();
    rig.edit(&format!("revoke update on rentsync.lag_count from {role}"))
        .await;
    rig.edit("update project_rent_roll_units set price = 5 where id = 11")
        .await;
    let line = logged(&mut running, "lacks update on rentsync.lag_count").await;
    assert!(line.contains("install --grant-to"), "{line}");
    rig.edit("update project_rent_roll_units set price = 5 where id = 21")
        .await;
    let sealed = async {
        while database
            .number("select count(*) from rentsync.sync where state = 'open'")
            .await
            < 2
        {}
    };
    tokio::time::timeout(LIMIT, sealed).await.expect("planning goes on");
    rig.edit(&format!("grant update on rentsync.lag_count to {role}")).await;
    at_rest(&rig).await;
    let second = rig
        .requests()
        .into_iter()
        .filter(|(property, ..)| *property == 2)
        .count();
    assert_eq!(second, 1, "nothing was sent that could not be written down");
    rig.assert_equal().await;
    signal(&running, Signal::TERM);
    assert_eq!(ended(running).await, Some(0));
    drop_role(database, &role).await;
}
