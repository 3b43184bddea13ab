//! As whom `install` works: as the owner of the source tables, whoever runs it.
//!
//! Trigger functions run as their owner in every write of the source. Were that a superuser who installed them for somebody else,
//! whoever may change the tables could have anything run as the superuser.

use std::fmt;

use anyhow::{Context, Result};
use sqlx::postgres::types::Oid;
use sqlx::{FromRow, PgConnection};

use super::brief::{briefly, not_created};
use super::dependent::Dependent;
use super::shape;
use super::statement::{self, identifier};
use crate::database::SchemaOwner;
use crate::fault::Fault;

/// A table of the source.
#[derive(FromRow)]
pub(super) struct NamedTable {
    /// With its schema, quoted.
    pub full_name: String,
    /// As `pg_class.relkind` has it.
    pub kind: String,
    /// This role may do what its owner may.
    pub is_owned: bool,
    pub owner: String,
    /// Who is asking.
    pub role: String,
}

/// The table of this name; none: there is no such table.
pub(super) async fn source_table(conn: &mut PgConnection, name: &str) -> Result<Option<NamedTable>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/table.sql"))
        .bind(name)
        .fetch_optional(conn)
        .await?)
}

/// The table's full name, checked to be one that triggers can stand on and that this role owns.
pub(super) async fn checked_table(conn: &mut PgConnection, name: &str, setting: &str) -> Result<String> {
    let Some(table) = source_table(conn, name).await? else {
        return Err(Fault::usage(format!(
            "table {name} does not exist in this database, or only in a schema that a stranger made; set {setting} to the table that \
             holds it, with its schema; nothing was changed"
        ))
        .into());
    };
    let full = table.full_name;
    if !matches!(table.kind.as_str(), "r" | "p") {
        return Err(Fault::usage(format!(
            "{full} ({setting}) is not a table; triggers stand on tables: name the table that it reads; nothing was changed"
        ))
        .into());
    }
    if !table.is_owned {
        let owner = table.owner;
        return Err(Fault::usage(format!(
            "{full} belongs to {owner}, whose rights {} does not have: run install as {owner}; nothing was changed",
            table.role
        ))
        .into());
    }
    Ok(full)
}

/// Whose the source tables are, and so schema rentsync.
pub(super) async fn source_owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<(String, bool)> {
    let found = sqlx::query_as(include_str!("../../sql/capture/source_owner.sql"))
        .bind(&tables[0])
        .bind(&tables[1])
        .fetch_optional(&mut *conn)
        .await?;
    found.ok_or_else(|| {
        Fault::usage(format!(
            "{} and {} belong to two roles neither of which may act as the other: give them one owner, or grant one role to the \
             other; nothing was changed",
            tables[0], tables[1]
        ))
        .into()
    })
}

/// Makes schema rentsync, which is not there, the owner's of these tables.
pub(super) async fn create_schema(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let (owner, _) = source_owner(conn, tables).await?;
    let create = format!("create schema rentsync authorization {}", identifier(&owner));
    statement::execute(conn, create).await.map_err(|error| {
        not_created(
            error.into(),
            "creating schema rentsync (the role needs CREATE on the database)",
        )
    })
}

/// Acts as the owner of these tables until the transaction ends.
pub(super) async fn act_as_owner(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let (owner, is_this_role) = source_owner(conn, tables).await?;
    if is_this_role {
        return Ok(());
    }
    act_as(conn, &owner).await
}

/// Something of a former owner's in schema rentsync.
pub(crate) struct Former {
    what: String,
    whose: String,
    owner: String,
}

impl fmt::Display for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, whose, owner } = self;
        write!(
            f,
            "{what} belongs to {whose}, and the source to {owner}: what {whose} left in it would run as {owner}"
        )
    }
}

impl Former {
    pub fn todo(&self) -> String {
        format!(
            "run `rentsync-relay uninstall --purge` as a role that may act as both, or as a superuser, with both named in \
             database.schema_owner, then install anew (every receiver is sent everything again); or give the source back to {}",
            self.whose
        )
    }
}

async fn former(conn: &mut PgConnection, owner: &str) -> Result<Option<Former>> {
    let found: Option<(String, String)> = sqlx::query_as(include_str!("../../sql/capture/former_owners.sql"))
        .bind(owner)
        .bind(shape::relations())
        .fetch_optional(conn)
        .await?;
    let owner = owner.to_owned();
    Ok(found.map(|(what, whose)| Former { what, whose, owner }))
}

