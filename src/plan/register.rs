//! What the database knows of a receiver's settings: what a unit looks like, and where it is.

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};

use super::scope::Scope;
use crate::alert::{self, Alert, Kind};
use crate::config::Receiver;

/// Makes the receiver known to the database, and has every feed compared where the settings that shape a unit changed.
pub async fn register(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/register_receiver.sql"))
        .bind(&scope.receiver.name)
        .bind(scope.shape.fingerprint())
        .execute(&mut *conn)
        .await
        .with_context(|| format!("registering receiver {}", scope.receiver.name))?;
    note_address(conn, &scope.receiver).await
}

/// What was sent to another address is not sent again to this one by itself: it may be the same system by another name.
async fn note_address(conn: &mut PgConnection, receiver: &Receiver) -> Result<()> {
    let address = receiver.address();
    let mut tx = conn.begin().await?;
    let before: Option<Option<String>> = sqlx::query_scalar(include_str!("../../sql/plan/note_address.sql"))
        .bind(&receiver.name)
        .bind(&address)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(Some(before)) = before {
        let name = &receiver.name;
        let alert = Alert {
            kind: Kind::Address,
            receiver: name.clone(),
            property_id: None,
            message: format!(
                "its URL is {address} and was {before}: only what changes from now on is sent there, and what is known to be there \
                 was sent to the other. If that is another system, `receivers resync {name}` sends it everything"
            ),
        };
        alert::resolve(&mut tx, name, &[Kind::Address], None).await?;
        alert::raise(&mut tx, &alert, None).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The schema may have been dropped and installed anew under a running relay.
pub async fn know_receiver(conn: &mut PgConnection, scope: &Scope) -> Result<()> {
    sqlx::query(include_str!("../../sql/plan/know_receiver.sql"))
        .bind(&scope.receiver.name)
        .bind(scope.shape.fingerprint())
        .execute(conn)
        .await
        .with_context(|| format!("registering receiver {}", scope.receiver.name))?;
    Ok(())
}
