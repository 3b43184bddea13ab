//! Whose code runs: what a stranger put in the way, and what becomes of the schema when the source gets another owner.

use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::rights::{drop_role, role, strangers_schema, url_as};
use crate::process::{LIMIT, ended, output, refused, relay, said, signal};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

const RAN: &str = "select count(*) from public.ran";

#[tokio::test]
async fn promise_02_tables_of_a_strangers_make_nobody_trusted_by_a_superuser() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = strangers_schema(&rig.source).await;
    // The source is not in this database, and whoever may create can put tables of that name there.
    rig.edit(&format!(
        "drop table project_rent_roll_units, projects; grant create on schema public to {stranger}; set role {stranger};
         create table public.projects (id bigint); create table public.project_rent_roll_units (id bigint); reset role"
    ))
    .await;
    let belongs = format!("schema rentsync belongs to {stranger}");
    for command in [&["status"][..], &["uninstall"], &["verify"], &["install"]] {
        refused(relay(&rig, command), 2, &[&belongs, "superuser's rights"]).await;
    }
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains(&belongs), "{doctor}");
    assert_eq!(rig.source.number(RAN).await, 0);
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_02_tables_put_in_the_way_of_the_source_decide_nothing() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let own = role(&rig.source).await;
    let stranger = strangers_schema(&rig.source).await;
    // On the relay's path stands a schema that was not there until the stranger made it.
    rig.edit(&format!(
        "alter role {own} set search_path = app, public; grant usage on schema public to {own};
         grant select on projects, project_rent_roll_units to {own}; set role {stranger};
         create schema app; grant usage on schema app to public;
         create table app.projects (id bigint); create table app.project_rent_roll_units (id bigint); reset role"
    ))
    .await;
    for command in [&["status"][..], &["once"], &["verify"]] {
        let mut command = relay(&rig, command);
        command.env("DATABASE_URL", url_as(&rig.source, &own));
        refused(command, 2, &[&format!("schema rentsync belongs to {stranger}")]).await;
    }
    assert_eq!(rig.source.number(RAN).await, 0);
    drop_role(&rig.source, &stranger).await;
    drop_role(&rig.source, &own).await;
}

#[tokio::test]
async fn promise_02_a_running_relay_uses_nothing_of_a_schema_made_anew_by_a_stranger() {
    let rig = Rig::delivered().await;
    let mut child = relay(&rig, &["run"]).spawn().expect("run");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let mut says = async |part: &str| loop {
        let line = tokio::time::timeout(LIMIT, lines.next_line()).await.expect("a line");
        let line = line.unwrap().expect("a line");
        if line.contains(part) {
            return line;
        }
    };
    rig.sandbox.clear_log();
    rig.edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    assert!(
        rig.sandbox
            .wait_until(|sandbox| !sandbox.syncs().is_empty(), LIMIT)
            .await
    );
    let stranger = role(&rig.source).await;
    let mut conn = rig.source.connect().await;
    execute(
        &mut conn,
        "create table public.ran (what text); grant all on public.ran to public",
    )
    .await;
    // The relay is at work on the same tables all the while.
    let drop = "do $$ begin loop begin drop schema rentsync cascade; exit; exception when deadlock_detected then null; end; end loop; end $$";
    execute(&mut conn, drop).await;
    execute(
        &mut conn,
        &format!(
            "begin; create schema rentsync authorization {stranger};
             create function rentsync.note() returns trigger language plpgsql as
                 $$ begin insert into public.ran values ('note'); return new; end $$;
             create table rentsync.relay (relay_id bigint generated always as identity, name text, receivers text[],
                                          beat_at timestamptz default now());
             create trigger note before insert or update or delete on rentsync.relay for each row execute function rentsync.note();
             insert into rentsync.relay (name, receivers) select 'relay', null from generate_series(1, 50);
             grant usage on schema rentsync to public; grant all on all tables in schema rentsync to public;
             truncate public.ran;
             do $$ declare o record; begin
                 for o in select c.oid::regclass as name from pg_class c where c.relnamespace = 'rentsync'::regnamespace and c.relkind = 'r'
                 loop execute format('alter table %s owner to {stranger}', o.name); end loop; end $$;
             commit"
        ),
    )
    .await;
    says("who is not to be trusted with it").await;
    assert_eq!(rig.source.number(RAN).await, 0);
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
    assert_eq!(rig.source.number(RAN).await, 0, "nor at its end");
    drop_role(&rig.source, &stranger).await;
}

