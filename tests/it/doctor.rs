//! Doctor: each defect is a real one, and is the only thing that is found. By the real command, as the role that `run` has, on a
//! server that keeps what it promises.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use rentsync_relay::doctor::{self, Grade, Limits};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::deliver::self_signed;
use crate::process::{output, relay, said};
use crate::receiver::stub::{Stub, answer, deserted};
use crate::support::rig::Rig;
use crate::support::{TestDatabase, execute};

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().ok();
        // What doctor sees is what counts here, not what the disk under it would do.
        let durable = ["fsync", "full_page_writes", "synchronous_commit"].map(|setting| (setting, "on"));
        Server::Private(LocalPostgres::start_with(Durability::InMemory, &durable).expect("a durable PostgreSQL"))
    })
}

/// A relay's database with everything as it should be, and a role that may do what `run` needs.
struct Patient {
    rig: Rig,
    role: String,
}

impl Patient {
    /// With the source tables alone.
    async fn bare() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (name, role) = (format!("patient_{number}"), format!("relay_{number}"));
        server().create_database(&name, None).await.expect("create a database");
        let source = TestDatabase::elsewhere(&name, server().options(&name), server().url(&name));
        source.execute(portfolio::SCHEMA).await;
        source.execute(&format!("create role {role} login")).await;
        // The rig registers its relay, which takes a schema.
        let settings = Config::default().source;
        capture::install(&source.database, &settings).await.expect("install");
        let rig = Rig::agreeing(source, Rig::receiver()).await;
        capture::uninstall(&rig.source.database, &Config::default().source, true)
            .await
            .expect("purge");
        Self { rig, role }
    }

    /// Two properties, delivered.
    async fn well() -> Self {
        let it = Self::bare().await;
        it.install().await;
        it.grant().await;
        it.rig.fill().await;
        it.rig.once().await;
        it.rig.assert_equal().await;
        it.rig.sandbox.clear_log();
        it
    }

    async fn install(&self) {
        capture::install(&self.rig.source.database, &Config::default().source)
            .await
            .expect("install");
    }

    async fn grant(&self) {
        capture::install_for(&self.rig.source.database, &Config::default().source, Some(&self.role))
            .await
            .expect("grant");
    }

    async fn edit(&self, statements: &str) {
        self.rig.edit(statements).await;
    }

    fn url(&self) -> String {
        self.rig
            .source
            .url()
            .replacen("postgres@", &format!("{}@", self.role), 1)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = relay(&self.rig, &[&["doctor"], arguments].concat());
        command.env("DATABASE_URL", self.url());
        command
    }

    /// What is not as it should be, and the exit code.
    async fn ill(&self) -> (Vec<(String, String)>, Option<i32>) {
        let (findings, code) = findings(self.command(&["--json"])).await;
        (brief(&findings), code)
    }

    async fn assert_well(&self) {
        assert_eq!(self.ill().await, (vec![], Some(0)));
    }

    /// Exactly this is found, and what it says.
    async fn found(&self, check: &str, grade: &str) -> Value {
        self.found_by(self.command(&["--json"]), check, grade).await
    }

    async fn found_by(&self, command: Command, check: &str, grade: &str) -> Value {
        let (findings, code) = findings(command).await;
        only(&findings, code, check, grade)
    }

    /// The same where changes were dated back: other tests' transactions, which are dated by changes, look old by that.
    async fn found_dated_back(&self, check: &str, grade: &str) -> Value {
        let (mut findings, code) = findings(self.command(&["--json"])).await;
        findings.retain(|found| found["check"] != "transactions");
        only(&findings, code, check, grade)
    }

    /// By the library, from lower limits on.
    async fn found_within(&self, limits: &Limits, check: &str) -> Vec<doctor::Finding> {
        let mut config = Config::default();
        config.source.available_status_ids = Some(vec![1]);
        let database = Database::from_url(&self.url().into()).expect("URL");
        let diagnosis = doctor::examine(&database, &config, &[&self.rig.receiver], limits).await;
        assert!(diagnosis.unreachable.is_none());
        let findings = diagnosis.findings.into_iter();
        findings
            .filter(|found| found.check == check && found.finding != Grade::Ok)
            .collect()
    }
}

async fn findings(command: Command) -> (Vec<Value>, Option<i32>) {
    let output = output(command).await;
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    (findings, output.status.code())
}

fn only(findings: &[Value], code: Option<i32>, check: &str, grade: &str) -> Value {
    assert_eq!(brief(findings), [(check.to_owned(), grade.to_owned())], "{findings:#?}");
    assert_eq!(code, Some(i32::from(grade == "wrong")), "warnings don't count");
    let found = findings.iter().find(|found| found["finding"] != "ok").expect("found");
    assert!(found["todo"].as_str().is_some_and(|todo| !todo.is_empty()), "{found}");
    found.clone()
}

fn brief(findings: &[Value]) -> Vec<(String, String)> {
    let text = |found: &Value, name: &str| found[name].as_str().expect("text").to_owned();
    let ill = findings.iter().filter(|found| found["finding"] != "ok");
    ill.map(|found| (text(found, "check"), text(found, "finding")))
        .collect()
}

