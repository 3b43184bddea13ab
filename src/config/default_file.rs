//! The settings file that nobody named: `relay.toml` in the current directory, where anybody may have put it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What stands there.
pub(super) enum Found {
    /// Nothing does.
    Nothing,
    /// Its text.
    Text(String),
    /// Why it is not obeyed.
    Anothers(&'static str),
}

pub(super) fn read(path: &Path) -> io::Result<Found> {
    Ok(match open(path)? {
        None => Found::Nothing,
        Some((_, Some(objection))) => Found::Anothers(objection),
        Some((mut file, None)) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Found::Text(text)
        }
    })
}

/// What was opened is what is judged, and so is a link that leads there.
fn open(path: &Path) -> io::Result<Option<(File, Option<&'static str>)>> {
    let file = match opening().open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    let is_other = (!found.is_file()).then_some("is no regular file");
    let objection = is_other
        .or(objection(&found))
        .or(objection_to_owner(&fs::symlink_metadata(path)?));
    Ok(Some((file, objection)))
}

/// A pipe has whoever opens it wait until somebody writes.
#[cfg(unix)]
fn opening() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut opening = OpenOptions::new();
    opening
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    opening
}

#[cfg(unix)]
fn objection(found: &fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;
    // Where everybody has a group of their own, that group may write by default.
    let is_of_a_group = found.gid() != 0 && found.gid() != rustix::process::getegid().as_raw();
    let is_others = found.mode() & 0o002 != 0 || found.mode() & 0o020 != 0 && is_of_a_group;
    objection_to_owner(found).or(is_others.then_some("may be written by others"))
}

#[cfg(unix)]
fn objection_to_owner(found: &fs::Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;
    let is_ours = [0, rustix::process::geteuid().as_raw()].contains(&found.uid());
    (!is_ours).then_some("belongs to another user")
}

#[cfg(not(unix))]
fn opening() -> OpenOptions {
    let mut opening = OpenOptions::new();
    opening.read(true);
    opening
}

#[cfg(not(unix))]
fn objection(_: &fs::Metadata) -> Option<&'static str> {
    None
}

#[cfg(not(unix))]
fn objection_to_owner(_: &fs::Metadata) -> Option<&'static str> {
    None
}
