//! The two source functions: the only place that knows AiGent's column names.
//!
//! `install` writes `rentsync.source_property()` and `rentsync.source_unit()` from the tables it finds. They are plain
//! SQL with a string body, so that PostgreSQL inlines them (a look-up by unit or property uses the source's own
//! indexes) and so that they never stand in the way of AiGent's `alter table`. A site whose columns have other names,
//! or lie in joined tables, gives `install` functions of its own; a function without our marker is left alone.

use anyhow::Result;
use sqlx::PgConnection;

use super::own;
use super::template::Template;
use crate::fault::Fault;

/// In the body of a generated function; a site that replaces the function leaves it out.
const MARKER: &str = "-- written by rentsync-relay install; leave this line out of your own version";

/// What a source column has to be, and so what the function casts it to.
#[derive(Clone, Copy)]
enum Kind {
    /// Left exactly as it is, also its type: a cast would turn every look-up into a scan.
    Key,
    Integer,
    Text,
    Boolean,
    Float,
}

pub(super) struct Column {
    pub source: &'static str,
    pub result: &'static str,
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
    pub(super) columns: &'static [Column],
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
    /// What a source function may return.
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Kind::Key | Kind::Integer => &["smallint", "integer", "bigint"],
            Kind::Text => &["text", "character varying", "character"],
            Kind::Boolean => &["boolean"],
            Kind::Float => &["double precision", "real", "numeric", "integer", "bigint", "smallint"],
        }
    }

    /// What a function has there that has no column for it.
    pub(super) fn none(self) -> &'static str {
        match self {
            Kind::Key | Kind::Integer => "bigint",
            Kind::Text => "text",
            Kind::Boolean => "boolean",
            Kind::Float => "double precision",
        }
    }

    /// The column as the function returns it, and the type it then has; none where no cast keeps what it says.
    fn expression(self, name: &str, found: &FoundColumn) -> Option<(String, String)> {
        let cast = |expression: String, to: &str| Some((expression, to.to_owned()));
        match (self, found.base.as_str()) {
            (Kind::Key, "smallint" | "integer" | "bigint") => cast(name.to_owned(), &found.shown),
            (Kind::Integer, "smallint" | "integer" | "bigint") => cast(format!("{name}::bigint"), "bigint"),
            (Kind::Integer, "numeric") if found.is_integral => cast(format!("{name}::bigint"), "bigint"),
            (Kind::Text, "text" | "character varying" | "character" | "name" | "citext") => {
                cast(format!("{name}::text"), "text")
            }
            (Kind::Text, "smallint" | "integer" | "bigint" | "numeric" | "uuid") => {
                cast(format!("{name}::text"), "text")
            }
            (Kind::Text, _) if found.is_enum => cast(format!("{name}::text"), "text"),
            // By way of JSON, because that is ISO 8601 whatever a session's DateStyle is.
            (Kind::Text, "date" | "timestamp without time zone") => {
                cast(format!("(pg_catalog.to_jsonb({name}) #>> '{{}}')"), "text")
            }
            // Before Christ and for ever are said as the server says them: no such value keeps others from being read.
            (Kind::Text, "timestamp with time zone") => cast(
                format!(
                    "pg_catalog.replace(pg_catalog.replace((pg_catalog.to_jsonb({name} at time zone 'UTC') #>> '{{}}') || 'Z', \
                     ' BCZ', 'Z BC'), 'infinityZ', 'infinity')"
                ),
                "text",
            ),
            (Kind::Boolean, "boolean") => cast(name.to_owned(), "boolean"),
            // By way of text, so that 1500.1 stays 1500.1 and doesn't become 1500.0999755859375.
            (Kind::Float, "real") => cast(format!("{name}::text::float8"), "double precision"),
            // Beyond what a double can say: nearest is infinity, which makes the unit invalid, or zero.
            (Kind::Float, "numeric") => cast(
                format!(
                    "case when abs({name}) > 1.797e308 then 'Infinity'::float8 when abs({name}) < 1e-307 then 0::float8 \
                     else {name}::float8 end"
                ),
                "double precision",
            ),
            (Kind::Float, "double precision" | "smallint" | "integer" | "bigint") => {
                cast(format!("{name}::float8"), "double precision")
            }
            _ => None,
        }
    }

    /// What is wrong with such a column.
    fn objection(self, column: &str, found: &FoundColumn) -> String {
        match (self, found.base.as_str()) {
            (Kind::Key, "uuid") => format!("key {column} is uuid, and keys that are no integers are not supported"),
            _ => format!(
                "column {column} is {}, not {}",
                found.shown,
                self.allowed().join(" or ")
            ),
        }
    }
}

