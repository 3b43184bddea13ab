//! Who may do what in schema rentsync: the relay's role what `run` needs, everybody else nothing.
//!
//! One list of rights (`sql/doctor/rights.sql`) is what `doctor` goes by and what `install` grants, so that a table that a
//! later release adds is in both.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};

use super::statement::{self, identifier};
use crate::fault::Fault;

/// A set of rights on objects of one kind that a role lacks, or has and does not need.
#[derive(FromRow)]
pub(crate) struct Right {
    kind: String,
    rights: String,
    pub is_excess: bool,
    names: Vec<String>,
    /// All objects for which that is wanted.
    is_all: bool,
}

/// Objects that a sentence names one by one.
const NAMED_MAX: usize = 8;

/// An error where this role lacks something that every relay does with the tables: the first request would be sent, and not written down.
pub(crate) async fn check_tables_granted(conn: &mut PgConnection) -> Result<()> {
    let lacking = Right::of(conn, None).await?.into_iter();
    let lacking = lacking.filter(|right| right.kind == "table" && !right.is_excess);
    let lacking: Vec<String> = lacking.map(|right| right.words()).collect();
    match lacking.as_slice() {
        [] => Ok(()),
        lacking => Err(Fault::usage(format!(
            "this role lacks {}: as the owner of the source tables run `rentsync-relay install --grant-to` with its name",
            lacking.join("; ")
        ))
        .into()),
    }
}

impl Right {
    /// What is not as it should be for a role; none: for this one.
    pub async fn of(conn: &mut PgConnection, role: Option<&str>) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/doctor/rights.sql"))
            .bind(role)
            .fetch_all(conn)
            .await?)
    }

    /// The whole schema was never granted, or not by this release.
    pub fn is_all_tables(&self) -> bool {
        self.kind == "table" && self.is_all && !self.is_excess
    }

    /// For a sentence.
    pub fn words(&self) -> String {
        let on = match (self.kind.as_str(), self.names.len()) {
            ("schema", _) => "schema rentsync".to_owned(),
            (kind, number) if number > NAMED_MAX => format!("{number} {kind}s in schema rentsync"),
            _ => self.objects(),
        };
        format!("{} on {on}", self.rights)
    }

    /// The statement that puts it right; `role` is quoted.
    pub fn statement(&self, role: &str) -> String {
        let (rights, objects) = (&self.rights, self.objects());
        if self.is_excess {
            format!("revoke {rights} on {objects} from {role};")
        } else {
            format!("grant {rights} on {objects} to {role};")
        }
    }

    fn objects(&self) -> String {
        let qualified: Vec<String> = self.names.iter().map(|name| format!("rentsync.{name}")).collect();
        let qualified = qualified.join(", ");
        match self.kind.as_str() {
            "schema" => "schema rentsync".to_owned(),
            "sequence" => format!("sequence {qualified}"),
            "function" => format!("function {qualified}"),
            _ => qualified,
        }
    }
}

/// A source table, as the catalogs have it.
#[derive(FromRow)]
pub(crate) struct SourceTable {
    pub setting: String,
    pub full_name: String,
    schema_name: String,
    lacks_usage: bool,
    lacks_select: bool,
    pub hides_rows: bool,
}

impl SourceTable {
    /// Those that are there, of two full names; what a role lacks on them, none: this one.
    pub async fn all(conn: &mut PgConnection, names: &[String; 2], role: Option<&str>) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/doctor/source_tables.sql"))
            .bind(&names[0])
            .bind(&names[1])
            .bind(role)
            .fetch_all(conn)
            .await?)
    }

    /// What is lacking on it: right and object.
    pub fn lacking(&self) -> Vec<(&'static str, String)> {
        let usage = self
            .lacks_usage
            .then(|| ("usage", format!("schema {}", self.schema_name)));
        let select = self.lacks_select.then(|| ("select", self.full_name.clone()));
        usage.into_iter().chain(select).collect()
    }
}

/// Rights on one object that somebody has who should not.
#[derive(FromRow)]
pub(crate) struct Surplus {
    kind: String,
    name: String,
    /// One of the two functions that a site may replace; they run with the caller's own rights.
    pub is_source: bool,
    pub grantee: String,
    rights: String,
    /// Nothing but reading.
    pub is_reading: bool,
    /// At least in part by default privileges.
    pub is_default: bool,
    /// That role may do less afterwards.
    is_changed: bool,
    can_revoke: bool,
    statement: String,
    /// What it keeps is granted anew by this.
    again: Option<String>,
}

