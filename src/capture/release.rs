//! Which release's schema a database has, and the migrations that make it this one's.

use anyhow::Result;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

use super::brief::not_created;
use super::trust::ABSENT;
use crate::fault::Fault;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Which release's schema a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// None at all.
    Absent,
    /// An older one's: the newest migration is this.
    Older(i64),
    /// This one's.
    Same,
    /// A newer one's.
    Newer(i64),
}

/// Whether this release's migrations have been applied; an error says what to do where they have not.
pub async fn check_installed(conn: &mut PgConnection) -> Result<()> {
    match release(conn).await?.lacks() {
        None => Ok(()),
        Some((what, todo)) => Err(Fault::usage(format!("{what}: {todo}")).into()),
    }
}

/// Which release's schema this database has.
pub async fn release(conn: &mut PgConnection) -> Result<Release> {
    Ok(match applied(conn).await? {
        None => Release::Absent,
        Some(applied) if applied < newest_migration() => Release::Older(applied),
        Some(applied) if applied > newest_migration() => Release::Newer(applied),
        Some(_) => Release::Same,
    })
}

/// The newest migration that a database has; none: it has none at all.
pub(super) async fn applied(conn: &mut PgConnection) -> Result<Option<i64>> {
    if !is_installed(conn).await? {
        return Ok(None);
    }
    Ok(
        sqlx::query_scalar(include_str!("../../sql/capture/applied_version.sql"))
            .fetch_one(conn)
            .await?,
    )
}

/// The migrations that a database lacks whose newest is this: version, what it is called, its text and the hash of that.
pub(super) fn lacking(applied: Option<i64>) -> impl Iterator<Item = (i64, &'static str, &'static str, &'static [u8])> {
    let is_lacking = move |migration: &&sqlx::migrate::Migration| Some(migration.version) > applied;
    MIGRATIONS.iter().filter(is_lacking).map(|migration| {
        let text = migration.sql.as_str();
        (migration.version, &*migration.description, text, &*migration.checksum)
    })
}

/// The newest migration that this release knows.
pub fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

impl Release {
    /// What is lacking, and what to do about it.
    pub fn lacks(self) -> Option<(String, &'static str)> {
        let ours = newest_migration();
        match self {
            Self::Same => None,
            Self::Absent => Some((ABSENT.0.to_owned(), ABSENT.1)),
            Self::Older(theirs) => Some((
                format!("schema rentsync is of an older release (migration {theirs}, this release has {ours})"),
                "run this release's `rentsync-relay install`",
            )),
            Self::Newer(theirs) => Some((
                format!("schema rentsync is of a newer release (migration {theirs}, this release knows {ours})"),
                "use that release",
            )),
        }
    }
}

pub(super) async fn is_installed(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar(include_str!("../../sql/capture/is_installed.sql"))
        .fetch_one(conn)
        .await?)
}

/// In our own schema, and inside the caller's transaction.
pub(super) async fn migrate(conn: &mut PgConnection) -> Result<()> {
    let migrator = Migrator {
        migrations: MIGRATIONS.migrations.clone(),
        table_name: "rentsync.migration".into(),
        locking: false,
        ..Migrator::DEFAULT
    };
    migrator.run(conn).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::VersionMissing(version) => anyhow::Error::from(Fault::usage(format!(
            "schema rentsync is of a newer release (migration {version} is unknown here): use that release"
        ))),
        error => not_created(error.into(), "making the tables of schema rentsync"),
    })
}