/// Nothing is written into a schema of a former owner's: nobody knows all that was left in it.
pub(super) async fn refuse_former(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let (owner, _) = source_owner(conn, tables).await?;
    match former(conn, &owner).await? {
        None => Ok(()),
        Some(former) => Err(Fault::usage(format!("{former}; {}; nothing was changed", former.todo())).into()),
    }
}

/// What `install` did before its one transaction.
#[derive(Default)]
pub(super) struct TakenOver {
    /// What was hung on the schema and was none of ours.
    pub taken_off: Vec<String>,
    /// Whose the schema was made.
    given_to: Option<String>,
}

impl TakenOver {
    /// For an error that says that nothing was changed after that.
    pub fn words(&self) -> Option<String> {
        let given = self.given_to.iter();
        let done: Vec<String> = given
            .map(|owner| format!("schema rentsync was made {owner}'s"))
            .chain(self.taken_off.iter().map(|what| format!("{what} was taken off")))
            .collect();
        (!done.is_empty()).then(|| format!("{}; after that", done.join(", ")))
    }
}

/// Makes what stands of schema rentsync the owner's of these tables, where an earlier install left it to a superuser, and takes off
/// what is hung on it and is none of ours, before anything fires it.
///
/// Both lock writers of the source out of the outbox, and these may have locked the source already: so the source is locked
/// first, and all of it is one brief transaction before what takes its time. What `from` does not own now is left alone.
pub(super) async fn take_over(conn: &mut PgConnection, tables: &[String; 2], from: &SchemaOwner) -> Result<TakenOver> {
    let (owner, _) = source_owner(conn, tables).await?;
    if to_give(conn, &owner, from.oid).await?.is_empty() && hung(conn).await?.is_empty() {
        return Ok(TakenOver::default());
    }
    let taken_over = briefly(conn, async |tx| {
        let [properties, units] = tables;
        let lock = format!("lock table {properties}, {units} in share row exclusive mode");
        statement::execute(tx, lock).await?;
        let mut taken_off = take_off(tx, "install").await?;
        taken_off.extend(drop_objects(tx).await?);
        let given = to_give(tx, &owner, from.oid).await?;
        let given_to = (!given.is_empty()).then(|| owner.clone());
        for given in given {
            statement::execute(tx, given)
                .await
                .with_context(|| format!("making schema rentsync {owner}'s"))?;
        }
        Ok(TakenOver { taken_off, given_to })
    });
    taken_over.await?.ok_or_else(|| in_use(tables))
}

fn in_use([properties, units]: &[String; 2]) -> anyhow::Error {
    Fault::finding(format!(
        "{properties} and {units} are in use by a long transaction; nothing was changed, try again when it has ended \
         (pg_stat_activity shows transactions that are open for long)"
    ))
    .into()
}

/// Drops the schema and with it the triggers, as the schema's owner and without running anything that is in it. The source is locked
/// first, as far as this role may, because whoever writes to it locks it before anything of ours.
pub(super) async fn purge(conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
    let purged = briefly(conn, async |tx| {
        for table in tables {
            let found = source_table(tx, table).await?;
            if let Some(table) = found.filter(|table| table.is_owned) {
                let lock = format!("lock table {} in access exclusive mode", table.full_name);
                statement::execute(tx, lock).await?;
            }
        }
        act_as_schemas_owner(tx).await?;
        sqlx::query(include_str!("../../sql/capture/drop_schema.sql"))
            .execute(tx)
            .await
            .context("dropping schema rentsync, for which every relay has to be stopped")?;
        Ok(())
    });
    purged.await?.ok_or_else(|| in_use(tables))
}

async fn to_give(conn: &mut PgConnection, owner: &str, from: Oid) -> Result<Vec<String>> {
    let given = not_the_owners(conn, owner, Some(from)).await?.into_iter();
    Ok(given
        .filter(|(_, can_give)| *can_give)
        .map(|(statement, _)| statement)
        .collect())
}

/// What of ours belongs to another role than the source tables' owner: the statements that give it, and whether this role can.
async fn not_the_owners(conn: &mut PgConnection, owner: &str, from: Option<Oid>) -> Result<Vec<(String, bool)>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/give_schema.sql"))
        .bind(owner)
        .bind(from)
        .fetch_all(conn)
        .await?)
}

/// Whose schema rentsync is that is not the source owner's.
pub(crate) enum Lacks {
    /// A former owner's.
    Former(Former),
    /// A superuser's, or in part: `install` makes it this role's.
    Owner(String),
}

