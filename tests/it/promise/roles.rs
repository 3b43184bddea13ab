//! As whom the relay is not to run, whoever granted that role what.

use super::rights::{drop_role, role, url_as};
use crate::process::{output, refused, relay, said};
use crate::support::rig::Rig;

#[tokio::test]
async fn promise_03_a_member_of_what_makes_mighty_is_not_made_the_relays_role_and_said() {
    let rig = Rig::delivered().await;
    let (own, group) = (role(&rig.source).await, role(&rig.source).await);
    let done = output(relay(&rig, &["install", "--grant-to", &own])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    rig.edit(&format!("grant {group} to {own}")).await;
    for (name, lets) in [
        ("pg_execute_server_program", "run programs on the server's machine"),
        ("pg_write_server_files", "write every file of the server"),
        ("pg_read_server_files", "read every file of the server"),
        ("pg_signal_backend", "end the sessions of others"),
    ] {
        rig.edit(&format!("grant {name} to {group}")).await;
        let why = format!("it may {lets} as a member of {name}: make a role for it");
        refused(relay(&rig, &["install", "--grant-to", &own]), 2, &[&why]).await;
        let mut doctor = relay(&rig, &["doctor"]);
        doctor.env("DATABASE_URL", url_as(&rig.source, &own));
        let doctor = said(&output(doctor).await);
        let says =
            format!("{own} is a member of {name}, itself or by another role: whoever has its password can {lets}");
        assert!(doctor.contains(&says), "{doctor}");
        assert!(doctor.contains(&format!("revoke {name} from {own}")), "{doctor}");
        rig.edit(&format!("revoke {name} from {group}")).await;
    }
    for harmless in ["pg_monitor", "pg_read_all_data", "pg_checkpoint"] {
        rig.edit(&format!(
            "do $$ begin if exists (select from pg_roles where rolname = '{harmless}') then grant {harmless} to {group}; end if; end $$"
        ))
        .await;
    }
    let done = output(relay(&rig, &["install", "--grant-to", &own])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for role in [own, group] {
        drop_role(&rig.source, &role).await;
    }
}

#[tokio::test]
async fn promise_02_nobody_mighty_is_taken_for_the_relays_role_by_what_was_granted_by_hand() {
    let rig = Rig::delivered().await;
    let (creator, superuser, own) = (
        role(&rig.source).await,
        role(&rig.source).await,
        role(&rig.source).await,
    );
    rig.edit(&format!(
        "alter role {creator} createrole; alter role {superuser} superuser;
         grant usage on schema rentsync to {creator}, {superuser};
         grant select, insert, update, delete on all tables in schema rentsync to {creator}, {superuser}"
    ))
    .await;
    let why = format!("role {creator} was granted by hand what `run` needs");
    refused(
        relay(&rig, &["install"]),
        2,
        &[
            &why,
            "it may create roles",
            "install --grant-to NAME",
            "nothing was changed",
        ],
    )
    .await;
    let may_write = "select count(distinct a.grantee) from pg_class c cross join lateral aclexplode(c.relacl) a
                      where c.oid = 'rentsync.ledger'::regclass and a.privilege_type = 'INSERT' and a.grantee <> c.relowner";
    assert_eq!(rig.source.number(may_write).await, 2, "a relay that runs as it goes on");
    let done = output(relay(&rig, &["install", "--grant-to", &own])).await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains(&format!("granted to role {own}:")),
        "{}",
        said(&done)
    );
    let keeps = format!("{why} and keeps reading alone: the relay is not to run as it, because it may create roles");
    assert!(said(&done).contains(&keeps), "{}", said(&done));
    assert!(
        !said(&done).contains(&format!("--grant-to {creator}")),
        "{}",
        said(&done)
    );
    assert_eq!(rig.source.number(may_write).await, 1);
    for role in [creator, superuser, own] {
        drop_role(&rig.source, &role).await;
    }
}