impl Surplus {
    pub async fn all(conn: &mut PgConnection) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/surplus.sql"))
            .fetch_all(conn)
            .await?)
    }

    pub fn is_function(&self) -> bool {
        self.kind == "routine"
    }

    fn is_anybodys_by_itself(&self) -> bool {
        matches!(self.kind.as_str(), "routine" | "type")
    }

    /// What ends it.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        [Some(self.statement.as_str()), self.again.as_deref()]
            .into_iter()
            .flatten()
    }

    pub fn sentence(&self) -> String {
        match self.kind.as_str() {
            "routine" => format!("{} may be executed by {}", self.name, self.grantee),
            "schema" => format!("{} on schema {} by {}", self.rights, self.name, self.grantee),
            _ => format!("{} on {} by {}", self.rights, self.name, self.grantee),
        }
    }
}

/// What `install` decided about roles, for whoever called it.
#[derive(Default)]
pub struct Roles {
    /// May do now what `run` needs: named at this install or before. Names alone identify them, so whoever installs should see them.
    pub relays: Vec<String>,
    /// Those of them that were regarded as the relay's because they were granted by hand what it needs.
    pub found: Vec<String>,
    /// Those that were granted as much by hand and are not to be the relay's, and why: they keep reading alone.
    pub refused: Vec<(String, String)>,
    /// Those that had rights nobody decided on, which were taken back. Quoted.
    pub trimmed: Vec<String>,
    /// Those that could read all of the first release and were granted to read what this one adds. Quoted.
    pub readers: Vec<String>,
}

/// As a grantee: just anybody.
pub const PUBLIC: &str = "public";

/// Nobody has a right by being just anybody or by default privileges; the roles that the relay runs as, `grant_to` among them,
/// may do what this release's `run` needs.
pub(super) async fn put_right(conn: &mut PgConnection, tables: &[String; 2], grant_to: Option<&str>) -> Result<Roles> {
    if let Some(role) = grant_to {
        check_role(conn, role).await?;
    }
    let ByHand { found, refused } = by_hand(conn, grant_to).await?;
    let noted: Vec<&str> = grant_to.into_iter().chain(found.iter().map(String::as_str)).collect();
    sqlx::query(include_str!("../../sql/capture/remember_roles.sql"))
        .bind(noted)
        .execute(&mut *conn)
        .await?;
    let mut surplus = Surplus::all(conn).await?;
    surplus.retain(|surplus| surplus.can_revoke);
    // A function is executed, and a type used, by just anybody unless somebody thought of it: that is no news.
    let is_news =
        |surplus: &&Surplus| surplus.is_changed && !(surplus.grantee == PUBLIC && surplus.is_anybodys_by_itself());
    let mut trimmed: Vec<String> = surplus
        .iter()
        .filter(is_news)
        .map(|surplus| surplus.grantee.clone())
        .collect();
    trimmed.dedup();
    let (statements, again): (Vec<_>, Vec<_>) = surplus
        .into_iter()
        .map(|surplus| (surplus.statement, surplus.again))
        .unzip();
    execute(conn, statements.into_iter().chain(again.into_iter().flatten())).await?;
    let roles = remembered(conn).await?;
    let named = roles.iter().chain(refused.iter().map(|(role, _)| role));
    let named: Vec<String> = named.flat_map(|role| [identifier(role), role.clone()]).collect();
    trimmed.retain(|grantee| !named.contains(grantee));
    for role in &roles {
        grant(conn, role, tables).await?;
    }
    let readers = let_read(conn).await?;
    Ok(Roles {
        relays: roles,
        found,
        refused,
        trimmed,
        readers,
    })
}

async fn grant(conn: &mut PgConnection, role: &str, tables: &[String; 2]) -> Result<()> {
    let quoted = identifier(role);
    // What is taken away may have held up what is wanted: a right on a column goes with that on its table.
    for is_excess in [true, false] {
        let rights = Right::of(conn, Some(role)).await?;
        let statements = rights.iter().filter(|right| right.is_excess == is_excess);
        execute(conn, statements.map(|right| right.statement(&quoted))).await?;
    }
    for table in SourceTable::all(conn, tables, Some(role)).await? {
        let lacking = table.lacking().into_iter();
        execute(
            conn,
            lacking.map(|(right, on)| format!("grant {right} on {on} to {quoted};")),
        )
        .await?;
    }
    Ok(())
}

