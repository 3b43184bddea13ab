//! Databases to measure on.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use local_postgres::Server;
use rentsync_relay::capture;
use rentsync_relay::config::Config;
use rentsync_relay::database::Database;
use rentsync_relay::demo::portfolio;
use rentsync_relay::inspect::receivers;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::time::sleep;

use crate::machine::{backends_cpu_seconds, cpu_seconds, peak_mb};
use crate::process::REST_MAX;
use crate::process::RelayProcess;
use crate::receiver::Receiver;

pub const PROPERTIES: i64 = 2_000;
pub const UNITS: i64 = 200_000;
pub const UNITS_PER_PROPERTY: i64 = UNITS / PROPERTIES;
pub const RECEIVER: &str = "main";

pub const UNITS_OF_ALL: &str = "
insert into projects
select p, 'Property ' || p, 1 + p % 3, p || ' Main Street, Calgary, AB', true, false
  from generate_series(1, $PROPERTIES) p;
insert into project_rent_roll_units
select u, 1 + (u - 1) / $PER_PROPERTY, (1 + u % 24) || lpad((u % 40)::text, 2, '0') || '-' || u, 'A', 1 + u % 24,
       '2BR-CORNER', '2 Bed', 1 + u % 3, (array['Available', 'Rented', 'On Notice'])[1 + u % 3], 'December',
       1500 + u % 700, 1450.5, 820, 2, 2, 0, 'Apartment', 'SE', 'City View', u % 2 = 0, u % 3, u % 3, u % 2, null, null
  from generate_series(1, $UNITS) u;
";

/// A writer that commits each update and whose client has nothing to do: with two cores a client's own work would be
/// half of what is measured and would hide what a trigger costs.
pub const WRITER: &str = "
create procedure bench_write(ends timestamptz, inout done bigint) language plpgsql as $$
declare
    unit integer;
begin
    while clock_timestamp() < ends loop
        unit := 1 + floor(random() * $UNITS)::integer;
        update project_rent_roll_units set price = price + 1 where id = unit;
        commit;
        done := done + 1;
    end loop;
end
$$;
";

/// `bench_bare` has the source, `bench_installed` also the triggers.
pub async fn make_databases(server: &Server) -> Result<()> {
    server.create_database("bench_bare", None).await?;
    let mut conn = connect(server, "bench_bare").await?;
    for statements in [
        portfolio::SCHEMA,
        UNITS_OF_ALL,
        WRITER,
        "vacuum analyze projects",
        "vacuum analyze project_rent_roll_units",
    ] {
        execute(&mut conn, statements).await?;
    }
    conn.close().await?;
    server.create_database("bench_installed", Some("bench_bare")).await?;
    let database = Database::from_options(server.options("bench_installed"));
    capture::install(&database, &Config::default().source).await?;
    Ok(())
}

pub async fn connect(server: &Server, database: &str) -> Result<PgConnection> {
    let options = server.options(database).application_name("bench");
    Ok(options.connect().await?)
}

pub async fn execute(conn: &mut PgConnection, statements: &str) -> Result<()> {
    let statements = sized(statements, PROPERTIES, UNITS_PER_PROPERTY);
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(conn).await?;
    Ok(())
}

/// Statements about so many properties of so many units.
pub fn sized(statements: &str, properties: i64, units_per_property: i64) -> String {
    statements
        .replace("$PROPERTIES", &properties.to_string())
        .replace("$PER_PROPERTY", &units_per_property.to_string())
        .replace("$UNITS", &(properties * units_per_property).to_string())
}

/// What coming to rest took.
pub struct Figures {
    pub took: Duration,
    pub relay_cpu: f64,
    pub backends_cpu: f64,
    pub peak_mb: f64,
}

pub struct Rested {
    pub relay: RelayProcess,
    pub figures: Figures,
}

/// A database with 200,000 units and the relay installed.
pub struct Bed<'a> {
    pub server: &'a Server,
    pub database: &'static str,
}

impl<'a> Bed<'a> {
    pub async fn new(server: &'a Server, database: &'static str) -> Result<Self> {
        server.create_database(database, Some("bench_bare")).await?;
        let source = Config::default().source;
        capture::install(&Database::from_options(server.options(database)), &source).await?;
        Ok(Self { server, database })
    }

    pub async fn connect(&self) -> Result<PgConnection> {
        connect(self.server, self.database).await
    }

    pub async fn execute(&self, statements: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        execute(&mut conn, statements).await?;
        Ok(conn.close().await?)
    }

    /// Starts a relay and waits until nothing is left to send.
    pub async fn run_to_rest(&self, receiver: &Receiver) -> Result<Rested> {
        let mut conn = self.connect().await?;
        let requests = receiver.requests();
        let began = Instant::now();
        let relay = RelayProcess::start(&self.server.url(self.database), &receiver.url())?;
        // Every feed has something to send. The database, which has work to do, is only asked once all have.
        while receiver.requests() < requests + PROPERTIES as usize
            || receivers::unsettled(&mut conn, RECEIVER).await? > 0
        {
            ensure!(began.elapsed() < REST_MAX, "the relay did not come to rest");
            sleep(Duration::from_millis(20)).await;
        }
        let figures = Figures {
            took: began.elapsed(),
            relay_cpu: cpu_seconds(relay.id())?,
            backends_cpu: backends_cpu_seconds(&mut conn).await?,
            peak_mb: peak_mb(relay.id())?,
        };
        conn.close().await?;
        Ok(Rested { relay, figures })
    }
}