fn says(found: &Value, parts: &[&str]) {
    let text = format!("{} {}", found["what"], found["todo"]);
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

/// In any table of schema rentsync.
async fn rows_written_since(patient: &Patient, transaction: i64) -> i64 {
    sqlx::query_scalar(
        "select sum((xpath('/row/n/text()', query_to_xml(format(
                    'select count(*) as n from rentsync.%I where xmin::text::bigint >= %s', relname, $1), false, true, '')))[1]::text::bigint)::bigint
           from pg_class where relnamespace = 'rentsync'::regnamespace and relkind = 'r'",
    )
    .bind(transaction)
    .fetch_one(&mut patient.rig.source.connect().await)
    .await
    .expect("rows")
}

#[tokio::test]
async fn where_all_is_well_it_says_so_does_nothing_and_exits_0() {
    let patient = Patient::well().await;
    let before = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    let before = patient.rig.source.number(before).await;
    let (findings, code) = findings(patient.command(&["--json"])).await;
    assert_eq!((brief(&findings), code), (vec![], Some(0)), "{findings:#?}");
    let checks: Vec<_> = findings
        .iter()
        .map(|found| (found["check"].as_str().expect("a check"), found["receiver"].as_str()))
        .collect();
    let expected = [
        ("database", None),
        ("tls", None),
        ("durability", None),
        ("clock", None),
        ("rights", None),
        ("source_tables", None),
        ("row_security", None),
        ("replication_slots", None),
        ("schema", None),
        ("functions", None),
        ("tables", None),
        ("grants", None),
        ("triggers", None),
        ("source", None),
        ("look_ups", None),
        ("source", None),
        ("look_ups", None),
        ("statuses", None),
        ("transactions", None),
        ("disk", None),
        ("retention", None),
        ("vacuum", None),
        ("relay", Some("main")),
        ("source_identity", Some("main")),
        ("sending", Some("main")),
        ("feeds", Some("main")),
        ("holds", Some("main")),
        ("withheld", Some("main")),
        ("alerts", Some("main")),
        ("turn", Some("main")),
        ("schedule", Some("main")),
        ("accept", Some("main")),
        ("schedule", None),
        ("credentials", Some("main")),
        ("receiver", Some("main")),
        ("clock", Some("main")),
    ];
    assert_eq!(checks, expected);
    assert!(findings.iter().all(|found| found["todo"].is_null()));
    assert_eq!(patient.rig.sandbox.syncs().len(), 0, "no sync");

    let output = output(patient.command(&[])).await;
    let text = said(&output);
    assert_eq!(
        (text.lines().count(), output.status.code()),
        (findings.len(), Some(0)),
        "{text}"
    );
    assert!(text.lines().all(|line| line.starts_with("ok  ")), "{text}");
    assert!(text.contains("receiver (main)"), "{text}");
    assert_eq!(rows_written_since(&patient, before).await, 0);
    assert!(rows_written_since(&patient, 0).await > 0);
}

#[tokio::test]
async fn a_trigger_that_is_gone_disabled_or_another_is_named_and_install_puts_it_right() {
    let patient = Patient::well().await;
    for (defect, parts) in [
        (
            "drop trigger rentsync_move on project_rent_roll_units",
            &["rentsync_move on public.project_rent_roll_units: missing"][..],
        ),
        (
            "alter table projects disable trigger rentsync_update",
            &["rentsync_update on public.projects: disabled"],
        ),
        (
            "alter table projects disable trigger all; alter table projects enable trigger all",
            &[
                "rentsync_delete, rentsync_insert, rentsync_move, rentsync_truncate, rentsync_update on public.projects: not enabled always",
                "rentsync_replica on public.projects: not enabled for replication",
            ],
        ),
        (
            "alter table projects enable always trigger rentsync_replica",
            &["rentsync_replica on public.projects: not enabled for replication alone"],
        ),
        (
            "create or replace trigger rentsync_delete after delete on projects referencing old table as touched
             for each statement execute function rentsync.capture_units();
             alter table projects enable always trigger rentsync_delete",
            &["rentsync_delete on public.projects: another than this release makes"],
        ),
        (
            "create or replace trigger rentsync_update after update of price on project_rent_roll_units
             for each statement execute function rentsync.capture_truncate();
             alter table project_rent_roll_units enable always trigger rentsync_update",
            &["rentsync_update on public.project_rent_roll_units: another"],
        ),
        (
            "create or replace trigger rentsync_move after update on projects for each row
             execute function rentsync.capture_property_renumbered();
             alter table projects enable always trigger rentsync_move",
            &["rentsync_move on public.projects: another"],
        ),
    ] {
        patient.edit(defect).await;
        let found = patient.found("triggers", "wrong").await;
        says(&found, parts);
        says(&found, &["rentsync-relay install"]);
        patient.install().await;
        patient.assert_well().await;
    }
    capture::uninstall(&patient.rig.source.database, &Config::default().source, false)
        .await
        .expect("uninstall");
    let (ill, code) = patient.ill().await;
    let none = ("triggers".to_owned(), "wrong".to_owned());
    assert_eq!((ill, code), (vec![none.clone(), none], Some(1)));
}