/// What is in schema rentsync and on the source, and by which transactions.
const STANDING: &str = "select md5(string_agg(row, ' ' order by row)) from (
    select concat('c', oid, relowner, xmin) as row from pg_class where relnamespace = 'rentsync'::regnamespace
    union all select concat('p', oid, proowner, xmin) from pg_proc where pronamespace = 'rentsync'::regnamespace
    union all select concat('n', oid, nspowner, xmin) from pg_namespace where nspname = 'rentsync'
    union all select concat('t', oid, xmin) from pg_trigger where tgrelid in ('projects'::regclass, 'project_rent_roll_units'::regclass)) as s";

async fn standing(rig: &Rig) -> String {
    let mut conn = rig.source.connect().await;
    sqlx::query_scalar(STANDING).fetch_one(&mut conn).await.expect("a look")
}

fn give(to: &str) -> String {
    format!("alter table projects owner to {to}; alter table project_rent_roll_units owner to {to}")
}

/// A role that may act as both of two.
async fn acting_as(database: &TestDatabase, [one, other]: [&str; 2]) -> String {
    let both = role(database).await;
    database.execute(&format!("grant {one}, {other} to {both}")).await;
    both
}

#[tokio::test]
async fn promise_02_nothing_is_installed_into_a_former_owners_schema() {
    let rig = Rig::new().await;
    let database = &rig.source;
    let (before, after, own) = (role(database).await, role(database).await, role(database).await);
    let both = acting_as(database, [&before, &after]).await;
    let as_role = |role: Option<&str>, arguments: &[&str], trusted: &str| {
        let mut command = relay(&rig, arguments);
        if let Some(role) = role {
            command.env("DATABASE_URL", url_as(&rig.source, role));
        }
        command.env("RELAY_DATABASE__SCHEMA_OWNER", trusted);
        command
    };
    let does = async |command| {
        let done = output(command).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    };
    rig.edit(&give(&before)).await;
    does(as_role(None, &["install", "--grant-to", &own], &before)).await;
    does(as_role(Some(&own), &["once"], &before)).await;
    let run = as_role(Some(&own), &["run"], &before).spawn().expect("run");
    rig.edit(&give(&after)).await;

    let stood = standing(&rig).await;
    let belongs = format!("schema rentsync belongs to {before}");
    let says = format!("{belongs}, and the source to {after}: what {before} left in it would run as {after}");
    let todo = "run `rentsync-relay uninstall --purge`";
    let named = format!("['{before}', '{after}']");
    for role in [None, Some(both.as_str()), Some(after.as_str())] {
        refused(
            as_role(role, &["install"], &named),
            2,
            &[&says, todo, "nothing was changed"],
        )
        .await;
    }
    refused(as_role(Some(&both), &["uninstall"], &named), 2, &[&says]).await;
    refused(as_role(Some(&own), &["once"], "nobody"), 2, &[&belongs, todo]).await;
    assert_eq!(standing(&rig).await, stood);
    // Writes are captured, and the relay whose person named the former owner goes on.
    rig.sandbox.clear_log();
    rig.edit("update project_rent_roll_units set price = 2 where id = 11")
        .await;
    assert!(
        rig.sandbox
            .wait_until(|sandbox| !sandbox.syncs().is_empty(), LIMIT)
            .await
    );
    let doctor = said(&output(as_role(Some(&own), &["doctor"], &before)).await);
    assert!(doctor.contains(&says), "{doctor}");
    signal(&run, Signal::TERM);
    assert_eq!(ended(run).await, Some(0));

    does(as_role(Some(&both), &["uninstall", "--purge", "--yes"], &named)).await;
    rig.edit(&format!(
        "do $$ begin execute format('grant create on database %I to {after}', current_database()); end $$"
    ))
    .await;
    does(as_role(Some(&after), &["install", "--grant-to", &own], &after)).await;
    rig.edit("update project_rent_roll_units set price = 3 where id = 11")
        .await;
    does(as_role(Some(&own), &["once"], &after)).await;
    rig.assert_equal().await;
    let doctor = said(&output(as_role(Some(&own), &["doctor"], &after)).await);
    assert!(!doctor.contains("belongs to"), "{doctor}");
    for role in [own, both, before, after] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_nothing_of_a_former_owners_runs_as_anybody_else_until_it_is_purged() {
    for purges_as_both in [false, true] {
        let rig = Rig::new().await;
        let (before, after) = (role(&rig.source).await, role(&rig.source).await);
        let both = acting_as(&rig.source, [&before, &after]).await;
        let named = format!("['{before}', '{after}']");
        let with_names = |arguments: &[&str]| {
            let mut command = relay(&rig, arguments);
            command.env("RELAY_DATABASE__SCHEMA_OWNER", &named);
            if purges_as_both {
                command.env("DATABASE_URL", url_as(&rig.source, &both));
            }
            command
        };
        rig.edit(&format!("alter schema rentsync owner to {before}; {}", give(&before)))
            .await;
        let done = output(with_names(&["install"])).await;
        assert_eq!(purges_as_both, done.status.code() != Some(0), "{}", said(&done));
        if purges_as_both {
            // A superuser's tables in it are given by a superuser.
            let mut install = relay(&rig, &["install"]);
            install.env("RELAY_DATABASE__SCHEMA_OWNER", &named);
            let done = output(install).await;
            assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        }
        rig.edit(&format!(
            "create table public.ran (what text); grant all on public.ran to public; grant create on schema public to {before};
             set role {before};
             create function public.acts() returns boolean language plpgsql as
                 $$ begin if current_user <> '{before}' then insert into public.ran values (current_user); end if; return true; end $$;
             create or replace function rentsync.lock_source(properties regclass, units regclass, mode text) returns void language plpgsql as
                 $$ begin perform public.acts(); end $$;
             create or replace function rentsync.detach(properties regclass, units regclass) returns void language plpgsql as
                 $$ begin perform public.acts(); end $$;
             alter table rentsync.migration rename to kept;
             create view rentsync.migration as select * from rentsync.kept where public.acts();
             alter table rentsync.outbox alter column occurred_at set default case when public.acts() then clock_timestamp() end;
             reset role; {}",
            give(&after)
        ))
        .await;
        for command in [&["install"][..], &["uninstall"]] {
            refused(with_names(command), 2, &["would run as", "nothing was changed"]).await;
        }
        let done = output(with_names(&["uninstall", "--purge", "--yes"])).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert_eq!(rig.source.number(RAN).await, 0);
        let left = "select (select count(*) from pg_namespace where nspname = 'rentsync')
                         + (select count(*) from pg_trigger where tgname like 'rentsync%')";
        assert_eq!(rig.source.number(left).await, 0);
        for role in [both, before, after] {
            drop_role(&rig.source, &role).await;
        }
    }
}

/// Three ways to the source for an owner whom nobody named; what each puts there notes as whom it runs.
#[tokio::test]
async fn promise_01_no_superusers_command_reads_a_source_whose_owner_nobody_named() {
    for way in [
        "a superuser's schema",
        "a schema of another who is named",
        "a part of the source",
    ] {
        let rig = Rig::delivered().await;
        let (owner, other) = (role(&rig.source).await, role(&rig.source).await);
        rig.edit("create table public.ran (what text); grant all on public.ran to public")
            .await;
        if way == "a schema of another who is named" {
            rig.edit(&give(&other)).await;
            let mut install = relay(&rig, &["install"]);
            install.env("RELAY_DATABASE__SCHEMA_OWNER", &other);
            let done = output(install).await;
            assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        }
        rig.edit(&match way {
            "a part of the source" => format!(
                "create table public.part () inherits (project_rent_roll_units); alter table public.part owner to {owner}"
            ),
            _ => format!(
                "{}; grant create on schema public to {owner}; set role {owner};
                 create function public.acts() returns boolean language plpgsql as
                     $$ begin insert into public.ran values (current_user); return true; end $$;
                 alter table projects rename to projects_; create view projects as select * from projects_ where public.acts();
                 reset role",
                give(&owner)
            ),
        })
        .await;
        let stood = standing(&rig).await;
        let says =
            format!("the source tables belong to {owner}, and what is {owner}'s would run with a superuser's rights");
        let with_name = |arguments: &[&str]| {
            let mut command = relay(&rig, arguments);
            command.env("RELAY_DATABASE__SCHEMA_OWNER", &other);
            command
        };
        for command in [
            &["status"][..],
            &["once"],
            &["verify"],
            &["preview"],
            &["snapshot"],
            &["erase", "--unit", "11"],
        ] {
            refused(with_name(command), 2, &[&says]).await;
        }
        // `install` wants a table before anything else.
        let done = output(with_name(&["install"])).await;
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains("nothing was changed"), "{}", said(&done));
        let doctor = said(&output(with_name(&["doctor"])).await);
        assert!(
            doctor.contains(&says) && !doctor.contains("of this release, migration"),
            "{doctor}"
        );
        assert_eq!(rig.source.number(RAN).await, 0, "{way}");
        assert_eq!(standing(&rig).await, stood, "{way}");
        for role in [other, owner] {
            drop_role(&rig.source, &role).await;
        }
    }
}