impl Column {
    /// As a function returns it: the expression and its type, or what is wrong with it.
    pub(super) fn read(&self, found: &[FoundColumn]) -> Result<(String, String), String> {
        let name = format!("t.{}", quoted(self.source));
        let Some(column) = found.iter().find(|column| column.name == self.source) else {
            return Err(format!("column {} is missing", self.source));
        };
        let expression = self.kind.expression(&name, column);
        expression.ok_or_else(|| self.kind.objection(self.source, column))
    }

    pub(super) fn none(&self) -> &'static str {
        self.kind.none()
    }

    fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Key)
    }
}

/// Writes both source functions: from the site's own SQL where that is given, else from the tables, unless the site has its own.
/// Everything that is wrong with either table is said at once.
pub(super) async fn write_both(conn: &mut PgConnection, tables: [&str; 2], functions: Option<&str>) -> Result<()> {
    let asked = [(&SOURCE_PROPERTY, tables[0]), (&SOURCE_UNIT, tables[1])];
    let mut problems = Vec::new();
    let mut to_write = Vec::new();
    for (source, table) in asked {
        let found = columns_of(conn, table).await?;
        // The triggers go by the keys' own names, whatever reads the rest.
        let is_own = functions.is_some() || has_own(conn, source).await?;
        let wrong = source.problems(&found, |column| !is_own || column.is_key());
        if !wrong.is_empty() {
            let setting = source.setting;
            let what = wrong.join("; ");
            problems.push(format!(
                "table {table} ({setting}) is not the rent roll that the relay knows: {what}"
            ));
        } else if !is_own {
            to_write.push((source, table, Generated::of(source, table, &found)?));
        }
    }
    if !problems.is_empty() {
        return Err(unsuitable(conn, &asked, &problems).await?);
    }
    let grants: Vec<String> = sqlx::query_scalar(include_str!("../../sql/capture/source_grants.sql"))
        .fetch_all(&mut *conn)
        .await?;
    for (source, table, generated) in to_write {
        generated.write(conn, source, table).await?;
    }
    if let Some(functions) = functions {
        own::write(conn, &asked.map(|(source, _)| source), functions).await?;
    }
    for grant in grants {
        sqlx::raw_sql(sqlx::AssertSqlSafe(grant)).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn unsuitable(
    conn: &mut PgConnection,
    asked: &[(&Source, &str); 2],
    problems: &[String],
) -> Result<anyhow::Error> {
    let mut template = Template::new();
    for (source, table) in asked {
        template.add(source, table, &columns_of(conn, table).await?);
    }
    let fault = Fault::usage(format!(
        "{}. Name the right tables, or give the two functions that read yours with --source-functions FILE \
         (rentsync.source_property() and rentsync.source_unit(); docs/install.md, \"Other column names\"); the triggers need the keys id and \
         project_id as integers; nothing was changed",
        problems.join(". ")
    ));
    Ok(anyhow::Error::from(fault).context(template))
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
        Self::of(source, table, &columns_of(conn, table).await?)
    }

    fn of(source: &Source, table: &str, found: &[FoundColumn]) -> Result<Self> {
        let problems = source.problems(found, |_| true);
        if !problems.is_empty() {
            let what = problems.join("; ");
            return Err(Fault::usage(format!("table {table} ({}): {what}", source.setting)).into());
        }
        let (expressions, results): (Vec<_>, Vec<_>) = source
            .columns
            .iter()
            .filter_map(|column| {
                let (expression, kind) = column.read(found).ok()?;
                Some((expression, format!("{} {kind}", column.result)))
            })
            .unzip();
        Ok(Self {
            results: results.join(", "),
            body: format!("\n{MARKER}\nselect {}\n  from {table} t\n", expressions.join(", ")),
        })
    }

    async fn write(&self, conn: &mut PgConnection, source: &Source, table: &str) -> Result<()> {
        let Self { results, body } = self;
        let statement = format!(
            "drop function if exists rentsync.{name}();\n\
             create function rentsync.{name}() returns table ({results}) language sql stable as $source${body}$source$;\n\
             comment on function rentsync.{name}() is 'What the relay reads of {table}. Replace it where columns have other names.';",
            name = source.function,
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await?;
        Ok(())
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

    /// All that is wrong with the columns that are looked at.
    fn problems(&self, found: &[FoundColumn], is_looked_at: impl Fn(&Column) -> bool) -> Vec<String> {
        let columns = self.columns.iter().filter(|column| is_looked_at(column));
        columns.filter_map(|column| column.read(found).err()).collect()
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

/// A column of a source table.
#[derive(sqlx::FromRow)]
pub(super) struct FoundColumn {
    pub name: String,
    /// Its type.
    shown: String,
    /// What that is a domain of, if it is one.
    base: String,
    is_enum: bool,
    is_integral: bool,
}

async fn columns_of(conn: &mut PgConnection, table: &str) -> Result<Vec<FoundColumn>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/columns_of.sql"))
        .bind(table)
        .fetch_all(conn)
        .await?)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
