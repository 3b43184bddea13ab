//! What others put where an install puts something of the relay's: it is named, with what to do, or goes.

use super::rights::{drop_role, role};
use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

const THEIRS: &str = "create function public.theirs() returns trigger language plpgsql as $$ begin return null; end $$";

/// Whoever may put triggers on the units puts one of these there, in the place of ours.
async fn with_trigger(create: &str) -> (Rig, String) {
    let rig = Rig::delivered().await;
    let stranger = role(&rig.source).await;
    rig.edit(&format!(
        "{THEIRS}; grant trigger on project_rent_roll_units to {stranger};
         drop trigger rentsync_insert on project_rent_roll_units; set role {stranger}; {create}; reset role"
    ))
    .await;
    (rig, stranger)
}

#[tokio::test]
async fn promise_25_a_constraint_trigger_under_a_name_of_ours_is_named_with_what_drops_it() {
    let create = "create constraint trigger rentsync_insert after insert on project_rent_roll_units
                      for each row execute function public.theirs()";
    let (rig, stranger) = with_trigger(create).await;
    let named = "trigger rentsync_insert on public.project_rent_roll_units is somebody else's";
    let statement = "`drop trigger rentsync_insert on public.project_rent_roll_units`";
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(doctor.contains(named) && doctor.contains(statement), "{doctor}");
    refused(
        relay(&rig, &["install"]),
        1,
        &[named, statement, "run install again", "nothing was changed"],
    )
    .await;
    rig.edit(statement.trim_matches('`')).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    drop_role(&rig.source, &stranger).await;
}

#[tokio::test]
async fn promise_25_a_trigger_that_partitions_have_as_well_is_named_where_it_can_be_dropped() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    rig.edit(&format!(
        "{THEIRS}; alter table project_rent_roll_units rename to units_of_all;
         create table project_rent_roll_units (like units_of_all) partition by list (project_id);
         alter table project_rent_roll_units attach partition units_of_all default;
         create trigger rentsync_insert after insert on project_rent_roll_units for each row execute function public.theirs()"
    ))
    .await;
    let statement = "drop trigger rentsync_insert on public.project_rent_roll_units";
    refused(relay(&rig, &["install"]), 1, &[statement, "run install again"]).await;
    rig.edit(statement).await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}

#[tokio::test]
async fn promise_25_a_trigger_that_somebody_replaced_is_another_however_it_is_enabled() {
    let create = "create trigger rentsync_insert after insert on project_rent_roll_units
                      for each statement execute function public.theirs()";
    let (rig, stranger) = with_trigger(create).await;
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    let says = "rentsync_insert on public.project_rent_roll_units: another than this release makes";
    assert!(doctor.contains(says), "{doctor}");
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(!doctor.contains(says), "{doctor}");
    drop_role(&rig.source, &stranger).await;
}

/// The units are a partition of a table that install is not told of, whose trigger they have.
#[tokio::test]
async fn promise_25_what_the_server_says_of_a_trigger_that_it_does_not_make_is_repeated() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    rig.edit(&format!(
        "{THEIRS}; create table everywhere (like project_rent_roll_units) partition by list (project_id);
         alter table everywhere attach partition project_rent_roll_units default;
         create trigger rentsync_insert after insert on everywhere for each row execute function public.theirs()"
    ))
    .await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(1), "{}", said(&done));
    let says = "attaching the triggers: the database says: trigger \"rentsync_insert\" for relation \"project_rent_roll_units\" is an \
                internal or a child trigger";
    assert!(said(&done).contains(says), "{}", said(&done));
}

#[tokio::test]
async fn promise_24_a_type_under_the_name_of_a_table_stops_no_install() {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    let stranger = role(&rig.source).await;
    rig.edit(&format!(
        "create schema rentsync; grant usage, create on schema rentsync to {stranger}; set role {stranger};
         create type rentsync.outbox as enum ('a'); create domain rentsync.feed as rentsync.outbox; create type rentsync.theirs as enum ('a');
         create function rentsync.takes(rentsync.feed) returns int language sql as 'select 1'; reset role;
         create table public.uses (what rentsync.outbox)"
    ))
    .await;
    let doctor = said(&output(relay(&rig, &["doctor"])).await);
    assert!(
        doctor.contains("somebody else hung") && doctor.contains("type rentsync.outbox"),
        "{doctor}"
    );
    refused(
        relay(&rig, &["install"]),
        1,
        &[
            "type rentsync.outbox",
            "table column public.uses.what",
            "nothing was changed",
        ],
    )
    .await;
    rig.edit("drop table public.uses").await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for what in [
        "type rentsync.outbox",
        "type rentsync.feed",
        "function rentsync.takes(rentsync.feed)",
    ] {
        let says = format!("{what} was none of the relay's: it is taken off");
        assert!(said(&done).contains(&says), "{}", said(&done));
    }
    let left = "select count(*) from pg_type where typnamespace = 'rentsync'::regnamespace and typname = 'theirs'";
    assert_eq!(rig.source.number(left).await, 1, "in nobody's way");
    drop_role(&rig.source, &stranger).await;
}
