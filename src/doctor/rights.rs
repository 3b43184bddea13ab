//! What this role may do: no less than `run` needs. Every grant that is missing is said as a statement to type.

use anyhow::Result;
use sqlx::PgConnection;

use super::finding::Finding;
use crate::capture::{Membership, Right, SourceTable};
use crate::config::{Config, Source};

const RIGHTS: &str = "rights";
const ROW_SECURITY: &str = "row_security";
const TABLES: &str = "source_tables";

/// `own`: the site's own source functions, which may read something else than the tables.
pub(super) async fn examine(
    conn: &mut PgConnection,
    config: &Config,
    names: &[String; 2],
    own: &[&str],
) -> Result<Vec<Finding>> {
    let rights = Right::of(conn, None).await?;
    let tables = SourceTable::all(conn, names, None).await?;
    let role: String = sqlx::query_scalar(include_str!("../../sql/doctor/role.sql"))
        .fetch_one(&mut *conn)
        .await?;
    let memberships = Membership::all(conn, None).await?;
    let needed: Vec<&SourceTable> = tables
        .iter()
        .filter(|table| !own.contains(&table.setting.as_str()))
        .collect();
    let rights = match memberships.is_empty() {
        true => judge(&rights, &needed, &role),
        false => is_mighty(&memberships, &role),
    };
    Ok(vec![
        rights,
        the_tables(&tables, &config.source),
        row_security(&tables, &role),
    ])
}

/// What it lacks beside that is seen once this is mended.
fn is_mighty(memberships: &[Membership], role: &str) -> Finding {
    let (names, lets): (Vec<&str>, Vec<&str>) = memberships
        .iter()
        .map(|Membership { name, lets }| (name.as_str(), lets.as_str()))
        .unzip();
    Finding::warning(
        RIGHTS,
        format!(
            "{role} is a member of {}, itself or by another role: whoever has its password can {}, whatever was granted",
            names.join(" and "),
            lets.join(" and ")
        ),
        format!(
            "as a superuser: revoke {} from {role}; or from the role by which it is one; then `doctor` again",
            names.join(", ")
        ),
    )
}

fn judge(rights: &[Right], tables: &[&SourceTable], role: &str) -> Finding {
    let (excess, lacking): (Vec<_>, Vec<_>) = rights.iter().partition(|right| right.is_excess);
    let mut what: Vec<String> = lacking.iter().map(|right| right.words()).collect();
    let mut grants: Vec<String> = lacking.iter().map(|right| right.statement(role)).collect();
    for (right, on) in tables.iter().flat_map(|table| table.lacking()) {
        let grant = format!("grant {right} on {on} to {role};");
        if !grants.contains(&grant) {
            what.push(format!("{right} on {on}"));
            grants.push(grant);
        }
    }
    let install = format!("as the owner of the source tables: rentsync-relay install --grant-to {role}");
    if lacking.iter().any(|right| right.is_all_tables()) {
        return Finding::wrong(RIGHTS, format!("{role} lacks {}", what.join("; ")), install);
    }
    if !grants.is_empty() {
        return Finding::wrong(
            RIGHTS,
            format!("{role} lacks {}", what.join("; ")),
            format!("as the owner: {}", grants.join(" ")),
        );
    }
    if !excess.is_empty() {
        let what: Vec<String> = excess.iter().map(|right| right.words()).collect();
        return Finding::warning(
            RIGHTS,
            format!(
                "{role} may do more than `run` needs, and whoever has its password could hold up writes of the source: {}",
                what.join("; ")
            ),
            install,
        );
    }
    Finding::ok(RIGHTS, format!("{role} may do all that `run` needs"))
}

fn the_tables(tables: &[SourceTable], source: &Source) -> Finding {
    let named = [
        ("source.properties_table", &source.properties_table),
        ("source.units_table", &source.units_table),
    ];
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(setting, _)| !tables.iter().any(|table| table.setting == *setting))
        .map(|(setting, name)| format!("{name} ({setting})"))
        .collect();
    match missing.len() {
        0 => {
            let names: Vec<_> = tables.iter().map(|table| table.full_name.as_str()).collect();
            Finding::ok(TABLES, names.join(", "))
        }
        _ => Finding::wrong(
            TABLES,
            format!("there is no table {} in this database", missing.join(" and no table ")),
            "name the source's own tables in [source], and look at the database in DATABASE_URL",
        ),
    }
}

/// The relay has the server refuse rather than hide rows, so one such table stops planning.
fn row_security(tables: &[SourceTable], role: &str) -> Finding {
    let hiding: Vec<_> = tables
        .iter()
        .filter(|table| table.hides_rows)
        .map(|table| table.full_name.as_str())
        .collect();
    match hiding.len() {
        0 => Finding::ok(ROW_SECURITY, "no row is hidden from this role"),
        _ => Finding::wrong(
            ROW_SECURITY,
            format!(
                "policies would hide rows of {} from {role}: planning stops",
                hiding.join(" and ")
            ),
            format!("as a superuser: alter role {role} bypassrls;"),
        ),
    }
}
