//! Relay and sandbox agree in every shape that a receiver may want: the same eventful day is sent in each of them, and
//! at every stop the copy is equal to the source, unit by unit, without a complaint.
//!
//! The sandbox is strict and shares no code with the sending side, so what holds here is the contract and not a habit of
//! both. What each body looks like to the byte is said elsewhere.

mod changes;
mod day;
mod global;
mod limits;
mod preview;
mod settings;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use tokio::runtime::Runtime;

use settings::{Case, cases};

/// Days sent side by side.
const AT_ONCE: usize = 2;

/// Sends the day in every shape of this format. All that fail are named, each by its settings.
fn every_day_ends_equal(format: &str) {
    let left = Mutex::new(cases(format));
    let next = || left.lock().expect("no panic while it is held").pop();
    let failed: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| failures(next))).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker that catches panics"))
            .collect()
    });
    assert!(failed.is_empty(), "{} failed:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// Sends the day in one case after another, on one database. A case that fails leaves its own behind.
fn failures(next: impl Fn() -> Option<Case>) -> Vec<String> {
    let runtime = runtime();
    let (mut database, mut failed) = (None, Vec::new());
    while let Some(case) = next() {
        let used = database.take();
        let day = AssertUnwindSafe(|| runtime.block_on(day::send(used, &case)));
        match catch_unwind(day) {
            Ok(used) => database = Some(used),
            Err(panicked) => {
                let why = panicked.downcast_ref::<String>().cloned();
                failed.push(format!("{}{}", case.text, why.unwrap_or_default()));
            }
        }
    }
    failed
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime")
}

#[test]
fn a_day_sent_by_property_ends_equal_in_every_shape() {
    every_day_ends_equal("property");
}

#[test]
fn a_day_sent_in_rows_ends_equal_in_every_shape() {
    every_day_ends_equal("flat");
}

#[test]
fn a_day_sent_unit_by_unit_ends_equal_in_every_shape() {
    every_day_ends_equal("unit");
}