#[tokio::test]
async fn a_partition_that_came_later_lacks_its_triggers() {
    let patient = Patient::bare().await;
    patient
        .edit(
            "drop table project_rent_roll_units;
             create table project_rent_roll_units (id integer, project_id integer, unit_code text, building text, floor integer,
                 floorplan text, type text, rentroll_status_id integer, rentroll_status text, when_available text, price float8,
                 price_amortized float8, size integer, bedrooms float8, bathrooms float8, dens integer, dwelling_type text,
                 exposure text, view text, has_garage boolean, pets integer, parking_stalls integer, storage_boxes integer,
                 lead_first_name text, lead_last_name text) partition by list (project_id);
             create index on project_rent_roll_units (project_id);
             create index on project_rent_roll_units (id);
             create table units_of_1 partition of project_rent_roll_units for values in (1)",
        )
        .await;
    patient.install().await;
    patient.grant().await;
    patient.rig.once().await;
    patient.assert_well().await;
    patient
        .edit("create table units_of_2 partition of project_rent_roll_units for values in (2)")
        .await;
    says(
        &patient.found("triggers", "wrong").await,
        &["rentsync_update on public.units_of_2: missing"],
    );
    patient.install().await;
    patient.assert_well().await;
}

#[tokio::test]
async fn triggers_on_another_table_than_the_settings_name_are_found() {
    let patient = Patient::well().await;
    patient
        .edit(&format!(
            "create table rents (like project_rent_roll_units including all); grant select on rents to {}",
            patient.role
        ))
        .await;
    let mut other = patient.command(&["--json"]);
    other.env("RELAY_SOURCE__UNITS_TABLE", "public.rents");
    let (findings, code) = findings(other).await;
    assert_eq!(code, Some(1));
    let triggers = findings
        .iter()
        .find(|found| found["check"] == "triggers")
        .expect("triggers");
    says(
        triggers,
        &["they are on public.project_rent_roll_units, and the settings name public.rents"],
    );
    let mut nowhere = patient.command(&["--json"]);
    nowhere.env("RELAY_SOURCE__UNITS_TABLE", "nowhere");
    let (findings, code) = self::findings(nowhere).await;
    assert_eq!(code, Some(1));
    let table = findings
        .iter()
        .find(|found| found["check"] == "source_tables")
        .expect("source_tables");
    says(table, &["no table nowhere (source.units_table)"]);
}

#[tokio::test]
async fn a_function_of_another_release_is_named_and_install_writes_it_anew() {
    let patient = Patient::well().await;
    for (defect, part) in [
        (
            "create or replace function rentsync.capture_units() returns trigger language plpgsql security definer
             set search_path = pg_catalog, pg_temp as 'begin return null; end'",
            "function capture_units() differs from this release's",
        ),
        (
            "alter function rentsync.capture_properties() security invoker",
            "function capture_properties() differs",
        ),
        (
            "alter function rentsync.capture_truncate() set search_path = public",
            "function capture_truncate() differs",
        ),
        (
            "drop function rentsync.detach(regclass, regclass)",
            "function detach(properties regclass, units regclass) is missing",
        ),
    ] {
        patient.edit(defect).await;
        says(
            &patient.found("functions", "wrong").await,
            &[part, "rentsync-relay install"],
        );
        patient.install().await;
        patient.assert_well().await;
    }
}

#[tokio::test]
async fn what_somebody_changed_in_the_schema_is_named_and_an_index_of_a_dbas_own_is_not() {
    let patient = Patient::well().await;
    for (defect, part, undone) in [
        (
            "drop index rentsync.ledger_owed",
            "index ledger_owed is missing",
            "create index ledger_owed on rentsync.ledger (feed_id, (owed = 'removal'), (bisection is not null), bisection desc, unit_id)
              where owed is not null and withheld is null",
        ),
        (
            "alter table rentsync.ledger drop constraint hash_is_sha256",
            "constraint ledger.hash_is_sha256 is missing",
            "alter table rentsync.ledger add constraint hash_is_sha256 check (length(hash) = 32)",
        ),
        (
            "alter table rentsync.feed add column note text default now()::text",
            "column feed.note is none of the relay's",
            "alter table rentsync.feed drop column note; create index own on rentsync.feed (enrolled_at)",
        ),
    ] {
        patient.edit(defect).await;
        says(&patient.found("tables", "wrong").await, &[part, "undo it"]);
        patient.edit(undone).await;
        patient.assert_well().await;
    }
}

#[tokio::test]
async fn a_schema_of_another_release_or_none_is_said_and_nothing_else_of_it_is_looked_at() {
    let patient = Patient::well().await;
    patient.edit("update rentsync.migration set version = version + 100 where version = (select max(version) from rentsync.migration)").await;
    says(
        &patient.found("schema", "wrong").await,
        &["of a newer release (migration 1", "use that release"],
    );
    patient
        .edit("delete from rentsync.migration where version = (select max(version) from rentsync.migration)")
        .await;
    says(
        &patient.found("schema", "wrong").await,
        &["of an older release", "run this release's `rentsync-relay install`"],
    );
    let bare = Patient::bare().await;
    bare.edit(&format!(
        "grant select on projects, project_rent_roll_units to {}",
        bare.role
    ))
    .await;
    says(
        &bare.found("schema", "wrong").await,
        &["not installed", "as the owner of the source tables"],
    );
}