/// Who could read everything still can.
async fn let_read(conn: &mut PgConnection) -> Result<Vec<String>> {
    let lacking: Vec<(String, String)> = sqlx::query_as(include_str!("../../sql/capture/readers.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let (mut readers, statements): (Vec<_>, Vec<_>) = lacking.into_iter().unzip();
    readers.dedup();
    execute(conn, statements.into_iter()).await?;
    Ok(readers)
}

async fn remembered(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar(include_str!("../../sql/capture/remembered_roles.sql"))
            .fetch_all(conn)
            .await?,
    )
}

/// Roles that were granted by hand what `run` needs.
#[derive(Default)]
struct ByHand {
    /// To be noted as the relay's.
    found: Vec<String>,
    /// Those that are not to be, and why.
    refused: Vec<(String, String)>,
}

/// An error where the relay can run as nobody else than one that is refused: without its rights that relay would stop.
async fn by_hand(conn: &mut PgConnection, grant_to: Option<&str>) -> Result<ByHand> {
    let granted: Vec<String> = sqlx::query_scalar(include_str!("../../sql/capture/granted_by_hand.sql"))
        .fetch_all(&mut *conn)
        .await?;
    let mut by_hand = ByHand::default();
    for role in granted.into_iter().filter(|role| Some(role.as_str()) != grant_to) {
        match objection(conn, &role).await?.flatten() {
            None => by_hand.found.push(role),
            Some(objection) => by_hand.refused.push((role, objection)),
        }
    }
    let is_known = grant_to.is_some() || !by_hand.found.is_empty() || !remembered(conn).await?.is_empty();
    match by_hand.refused.first() {
        Some((role, objection)) if !is_known => Err(Fault::usage(format!(
            "role {role} was granted by hand what `run` needs, and the relay is not to run as it, because {objection}: make a role for \
             the relay (create role NAME login) and run `rentsync-relay install --grant-to NAME`, which leaves {role} nothing but \
             reading; nothing was changed"
        ))
        .into()),
        _ => Ok(by_hand),
    }
}

/// One of the server's own roles that makes its members mighty.
#[derive(FromRow)]
pub(crate) struct Membership {
    pub name: String,
    /// What they may do by it.
    pub lets: String,
}

impl Membership {
    /// Those of a role; none: of this one.
    pub async fn all(conn: &mut PgConnection, role: Option<&str>) -> Result<Vec<Self>> {
        Ok(sqlx::query_as(include_str!("../../sql/capture/mighty_memberships.sql"))
            .bind(role)
            .fetch_all(conn)
            .await?)
    }

    fn objection(memberships: &[Self]) -> Option<String> {
        let by = |Self { name, lets }: &Self| format!("{lets} as a member of {name}");
        let all: Vec<String> = memberships.iter().map(by).collect();
        (!all.is_empty()).then(|| format!("it may {}", all.join(" and ")))
    }
}

/// Why the relay is not to run as a role, whatever it is granted: none where it may. None at all: there is no such role.
async fn objection(conn: &mut PgConnection, role: &str) -> Result<Option<Option<String>>> {
    let found: Option<Option<String>> = sqlx::query_scalar(include_str!("../../sql/capture/grantee.sql"))
        .bind(role)
        .fetch_optional(&mut *conn)
        .await?;
    match found {
        Some(None) => Ok(Some(Membership::objection(&Membership::all(conn, Some(role)).await?))),
        found => Ok(found),
    }
}

async fn check_role(conn: &mut PgConnection, role: &str) -> Result<()> {
    let why = match objection(conn, role).await? {
        Some(None) => return Ok(()),
        Some(Some(objection)) => format!("the relay is not to run as {role}, because {objection}: make a role for it"),
        None => format!("there is no role {role} to grant to: make it first"),
    };
    Err(Fault::usage(format!(
        "{why} (create role NAME login), or name another; nothing was changed"
    ))
    .into())
}

async fn execute(conn: &mut PgConnection, statements: impl Iterator<Item = String>) -> Result<()> {
    for statement in statements {
        statement::execute(conn, statement).await?;
    }
    Ok(())
}
