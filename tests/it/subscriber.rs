//! No trigger on production: a logical-replication subscriber carries schema rentsync, production a publication and a slot.

use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Server};
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::demo::portfolio;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::process::{output, relay, said};
use crate::support::TestDatabase;
use crate::support::backup::{Backup, programs};
use crate::support::rig::{Rig, UNGUARDED};

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "rent_roll";

/// Production: its own tables, and nothing of the relay's.
struct Production {
    source: TestDatabase,
    address: String,
    // Goes last.
    _server: Server,
}

async fn server(settings: &[(&str, &str)]) -> (LocalPostgres, TestDatabase) {
    let cluster = LocalPostgres::start_with(Durability::InMemory, settings).unwrap();
    let postgres = cluster.options("postgres").connect().await;
    sqlx::raw_sql(AssertSqlSafe(format!("create database {NAME}")))
        .execute(&mut postgres.unwrap())
        .await
        .unwrap();
    let source = TestDatabase::elsewhere(NAME, cluster.options(NAME), cluster.url(NAME));
    source.execute(portfolio::SCHEMA).await;
    (cluster, source)
}

impl Production {
    async fn start() -> Self {
        let (cluster, source) = server(&[("wal_level", "logical")]).await;
        let address = format!(
            "host={} port=5432 user=postgres dbname={NAME}",
            cluster.directory().display()
        );
        Self {
            source,
            address,
            _server: Server::Private(cluster),
        }
    }

    /// The columns are named, so that one that is added there stops nothing.
    async fn publish(&self) {
        let columns = |table| {
            format!(
                "(select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                   where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped)"
            )
        };
        self.source
            .execute(&format!(
                "do $$ begin execute format('create publication rentsync for table projects (%s), project_rent_roll_units (%s)', {}, {}); end $$",
                columns("projects"),
                columns("project_rent_roll_units")
            ))
            .await;
    }

    fn subscribe(&self) -> String {
        format!(
            "create subscription rentsync connection '{}' publication rentsync",
            self.address
        )
    }
}

async fn dump(conn: &mut PgConnection) -> anyhow::Result<String> {
    Ok(sqlx::query_scalar(
        "select concat((select string_agg(p::text, '|' order by p.id) from public.projects p),
                       (select string_agg(u::text, '|' order by u.id) from public.project_rent_roll_units u))",
    )
    .fetch_one(conn)
    .await?)
}

/// Until the subscriber has what production has.
async fn arrived(production: &Production, rig: &Rig) {
    let (mut there, mut here) = (production.source.connect().await, rig.source.connect().await);
    let began = Instant::now();
    while dump(&mut there).await.unwrap() != dump(&mut here).await.unwrap() {
        assert!(began.elapsed() < LIMIT, "nothing arrives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn equal(production: &Production, rig: &Rig) {
    arrived(production, rig).await;
    rig.settle().await;
    rig.assert_equal().await;
}

async fn doctor(rig: &Rig) -> String {
    let done = output(relay(rig, &["doctor"])).await;
    said(&done)
}

/// Production, and a subscriber that has the relay installed.
async fn pair() -> Option<(Production, Rig, LocalPostgres)> {
    let production = Production::start().await;
    if production
        .source
        .number("select current_setting('server_version_num')::bigint")
        .await
        < 150_000
    {
        println!("skipped: a publication names columns from PostgreSQL 15 on");
        return None;
    }
    production.publish().await;
    let (cluster, subscriber) = server(&[]).await;
    capture::install(&subscriber.database, &Config::default().source)
        .await
        .expect("install");
    let mut rig = Rig::agreeing(subscriber, Rig::receiver()).await;
    rig.receiver.guard = UNGUARDED;
    production
        .source
        .execute(
            "insert into projects (id, name, is_actived) values (1, 'One', true), (2, 'Two', true);
             insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price)
             values (11, 1, '11', 1, 1100), (12, 1, '12', 1, 1200), (21, 2, '21', 1, 2100)",
        )
        .await;
    rig.edit(&production.subscribe()).await;
    Some((production, rig, cluster))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_carries_what_production_does_and_production_carries_nothing() {
    let Some((production, rig, cluster)) = pair().await else {
        return;
    };
    equal(&production, &rig).await;
    edit_on(&production).await;
    equal(&production, &rig).await;

    production.source.execute("truncate project_rent_roll_units").await;
    equal(&production, &rig).await;
    assert!(rig.sandbox.property(1).expect("received").units.is_empty());

    let large = "insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id)
                 select n, 1 + n % 2, n::text, 1 from generate_series(1000, 3999) as n;
                 begin; update project_rent_roll_units set price = id; delete from project_rent_roll_units where id % 10 = 0; commit";
    production.source.execute(large).await;
    equal(&production, &rig).await;

    // A column that nobody publishes.
    production
        .source
        .execute("alter table project_rent_roll_units add column note text; update project_rent_roll_units set note = 'x', price = 1 where id < 1010")
        .await;
    let published = "select count(*) from public.project_rent_roll_units where price = 1";
    let began = Instant::now();
    while rig.source.number(published).await != production.source.number(published).await {
        assert!(began.elapsed() < LIMIT);
    }
    rig.settle().await;
    rig.assert_equal().await;

    let nothing = "select count(*) from pg_trigger where not tgisinternal
                    union all select count(*) from pg_namespace where nspname = 'rentsync'";
    assert_eq!(production.source.number(nothing).await, 0);
    let said = doctor(&rig).await;
    assert!(said.contains("rentsync follows the publisher"), "{said}");
    rig.edit("alter subscription rentsync disable").await;
    let said = doctor(&rig).await;
    assert!(
        said.contains("is disabled") && said.contains("write-ahead log"),
        "{said}"
    );
    drop(cluster);
}

async fn edit_on(production: &Production) {
    production
        .source
        .execute(
            "update project_rent_roll_units set price = 99 where id = 11;
             delete from project_rent_roll_units where id = 12;
             insert into project_rent_roll_units (id, project_id, unit_code) values (14, 1, '14');
             update project_rent_roll_units set project_id = 1 where id = 21;
             update projects set name = 'Zwei' where id = 2",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_was_restored_is_copied_anew_and_sends_everything_again() {
    let Some((production, mut rig, cluster)) = pair().await else {
        return;
    };
    let directory = cluster.directory().to_owned();
    let Some(bin) = programs(&mut rig.source.connect().await, &["pg_basebackup", "postgres"]).await else {
        return println!("skipped: no pg_basebackup beside the server");
    };
    equal(&production, &rig).await;
    let image = Backup::image(&directory, &bin);
    edit_on(&production).await;
    equal(&production, &rig).await;

    // What production sent meanwhile it does not send again: its slot is further.
    drop(cluster);
    image.start();
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(image.directory())
        .username("postgres")
        .database(NAME);
    let url = format!(
        "postgres://postgres@{}:5432/{NAME}",
        image.directory().display().to_string().replace('/', "%2F")
    );
    let began = Instant::now();
    while options.connect().await.is_err() {
        assert!(began.elapsed() < LIMIT);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rig.source = TestDatabase::elsewhere(NAME, options, url);
    for statement in [
        "drop subscription rentsync",
        "truncate projects, project_rent_roll_units",
        &production.subscribe(),
    ] {
        rig.edit(statement).await;
    }
    arrived(&production, &rig).await;
    let done = output(relay(&rig, &["receivers", "resync", "main"])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    equal(&production, &rig).await;
}