/// Whether schema rentsync or something in it is not the source owner's.
pub(crate) async fn owner_it_lacks(conn: &mut PgConnection, tables: &[String; 2]) -> Result<Option<Lacks>> {
    let Ok((owner, _)) = source_owner(conn, tables).await else {
        return Ok(None);
    };
    if let Some(former) = former(conn, &owner).await? {
        return Ok(Some(Lacks::Former(former)));
    }
    let is_whole = not_the_owners(conn, &owner, None).await?.is_empty();
    Ok((!is_whole).then_some(Lacks::Owner(owner)))
}

/// Something that is hung on the tables of schema rentsync and is none of ours.
#[derive(FromRow)]
pub(crate) struct Hung {
    /// Its kind, its name, and where it is.
    pub what: String,
    /// What takes it off; its name alone where it is a function or a type.
    statement: String,
    /// Whose it is, where this role can't.
    needs: Option<String>,
    /// A function's or a type's, as `drop` names it.
    kind: Option<String>,
    object: Option<Oid>,
}

/// All of that.
pub(crate) async fn hung(conn: &mut PgConnection) -> Result<Vec<Hung>> {
    Ok(sqlx::query_as(include_str!("../../sql/capture/hung.sql"))
        .bind(shape::relations())
        .fetch_all(conn)
        .await?)
}

/// Takes off what is hung on our tables, but no function and no type.
pub(super) async fn take_off(conn: &mut PgConnection, command: &str) -> Result<Vec<String>> {
    let mut taken_off = Vec::new();
    for hung in hung(&mut *conn).await? {
        let Hung {
            what,
            statement,
            needs,
            object: None,
            ..
        } = hung
        else {
            continue;
        };
        if let Some(owner) = needs {
            return Err(Fault::finding(format!(
                "{what} refers to the relay's tables and acts in what is done to them, and only {owner}, whose table it is, or a \
                 superuser can take it off: have one of them run `{statement}`, then run {command} again; nothing was changed"
            ))
            .into());
        }
        statement::execute(conn, statement)
            .await
            .with_context(|| format!("taking off {what}, which is none of the relay's"))?;
        taken_off.push(what);
    }
    Ok(taken_off)
}

/// Drops the functions and types in the schema that are somebody else's and in the way, and nothing that uses them: that may be
/// production's.
async fn drop_objects(conn: &mut PgConnection) -> Result<Vec<String>> {
    let hung = hung(&mut *conn).await?.into_iter();
    let (oids, objects): (Vec<Oid>, Vec<Hung>) = hung.filter_map(|hung| Some((hung.object?, hung))).unzip();
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<String> = objects.iter().map(|hung| hung.what.clone()).collect();
    let dependents = Dependent::of(conn, &oids).await?;
    if !dependents.is_empty() {
        return Err(Fault::finding(format!(
            "schema rentsync holds what is not the relay's and has to go ({}), but something stands on it: {}; have that use something \
             outside the schema, or drop it, and run install again; nothing was changed",
            named.join(", "),
            Dependent::named(&dependents)
        ))
        .into());
    }
    // A function may take a type.
    for kind in ["routine", "type"] {
        let of_kind = objects.iter().filter(|hung| hung.kind.as_deref() == Some(kind));
        let all: Vec<&str> = of_kind.map(|hung| hung.statement.as_str()).collect();
        if !all.is_empty() {
            statement::execute(conn, format!("drop {kind} {}", all.join(", ")))
                .await
                .with_context(|| format!("dropping {}, which is none of the relay's", named.join(", ")))?;
        }
    }
    Ok(named)
}

/// Acts as whoever owns schema rentsync until the transaction ends: what is run of it was written by that role.
pub(super) async fn act_as_schemas_owner(conn: &mut PgConnection) -> Result<()> {
    match schemas_owner(conn).await? {
        Some(owner) => act_as(conn, &owner).await,
        None => Ok(()),
    }
}

async fn schemas_owner(conn: &mut PgConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(include_str!("../../sql/capture/schema_role.sql"))
        .fetch_optional(conn)
        .await?)
}

/// Acts as a role until the transaction ends.
pub(super) async fn act_as(conn: &mut PgConnection, role: &str) -> Result<()> {
    statement::execute(conn, format!("set local role {}", identifier(role)))
        .await
        .with_context(|| format!("acting as {role}"))
}