#[tokio::test]
async fn a_missing_right_is_said_as_the_grant_that_gives_it() {
    let patient = Patient::well().await;
    let role = &patient.role;
    for (revoke, grant) in [
        (
            "select on projects",
            format!("grant select on public.projects to {role};"),
        ),
        (
            "delete, update on rentsync.sync",
            format!("grant update, delete on rentsync.sync to {role};"),
        ),
        (
            "insert on rentsync.sync, rentsync.feed",
            format!("grant insert on rentsync.feed, rentsync.sync to {role};"),
        ),
        (
            "select on rentsync.capture_trigger",
            format!("grant select on rentsync.capture_trigger to {role};"),
        ),
        (
            "usage on sequence rentsync.sync_sequence",
            format!("grant usage on sequence rentsync.sync_sequence to {role};"),
        ),
        (
            "usage on schema rentsync",
            format!("grant usage on schema rentsync to {role};"),
        ),
    ] {
        patient.edit(&format!("revoke {revoke} from {role}")).await;
        let (findings, code) = findings(patient.command(&["--json"])).await;
        let rights = findings
            .iter()
            .find(|found| found["check"] == "rights")
            .expect("rights");
        assert_eq!((&rights["finding"], code), (&json!("wrong"), Some(1)), "{findings:#?}");
        let todo = rights["todo"].as_str().expect("what to do");
        assert_eq!(todo, format!("as the owner: {grant}"));
        patient.edit(&grant).await;
        patient.assert_well().await;
    }
    patient
        .edit(&format!(
            "revoke usage on schema rentsync from {role}; revoke all on all tables in schema rentsync from {role};
             revoke all on all sequences in schema rentsync from {role}; revoke execute on function rentsync.source_unit() from {role};
             revoke all on projects, project_rent_roll_units from {role}"
        ))
        .await;
    let (findings, _) = findings(patient.command(&["--json"])).await;
    let rights = findings
        .iter()
        .find(|found| found["check"] == "rights")
        .expect("rights");
    assert_eq!(
        rights["todo"],
        json!(format!(
            "as the owner of the source tables: rentsync-relay install --grant-to {role}"
        ))
    );
    patient.grant().await;
    patient.assert_well().await;
}

#[tokio::test]
async fn row_security_that_would_hide_rows_is_found() {
    let patient = Patient::well().await;
    patient.edit("alter table projects enable row level security").await;
    let (findings, code) = findings(patient.command(&["--json"])).await;
    assert_eq!(code, Some(1));
    let found = findings
        .iter()
        .find(|found| found["check"] == "row_security")
        .expect("row_security");
    says(found, &["public.projects", "alter role", "bypassrls"]);
    patient.edit(&format!("alter role {} bypassrls", patient.role)).await;
    patient.assert_well().await;
}

/// The site's own version: what it selects for each column may be replaced.
pub fn own_units(attributes: &str, replaced: &[(&str, &str)], more: &str) -> String {
    let columns = [
        ("unit_id", "integer", "id"),
        ("property_id", "integer", "project_id"),
        ("unit_code", "text", "unit_code"),
        ("building", "text", "building"),
        ("floor", "integer", "floor"),
        ("floorplan", "text", "floorplan"),
        ("type", "text", "type"),
        ("dwelling_type", "text", "dwelling_type"),
        ("status_id", "integer", "rentroll_status_id"),
        ("status_name", "text", "rentroll_status"),
        ("when_available", "text", "when_available"),
        ("base_rent", "float8", "price"),
        ("price_amortized", "float8", "price_amortized"),
        ("size_sqft", "integer", "size"),
        ("bedrooms", "float8", "bedrooms"),
        ("bathrooms", "float8", "bathrooms"),
        ("dens", "integer", "dens"),
        ("exposure", "text", "exposure"),
        ("view", "text", "view"),
        ("has_garage", "boolean", "has_garage"),
        ("pets_allowed", "integer", "pets"),
        ("parking_stalls", "integer", "parking_stalls"),
        ("storage_boxes", "integer", "storage_boxes"),
        ("lead_first_name", "text", "lead_first_name"),
        ("lead_last_name", "text", "lead_last_name"),
    ];
    let written = |name: &str| {
        replaced
            .iter()
            .find(|(replaced, _)| *replaced == name)
            .map(|(_, by)| *by)
    };
    let kept: Vec<_> = columns.iter().filter(|(name, ..)| written(name) != Some("")).collect();
    let results: Vec<_> = kept
        .iter()
        .map(|(name, kind, _)| match written(name) {
            Some(by) => format!("{name} {}", by.rsplit("::").next().unwrap_or(kind)),
            None => format!("{name} {kind}"),
        })
        .collect();
    let selected: Vec<_> = kept
        .iter()
        .map(|(name, _, column)| written(name).unwrap_or(column))
        .collect();
    format!(
        "drop function if exists rentsync.source_unit();
         create function rentsync.source_unit() returns table ({}) language sql {attributes} as
         $$ select {} from public.project_rent_roll_units u {more} $$",
        results.join(", "),
        selected.join(", ")
    )
}

