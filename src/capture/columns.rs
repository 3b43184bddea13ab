//! What the relay reads of the two source tables: their columns, the types these may have, and what they are cast to.

use anyhow::Result;
use sqlx::PgConnection;

use super::statement::identifier;

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
    pub(super) fn allowed(self) -> &'static [&'static str] {
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
            // What is no number there has no other word here.
            (Kind::Integer, "numeric") if found.is_integral => {
                cast(format!("nullif({name}, 'NaN'::numeric)::bigint"), "bigint")
            }
            (Kind::Text, "text" | "character varying" | "character" | "name" | "citext") => {
                cast(format!("{name}::text"), "text")
            }
            (Kind::Text, "smallint" | "integer" | "bigint" | "numeric" | "uuid") => {
                cast(format!("{name}::text"), "text")
            }
            // Not cast: whoever made the type may have made a function for that, which would run as the source's owner and as the
            // relay. Concatenating takes the type's output function, which nobody can replace.
            (Kind::Text, _) if found.is_enum => cast(
                format!("case when {name} is not null then pg_catalog.concat({name}) end"),
                "text",
            ),
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
        let name = format!("t.{}", identifier(self.source));
        let Some(column) = found.iter().find(|column| column.name == self.source) else {
            return Err(format!("column {} is missing", self.source));
        };
        let expression = self.kind.expression(&name, column);
        expression.ok_or_else(|| self.kind.objection(self.source, column))
    }

    pub(super) fn none(&self) -> &'static str {
        self.kind.none()
    }

    pub(super) fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Key)
    }
}

impl Source {
    /// The result columns that a plan reads, each with the types that it may have.
    pub fn results(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        self.columns.iter().map(|column| (column.result, column.kind.allowed()))
    }

    /// All that is wrong with the columns that are looked at.
    pub(super) fn problems(&self, found: &[FoundColumn], is_looked_at: impl Fn(&Column) -> bool) -> Vec<String> {
        let columns = self.columns.iter().filter(|column| is_looked_at(column));
        columns.filter_map(|column| column.read(found).err()).collect()
    }
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

pub(super) async fn columns_of(conn: &mut PgConnection, table: &str) -> Result<Vec<FoundColumn>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/columns_of.sql"))
        .bind(table)
        .fetch_all(conn)
        .await?)
}
