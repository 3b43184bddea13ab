//! Capture: what is installed in AiGent's database, and taken away again.
//!
//! The triggers themselves are SQL (`migrations/0001_capture.sql`, `sql/capture/functions.sql`). Installing is one
//! transaction: either all of it stands afterwards or nothing does. Whoever writes to the source never waits for it longer than a tenth of a second
//! at a time.

mod brief;
mod captured;
mod columns;
mod dependent;
mod function;
mod generated;
mod own;
mod owner;
mod release;
mod rights;
mod script;
mod shape;
mod source;
mod statement;
mod template;
mod trust;

use anyhow::{Context, Result};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::audit::{self, Actor, Entry};
use crate::config::Source;
use crate::database::{Database, SchemaOwner, check_server, distributed, distributed_words};
use crate::fault::Fault;
use crate::unit::Lossy;
use brief::{briefly, under_way};
pub(crate) use captured::{Captured, captured};
pub(crate) use columns::{SOURCE_PROPERTY, SOURCE_UNIT, Source as SourceFunction};
pub use dependent::Dependent;
pub(crate) use generated::Generated;
use owner::TakenOver;
pub(crate) use owner::{Hung, Lacks, hung, owner_it_lacks};
pub use release::{Release, check_installed, newest_migration, release};
use release::{applied, is_installed, migrate};
pub(crate) use rights::{Membership, Right, SourceTable, Surplus, check_tables_granted};
pub use rights::{PUBLIC, Roles};
pub use script::script;
pub(crate) use shape::differences;
pub use shape::standing as shape;
pub use template::Template;
pub use trust::{Doing, check_owner};

/// What `install` reports to whoever called it.
pub struct Installed {
    /// The two source tables, with their schema.
    pub tables: [String; 2],
    /// The statuses that the source has: id, name, units.
    pub statuses: Vec<Status>,
    /// What was decided about roles.
    pub roles: Roles,
    /// What was hung on the relay's tables and was none of its own.
    pub taken_off: Vec<String>,
}

/// A status of the source's units.
pub struct Status {
    /// `rentroll_status_id`
    pub status_id: Option<i64>,
    /// `rentroll_status`
    pub status_name: Option<String>,
    /// How many units have it.
    pub units: i64,
}

/// Migrations, source functions, triggers. Can be called again: what stands already stays.
pub async fn install(database: &Database, source: &Source) -> Result<Installed> {
    install_all(database, source, None, None).await
}

/// The same with the site's own source functions, as SQL that creates them.
pub async fn install_with(database: &Database, source: &Source, functions: Option<&str>) -> Result<Installed> {
    install_all(database, source, functions, None).await
}

/// The same, and a role is granted what `run` needs. A role that was granted it before is granted what this release adds.
pub async fn install_for(database: &Database, source: &Source, grant_to: Option<&str>) -> Result<Installed> {
    install_all(database, source, None, grant_to).await
}

/// The same with both.
pub async fn install_all(
    database: &Database,
    source: &Source,
    functions: Option<&str>,
    grant_to: Option<&str>,
) -> Result<Installed> {
    let mut conn = database.connect().await?;
    check_server(&mut conn).await?;
    let [properties, units] = database.tables(&mut conn, source).await?;
    let properties = owner::checked_table(&mut conn, &properties, "source.properties_table").await?;
    let units = owner::checked_table(&mut conn, &units, "source.units_table").await?;
    let tables = [properties, units];
    let distributed = distributed(&mut conn, &tables).await?;
    if !distributed.is_empty() {
        return Err(Fault::usage(format!(
            "{}; nothing was changed, docs/scale.md says what to do instead",
            distributed_words(&distributed)
        ))
        .into());
    }
    let found = check_owner(database, &mut conn, &tables, Doing::Installing).await?;
    let before = match &found {
        Some(found) => {
            owner::refuse_former(&mut conn, &tables).await?;
            is_ours(found, &tables)?;
            owner::take_over(&mut conn, &tables, found).await?
        }
        None => TakenOver::default(),
    };
    let written = match write(database, &mut conn, &tables, found.is_some(), functions, grant_to).await {
        Err(error) => Err(dependent::in_the_way(&mut conn, error).await),
        written => written,
    };
    let (roles, statuses) = match before.words() {
        Some(words) => written.context(words)?,
        None => written?,
    };
    drop_outbox_id(&mut conn).await?;
    Ok(Installed {
        tables,
        statuses,
        roles,
        taken_off: before.taken_off,
    })
}

