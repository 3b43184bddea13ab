//! The database fails over beneath two relays: PostgreSQL under Patroni, with etcd and HAProxy.
//!
//! `patroni.py` is the test. Where a program is missing it says so in one line and claims nothing. `patroni.py --all` has more events.

use std::process::Command;

/// It takes a minute or more, so what it says is shown as it comes.
#[test]
fn two_relays_keep_the_receiver_right_while_a_leader_is_killed_moved_and_cut_off() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ha/patroni.py");
    // Debian's own Python has Debian's psycopg2.
    let run = Command::new("/usr/bin/python3")
        .arg(script)
        .env("RELAY", env!("CARGO_BIN_EXE_rentsync-relay"))
        .status();
    match run {
        Ok(status) => assert!(status.success(), "{script} ended with {status}"),
        Err(_) => println!("skipped: there is no /usr/bin/python3 here"),
    }
}
