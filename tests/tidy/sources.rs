//! The sources of all crates, without what runs in tests alone.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// One source file that runs outside of tests.
pub struct Source {
    pub file: PathBuf,
    /// The path of its module within its crate.
    pub module: Vec<String>,
    pub text: String,
    pub ast: syn::File,
}

impl Source {
    fn read(root: &Path, file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).expect("a source file");
        let ast = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", relative(&file)));
        let within = file.strip_prefix(root).expect("a file of its crate").with_extension("");
        let mut module: Vec<String> = within.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        Self {
            file,
            module,
            text,
            ast,
        }
    }

    /// Takes out what is for tests. Says which modules are, in files of their own as well.
    fn without_tests(&mut self) -> Vec<Vec<String>> {
        let items = std::mem::take(&mut self.ast.items);
        let (tests, others): (Vec<_>, Vec<_>) = items.into_iter().partition(is_for_tests);
        self.ast.items = others;
        let modules = tests.iter().filter_map(|item| match item {
            syn::Item::Mod(module) => Some(module.ident.to_string()),
            _ => None,
        });
        modules.map(|name| [self.module.clone(), vec![name]].concat()).collect()
    }

    pub fn name(&self) -> String {
        relative(&self.file)
    }

    /// Lines up to the tests at its end.
    pub fn lines(&self) -> usize {
        let tests = self.text.lines().position(|line| line == "#[cfg(test)]");
        let ends_in_tests = |at: &usize| {
            self.text
                .lines()
                .nth(at + 1)
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        tests.filter(ends_in_tests).unwrap_or_else(|| self.text.lines().count())
    }

    /// The files that it takes in as text.
    pub fn included(&self) -> Vec<PathBuf> {
        let named = self.text.split("include_str!(").skip(1);
        let named = named.filter_map(|rest| rest.split('"').nth(1));
        named
            .map(|name| tidied(&self.file.parent().expect("a folder").join(name)))
            .collect()
    }
}

pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn relative(file: &Path) -> String {
    file.strip_prefix(home())
        .expect("a file of ours")
        .to_string_lossy()
        .into_owned()
}

/// Without `..`.
fn tidied(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(tidy.pop()),
            part => tidy.push(part),
        }
    }
    tidy
}

/// All files below a folder, in order.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The source folder of every crate.
pub fn roots() -> Vec<PathBuf> {
    let crates = fs::read_dir(home().join("crates")).expect("the crates");
    let crates = crates.map(|entry| entry.expect("a crate").path().join("src"));
    std::iter::once(home().join("src")).chain(crates).collect()
}

pub fn sources() -> Vec<Source> {
    roots().iter().flat_map(|root| sources_under(root)).collect()
}

pub fn sources_under(root: &Path) -> Vec<Source> {
    let files = files(root, "rs").into_iter();
    let mut sources: Vec<Source> = files.map(|file| Source::read(root, file)).collect();
    let for_tests: Vec<_> = sources.iter_mut().flat_map(Source::without_tests).collect();
    sources.retain(|source| !for_tests.iter().any(|tests| source.module.starts_with(tests)));
    sources
}

pub fn is_for_tests(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|what| what.is_ident("test"))
    })
}