/// Everything in one transaction.
async fn write(
    database: &Database,
    conn: &mut PgConnection,
    tables: &[String; 2],
    is_there: bool,
    functions: Option<&str>,
    grant_to: Option<&str>,
) -> Result<(Roles, Vec<Status>)> {
    let mut tx = conn.begin().await?;
    match is_there {
        true => lock(&mut tx).await?,
        false => owner::create_schema(&mut tx, tables).await?,
    }
    let found = check_owner(database, &mut tx, tables, Doing::Installing).await?;
    found.ok_or_else(trust::absent)?;
    owner::refuse_former(&mut tx, tables).await?;
    owner::act_as_owner(&mut tx, tables).await?;
    nothing_hangs(&mut tx).await?;
    let before = applied(&mut tx).await?;
    migrate(&mut tx).await?;
    forget_attachments(&mut tx).await?;
    on_both(&mut tx, include_str!("../../sql/capture/note_attachment.sql"), tables).await?;
    function::write_all(&mut tx).await?;
    captured::check_names(&mut tx).await?;
    source::write_both(&mut tx, [&tables[0], &tables[1]], functions).await?;
    let roles = rights::put_right(&mut tx, tables, grant_to)
        .await
        .context("granting the relay's role what it needs")?;
    let statuses = match database.check_source_functions(&mut tx).await {
        Err(error) if error.is::<Fault>() => {
            tracing::warn!("the statuses of the source are not listed: {error}");
            Vec::new()
        }
        checked => {
            checked?;
            statuses(&mut tx).await?
        }
    };
    note_install(&mut tx, before, grant_to).await?;
    // Last, because from here on writers of the source wait for this transaction to end.
    on_both(&mut tx, include_str!("../../sql/capture/attach.sql"), tables)
        .await
        .context("attaching the triggers")?;
    tx.commit().await?;
    Ok((roles, statuses))
}

fn is_ours(found: &SchemaOwner, [_, units]: &[String; 2]) -> Result<()> {
    let owner = &found.owner;
    match found.is_ours {
        true => Ok(()),
        false => Err(Fault::usage(format!(
            "schema rentsync is there already and belongs to {owner}: run install as {owner}, or as a role that may act as \
             {owner} and as the owner of {units}; nothing was changed"
        ))
        .into()),
    }
}

async fn on_both(conn: &mut PgConnection, statement: &'static str, tables: &[String; 2]) -> Result<()> {
    sqlx::query(statement)
        .bind(&tables[0])
        .bind(&tables[1])
        .execute(conn)
        .await?;
    Ok(())
}

/// Of tables that are gone, though others may have their names by now, with the triggers on them: a dump restores both.
async fn forget_attachments(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(include_str!("../../sql/capture/forget_attachments.sql"))
        .execute(conn)
        .await?;
    Ok(())
}

async fn source_is_there(conn: &mut PgConnection, tables: &[String; 2]) -> Result<bool> {
    Ok(
        sqlx::query_scalar(include_str!("../../sql/capture/source_is_there.sql"))
            .bind(&tables[0])
            .bind(&tables[1])
            .fetch_one(conn)
            .await?,
    )
}

/// Whoever may hang something there may have done it again; what follows would fire it.
async fn nothing_hangs(conn: &mut PgConnection) -> Result<()> {
    match owner::hung(conn).await?.first() {
        None => Ok(()),
        Some(owner::Hung { what, .. }) => Err(Fault::finding(format!(
            "{what} was put there while install ran; find out by whom, and run install again"
        ))
        .into()),
    }
}

/// Where somebody writes all the time it is left for the next install; nothing needs it, and no role but the owner may touch its
/// sequence.
async fn drop_outbox_id(conn: &mut PgConnection) -> Result<()> {
    let has_it: bool = sqlx::query_scalar(include_str!("../../sql/capture/has_outbox_id.sql"))
        .fetch_one(&mut *conn)
        .await?;
    if !has_it {
        return Ok(());
    }
    let dropped = briefly(conn, async |tx| {
        let drop = sqlx::query(include_str!("../../sql/capture/drop_outbox_id.sql"));
        drop.execute(tx).await?;
        Ok(())
    });
    let why = match dropped.await {
        Ok(Some(())) => return Ok(()),
        Ok(None) => "the outbox is written to all the time",
        Err(error) if dependent::is_stopped(&error) => "something else stands on it, which `doctor` names",
        Err(error) => return Err(error),
    };
    tracing::warn!("rentsync.outbox.id is left for the next install to drop: {why}");
    Ok(())
}

