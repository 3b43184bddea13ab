//! Doctor: what is wrong with database, triggers, settings and receiver, and what to do about it.
//!
//! Looks and does nothing else: its connection can't write, no statement of it takes long, and the receiver gets one `HEAD`
//! that nobody takes for a sync. It needs the rights of `run` and no others; where one is missing, it says which, and goes on
//! with what it can see. Not its business: whether the receiver holds what it should; that is `verify`.

mod accept;
mod clock;
mod finding;
mod growth;
mod held_up;
mod limits;
mod receiver;
mod refusal;
mod rights;
mod schedule;
mod schema;
mod server;
mod source;
mod standing;
mod subscription;
mod triggers;
mod turn;

use anyhow::Result;
use chrono::Utc;
use sqlx::PgConnection;

use crate::config::{Config, Receiver};
use crate::database::{Database, engine};

pub use finding::{Finding, Grade};
pub use limits::Limits;
use refusal::{is_refusal, not_checked};

/// What there is to say.
pub struct Diagnosis {
    /// In the order in which they were looked at.
    pub findings: Vec<Finding>,
    /// The database could not be reached, or was lost on the way: what needs it was not looked at.
    pub unreachable: Option<anyhow::Error>,
}

/// Looks at everything, for these receivers.
pub async fn examine(database: &Database, config: &Config, receivers: &[&Receiver], limits: &Limits) -> Diagnosis {
    let mut examination = Examination {
        config,
        receivers,
        limits,
        findings: Vec::new(),
    };
    let unreachable = examination.database(database).await.err();
    if unreachable.is_some() {
        examination.findings.push(Finding::wrong(
            "database",
            "not reached, or lost on the way: what needs it was not looked at",
            "look at DATABASE_URL (or database.url), and at the server",
        ));
    }
    examination.settings();
    examination.receivers().await;
    Diagnosis {
        findings: examination.findings,
        unreachable,
    }
}

struct Examination<'a> {
    config: &'a Config,
    receivers: &'a [&'a Receiver],
    limits: &'a Limits,
    findings: Vec<Finding>,
}

impl Examination<'_> {
    /// What needs nobody to answer.
    fn settings(&mut self) {
        if self.receivers.is_empty() {
            self.findings.push(Finding::wrong(
                "settings",
                "no receiver is configured",
                "add [receivers.main] with its url to relay.toml, or set RELAY_RECEIVERS__MAIN__URL",
            ));
        }
        self.findings.extend(receiver::webhook(&self.config.alerts));
        self.findings.push(schedule::next(&self.config.snapshot, Utc::now()));
    }

    /// What needs no database.
    async fn receivers(&mut self) {
        for receiver in self.receivers {
            match receiver::examine(receiver, self.limits).await {
                Ok(findings) => self.findings.extend(findings),
                Err(error) => self.findings.push(receiver::unusable(receiver, &error)),
            }
        }
    }

    /// Fails only where the database can't be reached.
    async fn database(&mut self, database: &Database) -> Result<()> {
        let (config, limits) = (self.config, self.limits);
        let conn = &mut database.connect_to_read(limits.statement).await?;
        if let Some(objection) = engine(conn).await.ok().and_then(|engine| engine.objection()) {
            self.findings.push(server::unsuitable(objection));
            return Ok(());
        }
        self.note("database", None, server::examine(conn, database).await)?;
        self.note("clock", None, clock::database(conn, limits).await)?;
        let tables = database.tables(conn, &config.source).await?;
        self.note("source", None, server::distributes(conn, &tables).await)?;
        self.note("subscription", None, subscription::examine(conn, &tables).await)?;
        let strangers = schema::strangers(database, conn, &tables).await;
        let is_trusted = strangers.as_ref().is_ok_and(Vec::is_empty);
        self.note("schema", None, strangers)?;
        if !is_trusted {
            return Ok(());
        }
        let own = source::own(conn).await.unwrap_or_default();
        self.note("rights", None, rights::examine(conn, config, &tables, &own).await)?;
        self.note("replication_slots", None, held_up::slots(conn, limits).await)?;
        let release = schema::release(conn).await;
        let is_installed = release.as_ref().is_ok_and(|(is_same, _)| *is_same);
        self.note("schema", None, release.map(|(_, finding)| vec![finding]))?;
        match is_installed {
            true => self.installed(conn, &tables).await,
            false => self.note("triggers", None, triggers::before_install(conn).await),
        }
    }

    async fn installed(&mut self, conn: &mut PgConnection, tables: &[String; 2]) -> Result<()> {
        let (config, limits) = (self.config, self.limits);
        self.note("schema", None, schema::owner(conn, tables).await)?;
        self.note("functions", None, schema::contents(conn).await)?;
        self.note("triggers", None, triggers::examine(conn, tables).await)?;
        self.note("source", None, source::examine(conn, tables).await)?;
        self.note("statuses", None, source::available(conn, &config.source).await)?;
        self.note("transactions", None, held_up::transactions(conn, limits).await)?;
        self.note("disk", None, growth::size(conn, limits).await)?;
        self.note("retention", None, growth::retention(conn, &config.retention).await)?;
        self.note("vacuum", None, growth::vacuum(conn, limits).await)?;
        let names: Vec<&str> = self.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
        self.note("relay", None, standing::relay(conn, &names, limits).await)?;
        for name in names {
            self.note("sending", Some(name), standing::examine(conn, name).await)?;
            self.note("turn", Some(name), turn::examine(conn, name).await)?;
            let last = schedule::last(conn, name, &config.snapshot).await;
            self.note("schedule", Some(name), last.map(|last| last.into_iter().collect()))?;
        }
        for receiver in self.receivers {
            self.note("accept", Some(&receiver.name), accept::examine(conn, receiver).await)?;
        }
        Ok(())
    }

    /// A check that the server refuses says so, and the others go on; a server that is gone ends them all.
    fn note(&mut self, check: &'static str, receiver: Option<&str>, found: Result<Vec<Finding>>) -> Result<()> {
        let findings = match found {
            Ok(findings) => findings,
            Err(error) => match error.downcast_ref::<sqlx::Error>() {
                Some(refusal) if is_refusal(refusal) => vec![not_checked(check, receiver, refusal)],
                _ => return Err(error),
            },
        };
        self.findings.extend(findings);
        Ok(())
    }
}