/// What doctor names, and what is a DBA's own business.
#[tokio::test]
async fn promise_02_doctor_names_whatever_in_the_schema_is_not_as_the_release_makes_it() {
    let rig = Rig::delivered().await;
    let stranger = role(&rig.source).await;
    rig.edit(
        "create index dba1 on rentsync.sync (sync_id collate \"C\" desc) include (state) with (fillfactor = 80);
         create index dba2 on rentsync.sync (receiver text_pattern_ops); create index dba3 on rentsync.attempt using brin (started_at);
         alter table rentsync.outbox set (fillfactor = 90); alter table rentsync.ledger replica identity full",
    )
    .await;
    let doctor = async || said(&output(relay(&rig, &["doctor"])).await);
    let shown = doctor().await;
    assert!(shown.contains("all as this release makes them"), "{shown}");
    for (changed, undone, what) in [
        (
            "create function rentsync.\"is_owed(kind text): x\"() returns bigint language sql as 'select 1::bigint'",
            "drop function rentsync.\"is_owed(kind text): x\"()",
            "function is_owed(kind text): x() is none of the relay's",
        ),
        (
            "create index dba4 on rentsync.outbox ((op || ' ON ('))",
            "drop index rentsync.dba4",
            "index dba4 is none of the relay's",
        ),
        (
            "create index dba5 on rentsync.sync (due_at) where state = 'open'",
            "drop index rentsync.dba5",
            "index dba5 is none of the relay's",
        ),
        (
            "create unique index dba6 on rentsync.alert (alert_id)",
            "drop index rentsync.dba6",
            "index dba6 is none of the relay's",
        ),
        (
            "drop index rentsync.sync_over; create index sync_over on rentsync.sync (settled_at) where (settled_at is not null or state <> ' ON x')",
            "drop index rentsync.sync_over; create index sync_over on rentsync.sync (settled_at) where settled_at is not null",
            "index sync_over differs from this release's",
        ),
        (
            "alter table rentsync.alert set unlogged",
            "alter table rentsync.alert set logged",
            "relation alert differs from this release's",
        ),
        (
            "alter table rentsync.feed replica identity nothing",
            "alter table rentsync.feed replica identity default",
            "relation feed differs from this release's",
        ),
        (
            "alter table rentsync.alert alter column kind type text collate \"C\"",
            "alter table rentsync.alert alter column kind type text collate \"default\"",
            "column alert.kind differs from this release's",
        ),
        (
            "alter sequence rentsync.sync_sequence maxvalue 5000000000000000 cycle",
            "alter sequence rentsync.sync_sequence no maxvalue no cycle",
            "sequence sync_sequence differs from this release's",
        ),
        (
            "alter function rentsync.is_owed(text) strict",
            "alter function rentsync.is_owed(text) called on null input",
            "function is_owed(kind text) differs from this release's",
        ),
        (
            "alter function rentsync.is_owed(text) parallel safe",
            "alter function rentsync.is_owed(text) parallel unsafe",
            "function is_owed(kind text) differs from this release's",
        ),
        (
            "alter function rentsync.is_owed(text) owner to STRANGER",
            "alter function rentsync.is_owed(text) owner to current_user",
            "function is_owed(kind text) differs from this release's",
        ),
        (
            "alter table rentsync.horizon owner to STRANGER",
            "alter table rentsync.horizon owner to current_user",
            "relation horizon differs from this release's",
        ),
        (
            "create type rentsync.typed as (feed_id bigint); create table rentsync.typed_table of rentsync.typed",
            "drop type rentsync.typed cascade",
            "relation typed_table is none of the relay's",
        ),
        (
            "update pg_index set indisvalid = false where indexrelid = 'rentsync.sync_due'::regclass",
            "update pg_index set indisvalid = true where indexrelid = 'rentsync.sync_due'::regclass",
            "index sync_due differs from this release's",
        ),
    ] {
        rig.edit(&changed.replace("STRANGER", &stranger)).await;
        let shown = doctor().await;
        assert!(shown.contains(what), "{changed}: {shown}");
        rig.edit(undone).await;
    }
    let shown = doctor().await;
    assert!(shown.contains("all as this release makes them"), "{shown}");
    drop_role(&rig.source, &stranger).await;
}

