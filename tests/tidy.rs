//! What keeps the house in order: sizes, one direction, statements in files of their own, migrations that stay as they are.
//!
//! Reads the sources of all crates, and needs nothing of the relay. Where the code does not hold a rule yet, a list of exceptions
//! names the place with its present number: it may shrink, it must not grow, and it goes when the rule holds.

#[path = "tidy/contents.rs"]
mod contents;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use syn::visit::Visit;

use contents::{Functions, Identifiers, Literals, header, is_statement, named_parameters, parameters, words};
use imports::{circles, edges};
use sources::{Source, files, home, relative, roots, sources, sources_under};

/// Places that do not hold a rule yet, each with its number.
type Exceptions = &'static [(&'static str, usize)];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

#[test]
fn no_file_is_longer_than_a_reader_takes_in_at_once() {
    const LONG: Exceptions = &[];
    let lines = sources().into_iter().map(|source| (source.name(), source.lines()));
    ratchet(lines.filter(|(_, lines)| *lines > FILE_LINES_MAX).collect(), LONG);
}

#[test]
fn no_function_is_longer_than_a_screen() {
    const LONG: Exceptions = &[];
    let mut found = BTreeMap::new();
    for source in sources() {
        let mut functions = Functions::default();
        functions.visit_file(&source.ast);
        let long = functions.0.into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        found.extend(long.map(|(function, lines)| (format!("{}: {function}", source.name()), lines)));
    }
    ratchet(found, LONG);
}

#[test]
fn imports_lead_one_way_in_every_crate() {
    for root in roots() {
        let circles = circles(&edges(&sources_under(&root)));
        let shown: Vec<String> = circles.iter().map(|circle| circle.join(" ")).collect();
        assert!(shown.is_empty(), "these files reach each other:\n{}", shown.join("\n"));
    }
}

#[test]
fn every_statement_is_used_and_says_what_it_is_for() {
    let used: BTreeSet<PathBuf> = sources().iter().flat_map(Source::included).collect();
    for file in files(&home().join("sql"), "sql") {
        let name = relative(&file);
        assert!(used.contains(&file), "{name}: no include_str! names it");
        let text = fs::read_to_string(&file).expect("a statement");
        assert!(
            text.starts_with("-- "),
            "{name}: begins with no comment that says what it is for"
        );
    }
}

#[test]
fn every_statement_names_its_parameters_in_its_header() {
    let mut unnamed = Vec::new();
    for file in files(&home().join("sql"), "sql") {
        let text = fs::read_to_string(&file).expect("a statement");
        let named = named_parameters(&header(&text));
        let missing: Vec<_> = parameters(&text).difference(&named).copied().collect();
        if !missing.is_empty() {
            unnamed.push(format!("{}: {missing:?}", relative(&file)));
        }
    }
    assert!(
        unnamed.is_empty(),
        "these parameters are not named:\n{}",
        unnamed.join("\n")
    );
}

#[test]
fn statements_stand_in_files_of_their_own() {
    /// What is put together from the names of somebody's tables stays; so does what the demo does to its own portfolio.
    const INLINE: Exceptions = &[
        ("crates/local-postgres/src/server.rs", 2),
        ("src/capture/generated.rs", 1),
        ("src/capture/template.rs", 1),
        ("src/demo/mod.rs", 11),
        ("src/demo/portfolio.rs", 2),
    ];
    let mut found = BTreeMap::new();
    for source in sources() {
        let mut literals = Literals::default();
        literals.visit_file(&source.ast);
        let statements: Vec<_> = literals.0.iter().filter(|text| is_statement(text)).collect();
        if !statements.is_empty() {
            println!("{}: {statements:?}", source.name());
            found.insert(source.name(), statements.len());
        }
    }
    ratchet(found, INLINE);
}