#[tokio::test]
async fn a_source_function_that_does_not_answer_as_expected_is_found() {
    let patient = Patient::well().await;
    patient.edit(&own_units("stable", &[], "")).await;
    patient.assert_well().await;
    patient.install().await;
    for (function, check, grade, part) in [
        (
            own_units("stable", &[("view", "")], ""),
            "source",
            "wrong",
            "lacks column view",
        ),
        (
            own_units("stable", &[("has_garage", "has_garage::text")], ""),
            "source",
            "wrong",
            "has has_garage as text, not boolean",
        ),
        (
            own_units("volatile", &[], ""),
            "look_ups",
            "warning",
            "is volatile, so PostgreSQL can't inline it",
        ),
        (
            own_units("stable security definer", &[], ""),
            "look_ups",
            "warning",
            "is security definer",
        ),
        (
            own_units("stable set work_mem = '1MB'", &[], ""),
            "look_ups",
            "warning",
            "sets work_mem",
        ),
        (
            own_units("stable", &[("unit_id", "id::bigint")], ""),
            "look_ups",
            "warning",
            "reads a table whole for one look-up: project_rent_roll_units",
        ),
        (
            own_units("stable", &[], "cross join (select generate_series(1, 2)) as twice"),
            "source",
            "wrong",
            "has more than one row for 6 ids, unit 11 for one",
        ),
        (
            own_units("stable", &[("floor", "(1 / (id - id))::integer")], ""),
            "source",
            "wrong",
            "does not answer: ",
        ),
    ] {
        patient.edit(&function).await;
        says(&patient.found(check, grade).await, &[part]);
    }
    // It may read tables that no setting names.
    patient.edit("create table prices (unit integer)").await;
    patient
        .edit(&own_units(
            "stable",
            &[],
            "left join public.prices on prices.unit = u.id",
        ))
        .await;
    let (findings, code) = findings(patient.command(&["--json"])).await;
    assert_eq!(code, Some(1));
    let found = findings
        .iter()
        .find(|found| found["check"] == "source" && found["finding"] == "wrong");
    says(
        found.expect("source"),
        &["permission denied for table prices", "grant select on prices"],
    );
    // And leave out those that one does name.
    patient.edit(&own_units("stable security definer", &[], "")).await;
    patient
        .edit(&format!(
            "revoke select on project_rent_roll_units from {}",
            patient.role
        ))
        .await;
    patient.found("look_ups", "warning").await;
    patient.edit("drop function rentsync.source_unit()").await;
    let (findings, code) = self::findings(patient.command(&["--json"])).await;
    assert_eq!(code, Some(1));
    let found = findings
        .iter()
        .find(|found| found["check"] == "source" && found["finding"] == "wrong");
    says(
        found.expect("source"),
        &["rentsync.source_unit() is missing", "rentsync-relay install"],
    );
}

#[tokio::test]
async fn a_generated_source_function_that_is_outdated_is_found() {
    let patient = Patient::well().await;
    patient
        .edit("alter table project_rent_roll_units alter price type numeric")
        .await;
    says(
        &patient.found("source", "warning").await,
        &["rentsync.source_unit() was written", "install"],
    );
    patient.install().await;
    patient.assert_well().await;
    patient
        .edit("alter table project_rent_roll_units drop column view")
        .await;
    let (findings, code) = findings(patient.command(&["--json"])).await;
    assert_eq!(code, Some(1));
    let found = findings
        .iter()
        .find(|found| found["check"] == "source" && found["finding"] == "wrong");
    says(found.expect("source"), &["does not answer", "view"]);
}

#[tokio::test]
async fn statuses_that_are_not_set_or_that_no_unit_has_are_found() {
    let patient = Patient::well().await;
    let mut unset = patient.command(&["--json"]);
    unset.env_remove("RELAY_SOURCE__AVAILABLE_STATUS_IDS");
    says(
        &patient.found_by(unset, "statuses", "wrong").await,
        &["is not set", "1", "2"],
    );
    let mut unknown = patient.command(&["--json"]);
    unknown.env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1, 9]");
    says(
        &patient.found_by(unknown, "statuses", "warning").await,
        &["no unit has status 9"],
    );
}

#[tokio::test]
async fn transactions_that_cleaning_waits_for_are_found_with_what_ends_them() {
    let patient = Patient::well().await;
    let mut open = patient.rig.source.connect().await;
    execute(&mut open, "begin; update projects set name = name where id = 1").await;
    let gid = format!("it''s {}", patient.role);
    patient
        .edit(&format!(
            "begin; update projects set name = name where id = 2; prepare transaction '{gid}'"
        ))
        .await;
    patient
        .edit("update project_rent_roll_units set price = price where id = 11")
        .await;
    patient.assert_well().await;
    let at_once = Limits {
        transaction: Duration::ZERO,
        prepared: Duration::ZERO,
        ..Limits::default()
    };
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut open)
        .await
        .expect("pid");
    let found = patient.found_within(&at_once, "transactions").await;
    let todo = |grade: Grade, part: &str| {
        let todo = |found: &doctor::Finding| {
            found.finding == grade && found.todo.as_ref().is_some_and(|todo| todo.contains(part))
        };
        assert!(found.iter().any(todo), "{part} in {found:#?}");
    };
    todo(Grade::Wrong, &format!("rollback prepared '{gid}';"));
    // Another role's, whose beginning this one is not shown.
    todo(Grade::Warning, &format!("pg_terminate_backend({pid})"));
    let prepared_at_once = Limits {
        prepared: Duration::ZERO,
        ..Limits::default()
    };
    let prepared = patient.found_within(&prepared_at_once, "transactions").await;
    assert!(!prepared.is_empty() && prepared.iter().all(|found| found.finding == Grade::Wrong));
    execute(&mut open, "rollback").await;
    patient.edit(&format!("rollback prepared '{gid}'")).await;
    let names = |found: &doctor::Finding| found.what.contains(&patient.role) || found.what.contains(&pid.to_string());
    assert!(!patient.found_within(&at_once, "transactions").await.iter().any(names));
}