/// The cast is its type's owner's; the output function is not.
#[tokio::test]
async fn promise_01_no_cast_of_an_enums_owner_is_run() {
    let rig = Rig::new().await;
    let stranger = role(&rig.source).await;
    rig.edit(&format!(
        "create table public.ran (what text); grant all on public.ran to public;
         create schema types authorization {stranger}; grant usage on schema types to public; set role {stranger};
         create type types.status as enum ('Available', 'Rented', '');
         create function types.says(types.status) returns text language plpgsql as
             $$ begin insert into public.ran values (current_user); return 'said'; end $$;
         create cast (types.status as text) with function types.says(types.status);
         create domain types.building as types.status; reset role;
         alter table project_rent_roll_units alter column rentroll_status type types.status using 'Available'::types.status;
         alter table project_rent_roll_units alter column building type types.building using 'Rented'::types.status;
         update project_rent_roll_units set building = null where id = 12;
         update project_rent_roll_units set building = '' where id = 21"
    ))
    .await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let read = "select count(*) from rentsync.source_unit() s
                 where s.status_name = 'Available' and s.building is not distinct from
                       (case s.unit_id when 12 then null when 21 then '' else 'Rented' end)";
    assert_eq!(
        rig.source.number(read).await,
        rig.source.number("select count(*) from project_rent_roll_units").await
    );
    let done = output(relay(&rig, &["once"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains("rentsync.source_unit() is inlined"), "{doctor}");
    assert_eq!(rig.source.number(RAN).await, 0);
    rig.edit("drop schema types cascade").await;
    drop_role(&rig.source, &stranger).await;
}

/// A writer that holds the source and the outbox; another one that comes meanwhile and waits for nobody.
#[tokio::test]
async fn promise_24_taking_over_makes_no_writer_wait_for_another() {
    let rig = Rig::delivered().await;
    let owner = role(&rig.source).await;
    rig.edit(&format!(
        "create rule nothing as on insert to rentsync.outbox where false do nothing;
         alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner}"
    ))
    .await;
    let mut holder = rig.source.connect().await;
    execute(
        &mut holder,
        "begin; update project_rent_roll_units set price = 4 where id = 11",
    )
    .await;
    let mut install = relay(&rig, &["install"]);
    install.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
    let install = tokio::spawn(output(install));
    let mut writer = rig.source.connect().await;
    // It waits for the source's lock, if at all, a tenth of a second at a time.
    execute(&mut writer, "set lock_timeout = '5s'").await;
    for price in 0..20 {
        execute(
            &mut writer,
            &format!("update project_rent_roll_units set price = {price} where id = 12"),
        )
        .await;
        if install.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    execute(&mut holder, "commit").await;
    let done = install.await.expect("install");
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains("rule nothing on rentsync.outbox was none"),
        "{}",
        said(&done)
    );
    let mut once = relay(&rig, &["once"]);
    once.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
    let done = output(once).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;
    drop_role(&rig.source, &owner).await;
}

#[tokio::test]
async fn promise_01_a_foreign_key_hung_on_our_tables_acts_in_no_command() {
    let rig = Rig::delivered().await;
    let stranger = role(&rig.source).await;
    let hang = format!(
        "create schema if not exists hers authorization {stranger}; grant usage on schema rentsync to {stranger};
         grant references, select on rentsync.attachment to {stranger}; set role {stranger};
         create table hers.loot (source text references rentsync.attachment (source) on delete cascade);
         insert into hers.loot values ('unit'); reset role"
    );
    rig.edit(&hang).await;
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains("foreign key loot_source_fkey of hers.loot"), "{doctor}");
    let done = output(relay(&rig, &["install"])).await;
    assert!(
        said(&done).contains("foreign key loot_source_fkey of hers.loot was none"),
        "{}",
        said(&done)
    );
    rig.edit(&format!("drop table hers.loot; {hang}")).await;
    let done = output(relay(&rig, &["uninstall"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(
        rig.source.number("select count(*) from hers.loot").await,
        1,
        "nothing was deleted"
    );
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_01_a_foreign_key_that_install_can_not_take_off_is_named_with_whoever_can() {
    let rig = Rig::delivered().await;
    let (owner, stranger) = (role(&rig.source).await, role(&rig.source).await);
    rig.edit(&format!(
        "alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner}"
    ))
    .await;
    let mut install = relay(&rig, &["install"]);
    install.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
    let done = output(install).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!(
        "create schema if not exists hers authorization {stranger}; grant usage on schema rentsync to {stranger};
         grant references on rentsync.attachment to {stranger}; set role {stranger};
         create table hers.loot (source text references rentsync.attachment (source)); reset role"
    ))
    .await;
    let mut install = relay(&rig, &["install"]);
    install.env("DATABASE_URL", url_as(&rig.source, &owner));
    refused(
        install,
        1,
        &[
            "foreign key loot_source_fkey of hers.loot refers to the relay's tables",
            &format!("only {stranger}, whose table it is, or a superuser can"),
            "`alter table hers.loot drop constraint loot_source_fkey`",
            "nothing was changed",
        ],
    )
    .await;
    rig.edit("drop schema hers cascade").await;
    drop_role(&rig.source, &stranger).await;
    rig.edit(&format!("reassign owned by {owner} to postgres")).await;
    drop_role(&rig.source, &owner).await;
}

#[tokio::test]
async fn promise_01_functions_that_somebody_put_into_the_schema_do_not_outlive_an_install() {
    let database = TestDatabase::installed().await;
    let stranger = role(&database).await;
    // One in the place of ours, so that writing it anew would leave it the stranger's; one that could pass for ours.
    database
        .execute(&format!(
            "grant usage, create on schema rentsync to {stranger}; drop function rentsync.forget_future(); set role {stranger};
             create function rentsync.forget_future() returns bigint language sql as 'select 1::bigint';
             create function rentsync.detach(regclass) returns void language sql as 'select null::void'; reset role"
        ))
        .await;
    let done = capture::install(&database.database, &Config::default().source).await;
    let taken_off = done.expect("install").taken_off;
    assert_eq!(
        taken_off,
        [
            "function rentsync.detach(regclass)",
            "function rentsync.forget_future()"
        ]
    );
    let theirs = "select count(*) from pg_proc p, pg_namespace n
                   where n.nspname = 'rentsync' and p.pronamespace = n.oid and p.proowner <> n.nspowner";
    assert_eq!(database.number(theirs).await, 0);
    // An overload of the owner's own is no obstacle.
    database
        .execute("create function rentsync.detach(bigint) returns void language sql as 'select null::void'")
        .await;
    capture::install(&database.database, &Config::default().source)
        .await
        .expect("install");
    drop_role(&database, &stranger).await;
}

#[tokio::test]
async fn promise_01_the_source_is_read_with_a_superusers_rights_only_for_an_owner_that_a_person_named() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let owner = role(&rig.source).await;
    rig.edit(&format!(
        "create table public.ran (what text); alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner};
         insert into projects (id, name, is_actived) values (1, 'One', true);
         insert into project_rent_roll_units (id, project_id) values (11, 1);
         create type public.stat as enum ('Avail'); create function public.c(public.stat) returns text language plpgsql as
             $$ begin perform set_config('role', session_user, true); insert into public.ran values ('c'); return 'x'; end $$;
         create cast (public.stat as text) with function public.c(public.stat);
         alter table project_rent_roll_units alter column rentroll_status type public.stat using 'Avail'::public.stat"
    ))
    .await;
    let says =
        format!("the source tables belong to {owner}, and what is {owner}'s would run with a superuser's rights");
    refused(relay(&rig, &["install"]), 2, &[&says, "nothing was changed"]).await;
    assert_eq!(rig.source.number(RAN).await, 0);
    assert_eq!(
        rig.source
            .number("select count(*) from pg_namespace where nspname = 'rentsync'")
            .await,
        0
    );
    drop_role(&rig.source, &owner).await;
}

/// As a dump restores it: the triggers with it, under another oid.
#[tokio::test]
async fn promise_22_a_source_table_that_was_made_anew_is_attached_and_let_go_again() {
    for command in [&["install"][..], &["uninstall"]] {
        let rig = Rig::delivered().await;
        rig.edit(
            "create table anew (like project_rent_roll_units including all); insert into anew select * from project_rent_roll_units;
             drop table project_rent_roll_units; alter table anew rename to project_rent_roll_units;
             create trigger rentsync_insert after insert on project_rent_roll_units referencing new table as touched
                 for each statement execute function rentsync.capture_units()",
        )
        .await;
        let done = output(relay(&rig, command)).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        let triggers = "select count(*) from pg_trigger g join pg_proc p on p.oid = g.tgfoid
                         where p.pronamespace = 'rentsync'::regnamespace and g.tgrelid = 'project_rent_roll_units'::regclass";
        let expected = if command == ["install"] { 6 } else { 0 };
        assert_eq!(rig.source.number(triggers).await, expected, "{command:?}");
        if expected > 0 {
            rig.edit("update project_rent_roll_units set price = 5 where id = 11")
                .await;
            rig.once().await;
            rig.assert_equal().await;
        }
    }
}

#[tokio::test]
async fn promise_22_a_source_table_without_our_triggers_is_an_alert_until_install() {
    let rig = Rig::delivered().await;
    let mut run = relay(&rig, &["run"]);
    run.env("RELAY_RELAY__SWEEP_EVERY", "100ms");
    let child = run.spawn().expect("run");
    let open = "select count(*) from rentsync.alert where kind = 'not_captured' and acked_at is null";
    let wait_until = async |expected: i64| {
        let waited = async { while rig.source.number(open).await != expected {} };
        tokio::time::timeout(LIMIT, waited).await.expect("the alert");
    };
    rig.edit(
        "create table anew (like project_rent_roll_units including all); insert into anew select * from project_rent_roll_units;
         alter table project_rent_roll_units rename to put_away; alter table anew rename to project_rent_roll_units;
         update project_rent_roll_units set price = 6 where id = 11",
    )
    .await;
    wait_until(1).await;
    // Named, and with what to do.
    let message = "select count(*) from rentsync.alert where kind = 'not_captured' and message like '%they are on public.put_away, and the settings name public.project_rent_roll_units%install%'";
    assert_eq!(rig.source.number(message).await, 1);
    rig.edit("drop table put_away").await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    wait_until(0).await;
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).await, Some(0));
    rig.once().await;
    rig.assert_equal().await;
}