#[test]
fn commands_print_and_ask_nothing_of_the_database_themselves() {
    let asking = sources()
        .into_iter()
        .filter(|source| source.name().starts_with("src/cli/"));
    let asking = asking.filter(|source| source.text.contains(".sql\""));
    let names: Vec<String> = asking.map(|source| source.name()).collect();
    assert_eq!(
        names, [""; 0],
        "what a command shows comes from src/inspect, what it does from its stage"
    );
}

#[test]
fn retired_words_do_not_come_back() {
    /// Each has another word instead.
    const RETIRED: &[&str] = &[
        "entomb", "entombed", "buried", "bury", "suspect", "suspects", "halving", "lineage", "manner", "foresee",
        "told", "tell", "tells", "telling", "tellable", "taken",
    ];
    /// A word, with how often it is there: what `install` takes off or over is plain English.
    const STILL_THERE: Exceptions = &[("taken", 22)];
    let mut found = BTreeMap::new();
    for source in sources() {
        let mut identifiers = Identifiers::default();
        identifiers.visit_file(&source.ast);
        for word in identifiers.0.iter().flat_map(|identifier| words(identifier)) {
            if RETIRED.contains(&word.as_str()) {
                *found.entry(word).or_default() += 1;
            }
        }
    }
    ratchet(found, STILL_THERE);
}

#[test]
fn no_migration_is_edited() {
    let listed: BTreeMap<&str, &str> = MIGRATIONS.iter().copied().collect();
    let mut present = BTreeSet::new();
    for file in files(&home().join("migrations"), "sql") {
        let name = relative(&file);
        let hash = hex::encode(Sha256::digest(fs::read(&file).expect("a migration")));
        match listed.get(name.as_str()) {
            Some(known) => assert_eq!(*known, hash, "{name} was edited: write a new migration instead"),
            None => panic!("{name} is new: add (\"{name}\", \"{hash}\") to MIGRATIONS, it stays as it is from then on"),
        }
        present.insert(name);
    }
    for name in listed.keys() {
        assert!(present.contains(*name), "{name} is gone: databases that exist have it");
    }
}

