//! Where a cluster's directory is made. Looks, and makes nothing.
//!
//! Short, because a socket's path may have no more than 107 bytes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

const ON_DISK: [&str; 2] = ["/tmp", "/var/tmp"];
const IN_MEMORY: &str = "/dev/shm";
/// Several times what the tests' largest cluster takes. A container that was given no more than the usual 64 MB stays on disk.
const ROOM_MIN: u64 = 2 << 30;

/// A directory on disk that every account can make a directory in.
pub(super) fn on_disk() -> Result<&'static Path> {
    let mut places = ON_DISK.iter().map(Path::new);
    let found = places.find(|place| is_open_to_all(place));
    found.context("neither /tmp nor /var/tmp is open to every account")
}

/// One whose files are memory, where the machine has such a place with room; else one on disk.
pub(super) fn in_memory() -> Result<&'static Path> {
    let place = Path::new(IN_MEMORY);
    if is_open_to_all(place) && room(place) >= ROOM_MIN {
        return Ok(place);
    }
    on_disk()
}

fn is_open_to_all(place: &Path) -> bool {
    fs::metadata(place).is_ok_and(|found| found.mode() & 0o002 != 0)
}

/// Bytes that an account without rights may still write.
fn room(place: &Path) -> u64 {
    rustix::fs::statvfs(place).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}
