//! Which file of a crate needs which: an edge leads from a file to the deepest module file that a path in it leads to.
//!
//! `pub use child::X` in a parent is a facade: who reads it on needs the parent, the parent itself needs nothing.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::sources::{Source, is_for_tests};

type Path = Vec<String>;

/// The files that each file names something of, by name.
pub fn edges(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    // A binary's main file stands beside its library.
    let sources: Vec<&Source> = sources.iter().filter(|source| source.module != ["main"]).collect();
    let files: BTreeMap<&Path, String> = sources.iter().map(|source| (&source.module, source.name())).collect();
    let mut edges = BTreeMap::new();
    for source in sources {
        let mut names = Names::new(source, &files);
        names.learn = true;
        names.visit_file(&source.ast);
        names.learn = false;
        names.visit_file(&source.ast);
        edges.insert(source.name(), names.found);
    }
    edges
}

/// The sets of files that reach each other, each in order.
pub fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|file| (file.as_str(), reached(edges, file))).collect();
    let mut circles = Vec::new();
    for (file, far) in &reached {
        let circle: Vec<String> = far
            .iter()
            .filter(|other| reached[**other].contains(file))
            .map(ToString::to_string)
            .collect();
        if circle.len() > 1 && circle[0] == **file {
            circles.push(circle);
        }
    }
    circles
}

fn reached<'a>(edges: &'a BTreeMap<String, BTreeSet<String>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(
            edges[file]
                .iter()
                .map(String::as_str)
                .filter(|file| reached.insert(*file)),
        );
    }
    reached
}

/// What a file names.
struct Names<'a> {
    files: &'a BTreeMap<&'a Path, String>,
    /// The module that is looked at, one within the file at times.
    module: Path,
    own: String,
    /// Modules that the file imports, by the name that they have in it.
    imported: BTreeMap<String, Path>,
    /// The first time through, modules' names are learnt; the second, what is named is found.
    learn: bool,
    found: BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn new(source: &Source, files: &'a BTreeMap<&'a Path, String>) -> Self {
        Self {
            files,
            module: source.module.clone(),
            own: source.name(),
            imported: BTreeMap::new(),
            learn: true,
            found: BTreeSet::new(),
        }
    }

    /// From the crate's root. None: another crate's, or a name that is the file's own.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let child = [self.module.as_slice(), std::slice::from_ref(first)].concat();
        let from = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => {
                let supers = path.iter().take_while(|part| *part == "super").count();
                let above = self.module[..self.module.len().checked_sub(supers)?].to_vec();
                return Some([above.as_slice(), &path[supers..]].concat());
            }
            _ if self.files.contains_key(&child) => child,
            name => self.imported.get(name)?.clone(),
        };
        Some([from.as_slice(), rest].concat())
    }

    fn note(&mut self, path: &[String]) {
        let Some(path) = self.absolute(path).filter(|_| !self.learn) else {
            return;
        };
        let file = (0..=path.len())
            .rev()
            .find_map(|length| self.files.get(&path[..length].to_vec()));
        self.found.extend(file.filter(|file| **file != self.own).cloned());
    }

    /// One name of an import.
    fn import(&mut self, path: &[String], name: &str, is_public: bool) {
        let Some(absolute) = self.absolute(path) else {
            return;
        };
        let is_module = self.files.contains_key(&absolute);
        let is_facade = is_public && absolute.len() > self.module.len() && absolute.starts_with(&self.module);
        if is_module && self.learn {
            self.imported.insert(name.to_owned(), absolute);
        } else if !is_module && !is_facade {
            self.note(path);
        }
    }

    fn import_tree(&mut self, before: &[String], tree: &syn::UseTree, is_public: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.import_tree(&with(&path.ident), &path.tree, is_public),
            syn::UseTree::Group(group) => {
                let trees = group.items.iter();
                trees.for_each(|tree| self.import_tree(before, tree, is_public));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                let module = before.last().cloned().unwrap_or_default();
                self.import(before, &module, is_public);
            }
            syn::UseTree::Name(name) => self.import(&with(&name.ident), &name.ident.to_string(), is_public),
            syn::UseTree::Rename(name) => self.import(&with(&name.ident), &name.rename.to_string(), is_public),
            syn::UseTree::Glob(_) => self.note(before),
        }
    }

    /// Paths in a macro's arguments.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 || path.is_empty() => {
                    path.push(name.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                token => {
                    self.note_path(&mut path);
                    match token {
                        TokenTree::Group(group) => self.note_tokens(group.stream()),
                        TokenTree::Ident(name) => path.push(name.to_string()),
                        _ => {}
                    }
                    colons = 0;
                }
            }
        }
        self.note_path(&mut path);
    }

    fn note_path(&mut self, path: &mut Path) {
        if path.len() > 1 {
            self.note(path);
        }
        path.clear();
    }
}

impl<'a> Visit<'a> for Names<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if module.content.is_some() {
            self.module.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, import: &'a syn::ItemUse) {
        let is_public = !matches!(import.vis, syn::Visibility::Inherited);
        self.import_tree(&[], &import.tree, is_public);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let mut parts: Path = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note_path(&mut parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.note_tokens(call.tokens.clone());
    }

    // What may see something is no need of it.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}
}
