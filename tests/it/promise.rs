//! What the relay promises whoever runs it, one test or more for each numbered promise of docs/promises.md.

mod blame;
mod cost;
mod in_the_way;
mod leases;
mod limits;
mod planning;
mod privacy;
mod receivers;
mod refused;
mod relied_on;
pub(crate) mod rights;
mod roles;
mod size;
mod strangers;
mod trust;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below a directory.
fn sources_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources_below(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The numbers that follow `before` and end with `after`, wherever they stand in a text.
fn numbers(text: &str, before: &str, after: &str) -> BTreeSet<u32> {
    let candidates = text.split(before).skip(1);
    candidates
        .filter_map(|rest| rest.split_once(after)?.0.parse().ok())
        .collect()
}

#[test]
fn every_promise_has_a_test_and_every_such_test_a_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promised = numbers(
        &fs::read_to_string(root.join("docs/promises.md")).unwrap(),
        "- **",
        ".**",
    );
    let tested: BTreeSet<u32> = ["tests/it/promise", "src", "crates"]
        .iter()
        .flat_map(|directory| sources_below(&root.join(directory)))
        .flat_map(|path| numbers(&fs::read_to_string(path).unwrap(), "fn promise_", "_"))
        .collect();
    assert_eq!(promised.len(), 25);
    assert_eq!(promised, tested);
}
