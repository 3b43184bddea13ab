//! What others made in schema rentsync, or outside it upon what is in it: whose code runs, and whom it stops.

use rentsync_relay::capture;

use super::rights::{connect_as, drop_role, refusal, role, url_as};
use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

/// A source function that notes as whom it was run.
fn strangers_function(stranger: &str) -> String {
    format!(
        "grant usage, create on schema rentsync to {stranger}; set role {stranger};
         create function rentsync.source_unit() returns table (unit_id bigint) language plpgsql as
             $$ begin insert into public.ran values (current_user); end $$;
         grant execute on function rentsync.source_unit() to public; reset role"
    )
}

const RAN: &str = "create table public.ran (what text); grant all on public.ran to public";

async fn ran(rig: &Rig) -> i64 {
    rig.source.number("select count(*) from public.ran").await
}

#[tokio::test]
async fn promise_02_a_source_function_that_a_stranger_made_in_advance_is_taken_off_and_not_run() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = role(&rig.source).await;
    rig.edit(&format!("{RAN}; create schema rentsync")).await;
    rig.edit(&strangers_function(&stranger)).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let says = "function rentsync.source_unit() was none of the relay's: it is taken off";
    assert!(said(&done).contains(says), "{}", said(&done));
    rig.fill().await;
    rig.once().await;
    rig.assert_equal().await;
    assert_eq!(ran(&rig).await, 0);
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_02_a_source_function_of_a_strangers_is_run_by_no_command() {
    let rig = Rig::delivered().await;
    let (stranger, own) = (role(&rig.source).await, role(&rig.source).await);
    let granted = output(relay(&rig, &["install", "--grant-to", &own])).await;
    assert_eq!(granted.status.code(), Some(0), "{}", said(&granted));
    rig.edit(&format!("{RAN}; drop function rentsync.source_unit()")).await;
    rig.edit(&strangers_function(&stranger)).await;
    let says = format!("rentsync.source_unit() belongs to {stranger}, who is not to be trusted with schema rentsync");
    let commands = [
        &["status"][..],
        &["once"],
        &["verify"],
        &["preview"],
        &["explain", "11"],
    ];
    for (role, command) in ["postgres", &own]
        .iter()
        .flat_map(|role| commands.map(|command| (role, command)))
    {
        let mut command = relay(&rig, command);
        command.env("DATABASE_URL", url_as(&rig.source, role));
        refused(command, 2, &[&says, "rentsync-relay install"]).await;
    }
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains(&says), "{doctor}");
    assert_eq!(ran(&rig).await, 0);
    // Whoever may act as the owner can do what the owner can: what they wrote is the site's own.
    rig.edit(&format!("grant postgres to {stranger}")).await;
    let done = said(&output(relay(&rig, &["status"])).await);
    assert!(!done.contains("not to be trusted"), "{done}");
    for role in [own, stranger] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_no_further_connection_is_made_while_a_source_function_is_a_strangers() {
    let rig = Rig::delivered().await;
    let stranger = role(&rig.source).await;
    let tables = ["public.projects", "public.project_rent_roll_units"].map(str::to_owned);
    let database = &rig.source.database;
    let mut conn = database.connect().await.expect("connect");
    capture::check_owner(database, &mut conn, &tables, capture::Doing::Using)
        .await
        .expect("the owner's");
    rig.edit(&format!("{RAN}; drop function rentsync.source_unit()")).await;
    rig.edit(&strangers_function(&stranger)).await;
    let refused = database.connect().await.expect_err("a refusal").to_string();
    let says = format!("rentsync.source_unit() belongs to {stranger}");
    assert!(refused.contains(&says), "{refused}");
    drop_role(&rig.source, &stranger).await;
}

const FEED_COLUMN: &str = "create temp table t (l rentsync.feed[])";

#[tokio::test]
async fn promise_03_nobody_but_the_owner_makes_a_column_of_our_row_types() {
    let rig = Rig::delivered().await;
    let reader = role(&rig.source).await;
    rig.edit(&format!("grant usage on schema rentsync to {reader}")).await;
    let as_reader = async |statement: &str| {
        let mut conn = connect_as(&rig.source, &reader).await;
        refusal(&mut conn, statement).await
    };
    assert_eq!(as_reader(FEED_COLUMN).await.as_deref(), Some("42501"));
    // As an earlier release left it.
    rig.edit("grant usage on type rentsync.feed to public").await;
    assert_eq!(as_reader(FEED_COLUMN).await, None);
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains("usage on rentsync.feed by public"), "{doctor}");
    let done = said(&output(relay(&rig, &["install"])).await);
    assert!(!done.contains("just anybody"), "no news: {done}");
    assert_eq!(as_reader(FEED_COLUMN).await.as_deref(), Some("42501"));
    drop_role(&rig.source, &reader).await;
}

