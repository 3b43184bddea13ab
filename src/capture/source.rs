//! The two source functions: the only place that knows AiGent's column names.
//!
//! `install` writes `rentsync.source_property()` and `rentsync.source_unit()` from the tables it finds. They are plain
//! SQL with a string body, so that PostgreSQL inlines them (a look-up by unit or property uses the source's own
//! indexes) and so that they never stand in the way of AiGent's `alter table`. A site whose columns have other names,
//! or lie in joined tables, replaces them by hand; a function without our marker is left alone.

use anyhow::Result;
use sqlx::PgConnection;

use crate::fault::Fault;

/// In the body of a generated function; a site that replaces the function leaves it out.
const MARKER: &str = "-- written by rentsync-relay install; leave this line out of your own version";

/// What a source column has to be, and so what the function casts it to.
#[derive(Clone, Copy)]
enum Kind {
    /// Left exactly as it is: a cast would turn every look-up into a scan.
    Key,
    Integer,
    Text,
    Boolean,
    Float,
}

struct Column {
    source: &'static str,
    result: &'static str,
    kind: Kind,
}

const fn column(source: &'static str, result: &'static str, kind: Kind) -> Column {
    Column { source, result, kind }
}

const PROPERTY: &[Column] = &[
    column("id", "property_id", Kind::Key),
    column("name", "name", Kind::Text),
    column("full_address", "address", Kind::Text),
    column("project_group_id", "project_group_id", Kind::Integer),
    column("is_actived", "is_active", Kind::Boolean),
    column("is_lease_up", "is_lease_up", Kind::Boolean),
];

const UNIT: &[Column] = &[
    column("id", "unit_id", Kind::Key),
    column("project_id", "property_id", Kind::Key),
    column("unit_code", "unit_code", Kind::Text),
    column("building", "building", Kind::Text),
    column("floor", "floor", Kind::Integer),
    column("floorplan", "floorplan", Kind::Text),
    column("type", "type", Kind::Text),
    column("dwelling_type", "dwelling_type", Kind::Text),
    column("rentroll_status_id", "status_id", Kind::Integer),
    column("rentroll_status", "status_name", Kind::Text),
    column("when_available", "when_available", Kind::Text),
    column("price", "base_rent", Kind::Float),
    column("price_amortized", "price_amortized", Kind::Float),
    column("size", "size_sqft", Kind::Integer),
    column("bedrooms", "bedrooms", Kind::Float),
    column("bathrooms", "bathrooms", Kind::Float),
    column("dens", "dens", Kind::Integer),
    column("exposure", "exposure", Kind::Text),
    column("view", "view", Kind::Text),
    column("has_garage", "has_garage", Kind::Boolean),
    column("pets", "pets_allowed", Kind::Integer),
    column("parking_stalls", "parking_stalls", Kind::Integer),
    column("storage_boxes", "storage_boxes", Kind::Integer),
    column("lead_first_name", "lead_first_name", Kind::Text),
    column("lead_last_name", "lead_last_name", Kind::Text),
];

/// One source table and the function that reads it.
pub(crate) struct Source {
    /// `source_property` or `source_unit`.
    pub function: &'static str,
    /// The setting that names the table.
    pub setting: &'static str,
    columns: &'static [Column],
}

pub(crate) const SOURCE_PROPERTY: Source = Source {
    function: "source_property",
    setting: "source.properties_table",
    columns: PROPERTY,
};
pub(crate) const SOURCE_UNIT: Source = Source {
    function: "source_unit",
    setting: "source.units_table",
    columns: UNIT,
};

impl Kind {
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Kind::Key | Kind::Integer => &["smallint", "integer", "bigint"],
            Kind::Text => &["text", "character varying", "character"],
            Kind::Boolean => &["boolean"],
            Kind::Float => &["double precision", "real", "numeric", "integer", "bigint", "smallint"],
        }
    }

    /// The column as the function returns it, and the type it then has.
    fn expression(self, name: &str, found: &str) -> (String, String) {
        match (self, found) {
            (Kind::Key, _) => (name.to_owned(), found.to_owned()),
            (Kind::Integer, _) => (format!("{name}::bigint"), "bigint".to_owned()),
            (Kind::Text, _) => (format!("{name}::text"), "text".to_owned()),
            (Kind::Boolean, _) => (name.to_owned(), "boolean".to_owned()),
            // By way of text, so that 1500.1 stays 1500.1 and doesn't become 1500.0999755859375.
            (Kind::Float, "real") => (format!("{name}::text::float8"), "double precision".to_owned()),
            // Beyond what a double can say: nearest is infinity, which makes the unit invalid, or zero.
            (Kind::Float, "numeric") => (
                format!(
                    "case when abs({name}) > 1.797e308 then 'Infinity'::float8 when abs({name}) < 1e-307 then 0::float8 \
                     else {name}::float8 end"
                ),
                "double precision".to_owned(),
            ),
            (Kind::Float, _) => (format!("{name}::float8"), "double precision".to_owned()),
        }
    }
}