/// Each with the SHA-256 of what it says.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "migrations/0001_capture.sql",
        "6c54fac75e95bdbbad8a2e98c6eb7023d71ede3435f1008032a8eb1762978241",
    ),
    (
        "migrations/0002_plan.sql",
        "2032b0a5f57d91606245dea9830084eb7a6666c466dbd47795decddcae6a37ca",
    ),
    (
        "migrations/0003_deliver.sql",
        "b6892d9366c8eefe466d5634c6af15e209876df14042fe9e5d05c3408c0ebed8",
    ),
    (
        "migrations/0004_snapshot.sql",
        "135e541202815296d76d5c93cfd7dde9a9b4c1237b14a98267472789688bdda4",
    ),
    (
        "migrations/0005_replay.sql",
        "4851d2e066967a9adeca83717de6f55cdbcc28763c682b816d8148da5ffd2994",
    ),
    (
        "migrations/0006_hold.sql",
        "ddfc42f34f9f0819071e6745889100b67ed06d684b7512791a496c3ee036447a",
    ),
    (
        "migrations/0007_rights.sql",
        "91ea782fb51c5367c35d4008d03f3458e32651d8c8f664a122b8648492eed35b",
    ),
    (
        "migrations/0008_relay.sql",
        "6afec51a348c020a909b42a4e1a81e466e6042d0453b9b9aa6877a1fa133e961",
    ),
    (
        "migrations/0009_counts.sql",
        "0f4ade1a3cb85156d70be8be5c2b9ed25e700929e85b979db4765c71e6e23131",
    ),
    (
        "migrations/0010_privacy.sql",
        "bb77629b2b209a427e652e8caf6087434db98d8114e2a69bc22deff6c07ac1cd",
    ),
    (
        "migrations/0011_receiver.sql",
        "8873abc871b8682f89015be19a649d0c08bcbe5cf5a5f6e30472d1f301d3fddf",
    ),
    (
        "migrations/0012_relay_role.sql",
        "25bac3731bfe95557f0b71ac7a7412c45c2ff1f51bf9cd5f70d2d254fd80c95f",
    ),
    (
        "migrations/0013_waits.sql",
        "42dcecb94a57b6300890150c1f1c12503b02943f4037ffee28e0c9b8a599294d",
    ),
    (
        "migrations/0014_plan.sql",
        "cf67def53ccbbb1f16f30e32e3af2d1b9f4994108751ffb2229f863640d2897b",
    ),
    (
        "migrations/0015_hold_units.sql",
        "3ac4a827140f6317b085d0844e6a7d5554a4a15761eb1fa3c27a8afb6611befc",
    ),
    (
        "migrations/0017_figures.sql",
        "777ac9454c663db650803de50c3af145632b418efa3de6f51d3d8128ab59d105",
    ),
    (
        "migrations/0018_blame.sql",
        "a7d7fe3a212dc29ee11971b0ffa26727ec95e05e4763d8788b8afb983a710a94",
    ),
    (
        "migrations/0019_words.sql",
        "b33152fcd4dc10d61e69e49ef66f6423c6df6e8b7b6b92389520f0b03891b487",
    ),
    (
        "migrations/0020_proof.sql",
        "c1470a623826e678636ed546681367fa14c1f72e0f533dd54b04067bf83f82da",
    ),
    (
        "migrations/0021_refused_again.sql",
        "7583e6a69c6712ff5222b46385196732922a65fb39500d941cb8737264067071",
    ),
    (
        "migrations/0023_statistics.sql",
        "bd810225b74f451d8a08ccf9025cfc4b116c61ef3e6bdbb32c3bebb59d58ad1f",
    ),
    (
        "migrations/0024_hot_ledger.sql",
        "8a8904cafe9749a5c272651b6c78082b4dd62ef7aef33429a26e57e5ae051d1d",
    ),
    (
        "migrations/0025_audit.sql",
        "06d22ea9235e88b2e5f24c08d94ff8084f8bc214dcc3ea2850066e15616984ad",
    ),
    (
        "migrations/0026_made_anew.sql",
        "c74263361ea27e13dc81b337528c99abcafb655e980250507fab6b84b6886feb",
    ),
    (
        "migrations/0027_audit_numbers.sql",
        "8a896dfbbc6367b2e2a72f25be03d8839d32f36fb12651632da0a138bd1106da",
    ),
    (
        "migrations/0028_lag.sql",
        "efa9fefaa22803b0f2a0138bdabb7b3d5f9b04a3f90755d6be5a85f8c3a637fb",
    ),
    (
        "migrations/0029_withheld_of_feed.sql",
        "02ef9cf3f526ce6c3997d78cc36c4e060911b1e7aca9cbecac42a6ba789dd657",
    ),
    (
        "migrations/0031_no_second_index.sql",
        "ebd768c7f934e85e95bcc7811adc8c1bc1c031af1d6886b73ed2caa6d9d72c2f",
    ),
    (
        "migrations/0033_mapping.sql",
        "92a6bf2b5c60c455cad0399ccd6bd21dd6b5ced6333497ec6220b7ca7661091e",
    ),
];

/// Fails where something is found that is no exception, where an exception grew, and where one is needed no longer.
fn ratchet(found: BTreeMap<String, usize>, exceptions: Exceptions) {
    let excepted: BTreeMap<&str, usize> = exceptions.iter().copied().collect();
    let grown = found
        .iter()
        .filter(|(place, number)| excepted.get(place.as_str()).is_none_or(|most| *number > most));
    let grown: Vec<String> = grown
        .map(|(place, number)| format!("(\"{place}\", {number}),"))
        .collect();
    assert!(grown.is_empty(), "these break the rule:\n{}", grown.join("\n"));
    let kept: Vec<&&str> = excepted.keys().filter(|place| !found.contains_key(**place)).collect();
    assert!(
        kept.is_empty(),
        "these hold the rule now, take them off the list: {kept:?}"
    );
}