/// A reader's view stands on a source function.
#[tokio::test]
async fn promise_24_a_readers_view_stops_no_install_that_leaves_what_it_stands_on() {
    let rig = Rig::delivered().await;
    let reader = role(&rig.source).await;
    let view = format!(
        "grant usage on schema rentsync to {reader}; grant execute on function rentsync.source_unit() to {reader};
         create schema if not exists hers authorization {reader}; set role {reader};
         create view hers.units as select unit_id from rentsync.source_unit(); create view hers.more as select * from hers.units;
         reset role"
    );
    rig.edit(&view).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(
        doctor.contains(&format!("view hers.more (of {reader}), view hers.units (of {reader})")),
        "{doctor}"
    );
    // It has to go where the function gets other columns.
    rig.edit(
        "drop function rentsync.source_unit() cascade;
         create function rentsync.source_unit() returns table (unit_id bigint) language sql stable as
             '-- written by rentsync-relay install; leave this line out of your own version
              select 1'",
    )
    .await;
    rig.edit(&view).await;
    let named = format!("view hers.units (of {reader})");
    refused(
        relay(&rig, &["install"]),
        2,
        &[&named, "drop it", "run install again", "nothing was changed"],
    )
    .await;
    rig.edit("drop view hers.units cascade").await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    drop_role(&rig.source, &reader).await;
}

