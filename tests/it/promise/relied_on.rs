//! What a database's owner may have set for every session decides nothing that a statement of the relay's relies on.

use super::rights::{drop_role, role};
use crate::process::{output, refused, relay, said};
use crate::support::TestDatabase;
use crate::support::rig::Rig;

/// Where the source is, and nothing is installed; every session that begins from now on has these.
async fn source_with(settings: &[&str]) -> Rig {
    let mut rig = Rig::new().await;
    rig.source = TestDatabase::bare().await;
    rig.fill().await;
    let name = rig.source.url().rsplit('/').next().expect("a name").to_owned();
    for setting in settings {
        rig.edit(&format!("alter database {name} set {setting}")).await;
    }
    rig
}

#[tokio::test]
async fn promise_24_whatever_a_database_sets_for_its_sessions_the_relay_works_on_it() {
    let rig = source_with(&[
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
        "escape_string_warning = off",
        "backslash_quote = off",
        "exit_on_error = on",
        "plpgsql.extra_errors = 'all'",
        "bytea_output = 'escape'",
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "timezone = 'Pacific/Auckland'",
        "extra_float_digits = -3",
        "array_nulls = off",
        "transform_null_equals = on",
        "xmloption = 'document'",
        "client_min_messages = 'error'",
    ])
    .await;
    let owner = role(&rig.source).await;
    rig.edit(&format!(
        "alter table projects owner to {owner}; alter table project_rent_roll_units owner to {owner};
         alter table project_rent_roll_units alter price type real; update project_rent_roll_units set price = 1234.57"
    ))
    .await;
    for command in [&["install"][..], &["install"], &["once"], &["status"], &["verify"]] {
        let mut command = relay(&rig, command);
        command.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
        let done = output(command).await;
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    }
    let bodies = rig.bodies(1).await;
    assert!(
        bodies
            .first()
            .is_some_and(|body| body["units"][0]["base_rent"] == 1234.57),
        "{bodies:?}"
    );
    let mut doctor = relay(&rig, &["doctor"]);
    doctor.env("RELAY_DATABASE__SCHEMA_OWNER", &owner);
    let doctor = said(&output(doctor).await);
    for check in ["schema", "functions", "tables", "triggers", "grants", "source"] {
        let line = doctor
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(check));
        assert!(line.is_some_and(|line| line.starts_with("ok")), "{check}: {doctor}");
    }
    drop_role(&rig.source, &owner).await;
}

#[tokio::test]
async fn promise_22_a_mistake_in_a_file_of_source_functions_is_found_whatever_the_database_checks() {
    let rig = source_with(&["check_function_bodies = off"]).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("functions.sql");
    std::fs::write(
        &file,
        "create function rentsync.source_property() returns table (property_id bigint) language sql stable as
             'select no_such_column from public.projects';",
    )
    .expect("a file");
    let file = file.to_str().expect("a path");
    let install = relay(&rig, &["install", "--source-functions", file]);
    refused(install, 2, &["line 1", "no_such_column", "nothing was changed"]).await;
}

#[tokio::test]
async fn promise_24_the_relays_tables_are_kept_as_they_can_be_updated() {
    let rig = source_with(&["default_table_access_method = 'elsewhere'"]).await;
    rig.edit("create access method elsewhere type table handler heap_tableam_handler")
        .await;
    let done = output(relay(&rig, &["install"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let strange = "select count(*) from pg_class c join pg_am a on a.oid = c.relam
                    where c.relnamespace = 'rentsync'::regnamespace and a.amname = 'elsewhere'";
    assert_eq!(rig.source.number(strange).await, 0);
}