#[tokio::test]
async fn a_slot_that_nobody_reads_is_found() {
    let patient = Patient::well().await;
    let slot = format!("slot_of_{}", patient.role);
    patient
        .edit(&format!("select pg_create_physical_replication_slot('{slot}', true)"))
        .await;
    patient.edit("update projects set name = name").await;
    let no_wal = Limits {
        slot_bytes: 0,
        ..Limits::default()
    };
    let found = patient.found_within(&no_wal, "replication_slots").await;
    patient
        .edit(&format!("select pg_drop_replication_slot('{slot}')"))
        .await;
    let drop = format!("pg_drop_replication_slot('{slot}')");
    let ours = found.iter().find(|found| found.what.contains(&slot)).expect("the slot");
    assert!(ours.todo.as_ref().is_some_and(|todo| todo.contains(&drop)), "{ours:?}");
}

#[tokio::test]
async fn a_receiver_that_can_not_be_reached_or_is_not_who_it_should_be_is_found() {
    let patient = Patient::well().await;
    let at = |url: &str| {
        let mut command = patient.command(&["--json"]);
        command.env("RELAY_RECEIVERS__MAIN__URL", url);
        command
    };
    let closed = format!("http://{}/secret-path", deserted().await);
    let found = patient.found_by(at(&closed), "receiver", "wrong").await;
    says(&found, &["no connection", "receivers.main.url"]);
    assert!(!found.to_string().contains("secret-path"), "{found}");
    let unknown = patient
        .found_by(at("https://receiver.invalid/"), "receiver", "wrong")
        .await;
    says(&unknown, &["https://receiver.invalid: no connection", "DNS"]);
    let impostor = format!("https://localhost:{}/", self_signed().port());
    says(
        &patient.found_by(at(&impostor), "receiver", "wrong").await,
        &["certificate is not good", "renew"],
    );
}