/// Takes the triggers off; with `purge` also the schema and all it holds. Says whether there was anything.
pub async fn uninstall(database: &Database, source: &Source, purge: bool) -> Result<bool> {
    let mut conn = database.connect().await?;
    let tables = database.tables(&mut conn, source).await?;
    check_server(&mut conn).await?;
    if check_owner(database, &mut conn, &tables, Doing::Installing)
        .await?
        .is_none()
        || !is_installed(&mut conn).await?
    {
        return Ok(false);
    }
    if purge {
        owner::purge(&mut conn, &tables).await?;
        return Ok(true);
    }
    let is_there = source_is_there(&mut conn, &tables).await?;
    if is_there {
        owner::refuse_former(&mut conn, &tables).await?;
    }
    let mut tx = conn.begin().await?;
    owner::act_as_schemas_owner(&mut tx).await?;
    lock(&mut tx).await?;
    function::write_detaching(&mut tx).await?;
    forget_attachments(&mut tx).await?;
    if is_there {
        on_both(&mut tx, include_str!("../../sql/capture/note_attachment.sql"), &tables).await?;
    }
    sqlx::query(include_str!("../../sql/capture/lock_attached.sql"))
        .execute(&mut *tx)
        .await?;
    owner::take_off(&mut tx, "uninstall").await?;
    sqlx::query(include_str!("../../sql/capture/detach.sql"))
        .execute(&mut *tx)
        .await
        .context("taking the triggers off")?;
    note_uninstall(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Only a command installs.
async fn note_install(conn: &mut PgConnection, before: Option<i64>, grant_to: Option<&str>) -> Result<()> {
    let entry = Entry {
        action: "install",
        receiver: None,
        subject: "schema rentsync".to_owned(),
        before: before.map(|migration| json!({ "migration": migration })),
        after: Some(json!({ "migration": newest_migration(), "granted_to": grant_to })),
    };
    audit::write(conn, &Actor::of_command(), &entry).await
}

async fn note_uninstall(conn: &mut PgConnection) -> Result<()> {
    if !audit::is_there(conn).await? {
        return Ok(());
    }
    let entry = Entry {
        action: "uninstall",
        receiver: None,
        subject: "schema rentsync".to_owned(),
        before: Some(json!({ "triggers": "attached" })),
        after: Some(json!({ "triggers": "off" })),
    };
    audit::write(conn, &Actor::of_command(), &entry).await
}

/// Whether whoever uses this database may rely on it: the schema is this release's, and nobody's who should not own it.
pub async fn check_usable(database: &Database, source: &Source, conn: &mut PgConnection) -> Result<()> {
    let tables = database.tables(conn, source).await?;
    check_owner(database, conn, &tables, Doing::Using).await?;
    check_installed(conn).await
}

/// What others made upon the schema, which goes with it. Asks the catalogs alone.
pub async fn dependents(database: &Database) -> Result<Vec<Dependent>> {
    Dependent::all(&mut database.connect().await?).await
}

/// Where nothing is installed yet there is nothing to lock: of two who begin at once the second waits for the first's schema.
async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(include_str!("../../sql/capture/bound_install.sql"))
        .execute(&mut *conn)
        .await?;
    if is_installed(conn).await? {
        sqlx::query(include_str!("../../sql/capture/lock_install.sql"))
            .execute(conn)
            .await
            .map_err(|error| under_way(error.into()))?;
    }
    Ok(())
}

/// The statuses of the source, most frequent first: what `source.available_status_ids` can be chosen from.
pub async fn statuses(conn: &mut PgConnection) -> Result<Vec<Status>> {
    let statuses: Vec<(Option<i64>, Option<Lossy>, i64)> = sqlx::query_as(include_str!(
        "../../sql/capture/statuses.sql"
    ))
    .fetch_all(conn)
    .await
    .context(
        "reading the statuses of rentsync.source_unit() (one of your own has to name tables with their schema: the \
                 relay has none in its search_path)",
    )?;
    let status = |(status_id, name, units): (_, Option<Lossy>, _)| Status {
        status_id,
        status_name: name.map(|Lossy(name)| name),
        units,
    };
    Ok(statuses.into_iter().map(status).collect())
}
