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
    let rig = Rig::told().await;
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

#[tokio::test]
async fn promise_02_the_schema_follows_the_source_to_another_owner() {
    let rig = Rig::new().await;
    let (before, after, own) = (
        role(&rig.source).await,
        role(&rig.source).await,
        role(&rig.source).await,
    );
    let give =
        |to: &str| format!("alter table projects owner to {to}; alter table project_rent_roll_units owner to {to}");
    rig.edit(&give(&before)).await;
    let mut install = relay(&rig, &["install", "--grant-to", &own]);
    install.env("RELAY_DATABASE__SCHEMA_OWNER", &before);
    let done = output(install).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    // In its functions and views the first owner left something that is written anew.
    rig.edit(&format!(
        "set role {before};
         create or replace function rentsync.is_owed(kind text) returns boolean immutable language sql as 'select true';
         create or replace view rentsync.live_relay as select relay_id, name, receivers from rentsync.relay"
    ))
    .await;
    rig.edit(&give(&after)).await;
    let as_relay = |arguments: &[&str], trusted: Option<&str>| {
        let mut command = relay(&rig, arguments);
        command.env("DATABASE_URL", url_as(&rig.source, &own));
        if let Some(trusted) = trusted {
            command.env("RELAY_DATABASE__SCHEMA_OWNER", trusted);
        }
        command
    };
    let says = [
        format!("schema rentsync belongs to {before}"),
        "run `rentsync-relay install` as a role that may act as both".to_owned(),
    ];
    refused(as_relay(&["once"], None), 2, &[&says[0], &says[1]]).await;
    // Writes are captured all the while, and a person's word lets the relay go on.
    rig.edit("update project_rent_roll_units set price = 2 where id = 11")
        .await;
    let done = output(as_relay(&["once"], Some(&before))).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;
    let doctor = said(&output(as_relay(&["doctor"], Some(&before))).await);
    assert!(doctor.contains(&format!("is not {after}'s")), "{doctor}");

    let mut install = relay(&rig, &["install"]);
    install.env("RELAY_DATABASE__SCHEMA_OWNER", format!("['{before}', '{after}']"));
    let done = output(install).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit("update project_rent_roll_units set price = 3 where id = 11")
        .await;
    let done = output(as_relay(&["once"], None)).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.assert_equal().await;
    let doctor = said(&output(as_relay(&["doctor"], None)).await);
    assert!(!doctor.contains("is not "), "{doctor}");
    // What the first owner had is nobody's to come back to.
    let definers = "select count(*) from pg_proc p, pg_class c where p.pronamespace = 'rentsync'::regnamespace
                       and c.oid = 'projects'::regclass and p.proowner <> c.relowner";
    assert_eq!(rig.source.number(definers).await, 0);
    let written = "select count(*) from pg_views where viewname = 'live_relay' and definition like '%beat_at%' and not rentsync.is_owed('held')";
    assert_eq!(rig.source.number(written).await, 1);
    for role in [own, before, after] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_nothing_that_a_former_owner_left_in_the_schema_runs_as_the_next() {
    let source = TestDatabase::bare().await;
    let (before, after) = (role(&source).await, role(&source).await);
    let as_owners = source.database.clone().trusting(vec![before.clone(), after.clone()]);
    let source_settings = Config::default().source;
    let install = || capture::install(&as_owners, &source_settings);
    let give = async |to: &str| {
        let both = format!("alter table projects owner to {to}; alter table project_rent_roll_units owner to {to}");
        source.execute(&both).await;
    };
    give(&before).await;
    install().await.expect("install");
    for (left, undone, what) in [
        (
            "create function rentsync.backdoor() returns text language sql security definer as 'select current_user::text'",
            "drop function rentsync.backdoor()",
            "function backdoor() is none of the relay's",
        ),
        (
            "alter table rentsync.outbox add check (public.acts(op))",
            "alter table rentsync.outbox drop constraint outbox_op_check",
            "constraint outbox.outbox_op_check is none of the relay's",
        ),
        (
            "alter table rentsync.outbox alter column occurred_at set default case when public.acts('') then clock_timestamp() end",
            "alter table rentsync.outbox alter column occurred_at set default clock_timestamp()",
            "column outbox.occurred_at differs from this release's",
        ),
        (
            "create index computing on rentsync.feed ((public.acts(receiver)))",
            "drop index rentsync.computing",
            "index computing is none of the relay's",
        ),
        (
            "create statistics rentsync.computing on (public.acts(receiver)), feed_id from rentsync.feed",
            "drop statistics rentsync.computing",
            "statistics computing is none of the relay's",
        ),
        (
            "create table public.part () inherits (rentsync.relay)",
            "drop table public.part",
            "inheritance public.part of rentsync.relay is none of the relay's",
        ),
    ] {
        source
            .execute(&format!(
                "grant create on schema public to {before}; set role {before};
                 create or replace function public.acts(text) returns boolean immutable language sql as 'select true'; {left}"
            ))
            .await;
        give(&after).await;
        let Err(error) = install().await else {
            panic!("{left}: was taken over");
        };
        let expected = format!("because there {what}");
        assert!(error.to_string().contains(&expected), "{left}: {error:#}");
        give(&before).await;
        source.execute(&format!("set role {before}; {undone}")).await;
    }
    give(&after).await;
    install().await.expect("nothing is left of it");
    source.execute("drop function public.acts(text)").await;
    for role in [before, after] {
        source.execute(&format!("drop owned by {role}")).await;
        drop_role(&source, &role).await;
    }
}

/// A writer that holds the source and the outbox; another one that comes meanwhile and waits for nobody.
#[tokio::test]
async fn promise_24_taking_over_makes_no_writer_wait_for_another() {
    let rig = Rig::told().await;
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
    let rig = Rig::told().await;
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
async fn promise_01_functions_that_somebody_put_into_the_schema_do_not_outlive_an_install() {
    let database = TestDatabase::installed().await;
    let stranger = role(&database).await;
    // One in the place of ours, so that writing it anew would leave it the stranger's; one that ours would be taken for.
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
        let rig = Rig::told().await;
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
    let rig = Rig::told().await;
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