#[tokio::test]
async fn a_receivers_clock_matters_where_requests_are_signed() {
    let patient = Patient::well().await;
    let hour_ago = "Sun, 06 Nov 1994 08:49:00 GMT";
    let stub = Stub::answering(move |_, request| {
        assert!(request.body.is_empty() && request.header("x-aigent-sync-id").is_none());
        answer(405, &[("date", hour_ago)], "")
    })
    .await;
    let at = |method: &str| {
        let mut command = patient.command(&["--json"]);
        command
            .env("RELAY_RECEIVERS__MAIN__URL", &stub.url)
            .env("RELAY_RECEIVERS__MAIN__AUTH__METHOD", method)
            .env("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        command
    };
    let found = patient.found_by(at("none"), "clock", "warning").await;
    says(&found, &["the receiver's clock is", "behind this host's"]);
    let mut signed = at("hmac");
    signed.env("RELAY_RECEIVERS__MAIN__AUTH__SECRETS", "[{ env = 'SECRET' }]");
    says(&patient.found_by(signed, "clock", "wrong").await, &["signatures"]);
}

#[tokio::test]
async fn credentials_that_are_missing_or_of_no_use_are_found_and_never_shown() {
    let patient = Patient::well().await;
    let with = |method: &str, settings: &[(&str, &str)], secret: Option<&str>| {
        let mut command = patient.command(&["--json"]);
        command.env("RELAY_RECEIVERS__MAIN__AUTH__METHOD", method);
        for (key, value) in settings {
            command.env(format!("RELAY_RECEIVERS__MAIN__AUTH__{key}"), value);
        }
        if let Some(secret) = secret {
            command.env("SECRET", secret);
        }
        command
    };
    let (key, hmac) = ([("KEY", "{ env = 'SECRET' }")], [("SECRETS", "[{ env = 'SECRET' }]")]);
    let (well, code) = findings(with("api_key", &key, Some("hunter2"))).await;
    assert_eq!((brief(&well), code), (vec![], Some(0)));
    let missing = patient
        .found_by(with("api_key", &key, None), "credentials", "wrong")
        .await;
    says(&missing, &["receivers.main.auth.key", "SECRET is not set"]);
    says(
        &patient
            .found_by(with("api_key", &key, Some("")), "credentials", "wrong")
            .await,
        &["is empty"],
    );
    let unreadable = [("KEY", "{ file = '/no/such/file' }")];
    says(
        &patient
            .found_by(with("api_key", &unreadable, None), "credentials", "wrong")
            .await,
        &["/no/such/file"],
    );
    let plain = patient
        .found_by(with("hmac", &hmac, Some("hunter2")), "credentials", "wrong")
        .await;
    says(&plain, &["must be whsec_ and then base64"]);
    let short = patient
        .found_by(
            with("hmac", &hmac, Some("whsec_aHVudGVyMg==")),
            "credentials",
            "warning",
        )
        .await;
    says(&short, &["receivers.main.auth.secrets[0] has 7 bytes", "24 to 64"]);

    let endpoint = Stub::answering(|number, _| match number {
        0 => answer(200, &[], r#"{"access_token":"hunter2","token_type":"bearer"}"#),
        _ => answer(401, &[], r#"{"error":"invalid_client"}"#),
    })
    .await;
    let oauth2 = [
        ("TOKEN_URL", &*endpoint.url),
        ("CLIENT_ID", "aigent"),
        ("CLIENT_SECRET", "{ env = 'SECRET' }"),
    ];
    let (well, code) = findings(with("oauth2", &oauth2, Some("hunter2"))).await;
    assert_eq!((brief(&well), code), (vec![], Some(0)));
    let refused = patient
        .found_by(with("oauth2", &oauth2, Some("hunter2")), "credentials", "wrong")
        .await;
    says(&refused, &["invalid_client", "client_secret"]);
    for found in [&well[..], &[missing, plain, short, refused]].concat() {
        assert!(
            !found.to_string().contains("hunter2") && !found.to_string().contains("aHVudGVyMg"),
            "{found}"
        );
    }
    let mut webhook = patient.command(&["--json"]);
    webhook.env("RELAY_ALERTS__WEBHOOK_URL", "{ env = 'HOOK' }");
    says(
        &patient.found_by(webhook, "alerts_webhook", "wrong").await,
        &["HOOK is not set"],
    );
}

#[tokio::test]
async fn what_keeps_a_receiver_from_being_sent_to_is_found_with_the_command_that_ends_it() {
    let patient = Patient::well().await;
    for (defect, check, grade, part, repair) in [
        (
            "update rentsync.receiver set paused_at = now(), paused_because = 'answered 401', probe_at = now()",
            "sending",
            "wrong",
            "receivers resume main",
            "update rentsync.receiver set paused_at = null, paused_because = null, probe_at = null",
        ),
        (
            "update rentsync.receiver set wait_until = now() + interval '1 hour'",
            "sending",
            "warning",
            "asked for silence",
            "update rentsync.receiver set wait_until = null",
        ),
        (
            "update rentsync.feed set paused_because = 'paused by command' where property_id = 1",
            "feeds",
            "warning",
            "1 of 2 properties paused by command",
            "update rentsync.feed set paused_because = null",
        ),
        (
            "insert into rentsync.hold (receiver, units, gone, of_units, opened_at, grown_at) values ('main', 7, 0, 9, now(), now())",
            "holds",
            "warning",
            "holds approve ID",
            "delete from rentsync.hold",
        ),
        (
            "update rentsync.ledger set withheld = 'refused', withheld_because = 'x', withheld_at = now() where unit_id = 11",
            "withheld",
            "warning",
            "refused list",
            "update rentsync.ledger set withheld = null, withheld_because = null, withheld_at = null",
        ),
        (
            "insert into rentsync.alert (kind, receiver, message, raised_at, last_at) values ('rejected', 'main', 'x', now(), now())",
            "alerts",
            "warning",
            "1 open: rejected",
            "delete from rentsync.alert",
        ),
        (
            "update rentsync.source_identity set waits_since = now()",
            "source_identity",
            "wrong",
            "receivers resync main",
            "update rentsync.source_identity set waits_since = null",
        ),
        (
            "update rentsync.source_identity set system_identifier = 1",
            "source_identity",
            "wrong",
            "another database",
            "update rentsync.source_identity set system_identifier = (select system_identifier from pg_control_system())",
        ),
        (
            "update rentsync.source_identity set timeline = '0000000F'",
            "source_identity",
            "warning",
            "restored or failed over",
            "update rentsync.source_identity set timeline = left(pg_walfile_name(pg_current_wal_lsn()), 8)",
        ),
    ] {
        patient.edit(defect).await;
        let found = patient.found(check, grade).await;
        says(&found, &[part]);
        assert_eq!(found["receiver"], "main");
        patient.edit(repair).await;
        patient.assert_well().await;
    }
    patient
        .rig
        .edit("update project_rent_roll_units set price = 1 where id = 11")
        .await;
    patient
        .edit("update rentsync.outbox set occurred_at = now() - interval '3 hours'")
        .await;
    let idle = patient.found_dated_back("relay", "wrong").await;
    says(&idle, &["no relay is connected", "3h old", "rentsync-relay run"]);
    let _connected = patient.rig.source.connect().await;
    says(
        &patient.found_dated_back("relay", "warning").await,
        &["1 session of a relay is connected, and yet"],
    );
}

#[tokio::test]
async fn a_receiver_that_was_never_run_is_said_and_the_others_are_distinguished() {
    let patient = Patient::well().await;
    let two = |arguments: &[&str]| {
        let mut command = patient.command(arguments);
        command.env("RELAY_RECEIVERS__OTHER__URL", patient.rig.receiver.url.as_str());
        command
    };
    let never = patient.found_by(two(&["--json"]), "sending", "warning").await;
    says(&never, &["nothing was ever sent", "rentsync-relay run"]);
    assert_eq!(never["receiver"], "other");
    let (main, code) = findings(two(&["--json", "--receiver", "main"])).await;
    assert_eq!((brief(&main), code), (vec![], Some(0)));
    assert!(main.iter().all(|found| found["receiver"] != "other"));
    let unknown = output(two(&["--receiver", "nobody"])).await;
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
}

#[tokio::test]
async fn a_night_that_was_missed_is_found() {
    let patient = Patient::well().await;
    patient
        .edit("update rentsync.receiver set registered_at = now() - interval '24 hours'")
        .await;
    says(
        &patient.found("schedule", "warning").await,
        &["has not begun; none was done yet", "catches up"],
    );
    patient
        .edit("update rentsync.receiver set registered_at = now() - interval '3 days'")
        .await;
    says(&patient.found("schedule", "wrong").await, &["nor the one before it"]);
    let mut off = patient.command(&["--json"]);
    off.env("RELAY_SNAPSHOT__ENABLED", "false");
    let (findings_off, code) = findings(off).await;
    assert_eq!((brief(&findings_off), code), (vec![], Some(0)));
    patient
        .edit("insert into rentsync.snapshot_run (receiver, reason, started_at, finished_at) values ('main', 'command', now(), now())")
        .await;
    let mut local = patient.command(&["--json"]);
    local
        .env("RELAY_SNAPSHOT__TIME_ZONE", "America/Edmonton")
        .env("RELAY_SNAPSHOT__AT", "02:30");
    let (findings, code) = findings(local).await;
    assert_eq!((brief(&findings), code), (vec![], Some(0)));
    let next = findings
        .iter()
        .find(|found| found["check"] == "schedule" && found["receiver"].is_null())
        .expect("schedule");
    says(next, &["02:30 in America/Edmonton", "Z"]);
}

#[tokio::test]
async fn what_should_have_been_pruned_or_cleaned_is_found() {
    let patient = Patient::well().await;
    patient
        .edit("update rentsync.outbox set occurred_at = now() - interval '16 days'")
        .await;
    says(
        &patient.found_dated_back("retention", "warning").await,
        &["changes (retention.outbox)", "prune"],
    );
    patient.edit("update rentsync.outbox set occurred_at = now()").await;
    // Each feed's newest stays, however old it is.
    patient
        .edit("update rentsync.sync set settled_at = now() - interval '16 days'")
        .await;
    patient.assert_well().await;
    patient
        .edit("update rentsync.sync set state = 'rejected' where sequence = (select min(sequence) from rentsync.sync)")
        .await;
    says(
        &patient.found("retention", "warning").await,
        &["syncs (retention.syncs)"],
    );
    patient.edit("update rentsync.sync set state = 'delivered'").await;

    patient
        .edit("alter table rentsync.outbox set (autovacuum_enabled = false)")
        .await;
    says(
        &patient.found("vacuum", "warning").await,
        &["autovacuum is off for rentsync.outbox", "reset (autovacuum_enabled)"],
    );
    patient
        .edit("alter table rentsync.outbox reset (autovacuum_enabled)")
        .await;
    patient.assert_well().await;
    let little = Limits {
        schema_bytes: 1,
        ..Limits::default()
    };
    let disk = patient.found_within(&little, "disk").await;
    assert!(
        disk.len() == 1
            && disk[0]
                .todo
                .as_ref()
                .is_some_and(|todo| todo.contains("retention.syncs"))
            && disk[0].what.contains("a day in tablespace pg_default"),
        "{disk:?}"
    );
}

#[tokio::test]
async fn without_its_database_it_says_so_looks_at_the_rest_and_exits_3() {
    let patient = Patient::well().await;
    let mut command = patient.command(&["--json"]);
    command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let out = output(command).await;
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    let findings: Vec<Value> = serde_json::from_slice(&out.stdout).expect("JSON");
    let checks: Vec<_> = findings
        .iter()
        .map(|found| found["check"].as_str().expect("a check"))
        .collect();
    assert_eq!(checks, ["database", "schedule", "credentials", "receiver", "clock"]);
    assert_eq!(brief(&findings), [("database".to_owned(), "wrong".to_owned())]);
    let error = String::from_utf8_lossy(&out.stderr);
    assert_eq!(error.matches("127.0.0.1:1").count(), 1, "{error}");
    assert!(error.contains("could not be reached"), "{error}");

    let mut misspelt = patient.command(&[]);
    misspelt.env("RELAY_RECEIVERS__MAIN__TIMOUT", "1s");
    assert_eq!(output(misspelt).await.status.code(), Some(2));
    let mut nowhere = patient.command(&[]);
    nowhere.env_remove("DATABASE_URL");
    assert_eq!(output(nowhere).await.status.code(), Some(2));
    let mut nobody = patient.command(&["--json"]);
    for name in ["URL", "TIMEOUT", "UNITS_PER_REQUEST_MAX"] {
        nobody.env_remove(format!("RELAY_RECEIVERS__MAIN__{name}"));
    }
    says(
        &patient.found_by(nobody, "settings", "wrong").await,
        &["no receiver is configured"],
    );
}

#[tokio::test]
async fn a_server_that_may_forget_what_was_committed_is_found() {
    let rig = Rig::on(TestDatabase::installed().await).await;
    let fsync: String = sqlx::query_scalar("show fsync")
        .fetch_one(&mut rig.source.connect().await)
        .await
        .expect("fsync");
    let out = output(relay(&rig, &["doctor"])).await;
    let text = said(&out);
    assert_eq!(
        text.contains("fsync and full_page_writes are off"),
        fsync == "off",
        "{text}"
    );
    if fsync == "off" {
        assert_eq!(out.status.code(), Some(1), "{text}");
        assert!(
            text.contains("\nwrong") && text.contains("-> set it to on in postgresql.conf"),
            "{text}"
        );
    }
}
