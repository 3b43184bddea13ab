//! Engines that can't carry the relay are refused before anything is changed. Of those that can't be had here their catalogs are made up
//! as their documentation has them.

use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::fault::{exit_code, sentence};

use crate::support::TestDatabase;

/// As Citus has it in `pg_catalog`.
const CITUS: &str = "set allow_system_table_mods = on;
    create table pg_catalog.pg_dist_partition
        (logicalrelid regclass not null, partmethod \"char\" not null, partkey text, colocationid integer not null default 0,
         repmodel \"char\" not null, autoconverted boolean not null default false);
    insert into pg_catalog.pg_dist_partition (logicalrelid, partmethod, partkey, colocationid, repmodel)
    values ('projects', 'n', null, 3, 't'), ('project_rent_roll_units', 'h', '{VAR}', 2, 's')";

async fn refusal(database: &TestDatabase) -> String {
    let installed = capture::install(&database.database, &Config::default().source).await;
    let Err(error) = installed else {
        panic!("it is installed")
    };
    assert_eq!(exit_code(&error), 2);
    let said = sentence(&error);
    assert!(said.contains("nothing was changed"), "{said}");
    let schemas = "select count(*) from pg_namespace where nspname = 'rentsync'";
    assert_eq!(database.number(schemas).await, 0, "{said}");
    said
}

#[tokio::test]
async fn tables_that_citus_distributes_are_refused_and_local_ones_are_not() {
    let database = TestDatabase::bare().await;
    database.execute(CITUS).await;
    let said = refusal(&database).await;
    assert!(
        said.contains("Citus distributes public.project_rent_roll_units and public.projects,"),
        "{said}"
    );
    // One shard of a distributed schema, and a table that is local to its node.
    database
        .execute(
            "set allow_system_table_mods = on;
             update pg_catalog.pg_dist_partition set partmethod = 'n', partkey = null, repmodel = 's',
                    colocationid = case logicalrelid when 'projects'::regclass then 7 else 0 end",
        )
        .await;
    let said = refusal(&database).await;
    assert!(said.contains("Citus distributes public.projects,"), "{said}");
    database
        .execute("set allow_system_table_mods = on; update pg_catalog.pg_dist_partition set colocationid = 0")
        .await;
    capture::install(&database.database, &Config::default().source)
        .await
        .expect("local tables");
}

#[tokio::test]
async fn a_server_with_the_views_of_aurora_dsql_or_limitless_is_refused() {
    for (views, name) in [
        (
            "create schema sys; create view sys.jobs as select 1; create view sys.iam_pg_role_mappings as select 1",
            "DSQL",
        ),
        (
            "create schema rds_aurora; create view rds_aurora.limitless_tables as select 1",
            "Limitless",
        ),
    ] {
        let database = TestDatabase::bare().await;
        database.execute(views).await;
        assert!(refusal(&database).await.contains(name));
    }
}