#[tokio::test]
async fn promise_24_what_a_purge_drops_of_others_is_said() {
    let rig = Rig::delivered().await;
    let reader = role(&rig.source).await;
    rig.edit(&format!(
        "grant usage on schema rentsync to {reader}; grant select on rentsync.feed to {reader};
         create schema hers authorization {reader}; set role {reader};
         create view hers.feeds as select feed_id from rentsync.feed; reset role"
    ))
    .await;
    let done = output(relay(&rig, &["uninstall", "--purge", "--yes"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let says = format!("dropped, and with it what others made upon it: view hers.feeds (of {reader})");
    assert!(said(&done).contains(&says), "{}", said(&done));
    drop_role(&rig.source, &reader).await;
}

#[tokio::test]
async fn promise_25_a_role_whatever_it_is_called_is_one_line() {
    let rig = Rig::delivered().await;
    let name = role(&rig.source).await;
    let hostile = format!("{name}\nrole other may read");
    rig.edit(&format!("alter role {name} rename to \"{hostile}\"")).await;
    let done = output(relay(&rig, &["install", "--grant-to", &hostile])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let line = format!("granted to role {name} role other may read: what `run` needs");
    assert!(said(&done).lines().any(|said| said == line), "{}", said(&done));
    rig.edit(&format!("alter role \"{hostile}\" rename to {name}")).await;
    drop_role(&rig.source, &name).await;
}

/// What a file of source functions joins is a third role's.
#[tokio::test]
async fn promise_01_no_superusers_command_runs_what_the_sites_own_source_functions_join() {
    let rig = Rig::delivered().await;
    let functions = rig
        .source
        .texts(
            "select replace(replace(pg_get_functiondef(p.oid), '-- written by rentsync-relay install', '-- our own'),
                            'project_rent_roll_units t', 'project_rent_roll_units t join theirs.extra e on e.id = t.id')
               from pg_proc p
              where p.pronamespace = 'rentsync'::regnamespace and p.proname in ('source_property', 'source_unit')",
        )
        .await;
    let (owner, third, own) = (
        role(&rig.source).await,
        role(&rig.source).await,
        role(&rig.source).await,
    );
    rig.edit(&format!(
        "{RAN}; alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner};
         create schema theirs authorization {third}; set role {third}; grant usage on schema theirs to public;
         create function theirs.acts() returns boolean language plpgsql as
             $$ begin begin insert into public.ran values (session_user); exception when others then null; end; return true; end $$;
         create view theirs.extra as select id from generate_series(1, 100) as g (id) where theirs.acts();
         grant select on theirs.extra to public; reset role"
    ))
    .await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("functions.sql");
    std::fs::write(&file, functions.join(";\n")).expect("a file");
    let named = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
        command
    };
    let file = file.to_str().expect("a path");
    for install in [
        &["install", "--source-functions", file, "--grant-to", &own][..],
        &["install"],
    ] {
        let done = output(named(install)).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert!(
            said(&done).contains("statuses of the source are not listed"),
            "{}",
            said(&done)
        );
    }
    let says = format!("would run with a superuser's rights: run it as {owner} or as the relay's role");
    for command in [
        &["status"][..],
        &["once"],
        &["verify"],
        &["preview"],
        &["explain", "11"],
        &["prune"],
    ] {
        refused(named(command), 2, &["the source functions are the site's own", &says]).await;
    }
    let doctor = said(&output(named(&["doctor"])).await);
    assert!(doctor.contains(&says), "{doctor}");
    assert_eq!(ran(&rig).await, 0);
    for (role, command) in [(&owner, "status"), (&own, "once")] {
        let mut command = relay(&rig, &[command]);
        command.env("DATABASE_URL", url_as(&rig.source, role));
        let done = output(command).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    }
    rig.edit("drop schema theirs cascade").await;
    for role in [own, third, owner] {
        drop_role(&rig.source, &role).await;
    }
}

/// Production's own column uses a function that a stranger put into the schema.
#[tokio::test]
async fn promise_24_nothing_of_productions_goes_with_a_function_that_a_stranger_made() {
    let rig = Rig::delivered().await;
    let (stranger, admin) = (role(&rig.source).await, role(&rig.source).await);
    rig.edit(&format!(
        "grant usage, create on schema rentsync to {stranger}, {admin}; grant postgres to {admin}; set role {stranger};
         create function rentsync.doubled(bigint) returns bigint language sql immutable as 'select $1 * 2';
         create function rentsync.left_over() returns int language sql as 'select 1'; reset role; set role {admin};
         create function rentsync.helper() returns int language sql as 'select 1'; reset role;
         alter table projects add column doubled bigint generated always as (rentsync.doubled(id)) stored"
    ))
    .await;
    refused(
        relay(&rig, &["install"]),
        1,
        &[
            "function rentsync.doubled(bigint)",
            "default value for public.projects.doubled (of postgres)",
            "run install again",
            "nothing was changed",
        ],
    )
    .await;
    let made = "select count(*) from pg_proc where pronamespace = 'rentsync'::regnamespace
                   and proname in ('doubled', 'left_over', 'helper')";
    assert_eq!(rig.source.number(made).await, 3);
    let done = output(relay(&rig, &["uninstall"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(rig.source.number(made).await, 3, "uninstall has no need to");
    assert_eq!(
        rig.source
            .number("select count(*) from projects where doubled <> 2 * id")
            .await,
        0
    );
    rig.edit("alter table projects drop column doubled").await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for what in ["doubled(bigint)", "left_over()"] {
        let says = format!("function rentsync.{what} was none of the relay's: it is taken off");
        assert!(said(&done).contains(&says), "{}", said(&done));
    }
    assert_eq!(
        rig.source.number(made).await,
        1,
        "who may act as the owner made the helper"
    );
    rig.edit("alter function rentsync.helper() owner to postgres").await;
    for role in [stranger, admin] {
        drop_role(&rig.source, &role).await;
    }
}

/// The line that marks what `install` writes stands in a body of the owner's, and a view in a table's place.
#[tokio::test]
async fn promise_01_no_superusers_command_runs_what_only_looks_like_the_relays() {
    let rig = Rig::delivered().await;
    let (owner, own) = (role(&rig.source).await, role(&rig.source).await);
    rig.edit(&format!(
        "{RAN}; alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner};
         create schema theirs authorization {owner};
         create function theirs.acts() returns boolean language plpgsql as
             $$ begin insert into public.ran values (session_user); return true; end $$"
    ))
    .await;
    let named = |arguments: &[&str]| {
        let mut command = relay(&rig, arguments);
        command.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
        command
    };
    for command in [&["install", "--grant-to", &own][..], &["verify"]] {
        let done = output(named(command)).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    }
    let written = "select pg_get_functiondef('rentsync.source_unit()'::regprocedure)";
    let written = rig.source.texts(written).await.remove(0);
    let body = written.replace(
        "project_rent_roll_units t",
        "project_rent_roll_units t where theirs.acts()",
    );
    assert!(body.contains("-- written by rentsync-relay install"), "{body}");
    rig.edit(&body).await;
    for command in ["status", "once", "verify", "preview"] {
        refused(
            named(&[command]),
            2,
            &["the source functions are the site's own", &owner],
        )
        .await;
    }
    rig.edit(&written).await;
    let done = output(named(&["verify"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!(
        "alter table project_rent_roll_units rename to units_before;
         create view project_rent_roll_units as select * from units_before where theirs.acts();
         alter view project_rent_roll_units owner to {owner}"
    ))
    .await;
    for command in ["status", "once", "verify", "preview"] {
        refused(
            named(&[command]),
            2,
            &["project_rent_roll_units", "is no table", "a superuser's rights"],
        )
        .await;
    }
    assert_eq!(ran(&rig).await, 0);
    rig.edit("drop schema theirs cascade").await;
    for role in [own, owner] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_nobody_who_may_become_more_is_made_the_relays_role() {
    let rig = Rig::delivered().await;
    let (mighty, member, creator) = (
        role(&rig.source).await,
        role(&rig.source).await,
        role(&rig.source).await,
    );
    rig.edit(&format!(
        "alter role {mighty} superuser; grant {mighty} to {member}; alter role {creator} createrole"
    ))
    .await;
    for (role, why) in [(&member, "may act as a superuser"), (&creator, "may create roles")] {
        refused(relay(&rig, &["install", "--grant-to", role]), 2, &[why]).await;
    }
    for role in [member, mighty, creator] {
        drop_role(&rig.source, &role).await;
    }
}
