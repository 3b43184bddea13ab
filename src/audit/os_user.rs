//! Who runs this process, by the operating system.
//!
//! The kernel says which user it is; a name is looked up in `/etc/passwd` alone, so that a static binary does the same, and is the
//! number where that has none (a directory service, a container). `SUDO_USER` is what sudo says of who stood before it: anybody could
//! set it for himself, so it stands beside the user and never in its place.

use std::env;
use std::fs;

use rustix::process::getuid;

use crate::words::in_a_line;

/// A longer name is nobody's.
const NAME_CHARS_MAX: usize = 64;

pub(super) fn running_this() -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let sudo = env::var("SUDO_USER").ok();
    named(getuid().as_raw(), &passwd, sudo.as_deref(), host.trim())
}

fn named(uid: u32, passwd: &str, sudo_user: Option<&str>, host: &str) -> String {
    let user = name_of(uid, passwd).map_or_else(|| format!("user {uid}"), short);
    let before = sudo_user
        .map(short)
        .filter(|before| !before.is_empty() && *before != user);
    let who = match before {
        Some(before) => format!("{before} as {user}"),
        None => user,
    };
    match host {
        "" => who,
        host => format!("{who} on {}", short(host)),
    }
}

fn name_of(uid: u32, passwd: &str) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut columns = line.split(':');
        let (name, uid_there) = (columns.next()?, columns.nth(1)?);
        (uid_there.parse() == Ok(uid)).then_some(name)
    })
}

fn short(text: &str) -> String {
    in_a_line(text).chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\nrelay:x:998:998::/:/bin/false\n";

    #[test]
    fn a_user_has_the_systems_name_or_its_number() {
        assert_eq!(named(998, PASSWD, None, "host1"), "relay on host1");
        assert_eq!(named(7, PASSWD, None, "host1"), "user 7 on host1");
        assert_eq!(named(7, "", None, ""), "user 7");
    }

    #[test]
    fn who_stood_before_sudo_is_said_beside_the_user_and_never_instead() {
        assert_eq!(named(0, PASSWD, Some("ana"), "h"), "ana as root on h");
        assert_eq!(named(998, PASSWD, Some("root"), "h"), "root as relay on h");
        assert_eq!(named(0, PASSWD, Some("root"), "h"), "root on h");
        assert_eq!(named(0, PASSWD, Some(" \u{1b}\n"), "h"), "root on h");
        let long = named(0, PASSWD, Some(&"x".repeat(1000)), "h");
        assert_eq!(long.chars().count(), NAME_CHARS_MAX + " as root on h".len());
    }
}