/// Writes one source function, unless the site has its own; checks the table's columns first.
pub(super) async fn write(conn: &mut PgConnection, source: &Source, table: &str) -> Result<()> {
    if has_own(conn, source).await? {
        return Ok(());
    }
    let Generated { results, body } = Generated::for_table(conn, source, table).await?;
    let statement = format!(
        "drop function if exists rentsync.{name}();\n\
         create function rentsync.{name}() returns table ({results}) language sql stable as $source${body}$source$;\n\
         comment on function rentsync.{name}() is 'What the relay reads of {table}. Replace it where columns have other names.';",
        name = source.function,
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await?;
    Ok(())
}

/// A source function as this release writes it for a table.
pub(crate) struct Generated {
    results: String,
    /// As `pg_proc.prosrc` has it.
    pub body: String,
}

impl Generated {
    /// # Errors
    /// When the table is not the rent roll that the relay knows.
    pub async fn for_table(conn: &mut PgConnection, source: &Source, table: &str) -> Result<Self> {
        let found = columns_of(conn, table).await?;
        check(source, table, &found)?;
        let (results, expressions): (Vec<_>, Vec<_>) = source
            .columns
            .iter()
            .map(|column| {
                let name = format!("t.{}", quoted(column.source));
                let (expression, kind) = column.kind.expression(&name, type_of(&found, column.source));
                (format!("{} {kind}", column.result), expression)
            })
            .unzip();
        Ok(Self {
            results: results.join(", "),
            body: format!("\n{MARKER}\nselect {}\n  from {table} t\n", expressions.join(", ")),
        })
    }

    /// Whether a function's body is one that some release wrote.
    pub fn is(body: &str) -> bool {
        body.contains(MARKER)
    }
}

impl Source {
    /// The result columns that a plan reads, each with the types that it may have.
    pub fn results(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        self.columns.iter().map(|column| (column.result, column.kind.allowed()))
    }
}

/// True where the site replaced the function by its own.
async fn has_own(conn: &mut PgConnection, source: &Source) -> Result<bool> {
    let body: Option<String> = sqlx::query_scalar(include_str!("../../sql/capture/source_body.sql"))
        .bind(source.function)
        .fetch_optional(conn)
        .await?;
    Ok(body.is_some_and(|body| !Generated::is(&body)))
}

type Found = Vec<(String, String)>;

async fn columns_of(conn: &mut PgConnection, table: &str) -> Result<Found> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/columns_of.sql"))
        .bind(table)
        .fetch_all(conn)
        .await?)
}

fn type_of<'a>(found: &'a Found, name: &str) -> &'a str {
    found
        .iter()
        .find(|(column, _)| column == name)
        .map_or("", |(_, kind)| kind)
}

/// All that is wrong with a table's columns, in one message.
fn check(source: &Source, table: &str, found: &Found) -> Result<()> {
    let problems: Vec<String> = source
        .columns
        .iter()
        .filter_map(|column| {
            let kind = type_of(found, column.source);
            let allowed = column.kind.allowed();
            if kind.is_empty() {
                Some(format!("column {} is missing", column.source))
            } else if allowed.contains(&kind) {
                None
            } else {
                Some(format!(
                    "column {} is {kind}, not {}",
                    column.source,
                    allowed.join(" or ")
                ))
            }
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Fault::usage(format!(
        "table {table} ({}) is not the rent roll that the relay knows: {}. Name the right table in {}, or create \
         rentsync.{}() yourself for columns with other names (README, \"Other column names\"); nothing was changed",
        source.setting,
        problems.join("; "),
        source.setting,
        source.function,
    ))
    .into())
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
